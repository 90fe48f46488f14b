"""Test results as a guard: what they say, also when they are hostile, old, or of another place."""

from __future__ import annotations

import time

import pytest

from tests.support.on_runners import run, script

HEAD = '<?xml version="1.0"?>'
PASSED = HEAD + '<testsuite><testcase classname="t" name="one"/><testcase classname="t" name="two"/></testsuite>'
FAILED = PASSED.replace('name="one"/>', 'name="one"><failure message="no">it.py:2: AssertionError</failure></testcase>')
ERRED = FAILED.replace("failure", "error")
SKIPPED = PASSED.replace('name="one"/>', 'name="one"><skipped/></testcase>')


def results(folder, text, **spec):
    (folder / "out.xml").write_text(text)
    return run("junit", folder, results="out.xml", **spec)


@pytest.mark.parametrize(
    ("text", "tests", "colour"),
    [
        (PASSED, [], "green"),
        (PASSED, ["one"], "green"),
        (FAILED, [], "red"),
        (ERRED, [], "broken"),
        (ERRED, ["one"], "broken"),
        (ERRED, ["two"], "green"),
        (FAILED, ["t.one"], "red"),
        (FAILED, ["t::one"], "red"),
        (FAILED, ["t.*"], "red"),
        (FAILED, ["two"], "green"),
        (FAILED, ["three"], "broken"),
        (FAILED, ["two", "three"], "broken"),
        (SKIPPED, ["one"], "broken"),
        (SKIPPED, [], "green"),
        (PASSED.replace("/>", "><skipped/></testcase>"), [], "broken"),
        (HEAD + "<testsuite/>", [], "broken"),
        (PASSED.replace("testsuite", "other"), [], "broken"),
        (PASSED[:60], [], "broken"),
        ("", [], "broken"),
        (PASSED.replace("testcase", "s:testcase").replace("<testsuite", "<testsuite xmlns:s='urn:x'"), [], "green"),
    ],
)
def test_what_results_say(tmp_path, text, tests, colour):
    outcome = results(tmp_path, text, tests=tests)
    assert outcome.colour == colour, outcome.said
    assert outcome.remedy or colour == "green"


def test_an_error_is_red_where_the_test_runner_tells_exceptions_so(tmp_path):
    assert results(tmp_path, ERRED, errors="red").colour == "red"
    assert "could not run" in results(tmp_path, ERRED).said


def test_a_failing_test_is_placed_on_its_line(tmp_path):
    (tmp_path / "it.py").write_text("\n\n")
    place = results(tmp_path, FAILED).place
    assert (place.path, place.line) == ("it.py", 2)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))
HOSTILE = {
    "a billion laughs": f"<!DOCTYPE t [{LAUGHS}]><testsuite><testcase name='&l11;'/></testsuite>",
    "a file of ours": "<!DOCTYPE t [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><testsuite><testcase name='&x;'/></testsuite>",
    "no UTF-8": b"<?xml version='1.0' encoding='utf-8'?><testsuite>\xff\xfe</testsuite>",
    "an unknown encoding": b"<?xml version='1.0' encoding='ebcdic-99'?><testsuite/>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_results_are_broken_and_cost_nothing(tmp_path, name):
    text = HOSTILE[name]
    (tmp_path / "out.xml").write_bytes(text if isinstance(text, bytes) else text.encode())
    began = time.monotonic()
    outcome = run("junit", tmp_path, results="out.xml")
    assert outcome.colour == "broken"
    assert "root:" not in outcome.said + outcome.output
    assert time.monotonic() - began < 5


def test_deeply_nested_results_are_no_crash(tmp_path):
    assert results(tmp_path, "<testsuite>" * 50_000 + "</testsuite>" * 50_000).colour == "broken"


def test_results_of_an_earlier_run_do_not_count(tmp_path):
    (tmp_path / "out.xml").write_text(PASSED)
    stale = run("junit", tmp_path, results="out.xml", command="true")
    assert stale.colour == "broken"
    assert "anew" in stale.said
    words = script(tmp_path, f"open('out.xml', 'w').write({FAILED!r})")
    assert run("junit", tmp_path, results="out.xml", command=words).colour == "red"


def test_a_runner_that_fails_though_no_test_does_is_broken(tmp_path):
    words = script(tmp_path, f"open('out.xml', 'w').write({PASSED!r}); raise SystemExit(3)")
    assert run("junit", tmp_path, results="out.xml", command=words).colour == "broken"
    assert run("junit", tmp_path, results="out.xml", command=words, tests=["one"]).colour == "green"


def test_test_runners_that_are_not_there_or_hang_are_broken(tmp_path):
    assert run("junit", tmp_path, results="out.xml", command="no-such-runner").colour == "broken"
    words = script(tmp_path, "import time; time.sleep(60)")
    assert run("junit", tmp_path, results="out.xml", command=words, seconds=1).colour == "broken"


def test_result_files_outside_the_checkout_are_not_read(tmp_path):
    (tmp_path / "secret.xml").write_text(PASSED)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "out.xml").symlink_to(tmp_path / "secret.xml")
    assert run("junit", checkout, results="*.xml").colour == "broken"
