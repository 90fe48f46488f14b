"""One error for people: what happened, why, and what to do about it. Page, API and terminal show the same three sentences."""

from __future__ import annotations


class Problem(Exception):
    """Something a person can mend. `status` is the HTTP status it answers with; `retry` says that the same call may work later."""

    def __init__(self, what: str, why: str, remedy: str, *, status: int = 400, retry: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy
        self.status = status
        self.retry = retry

    def __str__(self) -> str:
        return f"{self.what} {self.why} {self.remedy}"


class NotFound(Problem):
    """What was asked for is not here. Check the number or name; the lists show all there is."""

    def __init__(
        self,
        what: str,
        why: str = "There is none by that name or number.",
        remedy: str = "Look in the list for the ones there are.",
    ) -> None:
        super().__init__(what, why, remedy, status=404)


class NotAllowed(Problem):
    """The person or token may not do this. Ask an administrator for the role that may."""

    def __init__(
        self, what: str, why: str, remedy: str = "Ask an administrator for the role that may do this."
    ) -> None:
        super().__init__(what, why, remedy, status=403)


class Conflict(Problem):
    """The thing is in a state in which this cannot be done. Reload, see what changed, and decide again."""

    def __init__(self, what: str, why: str, remedy: str = "Reload, see what changed, and decide again.") -> None:
        super().__init__(what, why, remedy, status=409)


class Invalid(Problem):
    """What was sent does not have the shape that is needed. The message names the field."""

    def __init__(self, what: str, why: str, remedy: str) -> None:
        super().__init__(what, why, remedy, status=422)
