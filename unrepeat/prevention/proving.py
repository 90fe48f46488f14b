"""Whether two runs are a proof, and in which words. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unrepeat.incidents.entries import Colour


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a trial on the failure and on the fix came to."""

    proven: bool
    said: str


_SAID: dict[tuple[Colour, Colour], str] = {
    ("red", "green"): "Red on the failure, green on the fix: it would have caught it.",
    ("green", "green"): "Green on both: it would not have caught it.",
    ("red", "red"): "Red on both: it cannot tell the fix from the failure.",
    ("green", "red"): "Green on the failure and red on the fix: it is the wrong way round.",
    ("broken", "green"): "It could not run on the failure, so nothing is proven.",
    ("broken", "red"): "It could not run on the failure and was red on the fix, so nothing is proven.",
    ("red", "broken"): "Red on the failure, but it could not run on the fix, so nothing is proven.",
    ("green", "broken"): "Green on the failure, and it could not run on the fix: nothing is proven.",
    ("broken", "broken"): "It could not run on either side, so nothing is proven.",
}


def verdict(failure: Colour, fix: Colour) -> Verdict:
    """What these two colours say: only red on the failure and green on the fix is a proof."""
    return Verdict((failure, fix) == ("red", "green"), _SAID[failure, fix])


def digest_of(kind: str, spec: Mapping[str, Any]) -> str:
    """The digest of a guard's text: SHA-256 (hex) of its kind and of its fields in canonical JSON."""
    return digest({"kind": kind, "spec": spec})


def digest(what: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of canonical JSON."""
    return hashlib.sha256(json.dumps(what, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()
