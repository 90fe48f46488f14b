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


def test_a_command_asked_for_by_name_says_the_same_without_the_others():
    alone, all_of_them = build("check-token"), build()
    assert [*alone["check-token"].resolved_commands()] == [*all_of_them["check-token"].resolved_commands()]
    said = [app["check-token"].generate_docs(output_format="markdown") for app in (alone, all_of_them)]
    assert said[0] == said[1]
    assert "serve" in all_of_them.resolved_commands() and "serve" not in alone.resolved_commands()


def test_a_name_that_no_command_has_is_looked_for_among_all():
    assert [*build("serv").resolved_commands()] == [*build().resolved_commands()]


def test_a_database_without_tables_is_a_problem_with_its_remedy():
    problem = _about_the_database("no such table: arrivals_source")
    assert isinstance(problem, Problem)
    assert "unrepeat migrate" in problem.remedy
