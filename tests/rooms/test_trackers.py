"""Measures and their tickets, both ways, against servers that speak GitHub's and GitLab's documented wire format.

No real GitHub or GitLab can be had here; tests/support/tracker_servers.py stands in for them, and says what it keeps to.
"""

from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta

import pytest
from django.db import transaction

from tests.support.mailing import configured
from tests.support.tracker_servers import PROJECT, TOKEN, GitHub, GitLab, Listener, running
from unrepeat.arrivals.models import Delivery, Source
from unrepeat.incidents import acts, commands, queries
from unrepeat.incidents import entries as e
from unrepeat.prevention import told_store
from unrepeat.prevention.tickets import tracker_commands
from unrepeat.prevention.told_models import Ticket, Tracker
from unrepeat.support import clock, wakeups
from unrepeat.support.models import Wakeup
from unrepeat.support.problems import Conflict, Invalid
from unrepeat.worker import Worker

pytestmark = pytest.mark.django_db
RED, GREEN, TEXT = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def time():
    """A clock that can be moved."""
    simulated = clock.SimulatedClock(clock.now())
    with clock.using(simulated):
        yield simulated


@pytest.fixture(params=[GitHub, GitLab], ids=["github", "gitlab"])
def server(request, time):
    with running(request.param()) as there, configured(private_addresses=["127.0.0.0/8"]):
        tracker_commands.add(
            "issues", request.param.__name__.lower(), url=there.url, project=PROJECT, token=TOKEN, by="Ada"
        )
        yield there


def a_measure(text="Limit the memory of a session\n\n/close\n@everybody") -> int:
    number = commands.open_incident("The shop is slow", service="sessions", severity="critical", by="Ben")
    commands.perform(number, acts.ProposeMeasure("task", text, "Ada", None, "prevent"), by="Ben")
    Worker().run_until_idle()
    return number


def a_ticket() -> int:
    """The number of an incident whose measure 1 has ticket 1."""
    number = a_measure()
    tracker_commands.make_ticket(number, 1, "issues", by="Ada")
    Worker().run_until_idle()
    return number


def measure(number: int):
    return queries.state_of(number).measures[1]


def poll(time) -> None:
    time.advance(minutes=5)
    Worker().run_until_idle()


def proven(number: int) -> None:
    tied = e.GuardTied(1, 7, "sessions-memory", "promql", TEXT)
    proof = e.GuardProven(7, TEXT, RED, GREEN, "Red on the failure, green on the fix.", "2.0", "2.0.1")
    commands.append(number, [tied, proof, e.GuardTurned(7, TEXT, "green", "d" * 64, "1 MB")], by="unrepeat")
    Worker().run_until_idle()


def test_a_measure_gets_a_ticket_which_says_all_and_is_in_the_log(server):
    number = a_ticket()
    [issue] = server.issues.values()
    assert issue.title.startswith("Limit the memory of a session")
    for said in ("Owner: Ada", "The shop is slow", f"/incidents/{number}", "prevents it"):
        assert said in issue.text
    assert "@everybody" not in issue.text  # nobody is called by name there
    assert (measure(number).tracker, measure(number).ticket) == ("issues", f"{PROJECT}#1")
    assert measure(number).ticket_url.startswith(server.url)
    assert server.calls("POST") == 1


def test_done_closes_it_verified_comments_with_the_proof_failed_reopens_it_with_the_run(server, time):
    number = a_ticket()
    issue = server.issues[1]
    commands.perform(number, acts.FinishMeasure(1, "limited to 2 MB"), by="Ada")
    Worker().run_until_idle()
    assert issue.state == "closed"
    assert "limited to 2 MB" in issue.comments[0]
    assert "Not verified yet" in issue.comments[0]
    proven(number)
    assert "**Verified.**" in issue.comments[1]
    assert RED[:12] in issue.comments[1] and GREEN[:12] in issue.comments[1]
    assert issue.state == "closed"
    commands.append(number, [e.GuardTurned(7, TEXT, "red", "f" * 64, "9 MB a session")], by="unrepeat")
    Worker().run_until_idle()
    assert issue.state == "open"
    assert "9 MB a session" in issue.comments[2]
    poll(time)
    poll(time)
    assert len(issue.comments) == 3
    assert measure(number).state == "failed"  # our own reopening is no news


def test_dropped_closes_it_with_the_reason(server):
    number = a_ticket()
    commands.perform(number, acts.DropMeasure(1, "the service is gone"), by="Ada")
    Worker().run_until_idle()
    assert server.issues[1].state == "closed"
    assert "the service is gone" in server.issues[1].comments[0]
    assert server.issues[1].reason in ("not_planned", None)


def test_somebody_closes_it_there_and_reopens_it_found_by_asking(server, time):
    number = a_ticket()
    server.person(1, "closed", by="octo-ada")
    poll(time)
    assert measure(number).state == "done"
    assert measure(number).done_by == "issues"
    assert "octo-ada" in measure(number).done_how
    assert server.issues[1].comments == []  # it need not be told what it told us
    server.person(1, "open")
    poll(time)
    assert measure(number).state == "open"
    server.person(1, "closed")
    poll(time)
    assert measure(number).state == "done"
    assert server.issues[1].comments == []


def test_nothing_is_read_twice_when_nothing_changed(server, time):
    a_ticket()
    poll(time)
    poll(time)
    before = len(server.requests)
    poll(time)
    assert len(server.requests) == before + 1  # one question
    assert "if-none-match" in server.headers[-1]  # which costs the other side little


def hook(server, number: int, action: str) -> None:
    """The server's webhook arrives."""
    if isinstance(server, GitHub):
        body = {"action": action, "issue": server.row(server.issues[number]), "repository": {"full_name": PROJECT}}
        kind, headers = "github", {"x-github-event": "issues"}
    else:
        row = server.row(server.issues[number])
        word = {"closed": "close", "reopened": "reopen"}[action]
        body = {"object_kind": "issue", "object_attributes": {"iid": number, "action": word, "url": row["web_url"]}}
        kind, headers = "gitlab", {"x-gitlab-event": "Issue Hook"}
    source, _ = Source.objects.get_or_create(name="hooks", defaults={"kind": kind, "made_at": clock.now()})
    Delivery.objects.create(
        source=source,
        key=str(Delivery.objects.count()).encode(),
        received_at=clock.now(),
        headers=headers,
        body=json.dumps(body).encode(),
    )
    Worker().run_until_idle()


def test_somebody_closes_it_there_and_its_webhook_says_so_at_once(server):
    number = a_ticket()
    server.person(1, "closed")
    hook(server, 1, "closed")
    assert measure(number).state == "done"
    server.person(1, "open")
    hook(server, 1, "reopened")
    assert measure(number).state == "open"
    assert Delivery.objects.filter(state=2).count() == 0


def test_a_webhook_that_lies_changes_nothing(server):
    number = a_ticket()
    hook(server, 1, "closed")  # while it is open there
    assert measure(number).state == "open"


def test_an_old_webhook_that_comes_late_changes_nothing(server):
    number = a_ticket()
    server.person(1, "closed")
    server.person(1, "open")
    hook(server, 1, "closed")
    assert measure(number).state == "open"


def test_a_webhook_of_a_stranger_is_no_ticket_of_ours(server):
    a_ticket()
    server.add("Something else", "")
    before = len(server.requests)
    hook(server, 2, "closed")
    assert len(server.requests) == before
    assert Wakeup.objects.get(what="ticket_news").outcome == "no ticket of ours"


def test_one_that_is_there_is_linked_by_its_address_and_a_closed_one_makes_the_measure_done(server):
    issue = server.add("Already here", "")
    server.person(1, "closed")
    number = a_measure()
    url = server.row(issue).get("html_url") or server.row(issue)["web_url"]
    tracker_commands.link_ticket(number, 1, url, by="Ada")
    Worker().run_until_idle()
    assert measure(number).ticket == f"{PROJECT}#1"
    assert measure(number).state == "done"
    with pytest.raises(Conflict, match="belongs to another measure"):
        tracker_commands.link_ticket(a_measure(), 1, url, by="Ada")
    with pytest.raises(Invalid, match="no ticket that can be followed"):
        tracker_commands.link_ticket(number, 1, "https://elsewhere.example/shop/sessions/issues/1", by="Ada")


def test_an_answer_that_is_lost_makes_no_second_ticket(server, time):
    server.lose = 1
    number = a_measure()
    tracker_commands.make_ticket(number, 1, "issues", by="Ada")
    Worker().run_until_idle()
    assert len(server.issues) == 1
    assert measure(number).ticket == ""
    assert Ticket.objects.get().trouble
    time.advance(seconds=5)
    Worker().run_until_idle()
    assert len(server.issues) == 1
    assert measure(number).ticket == f"{PROJECT}#1"
    assert Ticket.objects.get().trouble == ""


def test_a_lost_answer_makes_no_second_comment(server, time):
    number = a_ticket()
    server.lose = 1
    commands.perform(number, acts.FinishMeasure(1), by="Ada")
    Worker().run_until_idle()
    assert server.issues[1].state == "open"
    time.advance(seconds=5)
    Worker().run_until_idle()
    assert len(server.issues[1].comments) == 1
    assert server.issues[1].state == "closed"


def test_a_busy_tracker_is_asked_again_and_one_that_refuses_is_said(server, time):
    server.fail = [(503, {}, {"message": "Service Unavailable"})]
    number = a_ticket()
    assert server.issues == {}
    time.advance(seconds=5)
    Worker().run_until_idle()
    assert len(server.issues) == 1
    server.fail = [(403, {}, {"message": "Resource not accessible by personal access token"})] * 9
    commands.perform(number, acts.FinishMeasure(1), by="Ada")
    Worker().run_until_idle()
    assert "The token may not do this (403: Resource not accessible" in Ticket.objects.get().trouble
    assert not Wakeup.objects.filter(what="ticket", done_at=None).exists()  # not hammered
    server.fail = []
    time.advance(hours=1)
    Worker().run_until_idle()  # asked again in an hour
    time.advance(seconds=1)
    Worker().run_until_idle()
    assert server.issues[1].state == "closed"
    assert len(server.issues[1].comments) == 1


def test_a_rate_limit_is_no_refusal(server, time):
    server.fail = [(403, {"x-ratelimit-remaining": "0"}, {"message": "API rate limit exceeded"})]
    a_ticket()
    assert Wakeup.objects.filter(what="ticket", done_at=None).exists()
    time.advance(seconds=5)
    Worker().run_until_idle()
    assert len(server.issues) == 1


def test_each_new_measure_gets_a_ticket_where_that_is_wanted(server):
    Tracker.objects.update(automatic=True)
    number = a_measure()
    commands.perform(number, acts.ProposeMeasure("improvement", "Review memory in every change"), by="Ben")
    Worker().run_until_idle()
    assert sorted(i.title.split()[0] for i in server.issues.values()) == ["Limit", "Review"]


def test_the_token_is_kept_sealed_and_goes_with_the_tracker(server):
    assert TOKEN not in Tracker.objects.get().sealed
    tracker_commands.remove("issues")
    assert told_store.trackers() == []
    with pytest.raises(Conflict):
        tracker_commands.add("issues", "github", project=PROJECT, token="x", by="Ada")


def test_github_closed_as_not_planned_does_not_make_it_done(time):
    with running(GitHub()) as server, configured(private_addresses=["127.0.0.0/8"]):
        tracker_commands.add("issues", "github", url=server.url, project=PROJECT, token=TOKEN, by="Ada")
        number = a_ticket()
        server.person(1, "closed", reason="not_planned")
        poll(time)
        assert measure(number).state == "open"
        notes = [logged.entry for logged in queries.log_of(number) if isinstance(logged.entry, e.NoteWritten)]
        assert "not planned" in notes[-1].text


def test_many_changes_come_in_pages(server, time, monkeypatch):
    from unrepeat.prevention.trackers import _rest

    number = a_ticket()
    for n in range(250):
        server.add(f"other {n}", "")
    server.person(1, "closed")
    poll(time)
    assert measure(number).state == "done"
    assert _rest.PAGES * 100 > 250


def test_a_private_address_is_not_asked_unless_allowed(time):
    with running(GitHub()) as server:
        tracker_commands.add("issues", "github", url=server.url, project=PROJECT, token=TOKEN, by="Ada")
        a_ticket()
        assert server.requests == []
        assert "may not be reached" in Ticket.objects.get().trouble


def test_a_webhook_is_told_each_news_once_and_signed(time):
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    with running(Listener()) as server, configured(private_addresses=["127.0.0.0/8"]):
        tracker_commands.add("news", "webhook", url=f"{server.url}/unrepeat", token=secret, by="Ada")
        number = a_measure()
        Worker().run_until_idle()
        commands.perform(number, acts.FinishMeasure(1, "limited"), by="Ada")
        server.fail = [(500, {}, None)]
        Worker().run_until_idle()
        time.advance(seconds=5)
        Worker().run_until_idle()
        proven(number)
    told = [json.loads(body) for _, body in server.taken]
    assert [news["type"] for news in told] == ["measure.open", "measure.done", "measure.done", "measure.verified"]
    ids = [headers["webhook-id"] for headers, _ in server.taken]
    assert ids[1] == ids[2] and len(set(ids)) == 3
    assert told[3]["proofs"][0]["red_on"] == "2.0"
    headers, body = server.taken[3]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(b"k" * 24, signed, "sha256")).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert measure(number).ticket == ""


def test_two_workers_never_tell_the_same_ticket_at_once(server, time):
    a_ticket()
    ticket = Ticket.objects.get()
    told_store.save_ticket(ticket.pk, busy_until=time() + timedelta(seconds=60))
    commands.perform(ticket.incident_id, acts.FinishMeasure(1), by="Ada")
    Worker().run_until_idle()
    assert server.issues[1].comments == []
    time.advance(seconds=61)
    Worker().run_until_idle()
    assert len(server.issues[1].comments) == 1


def test_planning_the_same_look_twice_plans_it_once(server):
    a_ticket()
    from unrepeat.prevention.tickets import ticketing

    with transaction.atomic():
        assert ticketing.plan(Ticket.objects.get(), "x")
        assert not ticketing.plan(Ticket.objects.get(), "x")
    assert wakeups.next_due()
