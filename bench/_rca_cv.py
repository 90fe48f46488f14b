"""Cross-validation of the knobs: each fold is scored with the setting that was best on the other folds."""

from __future__ import annotations

import hashlib
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator

import msgspec

from bench._rca_baselines import Answer
from bench._rca_cases import Case
from unrepeat.investigation.weights import Weights, weights

FOLDS = 5


def settings() -> Iterator[tuple[str, Weights]]:
    """The shipped weights, and each knob alone turned down and up."""
    shipped = weights()
    yield "shipped", shipped
    for lens in sorted(shipped.lenses):
        for factor in (0.5, 2.0):
            changed = {**shipped.lenses, lens: shipped.lenses[lens] * factor}
            yield f"lens {lens} x{factor:g}", msgspec.structs.replace(shipped, lenses=changed)
    for section, name, choices in (
        ("window", "tail", (0.7, 1.5)),
        ("window", "worst_share", (0.1, 0.4)),
        ("score", "worth_saying", (2.0, 4.5)),
        ("score", "harm_power", (0.25, 1.0)),
        ("score", "few_requests", (5.0, 20.0)),
        ("changes", "guilty", (0.7, 1.2)),
        ("diffs", "untouched", (0.2, 0.6)),
    ):
        part = getattr(shipped, section)
        for value in choices:
            yield (
                f"{section}.{name}={value:g}",
                msgspec.structs.replace(shipped, **{section: msgspec.structs.replace(part, **{name: value})}),
            )


def cross_validated(cases: list[Case], answer: Callable[[Case, Weights], Answer]) -> str:
    """A table: AC@1 on folds that had no part in choosing, beside the shipped setting's own."""
    right = {name: {case.name: _right(case, answer(case, setting)) for case in cases} for name, setting in settings()}
    held_out: dict[tuple[str, str], list[bool]] = defaultdict(list)
    chosen = []
    for fold in range(FOLDS):
        rest = [case for case in cases if _fold(case) != fold]
        best = max(right, key=lambda name: (round(_objective(rest, right[name]), 6), name == "shipped"))
        chosen.append(best)
        for case in cases:
            if _fold(case) == fold:
                for kind, hit in right[best][case.name].items():
                    held_out[case.truth.dataset, kind].append(hit)
    lines = ["", f"cross-validated over {FOLDS} folds, knobs chosen on the others: {', '.join(chosen)}"]
    spread = _spread(cases, right)
    for (dataset, kind), hits in sorted(held_out.items()):
        own = statistics.fmean(
            right["shipped"][case.name][kind]
            for case in cases
            if case.truth.dataset == dataset and kind in right["shipped"][case.name]
        )
        low, high = spread[dataset, kind]
        lines.append(
            f"  {dataset:16} {kind:10} AC@1 {statistics.fmean(hits):.2f}  (shipped {own:.2f}; any one knob turned {low:.2f} to {high:.2f})"
        )
        lines.append(
            f"FIGURE cv_{kind}_ac1@{dataset}={statistics.fmean(hits):.3f} unit=share against=shipped-{own:.2f}"
        )
    return "\n".join(lines)


def _spread(
    cases: list[Case], right: dict[str, dict[str, dict[str, bool]]]
) -> dict[tuple[str, str], tuple[float, float]]:
    """The lowest and highest AC@1 over all settings: how much the figures hang on any one knob."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for by_case in right.values():
        hits: dict[tuple[str, str], list[bool]] = defaultdict(list)
        for case in cases:
            for kind, hit in by_case[case.name].items():
                hits[case.truth.dataset, kind].append(hit)
        for key, known in hits.items():
            found[key].append(statistics.fmean(known))
    return {key: (min(values), max(values)) for key, values in found.items()}


def _fold(case: Case) -> int:
    return int(hashlib.sha256(f"fold {case.name}".encode()).hexdigest(), 16) % FOLDS


def _right(case: Case, given: Answer) -> dict[str, bool]:
    truth = case.truth
    asked = (
        ("service", truth.service, given.services),
        ("indicator", truth.indicator, given.indicators),
        ("change", truth.change, given.changes),
    )
    return {kind: bool(ranked) and ranked[0] == wanted for kind, wanted, ranked in asked if wanted}


def _objective(cases: list[Case], hits: dict[str, dict[str, bool]]) -> float:
    """The mean over datasets and kinds, so that no dataset is pooled away."""
    groups: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for case in cases:
        for kind, hit in hits[case.name].items():
            groups[case.truth.dataset, kind].append(hit)
    return statistics.fmean(statistics.fmean(known) for known in groups.values()) if groups else 0.0
