"""The repository of the session service as its team has it: one commit a release, and the guards in `unrepeat.toml`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

LAB = Path(__file__).parent
GUARDS = LAB / "guards" / "unrepeat.toml"
LEFT_OUT = shutil.ignore_patterns("recordings", "__pycache__", "out")


class Repository:
    """A git repository below `folder`. `release` commits one; its tag is the release with a `v` before it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "sessions-repository"
        self.folder.mkdir()
        self._git("init", "--quiet", "--initial-branch", "main")
        shutil.copytree(LAB, self.folder / "lab", ignore=LEFT_OUT)
        shutil.copyfile(GUARDS, self.folder / GUARDS.name)

    def release(self, version: str) -> str:
        """Commit and tag a release; the commit."""
        (self.folder / "RELEASE").write_text(f"{version}\n")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", f"Release {version}")
        self._git("tag", f"v{version}")
        return self._git("rev-parse", "HEAD")

    def check_out(self, version: str) -> None:
        """Have a release in the folder."""
        self._git("checkout", "--quiet", f"v{version}")

    def _git(self, *words: str) -> str:
        who = ["-c", "user.name=Dana", "-c", "user.email=dana@shop.example", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *who, *words], cwd=self.folder, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
        )
        return done.stdout.strip()
