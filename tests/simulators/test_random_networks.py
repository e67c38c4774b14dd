"""Random networks: the same weights whatever the biases, and boundaries where these put them."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.splines.operations import Affine
from simulators.splines.partition import linear_regions
from simulators.splines.random_networks import Treatment, random_network
from simulators.splines.slices import coordinate_slice

DATA = np.random.default_rng(0).standard_normal((7, 2)) + np.array([3.0, 1.0])
SQUARE = np.array([3.0, 1.0]) + 9 * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def weights(treatment: Treatment) -> list[np.ndarray]:
    network = random_network(DATA, (4, 5), treatment, seed=2)
    return [np.asarray(each.weights) for each in network.operations if isinstance(each, Affine)]


def test_weights_do_not_depend_on_the_treatment() -> None:
    zero = weights("zero")
    for treatment in ("batchnorm", "random"):
        for one, other in zip(weights(treatment), zero, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("treatment", ["batchnorm", "zero"])
def test_lines_of_the_first_layer_meet_in_one_point(treatment: Treatment) -> None:
    """Twice as many regions as lines, and no sliver: the mean of the batch is met exactly."""
    network = random_network(DATA, (6,), treatment, seed=1)
    assert linear_regions(network, coordinate_slice(2), SQUARE).regions == 12


def test_units_are_normalised_over_the_batch() -> None:
    network = random_network(DATA, (4, 5), "batchnorm", slope=0.1, seed=2)
    values = network.values(DATA)
    for place in (2, 5):
        np.testing.assert_allclose(values[place].mean(axis=1), 0.0, atol=1e-12)
        np.testing.assert_allclose(values[place].std(axis=1), 1.0)


def test_a_unit_that_is_constant_is_only_centred() -> None:
    data = np.array([[1.0, 2.0], [1.0, 2.0]])
    values = random_network(data, (3,), "batchnorm").values(data)
    np.testing.assert_allclose(values[2], 0.0, atol=1e-12)


BAD = {
    "treatment": ((DATA, (3,), "none"), r"^treatment='none': want one of batchnorm, zero, random"),
    "widths": ((DATA, (), "zero"), r"^widths=\(\): want one or more"),
    "batch": ((DATA[0], (3,), "zero"), r"^batch of shape \(2,\): want \(N, D\)"),
}


@pytest.mark.parametrize(("given", "words"), BAD.values(), ids=BAD.keys())
def test_what_is_no_network_is_refused_in_a_line(given: tuple, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        random_network(*given)
