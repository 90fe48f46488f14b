"""What `make demo` does: the recording is replayed, and its report shows measures, guards and proofs, or says why there is none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lab

RECORDING = Path(lab.__file__).parent / "recordings" / "2024-08-12-memory-leak"
HANGS = 400  # seconds: what a crowded machine may take; a quiet one needs under 90


def demo(folder: Path, path: str) -> tuple[str, str, str]:
    """What is printed, the Markdown and the HTML."""
    done = subprocess.run(
        [sys.executable, "-m", "unrepeat", "replay", RECORDING, "--fresh", folder / "demo.db", "--out", folder / "out"],
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS,
        stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith(("UNREPEAT_", "DATABASE_URL"))}
        | {"PATH": path, "UNREPEAT_DATA_DIR": str(folder / "data"), "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    out = folder / "out"
    return done.stdout, (out / "postmortem.md").read_text(), (out / "postmortem.html").read_text()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_guards_are_really_proven_on_the_recording_and_the_report_shows_it(tmp_path):
    printed, text, page = demo(tmp_path, os.environ["PATH"])
    assert "measures: 4 of 8 verified, 4 open" in printed
    early = re.search(r"it fired at \d\d:\d\d UTC, ([\d.]+) min before", printed)
    assert early and float(early[1]) > 10
    for report in (text, page):
        assert report.count("sessions-memory-grows-alert") >= 3
        assert "Proven on 13 August 2024" in report
        assert "4 of 8 verified" in report
        assert "Contributing factors" in report and "Accepted risks" in report
    proofs = text[text.index("#### Guards and their proofs") :]
    assert len(set(re.findall(r"Run `([0-9a-f]{64})`", proofs))) >= 6, "each proof has its two kept runs"
    for told in (printed, text, page):
        assert told.count("Kept from when this was recorded, not run anew") >= 2, "what was not run here is said"
    assert (tmp_path / "recordings" / "2024-08-12-after-the-patch" / "manifest.json").is_file()


def test_without_promtool_what_needs_it_is_not_proven_and_the_remedy_is_said(tmp_path):
    empty = tmp_path / "bin"
    empty.mkdir()
    printed, text, _ = demo(tmp_path, str(empty))
    assert "measures: 2 of 8 verified, 2 done but not verified, 4 open" in printed
    assert "promtool is not installed here." in printed and "promtool is not installed here." in text
    assert "apt install prometheus" in printed
    proofs = text[text.index("#### Guards and their proofs") :]
    assert proofs.count("Proven on") == 1 and "Proven on 15 August 2024: red on v2.0" in proofs
