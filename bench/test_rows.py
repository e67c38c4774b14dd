"""The engine `rows` against `dense`, and at width 10⁶.

The chain is residual with batch normalisation: H → BN(H + γWH), of which no factor is exact in law.
"""

import json
import subprocess
import sys
from functools import partial

import numpy as np
from test_width import GIB
from timing import best_of

from simulators import simulate
from simulators.chains import Chain
from simulators.layers import Recenter, Rescale, Residual

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
rank = simulate(chain, batch, depth={DEPTH}, every={DEPTH}, seed={SEED}, observables=("effective_rank",), engine="rows")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({{"seconds": time.perf_counter() - start, "peak": peak, "rank": rank["effective_rank"][0, -1]}}))
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


def test_faster_than_drawing_the_weights(benchmark, report):
    dense, rows = best_of(3, partial(run, "dense", 1024), partial(run, "rows", 1024))
    benchmark.pedantic(run, ("rows", 1024), rounds=1)
    report(
        f"residual batchnorm, d = 1024, n = {N}, {DEPTH} layers: {dense / rows:.0f} times faster by rows; target 25",
        dense=dense,
        rows=rows,
        seed=SEED,
    )
    assert dense / rows >= 25


def test_width_a_million_in_two_gib(benchmark, report):
    def wide():
        return subprocess.run(
            [sys.executable, "-c", WIDE], capture_output=True, text=True, check=True
        )

    outcome = json.loads(benchmark.pedantic(wide, rounds=1).stdout)
    report(
        f"rows, width 10⁶, n = {N}, {DEPTH} layers: {outcome['seconds']:.1f} s, peak {outcome['peak'] / GIB:.2f} GiB; "
        "target 2 GiB",
        seed=SEED,
        **outcome,
    )
    assert outcome["peak"] < 2 * GIB
