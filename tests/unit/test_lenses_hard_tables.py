"""Every lens on tables that hold nothing to be seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.looking import seen
from tests.support.made_up_outages import Outage, shop
from unrepeat.investigation.ranking.rank import lenses


@pytest.mark.parametrize("lens", sorted(lenses()))
class TestHardTables:
    """Constant, empty, all gaps: a lens says nothing, and never fails."""

    def test_constant_numbers(self, lens):
        outage = Outage()
        for column in ("shop|cpu_utilization", "shop|latency_seconds", "shop|error_ratio", "shop|requests_per_second"):
            outage.steady(column, 0.5, noise=0)
        assert seen(lens, outage.tables()) == []

    def test_nothing_but_gaps(self, lens):
        tables = shop().tables()
        assert seen(lens, replace(tables, values=np.full(tables.values.shape, np.nan))) == []

    def test_no_columns(self, lens):
        assert seen(lens, Outage().tables()) == []

    def test_no_rows(self, lens):
        tables = shop().tables()
        assert seen(lens, replace(tables, times=tables.times[:0], values=tables.values[:0])) == []

    def test_a_single_row(self, lens):
        tables = shop().tables()
        assert seen(lens, replace(tables, times=tables.times[-1:], values=tables.values[-1:])) == []

    def test_no_quiet_time(self, lens):
        tables = shop().tables()
        seen(lens, replace(tables, alert=float(tables.times[0])))
