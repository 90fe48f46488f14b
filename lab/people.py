"""What people did on 12 August 2024, at the report's offsets. Their words hold only numbers that were measured in this run.

Ada leads, Ben is on call, Dana is of the team that wrote the session service. One second of the lab is one minute of
the report, so nobody here speaks of seconds or minutes that have passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lab.measure import Database, LoadBalancer, Readings, Sessions

Tell = tuple[str, str, dict[str, Any]]
"""Who, which act, its fields."""

PEOPLE = ("Ada", "Ben", "Dana")
MEMORY = "memory of sessions"
CHANGE = "sessions 2.0"


@dataclass(frozen=True, slots=True)
class Before:
    """The same readings on the healthy shop, before the deploy: what there is to compare with."""

    database: Database
    load_balancer: LoadBalancer
    sessions: Sessions


@dataclass(frozen=True, slots=True)
class Scene:
    """What people can look at."""

    now: Readings
    before: Before


def on_call(scene: Scene) -> Iterator[Tell]:
    """+2: the on-call engineer is there."""
    yield "Ben", "acknowledge", {}
    yield "Ben", "hand_role", {"role": "lead", "to": "Ada"}


def blame(scene: Scene) -> Iterator[Tell]:
    """+5: the usual suspect."""
    shop = scene.now.shop()
    yield "Ada", "note", {"text": "Is it the database again?"}
    reason = f"One shop request in a hundred takes {shop.p99_seconds:.2f} s or more, and every page reads from it."
    yield "Ada", "raise_suspect", _suspect("database", "service", reason)


def database_cleared(scene: Scene) -> Iterator[Tell]:
    """+20: it was not the database; next in line is the load balancer."""
    now, before = scene.now.database(), scene.before.database
    reason = (
        f"A probe query takes it {now.probe_ms:.2f} ms ({before.probe_ms:.2f} ms before the outage), "
        f"{now.active} connections are at work and {now.lock_waits} wait for a lock."
    )
    yield "Ben", "clear_suspect", _suspect("database", "service", reason)
    balancer, quiet = scene.now.load_balancer(), scene.before.load_balancer
    reason = (
        f"Every slow request passes through it; up to {balancer.connections} open connections now, "
        f"{quiet.connections} before the outage."
    )
    yield "Ben", "raise_suspect", _suspect("load-balancer", "service", reason)


def memory(scene: Scene) -> Iterator[Tell]:
    """+45: the servers' metrics."""
    now, quiet = scene.now.sessions(), scene.before.sessions
    balancer, before = scene.now.load_balancer(), scene.before.load_balancer
    text = (
        f"Server metrics point to a memory leak: the session service holds {now.megabytes:.0f} MB "
        f"({quiet.megabytes:.0f} MB before the outage; its budget is {now.budget_megabytes:.0f} MB)."
    )
    yield "Ada", "note", {"text": text}
    reason = (
        f"{balancer.dropped} dropped connections, {balancer.megabytes:.0f} MB ({before.megabytes:.0f} MB before the "
        f"outage), {balancer.core_percent:.1f} % of a core. Requests wait behind the load balancer, not in it."
    )
    yield "Ben", "clear_suspect", _suspect("load-balancer", "service", reason)
    reason = (
        f"It has grown from {quiet.megabytes:.0f} MB to {now.megabytes:.0f} MB; the load balancer's from "
        f"{before.megabytes:.0f} MB to {balancer.megabytes:.0f} MB."
    )
    yield "Ada", "raise_suspect", _suspect(MEMORY, "indicator", reason)


def main_suspect(scene: Scene) -> Iterator[Tell]:
    """+65: the session service and its new feature."""
    now = scene.now.sessions()
    shop = scene.now.shop()
    reason = (
        f"It holds {now.megabytes:.0f} MB. Of the {shop.p99_seconds:.2f} s that one shop request in a hundred takes, "
        f"calls of the session service take {shop.session_p99_seconds:.2f} s."
    )
    yield "Ada", "raise_suspect", _suspect("sessions", "service", reason)
    reason = (
        "The last change before the alert. It brought session tracking, and the service now remembers "
        f"{now.tracked} visits for {now.live} live sessions."
    )
    yield "Ada", "raise_suspect", _suspect(CHANGE, "change", reason)


def developers(scene: Scene) -> Iterator[Tell]:
    """+90: to those who built it."""
    now = scene.now.sessions()
    reason = (
        f"The session service holds {now.megabytes:.0f} MB with your release 2.0; with 1.4 it held "
        f"{scene.before.sessions.megabytes:.0f} MB. Please find out what holds the memory."
    )
    yield "Ada", "escalate", {"team": "sessions-team", "reason": reason}


def confirmed(scene: Scene) -> Iterator[Tell]:
    """+120: the leak is found."""
    now, shop = scene.now.sessions(), scene.now.shop()
    leak = "A memory leak: when a session ends, only the newest of its tracked visits is released; all the others stay for ever."
    change = "It brought session tracking, and with it the leak; release 1.4 tracks nothing."
    indicator = f"It is filled by visits that are never released: {now.tracked} are held for {now.live} live sessions."
    harm = (
        f"Why the shop is slow: each checkpoint writes out all of these visits while callers wait; the last one took "
        f"{now.checkpoint_seconds:.1f} s. Why purchases fail: a click that timed out was carried out all the same, and the "
        f"buyer's next one is refused by the guard against paying twice ({shop.refused} refused so far)."
    )
    yield "Dana", "convict_suspect", _suspect("sessions", "service", leak)
    yield "Dana", "convict_suspect", _suspect(CHANGE, "change", change)
    yield "Dana", "convict_suspect", _suspect(MEMORY, "indicator", indicator)
    yield "Dana", "note", {"text": harm}
    title = "The day the memory leak struck: a slow shop and lost purchases"
    yield "Ada", "retitle", {"title": title}


def _suspect(suspect: str, kind: str, reason: str) -> dict[str, Any]:
    return {"suspect": suspect, "kind": kind, "reason": reason}


STEPS: tuple[tuple[float, Callable[[Scene], Iterator[Tell]]], ...] = (
    (2, on_call),
    (5, blame),
    (20, database_cleared),
    (45, memory),
    (65, main_suspect),
    (90, developers),
    (120, confirmed),
)
PATCH_AT = 150.0
RESOLVE_AT = 165.0
