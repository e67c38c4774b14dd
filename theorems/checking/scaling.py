"""Claims about an exponent in the width, decided by an interval for a log-log slope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import sympy as sp

from simulators import Trajectory, simulate
from theorems.checking.confidence import BoundedMean, fit_exponent
from theorems.checking.context import Context
from theorems.checking.expectation import Instance
from theorems.statement import Evidence, Verdict

if TYPE_CHECKING:
    from theorems.statement import Statement

__all__ = ["Scaling"]

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Scaling:
    """The least-squares slope of log mean against log width, over ``instances`` of growing width.

    The statement's ``lhs`` must be ``Abs(slope - exponent)``. Each mean gets a confidence sequence; the
    slope's interval is exact given those. ``sample`` gives (observations,) values in ``support``.
    """

    slope: sp.Symbol
    instances: Callable[[Floats | None], list[Instance]]
    sample: Callable[[Trajectory], Floats]
    observables: tuple[Any, ...]
    replicas: int
    rounds: int = 6

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        instances = self.instances(None if context.batch is None else context.batch.array)
        share = context.share(len(instances))
        means = [BoundedMean(*i.support, share.level) for i in instances]
        verdict, sentinel, interval = Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, (-np.inf, np.inf)
        engine = ""
        for stage in range(self.rounds):
            for instance, mean in zip(instances, means, strict=True):
                context.progress(f"{statement.name}: {instance.label}, round {stage + 1}")
                trajectory = simulate(
                    instance.chain, instance.start, depth=instance.depth, replicas=self.replicas * 2**stage // 2 or 1,
                    seed=context.stream(statement.name, instance.label, stage), observables=self.observables)
                engine = trajectory.engine
                mean.update(self.sample(trajectory))
            widths = np.array([i.width for i in instances], dtype=float)
            if all(m.interval[0] > 0 for m in means):
                interval = fit_exponent(widths, [m.interval for m in means])
                verdict, sentinel = self._judge(statement, interval), self._judge(statement.neighbour, interval)
            if (Verdict.INCONCLUSIVE not in (verdict, sentinel)) or context.expired:
                break
        return Evidence(
            method="simulation", verdict=verdict, sentinel=sentinel,
            summary=f"slope in [{interval[0]:.3f}, {interval[1]:.3f}] over widths "
                    f"{widths[0]:.0f}…{widths[-1]:.0f}",
            power=float(interval[1] - interval[0]) / 2,
            details={"seed": context.seed, "engine": engine, "dtype": "float64", "level": context.level,
                     "slope": list(interval),
                     "widths": [{"width": i.width, "mean": m.mean, "interval": list(m.interval),
                                 "count": m.count} for i, m in zip(instances, means, strict=True)]},
        )

    def _judge(self, statement: Statement, interval: tuple[float, float]) -> Verdict:
        exponent = float(-statement.lhs.args[0].subs(self.slope, 0))
        tolerance = float(statement.rhs)
        low, high = interval
        if max(abs(low - exponent), abs(high - exponent)) <= tolerance:
            return Verdict.SUPPORTED
        nearest = 0.0 if low <= exponent <= high else min(abs(low - exponent), abs(high - exponent))
        return Verdict.REFUTED if nearest > tolerance else Verdict.INCONCLUSIVE
