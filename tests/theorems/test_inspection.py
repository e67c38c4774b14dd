"""Inspection: networks of known behaviour are judged as the theory has it, and left as they were."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import networks
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from bench.networks.sick import SICK
from simulators import batchnorm_chain, simulate
from theorems import inspect
from theorems.families.orthogonality.findings import _decay, findings
from theorems.inspection.condition import Condition, fixed_cosine, fixed_rank, measure
from theorems.inspection.finding import Watched
from theorems.inspection.forward_pass import InspectionError, watch
from theorems.inspection.predictions import Simulated, simulated
from theorems.inspection.recognition import recognise
from theorems.inspection.report import watched
from theorems.inspection.stages import Role, stages


def made(build: Callable[..., nn.Module], seed: int, **sizes: int) -> nn.Module:
    torch.manual_seed(seed)
    return build(**sizes)


def samples(n: int, d: int, seed: int = 5) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def seen(module: nn.Module, batch: Tensor, statistics: str = "batch") -> Watched:
    """What the families look at: all of an inspection but their findings and the simulation."""
    passage = watch(module, batch, statistics)
    hidden = [stage for stage in stages(passage) if stage.role is Role.HIDDEN]
    return watched(passage, hidden)


# --- networks of known behaviour ------------------------------------------------------------------


#: One seed here, two more in ``.ci/full``.
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in (1, 2))]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("build", "width", "condition", "chain"),
    [
        (networks.batchnorm, 96, Condition.HEALTHY, "weights → batchnorm → relu"),
        (networks.linear_batchnorm, 96, Condition.HEALTHY, "weights → batchnorm"),
        (networks.residual, 96, Condition.HEALTHY, "weights → residual → batchnorm"),
        (networks.vanilla, 96, Condition.COLLAPSING, "weights → relu"),
        (networks.vanilla_linear, 24, Condition.COLLAPSING, "weights"),
        (networks.recenter, 128, Condition.CLUSTERING, "weights → recenter → relu"),
    ],
)
def test_known_networks(
    build: Callable[..., nn.Module], width: int, condition: Condition, chain: str, seed: int
) -> None:
    found = inspect(made(build, seed), samples(16, width, seed))
    assert found.recognised.words == f"{chain}, gaussian weights"
    assert found.recognised.obstacle is None
    assert found.condition is condition
    assert found.verdict.startswith(condition.value)
    assert (found.since is None) == (condition is Condition.HEALTHY)
    if condition is Condition.CLUSTERING:
        assert "a lone outlier, sample" in found.verdict
        assert found.layers[found.hidden - 1].measures.largest_cluster == 15


@pytest.mark.parametrize("seed", SEEDS)
def test_no_outlier_in_a_batch_of_four(seed: int) -> None:
    """The outlier's fixed point is born between six and seven samples."""
    assert (
        inspect(made(networks.recenter, seed), samples(4, 128, seed)).condition is Condition.HEALTHY
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_narrow_layers_are_not_taken_for_collapsed_ones(seed: int) -> None:
    """Width 24 and 128 samples: the rank cannot exceed 24, and scatters."""
    assert (
        inspect(made(networks.batchnorm, seed, width=24), samples(128, 24, seed)).condition
        is Condition.HEALTHY
    )
    assert (
        inspect(made(networks.vanilla, seed, width=24), samples(128, 24, seed)).condition
        is Condition.COLLAPSING
    )


# --- yardsticks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [4, 12])
def test_the_healthy_rank_is_that_of_wide_batchnorm(n: int) -> None:
    wide = simulate(
        batchnorm_chain(20_000),
        np.eye(n) + 0.3,
        depth=12,
        replicas=4,
        seed=1,
        observables=("orthogonality_gap", "effective_rank"),
    )
    gap = wide["orthogonality_gap"][:, 6:].mean()
    assert gap == pytest.approx(fixed_cosine(n) * math.sqrt(1 - 1 / n), rel=0.03)
    assert wide["effective_rank"][:, 6:].mean() == pytest.approx(fixed_rank(n, 20_000), rel=0.03)
    narrow = simulate(
        batchnorm_chain(64),
        np.eye(n) + 0.3,
        depth=12,
        replicas=99,
        seed=1,
        observables=("effective_rank",),
    )["effective_rank"][:, 6:].mean()
    assert math.sqrt(fixed_rank(n, 64)) < 0.8 * narrow, "with room for scatter"
    assert narrow < fixed_rank(n)


def layer_map(y: float, n: int) -> float:
    """One layer of recentring and ReLU at infinite width, on n − 1 alike and one other."""

    def kappa(rho: float) -> float:
        return (math.sqrt(1 - rho * rho) + (math.pi - math.acos(rho)) * rho) / math.pi

    m = n - 1
    alike, across, other = (
        kappa((y - 1) / (n - 2)),
        math.sqrt(m * y) * kappa(-math.sqrt(y / m)),
        m * y,
    )
    row, last = (1 + (m - 1) * alike + across) / n, (m * across + other) / n
    mean = (m * row + last) / n
    return -(across - row - last + mean) / (1 - 2 * row + mean)


@pytest.mark.parametrize("n", [7, 8, 12, 32, 128])
def test_half_of_the_energy_lies_between_separatrix_and_outlier(n: int) -> None:
    low, high = 0.9 / (n - 1), 1.0
    for _ in range(3000):
        low, high = layer_map(low, n), layer_map(high, n)
    assert low == pytest.approx(1 / (n - 1), rel=1e-3), "the symmetric point attracts from below"
    assert high > 2.4, "and y = 1, half of the energy, flows to the outlier"
    assert layer_map(0.36, n) > 0.36


def test_an_outlier_is_told_from_a_collapse_and_from_two_groups() -> None:
    rng = np.random.default_rng(0)
    cluster, other = rng.standard_normal((2, 50))
    outlier = np.column_stack([cluster] * 9 + [9 * other]) + 0.01 * rng.standard_normal((50, 10))
    found = measure(outlier)
    assert (found.condition, found.outlier, found.largest_cluster) == (Condition.CLUSTERING, 9, 9)
    groups = np.column_stack([cluster] * 6 + [other] * 4) + 0.01 * rng.standard_normal((50, 10))
    found = measure(groups)
    assert (found.condition, found.largest_cluster) == (Condition.CLUSTERING, 6)
    opposite = np.outer(cluster, np.sign(rng.standard_normal(10))) + 0.01 * rng.standard_normal(
        (50, 10)
    )
    found = measure(opposite)
    assert (found.condition, found.largest_cluster) == (Condition.COLLAPSING, 10)
    assert measure(rng.standard_normal((50, 10))).condition is Condition.HEALTHY
    assert measure(np.zeros((5, 3))).condition is Condition.COLLAPSING


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 9), st.floats(-30, 30))
def test_what_is_measured_does_not_depend_on_scale_or_rotation(
    seed: int, n: int, exponent: float
) -> None:
    rng = np.random.default_rng(seed)
    H = rng.standard_normal((12, n)) + rng.standard_normal((12, 1))
    turned = np.linalg.qr(rng.standard_normal((12, 12))).Q @ H * 10**exponent
    a, b = measure(H), measure(turned)
    assert a.effective_rank == pytest.approx(b.effective_rank)
    assert a.gap == pytest.approx(b.gap)
    assert a.outlier_share == pytest.approx(b.outlier_share)


# --- recognition ----------------------------------------------------------------------------------


def words(
    module: nn.Module, n: int = 16, d: int = 96, statistics: str = "batch"
) -> tuple[str, str | None]:
    found = seen(module, samples(n, d), statistics).recognised
    return found.words, found.obstacle


def test_functions_in_the_users_code_count_like_modules() -> None:
    assert words(made(networks.Functional, 1, width=96, depth=5))[0].startswith(
        "weights → batchnorm → relu"
    )


def test_laws_of_weights_are_told_apart() -> None:
    module = made(networks.batchnorm, 1)
    for law, init in (("uniform", nn.init.uniform_), ("gaussian", nn.init.normal_)):
        for part in module.modules():
            if isinstance(part, nn.Linear):
                init(part.weight, *((-1, 1) if law == "uniform" else ()))
        assert words(module)[0].endswith(f"{law} weights")
    for change, said in (
        (lambda w: w.exponential_(), "neither Gaussian nor uniform"),
        (nn.init.orthogonal_, "orthogonal"),
    ):
        for part in module.modules():
            if isinstance(part, nn.Linear):
                with torch.no_grad():
                    change(part.weight)
        assert said in str(words(module)[1])


def test_a_network_that_gives_zeros_collapses() -> None:
    module = made(networks.batchnorm, 1)
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.zeros_(part.weight)
    found = inspect(module, samples(16, 96))
    assert (found.condition, found.since) == (Condition.COLLAPSING, 1)
    assert found.layers[0].measures.dead


@pytest.mark.parametrize("seed", [3, 11, 21])
def test_samples_that_differ_by_rounding_alone_collapse(seed: int) -> None:
    """After many sigmoids all samples are equal but for rounding, of which no clusters are made:
    the energy that is left may come out as 0.
    """
    network, batch, right = SICK["deep sigmoids"](seed)
    found = inspect(network, batch)
    assert found.condition is Condition.COLLAPSING
    assert found.state in right


def test_a_stretch_that_zeros_enter_is_not_simulated() -> None:
    """Everything dies in the first of many equal layers."""
    parts = [part for _ in range(6) for part in (nn.Linear(32, 32, bias=False), nn.ReLU())]
    module = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), *parts)
    nn.init.constant_(module[0].bias, -100.0)
    found = inspect(module, samples(16, 32))
    assert found.state == "dead"
    assert not found.healthy


def test_what_departs_from_the_theory_is_said() -> None:
    trained = made(networks.batchnorm, 1)
    nn.init.uniform_(
        next(part for part in trained.modules() if isinstance(part, nn.BatchNorm1d)).weight
    )
    assert "its layers differ" in str(words(trained)[1])
    untrained = words(made(networks.batchnorm, 1), statistics="running")
    assert untrained == ("weights → relu, gaussian weights", None), (
        "initial running statistics normalise nothing"
    )
    biased = nn.Sequential(nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU())
    assert "bias that nothing subtracts" in str(words(biased)[1])
    harmless = nn.Sequential(
        *[part for _ in range(3) for part in (nn.Linear(96, 96), nn.BatchNorm1d(96), nn.ReLU())]
    )
    assert words(harmless)[1] is None, "batchnorm takes the bias away"
    narrowing = nn.Sequential(
        networks.linear(96, 96), nn.ReLU(), networks.linear(96, 40), nn.ReLU()
    )
    assert "widths differ" in str(words(narrowing)[1])


# --- predictions ----------------------------------------------------------------------------------


def test_networks_of_the_chain_pass_the_simulation_and_others_do_not() -> None:
    passed = []
    for seed in range(20):
        found = seen(made(networks.batchnorm, seed, width=48, depth=6), samples(8, 48, seed))
        passed.append(simulated(found.recognised, found.batch, found.measures, seed))
    p_values = [item.p_value for item in passed if isinstance(item, Simulated)]
    assert len(p_values) == 20
    assert sum(p <= 0.02 for p in p_values) <= 3, (
        "of a binomial(20, 0.02), more has probability 6e-4"
    )
    assert min(p_values) < 0.5 < max(p_values)
    found = seen(made(networks.batchnorm, 1), samples(16, 96))
    other = seen(made(networks.vanilla, 1, depth=15), samples(16, 96))
    false = simulated(found.recognised, found.batch, other.measures, 0)
    assert isinstance(false, Simulated)
    assert not false.holds


def test_statements_hold_where_their_assumptions_are_met_and_can_be_exceeded() -> None:
    torch.manual_seed(2)
    module, batch = networks.linear_batchnorm(2048, 6), samples(4, 2048)
    found = inspect(module, batch)
    statements = [item for item in found.findings if item.statement.startswith("orthogonality")]
    assert [(item.met, item.holds) for item in statements] == [(True, True)] * 3
    start = batch.double().numpy().T
    collapsed = [
        np.outer(np.ones(2048), np.arange(4.0))
        + 1e-3 * np.random.default_rng(i).standard_normal((2048, 4))
        for i in range(6)
    ]
    measures = [measure(H) for H in collapsed]
    drift, _, decay = findings(Watched(found.recognised, (), (), start, collapsed, measures, 0))
    assert drift.holds is False
    assert decay.holds is None, "its bound says nothing for so small an α"
    assert (
        _decay(
            decay.statement, [np.eye(9, 3), np.eye(9, 3), np.ones((9, 3)) + np.eye(9, 3)], 1e6
        ).holds
        is False
    )
    other = inspect(made(networks.vanilla, 1), samples(16, 96)).findings
    assert not any(item.met for item in other if item.statement.startswith("orthogonality"))


def test_too_wide_a_batch_is_measured_but_not_simulated() -> None:
    found = inspect(made(networks.batchnorm, 1, width=12), samples(20, 12))
    assert "20 samples are more than" in str(found.simulation)


# --- nothing is changed ---------------------------------------------------------------------------


@pytest.mark.parametrize("statistics", ["batch", "running"])
@pytest.mark.parametrize("fails", [False, True])
def test_the_network_is_left_as_it_was(statistics: str, fails: bool) -> None:
    module = nn.Sequential(made(networks.batchnorm, 1), nn.Dropout(0.5), nn.ReLU(inplace=True))
    module.train()
    module[0][1].eval()
    before = copy.deepcopy(module.state_dict())
    modes = [part.training for part in module.modules()]
    batch = samples(16, 95 if fails else 96)
    kept, state = batch.clone(), torch.get_rng_state()
    buffers = [id(item) for item in module.buffers()]
    if fails:
        with pytest.raises(InspectionError, match="module fails on a batch of shape"):
            watch(module, batch, statistics)
    else:
        inspect(module, batch, statistics=statistics)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert [part.training for part in module.modules()] == modes
    assert [id(item) for item in module.buffers()] == buffers
    assert all(not part._forward_hooks and not part._forward_pre_hooks for part in module.modules())
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(batch, kept)
    assert all(parameter.grad is None for parameter in module.parameters())


def test_layers_that_work_in_place_are_seen_before_and_after() -> None:
    plain = made(networks.batchnorm, 1, depth=4)
    inplace = copy.deepcopy(plain)
    for part in inplace.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = True
    batch = samples(16, 96)
    assert inspect(plain, batch).as_json() == inspect(inplace, batch).as_json()


def test_inputs_are_taken_as_arrays_and_tensors_of_any_precision() -> None:
    module, batch = made(networks.batchnorm, 1, depth=4), samples(16, 96)
    assert inspect(module, batch.numpy()).as_json() == inspect(module, batch.double()).as_json()
    assert inspect(copy.deepcopy(module).double(), batch).condition is Condition.HEALTHY


def test_images_and_tuples() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10)
            )

        def forward(self, x: Tensor) -> tuple[None, Tensor]:
            return None, self.body(x)

    found = inspect(
        made(Pair, 1), torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    )
    assert [layer.measures.width for layer in found.layers] == [288, 10]
    assert "Conv2d" in str(found.recognised.obstacle)


def test_what_is_pooled_for_the_outputs_is_not_judged() -> None:
    torch.manual_seed(0)
    parts = [
        part
        for _ in range(4)
        for part in (nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
    ]
    body = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))
    found = inspect(body, torch.randn(6, 4, 6, 6))
    assert (len(found.layers), found.hidden) == (5, 3)
    assert found.condition is Condition.HEALTHY
    assert found.layers[3].measures.effective_rank < found.layers[2].measures.effective_rank


# --- refusals -------------------------------------------------------------------------------------


class Broken(nn.Module):
    def __init__(self, act: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.first, self.second, self.act = nn.Linear(8, 8), nn.Linear(8, 8), act

    def forward(self, x: Tensor) -> Any:
        return self.act(self.second(self.first(x)))


@pytest.mark.parametrize(
    ("module", "batch", "said"),
    [
        ("net", torch.ones(4, 8), "is a str; give a torch.nn.Module"),
        (nn.ReLU(), torch.ones(4, 8), "no layer with weights"),
        (nn.Linear(8, 8), torch.ones(8), "samples along the first axis"),
        (nn.Linear(8, 8), torch.ones(2, 8), "at least 3"),
        (nn.Linear(8, 8), torch.ones(4, 7), "module fails on a batch of shape (4, 7)"),
        (nn.Linear(8, 8), torch.full((4, 8), math.nan), "not finite"),
        (nn.Linear(8, 8), torch.ones(4, 8) > 0, "torch.bool"),
        (nn.Linear(8, 8), [["a", "b"]] * 4, "no array of numbers"),
        (nn.LazyLinear(8), torch.ones(4, 8), "no shape yet"),
        (Broken(lambda x: "text"), torch.ones(4, 8), "module gives a str"),
        (Broken(lambda x: (None, {})), torch.ones(4, 8), "module gives a tuple"),
        (Broken(lambda x: x * math.inf), torch.ones(4, 8), "come out of the network"),
        (Broken(lambda x: 1 / 0), torch.ones(4, 8), "module fails after 'second'"),
    ],
)
def test_what_is_refused(module: Any, batch: Any, said: str) -> None:
    with pytest.raises((InspectionError, TypeError)) as caught:
        inspect(module, batch)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_values_that_are_not_finite_are_placed() -> None:
    module = made(networks.batchnorm, 1)
    with torch.no_grad():
        module[3].weight[0, 0] = math.inf  # type: ignore[index, union-attr]
    with pytest.raises(InspectionError, match=r"come out of layer 4, '3' \(Linear\)"):
        inspect(module, samples(16, 96))


def test_bad_statistics_are_refused() -> None:
    with pytest.raises(InspectionError, match="statistics='train'"):
        inspect(made(networks.batchnorm, 1), samples(16, 96), statistics="train")


def test_stages_are_cut_at_weights() -> None:
    passage = watch(made(networks.batchnorm, 1, depth=3), samples(16, 96), "batch")
    found = stages(passage)
    assert [stage.actions for stage in found] == [("batchnorm", "relu")] * 3 + [()]
    assert recognise(found[:3], passage).obstacle is None
