"""The API's addresses: all subjects joined under one face, and the numbers about ourselves at /metrics."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, re_path

from unrepeat.support.problems import NotFound
from unrepeat.web.access import open_to_all
from unrepeat.web.api import (
    acts,
    arrivals,
    catalogue,
    checks,
    guards,
    health,
    incidents,
    people,
    postmortems,
    repeats,
    sources,
    trackers,
)
from unrepeat.web.api.body import plain
from unrepeat.web.api.face import make_face

api = make_face()
# `sources` before `arrivals`: /deliveries/reread is not a delivery's number.
for subject in (
    incidents,
    acts,
    repeats,
    postmortems,
    guards,
    checks,
    trackers,
    sources,
    arrivals,
    catalogue,
    people,
    health,
):
    api.add_router("", subject.router)


@cache
def document() -> str:
    """The OpenAPI 3.1 document as JSON; `docs/reference/openapi.json` is the same."""
    return (
        json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=plain, ensure_ascii=False, indent=1) + "\n"
    )


@open_to_all
def openapi(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """The OpenAPI 3.1 document. Open to all: it says what there is, and holds no data."""
    return HttpResponse(document(), content_type="application/json")


@open_to_all
def nothing_here(request: HttpRequest, **_: Any) -> HttpResponse:  # noqa: ARG001
    """No operation has this address."""
    raise NotFound("There is nothing here.", "No operation has this address.", "/api/v1/openapi.json lists them all.")


_operations, _app, _namespace = api.urls
_operations = [
    one for one in _operations if getattr(one, "name", "") != "api-root"
]  # its only use is a redirect to pages we do not serve

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/openapi.json", openapi, name="openapi"),
    path("api/v1/", (_operations, _app, _namespace)),
    path("metrics", health.metrics, name="metrics"),
    re_path("^api/", nothing_here),
]
