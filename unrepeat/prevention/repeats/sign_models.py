"""The table of signs by which past failures are known again: part of `models.py`."""

from __future__ import annotations

from django.db import models

from unrepeat.postmortems.models import Postmortem


class Sign(models.Model):
    """A sign by which a past failure is known again (see `signs.py`). Follows from the incident's log; kept for fast looking up."""

    postmortem = models.ForeignKey(Postmortem, on_delete=models.PROTECT, related_name="signs")
    sign = models.CharField(max_length=300)

    class Meta:
        db_table = "prevention_sign"
        constraints = [models.UniqueConstraint(fields=["postmortem", "sign"], name="sign_once")]
        indexes = [models.Index(fields=["sign", "-postmortem"], name="sign_newest")]
