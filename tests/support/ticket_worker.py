"""A worker in a process of its own, for a test that kills it: it makes a ticket, and is killed after the tracker has made it.

Says `made` when the tracker has answered that the ticket is there, before anything of it is kept, and then waits to be killed.
"""

from __future__ import annotations

import time


def main() -> None:
    """Work until killed."""
    import django

    django.setup()
    from unrepeat.prevention.trackers import github
    from unrepeat.support.config import config
    from unrepeat.worker import Worker

    config().__dict__["private_addresses"] = ["127.0.0.0/8"]
    create = github.create

    def create_and_stop(place, draft):
        made = create(place, draft)
        print("made", made.number, flush=True)  # noqa: T201 - the test reads it
        time.sleep(120)
        return made

    github.create = create_and_stop
    Worker().run_until_idle()
    print("idle", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
