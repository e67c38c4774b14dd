"""One residual layer with W and with −W: what is odd in γ cancels, so that the second order stands
out.
"""

from __future__ import annotations

import math

from simulators.arguments import require, whole_number
from simulators.arrays import Array
from simulators.backend import select
from simulators.batches import validate_batch
from simulators.layers import Rescale, Residual
from simulators.streams import Seed, pack, root_sequence, row_blocks
from simulators.weights import law_of

__all__ = ["antithetic_layer"]

_BLOCK_ROWS = 2**16


def antithetic_layer(
    batch: object,
    gamma: float,
    *,
    draws: int,
    seed: Seed = 0,
    law: str = "gaussian",
    dtype: object = None,
    device: object = None,
) -> tuple[Array, Array, Array]:
    """BN-rows(H + γWH), BN-rows(H − γWH) and the speed of the rows, for independent W with entries
    of variance 1.

    - ``batch``: H, (d, n) with d ≥ 2, one sample per column, no zero row; ``gamma``: finite, ≥ 0;
      ``law``: see `simulators.layers.LAWS`; ``seed``, ``dtype``, ``device``: as for
      `simulators.simulate`
    - returns two arrays ``(draws, d, n)``, rows of norm √n, and ``(draws,)``: max_i ‖(WH)_i‖ /
      ‖H_i‖

    All weights come from one stream, so thousands of small draws cost no more than one large one.
    Cost: d² entries and O(d² n) operations a draw; memory O(draws · d · (d + n)).

    Raises `TypeError` or `ValueError`, naming the argument.

    Example:
        >>> plus, minus, speeds = antithetic_layer([[1, 0], [1, 1]], 0.1, draws=5)
        >>> plus.shape, minus.shape, speeds.shape
        ((5, 2, 2), (5, 2, 2), (5,))
    """
    layer, rescale = Residual(gamma, law), Rescale("variance")
    require(layer.gamma != math.inf, "gamma=inf keeps nothing of H; give a finite γ")
    require(
        law_of(layer.law).of_matrix is None,
        f"law={law!r} draws whole matrices; give a law of independent entries",
    )
    draws = whole_number("draws", draws, 1)
    backend = select(dtype, device, batch)
    xp, values = backend.xp, validate_batch(batch)
    require(
        len(values) >= 2,
        f"batch has shape {values.shape}: its one row only changes sign; give 2 rows or more",
    )
    empty = [row for row, entries in enumerate(values) if not entries.any()]
    require(not empty, f"batch has zero rows {empty}: they have no direction to keep")
    H, d = backend.array(values), values.shape[0]
    blocks = row_blocks(draws * d, _BLOCK_ROWS)
    pieces = list(pack([(rows * d, layer.law) for rows in blocks], range(1), 0))
    drawn = zip(blocks, backend.draws(root_sequence(seed), "dense", pieces), strict=True)
    weighted = xp.concat([xp.matmul(xp.reshape(weights, (rows, d)), H) for rows, weights in drawn])
    change = layer.gamma * xp.reshape(weighted, (draws, *H.shape))
    plus, minus = (rescale.on_rows((H + sign * change).mT, xp, d).mT for sign in (1, -1))
    lengths = xp.reshape(xp.sqrt(xp.sum(weighted * weighted, axis=-1)), (draws, d))
    return plus, minus, xp.max(lengths / xp.sqrt(xp.sum(H * H, axis=-1)), axis=-1)
