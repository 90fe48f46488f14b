"""Settings: all documented, and a wrong one says what it may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from unrepeat.support.config import Config, config
from unrepeat.support.problems import Problem

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


@pytest.fixture
def read_anew(monkeypatch):
    """Read the settings from a changed environment; the process's own are put back."""
    config.cache_clear()
    yield monkeypatch.setenv
    monkeypatch.undo()
    config.cache_clear()
    config()


@pytest.mark.parametrize("name", sorted(Config.model_fields))
def test_every_setting_is_in_the_reference(name):
    assert f"`UNREPEAT_{name.upper()}`" in REFERENCE.read_text()


def test_lists_are_separated_by_commas(read_anew):
    read_anew("UNREPEAT_PRIVATE_ADDRESSES", "10.0.0.0/8, prometheus.internal")
    assert config().private_addresses == ["10.0.0.0/8", "prometheus.internal"]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("UNREPEAT_TIME_ZONE", "Middle/Earth", "Europe/Berlin"),
        ("UNREPEAT_LOG_LEVEL", "LOUD", "DEBUG"),
        ("UNREPEAT_GROUPING_WINDOW", "-5", "greater than 0"),
        ("UNREPEAT_OPEN_READING", "perhaps", "boolean"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_may_be(read_anew, variable, value, said):
    read_anew(variable, value)
    with pytest.raises(Problem) as problem:
        config()
    assert variable in problem.value.why
    assert value in problem.value.why
    assert said in problem.value.why
