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


class Clear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a service is cleared."""

    own_share: float


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


class Operations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Operations that stop or start."""

    worth_saying: float


class Logs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Errors in logs."""

    worth_saying: float
    passed_up: float
    passed_on: float


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of `weights.toml`."""

    window: Window
    score: Score
    clear: Clear
    edges: Edges
    own_time: OwnTime
    operations: Operations
    logs: Logs
    resources: dict[str, float]
    lenses: dict[str, float]


def read(text: str) -> Weights:
    """Weights from TOML text; raises `msgspec.ValidationError` that names the key that is wrong."""
    return msgspec.convert(tomllib.loads(text), Weights)


@cache
def weights() -> Weights:
    """The weights that are shipped."""
    return read(HERE.read_text(encoding="utf-8"))
