"""Release 2.0.1 is release 2.0 with the fix and nothing else."""

from __future__ import annotations

import difflib
from pathlib import Path

import lab.sessions.releases

FOLDER = Path(lab.sessions.releases.__file__).parent


def test_only_the_letting_go_of_visits_differs():
    leaky, fixed = ((FOLDER / name).read_text().splitlines() for name in ("v2_0.py", "v2_0_1.py"))
    changes = [line for line in difflib.unified_diff(leaky, fixed, n=0, lineterm="") if line[0] in "-+"][2:]
    assert changes == [
        "-        self._visits.pop((session.id, session.visits), None)",
        "+        for number in range(1, session.visits + 1):",
        "+            self._visits.pop((session.id, number), None)",
    ]
