"""Which simple forms bound a number that depends on sizes: exactly, or touching it somewhere.

Fitting is by logarithms. A form is the law itself where the ratio is one constant at all sizes, and
that constant is simple. Else its best constant is the least that no size refutes: it touches there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from theorems.workbench.discovery.constants import recognised, rounded
from theorems.workbench.discovery.forms import Factor, Form, Sizes, factors_of, products

__all__ = ["Fitter"]

#: What the factors of a form weigh at most: of one size at `_ENOUGH` values or more, which heavier
#: forms do not meet by chance; of up to two sizes; and of more.
HEAVIEST_OF_ONE, HEAVIEST, HEAVIEST_OF_MANY = 13, 9, 6
_ENOUGH = 6
#: Forms that only touch weigh at most this, and each next one is tighter by this share.
HEAVIEST_TOUCHING, _TIGHTER = 5, 0.03
#: Of forms that only touch: no more than so many, fitted to so many sizes at least.
_FEW, _FITTED = 4, 3
#: To which a constant is recognised that some size touches.
_RECOGNISED = 1e-8
#: Of forms that are approached: the limit is known to this share, and its constant weighs so much
#: at most.
_LIMIT_KNOWN, _LIMIT_WEIGHT = 0.02, 4
#: So many of them at most.
_APPROACHED = 3


@dataclass(frozen=True)
class Fitter:
    """All forms over a table of sizes.

    - ``sizes``: (rows,) of every size
    """

    sizes: Sizes

    @cached_property
    def _products(self) -> list[tuple[Factor, ...]]:
        found = products(factors_of(self.sizes), self._heaviest)
        return sorted(found, key=lambda chosen: sum(factor.weight for factor in chosen))

    @cached_property
    def _moving(self) -> list[str]:
        """The sizes that forms may be made of."""
        found = {name for factor in factors_of(self.sizes) for name, _ in factor.terms}
        return sorted(found)

    @property
    def _heaviest(self) -> int:
        if len(self._moving) > 2:
            return HEAVIEST_OF_MANY
        enough = len(next(iter(self.sizes.values()))) >= _ENOUGH
        return HEAVIEST_OF_ONE if len(self._moving) == 1 and enough else HEAVIEST

    @cached_property
    def _weights(self) -> NDArray[np.int64]:
        weights = [sum(factor.weight for factor in chosen) for chosen in self._products]
        return np.array(weights, dtype=np.int64)

    @cached_property
    def _logarithms(self) -> NDArray[np.float64]:
        """Those of every product, (products, rows)."""
        rows = len(next(iter(self.sizes.values())))
        known = {factor: factor.logarithms(self.sizes) for factor in factors_of(self.sizes)}
        found = np.zeros((len(self._products), rows))
        for place, chosen in enumerate(self._products):
            for factor in chosen:
                found[place] += known[factor]
        return found

    def exact(self, values: NDArray[np.float64], tolerance: float) -> Form | None:
        """The lightest form that is the law of ``values``; None if there is none in the budget.

        - ``values``: (rows,) positive, NaN where nothing is known
        - ``tolerance``: relative, to which they are known

        Example:
            >>> n = np.arange(2.0, 9.0)
            >>> Fitter({"n": n}).exact(np.sqrt(n * (n - 1)), 1e-9).text
            'sqrt(n*(n - 1))'
        """
        known = np.isfinite(values) & (values > 0)
        if known.sum() < 3 or known.sum() < np.isfinite(values).sum():
            return None
        rest = np.log(values[known]) - self._logarithms[:, known]
        fitting = np.flatnonzero(np.ptp(rest, axis=1) <= 2 * tolerance)
        found = []
        for place in fitting:
            constant = recognised(float(np.exp(rest[place].mean())), 2 * tolerance)
            if constant is not None:
                found.append(Form(constant, self._products[place]))
        return min(found, key=lambda form: form.weight, default=None)

    def touching(
        self, values: NDArray[np.float64], tolerance: float, *, up: bool
    ) -> tuple[list[Form], list[Form]]:
        """Light forms that lie above all values (or below), and touch at one size at least.

        Those that do not hold at the sizes kept back, with the best constants without these, have
        fallen: a wrong power shows at the next size. Where none holds all are kept, with the best
        constants over all sizes. Each weighs more than the one before it, and is nearer.

        - ``values``: (rows,) positive, NaN where nothing is known
        - ``tolerance``: relative, to which they are known
        - ``up``: whether the forms are upper bounds

        Returns those that hold, and the nearest that fell.

        Example:
            >>> n = np.arange(2.0, 9.0)
            >>> held, fell = Fitter({"n": n}).touching(n + 1 / n, 1e-9, up=True)
            >>> [form.text for form in held], fell[0].text
            (['5*n/4'], '50/7')
        """
        known = np.isfinite(values)
        fitted = known & ~self.kept_back()
        if fitted.sum() < _FITTED:
            fitted = known
        if not fitted.any():
            return [], []
        light = np.flatnonzero(self._weights <= HEAVIEST_TOUCHING)
        sign = 1.0 if up else -1.0
        rest = sign * (np.log(values) - self._logarithms[light])
        most = rest[:, fitted].max(axis=1)
        slack = (most[:, None] - rest[:, fitted]).mean(axis=1)
        everywhere = rest[:, known].max(axis=1)
        holds = everywhere <= most + 2 * tolerance
        fallen = self._nearest(light, most, slack, ~holds, up=up)
        if not holds.any():
            holds[:] = True
        return self._nearest(light, everywhere, slack, holds, up=up), fallen

    def _nearest(
        self,
        light: NDArray[np.int64],
        most: NDArray[np.float64],
        slack: NDArray[np.float64],
        among: NDArray[np.bool_],
        *,
        up: bool,
    ) -> list[Form]:
        """Some of the ``light`` products with their constants, each nearer than the lighter ones.

        - ``most``: the logarithm of each one's constant, of a lower bound with the sign changed
        - ``slack``: how far each is off, the mean over sizes
        - ``among``: those that count
        """
        sign = 1.0 if up else -1.0
        found: list[Form] = []
        nearest = np.inf
        weights = self._weights[light]
        for weight in sorted(set(weights[among].tolist())):
            here = np.flatnonzero(among & (weights == weight))
            best = here[int(np.argmin(slack[here]))]
            if slack[best] > nearest - _TIGHTER or len(found) == _FEW:
                continue
            nearest = float(slack[best])
            constant = rounded(float(np.exp(sign * most[best])), _RECOGNISED, up=up)
            found.append(Form(constant, self._products[light[best]]))
        return found

    def approached(self, values: NDArray[np.float64], *, up: bool) -> list[Form]:
        """Light forms that no value reaches, and that values come ever nearer to as the only size
        grows, with the limit as their constant.

        The limit is taken from the three largest sizes, as of L + a/s + b/s²; there is none where
        L + a/s through the largest two says another, or where it is no simple constant.

        - ``values``: (rows,) positive, NaN where nothing is known
        - ``up``: whether the forms are upper bounds

        Example:
            >>> n = np.arange(2.0, 9.0)
            >>> [form.text for form in Fitter({"n": n}).approached(n / (n + 1), up=True)]
            ['1']
        """
        if len(self._moving) != 1 or not np.isfinite(values).all() or len(values) < _ENOUGH:
            return []
        size = self.sizes[self._moving[0]]
        order = np.argsort(size)
        light = np.flatnonzero(self._weights <= HEAVIEST_TOUCHING)
        ratios = np.exp(np.log(values) - self._logarithms[light])[:, order]
        sign = 1.0 if up else -1.0
        nearing = (sign * np.diff(ratios, axis=1) > 0).all(axis=1)
        limits = np.full(len(light), np.nan)
        widths = np.full(len(light), np.nan)
        inverse = 1 / size[order]
        last = np.linalg.inv(np.vander(inverse[-3:], 3, increasing=True))[0]
        two = np.linalg.inv(np.vander(inverse[-2:], 2, increasing=True))[0]
        limits[nearing] = ratios[nearing, -3:] @ last
        widths[nearing] = np.abs(ratios[nearing, -2:] @ two - limits[nearing])
        known = nearing & (limits > 0) & (widths < _LIMIT_KNOWN * limits)
        constants = {
            place: recognised(float(limits[place]), float(widths[place] / limits[place]))
            for place in np.flatnonzero(known)
        }
        found: list[Form] = []
        slack = np.abs(np.log(ratios / np.where(known, limits, 1.0)[:, None])).mean(axis=1)
        for place in sorted(constants, key=lambda each: (slack[each], each)):
            constant = constants[place]
            if constant is None or constant.weight > _LIMIT_WEIGHT:
                continue
            if (sign * (constant.value - ratios[place]) > 0).all():
                found.append(Form(constant, self._products[light[place]]))
        return found[:_APPROACHED]

    def kept_back(self) -> NDArray[np.bool_]:
        """The rows at the largest value of a size that has four values or more, (rows,): forms are
        fitted without them, and must hold there.
        """
        rows = len(next(iter(self.sizes.values())))
        found = np.zeros(rows, dtype=np.bool_)
        for values in self.sizes.values():
            if len(set(values.tolist())) > 3:
                found |= values == values.max()
        return found
