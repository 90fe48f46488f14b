"""Whether this happened before: the box on the incident's page, then and now side by side, and a repeat that a person names."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from unrepeat.incidents import queries as incidents
from unrepeat.incidents.models import Incident
from unrepeat.incidents.state import Repeat, State
from unrepeat.postmortems import library
from unrepeat.postmortems import queries as reports
from unrepeat.prevention.repeats import comparing, past
from unrepeat.prevention.repeats import matching as repeats
from unrepeat.support import clock, words
from unrepeat.support.problems import Invalid
from unrepeat.web.access import Role, caller_of, needs

_ORDER = {"confirmed": 0, "likely": 1, "possible": 2}


@dataclass(frozen=True, slots=True)
class Seen:
    """A past failure that an incident is like, as the box shows it. `open_now`: its measures that do not stop it, as of now."""

    repeat: Repeat
    day: str  # `12 Aug 2024`; empty: not known
    open_now: int
    draft: bool

    @property
    def by_hand(self) -> bool:
        """Whether a person named it, not the machine."""
        return self.repeat.reasons == (repeats.BY_A_PERSON,)


@dataclass(frozen=True, slots=True)
class SeenBox:
    """All of them, the surest first, and what people have rejected."""

    shown: list[Seen]
    rejected: list[Repeat]


def seen_before(state: State) -> SeenBox:
    """The box of an incident in this state."""
    shown = [one for one in state.repeats.values() if one.standing in _ORDER]
    shown.sort(key=lambda one: (_ORDER[one.standing], -one.score))
    published = reports.published(one.postmortem for one in shown)
    undone = incidents.measures_in({one.incident for one in shown}, past.UNDONE)
    return SeenBox(
        [
            Seen(one, words.dated(one.began), undone.get(one.incident, 0), one.postmortem not in published)
            for one in shown
        ],
        [one for one in state.repeats.values() if one.standing == "rejected"],
    )


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a report: the past failures that it was, the incidents in which it came back, related reports."""

    repeats: list[Repeat]
    came_back: list[Incident]
    related: list[library.RelatedReport]


def beside(postmortem: int, state: State) -> Beside:
    """What stands beside this report of an incident in this state."""
    return Beside(
        [one for one in state.repeats.values() if one.standing == "confirmed"],
        [incidents.incident(number) for number in sorted(state.repeated_by, reverse=True)[:20]],
        library.related(postmortem),
    )


@needs(Role.READER)
@require_safe
def compare(request: HttpRequest, number: int, postmortem: int) -> HttpResponse:
    """An incident and a past failure side by side."""
    context = {
        "number": number,
        "compared": comparing.compare(number, postmortem),
        "state": incidents.state_of(number),
        "now": clock.now(),
    }
    return render(request, "pages/compare.html", context)


@needs(Role.RESPONDER)
@require_POST
def name(request: HttpRequest, number: int) -> HttpResponse:
    """A person says that this is a repeat of a report, also one that the machine did not see."""
    given = request.POST.get("postmortem", "").strip().upper().removeprefix("PM-").strip()
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise Invalid(
            "That is no report.", "A report has a number.", "Write it as it stands in the library: PM-12, or 12."
        )
    repeats.name_repeat(number, int(given), by=caller_of(request).name, reason=request.POST.get("reason", ""))
    return redirect(f"{reverse('incident', args=[number])}#seen")
