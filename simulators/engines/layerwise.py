"""The way of a group of replicas through the layers, the whole representation in hand.

What the engines that go this way have in common; they differ in how they apply weights.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import repeat

from simulators.arrays import Array
from simulators.backend import Backend
from simulators.chains import Chain
from simulators.engines.rounding import Copies, Representation, worst
from simulators.layers import (
    Recenter,
    RowLayer,
    ScaleResponse,
    WeightLayer,
    frobenius_norm,
    scaled_to,
)

__all__ = ["Passage"]


class Passage(ABC):
    """One group on its way through the layers; ``draws`` are its random numbers, unit by unit.

    Example:
        >>> import numpy as np
        >>> from simulators.backend import NumpyBackend
        >>> from simulators.layers import Linear
        >>> class Unweighted(Passage):
        ...     def _weighted_by(self, layer, rows, free):
        ...         return rows
        >>> passage, chain = Unweighted(NumpyBackend("float64"), iter(())), Chain((Linear(2),))
        >>> batch, copies = np.eye(2)[None], Copies.among(np.eye(2), chain)
        >>> [found.rows.shape for found in passage.representations(chain, batch, copies, 2)]
        [(1, 2, 2), (1, 2, 2)]
    """

    def __init__(self, backend: Backend, draws: Iterator[Array]) -> None:
        self._backend, self._draws = backend, draws

    def representations(
        self, chain: Chain, batch: Array, copies: Copies, depth: int
    ) -> Iterator[Representation]:
        """Hᵀ after each of ``depth`` blocks, ``(group, n, width)``, good until the next is asked
        for.

        ``batch`` is H₀ᵀ, ``(1, n, d₀)``; ``copies`` are its samples that remain equal to others.
        """
        xp = self._backend.xp
        rows = xp.asarray(batch, copy=True)
        linear = chain.scaling is ScaleResponse.LINEAR
        for block in (chain.opening.centring_early, *repeat(chain.centring_early, depth - 1)):
            cancelled = None
            for number, layers in _steps(block):
                if isinstance(layers, WeightLayer):
                    rows = self._weighted_by(layers, rows, block.forgotten_factors[number])
                elif isinstance(layers[0], Recenter) and number:
                    before = frobenius_norm(rows, xp)
                    rows = self._mapped_by(layers, rows)
                    cancelled = worst(cancelled, before, frobenius_norm(rows, xp), self._backend)
                else:
                    rows = self._mapped_by(layers, rows)
            if linear:
                rows = scaled_to(1.0, rows, frobenius_norm(rows, xp), xp)
            yield Representation(copies.restored(rows), cancelled)

    @abstractmethod
    def _weighted_by(self, layer: WeightLayer, rows: Array, free: bool) -> Array:
        """The layer's output, ``(group, n, width)``; its input may be overwritten by the next
        one's.

        If ``free``, a multiple of it will do.
        """

    def _mapped_by(self, layers: Sequence[RowLayer], rows: Array) -> Array:
        """The images of ``rows`` under layers one after another, which may be written into them."""
        for layer in layers:
            rows = layer.on_rows(rows, self._backend.xp, rows.shape[-1])
        return rows


def _steps(block: Chain) -> Iterator[tuple[int, WeightLayer | list[RowLayer]]]:
    """The layers with the number of the first: those without weights together, but a late
    centring alone.
    """
    together: list[RowLayer] = []
    for number, layer in enumerate(block.layers):
        alone = isinstance(layer, WeightLayer) or (isinstance(layer, Recenter) and number > 0)
        if alone and together:
            yield number - len(together), together
            together = []
        if isinstance(layer, WeightLayer):
            yield number, layer
        elif alone:
            yield number, [layer]
        else:
            together.append(layer)
    if together:
        yield len(block.layers) - len(together), together
