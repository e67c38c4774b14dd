"""Each engine and dtype against the cost of the random numbers it draws, by the same generator.

Both have one thread for products. One thread draws the floors of `factor` and `rows`, which have
one core as well. Beside the normals of a layer the floor of `dense`, by all cores, holds the one
product of weights and samples that cannot be spared.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.random import SeedSequence

from bench.pair import Pair, Work
from bench.report.document import Against
from simulators import (
    batchnorm_chain,
    rescale_chain,
    residual_chain,
    simulate,
    vanilla_chain,
)
from simulators.chains import Chain
from simulators.layers import Recenter, Rescale, Residual
from simulators.streams import HostStreams
from simulators.workers import cores
from theorems.families.rank.published import GAMMA

__all__ = ["PAIRS", "dense", "gradients", "rows", "shape"]

SEED = 7
DTYPES = ("float64", "float32")

FACTOR_SAMPLES, FACTOR_REPLICAS = 4, 20
# Below width 128 a layer is a few thousand normals, and the interpreter costs more than they do.
FACTOR_TARGETS = {16: None, 32: None, 64: None, 128: 2.5, 256: 2.5, 512: 2.5, 2048: 2.5, 8192: 2.5}

ROWS_SAMPLES = 8
ROWS_LAYERS = {1024: 512, 16384: 256, 262144: 16}  # so that a start costs little beside them
GRADIENT_LAYERS = {512: 256, 4096: 64, 32768: 20}

EVERY = 10
TOGETHER = 2**18
"""Weights in a layer of all replicas that a thread takes at once: the engine's own number."""
DENSE_ENTRIES = 1e7  # weights drawn for one measurement
DENSE_WIDTHS = (8, 16, 32, 64, 128, 256)


def _drawn(engine: str, entries: int, layers: int, replicas: int, dtype: str) -> None:
    """``entries`` normals a layer and replica, by the streams of ``engine``."""
    streams = HostStreams(SeedSequence(SEED), engine, range(replicas))
    out = np.empty((replicas, entries), dtype)
    for _ in range(layers):
        streams.fill(0, out, "gaussian")


# --- factor ---------------------------------------------------------------------------------------


def factor(width: int, layers: int, dtype: str, samples: int = FACTOR_SAMPLES) -> None:
    """The rescale chain by the engine factor."""
    batch = np.random.default_rng(SEED).standard_normal((samples, samples))
    simulate(
        rescale_chain(width),
        batch,
        depth=layers,
        every=layers,
        replicas=FACTOR_REPLICAS,
        seed=SEED,
        engine="factor",
        dtype=dtype,
    )


def _factor_pair(width: int, dtype: str) -> Pair:
    layers = max(20, 2**15 // width) if width <= 512 else 50
    amount = layers * FACTOR_REPLICAS
    return Pair(
        f"factor, {dtype}, width {width}, against its normals",
        Against.NORMALS,
        "factor",
        "a layer and network",
        Work(
            f"rescale chain, n = {FACTOR_SAMPLES}, one core",
            partial(factor, width, layers, dtype),
            amount,
            cores=1,
        ),
        (
            Work(
                "drawing d·n normals",
                partial(_drawn, "factor", width * FACTOR_SAMPLES, layers, FACTOR_REPLICAS, dtype),
                amount,
            ),
        ),
        dtype,
        FACTOR_TARGETS[width] if dtype == "float64" else None,
        short=width == 512,
    )


# --- rows -----------------------------------------------------------------------------------------


def rows(width: int, layers: int, dtype: str = "float64", engine: str = "rows") -> None:
    """H → BN(H + γWH), of which no factor is exact in law."""
    batch = np.random.default_rng(SEED).standard_normal((width, ROWS_SAMPLES))
    simulate(
        Chain((Residual(0.1), Recenter(), Rescale())),
        batch,
        depth=layers,
        every=layers,
        seed=SEED,
        engine=engine,
        dtype=dtype,
    )


def _rows_pair(width: int, dtype: str) -> Pair:
    layers = ROWS_LAYERS[width]
    return Pair(
        f"rows, {dtype}, width {width}, against its normals",
        Against.NORMALS,
        "rows",
        "a layer and network",
        Work(
            f"residual batchnorm, n = {ROWS_SAMPLES}, one core",
            partial(rows, width, layers, dtype),
            layers,
            cores=1,
        ),
        (
            Work(
                "drawing d·n normals",
                partial(_drawn, "rows", width * ROWS_SAMPLES, layers, 1, dtype),
                layers,
            ),
        ),
        dtype,
        2.5 if dtype == "float64" else None,
        short=width == 1024,
    )


def gradients(
    width: int,
    layers: int,
    dtype: str = "float64",
    replicas: int = 1,
    backward: str | None = "gaussian",
) -> None:
    """batchnorm(tanh) forward by rows, and back unless ``backward`` is None."""
    batch = np.random.default_rng(SEED).standard_normal((width, ROWS_SAMPLES))
    simulate(
        batchnorm_chain(width, "tanh"),
        batch,
        depth=layers,
        every=layers,
        replicas=replicas,
        seed=SEED,
        engine="rows",
        observables=["log_gradient_norm" if backward else "log_norm"],
        backward=backward,
        dtype=dtype,
    )


def _gradient_pair(width: int, dtype: str) -> Pair:
    layers = GRADIENT_LAYERS[width]
    return Pair(
        f"rows forward and back, {dtype}, width {width}, against its normals",
        Against.NORMALS,
        "rows forward and back",
        "a layer and network",
        Work(
            f"batchnorm(tanh), n = {ROWS_SAMPLES}, one core",
            partial(gradients, width, layers, dtype),
            layers,
            cores=1,
        ),
        (
            Work(
                "drawing 2·d·n normals",
                partial(_drawn, "rows", width * ROWS_SAMPLES, 2 * layers, 1, dtype),
                layers,
            ),
        ),
        dtype,
        short=width == 4096,
    )


# --- tangent kernels, and the limit of width ------------------------------------------------------

KERNEL_WIDTH, KERNEL_LAYERS, KERNELS = 1024, 3, 8
LIMIT_SAMPLES, LIMIT_LAYERS, LIMITS = 16, 10, 10


def _kernels() -> None:
    batch = np.random.default_rng(SEED).standard_normal((KERNEL_WIDTH, ROWS_SAMPLES))
    simulate(
        batchnorm_chain(KERNEL_WIDTH, "tanh"),
        batch,
        depth=KERNEL_LAYERS,
        every=KERNEL_LAYERS,
        replicas=KERNELS,
        seed=SEED,
        engine="rows",
        observables=["tangent_kernel"],
        backward="readout",
    )


def _limits() -> None:
    batch = np.random.default_rng(SEED).standard_normal((64, LIMIT_SAMPLES))
    for _ in range(LIMITS):
        simulate(
            vanilla_chain(64, "relu"),
            batch,
            depth=LIMIT_LAYERS,
            every=LIMIT_LAYERS,
            engine="mean_field",
            observables=["gram"],
        )


_KERNEL = Pair(
    f"tangent kernel, width {KERNEL_WIDTH}, against its normals",
    Against.NORMALS,
    "tangent kernel",
    "a network",
    Work(
        f"batchnorm(tanh), n = {ROWS_SAMPLES}, {KERNEL_LAYERS} layers, one core",
        _kernels,
        KERNELS,
        cores=1,
    ),
    (
        Work(
            "drawing 2·d·n normals a layer",
            partial(
                _drawn, "rows", KERNEL_WIDTH * ROWS_SAMPLES, 2 * KERNEL_LAYERS, KERNELS, "float64"
            ),
            KERNELS,
        ),
    ),
    short=True,
)
_LIMIT = Pair(
    "mean_field, n = 16, 10 layers, against drawing 10⁵ normals, 100 at a time",
    Against.NORMALS,
    "mean_field",
    "a kernel, and 10⁵ normals",
    Work("ReLU in the limit of width", _limits, LIMITS),
    (
        Work(
            "drawing 10⁵ normals, 100 at a time",  # calls of NumPy, as ours are
            partial(_drawn, "rows", 100, 1000 * LIMITS, 1, "float64"),
            LIMITS,
        ),
    ),
    short=True,
)

# --- dense ----------------------------------------------------------------------------------------


def shape(width: int) -> tuple[int, int]:
    """Replicas and layers: enough of both that starting costs little."""
    replicas = cores() * max(4, TOGETHER // width**2)
    return replicas, EVERY * max(2, round(DENSE_ENTRIES / (replicas * width**2 * EVERY)))


def dense(width: int, dtype: str, law: str = "gaussian") -> None:
    """The residual chain of D20, d = n, by the engine dense."""
    replicas, layers = shape(width)
    simulate(
        residual_chain(width, GAMMA, law),
        np.eye(width),
        depth=layers,
        every=EVERY,
        replicas=replicas,
        seed=SEED,
        observables=("effective_rank",),
        engine="dense",
        dtype=dtype,
    )


def _weights_and_products(width: int, dtype: str) -> None:
    """Weights and products alone, each thread with a generator and memory of its own."""
    replicas, layers = shape(width)
    together = max(1, TOGETHER // width**2)

    def draw_and_multiply(thread: int) -> None:
        streams = HostStreams(SeedSequence([SEED, thread]), "dense", range(1))
        weights, out = (np.empty((together, width, width), dtype) for _ in range(2))
        H = np.broadcast_to(np.eye(width, dtype=dtype), weights.shape).copy()
        for _ in range(replicas * layers // (cores() * together)):
            streams.fill(0, weights.reshape(-1), "gaussian")
            np.matmul(H, weights, out=out)

    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(draw_and_multiply, range(cores())))


def _dense_pair(width: int, dtype: str) -> Pair:
    replicas, layers = shape(width)
    return Pair(
        f"dense, {dtype}, width {width}, against drawing and one product",
        Against.NORMALS,
        "dense",
        "a layer and network",
        Work("residual chain, d = n", partial(dense, width, dtype), replicas * layers),
        (
            Work(
                "drawing d² weights and one product",
                partial(_weights_and_products, width, dtype),
                replicas * layers,
            ),
        ),
        dtype,
        2,
        short=width == 64,
    )


PAIRS = (
    *(_factor_pair(width, "float64") for width in FACTOR_TARGETS),
    *(_factor_pair(width, "float32") for width in (512, 8192)),
    *(_rows_pair(width, "float64") for width in ROWS_LAYERS),
    *(_rows_pair(width, "float32") for width in (1024, 16384)),
    *(_gradient_pair(width, "float64") for width in GRADIENT_LAYERS),
    *(_gradient_pair(width, "float32") for width in (4096,)),
    _KERNEL,
    _LIMIT,
    *(_dense_pair(width, "float64") for width in DENSE_WIDTHS),
    *(_dense_pair(width, "float32") for width in DENSE_WIDTHS),
)
