"""A command as a guard: it ends as a clear state with a remedy, whatever the command does, and leaves nothing running."""

from __future__ import annotations

import os
import time

import psutil
import pytest

from tests.support.on_runners import PYTHON, left_behind, run, script
from unrepeat.prevention.kind import Target, checked
from unrepeat.prevention.runner.checkout import place_in
from unrepeat.support.problems import Problem


def test_a_command_that_always_passes_and_one_that_always_fails(tmp_path):
    assert run("command", tmp_path, command="true").colour == "green"
    failed = run("command", tmp_path, command="false")
    assert (failed.colour, failed.said) == ("red", "It ended with status 1; status 0 was expected.")
    assert run("command", tmp_path, command="false", expected=1).colour == "green"


def test_a_command_may_say_which_statuses_are_red(tmp_path):
    assert run("command", tmp_path, command="sh -c 'exit 3'", red=[3]).colour == "red"
    assert run("command", tmp_path, command="sh -c 'exit 2'", red=[3]).colour == "broken"
    assert run("command", tmp_path, command="sh -c 'kill -9 $$'").said.startswith("It ended by signal 9")


def test_a_command_that_hangs_is_ended_and_broken(tmp_path):
    began = time.monotonic()
    outcome = run(
        "command",
        tmp_path,
        command=script(tmp_path, "import time; print('at it', flush=True); time.sleep(600)"),
        seconds=1,
    )
    assert time.monotonic() - began < 20
    assert (outcome.colour, outcome.output) == ("broken", "at it\n")
    assert "had not ended after 1 s" in outcome.said
    assert "seconds" in outcome.remedy


def test_hanging_may_be_the_failure_itself(tmp_path):
    words = script(tmp_path, "import time; time.sleep(600)")
    assert run("command", tmp_path, command=words, seconds=1, when_late="red").colour == "red"


def test_a_command_that_prints_a_gigabyte_is_ended_and_broken(tmp_path):
    words = script(tmp_path, "import sys\nblock = 'x' * 2**20\nfor _ in range(1024): sys.stdout.write(block)\n")
    before = psutil.Process().memory_info().rss
    outcome = run("command", tmp_path, command=words)
    assert outcome.colour == "broken"
    assert "printed more than 64 MiB" in outcome.said
    assert len(outcome.output) <= 64 * 1024
    assert psutil.Process().memory_info().rss - before < 64 * 2**20


def test_a_command_that_is_not_there_is_broken(tmp_path):
    outcome = run("command", tmp_path, command="no-such-command --at all")
    assert outcome.colour == "broken"
    assert "could not be started" in outcome.said
    assert outcome.remedy
    inner = run("command", tmp_path, command="sh -c 'no-such-command'")
    assert inner.colour == "broken"


def test_a_checkout_or_folder_that_is_gone_is_broken(tmp_path):
    gone = run("command", tmp_path / "gone", command="true")
    assert (gone.colour, gone.said.partition(".")[0]) == ("broken", "The checkout is gone")
    assert run("command", tmp_path, command="true", folder="gone").colour == "broken"


def test_a_folder_that_leads_out_of_the_checkout_is_refused(tmp_path):
    (tmp_path / "out").symlink_to("/")
    assert run("command", tmp_path, command="true", folder="out").colour == "broken"
    for folder in ("..", "/tmp", "a/../../b"):
        with pytest.raises(Problem):
            checked("command", {"command": "true", "folder": folder})


@pytest.mark.parametrize("how", ["a child", "a child that left its group"])
def test_nothing_that_a_command_starts_is_left_running(tmp_path, how):
    marker = f"left-by-{os.getpid()}-{how.replace(' ', '-')}"
    apart = how == "a child that left its group"
    words = script(
        tmp_path,
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)', {marker!r}],"
        f" start_new_session={apart})\n",
    )
    assert run("command", tmp_path, command=words).colour == "green"
    assert left_behind(marker) == []


def test_what_runs_sees_neither_our_token_nor_our_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("UNREPEAT_TOKEN", "uct_secret")
    outcome = run("command", tmp_path, command=script(tmp_path, "import os; print(sorted(os.environ))"))
    assert "UNREPEAT_TOKEN" not in outcome.output


def test_placeholders_stay_one_word_and_a_missing_one_is_broken(tmp_path):
    words = [PYTHON, "-c", "import sys; print(sys.argv[1:])", "{version}", "of {ref}"]
    target = Target("version", "2.0", folder=tmp_path, ref="2.0", variables={"version": "2.0; rm -rf x"})
    assert run("command", tmp_path, target=target, command=words).output == "['2.0; rm -rf x', 'of 2.0']\n"
    missing = run("command", tmp_path, command="echo {version}")
    assert missing.colour == "broken"
    assert "--set version" in missing.remedy
    with pytest.raises(Problem, match="placeholder"):
        checked("command", {"command": "echo {secret}"})


def test_a_red_command_names_the_line_that_its_output_names(tmp_path):
    (tmp_path / "src").mkdir()
    words = script(tmp_path, "raise SystemExit('gone.py:3: no such file\\nsrc/shop.py:7: visits are kept for ever')")
    (tmp_path / "src" / "shop.py").write_text("\n" * 9)
    place = run("command", tmp_path, command=words).place
    assert (place.path, place.line) == ("src/shop.py", 7)


def test_a_place_is_always_inside_the_checkout(tmp_path):
    outside = tmp_path / "outside.py"
    outside.write_text("x")
    inside = tmp_path / "checkout"
    (inside / "venv" / "site-packages").mkdir(parents=True)
    (inside / "venv" / "site-packages" / "lib.py").write_text("x")
    assert place_in(f"{outside}:3: x\n../outside.py:3\nvenv/site-packages/lib.py:4", inside) is None
