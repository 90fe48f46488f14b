"""Reads `weights.toml`: every number that decides how suspects are ranked, in one file that people can read and change."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import msgspec

HERE = Path(__file__).with_name("weights.toml")


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rows count as quiet and which as harm."""

    lead_rows: int
    lead_share: float
    lead_seconds: float
    horizon_rows: int
    horizon_seconds: float
    worst_share: float
    tail: float
    band: float


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a number went, as a strength."""

    cap: float
    worth_saying: float
    few_requests: float
    recovered: float
    harm_power: float
    again: float
    cause: float
    symptom: float


class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a service is cleared."""

    own_share: float
    explained: float
    own_fault: float


class Edges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Time between caller and callee."""

    least_seconds: float
    floor: float
    peer_spread: float
    peers: int
    few_calls: float
    most: float
    callees: int


class OwnTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Own time of operations."""

    least_seconds: float
    floor: float
    few_calls: float
    on_the_way: float


class Operations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Operations that stop or start."""

    worth_saying: float
    gone: float
    few_calls: float
    steady: float
    skipped: float
    skipped_weight: float


class Logs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Errors in logs."""

    worth_saying: float
    passed_up: float
    passed_on: float


class Pods(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New pods against old pods."""

    grace_seconds: float
    old_seen: float
    new_seen: float
    idle: float
    silent: float
    unused: float
    worth_saying: float
    floor: float
    measures: dict[str, float]


class Diffs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a diff does."""

    most: float
    idle: float
    words: float
    untouched: float


class Load(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Causes from outside."""

    services: int
    least_share: float
    times: float
    slack: float
    follows: float
    expired: float
    machine_full: float


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes as suspects."""

    late_seconds: float
    unread: float
    prompt: float
    prompt_seconds: float
    at_place: float
    outside: float
    inert: float
    anywhere: float
    neighbour: float
    fade_seconds: float
    old: float
    not_deployed: float
    guilty: float
    kinds: dict[str, float]


class Leak(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shape of a leak."""

    trend: float
    steady: float
    by_load: float
    share: float
    break_rows: float
    busier: float
    slack: float


class Saturation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ran full."""

    full: float
    room: float
    strength: float


class Restarts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Processes that started again."""

    worth_saying: float
    strength: float


class Missing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers that stop."""

    usually: float
    numbers: int
    rows: int
    most: float
    everywhere: float
    strength: float


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be said aloud."""

    suspect: float
    guilty: float
    second: float


class Say(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is written into a log."""

    service: float
    returns: float
    change: float
    beside: int
    numbers: int
    samples: int
    worse: float
    often: int


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of `weights.toml`."""

    window: Window
    score: Score
    clear: Clear
    edges: Edges
    own_time: OwnTime
    operations: Operations
    logs: Logs
    leak: Leak
    saturation: Saturation
    missing: Missing
    restarts: Restarts
    pods: Pods
    diffs: Diffs
    load: Load
    changes: Changes
    verdict: Limits
    say: Say
    resources: dict[str, float]
    faint: dict[str, float]
    lenses: dict[str, float]


def read(text: str) -> Weights:
    """Weights from TOML text; raises `msgspec.ValidationError` that names the key that is wrong."""
    return msgspec.convert(tomllib.loads(text), Weights)


@cache
def weights() -> Weights:
    """The weights that are shipped."""
    return read(HERE.read_text(encoding="utf-8"))
