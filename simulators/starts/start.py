"""A first batch whose Gram matrix is known in rationals, although its entries are square roots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import flint
import numpy as np

from simulators.arguments import require, whole_number
from simulators.arrays import Floats

__all__ = ["Start", "Vector", "diagonal_axes"]

Vector: TypeAlias = tuple[Fraction, ...]


@dataclass(frozen=True)
class Start:
    """n samples: ``scales[i]`` times the sample ``copies[i]`` of a batch with a known spectrum and
    eigenbasis.

    That batch is diag(√λ)Uᵀ, with λ the ``spectrum`` (nonnegative, not all zero) and column k of U
    along ``axes[k]``, after its reflection in the hyperplane orthogonal to each of ``mirrors`` in
    turn. Axes are orthogonal vectors of rationals, of any length: so Helmert's basis, too, gives a
    rational Gram matrix. Every rational eigenbasis is the image of the diagonal one under at most n
    mirrors.

    With ``repeats`` = m the rows are stacked m times, each over √m: the Gram matrix is the same,
    and fewer rows are zero, which a residual chain sees.

    ``axes``, ``copies`` and ``scales`` are, by default, the diagonal basis, every sample itself,
    and 1. A negative scale turns a sample round: copies (0, 0) with scales (1, -1) are x, -x.

    Raises `ValueError` for vectors of other lengths, axes that are not orthogonal or zero, a mirror
    that is zero, and copies of samples that are not there; `TypeError` for a number of repeats that
    is not whole.

    >>> half, one = Fraction(1, 2), Fraction(1)
    >>> Start((half, half), copies=(0, 0), scales=(one, -one)).gram
    ((Fraction(1, 2), Fraction(-1, 2)), (Fraction(-1, 2), Fraction(1, 2)))
    """

    spectrum: Vector
    axes: tuple[Vector, ...] = ()
    mirrors: tuple[Vector, ...] = ()
    copies: tuple[int, ...] = ()
    scales: Vector = ()
    repeats: int = 1

    def __post_init__(self) -> None:
        size = len(self.spectrum)
        rows = range(size)
        fill: dict[str, Any] = {
            "axes": diagonal_axes(size),
            "copies": tuple(rows),
            "scales": (Fraction(1),) * size,
        }
        for name, plain in fill.items():
            object.__setattr__(self, name, getattr(self, name) or plain)
        _require_size("spectrum", self.spectrum, size)
        require(
            size and min(self.spectrum) >= 0 and any(self.spectrum),
            "spectrum: give nonnegative numbers, not all zero",
        )
        for name in ("axes", "copies", "scales"):
            _require_size(name, getattr(self, name), size)
        for name in ("axes", "mirrors"):
            for vector in getattr(self, name):
                _require_size(f"{name}, each", vector, size)
                require(any(vector), f"{name}: one is the zero vector, which has no direction")
        require(
            (k := _first_oblique(self.axes)) is None,
            f"axes[{k}] is not orthogonal to those before it",
        )
        require(
            all(copy in rows for copy in self.copies),
            f"copies={self.copies}: want numbers of samples, 0 to {size - 1}",
        )
        whole_number("repeats", self.repeats, 1)

    @property
    def size(self) -> int:
        """The number n of samples.

        One for each eigenvalue of the spectrum.
        """
        return len(self.spectrum)

    @property
    def plain(self) -> bool:
        """Whether no sample is copied, and all scales are 1 or -1: the eigenvalues are then the
        spectrum.
        """
        return len(set(self.copies)) == self.size and all(
            abs(s) == abs(self.scales[0]) for s in self.scales
        )

    @cached_property
    def turned(self) -> tuple[Vector, ...]:
        """The axes after all reflections.

        Vectors of rationals, orthogonal still, as long as the axes were.
        """
        return _turned(self.axes, self.mirrors)

    @cached_property
    def gram(self) -> tuple[Vector, ...]:
        """C = HᵀH, n × n, exactly. Cost: O(n³) operations on fractions.

        A tuple of rows of fractions; made once.
        """
        columns = _matrix([self._column(k) for k in range(self.size)])
        weights = flint.fmpq_mat(self.size, self.size)
        for k, (value, axis) in enumerate(zip(self.spectrum, self.turned, strict=True)):
            weights[k, k] = _rational(value / _product(axis, axis))
        found = columns * weights * columns.transpose()
        return tuple(tuple(map(_fraction, row)) for row in found.tolist())

    def _column(self, sample: int) -> Vector:
        """The coordinates along the axes of one sample of the start, times the lengths of the
        axes.
        """
        scale, copy = self.scales[sample], self.copies[sample]
        return tuple(scale * axis[copy] for axis in self.turned)

    def batch(self, rows: int) -> Floats:
        """H in float64, (rows, n), samples as columns, zeros below the n · ``repeats`` rows that
        are none.

        Raises `ValueError` for fewer rows than that.

        Args:
            rows: of the batch, at least n · ``repeats``.
        """
        require(
            whole_number("rows", rows, 1) >= self.size * self.repeats,
            f"rows={rows}: {self.size} samples, their rows stacked {self.repeats} times, "
            f"take {self.size * self.repeats}",
        )
        values = np.array([float(x) for x in self.spectrum])
        axes = np.array([_floats(axis) for axis in self.turned])
        base = np.sqrt(values)[:, None] * axes
        samples = base[:, list(self.copies)] * np.array([float(s) for s in self.scales])
        found = np.zeros((rows, self.size))
        for k in range(self.repeats):
            found[k * self.size : (k + 1) * self.size] = samples / np.sqrt(self.repeats)
        return found


def diagonal_axes(n: int) -> tuple[Vector, ...]:
    """The coordinate axes: orthogonal samples. ``n`` ≥ 1 vectors of n entries each.

    Example:
        >>> diagonal_axes(2)[1]
        (Fraction(0, 1), Fraction(1, 1))
    """
    return tuple(_unit(n, j) for j in range(n))


def _unit(n: int, place: int) -> Vector:
    return tuple(Fraction(i == place) for i in range(n))


def _require_size(name: str, given: Sequence[object], size: int) -> None:
    require(len(given) == size, f"{name}: {len(given)} entries, and the spectrum has {size}")


def _product(left: Vector, right: Vector) -> Fraction:
    return sum((x * y for x, y in zip(left, right, strict=True) if x and y), Fraction(0))


@lru_cache(maxsize=256)
def _first_oblique(axes: tuple[Vector, ...]) -> int | None:
    """The first axis that is not orthogonal to those before it."""
    for k, axis in enumerate(axes):
        if any(_product(axis, other) for other in axes[:k]):
            return k
    return None


@lru_cache(maxsize=256)
def _turned(axes: tuple[Vector, ...], mirrors: tuple[Vector, ...]) -> tuple[Vector, ...]:
    for mirror in mirrors:
        length = _product(mirror, mirror)
        axes = tuple(_reflected(axis, mirror, length) for axis in axes)
    return axes


def _reflected(axis: Vector, mirror: Vector, length: Fraction) -> Vector:
    share = 2 * _product(axis, mirror) / length
    return tuple(x - share * m for x, m in zip(axis, mirror, strict=True))


def _floats(axis: Vector) -> Floats:
    """The axis over its length."""
    top = max(abs(x) for x in axis)
    entries = np.array([float(x / top) for x in axis])
    found: Floats = entries / np.sqrt(entries @ entries)
    return found


def _matrix(rows: Sequence[Vector]) -> flint.fmpq_mat:
    return flint.fmpq_mat([list(map(_rational, row)) for row in rows])


def _rational(x: Fraction) -> flint.fmpq:
    return flint.fmpq(x.numerator, x.denominator)


def _fraction(x: flint.fmpq) -> Fraction:
    return Fraction(int(x.p), int(x.q))
