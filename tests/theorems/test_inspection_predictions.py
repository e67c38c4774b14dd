"""What is predicted of a network beside what is measured: on stretches of it, and where it is only
nearly a chain.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import networks
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from simulators import Chain, batchnorm_chain, residual_chain, vanilla_chain
from simulators.chains import residual_batchnorm_chain
from simulators.layers import Activation, Bias, LayerNorm, Linear, RMSNorm
from theorems import inspect
from theorems.cli import main
from theorems.families.gradient.findings import factor_of, growth_finding
from theorems.families.kernels.findings import cosine_finding, fixed_point, kernel_of
from theorems.inspection.finding import Finding
from theorems.inspection.predictions import COSINE, GROWTH, Back, Simulated, simulated
from theorems.inspection.report import Inspection
from theorems.inspection.stretches import Stretch


def samples(n: int, *shape: int, seed: int = 5) -> Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))


def layers(width: int, depth: int, *makers: Callable[[], nn.Module]) -> nn.Sequential:
    """Torch's own initialisation, with biases, and a head."""
    parts: list[nn.Module] = []
    for _ in range(depth):
        parts += [nn.Linear(width, width), *(maker() for maker in makers)]
    return nn.Sequential(*parts, nn.Linear(width, 10))


def simulation(found: Inspection) -> Simulated:
    assert isinstance(found.simulation, Simulated), found.simulation
    return found.simulation


def said(found: Inspection, family: str) -> Finding:
    return next(item for item in found.findings if item.statement.startswith(family))


def seeded(build: Callable[[], nn.Module], batch: Tensor, seed: int = 0) -> Inspection:
    torch.manual_seed(seed)
    return inspect(build(), batch)


# --- exact chains ---------------------------------------------------------------------------------


def test_gradients_of_a_chain_are_as_those_that_are_simulated() -> None:
    p_values = []
    for seed in range(20):
        found = seeded(lambda: networks.batchnorm(48, 6), samples(8, 48, seed=seed), seed)
        line = simulation(found).line(GROWTH)
        assert line is not None
        p_values.append(line.p_value)
    assert sum(p <= 0.02 for p in p_values) <= 3, (
        "of a binomial(20, .02), more has probability 6e-4"
    )
    assert min(p_values) < 0.5 < max(p_values)


def test_the_panel_of_gradients_has_the_chain_simulated_from_what_arrives() -> None:
    pytest.importorskip("matplotlib")
    from theorems.inspection.figure import panel

    found = seeded(lambda: nn.Sequential(networks.vanilla(48, 6)), samples(8, 48))
    (axes,) = panel(found, "gradients").axes
    dotted = next(line for line in axes.lines if line.get_label() == "‖∂L/∂h‖, this network")
    line = simulation(found).line(GROWTH)
    assert line is not None
    ends = np.asarray(dotted.get_ydata())[[0, -1]]
    assert list(dotted.get_xdata()) == list(range(1, found.hidden + 1))
    assert ends[0] / ends[1] == pytest.approx(line.seen[0])
    assert ends[1] == pytest.approx(math.exp(simulation(found).arriving))
    band = np.array(axes.collections[-1].get_paths()[0].vertices)[:, 1]
    assert band.min() <= ends.min() * 1.5
    assert band.max() >= ends.max() / 1.5


def test_gradients_are_of_what_each_layer_receives() -> None:
    """By the chain rule from the weights, for outputs that a linear head makes."""
    torch.manual_seed(0)
    module, batch = networks.vanilla_linear(8, 5).double(), samples(4, 8).double()
    seen = simulation(inspect(module, batch))
    line = seen.line(GROWTH)
    assert line is not None
    gradient = np.random.default_rng(0).standard_normal((4, 8))
    start = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    gradient = start.double().numpy()
    norms = [np.linalg.norm(gradient)]
    for part in [*module.children()][:0:-1]:
        gradient = gradient @ part.weight.detach().numpy()  # type: ignore[operator,union-attr]
        norms.insert(0, np.linalg.norm(gradient))
    assert line.seen == pytest.approx(np.array(norms) / norms[-1], rel=1e-6)


def test_other_gradients_are_told_from_the_chains() -> None:
    found = seeded(lambda: networks.batchnorm(48, 8), samples(8, 48))
    seen, back = simulation(found), Back(tuple(np.zeros(8)), np.ones((48, 8)))
    false = simulated(
        found.recognised, seen.batch, [layer.measures for layer in found.layers[:8]], 0, back
    )
    assert isinstance(false, Simulated)
    line = false.line(GROWTH)
    assert line is not None
    assert (line.measured, line.holds) == (1.0, False), "batch normalisation makes them explode"


# --- nearly chains, and stretches -----------------------------------------------------------------

NEARLY: dict[str, tuple[Callable[[], nn.Module], Sequence[str]]] = {
    "biases": (lambda: layers(48, 6, nn.ReLU), ("biases, of σ_b = 0.0",)),
    "orthogonal weights": (
        lambda: orthogonal(layers(48, 6, nn.Tanh)),
        ("orthogonal weights, whose entries",),
    ),
    "weights computed from others": (
        lambda: weight_norm(layers(48, 6, nn.ReLU)),
        ("computes its weights from other parameters", "biases"),
    ),
    "rows of other scales": (
        lambda: scaled(networks.vanilla(48, 6)),
        ("weights of different scales",),
    ),
    "scales and shifts": (
        lambda: shifted(layers(48, 6, lambda: nn.LayerNorm(48), nn.ReLU)),
        ("biases", "LayerNorm with scales and shifts"),
    ),
    "gradients": (lambda: trained(networks.vanilla(48, 6)), ("may be trained",)),
}


def orthogonal(module: nn.Sequential) -> nn.Module:
    for part in module:
        if isinstance(part, nn.Linear):
            nn.init.orthogonal_(part.weight)
            nn.init.zeros_(part.bias)
    return module


def weight_norm(module: nn.Sequential) -> nn.Module:
    for part in module:
        if isinstance(part, nn.Linear):
            nn.utils.parametrizations.weight_norm(part)
    return module


def scaled(module: nn.Module) -> nn.Module:
    with torch.no_grad():
        module.get_parameter("6.weight").mul_(3)
    return module


def shifted(module: nn.Sequential) -> nn.Module:
    for part in module:
        if isinstance(part, nn.LayerNorm):
            nn.init.constant_(part.weight, 1.5)
    return module


def trained(module: nn.Module) -> nn.Module:
    module(samples(4, 48)).sum().backward()
    return module


@pytest.mark.parametrize("name", NEARLY)
def test_what_is_nearly_a_chain_is_compared_and_marked(name: str) -> None:
    build, words = NEARLY[name]
    found = seeded(build, samples(8, 48))
    seen = simulation(found)
    assert (found.recognised.chain is None) == (name != "rows of other scales")
    assert (seen.stretch.first, seen.stretch.end) == (0, 6)
    assert all(any(word in phrase for phrase in seen.stretch.differs) for word in words), (
        seen.stretch.differs
    )
    assert seen.line(GROWTH) is not None
    assert not any(
        item.met for item in found.findings if item.statement.startswith(("gradient", "kernels"))
    )


def test_default_networks_are_as_simulated_with_their_own_scale() -> None:
    """Without the scale of the weights, gradients of a default network would not shrink at all."""
    found = seeded(lambda: layers(96, 12, nn.ReLU), samples(16, 96))
    line = simulation(found).line(GROWTH)
    assert line is not None
    assert 0.3 < line.predicted.min() < line.measured < line.predicted.max() < 0.5
    growth = said(found, "gradient")
    assert (growth.statement, growth.met, growth.measured) == (
        "gradient.vanilla_factor",
        False,
        None,
    )
    assert "compared all the same, ‖G‖² grows by 0.1" in growth.why


class Mixed(nn.Module):
    """Convolution, then a plain network, then a sum of two branches."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.middle = networks.stack(256, 7, nn.ReLU, head=False)
        self.one, self.other = networks.linear(256, 32), networks.linear(256, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        h = self.middle(torch.relu(self.conv(x)).flatten(1))
        out: Tensor = self.head(torch.tanh(self.one(h)) + torch.tanh(self.other(h)))
        return out


def test_a_stretch_within_a_network_is_a_chain_of_its_own() -> None:
    found = seeded(Mixed, samples(8, 1, 8, 8))
    seen = simulation(found)
    assert found.recognised.chain is None
    assert (seen.stretch.first, seen.stretch.end, seen.stretch.differs) == (1, 8, ())
    assert seen.batch.shape == (256, 8)
    assert all(line.p_value > 1e-3 for line in seen.lines)
    assert said(found, "kernels").met


def test_what_is_no_chain_at_all_is_not_compared() -> None:
    found = seeded(lambda: nn.Sequential(nn.Conv1d(4, 4, 1), nn.Flatten()), samples(8, 4, 3))
    assert "is Conv1d, not a Linear" in str(found.simulation) or isinstance(found.simulation, str)


# --- factors and kernels --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain", "n", "statement", "factor"),
    [
        (batchnorm_chain(64, "relu"), 8, "batchnorm_relu", 1.78819),
        (batchnorm_chain(64, "identity"), 8, "batchnorm_linear", 6 / 5),
        (batchnorm_chain(64, "tanh"), 8, "batchnorm_factor:tanh", 1.35855),
        (residual_chain(64, 1 / 8), 8, "residual_factor", 1.1227),
        (residual_batchnorm_chain(64, 1 / 8), 9, "residual_factor", 1.1227),
        (vanilla_chain(64, "relu"), 8, "vanilla_factor", 0.5),
        (Chain((Linear(64), LayerNorm())), 8, "layernorm_factor:law", 62 / 61),
        (Chain((Linear(64), RMSNorm())), 8, "rmsnorm_factor", 63 / 62),
        (Chain((Linear(64), LayerNorm(), Activation("relu"))), 8, "layernorm_factor:relu", 1.0),
        (Chain((Linear(64, std=0.9), Activation("tanh"))), 8, "edge_of_chaos", 0.81),
        (
            Chain((Linear(64, std=1.76095**0.5), Bias(0.05**0.5), Activation("tanh"))),
            8,
            "edge_of_chaos",
            1.0,
        ),
    ],
)
def test_factors_are_those_of_the_statements(
    chain: Chain, n: int, statement: str, factor: float
) -> None:
    found = factor_of(Stretch(0, 8, chain, ""), n)
    assert found is not None
    assert found[0].startswith(f"gradient.{statement}")
    assert found[1] == pytest.approx(factor, rel=1e-3)


@pytest.mark.parametrize(
    "chain",
    [
        batchnorm_chain(64, "gelu"),
        vanilla_chain(64, "gelu"),
        Chain((Linear(3), LayerNorm())),
        residual_chain(64, 1.0),
    ],
)
def test_no_factor_is_made_up(chain: Chain) -> None:
    assert factor_of(Stretch(0, 8, chain, ""), 3) is None


def test_a_factor_holds_for_a_network_and_another_does_not() -> None:
    found = seeded(lambda: networks.batchnorm(96, 15), samples(16, 96))
    seen = simulation(found)
    line = seen.line(GROWTH)
    assert line is not None
    held = growth_finding("a.b", 1.58995, seen, line)
    assert (held.met, held.holds) == (True, True)
    flat = dataclasses.replace(line, seen=np.ones(15))
    assert growth_finding("a.b", 1.58995, seen, flat).holds is False
    small = seeded(lambda: networks.linear_batchnorm(24, 6), samples(16, 24))
    assert said(small, "gradient").holds is None, "(n-2)/(n-3) and 1 are too near"
    short = seeded(lambda: networks.batchnorm(48, 4), samples(8, 48))
    assert "5 layers or more" in said(short, "gradient").why


def test_cosines_are_those_of_the_kernel() -> None:
    found = seeded(lambda: networks.vanilla(512, 10), samples(8, 512))
    cosine = said(found, "kernels")
    assert (cosine.statement, cosine.met, cosine.holds) == (
        "kernels.relu_alignment:upper",
        True,
        True,
    )
    seen = simulation(found)
    line = seen.line(COSINE)
    kappa = kernel_of(seen.stretch)
    assert line is not None
    assert kappa is not None
    false = dataclasses.replace(line, seen=np.zeros(10))
    assert cosine_finding(cosine.statement, kappa, seen, false).holds is False
    zero = dataclasses.replace(seen, batch=np.zeros((512, 8)))
    assert not cosine_finding(cosine.statement, kappa, zero, line).met


def test_cosines_are_compared_only_where_every_replica_has_some() -> None:
    torch.manual_seed(0)
    found = inspect(nn.Sequential(nn.Linear(8, 8, bias=False), nn.ReLU()), torch.eye(8)[:4])
    assert isinstance(found.simulation, Simulated)
    assert found.simulation.line(COSINE) is None, "of some replica a sample is zero"
    assert all(np.isfinite(line.predicted).all() for line in found.simulation.lines)


def test_fixed_points_attract() -> None:
    exponential = kernel_of(Stretch(0, 2, Chain((Linear(8), LayerNorm(), Activation("gelu"))), ""))
    assert exponential is not None
    fixed = fixed_point(exponential)
    assert math.isclose(float(exponential(fixed)), fixed, abs_tol=1e-6)
    assert kernel_of(Stretch(0, 2, batchnorm_chain(8, "relu"), "")) is None


# --- as they are told -----------------------------------------------------------------------------


def test_the_command_tells_them(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(str(tmp_path))
    with open("near.py", "w", encoding="utf-8") as stream:
        stream.write(
            "from torch import nn\n"
            "def build():\n"
            "    parts = [p for _ in range(6) for p in (nn.Linear(16, 16), nn.ReLU())]\n"
            "    return nn.Sequential(*parts, nn.Linear(16, 3))\n"
        )
    np.save("batch.npy", np.random.default_rng(0).standard_normal((6, 16)))
    assert main(["inspect", "near.py:build", "--batch", "batch.npy", "--json", "out.json"]) in (
        0,
        1,
    )
    printed = " ".join(capsys.readouterr().out.split())
    assert "Nearly layers 1 to 6 are weights → relu, uniform weights, but for biases" in printed
    assert "compared all the same" in printed
    assert "gradient factor a layer" in printed
