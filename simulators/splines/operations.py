"""What a piecewise affine network is made of, in floats with error bounds and in rationals.

A network is a list of operations. Value 0 is the input, value i + 1 what operation i gives; each
operation says which values it reads. Every operation acts on features laid out as one axis, and
on three kinds of columns: float samples (n, N), float affine maps of a plane with bounds
(`AffineMaps`), and exact columns (`flint.fmpq_mat`), of which the first is the constant part, or a
point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray
from scipy.sparse import csr_array

from simulators.splines.affine_maps import ULP, AffineMaps
from simulators.splines.layer import Layer
from simulators.splines.rationals import nearest, rational, rationals

__all__ = [
    "Activation",
    "Affine",
    "Floats",
    "Normalisation",
    "Operation",
    "Scaling",
    "Sum",
]

Floats: TypeAlias = NDArray[np.float64]


def _columns(matrix: Floats | csr_array, values: Floats) -> Floats:
    """``matrix`` times ``values`` (n, …) along the first axis."""
    flat = values.reshape(len(values), -1)
    return np.asarray(matrix @ flat).reshape(-1, *values.shape[1:])


@dataclass(frozen=True, eq=False)
class Affine:
    """y = W x / divisor + b, with W of shape (m, n), dense or sparse, and b of shape (m,).

    Example:
        >>> layer = Affine(0, np.array([[1.0, 2.0]]), np.array([0.5]))
        >>> layer.of_samples([np.array([[1.0], [1.0]])]).tolist()
        [[3.5]]
        >>> layer.exactly([fmpq_mat(2, 1, [1, 1])])
        [7/2]
    """

    source: int
    weights: Floats | csr_array
    offset: Floats
    divisor: int = 1

    @property
    def reads(self) -> tuple[int, ...]:
        """The numbers of the values it reads."""
        return (self.source,)

    def entries(self) -> fmpq_mat:
        """The weights over the divisor, exactly, of shape (m, n), dense."""
        if isinstance(self.weights, csr_array):
            found = fmpq_mat(*self.weights.shape)
            for i, row in enumerate(self._exact_rows):
                for j, w in row:
                    found[i, j] += w
        else:
            found = self._exact_weights
        return found * fmpq(1, self.divisor)

    @property
    def offsets(self) -> list[fmpq]:
        """The offset, exactly."""
        return self._exact_offset

    def of_samples(self, values: Sequence[Floats]) -> Floats:
        """Float samples (n, N) to float samples (m, N).

        Args:
            values: what it reads.
        """
        return self.of_slopes(values) + self.offset[:, None]

    def of_slopes(self, slopes: Sequence[Floats]) -> Floats:
        """Float Jacobians (n, D) to (m, D).

        Args:
            slopes: of what it reads.
        """
        return _columns(self.weights, slopes[0]) / self.divisor

    def of_maps(self, maps: Sequence[AffineMaps]) -> AffineMaps:
        """Affine maps with bounds.

        Args:
            maps: what it reads.
        """
        (source,) = maps
        values = _columns(self.weights, source.values) / self.divisor
        values[:, 0] += self.offset[:, None]
        sizes = source.magnitudes()
        absolute = abs(self.weights)
        carried = (source.errors + (len(sizes) + 8) * ULP * sizes) / self.divisor
        errors = _columns(absolute, carried)
        shift = np.abs(self.offset)[:, None]
        errors = errors + 4 * ULP * (_columns(absolute, sizes) / self.divisor + shift)
        errors = errors * (1 + 1e-9)
        small = errors < source.lost
        if small.any():
            support = _columns(self._support, (source.errors != 0).astype(np.float64))
            errors[small & ((support > 0) | (shift > 0))] = source.lost
        return AffineMaps(values, errors, source.extent)

    @cached_property
    def _support(self) -> Floats | csr_array:
        if isinstance(self.weights, csr_array):
            return self.weights.astype(bool).astype(np.float64)
        return (self.weights != 0).astype(np.float64)

    @cached_property
    def _exact_offset(self) -> list[fmpq]:
        return rationals(self.offset)

    @cached_property
    def _exact_weights(self) -> fmpq_mat:
        """Of dense weights."""
        return fmpq_mat(*self.weights.shape, rationals(np.ravel(self.weights)))

    @cached_property
    def _exact_rows(self) -> list[list[tuple[int, fmpq]]]:
        """Of sparse weights: columns and entries of each row."""
        weights = csr_array(self.weights)
        bounds = zip(weights.indptr[:-1], weights.indptr[1:], strict=True)
        return [
            [(int(weights.indices[k]), rational(weights.data[k])) for k in range(start, end)]
            for start, end in bounds
        ]

    def exactly(self, columns: Sequence[fmpq_mat]) -> fmpq_mat:
        """Exact columns; the offset goes to the first of them.

        Args:
            columns: what it reads.
        """
        (source,) = columns
        if isinstance(self.weights, csr_array):
            image = fmpq_mat(len(self.offset), source.ncols())
            for i, row in enumerate(self._exact_rows):
                for c in range(source.ncols()):
                    image[i, c] = sum((w * source[j, c] for j, w in row), fmpq(0)) / self.divisor
        else:
            image = self._exact_weights * source
            if self.divisor != 1:
                image = image * fmpq(1, self.divisor)
        for i, shift in enumerate(self._exact_offset):
            image[i, 0] += shift
        return image


@dataclass(frozen=True, eq=False)
class Normalisation:
    """What a batch normalisation is, its statistics unrounded: gain (x - mean)/√(variance + ε) + b.

    - ``gains``, ``offsets``: one a channel; ``eps``: ε
    - ``positions``: features of a channel, which follow one another
    - ``running``: means and variances of the channels, where they are frozen; None for the batch's

    Example:
        >>> Normalisation((fmpq(1),), (fmpq(0),), fmpq(0), 1).running is None
        True
    """

    gains: tuple[fmpq, ...]
    offsets: tuple[fmpq, ...]
    eps: fmpq
    positions: int
    running: tuple[tuple[fmpq, ...], tuple[fmpq, ...]] | None = None


@dataclass(frozen=True, eq=False)
class Scaling:
    """y_i = scale_i x_i + shift_i with rational numbers: batch normalisation with its statistics.

    ``of`` is what it was made of, where scales and shifts are rounded.

    Example:
        >>> Scaling(0, (fmpq(1, 2),), (fmpq(1, 3),)).exactly([fmpq_mat(1, 1, [1])])
        [5/6]
    """

    source: int
    scale: tuple[fmpq, ...]
    shift: tuple[fmpq, ...]
    of: Normalisation | None = None

    @property
    def reads(self) -> tuple[int, ...]:
        """The numbers of the values it reads."""
        return (self.source,)

    @cached_property
    def _floats(self) -> tuple[Floats, Floats]:
        return nearest(self.scale), nearest(self.shift)

    @cached_property
    def _present(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which scales and shifts are not 0, exactly."""
        return np.array([s != 0 for s in self.scale]), np.array([t != 0 for t in self.shift])

    def of_samples(self, values: Sequence[Floats]) -> Floats:
        """Float samples (n, N).

        Args:
            values: what it reads.
        """
        return self.of_slopes(values) + self._floats[1][:, None]

    def of_slopes(self, slopes: Sequence[Floats]) -> Floats:
        """Float Jacobians (n, D).

        Args:
            slopes: of what it reads.
        """
        return np.asarray(self._floats[0][:, None] * slopes[0])

    def of_maps(self, maps: Sequence[AffineMaps]) -> AffineMaps:
        """Affine maps with bounds.

        Args:
            maps: what it reads.
        """
        (source,) = maps
        scale, shift = self._floats
        values = scale[:, None, None] * source.values
        values[:, 0] += shift[:, None]
        size = np.abs(scale)[:, None]
        sizes = source.magnitudes()
        errors = size * (source.errors + 8 * ULP * sizes)
        errors = (errors + 8 * ULP * np.abs(shift)[:, None]) * (1 + 1e-9)
        scaled, shifted = (each[:, None] for each in self._present)
        present = ((source.errors != 0) & scaled) | shifted
        errors[present & (errors < source.lost)] = source.lost
        known = source.multiple_of
        if known is not None:
            known = np.where(scaled & ~shifted, known, np.int32(-1))
        return AffineMaps(values, errors, source.extent, known)

    def exactly(self, columns: Sequence[fmpq_mat]) -> fmpq_mat:
        """Exact columns; the shift goes to the first of them.

        Args:
            columns: what it reads.
        """
        (source,) = columns
        image = fmpq_mat(source.nrows(), source.ncols())
        for i, (scale, shift) in enumerate(zip(self.scale, self.shift, strict=True)):
            for c in range(source.ncols()):
                image[i, c] = scale * source[i, c]
            image[i, 0] += shift
        return image


@dataclass(frozen=True, eq=False)
class Activation:
    """y = x where x ≥ 0 and ``slope`` times x elsewhere, feature by feature.

    ``slope`` 0 is ReLU, −1 the absolute value, others a leaky ReLU. ``name`` is that of the layer.

    Example:
        >>> Activation(0, 0.5, "leaky").of_samples([np.array([[-1.0, 2.0]])]).tolist()
        [[-0.5, 2.0]]
    """

    source: int
    slope: float
    name: str = field(default="", compare=False)

    @property
    def reads(self) -> tuple[int, ...]:
        """The numbers of the values it reads."""
        return (self.source,)

    def of_samples(self, values: Sequence[Floats]) -> Floats:
        """Float samples (n, N).

        Args:
            values: what it reads.
        """
        return np.where(values[0] >= 0, values[0], self.slope * values[0])

    def of_maps_where(
        self, source: AffineMaps, layer: Layer, first: int | None = None
    ) -> AffineMaps:
        """Affine maps with bounds on the regions after it, R of them.

        Args:
            source: what it reads, on the regions before it.
            layer: parents and signs of the regions after it.
            first: the number of its first unit, counted over all layers, where it should be known
                later of which unit a feature is a multiple.
        """
        units, regions = layer.signs.shape
        values = np.empty((units, 3, regions))
        errors = np.empty((units, regions))
        inexact = self.slope not in (0.0, 1.0, -1.0)
        for k, signs in enumerate(layer.signs):  # one at a time; "clip" spares `take` a buffer
            slopes = np.where(signs > 0, 1.0, self.slope)
            np.take(source.values[k], layer.parents, axis=1, out=values[k], mode="clip")
            np.take(source.errors[k], layer.parents, out=errors[k], mode="clip")
            values[k] *= slopes
            errors[k] *= np.abs(slopes)
            if inexact:
                errors[k] += ULP * (source.extent @ np.abs(values[k]))
                errors[k] *= 1 + 1e-9
                present = source.errors[k][layer.parents] != 0
                errors[k][present & (errors[k] < source.lost)] = source.lost
        known = None
        if first is not None:
            numbers = first + np.arange(units, dtype=np.int32)[:, None]
            passing = layer.signs > 0 if self.slope == 0 else layer.signs != 0
            known = np.where(passing, numbers, np.int32(-1))
        return AffineMaps(values, errors, source.extent, known)

    def exactly_where(self, source: fmpq_mat, signs: Sequence[int]) -> fmpq_mat:
        """Exact columns, for features of known signs (n,).

        Args:
            source: what it reads.
            signs: of each feature.
        """
        slope = rational(self.slope)
        image = fmpq_mat(source.nrows(), source.ncols())
        for i, sign in enumerate(signs):
            factor = fmpq(1) if sign > 0 else slope
            for c in range(source.ncols()):
                image[i, c] = factor * source[i, c]
        return image


@dataclass(frozen=True, eq=False)
class Sum:
    """y = x + x′: where a residual branch comes back.

    Example:
        >>> Sum(0, 0).of_samples([np.ones((1, 1)), np.ones((1, 1))]).tolist()
        [[2.0]]
    """

    left: int
    right: int

    @property
    def reads(self) -> tuple[int, ...]:
        """The numbers of the values it reads."""
        return (self.left, self.right)

    def of_samples(self, values: Sequence[Floats]) -> Floats:
        """Float samples (n, N).

        Args:
            values: what it reads.
        """
        return values[0] + values[1]

    def of_slopes(self, slopes: Sequence[Floats]) -> Floats:
        """Float Jacobians (n, D).

        Args:
            slopes: of what it reads.
        """
        return self.of_samples(slopes)

    def of_maps(self, maps: Sequence[AffineMaps]) -> AffineMaps:
        """Affine maps with bounds.

        Args:
            maps: what it reads.
        """
        left, right = maps
        sizes = left.magnitudes() + right.magnitudes()
        errors = left.errors + right.errors
        alone, other = right.vanish(), left.vanish()
        # adding nothing rounds nothing
        errors = (errors + 2 * ULP * sizes * ~(alone | other)) * (1 + 1e-9)
        known = None
        if left.multiple_of is not None and right.multiple_of is not None:
            known = np.where(other, right.multiple_of, np.int32(-1))
            known = np.where(alone, left.multiple_of, known)
        elif left.multiple_of is not None:
            known = np.where(alone, left.multiple_of, np.int32(-1))
        elif right.multiple_of is not None:
            known = np.where(other, right.multiple_of, np.int32(-1))
        return AffineMaps(left.values + right.values, errors, left.extent, known)

    def exactly(self, columns: Sequence[fmpq_mat]) -> fmpq_mat:
        """Exact columns.

        Args:
            columns: what it reads.
        """
        return columns[0] + columns[1]


Operation: TypeAlias = Affine | Scaling | Activation | Sum
