"""Who was hurt is counted in the request log while an incident goes on and when it ends; the log of the incident says what is new, and why when nobody could count."""

from __future__ import annotations

import json
import os
import resource
import time
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.test import Client

from tests.support.outage import at
from unrepeat.duty import commands as duty
from unrepeat.incidents import commands, queries
from unrepeat.incidents.acts import Merge, Mitigate, Reopen, Resolve
from unrepeat.incidents.entries import EvidenceMissing, ImpactMeasured
from unrepeat.investigation import measuring, watching
from unrepeat.investigation import queries as investigation
from unrepeat.investigation.models import Measurement, Result
from unrepeat.investigation.telemetry import request_source
from unrepeat.postmortems import commands as publishing
from unrepeat.postmortems import library
from unrepeat.postmortems import queries as postmortems
from unrepeat.support import clock
from unrepeat.support.models import Wakeup
from unrepeat.support.wakeups import Claim
from unrepeat.web.live import reading
from unrepeat.web.models import User
from unrepeat.worker import Worker

pytestmark = pytest.mark.django_db
CATALOGUE = """
[services.sessions]
[services.shop]
depends_on = ["sessions"]
slow_over = 0.5
[[services.shop.steps]]
name = "checkout"
method = "POST"
attempt = ["/checkout"]
success = ["/pay"]
"""


def line(when: datetime, who: str, path: str = "/product/1", *, seconds: float = 0.05, status: int = 200) -> str:
    method = "POST" if path in ("/checkout", "/pay") else "GET"
    fields = {"at": when.timestamp(), "method": method, "path": path, "status": status, "request_time": seconds}
    return json.dumps({**fields, "session": who})


def visitors(begin: str, minutes: int, *, slow: int, lost: int = 0, name: str = "v") -> list[str]:
    """Ten visitors a minute; of them `slow` meet a slow page, four try to check out, and `lost` of these never pay."""
    made = []
    for minute in range(minutes):
        for i in range(10):
            when, who = at(begin) + timedelta(minutes=minute, seconds=i), f"{name}{begin}-{minute}-{i}"
            made.append(line(when, who, seconds=0.9 if i < slow else 0.05))
            if i < 4:
                made.append(line(when + timedelta(seconds=10), who, "/checkout"))
                made.append(line(when + timedelta(seconds=20), who, "/pay", status=409 if i < lost else 200))
    return made


def a_shop_log(file: Path, extra: list[str] = []) -> Path:  # noqa: B006 (only read)
    """Quiet from 14:15, harm from 15:15 to 15:45 (7 of 10 slowed, 1 of 4 checkouts lost), quiet again until 16:15."""
    story = [*visitors("14:15", 60, slow=0), *visitors("15:15", 30, slow=7, lost=1), *visitors("15:45", 30, slow=0)]
    file.write_text("\n".join([*story, *extra]) + "\n")
    return file


def an_incident(minute: str = "15:15") -> int:
    duty.load_catalogue(CATALOGUE)
    with clock.using(clock.SimulatedClock(at(minute))):
        return commands.open_incident("The shop is slow", service="sessions", severity="critical", by="Ada")


def look(number: int, minute: str, *, key: str = "", **subject: bool) -> str:
    """The worker's two steps, at a time of day."""
    made = Claim(
        1,
        "investigation",
        "measure",
        {"incident": number, **subject},
        key or f"measure:{number}:{minute}",
        at(minute),
        1,
        1,
        at(minute),
    )
    with clock.using(clock.SimulatedClock(at(minute))):
        answer = measuring.ask(made)
        with transaction.atomic():
            return measuring.write(made, answer)


def said(number: int) -> list[ImpactMeasured]:
    return [one.entry for one in queries.log_of(number) if isinstance(one.entry, ImpactMeasured)]


def reasons(number: int) -> list[str]:
    return [
        one.entry.reason
        for one in queries.log_of(number)
        if isinstance(one.entry, EvidenceMissing) and one.entry.title == "Impact"
    ]


def perform(number: int, act, minute: str) -> None:
    with clock.using(clock.SimulatedClock(at(minute))):
        commands.perform(number, act, by="Ada")


def shares(entry: ImpactMeasured) -> dict[str, tuple[int, int]]:
    return {one.name: (one.numerator, one.denominator) for one in entry.shares}


def cleo() -> Client:
    """Her browser, signed in."""
    person, _ = User.objects.get_or_create(username="Cleo")
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page_of(number: int) -> str:
    """The incident's page, as Cleo sees it."""
    return cleo().get(f"/incidents/{number}").content.decode().replace("\u00a0", " ")


def test_at_the_end_the_log_holds_what_a_hand_counts(tmp_path):
    number = an_incident()
    with request_source.using([a_shop_log(tmp_path / "access.log")]):
        perform(number, Mitigate("rolled back"), "15:45")
        perform(number, Resolve("all is well"), "16:00")
        with clock.using(clock.SimulatedClock(at("16:00"))):
            Worker().run_until_idle()
    last = said(number)[-1]
    assert shares(last) == {
        "users slowed": (210, 300),
        "users who met an error": (0, 300),
        "requests failed": (0, 300 + 2 * 120),
        "checkout lost": (30, 120),
    }
    assert (last.slow_seconds, last.slow_source) == (0.5, "objective of shop")
    assert (last.window_from, last.window_to) == (at("15:15"), at("15:45"))
    assert (last.harm_from, last.harm_to) == (at("15:15"), at("15:45"))
    assert investigation.is_intact(last.digest)
    assert "SELECT" in investigation.result(last.digest).query
    report = postmortems.report(postmortems.of_incident(number))
    assert "210 of 300 users" in report.prose["summary"].text
    assert report.figures[0].svg
    publishing.publish(report.number, by="Ada")
    (row,) = library.shelf()
    assert row.impact.replace("\u00a0", " ") == (
        "70 % of users slowed (210 of 300), 25 % of those who tried checkout never succeeded (30 of 120)"
    )
    assert list(library.shelf("210"))


def test_without_a_request_log_the_reason_is_said_once():
    number = an_incident()
    for minute in ("15:16", "15:17", "15:30"):
        look(number, minute)
    assert reasons(number) == [measuring.NO_REQUEST_LOG]
    assert said(number) == []
    assert not Measurement.objects.exists()


def test_a_log_that_cannot_be_read_is_a_reason_and_the_incident_goes_on(tmp_path, monkeypatch):
    number = an_incident()
    broken = tmp_path / "requests.parquet"
    broken.write_bytes(b"not a parquet file")
    monkeypatch.setattr(request_source, "config", lambda: SimpleNamespace(request_log=str(broken)))
    look(number, "15:16")
    look(number, "15:17")
    monkeypatch.setattr(request_source, "config", lambda: SimpleNamespace(request_log=str(tmp_path / "nothing-*.log")))
    look(number, "15:18")
    first, second = reasons(number)
    assert "requests.parquet cannot be read" in first
    assert "no file matches" in second
    perform(number, Resolve("all is well"), "15:20")


def test_only_files_of_the_time_that_is_asked_about_are_read(tmp_path, monkeypatch):
    number = an_incident()
    new, old = a_shop_log(tmp_path / "access.log"), a_shop_log(tmp_path / "access.log.1")
    os.utime(old, (at("14:00").timestamp(),) * 2)
    monkeypatch.setattr(request_source, "config", lambda: SimpleNamespace(request_log=f"{new}*"))
    look(number, "15:46")
    assert said(number)[0].source == "access.log"


def test_an_engine_that_is_gone_in_the_middle_of_a_question_is_a_reason_said_once(tmp_path):
    number = an_incident()
    with request_source.using([a_shop_log(tmp_path / "access.log")]):
        gone = request_source.request_log()
        assert gone is not None
        gone.con.disconnect()
        for minute in ("15:17", "15:20", "15:30"):
            look(number, minute)
    assert len(reasons(number)) == 1
    assert reasons(number)[0].startswith("the request log could not be asked (")


def test_a_time_without_requests_is_a_reason_said_once_and_not_at_the_very_beginning(tmp_path):
    number = an_incident()
    file = tmp_path / "access.log"
    file.write_text("\n".join(visitors("14:15", 50, slow=0)) + "\n")
    with request_source.using([file]):
        assert "nothing to ask yet" in look(number, "15:15")
        for minute in ("15:17", "15:20", "15:30"):
            look(number, minute)
    assert reasons(number) == ["access.log has no requests since 15:15 UTC"]


def test_lines_that_are_no_requests_are_counted_and_stay_out_of_every_number(tmp_path):
    number = an_incident()
    file = a_shop_log(tmp_path / "access.log", ["no line of a log"] * 20_000)
    with request_source.using([file]):
        perform(number, Mitigate("rolled back"), "15:45")
        look(number, "15:46")
    (entry,) = said(number)
    assert entry.unreadable == 20_000
    assert shares(entry)["users slowed"] == (210, 300)


NONSENSE = [
    "no line of a log",
    '{"at": 1723475700.0, "path": "/cut sho',
    '{"at": "yesterday", "status": "fine"}',
    "\x00\xff\xfe",
    "[]",
]
"""Lines that are no requests."""


def test_a_million_lines_that_cannot_be_read_cost_little_and_the_page_says_how_many_they_were(tmp_path):
    number = an_incident()
    file = a_shop_log(tmp_path / "access.log")
    with file.open("a", encoding="latin-1") as log:
        for _ in range(200_000):
            log.write("\n".join(NONSENSE) + "\n")
    held, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with request_source.using([file]):
        perform(number, Mitigate("rolled back"), "15:45")
        look(number, "15:46")
    took = time.monotonic() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) / 1024  # MB; Linux counts in kB
    (entry,) = said(number)
    assert entry.unreadable == 1_000_000
    assert shares(entry)["users slowed"] == (210, 300)
    assert "1\u202f000\u202f000 unreadable lines left out" in page_of(number)
    assert took < 60
    assert grown < 1500


def test_while_it_goes_on_only_what_is_new_is_said(tmp_path):
    number = an_incident()
    with request_source.using([a_shop_log(tmp_path / "access.log")]):
        for minute in range(18, 45):
            look(number, f"15:{minute}")
        going_on = said(number)
        perform(number, Mitigate("rolled back"), "15:45")
        for minute in range(46, 58):
            look(number, f"15:{minute}")
        stopped = said(number)[len(going_on) :]
        perform(number, Resolve("all is well"), "15:58")
        for minute in ("15:59", "16:00"):
            look(number, minute, meanwhile=True)
    assert len(going_on) <= 2, "the share stayed at 70 %: said once, and once more when harm was found"
    assert [entry.harm_to is None for entry in stopped] in ([True, False], [False])
    assert len(said(number)) == len(going_on) + len(stopped), (
        "nothing is said by a look that was planned before the end"
    )
    assert Result.objects.count() == len(said(number))


def test_a_page_shows_the_newest_count_before_the_log_says_it_and_watching_counts_more_often(tmp_path):
    number = an_incident()
    with request_source.using([a_shop_log(tmp_path / "access.log")]):
        look(number, "15:20")
        look(number, "15:30")
        newest = investigation.newest_impact(number, queries.state_of(number))
        assert newest is not None and newest.impact.window_to == at("15:30") > said(number)[-1].window_to
        planned = Wakeup.objects.filter(key__contains=":watched:")
        with clock.using(clock.SimulatedClock(at("15:30"))) as _:
            assert not watching.look_again(number), "it was counted just now"
        with clock.using(clock.SimulatedClock(at("15:31"))):
            assert watching.look_again(number)
            assert not watching.look_again(number), "however many watch"
        assert planned.count() == 1
        chain = Wakeup.objects.filter(what="measure").count()
        look(number, "15:31", meanwhile=True, watched=True)
        assert Wakeup.objects.filter(what="measure").count() == chain, "who watches begins no second chain of looks"
        perform(number, Resolve("all is well"), "15:50")
        look(number, "15:50")
    assert not Measurement.objects.exists(), "what counts stands in the log"


def test_an_outage_that_lasts_for_weeks_is_counted_ever_less_often(tmp_path):
    number = an_incident()
    with request_source.using([a_shop_log(tmp_path / "access.log")]):
        for hours, pause in ((1, timedelta(minutes=5)), (7 * 24, timedelta(minutes=50.4))):
            now = at("15:15") + timedelta(hours=hours)
            with clock.using(clock.SimulatedClock(now)), transaction.atomic():
                measuring._again(number, queries.state_of(number), took=1.0)
            due = Wakeup.objects.filter(what="measure", done_at=None).order_by("-due_at").first()
            assert due is not None and due.due_at - now == pause


def test_the_count_of_those_who_are_hurt_can_be_asked_for_again(tmp_path):
    number = an_incident()
    with request_source.using([a_shop_log(tmp_path / "access.log")]):
        look(number, "15:30")
    digest = queries.state_of(number).impact.digest
    assert f'href="/incidents/{number}/evidence/{digest}"' in page_of(number)
    page = cleo().get(f"/incidents/{number}/evidence/{digest}").content.decode()
    assert "As it was stored" in page
    assert "SELECT" in page and "Users slowed: 70 % (105 of 150" in page.replace("\u00a0", " ").replace("\u202f", " ")
    assert len(cleo().get(f"/incidents/{number}/evidence/{digest}?format=json").json()["data"]["buckets"]) > 5


def test_watching_an_incident_that_nobody_can_count_costs_nothing():
    number = an_incident()
    look(number, "15:16")
    with clock.using(clock.SimulatedClock(at("15:40"))):
        assert not watching.look_again(number)


def test_an_incident_that_is_merged_is_not_counted_any_more(tmp_path):
    number, other = an_incident(), an_incident("15:14")
    with request_source.using([a_shop_log(tmp_path / "access.log")]):
        look(number, "15:30")
        before = len(queries.log_of(number))
        assert Measurement.objects.filter(incident=number).exists()
        perform(number, Merge(other, "the same outage"), "15:31")
        merged = len(queries.log_of(number))
        assert "merged" in look(number, "15:40", meanwhile=True)
        look(other, "15:40")
    assert len(queries.log_of(number)) == merged > before
    assert not Measurement.objects.filter(incident=number).exists()
    assert said(other)


def test_after_the_end_it_is_counted_once_more(tmp_path):
    number = an_incident()
    with request_source.using([a_shop_log(tmp_path / "access.log")]):
        perform(number, Resolve("all is well"), "15:45")
        look(number, "15:45")
        waiting = Wakeup.objects.filter(what="measure", done_at=None, due_at__gt=at("15:45"))
        assert [row.due_at for row in waiting.order_by("-due_at")[:1]] == [at("15:45") + timedelta(minutes=7.5)]
        assert said(number)[-1].harm_to is None
        look(number, "15:55")
    assert said(number)[-1].harm_to == at("15:45")


def test_a_reopened_incident_is_counted_again(tmp_path):
    number = an_incident()
    with request_source.using([a_shop_log(tmp_path / "access.log")]):
        perform(number, Resolve("all is well"), "15:25")
        look(number, "15:25")
        perform(number, Reopen("still slow"), "15:30")
        due = Wakeup.objects.filter(what="measure", done_at=None, due_at=at("15:30"))
        assert due.count() == 1
        look(number, "15:40")
    newest = investigation.newest_impact(number, queries.state_of(number))
    assert newest is not None and shares(newest.impact)["users slowed"] == (175, 250)


def test_the_page_tells_who_is_hurt_with_its_counts_and_is_refreshed_while_it_is_open(tmp_path):
    number = an_incident()
    with request_source.using([a_shop_log(tmp_path / "access.log")]):
        look(number, "15:30")
        with clock.using(clock.SimulatedClock(at("15:30"))):
            page = page_of(number).replace("\u00a0", " ")
        assert "Users slowed" in page and "70 %" in page and "105 of 150" in page and "over 0.5 s" in page
        assert "Checkout lost" in page
        assert page.count("data-live-timed") == 2
        assert 'class="harm-line slowed"' in page
        perform(number, Resolve("all is well"), "15:50")
        look(number, "15:50")
    page = page_of(number)
    assert 'id="story"' in page and f'data-live="/incidents/{number}/part/story" data-live-timed' not in page
    assert "Harm began" in page


def test_the_stream_and_the_api_carry_the_counts(tmp_path):
    number = an_incident()
    with request_source.using([a_shop_log(tmp_path / "access.log")]):
        look(number, "15:30")
    counted = {"name": "users slowed", "unit": "users", "numerator": 105, "denominator": 150}
    streamed = [json.loads(text)["entry"] for text in (item.text for item in reading.log_after(number, 0))]
    assert counted in next(one["shares"] for one in streamed if one["kind"] == "impact_measured")
    answer = cleo().get(f"/api/v1/incidents/{number}").json()
    assert counted in answer["state"]["impact"]["shares"]
    log = cleo().get(f"/api/v1/incidents/{number}/log").json()
    assert any(counted in one["entry"].get("shares", []) for one in log["items"])


def test_an_incident_that_nobody_counted_says_so_on_its_page():
    number = an_incident()
    look(number, "15:16")
    page = page_of(number)
    assert "Not measured" in page and "no request log is connected" in page
    assert "data-live-timed" not in page and "harm-line" not in page
