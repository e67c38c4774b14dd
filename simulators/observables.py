"""The catalogue of observables: what is measured of a representation, as from orthogonality, or
rank.

Every function takes ``H`` of shape ``(..., d, n)``, real floating, NumPy or Torch: one
representation per column, any leading axes (replicas, layers). Results keep the leading axes, the
dtype and the device.

All are scale-invariant but `log_norm` and those that measure a gradient G, a tangent Ḣ, or a
tangent kernel K, in place of ``H``, whose scale counts. ``H`` is first divided by its largest
entry, so scales from 1e-300 to 1e300 neither overflow nor underflow. Where they are undefined, for
a zero or non-finite ``H`` and for the cosine with a zero column, they are NaN, without a warning;
`simulate` refuses such batches. Ranks and gaps of a zero ``H`` are NaN like all else: no rank, not
rank 0. `alive` says whether a sample is zero.

A new one is one function under `observable`, here or in a module of yours; it is then known by its
name to simulations, sweeps and claims.

Where an observable has a floor or a ceiling, every value that a simulation measures is compared
with them, and one that lies outside by more than rounding is refused.

Raised by all: `TypeError` when ``H`` is not a real floating array, `ValueError` when it has fewer
than two axes or no entries. Cost: O(d n²) per matrix; those built on singular values have the
larger constant. Float results carry rounding error; claims about every input are decided in exact
or ball arithmetic, where an observable says how (`simulators.exact`).

Definitions: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970) for the gaps; Daneshmand et al. 2020
(arXiv 2003.01652) for the ranks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations, product
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj

from simulators.arguments import did_you_mean, kind_of, real_number, require, told, whole_number
from simulators.arrays import Array, Namespace
from simulators.catalogue import Catalogue, Parameter, summary
from simulators.exact import ExactGram, Number
from simulators.layers import frobenius_norm, scaled_to
from simulators.ranges import End, end_at, require_within

__all__ = [
    "OBSERVABLES",
    "Array",
    "NamedObservable",
    "Observable",
    "Parameter",
    "absolute_cosine",
    "alive",
    "cosine",
    "cosine_range",
    "effective_rank",
    "gradient_gram",
    "gradient_norm",
    "gram",
    "log_gradient_norm",
    "log_norm",
    "log_tangent_norm",
    "lone_outlier",
    "mean_absolute_cosine",
    "observable",
    "orthogonality_gap",
    "parametrised",
    "resolve",
    "smallest_eigenvalue",
    "smallest_eigenvalue_gap",
    "soft_rank",
    "spectrum",
    "tangent_gram",
    "tangent_kernel",
    "tangent_norm",
]

Bound: TypeAlias = End
Measuring: TypeAlias = Callable[..., Array]
Reading: TypeAlias = Literal["H", "gram", "backward", "tangent", "jvp"]
_QUOTED = "'H', 'gram', 'backward', 'tangent' or 'jvp'"


@dataclass(frozen=True)
class Observable:
    """A named measurement, as engines use it.

    ``function(H, width=d)`` measures ``H`` of shape ``(..., rows, n)``, where ``rows`` may be fewer
    than the width ``d`` when ``H`` is a thin factor. ``gram`` says that the value depends on the
    representation through its Gram matrix and width alone, which is what measuring a thin factor
    requires. ``backward`` says that it measures G = ∂L/∂H in place of H, or, if it is ``tangent``,
    the tangent kernel K, ``(..., n, n)``, see `tangent_kernel`; ``jvp``, that it measures tangents
    Ḣ; ``scaled``, that it takes ``log_scale`` too, ``(...)``: the logarithm of what H, G, Ḣ or K
    has been divided by.

    Example:
        >>> import numpy as np
        >>> trace = Observable("trace", lambda H, width: (H * H).sum(axis=(-2, -1)), gram=True)
        >>> float(trace.function(np.eye(3), width=3))
        3.0
    """

    name: str
    function: Callable[..., Array]
    gram: bool
    backward: bool = False
    scaled: bool = False
    tangent: bool = False
    jvp: bool = False


@dataclass(frozen=True)
class NamedObservable:
    """An observable, as the catalogue has it.

    - ``name``; ``meaning``: in one line, with the value of a parameter where ``{tau}`` stands
    - ``function``: ``H``, the parameter if there is one, and ``width=d`` if it is ``wide``, to
      values
    - ``reads``: ``"gram"`` if they depend on ``H`` through its Gram matrix and width alone, so that
      a factor will do for ``H``; ``"backward"`` if it is handed G = ∂L/∂H in place of ``H``, and
      ``"tangent"`` if it is handed the tangent kernel K, ``(..., n, n)``; ``"jvp"`` if it is handed
      tangents Ḣ, images of the batch's under the derivative of the network; else ``"H"``
    - ``scaled``: whether it takes ``log_scale=``, the logarithm of what ``H`` has been divided by
    - ``shape``: the axes that one representation gives, as ``("n", "n")``; ``()`` for a number
    - ``floor``, ``ceiling``: the ends of its range, numbers or formulas in n and d as a text,
      ``"sqrt(1 - 1/n)"``; with a parameter perhaps functions of it. None where it has none
    - ``nonnegative``: floor and ceiling where no entry of ``H`` is negative; None for the same
    - ``samples``: the fewest it is defined for; ``wide``: whether its value depends on d as well
    - ``present``: the samples that must not be 0 for it to have a value: their numbers, or
      ``"all"``; ``absent`` says in words what happens else
    - ``of_spectrum``, ``of_gram``: its exact evaluation, of an `ExactSpectrum` or `ExactGram` and
      the parameter if there is one; None where it cannot be read off these

    Example:
        >>> OBSERVABLES["effective_rank"].range_in_words, OBSERVABLES["gram"].shape
        ('[1, min(n, d)]', ('n', 'n'))
    """

    name: str
    meaning: str
    function: Measuring
    reads: Reading = "H"
    shape: tuple[str, ...] = ()
    floor: Bound | Callable[..., Bound] = None
    ceiling: Bound | Callable[..., Bound] = None
    samples: int = 1
    wide: bool = False
    parameter: Parameter | None = None
    present: tuple[int, ...] | Literal["all"] = ()
    absent: str = "it has no value where a sample is 0"
    of_spectrum: Callable[..., Number] | None = None
    of_gram: Callable[..., Number] | None = None
    scaled: bool = False
    nonnegative: tuple[Bound, Bound] | None = None

    def __post_init__(self) -> None:
        require(
            self.reads in get_args(Reading),
            f"{self.name}: reads={self.reads!r}: want {_QUOTED}",
        )
        ends = [end for end in (self.floor, self.ceiling) if isinstance(end, int | float)]
        require(
            not any(map(math.isnan, ends)) and ends == sorted(ends),
            f"{self.name}: floor={self.floor!r}, ceiling={self.ceiling!r}: "
            "want the lower and the upper end of its range",
        )
        for end in (self.floor, self.ceiling, *(self.nonnegative or ())):
            if isinstance(end, str):
                end_at(end, 3, 4)  # refuses what is no formula

    @property
    def example(self) -> str:
        """How a text names it.

        With a value of its parameter in brackets, if it has one: ``soft_rank(0.5)``.
        """
        return self.name if self.parameter is None else f"{self.name}({self.parameter.example})"

    @property
    def goes_back(self) -> bool:
        """Whether it needs the backward pass.

        Example:
            >>> OBSERVABLES["gradient_norm"].goes_back, OBSERVABLES["gram"].goes_back
            (True, False)
        """
        return self.reads in ("backward", "tangent")

    @property
    def goes_along(self) -> bool:
        """Whether it needs tangents, which go forward along with H.

        Example:
            >>> OBSERVABLES["tangent_norm"].goes_along, OBSERVABLES["gram"].goes_along
            (True, False)
        """
        return self.reads == "jvp"

    @property
    def shape_in_words(self) -> str:
        """What one representation gives: a number, or a vector or matrix of which size.

        Example:
            >>> OBSERVABLES["spectrum"].shape_in_words
            'a vector of n numbers'
        """
        if not self.shape:
            return "a number"
        if len(self.shape) == 1:
            return f"a vector of {self.shape[0]} numbers"
        return f"an {' × '.join(self.shape)} matrix"

    @property
    def unclaimable(self) -> str | None:
        """Why a claim cannot compare its values, in a sentence; None where it can, as they are
        numbers.

        Example:
            >>> OBSERVABLES["spectrum"].unclaimable
            'spectrum is a vector of n numbers, and a claim compares numbers'
        """
        if self.shape:
            return f"{self.name} is {self.shape_in_words}, and a claim compares numbers"
        return None

    @property
    def range_in_words(self) -> str:
        """``[floor, ceiling]``, at the example of a parameter; a dash where it has none.

        Example:
            >>> OBSERVABLES["smallest_eigenvalue"].range_in_words
            '[0, 1/n]'
        """
        parameter = self.parameter
        ends = self._ends(None if parameter is None else parameter.read(parameter.example))
        return "–" if None in ends else f"[{ends[0]}, {ends[1]}]"

    @cached_property
    def measured(self) -> Observable:
        """The measurement without a parameter.

        An `Observable` under the entry's own name; one with a parameter is had by `at`.
        """
        return self._measured(self.name, self.function)

    def at(self, value: float, name: str | None = None) -> Observable:
        """The measurement at this value of its parameter, under ``name``, or spelled with it.

        Raises `ValueError` if it has no parameter, or for a value outside its range.

        Args:
            value: of the parameter, within its range.
            name: under which it is measured; by default its own, spelled with the value.
        """
        if self.parameter is None:
            raise ValueError(f"observable {self.name!r} has no parameter; write {self.name!r}")
        value = self.parameter.within(value)
        function = partial(self.function, **{self.parameter.name: value})
        return self._measured(name or f"{self.name}({value!r})", function, value)

    def _ends(self, value: float | None) -> tuple[Bound, Bound]:
        """Floor and ceiling, at the value of a parameter."""
        given = () if value is None else (value,)
        floor, ceiling = (
            end(*given) if callable(end) else end for end in (self.floor, self.ceiling)
        )
        return floor, ceiling

    def _measured(self, name: str, function: Measuring, value: float | None = None) -> Observable:
        measuring = function if self.wide else partial(_ignoring_width, function)
        if (self.floor, self.ceiling) != (None, None):
            measuring = partial(_within, name, self._ends(value), measuring)
        if self.reads == "gram" and not self.scaled:
            _require_rotation_free(name, measuring, max(self.samples, 3))
        return Observable(
            name,
            measuring,
            gram=self.reads == "gram",
            backward=self.goes_back,
            scaled=self.scaled,
            tangent=self.reads == "tangent",
            jvp=self.goes_along,
        )


OBSERVABLES: Catalogue[NamedObservable] = Catalogue("observable")
"""The observables, by name."""


def observable(
    *, meaning: str | None = None, **told_of_it: Any
) -> Callable[[Measuring], Measuring]:
    """Put the function below into the catalogue, under its name; return it as it is.

    It takes ``H`` of shape ``(..., d, n)``, NumPy or Torch, and gives an array with the same
    leading axes. ``meaning`` is the first paragraph of its docstring by default; the other
    arguments are those of `NamedObservable`: ``floor``, ``ceiling``, ``reads``, ``shape``,
    ``samples``, ``wide``, ``parameter``, ``present``, ``absent``, ``of_spectrum``, ``of_gram``,
    ``nonnegative``.

    Raises `ValueError` for a name that is taken, a function without docstring, another word for
    ``reads`` and a range whose ends are no numbers or out of order, `TypeError` for another
    argument.

    Example:
        >>> with OBSERVABLES.restored():
        ...     @observable(floor=0, ceiling=1, reads="H")
        ...     def positive_share(H):
        ...         '''the share of positive entries'''
        ...         xp = array_namespace(H)
        ...         return xp.mean(xp.astype(H > 0, H.dtype), axis=(-2, -1))
        ...     resolve("positive_share").gram
        False
    """
    return OBSERVABLES.entry_of(
        lambda function: NamedObservable(
            name=function.__name__,
            meaning=meaning or summary(function),
            function=function,
            **told_of_it,
        )
    )


def _square(x: Number) -> Number:
    """Of a ball around 0, too, whose powers have no value."""
    return x * x


@observable(
    meaning="‖C/‖H‖² - I/n‖_F, the distance from orthogonal samples",
    reads="gram",
    floor=0,
    ceiling="sqrt(1 - 1/n)",
    of_spectrum=lambda s: s.root(s.sum(lambda x: _square(x - s.share))),
    of_gram=lambda c: c.root(sum(_square(c[i, j] - (i == j) * c.share) for i, j in _places(c))),
)
def orthogonality_gap(H: Array) -> Array:
    """V(H) = ‖C/‖H‖_F² − I/n‖_F with C = HᵀH; shape ``(...)``, in [0, √(1 − 1/n)].

    The difference is formed entry by entry, so the absolute error is a few roundings, however small
    V is.

    Args:
        H: ``(..., d, n)``, one sample a column; real floating, of NumPy or Torch.

    Example:
        >>> import numpy as np
        >>> H = np.array([[1.0, 1.0], [0.0, 1.0]])
        >>> round(float(orthogonality_gap(H)), 3)
        0.527
    """
    normalised = gram(H)
    xp, n = _namespace(H), H.shape[-1]
    offset = normalised - xp.eye(n, dtype=H.dtype, device=device(H)) / n
    return xp.sqrt(xp.sum(offset * offset, axis=(-2, -1)))


@observable(
    meaning="the smallest eigenvalue of C/‖H‖²",
    reads="gram",
    floor=0,
    ceiling="1/n",
    of_spectrum=lambda s: s.least,
)
def smallest_eigenvalue(H: Array) -> Array:
    """σ_n²/‖H‖_F², the n-th eigenvalue of C/‖H‖_F²; shape ``(...)``, in [0, 1/n], 0 if d < n.

    Args:
        H: ``(..., d, n)``, one sample a column; real floating, of NumPy or Torch.

    Example:
        >>> import numpy as np
        >>> H = np.array([[1.0, 1.0], [0.0, 1.0]])
        >>> round(float(smallest_eigenvalue(H)), 3)
        0.127
    """
    return spectrum(H)[..., -1]


@observable(
    meaning="1/n minus the smallest eigenvalue of C/‖H‖²",
    reads="gram",
    floor=0,
    ceiling="1/n",
    of_spectrum=lambda s: s.share - s.least,
)
def smallest_eigenvalue_gap(H: Array) -> Array:
    """V̂(H) = 1/n − σ_n²/‖H‖_F²; shape ``(...)``, in [0, 1/n].

    Summed as Σ_k (σ_k − σ_n)(σ_k + σ_n)/(n‖H‖_F²): never negative, and no cancellation against 1/n.

    Args:
        H: ``(..., d, n)``, one sample a column; real floating, of NumPy or Torch.

    Example:
        >>> import numpy as np
        >>> H = np.array([[1.0, 1.0], [0.0, 1.0]])
        >>> round(float(smallest_eigenvalue_gap(H)), 3)
        0.373
    """
    xp, sigma = _singular_values(H)
    last = sigma[..., -1:]
    excess = xp.sum((sigma - last) * (sigma + last), axis=-1)
    return excess / (sigma.shape[-1] * _or_nan(xp, xp.sum(sigma * sigma, axis=-1)))


@observable(meaning="the eigenvalues of C/‖H‖², descending", reads="gram", shape=("n",))
def spectrum(H: Array) -> Array:
    """Eigenvalues of C/‖H‖_F², descending; shape ``(..., n)``, nonnegative, summing to 1.

    Args:
        H: ``(..., d, n)``, one sample a column; real floating, of NumPy or Torch.

    Example:
        >>> import numpy as np
        >>> H = np.array([[1.0, 1.0], [0.0, 1.0]])
        >>> spectrum(H).round(3).tolist()
        [0.873, 0.127]
    """
    xp, sigma = _singular_values(H)
    squares = sigma * sigma
    return squares / _or_nan(xp, xp.sum(squares, axis=-1, keepdims=True))


@observable(meaning="the Gram matrix C/‖H‖²", reads="gram", shape=("n", "n"))
def gram(H: Array) -> Array:
    """C/‖H‖_F², the Gram matrix of the samples normalised to trace 1; shape ``(..., n, n)``.

    Args:
        H: ``(..., d, n)``, one sample a column; real floating, of NumPy or Torch.

    Example:
        >>> import numpy as np
        >>> H = np.array([[1.0, 1.0], [0.0, 1.0]])
        >>> gram(H).round(3).tolist()
        [[0.333, 0.333], [0.333, 0.667]]
    """
    _, products, trace = _products(H)
    return products / trace[..., None, None]


@observable(
    meaning="(Tr M)²/‖M‖_F², how many directions the samples fill",
    reads="gram",
    floor=1,
    ceiling="min(n, d)",
    of_spectrum=lambda s: 1 / s.sum(_square),
    of_gram=lambda c: 1 / sum(_square(c[i, j]) for i, j in _places(c)),
)
def effective_rank(H: Array) -> Array:
    """r(H) = (Tr M)²/‖M‖_F² with M = HHᵀ/n; shape ``(...)``, in [1, min(d, n)].

    M and C/n share their nonzero eigenvalues, so r is read off the smaller-to-form n × n Gram
    matrix.

    Args:
        H: ``(..., d, n)``, one sample a column; real floating, of NumPy or Torch.

    Example:
        >>> import numpy as np
        >>> H = np.array([[1.0, 1.0], [0.0, 1.0]])
        >>> round(float(effective_rank(H)), 3)
        1.286
    """
    xp, products, trace = _products(H)
    # in place, it would have no gradient
    return trace * trace / xp.sum(products * products, axis=(-2, -1))


_TAU = Parameter("tau", "soft_rank threshold", 0, 1, "0.5")


@observable(
    meaning="the number of eigenvalues of M that are at least {tau}, M of trace d",
    reads="gram",
    floor=0,
    ceiling=lambda tau: "min(n, d)" if tau else "d",
    wide=True,
    parameter=_TAU,
    of_spectrum=lambda s, tau: s.count(tau) if tau else s.width,
)
def soft_rank(H: Array, tau: float, *, width: int | None = None) -> Array:
    """rank_τ(H) = #{i : λ_i(M) ≥ τ} with M = HHᵀ/n scaled to Tr M = d; shape ``(...)``, whole, in
    [0, d].

    The count comes in the dtype of ``H``, so that an undefined one can be NaN. ``width`` is d when
    ``H`` is the thin factor of a wider matrix. At τ = 0 the d − min(d, n) zero eigenvalues count
    too, and the rank is d. A λ_i that ties with τ falls on either side by rounding.

    Raises `TypeError` when ``tau`` is no real number or ``width`` no whole one, `ValueError` when
    ``tau`` is outside [0, 1] or NaN, or ``width`` below the rank ``H`` can have.

    Example:
        >>> import numpy as np
        >>> H = np.array([[1.0, 1.0], [0.0, 1.0]])
        >>> float(soft_rank(H, 0.5))
        1.0
    """
    tau = _TAU.within(tau)
    shares = spectrum(H)
    rows, n = H.shape[-2:]
    d = rows if width is None else whole_number("width", width, 1)
    require(
        d >= min(rows, n), f"width={d} is below min(d, n) of H, which has shape {tuple(H.shape)}"
    )
    xp = _namespace(H)
    defined = shares[..., 0] > 0
    count = xp.sum(xp.astype(d * shares >= tau, H.dtype), axis=-1) if tau > 0 else d
    return xp.where(defined, count, xp.asarray(math.nan, dtype=H.dtype, device=device(H)))


@observable(
    meaning="the cosine between the first two samples",
    reads="gram",
    floor=-1,
    ceiling=1,
    nonnegative=(0, 1),
    samples=2,
    present=(0, 1),
    absent="a sample that is 0 has no cosine",
    of_gram=lambda c: c.cosine(0, 1),
)
def cosine(H: Array, i: int = 0, j: int = 1) -> Array:
    """Cosine of the angle between samples ``i`` and ``j``; shape ``(...)``, in [−1, 1].

    Raises `TypeError` when ``i`` or ``j`` is no whole number, `ValueError` when ``H`` has no such
    column.

    Example:
        >>> import numpy as np
        >>> H = np.array([[1.0, 1.0], [0.0, 1.0]])
        >>> round(float(cosine(H)), 3)
        0.707
    """
    xp, units = _unit_columns(H, i, j)
    return xp.clip(xp.sum(units[..., i] * units[..., j], axis=-1), -1.0, 1.0)


@observable(
    meaning="the absolute cosine between the first two samples",
    reads="gram",
    floor=0,
    ceiling=1,
    samples=2,
    present=(0, 1),
    absent="a sample that is 0 has no cosine",
    of_gram=lambda c: abs(c.cosine(0, 1)),
)
def absolute_cosine(H: Array, i: int = 0, j: int = 1) -> Array:
    """|cos| of the angle between samples ``i`` and ``j``; shape ``(...)``, in [0, 1]. Raises as
    `cosine`.

    Args:
        H: ``(..., d, n)``, one sample a column; real floating, of NumPy or Torch.
        i: the number of a sample, from 0; negative ones count from the end.
        j: the number of another, or of the same.

    Example:
        >>> import numpy as np
        >>> H = np.array([[1.0, 1.0], [0.0, 1.0]])
        >>> round(float(absolute_cosine(-H, 0, 1)), 3)
        0.707
    """
    return abs(cosine(H, i, j))


@observable(
    meaning="the mean absolute cosine over pairs of samples",
    reads="gram",
    floor=0,
    ceiling=1,
    samples=2,
    present="all",
    absent="a sample that is 0 has no cosine",
    of_gram=lambda c: sum(abs(c.cosine(i, j)) for i, j in _pairs(c)) / (c.n * (c.n - 1) // 2),
)
def mean_absolute_cosine(H: Array) -> Array:
    """Mean of |cos| over the n(n − 1)/2 pairs of samples; shape ``(...)``, in [0, 1].

    Raises `ValueError` for a single sample, which has no pair.

    Args:
        H: ``(..., d, n)``, one sample a column; real floating, of NumPy or Torch.

    Example:
        >>> import numpy as np
        >>> H = np.array([[1.0, 1.0], [0.0, 1.0]])
        >>> round(float(mean_absolute_cosine(H)), 3)
        0.707
    """
    xp, units = _unit_columns(H, 0, 1)
    n = H.shape[-1]
    cosines = xp.clip(abs(xp.matmul(xp.matrix_transpose(units), units)), 0.0, 1.0)
    above = xp.triu(xp.ones((n, n), dtype=H.dtype, device=device(H)), k=1)
    return xp.sum(cosines * above, axis=(-2, -1)) / (n * (n - 1) / 2)


@observable(
    meaning="the largest minus the smallest cosine over pairs of samples",
    reads="gram",
    floor=0,
    ceiling=2,
    nonnegative=(0, 1),
    samples=2,
    present="all",
    absent="a sample that is 0 has no cosine",
    of_gram=lambda c: c.cosine(*_closest(c, _pairs(c))) - c.cosine(*_farthest(c, _pairs(c))),
)
def cosine_range(H: Array) -> Array:
    """Largest minus smallest cosine over the n(n − 1)/2 pairs of samples; shape ``(...)``, in [0,
    2].

    Zero where all angles are equal. NaN where a sample is zero. Raises `ValueError` for a single
    sample.

    Args:
        H: ``(..., d, n)``, one sample a column; real floating, of NumPy or Torch.

    Example:
        >>> import numpy as np
        >>> H = np.array([[1.0, 1.0], [0.0, 1.0]])
        >>> float(cosine_range(H))
        0.0
    """
    xp, cosines = _cosines(H, 2)
    aside = xp.eye(H.shape[-1], dtype=xp.bool, device=device(H))
    largest = xp.max(xp.where(aside, -math.inf, cosines), axis=(-2, -1))
    return largest - xp.min(xp.where(aside, math.inf, cosines), axis=(-2, -1))


@observable(
    meaning="the number of the sample that stands apart from all others, -1 if none does",
    reads="gram",
    floor=-1,
    ceiling="n - 1",
    samples=3,
    present="all",
    absent="a sample that is 0 has no cosine",
    of_gram=lambda c: next((k for k in range(c.n) if _stands_apart(c, k)), -1),
)
def lone_outlier(H: Array, margin: float = 0.0) -> Array:
    """Which sample stands apart: its largest cosine with the others is below their smallest; shape
    ``(...)``.

    Its number, 0 … n − 1, or −1 where no sample does; NaN where a sample is zero. No threshold is
    involved unless ``margin``, in [0, 2), is given, by which the two cosines must differ. With
    three samples one stands apart almost surely. Raises `ValueError` for fewer, and for another
    margin; `TypeError` for one that is no real number.

    Args:
        H: ``(..., d, n)``, one sample a column, n ≥ 3; real floating, of NumPy or Torch.
        margin: by how much the two cosines must differ.

    Example:
        >>> import numpy as np
        >>> float(lone_outlier(np.array([[1.0, 1.0, 0.0], [0.1, 0.2, 1.0]])))
        2.0
    """
    margin = real_number("lone_outlier margin", margin, "one in [0, 2)")
    require(0 <= margin < 2, f"lone_outlier margin={margin!r} is not a number in [0, 2)")
    xp, cosines = _cosines(H, 3)
    n = H.shape[-1]
    places = xp.arange(n, device=device(H))
    aside = xp.equal(places[:, None], places)
    closest = xp.max(xp.where(aside, -math.inf, cosines), axis=-1)
    candidate = xp.argmin(closest, axis=-1)[..., None]  # the others have each other
    own = xp.equal(candidate, places)
    touched = aside | own[..., None] | own[..., None, :]
    others = xp.min(xp.where(touched, math.inf, cosines), axis=(-2, -1))
    found = xp.where(
        xp.min(closest, axis=-1) + margin < others, xp.astype(candidate[..., 0], H.dtype), -1.0
    )
    return xp.where(xp.isnan(xp.sum(cosines, axis=(-2, -1))), math.nan, found)


@observable(
    meaning="1 where every sample has a unit that is not 0, else 0",
    reads="gram",
    floor=0,
    ceiling=1,
    of_gram=lambda c: int(all(c[i, i] != 0 for i in range(c.n))),
)
def alive(H: Array) -> Array:
    """1 where every sample has a unit that is not 0, else 0; shape ``(...)``; NaN for a non-finite
    ``H``.

    A sample without one is dead: it has no cosine, and in a chain of linear layers and ReLU it
    stays 0 at every depth.

    Example:
        >>> import numpy as np
        >>> H = np.array([[1.0, 1.0], [0.0, 1.0]])
        >>> float(alive(H))
        1.0
    """
    xp = _namespace(H)
    largest = xp.max(xp.abs(H), axis=-2)
    found = xp.astype(xp.all(largest > 0, axis=-1), H.dtype)
    return xp.where(xp.all(largest < math.inf, axis=-1), found, math.nan)


@observable(
    meaning="the logarithm of ‖H‖_F",
    reads="gram",
    scaled=True,
)
def log_norm(H: Array, *, log_scale: Array | float = 0.0) -> Array:
    """log ‖H‖_F, the scale of a chain without normalisation included; shape ``(...)``, in float64.

    −∞ where H is 0. ``log_scale``, ``(...)``, is the logarithm of what ``H`` has been divided by:
    `simulate` carries it, so that no depth overflows.

    Example:
        >>> import numpy as np
        >>> log_norm(np.eye(4)), log_norm(np.zeros((2, 2)))
        (np.float64(0.6931471805599453), np.float64(-inf))
    """
    return _log_norm(H)[2] + log_scale


@observable(
    meaning="‖G‖_F of the gradient G = ∂L/∂H",
    reads="backward",
    floor=0,
    scaled=True,
)
def gradient_norm(G: Array, *, log_scale: Array | float = 0.0) -> Array:
    """‖G‖_F; shape ``(...)``, in float64, ∞ where that cannot hold it.

    ``log_scale``, ``(...)``, is the logarithm of what ``G`` has been divided by.

    Example:
        >>> import numpy as np
        >>> float(gradient_norm(np.array([[3.0], [4.0]])))
        5.0
    """
    xp, norm, logarithm = _log_norm(G)
    scale = xp.asarray(log_scale, dtype=xp.float64, device=device(G))
    return xp.where(xp.equal(scale, 0.0), norm, _exponential(xp, logarithm + scale))


@observable(
    meaning="the logarithm of ‖G‖_F, G = ∂L/∂H",
    reads="backward",
    scaled=True,
)
def log_gradient_norm(G: Array, *, log_scale: Array | float = 0.0) -> Array:
    """log ‖G‖_F at any depth, −∞ where G is 0; shape ``(...)``, in float64.

    ``log_scale``, ``(...)``, is the logarithm of what ``G`` has been divided by.

    Example:
        >>> import numpy as np
        >>> float(log_gradient_norm(np.eye(1), log_scale=1000.0))
        1000.0
    """
    return _log_norm(G)[2] + log_scale


@observable(
    meaning="the products GᵀG of the samples' gradients, G = ∂L/∂H",
    reads="backward",
    shape=("n", "n"),
    scaled=True,
)
def gradient_gram(G: Array, *, log_scale: Array | float = 0.0) -> Array:
    """GᵀG, not normalised; shape ``(..., n, n)``, in float64, infinite where that cannot hold it.

    ``log_scale``, ``(...)``, is the logarithm of what ``G`` has been divided by.

    Example:
        >>> import numpy as np
        >>> gradient_gram(np.array([[3.0, 1.0], [4.0, 0.0]])).round(9).tolist()
        [[25.0, 3.0], [3.0, 1.0]]
    """
    xp = _namespace(G)
    norm = frobenius_norm(G, xp)
    unit = xp.astype(scaled_to(1.0, G, norm, xp), xp.float64)
    products = xp.matmul(xp.matrix_transpose(unit), unit)
    sizes = gradient_norm(G, log_scale=log_scale)[..., None, None]
    with np.errstate(over="ignore", invalid="ignore"):
        # in steps, as the square of the norm alone may be infinite, where zeros stay zero
        zero = xp.equal(products, 0.0) & (sizes >= 0)
        return xp.where(zero, 0.0, products * sizes * sizes)


@observable(
    meaning="the tangent kernel Σ ⟨∂f_i/∂W, ∂f_j/∂W⟩ of the weights after H",
    reads="tangent",
    shape=("n", "n"),
    scaled=True,
)
def tangent_kernel(K: Array, *, log_scale: Array | float = 0.0) -> Array:
    """The empirical neural tangent kernel at initialisation, K_ij = Σ_W ⟨∂f_i/∂W, ∂f_j/∂W⟩_F; shape
    ``(..., n, n)``, in float64, infinite where that cannot hold it.

    - Outputs: f_i = ⟨g_i, h_i⟩, a number for each sample, h_i its last representation and g_i
      column i of the G_L that ``backward`` of `simulate` says. ``"readout"`` makes it the network
      f(x) = a·h_L(x), a of normal entries of variance 1/d, common to the samples; ``"gaussian"``
      gives each sample a readout of its own; and a function of H_L any f_i(h_i), whose gradients
      its columns are. The readout is not among the weights
    - Weights: all entries of the matrices W of `Linear` layers, which have variance std²/width,
      and of `Residual` layers, H + γWH, which have variance 1, in the blocks after the layer that
      the column belongs to. So column 0 is the kernel of the whole network, the last is 0, and the
      difference of two neighbours is the contribution of a block. Offsets of `Bias` do not count
    - For derivatives in W̃ = √width/std · W, whose entries have variance 1 (the parametrisation
      whose kernel has a limit at infinite width), a `Linear` layer contributes std²/width times as
      much: in a chain of one width and std, all of K is to be multiplied by that

    ``K``, ``(..., n, n)``, has been divided by the exponential of ``log_scale``, ``(...)``. An
    observable of yours that ``reads="tangent"`` is handed it whole.

    Cost: that of the way back, if layers map every sample by itself. Else, as under batch
    normalisation, each f_i moves with all samples, and there is a way back for each of them: a
    layer costs O(width · n⁴) by the engine rows, at most n² normals a row.

    Source: Jacot, Gabriel, Hongler 2018 (arXiv 1806.07572).

    Example:
        >>> import numpy as np
        >>> from simulators import simulate, vanilla_chain
        >>> run = simulate(vanilla_chain(64, "relu"), np.eye(64, 2), depth=3, seed=1,
        ...                observables=["tangent_kernel"], backward="readout")
        >>> kernel = run["tangent_kernel"]
        >>> kernel.shape, kernel[0, 3].tolist()
        ((1, 4, 2, 2), [[0.0, 0.0], [0.0, 0.0]])
        >>> bool((np.linalg.eigvalsh(kernel[0, :3]) > 0).all())
        True
    """
    xp = _namespace(K)
    found = xp.astype(K, xp.float64)
    half = xp.asarray(log_scale, dtype=xp.float64, device=device(K)) / 2
    factor = _exponential(xp, half)[..., None, None]
    with np.errstate(over="ignore", invalid="ignore"):
        # in steps, as the factor alone may be infinite, where zeros stay zero
        return xp.where(xp.equal(found, 0.0), found, found * factor * factor)


@observable(
    meaning="‖Ḣ‖_F of the tangent Ḣ, the derivative of H along that at the batch",
    reads="jvp",
    floor=0,
    scaled=True,
)
def tangent_norm(T: Array, *, log_scale: Array | float = 0.0) -> Array:
    """‖Ḣ‖_F of the tangents Ḣ = ``T``; shape ``(...)``, in float64, ∞ where that cannot hold it.

    Ḣ is the image of the Ḣ₀ that ``tangents`` of `simulate` says, under the derivative of all
    layers since: a Jacobian-vector product. ``T``, ``(..., d, n)``, has been divided by the
    exponential of ``log_scale``, ``(...)``.

    Example:
        >>> import numpy as np
        >>> from simulators import simulate, vanilla_chain
        >>> H = np.eye(64, 4)
        >>> run = simulate(vanilla_chain(64), H, depth=2, tangents=2 * H,
        ...                observables=["tangent_norm", "log_norm"])
        >>> bool(np.allclose(run["tangent_norm"], 2 * np.exp(run["log_norm"])))  # it is linear
        True
    """
    return gradient_norm(T, log_scale=log_scale)


@observable(
    meaning="the logarithm of ‖Ḣ‖_F, Ḣ the tangent",
    reads="jvp",
    scaled=True,
)
def log_tangent_norm(T: Array, *, log_scale: Array | float = 0.0) -> Array:
    """log ‖Ḣ‖_F of tangents at any depth, −∞ where Ḣ is 0; shape ``(...)``, in float64.

    ``log_scale``, ``(...)``, is the logarithm of what ``T`` has been divided by.

    Example:
        >>> import numpy as np
        >>> float(log_tangent_norm(np.eye(1), log_scale=1000.0))
        1000.0
    """
    return _log_norm(T)[2] + log_scale


@observable(
    meaning="the products ḢᵀḢ of the samples' tangents",
    reads="jvp",
    shape=("n", "n"),
    scaled=True,
)
def tangent_gram(T: Array, *, log_scale: Array | float = 0.0) -> Array:
    """ḢᵀḢ, not normalised; shape ``(..., n, n)``, in float64, infinite where that cannot hold it.

    ``log_scale``, ``(...)``, is the logarithm of what ``T`` has been divided by.

    Example:
        >>> import numpy as np
        >>> tangent_gram(np.array([[3.0, 1.0], [4.0, 0.0]])).round(9).tolist()
        [[25.0, 3.0], [3.0, 1.0]]
    """
    return gradient_gram(T, log_scale=log_scale)


def parametrised() -> tuple[str, ...]:
    """The names of the observables that take a number, as ``soft_rank`` in ``soft_rank(0.5)``.

    Example:
        >>> "soft_rank" in parametrised()
        True
    """
    return tuple(kind.name for kind in OBSERVABLES.values() if kind.parameter is not None)


def resolve(item: object) -> Observable:
    """The observable meant by ``item``.

    ``item`` is a name in `OBSERVABLES`, with the number in brackets if it has a parameter, as
    ``"soft_rank(0.5)"``; an `Observable`; or a callable of ``H``, named after itself, and taken to
    depend on ``H`` through its Gram matrix alone only if it has a true attribute
    ``gram_invariant``, and to have a range only if it has the attributes ``floor`` and ``ceiling``.

    Raises `ValueError` for an unknown name or bad parameter, `TypeError` for anything else.

    Example:
        >>> resolve("soft_rank(0.5)").name, resolve(effective_rank).gram
        ('soft_rank(0.5)', True)
    """
    if isinstance(item, Observable):
        return item
    if isinstance(item, str):
        return _named(item)
    if not callable(item):
        raise TypeError(
            f"observable {told(item)} is not a name, a function of H, nor an Observable"
        )
    name = getattr(item, "__name__", None)
    if not isinstance(name, str):
        raise TypeError(f"observable {told(item)} has no __name__; wrap it in an Observable")
    known = OBSERVABLES.get(name)
    if known is None or known.function is not item:
        return NamedObservable(
            name,
            name,
            item,
            "gram" if getattr(item, "gram_invariant", False) else "H",
            floor=getattr(item, "floor", None),
            ceiling=getattr(item, "ceiling", None),
        ).measured
    if known.parameter is not None:
        kind = known.parameter.role.removeprefix(f"{name} ")
        raise TypeError(f"observable {name} needs a {kind}: write {known.example!r}")
    return known.measured


def _named(text: str) -> Observable:
    """The observable of that name, and no other spelling."""
    call = re.fullmatch(r"(\w+)(?:\(([^()]*)\))?", text)
    known = OBSERVABLES.get(call[1]) if call is not None else None
    if call is not None and known is not None and (call[2] is None) == (known.parameter is None):
        if known.parameter is None:
            return known.measured
        return known.at(known.parameter.read(call[2]), text)
    names = [each.example for each in OBSERVABLES.values()]
    hint = did_you_mean(text, names)
    hint = f"{hint} " if hint else ""
    raise ValueError(f"unknown observable {text!r}; {hint}known are {', '.join(names)}")


def _within(
    name: str, ends: tuple[Bound, Bound], measuring: Measuring, H: Array, *, width: int, **more: Any
) -> Array:
    """What is measured, if it is within the ends; see `simulators.ranges.require_within`."""
    values = measuring(H, width=width, **more)
    require_within(name, values, *ends, H.shape[-1], width)
    return values


def _require_rotation_free(name: str, measuring: Callable[..., Array], n: int) -> None:
    """Raise `ValueError` where a trial contradicts ``reads="gram"``: at a factor of HᵀH in place
    of H it must give the same. What cannot be tried like that, as it wants another array, passes.
    """
    H = np.random.default_rng(0).standard_normal((1, n + 2, n))
    try:
        with np.errstate(all="ignore"):
            there, here = (np.asarray(measuring(K, width=n + 2)) for K in (H, np.linalg.qr(H).R))
        same = there.shape == here.shape and np.allclose(there, here, 1e-6, 1e-6, equal_nan=True)
    except Exception:  # of the author's code, or of a function of Torch's tensors
        return
    require(
        same,
        f"observable {name!r} is declared reads='gram', but it differs between H and another "
        "matrix with the same HᵀH; say reads='H'",
    )


def _ignoring_width(
    function: Callable[..., Array], H: Array, *, width: int, **scale: Array
) -> Array:
    return function(H, **scale)


def _namespace(H: Array) -> Namespace:
    """The array namespace of ``H``, after the checks that every observable makes."""
    if not is_array_api_obj(H):
        raise TypeError(f"H={told(H)} is {kind_of(H)}; observables need a real floating array")
    xp: Namespace = array_namespace(H)
    require(
        xp.isdtype(H.dtype, "real floating"),
        f"H has dtype {H.dtype}; observables need a real floating array",
        TypeError,
    )
    require(
        H.ndim >= 2 and 0 not in H.shape,
        f"H has shape {tuple(H.shape)}; observables need (..., d, n) with d, n ≥ 1",
    )
    return xp


def _over_peak(xp: Namespace, H: Array, axis: int | tuple[int, int]) -> Array:
    """``H`` over its largest entry along ``axis``; zero where all entries are zero or one is not
    finite.

    ``H`` itself, divided by nothing, where no square can overflow, or underflow to a loss that
    counts.
    """
    peak = xp.maximum(xp.max(H, axis=axis, keepdims=True), -xp.min(H, axis=axis, keepdims=True))
    safe = (peak > 1e-6) & (peak < 1e6)
    if xp.all(safe):
        return H
    usable = (peak > 0) & (peak < math.inf)
    # What is safe keeps its bits, whatever is beside it.
    return xp.where(usable, H / xp.where(usable & ~safe, peak, 1.0), 0.0)


def _log_norm(H: Array) -> tuple[Namespace, Array, Array]:
    """‖H‖_F and its logarithm in float64, −∞ of zero, quietly."""
    xp = _namespace(H)
    norm = xp.astype(frobenius_norm(H, xp)[..., 0, 0], xp.float64)
    logarithm = xp.where(norm > 0, xp.log(xp.where(norm > 0, norm, 1.0)), norm - math.inf)
    return xp, norm, logarithm


def _exponential(xp: Namespace, logarithm: Array) -> Array:
    """exp, ∞ where it overflows, quietly."""
    return xp.where(
        logarithm > 709.78, math.inf, xp.exp(xp.where(logarithm > 709.78, 0.0, logarithm))
    )


def _products(H: Array) -> tuple[Namespace, Array, Array]:
    """C of ``H`` or of a multiple of it, and its trace, NaN where there is none."""
    xp = _namespace(H)
    scaled = _over_peak(xp, H, (-2, -1))
    products = xp.matmul(xp.matrix_transpose(scaled), scaled)
    return xp, products, _or_nan(xp, xp.linalg.trace(products))


def _singular_values(H: Array) -> tuple[Namespace, Array]:
    """All n singular values of ``H`` over its largest entry, descending; the last n − d are zero if
    d < n.
    """
    xp = _namespace(H)
    scaled = _over_peak(xp, H, (-2, -1))
    sigma = xp.linalg.svdvals(scaled)
    missing = H.shape[-1] - sigma.shape[-1]
    if missing:
        zeros = xp.zeros((*sigma.shape[:-1], missing), dtype=H.dtype, device=device(H))
        sigma = xp.concat([sigma, zeros], axis=-1)
    return xp, sigma


def _unit_columns(H: Array, *needed: int) -> tuple[Namespace, Array]:
    """``H`` with columns of norm 1, a zero column becoming NaN; columns may differ in scale at
    will.
    """
    xp, n = _namespace(H), H.shape[-1]
    for column in needed:
        require(
            whole_number("sample", column, -n) < n,
            f"H has {n} column(s), so none numbered {column}; a cosine needs two samples",
        )
    columns = _over_peak(xp, H, -2)
    norms = xp.sqrt(xp.sum(columns * columns, axis=-2, keepdims=True))
    return xp, columns / _or_nan(xp, norms)


def _cosines(H: Array, least: int) -> tuple[Namespace, Array]:
    """The cosines of all pairs of at least so many samples, ``(..., n, n)``."""
    xp, units = _unit_columns(H)
    require(H.shape[-1] >= least, f"H has {H.shape[-1]} column(s); want n ≥ {least} samples")
    return xp, xp.matmul(xp.matrix_transpose(units), units)


def _or_nan(xp: Namespace, denominator: Array) -> Array:
    """Zero replaced by NaN: a division is then undefined quietly, in both libraries."""
    return xp.where(denominator > 0, denominator, math.nan)


def _places(c: ExactGram) -> list[tuple[int, int]]:
    return list(product(range(c.n), range(c.n)))


def _pairs(c: ExactGram) -> list[tuple[int, int]]:
    return list(combinations(range(c.n), 2))


def _closest(c: ExactGram, pairs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The pair with the largest cosine."""
    return max(pairs, key=lambda pair: c.signed_square(*pair))


def _farthest(c: ExactGram, pairs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The pair with the smallest cosine."""
    return min(pairs, key=lambda pair: c.signed_square(*pair))


def _stands_apart(c: ExactGram, sample: int) -> bool:
    """Whether the largest cosine of the sample with the others is below their smallest."""
    own = [pair for pair in _pairs(c) if sample in pair]
    others = [pair for pair in _pairs(c) if sample not in pair]
    nearest, least = _closest(c, own), _farthest(c, others)
    return bool(c.signed_square(*nearest) < c.signed_square(*least))
