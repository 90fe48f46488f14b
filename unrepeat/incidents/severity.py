"""How bad an alert is: the words that monitoring uses, and the severity each of them means here. Pure."""

from __future__ import annotations

SEVERITIES = ("critical", "major", "minor", "info")  # worst first

MEANS = {
    "critical": ("critical", "crit", "page", "fatal", "emergency", "disaster", "sev0", "sev1", "p0", "p1"),
    "major": ("major", "high", "error", "err", "alert", "urgent", "sev2", "p2"),
    "minor": ("minor", "warning", "warn", "medium", "average", "low", "ticket", "sev3", "p3"),
    "info": ("info", "information", "informational", "notice", "debug", "none", "ok", "sev4", "sev5", "p4", "p5"),
}
"""Severity -> the labels that mean it, whatever their case."""

UNKNOWN = "major"
"""What a label that stands nowhere above means, and no label at all: better looked at than overheard."""

_OF = {label: severity for severity, labels in MEANS.items() for label in labels}


def severity_of(label: str) -> str:
    """The severity that an alert's label means."""
    return _OF.get(label.strip().lower(), UNKNOWN)


def worse(one: str, other: str) -> bool:
    """Whether `one` is worse than `other`; a word that is no severity is the least."""
    return _rank(one) < _rank(other)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
