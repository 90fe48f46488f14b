"""Small made-up outages: an hour and more of quiet, an alert, and what went wrong, in tables as the lenses get them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unrepeat.investigation.lenses import Change, Tables, describe

ALERT = 1_723_475_700.0  # 12 August 2024, 15:15 UTC
MINUTE = 60.0


class Outage:
    """Minute by minute: `quiet` minutes before the alert, `after` minutes after it. Harm begins `began` minutes before the alert."""

    def __init__(self, *, quiet=120, after=10, began=3, seed=1):
        self.times = ALERT + MINUTE * np.arange(-quiet, after + 1)
        self.start = ALERT - MINUTE * began
        self.random = np.random.default_rng(seed)
        self.columns = []
        self.values = []
        self.extras = {}

    @property
    def harmed(self):
        return self.times >= self.start

    def steady(self, column, level, *, noise=0.02):
        """A number that stays where it is."""
        return self.shaped(column, np.full(len(self.times), float(level)), noise=noise)

    def jumps(self, column, level, to, *, noise=0.02):
        """A number that is at `level` and then, from the beginning of the harm, at `to`."""
        return self.shaped(column, np.where(self.harmed, float(to), float(level)), noise=noise)

    def shaped(self, column, values, *, noise=0.02):
        spread = noise * np.maximum(np.abs(values), 1e-12)
        self.columns.append(column)
        self.values.append(values + self.random.normal(0.0, 1.0, len(values)) * spread)
        return self

    def healthy(self, service, *, requests=100.0, busier=None):
        """The four numbers of a service that is well; `busier` is how many times the load of quiet it gets in the harm."""
        load = np.where(self.harmed, requests * (busier or 1.0), requests)
        self.shaped(f"{service}|requests_per_second", load)
        self.shaped(f"{service}|cpu_utilization", 0.1 + 0.002 * load)
        self.steady(f"{service}|memory_bytes", 200e6)
        self.steady(f"{service}|latency_seconds", 0.05)
        self.steady(f"{service}|error_ratio", 0.001)
        return self

    def without(self, column):
        index = self.columns.index(column)
        del self.columns[index], self.values[index]
        return self

    def calls(self, *pairs):
        self.extras["edges"] = pairs
        return self

    def released(self, service, *, minutes_before, key=None, **details):
        change = Change(
            key or f"{service} release",
            service,
            ALERT - MINUTE * minutes_before,
            "release",
            f"{service} released",
            **details,
        )
        self.extras["changes"] = (*self.extras.get("changes", ()), change)
        return self

    def tables(self, **changed):
        values = np.array(self.values, dtype=float).T if self.values else np.empty((len(self.times), 0))
        named = [(column, column.split("|")[0].split("-v")[0], column.split("|")[1]) for column in self.columns]
        made = Tables(alert=ALERT, times=self.times, values=values, series=describe(named, values), **self.extras)
        return replace(made, **changed)


def shop(**kinds):
    """The shop, well: a load balancer, the shop, its sessions and the database."""
    outage = Outage(**kinds)
    for service in ("balancer", "shop", "sessions", "database"):
        outage.healthy(service)
    return outage.calls(("balancer", "shop"), ("shop", "sessions"), ("shop", "database"), ("sessions", "database"))


def replaced(outage, column, values, *, noise=0.02):
    """The outage with one of its columns made otherwise."""
    return outage.without(column).shaped(column, values, noise=noise)
