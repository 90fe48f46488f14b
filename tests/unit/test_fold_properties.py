"""Whatever people do and monitoring says, in whatever order: the log folds, and what it says is possible."""

from __future__ import annotations

import dataclasses
import typing
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from unrepeat.incidents import acts as a
from unrepeat.incidents import entries as e
from unrepeat.incidents.codec import blanked, decode, encode
from unrepeat.incidents.decide import decide
from unrepeat.incidents.fold import fold, step
from unrepeat.incidents.state import State
from unrepeat.support.problems import Problem

START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
MOMENTS = st.integers(-600, 6000).map(lambda n: START + timedelta(seconds=n))
LATER = st.integers(0, 6000).map(lambda n: START + timedelta(seconds=n))
WORDS = st.sampled_from(["", " ", "sessions", "database", "It leaks.", "x" * 5000, "nul\x00", "Ünïcode 🚨"])
NUMBERS = st.integers(-1, 8)


def values(hint) -> st.SearchStrategy:
    """Values for a field of this type, good and bad."""
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return st.sampled_from(typing.get_args(hint))
    if origin is tuple:
        return st.lists(values(typing.get_args(hint)[0]), max_size=4).map(tuple)
    if origin is dict:
        return st.just({})
    if dataclasses.is_dataclass(hint):
        return made(hint)
    if hint in (int | None, date | None, datetime | None):
        return st.none() | values(typing.get_args(hint)[0])
    return {
        str: WORDS,
        int: NUMBERS,
        float: st.sampled_from([0.0, 0.5, 2.5]),
        bool: st.booleans(),
        datetime: MOMENTS,
        date: st.just(date(2024, 9, 1)),
    }[hint]


def made(cls) -> st.SearchStrategy:
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{field.name: values(hints[field.name]) for field in dataclasses.fields(cls)})


ENTRIES = st.one_of([made(cls) for cls in e.KINDS.values()])
ACTS = st.one_of([made(cls) for cls in a.ACTS.values()])
EVENTS = st.one_of(
    st.builds(e.AlertFired, st.integers(1, 3), st.just("HighMemoryUsage"), st.sampled_from(["sessions", "shop", ""])),
    st.builds(e.AlertResolved, st.integers(1, 3), st.just("HighMemoryUsage")),
)
COURSE = st.sampled_from(
    [
        a.Resolve("All is well."),
        a.Reopen("It is back."),
        a.Mitigate("Rolled back."),
        a.Acknowledge(),
        a.Escalate("sessions-team"),
        a.ClearSuspect("database", "service", "Its latency is flat."),
        a.ConvictSuspect("sessions", "service", "It leaks."),
        a.Split((1,)),
        a.Split((1, 2)),
        a.ProposeMeasure("task", "Watch the memory."),
        a.DropMeasure(1, "Done elsewhere."),
    ]
)
ALERTISH = (e.AlertFired, e.AlertResolved)


def check(state: State) -> None:
    """What holds for every state."""
    for name in (
        "duration",
        "time_to_detect",
        "time_to_acknowledge",
        "time_to_cause",
        "time_to_mitigate",
        "time_to_resolve",
    ):
        length = getattr(state, name)
        assert length is None or length >= timedelta(0), name
    assert state.firing == len(state.open_alerts) >= 0
    assert (state.status == "resolved") <= (state.resolved_at is not None)
    assert (state.status in ("detected", "acknowledged", "mitigated", "reopened")) == state.is_open
    assert (state.status == "merged") == (state.merged_into is not None)
    assert (state.status == "mitigated") <= (state.mitigated_at is not None)
    assert state.is_open <= (state.resolved_at is None) or state.status == "merged"
    assert state.quiet_since is None or state.firing == 0
    assert all(one.resolved_at is None or one.resolved_at >= one.fired_at for one in state.alerts.values())
    guilty = [one.decided_at for one in state.suspects.values() if one.verdict == "guilty"]
    assert state.cause_found_at == min(guilty, default=None)


@given(st.lists(st.tuples(MOMENTS, ENTRIES | EVENTS), max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_log_at_all_folds_and_says_something_possible(told):
    log = [e.Logged(seq, at, at, "Ada", entry) for seq, (at, entry) in enumerate(told, start=1)]
    state = State()
    for logged in log:
        state = step(state, logged)
        check(state)
    assert state == fold(log)


@given(st.lists(st.tuples(MOMENTS, ENTRIES), max_size=20))
@settings(max_examples=200, deadline=None)
def test_a_log_that_went_through_the_database_folds_to_the_same(told):
    log = [e.Logged(seq, at, at, "Ada", entry) for seq, (at, entry) in enumerate(told, start=1)]
    stored = [dataclasses.replace(one, entry=decode(*encode(one.entry))) for one in log]
    assert fold(stored) == fold(log)


@given(st.lists(st.tuples(MOMENTS, ENTRIES, st.booleans()), max_size=20))
@settings(max_examples=200, deadline=None)
def test_a_log_with_blanked_entries_folds_and_says_something_possible(told):
    check(
        fold(
            e.Logged(seq, at, at, "Ada", decode(*blanked(*encode(entry))) if blank else entry)
            for seq, (at, entry, blank) in enumerate(told, start=1)
        )
    )


@given(st.lists(st.one_of(ACTS, EVENTS, COURSE), min_size=5, max_size=60), st.data())
@settings(max_examples=300, deadline=None)
def test_any_course_of_acts_and_alerts_gives_a_log_that_means_what_was_decided(course, data):
    opened = e.IncidentOpened("High memory usage on sessions", "critical", "sessions", "UTC", "nothing_near")
    log = [e.Logged(1, START, START, "unrepeat", opened)]
    other = fold([e.Logged(1, START, START, "unrepeat", opened)])
    for wish in course:
        at, before = data.draw(LATER | MOMENTS), fold(log)
        decided = [wish] if isinstance(wish, ALERTISH) else let_through(before, wish, at, other)
        if not decided:
            continue
        log += [e.Logged(len(log) + n, at, at, "Ada", entry) for n, entry in enumerate(decided, start=1)]
        after = fold(log)
        check(after)
        took_effect(wish, before, after)


def let_through(state: State, wish, at: datetime, other: State) -> list[e.Entry]:
    """What is decided; nothing when it is refused, and then with the three sentences."""
    problem = None
    try:
        return decide(state, wish, number=1, at=at, into=other, new=3)
    except Problem as refused:
        problem = refused
    assert problem.status in (409, 422)
    assert problem.what and problem.why and problem.remedy
    return []


def took_effect(wish, before: State, after: State) -> None:
    """No act that was let through may be one that the fold passes over."""
    match wish:
        case a.Resolve():
            assert (before.is_open, after.status) == (True, "resolved")
            assert after.resolved_at >= after.started_at
        case a.Mitigate():
            assert (before.is_open, after.status) == (True, "mitigated")
        case a.Reopen():
            assert (before.status, after.status) == ("resolved", "reopened")
        case a.Acknowledge():
            assert after.status == "acknowledged"
        case a.Merge():
            assert (after.status, after.merged_into) == ("merged", wish.into)
        case a.Split():
            assert before.alerts.keys() - after.alerts.keys() == set(wish.alerts)
            assert after.alerts
        case a.RaiseSuspect() | a.ClearSuspect() | a.ConvictSuspect():
            verdict = {a.RaiseSuspect: "suspect", a.ClearSuspect: "cleared", a.ConvictSuspect: "guilty"}[type(wish)]
            assert after.suspects[wish.kind, wish.suspect.strip()].verdict == verdict
        case a.ProposeMeasure():
            assert len(after.measures) == len(before.measures) + 1
        case a.DropMeasure():
            assert after.measures[wish.measure].dropped
        case a.HandRole():
            assert after.roles[wish.role] == wish.to.strip()
        case a.CorrectStart():
            assert after.started_at == wish.started_at
