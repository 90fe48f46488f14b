"""A runner: a git repository with two releases, and the real `unrepeat` that runs in it with a server's address and a token."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.support.served import ROOT

CHECK = """import sys
for number, line in enumerate(open("sessions.txt"), 1):
    if line.startswith("visits_kept") and "unlimited" in line:
        sys.exit(f"sessions.txt:{number}: visits are kept without limit")
"""
DECLARED = """service = "sessions"

[[guard]]
name = "sessions-limit"
kind = "command"
measures = ["PM-{report}/1"]
command = ["{python}", "check_limit.py"]
"""


class Said(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    err: str


class Repository:
    """The session service's repository: v2.0 keeps visits without limit, v2.0.1 does not and declares a guard."""

    def __init__(self, folder: Path, report: int) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.release("v2.0", "unlimited")
        (folder / "check_limit.py").write_text(CHECK)
        (folder / "unrepeat.toml").write_text(DECLARED.format(report=report, python=sys.executable))
        self.release("v2.0.1", "50")

    def release(self, tag: str, visits: str) -> None:
        """Commit a release that keeps so many visits, and tag it."""
        (self.folder / "sessions.txt").write_text(f"idle_minutes = 30\nvisits_kept = {visits}\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Release {tag}")
        self.git("tag", tag)

    def git(self, *words: str) -> str:
        """What git prints."""
        names = ("-c", "user.name=Ben", "-c", "user.email=ben@shop.example", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *names, *words], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout

    def unrepeat(self, *words: str, url: str = "", token: str = "", **settings: str) -> Said:
        """Run `unrepeat` in the checkout, as a runner does: it has no database and no settings but these."""
        bare = {k: v for k, v in os.environ.items() if not k.startswith(("UNREPEAT_", "DATABASE_URL", "DJANGO_"))}
        env = bare | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"} | settings
        env |= {"UNREPEAT_URL": url} if url else {}
        env |= {"UNREPEAT_TOKEN": token} if token else {}
        done = subprocess.run(
            [sys.executable, "-m", "unrepeat", *words],
            cwd=self.folder, env=env, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)
