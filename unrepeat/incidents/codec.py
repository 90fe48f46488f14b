"""Entries to and from JSON. Times are RFC 3339 text. Reading never fails: what this version cannot read becomes `Unknown`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from unrepeat.incidents.entries import (
    KINDS,
    Entry,
    EvidenceGathered,
    GuardProven,
    ImpactMeasured,
    Redacted,
    StartCorrected,
    Unknown,
)

Json = dict[str, Any]
_TIMED = (EvidenceGathered, GuardProven, ImpactMeasured, StartCorrected)  # kinds with times in their data
_DECODERS: dict[str, msgspec.json.Decoder[Entry]] = {
    kind: msgspec.json.Decoder(cls) for kind, cls in KINDS.items() if cls is not Unknown and cls not in _TIMED
}


def encode(entry: Entry) -> tuple[str, Json]:
    """The kind and the data of an entry, as they are stored."""
    if isinstance(entry, Unknown):
        return entry.was, dict(entry.data)
    data: Json = msgspec.to_builtins(entry)
    return entry.kind, data


def decode(kind: str, data: Mapping[str, Any]) -> Entry:
    """The entry of that kind. Fields that this version does not know are passed over (they stay in the table)."""
    known = KINDS.get(kind)
    if known is None or known is Unknown:
        return Unknown(kind, dict(data))
    try:
        entry = msgspec.convert(data, known)
    except (msgspec.ValidationError, TypeError):
        return Unknown(kind, dict(data))
    if isinstance(entry, _TIMED) and any(at.tzinfo is None for at in _times(entry)):
        return Unknown(kind, dict(data))
    return entry


def decode_text(kind: str, text: str | bytes) -> Entry:
    """As `decode`, from the JSON text of the data: the fast way, for whole logs."""
    decoder = _DECODERS.get(kind)
    try:
        if decoder is not None:
            return decoder.decode(text)
    except msgspec.ValidationError:
        pass
    return decode(kind, msgspec.json.decode(text))


def blanked(kind: str, data: Mapping[str, Any]) -> tuple[str, Json]:
    """What stays of an entry when its words are taken out: its kind, its numbers and its yes-or-no fields."""
    kept = {name: value for name, value in data.items() if value is None or isinstance(value, bool | int)}
    return Redacted.kind, {"was": kind, "kept": kept}


def _times(entry: EvidenceGathered | GuardProven | ImpactMeasured | StartCorrected) -> tuple[datetime, ...]:
    if isinstance(entry, StartCorrected):
        return (entry.started_at,)
    if isinstance(entry, GuardProven):
        return tuple(at for at in (entry.red_at, entry.green_at) if at is not None)
    harm = (entry.harm_from, entry.harm_to) if isinstance(entry, ImpactMeasured) else ()
    return (entry.window_from, entry.window_to, *(at for at in harm if at is not None))


def moment(at: datetime) -> str:
    """A moment as RFC 3339 text in UTC: `2024-08-12T15:15:00Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
