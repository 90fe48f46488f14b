"""The durable checkpoint: all that the service holds, as gzipped JSON lines, so that a restart loses nothing.

It protects against the end of the process, not against a power cut: the file is renamed into place but not synced.
"""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from lab.sessions.model import Session, Visit
from lab.sessions.store import SessionStore

COMPRESSION = 3


class Cost(NamedTuple):
    """What a checkpoint took: seconds on the clock, and seconds of CPU. Their difference is waiting for the machine."""

    seconds: float
    cpu_seconds: float


def write(path: Path, store: SessionStore) -> Cost:
    """Save everything to `path` (temporary file, then rename); what it cost.

    Runs where it is called: what is saved is one consistent picture, since nothing else can change it meanwhile.
    """
    began, cpu = time.monotonic(), time.thread_time()
    partial = path.with_suffix(".partial")
    with gzip.open(partial, "wb", compresslevel=COMPRESSION) as out:
        for session in store.sessions.values():
            out.write(_line({"session": session.as_json()}))
        for session_id, number, visit in store.tracking.everything():
            out.write(_line({"of": session_id, "number": number, "visit": visit.as_json()}))
    partial.replace(path)
    return Cost(time.monotonic() - began, time.thread_time() - cpu)


def load(path: Path, store: SessionStore) -> int:
    """Take up the sessions that a checkpoint holds; how many. A missing file holds none."""
    if not path.exists():
        return 0
    sessions: dict[str, Session] = {}
    visits: dict[str, list[tuple[int, Visit]]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            value = json.loads(line)
            if "session" in value:
                session = Session.from_json(value["session"])
                sessions[session.id] = session
            else:
                visit = Visit.from_json(value["visit"])
                visits.setdefault(value["of"], []).append((value["number"], visit))
    for session in sessions.values():
        numbered = sorted(visits.get(session.id, []), key=lambda pair: pair[0])
        store.adopt(session, [visit for _, visit in numbered])
    return len(sessions)


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
