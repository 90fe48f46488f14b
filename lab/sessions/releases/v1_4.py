"""Sessions only: visits are not tracked yet."""

from __future__ import annotations

from collections.abc import Iterator

from lab.sessions.model import Session, Visit


class VisitTracking:
    """Keeps nothing."""

    def record(self, session: Session, visit: Visit) -> None:
        """This release has no use for visits."""

    def release(self, session: Session) -> None:
        """Nothing is held, so there is nothing to let go."""

    def of(self, session: Session) -> list[Visit]:
        """No visits."""
        return []

    def everything(self) -> Iterator[tuple[str, int, Visit]]:
        """No visits."""
        return iter(())

    def __len__(self) -> int:
        return 0
