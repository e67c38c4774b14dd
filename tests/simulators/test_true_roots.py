"""Signs with true square roots: of the network as written, where floats of 1/√(σ² + ε) mislead."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from flint import fmpq
from numpy.typing import NDArray
from torch import nn

from simulators.splines import linear_regions
from simulators.splines.rationals import sign_of
from simulators.splines.slices import coordinate_slice
from simulators.splines.torch_networks import Statistics, read_network
from simulators.splines.true_roots import enclosed_values, true_signs

BATCH = np.array([[-2.0], [2.0], [0.0], [0.0]])
"""Of mean 0 and variance 2."""


def on_the_bend(statistics: Statistics) -> tuple[nn.Sequential, float]:
    """A second unit that is 1/√2 less its float at 1; and that float."""
    rounded = float(1 / np.sqrt(2.0))
    norm = nn.BatchNorm1d(1, eps=0.0, affine=False).double()
    norm.running_var = torch.tensor([2.0], dtype=torch.float64)
    second = nn.Linear(1, 1).double()
    with torch.no_grad():
        second.weight.fill_(1.0)
        second.bias.fill_(-rounded)
    return nn.Sequential(norm, nn.ReLU(), second, nn.ReLU()), rounded


@pytest.mark.parametrize("statistics", ["train", "frozen"])
def test_a_deeper_unit_that_vanishes_for_the_float_of_the_root_has_the_sign_of_the_root(
    statistics: Statistics,
) -> None:
    module, rounded = on_the_bend(statistics)
    network = read_network(module, BATCH, statistics)
    found = true_signs(network, BATCH, np.array([[1.0]]))
    exact = fmpq(*rounded.as_integer_ratio())
    assert network.exactly([fmpq(1)]) == [0]
    assert found.known.all()
    # 1/√2 against the float: 1 against twice its square
    assert found.signs.tolist() == [[1, sign_of(1 - 2 * exact * exact)]]
    assert found.signs[0, 1] != 0


def dense() -> tuple[nn.Sequential, NDArray[np.float64]]:
    layers = (nn.Linear(2, 5), nn.BatchNorm1d(5), nn.LeakyReLU(0.1), nn.Linear(5, 4))
    more = (nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3), nn.ReLU())
    return nn.Sequential(*layers, *more), np.random.default_rng(3).normal(size=(7, 2))


def pictures() -> tuple[nn.Sequential, NDArray[np.float64]]:
    layers = (nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten())
    more = (nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU())
    return nn.Sequential(*layers, *more), np.random.default_rng(4).normal(size=(6, 1, 3, 3))


@pytest.mark.parametrize("build", [dense, pictures])
@pytest.mark.parametrize("statistics", ["train", "frozen", "none"])
def test_enclosures_hold_what_torch_computes(
    build: Callable[[], tuple[nn.Sequential, NDArray[np.float64]]], statistics: Statistics
) -> None:
    torch.manual_seed(0)
    module, batch = build()
    module = module.double()
    network = read_network(module, batch, statistics)
    values = enclosed_values(network, batch, batch)[-1]
    kept = [m for m in module if statistics != "none" or "BatchNorm" not in type(m).__name__]
    module = nn.Sequential(*kept).train(statistics == "train")
    with torch.no_grad():
        expected = module(torch.from_numpy(batch)).numpy().T
    assert np.array([[float(x) for x in row] for row in values]) == pytest.approx(
        expected, abs=1e-12
    )
    assert all(float(x.rad()) < 1e-25 for row in values for x in row)


def test_regions_are_there_with_true_roots_as_well() -> None:
    torch.manual_seed(1)
    module, batch = dense()
    network = read_network(module.double(), batch)
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    found = linear_regions(network, coordinate_slice(2), square)
    inside = np.array(
        [found.points[found.corners(region)].mean(axis=0) for region in range(found.regions)]
    )
    signs = true_signs(network, batch, inside)
    assert signs.known.all()
    assert np.array_equal(signs.signs, found.patterns())


def test_a_zero_is_known_where_nothing_is_rounded_on_the_way() -> None:
    module = nn.Sequential(nn.BatchNorm1d(1, affine=False).double(), nn.ReLU())
    found = true_signs(read_network(module, BATCH), BATCH, BATCH[2:])
    assert found.known.all()
    assert found.signs.tolist() == [[0], [0]]


def test_a_zero_behind_a_root_stays_open() -> None:
    difference = nn.Linear(2, 1, bias=False).double()
    with torch.no_grad():
        difference.weight.copy_(torch.tensor([[1.0, -1.0]]))
    norm = nn.BatchNorm1d(2, affine=False).double()
    twice = np.repeat(BATCH, 2, axis=1)
    network = read_network(nn.Sequential(norm, difference, nn.ReLU()), twice)
    found = true_signs(network, twice, np.array([[1.0, 1.0], [1.0, 0.0]]))
    assert found.known.tolist() == [[False], [True]]
    assert found.signs.tolist() == [[0], [1]]


@pytest.mark.parametrize(
    ("batch", "points", "name"),
    [
        (np.zeros((2, 3)), np.zeros((1, 1)), "batch of shape (2, 3)"),
        (BATCH, np.zeros((1, 2)), "points of shape (1, 2)"),
        (BATCH, np.array([[np.nan]]), "points of shape (1, 1)"),
        (BATCH, np.zeros(1), "points of shape (1,)"),
    ],
)
def test_samples_and_points_of_another_size_are_refused(
    batch: NDArray[np.float64], points: NDArray[np.float64], name: str
) -> None:
    network = read_network(on_the_bend("train")[0], BATCH)
    with pytest.raises(ValueError, match="coordinates, one a row") as refused:
        true_signs(network, batch, points)
    assert name in str(refused.value)
