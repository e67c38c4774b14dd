"""Segments cut by the boundaries of a network, and the nearest boundary, in any dimension."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from simulators.splines import linear_regions
from simulators.splines.boundaries import distances
from simulators.splines.nearest_boundary import nearest_boundaries
from simulators.splines.network import Network
from simulators.splines.operations import Activation, Affine, Operation, Scaling, Sum
from simulators.splines.rationals import rationals
from simulators.splines.segments import Segments, cut_segments
from simulators.splines.slices import coordinate_slice
from tests.simulators.regions_by_force import Weights, by_force

UNIT_SQUARE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


def network_of(layers: list[Weights], slope: float) -> Network:
    operations: list[Operation] = []
    for weights, offset in layers:
        operations.append(Affine(len(operations), weights, offset))
        operations.append(Activation(len(operations), slope))
    return Network(layers[0][0].shape[1], tuple(operations))


def halves(seed: int, sizes: tuple[int, ...]) -> list[Weights]:
    rng = np.random.default_rng(seed)
    return [
        (rng.integers(-4, 5, (m, n)) / 2, rng.integers(-2, 3, m) / 2)
        for n, m in itertools.pairwise(sizes)
    ]


def pieces(found: Segments, segment: int) -> dict[tuple[int, ...], float]:
    """The length of each piece of a segment, by its pattern."""
    first = int(found.counts[:segment].sum())
    patterns = found.patterns[first : first + int(found.counts[segment])].tolist()
    places = [0.0, *found.places[found.segment == segment].tolist(), 1.0]
    return dict(zip(map(tuple, patterns), np.diff(places).tolist(), strict=True))


@pytest.mark.parametrize("slope", [0.0, 0.25, -1.0])
def test_pieces_are_those_found_by_force(slope: float) -> None:
    """All numbers are halves, so that the network on a segment is one on [0, 1], exactly."""
    layers = halves(1, (4, 4, 3))
    rng = np.random.default_rng(2)
    starts, ends = rng.integers(-4, 5, (2, 5, 4)) / 2
    found = cut_segments(network_of(layers, slope), starts, ends)
    (weights, offset), *deeper = layers
    for segment, (start, end) in enumerate(zip(starts, ends, strict=True)):
        along = np.stack([weights @ (end - start), np.zeros(len(weights))], axis=1)
        wanted = by_force([(along, offset + weights @ start), *deeper], slope, UNIT_SQUARE)
        got = pieces(found, segment)
        assert got.keys() == wanted.keys()
        for pattern, length in wanted.items():
            assert got[pattern] == pytest.approx(float(length), abs=1e-12)
    assert found.exact_signs > 0  # halves meet


def test_the_network_is_affine_between_crossings() -> None:
    rng = np.random.default_rng(3)
    first = Affine(0, rng.standard_normal((6, 5)), rng.standard_normal(6))
    branch = Affine(2, rng.standard_normal((6, 6)), rng.standard_normal(6))
    scaling = Scaling(3, tuple(rationals(rng.random(6))), tuple(rationals(rng.random(6))))
    operations = (first, Activation(1, 0.1), branch, scaling, Sum(2, 4), Activation(5, 0.0))
    network = Network(5, operations)
    starts, ends = 2 * rng.standard_normal((2, 8, 5))
    found = cut_segments(network, starts, ends)
    assert found.counts.sum() == len(found.places) + 8
    for segment in range(8):
        places = [0.0, *found.places[found.segment == segment].tolist(), 1.0]
        assert min(np.diff(places)) > 0
        for low, high in itertools.pairwise(places):
            shares = np.array([low, (low + high) / 2, high])[:, None]
            one, middle, other = network(starts[segment] + shares * (ends - starts)[segment])
            np.testing.assert_allclose(middle, (one + other) / 2, atol=1e-12)


def test_crossings_are_within_their_bounds() -> None:
    """Of the first layer, where they are fractions that can be written down."""
    rng = np.random.default_rng(4)
    weights, offset = rng.standard_normal((7, 3)), rng.standard_normal(7)
    starts, ends = 3 * rng.standard_normal((2, 6, 3))
    found = cut_segments(network_of([(weights, offset)], 0.0), starts, ends)
    assert len(found.places) > 6
    columns = zip(found.places, found.bounds, found.segment, found.unit, strict=True)
    for place, bound, segment, unit in columns:
        row = [Fraction(x) for x in weights[unit].tolist()]
        height = Fraction(float(offset[unit])) + _dot(row, starts[segment].tolist())
        slope = _dot(row, ends[segment].tolist()) - _dot(row, starts[segment].tolist())
        assert abs(Fraction(float(place)) + height / slope) <= Fraction(float(bound))


def _dot(row: list[Fraction], point: list[float]) -> Fraction:
    return sum((w * Fraction(x) for w, x in zip(row, point, strict=True)), Fraction(0))


def test_units_that_are_zero_at_one_place_cross_once() -> None:
    weights = np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 0.0]])
    found = cut_segments(
        network_of([(weights, np.zeros(3))], 0.0), -np.ones((1, 2)), np.ones((1, 2))
    )
    assert (found.counts.tolist(), found.places.tolist()) == ([2], [0.5])
    assert found.patterns.tolist() == [[-1, -1, 0], [1, 1, 0]]


def test_a_segment_that_is_a_point_and_one_along_a_boundary() -> None:
    network = network_of([(np.eye(2), np.zeros(2))], 0.0)
    starts, ends = np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([[1.0, 2.0], [0.0, 1.0]])
    found = cut_segments(network, starts, ends)
    assert found.counts.tolist() == [1, 2]
    assert found.patterns.tolist() == [[1, 1], [0, -1], [0, 1]]


def test_segments_that_do_not_fit_are_refused() -> None:
    network = network_of([(np.eye(2), np.zeros(2))], 0.0)
    with pytest.raises(ValueError, match="want"):
        cut_segments(network, np.zeros((2, 3)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="want"):
        cut_segments(network, np.zeros((2, 2)), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="not finite"):
        cut_segments(network, np.zeros((1, 2)), np.full((1, 2), np.inf))
    with pytest.raises(ValueError, match="points of shape"):
        nearest_boundaries(network, np.zeros((1, 3)))


@pytest.mark.parametrize("slope", [0.0, 0.1, -1.0])
def test_the_nearest_boundary_in_two_dimensions_is_that_of_the_regions(slope: float) -> None:
    rng = np.random.default_rng(5)
    layers = [
        (rng.standard_normal((m, n)), 0.3 * rng.standard_normal(m)) for n, m in ((2, 6), (6, 5))
    ]
    network = network_of(layers, slope)
    square = 50 * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    regions = linear_regions(network, coordinate_slice(2), square)
    points = rng.uniform(-1, 1, (40, 2))
    found = nearest_boundaries(network, points)
    np.testing.assert_allclose(found.distances, distances(regions, points), atol=1e-9)
    assert {*found.layer.tolist()} == {0, 1}


def test_no_boundary_is_nearer_in_many_dimensions() -> None:
    """Within the distance no segment crosses; beyond it, the one along the gradient does."""
    rng = np.random.default_rng(6)
    layers = [
        (rng.standard_normal((m, n)), 0.3 * rng.standard_normal(m)) for n, m in ((9, 8), (8, 8))
    ]
    network = network_of(layers, 0.1)
    points = rng.standard_normal((5, 9))
    found = nearest_boundaries(network, points)
    for point, distance in zip(points, found.distances, strict=True):
        ways = rng.standard_normal((200, 9))
        ways *= distance / np.linalg.norm(ways, axis=1)[:, None]
        starts = np.tile(point, (200, 1))
        assert len(cut_segments(network, starts, point + (1 - 1e-9) * ways).places) == 0
    far = cut_segments(network, points, points + 100 * rng.standard_normal((5, 9)))
    assert far.counts.min() > 1


def test_no_gradient_no_boundary() -> None:
    network = network_of([(np.zeros((2, 2)), np.ones(2))], 0.0)
    found = nearest_boundaries(network, np.zeros((1, 2)))
    assert (found.distances.tolist(), found.layer.tolist()) == ([np.inf], [-1])
