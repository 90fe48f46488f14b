"""Units are guessed by a table that people can read; sentences say numbers as people do."""

from __future__ import annotations

import numpy as np
import pytest

from unrepeat.investigation.lenses import describe
from unrepeat.investigation.lenses._units import is_machine, measure_of, quantile_of
from unrepeat.investigation.lenses._words import amount, from_to, listed


@pytest.mark.parametrize(
    ("indicator", "highest", "name", "unit", "scale"),
    [
        ("container_cpu_usage_cores", 4.0, "CPU", "cores", 1.0),
        ("CpuUsageRate(%)", 95.0, "CPU", "share", 0.01),
        ("CpuUsage(m)", 450.0, "CPU", "cores", 0.001),
        ("cpu_utilization", 0.9, "CPU", "share", 1.0),
        ("cpu", 80.0, "CPU", "share", 0.01),
        ("process_resident_memory_bytes", 3e8, "memory", "bytes", 1.0),
        ("MemoryUsage(Mi)", 300.0, "memory", "bytes", 2.0**20),
        ("container_memory_working_set_gib", 10.0, "memory", "bytes", 2.0**30),
        ("http_server_duration_p99_ms", 900.0, "latency", "seconds", 0.001),
        ("PodServerLatencyP90(s)", 2.0, "latency", "seconds", 1.0),
        ("PodClientLatencyP90(s)", 2.0, "waiting for callees", "seconds", 1.0),
        ("availability_Average", 100.0, "success", "share", 0.01),
        ("error_rate_5xx_ratio", 0.2, "errors", "share", 1.0),
        ("panic_count", 12.0, "errors", "count", 1.0),
        ("cache_hit_ratio", 0.97, "hit ratio", "share", 1.0),
        ("requests_per_second", 900.0, "traffic", "requests/s", 1.0),
        ("records_enriched_per_min", 900.0, "traffic", "requests/s", 1 / 60),
        ("requests_Sum", 900.0, "traffic", "requests", 1.0),
        ("request_queue_depth", 200.0, "queue or pool", "count", 1.0),
        ("open_fds", 200.0, "queue or pool", "count", 1.0),
        ("disk_used_pct", 0.9, "fullness", "share", 1.0),
        ("tls_cert_seconds_until_expiry", 9e5, "time left", "seconds", 1.0),
        ("process_cpu_seconds_total", 5000.0, "CPU", "cores", 1.0),
        ("process_start_time_seconds", 1.7e9, "start time", "seconds", 1.0),
        ("http_request_duration_seconds_count", 5000.0, "traffic", "requests", 1.0),
        ("http_request_duration_seconds_sum", 5000.0, "time spent", "count", 1.0),
        ("something_new", 3.0, "value", "count", 1.0),
    ],
)
def test_names_and_heights_tell_the_unit(indicator, highest, name, unit, scale):
    measure = measure_of(indicator, highest)
    assert (measure.name, measure.unit, measure.scale) == (name, unit, pytest.approx(scale))


def test_a_percentage_is_told_from_all_services_together():
    """An idle service's 0.4 % is no share of 0.4, when another one stands at 80."""
    series = describe([("a|cpu", "a", "cpu"), ("b|cpu", "b", "cpu")], np.array([[0.4, 80.0]]))
    assert [one.measure.scale for one in series] == [0.01, 0.01]


@pytest.mark.parametrize(
    ("indicator", "share"),
    [("lat_50", 0.5), ("latency_p95", 0.95), ("P999", 0.999), ("latency_Average", None), ("http_5xx", None)],
)
def test_quantiles_are_read_from_names(indicator, share):
    assert quantile_of(indicator) == share


def test_machines_are_told_from_services():
    assert is_machine("NodeCpuUsageRate(%)")
    assert is_machine("node_cpu_utilization_ratio")
    assert not is_machine("cpu_utilization")


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.953, "share", "95 %"),
        (0.31, "seconds", "310 ms"),
        (2.4, "seconds", "2.4 s"),
        (3600.0, "seconds", "60 min"),
        (1.2e9, "bytes", "1.2 GB"),
        (1234.0, "count", "1,234"),
        (float("nan"), "count", "nothing"),
    ],
)
def test_numbers_are_said_as_people_say_them(value, unit, said):
    assert amount(value, unit) == said


def test_a_change_is_said_with_its_direction():
    assert from_to(0.02, 0.95, "share") == "rose from 2 % to 95 %"
    assert from_to(1.0, 0.88, "share") == "fell from 100 % to 88 %"


def test_many_names_are_shortened():
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b and 3 more"
