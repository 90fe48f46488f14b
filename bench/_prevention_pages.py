"""How long the server works on each page of prevention, on the database that stands, in a process of its own; and its patrol."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import django

from bench._prevention_patrol import patrol


def main(argv: list[str]) -> None:
    """`TIMES SECONDS PORT`: each page so often, the patrol so long (0: not at all); prints both as JSON."""
    times, seconds, port = map(int, argv)
    django.setup()
    answer: dict[str, Any] = {"pages": _pages(times)}
    if seconds:
        answer["patrol"] = patrol(seconds, port)
    print(json.dumps(answer))


def _pages(times: int) -> dict[str, dict[str, float]]:
    from django.test import Client

    from unrepeat.incidents.models import Incident
    from unrepeat.prevention.models import Guard
    from unrepeat.web.models import User

    client = Client()
    person, _ = User.objects.get_or_create(username="ada", defaults={"role": User.Role.ADMIN})
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    guards, incidents = Guard.objects.count(), Incident.objects.count()
    pages: dict[str, Callable[[int], str]] = {
        "measures board": lambda _: "/measures",
        "measures list": lambda i: f"/measures?view=list&page={1 + i * 7}",
        "measures, last page": lambda _: "/measures?view=list&page=100000",
        "measures of one": lambda i: f"/measures?owner=owner-{i}",
        "measures of a service": lambda i: f"/measures?service=service-{i}",
        "guards": lambda i: f"/guards?page={1 + i * 11}",
        "guards, last page": lambda _: "/guards?page=100000",
        "guards, red": lambda _: "/guards?colour=red",
        "guards by name": lambda i: f"/guards?text=rd-{i}9",
        "guard": lambda i: f"/guards/guard-{i * 241 % guards}",
        "measure": lambda i: f"/incidents/{1 + i * 241 % incidents}/measures/1",
        "coverage": lambda i: f"/coverage?page={1 + i % 40}",
        "insights": lambda _: "/insights",
    }
    return {page: _timed(client, address_of, times) for page, address_of in pages.items()}


def _timed(client: Any, address: Callable[[int], str], times: int) -> dict[str, float]:
    taken, worked = [], []
    for i in range(times + 2):
        began, before = time.perf_counter(), time.process_time()
        answer = client.get(address(i))
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200, (address(i), answer.status_code)
        if i > 1:  # the first two warm up
            taken.append(took)
            worked.append((time.process_time() - before) * 1000)
    return {
        "median": statistics.median(taken),
        "cpu": statistics.median(worked),
        "p95": sorted(taken)[int(len(taken) * 0.95)],
    }


if __name__ == "__main__":
    main(sys.argv[1:])
