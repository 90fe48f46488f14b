"""What others may ask of the investigation room: stored results, and whether they are still what was stored."""

from __future__ import annotations

from collections.abc import Iterable

from unrepeat.investigation import store
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


def is_intact(digest: str) -> bool:
    """Whether a stored result still gives its digest; NotFound."""
    kept = result(digest)
    return store.digest_of(kept.source, kept.query, kept.window_from, kept.window_to, kept.data) == kept.digest
