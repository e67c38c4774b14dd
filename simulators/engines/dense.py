"""The reference engine: draws every weight matrix. Any chain, any weight law.

Cost per layer and replica: width × d entries drawn, O(width · d · n) arithmetic. Weights are drawn in row
blocks of at most `BLOCK_ENTRIES` entries (at least one row), so memory is O(width · n) beyond one block.
The order of a stream is: layer, row block, then within a block Wᵀ row by row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

from numpy.random import SeedSequence

from simulators.backend import Backend
from simulators.chains import Chain, Scaling
from simulators.layers import Layer, Linear, Residual, WeightLayer, frobenius_norm, scaled_to
from simulators.observables import Array
from simulators.streams import pack, replica_groups, row_blocks

BLOCK_ENTRIES = 2**21
"""Entries of W drawn at once, over all replicas of a group: 16 MiB in float64."""


def run(
    chain: Chain, batch: Array, *, depth: int, replicas: int, root: SeedSequence, backend: Backend
) -> Iterator[tuple[range, Iterator[Array]]]:
    """For each group of replicas, the representations Hᵀ after each of ``depth`` blocks.

    ``batch`` is H₀ᵀ, shape ``(1, n, d₀)``. The arrays have shape ``(group, n, width)`` and hold until the
    next is asked for; a group must be read to its end before the next.
    """
    units = [
        (inputs * size, law)
        for inputs, rows, law in _weight_shapes(chain, batch.shape[-1], depth)
        for size in row_blocks(rows, _block_rows(inputs))
    ]
    widest = replica_groups(replicas, max(size for size, _ in units), BLOCK_ENTRIES)
    pieces = [piece for group in widest for piece in pack(units, group, 0)]
    draws = backend.draws(root, "dense", pieces)
    for group in widest:
        yield group, _representations(chain, batch, depth, backend, draws)


def _block_rows(inputs: int) -> int:
    return max(1, BLOCK_ENTRIES // inputs)


def _weight_shapes(chain: Chain, rows: int, depth: int) -> Iterator[tuple[int, int, str]]:
    """Columns, rows and law of every weight matrix, in the order of use."""
    for _ in range(depth):
        for layer, width in zip(chain.layers, chain.widths(rows), strict=True):
            if isinstance(layer, WeightLayer):
                yield rows, width, layer.law
            rows = width


def _representations(
    chain: Chain, batch: Array, depth: int, backend: Backend, draws: Iterator[Array]
) -> Iterator[Array]:
    xp = backend.xp
    rows = xp.asarray(batch, copy=True)
    for number, layer in enumerate(islice(cycle(chain.layers), depth * len(chain.layers)), start=1):
        rows = _apply(layer, rows, xp, draws)
        if number % len(chain.layers) == 0:
            if chain.scaling is Scaling.LINEAR:
                rows = scaled_to(1.0, rows, frobenius_norm(rows, xp), xp)
            yield rows


def _apply(layer: Layer, rows: Array, xp: Any, draws: Iterator[Array]) -> Array:
    """The layer's output, ``(group, n, width)``, from its input; may overwrite it."""
    if isinstance(layer, Linear):
        return layer.width**-0.5 * _weighted(rows, layer.width, xp, draws)
    if isinstance(layer, Residual):
        product = _weighted(rows, rows.shape[-1], xp, draws)
        return product if layer.gamma == math.inf else rows + layer.gamma * product
    return layer.on_rows(rows, xp, rows.shape[-1])


def _weighted(rows: Array, width: int, xp: Any, draws: Iterator[Array]) -> Array:
    """(WH)ᵀ for the next weights, of variance 1."""
    inputs = rows.shape[-1]
    products = []
    for size in row_blocks(width, _block_rows(inputs)):
        entries = next(draws)
        products.append(xp.matmul(rows, xp.reshape(entries, (entries.shape[0], inputs, size))))
    return products[0] if len(products) == 1 else xp.concat(products, axis=-1)

