"""Tables of the incidents room: the log, and a summary row that can always be made again from it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from unrepeat.arrivals.models import Alert


class Incident(models.Model):
    """An outage. Its number is its id; every other column is a summary of the log, rewritten in the same transaction."""

    opened_at = models.DateTimeField()
    title = models.CharField(max_length=300)
    status = models.CharField(max_length=20)
    severity = models.CharField(max_length=20)
    service = models.CharField(max_length=120, blank=True)  # the first one; all of them stand in `services`
    services = models.JSONField(default=list)
    lead = models.CharField(max_length=120, blank=True)
    guilty = models.JSONField(default=list)  # names of the suspects found guilty
    started_at = models.DateTimeField(null=True)
    detected_at = models.DateTimeField(null=True)
    mitigated_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by_itself = models.BooleanField(default=False)
    to_detect = models.PositiveIntegerField(null=True)  # seconds, as are the next two; of what has not happened: none
    to_cause = models.PositiveIntegerField(null=True)
    to_mitigate = models.PositiveIntegerField(null=True)
    causes = models.JSONField(default=list)  # [role, word] of each cause that stands
    repeat_of = models.PositiveIntegerField(null=True)  # the postmortem whose failure a person says came back here
    quiet_since = models.DateTimeField(null=True)
    open_alerts = models.PositiveIntegerField(default=0)
    is_open = models.BooleanField(default=True)
    last_seq = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        db_table = "incidents_incident"
        indexes = [
            models.Index(fields=["-opened_at"], name="incident_newest"),
            models.Index(fields=["last_at"], name="incident_open", condition=Q(is_open=True)),
            models.Index(fields=["resolved_at"], name="incident_resolved"),
            models.Index(fields=["service", "-opened_at"], name="incident_service"),
            models.Index(fields=["opened_at"], name="incident_repeats", condition=Q(repeat_of__isnull=False)),
        ]


class LogEntry(models.Model):
    """One entry of a log. The database refuses UPDATE and DELETE (migration 0002), but for the audited redaction."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="log")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=40)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    by = models.CharField(max_length=120)
    data = models.JSONField()
    key = models.CharField(max_length=200, null=True)  # idempotency key of the effect that wrote it

    class Meta:
        db_table = "incidents_entry"
        constraints = [
            models.UniqueConstraint(fields=["incident", "seq"], name="entry_seq"),
            models.UniqueConstraint(fields=["key"], name="entry_once", condition=Q(key__isnull=False)),
        ]


class MeasureRow(models.Model):
    """A measure at a glance, for boards and lists. Like an incident's row, a summary of the log, rewritten in the same transaction."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="measures")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    effect = models.CharField(max_length=20, blank=True)
    text = models.TextField()
    owner = models.CharField(max_length=120, blank=True)
    due = models.DateField(null=True)
    state = models.CharField(max_length=20)  # open, done, verified, failed, dropped
    service = models.CharField(max_length=120, blank=True)  # of the incident: the guilty one, else the first
    proposed_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    guards = models.PositiveIntegerField(default=0)
    proven = models.PositiveIntegerField(default=0)  # of those guards, on their present text
    tracker = models.CharField(max_length=120, blank=True)
    ticket = models.CharField(max_length=200, blank=True)
    ticket_url = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "incidents_measure"
        constraints = [models.UniqueConstraint(fields=["incident", "number"], name="measure_number")]
        indexes = [
            models.Index(fields=["state", "due"], name="measure_state"),
            models.Index(fields=["owner", "state"], name="measure_owner"),
            models.Index(fields=["tracker", "ticket"], name="measure_ticket"),
        ]


class MeasureTurn(models.Model):
    """When a measure came into a state, for counting how many stood how at the end of a month. A summary of the log too."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveIntegerField()  # of the measure
    place = models.PositiveIntegerField()  # of the turn among the measure's, from 0
    month = models.CharField(max_length=7)  # 2024-08, UTC
    state = models.CharField(max_length=20)
    before = models.CharField(max_length=20, blank=True)  # empty: it was proposed

    class Meta:
        db_table = "incidents_measure_turn"
        constraints = [models.UniqueConstraint(fields=["incident", "number", "place"], name="measure_turn")]
        indexes = [models.Index(fields=["month", "state", "before"], name="measure_turn_counted")]


class Membership(models.Model):
    """Which incident an alert belongs to now. Follows from the logs; kept for fast grouping."""

    alert = models.OneToOneField(Alert, on_delete=models.PROTECT, related_name="membership")
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="memberships")

    class Meta:
        db_table = "incidents_membership"


class Redaction(models.Model):
    """The audit of redactions: who blanked which entry, when and why. Append-only too."""

    entry = models.OneToOneField(LogEntry, on_delete=models.PROTECT, related_name="redaction")
    by = models.CharField(max_length=120)
    at = models.DateTimeField()
    reason = models.TextField()

    class Meta:
        db_table = "incidents_redaction"
