"""The library: every published report, newest first, found by words, service, team, cause and time, on both databases."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tests.support.outage import at
from unrepeat.incidents.models import Incident
from unrepeat.postmortems import library, store
from unrepeat.postmortems.models import Postmortem

pytestmark = pytest.mark.django_db
WHEN = at("15:15")


def a_report(
    headline: str,
    body: str = "",
    *,
    when: datetime = WHEN,
    service: str = "sessions",
    team: str = "",
    cause: str = "",
) -> int:
    """A published report on the shelf."""
    incident = Incident.objects.create(
        opened_at=when, title=headline, status="resolved", severity="critical", last_at=when
    )
    row = Postmortem.objects.create(
        incident=incident,
        drafted_at=when,
        published_at=when + timedelta(days=1),
        revision=1,
        headline=headline,
        service=service,
        team=team,
        cause=cause or service,
        excerpt=body[:300],
        started_at=when,
        resolved_at=when + timedelta(hours=2),
    )
    store.SEARCH.index(row.pk, {"title": headline, "body": body})
    return row.pk


def found(text: str = "", **filters) -> list[int]:
    return [row.number for row in library.shelf(text, **filters)]


def test_newest_first_in_pages():
    numbers = [a_report(f"Outage {i}", when=at("15:15") + timedelta(days=i)) for i in range(45)]
    shelf = library.shelf()
    assert [row.number for row in shelf] == numbers[::-1][:20]
    assert (shelf.total, shelf.pages) == (45, 3)
    assert [row.number for row in library.shelf(page=3)] == numbers[::-1][40:]
    assert library.shelf(page=99).page == 3, "a page that is not there gives the last"


def test_drafts_are_not_on_the_shelf():
    number = a_report("Outage")
    Postmortem.objects.filter(pk=number).update(published_at=None, revision=0)
    assert found() == []
    assert [row.number for row in library.drafts()] == [number]


def test_words_are_found_by_beginning_ending_case_and_accent():
    leak = a_report(
        "The day the session service kept everything", "A memory leak: tracked sessions were never released. Café 2.0.1"
    )
    a_report("Certificate expired", "TLS handshakes failed at the load balancer.")
    for text in (
        "leak",
        "LEAKS",
        "leaking",
        "memo",
        "cafe",
        "café",
        "released leak",
        '"memory leak"',
        "leak -certificate",
        "2.0.1",
        "session's",
    ):
        assert found(text) == [leak], text
    for text in ('"leak memory"', "leak certificate", "leak -tracked", "zebra", "!!!", "-certificate", '"'):
        assert found(text) == [], text


def test_what_was_searched_for_is_marked_in_title_and_snippet():
    a_report("Sessions ran out of memory", "x " * 400 + "the leak was in the tracking of sessions " + "y " * 400)
    row = library.shelf("leak session").rows[0]
    assert ("Sessions", True) in row.title and (" ran out of memory", False) in row.title
    assert ("leak", True) in row.excerpt and ("sessions", True) in row.excerpt
    assert len("".join(text for text, _ in row.excerpt)) < 240
    assert "".join(text for text, _ in row.title) == "Sessions ran out of memory"


@pytest.mark.parametrize(
    "text",
    [
        "'; drop table postmortems_search; --",
        "NEAR(a b)",
        "title:memory",
        "a* OR b",
        "%s",
        "\x00",
        "a" * 5000,
        '"',
        "(((",
        "&|!:*",
        "col : x",
        "😀",
        "漢字",
        "\u202eevil",
    ],
)
def test_no_search_text_breaks_the_page(text):
    a_report("Memory leak", "title memory %s drop table")
    assert library.shelf(text).total in (0, 1)


def test_filters_by_service_team_cause_and_time():
    first = a_report("One", service="sessions", team="Sessions", cause="sessions 2.0", when=at("15:15", 10))
    second = a_report("Two", service="checkout", team="Shop", cause="certificate", when=at("15:15", 12))
    assert found(service="sessions") == [first]
    assert found(team="Shop") == [second]
    assert found(cause="2.0") == [first]
    assert found(since=date(2024, 8, 11)) == [second]
    assert found(until=date(2024, 8, 10)) == [first]
    assert found(since=date(2024, 8, 12), until=date(2024, 8, 12)) == [second]
    assert found("two", service="sessions") == []
    assert library.choices() == {
        "service": ["checkout", "sessions"],
        "team": ["Sessions", "Shop"],
        "cause": ["certificate", "sessions 2.0"],
    }


def test_a_report_that_is_indexed_again_is_found_by_its_new_words_only():
    number = a_report("Memory leak", "old words")
    store.SEARCH.index(number, {"title": "Disk full", "body": "new words"})
    assert found("leak") == []
    assert found("disk") == [number]


@pytest.mark.parametrize("text", ["the leak", "leak of memory"])
def test_common_words_do_no_harm(text):
    number = a_report("Sessions", "A leak of memory caused it")
    assert found(text) == [number]


# --- by meaning


def a_shelved_report(headline: str, body: str, **about: str) -> int:
    """A published report that can be found by meaning too."""
    number = a_report(headline, body, **about)
    store.RELATED.index(number, {"title": headline, "body": body})
    return number


def some_reports() -> dict[str, int]:
    """A small library."""
    told = {
        "leak": ("Sessions died for want of memory", "The OOM killer ended sessions because its cache leaked memory."),
        "tls": ("Shop unreachable", "Customers could not pay. A TLS certificate had expired and nobody was told."),
        "disk": ("Builds stand still", "ENOSPC: no space left on device, because old images were never deleted."),
        "kafka": ("Orders late", "Kafka brokers elected no leader after a switch lost packets; consumers fell behind."),
        "index": ("Search slow", "A missing index made the database scan the whole table for each query."),
    }
    return {name: a_shelved_report(*words) for name, words in told.items()}


def test_a_report_is_found_by_other_words_than_its_own_and_says_which():
    reports = some_reports()
    row = library.shelf("x509 expired").rows[0]
    assert row.number == reports["tls"]
    ((asked, said),) = row.other_words
    assert asked == "x509" and said in ("TLS", "certificate", "TLS certificate")
    assert any(hit and said in text for text, hit in row.excerpt), "the other words are marked too"


def test_nothing_like_this_is_said_and_the_nearest_shown():
    some_reports()
    shelf = library.shelf("leader of the choir sang out of tune at the summer concert")
    assert not shelf.rows and shelf.total == 0
    assert shelf.nearest and len(shelf.nearest) <= 3
    assert not library.shelf("volcano").nearest, "what no report has a word of has no nearest"


def test_a_search_by_meaning_keeps_to_the_filters():
    some_reports()
    number = a_shelved_report("Memory gone", "The billing service ran out of memory.", service="billing")
    assert found("memory") != [number]
    assert found("memory", service="billing") == [number]


def test_exact_words_and_words_to_leave_out_still_count():
    reports = some_reports()
    assert found('"leaked memory"') == [reports["leak"]] and found('"memory leaked"') == []
    assert reports["leak"] not in found("memory -sessions")


def test_related_reports_leave_out_the_report_itself():
    reports = some_reports()
    again = a_shelved_report("Sessions out of memory again", "sessions was OOMKilled; the cache leaked")
    assert [one.number for one in library.related(again)][:1] == [reports["leak"]]
    assert again not in [one.number for one in library.related(again)]
    assert library.related(again)[0].words
