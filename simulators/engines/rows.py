"""The rows engine: exact in law for Gaussian weights in any chain, at O(width · n²) per layer.

For Gaussian W that no other layer shares and any factorisation H = QR, Q of orthonormal columns,
WH given H has the law of GR, with G a width × n standard normal matrix (times the scale of W). So n
normals are drawn for a row instead of d, and the whole of H is carried: it may be added to its
image, and layers may look at rows, columns or all of it.

The order of a stream is: layer, row block, then within a block G column by column.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from numpy.random import SeedSequence

from simulators.arrays import Array
from simulators.backend import Backend
from simulators.chains import Chain
from simulators.engines.factor import Folding
from simulators.engines.layerwise import Passage
from simulators.engines.rounding import Copies, Representation
from simulators.layers import Linear, WeightLayer
from simulators.streams import pack, replica_groups, row_blocks, units_of

__all__ = ["obstacle", "run"]

BLOCK_ENTRIES = 2**21
"""Normals of one replica drawn at once: 16 MiB in float64."""

PIECE_ENTRIES = 2**18
"""Normals drawn at once, over all replicas of a group, unless a block has more."""


def obstacle(chain: Chain) -> str | None:
    """Why the engine is not exact for ``chain``, in words; None if it is.

    Example:
        >>> from simulators.chains import residual_chain
        >>> print(obstacle(residual_chain(8, 0.1)))
        None
    """
    for layer in chain.layers:
        if isinstance(layer, WeightLayer) and layer.law != "gaussian":
            return (
                f"{layer!r} draws {layer.law} weights, and only Gaussian ones are "
                "rotation-invariant"
            )
    return None


def run(
    chain: Chain,
    batch: Array,
    copies: Copies,
    *,
    depth: int,
    replicas: int,
    root: SeedSequence,
    backend: Backend,
) -> Iterator[tuple[range, Iterator[Representation]]]:
    """For each group of replicas, the representations Hᵀ after each of ``depth`` blocks.

    ``batch`` is H₀ᵀ, shape ``(1, n, d₀)``, with n at most d₀ and every width, centred if the first
    block is to do that before all else; ``copies`` are its samples that remain equal to others. The
    arrays have shape ``(group, n, width)`` and hold until the next is asked for. Groups may be read
    in any order, and each in a thread of its own. The caller has made sure that `obstacle` is None.

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
    n, rows = batch.shape[-2:]
    onward = _blocks(chain, chain.widths(rows)[-1], n)
    sizes = _blocks(chain, rows, n) + (depth - 1) * onward
    units = [(n * size, "gaussian") for size in sizes]
    widest = n * max(rows, *chain.widths(rows))

    def representations(group: range, ahead: bool) -> Iterator[Representation]:
        """Those of one group; nothing is laid out before the first is asked for."""
        pieces = list(pack(units, group, PIECE_ENTRIES))
        draws = units_of(pieces, backend.draws(root, "rows", pieces, ahead=ahead))
        yield from _InLaw(backend, draws).representations(chain, batch, copies, depth)

    for group in replica_groups(replicas, widest, PIECE_ENTRIES, backend.workers):
        yield group, representations(group, len(group) == replicas or backend.workers == 1)


def _blocks(chain: Chain, rows: int, n: int) -> list[int]:
    """The row blocks of all weights of one block, in the order of use."""
    found: list[int] = []
    for layer, width in zip(chain.layers, chain.widths(rows), strict=True):
        if isinstance(layer, WeightLayer):
            found += row_blocks(width, _block_rows(n))
    return found


def _block_rows(n: int) -> int:
    return max(1, BLOCK_ENTRIES // n)


class _InLaw(Passage):
    """One group on its way through the layers, by the law of the images given H."""

    def _weighted_by(self, layer: WeightLayer, rows: Array, free: bool) -> Array:
        image = self._image(rows, layer.width_after(rows.shape[-1]))
        if isinstance(layer, Linear):
            image *= layer.width**-0.5
        elif layer.gamma < math.inf:
            image *= layer.gamma
            image += rows
        return image

    def _image(self, rows: Array, width: int) -> Array:
        """(WH)ᵀ, ``(group, n, width)``, for weights of variance 1."""
        folding = Folding(self._backend)
        folding.add(rows)
        factor = folding.result()
        parts = []
        for size in row_blocks(width, _block_rows(rows.shape[-2])):
            drawn = next(self._draws)
            normals = self._backend.xp.reshape(drawn, (len(drawn), rows.shape[-2], size))
            parts.append(self._backend.product(factor, normals, None))
        return parts[0] if len(parts) == 1 else self._backend.xp.concat(parts, axis=-1)
