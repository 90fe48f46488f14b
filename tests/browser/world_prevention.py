"""What the browser sees of prevention: causes, measures in every state, guards with proofs and runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

RULE = """groups:
- name: sessions
  rules:
  - alert: SessionMemoryGrows
    expr: deriv(process_resident_memory_bytes{job="sessions"}[10m]) > 2e6
    for: 5m
"""


def causes_and_measures(past: int) -> None:
    """Why the outage of 12 August happened, and how far its measures are."""
    from tests.support import outage
    from unrepeat.incidents import acts, commands

    said: list[tuple[acts.Act, str, str]] = [
        (acts.NameCause("trigger", "deploy", "sessions 2.0 was deployed"), "Ada", "18:10"),
        (acts.NameCause("cause", "software_defect", "Tracked sessions are never let go"), "Ada", "18:11"),
        (acts.NameCause("factor", "late_detection", "Only a fixed limit on memory was watched"), "Ben", "18:12"),
        (acts.NameCause("factor", "no_staged_rollout", "The release went to all processes at once"), "Ben", "18:13"),
        (acts.AmendMeasure(1, "improvement", "Alert on memory that grows, not only on a limit", "Ben", outage.at("12:00", 19).date(), "detect", (3,)), "Ada", "18:14"),
        (acts.AmendMeasure(2, "improvement", "Load tests that run for hours", "sessions-team", outage.at("12:00", 26).date(), "prevent", (2,)), "Ada", "18:15"),
        (acts.FinishMeasure(1, "the rule is in the shop’s repository"), "Ben", "18:16"),
        (acts.FinishMeasure(2, "it runs before each release"), "Dana", "18:17"),
        (acts.FinishMeasure(4), "Ada", "18:18"),
    ]  # fmt: skip
    for act, by, when in said:
        commands.perform(past, act, by=by, at=outage.at(when))


def guards(past: int, other: int) -> dict[str, Any]:
    """Guards of every kind of standing, and the measures that they watch over."""
    from unrepeat.incidents import acts, commands
    from unrepeat.support import clock

    _memory(past)
    _load(past)
    _certificate()
    _flaky()
    soon = (clock.now() + timedelta(days=9)).date()
    commands.perform(other, acts.ProposeMeasure("task", "Mail each order once", "Ben", soon, "prevent"), by="Ada")
    return {"guard": "sessions-memory-grows", "red_guard": "sessions-load-for-hours", "measured": past}


CAUSES = (
    ("deploy", "software_defect", "late_detection"),
    ("traffic_change", "capacity_exhausted", "no_staged_rollout"),
    ("config_change", "configuration_error", "missing_validation"),
    ("deploy", "software_defect", "no_staged_rollout"),
    ("time_event", "identity", "late_detection"),
    ("deploy", "dependency_failure", "wrong_alert"),
)


def older_outages() -> None:
    """Outages of the last two years, so that there is something to count: two dozen, three of them repeats."""
    from unrepeat.incidents import acts, commands
    from unrepeat.incidents import entries as e
    from unrepeat.support import clock

    now = clock.now()
    for i in range(24):
        began = now - timedelta(days=700 - i * 28 + (i * 7) % 11)
        detected = began + timedelta(seconds=30 + 97 * ((i * 13) % 23))
        number = commands.open_incident(
            f"Orders were late ({i + 1})", service="billing", severity="minor", by="Ben", at=detected
        )
        named = detected + timedelta(minutes=4 + (i * 17) % 71)
        stopped = named + timedelta(minutes=3 + (i * 5) % 37)
        trigger, cause, factor = CAUSES[i % len(CAUSES)]
        said: list[tuple[acts.Act, Any]] = [
            (acts.CorrectStart(began), detected),
            (acts.ConvictSuspect("billing", "service", "it waited for the mailer"), named),
            (acts.Mitigate("the mailer was started again"), stopped),
            (acts.NameCause("trigger", trigger), stopped),
            (acts.NameCause("cause", cause), stopped),
            (acts.NameCause("factor", factor), stopped),
            (acts.Resolve("orders go out at once"), stopped + timedelta(minutes=9)),
        ]
        for act, at in said:
            commands.perform(number, act, by="Ben", at=at)
        if i in (9, 15, 22):
            seen = e.RepeatSuspected(1, 1, "The day the session service kept everything", "possible", 0.5)
            commands.append(number, [seen], by="unrepeat", at=stopped)
            commands.perform(number, acts.ConfirmRepeat(1), by="Ada", at=stopped)


def _declare(name: str, kind: str, spec: dict[str, Any], service: str, every: int = 0) -> Any:
    """A guard; the server of these tests does not come to run it by itself."""
    from unrepeat.prevention import commands
    from unrepeat.prevention.models import Guard
    from unrepeat.support import clock

    made = commands.declare(commands.Declared(name, kind, spec, service, every, "page"), by="Ada")
    if every:
        Guard.objects.filter(pk=made.pk).update(due_at=clock.now() + timedelta(days=2))
    return made


def _ran(colour: Any, said: str, on: Any = None, ago: float = 0.0, **more: Any) -> Any:
    from unrepeat.prevention.commands import Ran
    from unrepeat.prevention.kind import Outcome, Target
    from unrepeat.support import clock

    where, seconds = more.pop("where", "server"), more.pop("seconds", 0.041)
    return Ran(Outcome(colour, said, **more), on or Target(), clock.now() - timedelta(hours=ago), seconds, where)


def _memory(past: int) -> None:
    from unrepeat.prevention import commands
    from unrepeat.prevention.kind import Target

    spec = {"rule": RULE, "recording": "2024-08-12-memory-leak", "at_least_minutes": 30}
    made = _declare("sessions-memory-grows", "alert_backtest", spec, "sessions", 86_400)
    recorded = Target("recording", "2024-08-12-memory-leak")
    healthy = Target("recording", "2024-08-05-healthy")
    figures = {"minutes_before_harm": 41.5}
    output = (
        "Unit Testing:  tests.yml\n  SUCCESS\n" + "  evaluated 1,200 samples of process_resident_memory_bytes\n" * 6
    )
    commands.record_proof(
        made.pk,
        _ran("green", "It stays silent in 2024-08-12-memory-leak.", recorded, 300),
        _ran("green", "It stays silent in 2024-08-05-healthy.", healthy, 300),
        by="Ben",
    )
    commands.record_proof(
        made.pk,
        _ran(
            "red", "It fires at 14:42 UTC, 41 min 30 s before the first users were hurt (at least 30 min are asked).", recorded, 290,
            figures=figures, output=output, environment={"promtool": "2.53.3", "host": "unrepeat-1"}, seconds=1.32,
        ),
        _ran("green", "It stays silent for all of 2024-08-05-healthy.", healthy, 290, output=output, environment={"promtool": "2.53.3"}, seconds=1.18),
        by="Ben",
    )  # fmt: skip
    commands.tie(made.pk, past, 1, by="Ben")
    for day in range(12, 0, -1):
        commands.record(
            made.pk,
            _ran("green", "It fires 41 min 30 s before harm and is silent in health.", ago=day * 24),
            by="unrepeat",
        )


def _load(past: int) -> None:
    from unrepeat.prevention import commands
    from unrepeat.prevention.kind import Target

    spec = {
        "start": ["python3", "-m", "sessions", "{port}"],
        "locustfile": "load/visitors.py",
        "limits": {"memory_kb_per_request": 2.0},
    }
    made = _declare("sessions-load-for-hours", "load_test", spec, "sessions")
    commands.record_proof(
        made.pk,
        _ran("red", "Memory grew by 17.4 kB a request; at most 2 are allowed.", Target("version", "2.0", ref="2.0"), 280,
             where="check", seconds=92.0, figures={"memory_kb_per_request": 17.4, "requests": 12048, "p95_ms": 38.2}),
        _ran("green", "Memory grew by 0.2 kB a request.", Target("version", "2.0.1", ref="2.0.1"), 280,
             where="check", seconds=91.2, figures={"memory_kb_per_request": 0.2, "requests": 12180, "p95_ms": 22.9}),
        by="runner",
    )  # fmt: skip
    commands.tie(made.pk, past, 2, by="Ben")
    for run in range(57, 0, -1):
        colour = "broken" if run in (31, 32) else "green"
        said = "The service did not start within 30 s." if colour == "broken" else "Memory grew by 0.2 kB a request."
        version = f"2.0.{60 - run}"
        commands.record(
            made.pk,
            _ran(colour, said, Target("version", version, ref=version), run * 4, where="check", seconds=91),
            by="runner",
        )
    bad = Target("version", "2.1", ref="2.1")
    commands.record(
        made.pk,
        _ran("red", "Memory grew by 16.9 kB a request; at most 2 are allowed.", bad, 1, where="check", seconds=90.4),
        by="runner",
    )


def _certificate() -> None:
    from unrepeat.prevention import commands

    made = _declare(
        "pay-certificate", "http_check", {"url": "https://pay.shop.example/", "certificate_days": 21}, "shop", 3600
    )
    said = "pay.shop.example could not be reached: the name is not known."
    commands.record(
        made.pk,
        _ran("broken", said, remedy="See that the name is right and that this server may reach it."),
        by="unrepeat",
    )


def _flaky() -> None:
    from unrepeat.prevention import commands
    from unrepeat.prevention.kind import Target

    made = _declare("checkout-smoke", "command", {"command": ["make", "smoke"]}, "shop")
    commit = Target("ref", "4f2c91d", ref="4f2c91d")
    for colour, ago in (("red", 5), ("green", 4)):
        commands.record(
            made.pk,
            _ran(colour, f"make smoke ended with {int(colour == 'red')}.", commit, ago, where="check"),
            by="runner",
        )


def nights(published: int) -> None:
    """What the nightly question came to: caught, late, missed, and once caught but no longer."""
    from unrepeat.prevention.coverage import coverage_store
    from unrepeat.prevention.models import Guard
    from unrepeat.support import clock

    guard = Guard.objects.get(name="sessions-memory-grows")
    answers: list[tuple[int, str, Any, str, float | None, str]] = [
        (40, f"guard:{guard.pk}", "caught", guard.name, 41.5, "It fires 41 min 30 s before people knew."),
        (40, "rule:shop.yml:HighMemoryUsage", "caught", "HighMemoryUsage", 2.0, "It fires 2 min before people knew."),
        (9, "rule:shop.yml:HighMemoryUsage", "missed", "HighMemoryUsage", None, "It does not fire."),
        (9, "rule:shop.yml:PagesAreSlow", "late", "PagesAreSlow", -19.0, "It fires 19 min after people knew."),
    ]
    for days, subject, outcome, name, lead, said in answers:
        coverage_store.put(
            published, "2024-08-12-memory-leak", subject, clock.now() - timedelta(days=days),
            guard_id=guard.pk if subject.startswith("guard") else None, name=name, outcome=outcome, first_fired_at=None,
            lead_minutes=lead, said=said, remedy="",
        )  # fmt: skip


def trackers() -> None:
    """One tracker that was not asked yet, and one whose token has run out."""
    from unrepeat.prevention import told_store
    from unrepeat.prevention.tickets import tracker_commands
    from unrepeat.prevention.trackers._rest import refusal
    from unrepeat.support import clock
    from unrepeat.support.http import Answer

    tracker_commands.add("github-shop", "github", project="shop/web", token="a-token", by="Ada")
    ran_out = tracker_commands.add("gitlab-sessions", "gitlab", project="shop/sessions", token="a-token", by="Ada")
    refused = refusal(Answer(401, {}, b'{"message": "401 Unauthorized"}', "https://gitlab.com"), "gitlab.com")
    asked_at = clock.now() - timedelta(minutes=3)
    told_store.save_tracker(ran_out.pk, trouble=str(refused), polled_at=asked_at)
