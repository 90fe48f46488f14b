"""unrepeat.toml: what it declares, and how its mistakes are told with their line."""

from pathlib import Path

import pytest

from unrepeat.prevention.declared import parse
from unrepeat.prevention.proving import digest_of
from unrepeat.support.problems import Problem

FILE = """# guards of the session service
service = "sessions"

[[guard]]
name = "sessions-limit"
kind = "command"
measures = ["PM-12/3", "INC-4/1"]
command = ["make", "limit"]

[[guard]]
name = "shop-timeout"
kind = "config"
service = "shop"
[guard.spec]
file = "nginx.conf"
path = "http.keepalive_timeout"
operation = "at_most"
value = "65s"
"""


def test_a_file_declares_guards():
    limit, timeout = parse(FILE)
    assert (limit.name, limit.kind, limit.service, limit.line) == ("sessions-limit", "command", "sessions", 4)
    assert limit.measures == ("PM-12/3", "INC-4/1")
    assert limit.spec == {"command": ["make", "limit"]}
    assert limit.digest == digest_of("command", limit.spec)
    assert (timeout.service, timeout.place) == ("shop", "unrepeat.toml:10")


def test_a_guard_beside_and_below_spec_is_the_same_guard():
    flat = '[[guard]]\nname="a"\nkind="command"\ncommand="true"\nseconds=5\n'
    below = '[[guard]]\nname="a"\nkind="command"\n[guard.spec]\ncommand="true"\nseconds=5.0\n'
    assert parse(flat)[0].digest == parse(below)[0].digest


def test_what_a_default_says_anyway_does_not_change_the_digest():
    short = '[[guard]]\nname="a"\nkind="command"\ncommand="true"\n'
    assert parse(short)[0].digest == parse(short + "expected = 0\n")[0].digest


def test_an_empty_file_declares_nothing():
    assert parse("") == []


GOOD = '\n\n[[guard]]\nname = "a"\nkind = "command"\ncommand = "true"\n'
MISTAKES = {
    "no TOML": ("[[guard]\n", "line 1"),
    "a slip of the pen at the top": ("services = 'x'\n", "unrepeat.toml:1"),
    "no name": ('\n[[guard]]\nkind = "command"\n', "unrepeat.toml:2"),
    "a bad name": ('\n[[guard]]\nname = "A guard"\nkind = "command"\n', "unrepeat.toml:2"),
    "an unknown kind": (GOOD.replace('"command"', '"comand"'), "unrepeat.toml:3"),
    "an unknown field": (GOOD + 'comand = "x"\n', "unrepeat.toml:3"),
    "a missing field": (GOOD.replace('command = "true"', ""), "unrepeat.toml:3"),
    "a wrong value": (GOOD + "seconds = 'long'\n", "unrepeat.toml:3"),
    "a measure that is none": (GOOD + "measures = ['PM-12']\n", "unrepeat.toml:3"),
    "measures that are no list": (GOOD + "measures = 'PM-12/1'\n", "unrepeat.toml:3"),
    "a negative period": (GOOD + "every = -1\n", "unrepeat.toml:3"),
    "a service that is no text": (GOOD + "service = 3\n", "unrepeat.toml:3"),
    "a service of all that is no text": ("service = 3\n" + GOOD, "unrepeat.toml:1"),
    "two of one name": (GOOD + GOOD, "unrepeat.toml:9"),
    "a guard that is no table": ("guard = 3\n", "unrepeat.toml:1"),
    "one table for a list": ('[guard]\nname = "a"\n', "unrepeat.toml:1"),
    "a field said twice": (GOOD + "[guard.spec]\ncommand = 'x'\n", "unrepeat.toml:3"),
    "a spec that is no table": (GOOD + "spec = 3\n", "unrepeat.toml:3"),
    "a placeholder that there is not": (GOOD.replace('"true"', '"echo {token}"'), "unrepeat.toml:3"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told_with_their_line_and_a_remedy(name):
    text, line = MISTAKES[name]
    with pytest.raises(Problem) as told:
        parse(text)
    assert line in f"{told.value.what} {told.value.why}"
    assert told.value.remedy


def test_the_example_in_the_docs_is_one():
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "check-in-ci.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    assert [block.kind for block in parse(example)] == ["junit", "load_test", "config"]
