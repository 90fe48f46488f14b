"""Which versions of the real parts took part."""

from __future__ import annotations

import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version

from lab.parts.part import program
from lab.parts.postgres import binaries

PACKAGES = ("locust", "starlette", "uvicorn", "psycopg", "prometheus-client", "duckdb", "unrepeat")


def versions() -> dict[str, str]:
    """Name and version of every part; "unknown" where a part does not say."""
    programs = {
        "nginx": [program("nginx", "nginx"), "-v"],
        "postgresql": [f"{binaries()}/postgres", "--version"],
        "prometheus": [program("prometheus", "prometheus"), "--version"],
        "alertmanager": [program("prometheus-alertmanager", "prometheus-alertmanager"), "--version"],
    }
    found = {name: _said(command) for name, command in programs.items()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return {**found, "python": platform.python_version(), "sessions": "1.4, 2.0, 2.0.1"}


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    number = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return number.group() if number else "unknown"
