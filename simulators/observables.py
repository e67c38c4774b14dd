"""What is measured of a representation: how far its samples are from orthogonal, and of which rank.

Every function takes ``H`` of shape ``(..., d, n)``, real floating, NumPy or Torch: one representation per
column, any leading axes (replicas, layers). Results keep the leading axes, the dtype and the device.

All of them are scale-invariant. ``H`` is first divided by its largest entry, so scales from 1e-300 to
1e300 neither overflow nor underflow. Where they are undefined, for a zero or non-finite ``H`` and for the
cosine with a zero column, they are NaN, without a warning; engines refuse such batches at the door. Ranks and gaps of
a zero ``H`` are NaN like all else: no rank, not rank 0. `alive` says whether a sample is zero.

Raised by all: `TypeError` when ``H`` is not a real floating array, `ValueError` when it has fewer than two
axes or no entries. Cost: O(d n²) per matrix; those built on singular values have the larger constant. Float
results carry rounding error; pointwise claims are decided elsewhere, in exact or ball arithmetic.

Definitions: Daneshmand, Joudaki, Bach 2021 (arXiv 2106.03970) for the gaps; Daneshmand et al. 2020
(arXiv 2003.01652) for the ranks.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

from array_api_compat import array_namespace, device, is_array_api_obj

from simulators.arguments import real_number, told, whole_number

Array: TypeAlias = Any  # NumPy or Torch; the array-API standard has no static type of its own


def orthogonality_gap(H: Array) -> Array:
    """V(H) = ‖C/‖H‖_F² − I/n‖_F with C = HᵀH; shape ``(...)``, in [0, √(1 − 1/n)].

    The difference is formed entry by entry, so the absolute error is a few roundings, however small V is.
    """
    normalised = gram(H)
    xp, n = array_namespace(H), H.shape[-1]
    offset = normalised - xp.eye(n, dtype=H.dtype, device=device(H)) / n
    return xp.sqrt(xp.sum(offset * offset, axis=(-2, -1)))


def smallest_eigenvalue(H: Array) -> Array:
    """σ_n²/‖H‖_F², the n-th eigenvalue of C/‖H‖_F²; shape ``(...)``, in [0, 1/n], 0 if d < n."""
    return spectrum(H)[..., -1]


def smallest_eigenvalue_gap(H: Array) -> Array:
    """V̂(H) = 1/n − σ_n²/‖H‖_F²; shape ``(...)``, in [0, 1/n].

    Summed as Σ_k (σ_k − σ_n)(σ_k + σ_n)/(n‖H‖_F²): never negative, and no cancellation against 1/n.
    """
    xp, sigma = _singular_values(H)
    last = sigma[..., -1:]
    excess = xp.sum((sigma - last) * (sigma + last), axis=-1)
    return excess / (sigma.shape[-1] * _or_nan(xp, xp.sum(sigma * sigma, axis=-1)))


def spectrum(H: Array) -> Array:
    """Eigenvalues of C/‖H‖_F², descending; shape ``(..., n)``, nonnegative, summing to 1."""
    xp, sigma = _singular_values(H)
    squares = sigma * sigma
    return squares / _or_nan(xp, xp.sum(squares, axis=-1, keepdims=True))


def gram(H: Array) -> Array:
    """C/‖H‖_F², the Gram matrix of the samples normalised to trace 1; shape ``(..., n, n)``."""
    _, products, trace = _products(H)
    return products / trace[..., None, None]


def effective_rank(H: Array) -> Array:
    """r(H) = (Tr M)²/‖M‖_F² with M = HHᵀ/n; shape ``(...)``, in [1, min(d, n)].

    M and C/n share their nonzero eigenvalues, so r is read off the smaller-to-form n × n Gram matrix.
    """
    xp, products, trace = _products(H)
    return trace * trace / xp.sum(products * products, axis=(-2, -1))  # in place, it would have no gradient


def soft_rank(H: Array, tau: float, *, width: int | None = None) -> Array:
    """rank_τ(H) = #{i : λ_i(M) ≥ τ} with M = HHᵀ/n scaled to Tr M = d; shape ``(...)``, whole, in [0, d].

    The count comes in the dtype of ``H``, so that an undefined one can be NaN. ``width`` is d when ``H`` is
    the thin factor of a wider matrix. At τ = 0 the d − min(d, n) zero eigenvalues count too, and the rank
    is d. A λ_i that ties with τ falls on either side by rounding.

    Raises `TypeError` when ``tau`` is no real number or ``width`` no whole one, `ValueError` when ``tau`` is outside
    [0, 1] or NaN, or ``width`` below the rank ``H`` can have.
    """
    tau = _threshold(tau)
    shares = spectrum(H)
    rows, n = H.shape[-2:]
    d = rows if width is None else whole_number("width", width, 1)
    if d < min(rows, n):
        raise ValueError(f"width={d} is below min(d, n) of H, which has shape {tuple(H.shape)}")
    xp = array_namespace(H)
    defined = shares[..., 0] > 0
    count = xp.sum(xp.astype(d * shares >= tau, H.dtype), axis=-1) if tau > 0 else d
    return xp.where(defined, count, xp.asarray(math.nan, dtype=H.dtype, device=device(H)))


def cosine(H: Array, i: int = 0, j: int = 1) -> Array:
    """Cosine of the angle between samples ``i`` and ``j``; shape ``(...)``, in [−1, 1].

    Raises `TypeError` when ``i`` or ``j`` is no whole number, `ValueError` when ``H`` has no such column.
    """
    xp, units = _unit_columns(H, i, j)
    return xp.clip(xp.sum(units[..., i] * units[..., j], axis=-1), -1.0, 1.0)


def absolute_cosine(H: Array, i: int = 0, j: int = 1) -> Array:
    """|cos| of the angle between samples ``i`` and ``j``; shape ``(...)``, in [0, 1]. Raises as `cosine`."""
    return abs(cosine(H, i, j))


def mean_absolute_cosine(H: Array) -> Array:
    """Mean of |cos| over the n(n − 1)/2 pairs of samples; shape ``(...)``, in [0, 1].

    Raises `ValueError` for a single sample, which has no pair.
    """
    xp, units = _unit_columns(H, 0, 1)
    n = H.shape[-1]
    cosines = xp.clip(abs(xp.matmul(xp.matrix_transpose(units), units)), 0.0, 1.0)
    above = xp.triu(xp.ones((n, n), dtype=H.dtype, device=device(H)), k=1)
    return xp.sum(cosines * above, axis=(-2, -1)) / (n * (n - 1) / 2)


def cosine_range(H: Array) -> Array:
    """Largest minus smallest cosine over the n(n − 1)/2 pairs of samples; shape ``(...)``, in [0, 2].

    Zero where all angles are equal. NaN where a sample is zero. Raises `ValueError` for a single sample.
    """
    xp, cosines = _cosines(H, 2)
    aside = xp.eye(H.shape[-1], dtype=xp.bool, device=device(H))
    largest = xp.max(xp.where(aside, -math.inf, cosines), axis=(-2, -1))
    return largest - xp.min(xp.where(aside, math.inf, cosines), axis=(-2, -1))


def lone_outlier(H: Array, margin: float = 0.0) -> Array:
    """Which sample stands apart: its largest cosine with the others is below their smallest; shape ``(...)``.

    Its number, 0 … n − 1, or −1 where no sample does; NaN where a sample is zero. No threshold is involved unless
    ``margin``, in [0, 2), is given, by which the two cosines must differ. With three samples one stands apart
    almost surely. Raises `ValueError` for fewer, and for another margin; `TypeError` for one that is no real number.
    """
    margin = real_number("lone_outlier margin", margin, "one in [0, 2)")
    if not 0 <= margin < 2:
        raise ValueError(f"lone_outlier margin={margin!r} is not a number in [0, 2)")
    xp, cosines = _cosines(H, 3)
    n = H.shape[-1]
    places = xp.arange(n, device=device(H))
    aside = places[:, None] == places
    closest = xp.max(xp.where(aside, -math.inf, cosines), axis=-1)
    candidate = xp.argmin(closest, axis=-1)[..., None]  # the others have each other
    touched = aside | (candidate == places)[..., None] | (candidate == places)[..., None, :]
    others = xp.min(xp.where(touched, math.inf, cosines), axis=(-2, -1))
    found = xp.where(xp.min(closest, axis=-1) + margin < others, xp.astype(candidate[..., 0], H.dtype), -1.0)
    return xp.where(xp.isnan(xp.sum(cosines, axis=(-2, -1))), math.nan, found)


def alive(H: Array) -> Array:
    """1 where every sample has a unit that is not 0, else 0; shape ``(...)``; NaN for a non-finite ``H``.

    A sample without one is dead: it has no cosine, and in a chain of linear layers and ReLU it stays 0 at every depth.
    """
    xp = _namespace(H)
    largest = xp.max(xp.abs(H), axis=-2)
    found = xp.astype(xp.all(largest > 0, axis=-1), H.dtype)
    return xp.where(xp.all(largest < math.inf, axis=-1), found, math.nan)


@dataclass(frozen=True)
class Observable:
    """A named measurement, as engines use it.

    ``function(H, width=d)`` measures ``H`` of shape ``(..., rows, n)``, where ``rows`` may be fewer than the
    width ``d`` when ``H`` is a thin factor. ``gram`` says that the value depends on the representation
    through its Gram matrix and width alone, which is what measuring a thin factor requires.
    """

    name: str
    function: Callable[..., Array]
    gram: bool


def resolve(item: object) -> Observable:
    """The observable meant by ``item``.

    ``item`` is a name in `REGISTRY`; ``"soft_rank(τ)"`` with τ a number in [0, 1]; an `Observable`; or a
    callable of ``H``, named after itself, and taken to depend on ``H`` through its Gram matrix alone only if
    it has a true attribute ``gram_invariant``.

    Raises `ValueError` for an unknown name or bad threshold, `TypeError` for anything else.
    """
    if isinstance(item, Observable):
        return item
    if isinstance(item, str):
        return REGISTRY[item] if item in REGISTRY else _parse(item)
    if not callable(item):
        raise TypeError(f"observable {told(item)} is not a name, a function of H, nor an Observable")
    if item is soft_rank:
        raise TypeError("observable soft_rank needs a threshold: write 'soft_rank(0.5)'")
    name = getattr(item, "__name__", None)
    if not isinstance(name, str):
        raise TypeError(f"observable {told(item)} has no __name__; wrap it in an Observable")
    if item in _PLAIN:
        return REGISTRY[name]
    return Observable(name, partial(_ignoring_width, item), bool(getattr(item, "gram_invariant", False)))


def _parse(text: str) -> Observable:
    """``soft_rank(0.5)`` and nothing else that is not in the registry."""
    call = re.fullmatch(r"soft_rank\(([^()]*)\)", text)
    if call is None:
        known = [*REGISTRY, "soft_rank(0.5)"]
        near = difflib.get_close_matches(text, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown observable {text!r}; {hint}known are {', '.join(known)}")
    try:
        tau = float(call[1])
    except ValueError:
        raise ValueError(f"soft_rank threshold tau={told(call[1])} is not a number; give one in [0, 1]") from None
    return Observable(text, partial(soft_rank, tau=_threshold(tau)), gram=True)


def _ignoring_width(function: Callable[[Array], Array], H: Array, *, width: int) -> Array:
    return function(H)


def _namespace(H: Array) -> Any:
    """The array namespace of ``H``, after the checks that every observable makes."""
    if not is_array_api_obj(H):
        raise TypeError(f"H={told(H)} is a {type(H).__name__}; observables need a real floating array")
    xp = array_namespace(H)
    if not xp.isdtype(H.dtype, "real floating"):
        raise TypeError(f"H has dtype {H.dtype}; observables need a real floating array")
    if H.ndim < 2 or 0 in H.shape:
        raise ValueError(f"H has shape {tuple(H.shape)}; observables need (..., d, n) with d, n ≥ 1")
    return xp


def _over_peak(xp: Any, H: Array, axis: int | tuple[int, int]) -> Array:
    """``H`` over its largest entry along ``axis``; zero where all entries are zero or one is not finite.

    ``H`` itself, divided by nothing, where no square can overflow, or underflow to a loss that counts.
    """
    peak = xp.maximum(xp.max(H, axis=axis, keepdims=True), -xp.min(H, axis=axis, keepdims=True))
    safe = (peak > 1e-6) & (peak < 1e6)
    if xp.all(safe):
        return H
    usable = (peak > 0) & (peak < math.inf)
    # What is safe keeps its bits, whatever is beside it.
    return xp.where(usable, H / xp.where(usable & ~safe, peak, 1.0), 0.0)


def _products(H: Array) -> tuple[Any, Array, Array]:
    """C of ``H`` or of a multiple of it, and its trace, NaN where there is none."""
    xp = _namespace(H)
    scaled = _over_peak(xp, H, (-2, -1))
    products = xp.matmul(xp.matrix_transpose(scaled), scaled)
    return xp, products, _or_nan(xp, xp.linalg.trace(products))


def _singular_values(H: Array) -> tuple[Any, Array]:
    """All n singular values of ``H`` over its largest entry, descending; the last n − d are zero if d < n."""
    xp = _namespace(H)
    scaled = _over_peak(xp, H, (-2, -1))
    sigma = xp.linalg.svdvals(scaled)
    missing = H.shape[-1] - sigma.shape[-1]
    if missing:
        zeros = xp.zeros((*sigma.shape[:-1], missing), dtype=H.dtype, device=device(H))
        sigma = xp.concat([sigma, zeros], axis=-1)
    return xp, sigma


def _unit_columns(H: Array, *needed: int) -> tuple[Any, Array]:
    """``H`` with columns of norm 1, a zero column becoming NaN; columns may differ in scale at will."""
    xp, n = _namespace(H), H.shape[-1]
    for column in needed:
        if whole_number("sample", column, -n) >= n:
            raise ValueError(f"H has {n} column(s), so none numbered {column}; a cosine needs two samples")
    columns = _over_peak(xp, H, -2)
    norms = xp.sqrt(xp.sum(columns * columns, axis=-2, keepdims=True))
    return xp, columns / _or_nan(xp, norms)


def _cosines(H: Array, least: int) -> tuple[Any, Array]:
    """The cosines of all pairs of at least so many samples, ``(..., n, n)``."""
    xp, units = _unit_columns(H)
    if H.shape[-1] < least:
        raise ValueError(f"H has {H.shape[-1]} column(s); want n ≥ {least} samples")
    return xp, xp.matmul(xp.matrix_transpose(units), units)


def _or_nan(xp: Any, denominator: Array) -> Array:
    """Zero replaced by NaN: a division is then undefined quietly, in both libraries."""
    return xp.where(denominator > 0, denominator, math.nan)


def _threshold(tau: object) -> float:
    number = real_number("soft_rank threshold tau", tau, "one in [0, 1]")
    if not 0 <= number <= 1:
        raise ValueError(f"soft_rank threshold tau={told(tau)} is not a number in [0, 1]")
    return number


_PLAIN: tuple[Callable[[Array], Array], ...] = (
    orthogonality_gap, smallest_eigenvalue, smallest_eigenvalue_gap, spectrum, gram, effective_rank,
    cosine, absolute_cosine, mean_absolute_cosine, cosine_range, lone_outlier, alive,
)

REGISTRY: Mapping[str, Observable] = MappingProxyType({
    function.__name__: Observable(function.__name__, partial(_ignoring_width, function), gram=True)
    for function in _PLAIN
})
"""The observables without parameters, by name. All depend on ``H`` through its Gram matrix."""
