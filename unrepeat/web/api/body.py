"""How a request's JSON body is read, and how an answer is written."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any, NoReturn

from django.conf import settings
from django.http import HttpRequest
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from unrepeat.support.problems import Invalid, Problem
from unrepeat.web.clean import refuse_unstorable


class StrictParser(Parser):
    """JSON and nothing else: no NaN, no NUL, no lone surrogates, no more bytes than a form may have."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The body as Python has it; a Problem with 413, 415 or 422 otherwise."""
        said = request.content_type or "nothing"
        if said != "application/json" and not said.endswith("+json"):
            raise Problem(
                "This kind of body is not understood.",
                f"It says that it is “{said}”, and the API takes JSON.",
                "Send JSON with the header Content-Type: application/json.",
                status=415,
            )
        if len(request.body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise too_large()
        try:
            value = json.loads(request.body, parse_constant=_no_such_number)
        except RecursionError as error:
            raise Invalid("This body is nested too deeply.", "No shape of ours is.", "Send a flatter one.") from error
        except ValueError as error:
            raise Invalid("This body is not JSON.", f"{error}.", "Mend it and send it again.") from error
        refuse_unstorable(value)
        return value


def too_large() -> Problem:
    """The body has more bytes than a form may have."""
    return Problem(
        "This body is too large.",
        f"The API takes at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes.",
        "Send less at once.",
        status=413,
    )


def _no_such_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


class Writer(BaseRenderer):
    """JSON with times to the microsecond and lengths of time in seconds."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> str:  # noqa: ARG002
        """The answer's text."""
        return json.dumps(data, default=plain, ensure_ascii=False)


def plain(value: Any) -> Any:
    """What JSON has no word for: times as ISO 8601, lengths of time as seconds, parts of an entry as objects."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
