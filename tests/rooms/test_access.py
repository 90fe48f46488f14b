"""Who may do what: one place decides, for pages, API and streams; every address says what it needs; walks over all of them."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from tests.support.api import a_filled_database
from unrepeat.arrivals.models import Alert, Change, Delivery
from unrepeat.incidents import acts, commands
from unrepeat.prevention import commands as guards
from unrepeat.prevention.kind import Outcome
from unrepeat.support import clock
from unrepeat.support.config import Config
from unrepeat.support.secret import hashed
from unrepeat.web import access
from unrepeat.web.access import Need, Role, needs, open_to_all
from unrepeat.web.models import ApiToken, User

pytestmark = pytest.mark.django_db

OPEN = {
    "account_login",
    "account_logout",
    "account_signup",
    "account_inactive",
    "first-admin",
    "join",
    "api/v1/openapi.json",
    "api/v1/health",
    "^api/",
}
"""Addresses that answer somebody who has not signed in. Anything else in this list would be a hole."""
OWN = {"account_change_password", "account_set_password", "my-tokens", "revoke-token", "follow"}
"""Pages about the one who is signed in: a reader may write there, and open reading does not open them."""
FOR_RESPONDERS = {"act", "publish", "edit", "deliveries", "delivery", "reread"}
FOR_RESPONDERS |= {"name-repeat", "tie-guard", "ticket", "act-guard", "declare-guard", "declare-guard-kind"}
FOR_ADMINS = {
    "settings",
    "add-source",
    "change-source",
    "people",
    "change-person",
    "configuration",
    "trackers",
    "change-tracker",
}
STREAMS = re.compile(r"stream$")
ROLES = {"anonymous": None, "reader": Role.READER, "responder": Role.RESPONDER, "admin": Role.ADMIN}


def addresses(world=None) -> list[tuple[str, str, URLPattern]]:
    """Every address there is: its name or route, an example of it (of things that exist in `world`), and its pattern."""
    subjects = _subjects(world) if world else {}
    return [
        (name, _example(route, subjects), pattern) for name, route, pattern in _walk(get_resolver().url_patterns, "")
    ]


def _walk(patterns, before):
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, route)
        else:
            yield (one.name if one.name and not route.startswith("api/") else route), route, one


def _subjects(world) -> dict[str, int]:
    """A number that exists, for each subject that routes have a word for; at the end the one for all others."""
    return {
        "postmortems": world.report,
        "deliveries": Delivery.objects.get().pk,
        "api/v1/tokens": ApiToken.objects.get(user__username="Ada").pk,
        "tokens/": 999_999,  # a page ends only one's own token, which another test holds it to
        "people": User.objects.get(username="Cleo").pk,
        "alerts": Alert.objects.earliest("pk").pk,
        "changes": Change.objects.get().pk,
        "": world.incident,
    }


def _example(route: str, subjects: dict[str, int]) -> str:
    """An address that the route stands for; things of that number exist."""
    values = {
        "seq": "1",
        "revision": "1",
        "section": "summary",
        "part": "timeline",
        "person": "MQ",
        "number": "1",
        "measure": "1",
        "postmortem": "1",
        "pk": "1",
    }
    if subjects:
        found = next((number for subject, number in subjects.items() if subject in route))
        values |= {"number": str(found), "pk": str(found)}
    if route.startswith("guards/"):
        values["name"] = "sessions-end"
    filled = re.sub(
        r"<(?:\w+:)?(\w+)>", lambda name: values.get(name[1], "sessions" if "services" in route else "note"), route
    )
    return "/" + filled.replace("^", "").replace("$", "")


def methods_of(pattern: URLPattern) -> dict[str, Need | None]:
    """The methods of an address, with what each needs."""
    return {method: access.need_of(pattern.callback, method) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")}


@pytest.fixture
def world():
    made = a_filled_database()
    commands.perform(made.incident, acts.ProposeMeasure("task", "End sessions"), by="Ada")
    guard = guards.declare(guards.Declared("sessions-end", "command", {"command": ["true"]}, "sessions"), by="Ada")
    guards.tie(guard.pk, made.incident, 1, by="Ada")
    guards.record(guard.pk, guards.Ran(Outcome("green", "all sessions end")), by="runner")
    return made


def client_of(role: Role | None, *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf, raise_request_exception=False)
    if role is not None:
        person = User.objects.filter(role=role.word).first() or User.objects.create(username=role.word, role=role.word)
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def may_expect(name: str, method: str, role: Role | None, need: Need) -> bool:
    """What this test (not the code) says about an address: whether the role may come in."""
    if name in OPEN or role is None:
        return name in OPEN
    least = Role.READER if method == "GET" or name in OWN else Role.RESPONDER
    if name in FOR_ADMINS:
        least = Role.ADMIN
    if name in FOR_RESPONDERS:
        least = Role.RESPONDER
    if name.startswith("api/"):
        least = max(least, need.of(method) or Role.READER)
    return role >= least


# --- every address says what it needs


def test_every_address_says_what_it_needs():
    silent = [name for name, _, pattern in addresses() if None in methods_of(pattern).values()]
    assert silent == []


def test_nothing_but_sign_in_and_health_is_open_to_all():
    opened = {
        name
        for name, _, pattern in addresses()
        if methods_of(pattern)["GET"] == Need(None, None) and _takes(pattern, "GET")
    }
    assert opened == OPEN


def _takes(pattern: URLPattern, method: str) -> bool:
    """Whether an API path has an operation of this method (pages are taken to have all)."""
    import inspect

    view = pattern.callback
    path_view = inspect.getclosurevars(view).nonlocals.get("self") if inspect.isfunction(view) else None
    operations = getattr(path_view, "operations", None)
    return operations is None or any(method in one.methods for one in operations)


def test_nobody_writes_without_at_least_the_role_of_a_responder():
    weak = [
        name
        for name, _, pattern in addresses()
        if name not in OPEN | OWN
        and any(
            (need.write or Role.RESPONDER) < Role.RESPONDER
            for m, need in methods_of(pattern).items()
            if need and m != "GET"
        )
    ]
    assert weak == []


# --- walks


@pytest.mark.parametrize("who", ROLES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_walk_over_every_address_opens_only_what_the_role_may(world, who, method):
    client = client_of(ROLES[who])
    holes, walls = [], []
    for name, path, pattern in addresses(world):
        need = methods_of(pattern)[method]
        if not _takes(pattern, method) or (STREAMS.search(path) and who != "anonymous"):
            continue  # an open stream never ends; tests/rooms/test_stream*.py listen to them
        answer = client.generic(method, path, headers={"Accept": "text/html"})
        refused = _refused(answer)
        if may_expect(name, method, ROLES[who], need) and refused:
            walls.append((name, path, answer.status_code))
        if not may_expect(name, method, ROLES[who], need) and not refused:
            holes.append((name, path, answer.status_code))
        assert answer.status_code < 500, (name, path)
        if name == "account_logout" and method == "POST":
            client = client_of(ROLES[who])
    assert holes == []
    assert walls == []


def _refused(answer) -> bool:
    """Whether the answer is: sign in first, or: you may not."""
    to_sign_in = answer.status_code == 302 and answer["Location"].startswith("/sign-in?next=")
    return to_sign_in or answer.status_code in (401, 403)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_with_open_reading_anybody_reads_what_a_reader_reads_and_writes_nothing(world, monkeypatch, method):
    monkeypatch.setattr(access, "config", lambda: Config(open_reading=True))
    client = client_of(None)
    before = _everything()
    holes, walls = [], []
    for name, path, pattern in addresses(world):
        need = methods_of(pattern)[method]
        if not _takes(pattern, method) or STREAMS.search(path) or name in OPEN:
            continue
        answer = client.generic(method, path, headers={"Accept": "text/html"})
        reads = method == "GET" and name not in OWN and may_expect(name, "GET", Role.READER, need)
        if _refused(answer) and reads:
            walls.append((name, path, answer.status_code))
        if not _refused(answer) and not reads and answer.status_code != 405:
            holes.append((name, path, answer.status_code))
    assert holes == []
    assert walls == []
    assert _everything() == before


def _everything() -> dict[str, int]:
    from django.apps import apps

    return {model.__name__: model.objects.count() for model in apps.get_models() if "Session" not in model.__name__}


def test_every_form_of_a_session_needs_its_csrf_token(world):
    client = client_of(Role.ADMIN, csrf=True)
    before = _everything()
    taken = []
    for name, path, pattern in addresses(world):
        if not _takes(pattern, "POST") or STREAMS.search(path):
            continue
        answer = client.post(path, headers={"Accept": "text/html"})
        if answer.status_code not in (403, 404, 405):
            taken.append((name, path, answer.status_code))
    assert taken == []
    assert _everything() == before


# --- callers


def request_of(person=None, path="/incidents", token=None):
    request = RequestFactory().get(path, headers={"Authorization": f"Bearer {token}"} if token else {})
    if person is not None:
        request.user = person
    return request


def token_for(person, role, **columns):
    ApiToken.objects.create(user=person, name="t", hash=hashed("secret"), role=role, made_at=clock.now(), **columns)
    return "secret"


@pytest.mark.parametrize(
    ("of_person", "of_token", "has"),
    [("admin", "reader", Role.READER), ("reader", "admin", Role.READER), ("responder", "responder", Role.RESPONDER)],
)
def test_a_token_acts_as_its_person_with_at_most_its_own_role(of_person, of_token, has):
    ada = User.objects.create(username="Ada", role=of_person)
    caller = access.caller_of(request_of(path="/api/v1/incidents", token=token_for(ada, of_token)))
    assert (caller.name, caller.role) == ("Ada", has)


@pytest.mark.parametrize("ended", [{"revoked_at": clock.now()}, {"expires_at": clock.now()}])
def test_an_ended_token_may_nothing(ended):
    ada = User.objects.create(username="Ada", role="admin")
    caller = access.caller_of(request_of(path="/api/v1/incidents", token=token_for(ada, "admin", **ended)))
    assert caller.role is None and caller.bad_token


def test_the_token_of_a_closed_account_may_nothing():
    ada = User.objects.create(username="Ada", role="admin", is_active=False)
    assert access.caller_of(request_of(path="/api/v1/incidents", token=token_for(ada, "admin"))).role is None


def test_a_token_opens_no_page():
    ada = User.objects.create(username="Ada", role="admin")
    assert access.caller_of(request_of(path="/settings", token=token_for(ada, "admin"))).role is None


def test_roles_are_ordered_and_include_those_before():
    cleo, ben, ada = (
        User.objects.create(username=name, role=role)
        for name, role in (("Cleo", "reader"), ("Ben", "responder"), ("Ada", "admin"))
    )
    held = [[access.may(who, role) for role in Role] for who in (cleo, ben, ada)]
    assert held == [[True, False, False], [True, True, False], [True, True, True]]
    assert ben.has_perm("unrepeat.respond") and not cleo.has_perm("unrepeat.respond")


# --- a view that says nothing


def silent_view(request):
    return HttpResponse("a secret")


def process(view):
    request = request_of(User(username="Ada", role="admin"))
    return access.AccessMiddleware(lambda _: HttpResponse()).process_view(request, view, (), {})


def test_a_view_that_says_nothing_is_an_error_where_it_is_written():
    with pytest.raises(ImproperlyConfigured, match="silent_view"):
        process(silent_view)


@override_settings(STRICT_ACCESS=False)
def test_a_view_that_says_nothing_is_closed_on_a_live_server(client):
    with override_settings(ROOT_URLCONF="unrepeat.urls"):
        assert process(silent_view).status_code == 403


def test_a_view_that_says_what_it_needs_runs():
    assert process(needs(Role.ADMIN)(silent_view)) is None
    assert process(open_to_all(silent_view)) is None
