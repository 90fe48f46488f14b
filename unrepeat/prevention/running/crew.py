"""The threads in which the server runs guards: few that work, more while runs only wait for an answer from outside.

A run touches no database. What has been under way for longer than `YOUNG` seconds is taken to be waiting, and another thread is
started in its place, up to `most`: a hundred addresses that do not answer hold up nobody else's check. Heavy runs work on this machine
as long as they last, so that none is started in their place; they get half of the threads at most.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

YOUNG = 1.0  # seconds
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """A run to be made: of which guard, and what makes it. It never raises."""

    guard: int
    run: Callable[[], T]
    heavy: bool = False


class Crew(Generic[T]):
    """Runs jobs and hands over what they made. One thread asks it for all this; `left` gets what ends after `leave`."""

    def __init__(self, together: int, most: int, left: Callable[[T], None]) -> None:
        self._together, self._most, self._left = together, most, left
        self._light, self._heavy = deque[Job[T]](), deque[Job[T]]()
        self._made: queue.SimpleQueue[T] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running: dict[int, tuple[float, bool]] = {}  # guard -> when its run began, and whether it is heavy
        self._asked: set[int] = set()  # waiting ones and running ones
        self._threads = 0
        self._closed = False

    def ask(self, jobs: Iterable[Job[T]]) -> None:
        """Run these as soon as there is a thread for them."""
        for job in jobs:
            with self._lock:
                self._asked.add(job.guard)
                (self._heavy if job.heavy else self._light).append(job)
        self._man()

    def waiting(self, *, heavy: bool) -> int:
        """How many have not begun."""
        return len(self._heavy if heavy else self._light)

    def guards(self) -> set[int]:
        """The guards that wait or run, or whose runs have not been handed over."""
        with self._lock:
            return set(self._asked)

    def made(self, most: int, seconds: float) -> list[T]:
        """What has been made, as soon as it is so many, or after so many seconds; none when nothing is under way."""
        until, found = time.monotonic() + seconds, list[T]()
        while len(found) < most and (self._made.qsize() or self._under_way()):
            self._man()
            try:
                found.append(self._made.get(timeout=max(0.0, min(until - time.monotonic(), YOUNG / 4))))
            except queue.Empty:
                if time.monotonic() >= until:
                    break
        return found

    def handed_over(self, guards: Iterable[int]) -> None:
        """The runs of these guards have been written: they may be asked for again."""
        with self._lock:
            self._asked.difference_update(guards)

    def leave(self, tell: Callable[[set[int]], None]) -> None:
        """Begin nothing more. `tell` hears which guards still run, before any of them ends; then they go to `left`."""
        with self._lock:
            self._closed = True
            self._drain()
            tell(set(self._running))

    def rest(self) -> list[T]:
        """What was made until `leave` and has not been handed over."""
        return [self._made.get() for _ in range(self._made.qsize())]

    def _under_way(self) -> bool:
        with self._lock:
            return bool(self._running or self._light or self._heavy)

    def _drain(self) -> None:
        for waiting in (self._light, self._heavy):
            self._asked.difference_update(job.guard for job in waiting)
            waiting.clear()

    def _man(self) -> None:
        """As many threads as there is work for."""
        with self._lock:
            work = len(self._running) + len(self._light) + len(self._heavy)
            wanted = min(self._most, self._together + self._slow(), work)
            while self._threads < wanted:
                self._threads += 1
                threading.Thread(target=self._work, name="guard", daemon=True).start()

    def _slow(self) -> int:
        now = time.monotonic()
        return sum(not heavy and now - began > YOUNG for began, heavy in self._running.values())

    def _next(self) -> Job[T] | None:
        """The next job for a thread; None when it is not needed any more."""
        with self._lock:
            job = None
            if not self._closed and self._threads <= self._together + self._slow():
                working = sum(heavy for _, heavy in self._running.values())
                if self._heavy and working < max(1, self._together // 2):
                    job = self._heavy.popleft()
                elif self._light:
                    job = self._light.popleft()
            if job is None:
                self._threads -= 1
            else:
                self._running[job.guard] = (time.monotonic(), job.heavy)
            return job

    def _work(self) -> None:
        while (job := self._next()) is not None:
            made = job.run()
            with self._lock:
                del self._running[job.guard]
                closed = self._closed
                if not closed:
                    self._made.put(made)
            if closed:
                self._left(made)
