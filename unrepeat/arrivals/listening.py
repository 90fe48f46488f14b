"""Remembers up to when nothing is missing, and fills what is missing after a start. One thread beside the intake."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, close_old_connections, connection

from unrepeat.arrivals import gap_store
from unrepeat.arrivals.gap_fill import fill
from unrepeat.support import clock
from unrepeat.support.config import config
from unrepeat.support.problems import Problem

BEAT = 10.0  # seconds between two marks
SECOND_LOOK = timedelta(minutes=6)
"""What fired before the start and ended soon after it may end before Alertmanager's next try (5 minutes apart by default)."""
DONE = 3  # looks: not begun, first to do, second to do, done

log = structlog.get_logger(__name__)


class Listening:
    """Looks into Prometheus at the start and once more a little later; until both are done, the mark stays where it was."""

    def __init__(
        self, prometheus: str | None = None, *, beat: float = BEAT, second_look: timedelta = SECOND_LOOK
    ) -> None:
        self._prometheus = config().prometheus_url if prometheus is None else prometheus
        self._beat, self._second_look = beat, second_look
        self._since: datetime | None = None
        self._started_at = clock.now()
        self._looks = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listening", daemon=True)

    def start(self) -> None:
        """Begin in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End, and mark where we stopped. Blocks at most two seconds: a look at Prometheus is broken off, and made again at the next start."""
        self._stopping.set()
        self._thread.join(2)

    def turn(self) -> None:
        """Look when it is time to, and mark. A Prometheus that does not answer is asked again at the next turn."""
        now = clock.now()
        if self._looks == 0:
            self._since = gap_store.complete_until()
            self._looks = 1 if self._since is not None and self._prometheus else DONE
        if self._looks == 1 and self._look(now):
            self._looks = 2
        if self._looks == 2 and now >= self._started_at + self._second_look and self._look(now):
            self._looks = DONE
        if self._looks == DONE:
            gap_store.complete(now)

    def _look(self, now: datetime) -> bool:
        assert self._since is not None
        try:
            fill(self._prometheus, self._since, self._started_at, now)
        except Problem as problem:
            log.warning("the gap is not filled yet", since=self._since.isoformat(), why=problem.why)
            return False
        return True

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._try_turn()
                close_old_connections()
                self._stopping.wait(self._beat)
            if self._looks == DONE:
                self._try_turn()
        finally:
            connection.close()

    def _try_turn(self) -> None:
        try:
            self.turn()
        except DatabaseError as error:
            log.warning("it could not be marked that we listen", error=str(error))
            connection.close()
        except Exception:
            log.exception("the gap could not be looked at")
