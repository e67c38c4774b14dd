"""The pictures of the outlier: they draw the certified fixed points and the layer's own flow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from theorems.families.cluster import outlier_figure
from theorems.families.cluster.fixed_points import find, saddle_node

DOCUMENT: dict[str, Any] = {
    "environment": {"seed": 0},
    "results": [{"statement": "cluster.outlier_fixed_point", "variant": "count", "evidence": []}],
}
EMPTY: dict[str, Any] = {"environment": {"seed": 0}, "results": []}


def test_nothing_is_drawn_of_a_run_without_the_outlier():
    assert outlier_figure.draw(EMPTY) is None
    assert outlier_figure.draw_basin(EMPTY) is None


@pytest.mark.parametrize("n", outlier_figure.MAPS)
def test_a_layer_turns_towards_the_attracting_points_and_past_none(n):
    found = find(n)
    for point in found.points.values():
        angle = float(point.angle.mid())
        assert abs(outlier_figure.turn(np.array([angle]), n)[0]) < 1e-13
    angle = np.linspace(1e-3, math.pi / 2 - 1e-6, 2000)
    border = float(found.separatrix.angle.mid()) if found.separatrix is not None else 0.0
    goal = np.where(
        angle < border,
        float((found.outlier or found.symmetric).angle.mid()),
        float(found.symmetric.angle.mid()),
    )
    turned = outlier_figure.turn(angle, n)
    for point in found.points.values():
        place = float(point.angle.mid())
        assert (np.sign(angle + turned - place) == np.sign(angle - place)).all()
    assert (np.sign(turned) == np.sign(goal - angle)).all()


def marks(axes: Axes) -> list[float]:
    return [float(line.get_xdata()[0]) for line in axes.lines if line.get_linestyle() == "None"]


def test_the_maps_mark_every_fixed_point():
    drawn = outlier_figure.draw(DOCUMENT)
    assert drawn is not None
    for axes, n in zip(drawn.figure.axes, outlier_figure.MAPS, strict=False):
        wanted = [
            0.0,
            *(math.degrees(float(point.angle.mid())) for point in find(n).points.values()),
        ]
        assert marks(axes) == pytest.approx(wanted)
        assert axes.get_title(loc="left") == f"n = {n}"
    branches = drawn.figure.axes[-2]
    (separatrix,) = [
        line for line in branches.lines if str(line.get_label()).startswith("separatrix")
    ]
    sizes, angles = np.asarray(separatrix.get_xdata()), np.asarray(separatrix.get_ydata())
    assert (sizes[0], angles[0]) == outlier_figure.BIRTH
    assert angles[1] == pytest.approx(math.degrees(float(find(7).separatrix.angle.mid())))


def test_the_birth_that_is_drawn_is_the_certified_one():
    born = saddle_node()
    angle, n = float(born.angle.mid()), float(born.n.mid())
    assert (n, math.degrees(angle)) == pytest.approx(outlier_figure.BIRTH, abs=1e-4)


def test_starts_are_sorted_by_where_they_end(monkeypatch):
    monkeypatch.setattr(outlier_figure, "STARTS", 20)
    monkeypatch.setattr(outlier_figure, "BASIN_SIZES", (6, 12))
    few, many = outlier_figure.ends(6, 2, 0), outlier_figure.ends(12, 2, 0)
    assert (few.outlier, few.symmetric, few.open) == (0, 20, 0)
    assert many.outlier >= 15
    assert many.open == 0
    drawn = outlier_figure.draw_basin(DOCUMENT)
    assert drawn is not None
    assert "0 of 80 starts" in drawn.caption
