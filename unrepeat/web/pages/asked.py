"""What an address asks for, read with care."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest


def page_asked(request: HttpRequest) -> int:
    """The page of a list (`?page=2`); the first one when it is missing or makes no sense."""
    asked = request.GET.get("page", "1")
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1


def day_asked(request: HttpRequest, name: str) -> date | None:
    """A day (`?since=2024-08-12`); None when it is missing or makes no sense."""
    try:
        return date.fromisoformat(request.GET.get(name, ""))
    except ValueError:
        return None
