"""What tests of guards that only runners run have in common: scripts, a run, and a look for what it left behind."""

from __future__ import annotations

import os
import sys

import psutil

from unrepeat.prevention.kind import Target, Tools, checked, kind_of

PYTHON = sys.executable


def script(folder, text, name="it.py"):
    """Write a Python script there; the words that run it."""
    (folder / name).write_text(text)
    return [PYTHON, name]


def run(kind, checkout, /, *, target=None, **spec):
    """The outcome of a guard of this kind and text in a checkout."""
    target = target or Target("now", folder=checkout)
    return kind_of(kind).run(checked(kind, spec), target, Tools(seconds=120))


def left_behind(marker):
    """Processes of ours whose command line has this word."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if process.pid != os.getpid() and marker in " ".join(process.info["cmdline"] or [])
    ]
