"""A confidence sequence against drawing the numbers that it is fed."""

from __future__ import annotations

import numpy as np

from bench.pair import Pair, Work
from bench.report.document import Against
from theorems.checking.confidence_sequence import BoundedMean

__all__ = ["PAIRS"]

OBSERVATIONS, SEED = 10**5, 2
_GENERATOR = np.random.default_rng(SEED)
_VALUES = _GENERATOR.random(OBSERVATIONS)


def _drawn() -> None:
    for _ in range(10):
        _GENERATOR.random(OBSERVATIONS)


PAIRS = (
    Pair(
        "confidence sequence against drawing its observations",
        Against.NORMALS,
        "confidence sequence",
        "an observation",
        Work("BoundedMean", lambda: BoundedMean(0.0, 1.0, 1e-8).update(_VALUES), OBSERVATIONS),
        (Work("drawing uniform numbers", _drawn, 10 * OBSERVATIONS),),
        target=100,  # 25 scales, each a logarithm
        short=True,
    ),
)
