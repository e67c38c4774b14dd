"""Tangent kernels by the engine `rows` against a plain loop of Torch: weights drawn, one gradient
in all of them for each output. Both draw a network anew for every kernel.
"""

from functools import partial

import numpy as np
import pytest
import torch
from timing import best_of

from simulators import batchnorm_chain, simulate, vanilla_chain

SEED, DEPTH, LOOPED, REPLICAS = 17, 3, 4, 200
CASES = {
    "vanilla(relu)": (vanilla_chain, "relu", 4096, 2),
    "batchnorm(tanh)": (batchnorm_chain, "tanh", 1024, 4),
}


def batch(width, n):
    return np.random.default_rng(SEED).standard_normal((width, n))


def rows(case, replicas):
    build, activation, width, n = CASES[case]
    return simulate(
        build(width, activation), batch(width, n), depth=DEPTH, every=DEPTH, replicas=replicas,
        seed=SEED, engine="rows", observables=["tangent_kernel"], backward="readout",
    )["tangent_kernel"][:, 0]  # fmt: skip


def looped(case, replicas):
    """As many kernels, by Torch's autograd in all weights."""
    build, activation, width, n = CASES[case]
    generator = torch.Generator().manual_seed(SEED)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    found = []
    for _ in range(replicas):
        H = torch.from_numpy(batch(width, n))
        weights = [(normal(width, width) / width**0.5).requires_grad_() for _ in range(DEPTH)]
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


@pytest.mark.parametrize("case", CASES)
def test_the_same_mean_quicker_than_gradients_in_all_weights(benchmark, report, case):
    one, many = looped(case, LOOPED), rows(case, REPLICAS)
    benchmark.pedantic(rows, (case, LOOPED), rounds=1)
    by_loop, by_rows = best_of(2, partial(looped, case, LOOPED), partial(rows, case, LOOPED))
    # The deviation of the mean of a few is told from the spread of the many.
    deviation = many.std(axis=0) * (1 / LOOPED + 1 / REPLICAS) ** 0.5
    apart = np.abs(one.mean(axis=0) - many.mean(axis=0)) / deviation
    _, _, width, n = CASES[case]
    report(
        f"tangent kernel of {case}, d = {width}, n = {n}, {DEPTH} layers: "
        f"{by_loop / by_rows:.0f} times faster by rows than by gradients in all weights; "
        f"means {apart.max():.1f} deviations apart at most",
        loop=by_loop,
        rows=by_rows,
        apart=float(apart.max()),
        seed=SEED,
    )
    assert apart.max() < 6
