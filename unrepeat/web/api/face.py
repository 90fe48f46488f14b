"""What all operations of the API share: how a Problem is answered, and what the OpenAPI file says of all of them.

Every operation answers a Problem with the same three sentences; `ANSWERS` says with which statuses. They are added to every
operation of the OpenAPI file here, so nothing undocumented is answered.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from unrepeat import __version__
from unrepeat.support.problems import Invalid, NotFound, Problem
from unrepeat.web.access import Need
from unrepeat.web.answers import answer
from unrepeat.web.api.body import StrictParser, Writer, too_large

_log = structlog.get_logger()


class ProblemShape(Schema):
    """What happened, why, and what to do about it; the same three sentences as on a page and in the terminal."""

    what: str
    why: str
    remedy: str


ANSWERS = {
    400: "The request cannot be read.",
    401: "Nobody is signed in, or the token is not good.",
    403: "The role is too small, or a session's request lacks the CSRF token.",
    404: "There is no such thing.",
    409: "The thing is in a state in which this cannot be done.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "What was sent does not have the shape that is needed; the answer names the field.",
    503: "Not now: the database is busy or away. The same request may work in a moment (Retry-After).",
}
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API token: `unrepeat user token add NAME`."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "The session of a person who signed in on a page. What changes something also needs X-CSRFToken.",
    },
}
DESCRIPTION = (
    "Everything that pages show and do, for programs. Times are ISO 8601 with a zone, lengths of time are seconds. "
    "Every refusal has the same body: what, why, remedy."
)


class Face(NinjaAPI):
    """django-ninja with the answers, the security and the version of ours."""

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        """The OpenAPI 3.1 document, with what all operations share."""
        document = super().get_openapi_schema(**kwargs)
        components = document["components"]
        components["schemas"]["Problem"] = ProblemShape.model_json_schema() | {"title": "Problem"}
        components["responses"] = {f"Problem{status}": _problem_answer(words) for status, words in ANSWERS.items()}
        components["securitySchemes"] = SECURITY
        needs = self._needs()
        for path in document["paths"].values():
            for operation in path.values():
                _complete(operation, needs[operation["operationId"]])
        return document

    def _needs(self) -> dict[str, Need]:
        """What each operation needs, by its id."""
        return {
            op.operation_id or self.get_openapi_operation_id(op): need_said(op.view_func)
            for bound in self._get_bound_routers()
            for path in bound.path_operations.values()
            for op in path.operations
        }

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """An answer that nobody in between keeps: it is for this caller, and may hold what is shown once."""
        response = super().create_temporal_response(request)
        response["Cache-Control"] = "no-store"
        return response

    def get_openapi_operation_id(self, operation: Any) -> str:
        """The function's own name: short, and unique in this API."""
        return str(operation.view_func.__name__)


def need_said(view: Any) -> Need:
    """What an operation's function says it needs (`@needs`, `@open_to_all`)."""
    said: Need = view.unrepeat_need
    return said


def _complete(operation: dict[str, Any], need: Need) -> None:
    written = operation["responses"]
    for status in ANSWERS:
        written.setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
    operation["responses"] = {str(status): written[status] for status in sorted(written)}
    role = need.write if "requestBody" in operation else need.read
    if role is None:
        operation["security"] = []
    else:
        operation["security"] = [{"bearer": []}, {"session": []}]


def _problem_answer(meaning: str) -> dict[str, Any]:
    return {
        "description": meaning,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def make_face() -> Face:
    """The API, with no operation yet."""
    api = Face(
        title="Unrepeat",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        urls_namespace="api",
        parser=StrictParser(),
        renderer=Writer(),
    )
    api.add_exception_handler(Problem, _problem)
    api.add_exception_handler(ValidationError, _wrong_shape)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(Http404, _nothing_here)
    api.add_exception_handler(RequestDataTooBig, lambda request, _: _answer(request, too_large()))
    api.add_exception_handler(OperationalError, _database_away)
    api.add_exception_handler(DataError, _does_not_fit)
    return api


def _answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    made = answer(request, problem)
    assert isinstance(made, HttpResponse)
    return made


def _problem(request: HttpRequest, error: Any) -> HttpResponse:
    return _answer(request, error)


def _wrong_shape(request: HttpRequest, error: Any) -> HttpResponse:
    named = "; ".join(f"{_place(one['loc'])}: {one['msg']}" for one in error.errors[:10])
    return _answer(
        request,
        Invalid(
            "This cannot be taken as it is.", f"{named}.", "Mend what is named; /api/v1/openapi.json has the shapes."
        ),
    )


def _place(steps: tuple[Any, ...]) -> str:
    """Where in a request something is: `body.text`, `query.page`."""
    where, *rest = [str(step) for step in steps]
    return ".".join([where, *(rest[1:] if where == "body" else rest)])


def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    """django-ninja wraps what the parser raised."""
    cause = error.__cause__
    if isinstance(cause, Problem):
        return _answer(request, cause)
    return _answer(request, Problem(str(error), "The request cannot be read.", "Mend it.", status=error.status_code))


def _nothing_here(request: HttpRequest, _error: Any) -> HttpResponse:
    return _answer(request, NotFound("There is nothing here."))


def _database_away(request: HttpRequest, error: Any) -> HttpResponse:
    _log.warning("api_database_away", path=request.path, error=str(error))
    problem = Problem(
        "The database does not answer.", "It is busy or away.", "Try again in a moment.", status=503, retry=True
    )
    return _answer(request, problem)


def _does_not_fit(request: HttpRequest, error: Any) -> HttpResponse:
    _log.warning("api_data_does_not_fit", path=request.path, error=str(error))
    return _answer(
        request, Invalid("This cannot be stored.", "A value is longer or larger than its place.", "Send a shorter one.")
    )
