"""The report is folded from the log: the same log gives the same words, and nothing is guessed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.outage import DIGEST, at, outage
from tests.support.report import RESULTS, facts_of, part_of_page, report_of, seen, without
from unrepeat.incidents import entries as e
from unrepeat.postmortems import freeze, sentences
from unrepeat.postmortems.formats import html, markdown
from unrepeat.postmortems.sentences import SENTENCES


def test_the_facts_of_the_outage():
    known = facts_of(outage())
    assert known.duration == timedelta(hours=2, minutes=45)
    assert [s.name for s in known.guilty] == ["sessions", "sessions 2.0"]
    assert [s.name for s in known.cleared] == ["database", "load balancer"]
    assert (known.trigger.name, known.trigger.named) == ("sessions 2.0", True)
    assert (known.patch.name, known.patch.named) == ("sessions 2.0.1", True)
    assert [m.text for m in known.improvements] == [
        "Alert on memory that grows, not only on a limit",
        "Load tests that run for hours",
    ]
    assert len(known.tasks) == 2
    assert known.standing == "assumed"


def test_a_verdict_with_stored_evidence_is_supported():
    happened = [
        *without(e.SuspectConvicted),
        (at("17:15"), "Dana", e.SuspectConvicted("sessions", "service", "it leaks", (DIGEST,))),
    ]
    assert facts_of(happened).standing == "supported"


def test_the_change_and_the_patch_are_only_assumed_when_nobody_named_them():
    happened = [
        one
        for one in outage()
        if getattr(one[2], "suspect", "") != "sessions 2.0" and not isinstance(one[2], e.Mitigated)
    ]
    known = facts_of(happened)
    assert (known.trigger.name, known.trigger.named) == ("sessions 2.0", False)
    assert (known.patch.name, known.patch.named) == ("sessions 2.0.1", False)
    assert "is taken to be" in sentences.cause(known)
    assert "last change of the guilty service" in sentences.resolution(known)


def test_without_a_guilty_suspect_no_change_is_blamed():
    known = facts_of(without(e.SuspectConvicted, e.Mitigated))
    assert known.trigger is None
    assert known.patch is None
    assert "the cause is not known" in sentences.cause(known)
    assert "not known" in sentences.root_cause(known)


@pytest.mark.parametrize(
    "name", ["sessions 2.0", "Sessions V2.0", "sessions@2.0", "sessions:2.0", "2.0", "change 1", "#1"]
)
def test_a_guilty_change_is_known_by_what_people_call_it(name):
    happened = [one for one in outage() if getattr(one[2], "suspect", "") not in ("sessions 2.0", "sessions")]
    happened.append((at("17:15"), "Dana", e.SuspectConvicted(name, "change", "it leaks")))
    known = facts_of(happened)
    assert known.trigger is not None and known.trigger.number == 1 and known.trigger.named


def test_the_timeline_holds_what_a_reader_needs_in_order():
    lines = facts_of(outage()).timeline
    assert len(lines) >= 10
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert [line.role for line in lines if line.role] == ["trigger", "patch"]
    said = [f"{line.key} {line.said}".strip() for line in lines]
    for wanted in (
        "High memory usage fired on sessions",
        "database cleared",
        "load balancer cleared",
        "sessions found guilty",
        "Escalated to sessions-team",
        "Resolved",
        "Ben is on it",
        "Ada: “Is it the database again?”",
    ):
        assert wanted in said
    assert not any("lead" in words for words in said), "roles are left out"


def test_the_timeline_says_what_it_leaves_out():
    assert dict(facts_of(outage()).left_out) == {"opening": 1, "evidence": 1, "measures": 4, "roles": 1}


def test_a_storm_of_alerts_is_folded():
    storm = [
        (at("15:16"), "prometheus", e.AlertFired(100 + i, "High memory usage", "sessions", "critical"))
        for i in range(300)
    ]
    storm += [(at("15:17"), "prometheus", e.AlertFired(1000 + i, f"Alert {i}", "shop", "critical")) for i in range(40)]
    known = facts_of([*outage(), *storm])
    fired = [line for line in known.timeline if line.mark == "alert"]
    assert len(fired) <= 13
    assert "300 more of it" in fired[0].why
    assert dict(known.left_out)["further alerts"] == 300 + 29


def test_a_change_is_one_line_with_its_last_status():
    started = (at("14:27"), "pipeline", e.ChangeNoticed(1, "deploy", "started", "sessions", "2.0"))
    lines = [
        line
        for line in facts_of([started, *outage()]).timeline
        if line.key == "sessions 2.0" and line.lane == "changes"
    ]
    assert [(line.said, line.at) for line in lines] == [("deployed", at("14:28"))]


@pytest.mark.parametrize(
    ("how", "named"), [("Deployed Sessions v2.0.1; all is back", True), ("not sessions 2.0.1.7 but a restart", False)]
)
def test_a_patch_is_named_when_the_words_of_the_mitigation_name_it(how, named):
    happened = [
        (when, by, e.Mitigated(how) if isinstance(entry, e.Mitigated) else entry) for when, by, entry in outage()
    ]
    known = facts_of(happened)
    assert (known.patch.name, known.patch.named) == ("sessions 2.0.1", named)


def test_a_failed_deploy_is_no_patch():
    failed = (at("17:50"), "pipeline", e.ChangeNoticed(3, "deploy", "failed", "sessions", "2.0.2"))
    known = facts_of([*without(e.Mitigated), failed])
    assert known.patch.name == "sessions 2.0.1"
    assert any(line.said == "deploy failed" for line in known.timeline)


def test_an_incident_opened_by_hand_begins_with_that():
    happened = [(at("15:15"), "Ada", e.IncidentOpened("Shop slow", "major", "shop", "UTC", "by_hand"))]
    assert facts_of(happened).timeline[0].key == "Incident opened"


def test_impact_is_never_invented():
    known = facts_of(outage())
    assert sentences.impact(known).startswith("not measured: no request log is connected")
    assert "How many people were hurt was not measured." in sentences.summary(known)
    missing = (at("18:01"), "unrepeat", e.EvidenceMissing("Impact", "the log of nginx is empty"))
    assert sentences.impact(facts_of([*outage(), missing])) == "not measured: the log of nginx is empty"


def test_memory_is_told_from_the_samples_and_from_nothing_else():
    known = facts_of(outage())
    points = RESULTS[DIGEST]["series"][0]["points"]
    assert known.memory.peak == max(value for _, value in points)
    assert known.memory.last == points[-1][1]
    assert facts_of(outage(), results={}).memory is None
    assert "What was measured" not in sentences.summary(facts_of(outage(), results={}))


def test_the_window_is_told_with_date_and_zone():
    known = facts_of(outage())
    assert sentences.duration(known) == "2 h 45 min, from 15:15 to 18:00 UTC on 12 August 2024"
    berlin = replace(known, zone="Europe/Berlin")
    assert (
        sentences.duration(berlin)
        == "2 h 45 min, from 17:15 to 20:00 CEST on 12 August 2024 (15:15–18:00 UTC, 12 August 2024)"
    )
    late = replace(known, started_at=at("23:30"), resolved_at=at("01:05", 13))
    assert sentences.duration(late) == "1 h 35 min, from 23:30 UTC on 12 August 2024 to 01:05 UTC on 13 August 2024"
    short = replace(known, resolved_at=known.started_at + timedelta(seconds=165))
    assert sentences.duration(short) == "2 min 45 s, from 15:15:00 to 15:17:45 UTC on 12 August 2024"


def test_an_unknown_zone_is_told_in_utc():
    happened = outage()
    happened[0] = (at("15:15"), "unrepeat", e.IncidentOpened("x", "critical", "sessions", "Mars/Olympus", "new"))
    assert facts_of(happened).zone == "UTC"


def test_nobody_is_blamed_by_the_sentences():
    known = facts_of(outage())
    said = " ".join(make(known) for make in SENTENCES.values())
    assert not re.search(r"\b(Ada|Ben|Dana)\b", said), "causes are services and changes; people stand in the timeline"


@pytest.mark.parametrize("length", range(len(outage()) + 1))
def test_every_prefix_of_a_log_gives_a_report(length):
    happened = outage()[:length]
    report = report_of(happened)
    assert html.render(report)
    assert markdown.render(report)


def test_the_same_log_gives_the_same_bytes():
    one, other = report_of(outage()), report_of(outage())
    assert html.render(one) == html.render(other)
    assert markdown.render(one) == markdown.render(other)


def test_a_report_survives_being_frozen():
    report = report_of(outage(), cause="It *kept* every session.")
    kept_facts, kept_prose, kept_figures = freeze.frozen(report)

    class Kept:
        postmortem_id, number, at, by = 13, 1, report.at, "Ada"
        facts, prose, figures = kept_facts, kept_prose, kept_figures
        digest = freeze.digest(13, 1, kept_facts, kept_prose, kept_figures)

    back = freeze.thawed(Kept, newest=1)
    assert (back.facts, back.prose, back.figures) == (report.facts, report.prose, report.figures)
    changed = freeze.digest(13, 1, {**kept_facts, "title": "other"}, kept_prose, kept_figures)
    assert changed != Kept.digest


def test_the_html_is_one_file_that_asks_for_nothing():
    page = html.render(report_of(outage()))
    assert not re.search(r'(?:src|srcset|data)\s*=\s*"|url\(|@import|<link|<script|<iframe|<object', page)
    assert "@media print" in page and "prefers-color-scheme: dark" in page and 'name="viewport"' in page


def test_exactly_the_sections_in_order():
    wanted = [
        "Issue Summary",
        "Timeline",
        "Root Cause and Resolution",
        "Corrective and Preventative Measures",
        "Figures",
    ]
    report = report_of(outage())
    assert re.findall(r"<h2[^>]*>([^<]+)</h2>", html.render(report)) == wanted
    assert re.findall(r"^## (.+)$", markdown.document(report).text, re.MULTILINE) == wanted


def test_written_prose_stands_instead_of_the_sentences():
    report = report_of(
        outage(), headline="The day the session service kept everything", cause="A registry that nothing ever emptied."
    )
    for page in (html.render(report), markdown.render(report)):
        assert "The day the session service kept everything" in page
        assert "A registry that nothing ever emptied." in page
        assert "was found guilty: “tracked" not in page
        assert "2 h 45 min" in page, "facts stay"


def test_the_stretched_axis_of_a_recording_is_said_in_the_appendix():
    report = report_of(outage())
    for page in (html.render(report), markdown.render(report)):
        assert "Recording 2024-08-12-memory-leak: the time axis is stretched 60-fold. It was made in the lab." in page
        assert DIGEST in page


def test_a_moment_on_another_day_than_the_first_is_told_with_its_day():
    over_night = [*without(e.Resolved), (at("09:10", 13), "Ada", e.Resolved("All is well."))]
    report = report_of([*over_night, (at("10:00", 14), "Ada", e.SuspectCleared("nginx", "service", "it only waited"))])
    day = "10:00 UTC on 14 August 2024"
    assert f"| {day} |" in markdown.render(report)
    assert day in seen(html.render(report)).words
    assert "on 12 August" not in report.prose["resolution"].text.split("declared over")[0]


def test_markdown_has_its_figures_beside_it_or_in_words():
    whole, beside = markdown.render(report_of(outage())), markdown.document(report_of(outage()))
    assert set(beside.files) == {"memory.svg", "timeline.svg"}
    assert all(f"]({name})" in beside.text for name in beside.files)
    assert "](memory.svg)" not in whole
    assert "Line chart of the resident memory of sessions over time" in whole


def test_the_report_as_it_stands(snapshot):
    report = report_of(outage())
    assert markdown.document(report).text == snapshot(name="markdown")
    assert part_of_page(report) == snapshot(name="html")


@pytest.mark.parametrize("file", ["revision_as_of_0_1.json", "revision_with_guards.json"])
def test_what_was_frozen_once_can_still_be_read(file):
    """These files are never made anew: what was published once must be readable for ever."""
    kept = json.loads((Path(__file__).parent / file).read_text())

    class Kept:
        postmortem_id, number, at, by = 13, 1, at("19:00"), "Ada"
        facts, prose, figures, digest = kept["facts"], kept["prose"], kept["figures"], kept["digest"]

    report = freeze.thawed(Kept, newest=1)
    assert freeze.digest(13, 1, kept["facts"], kept["prose"], kept["figures"]) == kept["digest"]
    assert "2 h 45 min" in html.render(report)
    assert "sessions 2.0.1" in markdown.render(report)
    assert ("Not proven. Green on both" in markdown.render(report)) == (file == "revision_with_guards.json")
