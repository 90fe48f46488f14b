"""A real Prometheus that watches itself: its memory becomes evidence of an incident, and its refusals become reasons."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.monitoring import PROMETHEUS, until
from tests.support.postgres import free_port
from unrepeat.duty import commands as duty
from unrepeat.incidents import acts
from unrepeat.incidents import queries as incidents
from unrepeat.incidents.commands import open_incident, perform
from unrepeat.incidents.entries import EvidenceGathered
from unrepeat.investigation import queries
from unrepeat.investigation.telemetry import Unanswered, using
from unrepeat.investigation.telemetry.prometheus import Prometheus
from unrepeat.postmortems import queries as postmortems
from unrepeat.support import clock
from unrepeat.worker import Worker

pytestmark = pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed")
QUERY = 'process_resident_memory_bytes{job="sessions"}'


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A Prometheus that scrapes itself each second as the job `sessions`, once it has a few samples."""
    home: Path = tmp_path_factory.mktemp("prometheus")
    address = f"127.0.0.1:{free_port()}"
    (home / "prometheus.yml").write_text(
        f"global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: sessions, static_configs: [{{targets: ['{address}']}}]}}]\n"
    )
    command = [
        str(PROMETHEUS),
        f"--config.file={home}/prometheus.yml",
        f"--storage.tsdb.path={home}/data",
        f"--web.listen-address={address}",
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _samples(f"http://{address}") >= 3, "three samples of Prometheus's own memory")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(20)


def _samples(url: str) -> int:
    answer = httpx.get(f"{url}/api/v1/query", params={"query": f"count_over_time({QUERY}[1m])"})
    found = answer.raise_for_status().json()["data"]["result"]  # not yet ready: 503
    return int(found[0]["value"][1]) if found else 0


def test_a_range_is_read(url):
    now = clock.now()
    (series,) = Prometheus(url).query_range(QUERY, now - timedelta(minutes=1), now, 1)
    assert series.labels["job"] == "sessions"
    assert all(value > 1e6 for _, value in series.points)


def test_a_query_that_is_none_is_refused_with_prometheus_own_words(url):
    now = clock.now()
    with pytest.raises(Unanswered, match=r"refused the query.*parse error"):
        Prometheus(url).query_range("sum(", now - timedelta(minutes=1), now, 1)
    with pytest.raises(Unanswered, match="exceeded maximum resolution"):
        Prometheus(url).query_range(QUERY, now - timedelta(days=30), now, 1)


@pytest.mark.django_db
def test_from_opening_to_the_figure_in_the_draft(url):
    duty.load_catalogue('[services.sessions]\nlabels = { job = "sessions" }\n')
    with using(Prometheus(url)):
        number = open_incident("Sessions are slow", service="sessions", severity="critical", by="Ada")
        Worker().run_until_idle()
        perform(number, acts.Resolve("all is well"), by="Ada")
        Worker().run_until_idle()
    gathered = [one.entry for one in incidents.log_of(number) if isinstance(one.entry, EvidenceGathered)]
    assert all(queries.is_intact(entry.digest) for entry in gathered)
    assert QUERY in {entry.query for entry in gathered}
    report = postmortems.report(postmortems.of_incident(number))
    assert report.facts.memory.peak > 1e6
    assert next(figure for figure in report.figures if figure.name == "memory").svg
