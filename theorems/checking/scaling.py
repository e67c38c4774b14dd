"""Claims about an exponent in the width, decided by an interval for a log-log slope."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import sympy as sp

from simulators import Trajectory
from simulators.observables import Observable
from simulators.streams import Seed
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


#: Random numbers that cost as much as handling a replica does.
_HANDLING = 2000


@dataclass(eq=False)
class _Width:
    """The mean at one width, and what was drawn for it."""

    instance: Instance
    mean: BoundedMean
    drawn: int = 0
    stage: int = 0
    spoiled: int = 0
    undefined: int = 0
    looked_at: int = 0
    engine: str = ""

    def take(self, check: Scaling, replicas: int, dtype: str, seed: Seed) -> None:
        """Draw so many replicas more."""
        networks = replace(self.instance.networks, dtype=dtype)
        trajectory = networks.simulated(check.observables, replicas, seed)
        self.engine = trajectory.engine
        self.drawn, self.stage = self.drawn + replicas, self.stage + 1
        values = Known.at(trajectory, check.sample(trajectory), self.instance.support)
        self.undefined, self.looked_at = int(np.isnan(values.low).sum()), len(values.low)
        if not self.undefined:
            self.mean.update(values.low, values.high)
            self.spoiled += int(values.spoiled.sum())

    @property
    def bounded(self) -> bool:
        """Whether the logarithm of the mean is bounded on both sides."""
        low, high = self.mean.interval
        return 0 < low <= high

    @property
    def gain(self) -> float:
        """What is left of the interval of the logarithm, over what halving it would cost."""
        low, high = self.mean.interval
        return math.log(high / low) / (self.drawn * (self.instance.normals + _HANDLING))


@dataclass(frozen=True)
class Scaling(SampledCheck):
    """The least-squares slope of log mean against log width, over ``instances`` of growing width.

    The statement's ``lhs`` must be ``Abs(slope - exponent)``. Each mean gets a confidence sequence;
    the slope's interval is exact given those. ``sample`` gives (observations,) values in
    ``support``; ``scope`` says in words of which starts the verdict speaks. A thorough run draws
    ``replicas`` / 2 at every width, and in each of at most ``rounds`` rounds twice as many as in
    the last, in float64. Else an eighth of ``replicas`` is drawn everywhere, and then where a
    random number narrows the slope most, until claim and neighbour are decided or each width has
    had as many, in ``dtype``, whose rounding is in every interval.

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
    dtype: str = "float64"

    def words(self, statement: Statement) -> str:
        scope = f", {self.scope}" if self.scope else "; a user's batch becomes the start"
        return f"simulation: an interval for the slope of log mean against log width{scope}"

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        instances = self.instances(context.array)
        if len({i.width for i in instances}) < 2:
            return self.outside("the batch does not meet the assumptions: full rank, 2 ≤ n ≤ 256")
        share = context.share(len(instances))
        means = [_Width(i, BoundedMean(*i.support, share.level)) for i in instances]
        verdict, sentinel = Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE
        interval: tuple[float, float] | None = None
        widths = np.array([i.width for i in instances], dtype=float)
        dtype = "float64" if context.thorough else self.dtype
        rounds = self._rounds(means) if context.thorough else self._sparing(means, widths)
        for number, batches in enumerate(rounds):
            if context.expired:  # a refutation stands, and nothing else is said
                verdict, sentinel = (
                    v if v is Verdict.REFUTED else Verdict.INCONCLUSIVE for v in (verdict, sentinel)
                )
                break
            for at, replicas in batches:
                label = at.instance.label
                context.progress(f"{statement.name}: {label}, round {number + 1}")
                at.take(self, replicas, dtype, context.stream(statement.name, label, at.stage))
                if at.undefined:
                    return UndefinedMean(at.undefined, at.looked_at, label)(statement, context)
            if all(at.bounded for at in means):
                interval = fit_exponent(widths, [at.mean.interval for at in means])
                claims = (statement, statement.neighbour)
                verdict, sentinel = (
                    exponent_verdict(claim, self.slope, interval) for claim in claims
                )
            if Verdict.INCONCLUSIVE not in (verdict, sentinel):
                break
        spoiled = sum(at.spoiled for at in means)
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
            + (
                f"; {spoiled_words(spoiled, sum(at.mean.count for at in means))}" if spoiled else ""
            ),
            power=None if interval is None else (interval[1] - interval[0]) / 2,
            details=MeasuredSlope(
                seed=context.seed,
                engine=next((at.engine for at in reversed(means)), ""),
                dtype=dtype,
                level=context.level,
                spoiled=spoiled,
                slope=interval,
                widths=tuple(
                    WidthMean(
                        at.instance.width,
                        at.mean.mean if at.mean.count else None,
                        at.mean.interval,
                        at.mean.count,
                    )
                    for at in means
                ),
            ),
        )

    def _rounds(self, means: Sequence[_Width]) -> Iterator[list[tuple[_Width, int]]]:
        """At every width half the replicas, and then twice as many as before."""
        for stage in range(self.rounds):
            yield [(at, self.replicas * 2**stage // 2 or 1) for at in means]

    def _sparing(
        self, means: Sequence[_Width], widths: Floats
    ) -> Iterator[list[tuple[_Width, int]]]:
        """An eighth of the replicas at every width, and then half as many as there are where the
        slope gains most from a random number.
        """
        most = sum(self.replicas * 2**stage // 2 or 1 for stage in range(self.rounds))
        yield [(at, max(self.replicas // 8, 1)) for at in means]
        weights = np.abs(np.log(widths) - np.log(widths).mean())
        weights = np.maximum(weights, weights.max() / 8)  # a width without weight is shown, too
        while open_ := [at for at in means if at.drawn < most]:
            wanting = [at for at in open_ if not at.bounded]
            if not wanting:
                worth = [at.gain * weight for at, weight in zip(means, weights, strict=True)]
                wanting = [max(open_, key=lambda at: worth[means.index(at)])]
            yield [(at, min(max(at.drawn // 2, 2), most - at.drawn)) for at in wanting]


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
