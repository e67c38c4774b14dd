"""Gradients by the engine `rows` against Torch's autograd on dense weights, and at width 10⁶.

Both draw a network anew for every gradient. Of several replicas, `rows` takes a group at a time.
"""

import json
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from test_width import GIB
from timing import best_of

from simulators import batchnorm_chain, simulate

SEED, N, DEPTH, WIDTH, REPLICAS = 17, 8, 20, 512, 16

WIDE = f"""
import json, resource, sys, time
import numpy as np
from simulators import batchnorm_chain, simulate

batch = np.random.default_rng({SEED}).standard_normal((10**6, {N}))
start = time.perf_counter()
simulate(batchnorm_chain(10**6, "tanh"), batch, depth=50, every=50, seed={SEED}, engine="rows",
         observables=["log_gradient_norm"], backward="gaussian")
taken = time.perf_counter() - start
unit = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(json.dumps({{"seconds": taken, "peak": peak}}))
"""


def batch():
    return np.random.default_rng(SEED).standard_normal((WIDTH, N))


def rows(replicas, backward="gaussian"):
    observables = ["log_gradient_norm"] if backward else ["log_norm"]
    return simulate(
        batchnorm_chain(WIDTH, "tanh"), batch(), depth=DEPTH, every=DEPTH, replicas=replicas,
        seed=SEED, engine="rows", observables=observables, backward=backward,
    )  # fmt: skip


def dense(replicas):
    """log ‖G₀‖ of as many networks, each forward and back by Torch's autograd."""
    generator = torch.Generator().manual_seed(SEED)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    norms = []
    for _ in range(replicas):
        H = start = torch.from_numpy(batch()).requires_grad_()
        for _ in range(DEPTH):
            A = normal(WIDTH, WIDTH) / WIDTH**0.5 @ H
            A = A - A.mean(1, keepdim=True)
            H = torch.tanh(A * (N**0.5 / A.norm(dim=1, keepdim=True)))
        (gradient,) = torch.autograd.grad(H, start, normal(WIDTH, N))
        norms.append(float(gradient.norm().log()))
    return norms


@pytest.mark.parametrize("replicas", [1, REPLICAS])
def test_faster_than_autograd_on_dense_weights(benchmark, report, replicas):
    by_autograd, by_rows = best_of(3, partial(dense, replicas), partial(rows, replicas))
    benchmark.pedantic(rows, (replicas,), rounds=1)
    ratio = by_autograd / by_rows
    target = "; target 25" if replicas == REPLICAS else ""
    report(
        f"gradients of batchnorm(tanh), d = {WIDTH}, n = {N}, {DEPTH} layers, "
        f"{replicas} network(s): {ratio:.0f} times faster by rows{target}",
        autograd=by_autograd,
        rows=by_rows,
        seed=SEED,
    )
    if replicas == REPLICAS:
        assert ratio >= 25


def test_the_way_back_costs_some_ways_forward(benchmark, report):
    forward, both = best_of(5, partial(rows, REPLICAS, None), partial(rows, REPLICAS))
    benchmark.pedantic(rows, (REPLICAS,), rounds=1)
    report(
        f"batchnorm(tanh), d = {WIDTH}, n = {N}, {DEPTH} layers, {REPLICAS} replicas: "
        f"forward and back {both / forward:.1f} times the cost of forward alone",
        forward=forward,
        both=both,
        seed=SEED,
    )


def test_width_a_million_in_two_gib(benchmark, report):
    def wide():
        return subprocess.run(
            [sys.executable, "-c", WIDE], capture_output=True, text=True, check=True
        )

    outcome = json.loads(benchmark.pedantic(wide, rounds=1).stdout)
    report(
        f"rows, width 10⁶, n = {N}, 50 layers forward and back: {outcome['seconds']:.1f} s, "
        f"peak {outcome['peak'] / GIB:.2f} GiB; target 2 GiB",
        seed=SEED,
        **outcome,
    )
    assert outcome["peak"] < 2 * GIB
