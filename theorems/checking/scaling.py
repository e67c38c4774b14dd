"""Claims about an exponent in the width, decided by an interval for a log-log slope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import sympy as sp

from simulators import Trajectory
from simulators.observables import Observable
from theorems.checking.check import Floats, SampledCheck
from theorems.checking.confidence_intervals import fit_exponent
from theorems.checking.confidence_sequence import BoundedMean
from theorems.checking.expectation import Instance
from theorems.checking.lost_samples import Known, UndefinedMean, spoiled_words
from theorems.context import Context
from theorems.evidence import Details, Evidence, Verdict, typed
from theorems.statement import Statement

__all__ = ["MeasuredSlope", "Scaling", "WidthMean", "exponent_verdict"]


@dataclass(frozen=True)
class WidthMean(Details):
    """The mean at one width over ``count`` observations, None for none, with its interval."""

    width: int
    mean: float | None
    interval: tuple[float, float]
    count: int


@dataclass(frozen=True, kw_only=True)
class MeasuredSlope(Details):
    """The interval of the slope, None where it is not bounded, and the means it was read from."""

    seed: int
    engine: str
    dtype: str
    level: float
    spoiled: int = 0
    slope: tuple[float, float] | None
    widths: tuple[WidthMean, ...] = field(metadata=typed(WidthMean.read))


@dataclass(frozen=True)
class Scaling(SampledCheck):
    """The least-squares slope of log mean against log width, over ``instances`` of growing width.

    The statement's ``lhs`` must be ``Abs(slope - exponent)``. Each mean gets a confidence sequence;
    the slope's interval is exact given those. ``sample`` gives (observations,) values in
    ``support``; ``scope`` says in words of which starts the verdict speaks. ``replicas`` are drawn
    in each of at most ``rounds`` rounds.

    Example:
        >>> from theorems.context import Context
        >>> slope = sp.Symbol("beta")
        >>> check = Scaling(slope, lambda batch: [], lambda path: path["V"][:, -1], (), 8)
        >>> check(None, Context(0, 1e-6)).verdict.value      # no two widths, no slope
        'outside'
    """

    slope: sp.Symbol
    instances: Callable[[Floats | None], list[Instance]]
    sample: Callable[[Trajectory], Floats]
    observables: tuple[str | Observable, ...]
    replicas: int
    rounds: int = 6
    scope: str = ""

    def words(self, statement: Statement) -> str:
        scope = f", {self.scope}" if self.scope else "; a user's batch becomes the start"
        return f"simulation: an interval for the slope of log mean against log width{scope}"

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        instances = self.instances(context.array)
        if len({i.width for i in instances}) < 2:
            return self.outside("the batch does not meet the assumptions: full rank, 2 ≤ n ≤ 256")
        share = context.share(len(instances))
        means = [BoundedMean(*i.support, share.level) for i in instances]
        verdict, sentinel = Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE
        interval: tuple[float, float] | None = None
        engine, spoiled = "", 0
        widths = np.array([i.width for i in instances], dtype=float)
        for stage in range(self.rounds):
            if context.expired:  # a refutation stands, and nothing else is said
                verdict, sentinel = (
                    v if v is Verdict.REFUTED else Verdict.INCONCLUSIVE for v in (verdict, sentinel)
                )
                break
            for instance, mean in zip(instances, means, strict=True):
                context.progress(f"{statement.name}: {instance.label}, round {stage + 1}")
                trajectory = instance.networks.simulated(
                    self.observables,
                    self.replicas * 2**stage // 2 or 1,
                    context.stream(statement.name, instance.label, stage),
                )
                engine = trajectory.engine
                values = Known.at(trajectory, self.sample(trajectory), instance.support)
                if missing := int(np.isnan(values.low).sum()):
                    return UndefinedMean(missing, len(values.low), instance.label)(
                        statement, context
                    )
                mean.update(values.low, values.high)
                spoiled += int(values.spoiled.sum())
            if all(0 < m.interval[0] <= m.interval[1] for m in means):
                interval = fit_exponent(widths, [m.interval for m in means])
                claims = (statement, statement.neighbour)
                verdict, sentinel = (
                    exponent_verdict(claim, self.slope, interval) for claim in claims
                )
            if Verdict.INCONCLUSIVE not in (verdict, sentinel):
                break
        return Evidence(
            method=self.method,
            verdict=verdict,
            sentinel=sentinel,
            summary=(
                "slope not bounded"
                if interval is None
                else f"slope in [{interval[0]:.3f}, {interval[1]:.3f}]"
            )
            + f" over widths {widths[0]:.0f}…{widths[-1]:.0f}"
            + (f", {self.scope}" if self.scope else "")
            + (f"; {spoiled_words(spoiled, sum(m.count for m in means))}" if spoiled else ""),
            power=None if interval is None else (interval[1] - interval[0]) / 2,
            details=MeasuredSlope(
                seed=context.seed,
                engine=engine,
                dtype="float64",
                level=context.level,
                spoiled=spoiled,
                slope=interval,
                widths=tuple(
                    WidthMean(i.width, m.mean if m.count else None, m.interval, m.count)
                    for i, m in zip(instances, means, strict=True)
                ),
            ),
        )


def exponent_verdict(
    statement: Statement, slope: sp.Symbol, interval: tuple[float, float]
) -> Verdict:
    """What an interval for ``slope`` says of a statement of the form |slope - exponent| <=
    tolerance.

    Raises ``ValueError`` for a statement of another form.
    """
    exponent, tolerance = _exponent(statement, slope), float(statement.rhs)
    low, high = interval
    farthest = max(abs(low - exponent), abs(high - exponent))
    nearest = 0.0 if low <= exponent <= high else min(abs(low - exponent), abs(high - exponent))
    if farthest <= tolerance:
        return Verdict.SUPPORTED
    return Verdict.REFUTED if nearest > tolerance else Verdict.INCONCLUSIVE


def _exponent(statement: Statement, slope: sp.Symbol) -> float:
    """The exponent claimed."""
    lhs = statement.lhs
    exponent = slope - lhs.args[0] if isinstance(lhs, sp.Abs) else None
    if exponent is None or not exponent.is_number or statement.relation != "<=":
        raise ValueError(
            f"{statement.name}: want |{slope} - exponent| <= tolerance, which is read here"
        )
    return float(exponent)
