"""How the lab speaks to Unrepeat: as Alertmanager's webhook, as a pipeline, and as people who use the API."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Protocol

import httpx

from lab.journal import Act, Delivery, Journal
from lab.parts.unrepeat import UnrepeatServer
from lab.people import PEOPLE

CATALOGUE = Path(__file__).parent / "catalogue.toml"
ADMIN = "Cleo"
PIPELINE = "pipeline"
ALERTMANAGER = "alertmanager"


class Link(Protocol):
    """Somebody to tell. Everything told is also written into the journal."""

    journal: Journal
    webhooks: list[str]

    def announce(self, change: dict[str, Any]) -> None:
        """Tell of a change, as a pipeline does."""

    def act(self, by: str, act: str, args: dict[str, Any], number: int | None = None) -> None:
        """Do something to an incident (the first one, where none is named), as a person."""

    def open_incident(self, by: str, title: str, service: str) -> int:
        """Open an incident by hand; its number, 0 where nobody listens."""

    def incidents(self) -> list[dict[str, Any]]:
        """All incidents there are."""

    def draft(self) -> dict[str, str] | None:
        """The postmortem as files (name and text), if there is one."""

    def log(self, number: int | None = None) -> list[dict[str, Any]] | None:
        """The items of an incident's log (the first one's, where none is named), if there is one."""


class OnlyJournal:
    """No Unrepeat: everything is written down and nobody listens."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.webhooks: list[str] = []

    def announce(self, change: dict[str, Any]) -> None:
        """Write it down."""
        body, headers = change, {"Content-Type": "application/json"}
        self.journal.deliveries.append(Delivery(time.time(), PIPELINE, "generic_change", headers, body))

    def act(self, by: str, act: str, args: dict[str, Any], number: int | None = None) -> None:
        """Write it down."""
        self.journal.acts.append(Act(time.time(), by, act, args))

    def open_incident(self, by: str, title: str, service: str) -> int:
        """Nobody listens."""
        return 0

    def incidents(self) -> list[dict[str, Any]]:
        """None."""
        return []

    def draft(self) -> dict[str, str] | None:
        """None."""
        return None

    def log(self, number: int | None = None) -> list[dict[str, Any]] | None:
        """None."""
        return None


class ToUnrepeat(OnlyJournal):
    """A running Unrepeat."""

    def __init__(self, server: UnrepeatServer) -> None:
        super().__init__()
        self.server = server
        self.webhooks = [server.add_source(ALERTMANAGER, "alertmanager")]
        self._pipeline = server.add_source(PIPELINE, "generic_change")
        self._tokens = {name: server.add_user(name) for name in PEOPLE}
        self._tokens[ADMIN] = server.add_user(ADMIN, "admin")
        self._http = httpx.Client(base_url=f"{server.url}/api/v1", timeout=10.0, trust_env=False)

        toml = {"toml": CATALOGUE.read_text()}
        self._http.post("/catalogue", json=toml, headers=self._as(ADMIN)).raise_for_status()

    def announce(self, change: dict[str, Any]) -> None:
        """Post it to the pipeline's source."""
        super().announce(change)
        self._http.post(self._pipeline, json=change).raise_for_status()

    def act(self, by: str, act: str, args: dict[str, Any], number: int | None = None) -> None:
        """Post it as that person."""
        super().act(by, act, args)
        number = number or self.incidents()[0]["number"]
        answer = self._http.post(f"/incidents/{number}/acts/{act}", json=args, headers=self._as(by))
        if not answer.is_success:
            raise RuntimeError(f"{by} could not {act} {args}: {answer.status_code} {answer.text}")

    def open_incident(self, by: str, title: str, service: str) -> int:
        """Post it as that person."""
        body = {"title": title, "service": service, "severity": "major"}
        answer = self._http.post("/incidents", json=body, headers=self._as(by)).raise_for_status()
        return int(answer.json()["number"])

    def incidents(self) -> list[dict[str, Any]]:
        """All incidents, oldest first."""
        items = self._get("/incidents")["items"]
        return sorted(items, key=lambda one: one["number"])

    def draft(self) -> dict[str, str] | None:
        """The first postmortem, as HTML and as Markdown."""
        items = self._get("/postmortems")["items"]
        if not items:
            return None
        page = f"/postmortems/{items[0]['number']}"
        forms = {"postmortem.html": f"{page}/html", "postmortem.md": f"{page}/markdown"}
        return {
            name: self._http.get(path, headers=self._as("Ada")).raise_for_status().text for name, path in forms.items()
        }

    def log(self, number: int | None = None) -> list[dict[str, Any]] | None:
        """The log of that incident, or of the first one."""
        numbers = [number] if number else [one["number"] for one in self.incidents()[:1]]
        return list(self._get(f"/incidents/{numbers[0]}/log")["items"]) if numbers else None

    def ask(self, by: str, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the API as that person; RuntimeError with its words when it refuses."""
        answer = self._http.request(method, path, json=body, headers=self._as(by))
        if not answer.is_success:
            raise RuntimeError(f"{by}: {method} {path} {body or ''}: {answer.status_code} {answer.text}")
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def token(self, by: str) -> str:
        """That person's token."""
        return self._tokens[by]

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._http.get(path, headers=self._as("Ada")).raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _as(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[name]}"}
