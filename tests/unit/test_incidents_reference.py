"""The reference lists every entry kind and every act, with its fields and in its own words."""

import dataclasses
from pathlib import Path

import pytest

from unrepeat.incidents.acts import ACTS
from unrepeat.incidents.entries import KINDS
from unrepeat.incidents.grouping import RULES
from unrepeat.incidents.severity import MEANS

DOCS = Path(__file__).parents[2] / "docs" / "reference"


def rows(page: str) -> dict[str, str]:
    """The rows of the page's tables by what stands in their first cell."""
    lines = [line for line in (DOCS / page).read_text().splitlines() if line.startswith("| ")]
    return {line.split("|")[1].strip().strip("`"): line for line in lines}


@pytest.mark.parametrize(("page", "known"), [("entries.md", KINDS), ("acts.md", ACTS)])
def test_each_is_listed_in_its_own_words_with_its_fields(page, known):
    listed = rows(page)
    for name, cls in known.items():
        assert " ".join((cls.__doc__ or "").split()) in listed[name], name
        for field in dataclasses.fields(cls):
            assert f"`{field.name}`" in listed[name], f"{name}.{field.name}"


def test_nothing_is_listed_that_is_not_there():
    assert set(rows("entries.md")) - {"kind"} == set(KINDS)
    headings = {"act", "rule", "severity", "same occurrence"}
    assert set(rows("acts.md")) - headings == set(ACTS) | set(RULES) | set(MEANS)


def test_every_label_is_listed_with_the_severity_that_it_means():
    listed = rows("acts.md")
    for severity, labels in MEANS.items():
        for label in labels:
            assert f"`{label}`" in listed[severity]
