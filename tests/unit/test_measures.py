"""Measures: done is not verified, verified is not for ever, and only a person closes a regression."""

from datetime import UTC, datetime, timedelta

from unrepeat.incidents import entries as e
from unrepeat.incidents.fold import fold
from unrepeat.incidents.state import State

START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
PROPOSED = e.MeasureProposed(1, "task", "Release tracked sessions", "Ben", "2024-08-19", "prevent", (1,))
TIED = e.GuardTied(1, 4, "sessions-memory", "load_test", "old text")
PROVEN = e.GuardProven(4, "old text", "red run", "green run", "Red on the failure, green on the fix.", "2.0", "2.0.1")


def after(*entries: e.Entry) -> State:
    """The state of an incident after these entries, a minute apart."""
    opened = e.IncidentOpened("Sessions are slow", "critical", "sessions")
    return fold(
        e.Logged(n, START + timedelta(minutes=n), START, "Ada", entry) for n, entry in enumerate((opened, *entries), 1)
    )


def state_of(*entries: e.Entry) -> str:
    """The state of measure 1 after these entries."""
    return after(PROPOSED, *entries).measures[1].state


def turned(colour: e.Colour, text: str = "old text") -> e.GuardTurned:
    return e.GuardTurned(4, text, colour, f"{colour} run of today", "9.1 MB a session, limit 6")


def test_done_without_a_proven_guard_is_not_verified():
    assert state_of() == "open"
    assert state_of(e.MeasureDone(1, "Merged.")) == "done"
    assert state_of(e.MeasureDone(1), TIED) == "done"
    assert state_of(TIED, PROVEN) == "open", "a proof of work that is not done"


def test_done_and_proven_is_verified_in_whichever_order_it_came():
    assert state_of(TIED, PROVEN, e.MeasureDone(1)) == "verified"
    assert state_of(e.MeasureDone(1), TIED, PROVEN) == "verified"
    assert after(PROPOSED, TIED, PROVEN, e.MeasureDone(1)).measures[1].verified_at == START + timedelta(minutes=5)


def test_a_guard_that_was_changed_after_its_proof_is_unproven_again():
    verified = (e.MeasureDone(1), TIED, PROVEN)
    changed = e.GuardChanged(4, "new text")
    assert state_of(*verified, changed) == "done"
    assert state_of(*verified, changed, PROVEN) == "done", "a proof of the old text that comes late"
    assert state_of(*verified, changed, e.GuardProven(4, "new text", "r3", "r4")) == "verified"


def test_two_runs_that_are_one_are_no_proof():
    assert state_of(e.MeasureDone(1), TIED, e.GuardProven(4, "old text", "one run", "one run")) == "done"
    assert state_of(e.MeasureDone(1), TIED, e.GuardProven(4, "old text", "", "green run")) == "done"


def test_a_later_trial_that_tells_nothing_apart_takes_the_proof_away():
    assert state_of(e.MeasureDone(1), TIED, PROVEN, e.GuardNotProven(4, "old text", "Green on both.")) == "done"


def test_a_red_guard_makes_a_verified_measure_fail_and_green_alone_does_not_close_it():
    failed = (e.MeasureDone(1), TIED, PROVEN, turned("red"))
    assert state_of(*failed) == "failed"
    assert after(PROPOSED, *failed).measures[1].failed_guard == 4
    assert state_of(*failed, turned("green")) == "failed"
    assert state_of(*failed, e.RegressionClosed(1, "Surely fine.")) == "failed", "its guard is still red"
    assert state_of(*failed, turned("green"), e.RegressionClosed(1, "2.0.2 is out.")) == "verified"


def test_a_red_guard_of_a_measure_that_never_was_verified_fails_nothing():
    assert state_of(TIED, turned("red"), e.MeasureDone(1)) == "done"
    assert state_of(e.MeasureDone(1), TIED, turned("red"), PROVEN) == "done", "proven, but red now"


def test_a_guard_that_cannot_say_verifies_nothing():
    assert state_of(e.MeasureDone(1), TIED, PROVEN, turned("broken")) == "done"
    assert state_of(e.MeasureDone(1), TIED, PROVEN, turned("broken"), turned("green")) == "verified"
    assert state_of(e.MeasureDone(1), TIED, PROVEN, turned("broken"), turned("red")) == "failed"


def test_a_turn_of_another_text_changes_nothing():
    assert state_of(e.MeasureDone(1), TIED, PROVEN, turned("red", "older text")) == "verified"


def test_work_that_was_not_done_after_all_begins_anew():
    assert state_of(e.MeasureDone(1), TIED, PROVEN, e.MeasureReopened(1, "Half of it is missing.")) == "open"
    assert state_of(e.MeasureDone(1), TIED, PROVEN, turned("red"), e.MeasureReopened(1, "No.")) == "open"


def test_an_untied_guard_verifies_nothing():
    assert state_of(e.MeasureDone(1), TIED, PROVEN, e.GuardUntied(1, 4, "Another watches.")) == "done"


def test_a_cause_keeps_its_accepted_risk_until_it_is_withdrawn():
    cause = e.CauseNamed(1, "factor", "late_detection", "The limit was the only alert.")
    state = after(cause, e.RiskAccepted(1, "A growth alert is noisy."))
    assert (state.causes[1].accepted, state.causes[1].accepted_by) == ("A growth alert is noisy.", "Ada")
    assert not after(cause, e.CauseWithdrawn(1, "It was not.")).causes


def test_what_a_person_said_of_a_repeat_stands_when_the_machine_sees_it_again():
    seen = e.RepeatSuspected(12, 3, "The day the memory leak struck", "likely", 0.9)
    state = after(seen, e.RepeatRejected(12, "Another disk."), seen)
    assert state.repeats[12].standing == "rejected"
    state = after(seen, e.RepeatConfirmed(12, 3, "The same leak."), seen)
    assert (state.repeats[12].standing, state.repeats[12].decided_by) == ("confirmed", "Ada")
