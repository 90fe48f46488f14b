"""The report as Markdown (CommonMark, tables as GitHub draws them), made to read well raw. Figures are SVG.

`document(report)` gives the text and the SVG files beside it that it links to (the form for a folder or a repository);
`render(report)` gives one file, in which figures are told in words. Every name from outside is escaped, and people's prose has lost
raw HTML and script links.
"""

from __future__ import annotations

from dataclasses import dataclass

from unrepeat.postmortems import hurt, sentences, times
from unrepeat.postmortems.formats import _prevention as prevention
from unrepeat.postmortems.formats.html import picture_file
from unrepeat.postmortems.formats.prose import to_markdown
from unrepeat.postmortems.plain import code, fenced, markdown
from unrepeat.postmortems.report import Facts, Figure, ImpactFact, Line, Report
from unrepeat.support import words
from unrepeat.support.shares import interval, percent

_MARK = {
    "alert": "■",
    "page": "▲",
    "change": "◆",
    "suspect": "◐",
    "cleared": "○",
    "guilty": "●",
    "verified": "✓",
    "note": "·",
}
_ROLE = {"trigger": " — **the change that brought it**", "patch": " — **the patch that ended it**", "": ""}


@dataclass(frozen=True, slots=True)
class Document:
    """The Markdown and the files beside it, by name."""

    text: str
    files: dict[str, str]


def document(report: Report, *, figures_in: str = "", drawn: bool = True) -> Document:
    """The report; `figures_in` is the folder of its SVG files as the links name it (empty: beside the text).

    Not `drawn`: figures are told in words, and there are no files.
    """
    facts = report.facts
    folder = f"{figures_in.rstrip('/')}/" if figures_in else ""
    parts = [
        f"# {markdown(report.headline)}",
        _status(report),
        *prevention.today(report),
        "## Issue Summary",
        _facts(facts),
        to_markdown(report.prose["summary"].text),
        "## Timeline",
        to_markdown(report.prose["timeline"].text),
        _timeline_note(facts),
        *_timeline(facts),
        "## Root Cause and Resolution",
        "### Root cause",
        to_markdown(report.prose["cause"].text),
        *prevention.causes(facts),
        "### Resolution",
        to_markdown(report.prose["resolution"].text),
        *_suspects(facts),
        *prevention.seen_before(facts),
        "## Corrective and Preventative Measures",
        to_markdown(report.prose["measures"].text),
        "### Improvements",
        prevention.measures(facts, facts.improvements, "improvement"),
        "### Tasks",
        prevention.measures(facts, facts.tasks, "task"),
        *prevention.without_a_measure(facts),
        *prevention.dropped(facts),
        "## Figures",
        *(_figure(number, figure, folder if drawn else None) for number, figure in enumerate(report.figures, start=1)),
        "### Appendix: sources and notes",
        _appendix(report),
        *_query(facts),
        *prevention.proofs(facts),
    ]
    files = {_file(figure): picture_file(figure.svg) for figure in report.figures if figure.svg and drawn}
    return Document("\n\n".join(part for part in parts if part) + "\n", files)


def render(report: Report) -> str:
    """The report as one file: each figure is told in words, since Markdown readers draw no SVG that stands in the text."""
    return document(report, drawn=False).text


def _status(report: Report) -> str:
    if report.revision:
        return f"PM-{report.number} · published, revision {report.revision} · {times.full(report.at, report.facts)} · by {markdown(report.by)}"
    return f"PM-{report.number} · draft · made from the log of incident {report.facts.incident}, entries 1 to {report.facts.last_seq}"


def _facts(facts: Facts) -> str:
    standing = f" ({sentences.STANDING[facts.standing]})" if facts.guilty else ""
    lines = [
        f"- **Duration:** {sentences.duration(facts)}",
        f"- **Impact:** {markdown(sentences.impact(facts))}",
        f"- **Root cause:** {markdown(sentences.root_cause(facts))}{standing}",
    ]
    if facts.trigger:
        lines.append(
            f"- **Brought by:** {markdown(facts.trigger.name)}, {times.full(facts.trigger.at, facts)}{_named(facts.trigger.named, 'before the alert')}"
        )
    if facts.patch:
        lines.append(
            f"- **Ended by:** {markdown(facts.patch.name)}, {times.full(facts.patch.at, facts)}{_named(facts.patch.named, 'before all was well')}"
        )
    return "\n".join(lines)


def _named(named: bool, when: str) -> str:
    return "" if named else f" (taken from order and service: the last change {when})"


def _timeline_note(facts: Facts) -> str:
    left = ", ".join(f"{what} ({count})" for what, count in facts.left_out)
    note = f"All times {words.zone_name(facts.started_at, facts.zone)}. From the log of incident {facts.incident}."
    return f"*{note}{f' Left out, and kept in the log: {left}.' if left else ''}*"


def _timeline(facts: Facts) -> list[str]:
    parts: list[str] = []
    lines: list[str] = []
    day = ""
    for line in facts.timeline:
        if (its_day := words.day(line.at, facts.zone)) != day:
            parts += ["\n".join(lines), f"### {its_day}"]
            day, lines = its_day, []
        lines.append(_line(line, facts))
    return [part for part in [*parts, "\n".join(lines)] if part]


def _line(line: Line, facts: Facts) -> str:
    key = f"**{markdown(line.key)}** " if line.key else ""
    why = f"  \n  {markdown(line.why)}" if line.why else ""
    link = f" ([source](<{line.url.replace('<', '%3C').replace('>', '%3E')}>))" if line.url else ""
    return (
        f"- {times.clock(line.at, facts)} {_MARK.get(line.mark, '·')} {key}{markdown(line.said)}".rstrip()
        + f"{_ROLE[line.role]}{why}{link}"
    )


def _suspects(facts: Facts) -> list[str]:
    if not facts.suspects:
        return []
    rows = [
        f"| {_cell(s.name)} ({s.kind}) | {_MARK[s.verdict]} {s.verdict} | {_cell(s.reason) or 'no reason given'} | {times.when(s.decided_at, facts)} |"
        for s in facts.suspects
    ]
    return ["### Suspects", "\n".join(["| Suspect | Verdict | Why | When |", "| --- | --- | --- | --- |", *rows])]


def _cell(text: str) -> str:
    return markdown(text)


def _file(figure: Figure) -> str:
    return f"{figure.name}.svg"


def _figure(number: int, figure: Figure, folder: str | None) -> str:
    source = f" Source: {code(figure.source)}." if figure.source else ""
    if figure.missing:
        return f"**Figure {number}.** {markdown(figure.title)}: {markdown(figure.missing)}.{source}"
    if folder is None:
        return f"**Figure {number}.** {markdown(figure.caption)}{source}\n\n{markdown(figure.alt)}"
    return f"![{markdown(figure.title)}]({folder}{_file(figure)})\n\n**Figure {number}.** {markdown(figure.caption)}{source}"


def _appendix(report: Report) -> str:
    facts = report.facts
    lines = [f"- Facts: the log of incident {facts.incident}, entries 1 to {facts.last_seq}."]
    lines += [_counted(facts, facts.impact)] if facts.impact else []
    lines += [
        f"- {markdown(e.title)}: {code(e.query)}, {times.full(e.window_from, facts)} to {times.full(e.window_to, facts)}."
        f" {markdown(e.source)}. Stored result SHA-256 `{e.digest}`"
        for e in facts.evidence
    ]
    lines += [f"- {markdown(note)}" for note in facts.notes]
    lines += [f"- {markdown(title)}: not measured, {markdown(reason)}." for title, reason in facts.missing]
    if report.digest:
        lines.append(f"- This revision is frozen. SHA-256 over its facts, prose and figures: `{report.digest}`")
    return "\n".join(lines)


def _counted(facts: Facts, impact: ImpactFact) -> str:
    """Where the numbers of those who were hurt come from."""
    shares = "".join(
        f"  \n  {markdown(s.name)}: {s.numerator} of {s.denominator} {markdown(s.unit)}, {percent(s.numerator, s.denominator)}"
        f" (95 % interval {interval(s.low, s.high)})"
        for s in hurt.shares(impact)
    )
    return (
        f"- Who was hurt: counted in {markdown(impact.source)}, {times.full(impact.window_from, facts)} to {times.full(impact.window_to, facts)};"
        f" {markdown(hurt.threshold(impact))}. {hurt.unreadable(impact)}".rstrip()
        + f"{shares}  \n  Stored result SHA-256 `{impact.digest}`; the query stands below"
    )


def _query(facts: Facts) -> list[str]:
    if facts.impact is None or not facts.impact.query:
        return []
    return ["#### The query that counted who was hurt", fenced(facts.impact.query, "sql")]
