"""Guards: the list, one with its measures, declaring, tying and retiring, its runs and proofs, and asking the server to run it.

`@needs(..., checks=...)`: what runners may, too, for the service of their token.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Status

from unrepeat.prevention import commands, store
from unrepeat.prevention.running import asked, reporting
from unrepeat.prevention.watched import measure_of
from unrepeat.support.problems import NotAllowed
from unrepeat.web.access import Role, caller_of, needs
from unrepeat.web.api import guard_shapes as shapes
from unrepeat.web.api.checks import of_declaration, of_guard, of_query
from unrepeat.web.api.fields import Items, Nth, Paging

router = Router(tags=["guards"])
GuardName = shapes.GuardName


@router.get("/guards", response=Items[shapes.GuardShape], summary="List guards")
@needs(Role.READER, checks=of_query)
def list_guards(request: HttpRequest, chosen: Query[shapes.Chosen]) -> dict[str, Any]:  # noqa: ARG001
    """Guards in service, by name, each with the measures that it watches over."""
    rows = store.guards(**chosen.filters)
    return {"items": shapes.plain(list(rows[chosen.start : chosen.start + chosen.per_page])), "count": rows.count()}


@router.get("/guards/{name}", response=shapes.GuardShape, summary="One guard")
@needs(Role.READER, checks=of_guard)
def get_guard(request: HttpRequest, name: Path[GuardName]) -> dict[str, Any]:  # noqa: ARG001
    """A guard with its present text."""
    return shapes.plain([shapes.found(name)])[0]


@router.put("/guards/{name}", response=shapes.Declared, summary="Declare a guard")
@needs(Role.READER, write=Role.RESPONDER, checks=of_declaration)
def declare_guard(request: HttpRequest, name: Path[GuardName], body: shapes.Declaring) -> dict[str, Any]:
    """Make a guard, or give the one of that name another text: then it is unproven again. It is tied to the measures that are
    named; ties that it has besides stay. What is declared in a service's repository is changed there: only a check token brings it.
    """
    caller = caller_of(request)
    measures = [measure_of(ref) for ref in body.measures]
    if caller.runner is not None:
        _needs_declaring(caller.runner, measures)
    declared = commands.Declared(
        name, body.kind, body.spec, body.service, body.every, origin=body.origin, place=body.place
    )
    made = reporting.declare(declared, measures, by=caller.name, reviewed=caller.runner is not None)
    return shapes.plain([shapes.found(name)])[0] | {"new": made.new, "changed": made.changed}


@router.post("/guards/{name}/retire", response=shapes.GuardShape, summary="Retire a guard")
@needs(Role.READER, write=Role.RESPONDER)
def retire_guard(request: HttpRequest, name: Path[GuardName], body: shapes.Retiring) -> dict[str, Any]:
    """Take a guard out of service: it verifies no measure any more. Its runs and proofs stay."""
    commands.retire(shapes.found(name).pk, by=caller_of(request).name, reason=body.reason)
    return shapes.plain([shapes.found(name)])[0]


@router.post("/guards/{name}/tie", response=shapes.GuardShape, summary="Tie a guard to a measure")
@needs(Role.READER, write=Role.RESPONDER)
def tie_guard(request: HttpRequest, name: Path[GuardName], body: shapes.Tying) -> dict[str, Any]:
    """Let a guard watch over a measure; a proof that stands comes along."""
    found = shapes.found(name)
    commands.tie(found.pk, *measure_of(body.measure), by=caller_of(request).name)
    return shapes.plain([shapes.found(name)])[0]


@router.post("/guards/{name}/untie", response=shapes.GuardShape, summary="Untie a guard from a measure")
@needs(Role.READER, write=Role.RESPONDER)
def untie_guard(request: HttpRequest, name: Path[GuardName], body: shapes.Untying) -> dict[str, Any]:
    """Let a guard watch over a measure no more."""
    found = shapes.found(name)
    commands.untie(found.pk, *measure_of(body.measure), by=caller_of(request).name, reason=body.reason)
    return shapes.plain([shapes.found(name)])[0]


@router.get("/guards/{name}/runs", response=Items[shapes.RunShape], summary="List a guard's runs")
@needs(Role.READER, checks=of_guard)
def list_guard_runs(request: HttpRequest, name: Path[GuardName], paging: Query[Paging]) -> dict[str, Any]:  # noqa: ARG001
    """Its runs, newest first, without their output."""
    found = shapes.found(name)
    rows, count = store.run_page(found.pk, paging.start, paging.per_page)
    return {"items": [shapes.run_plain(row) for row in rows], "count": count}


@router.get("/guards/{name}/runs/{number}", response=shapes.RunFull, summary="One run")
@needs(Role.READER, checks=of_guard)
def get_guard_run(request: HttpRequest, name: Path[GuardName], number: Path[Nth]) -> dict[str, Any]:  # noqa: ARG001
    """A run with the end of its output."""
    return shapes.run_full(shapes.run_of(name, number))


@router.get("/guards/{name}/proofs", response=Items[shapes.ProofShape], summary="List a guard's proofs")
@needs(Role.READER, checks=of_guard)
def list_guard_proofs(request: HttpRequest, name: Path[GuardName], paging: Query[Paging]) -> dict[str, Any]:  # noqa: ARG001
    """Its trials on a failure and on a fix, newest first; also those that proved nothing."""
    found = shapes.found(name)
    rows, count = store.proof_page(found.pk, paging.start, paging.per_page)
    return {"items": [shapes.proof_plain(row, found) for row in rows], "count": count}


@router.post("/guards/{name}/proofs", response={201: shapes.ProofShape}, summary="Report a proof")
@needs(Role.READER, write=Role.RESPONDER, checks=of_guard)
def report_proof(request: HttpRequest, name: Path[GuardName], body: shapes.TrialSent) -> Status[dict[str, Any]]:
    """Keep a trial that a runner made: both runs, and what they come to. Only red on the failure and green on the fix is a proof."""
    found = shapes.found(name)
    proof = reporting.prove(
        name, found.service, body.digest, body.failure.ran(), body.fix.ran(), by=caller_of(request).name
    )
    return Status(201, shapes.proof_plain(proof, shapes.found(name)))


@router.post("/guards/{name}/prove", response={202: shapes.Planned}, summary="Let the server prove a guard")
@needs(Role.READER, write=Role.RESPONDER)
def prove_guard(request: HttpRequest, name: Path[GuardName], body: shapes.Proving) -> Status[dict[str, Any]]:
    """Let the server run a guard on the failure and on the fix; the proof is in the list when it has. Only safe kinds."""
    asked.plan_proof(shapes.found(name).pk, body.failure, body.fix, by=caller_of(request).name)
    return Status(202, {"guard": name, "planned": True})


@router.post("/guards/{name}/run", response={202: shapes.Planned}, summary="Let the server run a guard now")
@needs(Role.READER, write=Role.RESPONDER)
def run_guard(request: HttpRequest, name: Path[GuardName]) -> Status[dict[str, Any]]:
    """Let the server run a guard at once; the run is in the list when it has. Only safe kinds."""
    asked.plan_run(shapes.found(name).pk, by=caller_of(request).name)
    return Status(202, {"guard": name, "planned": True})


def _needs_declaring(runner: Any, measures: list[tuple[int, int]]) -> None:
    """A token of the reviewed branch declares, and ties to measures of its own service's outages only."""
    if not runner.declares:
        raise NotAllowed(
            "This check token may not declare guards.",
            "It was made to read and to report.",
            "Make one for the reviewed branch: `unrepeat check-token add --service NAME --declares`.",
        )
    for incident, measure in measures:
        if not store.concerns(incident, measure, runner.service):
            raise NotAllowed(
                f"This token may not tie guards to a measure of incident {incident}.",
                f"The outage is not one of {runner.service}.",
                "A responder ties it: `unrepeat guard tie`.",
            )
