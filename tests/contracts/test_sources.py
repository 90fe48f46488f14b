"""What every source kind must hold, found by scan: a new kind is one file, its samples and its section in the docs."""

from __future__ import annotations

import copy
import inspect
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.samples import HOME, RECEIVED_AT, Sample, all_samples, plain, samples
from unrepeat.arrivals import signatures
from unrepeat.arrivals.kind import SourceKind, source_kinds
from unrepeat.arrivals.records import ChangeSeen, Reading, Unreadable

KINDS = sorted(source_kinds())
DOCS = Path(__file__).parents[2] / "docs" / "reference" / "sources.md"
SAMPLES = all_samples()
JUNK = [
    b"",
    b" ",
    b"null",
    b"[]",
    b"{}",
    b"7",
    b'"text"',
    b"\xff\xfe\x00",
    b"{",
    b"a=b",
    b"%",
    b"&&&",
    b"=",
    b'{"alerts":[]',
    b"\xef\xbb\xbf{}",
]
NESTED = [
    b"[" * 100_000,
    b'{"data":' * 50_000,
    b'{"alerts":[{"labels":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}]}",
]


def kind_of(sample: Sample) -> SourceKind:
    return source_kinds()[sample.kind]


def check(reading: Reading) -> None:
    """A reading holds nothing that a database refuses, whatever was sent. (Long texts are the store's concern.)"""
    assert isinstance(reading, Reading)
    for record in (*reading.alerts, *reading.changes):
        assert record.key, "nothing would tell this record from another"
        for name in ("starts_at", "ends_at", "at"):
            at = getattr(record, name, None)
            assert at is None or at.utcoffset() == timedelta(0), name
        stored = json.dumps([getattr(record, n) for n in ("extra",)] + [getattr(record, "labels", {})], allow_nan=False)
        stored += "".join(value for n in record.__slots__ if isinstance(value := getattr(record, n), str))
        assert "\\u0000" not in stored and "\0" not in stored, "PostgreSQL takes no NUL"
        stored.encode()  # no half characters
    for alert in reading.alerts:
        assert alert.status in {"firing", "acknowledged", "resolved"}
        assert all(isinstance(v, str) for v in (*alert.labels.values(), *alert.annotations.values()))
    for change in reading.changes:
        assert change.kind in get_args(inspect.get_annotations(ChangeSeen, eval_str=True)["kind"])
        assert change.status in {"started", "succeeded", "failed"}


def read_or_refuse(kind: str, raw: bytes, headers: dict[str, str]) -> Reading | None:
    """Read; only `Unreadable`, with a sentence for people, may be raised."""
    reason = ""
    try:
        reading = source_kinds()[kind].read(raw, headers, RECEIVED_AT)
    except Unreadable as unreadable:
        reading, reason = None, str(unreadable)
    if reading is None:
        assert len(reason) > 15 and reason[0].isupper()
    else:
        check(reading)
    return reading


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_what_it_is(kind: str) -> None:
    module = source_kinds()[kind]
    assert module.TITLE and len(module.HELP) > 40
    assert 1024 * 1024 <= module.MAX_BYTES <= 25 * 1024 * 1024
    assert isinstance(module.SIGNED, bool)
    for name in ("verify", "delivery_key", "read"):
        expected = list(inspect.signature(getattr(SourceKind, name)).parameters)[1:]
        assert list(inspect.signature(getattr(module, name)).parameters) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_samples_and_a_section_in_the_docs(kind: str) -> None:
    assert samples(kind), f"no samples in {HOME / kind}"
    sections = re.findall(r"^## .*`(\w+)`", DOCS.read_text(), re.MULTILINE)
    assert kind in sections


def test_every_sample_is_complete_and_of_a_kind() -> None:
    folders = {path.name for path in HOME.iterdir() if path.is_dir()}
    assert folders == set(KINDS)
    for path in HOME.glob("*/*.json"):
        name = path.name.partition(".")[0]
        assert (path.parent / f"{name}.request.json").exists() and (path.parent / f"{name}.reading.json").exists()


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_sample_says_exactly_what_is_expected(sample: Sample) -> None:
    reading = kind_of(sample).read(sample.raw, sample.headers, RECEIVED_AT)
    check(reading)
    assert plain(reading) == sample.reading


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_resent_sample_has_the_same_key_and_another_has_another(sample: Sample) -> None:
    kind = kind_of(sample)
    key = kind.delivery_key(sample.raw, sample.headers)
    assert key == kind.delivery_key(sample.raw, dict(sample.headers))
    assert key is None or 16 <= len(key) <= 32
    others = [
        o for o in samples(sample.kind) if o.name != sample.name and (o.raw, o.headers) != (sample.raw, sample.headers)
    ]
    assert key is None or all(
        key != kind.delivery_key(other.raw, other.headers) for other in others if other.raw != sample.raw
    )


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.secrets], ids=str)
def test_the_right_signature_is_taken_and_any_other_refused(sample: Sample) -> None:
    kind = kind_of(sample)
    assert kind.SIGNED
    assert kind.verify(sample.raw, sample.headers, sample.secrets, sample.options)
    assert kind.verify(sample.raw, sample.headers, ["a newer secret", *sample.secrets], sample.options), "rotation"
    assert not kind.verify(sample.raw, sample.headers, ["another secret"], sample.options)
    assert not kind.verify(sample.raw, {}, sample.secrets, sample.options), "no signature at all"
    carries = "x-gitlab-token" in sample.headers or "authorization" in sample.headers  # the secret itself signs nothing
    assert kind.verify(sample.raw + b" ", sample.headers, sample.secrets, sample.options) == carries
    for odd in ("", "sha256=", "sha256=é", "v1,", "Bearer", "\udcff", "x" * 10_000):
        headers = dict.fromkeys(sample.headers, odd)
        assert not kind.verify(sample.raw, headers, sample.secrets, sample.options)


EXAMPLES = re.compile(r"```json\n(.*?)```|--json '([^']+)'|BODY='([^']+)'", re.DOTALL)


@pytest.mark.parametrize(
    ("page", "kind", "examples"),
    [
        ("reference/sources.md", "generic_alert", 1),
        ("reference/sources.md", "generic_change", 1),
        ("how-to/send-alerts.md", "generic_alert", 3),
        ("how-to/send-changes.md", "generic_change", 2),
    ],
)
def test_the_bodies_in_the_docs_can_be_read(page: str, kind: str, examples: int) -> None:
    text = (DOCS.parents[1] / page).read_text()
    if page.startswith("reference"):
        text = text.partition(f"`{kind}`\n")[2].partition("\n## ")[0]
    found = EXAMPLES.findall(text)
    assert len(found) == examples
    for body in found:
        reading = source_kinds()[kind].read("".join(body).encode(), {}, RECEIVED_AT)
        assert reading.alerts or reading.changes


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_signs_has_a_signed_sample(kind: str) -> None:
    assert any(sample.secrets for sample in samples(kind)) == source_kinds()[kind].SIGNED


def test_secrets_are_compared_in_constant_time() -> None:
    """Every comparison goes through the one function that is `hmac.compare_digest`, on every secret."""
    assert "hmac.compare_digest" in inspect.getsource(signatures._same)
    for kind in KINDS:
        text = inspect.getsource(source_kinds()[kind])  # type: ignore[arg-type]
        verify = text.partition("def verify")[2].partition("\ndef ")[0]
        assert "signatures." in verify and "==" not in verify.replace('scheme == "sha256"', "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("raw", [*JUNK, *NESTED], ids=lambda raw: repr(raw[:20]))
def test_junk_is_refused_with_a_reason(kind: str, raw: bytes) -> None:
    for headers in ({}, *(sample.headers for sample in samples(kind)[:3])):
        reading = read_or_refuse(kind, raw, headers)
        assert reading is None or not (reading.alerts or reading.changes)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_truncated_body_is_refused(sample: Sample) -> None:
    for cut in (1, len(sample.raw) // 3, len(sample.raw) // 2, len(sample.raw.rstrip()) - 1):
        if sample.raw.startswith(b"{"):
            assert read_or_refuse(sample.kind, sample.raw[:cut], sample.headers) is None
        else:
            read_or_refuse(sample.kind, sample.raw[:cut], sample.headers)


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        [
            "",
            "\0",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59-12:00",
            "x" * 500,
            "\ud83d",
            "é",
            "-1",
            "1e400",
            "0" * 40,
        ]
    ),
    st.text(max_size=20),
    st.sampled_from(
        [[], {}, [[]], [{}], [None], {"": None}, {"name": {}}, [[1, 2]], [["a", {}]], 10**30, -(10**18), 253402300800]
    ),
)


@st.composite
def mutated(draw: st.DrawFn, value: object) -> object:
    """A sample's JSON in which one or a few values are something else, missing or doubled."""
    value = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(1, 3))):
        spots: list[tuple[object, object]] = []
        stack = [value]
        while stack:
            here = stack.pop()
            members = here.items() if isinstance(here, dict) else enumerate(here) if isinstance(here, list) else ()
            for name, member in members:
                spots.append((here, name))
                stack.append(member)
        if not spots:
            break
        holder, name = draw(st.sampled_from(spots))
        if isinstance(holder, dict) and draw(st.booleans()):
            holder.pop(name)
        else:
            holder[name] = copy.deepcopy(draw(ODD))  # type: ignore[index]
    return value


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_types_anywhere_raise_nothing_but_unreadable(kind: str) -> None:
    chosen = [sample for sample in samples(kind) if sample.raw.startswith(b"{")]

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        sample = data.draw(st.sampled_from(chosen))
        raw = json.dumps(data.draw(mutated(json.loads(sample.raw)))).encode()
        for headers in (sample.headers, {}):
            read_or_refuse(kind, raw, headers)

    run()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(raw=st.binary(max_size=200))
def test_bytes_at_random_raise_nothing_but_unreadable(kind: str, raw: bytes) -> None:
    read_or_refuse(kind, raw, {"content-type": "application/x-www-form-urlencoded"})


def test_github_signs_as_its_documentation_says() -> None:
    headers = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
    github = source_kinds()["github"]
    assert github.verify(b"Hello, World!", headers, ["It's a Secret to Everybody"], {})
    assert not github.verify(b"Hello, World?", headers, ["It's a Secret to Everybody"], {})


def test_a_release_is_one_change_whatever_it_fires() -> None:
    releases = [s for s in samples("github") if s.name in {"release_created", "release_published", "release_released"}]
    keys = {kind_of(s).read(s.raw, s.headers, RECEIVED_AT).changes[0].key for s in releases}
    assert len(releases) == 3 and len(keys) == 1


def test_a_deployment_and_its_statuses_are_one_change_that_succeeds_only_with_success() -> None:
    told = [
        s
        for s in samples("github")
        if s.name in {"deployment", "deployment_in_progress", "deployment_success", "deployment_success_form"}
    ]
    changes = {s.name: kind_of(s).read(s.raw, s.headers, RECEIVED_AT).changes[0] for s in told}
    assert len({change.key for change in changes.values()}) == 1
    assert {name: c.status for name, c in changes.items()} == {
        "deployment": "started",
        "deployment_in_progress": "started",
        "deployment_success": "succeeded",
        "deployment_success_form": "succeeded",
    }


def test_a_gitlab_pipeline_tells_the_deployment_that_its_own_hook_tells() -> None:
    told = {s.name: kind_of(s).read(s.raw, s.headers, RECEIVED_AT).changes for s in samples("gitlab")}
    assert told["pipeline"][0].key == told["deployment_success"][0].key
    assert told["pipeline"][0].at == told["deployment_success"][0].at
    assert [change.environment for change in told["pipeline"]] == ["production", "production/eu"]


@pytest.mark.parametrize("raw", [s.raw for s in samples("grafana")])
def test_alertmanager_knows_a_body_of_grafana(raw: bytes) -> None:
    with pytest.raises(Unreadable, match="kind grafana"):
        source_kinds()["alertmanager"].read(raw, {}, RECEIVED_AT)


def test_grafana_knows_a_body_of_alertmanager() -> None:
    for sample in samples("alertmanager"):
        with pytest.raises(Unreadable, match="kind alertmanager"):
            source_kinds()["grafana"].read(sample.raw, {}, RECEIVED_AT)


@pytest.mark.parametrize("raw", [b'{"text": "{{ .Status }}"}', b'{"version":"4","alerts":{}}'])
def test_a_custom_payload_is_explained(raw: bytes) -> None:
    with pytest.raises(Unreadable, match="payload"):
        source_kinds()["alertmanager"].read(raw, {}, RECEIVED_AT)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-24T06:06:47.217361382Z", datetime(2026, 11, 24, 6, 6, 47, 217361, tzinfo=UTC)),
        ("2026-11-24T07:06:47+01:00", datetime(2026, 11, 24, 6, 6, 47, tzinfo=UTC)),
        ("2026-11-24 07:06:47 +0100", datetime(2026, 11, 24, 6, 6, 47, tzinfo=UTC)),
        ("2026-11-24 06:06:47 UTC", datetime(2026, 11, 24, 6, 6, 47, tzinfo=UTC)),
        ("2026-11-24T06:06:47", datetime(2026, 11, 24, 6, 6, 47, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("soon", None),
        (None, None),
    ],
)
def test_an_alert_s_start_is_understood(written: str | None, meant: datetime | None) -> None:
    body = {"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": "x"}, "startsAt": written}]}
    reading = source_kinds()["alertmanager"].read(json.dumps(body).encode(), {}, RECEIVED_AT)
    assert reading.alerts[0].starts_at == meant
