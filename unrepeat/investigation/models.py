"""Stored results of queries: evidence is found by its digest and never changes. And the newest measurement of open incidents."""

from __future__ import annotations

from django.db import models


class Result(models.Model):
    """What a query gave. `digest`: SHA-256 (hex) over source, query, window and result, so that anybody can check it."""

    digest = models.CharField(max_length=64, unique=True)
    source = models.CharField(max_length=300)
    query = models.TextField()
    window_from = models.DateTimeField()
    window_to = models.DateTimeField()
    data = models.JSONField()  # {"series": [{"labels": {...}, "points": [[unix seconds, value], ...]}]}
    stored_at = models.DateTimeField()

    class Meta:
        db_table = "investigation_result"


class Measurement(models.Model):
    """Who is hurt by an open incident, as counted last: one row an incident, written over by the next count. What counts stands in the log."""

    incident = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    took = models.FloatField()  # seconds
    impact = models.JSONField()  # the data of an `impact_measured` entry, as the log would hold it
    data = (
        models.JSONField()
    )  # {"step": seconds, "buckets": [{"at": unix seconds, "users", "slowed", "attempts", "lost", ...}]}

    class Meta:
        db_table = "investigation_measurement"
