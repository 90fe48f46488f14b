"""One file a release, holding only what that release has of its own: how it tracks visits.

A release is named by its version, and its file by the version with underscores: 2.0.1 is `v2_0_1.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from lab.sessions.model import Session, Visit


class Tracking(Protocol):
    """What the service asks of a release."""

    def record(self, session: Session, visit: Visit) -> None:
        """Remember a visit of a live session."""

    def release(self, session: Session) -> None:
        """The session has ended or expired: let go of what is remembered for it."""

    def of(self, session: Session) -> list[Visit]:
        """The visits of a live session, oldest first."""

    def everything(self) -> Iterator[tuple[str, int, Visit]]:
        """All that is remembered, as (session id, number of the visit, visit)."""

    def __len__(self) -> int:
        """How many visits are remembered."""


def versions() -> list[str]:
    """All releases there are, oldest first."""
    names = (path.stem for path in Path(__file__).parent.glob("v*.py"))
    return sorted(name.removeprefix("v").replace("_", ".") for name in names)


def tracking(version: str) -> Tracking:
    """The tracking of a release; ValueError for a version that was never released."""
    if version not in versions():
        raise ValueError(f"no release {version!r} of the session service; there are {', '.join(versions())}")
    module = import_module(f"{__name__}.v{version.replace('.', '_')}")
    return cast("Tracking", module.VisitTracking())
