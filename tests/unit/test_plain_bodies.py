"""The quick way to read Alertmanager's usual body says what the thorough way says, or leaves the body to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bodies import alertmanager as body
from unrepeat.arrivals import plain
from unrepeat.arrivals.records import Unreadable
from unrepeat.arrivals.sources import alertmanager

NOON = datetime(2024, 8, 12, 12, 0, tzinfo=UTC)


def thoroughly(raw: bytes, monkeypatch_context) -> object:
    with monkeypatch_context() as patch:
        patch.setattr(alertmanager.plain, "read", lambda _: None)
        try:
            return alertmanager.read(raw, {}, NOON)
        except Unreadable as error:
            return str(error)


def both_agree(raw: bytes, monkeypatch_context) -> bool:
    found = plain.read(raw)
    return found is None or found == thoroughly(raw, monkeypatch_context)


def test_a_usual_body_is_read_the_quick_way_and_alike():
    raw = body(["a", "b"])
    assert plain.read(raw) is not None
    assert both_agree(raw, pytest.MonkeyPatch.context)


TEXT = st.text(max_size=8)
ODD = st.one_of(TEXT, st.none(), st.integers(), st.booleans(), st.dictionaries(TEXT, TEXT, max_size=2))
TIMES = st.sampled_from(
    ["2024-08-12T15:15:00Z", "2024-08-12T15:15:00.123456789+02:00", "0001-01-01T00:00:00Z", "soon", "", "1723475700"]
)
LABELS = st.dictionaries(st.sampled_from(["alertname", "service", "job", "severity", "x"]), TEXT, max_size=4)
ALERTS = st.fixed_dictionaries(
    {"status": st.sampled_from(["firing", "resolved"]), "labels": LABELS, "startsAt": TIMES, "fingerprint": TEXT},
    optional={"endsAt": TIMES, "annotations": LABELS, "generatorURL": TEXT, "odd": ODD},
)
GROUPS = st.fixed_dictionaries(
    {"version": st.sampled_from(["4", "4", "4", "1", 4]), "alerts": st.lists(ALERTS, max_size=3)},
    optional=dict.fromkeys(("receiver", "groupKey", "externalURL", "routeLabels", "truncatedAlerts", "odd"), ODD),
)


@given(GROUPS, st.booleans())
def test_whatever_the_body_both_ways_agree(group, ascii_only):
    assert both_agree(
        json.dumps(group, ensure_ascii=ascii_only).encode(errors="surrogatepass"), pytest.MonkeyPatch.context
    )
