"""The front page: what is wrong right now, and what changed lately."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from unrepeat.web.access import Role, needs


@needs(Role.READER)
@require_safe
def now(request: HttpRequest) -> HttpResponse:
    """What is wrong right now."""
    return render(request, "pages/now.html")
