"""The fold: what a log says an incident is."""

from datetime import UTC, datetime, timedelta

import pytest

from unrepeat.incidents import entries as e
from unrepeat.incidents.codec import blanked, decode, encode
from unrepeat.incidents.fold import fold, step

START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)


def log_of(*told: tuple[float, str, e.Entry]) -> list[e.Logged]:
    """(minutes after the start, who, what) as a log."""
    return [
        e.Logged(seq, START + timedelta(minutes=after), START + timedelta(minutes=after), by, entry)
        for seq, (after, by, entry) in enumerate(told, start=1)
    ]


OPENED = e.IncidentOpened("High memory usage on sessions", "critical", "sessions", "Europe/Berlin", "nothing_near")
FIRED = e.AlertFired(1, "HighMemoryUsage", "sessions", "critical")
AUGUST = (
    (0, "unrepeat", OPENED),
    (0, "prometheus", FIRED),
    (2, "Ben", e.Acknowledged()),
    (2, "Ben", e.RoleHanded("lead", "Ada")),
    (5, "Ada", e.SuspectRaised("database", "service", "Every page reads from it.")),
    (20, "Ben", e.SuspectCleared("database", "service", "Its latency is flat.")),
    (65, "Ada", e.SuspectRaised("sessions", "service", "It holds 1.2 GB.")),
    (90, "Ada", e.Escalated("sessions-team", "Find out what holds the memory.")),
    (120, "Dana", e.SuspectConvicted("sessions", "service", "Ended sessions are never let go.")),
    (150, "ci", e.ChangeNoticed(7, "deploy", "succeeded", "sessions", "2.0.1", "2.0")),
    (150, "Dana", e.Mitigated("2.0.1 lets go of them.", 7)),
    (151, "prometheus", e.AlertResolved(1, "HighMemoryUsage")),
    (165, "Ada", e.Resolved("Memory and latency are back to normal.")),
)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def test_the_outage_of_august():
    state = fold(log_of(*AUGUST))
    assert (state.status, state.time_zone, state.roles["lead"]) == ("resolved", "Europe/Berlin", "Ada")
    assert state.duration == timedelta(hours=2, minutes=45)
    assert (state.started_at, state.detected_at) == (START, START)
    assert state.time_to_acknowledge == minutes(2)
    assert state.time_to_cause == minutes(120)
    assert state.time_to_mitigate == minutes(150)
    assert state.time_to_resolve == minutes(165)
    assert (state.mitigating_change, state.escalated_to) == (7, ["sessions-team"])
    verdicts = {suspect.name: suspect.verdict for suspect in state.suspects.values()}
    assert verdicts == {"database": "cleared", "sessions": "guilty"}
    assert (state.firing, state.quiet_since) == (0, START + minutes(151))
    assert state.last_seq == 13


def test_an_incident_is_detected_until_somebody_says_more():
    state = fold(log_of(*AUGUST[:2]))
    assert (state.status, state.is_open, state.duration, state.quiet_since) == ("detected", True, None, None)
    assert [alert.name for alert in state.open_alerts] == ["HighMemoryUsage"]


def test_a_reopened_incident_has_no_end_and_counts_how_often():
    state = fold(log_of(*AUGUST, (170, "Ada", e.Reopened("Latency is up again."))))
    assert (state.status, state.reopened, state.is_open) == ("reopened", 1, True)
    assert (state.resolved_at, state.mitigated_at, state.duration) == (None, None, None)
    assert state.acknowledged_at == START + minutes(2)


def test_the_cause_is_found_when_a_verdict_falls_that_still_stands():
    wrong = (30, "Ada", e.SuspectConvicted("database", "service", "It is always the database."))
    cleared = (40, "Ben", e.SuspectCleared("database", "service", "It is not."))
    right = (60, "Dana", e.SuspectConvicted("sessions", "service", "It leaks."))
    assert fold(log_of(*AUGUST[:2], wrong)).cause_found_at == START + minutes(30)
    assert fold(log_of(*AUGUST[:2], wrong, cleared)).cause_found_at is None
    assert fold(log_of(*AUGUST[:2], wrong, cleared, right)).cause_found_at == START + minutes(60)
    again = (90, "Ada", e.SuspectConvicted("sessions", "service", "The heap dump says so too.", ("abc",)))
    state = fold(log_of(*AUGUST[:2], wrong, cleared, right, again))
    assert state.cause_found_at == START + minutes(60)
    assert len(state.suspects["service", "sessions"].story) == 2


def test_an_incident_starts_with_its_earliest_alert_unless_corrected():
    earlier = (-10, "prometheus", e.AlertFired(2, "ShopSlow", "shop"))
    assert fold(log_of(*AUGUST[:2], earlier)).started_at == START - minutes(10)
    corrected = (9, "Ada", e.StartCorrected(START - minutes(15), "The first slow request."))
    state = fold(log_of(*AUGUST[:2], corrected, (-20, "prometheus", e.AlertFired(3, "A", "shop"))))
    assert (state.started_at, state.start_corrected) == (START - minutes(15), True)
    assert state.time_to_detect == minutes(15)


def test_an_incident_that_ada_opened_before_the_alert_began_when_she_did():
    opened = e.IncidentOpened("The shop is slow", "major", "shop", "UTC", "by_hand")
    state = fold(log_of((-5, "Ada", opened), (0, "prometheus", FIRED)))
    assert (state.started_at, state.time_to_detect) == (START - minutes(5), minutes(0))


def test_quiet_begins_when_the_last_alert_resolves():
    two = (1, "prometheus", e.AlertFired(2, "ShopSlow", "shop"))
    log = [*AUGUST[:2], two, (9, "prometheus", e.AlertResolved(2, "ShopSlow"))]
    assert fold(log_of(*log)).quiet_since is None
    log.append((7, "prometheus", e.AlertResolved(1, "HighMemoryUsage")))
    assert fold(log_of(*log)).quiet_since == START + minutes(9)
    log.append((10, "prometheus", e.AlertFired(3, "ShopSlow", "shop")))
    assert fold(log_of(*log)).quiet_since is None


def test_alerts_that_split_off_are_gone_and_the_start_is_told_by_those_that_stay():
    log = [*AUGUST[:2], (5, "prometheus", e.AlertFired(2, "InvoicesLate", "billing"))]
    state = fold(log_of(*log, (9, "Ada", e.AlertsSplitOff(2, (1,)))))
    assert (list(state.alerts), state.firing, state.started_at) == ([2], 1, START + minutes(5))


def test_a_merged_incident_is_over_and_its_alerts_are_elsewhere():
    state = fold(log_of(*AUGUST[:2], (9, "Ada", e.MergedInto(1, "The same."))))
    assert (state.status, state.merged_into, state.is_open) == ("merged", 1, False)
    assert (state.alerts, state.firing) == ({}, 0)


def test_an_unknown_kind_changes_nothing_but_the_place_in_the_log():
    before = fold(log_of(*AUGUST[:2]))
    after = step(before, e.Logged(3, START, START, "Ada", decode("hologram_shown", {"of": "the shop"})))
    assert after.last_seq == 3
    after.last_seq, after.acted_at = before.last_seq, before.acted_at
    assert after == before


def test_a_step_leaves_the_state_that_it_was_given_as_it_was():
    log = log_of(*AUGUST)
    states = [fold(log[:n]) for n in range(len(log) + 1)]
    for n, logged in enumerate(log):
        assert step(states[n], logged) == states[n + 1]
    assert states == [fold(log[:n]) for n in range(len(log) + 1)]


def test_what_makes_no_sense_where_it_stands_changes_nothing():
    nonsense = (
        (200, "Ada", e.Resolved("Again.")),
        (201, "Ada", e.Mitigated("Late.")),
        (202, "prometheus", e.AlertResolved(99, "Nobody")),
        (203, "Ada", e.MeasureAmended(5, "task", "Nothing.")),
        (204, "Ada", e.MeasureDropped(5, "Nothing.")),
    )
    before, after = fold(log_of(*AUGUST)), fold(log_of(*AUGUST, *nonsense))
    for name in ("status", "resolved_at", "resolution", "mitigated_at", "measures", "firing", "quiet_since"):
        assert getattr(after, name) == getattr(before, name), name


@pytest.mark.parametrize("place", range(len(AUGUST)))
def test_a_blanked_entry_keeps_what_its_numbers_say_and_loses_its_words(place):
    log = log_of(*AUGUST)
    logged = log[place]
    log[place] = e.Logged(logged.seq, logged.at, logged.recorded_at, logged.by, decode(*blanked(*encode(logged.entry))))
    before, after = fold(log_of(*AUGUST)), fold(log)
    assert (after.status, after.resolved_at, after.mitigated_at) == (
        before.status,
        before.resolved_at,
        before.mitigated_at,
    )
    assert (after.acknowledged_at, after.started_at, after.alerts.keys()) == (
        before.acknowledged_at,
        before.started_at,
        before.alerts.keys(),
    )


def test_every_kind_survives_the_way_to_json_and_back():
    samples = {type(entry): entry for _, _, entry in AUGUST} | {e.Redacted: e.Redacted()}
    samples[e.EvidenceGathered] = e.EvidenceGathered("ab", "Memory", "prometheus", "rss", START, START)
    samples[e.StartCorrected] = e.StartCorrected(START, "Why.")
    samples[e.AlertsSplitOff] = e.AlertsSplitOff(2, (1, 3))
    for entry in samples.values():
        assert decode(*encode(entry)) == entry


def test_fields_of_a_newer_version_are_passed_over_and_times_without_a_zone_are_not_guessed():
    assert decode("note_written", {"text": "Hello", "mood": "grim"}) == e.NoteWritten("Hello")
    odd = decode("start_corrected", {"started_at": "2024-08-12T15:00:00"})
    assert isinstance(odd, e.Unknown)
    assert encode(odd) == ("start_corrected", {"started_at": "2024-08-12T15:00:00"})
