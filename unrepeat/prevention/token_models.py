"""The table of runners' tokens; part of `models.py`."""

from __future__ import annotations

from django.db import models


class CheckToken(models.Model):
    """A runner's token, as its hash: it reads the guards of one service and reports for them; `declares`: it also declares them."""

    name = models.CharField(max_length=120)
    service = models.CharField(max_length=120)
    hash = models.CharField(max_length=64, unique=True)
    declares = models.BooleanField(default=False)
    made_by = models.CharField(max_length=120)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "prevention_check_token"
