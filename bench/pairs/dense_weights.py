"""Ours against drawing every weight: by our own engine dense, and by loops of NumPy and Torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from bench.pair import Pair, Total, Work
from bench.pairs.random_numbers import dense, gradients, rows, shape
from bench.report.document import Against
from simulators import batchnorm_chain, recenter_relu_chain, simulate, vanilla_chain
from simulators.chains import Chain
from theorems.families.rank.published import effective_ranks

__all__ = [
    "KERNELS",
    "PAIRS",
    "TOTALS",
    "emergence",
    "kernels_by_autograd",
    "kernels_by_rows",
    "tangents_by_autograd",
    "tangents_by_rows",
]

SEED = 17
DTYPES = ("float64", "float32")


# --- our own dense engine -------------------------------------------------------------------------

ROWS_WIDTH, ROWS_LAYERS = 1024, 10

_ROWS = Pair(
    f"rows against dense, width {ROWS_WIDTH}",
    Against.DENSE,
    "rows",
    "a layer and network",
    Work("residual batchnorm by rows", partial(rows, ROWS_WIDTH, 5 * ROWS_LAYERS), 5 * ROWS_LAYERS),
    (Work("by dense", partial(rows, ROWS_WIDTH, ROWS_LAYERS, engine="dense"), ROWS_LAYERS),),
    target=25,
    short=True,
)

# --- the residual chain of D20 --------------------------------------------------------------------

RESIDUAL_WIDTHS = (8, 16, 32, 64, 128, 256)
RESIDUAL_TARGETS = {"float64": 3, "float32": 8}


def _residual_loop(width: int) -> tuple[Callable[[], object], int]:
    layers = max(10, round(3e4 / width**2))
    return partial(effective_ranks, width, layers, seed=SEED), layers


def _residual_pair(width: int, dtype: str) -> Pair:
    replicas, layers = shape(width)
    loop, looped = _residual_loop(width)
    return Pair(
        f"residual chain, {dtype}, width {width}, against the published loop",
        Against.LOOP,
        "dense",
        "a layer and network",
        Work("simulate", partial(dense, width, dtype), replicas * layers),
        (
            Work("M carried by four products, one thread for them", loop, looped),
            Work("M carried by four products, all threads for them", loop, looped, threads=True),
        ),
        dtype,
        short=width == 64,
    )


def _residual_total(dtype: str) -> Total:
    return Total(
        f"residual chain, {dtype}, all widths, against the published loop",
        tuple(_residual_pair(width, dtype) for width in RESIDUAL_WIDTHS),
        RESIDUAL_TARGETS[dtype],
    )


def _signs_pair(width: int, dtype: str) -> Pair:
    """Rademacher weights need no normals."""
    replicas, layers = shape(width)
    return Pair(
        f"residual chain, {dtype}, width {width}, Rademacher weights against Gaussian ones",
        Against.OURS,
        "dense",
        "a layer and network",
        Work("Rademacher weights", partial(dense, width, dtype, "rademacher"), replicas * layers),
        (Work("Gaussian weights", partial(dense, width, dtype), replicas * layers),),
        dtype,
        1,
    )


# --- a lone outlier's emergence -------------------------------------------------------------------

OUTLIER_SAMPLES, OUTLIER_WIDTH = 10, 1000
OUTLIER_LAYERS, OUTLIER_REPLICAS, LOOPED_LAYERS = 600, 64, 4
_GENERATOR = np.random.default_rng(SEED)


def emergence(dtype: str, layers: int = OUTLIER_LAYERS, replicas: int = OUTLIER_REPLICAS) -> object:
    """Whether one sample stands apart, after every layer of the recentred ReLU chain."""
    start = np.random.default_rng(SEED).standard_normal((OUTLIER_WIDTH, OUTLIER_SAMPLES))
    return simulate(
        recenter_relu_chain(OUTLIER_WIDTH),
        start,
        depth=layers,
        replicas=replicas,
        seed=SEED,
        engine="factor",
        dtype=dtype,
        observables=("lone_outlier",),
    )


def _cosines_by_loop(normal: Callable[[int, int], np.ndarray], layers: int) -> list[np.ndarray]:
    """Cosines after each layer, with a width × width matrix of weights per layer."""
    H = np.random.default_rng(SEED).standard_normal((OUTLIER_WIDTH, OUTLIER_SAMPLES))
    found = []
    for _ in range(layers):
        A = normal(OUTLIER_WIDTH, OUTLIER_WIDTH) @ H
        H = np.maximum(A - A.mean(axis=1, keepdims=True), 0)
        H *= np.sqrt(H.size) / np.linalg.norm(H)
        units = H / np.linalg.norm(H, axis=0)
        found.append(units.T @ units)
    return found


def _modern(*shape: int) -> np.ndarray:
    return _GENERATOR.standard_normal(shape)


def _emergence_pair(dtype: str) -> Pair:
    layers, replicas = 60, 16
    return Pair(
        f"emergence of an outlier, {dtype}, against the loop",
        Against.LOOP,
        "factor",
        "a layer and network",
        Work("simulate", partial(emergence, dtype, layers, replicas), layers * replicas),
        (
            Work(
                "default_rng's loop, one thread for products",
                partial(_cosines_by_loop, _modern, LOOPED_LAYERS),
                LOOPED_LAYERS,
            ),
            Work(
                "default_rng's loop, all threads for products",
                partial(_cosines_by_loop, _modern, LOOPED_LAYERS),
                LOOPED_LAYERS,
                threads=True,
            ),
        ),
        dtype,
        50,
        short=dtype == "float64",
    )


# --- gradients ------------------------------------------------------------------------------------

GRADIENT_WIDTH, GRADIENT_SAMPLES, GRADIENT_LAYERS, NETWORKS = 512, 8, 20, 16
GRADIENT_TARGETS = {("float64", NETWORKS): 25}
"""For several networks in the dtype that is ours by default.

One network alone is reported: of its time some half is calls of NumPy on arrays of 32 KiB. So is
float32, in which Torch draws a normal number six times quicker than in float64: the
2 · 8 · 512 · 20 numbers that ours draws, and its decompositions, are a larger part of
512 · 512 · 20.
"""


def _gradients_by_autograd(networks: int, dtype: str) -> list[float]:
    """log ‖G₀‖ of as many networks, each drawn, gone through and left by Torch's autograd."""
    generator, kind = torch.Generator().manual_seed(SEED), getattr(torch, dtype)
    width, n = GRADIENT_WIDTH, GRADIENT_SAMPLES
    batch = np.random.default_rng(SEED).standard_normal((width, n))

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=kind)

    norms = []
    for _ in range(networks):
        H = start = torch.from_numpy(batch).to(kind).requires_grad_()
        for _ in range(GRADIENT_LAYERS):
            A = normal(width, width) / width**0.5 @ H
            A = A - A.mean(1, keepdim=True)
            H = torch.tanh(A * (n**0.5 / A.norm(dim=1, keepdim=True)))
        (gradient,) = torch.autograd.grad(H, start, normal(width, n))
        norms.append(float(gradient.norm().log()))
    return norms


def _gradient_pair(networks: int, dtype: str) -> Pair:
    loop = partial(_gradients_by_autograd, 1, dtype)
    return Pair(
        f"gradients of {networks} network(s), {dtype}, against Torch's autograd",
        Against.DENSE,
        "rows forward and back",
        "a network",
        Work(
            f"batchnorm(tanh), d = {GRADIENT_WIDTH}, n = {GRADIENT_SAMPLES}, "
            f"{GRADIENT_LAYERS} layers",
            partial(gradients, GRADIENT_WIDTH, GRADIENT_LAYERS, dtype, networks),
            networks,
        ),
        (
            Work("Torch's loop, one thread", loop),
            Work("Torch's loop, all threads", loop, threads=True),
        ),
        dtype,
        GRADIENT_TARGETS.get((dtype, networks)),
        short=(dtype, networks) in GRADIENT_TARGETS,
    )


_BACK = Pair(
    "rows, there and back against there alone",
    Against.NORMALS,
    "rows forward and back",
    "a network",
    Work(
        "batchnorm(tanh) forward and back",
        partial(gradients, GRADIENT_WIDTH, GRADIENT_LAYERS, replicas=NETWORKS),
        NETWORKS,
    ),
    (
        Work(
            "forward alone",
            partial(gradients, GRADIENT_WIDTH, GRADIENT_LAYERS, replicas=NETWORKS, backward=None),
            NETWORKS,
        ),
    ),
)

# --- tangents -------------------------------------------------------------------------------------


def tangents_by_rows(networks: int, dtype: str = "float64") -> np.ndarray:
    """log ‖Ḣ‖ after the last layer of so many networks by the engine rows, (networks,)."""
    return simulate(
        batchnorm_chain(GRADIENT_WIDTH, "tanh"),
        _kernel_batch(GRADIENT_WIDTH, GRADIENT_SAMPLES),
        depth=GRADIENT_LAYERS,
        every=GRADIENT_LAYERS,
        replicas=networks,
        seed=SEED,
        engine="rows",
        observables=["log_tangent_norm"],
        tangents="gaussian",
        dtype=dtype,
    )["log_tangent_norm"][:, -1]


def tangents_by_autograd(networks: int, dtype: str = "float64") -> np.ndarray:
    """The same of as many networks, each drawn, by Torch's forward mode layer by layer."""
    generator, kind = torch.Generator().manual_seed(SEED), getattr(torch, dtype)
    width, n = GRADIENT_WIDTH, GRADIENT_SAMPLES
    batch = torch.from_numpy(_kernel_batch(width, n)).to(kind)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=kind)

    norms = []
    for _ in range(networks):
        H, tangent = batch, normal(width, n)
        for _ in range(GRADIENT_LAYERS):
            W = normal(width, width) / width**0.5

            def layer(H: torch.Tensor, W: torch.Tensor = W) -> torch.Tensor:
                A = W @ H
                A = A - A.mean(1, keepdim=True)
                return torch.tanh(A * (n**0.5 / A.norm(dim=1, keepdim=True)))

            H, tangent = torch.func.jvp(layer, (H,), (tangent,))[:2]
        norms.append(float(tangent.norm().log()))
    return np.array(norms)


def _tangent_pair(networks: int) -> Pair:
    loop = partial(tangents_by_autograd, 1)
    return Pair(
        f"tangents of {networks} network(s) against Torch's forward mode",
        Against.DENSE,
        "rows with tangents",
        "a network",
        Work(
            f"batchnorm(tanh), d = {GRADIENT_WIDTH}, n = {GRADIENT_SAMPLES}, "
            f"{GRADIENT_LAYERS} layers",
            partial(tangents_by_rows, networks),
            networks,
        ),
        (
            Work("Torch's loop, one thread", loop),
            Work("Torch's loop, all threads", loop, threads=True),
        ),
    )


# --- tangent kernels ------------------------------------------------------------------------------

KERNEL_LAYERS = 3
KERNELS: dict[str, tuple[Callable[[int, str], Chain], str, int, int]] = {
    "vanilla(relu)": (vanilla_chain, "relu", 4096, 2),
    "batchnorm(tanh)": (batchnorm_chain, "tanh", 1024, 4),
}


def _kernel_batch(width: int, n: int) -> np.ndarray:
    return np.random.default_rng(SEED).standard_normal((width, n))


def kernels_by_rows(case: str, replicas: int) -> np.ndarray:
    """So many tangent kernels by the engine rows, (replicas, n, n)."""
    build, activation, width, n = KERNELS[case]
    return simulate(
        build(width, activation),
        _kernel_batch(width, n),
        depth=KERNEL_LAYERS,
        every=KERNEL_LAYERS,
        replicas=replicas,
        seed=SEED,
        engine="rows",
        observables=["tangent_kernel"],
        backward="readout",
    )["tangent_kernel"][:, 0]


def kernels_by_autograd(case: str, replicas: int) -> np.ndarray:
    """As many kernels, by Torch's autograd in all weights: one gradient for each output."""
    build, activation, width, n = KERNELS[case]
    generator = torch.Generator().manual_seed(SEED)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    found = []
    for _ in range(replicas):
        H = torch.from_numpy(_kernel_batch(width, n))
        weights = [
            (normal(width, width) / width**0.5).requires_grad_() for _ in range(KERNEL_LAYERS)
        ]
        for W in weights:
            A = W @ H
            if build is batchnorm_chain:
                A = A - A.mean(1, keepdim=True)
                A = A * (n**0.5 / A.norm(dim=1, keepdim=True))
            H = getattr(torch, activation)(A)
        outputs = normal(width) / width**0.5 @ H
        jacobian = [torch.autograd.grad(f, weights, retain_graph=True) for f in outputs]
        kernel = [
            [sum(float((a * b).sum()) for a, b in zip(i, j, strict=True)) for j in jacobian]
            for i in jacobian
        ]
        found.append(kernel)
    return np.array(found)


def _kernel_pair(case: str) -> Pair:
    loop = partial(kernels_by_autograd, case, 1)
    _, _, width, n = KERNELS[case]
    return Pair(
        f"tangent kernel of {case}, width {width}, against Torch's autograd",
        Against.DENSE,
        "tangent kernel",
        "a network",
        Work(f"rows, n = {n}, {KERNEL_LAYERS} layers", partial(kernels_by_rows, case, 8), 8),
        (
            Work("gradients in all weights, one thread", loop),
            Work("gradients in all weights, all threads", loop, threads=True),
        ),
    )


PAIRS = (
    _ROWS,
    *(_residual_pair(width, dtype) for dtype in DTYPES for width in RESIDUAL_WIDTHS),
    *(_signs_pair(width, dtype) for dtype in DTYPES for width in RESIDUAL_WIDTHS),
    *(_emergence_pair(dtype) for dtype in DTYPES),
    *(_gradient_pair(networks, dtype) for networks in (1, NETWORKS) for dtype in DTYPES),
    _BACK,
    *(_tangent_pair(networks) for networks in (1, NETWORKS)),
    *(_kernel_pair(case) for case in KERNELS),
)
TOTALS = tuple(_residual_total(dtype) for dtype in DTYPES)
