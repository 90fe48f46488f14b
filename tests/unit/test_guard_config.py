"""A value in a file as a guard: in TOML, YAML, JSON and nginx files, with the line where it stands."""

from __future__ import annotations

import pytest

from tests.support.on_runners import run
from unrepeat.prevention.kind import checked
from unrepeat.prevention.runner.compare import holds
from unrepeat.support.problems import Invalid, Problem

FILES = {
    "pool.toml": "# the pool\n[pool]\nsize = 5\nname = 'sessions'\n\n[[pool.hosts]]\nname = 'a'\n\n[[pool.hosts]]\nname = 'b'\nwait.seconds = 3\n",
    "deploy.yaml": "kind: Deployment\nspec: &spec\n  limits:\n    memory: 512Mi\n    cpu: !quota 2\n---\nkind: Service\nspec:\n  <<: *spec\n  port: 80\n".replace(
        "&spec", ""
    ).replace("  <<: *spec\n", ""),
    "app.json": '{\n\t"pool": {\n\t\t"size": 5,\n\t\t"retry": null,\n\t\t"on": true\n\t}\n}\n',
    "shop.conf": "events {}\nhttp {\n  include parts/*.conf;\n  server {\n    listen 80;\n    location /api {\n      proxy_read_timeout 60s;\n    }\n    location = /health { return 200; }\n  }\n}\n",
    "parts/limits.conf": "client_max_body_size 1m;\n",
}


@pytest.fixture
def repository(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "path", "operation", "value", "colour", "line"),
    [
        ("pool.toml", "pool.size", "equals", 5, "green", 0),
        ("pool.toml", "pool.size", "at_least", 10, "red", 3),
        ("pool.toml", "pool.name", "matches", "sess*", "green", 0),
        ("pool.toml", "pool.hosts[1].name", "equals", "c", "red", 10),
        ("pool.toml", "pool.hosts[*].name", "not_equals", "b", "red", 10),
        ("pool.toml", "pool.hosts[1].wait.seconds", "at_most", 2, "red", 11),
        ("pool.toml", "pool.timeout", "present", None, "red", 1),
        ("pool.toml", "pool.timeout", "absent", None, "green", 0),
        ("pool.toml", "pool.size", "absent", None, "red", 3),
        ("pool.toml", "pool.name", "at_least", 3, "broken", 0),
        ("deploy.yaml", "spec.limits.memory", "at_most", "1Gi", "green", 0),
        ("deploy.yaml", "spec.limits.memory", "at_least", "1Gi", "red", 4),
        ("deploy.yaml", "spec.limits.memory", "at_least", "5s", "broken", 0),
        ("deploy.yaml", "spec.limits.cpu", "equals", "2", "green", 0),
        ("deploy.yaml", "kind", "equals", "Deployment", "red", 7),
        ("app.json", "pool.size", "at_least", 10, "red", 3),
        ("app.json", "pool.on", "equals", True, "green", 0),
        ("app.json", "pool.on", "equals", "true", "green", 0),
        ("app.json", "pool.retry", "present", None, "green", 0),
        ("shop.conf", "http.server.location[/api].proxy_read_timeout", "at_most", "5s", "red", 7),
        ("shop.conf", "http.server.location[/api].proxy_read_timeout", "at_most", "1m", "green", 0),
        ("shop.conf", "http.server.location[/shop].proxy_read_timeout", "at_most", "5s", "red", 1),
        ("shop.conf", "http.server.location[= /health].return", "equals", "200", "green", 0),
        ("shop.conf", "http.client_max_body_size", "at_most", "512k", "red", 1),
        ("missing.toml", "a", "present", None, "broken", 0),
    ],
)
def test_values_in_files(repository, file, path, operation, value, colour, line):
    outcome = run("config", repository, file=file, path=path, operation=operation, value=value)
    assert outcome.colour == colour, outcome.said
    assert (outcome.place.line if outcome.place else 0) == line
    assert outcome.remedy or colour == "green"


def test_a_value_in_an_included_file_is_placed_there(repository):
    outcome = run(
        "config", repository, file="shop.conf", path="http.client_max_body_size", operation="at_most", value="512k"
    )
    assert outcome.place.path == "parts/limits.conf"


BROKEN = {
    "half.toml": "[pool\n",
    "half.yaml": "a: [1, 2\n",
    "half.json": '{"a": 1,}',
    "half.conf": "http {\n",
    "round.conf": "include round.conf;\nhttp {}\n",
    "deep.json": "[" * 100_000,
    "deep.yaml": "[" * 20_000,
    "binary.toml": b"\xff\xfe\x00",
    "of-no-kind": "a = 1",
}


@pytest.mark.parametrize("name", BROKEN)
def test_files_that_cannot_be_parsed_are_broken_or_hold_nothing(tmp_path, name):
    text = BROKEN[name]
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    outcome = run("config", tmp_path, file=name, path="a.b", operation="present")
    assert outcome.colour == ("red" if name == "round.conf" else "broken"), outcome.said
    assert outcome.remedy


def test_nginx_files_outside_the_checkout_are_not_looked_into(tmp_path):
    (tmp_path / "secret.conf").write_text("password 'hunter2';\n")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "shop.conf").write_text(f"include {tmp_path}/secret.conf;\n")
    outcome = run("config", checkout, file="shop.conf", path="password", operation="absent")
    assert outcome.colour == "green"
    assert "hunter2" not in outcome.output


@pytest.mark.parametrize(
    "spec",
    [
        {"file": "../a.toml", "path": "a", "operation": "present"},
        {"file": "a.toml", "path": "a", "operation": "equals"},
        {"file": "a.toml", "path": "a", "operation": "present", "value": 1},
        {"file": "a.toml", "path": "a[", "operation": "present"},
        {"file": "a.toml", "path": "a", "operation": "is"},
    ],
)
def test_a_text_that_makes_no_sense_is_refused(spec):
    with pytest.raises(Problem):
        checked("config", spec)


@pytest.mark.parametrize(
    ("operation", "value", "wanted", "said"),
    [
        ("at_most", "300s", "5m", True),
        ("at_least", "1500ms", "1s", True),
        ("at_least", "1.5", "1", True),
        ("at_most", "1GB", "1Gi", True),
        ("equals", "on", "on", True),
        ("equals", 1, True, False),
        ("matches", ["a"], "*", False),
    ],
)
def test_comparing(operation, value, wanted, said):
    assert holds(operation, value, wanted) is said


def test_what_cannot_be_compared_says_so():
    with pytest.raises(Invalid):
        holds("at_most", "60", "1m")
