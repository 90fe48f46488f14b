"""Visitors sent by Locust to a service that is started for it: red when it is slow, fails, or keeps too much memory."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from unrepeat.prevention import kind
from unrepeat.prevention.kind import Outcome, Target, TargetKind, Tools, broken
from unrepeat.prevention.runner.checkout import Command, Inside, about_here, argv, environment, folder_in, place_in
from unrepeat.prevention.runner.locust_results import Load, read, table
from unrepeat.prevention.runner.started import Started, free_port
from unrepeat.prevention.running import processes
from unrepeat.support import http
from unrepeat.support.problems import Invalid, Problem

TITLE = "Load on a started service"
HELP = (
    "Starts a command with a free port, waits until it answers, sends visitors with a locustfile, and compares with its limits: "
    "latency, failures, memory at the end, and memory kept for each request. Red when a limit is passed. Run by `unrepeat check`."
)
SAFE = False
TARGETS: tuple[TargetKind, ...] = ("now", "ref", "version")
GRACE = 20.0  # seconds that Locust may take to start and stop, beside the load itself
FEWEST = 30  # requests after the warm-up over which memory is shared out; the noise of fewer says nothing
MOST_OUTPUT = 64 * 1024 * 1024  # bytes


class Limits(kind.Spec):
    """What the service may take; at least one."""

    p95_ms: Annotated[float | None, Field(gt=0, description="95 of 100 answers come within this (milliseconds).")] = (
        None
    )
    failure_share: Annotated[float | None, Field(ge=0, le=1, description="Failed requests of all, 0 to 1.")] = None
    memory_mb_at_end: Annotated[float | None, Field(gt=0, description="Resident memory at the end (MiB).")] = None
    memory_kb_per_request: Annotated[
        float | None, Field(ge=0, description="Growth of resident memory after warm-up, for each request (KiB).")
    ] = None

    @model_validator(mode="after")
    def _has_one(self) -> Limits:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("give at least one limit")
        return self


class Spec(kind.Spec):
    """What to start, the visitors, and the limits."""

    start: Annotated[Command, Field(description="Starts the service; {port} stands for a free port, {version} too.")]
    locustfile: Annotated[Inside, Field(description="The visitors, a file inside the checkout.")]
    limits: Annotated[Limits, Field(description="What the service may take; at least one.")]
    ready: Annotated[str, Field(pattern=r"^/", max_length=300, description="Answers 2xx once it serves.")] = "/"
    ready_seconds: Annotated[float, Field(gt=0, le=600, description="How long it may take to begin.")] = 30
    users: Annotated[int, Field(ge=1, le=10_000, description="How many come at the same time.")] = 20
    spawn_rate: Annotated[float, Field(gt=0, le=10_000, description="Users a second at the beginning.")] = 20
    seconds: Annotated[float, Field(ge=1, le=3600, description="How long they come.")] = 30
    warm_up: Annotated[
        float, Field(ge=0, le=600, description="Seconds at the start that memory growth leaves out.")
    ] = 5
    folder: Annotated[Inside, Field(description="Where to start it, inside the checkout.")] = "."

    @model_validator(mode="after")
    def _leaves_time(self) -> Spec:
        if self.warm_up >= self.seconds:
            raise ValueError("warm_up must be shorter than seconds")
        return self


def run(spec: Spec, target: Target, tools: Tools) -> Outcome:
    """Start the service, send the visitors, compare."""
    port = free_port()
    try:
        root, folder = folder_in(target), folder_in(target, spec.folder)
        words = argv(spec.start, target, port=str(port))
        if not (root / spec.locustfile).is_file():
            raise Invalid(
                f"The checkout has no {spec.locustfile}.",
                "The locustfile is not there.",
                "Mend the guard's locustfile.",
            )
        locust = _locust()
        needed = spec.ready_seconds + spec.seconds + GRACE
        if needed > tools.seconds:
            raise Invalid(
                f"The load test needs up to {needed:g} s.",
                f"It has {tools.seconds:g} s.",
                "Send load for a shorter time.",
            )
        with environment() as around, Started(words, folder, around) as service:
            try:
                _wait_until_ready(service, f"http://127.0.0.1:{port}{spec.ready}", spec.ready_seconds, words[0])
                return _loaded(spec, service, locust, port, root, around, words)
            except Problem as problem:
                return broken(f"{problem.what} {problem.why}", problem.remedy, service.output)
    except Problem as problem:
        return broken(f"{problem.what} {problem.why}", problem.remedy)
    except OSError as error:
        return broken(f"The service could not be started: {error}.", "Install it on the runner, or mend `start`.")


def _locust() -> list[str]:
    if importlib.util.find_spec("locust") is None:
        raise Invalid(
            "Locust is missing on this runner.",
            "Load tests send their visitors with it.",
            "Install it beside Unrepeat: pip install 'unrepeat[load]'.",
        )
    return [sys.executable, "-m", "locust"]


def _wait_until_ready(service: Started, url: str, seconds: float, name: str) -> None:
    until = time.monotonic() + seconds
    while True:
        if service.status is not None:
            raise Invalid(
                f"{name} ended with status {service.status} before it served.", "Its output says why.", "Mend `start`."
            )
        try:
            if http.get(url, tries=1, timeout=2, from_settings=True).ok:
                return
        except http.Unreachable:
            pass
        if time.monotonic() > until:
            raise Invalid(
                f"{name} did not answer 2xx at {url} within {seconds:g} s.",
                "It hangs, or serves elsewhere.",
                "Mend `ready` or `start` (its port must be {port}), or give it more ready_seconds.",
            )
        time.sleep(0.05)


def _loaded(
    spec: Spec, service: Started, locust: list[str], port: int, root: Path, around: dict[str, str], words: list[str]
) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="unrepeat-load-") as kept:
        results = Path(kept) / "load"
        ended = processes.run(
            [
                *locust, "--headless", "--only-summary", "--exit-code-on-error", "0", "--stop-timeout", "3",
                "--locustfile", str(root / spec.locustfile), "--host", f"http://127.0.0.1:{port}",
                "--users", str(spec.users), "--spawn-rate", str(spec.spawn_rate), "--run-time", f"{spec.seconds:g}s",
                "--csv", str(results), "--csv-full-history", "--json-file", f"{results}",
            ],
            seconds=spec.seconds + GRACE,
            folder=root,
            environment={**around, "PYTHONDONTWRITEBYTECODE": "1"},
            most_output=MOST_OUTPUT,
        )  # fmt: skip
        at_end = time.time()
        output = f"{ended.output}{table(results)}\n--- the service\n{service.output}"[-kind.OUTPUT :]
        about = about_here(words, locust=_version("locust"))
        if ended.status is None or ended.timed_out or ended.printed > MOST_OUTPUT:
            why = ended.why or ("it was late" if ended.timed_out else "it printed without end")
            return Outcome(
                "broken", f"Locust did not come to its end: {why}.", "Its output says more.", output, {}, about
            )
        if service.status is not None:
            said = f"The service ended under load, with status {service.status}."
            return Outcome("red", said, "Its output says why.", output, {}, about, place_in(service.output, root))
        load = read(results, at_end)
        if load is None or not load.requests:
            said = f"No visitor came: Locust ended with status {ended.status}."
            return Outcome("broken", said, "Mend the locustfile; the output says more.", output, {}, about)
        return _judged(spec, load, _figures(spec, load, service, at_end), output, about)


def _figures(spec: Spec, load: Load, service: Started, at_end: float) -> dict[str, float]:
    warm_at = min(load.began_at + spec.warm_up, at_end)
    warm, end = service.memory_at(warm_at), service.memory_at(min(at_end, load.ended_at))
    asked = max(1, load.requests - load.requests_at(warm_at))
    return {
        "requests": float(load.requests),
        "failures": float(load.failures),
        "failure_share": load.failures / load.requests,
        "p95_ms": load.p95_ms,
        "memory_mb_warm": round(warm / 2**20, 2),
        "memory_mb_at_end": round(end / 2**20, 2),
        "memory_kb_per_request": round((end - warm) / 1024 / asked, 3),
        "requests_after_warm_up": float(asked),
    }


def _judged(spec: Spec, load: Load, figures: dict[str, float], output: str, about: object) -> Outcome:
    limits = {name: value for name in Limits.model_fields if (value := getattr(spec.limits, name)) is not None}
    passed = [
        f"{_said(name, figures[name])} (at most {limit:g})" for name, limit in limits.items() if figures[name] > limit
    ]
    kept = [_said(name, figures[name]) for name in limits]
    environment = dict(about) if isinstance(about, dict) else {}
    if spec.limits.memory_kb_per_request is not None and figures["requests_after_warm_up"] < FEWEST:
        said = (
            f"Only {figures['requests_after_warm_up']:g} requests came after the warm-up: too few to share memory out."
        )
        return Outcome("broken", said, "Send more users, for longer.", output, figures, environment)
    if passed:
        said = f"After {load.requests} requests: {'; '.join(passed)}."
        return Outcome("red", said, "The service does not hold its limits under load.", output, figures, environment)
    if spec.limits.failure_share is None and load.failures * 2 > load.requests:
        said = f"{load.failures} of {load.requests} requests failed, so the other limits say nothing."
        return Outcome(
            "broken", said, "Mend the locustfile, or set the limit failure_share.", output, figures, environment
        )
    return Outcome("green", f"After {load.requests} requests: {'; '.join(kept)}.", "", output, figures, environment)


def _said(name: str, value: float) -> str:
    words = {
        "p95_ms": f"95 of 100 answers within {value:g} ms",
        "failure_share": f"{value:.2%} of requests failed",
        "memory_mb_at_end": f"{value:g} MiB of memory at the end",
        "memory_kb_per_request": f"{value:g} KiB of memory kept for each request",
    }
    return words[name]


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
