"""The experiment of DJB21, Fig. 2: as a notebook runs it, as this package does, and its normals.

n = 4, widths 16 to 512, 20 replicas of 500 layers of the rescale chain, mean gap over depth.

A layer of the loop draws d² normals and multiplies them by n samples; one of ours draws d·n and
decomposes them. What the loop takes over drawing our normals alone bounds what any engine of one
thread can gain that draws them; what it takes over drawing and decomposing them, what one can gain
that carries a triangular factor through LAPACK. On two cores each bound is twice as high.

Ours is measured by one core; as `simulate` shares it between the threads of one process, of which
one draws ahead; and its six widths side by side in processes, one for each core. The loop has all
threads for its products, and is the same one process throughout.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cached_property, partial

import numpy as np
from threadpoolctl import threadpool_limits

from bench.pair import Pair, Work
from bench.report.document import Against
from simulators import rescale_chain, simulate
from simulators.workers import cores, use_cores

__all__ = ["LAYERS", "PAIRS", "REPLICAS", "WIDTHS", "SideBySide", "by_notebook", "by_simulate"]

WIDTHS = (16, 32, 64, 128, 256, 512)
SAMPLES, REPLICAS, LAYERS = 4, 20, 500
SEED = 2021
#: Every layer costs the same, so some tell: of the normals, and of two networks of the loop.
DRAWN_LAYERS, LOOPED_LAYERS, LOOPED = 100, 5, 2
PIECE = 2**13  # small enough for the first-level cache: drawing at its best

Normal = Callable[[int, int], np.ndarray]


def batch(width: int) -> np.ndarray:
    """The samples that both start from, (d, n)."""
    return np.random.default_rng([SEED, width]).standard_normal((width, SAMPLES))


def by_notebook(
    width: int, normal: Normal, layers: int = LAYERS, replicas: int = REPLICAS
) -> np.ndarray:
    """Mean gap over depth of every replica: a width × width matrix per layer."""
    start, means = batch(width), np.zeros(replicas)
    for replica in range(replicas):
        H = start / np.linalg.norm(start)
        for _ in range(layers):
            H = normal(width, width) @ H
            H /= np.linalg.norm(H, axis=1, keepdims=True) * np.sqrt(width)
            means[replica] += np.linalg.norm(H.T @ H - np.eye(SAMPLES) / SAMPLES) / layers
    return means


def of_width(width: int) -> np.ndarray:
    """Mean gap over depth of every replica, by the factor engine in float64."""
    run = simulate(
        rescale_chain(width),
        batch(width),
        depth=LAYERS,
        replicas=REPLICAS,
        seed=SEED,
        engine="factor",
    )
    found: np.ndarray = run["orthogonality_gap"][:, 1:].mean(axis=1)
    return found


def by_simulate() -> np.ndarray:
    """Mean gap over depth, ``(widths, replicas)``, by the factor engine in float64."""
    return np.array([of_width(width) for width in WIDTHS])


class SideBySide:
    """The same by processes that each do a width at a time, the widest first, in one thread.

    They are started by the first call, and go on waiting for the next. ``spent`` are the processor
    seconds that they have worked.
    """

    def __init__(self) -> None:
        self.spent = 0.0

    @cached_property
    def _pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(cores(), context, _in_one_thread)

    def __call__(self) -> np.ndarray:
        found = list(self._pool.map(_timed, reversed(WIDTHS)))
        self.spent += sum(seconds for _, seconds in found)
        return np.array([means for means, _ in reversed(found)])


def _in_one_thread() -> None:
    use_cores(1)
    threadpool_limits(1)


def _timed(width: int) -> tuple[np.ndarray, float]:
    began = time.process_time()
    return of_width(width), time.process_time() - began


def draw(layers: int) -> None:
    """The normals of so many layers of the experiment, and nothing else."""
    for width in WIDTHS:
        buffer = np.empty(min(PIECE, width * SAMPLES * layers))
        for replica in range(REPLICAS):
            generator = np.random.Generator(np.random.SFC64([SEED, replica]))
            for _ in range(width * SAMPLES * layers // buffer.size):
                generator.standard_normal(out=buffer)


def draw_and_decompose(layers: int) -> None:
    """The normals and the decompositions of so many layers, and nothing else."""
    for width in WIDTHS:
        generators = [np.random.Generator(np.random.SFC64([SEED, k])) for k in range(REPLICAS)]
        # As many layers at once as stay in the second-level cache, of all replicas together.
        at_once = max(1, PIECE // (width * SAMPLES))
        weights = np.empty((at_once, REPLICAS, width, SAMPLES))
        for _ in range(layers // at_once):
            for replica, generator in enumerate(generators):
                weights[:, replica] = generator.standard_normal((at_once, width, SAMPLES))
            for layer in weights:
                np.linalg.qr(layer, mode="raw")


def _loop(normal: Normal) -> None:
    for width in WIDTHS:
        by_notebook(width, normal, LOOPED_LAYERS, LOOPED)


def _modern(*shape: int) -> np.ndarray:
    return _GENERATOR.standard_normal(shape)


_GENERATOR = np.random.default_rng(SEED)


def _loops(words: str, normal: Normal) -> tuple[Work, ...]:
    """The loop with one thread for products, and with those that BLAS has."""
    amount = LOOPED_LAYERS * LOOPED / (LAYERS * REPLICAS)
    loop = partial(_loop, normal)
    return (
        Work(f"{words}, one thread for products", loop, amount),
        Work(f"{words}, all threads for products", loop, amount, threads=True),
    )


_by_processes = SideBySide()
_ONE_CORE = Work("simulate by one core", by_simulate, cores=1)
_OURS = Work("simulate by all cores", by_simulate, threads=True)
_NORMALS = Work(
    "drawing d·n normals a layer by one thread", partial(draw, DRAWN_LAYERS), DRAWN_LAYERS / LAYERS
)
_pair = partial(Pair, unit="the experiment")

PAIRS = (
    _pair(
        "published experiment against default_rng's loop",
        Against.LOOP,
        "factor",
        ours=_OURS,
        others=_loops("default_rng's loop", _modern),
        target=100,
        short=True,
        required=False,
    ),
    _pair(
        "published experiment by one core against default_rng's loop",
        Against.LOOP,
        "factor by one core",
        ours=_ONE_CORE,
        others=_loops("default_rng's loop", _modern),
        short=True,
    ),
    _pair(
        "published experiment in a process for each core against default_rng's loop",
        Against.LOOP,
        "factor in processes",
        ours=Work(
            "a width at a time by processes that are running, one for each core",
            _by_processes,
            threads=True,
            elsewhere=lambda: _by_processes.spent,
        ),
        others=_loops("default_rng's loop", _modern),
        target=100,  # beyond what one thread can do, as the pairs below measure
        short=True,
    ),
    _pair(
        "published experiment against the notebook's loop",
        Against.LOOP,
        "factor",
        ours=_OURS,
        others=_loops("np.random's loop", np.random.randn),
        target=100,
    ),
    _pair(
        "published experiment, its normals alone against default_rng's loop",
        Against.LOOP,
        "normals alone",
        ours=_NORMALS,
        others=_loops("default_rng's loop", _modern),
        short=True,
    ),
    _pair(
        "published experiment, its normals and decompositions alone against default_rng's loop",
        Against.LOOP,
        "normals and decompositions alone",
        ours=Work(
            "drawing and decomposing d·n normals a layer by one thread",
            partial(draw_and_decompose, DRAWN_LAYERS),
            DRAWN_LAYERS / LAYERS,
        ),
        others=_loops("default_rng's loop", _modern),
        short=True,
    ),
    _pair(
        "published experiment against its normals",
        Against.NORMALS,
        "factor",
        ours=_ONE_CORE,
        others=(_NORMALS,),
        target=2.5,
    ),
)
