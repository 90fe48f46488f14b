"""Many hands on one report at once: nothing is lost, nothing is there twice. On both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from tests.rooms.test_postmortems import a_draft, an_outage
from unrepeat.postmortems import commands, library, queries
from unrepeat.postmortems.models import Postmortem
from unrepeat.support.problems import Conflict

pytestmark = pytest.mark.django_db(transaction=True)
HANDS = 8


def at_once(do, times: int = HANDS) -> list:
    """Call `do(i)` from as many threads; what each gave, or its Conflict."""

    def one(i: int):
        try:
            return do(i)
        except Conflict as refused:
            return refused
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_drafts_made_at_once_are_one():
    number = an_outage()
    made = at_once(lambda _: commands.draft(number))
    assert Postmortem.objects.count() == 1
    assert sum(new for _, new in made) == 1


def test_publishing_at_once_makes_one_revision_each():
    number = a_draft()
    assert sorted(at_once(lambda i: commands.publish(number, by=f"person {i}"))) == list(range(1, HANDS + 1))
    assert [kept.number for kept in queries.revisions(number)] == list(range(HANDS, 0, -1))
    assert all(queries.is_intact(number, revision) for revision in range(1, HANDS + 1))
    assert library.shelf("released").total == 1


def test_of_those_who_started_from_the_same_version_one_wins_and_the_rest_are_told():
    number = a_draft()
    answers = at_once(lambda i: commands.write(number, "summary", f"version of {i}", by=f"person {i}", expected=0))
    assert sum(answer == 1 for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == HANDS - 1
    assert len(queries.history(number, "summary")) == 1


def test_edits_at_once_are_all_kept():
    number = a_draft()
    assert sorted(at_once(lambda i: commands.write(number, "cause", f"version of {i}", by=f"person {i}"))) == list(
        range(1, HANDS + 1)
    )
