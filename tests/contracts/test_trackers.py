"""What every tracker must have, found by scan: a new one is one file and its section in the docs."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from unrepeat.prevention.tickets.tracking import Kind, Place, Teller, tracker_kind, tracker_kinds
from unrepeat.support.problems import Problem

KINDS = sorted(tracker_kinds())
DOCS = (Path(__file__).parents[2] / "docs" / "how-to" / "trackers.md").read_text()
GOOD = {"project": "shop/sessions", "token": "the-token"}


def functions(face: type) -> list[str]:
    return [name for name, _ in inspect.getmembers(face, inspect.isfunction) if not name.startswith("_")]


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_all_that_its_sort_needs_and_says_what_to_do(kind):
    found = tracker_kind(kind)
    face = Kind if found.FOLLOWS else Teller
    for name in functions(face):
        ours, wanted = inspect.signature(getattr(found, name)), inspect.signature(getattr(face, name))
        assert list(ours.parameters) == [p for p in wanted.parameters if p != "self"], name
    assert found.TITLE and len(found.HELP) > 40 and "token" in found.HELP + "secret token"
    assert f"--kind {kind}" in DOCS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://example.com"},
        {"url": "file:///etc/passwd"},
        {"url": "javascript:alert(1)"},
        {"token": ""},
        {"token": "a\r\nx-injected: 1"},
        {"token": "ключ"},
    ],
)
def test_what_cannot_be_a_place_is_refused_with_a_remedy_and_without_the_token(kind, wrong):
    found = tracker_kind(kind)
    given = {"url": found.URL or "https://example.com/news", **GOOD, **wrong}
    with pytest.raises(Problem) as problem:
        found.checked(Place(**given))
    assert problem.value.remedy
    assert not wrong.get("token") or wrong["token"] not in str(problem.value)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if tracker_kind(kind).FOLLOWS])
@pytest.mark.parametrize("project", ["", "sessions", "../../admin", "shop/sessions?x=1", "shop/ses sions", "a/b\r\nc"])
def test_a_project_that_would_lead_elsewhere_is_refused(kind, project):
    found = tracker_kind(kind)
    with pytest.raises(Problem):
        found.checked(Place(found.URL, project, "the-token"))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if tracker_kind(kind).FOLLOWS])
@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "https://evil.example/shop/sessions/issues/5", "https://[::1", "https://github.com/a/b/pull/5"],
)
def test_an_address_elsewhere_is_no_ticket_of_ours(kind, url):
    found = tracker_kind(kind)
    place = found.checked(Place(found.URL, **GOOD))
    assert found.number_of(place, url) is None


@pytest.mark.parametrize(
    ("kind", "api", "url"),
    [
        ("github", "", "https://github.com/shop/sessions/issues/5"),
        ("github", "https://github.shop.example/api/v3", "https://github.shop.example/Shop/sessions/issues/5"),
        ("gitlab", "", "https://gitlab.com/shop/sessions/-/issues/5"),
        ("gitlab", "", "https://gitlab.com/shop/sessions/-/work_items/5"),
        ("gitlab", "https://shop.example/gitlab", "https://shop.example/gitlab/shop/sessions/-/issues/5"),
    ],
)
def test_the_number_is_read_from_the_address_in_the_browser(kind, api, url):
    found = tracker_kind(kind)
    assert found.number_of(found.checked(Place(api or found.URL, **GOOD)), url) == "5"
