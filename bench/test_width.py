"""Width 10⁶ in bounded memory, and how the cost grows with width and batch size."""

import json
import subprocess
import sys

import numpy as np
from timing import seconds

from simulators import rescale_chain, simulate

SEED = 11
GIB = 2**30

WIDE = f"""
import json, resource, sys, time
import numpy as np
from simulators import rescale_chain, simulate

batch = np.random.default_rng({SEED}).standard_normal((10**6, 8))
start = time.perf_counter()
gap = simulate(rescale_chain(10**6), batch, depth=100, seed={SEED}, engine="factor")["orthogonality_gap"]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({{"seconds": time.perf_counter() - start, "peak": peak, "gap": gap[0, -1]}}))
"""


def exponent(sizes, times):
    """The slope of log time on log size."""
    return np.polyfit(np.log(sizes), np.log(times), 1)[0]


def per_layer(width, samples, normals):
    """Seconds a layer takes, over as many layers as draw about ``normals``; best of three."""
    batch = np.random.default_rng(SEED).standard_normal((samples, samples))
    layers = max(1, round(normals / (width * samples)))

    def run():
        simulate(rescale_chain(width), batch, depth=layers, seed=SEED, engine="factor")

    return min(seconds(run) for _ in range(3)) / layers


def test_width_a_million_in_two_gib(benchmark, report):
    def run():
        return subprocess.run(
            [sys.executable, "-c", WIDE], capture_output=True, text=True, check=True
        )

    outcome = json.loads(benchmark.pedantic(run, rounds=1).stdout)
    report(
        f"width 10⁶, n = 8, 100 layers: {outcome['seconds']:.1f} s, peak {outcome['peak'] / GIB:.2f} GiB, "
        f"last gap {outcome['gap']:.1e}; target 2 GiB",
        seed=SEED,
        **outcome,
    )
    assert outcome["peak"] < 2 * GIB


def test_cost_is_linear_in_the_width(benchmark, report):
    widths = (10**3, 10**4, 10**5, 10**6)
    times = benchmark.pedantic(lambda: [per_layer(width, 8, 2e7) for width in widths], rounds=1)
    slope = exponent(widths, times)
    report(
        f"time ~ width^{slope:.2f} over 10³…10⁶ at n = 8; target at most 1.1",
        slope=slope,
        seed=SEED,
    )
    assert slope <= 1.1


def test_cost_is_at_most_quadratic_in_the_samples(benchmark, report):
    samples = (4, 8, 16, 32, 64)
    times = benchmark.pedantic(lambda: [per_layer(10**4, n, 5e6) for n in samples], rounds=1)
    slope = exponent(samples, times)
    report(f"time ~ n^{slope:.2f} over 4…64 at width 10⁴; target at most 2", slope=slope, seed=SEED)
    assert slope <= 2
