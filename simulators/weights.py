"""The catalogue of weight laws: of which law a weight matrix is.

Entries have the variance 1, or none; `simulators.layers.Linear` divides them by √width, `Residual`
does not. But for ``orthogonal`` they are independent. A new law of independent entries is its
quantile function, here or in a module of yours:

    @law()
    def laplace(u, xp):
        '''Laplace's, of variance 1'''
        return xp.sign(0.5 - u) * xp.log(1 - 2 * xp.abs(u - 0.5)) / 2**0.5

A law of any other kind is a function ``(rng, shape)`` that returns a matrix W of that shape, (rows,
columns), drawn from a generator of NumPy; it is given to a layer as it is, and taken at its word:

    Linear(64, law=lambda rng, shape: rng.laplace(scale=0.5**0.5, size=shape))
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Protocol, TypeAlias

import numpy as np
from array_api_compat import device, is_torch_array

from simulators.arguments import kind_of, require, told
from simulators.arrays import Array, Floats, Namespace
from simulators.catalogue import Catalogue, Parameter, read_entry, summary
from simulators.lazy import torch

__all__ = ["LAWS", "Distribution", "Drawing", "GivenLaw", "Law", "law", "law_of"]

Quantile: TypeAlias = Callable[..., Array]
Drawing: TypeAlias = Callable[[np.random.Generator, tuple[int, int]], Any]
"""``(rng, shape)`` to a matrix W of that shape, (rows, columns)."""
GivenLaw: TypeAlias = str | Drawing
"""The name of a law, with a number in brackets where it takes one, or a function that draws."""

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
    """The law of a weight matrix, by name.

    - ``mean``: that of an entry; ``atoms``: whether single numbers have positive probability, so
      that sums of a few entries may be 0
    - ``quantile``: ``(u, xp)`` to entries, for ``u`` uniform on (0, 1), of any shape; ``xp`` is the
      namespace of its array library. None for the laws that `simulators.streams` draws by itself
    - ``distribution``: gives the law as a frozen distribution of `scipy.stats`, by which inspection
      recognises it; None where it cannot
    - ``variance``: that of an entry: 1, or ∞; with a parameter perhaps a function of it
    - ``parameter``: a number that ``quantile`` takes by its name, as in ``student_t(5)``
    - ``of_matrix``: ``(G, xp)`` to Wᵀ, both ``(replicas, columns, rows)``, where entries are not
      independent; G are as many entries of the law `source`. None where they are
    - ``drawn``: the law that the streams draw for it; None for what follows from the rest

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
    variance: float | Callable[[float], float] = 1.0
    parameter: Parameter | None = None
    of_matrix: Callable[[Array, Namespace], Array] | None = None
    drawn: str | None = None

    @property
    def source(self) -> str:
        """The law that the streams draw, of which `of_source` or `of_matrix` makes this one.

        One of gaussian, uniform, uniform_positive and rademacher.
        """
        return self.drawn or (self.name if self.quantile is None else "uniform_positive")

    @property
    def example(self) -> str:
        """How a text names it.

        With a value of its parameter in brackets, if it has one: ``student_t(5)``.
        """
        return self.name if self.parameter is None else f"{self.name}({self.parameter.example})"

    def at(self, value: float) -> Law:
        """The law at this value of its parameter, named with it: ``student_t(5.0)``.

        Raises `ValueError` if it has none, and for a value outside the range.

        Args:
            value: of the parameter, within its range.

        Example:
            >>> LAWS["student_t"].at(1.5).variance
            inf
        """
        if self.parameter is None or self.quantile is None:
            raise ValueError(f"law {self.name!r} has no parameter; write {self.name!r}")
        return _at(self, self.parameter.within(value))

    def of_source(self, drawn: Array, xp: Namespace) -> Array:
        """Entries of this law from as many of the law `source`, ``drawn``, of any shape; the same
        ones, if it is that. ``xp`` is the namespace of their array library.
        """
        if self.quantile is None:
            return drawn
        eps = float(xp.finfo(drawn.dtype).eps)  # the numbers that are drawn are eps/2 apart
        inside = xp.clip(drawn / _SPREAD, eps / 4, 1 - eps / 2)
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

    Args:
        mean: of its entries, which need not be 0.
        atoms: whether single numbers have positive probability, so that sums of a few entries may
            be 0.
        distribution: gives the law as a frozen distribution of `scipy.stats`, by which inspection
            recognises it; None where it cannot.

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


@cache
def _at(entry: Law, value: float) -> Law:
    if entry.parameter is None or entry.quantile is None:
        raise ValueError(f"law {entry.name!r} has no parameter")
    given = {entry.parameter.name: value}
    variance = entry.variance(value) if callable(entry.variance) else entry.variance
    return replace(
        entry,
        name=f"{entry.name}({value!r})",
        meaning=entry.meaning.format_map({entry.parameter.name: f"{value:g}"}),
        quantile=partial(entry.quantile, **given),
        variance=variance,
        parameter=None,
    )


def law_of(given: object, argument: str = "law") -> Law:
    """The law that is meant by a name, or that a function draws.

    - ``given``: a name in `LAWS`, with a number in brackets where it takes one, or a function
      ``(rng, shape)``
    - ``argument``: what a refusal calls it

    A function is tried on a few rows: it must return real finite numbers in the shape it is given.
    Raises `ValueError` where it does not, and for an unknown name or a number out of range;
    `TypeError` for what is neither text nor function.

    Example:
        >>> law_of("student_t( 3 )").name, law_of(lambda rng, shape: rng.normal(size=shape)).name
        ('student_t(3.0)', '<lambda>')
    """
    if callable(given):
        require(
            isinstance(given, Hashable),
            f"{argument} {told(given)} has no hash; give a function",
            TypeError,
        )
        return _drawn_by(given)
    found = read_entry(LAWS, given, argument)
    require(
        found.parameter is None,
        f"{argument} {found.name!r} needs its number; write {found.example!r}",
    )
    return found


@cache
def _drawn_by(drawing: Drawing) -> Law:
    name = str(getattr(drawing, "__name__", None) or told(drawing))
    _matrix(drawing, name, np.random.default_rng(0), (3, 2))
    of_matrix = partial(_matrices, drawing, name)
    return Law(name, f"drawn by {name}", atoms=True, of_matrix=of_matrix, drawn="uniform_positive")


def _matrices(drawing: Drawing, name: str, source: Array, xp: Namespace) -> Array:
    """Wᵀ for each replica, ``(replicas, columns, rows)``, by a generator whose seed is what was
    drawn from the replica's stream.
    """
    words = np.asarray(torch.as_tensor(source).cpu() if is_torch_array(source) else source)
    columns, rows = words.shape[1:]
    found = np.empty(words.shape, words.dtype)
    for replica, drawn in enumerate(words):
        digest = hashlib.blake2b(np.ascontiguousarray(drawn).tobytes(), digest_size=16).digest()
        rng = np.random.default_rng(int.from_bytes(digest, "little"))
        found[replica] = _matrix(drawing, name, rng, (rows, columns)).T
    return xp.asarray(found, device=device(source))


def _matrix(
    drawing: Drawing, name: str, rng: np.random.Generator, shape: tuple[int, int]
) -> Floats:
    """A draw, checked."""
    try:
        found = np.asarray(drawing(rng, shape))
    except Exception as error:  # of the author's code
        said = " ".join(str(error).split())[:100]
        raise ValueError(
            f"law {name!r} fails for (rng, {shape}): {type(error).__name__}: {said}; want a "
            "function that draws a matrix of that shape"
        ) from error
    require(
        found.dtype.kind in "fiu" and found.shape == shape,
        f"law {name!r} gives {kind_of(found)} of {found.dtype} and shape {found.shape} for the "
        f"shape {shape}; want real numbers in that shape",
    )
    require(np.isfinite(found).all(), f"law {name!r} draws numbers that are not finite")
    return found.astype(np.float64)


def _haar(source: Array, xp: Namespace) -> Array:
    """√max(rows, columns) times matrices with orthonormal rows, or columns if these are fewer,
    uniformly distributed: QR of normal ones, the diagonal of R made positive (Mezzadri 2007).
    """
    tall = source if source.shape[-2] >= source.shape[-1] else source.mT
    decomposition: Any = xp.linalg.qr(tall)
    signs = xp.sign(xp.linalg.diagonal(decomposition.R))
    basis: Array = decomposition.Q * signs[..., None, :]
    found = basis if source.shape[-2] >= source.shape[-1] else basis.mT
    scaled: Array = tall.shape[-2] ** 0.5 * found
    return scaled


def _on_host(function: Callable[[Floats], Floats], u: Array, xp: Namespace) -> Array:
    """A function of `scipy` at ``u``, in its library and dtype."""
    values = u.cpu().numpy() if isinstance(u, torch.Tensor) else np.asarray(u)
    return xp.asarray(function(values).astype(values.dtype), device=device(u))


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
LAWS.add(
    Law(
        "orthogonal",
        "√max(rows, columns) times a Haar-distributed matrix with orthonormal rows or columns",
        of_matrix=_haar,
        drawn="gaussian",
    )
)

_NO_VARIANCE = 2.0


def _student_t(u: Array, xp: Namespace, df: float) -> Array:
    from scipy.special import stdtrit

    scale = ((df - 2) / df) ** 0.5 if df > _NO_VARIANCE else 1.0
    return scale * _on_host(lambda values: stdtrit(df, values), u, xp)


LAWS.add(
    Law(
        "student_t",
        "Student's with {df} degrees of freedom, of variance 1 if these are more than 2",
        quantile=_student_t,
        variance=lambda df: 1.0 if df > _NO_VARIANCE else math.inf,
        parameter=Parameter("df", "student_t", 0.1, 1e9, "5"),
    )
)


def _sparse(u: Array, xp: Namespace, p: float) -> Array:
    from scipy.special import ndtri

    def entries(values: Floats) -> Floats:
        """Of the lower p/2 and the upper p/2 of the law, each a half of the normal one."""
        tail = np.minimum(values, 1 - values)
        inside = np.where(tail < p / 2, tail / p, 0.5)
        found: Floats = np.sign(values - 0.5) * -ndtri(inside) * p**-0.5
        return found

    return _on_host(entries, u, xp)


LAWS.add(
    Law(
        "sparse",
        "0, but with probability {p} normal of variance 1/{p}",
        atoms=True,
        quantile=_sparse,
        parameter=Parameter("p", "sparse", 1e-6, 1, "0.1"),
    )
)
