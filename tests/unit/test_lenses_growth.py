"""Lenses for what grows: leaks, load, and what fills up."""

from __future__ import annotations

import numpy as np

from tests.support.looking import against, seen
from tests.support.made_up_outages import ALERT, MINUTE, Outage, replaced, shop


def growing(outage, start, gained):
    """A number that grows by `gained` from an hour before the alert on."""
    since = np.clip((outage.times - (ALERT - 60 * MINUTE)) / (outage.times[-1] - (ALERT - 60 * MINUTE)), 0, 1)
    return start + gained * since


class TestLeak:
    def test_memory_that_only_grows_under_the_same_load_is_a_leak(self):
        outage = shop()
        replaced(outage, "sessions|memory_bytes", growing(outage, 200e6, 600e6))
        assert against("leak", outage.tables()) == {"sessions"}

    def test_connections_that_are_never_given_back_are_a_leak(self):
        outage = shop().shaped("sessions|open_connections", np.linspace(20, 190, len(shop().times)))
        assert against("leak", outage.tables()) == {"sessions"}

    def test_a_sawtooth_over_a_rising_floor_is_a_leak(self):
        outage = shop()
        teeth = 60e6 * (np.arange(len(outage.times)) % 7) / 7
        replaced(outage, "sessions|memory_bytes", np.linspace(200e6, 800e6, len(outage.times)) + teeth)
        assert against("leak", outage.tables()) == {"sessions"}

    def test_memory_that_follows_a_flash_sale_is_no_leak(self):
        outage = Outage(began=60)
        ramp = np.clip((outage.times - outage.start) / (50 * MINUTE), 0, 1)
        for service in ("shop", "sessions"):
            outage.shaped(f"{service}|requests_per_second", 100 * (1 + 5 * ramp))
            outage.shaped(f"{service}|memory_bytes", 200e6 * (1 + 3 * ramp))
        assert seen("leak", outage.tables()) == []

    def test_a_leak_that_hid_behind_a_growing_load_shows_when_the_load_rests(self):
        outage = Outage(began=60)
        ramp = np.clip((outage.times - outage.start) / (30 * MINUTE), 0, 1)
        steady = np.arange(len(outage.times)) / len(outage.times)
        for service in ("shop", "sessions"):
            outage.shaped(f"{service}|requests_per_second", 100 * (1 + 4 * ramp))
        outage.shaped("shop|memory_bytes", 200e6 * (1 + ramp))
        outage.shaped("sessions|memory_bytes", 200e6 * (1 + 3 * steady))
        assert against("leak", outage.tables()) == {"sessions"}

    def test_connections_are_as_many_as_requests_come_times_as_long_as_each_takes(self):
        """In a rush that slows a service down, it holds more connections than it has more requests, and goes on to while the load rests."""
        outage = Outage(began=60)
        ramp = np.clip((outage.times - outage.start) / (30 * MINUTE), 0, 1)
        slower = np.where(outage.times < ALERT, 1, 1 + 9 * np.clip((outage.times - ALERT) / (10 * MINUTE), 0, 1))
        for service in ("shop", "sessions"):
            outage.shaped(f"{service}|requests_per_second", 100 * (1 + 5 * ramp))
            outage.shaped(f"{service}|latency_p50", 0.02 * slower)
        rising = np.linspace(1, 3, len(outage.times))
        outage.shaped("sessions|open_connections", 20 * (1 + 5 * ramp) * rising)
        assert seen("leak", outage.tables()) == []

    def test_connections_that_grow_beyond_both_are_a_leak_all_the_same(self):
        outage = Outage(began=60)
        ramp = np.clip((outage.times - outage.start) / (30 * MINUTE), 0, 1)
        for service in ("shop", "sessions"):
            outage.shaped(f"{service}|requests_per_second", 100 * (1 + ramp))
            outage.shaped(f"{service}|latency_p50", 0.02 * np.ones(len(outage.times)))
        outage.shaped("sessions|open_connections", np.linspace(20, 190, len(outage.times)))
        assert against("leak", outage.tables()) == {"sessions"}

    def test_a_cache_that_fills_is_no_leak(self):
        outage = shop()
        filling = 200e6 + 500e6 * (1 - np.exp(-np.arange(len(outage.times)) / 25))
        replaced(outage, "sessions|memory_bytes", filling)
        assert seen("leak", outage.tables()) == []

    def test_noise_is_no_leak(self):
        assert seen("leak", shop().tables()) == []


class TestLoad:
    def busy(self, times):
        """Few visitors, who come by chance: the worst fifth of the rows is half as much again as the usual, whatever happens."""
        outage = Outage(began=10)
        for service in ("shop", "sessions", "database"):
            load = np.where(outage.harmed, 30.0 * times, 30.0)
            outage.shaped(f"{service}|requests_per_second", outage.random.poisson(load / 5) * 5.0, noise=0)
        return outage.tables()

    def test_peaks_of_chance_are_no_load_from_outside(self):
        assert seen("load", self.busy(1.15)) == []

    def test_a_rush_is(self):
        (finding,) = seen("load", self.busy(4))
        assert "The load rose" in finding.sentence

    def test_connections_are_judged_by_the_requests_and_not_by_a_number_that_only_looks_like_load(self):
        """A counter of checkpoints that were asked for stands before the one of the requests; it says nothing of the load."""
        outage = Outage(began=60)
        ramp = np.clip((outage.times - outage.start) / (50 * MINUTE), 0, 1)
        outage.steady("database|checkpoints_requested_per_second", 0.0)
        outage.shaped("database|requests_per_second", 100 * (1 + 5 * ramp))
        outage.shaped("database|open_connections", 20 * (1 + 4 * ramp))
        assert seen("leak", outage.tables()) == []


class TestSaturation:
    def test_a_pool_whose_limit_is_known_is_named_with_it(self):
        outage = shop().jumps("sessions|db_pool_in_use", 12, 50, noise=0).steady("sessions|db_pool_max", 50, noise=0)
        (finding,) = seen("saturation", outage.tables())
        assert finding.service == "sessions"
        assert "ran full: 50 of 50, usually 12" in finding.sentence

    def test_a_disk_near_its_end_is_named(self):
        outage = shop().jumps("database|disk_used_ratio", 0.6, 0.995, noise=0.001)
        assert against("saturation", outage.tables()) == {"database"}

    def test_what_was_always_full_is_not(self):
        outage = shop().steady("database|buffer_used_ratio", 0.99, noise=0.001)
        assert seen("saturation", outage.tables()) == []
