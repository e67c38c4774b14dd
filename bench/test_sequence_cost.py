"""A confidence sequence against drawing the numbers that it is fed."""

import numpy as np
from timing import best_of

from theorems.checking.confidence_sequence import BoundedMean

OBSERVATIONS = 10**6
SEED = 2
TARGET = 100  # 25 scales, each a logarithm


def test_within_the_cost_of_its_observations(benchmark, report):
    generator = np.random.default_rng(SEED)
    values = generator.random(OBSERVATIONS)

    def update():
        BoundedMean(0.0, 1.0, 1e-8).update(values)

    drawing, updating = best_of(5, lambda: generator.random(OBSERVATIONS), update)
    benchmark.pedantic(update, rounds=1)
    ratio = updating / drawing
    report(
        f"a million observations of a confidence sequence: {ratio:.0f} times drawing them; "
        f"target {TARGET}",
        drawing=drawing,
        updating=updating,
        seed=SEED,
    )
    assert ratio <= TARGET
