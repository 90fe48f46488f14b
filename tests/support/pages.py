"""Pages as people see them: a browser that is signed in, the text of an answer, and a measure to look at."""

from __future__ import annotations

from django.test import Client

from unrepeat.incidents import acts, commands, queries
from unrepeat.web.models import User


def signed_in(name: str) -> Client:
    """Their browser."""
    client = Client()
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def text_of(answer) -> str:
    """What is on the page, or in the file."""
    assert answer.status_code < 500
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


def propose(world, text="End sessions", owner="Ben", due=None, **fields) -> int:
    """A measure of the incident that goes on; its number."""
    commands.perform(world.incident, acts.ProposeMeasure("task", text, owner, due, **fields), by="Ada")
    return max(queries.state_of(world.incident).measures)
