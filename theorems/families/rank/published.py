"""The experiment of D20 on the residual chain, as its source's loop runs it: to compare speed and
values with.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["GAMMA", "effective_ranks"]

GAMMA = 0.01


def effective_ranks(
    width: int, layers: int, *, gamma: float = GAMMA, seed: int
) -> npt.NDArray[np.float64]:
    """r after every layer of one network of ``width`` rows and samples, shape ``(layers,)``.

    It starts from orthogonal samples and carries M = HHᵀ, by four dense products a layer. Cost:
    O(layers d³).
    """
    # The generator of the published loop, from seeds of any size.
    draw = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed))).randn
    M, ranks = np.eye(width), np.empty(layers)
    for layer in range(layers):
        W = draw(width, width)
        M = M + gamma * W @ M + gamma * M @ W.T + gamma**2 * W @ M @ W.T
        scale = 1 / np.sqrt(np.diag(M))
        M = M * scale[:, None] * scale[None, :]
        ranks[layer] = np.trace(M) ** 2 / np.sum(M * M)
    return ranks
