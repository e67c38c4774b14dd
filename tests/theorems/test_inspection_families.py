"""What each family says of one network: where its statements hold, and networks on which each
fails.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import networks
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from simulators import batchnorm_chain, recenter_relu_chain
from theorems import inspect
from theorems.families.cluster import findings as cluster
from theorems.families.rank import findings as rank
from theorems.families.splines import findings as splines
from theorems.inspection.condition import Floats, measure
from theorems.inspection.finding import Finding, Watched
from theorems.inspection.forward_pass import watch
from theorems.inspection.report import watched as what_is_watched
from theorems.inspection.stages import Role, stages
from theorems.registry import get


def watched(module: nn.Module, batch: Tensor, statistics: str = "batch") -> Watched:
    passage = watch(module, batch, statistics)
    return what_is_watched(passage, [s for s in stages(passage) if s.role is Role.HIDDEN])


def with_features(seen: Watched, features: Sequence[Floats]) -> Watched:
    return dataclasses.replace(seen, features=features, measures=[measure(H) for H in features])


def named(findings: Sequence[Finding], name: str) -> Finding:
    return next(item for item in findings if name in item.statement)


def seeded(build: Callable[..., nn.Module], seed: int, *sizes: int) -> nn.Module:
    torch.manual_seed(seed)
    return build(*sizes)


def samples(n: int, d: int, seed: int = 5) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_every_family_speaks_of_statements_that_exist() -> None:
    found = inspect(seeded(networks.batchnorm, 0, 48, 6), samples(8, 48))
    assert {item.statement.split(".")[0] for item in found.findings} == {
        "orthogonality",
        "rank",
        "cluster",
        "splines",
        "gradient",
        "training",
    }
    assert all(get(item.statement).name == item.statement for item in found.findings)
    told = [item for item in found.findings if not item.statement.startswith("training.")]
    assert all((item.measured is None) == (not item.met) for item in told)
    assert all(item.measured is None for item in found.findings if item not in told)
    assert all(
        item.holds is None or item.holds == (item.measured <= item.predicted + 1e-9)
        for item in found.findings
        if item.measured is not None and item.predicted is not None
    )


# --- rank -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "build", [networks.batchnorm, networks.vanilla, networks.recenter, networks.branches]
)
def test_soft_ranks_are_large_enough_at_every_layer(build: Callable[..., nn.Module]) -> None:
    seen = watched(seeded(build, 0, 64, 12), samples(16, 64)).measures
    found = rank.soft_rank_finding(seen)
    assert (found.met, found.holds) == (True, True)
    false = [*seen[:-1], dataclasses.replace(seen[-1], soft_rank=0)]
    assert rank.soft_rank_finding(false).holds is False


def test_the_soft_rank_that_r_allows_is_attained() -> None:
    """One eigenvalue that counts, the others just below τ: the least soft rank is 1, up to that."""
    d, low = 40, 0.5 - 1e-9
    found = rank.soft_rank_finding(
        [measure(np.diag(np.sqrt([d - (d - 1) * low, *[low] * (d - 1)])))]
    )
    assert found.holds is True
    assert found.measured == pytest.approx(1)


def residual(width: int, depth: int) -> nn.Module:
    return nn.Sequential(*[networks.ResidualBlock(width, 1.0) for _ in range(depth)])


def average_rank(seen: Watched) -> Finding:
    return named(rank.findings(seen), "average_rank")


def test_the_average_rank_of_a_residual_chain() -> None:
    seen = watched(seeded(residual, 0, 16, 60), samples(24, 16))
    found = average_rank(seen)
    assert (found.met, found.holds) == (True, True)
    low = np.outer(np.arange(1.0, 17), np.ones(24)) + 1e-3 * np.random.default_rng(
        0
    ).standard_normal((16, 24))
    assert average_rank(with_features(seen, [*seen.features[:36], *[low] * 24])).holds is False
    narrow = average_rank(watched(seeded(residual, 0, 8, 60), samples(20, 8)))
    assert (narrow.met, narrow.holds) == (True, None), "√8/3 < 1 ≤ r"
    short = average_rank(watched(seeded(residual, 0, 16, 20), samples(24, 16)))
    assert not short.met
    assert "the start is forgotten after some 36 layers" in short.why
    few = average_rank(watched(seeded(residual, 0, 16, 60), samples(16, 16)))
    assert not few.met
    assert "recentred the 16 samples have 15" in few.why


def test_linear_networks_lose_rank_at_the_exact_rate() -> None:
    batch = np.random.default_rng(0).standard_normal((8, 4))
    held = []
    for seed in range(40):
        weights = np.random.default_rng(seed).standard_normal((400, 8, 8))
        found = rank.growth_gap(list(weights), batch)
        held.append(found.holds)
        assert found.predicted is not None
    assert held.count(True) >= 38, "each fails with probability 1e-3"
    tied = [
        rank.growth_gap(
            [np.random.default_rng(seed).standard_normal((4, 4))] * 400, batch[:4]
        ).holds
        for seed in range(20)
    ]
    assert tied.count(False) >= 5, "powers of one matrix have another rate"
    few = rank.growth_gap(list(np.random.default_rng(0).standard_normal((20, 8, 8))), batch)
    assert (few.met, few.holds) == (True, None)
    assert "too few to tell" in few.why
    seen = watched(seeded(networks.vanilla_linear, 0, 8, 400), samples(6, 8))
    assert named(rank.findings(seen), "vanilla_collapse").holds is True
    assert not named(
        rank.findings(watched(seeded(networks.vanilla, 0), samples(6, 96))), "vanilla_collapse"
    ).met


# --- cluster --------------------------------------------------------------------------------------


def blocks(d: int, first: int, n: int) -> Tensor:
    c, o = samples(2, d)
    return torch.stack([c] * first + [o] * (n - first))


def trained(width: int) -> nn.BatchNorm1d:
    norm = nn.BatchNorm1d(width)
    nn.init.normal_(norm.bias, std=2.0)
    return norm


@pytest.mark.parametrize(
    ("norm", "holds"),
    [
        (nn.BatchNorm1d, True),
        (lambda width: networks.Recenter(), True),
        (lambda width: nn.BatchNorm1d(width, eps=3), True),
        (trained, False),
    ],
)
def test_two_blocks_become_orthogonal(norm: Callable[[int], nn.Module], holds: bool) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(networks.linear(64, 64), norm(64), nn.ReLU())
    found = cluster.two_blocks(watched(module, blocks(64, 5, 12)))
    assert (found.met, found.holds) == (True, holds)
    assert not cluster.two_blocks(watched(module, samples(12, 64))).met


def test_running_statistics_break_two_blocks() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(networks.linear(64, 64), nn.BatchNorm1d(64), nn.ReLU())
    assert isinstance(module[1].running_mean, Tensor)
    module[1].running_mean.fill_(1.0)
    seen = watched(module, blocks(64, 5, 12), "running")
    assert cluster.two_blocks(seen).holds is False
    assert not cluster.two_blocks(watched(seeded(networks.vanilla, 0), blocks(96, 5, 12))).met


def test_deep_layers_are_at_the_outlier() -> None:
    seen = watched(seeded(networks.recenter, 0, 128, 110), samples(16, 128))
    found = cluster.findings(seen)
    outlier = named(found, "outlier_fixed_point")
    assert (outlier.met, outlier.holds) == (True, True)
    assert [reading.quantity for reading in outlier.readings] == [
        "cosine in the cluster",
        "cosine with the outlier",
        "outlier's norm over the others'",
    ]
    assert outlier.readings[0].predicted == pytest.approx(0.866, abs=1e-3)
    assert not named(found, "symmetric_fixed_point").met
    assert not named(found, "rescaling_restores").met
    early = cluster.findings(watched(seeded(networks.recenter, 0, 128, 30), samples(16, 128)))
    assert not named(early, "outlier_fixed_point").met


def test_fixed_points_are_told_from_others() -> None:
    n, d = 10, 300
    rng = np.random.default_rng(0)
    tight = rng.standard_normal((d, 1)) + 0.03 * rng.standard_normal((d, n))
    tight[:, -1] = 9 * rng.standard_normal(d)
    loose = rng.standard_normal((d, 1)) + 1.2 * rng.standard_normal((d, n))
    outlier, symmetric = cluster.outlier_point(n), cluster.symmetric_point(n)
    at_outlier = np.linalg.qr(rng.standard_normal((d, n))).Q @ np.linalg.cholesky(outlier.gram).T
    assert (
        cluster.fixed_point_finding(outlier, recenter_relu_chain, [at_outlier] * 10, 0).holds
        is True
    )
    for other in (tight, loose):
        assert (
            cluster.fixed_point_finding(outlier, recenter_relu_chain, [other] * 10, 0).holds
            is False
        )
        assert (
            cluster.fixed_point_finding(symmetric, batchnorm_chain, [other] * 10, 0).holds is False
        )
    near = dataclasses.replace(outlier, other=float(outlier.values[0]) - 0.01)
    assert (
        cluster.fixed_point_finding(near, recenter_relu_chain, [at_outlier] * 10, 0).holds is None
    )


def test_full_batchnorm_is_at_the_symmetric_point() -> None:
    failures = 0
    for seed in range(5):
        found = cluster.findings(
            watched(seeded(networks.batchnorm, seed, 128, 20), samples(8, 128, seed))
        )
        point, restored = named(found, "symmetric_fixed_point"), named(found, "rescaling_restores")
        assert (point.met, restored.met, restored.holds) == (True, True, True)
        failures += point.holds is not True
        assert not named(found, "outlier_fixed_point").met
    assert failures <= 1, "each has probability 1/200"


def test_full_batchnorm_keeps_two_exact_blocks_and_is_then_elsewhere() -> None:
    module = seeded(networks.batchnorm, 0, 128, 22).double()
    found = cluster.findings(watched(module, blocks(128, 4, 8).double()))
    assert named(found, "two_block").holds is True
    assert named(found, "symmetric_fixed_point").holds is False
    assert named(found, "rescaling_restores").holds is False


# --- splines --------------------------------------------------------------------------------------


class WrongAxis(nn.BatchNorm1d):
    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean(dim=1, keepdim=True)) / x.std(dim=1, correction=0, keepdim=True)


@pytest.mark.parametrize(
    ("norm", "statistics", "holds"),
    [
        (nn.BatchNorm1d, "batch", [True, True, True]),
        (lambda width: nn.BatchNorm1d(width, eps=1.0), "batch", [True, False, False]),
        (nn.BatchNorm1d, "running", [False, False, False]),
        (WrongAxis, "batch", [False, False, False]),
        (trained, "batch", [False, False, False]),
    ],
)
def test_units_are_best_fits_unless_batchnorm_is_broken(
    norm: Callable[[int], nn.Module], statistics: str, holds: list[bool]
) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        *[part for _ in range(3) for part in (networks.linear(32, 32), norm(32), nn.ReLU())]
    )
    found = splines.findings(watched(module, samples(16, 32), statistics))
    assert [item.met for item in found] == [True] * 3
    assert [item.holds for item in found] == holds


def test_units_of_convolutions_fit_patches() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10)
    )
    found = splines.findings(watched(module, torch.randn(6, 1, 8, 8)))
    assert [item.holds for item in found] == [True] * 3
    assert "1 batchnorms" in found[0].why
    module[0].weight.data.mul_(1e-3)  # type: ignore[operator]
    found = splines.findings(watched(module, torch.randn(6, 1, 8, 8)))
    assert [item.holds for item in found] == [True, False, False], (
        "ε is no longer small beside the variance"
    )
    assert "the least variance there is" in found[2].why


def test_without_batchnorm_modules_splines_are_silent() -> None:
    assert not any(
        item.met for item in splines.findings(watched(seeded(networks.vanilla, 0), samples(8, 96)))
    )
