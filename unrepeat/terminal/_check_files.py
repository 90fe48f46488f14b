"""What a check leaves for other programs: JUnit XML, SARIF 2.1.0, and GitHub's workflow commands."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

from unrepeat import __version__
from unrepeat.prevention.kind import kind_of
from unrepeat.terminal._checking import Checked

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(done: list[Checked]) -> str:
    """The results as JUnit XML: red is a failure, broken an error, what the server runs is skipped."""
    ran = [one for one in done if one.outcome]
    suite = ET.Element("testsuite", name="unrepeat check", tests=str(len(done)))
    suite.set("failures", str(sum(one.colour == "red" for one in ran)))
    suite.set("errors", str(sum(one.colour == "broken" for one in ran)))
    suite.set("skipped", str(len(done) - len(ran)))
    suite.set("time", f"{sum(_seconds(one) for one in ran):.3f}")
    for one in done:
        suite.append(_case(one))
    whole = ET.Element("testsuites", name="unrepeat check")
    whole.append(suite)
    ET.indent(whole)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(whole, encoding="unicode")}\n'


def _case(one: Checked) -> ET.Element:
    place = one.place
    case = ET.Element(
        "testcase", name=_xml(one.guard.name), classname=_xml(f"{one.guard.service or 'guards'}.{one.guard.kind}")
    )
    case.set("file", _xml(place.path))
    case.set("line", str(place.line))
    case.set("time", f"{_seconds(one):.3f}")
    if one.outcome is None:
        ET.SubElement(case, "skipped", message="The server runs it.")
    elif one.colour != "green":
        said = ET.SubElement(case, "failure" if one.colour == "red" else "error", message=_xml(words(one)))
        said.text = _xml(f"{one.outcome.remedy}\n\n{one.outcome.output}".strip())
    return case


def sarif(done: list[Checked], commit: str = "") -> dict[str, Any]:
    """The results as SARIF 2.1.0: a rule for each guard, a result for each red one; broken ones are notifications of the run."""
    ran = [one for one in done if one.outcome]
    broken = [one for one in ran if one.colour == "broken"]
    numbers = {one.guard.name: number for number, one in enumerate(ran)}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "Unrepeat",
                "semanticVersion": f"{__version__}",
                "rules": [_rule(one) for one in ran],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not broken,
                "toolExecutionNotifications": [_notification(one, numbers) for one in broken],
            }
        ],
        "results": [_result(one, numbers) for one in ran if one.colour == "red"],
    }
    if commit:
        run["properties"] = {"commit": commit}
    return {"$schema": SARIF, "version": "2.1.0", "runs": [run]}


def _rule(one: Checked) -> dict[str, Any]:
    kind = kind_of(one.guard.kind)
    over = ", ".join(str(measure["ref"]) for measure in one.guard.measures)
    return {
        "id": one.guard.name,
        "name": "".join(part.capitalize() for part in re.split(r"[._-]", one.guard.name)),
        "shortDescription": {"text": f"{kind.TITLE}" + (f", watching over {over}" if over else "")},
        "fullDescription": {"text": kind.HELP},
        "defaultConfiguration": {"level": "error"},
    }


def _result(one: Checked, numbers: dict[str, int]) -> dict[str, Any]:
    return {
        "ruleId": one.guard.name,
        "ruleIndex": numbers[one.guard.name],
        "level": "error",
        "kind": "fail",
        "message": {"text": words(one)},
        "locations": [_location(one)],
        "partialFingerprints": {"guard/v1": f"{one.guard.name}:{one.guard.digest[:16]}"},
    }


def _notification(one: Checked, numbers: dict[str, int]) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": words(one)},
        "associatedRule": {"id": one.guard.name, "index": numbers[one.guard.name]},
        "locations": [_location(one)],
    }


def _location(one: Checked) -> dict[str, Any]:
    place = one.place
    where = {
        "artifactLocation": {"uri": _uri(place.path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": place.line},
    }
    return {"physicalLocation": where}


def github(done: list[Checked]) -> list[str]:
    """Workflow commands of GitHub Actions: an error on the line of each guard that is not green."""
    lines = []
    for one in done:
        if one.colour in ("red", "broken"):
            place = one.place
            at = (
                f"file={_property(place.path)},line={place.line},title={_property(f'{one.guard.name} is {one.colour}')}"
            )
            lines.append(f"::error {at}::{_data(words(one))}")
        elif one.flaky:
            lines.append(f"::warning title={_property(f'{one.guard.name} is flaky')}::Both colours on one commit.")
    return lines


def words(one: Checked) -> str:
    """What is said of a guard that is not green, with what would come back."""
    said = one.outcome.said if one.outcome else ""
    return " ".join([said, *(f"{sentence[0].upper()}{sentence[1:]}." for sentence in one.repeats)])


def _seconds(one: Checked) -> float:
    return float(one.result.get("seconds", 0.0))


def _xml(text: str) -> str:
    return _NOT_XML.sub("�", text)


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
