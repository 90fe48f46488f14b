"""How long the fold of an incident of 10,000 entries takes, alone and together with reading and decoding its rows.

Three logs: a storm (alerts that fire and resolve), talk (what people write, suspects, measures), and both mixed. The fold is
pure and is timed on entries in memory; decoding is timed from JSON text, reading from the database file that the benchmark makes.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from unrepeat.incidents import entries as e
from unrepeat.incidents.codec import decode, encode
from unrepeat.incidents.fold import fold

ENTRIES = 10_000
LIMIT_MS = 50
START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)


def main(argv: list[str]) -> int:
    """Run the benchmark; exit status 1 when the fold is too slow."""
    parser = argparse.ArgumentParser(prog="python -m bench fold", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args(argv).rounds
    logs = {"storm": _log(storm=1.0), "talk": _log(storm=0.0), "mixed": _log(storm=0.5)}
    print(f"{ENTRIES:,} entries, median of {rounds} rounds, in ms\n")
    print(f"{'log':8} {'fold':>8} {'decode':>8} {'read, decode, fold':>20}")
    folds, decodes, reads = {}, {}, {}
    with tempfile.TemporaryDirectory(prefix="unrepeat-bench-") as folder:
        read = _database(Path(folder), logs)
        for name, log in logs.items():
            texts = [(kind, msgspec.json.encode(data)) for kind, data in (encode(one.entry) for one in log)]
            folds[name] = _median(lambda log=log: fold(log), rounds)  # type: ignore[misc]
            decodes[name] = _median(
                lambda texts=texts: [decode(k, msgspec.json.decode(t)) for k, t in texts],  # type: ignore[misc]
                rounds,
            )
            reads[name] = _median(lambda name=name: fold(read(name)), rounds)  # type: ignore[misc]
            print(f"{name:8} {folds[name]:8.1f} {decodes[name]:8.1f} {reads[name]:20.1f}")
    slowest = max(folds.values())
    print()
    print(f"FIGURE fold_10000_ms={slowest:.1f} unit=ms against=at_most_{LIMIT_MS}")
    print(f"FIGURE decode_10000_ms={max(decodes.values()):.1f} unit=ms against=none")
    print(f"FIGURE read_decode_fold_10000_ms={max(reads.values()):.1f} unit=ms against=none database=sqlite")
    return 0 if slowest < LIMIT_MS else 1


def _median(what: Callable[[], object], rounds: int) -> float:
    """Milliseconds, the median of `rounds` after one to warm up. Garbage is collected between rounds, not in them."""
    what()
    taken = []
    for _ in range(rounds):
        gc.collect()
        began = time.perf_counter()
        what()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def _log(storm: float) -> list[e.Logged]:
    """A log in which the share `storm` of the entries are alerts; always the same one."""
    chance = random.Random(f"log {storm}")
    log = [e.IncidentOpened("Sessions holds too much memory", "critical", "sessions", "UTC", "nothing_near")]
    fired: list[int] = []
    while len(log) < ENTRIES:
        log.append(_alert(chance, fired) if chance.random() < storm else _word(chance))  # type: ignore[arg-type]
    return [
        e.Logged(seq, at := START + timedelta(seconds=seq), at, "prometheus", entry)
        for seq, entry in enumerate(log, start=1)
    ]


def _alert(chance: random.Random, fired: list[int]) -> e.Entry:
    if fired and chance.random() < 0.5:
        return e.AlertResolved(chance.choice(fired), "PodDown")
    fired.append(len(fired) + 1)
    summary = f"Pod sessions-{fired[-1]} has been down for more than five minutes"
    return e.AlertFired(
        fired[-1], "PodDown", "sessions", "critical", summary, "prometheus", "https://x.example/g", "Same."
    )


def _word(chance: random.Random) -> e.Entry:
    suspect = f"suspect {chance.randrange(40)}"
    return chance.choice(
        [
            e.NoteWritten("The latency of checkout follows the memory of sessions. " * 3),
            e.SuspectRaised(suspect, "service", "It was deployed an hour before.", ("a" * 64,)),
            e.SuspectCleared(suspect, "service", "Its latency is flat."),
            e.SuspectConvicted(suspect, "service", "Its memory grows without end."),
            e.RoleHanded("lead", chance.choice(["Ada", "Ben"])),
            e.ChangeNoticed(
                chance.randrange(200), "deploy", "succeeded", "sessions", "2.0", "1.4", "Session tracking", "Dana"
            ),
            e.EvidenceGathered(
                f"{chance.randrange(300):064x}", "Memory", "prometheus", "rss", START, START, "sessions", "B"
            ),
            e.MeasureProposed(chance.randrange(1, 50), "task", "Watch the memory of sessions.", "Ben", "2024-09-01"),
        ]
    )


def _database(folder: Path, logs: dict[str, list[e.Logged]]) -> Callable[[str], list[e.Logged]]:
    """Store the logs in a new SQLite file; returns the way to read one as the room does."""
    os.environ |= {"DATABASE_URL": f"sqlite:///{folder}/bench.db", "UNREPEAT_DATA_DIR": str(folder)}
    os.environ["DJANGO_SETTINGS_MODULE"] = "unrepeat.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from unrepeat.incidents import commands, store

    numbers = {
        name: commands.begin([e.Happened(one.entry, one.at, one.by) for one in log], by="bench", at=START)
        for name, log in logs.items()
    }
    return lambda name: store.log_of(numbers[name])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
