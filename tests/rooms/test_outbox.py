"""Results that wait for the server: none is lost, none is kept twice, and one that cannot be read does not hold the others up."""

import json

import pytest

from tests.support.guarding import a_guard
from unrepeat.prevention.models import Run
from unrepeat.terminal._desk import Local
from unrepeat.terminal._outbox import Outbox, keep_known, known

pytestmark = pytest.mark.django_db


def result(guard, number, output=""):
    return {
        "guard": guard.name, "digest": guard.digest, "key": f"key-{number:06}", "colour": "green", "said": "It was green.",
        "output": output, "at": f"2024-08-30T10:00:{number % 60:02}+00:00", "seconds": 0.1, "target": "now", "ref": f"c{number}",
    }  # fmt: skip


@pytest.fixture
def box(tmp_path):
    return Outbox(tmp_path / ".unrepeat" / "outbox")


def test_many_and_large_results_go_in_portions_and_all_arrive_once(box):
    guard = a_guard()
    results = [result(guard, number, "x" * 60_000) for number in range(60)]
    box.put("sessions", results)
    files = box.waiting()
    assert len(files) > 2
    assert max(file.stat().st_size for file in files) < 1024 * 1024
    kept = [(file, file.read_text()) for file in files]
    sent = box.send(Local())
    assert (len(sent.taken), sent.waiting, Run.objects.count()) == (60, 0, 60)
    for file, text in kept:  # the answer got lost: all is sent again
        file.write_text(text)
    assert len(box.send(Local()).taken) == 60
    assert Run.objects.count() == 60


def test_a_file_cut_short_is_put_aside_and_the_others_are_sent(box):
    guard = a_guard()
    box.put("sessions", [result(guard, 1)])
    (box.folder / "0-cut.json").write_text('{"service": "sess')
    assert len(box.send(Local()).taken) == 1
    assert [file.name for file in box.folder.iterdir()] == ["0-cut.refused"]


def test_two_checks_of_one_checkout_may_send_at_the_same_time(box):
    guard = a_guard()
    for number in (1, 2):
        box.put("sessions", [result(guard, number)])

    class Beside(Local):
        """Another check sends all that waits while this one waits for its first answer."""

        def report(self, service, results):
            box.send(Local())
            return super().report(service, results)

    sent = box.send(Beside())
    assert (len(sent.taken), sent.waiting, Run.objects.count()) == (1, 0, 2)


def test_what_is_refused_waits_and_says_why(box):
    a_guard("shop-limit", service="shop")
    box.put("sessions", [result(a_guard("shop-limit", service="shop"), 1)])
    sent = box.send(Local())
    assert (sent.taken, sent.waiting, sent.why.status) == ({}, 1, 403)


def test_git_does_not_see_what_waits(box):
    box.put("sessions", [result(a_guard(), 1)])
    assert (box.folder.parent / ".gitignore").read_text() == "*\n"


def test_what_the_server_knew_is_there_for_a_check_without_it(tmp_path):
    assert known(tmp_path) == []
    keep_known(tmp_path, [{"name": "sessions-limit", "service": "sessions"}])
    assert known(tmp_path)[0]["name"] == "sessions-limit"
    for spoiled in ("", "{}", json.dumps([3]), "[" * 10):
        (tmp_path / "known.json").write_text(spoiled)
        assert known(tmp_path) == []
