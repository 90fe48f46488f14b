"""The whole shop, put together from its parts and kept together: start it, ask it, deploy to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.calibrate import Calibration
from lab.parts import rules
from lab.parts.alertmanager import Alertmanager
from lab.parts.exporters import NginxExporter, PostgresExporter, ProcessExporter
from lab.parts.nginx import Nginx
from lab.parts.part import HOST, free_port
from lab.parts.postgres import Postgres
from lab.parts.prometheus import Prometheus, Target
from lab.parts.shop import SessionsPart, ShopWorker
from lab.parts.users import Users
from lab.shop.database import prepare
from lab.supervisor import Supervisor
from lab.users_rates import PER_SECOND, VISITS_A_USER

ALERT_AFTER_SECONDS = 50.0
"""How long after the leaky release, at the usual traffic, its memory is to reach the alert's threshold."""


def measured_here() -> Calibration:
    """Calibrate in a fresh process, so that nothing of this one is measured."""
    done = subprocess.run([sys.executable, "-m", "lab.calibrate"], check=True, capture_output=True, text=True)
    return Calibration(**json.loads(done.stdout))


def memory_budget(base_bytes: float, visit_bytes: float) -> float:
    """The session service's memory budget, in bytes: the alert at 80 % of it comes about 50 s after the leaky release.

    It is what a team would ask for as a memory request. Nothing enforces it; the service may grow past it.
    """
    leaked = ALERT_AFTER_SECONDS * PER_SECOND * VISITS_A_USER * visit_bytes
    return (base_bytes + leaked) / rules.ALERT_SHARE


class ShopHouse:
    """All parts. `webhooks` are the addresses that Alertmanager tells of alerts."""

    def __init__(self, supervisor: Supervisor, calibration: Calibration) -> None:
        self.supervisor = supervisor
        self.folder = supervisor.folder
        self.calibration = calibration
        self.address_file = self.folder / "sessions-address"
        self.postgres = Postgres(self.folder)
        self.sessions = SessionsPart(self.folder, "1.4")
        size = calibration.page_size
        self.workers = [ShopWorker(self.folder, n, self.postgres, self.address_file, size) for n in (1, 2)]
        self.nginx = Nginx(self.folder, [worker.port for worker in self.workers])
        self.exporters = (
            NginxExporter(self.folder, self.nginx),
            PostgresExporter(self.folder, self.postgres),
            ProcessExporter(self.folder, self.nginx, self.postgres),
        )
        self.budget_bytes = 0.0
        self.prometheus_port = free_port()

    def open(self, webhooks: Sequence[str], per_second: float = PER_SECOND) -> None:
        """Start everything, in order; the visitors last."""
        start = self.supervisor.start
        start(self.postgres)
        prepare(self.postgres.dsn)
        start(self.sessions)
        self.point_to(self.sessions)
        base = resident_bytes(self.supervisor.pid(self.sessions))
        self.budget_bytes = memory_budget(base, self.calibration.visit_bytes)
        for worker in self.workers:
            start(worker)
        start(self.nginx)
        for exporter in self.exporters:
            start(exporter)
        self.alertmanager = Alertmanager(self.folder, list(webhooks))
        start(self.alertmanager)
        self.prometheus = Prometheus(
            self.folder,
            self.prometheus_port,
            self._targets(),
            rules.document(self.budget_bytes),
            self.alertmanager.port,
        )
        self.prometheus.discover([target_of(self.sessions)])
        start(self.prometheus)
        self.users = Users(self.folder, self.nginx, per_second)
        start(self.users)

    @property
    def prometheus_url(self) -> str:
        """Where Prometheus is, or will be."""
        return f"http://{HOST}:{self.prometheus_port}"

    def point_to(self, sessions: SessionsPart) -> None:
        """From now on the shop finds the session service here."""
        partial = self.address_file.with_suffix(".partial")
        partial.write_text(sessions.url)
        partial.replace(self.address_file)

    def _targets(self) -> list[Target]:
        nginx, postgres, processes = self.exporters
        shops = [Target("shop", "shop", worker.label, worker.metrics_port) for worker in self.workers]
        return [
            *shops,
            Target("nginx", "load-balancer", "nginx", nginx.port),
            Target("processes", "load-balancer", "nginx", processes.nginx_port),
            Target("postgres", "database", "postgres", postgres.port),
            Target("processes", "database", "postgres", processes.postgres_port),
        ]


def target_of(sessions: SessionsPart) -> Target:
    """Where a running release of the session service is scraped."""
    return Target("sessions", "sessions", sessions.label, sessions.metrics_port)


def resident_bytes(pid: int) -> int:
    """Resident memory of a process now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
