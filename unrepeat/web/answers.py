"""Problems as answers: a page with what happened, why, and what to do; JSON with the same three sentences for the API.

Also the handlers that Django calls for its own errors, and the middleware that turns a Problem raised by a view into its answer.
"""

from __future__ import annotations

from urllib.parse import urlencode

import structlog
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

from unrepeat.support.problems import NotAllowed, NotFound, Problem

_log = structlog.get_logger()


def answer(request: HttpRequest, problem: Problem) -> HttpResponseBase:
    """The answer for a Problem: JSON for the API and for programs, the sign-in page for a person who has not signed in, else a page."""
    if wants_json(request):
        return _json(problem)
    if problem.status == 401 and request.method in ("GET", "HEAD"):
        return HttpResponseRedirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")
    response = render(request, "problem.html", {"problem": problem}, status=problem.status)
    return _hints(response, problem)


def wants_json(request: HttpRequest) -> bool:
    """Whether the caller is a program: below /api/, or it does not take HTML but does take JSON or a stream."""
    if request.path.startswith(("/api/", "/metrics")):
        return True
    accept = request.headers.get("Accept", "")
    return "text/html" not in accept and ("application/json" in accept or "text/event-stream" in accept)


def _json(problem: Problem) -> HttpResponseBase:
    body = {"what": problem.what, "why": problem.why, "remedy": problem.remedy}
    return _hints(JsonResponse(body, status=problem.status), problem)


def _hints(response: HttpResponse, problem: Problem) -> HttpResponse:
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="unrepeat"'
    if problem.status == 503:
        response["Retry-After"] = "5"
    return response


class ProblemMiddleware(MiddlewareMixin):
    """A Problem (or Http404) raised by a view becomes its answer."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """The answer, or None for an exception that is not ours."""
        if isinstance(exception, Problem):
            return answer(request, exception)
        if isinstance(exception, Http404):
            return not_found(request)
        return None

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """A wrong method, which Django and the API's parts answer without a word, is told like any other problem."""
        if response.status_code != 405 or request.method == "OPTIONS":
            return response
        allowed = response.get("Allow", "")
        problem = Problem(
            "This cannot be done at this address.",
            f"{request.method} is not for it{f'; {allowed} is' if allowed else ''}.",
            "/api/v1/openapi.json says what can be done where."
            if request.path.startswith("/api/")
            else "Start from the front page.",
            status=405,
        )
        told = answer(request, problem)
        if allowed:
            told["Allow"] = allowed
        return told


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:  # noqa: ARG001
    """Nothing at this address."""
    return answer(
        request, NotFound("There is nothing here.", "No page has this address.", "Start from the front page.")
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:  # noqa: ARG001
    """Django refused the request."""
    return answer(request, NotAllowed("You may not do this.", "The server refused the request."))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:  # noqa: ARG001
    """Django could not read the request, or it was too large."""
    problem = Problem(
        "This request cannot be read.",
        "It is malformed, or larger than a form may be.",
        "Go back, shorten what you wrote, and send it again.",
    )
    return answer(request, problem)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """A form without its CSRF token: mostly one that was open for long, or before signing in elsewhere."""
    _log.info("csrf_refused", reason=reason, path=request.path)
    problem = NotAllowed(
        "This form is too old to be taken.",
        "Its proof that it came from one of our pages is missing or no longer good.",
        "Go back, reload the page, and send it again.",
    )
    return answer(request, problem)


def broken(request: HttpRequest) -> HttpResponseBase:
    """A mistake of ours."""
    problem = Problem(
        "Something broke on our side.",
        "The server met an error that it did not expect; it has been logged.",
        "Try again. If it happens again, give the time and this address to whoever runs this server.",
        status=500,
    )
    return answer(request, problem)
