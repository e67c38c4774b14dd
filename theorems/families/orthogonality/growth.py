"""The growth q = p_n / σ_n² of the smallest eigenvalue in one mean-field layer, with its
derivatives, in balls.

For eigenvalues v_0 = σ_n², v_1, …, v_{n-1} of sum 1, from the integral of p_n
(``simulators.engines.mean_field``),

    q(v) = ∫_0^∞ f dt,   f = Π_j (1 + 2 t v_j)^{-a_j},   a_0 = 3/2, a_j = 1/2,   x_j = 1 / (1 + 2 t
    v_j), ∂_i q = -2 a_i ∫ t f x_i dt,   ∂_ij q = 4 a_i (a_j + [i = j]) ∫ t² f x_i x_j dt.

Every integrand is positive and falls in each v_j. So over a box q, -∂_i q and ∂_ij q lie between
their values at the upper and at the lower corner, and values at points are all that is needed.

The integrals are summed by the trapezoidal rule in log t, step h. What that leaves out, for t^r
times a product of powers (1 + 2 t v_j)^{-b_j}, by the argument given in ``mean_field``: the step
costs a relative error of at most 2 / ((cos α)^{r+1} (e^{2πα/h} - 1)), since turning by α divides
the integral by at most (cos α)^{r+1}; nodes before the first, t_0, add up to at most t_0^{r+1} / (r
+ 1); nodes beyond the last, t_N, to at most the term there over G - r - 1, where G = Σ b_j z_j / (1
+ z_j), z_j = 2 t_N v_j.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb, ctx, fmpq

__all__ = ["Growth", "growth"]

_GUARD_BITS = 20
_ANGLE = fmpq(3, 2)


@dataclass(frozen=True)
class Growth:
    """Balls around q, and, as far as they were asked for, its gradient and Hessian."""

    value: arb
    gradient: list[arb]
    hessian: list[list[arb]]


def growth(point: Sequence[fmpq], order: int, precision: int) -> Growth:
    """q at positive eigenvalues, the first of them v_0, with derivatives up to ``order`` (0, 1 or
    2).

    The sum need not be 1. Absolute errors are about 2^-precision times powers of 1 / min v; a ball
    is infinite if its tail could not be bounded. Cost: some 0.1·precision·(precision + log 1/min v)
    nodes of a few microseconds per eigenvalue, twice that with a Hessian. Raises ``ValueError`` for
    a number that is not positive, as the integrals may diverge there.
    """
    if any(v <= 0 for v in point):
        raise ValueError(f"point {[str(v) for v in point]}: want positive numbers")
    with ctx.workprec(precision + _GUARD_BITS):
        return _Sums(point, order, precision).enclosed()


class _Sums:
    """The trapezoidal sums of all integrals at once: they share nodes and factors."""

    def __init__(self, point: Sequence[fmpq], order: int, precision: int) -> None:
        self.size = size = len(point)
        goal = precision * math.log(2)
        self.step = arb(
            fmpq(
                math.floor(2**10 * 2 * math.pi * float(_ANGLE.p) / float(_ANGLE.q) / (goal + 12)),
                2**10,
            )
        )
        self.first = arb(-goal).exp()
        reach = 2 * goal / size - math.log(float(min(point)))
        nodes = math.ceil((reach + goal) / float(self.step)) + 2
        ratio, doubled = self.step.exp(), [2 * arb(v) for v in point]
        self.zero, self.ones = arb(0), [arb(0)] * size
        self.twos = [[arb(0)] * (i + 1) for i in range(size)]
        self.order, self.t = order, self.first
        for node in range(nodes):
            if node:
                self.t *= ratio
            factors = [1 + z * self.t for z in doubled]
            # the exponents are 3/2, 1/2, …: its root, with every factor once
            product = factors[0] ** 2
            for factor in factors:
                product *= factor
            self.f = 1 / product.sqrt()
            self.shares = [1 / factor for factor in factors]
            self.zero += self.t * self.f
            if order:
                self._add_derivatives()

    def _add_derivatives(self) -> None:
        square = self.t * self.t * self.f
        for i, share in enumerate(self.shares):
            weighted = square * share
            self.ones[i] += weighted
            if self.order > 1:
                weighted *= self.t
                row = self.twos[i]
                for j in range(i + 1):
                    row[j] += weighted * self.shares[j]

    def enclosed(self) -> Growth:
        exponents = [fmpq(3, 2), *[fmpq(1, 2)] * (self.size - 1)]
        value = self._whole(self.zero, ())
        gradient = (
            [-2 * a * self._whole(self.ones[i], (i,)) for i, a in enumerate(exponents)]
            if self.order
            else []
        )
        hessian = [[arb(0)] * self.size for _ in range(self.size)] if self.order > 1 else []
        for i, row in enumerate(hessian):
            for j in range(i + 1):
                row[j] = (
                    4
                    * exponents[i]
                    * (exponents[j] + (i == j))
                    * self._whole(self.twos[i][j], (i, j))
                )
                hessian[j][i] = row[j]
        return Growth(value, gradient, hessian)

    def _whole(self, total: arb, extra: tuple[int, ...]) -> arb:
        """The integral of t^r f times x_i for each i in ``extra``, r their number, from the sum
        over the nodes.
        """
        angle, r = arb(_ANGLE), len(extra)
        turned = 2 / (angle.cos() ** (r + 1) * ((2 * arb.pi() * angle / self.step).exp() - 1))
        spent = [1 - share for share in self.shares]  # z / (1 + z) at the last node
        margin = (
            spent[0] + sum(spent, arb(0)) / 2 + sum((spent[i] for i in extra), arb(0)) - (r + 1)
        )
        if not (margin > 0 and turned < 1):
            return arb(0, math.inf)
        end = self.t ** (r + 1) * self.f
        for i in extra:
            end *= self.shares[i]
        outside = self.first ** (r + 1) / (r + 1) + end / margin
        return (self.step * total + arb(0, outside)) / (1 + arb(0, turned))
