"""Gradients by the engine `rows` against Torch's autograd on dense weights, against random numbers
alone, with the width, and at width 10⁶.

The loop is what a user of Torch writes: a network is drawn, gone through and left by autograd, one
after another, in the dtype of ours, by all threads or by one, whichever is faster. Both start from
the batch and end with log ‖G₀‖. Ours takes several replicas in groups, on as many cores.
"""

import json
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from numpy.random import SeedSequence
from test_width import GIB, exponent
from timing import best_of, per_layer

from simulators import batchnorm_chain, simulate
from simulators.streams import HostStreams

SEED, N, DEPTH, WIDTH, REPLICAS = 17, 8, 20, 512, 16
LOOPED = 4  # networks that the loop is timed on, where there are more
TARGET = {("float64", REPLICAS): 25}
"""Times faster than the loop, for several networks in the dtype that is ours by default.

One network alone is reported: of its time some half is calls of NumPy on arrays of 32 KiB. So is
float32, in which Torch draws a normal number six times quicker than in float64: the
2 · 8 · 512 · 20 numbers that ours draws, and its decompositions, are a larger part of
512 · 512 · 20.
"""

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


def batch(width=WIDTH):
    return np.random.default_rng(SEED).standard_normal((width, N))


def rows(replicas, backward="gaussian", dtype="float64", width=WIDTH, depth=DEPTH):
    observables = ["log_gradient_norm"] if backward else ["log_norm"]
    return simulate(
        batchnorm_chain(width, "tanh"), batch(width), depth=depth, every=depth, replicas=replicas,
        seed=SEED, engine="rows", observables=observables, backward=backward, dtype=dtype,
    )  # fmt: skip


def loop(networks, dtype="float64"):
    """log ‖G₀‖ of as many networks, each forward and back by Torch's autograd."""
    generator, kind = torch.Generator().manual_seed(SEED), getattr(torch, dtype)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=kind)

    norms = []
    for _ in range(networks):
        H = start = torch.from_numpy(batch()).to(kind).requires_grad_()
        for _ in range(DEPTH):
            A = normal(WIDTH, WIDTH) / WIDTH**0.5 @ H
            A = A - A.mean(1, keepdim=True)
            H = torch.tanh(A * (N**0.5 / A.norm(dim=1, keepdim=True)))
        (gradient,) = torch.autograd.grad(H, start, normal(WIDTH, N))
        norms.append(float(gradient.norm().log()))
    return norms


def loop_in_one_thread(networks, dtype):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return loop(networks, dtype)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("replicas", [1, REPLICAS])
def test_faster_than_autograd_on_dense_weights(benchmark, report, replicas, dtype):
    looped = min(replicas, LOOPED)
    many, one, ours = best_of(
        5,
        partial(loop, looped, dtype),
        partial(loop_in_one_thread, looped, dtype),
        partial(rows, replicas, dtype=dtype),
    )
    benchmark.pedantic(rows, (replicas,), rounds=1)
    theirs, ours = min(many, one) / looped, ours / replicas
    target = TARGET.get((dtype, replicas), 0)
    report(
        f"gradients of batchnorm(tanh), d = {WIDTH}, n = {N}, {DEPTH} layers, {dtype}, "
        f"{replicas} network(s): {theirs / ours:.1f} times faster by rows, "
        f"{1e3 * theirs:.1f} ms a network against {1e3 * ours:.2f}"
        + (f"; target {target}" if target else ""),
        autograd=theirs,
        rows=ours,
        seed=SEED,
    )
    assert theirs / ours >= target


def draw(width, depth):
    """The normals of a network forward and back alone."""
    streams, out = HostStreams(SeedSequence(SEED), "rows", range(1)), np.empty(width * N)
    for _ in range(2 * depth):
        streams.fill(0, out, "gaussian")


@pytest.mark.parametrize("width", [WIDTH, 4096, 32768])
def test_the_cost_of_its_normals(benchmark, report, width):
    """Of one network, whose normals are drawn by one thread."""
    depth = max(DEPTH, 2**18 // width)
    floor, ours = best_of(
        5, partial(draw, width, depth), partial(rows, 1, width=width, depth=depth)
    )
    benchmark.pedantic(draw, (width, depth), rounds=1)
    report(
        f"rows forward and back, d = {width}, n = {N}, {depth} layers: "
        f"{ours / floor:.2f} times the cost of its normals",
        floor=floor,
        rows=ours,
        seed=SEED,
    )


def test_the_cost_is_linear_in_the_width(benchmark, report):
    widths = (10**3, 10**4, 10**5)

    def taken(width):
        return per_layer(lambda depth: rows(1, width=width, depth=depth), max(4, 10**6 // width))

    slope = exponent(widths, benchmark.pedantic(lambda: [*map(taken, widths)], rounds=1))
    report(
        f"rows forward and back: time ~ width^{slope:.2f} over 10³…10⁵ at n = {N}; "
        "target at most 1.1",
        slope=slope,
        seed=SEED,
    )
    assert slope <= 1.1


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
