"""Where each address leads: sign-in, API, live streams, pages."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("unrepeat.web.urls")),
]
