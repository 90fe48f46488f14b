"""Tables of what the prevention room tells the outside: reminders, trackers and their tickets. Times are UTC."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from unrepeat.incidents.models import Incident
from unrepeat.inform.models import Message


class Reminder(models.Model):
    """Somebody was told about a measure. `message` says whether and when the mail went out."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="+")
    measure = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)  # before (its due date), after, regressed, broken (its guard)
    who = models.CharField(max_length=120)  # as the measure or the log names them
    to = models.CharField(max_length=254)
    at = models.DateTimeField()
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "prevention_reminder"
        indexes = [models.Index(fields=["incident", "measure", "-at"], name="reminder_measure")]


class Follower(models.Model):
    """Somebody wants to be told when a measure of an incident fails, whether or not they worked on it."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="+")
    who = models.CharField(max_length=120)  # as the log names people
    at = models.DateTimeField()

    class Meta:
        db_table = "prevention_follower"
        constraints = [models.UniqueConstraint(fields=["incident", "who"], name="follower_once")]


class Tracker(models.Model):
    """An issue tracker, or an address that is told the news of measures."""

    name = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=40)
    url = models.CharField(max_length=500)  # of its API; of a webhook: where news are sent
    project = models.CharField(max_length=300, blank=True)
    sealed = models.TextField()  # the token, or the signing secret
    automatic = models.BooleanField(default=False)  # each new measure gets a ticket
    added_by = models.CharField(max_length=120)
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    seen_until = models.DateTimeField(null=True)  # changes there up to this moment (of its clock) are known
    etag = models.CharField(max_length=200, blank=True)
    polled_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=1000, blank=True)  # why it could not be asked the last time

    class Meta:
        db_table = "prevention_tracker"


class Ticket(models.Model):
    """A measure in a tracker, and how far the two know of each other."""

    tracker = models.ForeignKey(Tracker, on_delete=models.PROTECT, related_name="tickets")
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="+")
    measure = models.PositiveIntegerField()
    marker = models.CharField(max_length=40, unique=True)  # stands in what we write there, so that it is found again
    number = models.CharField(max_length=60, blank=True)  # there; empty until it is made
    url = models.CharField(max_length=500, blank=True)
    begun_at = models.DateTimeField(null=True)  # when we first tried to make it: it may be there already
    told = models.JSONField(default=list)  # the measure's news that were told there
    telling = models.CharField(max_length=200, blank=True)  # those that are being told: they may be there already
    seen = models.CharField(max_length=10, blank=True)  # open or closed, as last known of there
    seen_at = models.DateTimeField(null=True)
    busy_until = models.DateTimeField(null=True)  # somebody is at it: no two at a time
    trouble = models.CharField(max_length=1000, blank=True)  # why the last attempt failed
    made_by = models.CharField(max_length=120)
    made_at = models.DateTimeField()

    class Meta:
        db_table = "prevention_ticket"
        constraints = [
            models.UniqueConstraint(fields=["tracker", "incident", "measure"], name="ticket_once"),
            models.UniqueConstraint(fields=["tracker", "number"], name="ticket_number", condition=~Q(number="")),
        ]
        indexes = [
            models.Index(fields=["incident", "measure"], name="ticket_measure"),
            models.Index(fields=["id"], name="ticket_trouble", condition=~Q(trouble="")),
        ]
