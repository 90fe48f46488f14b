"""Callers of the API: people with tokens, and a database with a bit of everything in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client

from unrepeat.arrivals.models import Alert, Change, Delivery, Source
from unrepeat.arrivals.occurrences import place
from unrepeat.duty.commands import load_catalogue
from unrepeat.incidents import acts, commands
from unrepeat.postmortems import commands as postmortems
from unrepeat.support import clock, secret
from unrepeat.web.models import ApiToken, User

CATALOGUE = """
[teams.checkout]
title = "Checkout"
[services.sessions]
team = "checkout"
[services.shop]
team = "checkout"
depends_on = ["sessions"]
"""


@dataclass
class Filled:
    """What `a_filled_database` made."""

    admin_token: str
    responder_token: str
    reader_token: str
    incident: int
    report: int


class Api:
    """A program that speaks to the API with a token (or without one)."""

    def __init__(self, token: str | None = None) -> None:
        self._client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def send(self, method: str, path: str, body: Any = None, **headers: str):
        """The answer to a request; `body` is sent as JSON, bytes as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        kind = headers.pop("content_type", "application/json")
        return self._client.generic(
            method.upper(), f"/api/v1{path}", raw, content_type=kind, headers={**self._headers, **headers}
        )

    def get(self, path: str, **headers: str):
        """The answer to a GET."""
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str):
        """The answer to a POST."""
        return self.send("POST", path, body, **headers)


def person(name: str, role: str, *, number: int | None = None) -> str:
    """Make a person and return a token of theirs."""
    user = User.objects.create_user(name, role=role)
    token = secret.new_token()
    ApiToken.objects.create(
        pk=number, user=user, name="tests", hash=secret.hashed(token), role=role, made_at=clock.now()
    )
    return token


def a_filled_database() -> Filled:
    """The cast with tokens, the catalogue, an open incident with a log, a published report, alerts, a change, and a delivery
    that nobody can read.
    """
    now = clock.now()
    load_catalogue(CATALOGUE)
    source = Source.objects.create(name="prometheus", kind="alertmanager", made_at=now)
    Delivery.objects.create(
        source=source, key=b"1", received_at=now, headers={}, body=b"no json \xff", state=2, reason="It is not JSON."
    )
    for number in (1, 2):
        Alert.objects.create(
            source=source,
            key=f"f{number}",
            **place(source.pk, f"f{number}", now - timedelta(minutes=number)),
            starts_at=now - timedelta(minutes=number),
            name="High memory usage",
            service="sessions",
            severity="critical",
            first_seen_at=now,
            last_seen_at=now,
            news=False,
        )
    Change.objects.create(
        source=source, key="d1", kind="deploy", service="sessions", version="2.0", status="succeeded", at=now,
        first_seen_at=now, news=False,
    )  # fmt: skip
    incident = commands.open_incident("The shop is slow", service="sessions", severity="critical", by="Ada")
    commands.perform(incident, acts.Note("Memory grows"), by="Ada")
    commands.perform(incident, acts.RaiseSuspect("sessions", "service", "it holds 4 GB"), by="Ben")
    over = commands.open_incident("The shop was slow last week", service="shop", severity="major", by="Ben")
    commands.perform(over, acts.Resolve("the patch is out, memory is flat"), by="Ben")
    report, _ = postmortems.draft(over)
    postmortems.write(report, "cause", "Sessions were never let go.", by="Ada")
    postmortems.publish(report, by="Ada")
    return Filled(
        admin_token=person("Ada", "admin", number=987_654_321),
        responder_token=person("Ben", "responder"),
        reader_token=person("Cleo", "reader"),
        incident=incident,
        report=report,
    )
