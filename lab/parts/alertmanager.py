"""Alertmanager: sends each alert at once to every receiver's webhook."""

from __future__ import annotations

from pathlib import Path

import yaml

from lab.parts.part import HOST, Part, answers, free_port, program


class Alertmanager(Part):
    """One group an alert name and service; no waiting before the first word."""

    name = "alertmanager"

    def __init__(self, folder: Path, webhooks: list[str]) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._webhooks = webhooks

    def prepare(self) -> None:
        """Write the configuration."""
        hooks = [{"url": url, "send_resolved": True} for url in self._webhooks]
        configuration = {
            "route": {
                "receiver": "incidents",
                "group_by": ["alertname", "service"],
                "group_wait": "0s",
                "group_interval": "1s",
                "repeat_interval": "1h",
            },
            "receivers": [{"name": "incidents", "webhook_configs": hooks}],
        }
        (self.folder / "alertmanager.yml").write_text(yaml.safe_dump(configuration, sort_keys=False))

    def command(self) -> list[str]:
        """Debian's Alertmanager, alone (no gossip port)."""
        return [
            program("prometheus-alertmanager", "prometheus-alertmanager"),
            f"--config.file={self.folder / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'alertmanager'}",
            f"--web.listen-address={HOST}:{self.port}",
            f"--web.external-url={self.url}",
            "--cluster.listen-address=",
        ]

    def ready(self) -> bool:
        """It says so itself."""
        return answers(f"{self.url}/-/ready")
