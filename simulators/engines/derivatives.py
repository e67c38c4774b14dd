"""Derivatives on their way through a chain: gradients going back, and tangents going forward.

Either may grow or shrink exponentially with depth, so it is carried with a power of two.

What rounding makes of them is estimated from what layers do to them. The maps that a derivative has
still to pass treat its rounding as they treat itself, unless they cancel: as where the mean over
the batch, or the direction of a row, is projected out of one that has little else. How much a layer
cancels is seen by a trial: rows and derivative are moved by some roundings, and what comes of that
is compared with the derivative that leaves. Where none is made, one that sinks is taken to be
cancelled by as much.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulators.arrays import Array, Floats
from simulators.backend import Backend
from simulators.chains import Chain
from simulators.engines.powers_of_two import levelled, peaks
from simulators.engines.rounding import ROUNDINGS, Representation
from simulators.layers import ScaleResponse

__all__ = ["Accompanied", "Derivatives", "Tangents", "rows_tried"]

_TRIED = 64
"""Rows of each block of rows on which a trial is made, after the first block of layers: there they
are as good as any, as weights have mixed what came before. At the batch all are tried."""

_FIRST = 4
"""So many blocks are tried from the batch on, and those whose number is a power of two. What
cancels in a chain does so in all blocks from one on."""

_ROOM = 32
"""A derivative's largest entry is kept within this power of two, either way: layers may change it a
thousand binary orders more before floats end."""


def rows_tried(block: int, widest: int) -> int:
    """How many rows of each block of rows are tried in a block of layers, 0 being that at the
    batch, of which ``widest`` is the largest number of rows.

    Example:
        >>> [rows_tried(block, 1000) for block in (0, 1, 5, 8)]
        [1000, 64, 0, 64]
    """
    if not block:
        return widest
    return _TRIED if block < _FIRST or block & (block - 1) == 0 else 0


@dataclass(frozen=True)
class Derivatives:
    """Gᵀ of one layer's G = ∂L/∂H, or tangents Ḣᵀ, over 2 to the power of ``exponents``:
    ``(g, n, d)`` and ``(g,)``.

    - ``error``: how far rounding may have moved each, relative to its norm, ``(g,)``, in [0, 1]
    - ``largest``: its largest entry when it was last brought near one, ``(g,)``

    Example:
        >>> none = np.zeros(1)
        >>> Derivatives(np.ones((1, 2, 3)), np.zeros(1, np.int64), none, none).rows.shape
        (1, 2, 3)
    """

    rows: Array
    exponents: NDArray[np.int64]
    error: Floats
    largest: Floats

    @classmethod
    def of(cls, rows: Array, error: Floats, backend: Backend) -> Derivatives:
        """Those that are ``rows``, ``(g, n, d)``, with the ``error``, ``(g,)``, that they have.

        Example:
            >>> from simulators.backend import NumpyBackend
            >>> rows = np.full((1, 1, 1), 2.0**40)
            >>> Derivatives.of(rows, np.zeros(1), NumpyBackend("float64")).exponents.tolist()
            [41]
        """
        zeros = np.zeros(len(rows), dtype=np.int64)
        return cls(rows, zeros, error, np.ones(len(rows)))._levelled(peaks(rows, backend), backend)

    def moved_to(self, rows: Array) -> Derivatives:
        """What has become of them, ``(g, n, m)``, with the exponents and errors that they had."""
        return Derivatives(rows, self.exponents, self.error, self.largest)

    def past(self, tried: int, backend: Backend) -> Derivatives:
        """The same at the end of a block of layers, of which ``tried`` rows were tried: near one
        where they were far from that.

        Only exponents change, so that nothing is rounded.
        """
        largest, found = peaks(self.rows, backend), self
        if not tried:
            left = np.where(largest > 0, largest, math.inf)  # nothing left is nothing lost
            found = self.cancelled(self.largest / left, backend)
        return found._levelled(largest, backend)

    def cancelled(self, by: Floats, backend: Backend) -> Derivatives:
        """The same, whose relative errors have become so many times larger, ``(g,)``."""
        unit = float(np.finfo(backend.dtype).eps) / 2
        error = np.fmin(1.0, ROUNDINGS * unit * by)  # 1 where that is no number
        return Derivatives(self.rows, self.exponents, np.maximum(self.error, error), self.largest)

    def _levelled(self, largest: Floats, backend: Backend) -> Derivatives:
        rows, exponents = levelled(self.rows, largest, _ROOM, backend)
        return Derivatives(
            rows, self.exponents + exponents, self.error, np.ldexp(largest, -exponents)
        )


@dataclass(frozen=True)
class Accompanied(Representation):
    """A representation, and the ``tangents`` that came along with it, if any did.

    Example:
        >>> Accompanied(np.zeros((3, 2, 2))).tangents is None
        True
    """

    tangents: Derivatives | None = None


@dataclass(frozen=True)
class Tangents:
    """Where tangents start: ``count`` of them for every replica.

    ``start`` gives Ḣ₀ᵀ of a group of replicas, ``(g, count, n, d₀)``. They go through weights
    beside H, as further samples: given [H Ḣ], W[H Ḣ] has one law, which is known.

    Example:
        >>> Tangents(1, lambda group: np.ones((len(group), 1, 2, 3))).start(range(4)).shape
        (4, 1, 2, 3)
    """

    count: int
    start: Callable[[range], Array]

    def of(self, group: range, chain: Chain, exponent: int, backend: Backend) -> Derivatives:
        """Those of a group at the batch of a ``chain``, ``(g · count, n, d₀)``, where H₀ was
        divided by 2 to the power of ``exponent``.

        Where the block takes the scale of H out, a smaller H is moved by more; where it keeps it,
        the derivative is the same at any.
        """
        start = self.start(group)
        rows = backend.xp.reshape(start, (-1, *start.shape[2:]))
        found = Derivatives.of(rows, np.zeros(len(rows)), backend)
        free = chain.scaling is ScaleResponse.FREE
        return replace(found, exponents=found.exponents - (exponent if free else 0))
