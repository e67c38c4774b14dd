"""The experiment of DJB21, Fig. 2: as a notebook runs it, as this package does, and its normals.

n = 4, widths 16 to 512, 20 replicas of 500 layers of the rescale chain, mean gap over depth.

A layer of the loop draws d² normals and multiplies them by n samples; one of ours draws d·n and
decomposes them. What the loop takes over drawing our normals alone bounds what any engine of one
thread can gain that draws them; what it takes over drawing and decomposing them, what one can gain
that carries a triangular factor through LAPACK. On two cores each bound is twice as high.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from bench.pair import Pair, Work
from bench.report.document import Against
from simulators import rescale_chain, simulate

__all__ = ["LAYERS", "PAIRS", "REPLICAS", "WIDTHS", "by_notebook", "by_simulate"]

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


def by_simulate() -> np.ndarray:
    """Mean gap over depth, ``(widths, replicas)``, by the factor engine in float64."""
    run = partial(simulate, depth=LAYERS, replicas=REPLICAS, seed=SEED, engine="factor")
    trajectories = [run(rescale_chain(width), batch(width)) for width in WIDTHS]
    return np.array(
        [trajectory["orthogonality_gap"][:, 1:].mean(axis=1) for trajectory in trajectories]
    )


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


_OURS = Work("simulate", by_simulate)
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
        target=100,  # beyond what one thread can do, as the pairs below measure
        short=True,
        required=False,
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
        ours=_OURS,
        others=(_NORMALS,),
        target=2.5,
    ),
)
