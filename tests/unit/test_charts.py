"""Figures: data in, SVG text out; byte-stable, to scale, with words for those who do not see them, and nothing on top of anything."""

from __future__ import annotations

import re
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.outage import COUNTED, DIGEST, at, counts, measured_outage, memory, outage
from tests.unit.test_report import facts_of
from unrepeat.incidents import entries as e
from unrepeat.postmortems import measured
from unrepeat.postmortems.charts import _labels, figures, timeline
from unrepeat.postmortems.charts import memory as memory_chart
from unrepeat.postmortems.charts._axes import TimeAxis, value_ticks
from unrepeat.postmortems.formats.html import picture_file

SVG = "{http://www.w3.org/2000/svg}"


def drawings(happened=None, data=None):
    results = {DIGEST: data or memory(), COUNTED: counts()}
    known = facts_of(happened or measured_outage(), results=results)
    return {figure.name: figure for figure in figures(known, results)}


def boxes(svg: str) -> list[tuple[float, float, float, float, str]]:
    """Where words stand: from x, from y, to x, to y."""
    found = []

    def walk(node, dy):
        moved = re.fullmatch(r"translate\(0 ([\d.]+)\)", node.get("transform", ""))
        dy += float(moved[1]) if moved else 0.0
        if node.tag == f"{SVG}text":
            long = _labels.width(node.text or "") * 0.85
            x, y = float(node.get("x")), float(node.get("y")) + dy
            start = {"start": x, "end": x - long, "middle": x - long / 2}[node.get("text-anchor")]
            found.append((start, y - 8, start + long, y + 1, node.text))
        for child in node:
            walk(child, dy)

    walk(ET.fromstring(svg), 0.0)
    return found


def overlapping(svg: str) -> list[tuple[str, str]]:
    all_boxes = boxes(svg)
    return [
        (a[4], b[4])
        for i, a in enumerate(all_boxes)
        for b in all_boxes[i + 1 :]
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]


@pytest.mark.parametrize("name", ["impact", "memory", "timeline"])
def test_the_same_data_gives_the_same_bytes_and_they_are_xml(name, snapshot):
    one, other = drawings()[name], drawings()[name]
    assert one == other
    for svg in (one.svg, one.narrow):
        root = ET.fromstring(svg)
        assert root.find(f"{SVG}title").text
        assert len(root.find(f"{SVG}desc").text) > 40
        assert root.get("role") == "img" and root.get("aria-labelledby")
        assert "style=" not in svg, "a strict CSP forbids it"
        assert len(svg) < 25_000
    assert one.svg == snapshot


@pytest.mark.parametrize("name", ["impact", "memory", "timeline"])
def test_words_do_not_lie_on_words(name):
    figure = drawings()[name]
    assert overlapping(figure.svg) == []
    assert overlapping(figure.narrow) == []


def test_words_stay_inside_the_picture():
    for figure in drawings().values():
        for svg, width in ((figure.svg, 660), (figure.narrow, 340)):
            assert all(box[0] >= 0 and box[2] <= width for box in boxes(svg)), [
                b for b in boxes(svg) if b[0] < 0 or b[2] > width
            ]


def test_start_detected_patched_and_resolved_are_marked():
    svg = drawings()["memory"].svg
    for words in ("start, detected", "patched: 2.0.1", "resolved", "sessions 2.0"):
        assert f">{words}</text>" in svg
    assert ">100 MB</text>" in svg, "the axis has its unit"
    assert ">UTC, 12 August 2024</text>" in svg, "and its zone"


def test_the_time_axis_is_to_scale_in_the_incidents_zone():
    axis = TimeAxis(at("14:15").timestamp(), at("18:15").timestamp(), 0, 240, "Europe/Berlin")
    assert axis.x(at("15:15")) == pytest.approx(60)
    assert axis.x(at("18:15")) == pytest.approx(240)
    assert [words for _, words in axis.ticks(60)] == ["17:00", "18:00", "19:00", "20:00"]
    kathmandu = TimeAxis(at("14:15").timestamp(), at("18:15").timestamp(), 0, 240, "Asia/Kathmandu")
    assert [words for _, words in kathmandu.ticks(60)] == ["20:00", "21:00", "22:00", "23:00", "00:00"]


def test_gaps_in_the_data_stay_gaps():
    data = memory()
    points = data["series"][0]["points"]
    data["series"][0]["points"] = points[:60] + points[90:]
    assert drawings(data=data)["memory"].svg.count('class="curve"') == 2


def test_each_process_has_its_line_and_the_largest_gives_the_numbers():
    data = memory()
    data["series"].append({"labels": {"instance": "b"}, "points": [[t, 1e6] for t, _ in data["series"][0]["points"]]})
    figure = drawings(data=data)["memory"]
    assert figure.svg.count('class="curve"') == 2
    assert "A line each for its 2 processes" in figure.caption
    assert f">{measured.size(max(v for _, v in memory()['series'][0]['points']))}</text>" in figure.svg


def test_without_memory_the_figure_says_why():
    happened = [one for one in outage() if not isinstance(one[2], e.EvidenceGathered)]
    happened.append(
        (at("18:01"), "unrepeat", e.EvidenceMissing("Memory of sessions", "Prometheus could not be reached"))
    )
    known = facts_of(happened, results={})
    figure = figures(known, {})[1]
    assert (figure.svg, figure.missing) == ("", "Not measured: Prometheus could not be reached")


@pytest.mark.parametrize("points", [1, 2, 500])
def test_odd_data_is_drawn(points):
    data = {
        "step": 60,
        "series": [{"labels": {}, "points": [[at("15:15").timestamp() + 60 * i, 0.0] for i in range(points)]}],
    }
    assert ET.fromstring(drawings(data=data)["memory"].svg) is not None


def test_a_crowd_is_drawn_without_overlap():
    crowd = [(at("15:20") + timedelta(minutes=i // 2), "Ada", e.NoteWritten(f"note {i}")) for i in range(60)]
    crowd += [
        (at("15:30") + timedelta(minutes=i), "Ada", e.SuspectCleared(f"suspect number {i}", "service", "fine"))
        for i in range(15)
    ]
    crowd += [
        (at("15:30") + timedelta(minutes=i), "ci", e.ChangeNoticed(10 + i, "deploy", "succeeded", "shop", f"1.{i}"))
        for i in range(8)
    ]
    crowd += [(at("15:16"), "prometheus", e.AlertFired(100 + i, f"Alert {i}", "shop")) for i in range(9)]
    figure = drawings([*outage(), *crowd])["timeline"]
    assert overlapping(figure.svg) == []
    assert overlapping(figure.narrow) == []
    assert "and 5 other alerts" in figure.svg
    assert "others</text>" in figure.svg


@given(st.lists(st.tuples(st.floats(0, 600), st.text("abc mW0", max_size=20)), max_size=12))
def test_packed_labels_never_overlap(items):
    items = sorted(items)
    placed = _labels.pack(items, 0, 600)
    taken = {}
    for (x, _), place in zip(items, placed, strict=True):
        long = 6 + _labels.GAP + _labels.width(place.text) if place.text else 6
        box = (x - 6, x + long) if place.side == "right" else (x - long, x + 6)
        for other in taken.setdefault(place.row, []):
            assert box[1] < other[0] or other[1] < box[0]
        taken[place.row].append(box)


@given(st.floats(1, 1e12))
def test_value_ticks_are_round_and_cover_all(top):
    ticks = value_ticks(top)
    assert ticks[0] == 0 and ticks[-1] >= top * 0.999
    assert 2 <= len(ticks) <= 8


def test_a_figure_as_a_file_brings_its_own_colours():
    file = picture_file(drawings()["memory"].svg)
    assert ET.fromstring(file.encode()) is not None
    assert "prefers-color-scheme: dark" in file


def test_long_outages_and_short_ones_are_drawn():
    known = facts_of(outage())
    for length in (timedelta(seconds=20), timedelta(minutes=3), timedelta(days=9), timedelta(days=200)):
        moved = [
            (at("15:15"), "unrepeat", e.IncidentOpened("x", "critical", "sessions", "UTC", "new")),
            (at("15:15") + length, "Ada", e.Resolved("ok")),
        ]
        other = facts_of(moved)
        assert ET.fromstring(timeline.draw(other, 660)) is not None
        assert overlapping(timeline.draw(other, 340)) == []
    assert memory_chart.figure(known, {DIGEST: memory()}).svg


def test_a_flood_of_entries_stays_a_picture():
    flood = [(at("15:16") + timedelta(seconds=i), "Ada", e.NoteWritten(f"note {i}")) for i in range(5000)]
    flood += [
        (at("15:16") + timedelta(seconds=7 * i), "ci", e.ChangeNoticed(10 + i, "deploy", "succeeded", "shop", f"1.{i}"))
        for i in range(500)
    ]
    figure = drawings([*outage(), *flood])["timeline"]
    assert len(figure.svg) < 60_000
    assert overlapping(figure.svg) == []
    assert "sessions 2.0.1</text>" in figure.svg, "the patch is never left out"
    assert "others</text>" in figure.svg
