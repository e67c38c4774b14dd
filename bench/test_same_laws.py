"""What is quicker gives the same: means and laws of ours against those of the published loops."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.stats import ks_2samp, t

from bench.kept import Report
from bench.pairs import peers
from bench.pairs.dense_weights import (
    KERNELS,
    emergence,
    kernels_by_autograd,
    kernels_by_rows,
    tangents_by_autograd,
    tangents_by_rows,
)
from bench.pairs.published_experiment import REPLICAS, WIDTHS, by_notebook, by_simulate
from simulators import residual_chain, simulate
from theorems.families.rank.published import GAMMA, effective_ranks

LEVEL = 1e-6  # of a false alarm, in each test
SEED = 2020
NETWORKS, DEPTH = 1500, 40
FEW, MANY, LOOPED = 4, 200, 40


def test_the_published_experiment_has_the_means_of_the_notebook(
    benchmark: BenchmarkFixture, report: Report
) -> None:
    np.random.seed(SEED)  # noqa: NPY002 - the generator that notebooks use
    notebook = [by_notebook(width, np.random.randn) for width in WIDTHS]
    for width, ours, theirs in zip(
        WIDTHS, benchmark.pedantic(by_simulate, rounds=1), notebook, strict=True
    ):
        # Means of 20 replicas; Bonferroni over the widths.
        difference = ours.mean() - theirs.mean()
        spread = np.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / REPLICAS)
        reach = t.ppf(1 - LEVEL / (2 * len(WIDTHS)), REPLICAS - 1) * spread
        report(
            f"published experiment, width {width}: mean gap {ours.mean():.5f} by factor, "
            f"{theirs.mean():.5f} by the notebook, difference {difference:+.1e} within ±{reach:.1e}"
        )
        assert abs(difference) <= reach


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("width", [8, 32])
def test_the_residual_chain_has_the_law_of_the_published_loop(
    benchmark: BenchmarkFixture, report: Report, width: int, dtype: str
) -> None:
    """r at one depth over independent networks, by the two-sample Kolmogorov–Smirnov test; and
    another γ fails it.
    """
    theirs = [effective_ranks(width, DEPTH, seed=SEED + network)[-1] for network in range(NETWORKS)]

    def p_value(gamma: float) -> float:
        mine = simulate(
            residual_chain(width, gamma),
            np.eye(width),
            depth=DEPTH,
            every=DEPTH,
            replicas=NETWORKS,
            seed=SEED,
            observables=("effective_rank",),
            engine="dense",
            dtype=dtype,
        )
        found = ks_2samp(theirs, mine["effective_rank"][:, -1], method="asymp")
        return float(found.pvalue)

    same, other = benchmark.pedantic(p_value, (GAMMA,), rounds=1), p_value(1.2 * GAMMA)
    report(
        f"residual chain, d = {width}, {dtype}: p = {same:.2g} against the loop's law, "
        f"{other:.1g} at 1.2 γ"
    )
    assert same > LEVEL > other


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_outlier_emerges(benchmark: BenchmarkFixture, report: Report, dtype: str) -> None:
    trajectory = benchmark.pedantic(emergence, (dtype,), rounds=1)
    emerged = np.mean(trajectory["lone_outlier"][:, -1] >= 0)
    report(f"emergence, {dtype}: an outlier in {emerged:.0%} of the networks")
    assert emerged > 0.9


@pytest.mark.parametrize("case", KERNELS)
def test_the_tangent_kernel_has_the_mean_of_the_loop(
    benchmark: BenchmarkFixture, report: Report, case: str
) -> None:
    one, many = kernels_by_autograd(case, FEW), kernels_by_rows(case, MANY)
    benchmark.pedantic(kernels_by_rows, (case, FEW), rounds=1)
    # The deviation of the mean of a few is told from the spread of the many.
    deviation = many.std(axis=0) * (1 / FEW + 1 / MANY) ** 0.5
    apart = np.abs(one.mean(axis=0) - many.mean(axis=0)) / deviation
    report(f"tangent kernel of {case}: means {apart.max():.1f} deviations apart at most")
    assert apart.max() < 6


def test_tangents_have_the_law_of_the_loop(benchmark: BenchmarkFixture, report: Report) -> None:
    """log ‖Ḣ‖ by the two-sample Kolmogorov–Smirnov test; and another start's fails it."""
    theirs, ours = tangents_by_autograd(LOOPED), tangents_by_rows(MANY)
    benchmark.pedantic(tangents_by_rows, (FEW,), rounds=1)
    same, other = (float(ks_2samp(theirs, ours + moved).pvalue) for moved in (0.0, 1.0))
    report(
        f"tangents of batchnorm(tanh): p = {same:.2g} against the loop's law, {other:.1g} at e Ḣ"
    )
    assert same > LEVEL > other


def test_the_limit_of_width_is_that_of_neural_tangents(report: Report) -> None:
    if why := {absent.name: absent.why for absent in peers.ABSENT}.get("neural-tangents"):
        pytest.skip(why)
    apart = peers.agreement()
    report(f"kernel in the limit of width: {apart:.1e} apart from that of neural-tangents")
    assert apart < 1e-9


def test_the_linear_regions_are_as_many_as_those_of_relucent(report: Report) -> None:
    relucent = pytest.importorskip("relucent")
    module = peers.network()
    ours, theirs = peers.regions_by_exact_signs(module), peers.regions_by_peer(relucent, module)
    report(f"linear regions: {ours} here, {theirs} by relucent")
    assert ours == theirs
