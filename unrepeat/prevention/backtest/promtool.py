"""Runs the real promtool within bounds, and reads what it answers. What it cannot do raises Unusable, with its own words."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from unrepeat.prevention.backtest.testfile import Asked
from unrepeat.prevention.running import processes
from unrepeat.support.problems import Problem

RULES = "rules.yml"
TESTS = "tests.yml"
MOST_OUTPUT = 4 * 1024 * 1024  # bytes
CONTROLLED = 7.0
CONTROL = Asked(f"vector({CONTROLLED:g})", 0)
_ANSWER = re.compile(r'^\s*expr: ("(?:[^"\\]|\\.)*"), time: .*?(?:err: (?P<err>.*)|$)')
_VALUE = re.compile(r"(?:^|\s)([-+]?(?:\d[\d.]*(?:[eE][-+]?\d+)?|Inf|NaN))\s*$")


class Unusable(Problem):
    """promtool could not say: it is missing, was late, or refuses what it was given."""

    def __init__(self, what: str, why: str, remedy: str, output: str = "") -> None:
        super().__init__(what, why, remedy, status=422)
        self.output = output


@dataclass(frozen=True, slots=True)
class Answers:
    """What promtool answered: a number or nothing for each question, and all that it printed."""

    values: Mapping[Asked, float | None]
    output: str
    seconds: float


def program() -> str:
    """Where promtool is; Unusable when it is not installed."""
    found = shutil.which("promtool")
    if found is None:
        raise Unusable(
            "promtool is not installed here.",
            "Alerting rules are run over recordings by Prometheus' own promtool.",
            "Install it: it comes with Prometheus (Debian: apt install prometheus), and must be in PATH.",
        )
    return found


@lru_cache(maxsize=4)
def version(path: str) -> str:
    """The version of a promtool, as it says itself; empty when it does not."""
    ran = processes.run([path, "--version"], seconds=10, most_output=64 * 1024)
    found = re.search(r"version (\S+)", ran.output)
    return found[1].rstrip(",") if found else ""


def ask(rules: str, tests: str, asked: Sequence[Asked], *, seconds: float) -> Answers:
    """Run `promtool test rules` on a test file whose questions are CONTROL and `asked`, each of one number or nothing.

    A question that expects nothing and gets a number fails, and promtool then prints the number: that is how it is read.
    CONTROL, the first one, has an answer that is known: no silence is believed of a promtool whose words are not understood.
    """
    path = program()
    with tempfile.TemporaryDirectory(prefix="unrepeat-promtool-") as folder:
        (Path(folder) / RULES).write_text(rules, encoding="utf-8")
        (Path(folder) / TESTS).write_text(tests, encoding="utf-8")
        ran = run(path, ["test", "rules", TESTS], folder=Path(folder), seconds=seconds)
    read = _answers(ran.output)
    if ran.status != 0 and not read:
        raise Unusable(
            "promtool refuses this rule.",
            _short(ran.output) or f"It ended with status {ran.status} and said nothing.",
            "Mend the rule; `promtool check rules` says the same.",
            ran.output,
        )
    if read.get(CONTROL.expr) != CONTROLLED:
        raise Unusable(
            "promtool's answer is not understood.",
            f"It does not say that {CONTROL.expr} is {CONTROLLED:g}, or says more than can be kept.",
            f"Use another version of promtool (this is {version(path) or 'unknown'}), and report this.",
            ran.output,
        )
    values: dict[Asked, float | None] = {}
    for one in asked:
        got = read.get(one.expr)
        if isinstance(got, str):
            raise Unusable("promtool cannot evaluate this rule.", got, "Mend the rule's expression.", ran.output)
        values[one] = got
    return Answers(values, ran.output, ran.seconds)


def check(rules: str, *, seconds: float = 20) -> None:
    """Let promtool check rules; Unusable has its message."""
    path = program()
    with tempfile.TemporaryDirectory(prefix="unrepeat-promtool-") as folder:
        (Path(folder) / RULES).write_text(rules, encoding="utf-8")
        ran = run(path, ["check", "rules", RULES], folder=Path(folder), seconds=seconds)
    if ran.status != 0:
        raise Unusable(
            "promtool refuses this rule.",
            _short(ran.output),
            "Mend the rule; `promtool check rules` says the same.",
            ran.output,
        )


def run(path: str, words: Sequence[str], *, folder: Path, seconds: float) -> processes.Finished:
    """One call of promtool; Unusable when it did not come to its end."""
    around = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "GOMAXPROCS": "1", "LANG": "C.UTF-8"}
    ran = processes.run([path, *words], seconds=seconds, folder=folder, environment=around, most_output=MOST_OUTPUT)
    if ran.status is None:
        raise Unusable("promtool could not be started.", f"{ran.why}.", "Install it anew.")
    if ran.timed_out:
        raise Unusable(
            f"promtool had not ended after {seconds:g} s.",
            "It was ended.",
            "Let the rule look at fewer series, or cut a shorter recording (`unrepeat recording cut`).",
            ran.output,
        )
    if ran.printed > MOST_OUTPUT:
        raise Unusable(
            f"promtool printed more than {MOST_OUTPUT // 2**20} MiB.",
            "It was ended.",
            "See that the promtool in PATH is Prometheus' own.",
            ran.output,
        )
    return ran


def _answers(output: str) -> dict[str, float | str]:
    """By expression, the number that came out, or the words with which promtool refuses it."""
    found: dict[str, float | str] = {}
    expression = ""
    for line in output.splitlines():
        if head := _ANSWER.match(line):
            try:
                expression = json.loads(head[1])
            except ValueError:
                expression = ""
            if head["err"]:
                found[expression] = head["err"].strip()
        elif line.strip().startswith("got:") and expression and (value := _VALUE.search(line.rstrip().rstrip('"'))):
            found[expression] = float(value[1])
    return found


def _short(output: str) -> str:
    """What promtool complains of, without its headings and the names of our files."""
    lines = [line.strip() for line in output.splitlines()]
    told = [line for line in lines if line and not line.startswith(("Unit Testing", "Checking", "FAILED", "SUCCESS"))]
    return re.sub(rf"\S*\b(?:{RULES}|{TESTS}):\s*", "", "; ".join(told))[:700]
