"""One residual layer with W and with −W: what is odd in γ cancels, so that the second order stands
out.
"""

from __future__ import annotations

import math
from typing import Any

import array_api_compat

from simulators.arguments import whole_number
from simulators.backend import select
from simulators.batches import validate_batch
from simulators.layers import Rescale, Residual
from simulators.observables import Array
from simulators.streams import pack, root_sequence, row_blocks

_BLOCK_ROWS = 2**16


def antithetic_layer(
    batch: Any,
    gamma: float,
    *,
    draws: int,
    seed: Any = 0,
    law: str = "gaussian",
    dtype: Any = None,
    device: Any = None,
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
    """
    layer, rescale = Residual(gamma, law), Rescale("variance")
    if layer.gamma == math.inf:
        raise ValueError("gamma=inf keeps nothing of H; give a finite γ")
    draws = whole_number("draws", draws, 1)
    backend = select(dtype, device, batch if array_api_compat.is_torch_array(batch) else None)
    xp, values = backend.xp, validate_batch(batch)
    if len(values) < 2:
        raise ValueError(
            f"batch has shape {values.shape}: its one row only changes sign; give 2 rows or more"
        )
    empty = [row for row, entries in enumerate(values) if not entries.any()]
    if empty:
        raise ValueError(f"batch has zero rows {empty}: they have no direction to keep")
    H, d = backend.array(values), values.shape[0]
    blocks = row_blocks(draws * d, _BLOCK_ROWS)
    pieces = list(pack([(rows * d, law) for rows in blocks], range(1), 0))
    weighted = xp.concat(
        [
            xp.matmul(xp.reshape(entries, (rows, d)), H)
            for rows, entries in zip(
                blocks, backend.draws(root_sequence(seed), "dense", pieces), strict=True
            )
        ]
    )
    change = layer.gamma * xp.reshape(weighted, (draws, *H.shape))
    plus, minus = (rescale.on_rows((H + sign * change).mT, xp, d).mT for sign in (1, -1))
    lengths = xp.reshape(xp.sqrt(xp.sum(weighted * weighted, axis=-1)), (draws, d))
    return plus, minus, xp.max(lengths / xp.sqrt(xp.sum(H * H, axis=-1)), axis=-1)
