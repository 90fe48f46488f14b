"""Whatever a source says goes into the tables, on either database, and once however often it comes."""

from __future__ import annotations

import json

import pytest
from django.db import transaction

from tests.support.samples import RECEIVED_AT, all_samples
from unrepeat.arrivals import commands, store
from unrepeat.arrivals.kind import source_kinds
from unrepeat.arrivals.models import Alert, Change, Delivery, Source
from unrepeat.arrivals.reading import read_waiting
from unrepeat.arrivals.signatures import digest

pytestmark = pytest.mark.django_db

LONG = "x" * 5000
ODD = "\ud83d \0 é"  # half a character, NUL
AWKWARD = {
    "alertmanager": {
        "version": "4",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": LONG + ODD, "service": LONG, "severity": LONG},
                "fingerprint": LONG,
            }
        ],
    },
    "grafana": {
        "version": "1",
        "orgId": 1,
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": LONG + ODD, "app": LONG},
                "fingerprint": LONG,
                "values": {"A": 1e300},
            }
        ],
    },
    "sentry": {
        "action": "triggered",
        "data": {
            "event": {
                "issue_id": LONG,
                "title": LONG + ODD,
                "level": LONG,
                "tags": [["service", LONG]],
                "timestamp": 10**400,
            }
        },
    },
    "generic_alert": {"summary": LONG + ODD, "service": LONG, "severity": LONG, "dedup_key": LONG, "big": 10**400},
    "github": {
        "deployment_status": {"state": "success"},
        "deployment": {"id": 10**300, "ref": LONG, "environment": LONG + ODD, "creator": {"login": LONG}},
        "repository": {"name": LONG, "full_name": LONG},
    },
    "gitlab": {
        "object_kind": "deployment",
        "status": "success",
        "deployment_id": 10**300,
        "short_sha": LONG,
        "environment": LONG + ODD,
        "user": {"username": LONG},
        "project": {"path_with_namespace": LONG},
    },
    "generic_change": {
        "service": LONG,
        "version": LONG,
        "previous": LONG,
        "environment": LONG,
        "author": LONG + ODD,
        "id": LONG,
        "status": "started",
    },
}


def arrive(kind: str, raw: bytes, headers: dict[str, str], again: bytes = b"") -> None:
    source = Source.objects.get(name=kind.replace("_", "-")).id
    key = digest(raw + json.dumps(headers).encode() + again)
    with transaction.atomic():
        store.keep_deliveries([store.Arrival(source, key, RECEIVED_AT, json.dumps(headers), raw)])
    while read_waiting():
        pass


@pytest.fixture(autouse=True)
def sources(db: None) -> None:
    for kind in source_kinds():
        commands.add_source(kind.replace("_", "-"), kind)


def unreadable() -> list[str]:
    return list(Delivery.objects.filter(state=Delivery.State.UNREADABLE).values_list("reason", flat=True))


def test_every_sample_is_stored_as_it_reads() -> None:
    for sample in all_samples():
        arrive(sample.kind, sample.raw, sample.headers)
    assert unreadable() == []
    told = [source_kinds()[s.kind].read(s.raw, s.headers, RECEIVED_AT) for s in all_samples()]
    timed = {(alert.key, alert.starts_at) for reading in told for alert in reading.alerts if alert.starts_at}
    assert timed <= set(Alert.objects.values_list("key", "starts_at"))
    assert set(Change.objects.values_list("key", flat=True)) == {c.key for reading in told for c in reading.changes}
    deploys = Change.objects.filter(source__name="github", kind="deploy").order_by("id")
    assert next((row.status, row.version) for row in deploys) == ("succeeded", "v2.0.0")


def test_sent_again_it_says_nothing_new() -> None:
    samples = [s for s in all_samples() if s.kind not in {"generic_alert", "generic_change", "sentry"}]
    for sample in samples:
        arrive(sample.kind, sample.raw, sample.headers)
    before = (Alert.objects.filter(ends_at=None).count(), Alert.objects.count(), Change.objects.count())
    for number in range(2):
        for sample in samples:
            arrive(sample.kind, sample.raw, sample.headers, again=bytes([number]))
    same = [
        row for row in Alert.objects.all() if row.labels.get("alertname") != "Disk full"
    ]  # which has no times of its own
    assert len(same) == before[1] - 1 and Change.objects.count() == before[2]


@pytest.mark.parametrize("kind", sorted(source_kinds()))
def test_the_longest_and_oddest_is_stored_too(kind: str) -> None:
    arrive(kind, json.dumps(AWKWARD[kind]).encode(), {})
    assert unreadable() == []
    assert Alert.objects.count() + Change.objects.count() == 1
