"""Who watches an incident sees its entries at once, loses none, and is let go when the server stops or the right to read ends."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection

from tests.support.api import a_filled_database
from tests.support.streams import elsewhere, opened
from unrepeat.incidents import acts, commands
from unrepeat.support.bell import Ears
from unrepeat.web.live import hub, views
from unrepeat.web.models import ApiToken

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def filled(transactional_db):
    made = a_filled_database()
    connection.close()
    return made


@pytest.fixture
def quick_pings(monkeypatch):
    monkeypatch.setattr(views, "PING", 0.2)


def note(filled, text="seen"):
    return lambda: commands.perform(filled.incident, acts.Note(text), by="Ada")


def stream_of(filled, query=""):
    return f"/api/v1/incidents/{filled.incident}/stream{query}"


def run(story):
    """Run an async story, and see that nothing of the hub is left when it ends."""

    async def whole():
        async with asyncio.timeout(60):
            await story()
        assert hub.watchers == 0

    asyncio.run(whole())


def test_a_new_entry_is_told_to_all_who_watch(filled):
    async def story():
        async with (
            opened(stream_of(filled), filled.reader_token) as one,
            opened(stream_of(filled), filled.admin_token) as two,
        ):
            await elsewhere(note(filled, "memory falls"))
            for stream in (one, two):
                await stream.until(lambda s: s.items)
                assert stream.items[0]["entry"] == {"kind": "note_written", "text": "memory falls"}
                assert stream.events[0][0] == stream.items[0]["seq"]

    run(story)


def test_who_comes_back_gets_what_was_missed(filled):
    async def story():
        async with opened(stream_of(filled), filled.reader_token, Last_Event_ID="1") as stream:
            await stream.until(lambda s: len(s.items) == 2)
            assert [item["seq"] for item in stream.items] == [2, 3]
        async with opened(stream_of(filled, "?after=2"), filled.reader_token) as stream:
            await stream.until(lambda s: s.items)
            assert [item["seq"] for item in stream.items] == [3]

    run(story)


def test_who_comes_the_first_time_gets_only_what_is_new(filled):
    async def story():
        async with opened(stream_of(filled), filled.reader_token) as stream:
            await elsewhere(note(filled))
            await stream.until(lambda s: s.items)
            assert [item["seq"] for item in stream.items] == [4]

    run(story)


def test_who_loses_the_line_before_the_first_entry_knows_where_to_go_on(filled):
    async def story():
        async with opened(stream_of(filled), filled.reader_token) as stream:
            await stream.until(lambda s: s.raw.startswith(b"id: 3\n"))

    run(story)


def test_many_entries_at_once_become_few_events_and_none_is_lost(filled):
    def many():
        for number in range(40):
            note(filled, f"note {number}")()

    async def story():
        async with opened(stream_of(filled), filled.reader_token) as stream:
            await elsewhere(many)
            await stream.until(lambda s: len(s.items) >= 40)
            assert [item["seq"] for item in stream.items] == list(range(4, 44))
            assert len(stream.events) < 20

    run(story)


def test_a_reader_who_is_slow_loses_nothing(filled, monkeypatch):
    monkeypatch.setattr("unrepeat.web.live.watching.MOST_WAITING", 3)
    monkeypatch.setattr(views, "A_PIECE", 5)

    def many():
        for number in range(12):
            note(filled, f"note {number}")()

    async def story():
        async with opened(stream_of(filled), filled.reader_token) as stream:
            await elsewhere(many)
            await stream.until(lambda s: len(s.items) >= 12)
            assert [item["seq"] for item in stream.items] == list(range(4, 16))

    run(story)


def test_the_stream_of_all_incidents_names_the_one_that_grew(filled):
    async def story():
        async with opened("/api/v1/stream", filled.reader_token) as stream:
            await elsewhere(note(filled))
            await stream.until(lambda s: s.items)
            assert stream.items == [{"incident": filled.incident, "seq": 4}]
            last = stream.events[-1][0]
        await elsewhere(note(filled))
        async with opened("/api/v1/stream", filled.reader_token, Last_Event_ID=str(last)) as stream:
            await stream.until(lambda s: s.items)
            assert stream.items == [{"incident": filled.incident, "seq": 5}]

    run(story)


WRITE_ELSEWHERE = """
import django; django.setup()
from unrepeat.incidents import acts, commands
commands.perform({number}, acts.Note("from another process"), by="Ben")
"""


def test_an_entry_of_another_process_is_seen_soon(filled):
    """Within about a second on SQLite (the safety look), at once on PostgreSQL (LISTEN)."""
    there = connection.settings_dict
    address = f"sqlite:///{there['NAME']}"
    if connection.vendor == "postgresql":
        address = f"postgresql://{there['USER']}@{there['HOST']}:{there['PORT']}/{there['NAME']}"
    settings = {"UNREPEAT_DATABASE_URL": address, "DATABASE_URL": address, "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", WRITE_ELSEWHERE.format(number=filled.incident)]
    ears = Ears()

    async def story():
        async with opened(stream_of(filled), filled.reader_token) as stream:
            await asyncio.to_thread(subprocess.run, command, check=True, env={**os.environ, **settings}, timeout=60)
            await stream.until(lambda s: s.items)
            written = datetime.fromisoformat(stream.items[0]["recorded_at"])
            assert (datetime.now(UTC) - written).total_seconds() < 5
            assert stream.items[0]["by"] == "Ben"

    ears.start()
    try:
        run(story)
    finally:
        ears.stop()


def test_a_quiet_stream_is_kept_open(filled, quick_pings):
    async def story():
        async with opened(stream_of(filled), filled.reader_token) as stream:
            await stream.until(lambda s: s.pings >= 2)

    run(story)


def test_a_stream_ends_when_its_token_is_revoked(filled, quick_pings):
    def revoke():
        ApiToken.objects.filter(user__username="Cleo").update(revoked_at=datetime.now(UTC))

    async def story():
        async with opened(stream_of(filled), filled.reader_token) as stream:
            await stream.until(lambda s: s.pings >= 1)
            await elsewhere(revoke)
            await stream.until(lambda s: s.ended)

    run(story)


def test_a_stream_ends_when_its_reader_signs_out(filled, quick_pings, client):
    from unrepeat.web.models import User

    client.force_login(User.objects.get(username="Cleo"), backend="django.contrib.auth.backends.ModelBackend")
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    connection.close()

    async def story():
        async with opened(f"/incidents/{filled.incident}/stream", Cookie=cookie) as stream:
            assert stream.status == 200
            await stream.until(lambda s: s.pings >= 1)
            await elsewhere(client.logout)
            await stream.until(lambda s: s.ended)

    run(story)


def test_all_streams_end_when_the_server_stops(filled):
    async def story():
        async with (
            opened(stream_of(filled), filled.reader_token) as one,
            opened("/api/v1/stream", filled.reader_token) as two,
        ):
            await one.until(lambda s: b"retry" in s.raw)
            await two.until(lambda s: b"retry" in s.raw)
            hub.close()
            await one.until(lambda s: s.ended, seconds=3)
            await two.until(lambda s: s.ended, seconds=3)
        async with opened(stream_of(filled), filled.reader_token) as late:
            assert late.status == 503

    run(story)


@pytest.mark.parametrize("path", ["/stream", "/incidents/1/stream", "/api/v1/stream", "/api/v1/incidents/1/stream"])
def test_nobody_watches_without_signing_in(filled, path):
    async def story():
        async with opened(path, Accept="text/event-stream") as stream:
            assert stream.status == 401
        async with opened(path, "not-a-token", Accept="text/event-stream") as stream:
            assert stream.status == 401

    run(story)


@pytest.mark.parametrize(
    ("path", "status"),
    [("incidents/99/stream", 404), (f"incidents/{10**30}/stream", 404), ("incidents/1/stream?after=x", 422)],
)
def test_what_cannot_be_watched_is_refused(filled, path, status):
    async def story():
        async with opened(f"/api/v1/{path}", filled.reader_token) as stream:
            assert stream.status == status
            assert b"remedy" in stream.raw

    run(story)


def test_open_streams_hold_no_connection_to_the_database(filled):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL counts connections")

    def held():
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from pg_stat_activity where datname = current_database()")
            return cursor.fetchone()[0]

    async def story():
        async with opened(stream_of(filled), filled.reader_token) as first:
            await first.until(lambda s: b"retry" in s.raw)
            before = await elsewhere(held)
            streams = [opened(stream_of(filled), filled.reader_token) for _ in range(10)]
            for one in streams:
                await (await one.__aenter__()).until(lambda s: b"retry" in s.raw)
            assert await elsewhere(held) <= before + 1
            for one in streams:
                await one.__aexit__(None, None, None)

    run(story)
