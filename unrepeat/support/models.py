"""The wakeups table: what must happen later, kept in the same transaction as the entry that causes it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Wakeup(models.Model):
    """One thing to do at `due_at`. Claimed with a lease and a fencing token; see `wakeups.py`."""

    room = models.CharField(max_length=40)
    what = models.CharField(max_length=60)
    subject = models.JSONField(default=dict)
    key = models.CharField(max_length=200, unique=True)
    due_at = models.DateTimeField()
    planned_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    leased_by = models.CharField(max_length=80, blank=True)
    leased_until = models.DateTimeField(null=True)
    fence = models.PositiveBigIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    outcome = models.TextField(blank=True)

    class Meta:
        db_table = "support_wakeup"
        indexes = [
            models.Index(fields=["due_at"], name="wakeup_due", condition=Q(done_at__isnull=True)),
            models.Index(
                fields=["leased_until"],
                name="wakeup_held",
                condition=Q(done_at__isnull=True, leased_until__isnull=False),
            ),
            models.Index(fields=["done_at"], name="wakeup_done", condition=Q(done_at__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(leased_until__isnull=True) | ~Q(leased_by="") | Q(done_at__isnull=False),
                name="wakeup_lease_has_holder",
            ),
        ]
        ordering = ["due_at", "id"]
