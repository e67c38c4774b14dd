"""The experiment of D20 on the residual chain, γ = 0.01, as its loop runs it and as this package does.

The published loop carries the Gram matrix M = HHᵀ through four dense products a layer; here H itself is
carried, by one. As d = n, the d² weights of a layer have to be drawn: the floor is drawing them, with the same
generator on as many threads, and one product.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from numpy.random import SeedSequence
from scipy.stats import ks_2samp
from threadpoolctl import threadpool_limits
from timing import best_of

from simulators import residual_chain, simulate
from simulators.streams import HostStreams
from simulators.workers import cores
from theorems.families.rank.published import GAMMA, effective_ranks

EVERY, SEED = 10, 2020
WIDTHS = (8, 16, 32, 64, 128, 256)
ENTRIES = 2e8  # weights drawn for one measurement, of one width: a second or so
TOGETHER = (
    2**18
)  # weights in a layer of all replicas that a thread takes at once: the engine's own number
LEVEL = 1e-6  # of a false alarm, in each comparison of laws
NETWORKS, DEPTH = 1500, 40


def shape(width):
    """Replicas and layers: enough of both that starting costs little."""
    replicas = cores() * max(4, TOGETHER // width**2)
    return replicas, EVERY * max(4, round(ENTRIES / (replicas * width**2 * EVERY)))


def published(width, layers):
    effective_ranks(width, layers, seed=SEED)


def published_alone(width, layers):
    """The same with one thread for BLAS, which on a busy machine is faster."""
    with threadpool_limits(1, user_api="blas"):
        published(width, layers)


def ours(width, replicas, layers, dtype, law="gaussian"):
    simulate(residual_chain(width, GAMMA, law), np.eye(width), depth=layers, every=EVERY, replicas=replicas, seed=SEED,
             observables=("effective_rank",), engine="dense", dtype=dtype)  # fmt: skip


def floor(width, replicas, layers, dtype):
    """Weights and products alone, each thread with a generator and memory of its own."""
    together = max(1, TOGETHER // width**2)

    def draw_and_multiply(thread):
        streams = HostStreams(SeedSequence([SEED, thread]), "dense", range(1))
        weights, out = (np.empty((together, width, width), dtype) for _ in range(2))
        H = np.broadcast_to(np.eye(width, dtype=dtype), weights.shape).copy()
        for _ in range(replicas * layers // (cores() * together)):
            streams.fill(0, weights.reshape(-1), "gaussian")
            np.matmul(H, weights, out=out)

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cores()) as pool:
        list(pool.map(draw_and_multiply, range(cores())))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("width", WIDTHS)
def test_within_twice_the_floor(benchmark, report, width, dtype):
    arguments = (width, *shape(width), dtype)
    lowest, running = best_of(5, partial(floor, *arguments), partial(ours, *arguments))
    benchmark.pedantic(ours, arguments, rounds=1)
    report(f"residual chain, d = n = {width}, {dtype}: {running / lowest:.2f} times drawing and one product; target 2",
           floor=lowest, running=running, seed=SEED)  # fmt: skip
    assert running / lowest <= 2


@pytest.mark.parametrize(("dtype", "target"), [("float64", 3), ("float32", 8)])
def test_faster_than_the_published_loop(benchmark, report, dtype, target):
    """Time a layer and network, summed over the widths; and width by width."""
    loop, mine = 0.0, 0.0
    for width in WIDTHS:
        replicas, layers = shape(width)
        sample = max(10, round(ENTRIES / width**2 / 3000))
        many, one, here = best_of(5, partial(published, width, sample), partial(published_alone, width, sample),
                                  partial(ours, width, replicas, layers, dtype))  # fmt: skip
        theirs, here = min(many, one) / sample, here / (replicas * layers)
        loop, mine = loop + theirs, mine + here
        report(f"residual chain, d = {width}, {dtype}: {theirs / here:.1f} times faster than the published loop, "
               f"{1e6 * theirs:.0f} µs a layer against {1e6 * here:.1f}", loop=theirs, ours=here)  # fmt: skip
    benchmark.pedantic(ours, (WIDTHS[-1], *shape(WIDTHS[-1]), dtype), rounds=1)
    report(
        f"residual chain, all widths, {dtype}: {loop / mine:.1f} times faster; target {target}",
        seed=SEED,
    )
    assert loop / mine >= target


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("width", [8, 32])
def test_the_same_law_as_the_published_loop(benchmark, report, width, dtype):
    """r at one depth over independent networks, by the two-sample Kolmogorov–Smirnov test; and another γ fails it."""
    theirs = [effective_ranks(width, DEPTH, seed=SEED + network)[-1] for network in range(NETWORKS)]

    def p_value(gamma):
        mine = simulate(residual_chain(width, gamma), np.eye(width), depth=DEPTH, every=DEPTH, replicas=NETWORKS,
                        seed=SEED, observables=("effective_rank",), engine="dense", dtype=dtype)  # fmt: skip
        return ks_2samp(theirs, mine["effective_rank"][:, -1], method="asymp").pvalue

    same, other = benchmark.pedantic(p_value, (GAMMA,), rounds=1), p_value(1.2 * GAMMA)
    report(
        f"residual chain, d = {width}, {dtype}: p = {same:.2g} against the loop's law, {other:.1g} at 1.2 γ"
    )
    assert same > LEVEL > other


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_rademacher_weights_gain(benchmark, report, dtype):
    for width in WIDTHS:
        arguments = (width, *shape(width), dtype)
        gaussian, signs = best_of(
            3, partial(ours, *arguments), partial(ours, *arguments, "rademacher")
        )
        report(
            f"residual chain, d = {width}, {dtype}: Rademacher weights {gaussian / signs:.2f} times faster"
        )
        assert signs < gaussian
    benchmark.pedantic(ours, (WIDTHS[-1], *shape(WIDTHS[-1]), dtype, "rademacher"), rounds=1)
