"""What other rooms can have said to people."""

from __future__ import annotations

from django.db import transaction

from unrepeat.inform import mail, store
from unrepeat.inform.channels import email
from unrepeat.inform.models import Message
from unrepeat.support import clock, wakeups


def write(to: str, subject: str, text: str, *, key: str) -> Message | None:
    """Have a mail sent, in the transaction of what causes it; None when no mail server is set, or when it was asked for before.

    Under one key one mail goes out. Invalid when `to` is no address.
    """
    if not email.configured():
        return None
    with transaction.atomic():
        message, new = store.keep(
            key,
            channel="email",
            to=mail.address(to),
            subject=mail.one_line(subject)[: mail.SUBJECT],
            text=mail.plain(text),
            planned_at=clock.now(),
        )
        if new:
            wakeups.plan("inform", "mail", {"message": message.pk}, due_at=clock.now(), key=f"mail:{message.pk}")
    return message if new else None
