"""What happens here without being asked: messages go out, outside any transaction, and again until they are taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from unrepeat.inform import mail, store
from unrepeat.inform.channels import email
from unrepeat.support import clock, wakeups
from unrepeat.support.problems import Problem
from unrepeat.support.wakeups import Claim

LEASE = timedelta(seconds=90)  # longer than a mail server can keep us waiting


def _send(claim: Claim) -> str:
    """Hand a message to the mail server; why not, when it will never take it. What may pass is raised, and tried again."""
    message = store.message(int(claim.subject["message"]))
    if message is None or message.sent_at is not None:
        return ""
    if not email.configured():
        return "No mail server is set any more."
    wakeups.extend(claim, LEASE)
    try:
        email.send(mail.Mail(message.to, message.subject, message.text, message.key))
    except Problem as problem:
        store.troubled(message.pk, problem.why)
        if problem.retry:
            raise
        return problem.why
    return ""


def _note(claim: Claim, trouble: str) -> str:
    """Keep what came of it."""
    number = int(claim.subject["message"])
    if trouble:
        store.troubled(number, trouble)
        return f"message {number} was not taken: {trouble}"
    store.sent(number, clock.now())
    return f"message {number} is sent"


PREPARATIONS: dict[str, Callable[[Claim], Any]] = {"mail": _send}
HANDLERS: dict[str, Callable[..., str]] = {"mail": _note}
