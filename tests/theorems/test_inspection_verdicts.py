"""The verdict in words names the first layer, what decided there and what drives it; the plot shows
it.
"""

from __future__ import annotations

from collections.abc import Callable

import networks
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from theorems import inspect
from theorems.inspection.condition import Condition
from theorems.inspection.forward_pass import watch
from theorems.inspection.report import watched
from theorems.inspection.stages import stages


def made(build: Callable[..., nn.Module], seed: int, **sizes: int) -> nn.Module:
    torch.manual_seed(seed)
    return build(**sizes)


def samples(n: int, d: int, seed: int = 5) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_the_layer_where_it_begins_is_named() -> None:
    """Ten healthy layers, then ones that collapse."""
    torch.manual_seed(0)
    parts = [*list(networks.batchnorm(96, 10))[:-1], *networks.vanilla(96, 25)]
    found = inspect(nn.Sequential(*parts), samples(16, 96))
    assert found.condition is Condition.COLLAPSING
    assert found.since is not None
    assert 11 <= found.since <= 16
    assert f"at layer {found.since} ({found.layers[found.since - 1].name!r})" in found.verdict


def test_the_verdict_names_the_first_layer_and_what_decided_there() -> None:
    found = inspect(made(networks.vanilla, 0), samples(16, 96))
    assert found.since is not None
    first = found.layers[found.since - 1].measures
    assert f"'): effective rank {first.effective_rank:.3g}, below √r* = " in found.verdict
    assert f"of 16 after {found.hidden} layers" in found.verdict
    outlier = inspect(made(networks.recenter, 0), samples(16, 128, 0))
    layers = [layer.measures for layer in outlier.layers]
    assert outlier.since is not None
    assert layers[outlier.since - 1].condition is Condition.COLLAPSING, (
        "the rank falls before the outlier shows"
    )
    later = next(
        k
        for k, item in enumerate(layers, start=1)
        if k > outlier.since and item.condition is Condition.CLUSTERING
    )
    assert f", below √r* = 2.61, and at layer {later} (" in outlier.verdict
    assert layers[later - 1].reason in outlier.verdict
    healthy = inspect(made(networks.batchnorm, 0, depth=2), samples(16, 96))
    assert healthy.layers[0].measures.reason == ""


def test_a_branch_that_ends_in_relu_collapses_by_a_common_mean() -> None:
    """In H + ReLU(BN(WH)) means grow like ℓ and spreads like √ℓ, so 1 − cos falls like 1/ℓ."""
    found = inspect(made(networks.branches, 0), samples(16, 96))
    last = found.layers[-1].measures
    assert last.condition is Condition.COLLAPSING
    assert last.mean_share > 0.7
    assert last.recentred_rank > 9
    assert found.healthy, "a bias takes that mean away, and a sixth of the energy is left"
    assert "a mean that all samples share has 8" in found.verdict
    passage = watch(made(networks.branches, 1, width=256, depth=32), samples(16, 256), "batch")
    cosines = [measures.mean_cosine for measures in watched(passage, stages(passage)).measures]
    assert [(1 - cosines[k - 1]) * k for k in (8, 16, 32)] == pytest.approx([2.2] * 3, rel=0.1)
    deep = inspect(made(networks.branches, 0, width=48, depth=200), samples(16, 48))
    assert deep.layers[-1].measures.recentred_rank < 1.5, (
        "in the end the spread too lies along one line, the mean's"
    )
    assert "recentring does not help" in deep.verdict
    linear = inspect(made(networks.vanilla_linear, 0), samples(16, 24))
    assert "recentring does not help, it leaves effective rank 1" in linear.verdict


def test_the_plot_is_titled_by_the_first_layer_and_shows_the_rank_after_recentring() -> None:
    pytest.importorskip("matplotlib")
    from theorems.inspection.figure import draw

    found = inspect(made(networks.branches, 0), samples(16, 96))
    figure = draw(found)
    assert figure.get_suptitle() == found.verdict.partition("; ")[0]
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in figure.axes[0].lines}
    assert list(lines["recentred"][1:]) == [layer.measures.recentred_rank for layer in found.layers]
    assert list(lines["this network"][1:]) == [
        layer.measures.effective_rank for layer in found.layers
    ]


def test_the_panel_of_gradients_where_a_layer_lets_none_pass() -> None:
    """They are not called steady, and have no interval over nothing."""
    pytest.importorskip("matplotlib")
    from theorems.inspection.figure import panel

    module = nn.Sequential(
        *[part for _ in range(3) for part in (nn.Linear(64, 64), nn.ReLU())], nn.Linear(64, 10)
    )
    nn.init.constant_(module[2].bias, -9.0)
    found = inspect(module, samples(16, 64))
    (axes,) = panel(found, "gradients").axes
    assert axes.get_title(loc="left") + axes.get_title() == "no two layers in a row have gradients"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["‖∂L/∂y‖, this network"]
    assert "two layers" in found.gradients.sentence  # type: ignore[union-attr]  # there are some


def test_a_batch_that_is_clustered_already_is_said_to_be() -> None:
    c, o = samples(2, 96)
    found = inspect(made(networks.batchnorm, 0, depth=8), torch.stack([c] * 5 + [o] * 7))
    assert found.verdict.startswith(
        "clustering from the batch on, at layer 1 ('0'): one direction has 100% of"
    )
    assert "parts the samples into 5 and 7" in found.verdict
    assert "; after 8 layers two groups, the larger of 7 samples" in found.verdict


def test_a_dead_network_is_dead_at_every_width_and_has_no_ranks() -> None:
    """Also where healthy networks of this width die by chance."""
    layers = [layer for _ in range(3) for layer in (torch.nn.Linear(3, 3), torch.nn.ReLU())]
    for layer in layers[::2]:
        torch.nn.init.constant_(layer.weight, -1.0)
        torch.nn.init.zeros_(layer.bias)
    found = inspect(torch.nn.Sequential(*layers, torch.nn.Linear(3, 2)), torch.rand(4, 3) + 1)
    assert found.verdict.startswith("dead from layer 1 ('0') on: all features are zero")
    assert found.condition is Condition.COLLAPSING
    dead = found.layers[0].measures
    assert dead.dead
    assert all(np.isnan([dead.gap, dead.effective_rank, dead.soft_rank, dead.recentred_rank]))
    assert not found.batch.dead


class Reading(nn.Module):
    """A transformer with layer normalisation before its branches, reading images row by row."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.embed, self.head = nn.Linear(8, width), nn.Linear(width, 10)
        blocks = [
            nn.TransformerEncoderLayer(
                width, 4, 4 * width, dropout=0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(4)
        ]
        self.blocks = nn.Sequential(*blocks, nn.LayerNorm(width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.blocks(self.embed(x)).mean(dim=1))
        return out


def test_a_mean_that_is_the_batchs_own_is_told_from_one_that_the_network_makes() -> None:
    images = pytest.importorskip("sklearn.datasets").load_digits().images
    centred = ((images - images.mean()) / images.std())[:16]
    told = "inspect it again with features standardised over the data"
    torch.manual_seed(0)
    reading = Reading()
    assert inspect(reading, centred).state == "healthy", "half of the energy is in no mean"
    found = inspect(reading, centred + 1000)
    assert found.state == "collapsing", "a millionth of the energy is in no mean"
    assert "the batch has 100% of its own energy in such a mean" in found.verdict
    assert told in found.verdict
    standardised = ((images - images.mean(axis=0)) / (images.std(axis=0) + 1e-3))[:16]
    assert inspect(reading, standardised).state == "healthy"
    for activation in (nn.ReLU, nn.Tanh):
        parts = [part for _ in range(20) for part in (nn.Linear(64, 64), activation())]
        plain = inspect(nn.Sequential(nn.Flatten(), *parts), centred)
        assert plain.condition is Condition.COLLAPSING
        assert told not in plain.verdict
