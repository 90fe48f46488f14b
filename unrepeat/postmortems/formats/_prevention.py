"""The parts of the Markdown that are about causes, measures, guards, proofs and repeats."""

from __future__ import annotations

from datetime import datetime

from unrepeat.postmortems import prevention_words as said
from unrepeat.postmortems.plain import code, markdown
from unrepeat.postmortems.prevented import GuardFact, MeasureFact
from unrepeat.postmortems.report import Facts, Report
from unrepeat.support import words

_MARK = {"verified": "✓", "failed": "■", "done": "◐", "open": "·", "dropped": "·"}
_COLOUR = {"red": "■", "green": "✓", "broken": "◐", "": "·"}


def today(report: Report) -> list[str]:
    """How the measures stand at the time of the export, and what has regressed since; nothing without measures."""
    now, zone = report.today, report.facts.zone
    if now is None or not (now.standing or now.returned):
        return []
    lines = [f"> **Regressed.** {markdown(said.regression(m, zone))}{_run(m)}" for m in now.regressed]
    lines += [f"> **Not verified any more.** {markdown(said.silence(m, g, zone))}" for m, g in now.silent]
    lines += [
        f"> **It came back** in incident {r.incident}{f' (“{markdown(r.title)}”)' if r.title else ''}."
        for r in now.returned
    ]
    if now.standing:
        lines.append(f"> **Measures today:** {said.tally(now, zone)}.")
    lines += [
        f"> Guard {markdown(g.name)}: {_COLOUR[g.colour]} {said.colour(g, zone)}; {'proven' if g.proven else 'not proven'}."
        for g in now.guards
    ]
    lines.append(f"> As of {said.moment(now.at, zone)}; the report below says how things stood when it was made.")
    return ["\n>\n".join(lines)]


def causes(facts: Facts) -> list[str]:
    """Trigger, root causes and contributing factors, each with what answers it."""
    parts: list[str] = []
    for role, title in (("trigger", "Trigger"), ("cause", "Root causes"), ("factor", "Contributing factors")):
        found = [c for c in facts.causes if c.role == role]
        if found:
            parts += [f"#### {title}", "\n".join(_item(said.cause(c), said.answer(c)) for c in found)]
    return parts


def seen_before(facts: Facts) -> list[str]:
    """Past failures that this one is, or likely is."""
    if not facts.repeats:
        return []
    lines = [f"- **PM-{r.postmortem}**{markdown(said.seen_before(r))}" for r in facts.repeats]
    return ["### Seen before", "\n".join(lines)]


def measures(facts: Facts, of_kind: tuple[MeasureFact, ...], what: str) -> str:
    """A table of improvements or of tasks."""
    if not of_kind:
        return f"No {what} has been proposed yet."
    rows = [_row(m, facts) for m in of_kind]
    return "\n".join(
        ["| | What | Owner | Due | State | Guard and proof |", "| --- | --- | --- | --- | --- | --- |", *rows]
    )


def without_a_measure(facts: Facts) -> list[str]:
    """Causes that nothing answers, and risks that somebody bears."""
    parts: list[str] = []
    if facts.gaps:
        parts += [
            "### Gaps",
            "\n".join(_item(f"{said.ROLES[c.role]}: {said.cause(c)}", said.answer(c)) for c in facts.gaps),
        ]
    if borne := [c for c in facts.causes if c.accepted]:
        lines = [
            _item(f"{said.ROLES[c.role]}: {said.cause(c)}", f"Accepted by {c.accepted_by}: {c.accepted}") for c in borne
        ]
        parts += ["### Accepted risks", "\n".join(lines)]
    return parts


def dropped(facts: Facts) -> list[str]:
    """Measures that will not be done, and why."""
    if not facts.dropped:
        return []
    return [f"Dropped: {'; '.join(f'{markdown(m.text)} ({markdown(m.dropped)})' for m in facts.dropped)}."]


def proofs(facts: Facts) -> list[str]:
    """Each guard with its two runs: what they ran on, what they said, when, and their digests."""
    if not facts.guards:
        return []
    return ["#### Guards and their proofs", "\n".join(_proof(g, facts.zone) for g in facts.guards)]


def _item(text: str, more: str) -> str:
    return f"- {markdown(text)}{f'  {chr(10)}  {markdown(more)}' if more else ''}"


def _row(measure: MeasureFact, facts: Facts) -> str:
    guards = {g.number: g for g in facts.guards}
    about = said.about(measure, facts.causes)
    ticket = f" ({_ticket(measure)})" if measure.ticket else ""
    what = f"{markdown(measure.text)}{f' *{markdown(about)}*' if about else ''}{ticket}"
    since = said.state(measure, facts.zone)
    state = f"{_MARK[measure.state]} {said.STATES[measure.state]}{f', {markdown(since)}' if since else ''}"
    watch = " ".join(
        f"{markdown(guards[n].name)} ({markdown(said.kind(guards[n]))}). {markdown(said.proof(guards[n], facts.zone))}"
        for n in measure.guards
        if n in guards
    )
    cells = (
        f"M{measure.number}",
        what,
        markdown(measure.owner) or "nobody yet",
        markdown(words.dated(measure.due)) or "no date yet",
        state,
        watch or "no guard yet",
    )
    return f"| {' | '.join(cells)} |"


def _ticket(measure: MeasureFact) -> str:
    name = markdown(measure.ticket)
    return f"[{name}](<{measure.ticket_url.replace('<', '%3C').replace('>', '%3E')}>)" if measure.ticket_url else name


def _run(measure: MeasureFact) -> str:
    found = measure.regression
    return f" Run {code(found.run)}." if found and found.run else ""


def _proof(guard: GuardFact, zone: str) -> str:
    lines = [
        f"- **{markdown(guard.name)}** ({markdown(said.kind(guard))}), text {code(guard.digest)}. {markdown(said.guard(guard, zone))}"
    ]
    if guard.proven:
        lines += [
            f"  ■ red on {markdown(guard.failure or 'the failure')}{_when(guard.red_at, zone)}: {markdown(guard.red_said)} Run {code(guard.red)}",
            f"  ✓ green on {markdown(guard.fix or 'the fix')}{_when(guard.green_at, zone)}: {markdown(guard.green_said)} Run {code(guard.green)}",
        ]
    if guard.colour:
        run = f" Run {code(guard.run)}" if guard.run else ""
        lines.append(
            f"  In service: {_COLOUR[guard.colour]} {said.colour(guard, zone)}. {markdown(guard.run_said)}{run}"
        )
    return "  \n".join(lines)


def _when(at: datetime | None, zone: str) -> str:
    return f", {said.moment(at, zone)}" if at else ""
