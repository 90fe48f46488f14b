"""Stored results of queries: evidence is found by its digest and never changes."""

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
