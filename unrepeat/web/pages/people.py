"""The two pages by which people get in: the first administrator's, and the one where a person picks a password."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from unrepeat.support.problems import Invalid
from unrepeat.web import first_admin as first
from unrepeat.web import people
from unrepeat.web.access import open_to_all

BACKEND = "django.contrib.auth.backends.ModelBackend"


@open_to_all
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def first_admin(request: HttpRequest, token: str) -> HttpResponse:
    """The first administrator picks a name and a password."""
    first.good_link(token)
    problem = None
    if request.method == "POST":
        given = request.POST
        try:
            person = first.make_first_admin(
                token, given.get("name", ""), given.get("email", ""), given.get("password", "")
            )
        except Invalid as invalid:
            problem = invalid
        else:
            login(request, person, backend=BACKEND)
            return redirect("now")
    return render(
        request,
        "account/first_admin.html",
        {"problem": problem, "name": request.POST.get("name", ""), "email": request.POST.get("email", "")},
        status=422 if problem else 200,
    )


@open_to_all
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, person: str, token: str) -> HttpResponse:
    """A person whom an administrator has added picks a password."""
    who = people.person_of_link(person, token)
    problem = None
    if request.method == "POST":
        try:
            people.pick_password(who, request.POST.get("password", ""))
        except Invalid as invalid:
            problem = invalid
        else:
            login(request, who, backend=BACKEND)
            return redirect("now")
    return render(request, "account/join.html", {"problem": problem, "who": who}, status=422 if problem else 200)
