"""What a check leaves for CI and editors: JUnit XML, SARIF 2.1.0 and GitHub's annotations."""

import copy
import json
import xml.etree.ElementTree as ET

import pytest
from pydantic import ValidationError
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Schema

from unrepeat.prevention import declared
from unrepeat.prevention.guards import junit as junit_kind
from unrepeat.prevention.kind import Outcome, Place
from unrepeat.terminal import _check_files as files
from unrepeat.terminal import _checking as checking

BLOCK = declared.parse(
    '\n[[guard]]\nname = "sessions-limit"\nkind = "command"\nservice = "sessions"\ncommand = "true"\n'
)[0]
MEASURE = {"ref": "PM-12/3", "postmortem": 12, "headline": "Sessions, 100 % kept:\nfor ever"}
OUTCOMES = {
    "red": Outcome("red", "3 of 4 tests failed.", "Mend it.", "a\x00b\x1b[31mred <&>", place=Place("src/a b.py", 7)),
    "green": Outcome("green", "It ended with status 0, as expected."),
    "broken": Outcome("broken", "make could not be started.", "Install it on the runner."),
}


def checked(colour, *, flaky=False, inside="", name="sessions-limit"):
    known = {"name": name, "measures": [MEASURE], "proven": True, "digest": BLOCK.digest, "colour": "green"}
    guard = checking.Planned(name, "command", "sessions", BLOCK.spec, BLOCK.digest, BLOCK, known)
    outcome = OUTCOMES.get(colour)
    return checking.Checked(guard, outcome, {"seconds": 1.5} if outcome else {}, flaky=flaky, inside=inside)


ALL = [checked(colour, name=f"guard-{colour}") for colour in ("red", "green", "broken", "server")]


def test_junit_tells_red_from_broken_and_can_be_read_again(tmp_path):
    suite = ET.fromstring(files.junit(ALL)).find("testsuite")
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    assert [[child.tag for child in case] for case in suite] == [["failure"], [], ["error"], ["skipped"]]
    assert "Would repeat PM-12" in suite[0][0].get("message")
    (tmp_path / "out.xml").write_text(files.junit(ALL))
    assert [case.verdict for case in junit_kind.read(tmp_path / "out.xml")] == ["failed", "passed", "erred", "skipped"]


def test_sarif_has_what_the_standard_demands():
    told = json.loads(json.dumps(files.sarif(ALL, "c" * 40)))
    run = told["runs"][0]
    assert told["version"] == "2.1.0" and told["$schema"].startswith("https://")
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["guard-red", "guard-green", "guard-broken"]
    assert [result["ruleId"] for result in run["results"]] == ["guard-red"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        where = result["locations"][0]["physicalLocation"]
        assert where["artifactLocation"]["uri"] == "src/a%20b.py"
        assert where["region"]["startLine"] >= 1
    assert run["invocations"][0]["executionSuccessful"] is False
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith("make could not")


def test_sarif_is_valid_by_the_official_schema():
    """`pydantic_sarif` is made from sarif-schema-2.1.0.json of OASIS, and refuses what that does not know."""
    told = files.sarif(ALL, "c" * 40)
    Schema.model_validate_json(json.dumps(told))
    for name, value in (("level", "fatal"), ("severity", "high")):
        wrong = copy.deepcopy(told)
        wrong["runs"][0]["results"][0][name] = value
        with pytest.raises(ValidationError, match=name):
            Schema.model_validate_json(json.dumps(wrong))


def test_github_gets_one_line_for_each_guard_that_is_not_green():
    red, broken = files.github(ALL)
    assert red == (
        "::error file=src/a b.py,line=7,title=guard-red is red::3 of 4 tests failed. "
        "Would repeat PM-12: Sessions, 100 %25 kept:%0Afor ever."
    )
    assert broken.startswith("::error file=unrepeat.toml,line=2,title=guard-broken is broken::")
    assert files.github([checked("green")]) == []
    assert files.github([checked("green", flaky=True)])[0].startswith("::warning title=sessions-limit is flaky::")


def test_annotations_are_told_from_the_repositorys_root():
    assert files.github([checked("red", inside="services/sessions/")])[0].startswith(
        "::error file=services/sessions/src/a b.py,line=7,"
    )
