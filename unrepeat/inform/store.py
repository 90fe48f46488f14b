"""The only reads and writes of the inform room's table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from unrepeat.inform.models import Message


def message(number: int) -> Message | None:
    """A message by its number."""
    return Message.objects.filter(pk=number).first()


def keep(key: str, **columns: Any) -> tuple[Message, bool]:
    """The message under this key, made when there is none; and whether it was made now."""
    return Message.objects.get_or_create(key=key, defaults=columns)


def sent(number: int, at: datetime) -> None:
    """It went out."""
    Message.objects.filter(pk=number).update(sent_at=at, trouble="")


def troubled(number: int, why: str) -> None:
    """It did not go out, and why."""
    Message.objects.filter(pk=number).update(trouble=why[:2000])


def messages(limit: int) -> list[Message]:
    """The newest messages."""
    return list(Message.objects.order_by("-planned_at", "-pk")[:limit])
