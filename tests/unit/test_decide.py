"""What people may do: an act is let through, or refused with a reason and a remedy."""

from datetime import UTC, datetime, timedelta

import pytest

from unrepeat.incidents import acts as a
from unrepeat.incidents import entries as e
from unrepeat.incidents.acts import ACTS
from unrepeat.incidents.decide import decide
from unrepeat.incidents.fold import fold
from unrepeat.support.problems import Conflict, Invalid

START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
NOW = START + timedelta(hours=1)


def incident(*entries: e.Entry):
    opened = e.IncidentOpened("High memory usage on sessions", "critical", "sessions", "UTC", "nothing_near")
    fired = e.AlertFired(1, "HighMemoryUsage", "sessions", "critical")
    return fold(
        e.Logged(seq, START + timedelta(minutes=seq), START, "Ada", entry)
        for seq, entry in enumerate((opened, fired, *entries))
    )


def do(act: a.Act, *entries: e.Entry, **more):
    return decide(incident(*entries), act, number=1, at=NOW, **more)


RESOLVED = e.Resolved("All is well.")
MERGED = e.MergedInto(7, "The same outage.")
RAISED = e.SuspectRaised("database", "service", "Every page reads from it.")
TWO = e.AlertFired(2, "ShopSlow", "shop", "minor")
MEASURE = e.MeasureProposed(1, "task", "Watch the memory.", "Ben", "2024-09-01")
CAUSE = e.CauseNamed(1, "cause", "software_defect", "Sessions are never released.")
SEEN = e.RepeatSuspected(12, 3, "The day the memory leak struck", "likely", 0.9, ("the same alert fired",))
FAILED = (
    MEASURE,
    e.MeasureDone(1),
    e.GuardTied(1, 4, "sessions-memory", "promql", "text"),
    e.GuardProven(4, "text", "r1", "r2"),
    e.GuardTurned(4, "text", "red", "r3", "9 MB a session"),
)


def test_every_act_is_decided_upon():
    samples = {
        "acknowledge": (a.Acknowledge(),),
        "note": (a.Note("Is it the database again?"),),
        "raise_suspect": (a.RaiseSuspect("database", "service", "Every page reads from it."),),
        "clear_suspect": (a.ClearSuspect("database", "service", "Its latency is flat."), RAISED),
        "convict_suspect": (a.ConvictSuspect("sessions", "service", "It leaks."),),
        "hand_role": (a.HandRole("lead", "Ada"),),
        "escalate": (a.Escalate("sessions-team", "Your release leaks."),),
        "set_severity": (a.SetSeverity("major"),),
        "retitle": (a.Retitle("The shop is slow and loses carts"),),
        "correct_start": (a.CorrectStart(START - timedelta(minutes=10)),),
        "mitigate": (a.Mitigate("Rolled back."),),
        "resolve": (a.Resolve("All is well."),),
        "reopen": (a.Reopen("It is back."), RESOLVED),
        "merge": (a.Merge(2),),
        "split": (a.Split((2,)), TWO),
        "name_cause": (a.NameCause("cause", "software_defect", "Sessions are never released."),),
        "withdraw_cause": (a.WithdrawCause(1, "It was not."), CAUSE),
        "accept_risk": (a.AcceptRisk(1, "Too rare to pay for."), CAUSE),
        "propose_measure": (a.ProposeMeasure("task", "Watch the memory."),),
        "amend_measure": (a.AmendMeasure(1, "task", "Watch it closely."), MEASURE),
        "drop_measure": (a.DropMeasure(1, "Done elsewhere."), MEASURE),
        "finish_measure": (a.FinishMeasure(1, "Merged."), MEASURE),
        "reopen_measure": (a.ReopenMeasure(1, "Half of it is missing."), MEASURE, e.MeasureDone(1)),
        "close_regression": (a.CloseRegression(1, "2.0.2 is out."), *FAILED, e.GuardTurned(4, "text", "green", "r4")),
        "confirm_repeat": (a.ConfirmRepeat(12), SEEN),
        "reject_repeat": (a.RejectRepeat(12, "Another disk."), SEEN),
    }
    assert samples.keys() == ACTS.keys()
    for name, (act, *log) in samples.items():
        assert do(act, *log, into=incident(), new=3), name


def test_a_suspect_that_nobody_raised_is_raised_and_cleared_in_one_go():
    assert do(a.ClearSuspect("database", "service", "Its latency is flat.")) == [
        e.SuspectRaised("database", "service", ""),
        e.SuspectCleared("database", "service", "Its latency is flat."),
    ]
    assert len(do(a.ClearSuspect("database", "service", "Its latency is flat."), RAISED)) == 1


@pytest.mark.parametrize(
    ("act", "log", "remedy"),
    [
        (a.Resolve("Again."), [RESOLVED], "Reopen it"),
        (a.Mitigate("Late."), [RESOLVED], "Reopen it"),
        (a.Escalate("sessions-team"), [RESOLVED], "Reopen it"),
        (a.Reopen("Why?"), [], "Write a note"),
        (a.Acknowledge(), [e.Acknowledged()], "Write a note"),
        (a.Mitigate("Again."), [e.Mitigated("Rolled back.")], "Write a note"),
        (a.RaiseSuspect("database", "service", "Again."), [RAISED], "come to another verdict"),
        (a.HandRole("lead", "Ada"), [e.RoleHanded("lead", "Ada")], "Name somebody else"),
        (a.Retitle("High memory usage on sessions"), [], "another title"),
        (a.Note("Still there?"), [MERGED], "Do it at incident 7"),
        (a.Resolve("Well."), [MERGED], "Do it at incident 7"),
        (a.Split((1,)), [], "Name fewer"),
        (a.DropMeasure(1, "Again."), [MEASURE, e.MeasureDropped(1, "No.")], "Propose it anew"),
    ],
)
def test_what_the_state_forbids_is_a_conflict_with_a_remedy(act, log, remedy):
    with pytest.raises(Conflict) as refused:
        do(act, *log)
    assert remedy in refused.value.remedy


@pytest.mark.parametrize(
    "act",
    [
        a.Note(""),
        a.Note(" \n "),
        a.Note("x" * 20_001),
        a.Note("a\x00b"),
        a.Note("\ud800"),
        a.RaiseSuspect("", "service", "Why."),
        a.RaiseSuspect("database", "service", ""),
        a.RaiseSuspect("x" * 121, "service", "Why."),
        a.RaiseSuspect("database", "ghost", "Why."),  # type: ignore[arg-type]
        a.RaiseSuspect("database", "service", "Why.", ("digest",) * 51),
        a.HandRole("king", "Ada"),  # type: ignore[arg-type]
        a.SetSeverity("awful"),  # type: ignore[arg-type]
        a.Retitle("x" * 201),
        a.CorrectStart(START + timedelta(minutes=1)),
        a.CorrectStart(datetime(2024, 8, 12, 15, 0)),
        a.CorrectStart(datetime(24, 8, 12, 15, 0, tzinfo=UTC)),
        a.Mitigate("Rolled back.", 99),
        a.Split(()),
        a.Split((99,)),
        a.Merge(1),
        a.AmendMeasure(1, "task", "There is none."),
        a.DropMeasure(1, "There is none."),
        a.ProposeMeasure("dream", "Sleep."),  # type: ignore[arg-type]
    ],
)
def test_what_makes_no_sense_is_invalid_and_says_what_to_do(act):
    with pytest.raises(Invalid) as refused:
        do(act)
    assert refused.value.remedy


def test_nothing_ends_before_it_began():
    for act in (a.Resolve("All is well."), a.Mitigate("Rolled back.")):
        with pytest.raises(Invalid, match="before it began"):
            decide(incident(), act, number=1, at=START - timedelta(minutes=1))


def test_an_open_outage_cannot_go_on_in_one_that_is_over():
    with pytest.raises(Conflict, match="is resolved"):
        do(a.Merge(2), into=incident(RESOLVED))
    assert do(a.Merge(2), RESOLVED, into=incident(RESOLVED))
    with pytest.raises(Conflict, match="goes on as incident 7"):
        do(a.Merge(2), into=incident(MERGED))


def test_after_the_end_people_may_still_write_and_judge():
    for act in (a.Note("For the report."), a.ConvictSuspect("sessions", "service", "It leaks."), a.Retitle("The leak")):
        assert do(act, RESOLVED)


@pytest.mark.parametrize("by", ["unrepeat", "Ben"])
def test_a_person_may_confirm_the_machine_but_need_not_repeat_a_colleague(by):
    opened = e.Logged(1, START, START, "unrepeat", e.IncidentOpened("Slow", "major", "shop"))
    cleared = e.Logged(2, START, START, by, e.SuspectCleared("database", "service", "Nothing is unusual."))
    act = a.ClearSuspect("database", "service", "No locks.")
    if by == "unrepeat":
        made = decide(fold([opened, cleared]), act, number=1, at=NOW)
        assert made == [e.SuspectCleared("database", "service", "No locks.")]
    else:
        with pytest.raises(Conflict, match="already cleared"):
            decide(fold([opened, cleared]), act, number=1, at=NOW)


def test_measures_are_counted_and_a_dropped_number_is_not_used_again():
    again = do(a.ProposeMeasure("improvement", "Review."), MEASURE, e.MeasureDropped(1, "No."))
    assert again == [e.MeasureProposed(2, "improvement", "Review.", "", "")]


def test_a_failed_measure_is_not_closed_while_its_guard_is_red():
    with pytest.raises(Conflict, match="still fails"):
        do(a.CloseRegression(1, "Surely fine."), *FAILED)


def test_human_error_is_no_cause_unless_it_says_what_let_it_happen():
    with pytest.raises(Invalid, match="no end") as refused:
        do(a.NameCause("cause", "unknown", "Human error."))
    assert "what let a reasonable person" in refused.value.remedy
    assert do(a.NameCause("factor", "missing_validation", "An operator error that the tool did not refuse."))


def test_there_is_one_trigger_and_a_withdrawn_number_is_not_used_again():
    trigger = e.CauseNamed(1, "trigger", "deploy", "2.0 went out.")
    with pytest.raises(Conflict, match="already has a trigger"):
        do(a.NameCause("trigger", "traffic_change"), trigger)
    again = do(a.NameCause("trigger", "traffic_change"), trigger, e.CauseWithdrawn(1, "It was later."))
    assert again == [e.CauseNamed(2, "trigger", "traffic_change")]
