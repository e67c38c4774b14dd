"""Networks of Torch, read as piecewise affine: they compute what Torch computes, or are refused."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np
import pytest
import torch
from flint import fmpq
from numpy.typing import NDArray
from torch import nn

from simulators.splines import linear_regions
from simulators.splines.slices import coordinate_slice, principal_slice, slice_through
from simulators.splines.torch_networks import UnreadableNetworkError, read_network

SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


class Residual(nn.Module):
    """x + f(x), with a normalised branch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(width, width), nn.BatchNorm1d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.norm(self.linear(x)))


class Functions(nn.Module):
    """What a forward may call."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 2, 2), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.leaky_relu(self.first(x), 0.2)
        x = self.second(x.view(x.size(0), -1))
        y = torch.abs(x)
        return torch.flatten(y, 1) + nn.functional.relu(x)


class InPlace(nn.Module):
    """What works in place changes all that holds the tensor: a skip that is taken off before."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 4)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        skip, flat = x, torch.flatten(x, 1)
        y = self.relu(self.norm(x))
        x = self.second(self.relu(x)) + y
        x += skip
        nn.functional.leaky_relu(x, 1)
        before = x
        x += flat
        return before + nn.functional.leaky_relu(x.abs_(), 0.5, True)


def dense() -> nn.Module:
    return nn.Sequential(
        nn.Linear(2, 6, bias=False),
        nn.BatchNorm1d(6),
        nn.LeakyReLU(0.1),
        Residual(6),
        nn.Dropout(0.5),
        nn.Linear(6, 2),
    )


def pictures() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 6, (3, 2), padding="same", groups=2, dilation=(1, 2), bias=False),
        nn.BatchNorm2d(6, affine=False),
        nn.ReLU(),
        nn.AvgPool2d(2, padding=1),
        nn.AdaptiveAvgPool2d((1, 3)),
        nn.Flatten(),
        nn.Linear(18, 2),
    )


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "dense": (dense, (2,)),
    "pictures": (pictures, (3, 8, 8)),
    "functions": (Functions, (1, 3, 3)),
    "in place": (InPlace, (3,)),
}


def samples(shape: tuple[int, ...], count: int = 12, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((count, *shape))


@pytest.mark.parametrize(("build", "shape"), NETWORKS.values(), ids=NETWORKS.keys())
@pytest.mark.parametrize("statistics", ["train", "frozen"])
def test_it_computes_what_torch_computes(
    statistics: str, build: Callable[[], nn.Module], shape: tuple[int, ...]
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = build().double()
    batch = samples(shape)
    if statistics == "frozen":  # statistics that are not 0 and 1
        module(torch.as_tensor(samples(shape, seed=1)))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    network = read_network(module, batch, "train" if statistics == "train" else "frozen")
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    module.train(statistics == "train")
    for each in module.modules():
        each.train(False) if isinstance(each, nn.Dropout) else None
    with torch.no_grad():
        wanted = module(torch.as_tensor(batch)).numpy()
    flat = batch.reshape(len(batch), -1)
    np.testing.assert_allclose(network(flat), wanted, atol=1e-12)
    exact = network.exactly([fmpq(*x.as_integer_ratio()) for x in flat[0].tolist()])
    np.testing.assert_allclose([int(x.p) / int(x.q) for x in exact], wanted[0], atol=1e-12)


@pytest.mark.parametrize(("build", "shape"), NETWORKS.values(), ids=NETWORKS.keys())
def test_regions_are_affine(build: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    """Exactly, in the middle of some regions of a plane through three samples."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = read_network(build(), samples(shape))
    plane = slice_through(samples(shape).reshape(12, -1)[:3])
    found = linear_regions(network, plane, SQUARE)
    assert (found.mesh.euler, found.complete) == (2, True)
    np.testing.assert_allclose(found.areas().sum(), 4.0)
    for region in range(0, found.regions, max(found.regions // 4, 1)):
        corners = [found.exact_vertex(v) for v in found.corners(region)]
        u, v = (sum((x[k] for x in corners), fmpq(0)) / len(corners) for k in range(2))
        rows = found.exact_output(region)
        assert network.exactly(plane.exact_point(u, v)) == [c + a * u + b * v for c, a, b in rows]


@pytest.mark.parametrize("dimension", [2, 5])
def test_the_batchs_own_statistics_make_a_central_arrangement(dimension: int) -> None:
    """Boundaries through the mean of the batch: 2m regions, exactly; else 1 + m + C(m, 2)."""
    units = 9
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(
            nn.Linear(dimension, units), nn.BatchNorm1d(units), nn.LeakyReLU(0.5)
        )
    batch = samples((dimension,), count=31)
    plane, wide = principal_slice(batch), 1e9 * SQUARE
    central = linear_regions(read_network(module, batch, "train"), plane, wide)
    assert central.regions == 2 * units
    middles = [v for v in range(central.mesh.vertices) if central.exact_vertex(v) == (0, 0)]
    assert len(middles) == 1
    general = linear_regions(read_network(module, batch, "none"), plane, wide)
    assert general.regions == 1 + units + comb(units, 2)


def test_constant_features_and_duplicates_are_decided() -> None:
    """A row of zeros is constant: with its own mean taken off it is 0 everywhere, sign 0."""
    module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1))
    with torch.no_grad():
        module[0].weight[:] = torch.tensor([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
        module[0].bias[:] = torch.tensor([0.3, 0.0, 1.0])
    batch = np.repeat(samples((2,), count=3), 4, axis=0)
    found = linear_regions(read_network(module, batch), coordinate_slice(2), 4 * SQUARE)
    assert found.patterns().tolist() == [[0, 1, 1], [0, -1, -1]]


def cat(x: torch.Tensor) -> torch.Tensor:
    return torch.cat([x, x])


class Applied(nn.Module):
    """A forward made of one function."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def hooked() -> nn.Module:
    """Of what a hook does, tracing shows nothing."""
    module = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    module[0].register_forward_hook(lambda module, given, found: 2 * found)
    return module


def enormous(layers: int) -> nn.Module:
    """Products of weights that are no floats, read by batch normalisation."""
    module = nn.Sequential(*[nn.Linear(2, 2) for _ in range(layers)], nn.BatchNorm1d(2))
    for each in module[1:-1]:
        nn.init.constant_(each.double().weight, 1e90)
    return module


REFUSED: dict[str, tuple[nn.Module, str]] = {
    "tanh": (nn.Sequential(nn.Linear(2, 2), nn.Tanh()), "1: Tanh is not read"),
    "layer norm": (nn.LayerNorm(2), "LayerNorm is not read"),
    "concatenation": (Applied(cat), "cat"),
    "a product": (Applied(lambda x: x * x), "mul"),
    "a number added": (Applied(lambda x: x + 1), "with a number"),
    "a branch": (Applied(lambda x: x if x.sum() > 0 else -x), "cannot trace"),
    "a misfit": (nn.Linear(3, 2), "reads samples of shape"),
    "a picture wanted": (nn.Conv2d(1, 1, 1), "want"),
    "constant, eps 0": (
        nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1, eps=0.0)),
        "constant over the batch",
    ),
    "no layer": (nn.Identity(), "no layer"),
    "a hook": (hooked(), "0: Linear has a forward hook"),
    "no numbers": (nn.Linear(2, 2, device="meta"), "no real numbers"),
    "not begun": (nn.LazyLinear(2), "LazyLinear"),
    "complex": (nn.Linear(2, 2, dtype=torch.complex64), "no real numbers"),
    "values beyond floats": (enormous(5), "5: batch normalisation reads a value"),
    "eps": (nn.BatchNorm1d(2, eps=float("nan")), "eps is not finite"),
}


@pytest.mark.parametrize(("module", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_other_networks_are_refused_by_name_in_a_line(module: nn.Module, words: str) -> None:
    if isinstance(module, nn.Sequential) and isinstance(module[0], nn.Linear):
        nn.init.zeros_(module[0].weight)
    with pytest.raises(UnreadableNetworkError) as refused:
        read_network(module, np.zeros((3, 2)))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_batch_that_is_none_is_refused() -> None:
    for batch in (np.zeros(3), np.zeros((0, 2)), np.full((2, 2), np.nan), np.full((2, 2), 1e-200)):
        with pytest.raises(UnreadableNetworkError, match="batch"):
            read_network(nn.Linear(2, 2), batch)
    with pytest.raises(UnreadableNetworkError, match="larger batch"):
        read_network(nn.BatchNorm1d(2), np.zeros((1, 2)))
    with pytest.raises(UnreadableNetworkError, match="running statistics"):
        read_network(nn.BatchNorm1d(2, track_running_stats=False), np.zeros((3, 2)), "frozen")


def test_slices_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="different coordinates"):
        coordinate_slice(3, 1, 1)
    with pytest.raises(ValueError, match="on a line"):
        slice_through(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]))
    with pytest.raises(ValueError, match="on a line"):
        principal_slice(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]))
