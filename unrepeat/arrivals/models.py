"""Tables of the arrivals room: columns and constraints, no behaviour."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Source(models.Model):
    """A place in the world that sends us deliveries, known by `name` in its address."""

    name = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=40)
    made_at = models.DateTimeField()
    max_bytes = models.PositiveIntegerField(null=True)  # None: the kind's own limit
    options = models.JSONField(default=dict)  # of the kind, for example the name of a signature header

    class Meta:
        db_table = "arrivals_source"


class SourceToken(models.Model):
    """A token of a source: its hash (SHA-256, hex). Several may be good at once while a token is rotated."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="tokens")
    hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "arrivals_source_token"


class SourceSecret(models.Model):
    """A signing secret of a source, sealed: it must be used again to check signatures."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="secrets")
    sealed = models.TextField()
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "arrivals_source_secret"


class Delivery(models.Model):
    """One raw inbound body, stored before anything is done with it."""

    class State(models.IntegerChoices):
        """What has become of a delivery."""

        WAITING = 0
        READ = 1
        UNREADABLE = 2

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    key = models.BinaryField(max_length=32)  # the sender's own delivery id, or one of a kind
    received_at = models.DateTimeField()
    headers = models.JSONField()
    body = models.BinaryField()
    state = models.SmallIntegerField(choices=State, default=State.WAITING)
    reason = models.TextField(blank=True)  # why it could not be read

    class Meta:
        db_table = "arrivals_delivery"
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="delivery_once")]
        indexes = [
            models.Index(fields=["id"], name="delivery_waiting", condition=Q(state=0)),
            models.Index(fields=["received_at"], name="delivery_unreadable", condition=Q(state=2)),
        ]


class Alert(models.Model):
    """One occurrence of a monitoring alert: fires, later resolves."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="alerts", db_index=False)
    key = models.CharField(max_length=200)  # what stays the same over occurrences, for example the fingerprint
    key_hash = models.BigIntegerField()  # of source and key, and the start in microseconds: the same as source, key and
    starts_us = models.BigIntegerField()  # start in texts, in an index that a flood need not write three times over
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    name = models.CharField(max_length=300)
    service = models.CharField(max_length=120, blank=True)
    severity = models.CharField(max_length=40, blank=True)
    summary = models.TextField(blank=True)
    labels = models.JSONField(default=dict)
    annotations = models.JSONField(default=dict)
    url = models.TextField(blank=True)
    extra = models.JSONField(default=dict)  # fields we do not know, kept
    count = models.PositiveIntegerField(default=1)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    blanked_at = models.DateTimeField(null=True)  # its words were taken out for good, whatever is told later
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.PROTECT, related_name="alerts")
    news = models.BooleanField(default=True)  # not yet looked at by the incidents room since it last changed state

    class Meta:
        db_table = "arrivals_alert"
        constraints = [models.UniqueConstraint(fields=["key_hash", "starts_us"], name="alert_once")]
        indexes = [
            models.Index(fields=["id"], name="alert_news", condition=Q(news=True)),
        ]


class Change(models.Model):
    """Something people shipped: deploy, release, configuration, flag, migration, infrastructure, push."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="changes", db_index=False)
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=40)
    service = models.CharField(max_length=120, blank=True)
    environment = models.CharField(max_length=120, blank=True)
    version = models.CharField(max_length=200, blank=True)
    previous = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=40)  # started, succeeded, failed
    summary = models.TextField(blank=True)
    author = models.CharField(max_length=200, blank=True)
    url = models.TextField(blank=True)
    at = models.DateTimeField()
    extra = models.JSONField(default=dict)
    first_seen_at = models.DateTimeField()
    blanked_at = models.DateTimeField(null=True)
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.PROTECT, related_name="changes")
    news = models.BooleanField(default=True)

    class Meta:
        db_table = "arrivals_change"
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="change_once")]
        indexes = [
            models.Index(fields=["at"], name="change_at"),
            models.Index(fields=["service", "at"], name="change_service_at"),
            models.Index(fields=["id"], name="change_news", condition=Q(news=True)),
        ]


class Listening(models.Model):
    """One row: up to when nothing that was sent to us can be missing. It stands still while no server runs."""

    until = models.DateTimeField()

    class Meta:
        db_table = "arrivals_listening"
