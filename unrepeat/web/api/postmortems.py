"""Postmortems: the library, one report, its prose with history, publishing, and the report as a file."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field, StringConstraints

from unrepeat.postmortems import commands, library, queries
from unrepeat.postmortems.formats import html, markdown
from unrepeat.postmortems.prevented import Today
from unrepeat.postmortems.report import SECTIONS, Facts, Figure, Prose, Report
from unrepeat.support.problems import NotAllowed
from unrepeat.web.access import Role, caller_of, may, needs
from unrepeat.web.api.fields import Day, Items, Line, Name, Nth, Paging, Shape

router = Router(tags=["postmortems"])
Section = Literal["headline", "summary", "timeline", "cause", "resolution", "measures"]


class Wanted(Schema):
    """Which state of a report; by default what readers should see: the newest revision, or the draft before there is one."""

    revision: Annotated[int | None, Field(ge=1, le=2**31 - 1, description="A published revision.")] = None
    draft: Annotated[bool, Field(description="The draft, also when a revision is published; not for readers.")] = False


class ReportRow(Schema):
    """A report in a list. `excerpt` has what was searched for in it."""

    number: int
    incident: int
    headline: str
    excerpt: str
    other_words: list[tuple[str, str]] = Field(
        description="What was found in other words than were asked: asked, found."
    )
    service: str
    team: str
    cause: str
    impact: str = Field(description="Who was hurt, in words, with the denominators; empty: not measured.")
    status: Literal["draft", "published"]
    revision: int = Field(description="The newest published one; 0: none.")
    started_at: datetime | None
    resolved_at: datetime | None
    drafted_at: datetime
    published_at: datetime | None


class ReportShape(Schema):
    """A postmortem: facts folded from the log, prose by people, figures as SVG."""

    number: int
    incident: int
    status: Literal["draft", "published"]
    revision: int = Field(description="0: the draft.")
    published: int = Field(description="The newest published revision; 0: none.")
    headline: str
    at: datetime = Field(description="When it was published, or when the draft was made.")
    by: str
    digest: str = Field(description="SHA-256 over a published revision; empty for a draft.")
    facts: Facts
    prose: dict[str, Prose]
    figures: list[Figure]
    today: Today | None = Field(
        description="How its measures stand now; the facts say how they stood when it was made."
    )


class VersionShape(Schema):
    """One edit of a section, and what it changed: lines with their sign."""

    seq: int
    at: datetime
    by: str
    text: str
    diff: list[tuple[str, str]]


class RevisionShape(Schema):
    """A published revision."""

    number: int
    at: datetime
    by: str
    digest: str


class Writing(Shape):
    """A section's prose (Markdown; the headline is one plain line). Empty: sentences made from the facts."""

    text: Annotated[str, StringConstraints(max_length=commands.LONGEST)]
    expected: Annotated[
        int | None,
        Field(ge=0, le=2**31 - 1, strict=True, description="The edit you started from: 409 when another came."),
    ] = None


class Written(Schema):
    """The edit that stands now."""

    seq: int
    prose: Prose


class Published(Schema):
    """The revision that was frozen."""

    number: int
    revision: int


class Search(Paging):
    """Which reports. Any filter, or `status=published`, leaves drafts out."""

    status: Annotated[Literal["published"] | None, Field(description="Leave drafts out.")] = None
    text: Annotated[Line, Field(description="Words to look for.")] = ""
    service: Name = ""
    team: Name = ""
    cause: Annotated[Line, Field(description="Part of a guilty suspect's name.")] = ""
    since: Day | None = None
    until: Day | None = None

    @property
    def filters(self) -> dict[str, str | date | None]:
        """What the library is asked for."""
        return {name: getattr(self, name) for name in ("text", "service", "team", "cause", "since", "until")}


@router.get("/postmortems", response=Items[ReportRow], summary="List and search postmortems")
@needs(Role.READER)
def list_postmortems(request: HttpRequest, asked: Query[Search]) -> dict[str, Any]:
    """Published reports, newest first; without a filter, and for those who write, drafts too."""
    writes = may(caller_of(request), Role.RESPONDER)
    if asked.status or any(asked.filters.values()) or not writes:
        shelf = library.shelf(**asked.filters, page=asked.page, size=asked.per_page)  # type: ignore[arg-type]
    else:
        shelf = library.all_reports(asked.page, size=asked.per_page)
    return {"items": [_row(row) for row in shelf] if asked.page <= shelf.pages else [], "count": shelf.total}


@router.get("/postmortems/{number}", response=ReportShape, summary="One postmortem")
@needs(Role.READER)
def get_postmortem(
    request: HttpRequest,
    number: Path[Nth],
    wanted: Query[Wanted],
) -> dict[str, Any]:
    """What readers should see: the newest published revision, or the draft before there is one."""
    return _report(_chosen(request, number, wanted))


@router.get("/postmortems/{number}/revisions", response=Items[RevisionShape], summary="List published revisions")
@needs(Role.READER)
def list_revisions(request: HttpRequest, number: Path[Nth]) -> dict[str, Any]:  # noqa: ARG001
    """All published revisions, newest first; each is frozen."""
    rows = [{name: getattr(row, name) for name in RevisionShape.model_fields} for row in queries.revisions(number)]
    return {"items": rows, "count": len(rows)}


@router.get(
    "/postmortems/{number}/sections/{section}/history", response=Items[VersionShape], summary="A section's history"
)
@needs(Role.READER)
def get_section_history(request: HttpRequest, number: Path[Nth], section: Path[Section]) -> dict[str, Any]:  # noqa: ARG001
    """All edits of a section, newest first, each with what it changed."""
    rows = [
        {name: getattr(row, name) for name in VersionShape.model_fields} for row in queries.history(number, section)
    ]
    return {"items": rows, "count": len(rows)}


@router.put("/postmortems/{number}/sections/{section}", response=Written, summary="Write a section")
@needs(Role.READER, write=Role.RESPONDER)
def write_section(request: HttpRequest, number: Path[Nth], section: Path[Section], body: Writing) -> dict[str, Any]:
    """Write a section's prose into the draft. Nothing is appended when nothing changed."""
    seq = commands.write(number, section, body.text, by=caller_of(request).name, expected=body.expected)
    return {"seq": seq, "prose": queries.prose(number, section)}


@router.post("/postmortems/{number}/publish", response=Published, summary="Publish a postmortem")
@needs(Role.READER, write=Role.RESPONDER)
def publish_postmortem(request: HttpRequest, number: Path[Nth]) -> dict[str, Any]:
    """Freeze the report as it is now into the next revision, and put it on the library's shelf."""
    return {"number": number, "revision": commands.publish(number, by=caller_of(request).name)}


def _file_answer(media_type: str) -> dict[str, Any]:
    return {"responses": {200: {"content": {media_type: {"schema": {"type": "string"}}}}}}


@router.get("/postmortems/{number}/html", openapi_extra=_file_answer("text/html"), summary="As one HTML file")
@needs(Role.READER)
def get_postmortem_html(
    request: HttpRequest,
    number: Path[Nth],
    wanted: Query[Wanted],
) -> HttpResponse:
    """The report as one self-contained HTML file that asks nobody for anything."""
    report = _chosen(request, number, wanted)
    return _file(html.render(report), "text/html", f"PM-{number}.html")


@router.get("/postmortems/{number}/markdown", openapi_extra=_file_answer("text/markdown"), summary="As Markdown")
@needs(Role.READER)
def get_postmortem_markdown(
    request: HttpRequest,
    number: Path[Nth],
    wanted: Query[Wanted],
) -> HttpResponse:
    """The report as Markdown."""
    report = _chosen(request, number, wanted)
    return _file(markdown.render(report), "text/markdown", f"PM-{number}.md")


def _chosen(request: HttpRequest, number: int, wanted: Wanted) -> Report:
    if wanted.draft:
        if not may(caller_of(request), Role.RESPONDER):
            raise NotAllowed("You may not read this draft.", "Readers read what is published, or a first draft.")
        return queries.report(number)
    if wanted.revision is not None:
        return queries.revision(number, wanted.revision)
    return queries.current(number)


def _row(row: library.Row) -> dict[str, Any]:
    same = ("excerpt", "status")
    return {name: getattr(row, name) for name in ReportRow.model_fields if name not in same} | {
        "excerpt": "".join(piece[0] for piece in row.excerpt),
        "status": "published" if row.revision else "draft",
    }


def _report(report: Report) -> dict[str, Any]:
    own = {name: getattr(report, name) for name in ReportShape.model_fields if name != "incident"}
    return own | {"incident": report.facts.incident}


def _file(text: str, media_type: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type=f"{media_type}; charset=utf-8")
    response["Cache-Control"] = "no-store"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


assert set(SECTIONS) == set(Section.__args__)  # type: ignore[attr-defined]
