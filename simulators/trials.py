"""Trials of functions of a number: what a fixed grid of points says about them.

A trial refutes and never proves: what holds at every point of the grid may fail between them.

Example:
    >>> import numpy as np
    >>> import array_api_compat.numpy as xp
    >>> is_homogeneous(lambda x: np.maximum(x, 0), xp), is_homogeneous(np.tanh, xp)
    (True, False)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from array_api_compat import is_array_api_obj

from simulators.arguments import kind_of, require
from simulators.arrays import Array, Floats, Namespace

__all__ = [
    "Function",
    "is_homogeneous",
    "is_odd",
    "require_derivative",
    "require_homogeneous",
    "require_nonnegative",
    "require_numbers",
    "require_odd",
    "vanishes",
]

Function: TypeAlias = Callable[[Array], Array]
"""A function of a number, applied to the entries of an array ``(k, n, m)``, which it may overwrite,
of the library and dtype that it is given.
"""

_SIZES = (1.0, 0.5, 2.0, 0.0, 1e-300, 1e-30, 1e-8, 1e-3, 0.1, 0.37, 1.3, 3.1, 4.7, 9.0, 31.0, 100.0)
_POINTS = np.outer(_SIZES, (1.0, -1.0)).ravel()
_FAR = np.outer((1e3, 1e6, 1e30, 0.7), (1.0, -1.0)).ravel()
_ALL = np.concatenate([_POINTS, _FAR])  # homogeneous functions know no scale
_FACTORS = (0.25, 1.7, 3.0)
_NEAR = 9.0
"""Up to here functions of a network differ from their limits by more than rounding."""
_AGREES = 1e-9
"""Relative: far above the rounding of a few operations, far below what another function does."""
_STEP = 1e-6
"""Of difference quotients, relative to points beyond 1: rounding moves them by 1e-9 or less."""
_SETTLES = 0.1
"""Relative, of difference quotients when their step is halved."""
_SLOPE_AGREES = 1e-4
"""Relative, of a derivative to what difference quotients leave open."""


def require_numbers(what: str, function: Function, xp: Namespace) -> None:
    """Raise `ValueError` unless the function keeps shape and dtype, float32 and float64, gives no
    NaN at any finite point, and does the same to an entry wherever that stands.

    Args:
        what: what is tried, as the refusal calls it.
        function: of an array, which gives one of its shape.
        xp: the namespace of an array library, NumPy's or Torch's.

    Example:
        >>> import array_api_compat.numpy as xp
        >>> require_numbers("F", xp.log, xp)
        Traceback (most recent call last):
        ValueError: F gives nan in float32 at -1, -0.5, -2; want a number at every finite one
    """
    for dtype, points in (("float32", _POINTS), ("float64", _ALL)):
        image = _image(what, function, points, xp, dtype)
        undefined = points[np.isnan(image)]
        require(
            not undefined.size,
            f"{what} gives nan in {dtype} at {', '.join(f'{x:.4g}' for x in undefined[:3])}; want "
            "a number at every finite one",
        )
        fewer = points[:-2]
        elsewhere = np.roll(_image(what, function, np.roll(fewer, 1), xp, dtype), -1)
        at = _worst(image[:-2], elsewhere, 1e3 * float(np.finfo(dtype).eps))
        if at is not None:
            raise ValueError(
                f"{what} gives {image[at]:.6g} and {elsewhere[at]:.6g} for {points[at]:.4g} beside "
                "other entries; want a function of each entry by itself"
            )


def is_homogeneous(function: Function, xp: Namespace) -> bool:
    """Whether F(sx) = sF(x) for every point x of the grid and several s > 0.

    Args:
        function: as `require_numbers` takes it.
        xp: the namespace of the library that it is tried in.

    Example:
        >>> import array_api_compat.numpy as xp
        >>> is_homogeneous(xp.abs, xp)
        True
    """
    return _against_homogeneity(function, xp) is None


def is_odd(function: Function, xp: Namespace) -> bool:
    """Whether F(−x) = −F(x) for every point x of the grid.

    Args:
        function: as `require_numbers` takes it.
        xp: the namespace of the library that it is tried in.

    Example:
        >>> import array_api_compat.numpy as xp
        >>> is_odd(xp.sin, xp)
        True
    """
    return _against_oddness(function, xp) is None


def vanishes(function: Function, xp: Namespace) -> bool:
    """Whether F is 0 at neighbouring points of the grid, of moderate size.

    What underflows far from 0 does not count.

    Args:
        function: as `require_numbers` takes it.
        xp: the namespace of the library that it is tried in.

    Example:
        >>> import array_api_compat.numpy as xp
        >>> vanishes(lambda x: xp.where(x > 1, x, 0 * x), xp), vanishes(xp.sin, xp)
        (True, False)
    """
    points = np.sort(_POINTS[(abs(_POINTS) <= _NEAR) & (abs(_POINTS) >= 1e-3)])
    zero = _image("F", function, points, xp) == 0
    return bool((zero[1:] & zero[:-1]).any())


def require_homogeneous(what: str, function: Function, xp: Namespace) -> None:
    """Raise `ValueError` with a point and a factor where F(sx) is not sF(x).

    The arguments are those of `require_numbers`, which the function has passed.

    Example:
        >>> import array_api_compat.numpy as xp
        >>> require_homogeneous("F", xp.abs, xp)
    """
    found = _against_homogeneity(function, xp)
    require(found is None, f"{what} is declared homogeneous, but {found}; say homogeneous=False")


def require_odd(what: str, function: Function, xp: Namespace) -> None:
    """Raise `ValueError` with a point where F(−x) is not −F(x).

    The arguments are those of `require_numbers`, which the function has passed.

    Example:
        >>> import array_api_compat.numpy as xp
        >>> require_odd("F", xp.cos, xp)
        Traceback (most recent call last):
        ValueError: F is declared odd, but F(-1) = 0.540302 is not −F(1) = -0.540302; say odd=False
    """
    found = _against_oddness(function, xp)
    require(found is None, f"{what} is declared odd, but {found}; say odd=False")


def require_nonnegative(what: str, function: Function, xp: Namespace) -> None:
    """Raise `ValueError` with a point where F(x) < 0.

    The arguments are those of `require_numbers`, which the function has passed.

    Example:
        >>> import array_api_compat.numpy as xp
        >>> require_nonnegative("F", xp.sinh, xp)
        Traceback (most recent call last):
        ValueError: F is declared nonnegative, but F(-100) = -1.34406e+43; say nonnegative=False
    """
    image = _image(what, function, _POINTS, xp)
    at = int(np.argmin(image))
    require(
        image[at] >= 0,
        f"{what} is declared nonnegative, but F({_POINTS[at]:.4g}) = {image[at]:.6g}; say "
        "nonnegative=False",
    )


def require_derivative(what: str, function: Function, derivative: Function, xp: Namespace) -> None:
    """Raise `ValueError` unless the derivative lies between the difference quotients of both sides,
    but for rounding, at every point of the grid where these settle.

    So any slope between those of both sides will do at a kink. ``derivative`` must pass
    `require_numbers` as well, which is checked here; the other arguments are as there.

    Example:
        >>> import array_api_compat.numpy as xp
        >>> require_derivative("F", xp.sin, xp.cos, xp)
    """
    named = f"the derivative of {what}"
    require_numbers(named, derivative, xp)
    points = np.concatenate([_POINTS, [-1e3, 1e3]])
    slopes = _image(named, derivative, points, xp)
    with np.errstate(all="ignore"):
        step = _STEP * np.maximum(1.0, abs(points))
        left, right = (_quotients(what, function, points, side * step, xp) for side in (-1, 1))
        halves = [_quotients(what, function, points, side * step / 2, xp) for side in (-1, 1)]
        size = np.maximum(np.maximum(abs(left), abs(right)), 1e-300)
        change = np.maximum(abs(left - halves[0]), abs(right - halves[1]))
        settled = change <= _SETTLES * (1 + size)
        values = abs(_image(what, function, points, xp))
        room = _SLOPE_AGREES * np.maximum(size, 1e-3) + 8 * np.finfo(float).eps * values / step
        beyond = (
            np.maximum(slopes - np.maximum(left, right), np.minimum(left, right) - slopes) / room
        )
        at = int(np.argmax(np.where(settled, beyond, 0.0)))
    require(
        beyond[at] <= 1 or not settled[at],
        f"{named} is {slopes[at]:.6g} at {points[at]:.4g}, where central differences give "
        f"{(left[at] + right[at]) / 2:.6g}; want the derivative, or None for that by Torch",
    )


def _against_homogeneity(function: Function, xp: Namespace) -> str | None:
    """A point and a factor that refute it, in words."""
    image = _image("F", function, _ALL, xp)
    for factor in _FACTORS:
        scaled = _image("F", function, factor * _ALL, xp)
        at = _worst(scaled, factor * image, _AGREES)
        if at is not None:
            x, got, wanted = _ALL[at], scaled[at], factor * image[at]
            scaled_image = f"{factor} · F({x:.4g}) = {wanted:.6g}"
            return f"F({factor} · {x:.4g}) = {got:.6g} is not {scaled_image}"
    return None


def _against_oddness(function: Function, xp: Namespace) -> str | None:
    """A point that refutes it, in words."""
    image, mirrored = (_image("F", function, sign * _POINTS, xp) for sign in (1.0, -1.0))
    at = _worst(mirrored, -image, _AGREES)
    if at is None:
        return None
    x = _POINTS[at]
    return f"F({-x:.4g}) = {mirrored[at]:.6g} is not −F({x:.4g}) = {-image[at]:.6g}"


def _worst(one: Floats, other: Floats, relative: float) -> int | None:
    """Where the two disagree most, relatively; None where they agree everywhere."""
    with np.errstate(all="ignore"):
        off = np.abs(one - other) / (np.abs(one) + np.abs(other))
    off[one == other] = 0.0
    at = int(np.argmax(off))
    return at if not off[at] <= relative else None


def _quotients(
    what: str, function: Function, points: Floats, step: Floats, xp: Namespace
) -> Floats:
    """(F(x + h) − F(x))/h at every point x, with the step h as it is in floats."""
    ends = points + step
    risen = _image(what, function, ends, xp) - _image(what, function, points, xp)
    return risen / (ends - points)


def _image(
    what: str, function: Function, points: Floats, xp: Namespace, dtype: str = "float64"
) -> Floats:
    """F at the points, in float64. Raises `ValueError` for what is no image of them."""
    given = xp.reshape(xp.asarray(points.astype(dtype)), (1, -1, 2))
    kept, shape = given.dtype, tuple(given.shape)
    with np.errstate(all="ignore"):
        try:
            image = function(given)
        except Exception as error:
            library = getattr(xp, "__name__", str(xp)).rpartition(".")[2]
            told = " ".join(str(error).split())[:100]
            raise ValueError(
                f"{what} fails on an array of {library}: {type(error).__name__}: {told}; want a "
                "function of arrays"
            ) from error
    require(
        is_array_api_obj(image),
        f"{what} gives {kind_of(image)} for an array; want an array like it",
    )
    require(
        tuple(image.shape) == shape,
        f"{what} gives shape {tuple(image.shape)} for shape {shape}; want the same shape",
    )
    require(
        image.dtype == kept, f"{what} gives {image.dtype} for {kept}; want the dtype it is given"
    )
    return (
        np.asarray(image.detach().cpu() if hasattr(image, "detach") else image)
        .astype(np.float64)
        .reshape(math.prod(shape))
    )
