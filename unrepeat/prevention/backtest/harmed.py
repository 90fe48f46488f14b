"""When the first users were hurt in a recording: as its manifest says, else found in its request log."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from unrepeat.investigation.harm import find_harm
from unrepeat.investigation.impact import Question, measure, quiet_threshold
from unrepeat.investigation.telemetry.request_source import opened
from unrepeat.prevention.backtest import recorded
from unrepeat.prevention.backtest.recorded import Folder, Moments, Unreadable, check_file, moment

REQUESTS = "requests.parquet"
STRETCHES = 60  # into which a recording is cut to see when users began to be hurt
NARROWEST = timedelta(minutes=1)


def moments(recording: Folder) -> Moments:
    """What its manifest tells of the outage, and where that is silent about the harm, what its request log tells."""
    told = recorded.moments(recording)
    if recording.healthy or told.harm is not None or told.alert is None:
        return told
    digest = (recording.manifest.get("files") or {}).get(REQUESTS)
    if digest is None:
        return told
    changes = [moment(at) for at in (recording.manifest.get("moments") or {}).values()]
    quiet_until = min([at for at in changes if at is not None], default=told.alert)
    return replace(told, harm=_found(recording.path, recording.name, digest, *recording.window, quiet_until))


@lru_cache(maxsize=64)
def _found(
    path: Path, name: str, digest: str, start: datetime, end: datetime, quiet_until: datetime
) -> datetime | None:
    """The start of the first stretch in which clearly more users were slowed than in quiet times; None when there is none."""
    del digest  # with it, a recording that was made again is looked at again
    file = check_file(recorded.open_folder(path, name), REQUESTS)
    try:
        log = opened([file])
        slow = _objective(path / "catalogue.toml") or quiet_threshold(log, start, quiet_until)
        if slow is None:
            return None
        width = max(NARROWEST, timedelta(minutes=round((end - start) / STRETCHES / NARROWEST)))
        impact = measure(
            log, Question(start, end, slow, "the catalogue or quiet times", None, width, (start, end), end)
        )
    except Exception as error:  # what an engine raises for a broken file has no common name
        raise Unreadable(
            f"The requests of the recording {name} cannot be read.", f"{type(error).__name__}: {error}"
        ) from error
    harm = find_harm(impact.buckets, width, quiet_until)
    return harm.began if harm else None


def _objective(catalogue: Path) -> float | None:
    """From when on users call a request slow (seconds), where a service of the recording's catalogue says so."""
    try:
        services = tomllib.loads(catalogue.read_text(encoding="utf-8")).get("services", {})
    except (OSError, ValueError):
        return None
    told = [one.get("slow_over") for one in services.values() if isinstance(one, dict)]
    return min((float(one) for one in told if isinstance(one, int | float) and one > 0), default=None)
