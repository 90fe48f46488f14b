"""What every page's frame needs to know."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from unrepeat.web.access import Role, caller_of, may


def frame(request: HttpRequest) -> dict[str, Any]:
    """`caller`, and what the caller may do: `may_respond`, `may_administer`."""
    caller = caller_of(request)
    return {
        "caller": caller,
        "may_read": may(caller, Role.READER),
        "may_respond": may(caller, Role.RESPONDER),
        "may_administer": may(caller, Role.ADMIN),
    }
