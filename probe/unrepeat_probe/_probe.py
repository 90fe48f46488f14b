"""The probe behind the public face."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Probe:
    """A running probe. `watches` names what it measures; it is empty in this release."""

    service: str
    version: str = ""
    watches: tuple[str, ...] = ()

    def stop(self) -> None:
        """Stop watching. Calling it twice is harmless."""


def start(service: str, *, version: str = "") -> Probe:
    """Begin to watch this process as `service`; returns the probe, whose `watches` says what it measures."""
    return Probe(service, version)
