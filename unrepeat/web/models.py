"""People who use the pages, their API tokens, and the one-time link for the first administrator."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models

from unrepeat.duty import commands as duty
from unrepeat.duty.models import Team


class User(AbstractUser):
    """A person. `role` says what they may do: readers read, responders act on incidents, admins also configure."""

    class Role(models.TextChoices):
        """What a person may do; each includes the ones before."""

        READER = "reader"
        RESPONDER = "responder"
        ADMIN = "admin"

    role = models.CharField(max_length=12, choices=Role, default=Role.READER)
    teams = models.ManyToManyField(Team, related_name="people")

    class Meta:
        db_table = "web_user"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the account, and where its person is reached."""
        super().save(*args, **kwargs)
        told = kwargs.get("update_fields")
        if told is None or {"username", "email", "is_active"} & set(told):
            duty.reach(self.username, self.email if self.is_active else "")

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the account; nobody is reached under its name any more."""
        duty.reach(self.username, "")
        return super().delete(*args, **kwargs)


class ApiToken(models.Model):
    """A token for the API, stored as its hash (SHA-256, hex); it acts as its person, with at most `role`."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=120)
    hash = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=12, choices=User.Role)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "web_api_token"


class FirstAdminLink(models.Model):
    """The one-time link that makes the first administrator: its token's hash, good until used or run out."""

    hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "web_first_admin_link"
