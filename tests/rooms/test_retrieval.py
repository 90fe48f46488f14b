"""Past reports are found by meaning in the database, alike on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest
from django.db import connection

from unrepeat.support.search_related import Related
from unrepeat.support.search_shown import marked, spots

pytestmark = pytest.mark.django_db

REPORTS = {
    1: (
        "Sessions died for want of memory",
        "The sessions service was killed by the OOM killer because its cache leaked memory.",
    ),
    2: ("Shop unreachable", "Customers could not pay. A TLS certificate had expired and nobody was told."),
    3: (
        "Builds stand still",
        "ENOSPC: the build host had no space left on device because old images were never deleted.",
    ),
    4: ("Orders late", "Kafka brokers elected no leader after a switch lost packets; consumers fell behind."),
    5: ("Search slow", "A missing index made the database scan the whole table for each query."),
}


@pytest.fixture
def related():
    index = Related("test_related")
    with connection.cursor() as cursor:
        for statement in index.created(connection.vendor):
            cursor.execute(statement)
    index.index_all({doc: {"title": title, "body": body} for doc, (title, body) in REPORTS.items()})
    yield index
    with connection.cursor() as cursor:
        for statement in index.dropped(connection.vendor):
            cursor.execute(statement)


def counted() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("select stem, documents from test_related_stems where documents <> 0")
        return dict(cursor.fetchall())


@pytest.mark.parametrize(
    ("question", "doc"),
    [
        ("KubePodCrashLooping shop/sessions-0 reason=OOMKilled", 1),
        ("x509: certificate has expired or is not yet valid", 2),
        ("disk full on the CI machine", 3),
        ("message broker lost its leader, packet loss", 4),
        ("full table scan", 5),
    ],
)
def test_a_code_finds_the_words_and_a_word_the_codes(related, question, doc):
    assert related.find(question).hits[0].doc == doc


def test_the_hit_says_why(related):
    why = related.find("disk full").hits[0].why
    assert ("disk", "full") in {asked for asked, _ in why}
    marks = [text for text, hit in marked(REPORTS[3][1], spots(REPORTS[3][1], why)) if hit]
    assert "ENOSPC" in marks or marks[:1] == ["space left on device"]


def test_what_nobody_wrote_of_is_not_found(related):
    answer = related.find("volcano")
    assert answer.hits == () and answer.sure == 0
    assert related.find("").hits == () and related.find("the and of").hits == ()


def test_a_sure_answer_is_surer_than_a_chance_one(related):
    assert (
        related.find("a certificate had expired and customers could not pay").sure > related.find("old customers").sure
    )


def test_without_leaves_reports_out(related):
    assert all(hit.doc != 2 for hit in related.find("expired certificate", without={2}).hits)


def test_a_report_put_in_anew_is_found_by_its_new_words_only_and_the_counts_stay_right(related):
    before = counted()
    related.index(2, {"title": "Shop unreachable", "body": "A volcano."})
    assert [hit.doc for hit in related.find("volcano").hits] == [2]
    assert all(hit.doc != 2 for hit in related.find("x509").hits)
    related.index(2, {"title": REPORTS[2][0], "body": REPORTS[2][1]})
    assert counted() == before


def test_a_report_taken_out_leaves_nothing(related):
    related.remove(*REPORTS)
    assert counted() == {}
    assert related.find("disk full").hits == ()


def test_odd_text_is_only_text(related):
    related.index(
        6,
        {
            "title": "'; drop table x; --",
            "body": 'a "quoted" \\ back\\slash NEAR(a b) <-> ! & | : * ünïcode 漢字 \u0000'.replace("\x00", ""),
        },
    )
    for question in ("'; drop table x; --", 'NEAR("quoted" OR', "back\\slash & | ! <->", "ünïcode", "漢字", "x" * 5000):
        related.find(question)
    assert related.find("unicode").hits[0].doc == 6
    assert related.find("漢字").hits[0].doc == 6


def test_a_section_of_its_own_counts_as_the_summary(related):
    related.index(
        7, {"title": "A", "body": "long talk " * 50 + "flag", "summary": "A flag was wrong.", "cause": "The flag."}
    )
    related.index(8, {"title": "B", "body": "long talk " * 50 + "flag"})
    assert [hit.doc for hit in related.find("flag").hits][:2] == [7, 8]
