"""The published loop against the same network written with H in place of M."""

from __future__ import annotations

import numpy as np

from simulators.observables import effective_rank
from theorems.families.rank.published import effective_ranks


def test_the_loop_is_the_residual_chain() -> None:
    width, layers, gamma = 6, 5, 0.3
    draw = np.random.RandomState(np.random.MT19937(np.random.SeedSequence(2**70))).randn
    H, expected = np.eye(width), []
    for _ in range(layers):
        H = H + gamma * draw(width, width) @ H
        H /= np.linalg.norm(H, axis=1, keepdims=True)
        expected.append(effective_rank(H))
    np.testing.assert_allclose(
        effective_ranks(width, layers, gamma=gamma, seed=2**70), expected, rtol=1e-12
    )
    assert (
        abs(effective_ranks(width, layers, gamma=1.1 * gamma, seed=2**70) - expected).max() > 1e-3
    )
