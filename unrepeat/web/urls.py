"""The addresses of the edge. Every view says what it needs (web/access.py)."""

from __future__ import annotations

from allauth.account import views as accounts
from django.urls import URLPattern, URLResolver, include, path

from unrepeat.web.access import Role, needs, open_to_all

own = needs(Role.READER, write=Role.READER, person=True)

sign_in: list[URLPattern | URLResolver] = [
    path("sign-in", open_to_all(accounts.login), name="account_login"),
    path("sign-out", open_to_all(accounts.logout), name="account_logout"),
    path("sign-up", open_to_all(accounts.signup), name="account_signup"),  # says that it is closed
    path("inactive", open_to_all(accounts.account_inactive), name="account_inactive"),
    path("password", own(accounts.password_change), name="account_change_password"),
    path("password/first", own(accounts.password_set), name="account_set_password"),  # for those who have none yet
]

urlpatterns: list[URLPattern | URLResolver] = [
    *sign_in,
    path("", include("unrepeat.web.live.urls")),
    path("", include("unrepeat.web.api.urls")),
    # Pages:
    path("", include("unrepeat.web.pages.urls")),
]
