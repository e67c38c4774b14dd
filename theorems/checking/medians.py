"""Claims about what half of all networks do, decided by intervals for medians over independent
ones.

A time average or a growth rate of a deep chain tends to a constant, and with it its median over
networks. The interval for a median needs neither a range nor a variance: order statistics of
independent networks hold at any level, whatever the law. So layers may depend on one another as
they like; networks do not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import sympy as sp

from theorems.checking.check import Floats, SampledCheck, SampledRows
from theorems.checking.confidence_intervals import median_interval
from theorems.context import Context
from theorems.evidence import Details, Evidence, Verdict, beside, combine, typed
from theorems.expressions import arguments_of, compiled
from theorems.statement import Statement

__all__ = ["Case", "Floats", "MedianRow", "Medians", "Sample", "within"]

Interval = tuple[float, float]


@dataclass(frozen=True)
class Sample:
    """What one case gave: for each symbol of a side, values of independent networks,
    ``(replicas,)`` each.

    A symbol with several arrays, from several starts, is claimed of every one of them. ``obstacle``
    says why the values may not decide: the start is not forgotten, the price is too high (then
    there may be none). ``notes`` go into the report. A value that is undefined, or that rounding
    spoiled, is NaN: it may be any number. The others are right up to a relative error of
    ``rounding``. ``sizes`` are values of symbols that were others than the case says; ``place``
    says in words of what it was drawn, beside the label of the case.

    Example:
        >>> Sample({"r": [np.ones(8)]}).obstacle
        ''
    """

    values: Mapping[str, Sequence[Floats]]
    obstacle: str = ""
    rounding: float = 0.0
    notes: Mapping[str, object] = field(default_factory=dict)
    sizes: Mapping[str, float] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True)
class Case:
    """One network shape. ``values`` are the symbols that the sides need beside what is sampled.

    ``draw(context)`` samples at the seed of the context; ``share`` is how many intervals the case
    asks for, over which its level is split. One that is ``dear`` is left to a thorough run.

    Example:
        >>> case = Case("d = 4", {"d": 4.0}, lambda context: Sample({"r": [np.ones(8)]}), 1)
        >>> len(case.draw(None).values["r"])
        1
    """

    label: str
    values: Mapping[str, float]
    draw: Callable[[Context], Sample]
    share: int  # intervals it will ask for, over which its level is split
    dear: bool = False


@dataclass(frozen=True, kw_only=True)
class Compared(Details):
    """The bound of a case, how tight it is, and with what power it was compared.

    - ``tightness``: measured / bound, or its inverse
    - ``power``: half the interval over the bound
    """

    bound: float | None
    tightness: float | None
    power: float | None


@dataclass(frozen=True, kw_only=True)
class MedianRow(Details):
    """What one case says: its symbols, its medians with the ends of their intervals, and both
    verdicts.

    An ``obstacle`` says why they decide nothing. ``spoiled`` of the values are undefined, or
    spoiled by rounding.
    """

    instance: str
    symbols: Mapping[str, float] = field(metadata=beside())
    medians: Mapping[str, object] = field(default_factory=dict, metadata=beside())
    obstacle: str | None = None
    spoiled: int = 0
    verdict: Verdict = field(metadata=typed(Verdict))
    sentinel: Verdict = field(metadata=typed(Verdict))
    compared: Compared | None = field(default=None, metadata=beside(Compared))
    notes: Mapping[str, object] = field(default_factory=dict, metadata=beside())

    @property
    def measured(self) -> str:
        """The intervals that were reached, in words: ``symbol in [low, high]`` for each median.

        Of four significant digits, in the unit of the median; empty where none was reached.
        """
        found = []
        for key, low in self.medians.items():
            name = key.removeprefix("low ")
            if name != key and low is not None:
                found.append(f"{name} in [{low:.4g}, {self.medians[f'high {name}']:.4g}]")
        return ", ".join(found)


@dataclass(frozen=True)
class Medians(SampledCheck):
    """Intervals for medians over independent networks, compared with the statement's sides at every
    case.

    Both sides must rise with every sampled symbol of theirs, so that their ends are at the ends of
    the intervals. An equality is supported once its interval holds the value and is at most
    ``resolution`` of it to either side. ``cases(batch)`` lays out the work; none means that the
    batch does not meet the assumptions, which ``wants`` names. One that ``trains`` networks takes
    the experiment of its context.

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
    trains: bool = False

    def words(self, statement: Statement) -> str:
        return (
            "simulation: order-statistic intervals for medians over independent networks, in every "
            "case that is laid out; dear ones only with --thorough"
        )

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        laid_out = self.cases(context.array)
        cases = [case for case in laid_out if context.thorough or not case.dear]
        if not cases:
            return self.outside(f"the batch does not meet the assumptions: {self.wants}")
        parts = sum(case.share for case in cases)
        rows: list[MedianRow] = []
        for number, case in enumerate(cases):
            if context.expired:
                rows.append(_open(case, Sample({}, "out of time")))
                continue
            context.progress(f"{statement.name}: {case.label} ({number + 1}/{len(cases)})")
            sample = case.draw(context)
            label = "; ".join(filter(None, (case.label, sample.place)))
            drawn = replace(case, label=label, values={**case.values, **sample.sizes})
            rows.append(self._row(statement, drawn, sample, context.level / parts))
        verdict = combine([row.verdict for row in rows])
        decided = [row for row in rows if row.verdict is verdict]
        details = SampledRows(
            seed=context.seed,
            level=context.level,
            sentinel_refuted_on=sum(row.sentinel is Verdict.REFUTED for row in rows),
            readouts=rows,
        )
        compared = [row.compared for row in decided if row.compared is not None]
        return self.of_rows(verdict, _told(verdict, rows, decided), rows, compared, details)

    def _row(self, statement: Statement, case: Case, sample: Sample, level: float) -> MedianRow:
        if sample.obstacle:
            return _open(case, sample)
        intervals: dict[str, Interval] = {}
        medians: dict[str, float | None] = {}
        for name, arrays in sample.values.items():
            ends = [within(values, level, sample.rounding) for values in arrays]
            below, above = min(low for low, _ in ends), max(high for _, high in ends)
            intervals[name] = below, above
            medians[f"median {name}"] = _middle(np.concatenate(arrays))
            medians[f"low {name}"] = _written(below)
            medians[f"high {name}"] = _written(above)
        left, right = (_ends(s, case.values, intervals) for s in (statement.lhs, statement.rhs))
        false = [_ends(side, case.values, intervals) for side in statement.neighbour_sides]
        lost, count = _spoiled(sample)
        obstacle = None
        verdict = sentinel = Verdict.INCONCLUSIVE
        if not np.isfinite(list(intervals.values())).all():
            obstacle = "too few networks for the level"
            if lost:
                obstacle = f"{lost} of {count} values undefined or spoiled by rounding"
        else:
            verdict = self.judged(statement.relation, left, right)
            sentinel = self.judged(statement.relation, *false)
        return MedianRow(
            instance=case.label,
            symbols=case.values,
            medians=medians,
            obstacle=obstacle,
            spoiled=lost,
            verdict=verdict,
            sentinel=sentinel,
            compared=Compared(
                bound=_written(right[1]),
                tightness=_tightness(statement.relation, left, right),
                power=_relative(left, right[1]),
            ),
            notes=sample.notes,
        )

    def judged(self, relation: str, left: Interval, right: Interval) -> Verdict:
        """Of ``left relation right``, each side known to lie in its interval (low, high).

        - ``relation``: one of ``<=``, ``<``, ``>=``, ``>``, ``==``; equality is supported where
          ``left`` is within ``resolution`` of the middle of ``right``, relatively

        Example:
            >>> check = Medians(lambda batch: [])
            >>> [check.judged("<=", (0.1, 0.2), right).value for right in ((0.3, 0.3), (0.0, 0.05))]
            ['supported', 'refuted']
        """
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


def _open(case: Case, sample: Sample) -> MedianRow:
    """A case that its obstacle leaves open. Arrays of one symbol then need not agree, and are not
    pooled.
    """
    return MedianRow(
        instance=case.label,
        symbols=case.values,
        medians={f"medians {name}": [*map(_middle, each)] for name, each in sample.values.items()},
        obstacle=sample.obstacle,
        verdict=Verdict.INCONCLUSIVE,
        sentinel=Verdict.INCONCLUSIVE,
        notes=sample.notes,
    )


def within(values: Floats, level: float, rounding: float = 0.0) -> Interval:
    """Interval for a median of independent ``values``, (R,), each right up to a relative error of
    ``rounding``.

    A NaN among them may be any number: it counts as −∞ for the lower end, and as ∞ for the upper
    one. Error and refusals as for `median_interval`.

    Example:
        >>> within(np.append(np.ones(99), np.nan), 1e-3)
        (1.0, 1.0)
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
    pooled = [np.concatenate(arrays) for arrays in sample.values.values()]
    return max(((int(np.isnan(each).sum()), len(each)) for each in pooled), default=(0, 0))


def _written(end: float) -> float | None:
    """An end of an interval as evidence holds it; None for one that was not reached."""
    return end if math.isfinite(end) else None


def _ends(
    side: sp.Expr, values: Mapping[str, float], intervals: Mapping[str, Interval]
) -> Interval:
    """A side at both ends of the intervals of its symbols."""
    names = [str(a) for a in arguments_of(side)]
    function = compiled(side, arguments_of(side)).floats
    given = [intervals.get(name, (values.get(name), values.get(name))) for name in names]
    lows, highs = [ends[0] for ends in given], [ends[1] for ends in given]
    return float(function(*lows)), float(function(*highs))


def _tightness(relation: str, left: Interval, right: Interval) -> float | None:
    """Measured / bound, or its inverse where the bound is below what it bounds in size; at the
    middle of both.
    """
    measured, bound = sum(left) / 2, sum(right) / 2
    if not (math.isfinite(measured) and math.isfinite(bound) and measured * bound > 0):
        return None
    lower = relation in (">=", ">")
    return bound / measured if lower != (bound < 0) else measured / bound


def _relative(interval: Interval, bound: float) -> float | None:
    half = (interval[1] - interval[0]) / 2
    return half / abs(bound) if bound and math.isfinite(half) else None


def _told(verdict: Verdict, rows: Sequence[MedianRow], decided: Sequence[MedianRow]) -> str:
    """What the rows say together, in words."""
    found = f"medians of {len(rows)} chain{'s' * (len(rows) != 1)}"
    undecided = [row for row in rows if row.verdict is Verdict.INCONCLUSIVE]
    if verdict is Verdict.REFUTED:
        bad = decided[0]
        found = (
            f"{bad.instance}: {bad.measured}, bound {bad['bound']:.4g}; "
            f"{len(decided)} of {len(rows)} chains"
        )
    elif undecided:
        found += f", {len(undecided)} undecided: {undecided[0].obstacle or 'intervals too wide'}"
    if lost := sum(row.spoiled for row in rows):
        found += (
            f"; {lost} value{'s' * (lost != 1)} undefined or spoiled by rounding, "
            "counted as the worst for either side"
        )
    return found
