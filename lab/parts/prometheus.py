"""Prometheus: scrapes every part each second, judges the rules each second."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from lab.parts.part import HOST, Part, answers, program

EXPORTERS = ("nginx", "postgres")


@dataclass(frozen=True, slots=True)
class Target:
    """Something to scrape."""

    job: str
    service: str
    instance: str
    port: int


class Prometheus(Part):
    """Fixed targets from its configuration; the session service's from a file that a deployment rewrites."""

    name = "prometheus"

    def __init__(self, folder: Path, port: int, targets: list[Target], rules: str, alertmanager_port: int) -> None:
        super().__init__(folder)
        self.port = port
        self.url = f"http://{HOST}:{self.port}"
        self._targets = targets
        self._rules = rules
        self._alertmanager_port = alertmanager_port
        self._discovered = folder / "sessions-targets.json"

    def discover(self, targets: list[Target]) -> None:
        """From now on these are the session service's targets (Prometheus takes up to 5 s to follow)."""
        partial = self._discovered.with_suffix(".partial")
        partial.write_text(json.dumps([_static(target) for target in targets]))
        partial.replace(self._discovered)

    def prepare(self) -> None:
        """Write the configuration and the rules."""
        (self.folder / "rules.yml").write_text(self._rules)
        jobs: dict[str, list[Any]] = {}
        for target in self._targets:
            jobs.setdefault(target.job, []).append(_static(target))
        scrape = [_job(job, found) for job, found in jobs.items()]
        scrape.append({"job_name": "sessions", "file_sd_configs": [{"files": [str(self._discovered)]}]})
        configuration = {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "evaluation_interval": "1s",
                "external_labels": {"environment": "production"},
            },
            "rule_files": [str(self.folder / "rules.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"{HOST}:{self._alertmanager_port}"]}]}]},
            "scrape_configs": scrape,
        }
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(configuration, sort_keys=False))

    def command(self) -> list[str]:
        """Debian's Prometheus."""
        return [
            program("prometheus", "prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'prometheus'}",
            f"--web.listen-address={HOST}:{self.port}",
            f"--web.external-url={self.url}",
            "--query.lookback-delta=5s",
        ]

    def ready(self) -> bool:
        """It has found the Alertmanager and can scrape everything."""
        if not answers(f"{self.url}/-/ready"):
            return False
        managers = _get(f"{self.url}/api/v1/alertmanagers")["activeAlertmanagers"]
        targets = _get(f"{self.url}/api/v1/targets?state=active")["activeTargets"]
        up = [target for target in targets if target["health"] == "up"]
        return bool(managers) and len(up) == len(targets) > len(self._targets)


def _job(name: str, targets: list[Any]) -> dict[str, Any]:
    """A job without what an exporter says of itself: its memory is not the service's."""
    own = {"source_labels": ["__name__"], "regex": "(go|promhttp|process)_.*", "action": "drop"}
    job: dict[str, Any] = {"job_name": name, "static_configs": targets}
    return {**job, "metric_relabel_configs": [own]} if name in EXPORTERS else job


def _static(target: Target) -> dict[str, Any]:
    labels = {"service": target.service, "instance": target.instance}
    return {"targets": [f"{HOST}:{target.port}"], "labels": labels}


def _get(url: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(url, timeout=2.0, trust_env=False).raise_for_status().json()["data"]
    return answer
