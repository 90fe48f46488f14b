"""The commands' reference is what the commands say of themselves.

Write it anew with: UNREPEAT_WRITE_REFERENCE=1 .venv/bin/pytest tests/unit/test_commands_reference.py
"""

from __future__ import annotations

import os
from pathlib import Path

from unrepeat.support.problems import Problem
from unrepeat.terminal import _about_the_database, build

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"


def test_the_reference_of_the_commands_is_current():
    said = build().generate_docs(output_format="markdown").rstrip() + "\n"
    if os.environ.get("UNREPEAT_WRITE_REFERENCE"):
        REFERENCE.write_text(said)
    assert REFERENCE.read_text() == said


def test_a_database_without_tables_is_a_problem_with_its_remedy():
    problem = _about_the_database("no such table: arrivals_source")
    assert isinstance(problem, Problem)
    assert "unrepeat migrate" in problem.remedy
