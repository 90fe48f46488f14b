"""The alert rules, judged by Prometheus's own test tool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from lab.parts import rules

PROMTOOL = shutil.which("promtool")
BUDGET = 130e6

pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian package prometheus) is not installed")


def judge(folder: Path, series: dict[str, str], alert: str, at: str, expected: list[dict]) -> str:
    """Run one promtool test; empty when it passes, else what promtool says."""
    (folder / "rules.yml").write_text(rules.document(BUDGET))
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1s",
        "tests": [
            {
                "interval": "1s",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": expected}],
            }
        ],
    }
    (folder / "test.yml").write_text(yaml.safe_dump(test))
    done = subprocess.run(
        [PROMTOOL, "test", "rules", "test.yml"], cwd=folder, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_rules_are_good_prometheus_rules(tmp_path: Path):
    (tmp_path / "rules.yml").write_text(rules.document(BUDGET))
    done = subprocess.run(
        [PROMTOOL, "check", "rules", "rules.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_high_memory_usage_speaks_over_eighty_percent_of_the_budget(tmp_path: Path):
    memory = {'process_resident_memory_bytes{service="sessions",instance="sessions-2.0"}': "103e6+1e6x20"}
    expected = {
        "exp_labels": {"service": "sessions", "instance": "sessions-2.0", "severity": "critical"},
        "exp_annotations": {
            "summary": "High memory usage",
            "description": "sessions holds 101.1MiB, over 80 % of its memory budget.",
            "value": "1.06e+08",
        },
    }
    assert judge(tmp_path, memory, "High memory usage", "1s", []) == ""
    assert judge(tmp_path, memory, "High memory usage", "3s", [expected]) == ""


def test_other_services_have_no_budget_to_exceed(tmp_path: Path):
    memory = {'process_resident_memory_bytes{service="database",instance="postgres"}': "900e6x20"}
    assert judge(tmp_path, memory, "High memory usage", "10s", []) == ""


def test_a_part_that_cannot_be_scraped_is_reported_after_ten_seconds(tmp_path: Path):
    up = {'up{service="shop",instance="shop-1"}': "0x40"}
    assert judge(tmp_path, up, "Target down", "5s", []) == ""
    expected = {
        "exp_labels": {"service": "shop", "instance": "shop-1", "severity": "critical"},
        "exp_annotations": {
            "summary": "Target down",
            "description": "shop-1 of shop cannot be scraped.",
            "value": "0",
        },
    }
    assert judge(tmp_path, up, "Target down", "15s", [expected]) == ""
