"""What a story is played on: the running shop, somebody to tell, and what people can look at meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.link import Link
from lab.measure import Readings
from lab.shop_house import ShopHouse
from lab.webhook_recorder import WebhookRecorder

POLL_SECONDS = 0.02
STEP_SECONDS = 0.25

Say = Callable[[str], None]


class NothingHappened(Exception):
    """Something that had to happen by itself did not."""


@dataclass(slots=True)
class Stage:
    """Everything runs. `recorder` hears what Alertmanager sends; `out` is the folder for what is to be kept, `recording` for a recording.

    `began` is the start of the story's clock (seconds since the epoch); a story may set it anew.
    """

    house: ShopHouse
    link: Link
    recorder: WebhookRecorder
    readings: Readings
    say: Say
    out: Path
    recording: Path | None = None
    began: float = field(default_factory=time.time)

    def until(self, moment: float) -> None:
        """Wait for a moment (seconds since the epoch), seeing meanwhile that every part still runs."""
        while (left := moment - time.time()) > 0:
            self.house.supervisor.check()
            time.sleep(min(left, STEP_SECONDS))

    def wait_for(self, ask: Callable[[], Any], limit: float, complaint: str) -> Any:
        """The first answer of `ask` that is not empty; NothingHappened with the complaint when there is none until `limit`."""
        while not (found := ask()):
            if time.time() > limit:
                raise NothingHappened(complaint)
            self.house.supervisor.check()
            time.sleep(POLL_SECONDS)
        return found

    def tell(self, by: str, act: str, args: dict[str, Any], *, since: float, number: int | None = None) -> None:
        """Do something to an incident (the first one, where none is named), as a person, and say so with the seconds since `since`."""
        self.link.act(by, act, args, number)
        offset = time.time() - since
        words = args.get("text") or args.get("reason") or args.get("how") or args.get("title") or ""
        subject = args.get("suspect") or args.get("team") or args.get("to") or ""
        self.say(" ".join(filter(None, [f"+{offset:.0f}", by, act, subject, f"({words})" if words else ""])))

    def keep_draft(self) -> bool:
        """Write the first postmortem into `out`; whether there was one."""
        draft = self.link.draft()
        for name, text in (draft or {}).items():
            self.out.mkdir(parents=True, exist_ok=True)
            (self.out / name).write_text(text)
            self.say(f"wrote {self.out / name}")
        return draft is not None
