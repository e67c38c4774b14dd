"""The initialiser lowers the orthogonality gap layer by layer, by the amount that is proved."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from simulators import orthogonality_gap
from simulators.training import iterative_orthogonal_
from simulators.training.initialisation import orthogonalising_weight


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gap(samples: torch.Tensor) -> float:
    """Of samples as rows."""
    return float(orthogonality_gap(samples.detach().T))


def gap_after(samples: torch.Tensor) -> float:
    """What DJB21's step makes of it: 1/(Σσ)² - 1/n where Σσ² = 1, under the root."""
    sigma = torch.linalg.svdvals(samples.detach())
    sigma = sigma / sigma.norm()
    return float(max(1 / sigma.sum() ** 2 - 1 / len(samples), 0) ** 0.5)


def near_collinear(count: int, dimension: int, seed: int) -> torch.Tensor:
    drawn = torch.randn(count, dimension, generator=generator(seed), dtype=torch.float64)
    return drawn[:1] + 0.2 * drawn


def test_the_gap_falls_layer_by_layer_as_proved() -> None:
    widths = (12, 16, 12, 20, 8)
    layers = [nn.Linear(before, after, dtype=torch.float64) for before, after in pairwise(widths)]
    batch = near_collinear(8, 12, 0)
    iterative_orthogonal_(nn.Sequential(*layers), batch, generator=generator(1))
    h = batch
    for layer in layers:
        predicted, before = gap_after(h), gap(h)
        h = layer(h)
        assert gap(h) == pytest.approx(predicted, abs=1e-9)
        assert gap(h) < before
        assert torch.equal(layer.bias, torch.zeros_like(layer.bias))


@pytest.mark.parametrize("padding_mode", ["zeros", "circular"])
def test_patches_of_a_convolution_lose_gap_as_proved(padding_mode: str) -> None:
    convolution = nn.Conv2d(
        2, 20, 3, stride=2, padding=1, padding_mode=padding_mode, dtype=torch.float64
    )
    mean = torch.randn(1, 2, 5, 5, generator=generator(2), dtype=torch.float64)
    noise = torch.randn(3, 2, 5, 5, generator=generator(3), dtype=torch.float64)
    images = mean + 0.2 * noise
    iterative_orthogonal_(nn.Sequential(convolution, nn.ReLU()), images, generator=generator(4))
    padded = images
    if padding_mode == "circular":
        padded = nn.functional.pad(images, (1, 1, 1, 1), mode="circular")
    pad = 1 if padding_mode == "zeros" else 0
    patches = nn.functional.unfold(padded, 3, padding=pad, stride=2)
    patches = patches.transpose(1, 2).reshape(-1, 18)
    given = convolution(images).permute(0, 2, 3, 1).reshape(-1, 20)
    assert gap(given) == pytest.approx(gap_after(patches), abs=1e-9)
    assert gap(given) < gap(patches)
    assert float(given.detach().square().mean()) == pytest.approx(1)


def test_groups_of_a_convolution_are_taken_one_by_one() -> None:
    grouped = nn.Conv2d(4, 24, 2, groups=2, bias=False, dtype=torch.float64)
    images = torch.randn(3, 4, 4, 4, generator=generator(5), dtype=torch.float64)
    iterative_orthogonal_(grouped, images, generator=generator(6))
    for part in range(2):
        channels = images[:, 2 * part : 2 * part + 2]
        patches = nn.functional.unfold(channels, 2).transpose(1, 2).reshape(-1, 8)
        given = grouped(images)[:, 12 * part : 12 * part + 12]
        rows = given.permute(0, 2, 3, 1).reshape(-1, 12)
        assert gap(rows) == pytest.approx(gap_after(patches), abs=1e-9)


class Branching(nn.Module):
    """Layers inside a module of the user's own: one twice, one not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 6)
        self.norm = nn.BatchNorm1d(6)
        self.idle = nn.Linear(6, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.first(torch.relu(self.norm(self.first(x))))


def test_any_module_is_filled_as_the_batch_goes_through_it() -> None:
    net = Branching()
    idle, buffers = net.idle.weight.clone(), [b.clone() for b in net.buffers()]
    batch = torch.randn(5, 6, generator=generator(7))
    assert iterative_orthogonal_(net, batch, gain=2.0, generator=generator(8)) is net
    assert float(net.first(batch).detach().square().mean()) == pytest.approx(4, rel=1e-4)
    assert torch.equal(net.idle.weight, idle)
    assert all(map(torch.equal, net.buffers(), buffers))
    assert not net.first._forward_pre_hooks
    assert net.first.weight.grad is None
    assert net.first.weight.requires_grad
    same = iterative_orthogonal_(Branching(), batch, gain=2.0, generator=generator(8))
    assert torch.equal(same.first.weight, net.first.weight)


def test_what_the_batch_does_not_reach_is_mapped_without_loss() -> None:
    h = torch.zeros(6, 3, dtype=torch.float64)
    h[:3] = torch.diag(torch.tensor([4.0, 1.0, 0.25]))
    weight = orthogonalising_weight(h, 6, generator=generator(9))
    assert torch.linalg.matrix_rank(weight) == 6
    sigma = torch.linalg.svdvals(weight @ h)
    assert (sigma[:-1] / sigma[1:]).tolist() == pytest.approx([2.0, 2.0])


@pytest.mark.parametrize(
    ("dtype", "count"), [(torch.bfloat16, 256), (torch.float16, 2048), (torch.float32, 10**6)]
)
def test_many_samples_hide_no_direction(dtype: torch.dtype, count: int) -> None:
    drawn = torch.randn(3, count, generator=generator(20))
    inputs = (torch.tensor([[1.0], [0.3], [0.05]]) * drawn).to(dtype)
    weight = orthogonalising_weight(inputs, 3, generator=generator(21)).double()
    before, after = (torch.linalg.svdvals(h) for h in (inputs.double(), weight @ inputs.double()))
    assert torch.allclose(after / after[0], (before / before[0]).sqrt(), rtol=0.02)


def test_fewer_outputs_keep_the_leading_directions() -> None:
    h = torch.diag(torch.tensor([4.0, 1.0, 0.25], dtype=torch.float64))
    weight = orthogonalising_weight(h, 2, generator=generator(10))
    sigma = torch.linalg.svdvals(weight @ h)
    assert float(sigma[0] / sigma[1]) == pytest.approx(2)
    assert float((weight @ h).square().mean()) == pytest.approx(1)


def test_many_networks_at_once_are_each_as_alone() -> None:
    h = torch.randn(4, 6, 5, generator=generator(11), dtype=torch.float64)
    weights = orthogonalising_weight(h, 7, generator=generator(12))
    for each, weight in zip(h, weights, strict=True):
        assert gap((weight @ each).T) == pytest.approx(gap_after(each.T), abs=1e-9)


def test_what_cannot_be_used_is_one_line() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    batch = torch.ones(2, 3)
    with pytest.raises(TypeError, match=r"module is a str; give a torch\.nn\.Module"):
        iterative_orthogonal_("net", batch)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="batch is a list; give a tensor"):
        iterative_orthogonal_(net, [[1.0]])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="gain=0: give a positive, finite number"):
        iterative_orthogonal_(net, batch, gain=0)
    with pytest.raises(ValueError, match="layer '0' gets zeros or what is not finite"):
        iterative_orthogonal_(net, batch * 0)
    with pytest.raises(ValueError, match="reaches no Linear and no convolution"):
        iterative_orthogonal_(nn.ReLU(), batch)
    assert not net[0]._forward_pre_hooks


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (torch.ones(6, 4), r"layer '0' gets shape \(6, 4\), and reads \(…, 5\)"),
        (torch.ones(5), r"batch of shape \(5,\): want samples as rows"),
        (torch.zeros(6, 5), "layer '0' gets zeros"),
    ],
)
def test_a_batch_that_does_not_fit_changes_nothing(batch: torch.Tensor, words: str) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(5, 3))
    before = net[0].weight.clone()
    with pytest.raises(ValueError, match=words):
        iterative_orthogonal_(net, batch)
    assert torch.equal(net[0].weight, before)


def test_images_with_other_channels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the layer gets shape \(2, 3, 8, 8\), and reads \(n, 1,"):
        iterative_orthogonal_(torch.nn.Conv2d(1, 2, 3), torch.ones(2, 3, 8, 8))


def test_whole_numbers_take_the_dtype_of_the_module() -> None:
    linear, whole = torch.nn.Linear(5, 3), torch.arange(30).reshape(6, 5)
    iterative_orthogonal_(linear, whole, generator=generator(22))
    same = iterative_orthogonal_(torch.nn.Linear(5, 3), whole.float(), generator=generator(22))
    assert torch.equal(linear.weight, same.weight)


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
def test_gradients_of_linear_layers_grow_by_the_formula(depth: int) -> None:
    """Of `gradient.iterative_orthogonal`: E‖G_0‖²/E‖G_ℓ‖² = (Σ t^(r+1))(Σ t^-r)/(n Σ t), where
    t = σ^(2/(r+1)), r = 2^ℓ - 1; and between 1 and (Σσ²)(Σσ⁻²)/n².
    """
    layers = [nn.Linear(9, 9, bias=False, dtype=torch.float64) for _ in range(depth)]
    batch = near_collinear(9, 9, 30)
    norm = float(batch.square().mean().sqrt())
    iterative_orthogonal_(nn.Sequential(*layers), batch, gain=norm, generator=generator(31))
    back = torch.eye(9, dtype=torch.float64)
    for layer in layers:
        back = layer.weight.detach() @ back
    sigma, r = torch.linalg.svdvals(batch), 2**depth - 1
    t = sigma ** (2 / (r + 1))
    growth = float((t ** (r + 1)).sum() * (t**-r).sum() / (9 * t.sum()))
    assert float(back.square().sum() / 9) == pytest.approx(growth, rel=1e-8)
    most = float(sigma.square().sum() * (1 / sigma.square()).sum() / 81)
    assert 1 < growth < most
    ends = sigma[0] / sigma[-1]
    assert most < float(torch.cosh(torch.log(ends)) ** 2)
