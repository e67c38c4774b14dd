"""The rows engine: exact in law for Gaussian weights in any chain, at O(width · n²) per layer.

For Gaussian W that no other layer shares and any factorisation H = QR, Q of orthonormal columns,
WH given H has the law of GR, with G a width × n standard normal matrix (times the scale of W). So n
normals are drawn for a row instead of d, and the whole of H is carried: it may be added to its
image, and layers may look at rows, columns or all of it.

The order of a stream is: layer, row block, then within a block G column by column.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import accumulate, pairwise
from itertools import chain as chained

from numpy.random import SeedSequence

from simulators.arrays import Array, Namespace
from simulators.backend import Backend
from simulators.chains import Chain
from simulators.engines.derivatives import Accompanied, Tangents
from simulators.engines.factor import Folding, block_rows, other_weights
from simulators.engines.layerwise import Passage
from simulators.engines.notes import Notes
from simulators.engines.orthonormal import Completing
from simulators.engines.round_trip import Journey
from simulators.engines.rounding import Copies
from simulators.layers import Bias, Linear, Residual, RowLayer, WeightLayer
from simulators.streams import pack, replica_groups, row_blocks, units_of
from simulators.weights import GivenLaw

__all__ = ["JOURNEY", "groups", "obstacle", "run"]

PIECE_ENTRIES = 2**18
"""Normals drawn at once, over all replicas of a group, unless a block has more."""


def obstacle(chain: Chain) -> str | None:
    """Why the engine is not exact for ``chain``, in words; None if it is.

    Example:
        >>> from simulators.chains import residual_chain
        >>> print(obstacle(residual_chain(8, 0.1)))
        None
    """
    return other_weights(chain)


def run(
    chain: Chain,
    batch: Array,
    copies: Copies,
    *,
    depth: int,
    replicas: int,
    root: SeedSequence,
    backend: Backend,
    tangents: Tangents | None = None,
    exponent: int = 0,
) -> Iterator[tuple[range, Iterator[Accompanied]]]:
    """For each group of replicas, the representations Hᵀ after each of ``depth`` blocks.

    ``batch`` is H₀ᵀ, shape ``(1, n, d₀)``, with n at most d₀ and every width, centred if the first
    block is to do that before all else; ``copies`` are its samples that remain equal to others. The
    arrays have shape ``(group, n, width)`` and hold until the next is asked for. Groups may be read
    in any order, and each in a thread of its own. The caller has made sure that `obstacle` is None.
    ``tangents`` come along, if they are given; ``exponent`` is the power of two that H₀ was divided
    by. Of those and the samples together there are then at most d₀ and every width.

    Example:
        >>> import numpy as np
        >>> from simulators.backend import NumpyBackend
        >>> from simulators.chains import residual_chain
        >>> backend = NumpyBackend("float64")
        >>> chain, batch = residual_chain(4, 0.5), np.eye(4, 2)
        >>> start, copies = backend.array(batch.T[None]), Copies.among(batch, chain)
        >>> root = SeedSequence(0)
        >>> runs = run(chain, start, copies, depth=3, replicas=1, root=root, backend=backend)
        >>> [[found.rows.shape for found in blocks] for _, blocks in runs][0]
        [(1, 2, 4), (1, 2, 4), (1, 2, 4)]
    """
    count = 0 if tangents is None else tangents.count
    n, rows = batch.shape[-2] * (1 + count), batch.shape[-1]
    onward = _units(chain, chain.widths(rows)[-1], n)
    layers = _units(chain, rows, n) + (depth - 1) * onward
    units = list(chained.from_iterable(layers))

    def representations(group: range, ahead: bool) -> Iterator[Accompanied]:
        """Those of one group; nothing is laid out before the first is asked for."""
        pieces = list(pack(units, group, PIECE_ENTRIES))
        draws = units_of(pieces, backend.draws(root, "rows", pieces, ahead=ahead))
        beside = None if tangents is None else tangents.of(group, chain, exponent, backend)
        passage = _InLaw(backend, draws, count)
        yield from passage.representations(chain, batch, copies, depth, beside)

    for group in groups(chain, (1, n, rows), replicas, backend.workers):
        yield group, representations(group, len(group) == replicas or backend.workers == 1)


def groups(chain: Chain, batch_shape: tuple[int, ...], replicas: int, workers: int) -> list[range]:
    """The replicas that go together, for a batch H₀ᵀ of ``(1, n, d₀)``.

    Example:
        >>> from simulators.chains import residual_chain
        >>> groups(residual_chain(4, 0.5), (1, 2, 4), 5, 1)
        [range(0, 5)]
    """
    n, rows = batch_shape[-2:]
    widest = n * max(rows, *chain.widths(rows))
    return replica_groups(replicas, widest, PIECE_ENTRIES, workers)


def _units(chain: Chain, rows: int, n: int) -> list[list[tuple[int, GivenLaw]]]:
    """Size and law of what each layer of one block draws, row block by row block."""
    found: list[list[tuple[int, GivenLaw]]] = []
    for layer, width in zip(chain.layers, chain.widths(rows), strict=True):
        if isinstance(layer, WeightLayer):
            found.append([(n * size, "gaussian") for size in row_blocks(width, block_rows(n))])
        elif isinstance(layer, Bias):
            found.append([(width, "gaussian")])
    return found


def _noise(rows: int, columns: int) -> list[int]:
    """The normals that stand for what the weights do off the span of a batch of so many rows, to
    gradients that span so many ``columns``.
    """
    return [columns * size for size in row_blocks(rows, block_rows(columns))]


class _InLaw(Passage):
    """One group on its way through the layers, by the law of the images given H.

    H is gone through in blocks of rows, each small enough to stay in a cache meanwhile.

    Back it goes likewise. With H = QR and G = WQ, which was drawn, Wᵀ = QGᵀ + Q⊥W̃ᵀ, where W̃ is
    independent of all that has been seen. So a gradient A at WH becomes Q(GᵀA) + Q⊥ZS with Z
    normal, of n columns, and SᵀS = AᵀA.
    """

    def weighted_by(self, layer: WeightLayer, rows: Array, free: bool) -> Array:
        return self._images(layer, rows, self._factor(rows))

    def weighted_both_ways(
        self, layer: WeightLayer, rows: Array, free: bool, notes: Notes
    ) -> tuple[Array, Callable[[Array], Array], float]:
        drawn: list[Array] = []
        basis = Completing(self._backend, notes.kept)
        for block in self._row_blocks(rows.shape[-1], rows.shape[-2]):
            basis.add(rows[..., block])
        back = partial(self._pulled_by, layer, rows.shape[-1], basis, drawn)
        gain = 1.0 if isinstance(layer, Linear) else _scale(layer)
        return self._images(layer, rows, basis.finish(), drawn), back, gain

    def _pulled_by(
        self,
        layer: WeightLayer,
        inputs: int,
        basis: Completing,
        drawn: Sequence[Array],
        gradient: Array,
    ) -> Array:
        xp, width = self._backend.xp, gradient.shape[-1]
        factor = _scale(layer) * self._factor(gradient)
        n, columns = drawn[0].shape[-2], factor.shape[-1]
        along = xp.zeros_like(gradient[..., :n])
        for block, weights in zip(self._row_blocks(width, n), drawn, strict=True):
            along += xp.matmul(gradient[..., block], weights.mT)
        across = [
            xp.matmul(factor, xp.reshape(unit, (len(unit), columns, -1)))
            for _, unit in zip(self._row_blocks(inputs, columns), self.noise, strict=False)
        ]
        found = basis.from_basis(_scale(layer) * along, _joined(across, xp))
        if _added(layer):
            found += gradient
        return found

    def _images(
        self, layer: WeightLayer, rows: Array, factor: Array, noted: list[Array] | None = None
    ) -> Array:
        """The layer's output for H = ``rows``, written into them where it fits, and Rᵀ; what was
        drawn for it is added to ``noted``, if that is given.
        """
        xp, inputs, width = self._backend.xp, rows.shape[-1], layer.width_after(rows.shape[-1])
        factor, images = _scale(layer) * factor, []
        for block in self._row_blocks(width, rows.shape[-2]):
            unit = next(self.draws)
            drawn = xp.reshape(unit, (len(unit), rows.shape[-2], block.stop - block.start))
            if noted is not None:
                noted.append(drawn)
            image = self._backend.product(factor, drawn, None)
            if _added(layer):
                image += rows[..., block]
            if width == inputs and len(rows) == len(image) and image.shape != rows.shape:
                rows[..., block] = image
            else:
                images.append(image)
        return _joined(images, xp) if images else rows

    def _factor(self, rows: Array) -> Array:
        """Rᵀ with H = QR, ``(group, n, n)``."""
        folding = Folding(self._backend)
        for block in self._row_blocks(rows.shape[-1], rows.shape[-2]):
            folding.add(rows[..., block])
        return folding.result()

    def mapped_by(self, layers: Sequence[RowLayer], rows: Array) -> Array:
        if not all(layer.each_row for layer in layers):
            return super().mapped_by(layers, rows)
        width = rows.shape[-1]
        blocks = self._row_blocks(width, rows.shape[-2])
        if len(blocks) == 1:
            return super().mapped_by(layers, rows)
        for block in blocks:
            part = rows[..., block]
            for layer in layers:
                part = layer.on_rows(part, self._backend.xp, width)
            rows[..., block] = part
        return rows

    def _row_blocks(self, width: int, n: int) -> Sequence[slice]:
        return _slices(width, block_rows(n))


def _scale(layer: WeightLayer) -> float:
    """What weights of variance 1 are multiplied by."""
    if isinstance(layer, Linear):
        return layer.scale
    return layer.gamma if _added(layer) else 1.0


def _added(layer: WeightLayer) -> bool:
    """Whether the input is added to its image."""
    return isinstance(layer, Residual) and layer.gamma < math.inf


def _joined(parts: Sequence[Array], xp: Namespace) -> Array:
    """Rows in blocks side by side."""
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=-1)


@lru_cache(maxsize=64)
def _slices(width: int, size: int) -> tuple[slice, ...]:
    """``width`` rows in blocks of ``size``."""
    ends = accumulate(row_blocks(width, size), initial=0)
    return tuple(slice(start, end) for start, end in pairwise(ends))


JOURNEY = Journey("rows", _InLaw, _units, _noise)
"""The engine's way forward and back."""
