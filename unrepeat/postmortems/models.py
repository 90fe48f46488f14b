"""Tables of the postmortems room: the report, its prose with history, and its frozen revisions."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from unrepeat.incidents.models import Incident


class Postmortem(models.Model):
    """The report on one incident. Its number is its id. Library columns are copied from the newest published revision."""

    incident = models.OneToOneField(Incident, on_delete=models.PROTECT, related_name="postmortem")
    drafted_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)  # of the newest revision
    revision = models.PositiveIntegerField(default=0)
    headline = models.CharField(max_length=300, blank=True)
    service = models.CharField(max_length=120, blank=True)
    team = models.CharField(max_length=120, blank=True)
    cause = models.CharField(max_length=300, blank=True)
    excerpt = models.CharField(max_length=400, blank=True)
    impact = models.CharField(max_length=300, blank=True)  # who was hurt, with the denominators; empty: not measured
    zone = models.CharField(max_length=60, default="UTC")  # in which its times are told
    started_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "postmortems_postmortem"
        indexes = [
            models.Index(fields=["-published_at"], name="library_newest", condition=Q(published_at__isnull=False)),
            models.Index(fields=["service", "-published_at"], name="library_service"),
            models.Index(fields=["team", "-published_at"], name="library_team"),
        ]


class Edit(models.Model):
    """One version of one section's prose (Markdown). Append-only: the newest one stands."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.PROTECT, related_name="edits")
    section = models.CharField(max_length=40)
    seq = models.PositiveIntegerField()
    text = models.TextField()
    by = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        db_table = "postmortems_edit"
        constraints = [models.UniqueConstraint(fields=["postmortem", "section", "seq"], name="edit_seq")]


class Revision(models.Model):
    """A published report, frozen: facts, prose and figures as they were, and a SHA-256 (hex) over them."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    by = models.CharField(max_length=120)
    facts = models.JSONField()
    prose = models.JSONField()
    figures = models.JSONField()
    digest = models.CharField(max_length=64)

    class Meta:
        db_table = "postmortems_revision"
        constraints = [models.UniqueConstraint(fields=["postmortem", "number"], name="revision_number")]
