"""What the report says has to change: three improvements and five tasks, each with an owner, a due date and the causes it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Measure:
    """One proposal; due `days` after the outage. `answers`: numbers of causes, as `afterwards.py` names them."""

    kind: str
    text: str
    owner: str
    days: int
    effect: str = ""
    answers: tuple[int, ...] = ()

    def args(self, today: date) -> dict[str, Any]:
        """The fields of the act `propose_measure`."""
        due = (today + timedelta(days=self.days)).isoformat()
        said: dict[str, Any] = {"kind": self.kind, "text": self.text, "owner": self.owner, "due": due}
        if self.effect:
            said["effect"] = self.effect
        if self.answers:
            said["answers"] = list(self.answers)
        return said


MEASURES = (
    Measure(
        "improvement",
        "Code review: whatever is kept per session must be released when the session ends, and a test has to show it "
        "(hold 1,000 sessions, end them, count what is left: 0).",
        "Dana",
        14,
        "prevent",
        (2,),
    ),
    Measure(
        "improvement",
        "Monitoring: an alert speaks when the session service's memory keeps growing, well before 80 % of its budget; "
        "replayed over 12 August it must fire before the first slow request.",
        "Ben",
        7,
        "detect",
        (4,),
    ),
    Measure(
        "improvement",
        "Load testing: every release of the session service runs under shop traffic until its memory has been flat for "
        "as long as it was warming up; a release whose memory still grows is not deployed.",
        "Dana",
        21,
        "prevent",
        (2, 5),
    ),
    Measure(
        "task",
        "Patch the nginx servers and review their session handling (keep-alive, buffers); done when their memory under "
        "the load test is no higher than before.",
        "Ben",
        14,
        "mitigate",
    ),
    Measure(
        "task",
        "Add the session service's memory and its tracked visits per live session to the APM dashboards, with the "
        "memory budget drawn in.",
        "Ben",
        7,
        "detect",
        (4,),
    ),
    Measure(
        "task",
        "Review and refactor the session service: one place that lets go of a session and of everything kept for it; "
        "the checkpoint no longer makes callers wait; begin and reserve can be repeated safely.",
        "Dana",
        30,
        "prevent",
        (2, 3),
    ),
    Measure("task", "Hold a post-incident review with the sessions team and write down what it brings.", "Ada", 7),
    Measure(
        "task",
        "Document best practices for memory in the development guidelines: who releases what, how to test it, how to "
        "watch it.",
        "Dana",
        21,
        "prevent",
        (5,),
    ),
)
