"""Means near the end of their range, and bounds at a third or so of that distance from them: CPU
time and verdict.

Most of the true ones take more networks than a check may draw, unless means of cosines are carried
on from earlier layers.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.kept import Report
from simulators import Chain
from simulators.layers import Activation, Linear, RMSNorm
from theorems import conjecture
from theorems.context import Context

LEVEL, SEED = 1e-6, 0
NEARLY_ORTHOGONAL = ("cosine_0 >= 0", "cosine_0 <= 1/100")


def twice(width: int) -> Chain:
    """Two layers a block, normalised samples"""
    layer = (Linear(width), RMSNorm(), Activation("relu"))
    return Chain(layer + layer)


CHAINS: dict[str, dict[str, Any]] = {
    "relu, 64 layers": dict(chain="vanilla(relu)", n=2, d=256, ell=64),
    "relu, width 1024": dict(chain="vanilla(relu)", n=2, d=1024, ell=40),
    "abs": dict(chain="vanilla(abs)", n=2, d=256, ell=16),
    "leaky": dict(chain="vanilla(leaky_relu(0.2))", n=2, d=512, ell=48),
    "four samples": dict(chain="vanilla(relu)", n=4, d=512, ell=48),
    "normalised": dict(chain=twice, n=2, d=1024, ell=20),
}
CLAIMS = [
    ("relu, 64 layers", "cosine >= 1 - 9*pi**2/(2*ell**2)", "supported"),
    ("relu, 64 layers", "cosine >= 1987/2000", "refuted"),
    ("relu, width 1024", "cosine >= 489/500", "supported"),
    ("relu, width 1024", "cosine >= 1971/2000", "refuted"),
    ("abs", "cosine >= 973/1000", "supported"),
    ("abs", "cosine >= 123/125", "refuted"),
    ("leaky", "cosine >= 481/500", "supported"),
    ("leaky", "cosine >= 122/125", "refuted"),
    ("four samples", "mean_absolute_cosine >= 491/500", "supported"),
    ("four samples", "mean_absolute_cosine >= 99/100", "refuted"),
    ("normalised", "cosine >= 489/500", "supported"),
    ("normalised", "cosine >= 1971/2000", "refuted"),
]


@pytest.mark.parametrize(("name", "claim", "expected"), CLAIMS)
def test_a_small_margin_is_decided(
    benchmark: BenchmarkFixture, report: Report, name: str, claim: str, expected: str
) -> None:
    options = CHAINS[name] | dict(name="claim", assume=NEARLY_ORTHOGONAL)
    stated = conjecture(claim, **options).statement(falsify=False)
    start = time.process_time()
    found = benchmark.pedantic(
        stated.checks[0], args=(stated, Context(SEED, LEVEL)), rounds=1, iterations=1
    )
    seconds = time.process_time() - start
    replicas = sum(row.replicas for row in found.details.readouts)
    report(
        f"{name}: {claim}: {found.verdict.value}, {replicas} networks in {seconds:.0f} s",
        seconds=seconds,
        replicas=replicas,
        verdict=found.verdict.value,
    )
    assert found.verdict.value == expected
