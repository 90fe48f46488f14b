"""The intake does not run far ahead of the reading."""

from __future__ import annotations

import threading
import time

from unrepeat.arrivals.lead import Lead


def read_at_speed(lead: Lead, size: int, seconds: float) -> None:
    lead.read(size, time.monotonic() - seconds)


def test_nobody_waits_before_a_reader_was_ever_seen():
    lead = Lead()
    lead.stored(10**9)
    began = time.monotonic()
    lead.keep_below(0.0)
    assert time.monotonic() - began < 0.5 and lead.seconds() == 0


def test_the_lead_is_what_the_reader_needs_at_its_measured_speed():
    lead = Lead()
    lead.stored(3000)
    read_at_speed(lead, 1000, 1.0)
    assert 1.9 < lead.seconds() < 2.1


def test_a_writer_too_far_ahead_waits_until_the_reader_has_read():
    lead = Lead()
    lead.stored(10_000)
    read_at_speed(lead, 1000, 1.0)
    waited = threading.Event()

    def write():
        lead.keep_below(1.0)
        waited.set()

    threading.Thread(target=write, daemon=True).start()
    assert not waited.wait(0.1)
    lead.read(0, time.monotonic())  # nothing waits any more
    assert waited.wait(0.5)


def test_a_reader_that_has_gone_holds_nobody_up(monkeypatch):
    monkeypatch.setattr("unrepeat.arrivals.lead.FORGET_AFTER", 0.0)
    lead = Lead()
    lead.stored(10_000)
    read_at_speed(lead, 1, 1.0)
    began = time.monotonic()
    lead.keep_below(0.0)
    assert time.monotonic() - began < 0.5


def test_a_flood_is_many_deliveries_in_one_commit_and_passes():
    lead = Lead()
    lead.stored(1000)
    assert not lead.flooding()
    lead.stored(1000, 64)
    assert lead.flooding()


def test_a_flood_is_over_soon_after_the_last_crowd(monkeypatch):
    monkeypatch.setattr("unrepeat.arrivals.lead.FLOOD_FOR", 0.0)
    lead = Lead()
    lead.stored(1000, 64)
    assert not lead.flooding()


def test_much_is_read_together_unless_the_intake_would_wait_for_it():
    lead = Lead()
    assert lead.bite() > 1, "nobody sends"
    lead.stored(1000, deliveries=64)
    assert lead.bite() == 1, "senders crowd, and would wait"
    lead.stored(4_000_000)
    read_at_speed(lead, 1_000_000, 1.0)
    assert lead.seconds() > 2.5 and lead.bite() > 1, "so much waits that a little longer is nothing"
