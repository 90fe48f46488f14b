"""What a report says of causes, measures, guards, proofs and repeats: from the log, in plain words, and no more than is known."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.outage import at, outage
from tests.support.prevented import ALERT, GREEN, LOAD, RED, TEXT, TURNED, causes, prevented, regressed
from tests.support.report import facts_of, part_of_page, report_of
from unrepeat.incidents import entries as e
from unrepeat.postmortems import freeze, sentences
from unrepeat.postmortems import prevention_words as words
from unrepeat.postmortems.compared import has_moved_on
from unrepeat.postmortems.formats import html, markdown

LATER = at("12:00", 22)


def both(report) -> tuple[str, str]:
    return html.render(report), markdown.render(report)


def plain(page: str) -> str:
    """A page's words, without tags and line breaks."""
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"</?bdi>", "", page)).split())


def test_trigger_root_causes_and_factors_are_three_fields():
    known = facts_of(prevented())
    assert [(c.role, c.words) for c in known.causes] == [
        ("trigger", "a deploy"),
        ("cause", "a defect in software"),
        ("factor", "no or late detection"),
        ("factor", "no rollout in stages"),
        ("factor", "a missing check or guard rail"),
    ]
    for page in both(report_of(prevented())):
        for title in ("Trigger", "Root causes", "Contributing factors"):
            assert title in page
        assert "Tracked sessions are never released" in page


def test_a_cause_that_nothing_answers_is_a_gap_and_an_accepted_risk_has_a_name_and_a_reason():
    known = facts_of(prevented())
    assert [c.number for c in known.gaps] == [5], "the trigger needs no answer, and the risk of 4 is accepted"
    assert "No test ran long enough" in sentences.measures(known)
    for page in map(plain, both(report_of(prevented()))):
        assert "No measure answers it, and nobody has accepted the risk." in page
        assert "Accepted by Ada: One process serves all sessions" in page


def test_a_dropped_measure_answers_nothing():
    known = facts_of([*prevented(), (at("20:00"), "Ada", e.MeasureDropped(3, "the service goes"))])
    assert [c.number for c in known.gaps] == [2, 5]


def test_a_measure_is_verified_only_by_its_proven_guard_and_the_report_says_so():
    known = facts_of(prevented())
    assert {m.number: m.state for m in known.measures} == {1: "verified", 2: "open", 3: "done", 4: "open"}
    said = sentences.measures(known)
    assert "1 is verified: a guard that was red on the failure and green on the fix watches over it." in said
    assert "1 is done, but nothing shows yet that it works." in said
    for page in map(plain, both(report_of(prevented()))):
        assert "Done, not verified" in page
        assert "Proven on 14 August 2024: red on 2024-08-12-memory-leak, green on 2024-08-12-after-the-patch." in page
        assert (
            "Red on the failure: It fires at 14:44, 31 min before the alert. Green on the fix: It stays silent." in page
        )
        assert "Not proven. Green on both: it would not have caught it." in page


def test_the_appendix_holds_both_runs_of_a_proof_with_digest_and_time():
    for page in both(report_of(prevented())):
        assert RED in page and GREEN in page and TEXT in page
        assert "It fires at 14:44, 31 min before the alert." in plain(page)
        assert "10:00 UTC on 14 August 2024" in plain(page)


def test_a_guard_whose_text_changed_is_told_as_not_proven():
    changed = (at("12:00", 14), "Ben", e.GuardChanged(ALERT, "d" * 64))
    known = facts_of([*prevented(), changed])
    guard = next(g for g in known.guards if g.number == ALERT)
    assert not guard.proven and not guard.red and not guard.green
    assert not any(RED in page for page in both(report_of([*prevented(), changed])))


def test_measures_today_stand_beside_a_report_that_said_something_else():
    before, now = report_of(prevented()), report_of(regressed(), now=LATER)
    published = replace(before, status="published", revision=1, today=now.today)
    assert {m.number: m.state for m in published.facts.measures}[1] == "verified", "as it was published"
    for page in map(plain, both(published)):
        assert "0 of 4 verified, 1 failed, 1 done but not verified, 2 open" in page
        assert "12:00 UTC on 22 August 2024" in page, "dated"


def test_what_is_late_today_is_counted_by_the_day_on_which_somebody_looks():
    assert "2 open (1 of them late)" in plain(html.render(report_of(prevented(), now=at("12:00", 27))))
    assert "late" not in words.tally(report_of(prevented(), now=at("12:00", 26)).today, "UTC"), "it is due today"


def test_a_regression_names_the_guard_the_run_and_the_time_even_when_the_guard_is_green_again():
    report = report_of(regressed(), now=LATER)
    [failed] = report.today.regressed
    assert (failed.number, failed.regression.run) == (1, TURNED)
    for page in both(report):
        assert TURNED in page
        assert (
            "M1 had been verified. Its guard sessions-memory-grows turned red at 09:00 UTC on 20 August 2024:"
            " The rule is gone from prometheus." in plain(page)
        )
        assert "Regressed" in page


def test_a_guard_that_cannot_tell_is_why_its_measure_is_not_verified_any_more():
    gone = (at("09:00", 20), "unrepeat", e.GuardTurned(ALERT, TEXT, "broken", TURNED, "There is no promtool here."))
    report = report_of([*prevented(), gone], now=LATER)
    [(measure, guard)] = report.today.silent
    assert (measure.number, measure.state, guard.number) == (1, "done", ALERT)
    for page in map(plain, both(report)):
        assert "Not verified any more." in page
        assert "M1 had been verified." in page and "cannot tell since 09:00 UTC on 20 August 2024" in page
        assert "There is no promtool here" in page
    again = (at("10:00", 20), "unrepeat", e.GuardTurned(ALERT, TEXT, "green", GREEN, "It fires in time."))
    for page in map(plain, both(report_of([*prevented(), gone, again], now=LATER))):
        assert "Not verified any more" not in page


def test_a_guard_that_cannot_tell_is_not_named_for_a_measure_that_never_was_verified():
    gone = (at("09:00", 20), "unrepeat", e.GuardTurned(LOAD, "b" * 64, "broken", TURNED, "There is no locust here."))
    assert report_of([*prevented(), gone], now=LATER).today.silent == ()


def test_a_closed_regression_is_no_banner_any_more():
    closed = (at("13:00", 21), "Ben", e.RegressionClosed(1, "the rule is back"))
    report = report_of([*regressed(), closed], now=LATER)
    assert report.today.regressed == ()
    assert "Regressed" not in html.render(report)


def test_without_a_measure_nothing_is_said_of_today():
    alone = [one for one in outage() if not isinstance(one[2], e.MeasureProposed)]
    for page in both(report_of(alone, now=LATER)):
        assert "Measures today" not in page


def test_that_it_came_back_is_said_with_the_incident():
    for page in map(plain, both(report_of(regressed(), now=LATER))):
        assert "It came back" in page and "incident 77" in page and "The shop is slow again" in page


SUSPECTED = e.RepeatSuspected(
    12, 9, "Carts kept after logout", "likely", 0.91, ("same alert", "same service"), "rolling back", 2, "2024-05-03"
)


def test_a_past_failure_is_named_likely_until_a_person_confirms_it():
    likely = [*outage(), (at("15:16"), "unrepeat", SUSPECTED)]
    for page in map(plain, both(report_of(likely))):
        assert "Seen before" in page
        assert "likely the same failure; nobody has confirmed or rejected it" in page
        assert "It is a repeat" not in page
    confirmed = [*likely, (at("15:30"), "Ada", e.RepeatConfirmed(12, 9, "the same registry"))]
    for page in map(plain, both(report_of(confirmed))):
        assert "It is a repeat: the failure of PM-12 (“Carts kept after logout”) come back." in page
        assert (
            "as Ada confirmed. the same registry. Ended then by: rolling back. 2 of its measures were still open."
            in page
        )


@pytest.mark.parametrize("standing", ["possible", "rejected"])
def test_what_is_only_possible_or_was_rejected_is_not_told_as_a_fact(standing):
    story = [*outage(), (at("15:16"), "unrepeat", replace(SUSPECTED, standing="possible"))]
    if standing == "rejected":
        story.append((at("15:30"), "Ada", e.RepeatRejected(12, "another service")))
    assert facts_of(story).repeats == ()
    assert not any("Seen before" in page for page in both(report_of(story)))


def test_the_timeline_tells_once_that_it_was_known_again_and_what_people_said_while_it_lasted():
    story = [
        *outage(),
        (at("15:16"), "unrepeat", SUSPECTED),
        (at("15:40"), "unrepeat", replace(SUSPECTED, score=0.95)),
        (at("15:30"), "Ada", e.RepeatConfirmed(12, 9)),
        (at("19:30"), "Ben", e.RepeatRejected(12, "on second thoughts")),
    ]
    known = facts_of(sorted(story, key=lambda one: one[0]))
    told = [(line.at, f"{line.key} {line.said}") for line in known.timeline if "PM-12" in line.said]
    assert told == [
        (at("15:16"), "Seen before: likely the failure of PM-12 come back"),
        (at("15:30"), "Ada says that it is the failure of PM-12 come back"),
    ]
    assert dict(known.left_out)["repeats"] == 2


def test_causes_measures_and_guards_are_left_out_of_the_timeline_and_counted():
    known = facts_of(prevented())
    assert dict(known.left_out) == {
        "causes": 6, "evidence": 1, "guards": 5, "measures": 9, "opening": 1, "roles": 1,
    }  # fmt: skip
    assert known.timeline == facts_of(outage()).timeline


def test_what_was_frozen_before_there_were_guards_reads_as_it_was():
    kept = json.loads((Path(__file__).parent / "revision_as_of_0_1.json").read_text())

    class Kept:
        postmortem_id, number, at, by = 13, 1, at("19:00"), "Ada"
        facts, prose, figures, digest = kept["facts"], kept["prose"], kept["figures"], kept["digest"]

    known = freeze.thawed(Kept, newest=1).facts
    assert known.causes == known.guards == known.repeats == ()
    assert {m.state for m in known.measures} == {"open"}


def test_a_report_with_all_of_it_survives_being_frozen_and_today_is_not_frozen_with_it():
    report = report_of(regressed(), now=LATER)
    kept = freeze.frozen(report)

    class Kept:
        postmortem_id, number, at, by = 13, 1, report.at, "Ada"
        facts, prose, figures = kept
        digest = freeze.digest(13, 1, *kept)

    back = freeze.thawed(Kept, newest=1)
    assert back.facts == report.facts
    assert back.today is None
    assert freeze.frozen(replace(report, today=None)) == kept


def test_a_guard_that_runs_is_no_reason_to_publish_again_but_a_new_cause_or_measure_is():
    published = report_of(prevented())
    assert not has_moved_on(published, report_of(regressed()))
    cause = (at("20:00"), "Ada", e.CauseNamed(6, "factor", "missing_runbook"))
    measure = (at("20:00"), "Ada", e.MeasureProposed(9, "task", "Write the runbook"))
    dropped = (at("20:00"), "Ada", e.MeasureDropped(2, "no time"))
    for one in (cause, measure, dropped):
        assert has_moved_on(published, report_of([*prevented(), one]))
    assert has_moved_on(published, report_of(prevented(), cause="In our own words."))


def test_nobody_is_blamed_by_a_cause():
    said = " ".join(words.cause(c) for c in facts_of([*outage(), *causes()]).causes)
    assert not re.search(r"\b(Ada|Ben|Dana)\b", said)


def test_the_report_of_a_prevented_failure_as_it_stands(snapshot):
    report = report_of(regressed(), now=LATER)
    text = markdown.document(report).text
    assert text[: text.index("## Timeline")] == snapshot(name="markdown top")
    assert text[text.index("## Root Cause") : text.index("## Figures")] == snapshot(name="markdown middle")
    assert text[text.index("#### Guards") :] == snapshot(name="markdown proofs")
    page = part_of_page(report)
    assert page[: page.index('id="timeline"')] == snapshot(name="html top")
    assert page[page.index('id="measures"') : page.index('id="figures"')] == snapshot(name="html measures")
    assert page[page.index('id="proofs"') :] == snapshot(name="html proofs")
    assert LOAD in {g.number for g in report.facts.guards}
