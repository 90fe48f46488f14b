"""The only reads and writes of the duty room's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unrepeat.duty.models import Contact, Dependency, Service, Team
from unrepeat.support import clock

Columns = dict[str, Any]


def services() -> list[Service]:
    """All services by name, with their teams and what they need."""
    return list(Service.objects.select_related("team").prefetch_related("dependencies__needs").order_by("name"))


def service(name: str) -> Service | None:
    """The service by that name."""
    found = Service.objects.select_related("team").prefetch_related("dependencies__needs", "dependents__service")
    return found.filter(name=name).first()


def teams() -> list[Team]:
    """All teams by name, with their services."""
    return list(Team.objects.prefetch_related("services").order_by("name"))


def edges() -> list[tuple[str, str]]:
    """Every dependency as (service, what it needs)."""
    return list(Dependency.objects.values_list("service__name", "needs__name"))


def keep_team(name: str, columns: Columns) -> tuple[Team, bool]:
    """Make or bring up to date; the second value says whether it is new."""
    return Team.objects.update_or_create(name=name, defaults=columns)


def keep_service(name: str, columns: Columns) -> tuple[Service, bool]:
    """Make or bring up to date; the second value says whether it is new."""
    return Service.objects.update_or_create(
        name=name, defaults=columns, create_defaults={**columns, "known_since": clock.now()}
    )


def keep_needs(needs: Mapping[str, list[str]]) -> None:
    """Each of these services depends on exactly the named ones from now on."""
    ids = dict(Service.objects.values_list("name", "id"))
    Dependency.objects.filter(service__name__in=needs).delete()
    Dependency.objects.bulk_create(
        Dependency(service_id=ids[name], needs_id=ids[other]) for name, others in needs.items() for other in others
    )


def names() -> tuple[set[str], set[str]]:
    """The names of all teams and of all services."""
    return set(Team.objects.values_list("name", flat=True)), set(Service.objects.values_list("name", flat=True))


def contact(name: str) -> str:
    """The address of the person of that name, written so or in other case; empty when it is not known."""
    found = Contact.objects.filter(name=name).first() or Contact.objects.filter(name__iexact=name).first()
    return found.email if found else ""


def keep_contact(name: str, email: str) -> None:
    """A person's address from now on; empty: none any more."""
    if email:
        Contact.objects.update_or_create(name=name, defaults={"email": email})
    else:
        Contact.objects.filter(name=name).delete()


def team_called(name: str) -> Team | None:
    """The team of that name or title, in whatever case."""
    return Team.objects.filter(name__iexact=name).first() or Team.objects.filter(title__iexact=name).first()
