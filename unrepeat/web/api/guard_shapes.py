"""What the API says of guards, runs and proofs, and what it takes of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field, StringConstraints

from unrepeat.prevention import commands, store, watched
from unrepeat.prevention.kind import OUTPUT, SAID, Outcome, Target, kind_of
from unrepeat.prevention.models import Guard, Proof, Run
from unrepeat.support.problems import NotFound
from unrepeat.web.api.fields import Line, Moment, Name, Paging, Shape

GuardName = Annotated[str, StringConstraints(min_length=1, max_length=120)]
KindName = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Key = Annotated[str, StringConstraints(min_length=8, max_length=150, pattern=r"^[!-~]+$")]
MeasureRef = Annotated[str, StringConstraints(pattern=r"^(PM|INC)-[0-9]{1,9}/[0-9]{1,6}$")]
Colour = Literal["red", "green", "broken"]
Figure = Annotated[float, Field(strict=True)]
Figures = Annotated[dict[Name, Figure], Field(max_length=50)]
Around = Annotated[
    dict[Name, Annotated[str, StringConstraints(max_length=2_000)]],
    Field(max_length=30, description="Versions, platform."),
]
Words = Annotated[
    str, StringConstraints(min_length=1, max_length=300), Field(description="As `unrepeat guard prove` takes it.")
]


class WatchedShape(Schema):
    """A measure that a guard watches over."""

    ref: str = Field(description="PM-12/3, or INC-12/3 before there is a postmortem.")
    incident: int
    measure: int
    postmortem: int = Field(description="0: there is none yet.")
    headline: str
    text: str
    state: str


class GuardShape(Schema):
    """A guard. `digest` is that of its present text."""

    name: str
    kind: str
    service: str
    spec: dict[str, Any]
    digest: str
    every: int = Field(description="Seconds between runs by the server; 0: it does not run it by itself.")
    safe: bool = Field(description="Whether the server may run it; otherwise only a runner does.")
    origin: str
    place: str
    made_at: datetime
    changed_at: datetime
    retired_at: datetime | None
    colour: str = Field(description="Of its last regular run: red, green, broken; empty: none on this text.")
    turned_at: datetime | None
    ran_at: datetime | None
    ran_said: str
    proven: bool = Field(description="Red on the failure and green on the fix, with its present text.")
    proven_at: datetime | None
    flaky: bool = Field(description="Red and green on the same commit or version.")
    runs: int
    measures: list[WatchedShape]


class Declared(GuardShape):
    """A guard that was declared; `changed`: it has a text that it did not have before, and is unproven."""

    new: bool
    changed: bool


class RunShape(Schema):
    """A run, without its output."""

    number: int
    guard_digest: str
    side: str = Field(description="now, failure or fix.")
    colour: Colour
    at: datetime
    seconds: float
    said: str
    remedy: str
    figures: dict[str, Any]
    target: str
    ref: str
    where: str
    environment: dict[str, Any]
    by: str
    digest: str


class RunFull(RunShape):
    """A run with the end of its output, at most 64 KiB."""

    output: str


class ProofShape(Schema):
    """A trial on a failure and on a fix. `stands`: it is a proof of the guard's present text."""

    number: int
    proven: bool
    stands: bool
    said: str
    guard_digest: str
    by: str
    at: datetime
    failure: RunShape
    fix: RunShape


class Planned(Schema):
    """It was planned; the list of runs or proofs has it when it was made."""

    guard: str
    planned: bool


class Chosen(Paging):
    """Which guards."""

    service: Name = ""
    kind: Annotated[str, StringConstraints(max_length=40)] = ""
    colour: Literal["red", "green", "broken"] | None = None

    @property
    def filters(self) -> dict[str, Any]:
        """What the store is asked for."""
        return {name: value for name in ("service", "kind", "colour") if (value := getattr(self, name))}


class Declaring(Shape):
    """A guard's text, and what it watches over."""

    kind: KindName
    spec: Annotated[dict[Name, Any], Field(description="The fields of its kind: docs/reference/guards.md.")]
    service: Name = ""
    every: Annotated[int, Field(ge=0, le=31 * 86_400, strict=True)] = 0
    measures: Annotated[list[MeasureRef], Field(max_length=50)] = []
    origin: Literal["api", "repository", "terminal"] = "api"
    place: Annotated[Line, Field(description="Where in the repository it is declared.")] = ""


class Retiring(Shape):
    """Why a guard goes out of service."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=4_000)]


class Tying(Shape):
    """Which measure."""

    measure: MeasureRef


class Untying(Tying):
    """Which measure, and why."""

    reason: Annotated[str, StringConstraints(max_length=4_000)] = ""


class Proving(Shape):
    """What shows the failure and what shows it gone: a recording, a window of time, a version."""

    failure: Words
    fix: Words


class RunSent(Shape):
    """A run that a runner made. `key`: sent twice under the same key, it is kept once."""

    key: Key
    colour: Colour
    said: Annotated[str, StringConstraints(max_length=SAID)]
    remedy: Annotated[str, StringConstraints(max_length=SAID)] = ""
    output: Annotated[str, StringConstraints(max_length=OUTPUT)] = ""
    figures: Figures = {}
    environment: Around = {}
    at: Moment
    seconds: Annotated[float, Field(ge=0, le=1e6, strict=True)] = 0.0
    kind: Literal["now", "recording", "window", "ref", "version"] = "now"
    target: Annotated[Line, Field(description="What it ran on, in words.")] = "now"
    ref: Annotated[Name, Field(description="Commit or version: two colours on one are flaky.")] = ""

    def ran(self) -> commands.Ran:
        """As the commands take it."""
        outcome = Outcome(
            self.colour, self.said, self.remedy, self.output, figures=self.figures, environment=self.environment
        )
        target = Target(self.kind, self.target or "now", ref=self.ref)
        return commands.Ran(outcome, target, at=self.at, seconds=self.seconds, where="check", key=f"run:{self.key}")


class ResultSent(RunSent):
    """A regular run of a guard, and the digest of the text that ran."""

    guard: GuardName
    digest: Digest


class TrialSent(Shape):
    """A trial of a guard's text with that digest."""

    digest: Digest
    failure: RunSent
    fix: RunSent


class ReportSent(Shape):
    """Results of the guards of one service."""

    service: Name
    results: Annotated[list[ResultSent], Field(max_length=500)]


class Unkept(Schema):
    """Why a result was not kept."""

    what: str
    why: str
    remedy: str


class TakenShape(Schema):
    """What became of a result. `present`: the text that ran is the guard's present one; otherwise the run changes nothing."""

    guard: str
    kept: bool
    present: bool
    colour: str
    flaky: bool
    problem: Unkept | None


class Report(Schema):
    """What became of each result, in the order in which they were sent."""

    results: list[TakenShape]


def found(name: str) -> Guard:
    """A guard by its name; NotFound."""
    guard = store.guard_named(name)
    if guard is None:
        raise NotFound(f"There is no guard {name}.", remedy="`unrepeat guard list` shows the guards there are.")
    return guard


def run_of(name: str, number: int) -> Run:
    """A run of this guard; NotFound."""
    run = store.run(number)
    if run.guard_id != found(name).pk:
        raise NotFound(f"The guard {name} has no run {number}.")
    return run


def plain(guards: list[Guard]) -> list[dict[str, Any]]:
    """Guards as JSON has them."""
    over = watched.watched(guard.pk for guard in guards)
    made = ("safe", "proven", "measures")
    return [
        {name: getattr(guard, name) for name in GuardShape.model_fields if name not in made}
        | {
            "safe": kind_of(guard.kind).SAFE,
            "proven": bool(guard.proven_digest) and guard.proven_digest == guard.digest,
            "measures": [{f: getattr(one, f) for f in WatchedShape.model_fields} for one in over.get(guard.pk, [])],
        }
        for guard in guards
    ]


def run_plain(row: Run) -> dict[str, Any]:
    """A run as JSON has it."""
    return {name: getattr(row, name) for name in RunShape.model_fields if name != "number"} | {"number": row.pk}


def run_full(row: Run) -> dict[str, Any]:
    """A run with its output."""
    return run_plain(row) | {"output": row.output}


def proof_plain(row: Proof, guard: Guard) -> dict[str, Any]:
    """A trial as JSON has it."""
    own = {name: getattr(row, name) for name in ("proven", "said", "guard_digest", "by", "at")}
    stands = row.proven and guard.proven_digest == guard.digest == row.guard_digest
    return own | {"number": row.pk, "stands": stands, "failure": run_plain(row.failure), "fix": run_plain(row.fix)}
