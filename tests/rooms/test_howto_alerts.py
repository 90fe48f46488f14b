"""docs/how-to/try-alerts-on-outages.md says what comes out when somebody does it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from unrepeat.prevention import commands, declared, recordings, store
from unrepeat.prevention.commands import Ran
from unrepeat.prevention.kind import Tools, checked
from unrepeat.prevention.running import patrol
from unrepeat.prevention.running.targets import target_of

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed"),
]
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "try-alerts-on-outages.md").read_text(encoding="utf-8")


def test_the_guard_of_the_page_is_proven_with_the_minutes_that_the_page_says(tmp_path):
    name = "2024-08-12-memory-leak"
    recordings.add(ROOT / "lab" / "recordings" / name, by="Ada", service="sessions")
    found = re.search(r"recording cut (\S+) --from (\S+) --to (\S+) --as (\S+)", PAGE)
    assert found and found[1] == name
    source = recordings.folder_of(name)
    window = [recordings.moment_in(source, words) for words in found.group(2, 3)]
    recordings.add(recordings.cut(source, found[4], *window, healthy=True, into=tmp_path), by="Ada")
    block = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert block
    (guard,) = declared.parse(re.sub(r"^   ", "", block[1], flags=re.MULTILINE))
    made = commands.declare(commands.Declared(guard.name, guard.kind, guard.spec, guard.service), by="Ada")
    known, spec = patrol.known_recordings(), checked(guard.kind, guard.spec)
    tried = re.search(r"--failure (\S+) --fix (\S+)`", PAGE)
    assert tried
    runs = []
    for words in tried.groups():
        target = target_of(words, known)
        outcome, seconds = patrol.run_safely(guard.kind, spec, target, Tools(60.0, known))
        runs.append(Ran(outcome, target, seconds=seconds))
    proof = commands.record_proof(made.pk, *runs, by="Ada")
    assert proof.proven
    assert "it fired at 14:46" in PAGE
    assert (
        "fired at 14:46 UTC, 19 min before the first users were hurt (15:05)" in store.proofs(made.pk)[0].failure.said
    )
    assert "19 minutes before the first users were hurt" in PAGE
