"""The one place where access is decided, for pages, API and live streams alike.

Roles are ordered: reader < responder < admin; each may do what the ones before may. Every view says what it needs with
`@needs(Role.READER)` (or `@needs(Role.READER, write=Role.RESPONDER)` when POST needs more), or `@open_to_all` for the few that
must work before anybody has signed in. The middleware below enforces it, and refuses a view that says nothing.

Who asks: the person of the session, or, for addresses below /api/, the person of a bearer token with at most the token's role,
or a runner with a check token: it has no role, and gets in only where a view says with `checks=` which services it is about, and
only when the token's service is all of them.
With UNREPEAT_OPEN_READING anybody may read; writing always needs a role.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar, cast

import rules as rules_untyped
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin

from unrepeat.prevention import check_tokens
from unrepeat.prevention.models import CheckToken
from unrepeat.support import clock
from unrepeat.support.config import config
from unrepeat.support.problems import NotAllowed, Problem
from unrepeat.support.secret import hashed
from unrepeat.web.models import ApiToken, User

View = TypeVar("View", bound=Callable[..., Any])
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
API_PREFIX = "/api/"
FOR_PROGRAMS = (API_PREFIX, "/metrics")  # here a bearer token counts
_KEPT = "_unrepeat_caller"
rules: Any = rules_untyped  # the package has no types


class Role(IntEnum):
    """What one may do: readers read, responders also act on incidents and reports, admins also configure."""

    READER = 1
    RESPONDER = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """How the role is written in the database, the API and the pages: `reader`, `responder`, `admin`."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Role:
        """The role by its word; KeyError when there is none."""
        return cls[word.upper()]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `name` is what logs say (`Ada`); `role` None means: may do nothing; `person` None means: nobody signed in."""

    name: str
    role: Role | None
    person: User | None = None
    token: ApiToken | None = None
    bad_token: bool = False
    runner: CheckToken | None = None


Services = Callable[[HttpRequest, dict[str, Any]], set[str]]  # from a request and the values in its address


@dataclass(frozen=True, slots=True)
class Need:
    """What a view needs: a role to read and a role to write; None: open to all. `person`: somebody must be signed in even to read.

    `checks`: runners may, too; it tells which services a request is about.
    """

    read: Role | None
    write: Role | None
    person: bool = False
    checks: Services | None = None

    def of(self, method: str | None) -> Role | None:
        """The role that a request of this method needs."""
        return self.read if method in SAFE_METHODS else self.write


# --- what one may do (predicates of `rules`; elsewhere one may ask `person.has_perm("unrepeat.respond")`)


def role_of(who: object) -> Role | None:
    """The role of a caller, or of an active person; None for anybody else."""
    if isinstance(who, Caller):
        return who.role
    if isinstance(who, User) and who.is_active:
        return Role.of(who.role)
    return None


def _at_least(role: Role) -> Any:
    def holds(who: object) -> bool:
        has = role_of(who)
        return has is not None and has >= role

    return rules.predicate(holds, name=f"at_least_{role.word}")


PERMISSIONS = {Role.READER: "unrepeat.read", Role.RESPONDER: "unrepeat.respond", Role.ADMIN: "unrepeat.administer"}
for _role, _permission in PERMISSIONS.items():
    rules.set_perm(_permission, _at_least(_role))


def may(who: object, role: Role | None) -> bool:
    """Whether a caller or a person may do what needs `role`; None needs nothing."""
    return role is None or bool(rules.has_perm(PERMISSIONS[role], who))


# --- who asks


def caller_of(request: HttpRequest) -> Caller:
    """Who asks; found once a request."""
    kept = getattr(request, _KEPT, None)
    if kept is None:
        kept = _by_token(request) or _by_session(request)
        setattr(request, _KEPT, kept)
    return cast("Caller", kept)


def _by_session(request: HttpRequest) -> Caller:
    person = getattr(request, "user", AnonymousUser())
    role = role_of(person) or (Role.READER if config().open_reading else None)
    if isinstance(person, User) and person.is_active:
        return Caller(person.get_username(), role, person=person)
    return Caller("", role)


def _by_token(request: HttpRequest) -> Caller | None:
    """The caller of a bearer token (only below /api/); None when the request has none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not request.path.startswith(FOR_PROGRAMS):
        return None
    if (runner := check_tokens.find(token.strip())) is not None:
        return Caller(f"check of {runner.service}"[:120], None, runner=runner)
    row = ApiToken.objects.select_related("user").filter(hash=hashed(token.strip()), revoked_at=None).first()
    if row is None or (row.expires_at is not None and row.expires_at <= clock.now()) or not row.user.is_active:
        return Caller("", None, bad_token=True)
    role = min(Role.of(row.role), Role.of(row.user.role))
    return Caller(row.user.get_username(), role, person=row.user, token=row)


# --- what a view says


def needs(
    read: Role, *, write: Role | None = None, person: bool = False, checks: Services | None = None
) -> Callable[[View], View]:
    """Say what role a view needs; `write` for the methods that change something (default: the same role, but at least responder).

    `person`: the view is about the one who is signed in, so open reading does not open it.
    `checks`: runners may do it with a check token, for the services that this function tells of a request.
    """
    need = Need(read, write or max(read, Role.RESPONDER), person, checks)

    def say(view: View) -> View:
        view.unrepeat_need = need  # type: ignore[attr-defined]
        return view

    return say


def open_to_all(view: View) -> View:
    """Say that a view works for anybody, signed in or not: sign-in, health."""
    view.unrepeat_need = Need(None, None)  # type: ignore[attr-defined]
    return view


def need_of(view: Callable[..., Any], method: str | None) -> Need | None:
    """What a view says it needs; None when it says nothing. An API path has an operation for each method, each with its own need."""
    said = getattr(view, "unrepeat_need", None)
    if said is not None:
        return cast("Need", said)
    path_view = inspect.getclosurevars(view).nonlocals.get("self") if inspect.isfunction(view) else None
    operations = getattr(path_view, "operations", None)
    if not operations:
        return None
    by_method = {name: getattr(op.view_func, "unrepeat_need", None) for op in operations for name in op.methods}
    if None in by_method.values():
        return None
    if method in by_method:
        return cast("Need", by_method[method])
    return Need(None, None)  # no such operation: the API answers 405, which tells nothing


# --- the check


def check(request: HttpRequest, need: Need, address: dict[str, Any] | None = None) -> None:
    """Nothing, when the caller may; else a Problem: 401 when nobody signed in (or the token is not good), 403 when the role is too small.

    `address`: the values in the request's address.
    """
    caller = caller_of(request)
    role = need.of(request.method)
    if role is None:
        return
    if caller.runner is not None:
        _check_runner(request, need, caller.runner, address or {})
        return
    nobody = caller.person is None and (need.person or request.method not in SAFE_METHODS)
    if may(caller, role) and not nobody:
        return
    if caller.bad_token:
        raise Problem(
            "This token is not good.",
            "It is unknown, was revoked or has run out.",
            "Make a new token in the settings and send it as `Authorization: Bearer TOKEN`.",
            status=401,
        )
    if caller.person is None:
        raise Problem(
            "Please sign in first.",
            "Nobody is signed in, and this is not open to everybody.",
            "Sign in, or send a token as `Authorization: Bearer TOKEN`.",
            status=401,
        )
    capped = caller.token is not None and rules.has_perm(PERMISSIONS[role], caller.person)
    raise NotAllowed(
        "You may not do this.",
        f"It needs the role {role.word}, and {'this token has' if capped else 'you have'} "
        f"{caller.role.word if caller.role else 'none'}.",
    )


def _check_runner(request: HttpRequest, need: Need, runner: CheckToken, address: dict[str, Any]) -> None:
    if need.checks is None:
        raise NotAllowed(
            "A check token may not do this.",
            "It may read the guards of its service and report for them, and nothing else.",
            "Use the token of a person who has the role.",
        )
    if need.checks(request, address) != {runner.service}:
        raise NotAllowed(
            "This token is for another service.",
            f"It may read and report for {runner.service}, and this is about something else.",
            "Use a check token of that service: `unrepeat check-token add --service NAME`.",
        )


def refuse_forgery(request: HttpRequest) -> None:
    """A Problem when a session's request that changes something lacks the CSRF token.

    A bearer token cannot be sent by somebody else's page, and who has no session has nothing that one could misuse.
    """
    caller = caller_of(request)
    if request.method in SAFE_METHODS or caller.token is not None or caller.person is None:
        return
    guard = CsrfViewMiddleware(lambda _: cast("Any", None))
    request.csrf_processing_done = False  # type: ignore[attr-defined]
    guard.process_request(request)
    if guard.process_view(request, lambda: None, (), {}) is not None:  # type: ignore[arg-type, return-value]
        raise NotAllowed(
            "This request was not sent by one of our pages.",
            "It changes something, comes with a session, and lacks the page's CSRF token.",
            "Send it from a page, with the header X-CSRFToken, or with an API token.",
        )


class AccessMiddleware(MiddlewareMixin):
    """Checks every request against what its view needs, before the view runs. Comes after authentication."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """None lets the view run; a Problem becomes the answer."""
        from unrepeat.web.answers import answer

        try:
            need = need_of(view, request.method)
            if need is None:
                raise _undeclared(view)
            check(request, need, kwargs)
            if request.path.startswith(API_PREFIX):
                refuse_forgery(request)
        except Problem as problem:
            return answer(request, problem)
        return None


def _undeclared(view: Callable[..., Any]) -> Problem:
    """The refusal of a view that does not say what it needs: loud in development and tests, closed on a live server."""
    if settings.STRICT_ACCESS:
        name = getattr(view, "__qualname__", repr(view))
        raise ImproperlyConfigured(f"The view {name} does not say what it needs: use @needs(...) or @open_to_all.")
    return NotAllowed("This is closed.", "The page does not say who may see it.", "Tell us: it is a mistake of ours.")
