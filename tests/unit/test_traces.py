"""Traces tell who calls whom and where the time goes, whatever wrote them; what makes no sense is left out and counted."""

from __future__ import annotations

import gzip
import json

import pytest

from tests.support.made_up_outages import ALERT
from tests.support.made_up_traces import jaeger, otlp, page, pages, renamed
from unrepeat.investigation.telemetry import Unanswered
from unrepeat.investigation.telemetry import spans as reading
from unrepeat.investigation.telemetry.spans import Read, document, lines
from unrepeat.investigation.telemetry.trace_source import TraceFiles, recorded
from unrepeat.investigation.telemetry.traces import traced

WINDOW = (ALERT - 3600, ALERT + 600)
QUIET = pages(0, 40, ALERT - 1800)
HARM = pages(100, 20, ALERT, sessions=0.9)


def read(*documents) -> Read:
    found = Read()
    for one in documents:
        document(json.dumps(one), "the collector", found)
    return found


def seen(found: Read, **more):
    return traced(found, "traces", ALERT, WINDOW, **more)


@pytest.mark.parametrize("written_by", [otlp, jaeger])
def test_both_tell_who_calls_whom(written_by):
    found = seen(read(written_by(QUIET + HARM)))
    assert set(found.edges) == {("shop", "sessions"), ("shop", "database")}
    assert found.traces == (40, 20)
    assert found.unreadable == 0


@pytest.mark.parametrize("written_by", [otlp, jaeger])
def test_both_tell_how_long_each_took_by_itself(written_by):
    spans = seen(read(written_by(QUIET + HARM))).spans
    own = {
        (service, operation, bool(quiet)): round(seconds, 4)
        for service, operation, quiet, seconds in zip(
            spans.service, spans.operation, spans.quiet, spans.own, strict=True
        )
    }
    assert own["sessions", "POST /touch", True] == 0.02
    assert own["sessions", "POST /touch", False] == 0.9
    assert (
        own["shop", "GET /products", True] == own["shop", "GET /products", False] == 0.009
    )  # 10 ms, 1 ms of them a query
    assert own["shop", "select", False] == 0.0  # it waits for the database, which writes no spans


def test_the_time_between_caller_and_callee_is_what_the_way_takes():
    far = pages(100, 20, ALERT, way=0.3)
    calls = seen(read(otlp(QUIET + far))).calls
    gaps = {bool(quiet): round(gap, 4) for quiet, gap in zip(calls.quiet, calls.gap, strict=True)}
    assert set(zip(calls.caller, calls.callee, strict=True)) == {("shop", "sessions")}
    assert gaps == {True: 0.002, False: 0.3}


def test_counts_of_quiet_and_harm_are_made_comparable():
    """Traces are samples: forty of the one side and twenty of the other say nothing about the load."""
    spans = seen(read(otlp(QUIET + HARM))).spans
    touches = [count for name, count in zip(spans.operation, spans.count, strict=True) if name == "POST /touch"]
    assert touches == [20.0, 20.0]


def test_too_few_traces_are_not_compared_but_show_the_calls():
    found = seen(read(otlp(HARM)))
    assert found.spans is None
    assert ("shop", "sessions") in found.edges


def test_a_service_is_called_what_the_catalogue_calls_it():
    found = seen(read(otlp(renamed(QUIET, "sessions", "session-management"))), names={"session-management": "sessions"})
    assert ("shop", "sessions") in found.edges


def test_spans_of_another_time_are_left_out():
    assert seen(read(otlp(pages(0, 5, ALERT - 90_000)))).edges == ()


def test_clocks_that_differ_between_machines_cost_no_time():
    late = [one if one.service == "shop" else type(one)(**{**one.__dict__, "start": one.start + 3}) for one in QUIET]
    spans = seen(read(otlp(late + HARM))).spans
    own = {(n, bool(q)): o for n, q, o in zip(spans.operation, spans.quiet, spans.own, strict=True)}
    assert own["touch", True] == pytest.approx(0.002, abs=1e-5)


HOSTILE = [
    {"resourceSpans": [{"resource": None, "scopeSpans": [{"spans": [{}]}]}]},
    {"resourceSpans": [7, None, {"scopeSpans": 3}, {"scopeSpans": [{"spans": 4}]}]},
    {"data": [None, {"processes": []}, {"processes": {}, "spans": [{"processID": ["a"]}]}]},
    {"data": [{"processes": {"p": 1}, "spans": [{"traceID": {}, "spanID": [], "startTime": "x", "duration": None}]}]},
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_document_that_makes_no_sense_leaves_the_others_alone(hostile):
    found = read(hostile, otlp(QUIET + HARM))
    assert len(found.spans) == 4 * 60
    assert set(seen(found).edges) == {("shop", "sessions"), ("shop", "database")}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("startTimeUnixNano", "-1e999"),
        ("endTimeUnixNano", "1"),
        ("endTimeUnixNano", str(10**30)),
        ("startTimeUnixNano", None),
        ("spanId", ""),
        ("spanId", "x" * 1000),
        ("traceId", "x" * 100_000),
    ],
)
def test_a_span_that_makes_no_sense_is_counted_and_left_out(field, value):
    export = otlp(page(1, ALERT))
    export["resourceSpans"][0]["scopeSpans"][0]["spans"][0][field] = value
    found = read(export)
    assert (len(found.spans), found.unreadable) == (3, 1)


def test_names_are_cut():
    export = otlp(page(1, ALERT))
    export["resourceSpans"][1]["scopeSpans"][0]["spans"][0]["name"] = "x" * 100_000
    assert max(len(span.operation) for span in read(export).spans) == reading.LONGEST_NAME


@pytest.mark.parametrize(
    "body", ["<html>busy</html>", "", "[" * 100_000, '{"data": null, "errors": [{"code": 500}]}', "7", "{}"]
)
def test_what_are_no_traces_is_refused_with_the_reason(body):
    with pytest.raises(
        Unanswered, match=r"Jaeger gave what (is no JSON|are no traces|is neither OTLP nor Jaeger JSON)"
    ):
        document(body, "Jaeger", Read())


def test_spans_that_are_each_others_parents_end_nothing():
    export = otlp(page(1, ALERT))
    spans = export["resourceSpans"][1]["scopeSpans"][0]["spans"]
    spans[0]["parentSpanId"], spans[1]["parentSpanId"] = spans[1]["spanId"], spans[0]["spanId"]
    spans[2]["parentSpanId"] = spans[2]["spanId"]
    assert ("shop", "sessions") in seen(read(export)).edges


def test_more_spans_than_can_be_looked_at_are_cut(monkeypatch):
    monkeypatch.setattr(reading, "MOST", 50)
    found = read(otlp(QUIET))
    assert len(found.spans) == 50
    assert found.cut


def test_a_service_for_each_request_drowns_nobody():
    each = [page(1000 + n, ALERT - 1700 + n, sessions=0.01) for n in range(500)]
    noise = [one for n, mine in enumerate(each) for one in renamed(mine, "sessions", f"pod-{n}")]
    found = seen(read(otlp(QUIET + HARM + noise)))
    assert len(found.services) <= 100
    assert ("shop", "sessions") in found.edges


class TestFiles:
    def test_a_collectors_file_has_an_export_a_line_and_the_last_may_be_half_written(self, tmp_path):
        file = tmp_path / "traces.json"
        exports = [json.dumps(otlp(page(n, ALERT - 1800 + n))) for n in range(20)]
        file.write_text("\n".join(exports) + "\n" + exports[0][:100])
        found = TraceFiles([file]).read((), [WINDOW])
        assert (len(found.spans), found.unreadable) == (80, 1)

    def test_jaegers_answer_in_a_packed_file(self, tmp_path):
        file = tmp_path / "traces.json.gz"
        file.write_bytes(gzip.compress(json.dumps(jaeger(QUIET), indent=1).encode()))
        assert len(TraceFiles([file]).read((), [WINDOW]).spans) == 160

    def test_of_a_long_file_the_end_is_read(self, tmp_path, monkeypatch):
        monkeypatch.setattr("unrepeat.investigation.telemetry.trace_source.MOST_BYTES", 20_000)
        file = tmp_path / "traces.jsonl"
        file.write_text("".join(json.dumps(otlp(page(n, ALERT - 1800 + n))) + "\n" for n in range(400)))
        spans = TraceFiles([file]).read((), [WINDOW]).spans
        assert "399a" in {span.id for span in spans}
        assert "1a" not in {span.id for span in spans}

    def test_a_packed_file_that_unpacks_without_end_is_refused(self, tmp_path):
        file = tmp_path / "traces.json.gz"
        file.write_bytes(gzip.compress(b"[" * (33 * 1024 * 1024), 9))
        with pytest.raises(Unanswered, match="unpack to more than 32 MiB"):
            TraceFiles([file]).read((), [WINDOW])

    @pytest.mark.parametrize("name", ["traces.json", "traces.json.gz"])
    def test_a_file_of_something_else_is_refused_with_the_reason(self, tmp_path, name):
        file = tmp_path / name
        file.write_bytes(b"\x1f\x8b\x00\xff not traces")
        with pytest.raises(Unanswered):
            TraceFiles([file]).read((), [WINDOW])

    def test_a_million_unreadable_lines_are_counted_and_hide_nothing(self, tmp_path):
        file = tmp_path / "traces.jsonl"
        file.write_text(json.dumps(otlp(page(1, ALERT))) + "\n" + "{x}\n" * 1_000_000)
        found = TraceFiles([file]).read((), [WINDOW])
        assert (len(found.spans), found.unreadable) == (4, 1_000_000)

    def test_a_recording_has_its_own(self, tmp_path):
        assert recorded(tmp_path) is None
        (tmp_path / "traces.jsonl").write_text(json.dumps(otlp(QUIET)))
        assert len(recorded(tmp_path).read((), [WINDOW]).spans) == 160


def test_lines_stop_at_the_limit(monkeypatch):
    monkeypatch.setattr(reading, "MOST", 4)
    found = Read()
    lines((json.dumps(otlp(page(n, ALERT))).encode() for n in range(10)), found)
    assert len(found.spans) == 4
