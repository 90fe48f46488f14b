"""What lets Prometheus see the parts that do not speak its language."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.parts.nginx import Nginx
from lab.parts.part import HOST, Part, answers, free_port, program
from lab.parts.postgres import Postgres


class NginxExporter(Part):
    """nginx's connection counters."""

    name = "nginx-exporter"

    def __init__(self, folder: Path, nginx: Nginx) -> None:
        super().__init__(folder)
        self.port = free_port()
        self._nginx = nginx

    def command(self) -> list[str]:
        """Debian's exporter; its flags have one dash."""
        return [
            program("prometheus-nginx-exporter", "prometheus-nginx-exporter"),
            f"-web.listen-address={HOST}:{self.port}",
            f"-nginx.scrape-uri={self._nginx.status_url}",
            "-nginx.retries=20",
            "-nginx.retry-interval=100ms",
        ]

    def ready(self) -> bool:
        """It can be scraped."""
        return answers(f"http://{HOST}:{self.port}/metrics")


class PostgresExporter(Part):
    """PostgreSQL's own statistics."""

    name = "postgres-exporter"

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        super().__init__(folder)
        self.port = free_port()
        self._postgres = postgres

    def command(self) -> list[str]:
        """Debian's exporter, without the settings (which never change here)."""
        found = program("prometheus-postgres-exporter", "prometheus-postgres-exporter")
        return [found, f"--web.listen-address={HOST}:{self.port}", "--disable-settings-metrics"]

    def environment(self) -> dict[str, str]:
        """Where the database is."""
        return {"DATA_SOURCE_NAME": self._postgres.dsn}

    def ready(self) -> bool:
        """It can be scraped."""
        return answers(f"http://{HOST}:{self.port}/metrics")


class ProcessExporter(Part):
    """Memory and CPU of nginx and PostgreSQL, read from /proc."""

    name = "process-exporter"

    def __init__(self, folder: Path, nginx: Nginx, postgres: Postgres) -> None:
        super().__init__(folder)
        self.nginx_port = free_port()
        self.postgres_port = free_port()
        self._files = {self.nginx_port: nginx.pid_file, self.postgres_port: postgres.data / "postmaster.pid"}

    def command(self) -> list[str]:
        """One port a process tree."""
        pairs = [f"{port}={path}" for port, path in self._files.items()]
        return [sys.executable, "-m", "lab.process_exporter", *pairs]

    def ready(self) -> bool:
        """Both can be scraped."""
        return all(answers(f"http://{HOST}:{port}/metrics") for port in self._files)
