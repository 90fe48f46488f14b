"""Many people and machines act at once: nothing is lost, nothing happens twice, nobody waits for ever."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from tests.support.world import START, alert, the_shop
from unrepeat.incidents import acts, commands, queries
from unrepeat.incidents.jobs import group_news
from unrepeat.incidents.models import Incident
from unrepeat.support.problems import Conflict

pytestmark = pytest.mark.django_db(transaction=True)


def all_at_once(*doings: Callable[[], object]) -> list[BaseException]:
    """Run them in threads of their own, started together; what went wrong."""
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(doings))

    def run(doing: Callable[[], object]) -> None:
        try:
            barrier.wait(30)
            doing()
        except BaseException as failure:  # noqa: BLE001 - told to the test
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[doing]) for doing in doings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert not any(thread.is_alive() for thread in threads)
    return failures


def opened() -> int:
    return commands.open_incident("The shop is slow", service="shop", severity="major", by="Ada", at=START)


def test_notes_of_many_people_at_once_all_stand_in_the_log():
    number = opened()

    def write(who: int) -> Callable[[], object]:
        return lambda: [commands.perform(number, acts.Note(f"{who}.{n}"), by=f"Person {who}") for n in range(15)]

    assert all_at_once(*(write(who) for who in range(12))) == []
    log = queries.log_of(number)
    assert [logged.seq for logged in log] == list(range(1, 12 * 15 + 2))
    assert {logged.entry.text for logged in log[1:]} == {f"{who}.{n}" for who in range(12) for n in range(15)}
    assert queries.incident(number).last_seq == 181


def test_only_one_of_many_resolves_it():
    number = opened()
    failures = all_at_once(*[lambda: commands.perform(number, acts.Resolve("Well."), by="Ada")] * 8)
    assert [type(failure) for failure in failures] == [Conflict] * 7
    assert queries.state_of(number).last_seq == 2


def test_one_key_from_many_senders_is_one_entry():
    number = opened()
    assert all_at_once(*[lambda: commands.perform(number, acts.Note("Once."), by="Ada", key="page:1")] * 8) == []
    assert queries.state_of(number).notes == 1


def test_two_incidents_merged_into_each_other_at_once_do_not_wait_for_each_other():
    for _ in range(4):
        one, other = opened(), opened()
        failures = all_at_once(
            lambda one=one, other=other: commands.perform(one, acts.Merge(other), by="Ada"),
            lambda one=one, other=other: commands.perform(other, acts.Merge(one), by="Ben"),
        )
        assert [type(failure) for failure in failures] == [Conflict]
        assert {queries.incident(one).status, queries.incident(other).status} == {"merged", "detected"}


def test_people_act_while_a_storm_is_grouped():
    the_shop()
    first = alert("sessions")
    group_news(10)
    number = queries.incident_of_alert(first.pk)
    for _ in range(150):
        alert("sessions", "PodDown")

    def group() -> None:
        while group_news(9):
            pass

    def write() -> None:
        for n in range(20):
            commands.perform(number, acts.Note(f"Look at this, {n}."), by="Ben")

    assert all_at_once(group, group, write, write) == []
    state = queries.state_of(number)
    assert (Incident.objects.count(), len(state.alerts), state.notes) == (1, 151, 40)
    assert commands.rebuild() == (1, 0)
