"""Who was hurt, in the report: every number with its denominator, harm's times from the data, few people with their interval; nothing when nobody counted."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.outage import COUNTED, DIGEST, QUERY, at, counts, hurt, log, measured_outage, memory, outage
from unrepeat.incidents import entries as e
from unrepeat.incidents.fold import fold
from unrepeat.postmortems import freeze, sentences
from unrepeat.postmortems import hurt as words
from unrepeat.postmortems.charts import figures
from unrepeat.postmortems.facts import facts
from unrepeat.postmortems.formats import html, markdown
from unrepeat.postmortems.report import Facts, Prose, Report
from unrepeat.postmortems.sentences import SENTENCES
from unrepeat.support.shares import percent

RESULTS = {DIGEST: memory(), COUNTED: counts()}


def facts_of(happened, results=RESULTS) -> Facts:
    logged = log(*happened)
    return facts(fold(logged), logged, incident=31, results=results, impact_query=QUERY)


def report_of(happened, results=RESULTS) -> Report:
    known = facts_of(happened, results)
    prose = {name: Prose(make(known), written=False) for name, make in SENTENCES.items()}
    return Report(13, "draft", 0, at("18:00"), "unrepeat", known, prose, figures(known, results))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_the_summary_says_who_was_hurt_before_it_says_why():
    said = plain(sentences.summary(facts_of(measured_outage())))
    assert (
        "521 of 622 users (84 %) met a page that took over 0.5 s; 64 of 288 who tried checkout (22 %) never succeeded."
        in said
    )
    assert "Harm began at 15:00 and ended at 17:50, found from the request log (Figure 1)." in said
    assert said.index("521 of 622") < said.index("Guilty:")


def test_without_a_count_the_report_says_that_it_was_not_measured_and_why():
    known = facts_of([*outage(), (at("18:00"), "unrepeat", e.EvidenceMissing("Impact", "no file matches access.log"))])
    assert known.impact is None
    assert sentences.impact(known) == "not measured: no file matches access.log"
    assert figures(known, RESULTS)[0].missing == "Not measured: no file matches access.log"


def test_harm_that_goes_on_and_harm_that_was_not_found_are_said():
    assert "had not ended" in sentences.impact(facts_of(measured_outage(harm_to=None)))
    assert "shows no time" in sentences.impact(facts_of(measured_outage(harm_from=None, harm_to=None)))


def test_an_alert_that_comes_after_harm_began_is_told_so():
    assert sentences.timeline(facts_of(measured_outage())).startswith("It was detected 15 min after harm began.")
    assert "as far as is known" in sentences.timeline(facts_of(measured_outage(harm_from=None, harm_to=None)))


def test_few_people_are_told_with_their_interval_and_many_are_not():
    few = (e.ShareMeasured("users slowed", "users", 21, 25), e.ShareMeasured("checkout lost", "attempts", 64, 288))
    said = plain(sentences.impact(facts_of(measured_outage(shares=few))))
    assert "21 of 25 users (84 %; of so few, anything from 65 to 94 %)" in said
    assert "64 of 288 who tried checkout (22 %)" in said


def test_nobody_to_be_counted_makes_no_share():
    none = facts_of(measured_outage(shares=(e.ShareMeasured("users slowed", "users", 0, 0),)))
    assert none.impact is not None and none.impact.users_slowed.share is None
    assert "Nobody was there" in sentences.impact(none)
    assert "Nobody was there" in html.render(
        report_of(measured_outage(shares=(e.ShareMeasured("users slowed", "users", 0, 0),)))
    )


def test_the_timeline_holds_when_harm_began_and_ended_and_counts_the_counting_as_evidence():
    known = facts_of(measured_outage())
    harm = [(f"{line.at:%H:%M}", line.key, line.by) for line in known.timeline if line.lane == "harm"]
    assert harm == [("15:00", "Harm began", "unrepeat"), ("17:50", "Harm ended", "unrepeat")]
    assert dict(known.left_out)["evidence"] == 2


def test_only_the_last_count_tells_when_harm_was():
    earlier = (at("16:00"), "unrepeat", hurt(harm_from=at("15:10"), harm_to=None, digest="00" * 32))
    known = facts_of([*outage()[:10], earlier, *measured_outage()[10:]])
    assert [f"{line.at:%H:%M}" for line in known.timeline if line.lane == "harm"] == ["15:00", "17:50"]


@pytest.mark.parametrize("make", [html.render, markdown.render])
def test_every_number_stands_with_its_window_threshold_query_and_digest(make):
    text = plain(make(report_of(measured_outage(unreadable=3))))
    for wanted in (
        "access.log",
        "objective of shop",
        COUNTED,
        "SELECT count(*) AS users",
        "3 lines that are no requests",
        "64 of 288",
    ):
        assert wanted in text
    assert re.search(r"15:15.{0,120}17:45 UTC", text)


def test_a_query_cannot_leave_its_block():
    hostile = "SELECT '```\n# <script>alert(1)</script>'"
    logged = log(*measured_outage())
    known = facts(fold(logged), logged, incident=31, results=RESULTS, impact_query=hostile)
    report = replace(report_of(measured_outage()), facts=known)
    assert "````sql" in markdown.render(report)
    assert "<script>" not in html.render(report)


def test_a_revision_with_impact_is_read_again_as_it_was():
    import msgspec

    report = report_of(measured_outage())
    kept, _, _ = freeze.frozen(report)
    assert msgspec.convert(kept, Facts) == report.facts


def test_the_figure_of_those_who_were_hurt_comes_first_and_shows_both_shares():
    first = figures(facts_of(measured_outage()), RESULTS)[0]
    assert first.name == "impact"
    assert 'class="harm-line slowed"' in first.svg and 'class="harm-line lost"' in first.svg
    for said in ("users slowed", "checkout lost", "start, detected", "patched: 2.0.1", "resolved"):
        assert f">{said}</text>" in first.svg


def test_attempts_that_may_still_succeed_are_not_drawn_as_lost():
    lines = words.over_time({**counts(), "known_to": at("17:00").timestamp()})
    assert lines.lost[-1][0] < at("16:55").timestamp() <= lines.slowed[-1][0]


def test_where_few_people_come_a_point_counts_the_time_around_it():
    thin = counts()
    for bucket in thin["buckets"]:
        bucket.update(users=4, slowed=min(bucket["slowed"], 4), attempts=1, lost=0)
    assert words.over_time(counts()).around == 300
    assert words.over_time(thin).around > 300


@given(st.integers(0, 10_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_a_share_is_never_said_as_all_or_nothing_unless_it_is(counted):
    part, whole = counted
    said = plain(percent(part, whole))
    assert (said == "0 %") == (part == 0 < whole)
    assert (said == "100 %") == (part == whole > 0)
    assert (said == "–") == (whole == 0)
