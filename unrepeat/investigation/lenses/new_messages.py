"""Error messages and exception types that nobody had said before the harm, and who said one first."""

from __future__ import annotations

import math
from collections import defaultdict

from unrepeat.investigation.lenses._findings import Finding
from unrepeat.investigation.lenses._logs import BAD, template, window
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._tables import LogLine

TITLE = "New messages in logs"
_LONGEST = 100


def look(scene: Scene) -> list[Finding]:
    """One finding a service that says something new; the one that said so first is meant most."""
    start, end = window(scene)
    known = {(line.service, template(line.text)) for line in scene.tables.log_lines if line.at < start}
    new: dict[str, list[LogLine]] = defaultdict(list)
    for line in scene.tables.log_lines:
        said = start <= line.at <= end and line.severity.upper() in BAD and line.text
        if said and (line.service, template(line.text)) not in known:
            new[line.service].append(line)
    if not new:
        return []
    first = min(new, key=lambda service: min(line.at for line in new[service]))
    return [_finding(scene, service, lines, first=service == first) for service, lines in new.items()]


def _finding(scene: Scene, service: str, lines: list[LogLine], *, first: bool) -> Finding:
    began = min(lines, key=lambda line: line.at)
    text = began.text if len(began.text) <= _LONGEST else began.text[: _LONGEST - 1] + "…"
    order = " It was the first to say something new." if first else ""
    return Finding(
        lens="new_messages",
        kind="service",
        subject=service,
        service=service,
        score=math.log1p(len(lines)) * (1.0 if first else scene.weights.logs.passed_on),
        sentence=f"{service} logs what it never logged before: “{text}”.{order}",
        direction="new",
        onset=began.at,
        source=("logs",),
    )
