"""A real Prometheus and a real Alertmanager of the tests' own, on free ports, with one gauge that a test can move."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from tests.support.postgres import free_port

PROMETHEUS = shutil.which("prometheus")
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
ABSENT = "prometheus and alertmanager are not installed"
present = bool(PROMETHEUS and ALERTMANAGER)


def until(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """Ask again and again until the answer is true; fail with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        try:
            found = condition()
        except httpx.HTTPError:
            found = None
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come about within {seconds:g} s")
        time.sleep(0.05)


class Receiver:
    """Keeps every body that is POSTed to it, raw."""

    def __init__(self, port: int = 0) -> None:
        self.heard: list[tuple[bytes, dict[str, str]]] = []
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                heard.append((raw, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(202)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop listening: from now on, senders are refused."""
        self._server.shutdown()
        self._server.server_close()


class Gauge:
    """What Prometheus scrapes: `shop_trouble{service=…, pod=…}`, over 1 means that the alert fires."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], float] = {}
        values = self.values

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                lines = [f'shop_trouble{{service="{s}",pod="{p}"}} {value}\n' for (s, p), value in list(values.items())]
                told = ("# TYPE shop_trouble gauge\n" + "".join(lines)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


class Monitoring:
    """Gauge -> Prometheus -> Alertmanager -> webhook at `hook_port`, all judged once a second."""

    def __init__(self, home: Path, hook_port: int, external_labels: dict[str, str] | None = None) -> None:
        self.home = home
        self.gauge = Gauge()
        self.url = f"http://127.0.0.1:{free_port()}"
        self.alertmanager_url = f"http://127.0.0.1:{free_port()}"
        self._hook = f"http://127.0.0.1:{hook_port}/in/alerts/token"
        self._external_labels = external_labels or {}
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start both and wait until Prometheus has found its target and its Alertmanager."""
        self._write()
        self._run(
            str(ALERTMANAGER),
            f"--config.file={self.home}/am.json",
            f"--storage.path={self.home}/am",
            "--cluster.listen-address=",
            f"--web.listen-address={self.alertmanager_url.removeprefix('http://')}",
            "--web.external-url=http://alertmanager.shop.example",
        )
        self._run(
            str(PROMETHEUS),
            f"--config.file={self.home}/prom.json",
            f"--storage.tsdb.path={self.home}/prom",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--web.external-url=http://prometheus.shop.example",
            "--web.route-prefix=/",
        )
        until(self._ready, "Prometheus with its Alertmanager and target")

    def stop(self) -> None:
        """Stop all that was started."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        self.gauge.close()

    def firing(self) -> int:
        """How many alerts fire now, as Prometheus says."""
        alerts = self._data(f"{self.url}/api/v1/alerts")["alerts"]
        return sum(alert["state"] == "firing" for alert in alerts)

    def known(self) -> int:
        """How many alerts Alertmanager holds as active now."""
        return len(httpx.get(f"{self.alertmanager_url}/api/v2/alerts?active=true", trust_env=False).json())

    def _run(self, *command: str) -> None:
        with (self.home / "log").open("ab") as log:
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=self.home))

    def _write(self) -> None:
        """JSON is YAML."""
        self.home.mkdir(parents=True, exist_ok=True)
        rule = {
            "alert": "High memory usage",
            "expr": "shop_trouble > 1",
            "for": "1s",
            "labels": {"severity": "critical"},
            "annotations": {"summary": "{{ $labels.pod }} of {{ $labels.service }} is at {{ $value }}"},
        }
        rules = {"groups": [{"name": "shop", "interval": "1s", "rules": [rule]}]}
        manager = self.alertmanager_url.removeprefix("http://")
        prometheus = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "external_labels": self._external_labels},
            "rule_files": [f"{self.home}/rules.json"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [manager]}]}]},
            "scrape_configs": [
                {
                    "job_name": "shop",
                    "honor_labels": True,
                    "static_configs": [
                        {"targets": [f"127.0.0.1:{self.gauge.port}"], "labels": {"instance": "shop.example:9400"}}
                    ],
                }
            ],
        }
        alertmanager = {
            "route": {
                "receiver": "unrepeat",
                "group_by": ["alertname", "service"],
                "group_wait": "0s",
                "group_interval": "1s",
                "repeat_interval": "1h",
            },
            "receivers": [{"name": "unrepeat", "webhook_configs": [{"url": self._hook, "send_resolved": True}]}],
        }
        for name, told in (("rules", rules), ("prom", prometheus), ("am", alertmanager)):
            (self.home / f"{name}.json").write_text(json.dumps(told))

    def _ready(self) -> bool:
        managers = self._data(f"{self.url}/api/v1/alertmanagers")["activeAlertmanagers"]
        targets = self._data(f"{self.url}/api/v1/targets?state=active")["activeTargets"]
        return bool(managers) and bool(targets) and targets[0]["health"] == "up"

    @staticmethod
    def _data(url: str) -> Any:
        return httpx.get(url, timeout=2, trust_env=False).raise_for_status().json()["data"]
