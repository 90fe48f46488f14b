"""How the incident's page tells its log: every kind of entry in words, and one picture in which nothing covers anything."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import outage
from tests.support.world import START, minutes
from unrepeat.incidents import entries as e
from unrepeat.incidents.acts import ACTS
from unrepeat.incidents.entries import KINDS, Logged
from unrepeat.incidents.fold import fold
from unrepeat.support.templatetags.look import SHAPES
from unrepeat.web.pages import act_forms
from unrepeat.web.pages.story import CHARACTER, NARROW, WIDE, story
from unrepeat.web.pages.telling import lines, tell

LOG = outage.log(*sorted(outage.outage(), key=lambda one: one[0]))
NOW = datetime(2024, 8, 12, 18, 30, tzinfo=UTC)


def example(kind: type) -> object:
    """An entry of a kind, every field filled."""
    hints = get_type_hints(kind)
    values = {datetime: START, int: 3, str: "sessions", bool: True, float: 0.5}

    def value(hint):
        if get_origin(hint) is tuple:
            return (value(get_args(hint)[0]),)
        if hint in values:
            return values[hint]
        if get_origin(hint) is dict:
            return {}
        if dataclasses.is_dataclass(hint):
            return example(hint)
        return next((value(one) for one in get_args(hint) if one in values), None) or get_args(hint)[0]

    return kind(**{one.name: value(hints[one.name]) for one in dataclasses.fields(kind)})


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.kind)
def test_every_kind_of_entry_is_told_in_words(kind):
    told = tell(Logged(1, START, START, "Ada", example(kind)))
    assert told.shape in SHAPES
    assert told.key and "_" not in told.key
    assert "None" not in f"{told.key} {told.said} {told.why}"


@pytest.mark.parametrize("name", ACTS)
def test_every_act_has_a_form_that_makes_sense(name):
    form = act_forms.form_of(name, fold(LOG), act_forms.Around())
    assert form.label != form.name
    assert "`" not in form.help and form.help.endswith(".")


def test_lines_stand_in_the_order_in_which_things_happened_with_each_day_said_once():
    entries = [(START + minutes(m), "Ben", e.NoteWritten(str(m))) for m in (600, 5, 1200, 0)]
    told = lines(outage.log(*entries), "Europe/Berlin")
    assert [line.told.said for line in told] == ["0", "5", "600", "1200"]
    assert [line.day for line in told] == ["12 August 2024", "", "13 August 2024", ""]


def test_a_line_says_when_something_was_learned_much_later():
    notes = [Logged(seq, START, START, "Ben", e.NoteWritten("x")) for seq in range(1, 8)]
    late = Logged(8, START, START + minutes(90), "Ben", e.NoteWritten("y"))
    assert [line.late for line in lines([*notes, late], "UTC")][-1] == "1 h 30 min"
    assert {line.late for line in lines(notes, "UTC")} == {""}


@pytest.mark.parametrize("frame", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_picture_of_the_outage_holds_all_of_it_inside_its_frame(frame):
    drawn = story(fold(LOG), LOG, NOW, frame)
    assert drawn is not None
    titles = {sign.title for sign in drawn.signs}
    assert {
        "sessions 2.0, deploy succeeded",
        "Ben is on it",
        "escalated to sessions-team",
        "database: cleared",
    } <= titles
    assert [bar.title for bar in drawn.bars] == ["High memory usage · sessions"]
    assert all(frame.left <= sign.x <= frame.right for sign in drawn.signs)
    assert {"start", "resolved"} <= {flag.label for flag in drawn.flags}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 300), st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=30)
        ),
        max_size=25,
    )
)
def test_labels_on_a_lane_never_cover_each_other(happened):
    raised = [(START, "unrepeat", e.IncidentOpened("x", "major", "shop"))]
    raised += [(START + minutes(m), "Ben", e.Escalated(team)) for m, team in happened]
    log = outage.log(*sorted(raised, key=lambda one: one[0]))
    for frame in (WIDE, NARROW):
        drawn = story(fold(log), log, NOW, frame)
        taken = 0.0
        for sign in sorted((one for one in drawn.signs if one.label), key=lambda one: one.x) if drawn else ():
            width = len(sign.label) * CHARACTER
            begins = sign.label_x if sign.anchor == "start" else sign.label_x - width
            assert begins >= taken
            taken = begins + width


def test_the_picture_of_a_young_incident_has_times_on_it():
    fired = e.AlertFired(1, "High memory usage", "sessions", "critical")
    log = outage.log((START, "unrepeat", e.IncidentOpened("x", "major", "shop")), (START, "prometheus", fired))
    for seconds in (1, 100):
        drawn = story(fold(log), log, START + minutes(seconds / 60))
        assert drawn is not None
        assert len(drawn.ticks) >= 3


def test_an_incident_of_which_only_the_beginning_is_known_has_no_picture():
    log = outage.log((START, "Ben", e.IncidentOpened("x", "major", "shop")))
    assert story(fold(log), log, NOW) is None
