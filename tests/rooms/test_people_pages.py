"""Who gets in and as what: signing in, the first administrator, joining, roles and tokens."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from tests.support.api import a_filled_database
from tests.support.pages import signed_in, text_of
from unrepeat.support.problems import Conflict
from unrepeat.web import access, first_admin, people
from unrepeat.web.models import ApiToken, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return a_filled_database()


def test_one_lands_where_one_wanted_to_go_but_never_elsewhere():
    ada = User(username="Ada", role="admin")
    ada.set_password("correct horse battery")
    ada.save()
    for wanted, lands in (
        ("/incidents?status=open", "/incidents?status=open"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
    ):
        given = {"login": "Ada", "password": "correct horse battery", "next": wanted}
        assert Client().post("/sign-in", given)["Location"] == lands


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back():
    assert Client().get("/incidents?page=2")["Location"] == "/sign-in?next=%2Fincidents%3Fpage%3D2"


def test_ten_wrong_passwords_lock_a_name_even_for_the_right_one():
    ada = User(username="Ada", role="admin")
    ada.set_password("correct horse battery")
    ada.save()
    client = Client()
    for _ in range(10):
        client.post("/sign-in", {"login": "Ada", "password": "wrong"})
    answer = client.post("/sign-in", {"login": "Ada", "password": "correct horse battery"})
    assert answer.status_code == 429
    assert "Signing in is locked for a while." in text_of(answer)


def test_nobody_can_sign_up_by_themselves():
    Client().post("/sign-up", {"username": "Mallory", "password1": "correct horse battery", "email": "m@evil.example"})
    assert not User.objects.exists()


def test_the_first_administrator_comes_by_a_link_that_works_once():
    link = first_admin.link_if_needed()
    assert link is not None
    path = "/first-admin/" + link.rsplit("/", 1)[1]
    client = Client()
    weak = client.post(path, {"name": "Ada", "password": "short"})
    assert weak.status_code == 422 and "too short" in text_of(weak)
    client.post(path, {"name": "Ada", "password": "correct horse battery"})
    assert client.get("/settings").status_code == 200
    assert Client().get(path).status_code == 404
    assert first_admin.link_if_needed() is None


def test_a_new_link_ends_the_one_before():
    first, second = first_admin.link_if_needed(), first_admin.link_if_needed()
    assert first is not None and second is not None
    assert Client().get("/first-admin/" + first.rsplit("/", 1)[1]).status_code == 404
    assert Client().get("/first-admin/" + second.rsplit("/", 1)[1]).status_code == 200


def test_a_person_joins_by_a_link_that_works_once():
    person, link = people.add_person("Ben", "ben@shop.example", "responder")
    path = link[link.index("/join/") :]
    assert not person.has_usable_password()
    client = Client()
    client.post(path, {"password": "correct horse battery"})
    assert client.get("/deliveries").status_code == 200
    assert Client().get(path).status_code == 404


# --- roles and tokens


def test_the_last_administrator_cannot_lose_the_role(world):
    ada = User.objects.get(username="Ada")
    answer = signed_in("Ada").post(f"/settings/people/{ada.pk}", {"do": "role", "role": "reader"})
    assert answer.status_code == 409
    ada.refresh_from_db()
    assert ada.role == "admin"


def test_nobody_makes_a_token_for_more_than_their_own_role(world):
    signed_in("Cleo").post("/tokens", {"name": "script", "role": "admin", "days": ""})
    row = ApiToken.objects.filter(user__username="Cleo", name="script").first()
    assert row is None or min(access.Role.of(row.role), access.Role.of(row.user.role)) is access.Role.READER


def test_one_cannot_end_the_token_of_another(world):
    adas = ApiToken.objects.get(user__username="Ada")
    assert signed_in("Ben").post(f"/tokens/{adas.pk}/revoke").status_code == 403
    assert signed_in("Ada").post(f"/tokens/{adas.pk}/revoke").status_code == 302
    adas.refresh_from_db()
    assert adas.revoked_at is not None


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_take_the_role_from_each_other_leave_one():
    both = [people.add_person(name, "", "admin")[0].pk for name in ("Ada", "Grace")]
    together = threading.Barrier(2)

    def demote(pk: int) -> bool:
        together.wait(10)
        try:
            people.change_person(pk, role="reader")
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(demote, both)) == [False, True]
    assert User.objects.filter(role="admin").count() == 1
