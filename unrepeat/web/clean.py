"""The one place that refuses text which cannot be stored: NUL characters and lone halves of surrogate pairs.

PostgreSQL has no place for U+0000, and UTF-8 none for a lone surrogate. A page's form, an address and an API body all pass here,
so that a person reads what is wrong instead of a server error. `docs/reference/api.md` says the same to programs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from unrepeat.support.problems import Invalid, Problem

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def is_storable(text: str) -> bool:
    """Whether both databases can keep this text."""
    return _UNSTORABLE.search(text) is None


def refuse_unstorable(value: Any) -> None:
    """A Problem when any text in `value` (JSON as Python has it, any depth) cannot be stored."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str) and not is_storable(one):
            raise Invalid(
                "This text cannot be kept.",
                "It has a NUL character or half of a surrogate pair in it, which no database of ours can store.",
                "Take that character out (mostly it comes with copying from a binary file) and send it again.",
            )
        if isinstance(one, dict):
            waiting.extend(one.keys())
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)


class CleanMiddleware(MiddlewareMixin):
    """Refuses unstorable text in addresses, queries and forms; drops cookies that have it. Comes first."""

    def process_request(self, request: HttpRequest) -> None:
        """Drop cookies that no page of ours has set."""
        for name in [name for name, value in request.COOKIES.items() if not is_storable(name + value)]:
            del request.COOKIES[name]

    def process_view(
        self, request: HttpRequest, _view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """None lets the view run; a Problem becomes the answer."""
        from unrepeat.web.answers import answer

        try:
            refuse_unstorable([request.path, args, kwargs, _pairs(request.GET.lists())])
            if request.content_type in FORMS and not request.path.startswith("/api/"):
                refuse_unstorable(_pairs(request.POST.lists()))
        except Problem as problem:
            return answer(request, problem)
        return None


def _pairs(lists: Iterable[tuple[str, list[Any]]]) -> list[Any]:
    return [[name, values] for name, values in lists]
