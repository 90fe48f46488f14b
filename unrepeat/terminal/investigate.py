"""`unrepeat investigate`: who is under suspicion, who is cleared and why, of an incident or of a recorded outage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console
from rich.markup import escape

from unrepeat.support.problems import Problem

if TYPE_CHECKING:
    from unrepeat.arrivals.records import ChangeSeen
    from unrepeat.investigation.catalogue import Place
    from unrepeat.investigation.investigate import Investigation, Subject
    from unrepeat.investigation.telemetry import Telemetry

app = App(name="investigate", help="Look for suspects: of an incident, or of a recorded outage.")
MARKS = {"suspect": "◐", "cleared": "○"}


@app.default
def investigate(
    what: Annotated[str, Parameter(help="The folder of a recording, or the number of an incident.")],
    *,
    after: Annotated[float, Parameter(help="Minutes after the alert at which a recording is looked at.")] = 0.0,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, for programs.")] = False,
) -> None:
    """Look at the numbers round the alert of WHAT now, and say who stands out; nothing is written into any log."""
    folder = Path(what)
    if folder.is_dir():
        found = _of_recording(folder, after)
    elif what.removeprefix("INC-").isdigit():
        found = _of_incident(int(what.removeprefix("INC-")))
    else:
        raise Problem(
            f"“{what}” is neither a folder nor the number of an incident.",
            "There is no such folder here.",
            "Name the folder of a recording, or a number from `unrepeat incident list`.",
        )
    if as_json:
        print(json.dumps(_as_json(found), ensure_ascii=False, indent=2))
    else:
        _tell(found, Console(highlight=False, soft_wrap=True))


def _of_incident(number: int) -> Investigation:
    from unrepeat.incidents import queries
    from unrepeat.investigation import investigating
    from unrepeat.investigation.investigate import investigate as look
    from unrepeat.investigation.investigate import subject_of
    from unrepeat.investigation.telemetry import telemetry
    from unrepeat.investigation.telemetry.trace_source import trace_source
    from unrepeat.support import clock

    subject = subject_of(queries.state_of(number))
    if subject is None:
        raise Problem(
            f"Incident {number} names no service.",
            "So there is nothing whose numbers could be looked at.",
            "Name a suspect, or look again when an alert has joined.",
        )
    return look(telemetry(), subject, investigating.places_of(subject), clock.now(), trace_source())


def _of_recording(folder: Path, after: float) -> Investigation:
    from datetime import timedelta

    from unrepeat.investigation.investigate import investigate as look
    from unrepeat.investigation.telemetry.recording import RecordedMetrics
    from unrepeat.investigation.telemetry.trace_source import recorded
    from unrepeat.support import clock

    told = _Told.read(folder)
    at = told.subject.alert + timedelta(minutes=after, seconds=1)
    with clock.using(lambda: at):
        source: Telemetry = RecordedMetrics(folder)
        return look(source, told.subject, told.places, at, recorded(folder))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the deliveries of a recording tell: its first alert, its changes, and the services of its catalogue."""

    subject: Subject
    places: list[Place]

    @classmethod
    def read(cls, folder: Path) -> _Told:
        from unrepeat.arrivals.kind import source_kind
        from unrepeat.duty import catalogue as duty
        from unrepeat.investigation import catalogue
        from unrepeat.investigation.investigate import Subject, places
        from unrepeat.investigation.lenses import Change
        from unrepeat.terminal._replaying import Recording

        recording = Recording.open(folder)
        alerts: list[tuple[datetime, str]] = []
        changes: list[ChangeSeen] = []
        for happening in recording.happenings:
            line = happening.delivery
            if line is not None:
                reading = source_kind(line["kind"]).read(line["body"].encode(), line.get("headers", {}), happening.at)
                alerts += [(one.starts_at or happening.at, one.service) for one in reading.alerts if one.service]
                changes += reading.changes
        if not alerts:
            raise Problem(
                f"The recording {folder.name} has no alert that names a service.",
                "So nobody knows what to look at.",
                "Label alerts with their service.",
            )
        alert, service = min(alerts)
        services = duty.read(recording.catalogue).services if recording.catalogue else {}
        graph: dict[str, set[str]] = {}
        for name, one in services.items():
            for other in one.depends_on:
                graph.setdefault(name, set()).add(other)
                graph.setdefault(other, set()).add(name)
        around = catalogue.around([service], graph)
        return cls(
            Subject(
                alert,
                (service,),
                tuple(
                    Change(
                        one.key,
                        one.service,
                        one.at.timestamp(),
                        one.kind,
                        " ".join(part for part in (one.service, one.version) if part) or one.summary or one.key,
                    )
                    for one in changes
                    if one.status != "failed" and (not one.service or one.service in around)
                ),
            ),
            places(
                around,
                {name: one.labels for name, one in services.items()},
                {name: one.depends_on for name, one in services.items()},
            ),
        )


def _as_json(found: Investigation) -> dict[str, Any]:
    from unrepeat.investigation.investigate import question

    view = found.view
    asked = [question(view, column) if view else None for one in found.said for column in one.columns]
    return {
        "alert": found.subject.alert.isoformat(),
        "window": [view.start.isoformat(), view.end.isoformat()] if view else None,
        "source": view.source if view else None,
        "not_seen": found.reason or None,
        "missing": dict(found.missing),
        "verdict": found.ranking.verdict.sentence if found.ranking else None,
        "look_next": found.next_line or None,
        "said": [
            {
                "verdict": one.verdict,
                "kind": one.kind,
                "name": one.name,
                "why": one.reason,
                "columns": list(one.columns),
            }
            for one in found.said
        ],
        "evidence": sorted({one.query for one in asked if one is not None}),
        "call_graph": view.graph.said if view else None,
        "series_of": {name: dict(one.labels) for name, one in view.answers.items() if one.labels} if view else {},
    }


def _tell(found: Investigation, console: Console) -> None:
    alert = found.subject.alert
    console.print(f"Alert at {alert:%Y-%m-%d %H:%M:%S} UTC on {escape(', '.join(found.subject.services))}.")
    if found.view is not None and found.ranking is not None:
        console.print(f"Looked at {_numbers(found)} from {_clock(found.view.start)} to {_clock(found.view.end)} UTC.")
    if found.reason:
        console.print(f"Nothing could be seen: {escape(found.reason)}.")
    for one in found.said:
        console.print(f"\n{MARKS[one.verdict]} [bold]{escape(one.name)}[/bold] ({one.kind}): {one.verdict}")
        console.print(f"  {escape(one.reason)}")
        for query in _queries(found, one.columns):
            console.print(f"  [dim]{escape(query)}[/dim]")
    if found.ranking is not None:
        console.print(f"\n{escape(found.ranking.verdict.sentence)}")
        console.print(f"Next: {escape(found.next_line)}")
    for service, reason in found.missing.items():
        console.print(f"{escape(service)} could not be seen: {escape(reason)}.")
    if found.view is not None:
        console.print(escape(found.view.graph.said))
    _tell_guesses(found, console)


def _tell_guesses(found: Investigation, console: Console) -> None:
    """By which labels the series were found, where the catalogue did not say so."""
    answers = found.view.answers.values() if found.view else ()
    guessed = sorted({name for one in answers if one.labels and not one.place.labels for name in one.labels})
    if guessed:
        console.print(
            f"Series were found by a guess, the label {' or '.join(guessed)}; `labels` in the catalogue corrects it."
        )


def _queries(found: Investigation, columns: tuple[str, ...]) -> list[str]:
    from unrepeat.investigation.investigate import question

    asked = [question(found.view, column) for column in columns] if found.view else []
    return [one.query for one in asked if one is not None]


def _numbers(found: Investigation) -> str:
    view = found.view
    assert view is not None
    seen = sum(1 for answer in view.answers.values() if answer.labels)
    return f"{len(view.columns)} numbers of {seen} service{'' if seen == 1 else 's'}"


def _clock(at: datetime) -> str:
    return f"{at:%H:%M}"
