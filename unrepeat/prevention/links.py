"""Where things stand in the pages, as whole addresses: for what leaves the server."""

from __future__ import annotations

from unrepeat.support.config import config


def incident(number: int) -> str:
    """The incident's page."""
    return f"{_home()}/incidents/{number}"


def report(number: int) -> str:
    """The postmortem's page."""
    return f"{_home()}/postmortems/{number}"


def _home() -> str:
    return config().base_url.rstrip("/")
