"""Text that no database can keep is refused in addresses, queries and forms, not answered with an error of ours."""

import pytest
from django.test import Client

from tests.support.api import a_filled_database

pytestmark = pytest.mark.django_db


@pytest.fixture
def ben():
    from unrepeat.web.models import User

    a_filled_database()
    browser = Client(raise_request_exception=False)
    browser.force_login(User.objects.get(username="Ben"), backend="django.contrib.auth.backends.ModelBackend")
    return browser


@pytest.mark.parametrize("address", ["/incidents?service=%00", "/services/%00", "/postmortems?text=a%00b", "/%00"])
def test_an_address_with_a_nul_is_refused(ben, address):
    answer = ben.get(address, headers={"Accept": "text/html"})
    assert answer.status_code in (404, 422)
    assert answer["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("text", ["a\x00b", "\x00"])
def test_a_form_with_a_nul_is_refused(ben, text):
    assert ben.post("/incidents/1/act/note", {"text": text}).status_code == 422


def test_a_session_cookie_with_a_nul_is_nobodys(ben):
    stranger = Client(raise_request_exception=False)
    answer = stranger.get("/api/v1/me", headers={"Cookie": 'sessionid="\\000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"'})
    assert answer.status_code == 401
