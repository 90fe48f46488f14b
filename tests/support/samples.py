"""The samples of the source kinds: what came (`NAME.body…`), how it came (`NAME.request.json`), what it says (`NAME.reading.json`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import NODEFAULT
from msgspec.structs import fields

from unrepeat import arrivals
from unrepeat.arrivals.kind import source_kinds
from unrepeat.arrivals.records import Reading

HOME = Path(str(arrivals.__file__)).parent / "samples"
RECEIVED_AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """One sample; `secrets` and `options` as its source would have them."""

    kind: str
    name: str
    raw: bytes
    headers: dict[str, str]
    secrets: list[str]
    options: dict[str, Any]
    reading: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}"


def samples(kind: str) -> list[Sample]:
    """All samples of a kind, by name."""
    found = []
    for path in sorted((HOME / kind).glob("*.body.*")):
        name = path.name.partition(".")[0]
        request = json.loads((path.parent / f"{name}.request.json").read_text())
        reading = path.parent / f"{name}.reading.json"
        found.append(
            Sample(
                kind,
                name,
                path.read_bytes(),
                request["headers"],
                request.get("secrets", []),
                request.get("options", {}),
                json.loads(reading.read_text()) if reading.exists() else {},
            )
        )
    return found


def all_samples() -> list[Sample]:
    """Every sample of every kind."""
    return [sample for kind in source_kinds() for sample in samples(kind)]


def plain(reading: Reading) -> dict[str, Any]:
    """A reading as JSON, without the fields that have their default."""
    shaped = {"alerts": [_plain(alert) for alert in reading.alerts], "changes": [_plain(c) for c in reading.changes]}
    return {
        name: value
        for name, value in {**shaped, "note": reading.note, "tickets": list(reading.tickets)}.items()
        if value
    }


def _plain(record: Any) -> dict[str, Any]:
    told = {}
    for field in fields(record):
        value = getattr(record, field.name)
        default = field.default if field.default_factory is NODEFAULT else field.default_factory()
        if value != default:
            told[field.name] = value.isoformat() if isinstance(value, datetime) else value
    return told
