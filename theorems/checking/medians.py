"""Claims about what half of all networks do, decided by intervals for medians over independent ones.

A time average or a growth rate of a deep chain tends to a constant, and with it its median over networks. The
interval for a median needs neither a range nor a variance: order statistics of independent networks hold at
any level, whatever the law. So layers may depend on one another as they like; networks do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from theorems.checking.confidence_intervals import median_interval
from theorems.context import Context
from theorems.expressions import arguments_of, compiled
from theorems.statement import Evidence, Verdict, combine

if TYPE_CHECKING:
    from theorems.statement import Statement

__all__ = ["Case", "Medians", "Sample", "within"]

Floats = npt.NDArray[np.floating[Any]]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Sample:
    """What one case gave: for each symbol of a side, values of independent networks, ``(replicas,)`` each.

    A symbol with several arrays, from several starts, is claimed of every one of them. ``obstacle`` says why
    the values may not decide: the start is not forgotten, the price is too high (then there may be none). ``notes``
    go into the report. A value that is undefined, or that rounding spoiled, is NaN: it may be any number. The others
    are right up to a relative error of ``rounding``.

    Example:
        >>> Sample({"r": [np.ones(8)]}).obstacle
        ''
    """

    values: Mapping[str, Sequence[Floats]]
    obstacle: str = ""
    rounding: float = 0.0
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One network shape. ``values`` are the symbols that the sides need beside what is sampled.

    ``draw(context)`` samples at the seed of the context; ``share`` is how many intervals the case
    asks for, over which its level is split.

    Example:
        >>> case = Case("d = 4", {"d": 4.0}, lambda context: Sample({"r": [np.ones(8)]}), 1)
        >>> len(case.draw(None).values["r"])
        1
    """

    label: str
    values: Mapping[str, float]
    draw: Callable[[Context], Sample]
    share: int  # intervals it will ask for, over which its level is split


@dataclass(frozen=True)
class Medians:
    """Intervals for medians over independent networks, compared with the statement's sides at every case.

    Both sides must rise with every sampled symbol of theirs, so that their ends are at the ends of the
    intervals. An equality is supported once its interval holds the value and is at most ``resolution`` of it
    to either side. ``cases(batch)`` lays out the work; none means that the batch does not meet the assumptions,
    which ``wants`` names.

    Example:
        >>> from theorems.templates.expectation import STATEMENT
        >>> gaps = np.linspace(0.1, 0.2, 99)
        >>> case = Case("n = 4", {"n": 4, "d": 64}, lambda context: Sample({"E_V": [gaps]}), 1)
        >>> found = Medians(lambda batch: [case])(STATEMENT, Context(0, 1e-6))
        >>> found.verdict.value, found.sentinel.value
        ('supported', 'refuted')
    """

    cases: Callable[[Floats | None], Iterable[Case]]
    resolution: float = 0.01
    wants: str = ""

    def words(self, statement: Statement) -> str:
        """What ``theorems show`` says of it."""
        return (
            "simulation: order-statistic intervals for medians over independent networks, in every case that is "
            "laid out"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        cases = list(self.cases(None if context.batch is None else context.batch.array))
        parts = sum(case.share for case in cases)
        rows: list[dict[str, Any]] = []
        for number, case in enumerate(cases):
            if context.expired:
                rows.append(
                    {
                        "instance": case.label,
                        **case.values,
                        "verdict": Verdict.INCONCLUSIVE.value,
                        "sentinel": Verdict.INCONCLUSIVE.value,
                        "obstacle": "out of time",
                    }
                )
                continue
            context.progress(f"{statement.name}: {case.label} ({number + 1}/{len(cases)})")
            rows.append(self._row(statement, case, case.draw(context), context.level / parts))
        return _evidence(statement, rows, context, self.wants)

    def _row(
        self, statement: Statement, case: Case, sample: Sample, level: float
    ) -> dict[str, Any]:
        if sample.obstacle:
            # Arrays of one symbol then need not agree, so they are not pooled.
            medians = {
                f"medians {name}": [_middle(values) for values in arrays]
                for name, arrays in sample.values.items()
            }
            return {
                "instance": case.label,
                **case.values,
                **medians,
                "obstacle": sample.obstacle,
                "verdict": Verdict.INCONCLUSIVE.value,
                "sentinel": Verdict.INCONCLUSIVE.value,
                **sample.notes,
            }
        intervals = {
            name: _hull([within(values, level, sample.rounding) for values in arrays])
            for name, arrays in sample.values.items()
        }
        low, high = (_ends(side, case.values, intervals) for side in (statement.lhs, statement.rhs))
        false_low, false_high = (
            _ends(side, case.values, intervals) for side in statement.neighbour_sides
        )
        row: dict[str, Any] = {"instance": case.label, **case.values}
        for name, (below, above) in intervals.items():
            row |= {
                f"median {name}": _middle(np.concatenate(sample.values[name])),
                f"low {name}": _written(below),
                f"high {name}": _written(above),
            }
        if any(not math.isfinite(end) for interval in intervals.values() for end in interval):
            verdict = sentinel = Verdict.INCONCLUSIVE
            lost, count = _spoiled(sample)
            row["obstacle"] = (
                f"{lost} of {count} values undefined or spoiled by rounding"
                if lost
                else "too few networks for the level"
            )
        else:
            verdict = self._judge(statement.relation, low, high)
            sentinel = self._judge(statement.relation, false_low, false_high)
        bound = high[1]
        if spoiled := _spoiled(sample)[0]:
            row["spoiled"] = spoiled
        return row | {
            "bound": _written(bound),
            "verdict": verdict.value,
            "sentinel": sentinel.value,
            "tightness": _tightness(statement.relation, low, high),
            "power": _relative(low, bound),
            **sample.notes,
        }

    def _judge(self, relation: str, left: Interval, right: Interval) -> Verdict:
        """Of ``left relation right``, each side known to lie in its interval."""
        if relation in (">=", ">"):
            left, right, relation = right, left, {">=": "<=", ">": "<"}[relation]
        if relation == "==":
            if left[1] < right[0] or right[1] < left[0]:
                return Verdict.REFUTED
            value = (right[0] + right[1]) / 2
            wide = max(abs(left[0] - value), abs(left[1] - value)) > self.resolution * abs(value)
            return Verdict.INCONCLUSIVE if wide else Verdict.SUPPORTED
        if left[1] < right[0] or (relation == "<=" and left[1] == right[0]):
            return Verdict.SUPPORTED
        beyond = left[0] > right[1] or (relation == "<" and left[0] == right[1])
        return Verdict.REFUTED if beyond else Verdict.INCONCLUSIVE


def within(values: Floats, level: float, rounding: float = 0.0) -> Interval:
    """Interval for a median of independent ``values``, (R,), each right up to a relative error of ``rounding``.

    A NaN among them may be any number: it counts as −∞ for the lower end, and as ∞ for the upper one. Error and
    refusals as for `median_interval`.
    """
    values = np.asarray(values, dtype=np.float64)
    lost, most = np.isnan(values), float(np.finfo(np.float64).max)
    low, high = median_interval(np.where(lost, -most, values), level, np.where(lost, most, values))
    return (
        low - rounding * abs(low) if low > -most else -math.inf,
        high + rounding * abs(high) if high < most else math.inf,
    )


def _middle(values: Floats) -> float | None:
    """The median of what is known."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None


def _spoiled(sample: Sample) -> tuple[int, int]:
    """Of the symbol that has most, how many values are spoiled, and how many there are."""
    counts = [
        (int(sum(np.isnan(each).sum() for each in arrays)), sum(map(len, arrays)))
        for arrays in sample.values.values()
    ]
    return max(counts, default=(0, 0))


def _written(end: float) -> float | None:
    """An end of an interval as evidence holds it; None for one that was not reached."""
    return end if math.isfinite(end) else None


def _hull(intervals: Sequence[Interval]) -> Interval:
    return min(low for low, _ in intervals), max(high for _, high in intervals)


def _ends(side: Any, values: Mapping[str, float], intervals: Mapping[str, Interval]) -> Interval:
    arguments = arguments_of(side)
    function = compiled(side, arguments).floats

    def at(end: int) -> float:
        return float(
            function(
                *(
                    intervals[str(a)][end] if str(a) in intervals else values[str(a)]
                    for a in arguments
                )
            )
        )

    return at(0), at(1)


def _tightness(relation: str, left: Interval, right: Interval) -> float | None:
    """Measured / bound, or its inverse where the bound is below what it bounds in size; at the middle of both."""
    measured, bound = sum(left) / 2, sum(right) / 2
    if not (math.isfinite(measured) and math.isfinite(bound) and measured * bound > 0):
        return None
    lower = relation in (">=", ">")
    return bound / measured if lower != (bound < 0) else measured / bound


def _relative(interval: Interval, bound: float) -> float | None:
    half = (interval[1] - interval[0]) / 2
    return half / abs(bound) if bound and math.isfinite(half) else None


def _evidence(
    statement: Statement, rows: list[dict[str, Any]], context: Context, wants: str
) -> Evidence:
    if not rows:
        return Evidence(
            method="simulation",
            verdict=Verdict.OUTSIDE,
            sentinel=Verdict.OUTSIDE,
            summary=f"the batch does not meet the assumptions: {wants}",
        )
    verdict = combine([Verdict(row["verdict"]) for row in rows])
    sentinels = {row["sentinel"] for row in rows}
    sentinel = next(
        (v for v in (Verdict.REFUTED, Verdict.INCONCLUSIVE) if v.value in sentinels),
        Verdict.SUPPORTED,
    )
    open_rows = [row for row in rows if row["verdict"] == Verdict.INCONCLUSIVE]
    decided = [row for row in rows if row["verdict"] == verdict.value]
    summary = f"medians of {len(rows)} chain{'s' * (len(rows) != 1)}"
    if verdict is Verdict.REFUTED:
        bad = decided[0]
        measured = ", ".join(
            f"{key[4:]} in [{bad[key]:.4g}, {bad['high ' + key[4:]]:.4g}]"
            for key in bad
            if key.startswith("low ") and bad[key] is not None
        )
        summary = f"{bad['instance']}: {measured}, bound {bad['bound']:.4g}; {len(decided)} of {len(rows)} chains"
    elif open_rows:
        summary += (
            f", {len(open_rows)} undecided: {open_rows[0].get('obstacle', 'intervals too wide')}"
        )
    if lost := sum(row.get("spoiled", 0) for row in rows):
        summary += (
            f"; {lost} value{'s' * (lost != 1)} undefined or spoiled by rounding, counted as the worst for "
            "either side"
        )
    return Evidence(
        method="simulation",
        verdict=verdict,
        summary=summary,
        sentinel=sentinel,
        tightness=max(
            (r["tightness"] for r in decided if r.get("tightness") is not None), default=None
        ),
        power=max((r["power"] for r in decided if r.get("power") is not None), default=None),
        details={
            "seed": context.seed,
            "level": context.level,
            "sentinel_refuted_on": sum(row["sentinel"] == Verdict.REFUTED for row in rows),
            "readouts": rows,
        },
    )
