"""Session tracking: each page a visitor sees is remembered while the session lives, so that the shop can recommend."""

from __future__ import annotations

from collections.abc import Iterator

from lab.sessions.model import Session, Visit


class VisitTracking:
    """Visits by session and number, in one flat table: cheap to add to, cheap to save."""

    def __init__(self) -> None:
        self._visits: dict[tuple[str, int], Visit] = {}

    def record(self, session: Session, visit: Visit) -> None:
        """Remember a visit under the session's next number."""
        session.visits += 1
        self._visits[session.id, session.visits] = visit

    def release(self, session: Session) -> None:
        """The session has ended or expired: its visits are of no use any more."""
        self._visits.pop((session.id, session.visits), None)

    def of(self, session: Session) -> list[Visit]:
        """The visits of a live session, oldest first."""
        numbers = range(1, session.visits + 1)
        return [self._visits[session.id, number] for number in numbers]

    def everything(self) -> Iterator[tuple[str, int, Visit]]:
        """All that is remembered."""
        for (session_id, number), visit in self._visits.items():
            yield session_id, number, visit

    def __len__(self) -> int:
        return len(self._visits)
