"""The addresses of the pages."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from unrepeat.web.pages import now, people

urlpatterns: list[URLPattern | URLResolver] = [
    path("", now.now, name="now"),
    path("first-admin/<str:token>", people.first_admin, name="first-admin"),
    path("join/<str:person>/<str:token>", people.join, name="join"),
]
