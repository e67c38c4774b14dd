"""What a validated batch, (d₀, n) with one sample per column, must be for a given chain and
dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulators.arguments import require
from simulators.chains import Chain
from simulators.layers import ScaleResponse

_LARGEST_WEIGHT = (
    64.0  # in standard deviations; a normal entry exceeds it with probability below 1e-890
)


def require_runnable(batch: np.ndarray[Any, Any], chain: Chain, dtype: str) -> None:
    """Raise `ValueError` unless ``chain`` can run on ``batch``, from `validate_batch`, in
    ``dtype``.

    Example:
        >>> from simulators.chains import rescale_chain
        >>> require_runnable(np.eye(8, 4), rescale_chain(8), "float64")
    """
    rows, n = batch.shape
    narrowest = min(chain.widths(rows))
    require(
        n <= narrowest,
        f"batch has n={n} samples, more than the width {narrowest} of the chain; "
        f"give at most {narrowest} of them, or a wider chain",
    )
    require(
        not chain.recentres or (batch != batch[:, :1]).any(),
        "batch has all columns equal, so the chain's Recenter leaves nothing; vary them",
    )
    largest, limits = float(abs(batch).max()), np.finfo(dtype)
    least, most = float(limits.smallest_normal), float(limits.max)
    require(
        least <= largest <= most or dtype != "float32",
        f"batch has largest entry {largest:.3g}, outside float32; rescale it or use float64",
    )
    require(
        chain.scaling is not ScaleResponse.BOUND or largest <= most / (_LARGEST_WEIGHT * rows),
        f"batch has largest entry {largest:.3g}: its products with weights overflow {dtype}; "
        "rescale it",
    )
