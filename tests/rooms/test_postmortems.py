"""A draft exists by itself at resolve; people write prose; publishing freezes; nothing published ever changes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from tests.support.outage import DIGEST, at, memory, outage
from unrepeat.duty import commands as duty
from unrepeat.incidents import acts
from unrepeat.incidents import queries as incidents
from unrepeat.incidents import store as log_store
from unrepeat.incidents.commands import begin, perform, redact
from unrepeat.incidents.entries import Happened
from unrepeat.investigation.models import Result
from unrepeat.postmortems import commands, jobs, queries
from unrepeat.postmortems.formats import html
from unrepeat.postmortems.models import Edit, Postmortem, Revision
from unrepeat.support import clock
from unrepeat.support.problems import Conflict, Invalid, NotFound
from unrepeat.support.wakeups import Claim

pytestmark = pytest.mark.django_db


def an_outage(*, evidence: bool = True) -> int:
    """The outage of 12 August, in the tables, resolved; returns the incident's number."""
    story = [Happened(entry, when, by) for when, by, entry in outage()]
    if evidence:
        Result.objects.create(
            digest=DIGEST,
            source="test",
            query="memory",
            window_from=at("14:15"),
            window_to=at("18:15"),
            data=memory(),
            stored_at=at("18:15"),
        )
    number = begin(story[:1], by="unrepeat", at=at("15:15"))
    log_store.append(number, story[1:], by="unrepeat", at=at("18:15"))
    return number


def claim(number: int) -> Claim:
    return Claim(1, "postmortems", "draft", {"incident": number}, f"draft:{number}:19", at("18:00"), 1, 1, at("18:01"))


def a_draft() -> int:
    number = an_outage()
    jobs.draft(claim(number))
    return queries.of_incident(number)


def test_at_resolve_a_draft_exists_by_itself_and_only_once():
    number = an_outage()
    first = jobs.draft(claim(number))
    again = jobs.draft(claim(number))
    assert "drafted" in first
    assert "brought up to date" in again
    assert Postmortem.objects.count() == 1
    report = queries.report(queries.of_incident(number))
    assert report.facts.duration == timedelta(hours=2, minutes=45)
    assert (report.facts.trigger.name, report.facts.patch.name) == ("sessions 2.0", "sessions 2.0.1")
    drawn = {figure.name: bool(figure.svg and figure.narrow) for figure in report.figures}
    assert drawn == {"impact": False, "memory": True, "timeline": True}, "no request log is connected"


def test_the_wakeup_of_the_resolve_makes_the_draft():
    from unrepeat.worker import Worker

    with clock.using(clock.SimulatedClock(at("18:20"))):
        number = an_outage()
        Worker().run_until_idle()
        assert queries.of_incident(number) is not None


def test_reopened_and_resolved_again_updates_the_draft():
    number = an_outage()
    with clock.using(clock.SimulatedClock(at("18:30"))):
        jobs.draft(claim(number))
        perform(number, acts.Reopen("it is back"), by="Ada", at=at("18:10"))
        assert "no draft made" in jobs.draft(claim(number))
        perform(number, acts.Resolve("now really"), by="Ada", at=at("18:30"))
        jobs.draft(claim(number))
    row = Postmortem.objects.get()
    assert row.resolved_at == at("18:30")
    assert queries.report(row.pk).facts.duration == timedelta(hours=3, minutes=15)


def test_facts_follow_the_log_at_every_render():
    number = an_outage()
    postmortem, _ = commands.draft(number)
    with clock.using(clock.SimulatedClock(at("19:00"))):
        perform(number, acts.CorrectStart(at("14:45"), "users felt it earlier"), by="Ada")
    report = queries.report(postmortem)
    assert report.facts.duration == timedelta(hours=3, minutes=15)
    assert "14:45 to 18:00 UTC" in report.prose["summary"].text


def test_the_team_that_owns_the_guilty_service_is_named():
    duty.load_catalogue('[teams.sessions-team]\ntitle = "Sessions"\n\n[services.sessions]\nteam = "sessions-team"\n')
    postmortem = a_draft()
    assert queries.report(postmortem).facts.team in ("Sessions", "sessions-team")


def test_prose_is_kept_with_its_history_and_diffs():
    postmortem = a_draft()
    assert not queries.prose(postmortem, "cause").written
    assert commands.write(postmortem, "cause", "It kept\nevery session.", by="Ada") == 1
    assert commands.write(postmortem, "cause", "It kept\nevery session it had.", by="Ben") == 2
    assert commands.write(postmortem, "cause", "It kept\nevery session it had.\n", by="Ben") == 2, (
        "nothing changed, nothing written"
    )
    standing = queries.prose(postmortem, "cause")
    assert (standing.text, standing.written, standing.by) == ("It kept\nevery session it had.", True, "Ben")
    newest, first = queries.history(postmortem, "cause")
    assert (newest.by, first.by) == ("Ben", "Ada")
    assert ("-", "every session.") in newest.diff and ("+", "every session it had.") in newest.diff
    assert (" ", "It kept") in newest.diff


def test_an_emptied_section_shows_the_facts_again():
    postmortem = a_draft()
    commands.write(postmortem, "summary", "Mine.", by="Ada")
    commands.write(postmortem, "summary", "", by="Ada")
    assert "2 h 45 min" in queries.prose(postmortem, "summary").text
    assert len(queries.history(postmortem, "summary")) == 2


def test_two_who_write_at_once_do_not_overwrite_each_other():
    postmortem = a_draft()
    commands.write(postmortem, "summary", "Ada's", by="Ada", expected=0)
    with pytest.raises(Conflict) as refused:
        commands.write(postmortem, "summary", "Ben's", by="Ben", expected=0)
    assert "Ada saved another version" in refused.value.why


def test_what_cannot_be_written_is_refused_with_the_reason():
    postmortem = a_draft()
    with pytest.raises(NotFound, match="no section"):
        commands.write(postmortem, "blame", "x", by="Ada")
    with pytest.raises(Invalid, match="too long"):
        commands.write(postmortem, "headline", "x" * 201, by="Ada")
    with pytest.raises(NotFound):
        commands.write(postmortem + 1, "summary", "x", by="Ada")
    commands.write(postmortem, "headline", "One\nline \x00 only", by="Ada")
    assert queries.report(postmortem).headline == "One line only"


def test_publishing_freezes_and_later_entries_change_nothing():
    postmortem = a_draft()
    number = queries.incident_of(postmortem)
    commands.write(postmortem, "headline", "The day the session service kept everything", by="Ada")
    assert commands.publish(postmortem, by="Ada") == 1
    frozen = queries.revision(postmortem, 1)
    page = html.render(replace(frozen, today=None))
    with clock.using(clock.SimulatedClock(at("20:00"))):
        perform(number, acts.CorrectStart(at("14:00")), by="Ada")
        perform(number, acts.Note("afterthought"), by="Ada")
    redact(number, 7, by="Ada", reason="a name stood there")
    commands.write(postmortem, "headline", "Another headline", by="Ben")
    assert queries.revision(postmortem, 1) == frozen
    assert html.render(replace(queries.revision(postmortem, 1), today=None)) == page
    assert queries.is_intact(postmortem, 1)
    assert queries.current(postmortem).headline == "The day the session service kept everything"
    assert commands.publish(postmortem, by="Ben") == 2
    assert queries.current(postmortem).headline == "Another headline"
    assert queries.current(postmortem).facts.started_at == at("14:00")
    assert [(kept.number, kept.by) for kept in queries.revisions(postmortem)] == [(2, "Ben"), (1, "Ada")]


def test_beside_a_frozen_report_stands_how_its_measures_are_today():
    postmortem = a_draft()
    commands.publish(postmortem, by="Ada")
    with clock.using(clock.SimulatedClock(at("10:00", 14))):
        perform(queries.incident_of(postmortem), acts.FinishMeasure(1, "the rule is out"), by="Ben")
        report = queries.current(postmortem)
    assert {m.state for m in report.facts.measures} == {"open"}, "as it was published"
    assert [m.number for m in report.today.measures if m.state == "done"] == [1]
    page = html.render(report)
    assert "0 of 4 verified, 1 done but not verified, 3 open" in page
    assert "10:00 UTC on 14 August 2024" in page, "a file says as of when it is"
    assert queries.is_intact(postmortem, 1)


def test_a_frozen_report_is_read_back_whole():
    postmortem = a_draft()
    draft = queries.report(postmortem)
    commands.publish(postmortem, by="Ada")
    kept = queries.revision(postmortem, 1)
    assert (kept.facts, kept.prose, kept.figures) == (draft.facts, draft.prose, draft.figures)
    assert len(kept.digest) == 64


def test_a_revision_that_was_tampered_with_shows_it():
    postmortem = a_draft()
    commands.publish(postmortem, by="Ada")
    kept = Revision.objects.get()
    forged = Revision(
        postmortem_id=postmortem,
        number=2,
        at=kept.at,
        by=kept.by,
        facts={**kept.facts, "title": "nothing happened"},
        prose=kept.prose,
        figures=kept.figures,
        digest=kept.digest,
    )
    forged.save()
    assert not queries.is_intact(postmortem, 2)


def test_an_open_incident_cannot_be_published():
    postmortem = a_draft()
    with clock.using(clock.SimulatedClock(at("18:30"))):
        perform(queries.incident_of(postmortem), acts.Reopen("back"), by="Ada")
    with pytest.raises(Conflict, match="cannot be published yet"):
        commands.publish(postmortem, by="Ada")
    assert Revision.objects.count() == 0


@pytest.mark.parametrize("table", ["postmortems_edit", "postmortems_revision"])
@pytest.mark.parametrize("statement", ["delete from {}", "update {} set by = 'Mallory'"])
def test_the_database_refuses_to_change_prose_and_revisions(table, statement):
    postmortem = a_draft()
    commands.write(postmortem, "summary", "Mine.", by="Ada")
    commands.publish(postmortem, by="Ada")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))
    assert Edit.objects.count() == 1 and Revision.objects.count() == 1


@pytest.mark.skipif("connection.vendor != 'sqlite'")
def test_sqlite_refuses_replace_too():
    postmortem = a_draft()
    commands.write(postmortem, "summary", "Mine.", by="Ada")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "replace into postmortems_edit select id, section, seq, 'forged', by, at, postmortem_id from postmortems_edit"
        )


def test_a_hostile_log_is_published_and_read_back():
    number = an_outage()
    with clock.using(clock.SimulatedClock(at("20:00"))):
        perform(number, acts.Note("<script>alert(1)</script> \u202egpj.exe 🧨 " + "x" * 5000), by="Ada")
    postmortem, _ = commands.draft(number)
    commands.publish(postmortem, by="Ada")
    page = html.render(queries.revision(postmortem, 1))
    assert "<script" not in page
    assert "\u202e" not in page
    assert "🧨" in page


def test_everything_frozen_is_plain_json():
    postmortem = a_draft()
    commands.publish(postmortem, by="Ada")
    kept = Revision.objects.get()
    assert json.loads(json.dumps([kept.facts, kept.prose, kept.figures]))
    assert incidents.incident(queries.incident_of(postmortem)).status == "resolved"
