"""What every guard kind must hold, found by scan: a new kind is one file, its sample of red and of green, and its place in the docs.

A sample is `prevention/samples/KIND/`: `guard.toml` with the text, `red/` and `green/` with what shows the failure and what does
not: a recording, or a checkout. Kinds that need more round it have `stages/KIND.py`.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unrepeat.prevention
from unrepeat.prevention import kinds_told
from unrepeat.prevention.commands import Ran
from unrepeat.prevention.kind import OUTPUT, Outcome, Recorded, Spec, Target, TargetKind, Tools, checked, kind_of
from unrepeat.prevention.proving import digest_of, verdict
from unrepeat.prevention.running.patrol import run_safely
from unrepeat.support.kinds import kinds
from unrepeat.support.problems import Invalid

KINDS = sorted(kinds("unrepeat.prevention.guards"))
SAMPLES = Path(unrepeat.prevention.__path__[0]) / "samples"
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "guards.md"
SECONDS = 60.0


def text_of(kind: str) -> dict[str, Any]:
    """The sample's text."""
    return tomllib.loads((SAMPLES / kind / "guard.toml").read_text(encoding="utf-8"))["spec"]


@contextlib.contextmanager
def staged(kind: str, copy: Path) -> Iterator[tuple[dict[str, Target], Tools]]:
    """What the sample is tried on, with the recordings that it may name."""
    sides = ("red", "green")
    recorded = {side: copy / side for side in sides if (copy / side / "manifest.json").is_file()}
    tools = Tools(SECONDS, {side: Recorded(side, folder, side == "green") for side, folder in recorded.items()})
    stage = f"tests.contracts.stages.{kind}"
    if importlib.util.find_spec(stage):
        with importlib.import_module(stage).staged(copy, tools) as ready:
            yield ready
        return
    yield (
        {side: Target("recording" if side in recorded else "ref", side, folder=copy / side) for side in sides},
        tools,
    )


@pytest.fixture
def copy(kind: str, tmp_path: Path) -> Path:
    """The sample's folder, as a copy that a guard may write into."""
    import shutil

    return Path(shutil.copytree(SAMPLES / kind, tmp_path / kind))


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKind:
    def test_it_says_what_it_is(self, kind):
        face = kind_of(kind)
        assert face.TITLE and face.TITLE[-1] != "." and len(face.TITLE) < 60
        assert face.HELP.endswith(".")
        assert isinstance(face.SAFE, bool)
        assert face.TARGETS and set(face.TARGETS) <= set(get_args(TargetKind))
        assert issubclass(face.Spec, Spec)
        assert face.run.__doc__

    def test_every_field_is_described(self, kind):
        for name, field in kind_of(kind).Spec.model_fields.items():
            assert field.description or kinds_told.is_table(field.annotation), name

    def test_its_sample_is_red_on_the_failure_and_green_on_the_fix(self, kind, copy):
        spec = checked(kind, text_of(kind))
        with staged(kind, copy) as (targets, tools):
            red, _ = run_safely(kind, spec, targets["red"], tools)
            green, _ = run_safely(kind, spec, targets["green"], tools)
        assert (red.colour, green.colour) == ("red", "green"), (red, green)
        assert verdict(red.colour, green.colour).proven
        for outcome in (red, green):
            assert outcome.said.endswith((".", "”"))
            assert len(outcome.output.encode()) <= OUTPUT
            assert all(isinstance(number, int | float) for number in outcome.figures.values())
            assert all(isinstance(text, str) for text in outcome.environment.values())

    def test_its_text_survives_the_way_through_the_database(self, kind):
        kept = checked(kind, text_of(kind)).model_dump(mode="json", exclude_defaults=True)
        assert checked(kind, kept) == checked(kind, text_of(kind))
        assert digest_of(kind, checked(kind, kept).model_dump(mode="json", exclude_defaults=True)) == digest_of(
            kind, kept
        )

    def test_a_text_with_a_slip_of_the_pen_is_refused(self, kind):
        with pytest.raises(Invalid) as refused:
            checked(kind, {**text_of(kind), "treshold": 1})
        assert "treshold" in refused.value.why
        with pytest.raises(Invalid):
            checked(kind, {})

    @given(data=st.data())
    @settings(max_examples=60)
    def test_garbage_is_no_text_and_never_an_accident(self, kind, data):
        names = st.sampled_from([*kind_of(kind).Spec.model_fields, "other"])
        leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
        junk = st.recursive(
            leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        )
        given_text = {**text_of(kind), **data.draw(st.dictionaries(names, junk, min_size=1, max_size=3))}
        with contextlib.suppress(Invalid):  # by luck it may be a text after all
            assert isinstance(checked(kind, given_text), Spec)

    @pytest.mark.parametrize("target", get_args(TargetKind))
    def test_what_it_cannot_run_on_makes_it_broken_and_never_an_accident(self, kind, target, tmp_path):
        gone = Target(target, "gone", folder=tmp_path / "gone")
        outcome = kind_of(kind).run(checked(kind, text_of(kind)), gone, Tools(5.0))
        assert isinstance(outcome, Outcome)
        assert outcome.colour == "broken", outcome
        assert outcome.said and outcome.remedy
        assert Ran(outcome, gone).outcome.colour == "broken"

    def test_it_is_in_the_docs(self, kind):
        assert f"\n## {kind}\n" in REFERENCE.read_text(encoding="utf-8")


def test_the_reference_of_the_kinds_is_what_they_say_of_themselves():
    """Write it anew with: UNREPEAT_WRITE_REFERENCE=1 .venv/bin/pytest tests/contracts/test_guards.py -k reference."""
    before = REFERENCE.read_text(encoding="utf-8")
    said = before.partition(kinds_told.MARK)[0] + kinds_told.MARK + kinds_told.markdown()
    if os.environ.get("UNREPEAT_WRITE_REFERENCE"):
        REFERENCE.write_text(said, encoding="utf-8")
    assert REFERENCE.read_text(encoding="utf-8") == said


def test_every_sample_belongs_to_a_kind():
    assert {one.name for one in SAMPLES.iterdir() if one.is_dir()} == set(KINDS)
