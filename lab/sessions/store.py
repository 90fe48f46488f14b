"""The sessions themselves: create, touch, cart, check out, end, expire. Knows nothing of HTTP."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.sessions.model import Session, Visit
from lab.sessions.releases import Tracking


class UnknownSession(Exception):
    """The session has ended, has expired, or never was."""


class Busy(Exception):
    """The guard against paying twice is up: the same step was begun a moment ago."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things last, in seconds."""

    time_to_live: float = 10.0
    guard: float = 30.0


class SessionStore:
    """All live sessions, and through the release's tracking the visits within them.

    The guard against paying twice: `begin` takes hold of the session's checkout for 30 seconds and `reserve` of its
    payment. Whoever asks for the same step again while the guard is up is told that it is already in progress. A
    shopper who double-clicks "pay" can therefore never be charged twice. The price: a step that WAS carried out, but
    whose answer came too late for the caller, cannot be repeated until the guard has run out.
    """

    def __init__(self, tracking: Tracking, limits: Limits | None = None, now: Callable[[], float] = time.time) -> None:
        self.tracking = tracking
        self.limits = limits or Limits()
        self.sessions: dict[str, Session] = {}
        self._now = now

    def create(self, visitor: dict[str, str], page: str, shown: list[dict[str, Any]]) -> Session:
        """A new session, with its first visit."""
        now = self._now()
        session = Session(id=uuid.uuid4().hex, created=now, touched=now, visitor=visitor)
        self.sessions[session.id] = session
        self.tracking.record(session, Visit(now, page, shown))
        return session

    def get(self, session_id: str) -> Session:
        """A live session; UnknownSession if there is none."""
        session = self.sessions.get(session_id)
        if session is None or self._expired(session):
            raise UnknownSession(session_id)
        return session

    def touch(self, session_id: str, page: str, shown: list[dict[str, Any]]) -> Session:
        """The visitor has seen a page: the session lives on, the visit is tracked."""
        session = self.get(session_id)
        session.touched = self._now()
        self.tracking.record(session, Visit(session.touched, page, shown))
        return session

    def add_to_cart(self, session_id: str, line: dict[str, Any]) -> Session:
        """Put one line (product, quantity, price) into the cart."""
        session = self.get(session_id)
        session.cart.append(line)
        return session

    def begin(self, session_id: str) -> Session:
        """Start the checkout; Busy while one is in progress."""
        session = self.get(session_id)
        if session.checkout_until > self._now():
            raise Busy("checkout in progress")
        session.checkout_until = self._now() + self.limits.guard
        return session

    def reserve(self, session_id: str) -> Session:
        """Take hold of the payment; Busy while one is in progress."""
        session = self.get(session_id)
        if session.payment_until > self._now():
            raise Busy("payment in progress")
        session.payment_until = self._now() + self.limits.guard
        return session

    def commit(self, session_id: str, order: str) -> Session:
        """The order is paid: empty the cart, lift the guard. Saying it twice does no harm."""
        session = self.get(session_id)
        if order not in session.orders:
            session.orders.append(order)
            session.cart.clear()
            session.checkout_until = session.payment_until = 0.0
        return session

    def end(self, session_id: str) -> None:
        """The visitor has left."""
        self._drop(self.get(session_id))

    def expire(self) -> int:
        """Drop the sessions that were not touched for their time to live; how many there were."""
        gone = [session for session in self.sessions.values() if self._expired(session)]
        for session in gone:
            self._drop(session)
        return len(gone)

    def adopt(self, session: Session, visits: list[Visit]) -> None:
        """Take over a live session from another process, with its visits."""
        self.sessions[session.id] = session
        for visit in visits:
            self.tracking.record(session, visit)

    def live(self) -> list[Session]:
        """All sessions that have not expired."""
        return [session for session in self.sessions.values() if not self._expired(session)]

    def _expired(self, session: Session) -> bool:
        return self._now() - session.touched > self.limits.time_to_live

    def _drop(self, session: Session) -> None:
        del self.sessions[session.id]
        self.tracking.release(session)
