"""What others may ask of the investigation room: stored results, and whether they are still what was stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from unrepeat.incidents import codec
from unrepeat.incidents.entries import ImpactMeasured
from unrepeat.incidents.state import State
from unrepeat.investigation import catalogue, store
from unrepeat.investigation.models import Result
from unrepeat.investigation.store import Data
from unrepeat.support.problems import NotFound


def result(digest: str) -> Result:
    """A stored result; NotFound."""
    found = store.result(digest)
    if found is None:
        raise NotFound(
            f"There is no stored result {digest[:16]}.", remedy="The evidence of an incident names its results."
        )
    return found


def results(digests: Iterable[str]) -> dict[str, Data]:
    """The data of stored results, by digest; unknown digests are absent."""
    return store.results(digests)


def shown(digests: Iterable[str]) -> dict[str, Any]:
    """What people look at of stored results, by digest: {"points", "unit", "name"}; results that have none are absent."""
    wanted = list(digests)
    return store.shown(wanted) if wanted else {}


def ranked(digest: str) -> tuple[str, str]:
    """Of a stored ranking, what to look at next, and where its call graph is from, a line each; empty when there is none."""
    return store.ranked(digest) if digest else ("", "")


@dataclass(frozen=True, slots=True)
class SeriesRule:
    """By which labels a service's series are found: as the catalogue declares, or by a guess, the first that finds any.

    `found`: the labels by which some were found in an incident; `missing`: why none were.
    """

    declared: bool
    labels: tuple[str, ...]
    found: str = ""
    missing: str = ""


def series_rule(service: str, labels: Mapping[str, str], state: State | None = None) -> SeriesRule:
    """The rule in force for a service with these labels in the catalogue, and how it fared in an incident."""
    guesses = catalogue.Place(service, labels).guesses
    said = tuple(catalogue.labels_said(one) for one in guesses)
    asked = [one.query for one in reversed(state.evidence.values()) if one.service == service] if state else []
    inner = [one[1:-1] for one in said]
    found = next((said[i] for query in asked for i, one in enumerate(inner) if one in query), "")
    missing = state.missing.get(f"Numbers of {service}", "") if state and not found else ""
    return SeriesRule(bool(labels), said, found, missing)


def is_intact(digest: str) -> bool:
    """Whether a stored result still gives its digest; NotFound."""
    kept = result(digest)
    return store.digest_of(kept.source, kept.query, kept.window_from, kept.window_to, kept.data) == kept.digest


@dataclass(frozen=True, slots=True)
class Newest:
    """Who is hurt, as counted last. `at`: when that was, None when only the log says so. `data`: {"step": seconds, "buckets": [...]}; empty when it is not at hand."""

    impact: ImpactMeasured
    at: datetime | None
    data: Data
    query: str = ""


def newest_impact(number: int, state: State, *, said: bool = False) -> Newest | None:
    """What was counted last for an incident, perhaps newer than what its log says (`said`: only that); None when nothing was counted."""
    row = store.measurement(number) if state.is_open and not said else None
    if row is not None:
        impact = codec.decode(ImpactMeasured.kind, row.impact)
        if isinstance(impact, ImpactMeasured):
            return Newest(impact, row.at, row.data)
    if state.impact is None:
        return None
    kept = store.result(state.impact.digest)
    return Newest(state.impact, None, kept.data if kept else {}, kept.query if kept else "")
