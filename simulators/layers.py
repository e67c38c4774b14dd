"""The layers a chain is built of: small frozen values, checked when they are made.

A representation is handled sample-major, as ``rows`` of shape ``(..., n, m)``: entry ``[..., j, i]`` is
coordinate i of sample j, so that the long axis is contiguous. `Recenter`, `Rescale` and `Activation` act on
each row of H (each column of ``rows``) by itself and may be handed any m of the ``width`` rows;
`Normalize` needs all of them; `Linear` and `Residual` are applied by the engines, which draw the weights.

Raised by every layer at construction: `TypeError` for an argument of the wrong type, `ValueError` for one
out of range, each naming argument, value and remedy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from simulators.arguments import one_of, real_number, told, whole_number
from simulators.observables import Array

LAWS: Mapping[str, str] = MappingProxyType({
    "gaussian": "standard normal",
    "uniform": "uniform on [−√3, √3]",
    "rademacher": "±1 with equal probability",
    "uniform_positive": "uniform on [0, 2√3], mean √3: the uncentred weights of D20, Fig. 6",
})
"""The entry laws. Each has variance 1; `Linear` divides the entries by √width, `Residual` does not."""

# Beyond 1/eps of float64 the identity term of a residual layer is below rounding.
LARGEST_GAMMA = 2.0**52


@dataclass(frozen=True)
class Linear:
    """H → WH, W of shape ``(width, d)`` with i.i.d. entries of law ``law``, variance 1/width.

    The scale cancels wherever rows are rescaled; a chain without normalisation keeps E‖WH‖_F² = ‖H‖_F² for
    the zero-mean laws. ``uniform_positive`` is U[0, 2a] with a = √(3/width), so its mean is a.
    """

    width: int
    law: str = "gaussian"

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", whole_number("width", self.width, 1))
        one_of("law", self.law, LAWS)


@dataclass(frozen=True)
class Residual:
    """H → H + γWH, W square with i.i.d. entries of law ``law``, variance 1; γ = ∞ means WH alone.

    ``gamma``, kept as a `float`, is in [0, 2⁵²] or infinite. ``width``, if given, is the number of rows the layer
    insists on.
    """

    gamma: float
    law: str = "gaussian"
    width: int | None = None

    def __post_init__(self) -> None:
        gamma = real_number("gamma", self.gamma, "a γ ≥ 0, or math.inf")
        if gamma < 0:
            raise ValueError(f"gamma={told(self.gamma)} is not ≥ 0; its sign cancels in law, so use |gamma|")
        if LARGEST_GAMMA < gamma < math.inf:
            raise ValueError(f"gamma={told(self.gamma)} exceeds 2**52: H is lost in rounding; use math.inf")
        object.__setattr__(self, "gamma", gamma)
        one_of("law", self.law, LAWS)
        if self.width is not None:
            object.__setattr__(self, "width", whole_number("width", self.width, 1))


@dataclass(frozen=True)
class Recenter:
    """H → HJ: every row minus its mean over the batch.

    Differences from the first sample are taken before the mean: for samples that nearly agree they are exact,
    so that what comes out is as accurate as what went in, and exactly zero where all samples are equal.
    """

    def on_rows(self, rows: Array, xp: Any, width: int) -> Array:
        """Overwrites and returns ``rows`` of shape ``(..., n, m)``. Cost: O(n m)."""
        rows -= xp.asarray(rows[..., :1, :], copy=True)
        rows -= xp.mean(rows, axis=-2, keepdims=True)
        return rows


@dataclass(frozen=True)
class Rescale:
    """Every row to one norm: width^{-1/2}, so that ‖H‖_F = 1 (``"frobenius"``), or √n (``"variance"``).

    A row of zeros stays zero: it has no direction to keep. Rows of any other representable scale come out
    with full relative accuracy.
    """

    unit: str = "frobenius"

    def __post_init__(self) -> None:
        one_of("unit", self.unit, ("frobenius", "variance"))

    def on_rows(self, rows: Array, xp: Any, width: int) -> Array:
        """Overwrites and returns ``rows``, ``(..., n, m)``: m of the ``width`` rows. Cost: O(n m)."""
        target = self._target(rows, width)
        squares = _row_squares(rows, xp)
        if not _all_are_safe(squares, xp):
            peaks = _or_infinity(xp.max(xp.abs(rows), axis=-2, keepdims=True), xp)
            rows /= xp.where(_safe(squares, xp), 1.0, peaks)  # other rows keep their bits, whatever is beside them
            squares = _or_infinity(_row_squares(rows, xp), xp)
        rows *= target / xp.sqrt(squares)
        return rows

    def factors(self, rows: Array, xp: Any, width: int) -> Array:
        """What each row is to be multiplied by, ``(..., 1, m)``, zero for a row of zeros. Cost: O(n m)."""
        squares = _row_squares(rows, xp)
        if _all_are_safe(squares, xp):
            return self._target(rows, width) / xp.sqrt(squares)
        peaks = _or_infinity(xp.max(xp.abs(rows), axis=-2, keepdims=True), xp)
        norms = xp.sqrt(_or_infinity(_row_squares(rows / peaks, xp), xp))
        return self._target(rows, width) / norms / peaks

    def _target(self, rows: Array, width: int) -> float:
        norm: float = width**-0.5 if self.unit == "frobenius" else rows.shape[-2] ** 0.5
        return norm


@dataclass(frozen=True)
class Activation:
    """H → F(H), entry by entry, with F one of `ACTIVATIONS`."""

    name: str

    def __post_init__(self) -> None:
        one_of("activation", self.name, ACTIVATIONS)

    @property
    def homogeneous(self) -> bool:
        """Whether F(sx) = sF(x) for every s > 0."""
        return ACTIVATIONS[self.name].homogeneous

    def on_rows(self, rows: Array, xp: Any, width: int) -> Array:
        """F of ``rows``, shape ``(..., n, m)``. Cost: O(n m)."""
        return ACTIVATIONS[self.name].function(rows, xp)


@dataclass(frozen=True)
class Normalize:
    """H → sH, one s > 0 for the whole layer, such that ‖H‖_F² = d n. A zero H stays zero."""

    def on_rows(self, rows: Array, xp: Any, width: int) -> Array:
        """sH for ``rows`` of shape ``(..., n, width)``: all of them. Cost: O(n width)."""
        return scaled_to((width * rows.shape[-2]) ** 0.5, rows, frobenius_norm(rows, xp), xp)


WeightLayer: TypeAlias = Linear | Residual
RowLayer: TypeAlias = Recenter | Rescale | Activation | Normalize
Layer: TypeAlias = WeightLayer | RowLayer


@dataclass(frozen=True)
class ActivationFunction:
    """``function(rows, xp)`` for any array; ``homogeneous`` if it commutes with positive scalars, ``odd`` with −1."""

    function: Callable[[Array, Any], Array]
    homogeneous: bool
    odd: bool


def _relu(rows: Array, xp: Any) -> Array:
    return xp.maximum(rows, xp.zeros_like(rows[..., :1, :1]))


def _sigmoid(rows: Array, xp: Any) -> Array:
    return 0.5 * xp.tanh(0.5 * rows) + 0.5  # as 1/(1 + exp(−x)), without its overflow


ACTIVATIONS: Mapping[str, ActivationFunction] = MappingProxyType({
    "relu": ActivationFunction(_relu, homogeneous=True, odd=False),
    "tanh": ActivationFunction(lambda rows, xp: xp.tanh(rows), homogeneous=False, odd=True),
    "sin": ActivationFunction(lambda rows, xp: xp.sin(rows), homogeneous=False, odd=True),
    "sigmoid": ActivationFunction(_sigmoid, homogeneous=False, odd=False),
    "identity": ActivationFunction(lambda rows, xp: rows, homogeneous=True, odd=True),
})
"""The activations, by name."""


def frobenius_norm(rows: Array, xp: Any) -> Array:
    """‖H‖_F of each matrix in ``(..., n, m)``, shape ``(..., 1, 1)``, at any representable scale."""
    squares = _all_squares(rows, xp)
    if _all_are_safe(squares, xp):
        return xp.sqrt(squares)
    peak = xp.max(xp.abs(rows), axis=(-2, -1), keepdims=True)
    scaled = rows / _or_infinity(peak, xp)
    return xp.where(_safe(squares, xp), xp.sqrt(squares), peak * xp.sqrt(_all_squares(scaled, xp)))


def scaled_to(norm: float, rows: Array, present: Array, xp: Any) -> Array:
    """``rows`` times norm/present, and zero where the ``present`` norm is."""
    # Two steps: the quotient of the norms alone could overflow where the product does not.
    return norm * (rows / _or_infinity(present, xp))


def _row_squares(rows: Array, xp: Any) -> Array:
    """Sums over the samples, ``(..., 1, m)``, in one pass."""
    with np.errstate(over="ignore"):  # `_all_are_safe` looks at what came out
        return xp.einsum("...ji,...ji->...i", rows, rows)[..., None, :]


def _all_squares(rows: Array, xp: Any) -> Array:
    """Sums over samples and rows, ``(..., 1, 1)``."""
    with np.errstate(over="ignore"):
        return xp.sum(rows * rows, axis=(-2, -1), keepdims=True)


def _safe(squares: Array, xp: Any) -> Array:
    """Whether each sum of squares has neither lost accuracy to underflow nor overflowed; false for a zero one."""
    return (squares >= _least_safe_square(xp, squares.dtype)) & (squares < math.inf)


def _all_are_safe(squares: Array, xp: Any) -> bool:
    """`_safe` of them all, in two quick passes."""
    lowest, highest = xp.min(squares), xp.max(squares)
    return bool(lowest >= _least_safe_square(xp, squares.dtype)) and bool(highest < math.inf)


@cache
def _least_safe_square(xp: Any, dtype: Any) -> float:
    """Terms that underflow are below the rounding of a sum of at least this."""
    limits = xp.finfo(dtype)
    return float(limits.smallest_normal) / float(limits.eps)


def _or_infinity(norms: Array, xp: Any) -> Array:
    """Zero replaced by ∞, so that dividing a zero vector by its norm gives zero, quietly."""
    return xp.where(norms > 0, norms, math.inf)
