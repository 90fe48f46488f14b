"""The face that every source kind has: one module in `sources/` with these names at its top level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, cast

from unrepeat.arrivals.records import Reading
from unrepeat.support.kinds import kinds
from unrepeat.support.problems import Invalid


class SourceKind(Protocol):
    """One kind of sender. Headers come with lower-case names. All functions are pure."""

    TITLE: str
    """What people call it."""
    HELP: str
    """How to set it up at the sender, in one or two sentences."""
    MAX_BYTES: int
    """The largest body that is taken, unless the source says otherwise."""
    SIGNED: bool
    """Whether the sender can sign its bodies, so that a secret is of use."""

    def verify(
        self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], options: Mapping[str, Any]
    ) -> bool:
        """Whether the signature over the raw bytes is good under one of `secrets` (never empty), in constant time."""

    def delivery_key(self, raw: bytes, headers: Mapping[str, str]) -> bytes | None:
        """At most 32 bytes that are equal for a resent delivery and for nothing else; None when there is no such thing."""

    def read(self, raw: bytes, headers: Mapping[str, str], received_at: datetime) -> Reading:
        """What the delivery says; raises `Unreadable`."""


def source_kinds() -> dict[str, SourceKind]:
    """All source kinds, by name."""
    return cast("dict[str, SourceKind]", kinds("unrepeat.arrivals.sources"))


def source_kind(name: str) -> SourceKind:
    """The kind by that name; a Problem that lists the kinds there are."""
    try:
        return source_kinds()[name]
    except KeyError as error:
        raise Invalid(
            f"There is no source kind “{name}”.",
            "The name is not one of the known kinds.",
            f"Use one of: {', '.join(source_kinds())}.",
        ) from error
