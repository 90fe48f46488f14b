"""Tables of the prevention room: guards and their texts, runs, proofs, ties to measures, recordings.

Times are UTC; digests are SHA-256 in hex. Texts, runs and proofs are append-only (migration 0007); a guard's own row holds its
present state, a summary of them.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from unrepeat.incidents.models import Incident
from unrepeat.postmortems.models import Postmortem
from unrepeat.prevention.token_models import CheckToken
from unrepeat.prevention.told_models import Follower, Reminder, Ticket, Tracker

__all__ = [
    "CheckToken",
    "Coverage",
    "Follower",
    "Guard",
    "GuardText",
    "Proof",
    "Recording",
    "Reminder",
    "Run",
    "Sign",
    "Ticket",
    "Tie",
    "Tracker",
]
from unrepeat.prevention.repeats.sign_models import Sign


class Guard(models.Model):
    """An executable check. `spec` is its present text, `digest` that of kind and spec."""

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=40)
    service = models.CharField(max_length=120, blank=True)
    spec = models.JSONField()
    digest = models.CharField(max_length=64)
    every = models.PositiveIntegerField(
        default=0
    )  # seconds between runs by the server; 0: it does not run it by itself
    origin = models.CharField(max_length=20)  # page, api, terminal, repository
    place = models.CharField(max_length=300, blank=True)  # of a guard from a repository: the file that declares it
    made_by = models.CharField(max_length=120)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    colour = models.CharField(max_length=10, blank=True)  # of its last regular run; empty: none on this text
    turned_at = models.DateTimeField(null=True)  # when it took that colour
    ran_at = models.DateTimeField(null=True)
    ran_said = models.CharField(max_length=500, blank=True)
    runs = models.PositiveIntegerField(default=0)
    proven_digest = models.CharField(max_length=64, blank=True)  # the text that the newest standing proof is about
    proven_at = models.DateTimeField(null=True)
    flaky = models.BooleanField(default=False)  # both colours on the same commit or version
    due_at = models.DateTimeField(null=True)  # of its next run by the server
    measures = models.PositiveIntegerField(default=0)  # how many it watches over

    class Meta:
        db_table = "prevention_guard"
        indexes = [
            models.Index(fields=["service", "name"], name="guard_service"),
            models.Index(fields=["due_at"], name="guard_due", condition=Q(due_at__isnull=False, retired_at=None)),
            models.Index(fields=["colour", "name"], name="guard_colour", condition=Q(retired_at=None)),
            models.Index(fields=["kind", "name"], name="guard_kind", condition=Q(retired_at=None)),
        ]


class GuardText(models.Model):
    """One text that a guard had or has. Append-only: the newest one stands."""

    guard = models.ForeignKey(Guard, on_delete=models.PROTECT, related_name="texts")
    seq = models.PositiveIntegerField()
    spec = models.JSONField()
    digest = models.CharField(max_length=64)
    by = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        db_table = "prevention_guard_text"
        constraints = [models.UniqueConstraint(fields=["guard", "seq"], name="guard_text_seq")]


class Tie(models.Model):
    """Which measure of which incident a guard watches over. Follows from the logs; kept for fast looking up."""

    guard = models.ForeignKey(Guard, on_delete=models.PROTECT, related_name="ties")
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="ties")
    measure = models.PositiveIntegerField()

    class Meta:
        db_table = "prevention_tie"
        constraints = [models.UniqueConstraint(fields=["guard", "incident", "measure"], name="tie_once")]


class Run(models.Model):
    """One run of a guard, kept with all that somebody needs to believe it. Append-only."""

    guard = models.ForeignKey(Guard, on_delete=models.PROTECT, related_name="+", db_index=False)  # run_newest serves
    guard_digest = models.CharField(max_length=64)  # of the text that ran
    side = models.CharField(max_length=10)  # now, failure, fix
    colour = models.CharField(max_length=10)  # red, green, broken
    at = models.DateTimeField()  # when it began
    seconds = models.FloatField()
    said = models.CharField(max_length=1000)
    remedy = models.CharField(max_length=1000, blank=True)
    output = models.TextField(blank=True)  # at most 64 KiB, the end of it
    figures = models.JSONField(default=dict)  # name -> number
    target = models.CharField(max_length=300)  # what it ran on, in words: now, a ref, a version, a recording, a window
    ref = models.CharField(
        max_length=120, blank=True
    )  # commit or version, when there is one: two colours on one are flaky
    where = models.CharField(max_length=40)  # server, check
    environment = models.JSONField(default=dict)  # versions of tools, host, platform
    by = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    key = models.CharField(max_length=200, null=True)  # idempotency key of a result that is sent again

    class Meta:
        db_table = "prevention_run"
        constraints = [models.UniqueConstraint(fields=["key"], name="run_once", condition=Q(key__isnull=False))]
        indexes = [
            models.Index(fields=["guard", "-at"], name="run_newest"),
            models.Index(fields=["guard", "ref"], name="run_ref", condition=~Q(ref="")),
        ]


class Proof(models.Model):
    """A trial of a guard on the failure and on the fix. `proven` only when it was red on the one and green on the other."""

    guard = models.ForeignKey(Guard, on_delete=models.PROTECT, related_name="proofs")
    guard_digest = models.CharField(max_length=64)
    failure = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    fix = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    proven = models.BooleanField()
    said = models.CharField(max_length=500)
    by = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        db_table = "prevention_proof"
        indexes = [models.Index(fields=["guard", "-at"], name="proof_newest")]


class Recording(models.Model):
    """A recorded outage, or a healthy stretch, in a folder of the server: what guards are proven on and asked about every night."""

    name = models.CharField(max_length=120, unique=True)
    folder = models.CharField(max_length=500)
    digest = models.CharField(max_length=64)  # of its manifest
    healthy = models.BooleanField(default=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, null=True, related_name="recordings")
    service = models.CharField(max_length=120, blank=True)
    added_by = models.CharField(max_length=120)
    added_at = models.DateTimeField()

    class Meta:
        db_table = "prevention_recording"


class Coverage(models.Model):
    """Nights in a row on which a guard or an alert rule gave the same answer to a past outage; the newest such stretch stands.

    `subject` is `guard:NUMBER` or `rule:FILE:ALERT`; `name` is what people call it. `lead_minutes`: before people knew.
    """

    postmortem = models.ForeignKey(Postmortem, on_delete=models.PROTECT, related_name="coverage")
    recording = models.CharField(max_length=120)
    subject = models.CharField(max_length=300)
    guard = models.ForeignKey(Guard, on_delete=models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=300)
    outcome = models.CharField(max_length=10)  # caught, late, missed, broken, gone
    since = models.DateTimeField()  # the first of these nights
    at = models.DateTimeField()  # the last one
    newest = models.BooleanField(default=True)
    caught_before = models.BooleanField(default=False)  # on an earlier night
    first_fired_at = models.DateTimeField(null=True)  # in the recording
    lead_minutes = models.FloatField(null=True)
    said = models.CharField(max_length=1000)
    remedy = models.CharField(max_length=1000, blank=True)

    class Meta:
        db_table = "prevention_coverage"
        constraints = [
            models.UniqueConstraint(
                fields=["postmortem", "recording", "subject"], name="coverage_newest", condition=Q(newest=True)
            )
        ]
        indexes = [
            models.Index(fields=["postmortem", "subject", "-at"], name="coverage_history"),
            models.Index(fields=["at"], name="coverage_at", condition=Q(newest=True)),
            models.Index(
                fields=["postmortem", "outcome", "caught_before"], name="coverage_counted", condition=Q(newest=True)
            ),
        ]
