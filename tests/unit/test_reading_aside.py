"""The process that reads in a flood, as the worker meets it: it may not come, or go, and the worker never stumbles over that."""

from __future__ import annotations

import sys

import pytest

from tests.support.served import until
from unrepeat.arrivals import reading_aside
from unrepeat.arrivals.lead import Lead
from unrepeat.arrivals.reading_aside import Aside


@pytest.fixture
def aside():
    it = Aside(Lead())
    yield it
    it.stop()


def test_a_process_that_cannot_be_started_is_not_tried_again_at_once(aside, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert not aside.ready() and not aside.ready()
    assert aside._process is None


def test_a_process_that_ends_before_it_is_ready_is_given_up(aside, monkeypatch):
    monkeypatch.setattr(reading_aside, "__name__", "unrepeat.no_such_module")
    assert not aside.ready()
    until(lambda: not aside.ready() and aside._process is None, 20, "it is given up")


def test_reading_with_a_process_that_is_gone_does_nothing_and_loses_nothing(aside):
    assert aside.read() == 0


def test_what_is_not_there_can_rest_and_stop(aside):
    aside.rest()
    aside.stop()
