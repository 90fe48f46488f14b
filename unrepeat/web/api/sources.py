"""Sources, their tokens and secrets (for administrators), and reading unreadable deliveries again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status
from pydantic import Field, StringConstraints

from unrepeat.arrivals import commands, queries
from unrepeat.arrivals.kind import source_kinds
from unrepeat.web.access import Role, needs
from unrepeat.web.api.fields import Items, Number, Shape

router = Router(tags=["sources"])
SourceName = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Secret = Annotated[str, StringConstraints(min_length=8, max_length=500)]
LONGEST_OVERLAP = 30 * 24 * 3600  # seconds


class SourceShape(Schema):
    """A place in the world that sends us deliveries."""

    name: str
    kind: str
    title: str
    made_at: datetime
    tokens: int = Field(description="How many tokens are good now.")
    signed: bool = Field(description="Whether its bodies must carry a signature.")
    last_at: datetime | None = Field(description="When its newest delivery came.")
    waiting: int
    unreadable: int


class KindShape(Schema):
    """A kind of sender that can be read, and how to set it up at the sender."""

    name: str
    title: str
    help: str
    signed: bool = Field(description="Whether the sender can sign its bodies.")


class SourceNew(Shape):
    """What is known of a new source."""

    name: Annotated[SourceName, Field(description="Part of its address: small letters, digits, - and _.")]
    kind: Annotated[SourceName, Field(description="One of /source-kinds.")]
    secret: Annotated[Secret | None, Field(description="With which it signs its bodies.")] = None
    max_bytes: Annotated[int | None, Field(ge=1, le=2**31 - 1, strict=True, description="Largest body taken.")] = None


class TokenOnce(Schema):
    """A source's new token. It is shown only now; `path` is where the source sends to."""

    name: str
    token: str
    path: str


class Rotating(Shape):
    """How long the tokens before go on working."""

    overlap: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP, strict=True, description="Seconds.")] = 24 * 3600


class Signing(Shape):
    """The signing secret; the one before stays good for `overlap` seconds."""

    secret: Secret
    overlap: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP, strict=True, description="Seconds.")] = 0


class Ended(Schema):
    """How many tokens or secrets were good until now."""

    ended: int


class Rereading(Shape):
    """Which deliveries; null: all that could not be read."""

    deliveries: Annotated[list[Number] | None, Field(max_length=500)] = None


class Marked(Schema):
    """How many deliveries the worker reads again now."""

    marked: int


@router.get("/source-kinds", response=Items[KindShape], summary="List kinds of sources")
@needs(Role.READER)
def list_source_kinds(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001
    """The kinds of senders that can be read."""
    rows = [
        {"name": name, "title": kind.TITLE, "help": kind.HELP, "signed": kind.SIGNED}
        for name, kind in source_kinds().items()
    ]
    return {"items": rows, "count": len(rows)}


@router.get("/sources", response=Items[SourceShape], summary="List sources")
@needs(Role.ADMIN)
def list_sources(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001
    """All sources, by name."""
    rows = [{name: getattr(row, name) for name in SourceShape.model_fields} for row in queries.sources()]
    return {"items": rows, "count": len(rows)}


@router.post("/sources", response={201: TokenOnce}, summary="Add a source")
@needs(Role.ADMIN)
def add_source(request: HttpRequest, body: SourceNew) -> Status[dict[str, Any]]:  # noqa: ARG001
    """Add a source; the answer has its token, once."""
    token = commands.add_source(body.name, body.kind, secret=body.secret, max_bytes=body.max_bytes)
    return Status(201, _once(body.name, token))


@router.post("/sources/{name}/rotate", response=TokenOnce, summary="Rotate a source's token")
@needs(Role.ADMIN)
def rotate_source(request: HttpRequest, name: Path[SourceName], body: Rotating) -> dict[str, Any]:  # noqa: ARG001
    """A new token, shown once; the ones before go on working for `overlap` seconds."""
    return _once(name, commands.rotate(name, timedelta(seconds=body.overlap)))


@router.post("/sources/{name}/revoke", response=Ended, summary="Revoke a source's tokens")
@needs(Role.ADMIN)
def revoke_source(request: HttpRequest, name: Path[SourceName]) -> dict[str, Any]:  # noqa: ARG001
    """End all tokens of a source at once; what it has sent stays."""
    return {"ended": commands.revoke(name)}


@router.put("/sources/{name}/secret", response=SourceShape, summary="Set a source's signing secret")
@needs(Role.ADMIN)
def set_source_secret(request: HttpRequest, name: Path[SourceName], body: Signing) -> dict[str, Any]:  # noqa: ARG001
    """From now on the source's bodies must be signed."""
    commands.set_secret(name, body.secret, overlap=timedelta(seconds=body.overlap))
    row = next(row for row in queries.sources() if row.name == name)
    return {field: getattr(row, field) for field in SourceShape.model_fields}


@router.delete("/sources/{name}/secret", response=Ended, summary="Take unsigned bodies again")
@needs(Role.ADMIN)
def remove_source_secret(request: HttpRequest, name: Path[SourceName]) -> dict[str, Any]:  # noqa: ARG001
    """Take unsigned bodies again; the token still guards the source."""
    return {"ended": commands.remove_secret(name)}


@router.post("/deliveries/reread", response=Marked, summary="Read unreadable deliveries again")
@needs(Role.READER, write=Role.RESPONDER)
def reread_deliveries(request: HttpRequest, body: Rereading) -> dict[str, Any]:  # noqa: ARG001
    """Let the worker read unreadable deliveries again, after a fix."""
    return {"marked": commands.reread(body.deliveries)}


def _once(name: str, token: str) -> dict[str, Any]:
    return {"name": name, "token": token, "path": f"/in/{name}/{token}"}
