"""Where guards are kept, for the terminal: the database of this machine, or a server that is asked over its API.

A server is meant when UNREPEAT_URL (or `--url`) names one; UNREPEAT_TOKEN is then the token that opens it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from unrepeat.support import http
from unrepeat.support.config import config
from unrepeat.support.problems import Problem

Plain = dict[str, Any]  # as the API's JSON has it
PAGE = 200


class Desk(Protocol):
    """What both can do. Guards, runs and proofs are as the API has them."""

    where: str

    def guards(self, service: str = "") -> list[Plain]:
        """Guards in service, by name."""

    def guard(self, name: str) -> Plain:
        """One guard; NotFound."""

    def declare(self, name: str, body: Plain) -> Plain:
        """Make a guard or give it another text."""

    def act(self, name: str, what: str, body: Plain) -> Plain:
        """Tie, untie or retire a guard."""

    def proofs(self, name: str) -> list[Plain]:
        """The newest trials."""

    def runs(self, name: str) -> list[Plain]:
        """The newest runs."""

    def report(self, service: str, results: Sequence[Plain]) -> list[Plain]:
        """Send results; what became of each."""

    def prove(self, name: str, trial: Plain) -> Plain:
        """Send a trial; the proof that it is, or is not."""


def desk(url: str = "") -> Desk:
    """The server that is named, or this machine's database."""
    address = url or config().url
    return Remote(address, config().token) if address else Local()


class Remote:
    """A server, over HTTP."""

    def __init__(self, url: str, token: str) -> None:
        self.where = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {token}"} if token else {}

    def guards(self, service: str = "") -> list[Plain]:
        """Guards in service, by name."""
        found: list[Plain] = []
        while True:
            asked = {"service": service, "page": str(len(found) // PAGE + 1), "per_page": str(PAGE)}
            answer = self.ask("GET", "/guards", params=asked)
            found += answer["items"]
            if not answer["items"] or len(found) >= answer["count"]:
                return found

    def guard(self, name: str) -> Plain:
        """One guard; NotFound."""
        return self.ask("GET", _path(name))

    def declare(self, name: str, body: Plain) -> Plain:
        """Make a guard or give it another text."""
        return self.ask("PUT", _path(name), body)

    def act(self, name: str, what: str, body: Plain) -> Plain:
        """Tie, untie or retire a guard; or let the server `run` or `prove` it."""
        return self.ask("POST", f"{_path(name)}/{what}", body)

    def proofs(self, name: str) -> list[Plain]:
        """The newest trials."""
        return list(self.ask("GET", f"{_path(name)}/proofs", params={"per_page": "10"})["items"])

    def runs(self, name: str) -> list[Plain]:
        """The newest runs."""
        return list(self.ask("GET", f"{_path(name)}/runs", params={"per_page": "10"})["items"])

    def report(self, service: str, results: Sequence[Plain]) -> list[Plain]:
        """Send results; what became of each."""
        return list(self.ask("POST", "/checks/results", {"service": service, "results": list(results)})["results"])

    def prove(self, name: str, trial: Plain) -> Plain:
        """Send a trial; the proof that it is, or is not."""
        return self.ask("POST", f"{_path(name)}/proofs", trial)

    def ask(self, method: str, path: str, body: Plain | None = None, params: Mapping[str, str] | None = None) -> Plain:
        """The answer's JSON; the server's own three sentences as a Problem when it refuses, Unreachable when it is away."""
        headers = {**self._headers, "accept": "application/json"}
        raw = None
        if body is not None:
            raw, headers["content-type"] = json.dumps(body, ensure_ascii=False).encode(), "application/json"
        answer = http.request(
            method, f"{self.where}/api/v1{path}", params=params, headers=headers, body=raw, timeout=30, tries=3,
            from_settings=True,
        )  # fmt: skip
        if answer.status >= 500:
            raise http.Unreachable(self.where, f"It answered {answer.status}.")
        said = answer.json()
        if not isinstance(said, dict):
            raise http.Unreachable(self.where, "Its answer is not one of Unrepeat's.")
        if not answer.ok:
            words = [str(said.get(part, "")) for part in ("what", "why", "remedy")]
            raise Problem(words[0] or f"It answered {answer.status}.", *words[1:], status=answer.status)
        return said


class Local:
    """The database of this machine."""

    where = "this machine's database"

    def guards(self, service: str = "") -> list[Plain]:
        """Guards in service, by name."""
        from unrepeat.prevention import store
        from unrepeat.web.api import guard_shapes

        return guard_shapes.plain(list(store.guards(**({"service": service} if service else {}))))

    def guard(self, name: str) -> Plain:
        """One guard; NotFound."""
        from unrepeat.web.api import guard_shapes

        return guard_shapes.plain([guard_shapes.found(name)])[0]

    def declare(self, name: str, body: Plain) -> Plain:
        """Make a guard or give it another text."""
        from unrepeat.prevention import commands
        from unrepeat.prevention.running import reporting
        from unrepeat.prevention.watched import measure_of

        measures = [measure_of(ref) for ref in body.get("measures", ())]
        fields = {key: value for key, value in body.items() if key != "measures"}
        made = reporting.declare(commands.Declared(name, **fields), measures, by=who())
        return self.guard(name) | {"new": made.new, "changed": made.changed}

    def act(self, name: str, what: str, body: Plain) -> Plain:
        """Tie, untie or retire a guard."""
        from unrepeat.prevention import commands
        from unrepeat.prevention.watched import measure_of
        from unrepeat.web.api import guard_shapes

        number = guard_shapes.found(name).pk
        if what == "tie":
            commands.tie(number, *measure_of(body["measure"]), by=who())
        elif what == "untie":
            commands.untie(number, *measure_of(body["measure"]), by=who(), reason=body.get("reason", ""))
        else:
            commands.retire(number, by=who(), reason=body["reason"])
        return self.guard(name)

    def proofs(self, name: str) -> list[Plain]:
        """The newest trials."""
        from unrepeat.prevention import store
        from unrepeat.web.api import guard_shapes

        found = guard_shapes.found(name)
        return [guard_shapes.proof_plain(row, found) for row in store.proofs(found.pk, 10)]

    def runs(self, name: str) -> list[Plain]:
        """The newest runs."""
        from unrepeat.prevention import store
        from unrepeat.web.api import guard_shapes

        return [guard_shapes.run_plain(row) for row in store.runs(guard_shapes.found(name).pk, 10)]

    def report(self, service: str, results: Sequence[Plain]) -> list[Plain]:
        """Keep results; what became of each."""
        from unrepeat.prevention.running import reporting
        from unrepeat.web.api import checks, guard_shapes

        sent = [guard_shapes.ResultSent(**one) for one in results]
        taken = reporting.report(
            service, [reporting.Result(one.guard, one.digest, one.ran()) for one in sent], by=who()
        )
        return [checks.taken_plain(one) for one in taken]

    def prove(self, name: str, trial: Plain) -> Plain:
        """Keep a trial."""
        from unrepeat.prevention.running import reporting
        from unrepeat.web.api import guard_shapes

        sent, found = guard_shapes.TrialSent(**trial), guard_shapes.found(name)
        made = reporting.prove(name, found.service, sent.digest, sent.failure.ran(), sent.fix.ran(), by=who())
        return guard_shapes.proof_plain(made, guard_shapes.found(name))


def who() -> str:
    """The person signed in to this machine."""
    import getpass

    return getpass.getuser()


def _path(name: str) -> str:
    return f"/guards/{quote(name, safe='')}"
