"""Trackers and tickets by page and API: what they do, what they never show, and what goes wrong is said with its remedy."""

from __future__ import annotations

import pytest

from tests.support.api import Api, a_filled_database
from tests.support.mailing import configured
from tests.support.pages import signed_in
from tests.support.tracker_servers import PROJECT, TOKEN, GitHub, running
from unrepeat.incidents import acts, commands, queries
from unrepeat.prevention.told_models import Ticket, Tracker
from unrepeat.worker import Worker

pytestmark = pytest.mark.django_db
REFUSED = (401, {}, {"message": "Bad credentials"})


@pytest.fixture
def world():
    return a_filled_database()


@pytest.fixture
def server():
    with running(GitHub()) as there, configured(private_addresses=["127.0.0.0/8"]):
        yield there


def add(server, **more):
    given = {"name": "shop", "kind": "github", "project": PROJECT, "url": server.url, "token": TOKEN} | more
    return signed_in("Ada").post("/settings/trackers", given, follow=True)


def a_measure(world) -> int:
    commands.perform(world.incident, acts.ProposeMeasure("task", "Limit memory", "Ada"), by="Ben")
    Worker().run_until_idle()
    return max(queries.state_of(world.incident).measures)


def page_of(world, measure: int, who: str = "Ben", **fields) -> str:
    """The measure's page, or what it says to a sent form about its ticket."""
    address = f"/incidents/{world.incident}/measures/{measure}"
    client = signed_in(who)
    answer = client.post(f"{address}/ticket", fields, follow=True) if fields else client.get(address)
    return answer.content.decode()


def test_a_tracker_is_added_by_page_and_its_token_is_never_shown(world, server):
    page = add(server).content.decode()
    assert "The tracker shop is added" in page and "Not asked yet" in page and PROJECT in page
    assert TOKEN not in page
    assert "“shop!” is no name" in add(server, name="shop!").content.decode()


def test_a_measures_page_makes_its_ticket(world, server):
    add(server)
    measure = a_measure(world)
    assert "Make a ticket for it in" in page_of(world, measure)
    assert "being made in shop" in page_of(world, measure, tracker="shop")
    Worker().run_until_idle()
    page = page_of(world, measure)
    assert f"{PROJECT}#1" in page and "Make a ticket for it in" not in page
    assert server.issues[1].title == "Limit memory"
    assert "1 ticket ·" in signed_in("Ada").get("/settings/trackers").content.decode()


def test_a_measures_page_links_the_ticket_that_is_there(world, server):
    add(server)
    measure = a_measure(world)
    there = server.add("Limit memory, please", "")
    assert "leads to no ticket" in page_of(world, measure, url="https://example.com/x")
    assert f"{PROJECT}#{there.number}" in page_of(world, measure, url=f"{server.url}/{PROJECT}/issues/1")


def test_readers_see_no_forms_for_tickets(world, server):
    add(server)
    assert "Make a ticket" not in page_of(world, a_measure(world), "Cleo")


def test_trouble_is_told_with_its_remedy_and_ends_with_another_token(world, server):
    add(server)
    measure = a_measure(world)
    server.fail.append(REFUSED)
    page_of(world, measure, tracker="shop")
    Worker().run_until_idle()
    remedy = "the token may read and write issues there"
    assert remedy in page_of(world, measure)
    page = signed_in("Ada").get("/settings/trackers").content.decode()
    assert "In trouble" in page and remedy in page
    signed_in("Ada").post("/settings/trackers/shop", {"do": "token", "token": TOKEN})
    Worker().run_until_idle()
    assert Ticket.objects.get().trouble == "" and server.issues[1].title == "Limit memory"


def test_a_tracker_is_removed_by_page_and_its_token_forgotten(world, server):
    add(server)
    page = signed_in("Ada").post("/settings/trackers/shop", {"do": "remove"}, follow=True).content.decode()
    assert "shop is followed no more" in page and "No tracker yet" in page
    assert TOKEN not in Tracker.objects.get().sealed
    assert "There are: none" in signed_in("Ada").post("/settings/trackers/shop", {"do": "remove"}).content.decode()


def test_the_api_adds_lists_uses_and_removes_trackers(world, server):
    ada, ben = Api(world.admin_token), Api(world.responder_token)
    body = {"name": "shop", "kind": "github", "project": PROJECT, "url": server.url, "token": "wrong"}
    assert ada.post("/trackers", body).status_code == 201
    assert ben.post("/trackers", body).status_code == 403
    assert {kind["name"] for kind in ben.get("/tracker-kinds").json()["items"]} == {"github", "gitlab", "webhook"}
    measures = [a_measure(world), a_measure(world)]
    path = f"/incidents/{world.incident}/measures"
    unknown = ben.post(f"{path}/{measures[0]}/ticket", {"tracker": "shopp"})
    assert unknown.status_code == 404 and unknown.json()["remedy"] == "There are: shop."
    assert ben.post(f"{path}/{measures[0]}/ticket", {"tracker": "shop"}).status_code == 202
    Worker().run_until_idle()
    [listed] = ada.get("/trackers").json()["items"]
    assert listed["troubled"] == 1 and listed["trouble"].startswith("1 ticket waits: 127.0.0.1 did not take it.")
    assert "token" not in ada.send("PUT", "/trackers/shop/token", {"token": TOKEN}).json()
    Worker().run_until_idle()
    there = server.add("Another", "")
    linked = ben.post(f"{path}/{measures[1]}/ticket/link", {"url": f"{server.url}/{PROJECT}/issues/{there.number}"})
    assert linked.json()["number"] == str(there.number)
    found = ben.get(f"/incidents/{world.incident}/tickets").json()["items"]
    assert [(row["measure"], row["state"], row["trouble"]) for row in found] == [(m, "open", "") for m in measures]
    assert ada.send("DELETE", "/trackers/shop").json() == {"name": "shop"}
    assert ada.get("/trackers").json() == {"items": [], "count": 0}
