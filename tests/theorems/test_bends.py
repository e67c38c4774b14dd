"""The bends that are looked at: all that the enumeration finds, with the angles it tells."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from simulators.splines.boundaries import bends, folds
from theorems.families.splines.bends import Layers, bend_items


@pytest.mark.parametrize("slope", [Fraction(0), Fraction(1, 8), Fraction(-1)], ids=str)
@pytest.mark.parametrize("sizes", [(2, 4, 3), (2, 3, 3, 3)], ids=str)
def test_angles_of_folds_are_those_derived(sizes: tuple[int, ...], slope: Fraction) -> None:
    layers = Layers.drawn(sizes, slope, 7)
    items = list(bend_items(layers))
    told = folds(layers.partition()).angles
    assert len(items) == len(told) > 5
    derived = []
    for item in items:
        g, h = (np.array(item[name], dtype=float) for name in "gh")
        change = float(item["s"] * (1 - item["a"]) * item["omega"])  # type: ignore[operator]
        behind = g + change * h
        cross = g[0] * behind[1] - g[1] * behind[0]
        derived.append(math.atan2(abs(cross), float(g @ behind)))
    np.testing.assert_allclose(told, derived, atol=1e-9)


def test_a_bend_lies_between_its_neighbours_on_the_boundary() -> None:
    found = Layers.drawn((2, 4, 3), Fraction(0), 7).partition()
    vertices, layer, unit = bends(found)
    bent = folds(found)
    np.testing.assert_allclose(found.points[vertices[:, 1]], bent.points)
    np.testing.assert_array_equal(layer, bent.layer)
    np.testing.assert_array_equal(unit, bent.unit)
    assert set(layer.tolist()) == {1}
    values = found.network.values(found.points[vertices.ravel()])
    heights = values[3].T.reshape(*vertices.shape, -1)
    chosen = np.take_along_axis(heights, unit[:, None, None], axis=2)
    np.testing.assert_allclose(chosen, 0.0, atol=1e-9)


def test_where_two_units_are_crossed_at_once_nothing_is_claimed() -> None:
    """Two units of the first layer that are zero on one line: no one of them makes the bend."""
    first = (np.array([[1.0, 0.0], [2.0, 0.0]]), np.zeros(2))
    second = (np.array([[1.0, 1.0], [0.5, -1.0]]), np.array([-1.0, -0.5]))
    layers = Layers((first, second), Fraction(1, 8))
    assert list(bend_items(layers)) == []
