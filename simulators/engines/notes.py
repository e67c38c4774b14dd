"""What is noted of the layers on the way forward, so that gradients can go back through them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from array_api_compat import device
from numpy.typing import NDArray

from simulators.arrays import Array
from simulators.backend import WHOLE_BYTES, Backend
from simulators.layers import Recenter, RowLayer

__all__ = ["Mapping", "Notes", "Products", "Way", "Weighted"]

PIECE_ENTRIES = 2**18
"""Entries of a piece where all together would be more."""

Products: TypeAlias = tuple[Array, NDArray[np.int64]]
"""HᵀH, ``(group, n, n)``, over 2 to the power of the numbers beside it, ``(group,)``."""


@dataclass(frozen=True)
class Mapping:
    """``layers`` that a representation was taken through, one after another.

    ``rows`` are Hᵀ before the first, ``(group, n, width)``; None where no gradient there depends on
    them, as that of a centring. ``drawn``: whether they came from a layer that draws.

    Example:
        >>> Mapping([Recenter()], None, drawn=True).layers
        [Recenter()]
    """

    layers: Sequence[RowLayer]
    rows: Array | None
    drawn: bool


@dataclass(frozen=True)
class Weighted:
    """A layer of weights that a representation was taken through.

    ``back`` takes a gradient at its output, ``(group, k, width)``, which may be overwritten, to
    that at its input; the output has ``gain`` times WH in it; ``products`` are those of the input,
    if they are wanted.

    Example:
        >>> Weighted(lambda gradient: gradient, 1.0, None).gain
        1.0
    """

    back: Callable[[Array], Array]
    gain: float
    products: Products | None


Way: TypeAlias = list[Mapping | Weighted]
"""Through one block, in the order of the way forward, without what gradients pass as they are."""


class Notes:
    """The `ways` through consecutive blocks, in order.

    Of what is kept, ``room`` entries lie in one piece of memory, or in pieces of `PIECE_ENTRIES`
    where they are more than `WHOLE_BYTES`: to ask the system for pages layer by layer costs more
    than the work. ``products``, if given, takes Hᵀ, ``(group, n, width)``, to
    those that are wanted of what weights are applied to.

    Example:
        >>> from simulators.backend import NumpyBackend
        >>> notes, rows = Notes(NumpyBackend("float64"), 100), np.ones((1, 2, 3))
        >>> notes.begin()
        >>> notes.mapped([Recenter()], rows, drawn=True)
        >>> [len(way) for way in notes.ways], bool((notes.kept(rows) == rows).all())
        ([1], True)
    """

    def __init__(
        self, backend: Backend, room: int, products: Callable[[Array], Products] | None = None
    ) -> None:
        self.ways: list[Way] = []
        whole = room * np.dtype(backend.dtype).itemsize <= WHOLE_BYTES
        self._room = room if whole else PIECE_ENTRIES
        self._backend, self._products = backend, products
        self._piece: Array | None = None
        self._taken = 0

    def begin(self) -> None:
        """Begin a block: what is noted from here on belongs to it."""
        self.ways.append([])

    def mapped(self, layers: Sequence[RowLayer], rows: Array, drawn: bool) -> None:
        """``rows``, Hᵀ, are about to go through the ``layers``; ``drawn`` is as in `Mapping`.

        Cost: O(n width).
        """
        linear = all(isinstance(layer, Recenter) for layer in layers)
        self.ways[-1].append(Mapping(layers, None if linear else self.kept(rows), drawn))

    def products_of(self, rows: Array) -> Products | None:
        """What is wanted of the input of weights.

        Args:
            rows: Hᵀ, ``(group, n, width)``, that weights are about to be applied to.

        Returns:
            What ``products`` gives of it; None where no products are wanted.
        """
        return None if self._products is None else self._products(rows)

    def kept(self, rows: Array) -> Array:
        """A copy that nobody writes into but its reader.

        Args:
            rows: of any shape, and of the dtype of the backend.

        Returns:
            A copy in a piece of memory shared with others, or in memory of its own where it is
            larger.

        Cost: O(entries).
        """
        xp, size = self._backend.xp, math.prod(rows.shape)
        if size > self._room:
            return xp.asarray(rows, copy=True)
        if self._piece is None or self._taken + size > self._room:
            self._piece, self._taken = (
                xp.empty(self._room, dtype=rows.dtype, device=device(rows)),
                0,
            )
        place = slice(self._taken, self._taken + size)
        self._taken += size
        found = xp.reshape(self._piece[place], tuple(rows.shape))
        found[...] = rows
        return found
