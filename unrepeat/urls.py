"""Where each address leads: sign-in, API, live streams, pages."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("unrepeat.web.urls")),
]

handler400 = "unrepeat.web.answers.bad_request"
handler403 = "unrepeat.web.answers.forbidden"
handler404 = "unrepeat.web.answers.not_found"
handler500 = "unrepeat.web.answers.broken"
