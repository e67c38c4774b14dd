"""Boundaries of units, and the folds where they cross earlier ones."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from simulators.splines import linear_regions
from simulators.splines.boundaries import boundaries, density_near, distances, folds
from simulators.splines.examples import corner
from simulators.splines.network import Network
from simulators.splines.operations import Activation, Affine
from simulators.splines.slices import Slice, coordinate_slice, slice_through

SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def two_layers(slope: float, seed: int, inputs: int = 2) -> Network:
    rng = np.random.default_rng(seed)
    first = Affine(0, rng.standard_normal((5, inputs)), 0.3 * rng.standard_normal(5))
    second = Affine(2, rng.standard_normal((4, 5)), 0.3 * rng.standard_normal(4))
    return Network(inputs, (first, Activation(1, slope), second, Activation(3, slope)))


def test_every_edge_is_where_its_unit_is_zero() -> None:
    network = two_layers(0.1, 0)
    edges = boundaries(linear_regions(network, coordinate_slice(2), SQUARE))
    middles = edges.ends.mean(axis=1)
    values = network.values(middles)
    for layer, source in ((0, 1), (1, 3)):
        own = edges.layer == layer
        assert own.any()
        heights = values[source][edges.unit[own], np.flatnonzero(own)]
        np.testing.assert_allclose(heights, 0.0, atol=1e-12)


@pytest.mark.parametrize("slope", [0.0, 0.1, -1.0])
def test_a_fold_turns_by_the_rank_one_change_of_the_active_set(slope: float) -> None:
    """Normals on both sides of a bend differ by (1 − slope) w₂ w₁, of the unit that is crossed."""
    network = two_layers(slope, 1)
    found = linear_regions(network, coordinate_slice(2), SQUARE)
    bent = folds(found)
    assert len(bent.angles) > 5
    assert set(bent.layer.tolist()) == {1}
    first, _, second, _ = network.operations
    assert isinstance(first, Affine)
    assert isinstance(second, Affine)
    before = network.values(bent.points)[1]
    for k, unit in enumerate(bent.unit.tolist()):
        crossed = int(np.abs(before[:, k]).argmin())
        assert abs(before[crossed, k]) < 1e-12
        slopes = np.where(before[:, k] > 0, 1.0, slope)
        sides = []
        for side in (1.0, slope):
            slopes[crossed] = side
            sides.append((second.weights[unit] * slopes) @ first.weights)
        jump = (1 - slope) * second.weights[unit, crossed] * first.weights[crossed]
        np.testing.assert_allclose(sides[0] - sides[1], jump, atol=1e-12)
        cosine = sides[0] @ sides[1] / np.prod([np.linalg.norm(side) for side in sides])
        np.testing.assert_allclose(np.cos(bent.angles[k]), cosine, atol=1e-9)


def test_the_first_layer_is_straight() -> None:
    network = Network(2, two_layers(0.0, 2).operations[:2])
    assert len(folds(linear_regions(network, coordinate_slice(2), SQUARE)).angles) == 0


def test_every_crossing_of_an_older_boundary_is_a_fold_and_no_other() -> None:
    found = linear_regions(two_layers(0.1, 3), coordinate_slice(2), SQUARE)
    mesh, lines = found.mesh, found.lines
    crossings = Counter()
    for v in range(mesh.vertices):
        units = {
            (int(lines.layer[mesh.line[h]]), int(lines.unit[mesh.line[h]]))
            for h in np.flatnonzero(mesh.origin == v)
        }
        if {layer for layer, _ in units} == {0, 1}:
            crossings[v] += 1
    assert len(folds(found).angles) == len(crossings)


def test_lengths_angles_and_distances_are_those_of_input_space() -> None:
    """They do not depend on the coordinates of the plane: here stretched and sheared ones."""
    network = two_layers(0.1, 4)
    plain = linear_regions(network, coordinate_slice(2), SQUARE)
    corners = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 0.5]])  # u → (2u + v, v/2)
    sheared: Slice = slice_through(corners)
    polygon = sheared.coordinates(SQUARE)
    other = linear_regions(network, sheared, polygon)
    assert plain.regions == other.regions
    np.testing.assert_allclose(
        boundaries(plain).lengths.sum(), boundaries(other).lengths.sum(), rtol=1e-9
    )
    np.testing.assert_allclose(
        np.sort(folds(plain).angles), np.sort(folds(other).angles), atol=1e-9
    )
    points = np.random.default_rng(0).uniform(-0.9, 0.9, (20, 2))
    np.testing.assert_allclose(
        distances(plain, points), distances(other, sheared.coordinates(points)), atol=1e-12
    )


def test_density_near_points() -> None:
    """The corner's second boundary alone is near (−½, 0); a disc over the edge does not count."""
    near, everywhere = density_near(corner(), np.array([[-0.5, 0.0], [0.99, 0.5]]), 0.25)
    assert near == pytest.approx(0.5 / (np.pi / 16))
    assert everywhere == pytest.approx((3 + np.sqrt(2)) / 4)
    assert np.isnan(density_near(corner(), np.array([[2.0, 2.0]]), 0.25)[0])
    with pytest.raises(ValueError, match="positive"):
        density_near(corner(), np.zeros((1, 2)), 0.0)
