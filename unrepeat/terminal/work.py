"""`unrepeat work`: the worker in a process of its own, beside servers that run with `--no-worker` or with their own."""

from __future__ import annotations

import signal
import threading

from cyclopts import App

app = App(name="work", help="Run a worker in a process of its own. Several may run at once.")


@app.default
def work() -> None:
    """Run a worker in a process of its own. Several may run at once. Ends cleanly at SIGTERM and Ctrl-C."""
    from unrepeat.support.bell import Ears
    from unrepeat.worker import Worker

    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    ears, worker = Ears(), Worker()
    ears.start()
    worker.start()
    asked.wait()
    worker.stop()
    ears.stop()
