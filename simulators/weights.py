"""The catalogue of weight laws: of which law the independent entries of a weight matrix are.

Every law has variance 1; `simulators.layers.Linear` divides the entries by √width, `Residual` does
not. A new one is its quantile function, here or in a module of yours:

    @law()
    def laplace(u, xp):
        '''Laplace's, of variance 1'''
        return xp.sign(0.5 - u) * xp.log(1 - 2 * xp.abs(u - 0.5)) / 2**0.5
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

from simulators.arrays import Array, Floats, Namespace
from simulators.catalogue import Catalogue, summary

__all__ = ["LAWS", "Distribution", "Law", "law"]

Quantile: TypeAlias = Callable[[Array, Namespace], Array]

_SPREAD = 2 * 3.0**0.5  # of the law that is drawn for quantiles, uniform from 0


class Distribution(Protocol):
    """A law of one number, as `scipy.stats` has it: ``cdf`` gives P(X ≤ x), of any shape.

    Example:
        >>> distribution = LAWS["uniform"].distribution()
        >>> float(distribution.cdf(0.0))
        0.5
    """

    def cdf(self, x: Floats, /) -> Floats:
        """P(X ≤ x), of the shape of ``x``.

        In [0, 1], and never decreasing in ``x``.
        """


@dataclass(frozen=True)
class Law:
    """The law of the entries of a weight matrix, by name; of variance 1.

    - ``mean``: that of an entry; ``atoms``: whether single numbers have positive probability, so
      that sums of a few entries may be 0
    - ``quantile``: ``(u, xp)`` to entries, for ``u`` uniform on (0, 1), of any shape; ``xp`` is the
      namespace of its array library. None for the laws that `simulators.streams` draws by itself
    - ``distribution``: gives the law as a frozen distribution of `scipy.stats`, by which inspection
      recognises it; None where it cannot

    Example:
        >>> LAWS["rademacher"].atoms, LAWS["gaussian"].distribution().cdf(0.0)
        (True, np.float64(0.5))
    """

    name: str
    meaning: str
    mean: float = 0.0
    atoms: bool = False
    quantile: Quantile | None = None
    distribution: Callable[[], Distribution] | None = None

    @property
    def source(self) -> str:
        """The law that the streams draw, of which `of_source` makes this one.

        One of gaussian, uniform, uniform_positive and rademacher.
        """
        return self.name if self.quantile is None else "uniform_positive"

    def of_source(self, drawn: Array, xp: Namespace) -> Array:
        """Entries of this law from as many of the law `source`, ``drawn``, of any shape; the same
        ones, if it is that. ``xp`` is the namespace of their array library.
        """
        if self.quantile is None:
            return drawn
        limits = xp.finfo(drawn.dtype)
        inside = xp.clip(drawn / _SPREAD, float(limits.smallest_normal), 1 - float(limits.eps) / 2)
        return self.quantile(inside, xp)


LAWS: Catalogue[Law] = Catalogue("law")
"""The laws, by name."""


def law(
    *,
    mean: float = 0.0,
    atoms: bool = False,
    distribution: Callable[[], Distribution] | None = None,
) -> Callable[[Quantile], Quantile]:
    """Put the law with the quantile function below into the catalogue, under the function's name.

    The function takes ``(u, xp)``; the arguments here are those of `Law`. The law must have the
    variance 1, which is not checked here.

    Raises `ValueError` for a name that is taken and for a function without docstring.

    Example:
        >>> with LAWS.restored():
        ...     @law()
        ...     def triangular(u, xp):
        ...         '''the sum of two uniform numbers, of variance 1'''
        ...         low = 6**0.5 * (xp.sqrt(2 * u) - 1)
        ...         return xp.where(u < 0.5, low, 6**0.5 * (1 - xp.sqrt(2 * (1 - u))))
        ...     LAWS["triangular"].source
        'uniform_positive'
    """
    return LAWS.entry_of(
        lambda function: Law(
            function.__name__, summary(function), mean, atoms, function, distribution
        )
    )


def _of_scipy(name: str, location: float, scale: float) -> Distribution:
    """The law of `scipy.stats` of that name, which is imported only when it is asked for."""
    from scipy import stats

    found: Distribution = getattr(stats, name)(location, scale)
    return found


LAWS.add(
    Law("gaussian", "standard normal", distribution=partial(_of_scipy, "norm", 0.0, 1.0)),
)
LAWS.add(
    Law(
        "uniform",
        "uniform on [−√3, √3]",
        distribution=partial(_of_scipy, "uniform", -_SPREAD / 2, _SPREAD),
    )
)
LAWS.add(Law("rademacher", "±1 with equal probability", atoms=True))
LAWS.add(
    Law(
        "uniform_positive",
        "uniform on [0, 2√3], mean √3: the uncentred weights of D20, Fig. 6",
        mean=_SPREAD / 2,
    )
)
