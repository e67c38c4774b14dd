"""Laws that a claim may compare a quantity's with, by name: ``chi2(k)``, ``normal(0, 1)``, …"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Protocol

import numpy as np
import numpy.typing as npt
import sympy as sp

from theorems.expressions import arguments_of, compiled
from theorems.statement import ClaimError

__all__ = ["GIVEN_LAWS", "GivenLaw"]

FloatArray = npt.NDArray[np.float64]
Distribution = Callable[[FloatArray], FloatArray]


class _Frozen(Protocol):
    """A law of SciPy with its parameters."""

    def cdf(self, x: npt.ArrayLike) -> FloatArray: ...

    def ppf(self, q: npt.ArrayLike) -> FloatArray: ...


#: The laws, all of them continuous, with what each takes.
GIVEN_LAWS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "normal": ("mean", "standard deviation"),
        "lognormal": ("mean of the logarithm", "standard deviation of it"),
        "chi2": ("degrees of freedom",),
        "gamma": ("shape", "scale"),
        "beta": ("first shape", "second shape"),
        "uniform": ("least", "greatest"),
        "exponential": ("mean",),
        "student_t": ("degrees of freedom",),
    }
)


@cache
def _frozen(name: str, numbers: tuple[float, ...]) -> _Frozen:
    from scipy import stats

    made: _Frozen = {
        "normal": lambda mean, deviation: stats.norm(mean, deviation),
        "lognormal": lambda mean, deviation: stats.lognorm(deviation, scale=np.exp(mean)),
        "chi2": stats.chi2,
        "gamma": lambda shape, scale: stats.gamma(shape, scale=scale),
        "beta": stats.beta,
        "uniform": lambda low, high: stats.uniform(low, high - low),
        "exponential": lambda mean: stats.expon(scale=mean),
        "student_t": stats.t,
    }[name](*numbers)
    with np.errstate(all="ignore"):
        defined = not np.isnan(made.cdf(0.0))
    if not defined:
        given = ", ".join(f"{x:g}" for x in numbers)
        raise ClaimError(f"{name}({given}) is no law: want its {', '.join(GIVEN_LAWS[name])}")
    return made


@dataclass(frozen=True)
class GivenLaw:
    """A law by name, with parameters that may depend on a claim's symbols.

    - ``name``: one of `GIVEN_LAWS`; ``arguments``: what it takes
    - ``moved``: by so many times the distance of its quartiles

    Example:
        >>> k = sp.Symbol("k", positive=True)
        >>> law = GivenLaw("chi2", (2 * k,))
        >>> str(law), round(float(law.distribution({"k": 1.0})(np.array(2.0))), 4)
        ('chi2(2*k)', 0.6321)
    """

    name: str
    arguments: tuple[sp.Expr, ...]
    moved: Fraction = Fraction(0)

    def __str__(self) -> str:
        plain = f"{self.name}({', '.join(map(str, self.arguments))})"
        return f"{plain} moved by {self.moved} of its quartiles' distance" if self.moved else plain

    def _at(self, values: Mapping[str, float]) -> _Frozen:
        return _frozen(self.name, tuple(_float(each, values) for each in self.arguments))

    def distribution(self, values: Mapping[str, float]) -> Distribution:
        """Its distribution function.

        - ``values``: of every symbol

        Raises `ClaimError` where the parameters are those of no law.
        """
        law = self._at(values)
        shift = float(self.moved) * float(law.ppf(0.75) - law.ppf(0.25)) if self.moved else 0.0
        return lambda x: np.asarray(law.cdf(np.asarray(x) - shift), dtype=np.float64)

    def apart(
        self, values: Sequence[Mapping[str, float]], least: float, *, down: bool = False
    ) -> GivenLaw:
        """The law moved, so that its Kolmogorov distance from what it was is ``least`` or more.

        - ``values``: of every symbol, at each place where that must be so
        - ``least``: inside (0, 1); ``down``: whether to smaller numbers

        Example:
            >>> str(GivenLaw("normal", (sp.S.Zero, sp.S.One)).apart([{}], 0.2))
            "normal(0, 1) moved by 1/2 of its quartiles' distance"
        """
        points = np.linspace(1e-4, 1 - 1e-4, 2001)
        found = self
        for step in range(1, 200):
            found = replace(self, moved=Fraction(-step if down else step, 8))
            places = ((found.distribution(each), self._at(each).ppf(points)) for each in values)
            if all(float(np.abs(points - moved(x)).max()) >= least for moved, x in places):
                break
        return found


def _float(expression: sp.Expr, values: Mapping[str, float]) -> float:
    names = arguments_of(expression)
    return float(compiled(expression, names).floats(*(values[str(name)] for name in names)))
