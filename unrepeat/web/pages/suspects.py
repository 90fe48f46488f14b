"""The suspects board: each suspect with its sentence, a small picture of the number that shows it, and the way to its evidence. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from unrepeat.incidents.state import Evidence, State, Suspect
from unrepeat.support import words

SUSPECTS = "Suspects"  # the title of the evidence that holds a whole ranking
WIDTH, HEIGHT, EDGE = 300.0, 64.0, 3.0
MOST_POINTS = 150
_ORDER = {"guilty": 0, "suspect": 1, "cleared": 2}
_BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@dataclass(frozen=True, slots=True)
class Spark:
    """A small picture: `path` for an SVG of WIDTH by HEIGHT, `mark` where the alert stands (None: outside), and the words beside it."""

    path: str
    mark: float | None
    title: str
    low: str
    high: str
    said: str
    width: float = WIDTH
    height: float = HEIGHT


@dataclass(frozen=True, slots=True)
class Card:
    """A suspect, the stored results that speak of it, and a picture of the first."""

    suspect: Suspect
    evidence: tuple[Evidence, ...]
    spark: Spark | None


def first_digests(state: State) -> list[str]:
    """The digests whose data the board draws."""
    return [newest_answer(state, digest) for one in state.suspects.values() for digest in one.evidence[:1]]


def newest_answer(state: State, digest: str) -> str:
    """The newest answer to the same question: the one that goes on after the fix, where there is one."""
    told = state.evidence.get(digest)
    if told is None:
        return digest
    same = [
        one
        for one in state.evidence.values()
        if (one.title, one.source, one.query) == (told.title, told.source, told.query)
    ]
    return max(same, key=lambda one: (one.window_to, one.at)).digest


def board(state: State, shown: Mapping[str, Any]) -> list[Card]:
    """All suspects, guilty ones first. `shown`: digest -> {"points": [[unix seconds, value], ...], "unit", "name"}."""
    ordered = sorted(state.suspects.values(), key=lambda one: (_ORDER[one.verdict], one.raised_at))
    alert = min((one.fired_at for one in state.alerts.values()), default=state.started_at)
    return [_card(one, state, shown, alert) for one in ordered]


def overview_digest(state: State) -> str:
    """The newest whole ranking; empty when there is none."""
    return next((one.digest for one in reversed(state.evidence.values()) if one.title == SUSPECTS), "")


def unseen(state: State) -> list[str]:
    """What could not be seen, in sentences."""
    told = []
    for title, reason in state.missing.items():
        if title == SUSPECTS:
            told.append(f"No suspects could be looked for: {reason}.")
        elif title.startswith("Numbers of "):
            told.append(f"{title.removeprefix('Numbers of ')} could not be seen: {reason}.")
    return told


def spark(shown: Any, alert: datetime | None, title: str = "") -> Spark | None:
    """The picture of stored points; None when there is nothing to draw, or when it is no such thing."""
    try:
        points = [(float(at), float(value)) for at, value in shown["points"]]
        unit = str(shown.get("unit", ""))
    except (TypeError, ValueError, KeyError, AttributeError):
        return None
    if len(points) < 2 or points[-1][0] <= points[0][0]:
        return None
    points = _fewer(points)
    first, last = points[0][0], points[-1][0]
    low, high = min(value for _, value in points), max(value for _, value in points)
    ground = min(0.0, low)

    def x(at: float) -> float:
        return round(EDGE + (WIDTH - 2 * EDGE) * (at - first) / (last - first), 1)

    def y(value: float) -> float:
        return round(HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (value - ground) / ((high - ground) or 1.0), 1)

    path = " ".join(f"{'M' if i == 0 else 'L'}{x(at)} {y(value)}" for i, (at, value) in enumerate(points))
    at = alert.timestamp() if alert else None
    mark = x(min(at, last)) if at is not None and first <= at <= last + (last - first) / 20 else None
    low_said, high_said = _amount(low, unit), _amount(high, unit)
    length = words.span(datetime.fromtimestamp(last, UTC) - datetime.fromtimestamp(first, UTC))
    return Spark(path, mark, title, low_said, high_said, f"{title}: between {low_said} and {high_said} over {length}")


def _card(one: Suspect, state: State, shown: Mapping[str, Any], alert: datetime | None) -> Card:
    evidence = tuple(state.evidence[digest] for digest in one.evidence if digest in state.evidence)
    title = evidence[0].title if evidence else ""
    drawn = spark(shown.get(newest_answer(state, evidence[0].digest)), alert, title) if evidence else None
    return Card(one, evidence, drawn)


def _fewer(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most MOST_POINTS, the highest of each stretch, so that no peak is lost."""
    if len(points) <= MOST_POINTS:
        return list(points)
    size = -(-len(points) // MOST_POINTS)
    stretches: Iterable[Sequence[tuple[float, float]]] = (points[i : i + size] for i in range(0, len(points), size))
    return [max(stretch, key=lambda point: point[1]) for stretch in stretches]


def _amount(value: float, unit: str) -> str:
    if unit == "bytes":
        size, name = next(((size, name) for size, name in _BYTES if abs(value) >= size), (1.0, "bytes"))
        return f"{value / size:.3g} {name}"
    if unit == "share":
        return f"{value * 100:.3g} %"
    if unit == "seconds":
        return f"{value * 1000:.3g} ms" if abs(value) < 1 else f"{value:.3g} s"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}{f' {unit}' if unit not in ('', 'count') else ''}"
