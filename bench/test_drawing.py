"""The factor engine against the cost of the normals it draws, with the same generator on one thread."""

import numpy as np
import pytest
from timing import best_of

from simulators import rescale_chain, simulate

SAMPLES, REPLICAS, LAYERS = 4, 20, 500
SEED = 7
PIECE = 2**13  # small enough for the first-level cache: drawing at its best

# Below width 128 a layer is a few thousand normals, and the interpreter costs more than they do.
TARGETS = {16: None, 32: None, 64: None, 128: 2.5, 256: 2.5, 512: 2.5, 2048: 2.5, 8192: 2.5}


@pytest.mark.parametrize("width", TARGETS)
def test_within_the_cost_of_its_normals(benchmark, report, width):
    batch = np.random.default_rng(SEED).standard_normal((SAMPLES, SAMPLES))
    layers = LAYERS if width <= 512 else LAYERS // 10

    def draw():
        buffer = np.empty(min(PIECE, width * SAMPLES * layers))
        for replica in range(REPLICAS):
            generator = np.random.Generator(np.random.SFC64([SEED, replica]))
            for _ in range(width * SAMPLES * layers // len(buffer)):
                generator.standard_normal(out=buffer)

    def run():
        simulate(
            rescale_chain(width), batch, depth=layers, replicas=REPLICAS, seed=SEED, engine="factor"
        )

    drawing, running = best_of(15, draw, run)
    benchmark.pedantic(run, rounds=1)
    target = TARGETS[width]
    report(
        f"width {width}: {running / drawing:.2f} times the cost of its normals"
        + (f"; target {target}" if target else ""),
        drawing=drawing,
        running=running,
        seed=SEED,
    )
    if target is not None:
        assert running / drawing <= target
