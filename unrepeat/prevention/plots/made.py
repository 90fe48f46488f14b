"""The plots of the insights page, made of what was counted. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from unrepeat.prevention.insights import Behind, KindCovered, MeasureMonth, RepeatMonth, Times, Words
from unrepeat.prevention.plots import NARROW, WIDE, Plot
from unrepeat.prevention.plots.bars import Layer, lying, stacks
from unrepeat.prevention.plots.shares import described, within
from unrepeat.support import words

THIRD = 320.0
SHARES = ((0.1, "10 %"), (0.25, "25 %"), (0.5, "50 %"), (0.75, "75 %"), (0.9, "90 %"), (1.0, "all"))


def repeats_plot(months: Sequence[RepeatMonth]) -> Plot:
    """Outages by month, and how many were repeats."""
    outages, again = sum(one.outages for one in months), sum(one.repeats for one in months)
    said = f"{again} of {outages} outages were a past failure come back."
    names = [one.month for one in months]
    layers = [
        Layer("repeats", "bad", tuple(one.repeats for one in months)),
        Layer("other outages", "calm", tuple(one.outages - one.repeats for one in months)),
    ]
    drawn = {
        wide: stacks("repeats", "Outages and repeats by month", said, names, layers, wide) for wide in (WIDE, NARROW)
    }
    rows = tuple((one.month, one.outages, one.repeats) for one in months)
    caption = "Outages by the month in which they opened; a repeat is one that a person confirmed."
    return Plot(
        "repeats",
        "Repeats",
        said,
        caption,
        drawn[WIDE],
        drawn[NARROW],
        ("month", "outages", "repeats"),
        rows,
        not outages,
    )


def words_plot(found: Words) -> Plot:
    """How often each word of one list was given."""
    total = sum(count for _, count in found.counts)
    said = (
        f"Most often: {found.counts[0][0]} ({found.counts[0][1]} of {total})."
        if found.counts
        else "None has been named yet."
    )
    rows = [(word, [("accent", count)]) for word, count in found.counts]
    drawn = {wide: lying(f"words-{found.role}", f"{found.title}s", said, rows, wide) for wide in (THIRD, NARROW)}
    plural = "Triggers" if found.role == "trigger" else f"{found.title}s"
    unnamed = f"{found.unnamed} outages have none named." if found.unnamed else "Every outage has one named."
    return Plot(
        f"{found.role}s",
        plural,
        said,
        unnamed,
        drawn[THIRD],
        drawn[NARROW],
        ("word", "outages"),
        found.counts,
        not total,
    )


def times_plot(times: Times) -> Plot:
    """How long it took, as the share of outages within a time."""
    empty = not times.seconds
    drawn = {wide: "" if empty else within(times, wide) for wide in (THIRD, NARROW)}
    rows = tuple(
        (share, words.span(timedelta(seconds=times.quantile(part) or 0)), times.quantile(part))
        for part, share in SHARES
    )
    caption = f"{len(times.seconds)} outages" + (f"; of {times.missing} it is not known." if times.missing else ".")
    return Plot(
        times.name, times.title, described(times), caption, drawn[THIRD], drawn[NARROW],
        ("share of outages", "within", "seconds"), () if empty else rows, empty,
    )  # fmt: skip


def measures_plot(months: Sequence[MeasureMonth]) -> Plot:
    """How measures stood at the end of each month."""
    last = months[-1]
    total = last.open + last.done + last.verified + last.failed
    said = f"Of {total} measures {last.verified} are verified, {last.done} done but not verified, {last.open} open, {last.failed} failed."
    layers = [
        Layer("verified", "good", tuple(one.verified for one in months)),
        Layer("done, not verified", "accent", tuple(one.done for one in months)),
        Layer("open", "calm", tuple(one.open for one in months)),
        Layer("failed", "bad", tuple(one.failed for one in months)),
    ]
    names = [one.month for one in months]
    drawn = {
        wide: stacks("measures", "Measures by state at the end of each month", said, names, layers, wide)
        for wide in (WIDE, NARROW)
    }
    rows = tuple((one.month, one.open, one.done, one.verified, one.failed) for one in months)
    caption = "At the end of each month; the last one: now. From each change of state in the logs; dropped ones are counted until they were dropped."
    return Plot(
        "measures", "Measures", said, caption, drawn[WIDE], drawn[NARROW],
        ("month", "open", "done, not verified", "verified", "failed"), rows, not total,
    )  # fmt: skip


def guards_plot(kinds: Sequence[KindCovered], behind: Behind) -> Plot:
    """Guards by kind, and what stands behind the measures."""
    total = behind.proven + behind.unproven + behind.nothing
    said = f"Behind {behind.proven} of {total} measures stands a proven guard, behind {behind.unproven} one that is not proven, behind {behind.nothing} none."
    rows = [
        (one.kind.replace("_", " "), [("good", one.holding), ("bad", one.alarming), ("calm", one.unproven)])
        for one in kinds
    ]
    legend = (
        Layer("not proven", "calm", ()),
        Layer("red or broken", "bad", ()),
        Layer("proven and holding", "good", ()),
    )
    drawn = {wide: lying("guards", "Guards by kind", said, rows, wide, legend) for wide in (WIDE, NARROW)}
    caption = "Guards in service, by kind."
    table = tuple((one.kind, one.holding, one.alarming, one.unproven) for one in kinds)
    return Plot(
        "guards", "What stands behind them", said, caption, drawn[WIDE], drawn[NARROW],
        ("kind", "proven and holding", "proven, red or broken", "not proven"), table, not kinds,
    )  # fmt: skip
