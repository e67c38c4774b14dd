"""Named values of the coordinates of a start, eigenbases first, and the name of a start: what a
lay-out is made of and reports.

Eigenbases of a batch's Gram matrix are orthogonal vectors of rationals; an axis may have any
length.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from simulators.arguments import whole_number
from simulators.starts.start import Start, Vector, diagonal_axes
from simulators.strategies import corner_spectra

__all__ = [
    "corner_axes",
    "corner_samples",
    "corner_scales",
    "haar_mirrors",
    "helmert_axes",
    "named",
    "pair_axes",
]

#: Normal coordinates of a mirror are rounded to so many parts of one.
_GRID = 30


def helmert_axes(n: int) -> tuple[Vector, ...]:
    """The mean direction (1, …, 1), then Helmert's contrasts (1, …, 1, -k, 0, …, 0).

    ``n`` ≥ 1 vectors of n entries each, orthogonal, of different lengths.

    Example:
        >>> [list(map(int, axis)) for axis in helmert_axes(3)]
        [[1, 1, 1], [1, -1, 0], [1, 1, -2]]
    """
    contrasts = [
        (Fraction(1),) * k + (Fraction(-k),) + (Fraction(0),) * (n - k - 1) for k in range(1, n)
    ]
    return ((Fraction(1),) * n, *contrasts)


def pair_axes(n: int) -> tuple[Vector, ...]:
    """Sums of the pairs of neighbours (0, 1), (2, 3), …, then, if n is odd, the last sample, then
    their differences.

    Large leading eigenvalues bring the two samples of every pair together, and leave the pairs
    apart.

    Args:
        n: samples, at least 1.

    Example:
        >>> [list(map(int, axis)) for axis in pair_axes(3)]
        [[1, 1, 0], [0, 0, 1], [1, -1, 0]]
    """

    def pair(k: int, sign: int) -> Vector:
        return tuple(Fraction({2 * k: 1, 2 * k + 1: sign}.get(i, 0)) for i in range(n))

    alone = [tuple(Fraction(i == n - 1) for i in range(n))] * (n % 2)
    return (*(pair(k, 1) for k in range(n // 2)), *alone, *(pair(k, -1) for k in range(n // 2)))


def corner_axes(n: int) -> dict[str, tuple[Vector, ...]]:
    """Named bases of n samples, all different; the first axis carries the first eigenvalue of a
    spectrum.

    ``mean last`` is Helmert's in opposite order: with a descending spectrum the mean direction has
    the smallest eigenvalue, so that samples are anti-correlated.

    Raises `ValueError` for n < 1.

    Args:
        n: samples, at least 1.

    >>> corner_axes(2)["mean first"]
    ((Fraction(1, 1), Fraction(1, 1)), (Fraction(1, 1), Fraction(-1, 1)))
    """
    if whole_number("n", n, 1) == 1:
        return {"diagonal": diagonal_axes(1)}
    found = {
        "diagonal": diagonal_axes(n),
        "mean first": helmert_axes(n),
        "mean last": helmert_axes(n)[::-1],
    }
    if n > 3:
        found["pairs first"] = pair_axes(n)
    return found


def haar_mirrors(n: int, generator: np.random.Generator) -> tuple[Vector, ...]:
    """Mirrors whose product is an orthogonal matrix of Haar's law, up to the rounding of their
    coordinates.

    One of each dimension 2 … n, within the last coordinates, with independent normal entries
    (Stewart 1980, whose signs no Gram matrix sees). Entries are whole numbers. Raises `ValueError`
    for n < 1.

    Cost: O(n²) normals of the ``generator``.

    Args:
        n: samples, at least 1.
        generator: of NumPy, which draws the normals and is advanced.

    Example:
        >>> len(haar_mirrors(4, np.random.default_rng(0)))
        3
    """
    whole_number("n", n, 1)
    found = []
    for size in range(2, n + 1):
        entries = [round(_GRID * x) for x in generator.standard_normal(size).tolist()]
        # the mirror that takes the first axis of its block to the drawn direction, rounded
        length = round(sum(x * x for x in entries) ** 0.5) or 1
        entries[0] += length if entries[0] >= 0 else -length
        found.append((Fraction(0),) * (n - size) + tuple(map(Fraction, entries)))
    return tuple(found)


#: Which samples are copied, and their signs.
Samples: TypeAlias = tuple[tuple[int, ...], Vector]

_LARGE, _SMALL = Fraction(100), Fraction(1, 100)


def corner_samples(n: int) -> dict[str, Samples]:
    """Copies and signs of n samples by name, all different: as they are, turned round, twice, and
    x, -x.

    Raises `ValueError` for n < 1.

    Args:
        n: samples, at least 1.

    >>> corner_samples(2)["x, -x"]
    ((0, 0), (Fraction(1, 1), Fraction(-1, 1)))
    """
    own, plus = tuple(range(whole_number("n", n, 1))), (Fraction(1),) * n
    found: dict[str, Samples] = {"as they are": (own, plus)}
    if n > 1:
        alternating = tuple(Fraction((-1) ** k) for k in own)
        found["signs alternating"] = (own, alternating)
        found["x, x"] = ((0, 0, *own[2:]), plus)
        found["x, -x"] = ((0, 0, *own[2:]), (Fraction(1), Fraction(-1), *plus[2:]))
    if n > 3:
        found["pairs x, -x"] = (tuple(k - k % 2 for k in own), alternating)
    return found


def corner_scales(n: int) -> dict[str, Vector]:
    """Norms of n samples, relative to what the spectrum gives them, by name, all different.

    Raises `ValueError` for n < 1.

    Args:
        n: samples, at least 1.

    >>> [str(x) for x in corner_scales(3)["first ×100"]]
    ['100', '1', '1']
    """
    rest = (Fraction(1),) * (whole_number("n", n, 1) - 1)
    found = {"as they are": (Fraction(1), *rest)}
    if n > 1:
        found |= {"first ×100": (_LARGE, *rest), "first ×1/100": (_SMALL, *rest)}
    if n > 2:
        found["growing"] = tuple(Fraction(k + 1) for k in range(n))
    return found


def named(start: Start) -> dict[str, str]:
    """A start's coordinates in words: ``spectrum``, ``basis``, ``samples``, ``scales``, ``rows``.

    What is plain is left out, except the spectrum and the basis.

    Args:
        start: of any size.

    >>> half, one = Fraction(1, 2), Fraction(1)
    >>> named(Start((half, half), copies=(0, 0), scales=(one, -one)))
    {'spectrum': 'uniform', 'basis': 'diagonal', 'samples': 'x, -x'}
    """
    size = start.size
    mirrored = len(start.mirrors)
    basis = _name(corner_axes(size), start.axes) or "other axes"
    found = {
        "spectrum": _name(corner_spectra(size), start.spectrum) or _numbers(start.spectrum),
        "basis": basis + f" turned by {mirrored} mirror{'s' * (mirrored > 1)}" * (mirrored > 0),
    }
    signs = tuple(Fraction(1 if s > 0 else -1) for s in start.scales)
    samples = _name(corner_samples(size), (start.copies, signs))
    if samples != "as they are":
        copied = size - len(set(start.copies))
        found["samples"] = samples or f"{copied} copied, {signs.count(Fraction(-1))} turned round"
    sizes = tuple(abs(s) for s in start.scales)
    scales = _name(corner_scales(size), sizes) or _multiple(sizes)
    if scales != "as they are":
        found["scales"] = scales
    if start.repeats > 1:
        found["rows"] = f"stacked {start.repeats} times"
    return found


def _name(corners: Mapping[str, object], value: object) -> str:
    return next((name for name, corner in corners.items() if corner == value), "")


def _multiple(sizes: Vector) -> str:
    return f"all ×{sizes[0]}" if len(set(sizes)) == 1 else f"×{_numbers(sizes)}"


def _numbers(values: Vector) -> str:
    return "(" + ", ".join(f"{float(x):.4g}" for x in values) + ")"
