"""The engine `rows` against `dense`, against its random numbers, and at width 10⁶.

The chain is residual with batch normalisation, H → BN(H + γWH): no factor of it is exact in law.
"""

import json
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from numpy.random import SeedSequence
from test_width import GIB, exponent
from timing import best_of, per_layer

from simulators import simulate
from simulators.chains import Chain
from simulators.layers import Recenter, Rescale, Residual
from simulators.streams import HostStreams

SEED, N, DEPTH = 13, 8, 50

WIDE = f"""
import json, resource, sys, time
import numpy as np
from simulators import simulate
from simulators.chains import Chain
from simulators.layers import Recenter, Rescale, Residual

batch = np.random.default_rng({SEED}).standard_normal((10**6, {N}))
chain = Chain((Residual(0.1), Recenter(), Rescale()))
start = time.perf_counter()
simulate(chain, batch, depth={DEPTH}, every={DEPTH}, seed={SEED}, engine="rows")
taken = time.perf_counter() - start
unit = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(json.dumps({{"seconds": taken, "peak": peak}}))
"""


def run(engine, width, depth=DEPTH, replicas=1, n=N):
    batch = np.random.default_rng(SEED).standard_normal((width, n))
    simulate(
        Chain((Residual(0.1), Recenter(), Rescale())),
        batch,
        depth=depth,
        every=depth,
        replicas=replicas,
        seed=SEED,
        engine=engine,
    )


def draw(width, depth):
    """The normals of the layers alone."""
    streams, out = HostStreams(SeedSequence(SEED), "rows", range(1)), np.empty(width * N)
    for _ in range(depth):
        streams.fill(0, out, "gaussian")


def test_faster_than_drawing_the_weights(benchmark, report):
    dense, rows = best_of(3, partial(run, "dense", 1024), partial(run, "rows", 1024))
    benchmark.pedantic(run, ("rows", 1024), rounds=1)
    report(
        f"residual batchnorm, d = 1024, n = {N}, {DEPTH} layers: "
        f"{dense / rows:.0f} times faster by rows; target 25",
        dense=dense,
        rows=rows,
        seed=SEED,
    )
    assert dense / rows >= 25


@pytest.mark.parametrize("width", [1024, 16384, 262144])
def test_within_two_and_a_half_times_its_normals(benchmark, report, width):
    depth = max(DEPTH, 2**22 // width)  # so that a start costs little beside them
    floor, rows = best_of(5, partial(draw, width, depth), partial(run, "rows", width, depth))
    benchmark.pedantic(run, ("rows", width, depth), rounds=1)
    report(
        f"rows, d = {width}, n = {N}, {depth} layers: "
        f"{rows / floor:.2f} times the cost of its normals; target 2.5",
        floor=floor,
        rows=rows,
        seed=SEED,
    )
    assert rows / floor <= 2.5


def test_the_cost_is_linear_in_the_width(benchmark, report):
    widths = (10**3, 10**4, 10**5)

    def taken(width):
        return per_layer(partial(run, "rows", width), max(16, 10**6 // width))

    slope = exponent(widths, benchmark.pedantic(lambda: [*map(taken, widths)], rounds=1))
    report(
        f"rows: time ~ width^{slope:.2f} over 10³…10⁵ at n = {N}; target at most 1.1",
        slope=slope,
        seed=SEED,
    )
    assert slope <= 1.1


def test_width_a_million_in_two_gib(benchmark, report):
    def wide():
        return subprocess.run(
            [sys.executable, "-c", WIDE], capture_output=True, text=True, check=True
        )

    outcome = json.loads(benchmark.pedantic(wide, rounds=1).stdout)
    report(
        f"rows, width 10⁶, n = {N}, {DEPTH} layers: {outcome['seconds']:.1f} s, "
        f"peak {outcome['peak'] / GIB:.2f} GiB; target 2 GiB",
        seed=SEED,
        **outcome,
    )
    assert outcome["peak"] < 2 * GIB
