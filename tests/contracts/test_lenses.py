"""What every lens must hold, found by scan: a new lens is one file, its weight and its line in the docs."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.support.made_up_outages import ALERT, Outage, replaced, shop
from unrepeat.investigation.lenses import Calls, Finding, LogLine, Spans, scene_of
from unrepeat.investigation.ranking.changes import OUTSIDE
from unrepeat.investigation.ranking.rank import lenses
from unrepeat.investigation.weights import HERE, read, weights

LENSES = sorted(lenses())
DOCS = (Path(__file__).parents[2] / "docs" / "reference" / "lenses.md").read_text(encoding="utf-8")
ABOUT_CHANGES = {"diffs"}
BARE_TABLES = {"pods.measures", "changes.kinds", "resources", "lenses", "faint"}


def bad_day():
    """A day on which many things go wrong at once, so that nearly every lens has something to say."""
    outage = shop(began=4)
    replaced(outage, "sessions|memory_bytes", np.linspace(200e6, 900e6, len(outage.times)))
    replaced(outage, "sessions|latency_seconds", np.where(outage.harmed, 0.9, 0.05))
    replaced(outage, "shop|latency_seconds", np.where(outage.harmed, 0.95, 0.05))
    replaced(outage, "sessions|error_ratio", np.where(outage.harmed, 0.2, 0.001))
    outage.jumps("sessions|db_pool_in_use", 12, 50, noise=0).steady("sessions|db_pool_max", 50, noise=0)
    outage.shaped("shop|cert_seconds_until_expiry", ALERT - 60 - outage.times, noise=0)
    outage.jumps("node-7|node_cpu_utilization_ratio", 0.4, 0.97, noise=0.01)
    outage.shaped("sessions|uptime_seconds", np.where(outage.times < ALERT, 9e5 + outage.times - ALERT, 60.0), noise=0)
    outage.jumps("shop|SuccessRate@shop->payment", 100, 60, noise=0.001)
    outage.released("sessions", minutes_before=20, diff="-\tx.Lock()", files=("x.go",))
    outage.steady("search-v1-aaaaa|SuccessRate@shop->search", 99, noise=0.001)
    outage.released("search", minutes_before=6, new_pods=("search-v2-bbbbb",))
    return outage.tables(spans=_spans(), calls=_calls(), log_lines=_lines())


def _spans():
    at = np.array([ALERT - 3600, ALERT, ALERT - 3600, ALERT])
    return Spans(
        ("sessions",) * 4,
        ("load", "load", "Controller.error", "Controller.error"),
        at,
        np.array([90.0, 90.0, 0.0, 12.0]),
        np.array([0.01, 0.4, 0.0, 0.01]),
        np.array([0.01, 0.4, 0.0, 0.01]),
        at < ALERT,
    )


def _calls():
    at = np.array([ALERT - 3600, ALERT])
    return Calls(("shop",) * 2, ("sessions",) * 2, at, np.array([90.0, 90.0]), np.array([0.002, 0.5]), at < ALERT)


def _lines():
    quiet = LogLine(ALERT - 3600, "shop", "INFO", "page served")
    return (quiet, *(LogLine(ALERT - number, "sessions", "ERROR", f"out of memory {number}") for number in range(20)))


def test_the_bad_day_makes_nearly_every_lens_speak():
    scene = scene_of(bad_day(), weights())
    silent = {name for name, lens in lenses().items() if not lens.look(scene)}
    assert silent <= {"load", "missing", "waiting"}


@pytest.mark.parametrize("lens", LENSES)
class TestEveryLens:
    def test_it_has_a_title_and_says_what_it_is_for(self, lens):
        module = lenses()[lens]
        assert module.TITLE
        assert module.__doc__
        assert module.look.__doc__

    def test_its_findings_are_complete(self, lens):
        for finding in lenses()[lens].look(scene_of(bad_day(), weights())):
            assert isinstance(finding, Finding)
            assert finding.lens == lens
            assert finding.subject
            assert finding.sentence.endswith((".", "”"))
            assert "nan" not in finding.sentence.lower()
            assert finding.source or finding.lens == "diffs"
            assert np.isfinite(finding.score)
            if finding.chart is not None:
                assert len(finding.chart.times) == len(finding.chart.values) > 0

    def test_it_says_the_same_twice_and_leaves_the_tables_as_they_were(self, lens):
        tables = bad_day()
        before = tables.values.copy()
        first = lenses()[lens].look(scene_of(tables, weights()))
        second = lenses()[lens].look(scene_of(tables, weights()))
        assert [(one.subject, one.score, one.sentence) for one in first] == [
            (one.subject, one.score, one.sentence) for one in second
        ]
        assert np.array_equal(before, tables.values, equal_nan=True)

    def test_it_is_silent_where_there_is_nothing(self, lens):
        assert lenses()[lens].look(scene_of(Outage().tables(), weights())) == []

    def test_it_has_a_weight_or_needs_none(self, lens):
        assert lens in weights().lenses or lens in OUTSIDE or lens in ABOUT_CHANGES

    def test_it_is_in_the_docs(self, lens):
        assert f"| `{lens}` |" in DOCS


def test_the_docs_name_no_lens_that_is_not():
    assert set(re.findall(r"^\| `(\w+)` \|", DOCS, re.MULTILINE)) == set(LENSES)


def test_every_weight_of_a_lens_belongs_to_one():
    assert set(weights().lenses) <= set(LENSES)


def test_every_weight_says_what_it_is_for():
    section = ""
    for line in HERE.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line.partition("#")[0] and section not in BARE_TABLES:
            assert "#" in line, f"[{section}] {line}"


def test_a_weight_with_a_wrong_name_or_type_is_refused():
    text = HERE.read_text(encoding="utf-8")
    with pytest.raises(msgspec.ValidationError, match="tale"):
        read(text.replace("tail = ", "tale = "))
    with pytest.raises(msgspec.ValidationError, match="float"):
        read(text.replace("tail = 1.0", 'tail = "much"'))


def test_the_file_holds_every_weight():
    assert set(tomllib.loads(HERE.read_text(encoding="utf-8"))) == {
        field.name for field in msgspec.structs.fields(type(weights()))
    }


def test_findings_have_the_fields_that_pages_show():
    assert {"subject", "kind", "score", "sentence", "direction", "chart", "source", "because"} <= {
        field.name for field in fields(Finding)
    }
