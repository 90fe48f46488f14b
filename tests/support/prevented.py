"""What people did after the outage of 12 August: causes, measures with guards, proofs, and a regression, as a log."""

from __future__ import annotations

from datetime import datetime

from tests.support.outage import at, outage
from unrepeat.incidents import entries as e
from unrepeat.incidents.entries import Entry

ALERT, LOAD = 7, 8  # guards
TEXT, RED, GREEN, TURNED = (digit * 64 for digit in "a1c4")
Story = list[tuple[datetime, str, Entry]]


def causes() -> Story:
    """Why it happened, by Ada: one of them her risk, one of them nobody's."""
    return [
        (at("19:00"), "Ada", e.CauseNamed(1, "trigger", "deploy", "sessions 2.0 brought session tracking")),
        (at("19:00"), "Ada", e.CauseNamed(2, "cause", "software_defect", "Tracked sessions are never released")),
        (at("19:01"), "Ada", e.CauseNamed(3, "factor", "late_detection", "Nothing watched memory that grows")),
        (at("19:01"), "Ada", e.CauseNamed(4, "factor", "no_staged_rollout", "2.0 went to all visitors at once")),
        (at("19:01"), "Ada", e.CauseNamed(5, "factor", "missing_validation", "No test ran long enough")),
        (at("19:02"), "Ada", e.RiskAccepted(4, "One process serves all sessions")),
    ]


def answered() -> Story:
    """The measures get their effect and what they answer; a ticket."""
    return [
        (
            at("19:10"),
            "Ada",
            e.MeasureAmended(1, "improvement", "Alert on memory that grows", "Ben", "2024-08-19", "detect", (3,)),
        ),
        (at("19:11"), "Ada", e.MeasureAmended(3, "task", "Release what a session holds", "Dana", "", "prevent", (2,))),
        (at("19:12"), "Ada", e.TicketLinked(3, "github", "#41", "https://git.example/sessions/issues/41")),
    ]


def guarded() -> Story:
    """One guard is proven and watches over measure 1; another was tried in vain, and watches over measure 3. Both are done."""
    day = 14
    return [
        (at("10:00", day), "Ben", e.GuardTied(1, ALERT, "sessions-memory-grows", "alert_backtest", TEXT)),
        (at("10:00", day), "Dana", e.GuardTied(3, LOAD, "sessions-load-test", "load_test", "b" * 64)),
        (
            at("10:01", day),
            "Ben",
            e.GuardProven(
                ALERT,
                TEXT,
                RED,
                GREEN,
                "Red on the failure, green on the fix: it would have caught it.",
                "2024-08-12-memory-leak",
                "2024-08-12-after-the-patch",
                "It fires at 14:44, 31 min before the alert.",
                "It stays silent.",
                at("10:00", day),
                at("10:01", day),
            ),
        ),
        (
            at("10:02", day),
            "Dana",
            e.GuardNotProven(LOAD, "b" * 64, "Green on both: it would not have caught it."),
        ),
        (at("11:00", day), "Ben", e.MeasureDone(1, "The rule is in the rule repository.")),
        (at("11:00", day), "Dana", e.MeasureDone(3)),
        (at("11:05", day), "unrepeat", e.GuardTurned(ALERT, TEXT, "green", GREEN, "It fires in time.")),
    ]


def prevented() -> Story:
    """The outage and all that people did afterwards."""
    return [*outage(), *causes(), *answered(), *guarded()]


def regressed() -> Story:
    """Later the guard turns red, and then green by itself: nobody has closed that yet. It came back, too."""
    return [
        *prevented(),
        (at("09:00", 20), "unrepeat", e.GuardTurned(ALERT, TEXT, "red", TURNED, "The rule is gone from prometheus.")),
        (at("10:00", 20), "unrepeat", e.GuardTurned(ALERT, TEXT, "green", GREEN, "It fires in time.")),
        (at("11:00", 21), "unrepeat", e.RepeatedBy(77, "The shop is slow again")),
    ]
