"""The streams' addresses: with a session beside the pages, with a session or a bearer token below /api/v1."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from unrepeat.web.live.views import everything_stream, incident_stream

urlpatterns: list[URLPattern | URLResolver] = [
    path("stream", everything_stream, name="stream"),
    path("incidents/<int:number>/stream", incident_stream, name="incident-stream"),
    path("api/v1/stream", everything_stream),
    path("api/v1/incidents/<int:number>/stream", incident_stream),
]
