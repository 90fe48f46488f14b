"""Settings: sources, people, API tokens, and how this server is configured. Tokens are shown once, where they were made."""

from __future__ import annotations

import re
from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from unrepeat.arrivals import commands as arrivals_do
from unrepeat.arrivals import queries as arrivals
from unrepeat.arrivals.kind import source_kinds
from unrepeat.duty import queries as duty
from unrepeat.support import clock
from unrepeat.support.config import Config, config
from unrepeat.support.problems import Invalid, NotAllowed, Problem
from unrepeat.web import people, tokens
from unrepeat.web.access import Role, caller_of, may, needs
from unrepeat.web.models import ApiToken, User

SECRET = frozenset({"secret_key", "token"})  # settings that are never shown
PASSWORD = re.compile(r"(://[^:@/]*):.*@")  # in an address, with odd characters in it too
OVERLAPS = {"0": timedelta(0), "1": timedelta(hours=1), "24": timedelta(hours=24), "168": timedelta(days=7)}


@needs(Role.ADMIN)
@never_cache
@require_safe
def settings(request: HttpRequest) -> HttpResponse:
    """The sources, which is what one comes here for most."""
    return _sources(request)


@needs(Role.ADMIN)
@never_cache
@require_POST
def add_source(request: HttpRequest) -> HttpResponse:
    """Add a source; the answer shows its token, once."""
    given = request.POST
    try:
        token = arrivals_do.add_source(
            given.get("name", "").strip(), given.get("kind", ""), secret=given.get("secret", "").strip() or None
        )
    except Problem as problem:
        return _sources(request, problem=problem)
    return _sources(request, fresh=(given.get("name", "").strip(), token))


@needs(Role.ADMIN)
@never_cache
@require_POST
def change_source(request: HttpRequest, name: str) -> HttpResponse:
    """Rotate a source's token with an overlap, revoke all of its tokens, or set its signing secret."""
    what = request.POST.get("do")
    try:
        if what == "rotate":
            token = arrivals_do.rotate(name, OVERLAPS.get(request.POST.get("overlap", "24"), OVERLAPS["24"]))
            return _sources(request, fresh=(name, token))
        if what == "revoke":
            arrivals_do.revoke(name)
            messages.success(request, f"All tokens of {name} are revoked: its deliveries are refused from now on.")
        elif what == "secret":
            arrivals_do.set_secret(name, request.POST.get("secret", "").strip())
            messages.success(
                request,
                f"The signing secret of {name} is set: bodies without a good signature are refused from now on.",
            )
        else:
            raise Invalid("Nothing was chosen.", "The form did not say what to do.", "Press one of its buttons.")
    except Problem as problem:
        return _sources(request, problem=problem)
    return redirect("settings")


def _sources(
    request: HttpRequest, *, fresh: tuple[str, str] | None = None, problem: Problem | None = None
) -> HttpResponse:
    base = config().base_url.rstrip("/")
    kinds = sorted(source_kinds().items(), key=lambda item: item[1].TITLE)
    context = {
        "tab": "sources",
        "sources": arrivals.sources(),
        "kinds": [(name, kind.TITLE, kind.HELP, kind.SIGNED) for name, kind in kinds],
        "helps": {name: kind.HELP for name, kind in kinds},
        "fresh": {"name": fresh[0], "address": f"{base}/in/{fresh[0]}/{fresh[1]}"} if fresh else None,
        "problem": problem,
        "given": request.POST if problem else {},
        "now": clock.now(),
    }
    return render(request, "pages/settings/sources.html", context, status=problem.status if problem else 200)


@needs(Role.ADMIN)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def people_page(request: HttpRequest) -> HttpResponse:
    """The people; adding one (POST) shows the link by which they pick a password, once."""
    link, problem = None, None
    if request.method == "POST":
        given = request.POST
        try:
            role = given.get("role", "")
            if role not in User.Role.values:
                raise Invalid("No role was chosen.", "Every person has one.", "Choose reader, responder or admin.")
            person, address = people.add_person(given.get("name", ""), given.get("email", ""), role)
            link = {"name": person.username, "address": address}
        except Problem as refused:
            problem = refused
    return _people(request, link=link, problem=problem)


@needs(Role.ADMIN)
@never_cache
@require_POST
def change_person(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a person another role, close or open their account, or make a fresh sign-in link."""
    what, role = request.POST.get("do"), request.POST.get("role", "")
    try:
        if what == "link":
            person = people.change_person(pk)
            return _people(request, link={"name": person.username, "address": people.join_link(person)})
        if what == "role" and role in User.Role.values:
            person = people.change_person(pk, role=role)
            messages.success(request, f"{person.username} is {person.role} now.")
        elif what == "teams":
            person = people.put_in_teams(pk, request.POST.getlist("team"))
            named = ", ".join(person.teams.values_list("name", flat=True)) or "no team"
            messages.success(request, f"{person.username} is in {named} now.")
        elif what in ("close", "open"):
            person = people.change_person(pk, active=what == "open")
            messages.success(
                request, f"The account of {person.username} is {'open' if person.is_active else 'closed'} now."
            )
        else:
            raise Invalid("Nothing was chosen.", "The form did not say what to do.", "Press one of its buttons.")
    except Problem as problem:
        return _people(request, problem=problem)
    return redirect("people")


def _people(
    request: HttpRequest, *, link: dict[str, str] | None = None, problem: Problem | None = None
) -> HttpResponse:
    context = {
        "tab": "people",
        "people": User.objects.order_by("-is_active", "username").prefetch_related("teams"),
        "teams": duty.teams(),
        "roles": User.Role.values,
        "link": link,
        "problem": problem,
        "given": request.POST if problem else {},
        "now": clock.now(),
    }
    return render(request, "pages/settings/people.html", context, status=problem.status if problem else 200)


@needs(Role.READER, write=Role.READER, person=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def my_tokens(request: HttpRequest) -> HttpResponse:
    """One's own API tokens; making one (POST) shows it, once."""
    caller = caller_of(request)
    assert caller.person is not None and caller.role is not None  # noqa: PT018 (the view's need)
    fresh, problem = None, None
    if request.method == "POST":
        given = request.POST
        days = given.get("days", "")
        try:
            row, secret = tokens.add_token(
                caller.person,
                given.get("name", ""),
                role=given.get("role", ""),
                days=int(days) if days.isascii() and days.isdigit() and len(days) < 6 else None,
            )
            fresh = {"name": row.name, "token": secret}
        except Problem as refused:
            problem = refused
    everybody = may(caller, Role.ADMIN) and request.GET.get("whose") == "all"
    context = {
        "rows": tokens.tokens(None if everybody else caller.person),
        "everybody": everybody,
        "roles": [role.word for role in Role if role <= caller.role],
        "fresh": fresh,
        "problem": problem,
        "now": clock.now(),
    }
    return render(request, "pages/tokens.html", context, status=problem.status if problem else 200)


@needs(Role.READER, write=Role.READER, person=True)
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own tokens; administrators can end any."""
    caller = caller_of(request)
    row = ApiToken.objects.filter(pk=pk).first()
    if row is not None and not may(caller, Role.ADMIN) and row.user_id != getattr(caller.person, "pk", None):
        raise NotAllowed("This token is not yours.", "Only its person and administrators can revoke it.")
    ended = tokens.revoke_token(pk)
    messages.success(request, f"The token “{ended.name}” works no more.")
    return redirect("my-tokens")


@needs(Role.ADMIN)
@require_safe
def configuration(request: HttpRequest) -> HttpResponse:
    """How this server is configured: every setting, its value (secrets hidden) and what it means."""
    return render(request, "pages/settings/configuration.html", {"tab": "configuration", "rows": _configured(config())})


def _configured(now: Config) -> list[tuple[str, str, str, bool]]:
    """Variable, value, default and whether it differs; secrets and passwords are hidden."""
    rows = []
    for name, spec in type(now).model_fields.items():
        value = getattr(now, name)
        shown = "set" if name in SECRET and value else PASSWORD.sub(r"\1:hidden@", _as_set(value))
        rows.append((f"UNREPEAT_{name.upper()}", shown, _as_set(spec.default), value != spec.default))
    return rows


def _as_set(value: object) -> str:
    """A value as one writes it into the environment."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return ",".join(value) if isinstance(value, list) else "" if value is None else str(value)
