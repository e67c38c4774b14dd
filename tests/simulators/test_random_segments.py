"""Crossings of random networks, many at once, against the exact ones of each network alone."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulators.splines.network import Network
from simulators.splines.operations import Activation, Affine, Operation
from simulators.splines.random_segments import _start, random_crossings
from simulators.splines.segments import cut_segments

ENDS = np.array([[1.0, 0.25, -0.5], [-0.75, 1.0, 0.5]])


@pytest.mark.parametrize("slope", [0.0, 0.1, -1.0])
@pytest.mark.parametrize("bias", [0.0, 0.5])
def test_counts_are_those_of_exact_cutting(slope: float, bias: float) -> None:
    rng = np.random.default_rng(5)
    replicas, sizes = 12, (3, 5, 4, 6)
    pieces = _start(ENDS, replicas)
    operations: list[list[Operation]] = [[] for _ in range(replicas)]
    counts = np.zeros((replicas, 3), dtype=np.int64)
    for layer in range(3):
        weights = rng.standard_normal((replicas, sizes[layer + 1], sizes[layer]))
        offsets = bias * rng.standard_normal((replicas, sizes[layer + 1]))
        pieces, counts[:, layer] = pieces.through(weights, offsets, slope)
        for each, weight, offset in zip(operations, weights, offsets, strict=True):
            each += [
                Affine(len(each), weight, offset),
                Activation(len(each) + 1, slope),
            ]
    for given, count in zip(operations, counts, strict=True):
        exact = cut_segments(Network(3, tuple(given)), ENDS[:1], ENDS[1:])
        np.testing.assert_array_equal(np.bincount(exact.layer, minlength=3), count)


def test_angles_are_those_of_the_segment_where_nothing_was_cut() -> None:
    """90° without biases; 60° with a bias as large as each end over the root of the fan-in."""
    ends = math.sqrt(2) * np.eye(2)
    for bias, degrees in ((0.0, 90.0), (1.0, 60.0)):
        found = random_crossings(ends, (3,), bias=bias, replicas=2)
        np.testing.assert_allclose(np.degrees(found.angles), degrees, rtol=1e-12)


def test_a_layer_of_one_active_unit_turns_nothing() -> None:
    """One ReLU: what follows reads a ray, and sees no angle; so does what reads a dead layer."""
    found = random_crossings(np.eye(2), (1, 3, 3), replicas=200, seed=3)
    assert found.counts[:, 0].max() == 1
    assert found.counts[:, 1:].max() == 0
    np.testing.assert_allclose(found.angles[:, 1:], 0.0, atol=1e-14)


BAD = {
    "one end": ({"ends": np.eye(3)[:1]}, r"^ends of shape \(1, 3\): want two finite points"),
    "no number": ({"ends": np.full((2, 2), np.nan)}, r"^ends of shape \(2, 2\): want two finite"),
    "no layer": ({"widths": ()}, r"^widths=\(\): want one or more"),
    "no unit": ({"widths": (3, 0)}, r"^widths=\(3, 0\): want one or more"),
    "a bias below 0": ({"bias": -1.0}, r"^bias=-1.0: want a standard deviation"),
}


@pytest.mark.parametrize(("given", "words"), BAD.values(), ids=BAD.keys())
def test_what_is_no_experiment_is_refused_in_a_line(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        random_crossings(**{"ends": np.eye(2), "widths": (3,), **given})
