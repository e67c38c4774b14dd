"""Means of cosines, carried on from layers that are known well to those that are claimed of.

Of each network the cosine is read at the layer of a claim, and before it at some layers from which
`theorems.checking.cosine_drift` says what is left of it on average. The mean of that is a lower
bound of the mean that is claimed, and has a narrower range: see `theorems.checking.carried_mean`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp

from simulators import Trajectory
from simulators.chains import Chain
from theorems.checking.carried_mean import CarriedMean
from theorems.checking.confidence_sequence import Estimator
from theorems.checking.cosine_drift import CosineDrift, cosine_drift
from theorems.checking.estimates import EstimatedFunction
from theorems.checking.expectation import Expectation, Floats, Instance
from theorems.checking.lost_samples import Known
from theorems.float_intervals import Interval
from theorems.statement import Statement
from theorems.workbench.design import ROUNDING, Design
from theorems.workbench.estimands import Estimand, Statistic, enclosed
from theorems.workbench.quantities import ell, quantity

__all__ = ["with_carried_means"]

#: Quantities that are means of cosines; all but the first where no cosine is negative.
_COSINES = ("cosine", "absolute_cosine", "mean_absolute_cosine")
#: From so many layers that stand about evenly in the logarithm of their distance.
_LAYERS = 16

#: At which width it is asked whether anything is known of a chain.
_WIDE = 1024


def with_carried_means(check: Expectation, design: Design, relation: str) -> Expectation:
    """The check, with means that are carried on where the claim bounds a cosine from below.

    - ``design``, ``relation``: of the claim, of a mean cosine or of what is affine in one, as
      ``1 - cosine <= 1/ell``

    Example:
        >>> from theorems import conjecture
        >>> claim = conjecture("cosine >= 1/5", chain="vanilla(relu)", n=2, d=64, ell=4)
        >>> claim.statement(falsify=False).checks[0].estimator is None
        False
    """
    readings = _Carried.of(design)
    if readings is None or relation not in (">=", ">", "<=", "<"):
        return check
    example = design.chain(_WIDE, dict.fromkeys(design.chain.numbers, 0.5))
    if readings.drift(example, samples=2) is None:
        return check
    if readings.slope.is_positive is not (relation in (">=", ">")):
        return check
    return replace(check, known=readings.known, estimator=readings.estimator)


@dataclass(frozen=True)
class _Carried:
    """Readings with an axis more: a quantity, and what is left of it from layers before.

    ``design`` reads the quantity; what is claimed of is ``expression`` of its mean, with the
    ``slope``, which has one sign on the whole domain.
    """

    design: Design
    expression: sp.Expr
    slope: sp.Expr

    @classmethod
    def of(cls, design: Design) -> _Carried | None:
        """For what a design reads; None where that is not affine in the mean of one quantity."""
        if design.quantity is not None:
            return cls(design, design.quantities[0].symbol, sp.S.One)
        mean = design.estimand.statistics[0]
        read = design.quantities[0].symbol
        random = {each.symbol for each in design.quantities} & mean.of.free_symbols
        conditioned = any(random & each.relation.free_symbols for each in mean.conditions)
        several = len(design.estimand.statistics) > 1 or random != {read}
        if several or conditioned or mean.kind != "mean" or mean.moment is not None:
            return None
        expression = design.estimand.expression.subs(mean.symbol, mean.of)
        layers = {ell: sp.Symbol("ell", integer=True, positive=True)}  # none is the batch
        slope = sp.diff(expression, read).subs(layers)
        if slope.free_symbols & random or not (slope.is_positive or slope.is_negative):
            return None
        own = Estimand.of(Statistic("mean", read))
        return cls(replace(design, quantity=quantity(str(read)), estimand=own), expression, slope)

    def drift(self, chain: Chain, samples: int) -> CosineDrift | None:
        """That of the quantity, None where none is known."""
        name = "" if self.design.quantity is None else self.design.quantity.name
        found = cosine_drift(chain, samples) if name in _COSINES else None
        if found is None or (name != _COSINES[0] and found.least < 0):
            return None
        return found

    def support(self, instance: Instance) -> tuple[float, float]:
        """The range of the quantity."""
        return self.design.support(instance.readouts[0])

    def known(self, statement: Statement, trajectory: Trajectory, instance: Instance) -> Known:
        """What is known of each reading, (replicas, readouts, 1 + layers)."""
        depths = [int(values["ell"]) for values in instance.readouts]
        found = self.design.sample(statement, trajectory, instance)
        now = Known.at(trajectory, found, self.support(instance), depths)
        drift = self.drift(instance.chain, int(instance.start.shape[1]))
        carried = np.zeros((*found.shape, 0))
        if drift is not None:
            rows = [self._carried(trajectory, instance, depth, drift) for depth in depths]
            carried = np.stack(rows, axis=1)
        low, high = (
            np.concatenate([end[..., None], carried], axis=-1) for end in (now.low, now.high)
        )
        return Known.between(low, high, now.spoiled)

    def _carried(
        self, trajectory: Trajectory, instance: Instance, depth: int, drift: CosineDrift
    ) -> Floats:
        """Lower bounds of the conditional mean given each of some layers, (replicas, layers)."""
        layers = _layers(depth)
        values = trajectory.values[self.design.observables[0].name][:, layers]
        low = Known.at(trajectory, values, self.support(instance), layers).low
        there = np.where(
            np.isnan(low), drift.least, low
        )  # one that died counts as all its readings
        columns = [drift(there[:, [k]], depth - layer) for k, layer in enumerate(layers)]
        return np.concatenate(columns, axis=1)

    def estimator(
        self,
        side: sp.Expr,
        instance: Instance,
        values: Mapping[str, float],
        level: float,
        aim: float | None,
    ) -> Estimator:
        """A confidence sequence for the mean, of what `known` gives at a readout.

        - ``side``: what stands for it in the claim, and in its neighbour
        """
        depth = int(values["ell"])
        drift = self.drift(instance.chain, int(instance.start.shape[1]))
        floors: list[float] = []
        if drift is not None:
            least = np.array([drift.least])
            floors = [float(drift(least, depth - layer)[0]) - ROUNDING for layer in _layers(depth)]
        support = self.support(instance)
        expression, range_ = self.expression, instance.support
        other = self.design.neighbour
        if other is not None and side == other.expression:  # the claim turned about
            expression, range_ = -expression, (-range_[1], -range_[0])
            aim = None if aim is None else -aim
        if expression.is_Symbol:
            return CarriedMean(*support, floors, level, aim)
        name = str(self.design.quantities[0].symbol)
        numbers = dict(values)

        def claimed(ends: Mapping[str, Interval]) -> Interval:
            return enclosed(expression, {**numbers, name: ends[name]})

        at = None if aim is None else self._mean_at(aim, numbers, name)
        part = CarriedMean(*support, floors, level, at)
        columns = [list(range(1 + len(floors)))]
        return EstimatedFunction(claimed, {name: part}, range_, columns)

    def _mean_at(self, bound: float, values: Mapping[str, float], name: str) -> float:
        """The mean of the quantity at which what is claimed of is a bound, roughly."""
        at_zero, at_one = (enclosed(self.expression, {**values, name: x}) for x in (0.0, 1.0))
        start, end = (float(each.low + each.high) / 2 for each in (at_zero, at_one))
        return (bound - start) / (end - start)


def _layers(depth: int) -> list[int]:
    """The layers from which a reading at ``depth`` is carried on, always as many."""
    back = np.unique(np.round(np.geomspace(1, max(depth - 1, 1), _LAYERS)).astype(int))
    found = [depth - int(blocks) for blocks in back if blocks < depth]
    return [depth] * (_LAYERS - len(found)) + found
