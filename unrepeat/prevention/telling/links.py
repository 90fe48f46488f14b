"""Where things stand in the pages, as whole addresses: for what leaves the server."""

from __future__ import annotations

from unrepeat.support.config import config


def incident(number: int) -> str:
    """The incident's page."""
    return f"{_home()}/incidents/{number}"


def measure(incident: int, number: int) -> str:
    """The measure's page."""
    return f"{_home()}/incidents/{incident}/measures/{number}"


def measures() -> str:
    """The board of all measures."""
    return f"{_home()}/measures"


def guards() -> str:
    """The list of all guards."""
    return f"{_home()}/guards"


def report(number: int) -> str:
    """The postmortem's page."""
    return f"{_home()}/postmortems/{number}"


def _home() -> str:
    return config().base_url.rstrip("/")
