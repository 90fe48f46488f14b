"""The lab leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.parts.part import Part
from lab.supervisor import PartFailed, Supervisor


class Sleeper(Part):
    """A part with a child of its own, as nginx and PostgreSQL have."""

    name = "sleeper"

    def command(self) -> list[str]:
        return ["sh", "-c", f"sleep 600 & echo $! > {self.folder}/child; echo up; wait"]

    def ready(self) -> bool:
        return (self.folder / "child").exists() and (self.folder / "child").read_text().endswith("\n")


class Broken(Part):
    """A part that ends at once, with a last word."""

    name = "broken"

    def command(self) -> list[str]:
        return ["sh", "-c", "echo the disk is full; exit 3"]

    def ready(self) -> bool:
        return False


def gone(pid: int) -> bool:
    """True when the process has ended (a zombie that waits for its parent has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def soon(condition, seconds: float = 10.0) -> bool:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def test_leaving_ends_every_process_and_removes_the_folder():
    with Supervisor() as supervisor:
        part = Sleeper(supervisor.folder)
        supervisor.start(part)
        pid, child = supervisor.pid(part), int((supervisor.folder / "child").read_text())
        folder = supervisor.folder
    assert gone(pid)
    assert soon(lambda: gone(child))
    assert not folder.exists()


def test_a_part_that_fails_is_named_with_its_last_words():
    with (
        Supervisor() as supervisor,
        pytest.raises(PartFailed, match=r"(?s)broken ended with status 3.*the disk is full"),
    ):
        supervisor.start(Broken(supervisor.folder))


def test_a_part_that_dies_later_is_noticed():
    with Supervisor() as supervisor:
        part = Sleeper(supervisor.folder)
        supervisor.start(part)
        supervisor.check()
        os.killpg(supervisor.pid(part), signal.SIGKILL)

        def noticed() -> bool:
            try:
                supervisor.check()
            except PartFailed as failure:
                return "sleeper ended by itself" in str(failure)
            return False

        assert soon(noticed)


LAB = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal, also where tests run in the background
sys.path.insert(0, {tests!r})
from test_lab_supervisor import Sleeper
from lab.supervisor import Supervisor
with Supervisor() as supervisor:
    part = Sleeper(supervisor.folder)
    supervisor.start(part)
    print(supervisor.folder, supervisor.pid(part), (supervisor.folder / "child").read_text().strip(), flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_lab_that_is_killed_leaves_nothing_behind(sign):
    code = LAB.format(tests=str(Path(__file__).parent))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as lab:
        try:
            folder, pid, child = lab.stdout.readline().split()
            lab.send_signal(sign)
            lab.wait(timeout=20)
        finally:
            lab.kill()
    assert soon(lambda: gone(int(pid)) and gone(int(child)))
    assert soon(lambda: not Path(folder).exists())
