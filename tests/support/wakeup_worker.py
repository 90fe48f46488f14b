"""A worker in a process of its own, for tests that kill it: does wakeups whose effect is one row in the table `effect`.

Says `begun KEY` when it holds a wakeup, `inside KEY` with the effect written and not yet committed, `done KEY` after the commit.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta


def main(name: str, lease: float) -> None:
    """Work until killed, or until nothing is left to do."""
    import django

    django.setup()
    from django.db import connection, transaction

    from unrepeat.support import wakeups

    def say(word: str, key: str) -> None:
        print(word, key, flush=True)  # noqa: T201 - the test reads it

    while wakeups.next_due() is not None:
        claimed = wakeups.claim(name, timedelta(seconds=lease))
        if claimed is None:
            time.sleep(0.01)
            continue
        say("begun", claimed.key)
        time.sleep(0.005)  # asks the outside world
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("insert into effect (key, worker) values (%s, %s)", [claimed.key, name])
                say("inside", claimed.key)
                time.sleep(0.002)
                wakeups.finish(claimed, "Done.")
            say("done", claimed.key)
        except wakeups.LeaseLost:
            say("lost", claimed.key)
    say("idle", "-")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
