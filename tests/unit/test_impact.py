"""Who was hurt: the same question of the same log gives the same numbers, whatever engine answers."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime, timedelta

import duckdb
import ibis
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from ibis.common.exceptions import OperationNotDefinedError

from tests.support.requests_story import CHECKOUT, NOON, QUESTION, STORY, told
from unrepeat.investigation.harm import find_harm
from unrepeat.investigation.impact import Bucket, Question, asked, measure, quiet_threshold
from unrepeat.investigation.telemetry import Unanswered, request_source, requests
from unrepeat.support.shares import wilson


@pytest.fixture(scope="module")
def log_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("log") / "access.log"
    file.write_text("\n".join(STORY) + '\n{"at":17234', encoding="utf-8")
    return file


@pytest.fixture
def log(log_file):
    return requests.nginx_json(requests.duckdb(), [log_file])


def test_users_are_slowed_and_attempts_are_lost_only_when_they_never_succeed(log):
    assert told(measure(log, QUESTION)) == {
        "users slowed": (2, 4),
        "users who met an error": (1, 4),
        "requests failed": (1, 10),
        "checkout lost": (1, 4),
    }


def test_a_half_written_line_is_counted_and_left_out(log):
    assert log.unreadable == 1
    assert log.table.count().execute() == len(STORY)


def test_each_stretch_of_time_tells_its_own_users(log):
    buckets = {bucket.at: bucket for bucket in measure(log, QUESTION).buckets}
    second = buckets[NOON + timedelta(minutes=1)]
    assert (second.users, second.slowed, second.attempts, second.lost, second.failed) == (2, 2, 2, 1, 1)


def test_the_digest_is_the_same_for_the_same_answer_and_another_for_another(log, log_file, tmp_path):
    again = requests.nginx_json(requests.duckdb(), [log_file])
    fewer = tmp_path / "access.log"
    fewer.write_text("\n".join(STORY[:-2]))
    other = requests.nginx_json(requests.duckdb(), [fewer])
    digest = measure(log, QUESTION).digest
    assert len(digest) == 64
    assert measure(other, QUESTION).digest != digest
    assert told(measure(again, QUESTION)) == told(measure(log, QUESTION))


def test_rotated_and_packed_logs_are_one_log(log, tmp_path):
    packed, plain = tmp_path / "access.log.1.gz", tmp_path / "access.log"
    packed.write_bytes(gzip.compress(("\n".join(STORY[:6]) + "\n").encode()))
    plain.write_text("\n".join(STORY[6:]))
    both = requests.nginx_json(requests.duckdb(), [packed, plain])
    assert told(measure(both, QUESTION)) == told(measure(log, QUESTION))


def combined(text: str) -> str:
    """A JSON line of the story as nginx writes it in the combined format."""
    r = json.loads(text)
    return (
        f'127.0.0.1 - - [{datetime.fromtimestamp(r["at"], UTC):%d/%b/%Y:%H:%M:%S +0000}] "{r["method"]} {r["path"]}?q=1 HTTP/1.1" '
        f'{r["status"]} 512 "-" "Mozilla/5.0 (X11; Linux)" {r["request_time"]} "{r["session"]}"'
    )


def test_combined_lines_say_the_same_as_json_lines(log, tmp_path):
    file = tmp_path / "combined.log"
    file.write_text("\n".join([*map(combined, STORY), "no line of a log\n"]))
    read = requests.nginx_combined(requests.duckdb(), [file])
    assert told(measure(read, QUESTION)) == told(measure(log, QUESTION))
    assert read.unreadable == 1


def test_a_combined_line_that_is_half_written_or_has_an_odd_quote_spoils_no_other(log, tmp_path):
    packed, plain = tmp_path / "access.log.1.gz", tmp_path / "access.log"
    lines = [combined(text) for text in STORY]
    packed.write_bytes(gzip.compress("\n".join([*lines[:6], lines[6][:60], 'upstream "odd', ""]).encode()))
    plain.write_text("\n".join([*lines[6:], lines[0][:70]]))
    both = request_source.opened([plain, packed])
    assert told(measure(both, QUESTION)) == told(measure(log, QUESTION))
    assert both.unreadable == 3


def test_combined_lines_without_a_session_are_requests_of_nobody(tmp_path):
    file = tmp_path / "access.log"
    lines = [combined(text) for text in STORY]
    file.write_text("\n".join([line.rpartition(' "')[0] + ' "-"' for line in lines]) + "\n")
    assert told(measure(request_source.opened([file]), QUESTION))["users slowed"] == (0, 0)
    file.write_text("\n".join(line[: line.index("Linux)") + 7] for line in lines) + "\n")
    plain = told(measure(request_source.opened([file]), QUESTION))
    assert plain["requests failed"] == (1, 10)
    assert plain["users slowed"] == (0, 0)


@pytest.mark.parametrize("kind", [str, combined])
def test_the_format_is_told_by_the_first_line_that_is_a_request(log, tmp_path, kind):
    new, nonsense, old = tmp_path / "access.log", tmp_path / "access.log.1", tmp_path / "access.log.2.gz"
    new.write_text("")
    nonsense.write_text("2024/08/12 15:15:00 [error] 7#0: upstream\n{half\n" * 5000)
    old.write_bytes(gzip.compress(("\n".join(map(kind, STORY)) + "\n").encode()))
    read = request_source.opened([new, nonsense, old])
    assert told(measure(read, QUESTION)) == told(measure(log, QUESTION))
    assert read.unreadable == 10_000


class TestOfARotatedSet:
    def test_only_files_that_were_written_since_are_read_and_none_is_too_old_to_be_the_newest(self, tmp_path):
        files = [tmp_path / f"access.log.{i}" for i in range(3)]
        for days, file in enumerate(files):
            file.write_text("")
            os.utime(file, (NOON.timestamp() - days * 86400,) * 2)
        assert request_source.written_since(files, NOON - timedelta(hours=30)) == files[:2]
        assert request_source.written_since(files, NOON + timedelta(days=9)) == files[:1]
        assert request_source.written_since(files, None) == files

    def test_too_many_to_read_are_a_reason_and_not_a_smaller_number(self, tmp_path, monkeypatch):
        files = [tmp_path / f"access.log.{i}" for i in range(3)]
        for file in files:
            file.write_text("")
        monkeypatch.setattr(request_source, "MOST_FILES", 2)
        with pytest.raises(Unanswered, match="3 files of UNREPEAT_REQUEST_LOG were written in that time, more than 2"):
            request_source.written_since(files, None)


def test_an_empty_window_has_no_share_and_no_threshold(log):
    empty = Question(NOON - timedelta(hours=2), NOON - timedelta(hours=1), 0.5, "objective of shop", CHECKOUT)
    assert all(share.share is None for share in measure(log, empty).shares)
    assert quiet_threshold(log, empty.start, empty.end) is None


def test_the_wilson_interval_is_the_published_one():
    low, high = wilson(10, 100)
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_share_lies_within_its_bounds(numerator, denominator):
    numerator = min(numerator, denominator)
    low, high = wilson(numerator, denominator)
    assert 0 <= low <= numerator / denominator + 1e-12
    assert numerator / denominator - 1e-12 <= high <= 1


def stretches(*slowed: int, users: int = 20):
    return [
        Bucket(
            NOON + timedelta(minutes=i),
            requests=100,
            failed=0,
            users=users,
            slowed=hurt,
            attempts=0,
            lost=0,
            p50=0.01,
            p95=0.1,
            p99=0.2,
        )
        for i, hurt in enumerate(slowed)
    ]


def minutes(count: int) -> datetime:
    return NOON + timedelta(minutes=count)


def test_harm_begins_and_ends_where_the_data_say():
    harm = find_harm(stretches(0, 0, 1, 0, 0, 8, 15, 18, 12, 0, 0, 1), timedelta(minutes=1), minutes(4))
    assert (harm.began, harm.ended) == (minutes(5), minutes(9))


def test_harm_that_goes_on_has_no_end_yet():
    harm = find_harm(stretches(0, 0, 0, 0, 9, 15, 18), timedelta(minutes=1), minutes(3))
    assert (harm.began, harm.ended) == (minutes(4), None)


def test_a_single_bad_minute_is_no_harm():
    assert find_harm(stretches(0, 0, 0, 0, 9, 0, 0, 0), timedelta(minutes=1), minutes(3)) is None


def test_a_service_that_was_always_a_little_slow_is_judged_by_itself():
    assert find_harm(stretches(4, 5, 4, 5, 4, 6, 5, 4), timedelta(minutes=1), minutes(4)) is None


COLUMNS = dict.fromkeys(requests.COLUMNS, "string") | {"at": "float64", "status": "int64", "seconds": "float64"}


@pytest.mark.parametrize(("engine", "exact"), [("duckdb", True), ("clickhouse", True), ("trino", False)])
def test_the_same_question_can_be_put_to_every_engine(engine, exact):
    """Of Trino no server can be had in tests: that it would be understood is shown by its compiler and a parser of its language alone."""
    for query in asked(ibis.table(COLUMNS, name="requests"), QUESTION, exact=exact):
        assert sqlglot.parse_one(ibis.to_sql(query, dialect=engine), dialect=engine).find(sqlglot.exp.Select)


def test_trino_knows_no_exact_quantiles_so_it_is_asked_for_approximate_ones():
    _, stretches = asked(ibis.table(COLUMNS, name="requests"), QUESTION, exact=True)
    with pytest.raises(OperationNotDefinedError, match="Quantile"):
        ibis.to_sql(stretches, dialect="trino")


def test_duckdb_is_asked_for_exact_ones(log):
    assert log.exact
    assert "approx" not in measure(log, QUESTION).query.lower()


class TestATableByItsAddress:
    def test_a_table_that_is_there_already_is_asked_where_it_lies(self, log, tmp_path):
        file, lines = tmp_path / "logs.duckdb", tmp_path / "access.log"
        lines.write_text("\n".join(STORY))
        with duckdb.connect(str(file)) as connection:
            connection.execute(f"create table requests as select * from read_json('{lines}')")
        assert told(measure(request_source.table(f"duckdb://{file}#requests"), QUESTION)) == told(
            measure(log, QUESTION)
        )

    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("clickhouse://logs.example/logs", "names no table"),
            ("clickhouse://ada:secret@127.0.0.1:9/logs#requests", "the table requests in clickhouse cannot be asked"),
            ("nonsense://x#requests", "the table requests in nonsense cannot be asked"),
        ],
    )
    def test_one_that_cannot_be_asked_is_a_reason_without_its_password(self, url, why):
        with pytest.raises(Unanswered, match=why) as reason:
            request_source.table(url)
        assert "secret" not in str(reason.value)
