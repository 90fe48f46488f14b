"""The visible rules by which labels become a service, a severity and a summary. The same for every source that has labels."""

from __future__ import annotations

from collections.abc import Mapping

from unrepeat.arrivals.body import LONGEST, text

SERVICE_LABELS = ("service", "service_name", "app", "application", "app_kubernetes_io_name", "job")
"""The first of these labels that is there names the service."""
SEVERITY_LABELS = ("severity", "level", "priority")
"""The first of these labels that is there is the severity, as the sender wrote it."""
SUMMARY_ANNOTATIONS = ("summary", "description", "message", "title")
"""The first of these annotations that is there is the summary."""


def service_of(labels: Mapping[str, str]) -> str:
    """The service that the labels name, or ""."""
    return _first(labels, SERVICE_LABELS)


def severity_of(labels: Mapping[str, str]) -> str:
    """The severity that the labels name, or ""."""
    return _first(labels, SEVERITY_LABELS)


def summary_of(annotations: Mapping[str, str]) -> str:
    """What the annotations say in one text, or ""."""
    return _first(annotations, SUMMARY_ANNOTATIONS)


def _first(values: Mapping[str, str], names: tuple[str, ...]) -> str:
    for name in names:
        if found := values.get(name):
            return found if len(found) <= LONGEST else text(found)
    return ""
