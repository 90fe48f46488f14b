"""The `process_*` metrics of programs that have none of their own: a process and all its children, from /proc.

`python -m lab.process_exporter PORT=PIDFILE ...` serves one tree a port, under the names that a Python service uses,
so that one query compares all services.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process tree uses now."""

    cpu_seconds: float
    resident_bytes: int
    open_files: int
    processes: int


def tree(pid: int) -> list[int]:
    """A process and everything below it."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        try:
            waiting += [int(word) for word in Path(f"/proc/{current}/task/{current}/children").read_text().split()]
        except OSError:
            continue
    return found


def usage(pid: int) -> Usage:
    """The tree's sums. CPU time of children that have ended is in their parent's; memory shared counts once a process."""
    cpu, resident, files, processes = 0.0, 0, 0, 0
    for member in tree(pid):
        try:
            stat = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            memory = Path(f"/proc/{member}/smaps_rollup").read_text()
            files += sum(1 for _ in Path(f"/proc/{member}/fd").iterdir())
        except OSError:
            continue
        cpu += sum(int(word) for word in stat[11:15]) / _TICKS
        resident += next((int(line.split()[1]) * 1024 for line in memory.splitlines() if line.startswith("Pss:")), 0)
        processes += 1
    return Usage(cpu, resident, files, processes)


class TreeCollector(Collector):
    """Reads /proc at each scrape."""

    def __init__(self, pid_file: Path) -> None:
        self._pid_file = pid_file

    def collect(self) -> Iterator[Metric]:
        """The metrics, or none while the program is not there."""
        try:
            now = usage(int(self._pid_file.read_text().split()[0]))
        except (OSError, ValueError, IndexError):
            return
        yield CounterMetricFamily("process_cpu_seconds", "CPU time of all processes.", value=now.cpu_seconds)
        yield GaugeMetricFamily(
            "process_resident_memory_bytes",
            "Resident memory of all processes; a page they share counts once.",
            value=now.resident_bytes,
        )
        yield GaugeMetricFamily("process_open_fds", "Open files of all processes.", value=now.open_files)
        yield GaugeMetricFamily("process_count", "Processes.", value=now.processes)


def main() -> None:
    """Serve until killed."""
    for pair in sys.argv[1:]:
        port, _, path = pair.partition("=")
        registry = CollectorRegistry()
        registry.register(TreeCollector(Path(path)))
        start_http_server(int(port), addr="127.0.0.1", registry=registry)
    threading.Event().wait()


if __name__ == "__main__":
    main()
