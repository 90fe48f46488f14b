"""The table of the inform room: what has been said to whom."""

from __future__ import annotations

from django.db import models


class Message(models.Model):
    """One message to one address. `key` makes it go out once, whoever asks for it again."""

    key = models.CharField(max_length=200, unique=True)
    channel = models.CharField(max_length=40)
    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    planned_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)  # when the mail server took it
    trouble = models.TextField(blank=True)  # why it was not taken, when it was not

    class Meta:
        db_table = "inform_message"
        indexes = [models.Index(fields=["-planned_at"], name="message_newest")]
