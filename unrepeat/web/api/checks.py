"""What runners report, and the tokens with which they do. Also: which services a runner's request is about."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from unrepeat.prevention import check_tokens, store
from unrepeat.prevention.models import CheckToken
from unrepeat.prevention.running import reporting
from unrepeat.support.problems import Problem
from unrepeat.web.access import Role, caller_of, needs
from unrepeat.web.api import guard_shapes as shapes
from unrepeat.web.api.fields import Items, Name, Nth, Paging, Shape

router = Router(tags=["checks"])


# --- which services a request is about (for `@needs(checks=...)`)


def of_query(request: HttpRequest, _: dict[str, Any]) -> set[str]:
    """The service that a list is filtered by."""
    return set(request.GET.getlist("service")) or {""}


def of_guard(_: HttpRequest, address: dict[str, Any]) -> set[str]:
    """The service of the guard in the address; none when there is no such guard."""
    guard = store.guard_named(str(address.get("name", ""))[:120])
    return {guard.service} if guard else {""}


def of_body(request: HttpRequest, _: dict[str, Any]) -> set[str]:
    """The service that the body names."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError, RequestDataTooBig):
        return {""}
    return {str(body.get("service", ""))} if isinstance(body, dict) else {""}


def of_declaration(request: HttpRequest, address: dict[str, Any]) -> set[str]:
    """The service that the guard has now, and the one that the body gives it."""
    guard = store.guard_named(str(address.get("name", ""))[:120])
    return of_body(request, address) | ({guard.service} if guard else set())


# --- reports


@router.post("/checks/results", response=shapes.Report, summary="Report results")
@needs(Role.READER, write=Role.RESPONDER, checks=of_body)
def report_results(request: HttpRequest, body: shapes.ReportSent) -> dict[str, Any]:
    """Keep regular runs that a runner made of one service's guards. One that cannot be kept does not hinder the others."""
    sent = [reporting.Result(one.guard, one.digest, one.ran()) for one in body.results]
    taken = reporting.report(body.service, sent, by=caller_of(request).name)
    return {"results": [taken_plain(one) for one in taken]}


def taken_plain(one: reporting.Taken) -> dict[str, Any]:
    """What became of a result, as JSON has it."""
    own = {name: getattr(one, name) for name in shapes.TakenShape.model_fields if name != "problem"}
    return own | {"problem": _sentences(one.problem) if one.problem else None}


def _sentences(problem: Problem) -> dict[str, str]:
    return {"what": problem.what, "why": problem.why, "remedy": problem.remedy}


# --- tokens


class CheckTokenShape(Schema):
    """A runner's token; its secret is not kept."""

    number: int
    name: str
    service: str
    declares: bool = Field(description="Whether it also declares the guards of its repository.")
    made_by: str
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class CheckTokenMade(CheckTokenShape):
    """A new token. `token` is shown only now."""

    token: str


class CheckTokenNew(Shape):
    """For which service, and for how long."""

    service: Annotated[Name, Field(min_length=1)]
    name: Name = ""
    declares: Annotated[bool, Field(strict=True)] = False
    days: Annotated[int | None, Field(ge=1, le=3650, strict=True)] = None


@router.get("/check-tokens", response=Items[CheckTokenShape], summary="List check tokens")
@needs(Role.ADMIN)
def list_check_tokens(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:  # noqa: ARG001
    """All tokens of runners, newest first; revoked ones too."""
    rows = store.check_tokens()
    chosen = rows[paging.start : paging.start + paging.per_page]
    return {"items": [token_plain(row) for row in chosen], "count": rows.count()}


@router.post("/check-tokens", response={201: CheckTokenMade}, summary="Make a check token")
@needs(Role.ADMIN)
def add_check_token(request: HttpRequest, body: CheckTokenNew) -> Status[dict[str, Any]]:
    """Make a token that reads one service's guards and reports for them, and nothing else."""
    row, secret = check_tokens.add(
        body.service, by=caller_of(request).name, name=body.name, declares=body.declares, days=body.days
    )
    return Status(201, token_plain(row) | {"token": secret})


@router.post("/check-tokens/{number}/revoke", response=CheckTokenShape, summary="Revoke a check token")
@needs(Role.ADMIN)
def revoke_check_token(request: HttpRequest, number: Path[Nth]) -> dict[str, Any]:  # noqa: ARG001
    """End a runner's token at once."""
    return token_plain(check_tokens.revoke(number))


def token_plain(row: CheckToken) -> dict[str, Any]:
    """A token as JSON has it."""
    return {name: getattr(row, name) for name in CheckTokenShape.model_fields if name != "number"} | {"number": row.pk}
