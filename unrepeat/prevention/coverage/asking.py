"""One question of the night: what a guard, or a rule file, says to one past outage. No database."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from unrepeat.prevention.backtest import promtool, replayed, testfile
from unrepeat.prevention.backtest.calm import REMEDY, calm_of, cried
from unrepeat.prevention.backtest.harmed import moments
from unrepeat.prevention.backtest.recorded import Folder, open_folder
from unrepeat.prevention.backtest.replayed import Fired, Rules
from unrepeat.prevention.backtest.rule import MOST_TEXT, rules_in
from unrepeat.prevention.kind import Outcome, Recorded, Target, Tools, checked
from unrepeat.prevention.running.patrol import run_safely
from unrepeat.support.problems import Invalid, Problem

Result = Literal["caught", "late", "missed", "broken", "gone"]
TOGETHER = 40  # alerts of a file in one call of promtool: what it prints is then kept whole
PATIENCE = 15.0  # seconds for one question; with a turn's seconds less than a worker's lease


@dataclass(frozen=True, slots=True)
class Question:
    """One recording, and what is run over it: a guard (its number, kind and text), or a rule file."""

    postmortem: int
    recording: Recorded
    subject: str
    name: str
    guard: int | None = None
    kind: str = ""
    spec: dict[str, Any] | None = None
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one guard or alert said to one past outage. `lead`: minutes before people knew, negative after.

    One that fires without the outage, in the recording's calm, has missed it: it has a `first`, and no `lead`.
    """

    subject: str
    name: str
    result: Result
    first: datetime | None
    lead: float | None
    said: str
    remedy: str = ""


def ask(question: Question, recordings: dict[str, Recorded], *, seconds: float = PATIENCE) -> list[Answer]:
    """Run it; never raises for what a guard, a rule file or a recording may hold. Touches no database."""
    try:
        folder = open_folder(question.recording.folder, question.recording.name)
        if question.file is not None:
            return _of_file(question, question.file, folder, seconds)
        text = checked(question.kind, question.spec or {})
    except Problem as problem:
        return [_broken(question.subject, question.name, problem)]
    target = Target("recording", question.recording.name, folder=question.recording.folder)
    outcome, _ = run_safely(question.kind, text, target, Tools(seconds, recordings))
    try:
        return [_of_guard(question, folder, outcome)]
    except Problem as problem:  # the recording has gone or was changed meanwhile
        return [_broken(question.subject, question.name, problem)]


def _of_guard(question: Question, folder: Folder, outcome: Outcome) -> Answer:
    first, since = (_moment(outcome.figures.get(name)) for name in ("fired_at", "held_since_at"))
    known = moments(folder)
    if outcome.colour != "broken" and since and (wolf := cried(folder, calm_of(folder, known), since)):
        return Answer(question.subject, question.name, "missed", first, None, wolf, REMEDY)
    lead = _lead(first, known.detected)
    result = _result(outcome, first, lead)
    return Answer(question.subject, question.name, result, first, lead, outcome.said, outcome.remedy)


def _result(outcome: Outcome, first: datetime | None, lead: float | None) -> Result:
    if outcome.colour == "broken":
        return "broken"
    if outcome.colour == "red":
        return "late" if lead is not None and lead < 0 else "caught"
    return "missed" if first is None else "late"


def _of_file(question: Question, file: Path, folder: Folder, seconds: float) -> list[Answer]:
    """What each alert of a rule file says. A Problem when the file or the recording cannot be used at all."""
    rules, alerts = _read(file)
    clocked = {name: asks for name, expr in alerts.items() if (asks := testfile.asks_the_clock([expr]))}
    said = [_clocked(question, file, name, asks) for name, asks in clocked.items()]
    others = [name for name in alerts if name not in clocked]
    if not others:
        return said
    promtool.program()
    known = moments(folder)
    calm = calm_of(folder, known)
    until = time.monotonic() + seconds
    for place in range(0, len(others), TOGETHER):
        fired = replayed.fired(
            rules, others[place : place + TOGETHER], folder, seconds=max(0.1, until - time.monotonic())
        )
        for name, one in fired.items():
            wolf = cried(folder, calm, one.since)
            said.append(_of_alert(question, file, folder, known.detected, name, one, wolf))
    return said


def _read(file: Path) -> tuple[Rules, dict[str, str]]:
    try:
        text = file.read_text(encoding="utf-8") if file.stat().st_size <= MOST_TEXT else None
        if text is not None:
            return rules_in(text)
        why = f"it is longer than {MOST_TEXT // 1024} KiB"
    except (OSError, ValueError) as error:
        why = str(error)
    raise Invalid(f"The rule file {file.name} cannot be used.", f"{why}.", "Mend the file, or UNREPEAT_RULES.")


def _of_alert(
    question: Question, file: Path, folder: Folder, known: datetime | None, alert: str, fired: Fired, wolf: str
) -> Answer:
    lead = _lead(fired.first, known)
    name = f"{alert} ({file.name})"
    if fired.first is None:
        return Answer(question.subject + alert, name, "missed", None, None, f"In {folder.name} it never fired.")
    if wolf:
        return Answer(question.subject + alert, name, "missed", fired.first, None, wolf, REMEDY)
    when = f"In {folder.name} it fired at {fired.first:%H:%M} UTC"
    if lead is None:
        return Answer(question.subject + alert, name, "caught", fired.first, None, f"{when}.")
    said = f"{when}, {abs(lead):.3g} min {'before' if lead >= 0 else 'after'} people knew."
    return Answer(question.subject + alert, name, "caught" if lead >= 0 else "late", fired.first, lead, said)


def _clocked(question: Question, file: Path, alert: str, asks: str) -> Answer:
    problem = Problem(
        f"The rule asks {asks}, which a recording cannot answer.",
        "promtool's clock begins in 1970.",
        "Let the rule compare samples with each other.",
    )
    return _broken(question.subject + alert, f"{alert} ({file.name})", problem)


def _broken(subject: str, name: str, problem: Problem) -> Answer:
    return Answer(subject, name, "broken", None, None, f"{problem.what} {problem.why}", problem.remedy)


def _moment(second: float | None) -> datetime | None:
    return None if second is None else datetime.fromtimestamp(second, UTC)


def _lead(first: datetime | None, known: datetime | None) -> float | None:
    return None if first is None or known is None else round((known - first).total_seconds() / 60, 2)
