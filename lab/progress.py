"""What the terminal shows while the lab runs: a line for each thing that happens, and a bar below them."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Progress:
    """Lines and a bar; without a terminal only lines."""

    def __init__(self, console: Console, about_seconds: float) -> None:
        columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
        self._bars = Bars(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._console = console
        self._about = about_seconds
        self._began = time.monotonic()
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self._bars.start()
        self._task = self._bars.add_task("starting", total=self._about)
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._ticker.join()
        self._bars.stop()

    def say(self, text: str) -> None:
        """One line, with the seconds since the start."""
        seconds = time.monotonic() - self._began
        self._console.print(f"[dim]{seconds:6.1f} s[/]  {escape(text)}", highlight=False)
        self._bars.update(self._task, description=escape(text[:60]))

    def _tick(self) -> None:
        while not self._over.wait(0.5):
            self._bars.update(self._task, completed=min(self._about, time.monotonic() - self._began))
