"""How people sign in: accounts are made by administrators only, and many wrong passwords lock a name for a while."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponseBase

from unrepeat.support.problems import Problem


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's adapter, with open sign-up closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Never: administrators add people in the settings."""
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: the page one lands on shows that one is signed in."""


def name_typed(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str | None:
    """The name or address that somebody tries to sign in with, as axes counts it."""
    given = credentials or {}
    name = given.get("username") or given.get("email")
    if not name and request is not None:
        name = request.POST.get("login")
    return str(name).lower() if name else None


def locked_out(request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponseBase:
    """Too many wrong passwords for this name from this address."""
    from unrepeat.web.answers import answer

    problem = Problem(
        "Signing in is locked for a while.",
        "There were ten wrong passwords for this name from your address.",
        "Wait 15 minutes and try again, or ask an administrator for a new sign-in link.",
        status=429,
    )
    return answer(request, problem)
