"""No order of events makes a measure verified without a proof that was red and green on the guard's present text.

The log is arbitrary: measures proposed, done, reopened, dropped; guards tied, changed, proven, turned and untied, with texts and
runs that fit together or not. What the fold says is compared with a second, plain reading of the same log.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import find, given, settings
from hypothesis import strategies as st

from unrepeat.incidents import entries as e
from unrepeat.incidents.fold import step
from unrepeat.incidents.state import State

START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
MEASURES = GUARDS = st.sampled_from([1, 1, 2])  # mostly the same one, so that events meet
TEXTS = st.sampled_from(["text A", "text A", "text B", ""])
RUNS = st.sampled_from(["", "run 1", "run 2"])
COLOURS = st.sampled_from(["red", "green", "broken"])
OF_MEASURES = st.one_of(
    st.builds(e.MeasureProposed, MEASURES, st.just("task"), st.just("Let sessions go")),
    st.builds(e.MeasureAmended, MEASURES, st.just("task"), st.just("Let ended sessions go")),
    st.builds(e.MeasureDone, MEASURES),
    st.builds(e.MeasureReopened, MEASURES, st.just("it was not in the release")),
    st.builds(e.MeasureDropped, MEASURES, st.just("the service goes away")),
    st.builds(e.RegressionClosed, MEASURES, st.just("2.2 is out")),
)
OF_GUARDS = st.one_of(
    st.builds(e.GuardTied, MEASURES, GUARDS, st.just("sessions-limit"), st.just("command"), TEXTS),
    st.builds(e.GuardUntied, MEASURES, GUARDS),
    st.builds(e.GuardChanged, GUARDS, TEXTS),
    st.builds(e.GuardProven, GUARDS, TEXTS, RUNS, RUNS),
    st.builds(e.GuardNotProven, GUARDS, TEXTS, st.just("Green on both.")),
    st.builds(e.GuardTurned, GUARDS, TEXTS, COLOURS, RUNS),
)
GOOD = [
    e.MeasureProposed(1, "task", "Let sessions go"),
    e.GuardTied(1, 1, "sessions-limit", "command", "text A"),
    e.GuardProven(1, "text A", "run 1", "run 2"),
    e.MeasureDone(1),
]
ORDERS = st.lists(OF_MEASURES | OF_GUARDS, max_size=25)
MIXED = st.lists(OF_MEASURES | OF_GUARDS, min_size=6, max_size=25)
NEARLY = st.tuples(st.permutations(GOOD), MIXED, st.permutations(GOOD)).map(
    lambda three: [*three[0], *three[1], *three[2]]
)
LOGS = ORDERS | NEARLY


def states(log: list[e.Entry]) -> list[State]:
    """The state after each entry."""
    opened: list[e.Entry] = [e.IncidentOpened("Sessions are slow", "critical", "sessions")]
    state, all_of_them = State(), []
    for seq, entry in enumerate([*opened, *log], 1):
        at = START + timedelta(seconds=seq)
        state = step(state, e.Logged(seq, at, at, "Ada", entry))
        all_of_them.append(state)
    return all_of_them[1:]


class Reading:
    """The plain reading: what a guard's text is, what was proven of which text, and how the text's last run turned out.

    What is said of a guard before the log's first tie of it says nothing: the tie brings its proof and its colour along.
    """

    def __init__(self, log: list[e.Entry]) -> None:
        self.text: dict[int, str] = {}
        self.colour: dict[int, str] = {}
        self.proofs: set[tuple[int, str]] = set()
        self.taken_back: set[tuple[int, str]] = set()
        self.tied: dict[int, set[int]] = {}
        self.done: set[int] = set()
        for entry in log:
            self._read(entry)

    def _read(self, entry: e.Entry) -> None:
        if not isinstance(entry, e.GuardTied) and getattr(entry, "guard", None) not in {None, *self.text}:
            return
        match entry:
            case e.GuardTied(measure=measure, guard=guard, digest=text):
                self._has(guard, text)
                self.tied.setdefault(measure, set()).add(guard)
            case e.GuardUntied(measure=measure, guard=guard):
                self.tied.get(measure, set()).discard(guard)
            case e.GuardChanged(guard=guard, digest=text):
                self._has(guard, text)
            case e.GuardProven(guard=guard, digest=text, red=red, green=green):
                if red and green and red != green:
                    self.proofs.add((guard, text))
                    self.taken_back.discard((guard, text))
            case e.GuardNotProven(guard=guard, digest=text):
                if self.text.get(guard) == text:
                    self.taken_back.add((guard, text))
            case e.GuardTurned(guard=guard, digest=text, colour=colour):
                if self.text.get(guard) == text:
                    self.colour[guard] = colour
            case e.MeasureDone(measure=measure):
                self.done.add(measure)
            case e.MeasureReopened(measure=measure):
                self.done.discard(measure)

    def _has(self, guard: int, text: str) -> None:
        if self.text.get(guard) != text:
            self.colour.pop(guard, None)
        self.text[guard] = text

    def proven(self, guard: int) -> bool:
        """Whether two different runs, red and green, were kept of the guard's present text, and no later trial spoke against it."""
        now = (guard, self.text.get(guard, ""))
        return bool(now[1]) and now in self.proofs and now not in self.taken_back


@settings(max_examples=500)
@given(LOGS)
def test_no_order_of_events_verifies_a_measure_without_a_proof_of_the_present_text(log):
    for seen, state in enumerate(states(log), 1):
        plain = Reading(log[:seen])
        for number, measure in state.measures.items():
            if measure.state != "verified":
                continue
            guards = plain.tied.get(number, set()) & set(measure.guards)
            assert any(plain.proven(guard) for guard in guards), "a proven guard watches over it"
            assert not {plain.colour.get(guard) for guard in measure.guards} & {"red", "broken"}, "and none is red"
            assert number in plain.done, "and its work is done"
            assert measure.failed_at is None and not measure.dropped


@settings(max_examples=200)
@given(LOGS)
def test_no_order_of_events_proves_a_guard_by_one_run_or_by_another_text(log):
    for seen, state in enumerate(states(log), 1):
        plain = Reading(log[:seen])
        for guard in state.guards.values():
            assert not guard.is_proven or plain.proven(guard.number)
            assert not guard.is_proven or guard.red != guard.green


@settings(max_examples=200)
@given(LOGS)
def test_a_failed_measure_stays_failed_until_a_person_says_otherwise(log):
    before: dict[int, str] = {}
    for seen, (entry, state) in enumerate(zip(log, states(log), strict=True)):
        for number, measure in state.measures.items():
            if before.get(number) == "failed" and measure.state != "failed":
                assert isinstance(entry, e.RegressionClosed | e.MeasureReopened | e.MeasureDropped)
                assert entry.measure == number
                plain = Reading(log[: seen + 1])
                closed = isinstance(entry, e.RegressionClosed)
                assert not (closed and {plain.colour.get(g) for g in measure.guards} & {"red", "broken"})
            before[number] = measure.state


def test_the_orders_tried_do_reach_verified_and_failed():
    """Else the properties above would hold of nothing."""
    for wanted in ("verified", "failed"):
        find(LOGS, lambda log, wanted=wanted: any(m.state == wanted for s in states(log) for m in s.measures.values()))
