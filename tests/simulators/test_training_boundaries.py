"""Margins of trained networks, and how far mini-batches move boundaries."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from simulators.lazy import torch
from simulators.training import Design, Recipe, images_from, train
from simulators.training.boundaries import boundary_movement, margins
from simulators.training.networks import Networks

SHAPE = (1, 3, 3)
FEW, BATCH = 7, 3


def drawn(design: Design, replicas: int = 2) -> tuple[Networks, torch.Tensor]:
    """Networks, and samples for each of them."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(replicas)]
    samples = torch.randn(replicas, FEW, 9, generator=generators[0])
    return Networks.drawn(design, samples, 4, generators, SHAPE), samples


@pytest.mark.parametrize("normalisation", ["none", "batch", "recentre", "rescale", "frozen"])
def test_at_its_margin_a_sample_of_an_affine_network_changes_sides(normalisation: str) -> None:
    """Along the gradient by a little less than the distance, and by a little more."""
    nets, samples = drawn(Design(3, 6, normalisation, activation="identity"))
    still = nets.with_constants(samples)
    decided = still.outputs(samples).argmax(dim=2)
    found = margins(nets, samples, decided, samples)
    assert (found > 0).all()
    crossed = torch.zeros_like(decided, dtype=torch.bool)
    for other in range(4):
        given = samples.clone().requires_grad_()
        outputs = still.outputs(given)
        ahead = outputs.gather(2, decided[..., None]).squeeze(2) - outputs[..., other]
        (slope,) = torch.autograd.grad(ahead.sum(), given)
        way = -torch.nn.functional.normalize(slope, dim=2) * found[..., None]
        assert (still.outputs(samples + 0.999 * way).argmax(dim=2) == decided).all()
        crossed |= still.outputs(samples + 1.001 * way).argmax(dim=2) != decided
    assert crossed.all(), "towards the nearest class, every sample"


def test_a_sample_that_is_taken_for_another_has_a_negative_margin() -> None:
    nets, samples = drawn(Design(2, 6, "batch"))
    decided = nets.outputs(samples).argmax(dim=2)
    assert (margins(nets, samples, decided, samples) > 0).all()
    assert (margins(nets, samples, (decided + 1) % 4, samples) < 0).all()


@pytest.mark.parametrize("kernel", [0, 3])
@pytest.mark.parametrize("normalisation", ["batch", "recentre"])
def test_over_every_batch_the_first_boundaries_move_as_sampling_says(
    normalisation: str, kernel: int
) -> None:
    nets, samples = drawn(Design(2, 6, normalisation, kernel=kernel))
    every = [torch.tensor([each] * 2) for each in itertools.combinations(range(FEW), BATCH)]
    found = boundary_movement(nets, samples, every)
    said = math.sqrt((FEW - BATCH) / (BATCH * (FEW - 1)))
    assert found[:, 0].numpy() == pytest.approx(np.full(2, said), rel=1e-3)


def test_a_bias_moves_its_boundary_with_the_deviation_of_the_batch() -> None:
    """By hand, for one unit of one input: μ_B - βσ_B of two batches."""
    weights, biases = (
        [torch.full((1, 1, 1), 2.0), torch.ones(1, 1, 2)],
        [
            torch.full((1, 1, 1), 3.0),
            torch.zeros(1, 1, 2),
        ],
    )
    nets = Networks(Design(1, 1, "batch"), weights, biases)
    values = np.array([0.0, 1.0, 2.0, 5.0])
    samples = torch.tensor(values, dtype=torch.float32).reshape(1, 4, 1)
    found = boundary_movement(nets, samples, [torch.tensor([[0, 1]]), torch.tensor([[1, 3]])])
    places = [part.mean() - 3 * part.std() for part in (values[[0, 1]], values[[1, 3]])]
    away = np.array(places) - (values.mean() - 3 * values.std())
    assert found.item() == pytest.approx(np.sqrt((away**2).mean()) / values.std(), rel=1e-4)


@pytest.mark.parametrize("normalisation", ["none", "rescale", "frozen"])
def test_where_no_mean_is_taken_off_nothing_is_said_of_movement(normalisation: str) -> None:
    nets, samples = drawn(Design(2, 6, normalisation))
    assert boundary_movement(nets, samples, [torch.zeros(2, 3, dtype=torch.long)]).isnan().all()


def test_training_measures_both_at_the_end() -> None:
    recipe = Recipe(steps=20, batch_size=16, samples=64, probe=8)
    found = train(Design(2, 16, "batch"), recipe, images_from(), [(0,), (1,)])
    assert found.margin.shape == (2,)
    assert found.moved.shape == (2, 2)
    assert np.isfinite(found.margin).all()
    assert (found.moved > 0).all()
    assert (found.moved[:, 1] < found.moved[:, 0]).all(), "layers before are normalised as well"
