"""The world that the browser looks at: the outage of 12 August, published; one outage going on; one that nobody has taken; the
shop's catalogue, sources, people. Run as `python -m tests.browser.world`, in the environment of the server that will show it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import datetime, timedelta

PASSWORD = "correct horse battery staple"
PEOPLE = (("Ada", "admin"), ("Ben", "responder"), ("Cleo", "reader"))


def main() -> None:
    """Fill the database of this environment; prints what the tests need to know."""
    import django

    django.setup()
    from tests.browser import world_prevention
    from tests.support.world import CATALOGUE
    from unrepeat.duty import commands as duty
    from unrepeat.web.models import User

    for name, role in PEOPLE:
        person = User(username=name, email=f"{name.lower()}@shop.example", role=role)
        person.set_password(PASSWORD)
        person.save()
    User.objects.create(username="Dana", email="dana@shop.example", role="responder", is_active=False)
    duty.load_catalogue(CATALOGUE)
    past = _past_outage()
    world_prevention.causes_and_measures(past)
    published = _published(past)
    draft = _draft()
    world_prevention.older_outages()
    prevention = world_prevention.guards(past, _draft_incident())
    world_prevention.nights(published)
    world_prevention.trackers()
    known = {
        "past": past,
        "published": published,
        "draft": draft,
        "going_on": _going_on(),
        "untaken": _untaken(),
        **prevention,
        **_sources(),
        **_tokens(),
    }
    sys.stdout.write(json.dumps(known) + "\n")


def _past_outage() -> int:
    from tests.support import outage
    from unrepeat.incidents import commands
    from unrepeat.incidents import entries as e
    from unrepeat.incidents.entries import Happened
    from unrepeat.investigation import store

    query = 'process_resident_memory_bytes{job="sessions"}'
    digest = store.keep(
        source=outage.SOURCE,
        query=query,
        window_from=outage.at("14:15"),
        window_to=outage.at("18:15"),
        data=outage.memory(),
    )
    told = []
    for at, by, entry in outage.outage():
        kept = entry
        if isinstance(entry, e.EvidenceGathered):
            kept = replace(entry, digest=digest)
        if isinstance(entry, e.SuspectConvicted) and entry.suspect == "sessions 2.0":
            kept = replace(entry, evidence=(digest,))
        told.append(Happened(kept, at, by))
    return commands.begin(told, by="unrepeat", at=outage.at("15:15"))


def _published(incident: int) -> int:
    from unrepeat.postmortems import commands

    number, _ = commands.draft(incident)
    commands.write(number, "headline", "The day the session service kept everything", by="Ada")
    commands.write(number, "summary", "Customers found the shop slow, and some could not pay.", by="Ben")
    summary = (
        "On Monday customers found the shop **slow for two hours and three quarters**, and some purchases failed.\n\n"
        "A new feature kept every visitor’s session in memory for ever. It was taken out the same day."
    )
    commands.write(number, "summary", summary, by="Ada")
    commands.publish(number, by="Ada")
    return number


def _draft() -> int:
    from unrepeat.incidents import acts, commands
    from unrepeat.postmortems import commands as postmortems
    from unrepeat.support import clock

    at = clock.now() - timedelta(days=3)
    number = commands.open_incident(
        "Orders of one hour were mailed twice", service="billing", severity="minor", by="Ben", at=at
    )
    commands.perform(number, acts.Acknowledge(), by="Ben", at=at + timedelta(minutes=4))
    commands.perform(
        number,
        acts.Resolve("the mailer was stopped, its queue emptied by hand"),
        by="Ben",
        at=at + timedelta(minutes=52),
    )
    return postmortems.draft(number)[0]


def _draft_incident() -> int:
    """The incident of the draft."""
    from unrepeat.incidents.models import Incident

    return Incident.objects.get(title__startswith="Orders of one hour").pk


def _going_on() -> int:
    from tests.support import world
    from unrepeat.incidents import acts, commands
    from unrepeat.incidents import entries as e
    from unrepeat.incidents.entries import Happened
    from unrepeat.support import clock

    begun = clock.now() - timedelta(hours=2, minutes=6)

    def after(minutes: float) -> datetime:
        return begun + timedelta(minutes=minutes)

    firing = world.alert(
        name="High memory usage", at=begun, summary="resident memory is 341 MB, 81 % of the budget of 420 MB"
    )
    second = world.alert(
        service="shop",
        name="Pages are slow",
        at=after(19),
        severity="major",
        summary="p95 is 2.4 s, over 1 s for 5 minutes",
    )
    shipped = world.change(at=after(-47), version="2.0")
    cache = world.change(service="shop", at=after(-15), version="3.11.2")
    from unrepeat.arrivals.models import Alert, Change

    Alert.objects.update(news=False)
    Change.objects.update(news=False)
    number = commands.begin(
        [
            Happened(e.IncidentOpened("High memory usage on sessions", "critical", "sessions", "UTC", "new"), begun),
            Happened(
                e.AlertFired(
                    firing.pk,
                    firing.name,
                    "sessions",
                    "critical",
                    firing.summary,
                    "prometheus",
                    "https://prometheus.example/graph",
                ),
                begun,
                "prometheus",
            ),
            Happened(
                e.ChangeNoticed(
                    shipped.pk,
                    "deploy",
                    "succeeded",
                    "sessions",
                    "2.0",
                    "1.4",
                    "session tracking",
                    "Dana",
                    "https://ci.example/4179",
                ),
                after(-47),
                "ci",
            ),
            Happened(
                e.ChangeNoticed(cache.pk, "deploy", "succeeded", "shop", "3.11.2", "3.11.1", "", "Ben"),
                after(-15),
                "ci",
            ),
        ],
        by="unrepeat",
        at=begun,
    )
    doing: list[tuple[acts.Act, str, float]] = [
        (acts.Acknowledge(), "Ben", 2),
        (acts.HandRole("lead", "Ada"), "Ben", 3),
        (acts.Retitle("Shop slow, some purchases fail: the session service runs out of memory"), "Ada", 4),
        (acts.RaiseSuspect("database", "service", "slow queries were the cause last time"), "Ben", 6),
        (acts.Note("Is it the database again? Query times look as ever."), "Ada", 12),
        (acts.ClearSuspect("database", "service", "p95 query time 3.1 ms, same as last week"), "Ada", 20),
        (acts.RaiseSuspect("load balancer", "service", "pages wait somewhere in front of the shop"), "Ben", 34),
        (acts.ClearSuspect("load balancer", "service", "it only waits for the shop"), "Ben", 58),
        (acts.RaiseSuspect("sessions 2.0", "change", "memory has grown 2.5 MB a minute since its deploy"), "Ada", 71),
        (acts.Escalate("sessions-team", "memory keeps growing and we did not write it"), "Ada", 90),
    ]
    for act, by, minutes in doing:
        commands.perform(number, act, by=by, at=after(minutes))
    pages = [
        e.AlertFired(
            second.pk, second.name, "shop", "major", second.summary, "prometheus", "", "the shop needs sessions"
        )
    ]
    commands.append(number, [*pages], by="prometheus", at=after(19))
    return number


def _untaken() -> int:
    from unrepeat.incidents import commands
    from unrepeat.support import clock

    return commands.open_incident(
        "Invoices of today are not sent",
        service="billing",
        severity="major",
        by="Ben",
        at=clock.now() - timedelta(minutes=3),
    )


def _sources() -> dict[str, str]:
    from unrepeat.arrivals import commands

    token = commands.add_source("alertmanager", "alertmanager")
    commands.add_source("github-shop", "github", secret="a-long-enough-secret")
    return {"intake": f"/in/alertmanager/{token}"}


def _tokens() -> dict[str, str]:
    from unrepeat.web.models import User
    from unrepeat.web.tokens import add_token

    return {
        f"token_{role}": add_token(User.objects.get(role=role, is_active=True), "tests", role=role)[1]
        for _, role in PEOPLE
    }


if __name__ == "__main__":
    main()
