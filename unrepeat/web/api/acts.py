"""What people do to an incident: one operation for each act, made from the acts of the incidents room."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Body, Header, Path, Router, Schema
from pydantic import StringConstraints

from unrepeat.incidents import commands, queries
from unrepeat.incidents.acts import ACTS, Act
from unrepeat.web.access import Caller, Role, caller_of, needs
from unrepeat.web.api.fields import Nth, Shape
from unrepeat.web.api.generated import LoggedShape, act_of, body_of, logged_plain
from unrepeat.web.api.state import StateShape, state_plain

router = Router(tags=["acts"])
KeyText = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[!\"$-~]+$")]
KEY_WORDS = "Sent twice with the same key, an act is done once, and the answer is that of the first time."


class Done(Schema):
    """What an act led to: the entries it wrote, and the state after it."""

    entries: list[LoggedShape]
    state: StateShape


def _offer(act: type[Act]) -> None:
    """Add the operation of one act."""
    shape = body_of(act)
    none_needed = all(not field.is_required() for field in shape.model_fields.values())
    default: Any = Body(shape()) if none_needed else Body(...)  # type: ignore[type-arg]

    def do(
        request: HttpRequest,
        number: Path[Nth],
        body: Shape = default,
        idempotency_key: Annotated[KeyText | None, Header(description=KEY_WORDS)] = None,
    ) -> dict[str, Any]:
        caller = caller_of(request)
        written = commands.perform(
            number,
            act_of(act, body),
            by=caller.name,
            at=getattr(body, "at", None),
            key=_key(caller, number, act.name, idempotency_key),
        )
        return {"entries": [logged_plain(one) for one in written], "state": state_plain(queries.state_of(number))}

    do.__annotations__.update(body=shape)
    do.__name__ = f"act_{act.name}"
    do.__doc__ = act.__doc__
    guarded = needs(Role.READER, write=Role.RESPONDER)(do)
    words = act.name.replace("_", " ").capitalize()
    router.post(f"/incidents/{{number}}/acts/{act.name}", response=Done, summary=words)(guarded)


def _key(caller: Caller, number: int, act: str, sent: str | None) -> str | None:
    """The key in the log: nobody's key meets another's, and the same key at another incident or act is another effect."""
    if sent is None or caller.person is None:
        return None
    return f"api:{caller.person.pk}:{number}:{act}:{sent}"


for _act in ACTS.values():
    _offer(_act)
