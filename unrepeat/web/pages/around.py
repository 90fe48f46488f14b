"""The names that forms offer."""

from __future__ import annotations

from unrepeat.duty import queries as duty
from unrepeat.web.models import User
from unrepeat.web.pages.act_choices import Around

MOST = 200  # people and services


def names_around() -> Around:
    """The teams, people and services there are."""
    people = User.objects.filter(is_active=True).order_by("username").values_list("username", flat=True)[:MOST]
    return Around(
        teams=tuple(team.name for team in duty.teams()),
        people=tuple(people),
        services=tuple(service.name for service in duty.services())[:MOST],
    )
