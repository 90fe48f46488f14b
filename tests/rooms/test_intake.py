"""What the intake answers, and what it keeps. Through the real callable, writer thread and database."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from django.db import OperationalError

from tests.support.bodies import alertmanager
from unrepeat.arrivals import commands, store
from unrepeat.arrivals.intake import Intake
from unrepeat.arrivals.models import Delivery, Source, SourceSecret
from unrepeat.arrivals.senders import Senders
from unrepeat.arrivals.writer import Writer

pytestmark = pytest.mark.django_db(transaction=True)
BODY = alertmanager(["a"])


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self):
        return json.loads(self.body)


class Door:
    """An intake with its writer, and a way to knock."""

    def __init__(self, writer: Writer | None = None, **options):
        self.writer = writer or Writer()
        self.options = options

    async def __aenter__(self):
        await self.writer.start()
        self.intake = Intake(self.writer, **self.options)
        return self

    async def __aexit__(self, *_):
        await self.writer.stop()

    async def until_waiting(self, number):
        """Wait until so many deliveries wait, at most 10 s."""
        async with asyncio.timeout(10):
            while self.writer.waiting < number:  # noqa: ASYNC110 - the writer has no event for tests
                await asyncio.sleep(0.01)

    async def send(self, path, *chunks, method="POST", headers=(), then=None) -> Answer:
        """Send a body in pieces; `then` is what `receive` gives after them (default: it waits for ever)."""
        answer = Answer()
        pieces = [
            {"type": "http.request", "body": chunk, "more_body": n < len(chunks) - 1 or then is not None}
            for n, chunk in enumerate(chunks or (b"",))
        ]
        if then is not None:
            pieces.append(then)

        async def receive():
            if pieces and pieces[0] != "nothing":
                return pieces.pop(0)
            await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                answer.body += message["body"]

        raw = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers]
        await self.intake({"type": "http", "method": method, "path": path, "headers": raw}, receive, send)
        return answer


def at_the_door(knock, writer=None, **options):
    async def run():
        async with Door(writer, **options) as door:
            return await knock(door)

    return asyncio.run(run())


@pytest.fixture
def path():
    return f"/in/prometheus/{commands.add_source('prometheus', 'alertmanager')}"


def the_only_delivery() -> Delivery:
    return Delivery.objects.get()


def is_a_problem(answer: Answer, status: int) -> bool:
    return answer.status == status and set(answer.json) == {"what", "why", "remedy"} and all(answer.json.values())


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_delivery_is_stored_as_it_came_before_it_is_answered(path, method):
    answer = at_the_door(lambda door: door.send(path, BODY[:50], BODY[50:], method=method, headers=[("X-Test", "1")]))
    assert answer.status == 202
    kept = the_only_delivery()
    assert (bytes(kept.body), kept.headers, kept.state) == (BODY, {"x-test": "1"}, Delivery.State.WAITING)


def test_a_body_that_makes_no_sense_is_stored_too(path):
    assert at_the_door(lambda door: door.send(path, b"\x00\xff not json")).status == 202
    assert bytes(the_only_delivery().body) == b"\x00\xff not json"


def test_a_delivery_with_an_id_of_its_own_is_kept_once_however_often_it_is_sent():
    path = f"/in/hub/{commands.add_source('hub', 'github')}"
    same = [("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"), ("X-GitHub-Event", "ping")]

    async def knock(door):
        sent = (door.send(path, b'{"zen":"x"}', headers=same) for _ in range(200))
        return [answer.status for answer in await asyncio.gather(*sent)]

    assert at_the_door(knock) == [202] * 200
    assert Delivery.objects.count() == 1


def test_deliveries_without_an_id_are_all_kept_and_their_keys_grow(path):
    async def knock(door):
        return [(await door.send(path, BODY)).status for _ in range(50)]

    assert at_the_door(knock) == [202] * 50
    keys = [bytes(key) for key in Delivery.objects.order_by("id").values_list("key", flat=True)]
    assert len(set(keys)) == 50 and keys == sorted(keys)


def test_an_idempotency_key_makes_deliveries_the_same_where_the_kind_has_no_key():
    path = f"/in/own/{commands.add_source('own', 'generic_alert')}"

    async def knock(door):
        for key in ("one", "one", "two"):
            await door.send(path, b'{"summary":"x"}', headers=[("Idempotency-Key", key)])
        await door.send(path, b'{"summary":"x"}')
        await door.send(path, b'{"summary":"x"}')

    at_the_door(knock)
    assert Delivery.objects.count() == 4


def test_secrets_in_headers_are_not_kept_in_clear(path):
    secret = [("Authorization", "Bearer geheim"), ("Cookie", "geheim"), ("X-Gitlab-Token", "geheim"), ("Accept", "*/*")]
    at_the_door(lambda door: door.send(path, BODY, headers=secret))
    headers = the_only_delivery().headers
    assert "geheim" not in str(headers) and set(headers) == {"authorization", "cookie", "x-gitlab-token", "accept"}


def test_a_nul_in_a_header_does_not_lose_the_delivery(path):
    assert at_the_door(lambda door: door.send(path, BODY, headers=[("X-Odd", "a\x00b")])).status == 202
    assert the_only_delivery().headers == {"x-odd": "a\ufffdb"}


@pytest.mark.parametrize(
    "wrong", ["/in/prometheus/wrong", "/in/nobody/TOKEN", "/in/", "/in/prometheus", "/in/\x00/\ud800"]
)
def test_who_is_not_known_is_refused_and_nothing_kept(path, wrong):
    wrong = wrong.replace("TOKEN", path.rsplit("/", 1)[1])
    assert is_a_problem(at_the_door(lambda door: door.send(wrong, BODY)), 401)
    assert not Delivery.objects.exists()


def test_a_source_added_a_moment_ago_can_send(path):
    async def knock(door):
        before = await door.send(path, BODY)
        token = await asyncio.to_thread(commands.add_source, "grafana", "grafana")
        return before.status, (await door.send(f"/in/grafana/{token}", BODY)).status

    assert at_the_door(knock) == (202, 202)


def test_a_revoked_token_is_refused_within_seconds(path, monkeypatch):
    monkeypatch.setattr("unrepeat.arrivals.senders.STALE", 0.2)
    monkeypatch.setattr("unrepeat.arrivals.senders.FRESH", 0.1)

    async def knock(door):
        assert (await door.send(path, BODY)).status == 202
        await asyncio.to_thread(commands.revoke, "prometheus")
        end = asyncio.get_running_loop().time() + 5
        while (answer := await door.send(path, BODY)).status == 202:
            assert asyncio.get_running_loop().time() < end, "a revoked token goes on working"
            await asyncio.sleep(0.02)
        return answer

    assert is_a_problem(at_the_door(knock), 401)


def test_a_rotated_token_works_beside_the_new_one_until_the_overlap_ends(path):
    new = f"/in/prometheus/{commands.rotate('prometheus', timedelta(hours=1))}"

    async def knock(door):
        return [(await door.send(where, BODY)).status for where in (path, new)]

    assert at_the_door(knock) == [202, 202]
    commands.rotate("prometheus", timedelta(0))
    assert at_the_door(knock) == [401, 401]


def test_a_source_with_a_secret_takes_only_what_is_signed_with_it(path):
    commands.set_secret("prometheus", "geheim-und-lang-genug")
    signed = [("Authorization", "Bearer geheim-und-lang-genug")]

    async def knock(door):
        return [
            await door.send(path, BODY),
            await door.send(path, BODY, headers=[("Authorization", "Bearer wrong")]),
            await door.send(path, BODY, headers=signed),
        ]

    missing, wrong, good = at_the_door(knock)
    assert is_a_problem(missing, 401) and is_a_problem(wrong, 401) and good.status == 202
    assert Delivery.objects.count() == 1


def test_a_secret_that_cannot_be_opened_is_its_own_source_s_trouble_only(path):
    commands.set_secret("prometheus", "geheim-und-lang-genug")
    SourceSecret.objects.update(sealed="sealed with another key")
    other = f"/in/other/{commands.add_source('other', 'alertmanager')}"

    async def knock(door):
        return await door.send(path, BODY), await door.send(other, BODY)

    refused, taken = at_the_door(knock)
    assert is_a_problem(refused, 503) and "another secret key" in refused.json["why"]
    assert taken.status == 202


def test_a_body_over_the_source_s_limit_is_refused_by_its_announced_and_by_its_real_length(path):
    Source.objects.update(max_bytes=100)

    async def knock(door):
        announced = await door.send(path, b"x", headers=[("Content-Length", "101")])
        absurd = await door.send(path, b"x", headers=[("Content-Length", "99999999999999999999999")])
        chunked = await door.send(path, *[b"x" * 30] * 4)
        fits = await door.send(path, b"x" * 100)
        return [announced, absurd, chunked], fits, door.writer.held

    refused, fits, held = at_the_door(knock)
    assert all(is_a_problem(answer, 413) for answer in refused) and fits.status == 202 and held == 0


def test_other_methods_are_refused_and_get_is_helped(path):
    async def knock(door):
        return await door.send(path, method="DELETE"), await door.send(path, method="GET")

    refused, helped = at_the_door(knock)
    assert is_a_problem(refused, 405) and "POST" in refused.headers["allow"]
    assert helped.status == 200 and b"POST" in helped.body


class Stuck:
    """A database that takes nothing until it is freed."""

    def __init__(self):
        self.freed, self.reached = threading.Event(), threading.Event()

    def keep(self, arrivals):
        self.reached.set()
        assert self.freed.wait(20)
        store.keep_deliveries(arrivals)


def test_a_body_without_room_is_taken_to_its_end_so_that_its_sender_reads_the_answer(path):
    async def knock(door):
        refused = await door.send(path, b"x" * 60, b"x" * 60, b"x" * 60)
        hung_up = await door.send(path, b"x" * 60, b"x" * 60, b"x" * 60, then={"type": "http.disconnect"})
        return refused, hung_up, door.writer.held, await door.send(path, BODY[:90])

    refused, hung_up, held, after = at_the_door(knock, Writer(most_bytes=100))
    assert is_a_problem(refused, 503) and "retry-after" in refused.headers
    assert hung_up.status == 0, "it was read on, up to where its sender hung up"
    assert held == 0 and after.status == 202


@pytest.mark.parametrize("bounds", [{"most_waiting": 3}, {"most_bytes": len(BODY) * 3}])
def test_more_than_may_wait_is_answered_503_with_retry_after_and_the_rest_is_kept(path, bounds):
    stuck = Stuck()

    async def knock(door):
        waiting = [asyncio.create_task(door.send(path, BODY)) for _ in range(3)]
        await asyncio.to_thread(stuck.reached.wait, 10)
        await door.until_waiting(3)
        refused = await door.send(path, BODY)
        stuck.freed.set()
        return refused, [(await task).status for task in waiting], door.writer.held, door.writer.waiting

    refused, others, held, waiting = at_the_door(knock, Writer(keep=stuck.keep, **bounds))
    assert is_a_problem(refused, 503) and int(refused.headers["retry-after"]) >= 1
    assert others == [202] * 3 and held == waiting == 0


def test_what_waits_together_is_committed_together(path):
    stuck, sizes = Stuck(), []

    def keep(arrivals):
        sizes.append(len(arrivals))
        stuck.keep(arrivals)

    async def knock(door):
        first = asyncio.create_task(door.send(path, b"0"))
        await asyncio.to_thread(stuck.reached.wait, 10)
        rest = [asyncio.create_task(door.send(path, str(n).encode())) for n in range(1, 400)]
        await door.until_waiting(400)
        stuck.freed.set()
        return {(await task).status for task in [first, *rest]}

    assert at_the_door(knock, Writer(keep=keep)) == {202}
    assert sizes == [1, 256, 143]


def test_when_the_database_fails_senders_are_told_to_come_again_and_the_writer_goes_on(path):
    failures = [OperationalError("the disk is full")]

    def keep(arrivals):
        if failures:
            raise failures.pop()
        store.keep_deliveries(arrivals)

    async def knock(door):
        return await door.send(path, BODY), await door.send(path, BODY)

    failed, after = at_the_door(knock, Writer(keep=keep))
    assert is_a_problem(failed, 503) and "retry-after" in failed.headers
    assert after.status == 202 and Delivery.objects.count() == 1


def test_a_delivery_that_cannot_be_stored_does_not_take_its_neighbours_along(path):
    gone = f"/in/gone/{commands.add_source('gone', 'alertmanager')}"
    stuck = Stuck()

    def known():
        """As it is when a source was removed a moment ago."""
        by_name = store.senders()
        return {**by_name, "gone": replace(by_name["gone"], id=999_999)}

    async def knock(door):
        first = asyncio.create_task(door.send(path, b"first"))
        await asyncio.to_thread(stuck.reached.wait, 10)
        together = [asyncio.create_task(door.send(where, b"x")) for where in (path, gone)]
        await door.until_waiting(3)
        stuck.freed.set()
        return [(await task).status for task in [first, *together]]

    assert at_the_door(knock, Writer(keep=stuck.keep), senders=Senders(known)) == [202, 202, 503]
    assert Delivery.objects.count() == 2


def test_a_body_that_does_not_come_in_time_is_given_up(path):
    answer = at_the_door(lambda door: door.send(path, b"half", then="nothing"), body_within=0.2)
    assert is_a_problem(answer, 503) and not Delivery.objects.exists()


def test_a_sender_that_hangs_up_leaves_nothing_behind(path):
    async def knock(door):
        answer = await door.send(path, b"half", then={"type": "http.disconnect"})
        return answer.status, door.writer.held

    assert at_the_door(knock) == (0, 0)
    assert not Delivery.objects.exists()


def test_sources_that_cannot_be_looked_up_are_answered_503(path):
    def broken():
        raise OperationalError("no database")

    assert is_a_problem(at_the_door(lambda door: door.send(path, BODY), senders=Senders(broken)), 503)
