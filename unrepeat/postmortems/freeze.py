"""A published revision as JSON and back. Pure but for msgspec; what was frozen is read again by later versions for ever.

New fields of the report's dataclasses need a default, so that old revisions can be read.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Protocol

import msgspec

from unrepeat.postmortems.report import Facts, Figure, Prose, Report

Json = dict[str, Any]


class Kept(Protocol):
    """A revision as the table has it."""

    postmortem_id: int
    number: int
    at: datetime
    by: str
    facts: Any
    prose: Any
    figures: Any
    digest: str


def frozen(report: Report) -> tuple[Json, Json, list[Json]]:
    """Facts, prose and figures as JSON can hold them."""
    facts, prose, figures = (msgspec.to_builtins(part) for part in (report.facts, report.prose, report.figures))
    return facts, prose, list(figures)


def digest(number: int, revision: int, facts: Json, prose: Json, figures: list[Json]) -> str:
    """SHA-256 (hex) over all that was frozen: canonical JSON (sorted keys, no spaces, UTF-8)."""
    whole = {"postmortem": number, "revision": revision, "facts": facts, "prose": prose, "figures": figures}
    text = json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def thawed(kept: Kept, *, newest: int) -> Report:
    """The report as it was frozen; `newest` is the number of the postmortem's newest revision."""
    return Report(
        number=kept.postmortem_id,
        status="published",
        revision=kept.number,
        at=kept.at,
        by=kept.by,
        facts=msgspec.convert(kept.facts, Facts),
        prose=msgspec.convert(kept.prose, dict[str, Prose]),
        figures=msgspec.convert(kept.figures, tuple[Figure, ...]),
        digest=kept.digest,
        published=newest,
    )
