"""Gradients at each place of a network: their norms, their growth, and units that pass none."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import architectures
import networks
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from simulators.training import iterative_orthogonal_
from theorems import get, inspect
from theorems.cli import main
from theorems.inspection.backward_pass import Course, Gradients, slope
from theorems.inspection.condition import Condition

WIDTH = 24


def samples(n: int = 12, d: int = WIDTH, seed: int = 5) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def orthogonal(gain: float, depth: int, *parts: Callable[[], nn.Module]) -> nn.Sequential:
    torch.manual_seed(3)
    made: list[nn.Module] = []
    for _ in range(depth):
        layer = nn.Linear(WIDTH, WIDTH, bias=False)
        nn.init.orthogonal_(layer.weight, gain=gain)
        made += [layer, *(part() for part in parts)]
    return nn.Sequential(*made)


def seen(module: nn.Module, batch: Any = None, **options: Any) -> Gradients:
    found = inspect(module, samples() if batch is None else batch, **options).gradients
    assert isinstance(found, Gradients), found
    return found


# --- what is measured ---------------------------------------------------------------------------


def test_norms_are_those_of_the_chain_rule() -> None:
    torch.manual_seed(1)
    first, second, third = networks.linear(8, 6), networks.linear(6, 5), networks.linear(5, 4)
    C = samples(12, 4)
    module = nn.Sequential(first, nn.ReLU(), second, third)
    batch = samples(12, 8)
    found = seen(module, batch, loss=lambda y: (C * y).sum())
    with torch.no_grad():
        gate = (first(batch) > 0).float()
        back = [C, C @ third.weight, (C @ third.weight @ second.weight) * gate]
    wanted = [float(each.double().norm()) for each in reversed(back)]
    order = ["0", "2", "3"]
    names = [layer.name for layer in inspect(module, batch).layers]
    assert [found.norms[names.index(name)] for name in order] == pytest.approx(wanted, rel=1e-5)
    assert found.loss == "the loss given"


@pytest.mark.parametrize(("gain", "course"), [(2.0, "exploding"), (0.5, "vanishing")])
def test_the_factor_of_orthogonal_maps_is_their_gain(gain: float, course: str) -> None:
    found = inspect(orthogonal(gain, 26), samples())
    assert isinstance(found.gradients, Gradients)
    assert found.gradients.rate == pytest.approx(gain, rel=1e-5)
    assert found.gradients.layers == 25
    assert found.gradients.course.value == course
    assert found.state == course
    assert not found.healthy
    assert found.since is None
    assert found.verdict.startswith(f"{course} gradients: factor {gain:g} a layer on the way back")
    assert seen(orthogonal(1.0, 26)).course is Course.STEADY
    assert seen(orthogonal(gain, 6)).course is Course.STEADY, "a thousand is not reached"


def test_what_is_written_in_place_or_computed_again_has_the_same_gradients() -> None:
    class Again(nn.Module):
        def __init__(self, body: nn.Module) -> None:
            super().__init__()
            self.body = body

        def forward(self, x: Tensor) -> Tensor:
            return checkpoint(self.body, x, use_reentrant=False)  # type: ignore[no-any-return]

    plain = seen(orthogonal(1.4, 5, nn.ReLU)).norms
    assert seen(orthogonal(1.4, 5, lambda: nn.ReLU(inplace=True))).norms == plain
    assert seen(Again(orthogonal(1.4, 5, nn.ReLU))).norms == plain


def test_depth_is_counted_along_the_data() -> None:
    """Two maps side by side are at one depth."""

    class Wide(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pairs = nn.ModuleList([orthogonal(1.0, 2) for _ in range(4)])

        def forward(self, x: Tensor) -> Tensor:
            for left, right in self.pairs:  # type: ignore[misc]
                x = left(x) + right(x)
            return x

    found = seen(Wide())
    assert found.layers == 3
    assert found.rate == pytest.approx(math.sqrt(2), rel=0.15)


@pytest.mark.parametrize(
    ("build", "batch"),
    [
        (lambda: architectures.stacked(nn.ReLU()).requires_grad_(False), samples(12, 8)),
        (lambda: architectures.stacked(nn.ReLU()).bfloat16(), samples(12, 8)),
        (architectures.Transformer, torch.arange(60).reshape(12, 5) % 11),
        (architectures.InDict, samples(12, 8)),
        (architectures.Unrolled, samples(12, 40).reshape(12, 5, 8)),
    ],
)
def test_the_network_is_left_as_it_was(build: Callable[[], nn.Module], batch: Tensor) -> None:
    torch.manual_seed(1)
    module = build()
    needed = [item.requires_grad for item in module.parameters()]
    kept = [item.detach().clone() for item in module.parameters()]
    state = torch.get_rng_state()
    assert all(math.isfinite(norm) for norm in seen(module, batch).norms)
    assert torch.equal(torch.get_rng_state(), state)
    assert [item.requires_grad for item in module.parameters()] == needed
    assert all(item.grad is None for item in module.parameters())
    pairs = zip(module.parameters(), kept, strict=True)
    assert all(torch.equal(item, before) for item, before in pairs)
    assert not any(part._forward_hooks for part in module.modules())


def test_where_gradients_explode_it_is_not_said_that_layers_learn() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(*[nn.Linear(16, 16) for _ in range(10)], nn.Linear(16, 3))
    for layer in network[:-1]:
        nn.init.normal_(layer.weight, 0, 1e3)
    found = inspect(network, samples(8, 16))
    assert found.state == "exploding"
    assert found.since is None
    assert "learn" not in found.verdict


class Derived(nn.Module):
    """What it is made of, and the derivative of that, as differential equations are solved by."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = orthogonal(1.5, 3, nn.Tanh)

    def forward(self, x: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.clone().requires_grad_()
            found = self.inner(x)
            (slope_of,) = torch.autograd.grad(found.sum(), x, create_graph=True)
        return found + 0 * slope_of


def test_derivatives_that_a_network_takes_itself_are_no_gradients_of_its_loss() -> None:
    derived, plain = seen(Derived()), seen(Derived().inner)
    assert derived.over == plain.over == "8 random output gradients"
    assert derived.norms == pytest.approx(plain.norms)


def test_a_spectral_norm_is_left_as_it_was() -> None:
    torch.manual_seed(0)
    network = orthogonal(1.5, 3)
    for part in network:
        nn.utils.parametrizations.spectral_norm(part)
    before = [item.clone() for item in network.train().buffers()]
    inspect(network, samples())
    assert before
    assert all(map(torch.equal, network.buffers(), before))


@pytest.mark.parametrize("first", [nn.Identity(), nn.BatchNorm1d(WIDTH)])
def test_a_graph_that_waits_for_its_backward_pass_is_left_as_it_was(first: nn.Module) -> None:
    branch = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))
    nn.init.zeros_(branch[-1].weight)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.branch = first, branch
            self.head = nn.Linear(WIDTH, 2)

        def forward(self, x: Tensor) -> Any:
            x = self.first(x)
            return self.head(x + self.branch(x))

    network = Block().train()
    waiting = network(samples()).square().sum()
    inspect(network, samples())
    assert not branch[-1].weight.any()
    waiting.backward()
    assert branch[-1].weight.grad is not None


def test_the_verdict_tells_that_no_gradients_were_measured() -> None:
    found = inspect(orthogonal(1.0, 3), samples(), loss=lambda output: output.sum() * math.nan)
    assert found.gradients == "no gradients: loss gives nan, which is not finite"
    assert found.verdict.endswith("; no gradients: loss gives nan, which is not finite")


def test_where_no_gradients_come_back_it_is_said() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = orthogonal(1.0, 3)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.body(x)
            return out.detach()

    found = inspect(Cut(), samples())
    assert "no gradients: what comes out does not depend" in str(found.gradients)
    assert found.as_json()["gradients"] == {"not_measured": found.gradients}
    assert found.state == "healthy"
    for loss, words in (
        (lambda y: y, "a tensor of one number"),
        (lambda y: 1 / 0, "no gradients: ZeroDivisionError"),
    ):
        assert words in str(inspect(orthogonal(1.0, 3), samples(), loss=loss).gradients)


# --- what it means ------------------------------------------------------------------------------


def test_deep_batch_normalisation_explodes_at_the_rate_of_the_theory() -> None:
    """Y19: E‖G‖² grows by a factor of 1.57 a layer for 16 samples at infinite width."""
    torch.manual_seed(0)
    found = seen(networks.batchnorm(96, 45), samples(16, 96))
    assert found.course is Course.EXPLODING
    assert found.rate**2 == pytest.approx(1.57, rel=0.05)
    shallow = inspect(networks.batchnorm(96, 15), samples(16, 96))
    assert shallow.healthy
    torch.manual_seed(0)
    residual = seen(networks.residual(96, 60), samples(120, 96))
    assert residual.course is Course.STEADY


def test_gradients_that_vanish_are_told_beside_a_collapse() -> None:
    torch.manual_seed(0)
    parts = [part for _ in range(20) for part in (nn.Linear(WIDTH, WIDTH), nn.ReLU())]
    found = inspect(nn.Sequential(*parts), samples())
    assert found.condition is Condition.COLLAPSING
    assert found.state == "vanishing"
    assert found.verdict.startswith("vanishing gradients: factor 0.4")
    assert "; collapsing at layer" in found.verdict


def test_the_interval_is_over_initialisations_where_there_are_some() -> None:
    def build(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return networks.vanilla(WIDTH, 8)

    alone = seen(build(0))
    assert alone.over == "8 random output gradients"
    assert alone.low <= alone.rate <= alone.high
    several = seen(build(0), others=[build(k) for k in range(1, 5)])
    assert several.over == "5 initialisations"
    assert several.high / several.low > alone.high / alone.low
    assert several.own == alone.own == (alone.low, alone.high)
    assert several.own[0] <= several.rate <= several.own[1]
    assert "by random output gradients; mean over 5 initialisations: " in several.sentence


def test_one_layer_has_no_growth() -> None:
    found = seen(nn.Sequential(networks.linear(WIDTH, WIDTH), nn.ReLU()))
    assert math.isnan(found.rate)
    assert found.course is Course.STEADY
    assert "no two layers" in found.sentence
    assert math.isnan(slope({"a": 0, "b": 1}, np.array([1.0, np.nan])))


def test_a_layer_whose_units_are_dead_is_named() -> None:
    torch.manual_seed(0)
    parts = [part for _ in range(4) for part in (nn.Linear(WIDTH, WIDTH), nn.ReLU())]
    with torch.no_grad():
        parts[4].bias[:23] = -100.0  # type: ignore[index, union-attr]
    found = inspect(nn.Sequential(*parts), samples())
    assert isinstance(found.gradients, Gradients)
    assert found.gradients.dead[2] >= 23 / 24
    assert found.gradients.dying == 3
    assert not found.healthy
    assert "dead at layer 3 ('4'):" in found.verdict


@pytest.mark.parametrize("dead", [[0], [2], [6], [7], [2, 7]])
def test_gradients_that_a_dead_layer_stops_are_not_called_steady(dead: list[int]) -> None:
    torch.manual_seed(0)
    maps = [nn.Linear(32, 32) for _ in range(8)]
    for place in dead:
        nn.init.constant_(maps[place].bias, -200.0)
    parts = [part for each in maps for part in (each, nn.ReLU())]
    found = inspect(nn.Sequential(*parts, nn.Linear(32, 3)), samples(16, 32))
    assert found.state == "dead"
    seen = found.gradients
    assert isinstance(seen, Gradients)
    assert seen.word == "stopped"
    assert seen.as_json()["course"] == "stopped"
    assert "steady" not in found.verdict
    assert seen.layers == max(0, 6 - max(dead))
    assert f"none arrives at {max(dead) + 1} of 9 layers" in seen.sentence


def test_a_branch_that_begins_at_zero_is_not_dead() -> None:
    class Branch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = networks.linear(WIDTH, WIDTH)
            self.gain = nn.Parameter(torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            return x + self.gain * torch.relu(self.inner(x))

    torch.manual_seed(0)
    found = inspect(nn.Sequential(*[Branch() for _ in range(12)]), samples())
    assert isinstance(found.gradients, Gradients)
    assert found.gradients.dying is None
    assert found.healthy


def test_saturated_entries_are_counted_by_their_slopes() -> None:
    for kind, edge in ((nn.Tanh, math.atanh(math.sqrt(0.9))), (nn.Sigmoid, 3.6379)):
        layer = nn.Linear(4, 4, bias=False)
        nn.init.eye_(layer.weight)
        inside = torch.tensor([[0.99 * edge, -0.99 * edge, 0.1, 0.2]])
        batch = torch.cat([inside, inside.flip(1), inside.roll(1, 1)])
        deep = nn.Sequential(layer, kind(), networks.linear(4, 4), nn.ReLU())
        assert seen(deep, batch).saturated[0] == 0
        batch[0, 0] = 1.01 * edge
        assert seen(deep, batch).saturated[0] == pytest.approx(1 / 12)
        assert math.isnan(seen(deep, batch).saturated[1])


# --- what is printed ----------------------------------------------------------------------------

MODEL = """
import sys
sys.path[:0] = [{folder!r}]
import networks, torch
def deep(): return networks.batchnorm(24, 70)
def fixed():
    torch.manual_seed(0)
    return networks.batchnorm(24, 4)
"""


def test_the_command_ends_with_1_where_gradients_explode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = str(Path(networks.__file__).parent)
    Path("model.py").write_text(MODEL.format(folder=folder), encoding="utf-8")
    np.save("batch.npy", samples(16).numpy())
    arguments = ["--batch", "batch.npy", "--json", "out.json"]
    assert main(["inspect", "model.py:deep", *arguments]) == 1
    printed = " ".join(capsys.readouterr().out.split())
    assert "exploding gradients: factor" in printed
    assert "over 5 initialisations" in printed
    told = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert told["state"] == told["gradients"]["course"] == "exploding"
    assert told["condition"] == "healthy"
    assert len(told["gradients"]["norms"]) == len(told["layers"])
    assert main(["inspect", "model.py:fixed", *arguments]) == 0
    assert "over 8 random output gradients" in " ".join(capsys.readouterr().out.split())


# --- what is offered ----------------------------------------------------------------------------


class Summed(nn.Module):
    """x + W relu(Vx), He's weights, without normalisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner, self.outer = networks.linear(width, width), networks.linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.outer(torch.relu(self.inner(x)))
        return out


OFFERED: dict[str, tuple[Callable[[], nn.Module], Tensor, str, set[str]]] = {
    "maps and ReLU": (
        lambda: networks.vanilla(32, 25),
        samples(16, 32),
        "collapsing",
        {"rank.average_rank:lower", "orthogonality.iterative_initialisation:conclusion"},
    ),
    "branches": (
        lambda: nn.Sequential(*[Summed(32) for _ in range(30)]),
        samples(16, 32),
        "exploding",
        {
            "products.residual_growth:below_e",
            "rank.average_rank:lower",
            "orthogonality.iterative_initialisation:conclusion",
        },
    ),
    "deep batch normalisation": (
        lambda: networks.batchnorm(32, 60),
        samples(16, 32),
        "exploding",
        {"gradient.residual_growth:upper", "gradient.layernorm_factor:relu_upper"},
    ),
    "small orthogonal maps": (
        lambda: orthogonal(0.5, 30),
        samples(),
        "vanishing",
        {"gradient.critical_factor:no_mean", "orthogonality.iterative_initialisation:conclusion"},
    ),
    "recentring": (
        lambda: networks.recenter(128, 90),
        samples(16, 128, 0),
        "clustering",
        {"cluster.rescaling_restores_symmetry"},
    ),
    "healthy": (lambda: networks.batchnorm(32, 4), samples(16, 32), "healthy", set()),
}


def test_the_branches_that_are_to_be_scaled_are_counted_not_the_maps_within_them() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.branch = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))

        def forward(self, x: Tensor) -> Any:
            return x + 3 * self.branch(x)

    torch.manual_seed(0)
    found = inspect(nn.Sequential(*[Block() for _ in range(30)], nn.Linear(WIDTH, 2)), samples())
    words = [item.words for item in found.remedies if item.statement.startswith("products.")]
    assert len(words) == 1
    assert "L = 30 here" in words[0]


@pytest.mark.parametrize("name", OFFERED)
def test_remedies_are_offered_with_the_statements_they_rest_on(name: str) -> None:
    build, batch, state, offered = OFFERED[name]
    torch.manual_seed(0)
    found = inspect(build(), batch)
    assert found.state == state
    assert {remedy.statement for remedy in found.remedies} == offered
    assert all(get(remedy.statement) for remedy in found.remedies)
    told = found.as_json()["remedies"]
    assert [item["statement"] for item in told] == [item.statement for item in found.remedies]


APPLYING: dict[str, tuple[Callable[[], nn.Module], set[str]]] = {
    "deep": (
        lambda: stacked(40, nn.ReLU),
        {"iterative_orthogonalisation:progress_kept", "depth_and_trainability:plain"},
    ),
    "15 layers": (lambda: stacked(15, nn.ReLU), {"iterative_orthogonalisation:progress_kept"}),
    "shallow": (lambda: stacked(5, nn.ReLU), set()),
    "tanh": (lambda: stacked(40, nn.Tanh), set()),
    "batch normalisation": (
        lambda: networks.batchnorm(32, 10),
        {"depth_and_trainability:batchnorm"},
    ),
    "deep batch normalisation": (
        lambda: networks.batchnorm(32, 60),
        {"gradient_growth:stalled"},
    ),
    "ReLU in all layers but one": (
        lambda: nn.Sequential(*stacked(20, nn.ReLU)[:20], nn.Tanh(), *stacked(20, nn.ReLU)[:40]),
        set(),
    ),
    "one map twenty times": (
        lambda: nn.Sequential(*[nn.Linear(32, 32), nn.ReLU()] * 20, nn.Linear(32, 3)),
        set(),
    ),
    "batch normalisation of every other layer": (
        lambda: nn.Sequential(
            *[
                part
                for _ in range(8)
                for part in (*networks.batchnorm(32, 1)[:3], nn.Linear(32, 32), nn.ReLU())
            ]
        ),
        set(),
    ),
    "uncentred": (lambda: uncentred(networks.batchnorm(32, 12)), {"uncentred_weights"}),
}


def stacked(depth: int, activation: type[nn.Module]) -> nn.Sequential:
    parts = [part for _ in range(depth) for part in (nn.Linear(32, 32), activation())]
    return nn.Sequential(*parts, nn.Linear(32, 3))


def uncentred(network: nn.Module) -> nn.Module:
    for part in network.modules():
        if isinstance(part, nn.Linear):
            nn.init.uniform_(part.weight, 0, 2 * 32**-0.5)
    return network


@pytest.mark.parametrize("name", APPLYING)
def test_results_of_training_are_told_where_they_apply(name: str) -> None:
    build, applying = APPLYING[name]
    torch.manual_seed(0)
    found = inspect(build(), samples(16, 32))
    told = [item for item in found.findings if item.statement.startswith("training.")]
    assert {item.statement.partition(".")[2] for item in told} == applying
    assert all(get(item.statement).expected in {"supported", "certified"} for item in told)
    assert all(item.met and item.holds is None for item in told)
    if name == "deep":
        assert told[0].why.startswith("depth 40 without normalisation: gradients shrink by 0.")
        assert "iterative orthogonal initialisation is available" in told[0].why
    if name == "deep batch normalisation":
        assert isinstance(found.gradients, Gradients)
        rate = f"gradients grow by {found.gradients.rate:.2g} a layer"
        assert told[0].why.startswith(f"60 layers with batch normalisation: {rate}; 48 such layers")


def test_orthogonalisation_is_offered_for_gradients_that_vanish_and_mends_them() -> None:
    torch.manual_seed(0)
    network, batch = stacked(40, nn.ReLU), samples(16, 32)
    found = inspect(network, batch)
    assert "training.iterative_orthogonalisation:progress_kept" in {
        remedy.statement for remedy in found.remedies
    }
    assert isinstance(found.gradients, Gradients)
    assert found.gradients.course == "vanishing"
    mended = inspect(iterative_orthogonal_(network, batch), batch)
    assert isinstance(mended.gradients, Gradients)
    assert mended.gradients.course == "steady"


def test_columns_have_an_entry_for_each_layer() -> None:
    torch.manual_seed(0)
    found = inspect(networks.batchnorm(WIDTH, 4), samples())
    columns = found.columns()
    assert {len(column) for column in columns.values()} == {len(found.layers)}
    assert isinstance(found.gradients, Gradients)
    assert columns["gradient_norm"] == list(found.gradients.norms)
    assert columns["effective_rank"] == [layer.measures.effective_rank for layer in found.layers]
    assert columns["condition"] == ["healthy"] * 5
    assert columns["role"][-1] == "maps to the outputs"
    assert "‖∂L/∂y‖" in found._repr_html_()


def test_the_interval_of_each_norm_is_over_initialisations() -> None:
    """Orthogonal maps all keep the norm of the same output gradients, and other ones differ."""
    alone = seen(orthogonal(2.0, 4))
    more = seen(orthogonal(2.0, 4), others=[orthogonal(2.0, 4), orthogonal(2.0, 4)])
    apart = seen(orthogonal(2.0, 4), others=[orthogonal(4.0, 4), orthogonal(8.0, 4)])
    for found, least, most in ((alone, 1.001, 1.5), (apart, 2.0, math.inf)):
        assert len(found.intervals) == len(found.norms)
        assert all(least < high / low < most for low, high in found.intervals[:3])
    assert all(1 <= high / low < 1.1 for low, high in more.intervals)
    given = seen(orthogonal(2.0, 4), loss=lambda y: y.square().sum())
    assert all(math.isnan(low) for low, _ in given.intervals)


def test_what_counts_as_a_sample_and_as_a_unit_is_told() -> None:
    flat = inspect(orthogonal(1.0, 2), samples())
    assert flat.counted.endswith("of what a map of each sample gives, a unit is an entry")
    images = torch.randn(4, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    convolved = inspect(nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU()), images)
    assert (convolved.layers[0].kind, convolved.layers[0].shape) == ("Conv2d", (3, 3, 3))
    assert convolved.counted.endswith("a unit is a channel")
    tokens = inspect(nn.Sequential(nn.Linear(5, 6), nn.ReLU()), images[:, 0])
    assert tokens.layers[0].shape == (5, 6)
    assert tokens.counted.endswith("a unit is a feature")


def test_columns_make_a_table_with_a_row_for_each_layer() -> None:
    found = inspect(nn.Sequential(orthogonal(1.0, 3, nn.Tanh), nn.Linear(WIDTH, 2)), samples())
    columns = found.columns()
    assert {len(column) for column in columns.values()} == {len(found.layers)}
    assert columns["role"][:3] == ["hidden"] * 3
    assert columns["effective_rank"] == [layer.measures.effective_rank for layer in found.layers]
    entries = itertools.chain.from_iterable(columns.values())
    assert {type(entry) for entry in entries} <= {int, float, str}
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(columns)
    assert frame.shape == (len(found.layers), len(columns))
    assert frame["gradient_norm"].gt(0).all()
