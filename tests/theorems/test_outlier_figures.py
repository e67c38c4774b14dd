"""The pictures of the outlier: they draw the certified fixed points and the layer's own flow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from simulators.engines.mean_field import outlier_fixed_point
from theorems.checking.confidence_intervals import clopper_pearson
from theorems.families.cluster import outlier_figures as figures
from theorems.families.cluster.fixed_points import find, saddle_node
from theorems.report.style import Drawing

DOCUMENT: dict[str, Any] = {
    "environment": {"seed": 0},
    "results": [{"statement": "cluster.outlier_fixed_point", "variant": "count", "evidence": []}],
}
EMPTY: dict[str, Any] = {"environment": {"seed": 0}, "results": []}


def test_nothing_is_drawn_of_a_run_without_the_outlier():
    assert figures.draw(EMPTY) is None
    assert figures.draw_basin(EMPTY) is None


@pytest.mark.parametrize("n", figures.MAPS)
def test_a_layer_turns_towards_the_attracting_points_and_past_none(n):
    found = find(n)
    for point in found.points.values():
        angle = float(point.angle.mid())
        assert abs(figures.turn(np.array([angle]), n)[0]) < 1e-13
    angle = np.linspace(1e-3, math.pi / 2 - 1e-6, 2000)
    border = float(found.separatrix.angle.mid()) if found.separatrix is not None else 0.0
    goal = np.where(
        angle < border,
        float((found.outlier or found.symmetric).angle.mid()),
        float(found.symmetric.angle.mid()),
    )
    turned = figures.turn(angle, n)
    for point in found.points.values():
        place = float(point.angle.mid())
        assert (np.sign(angle + turned - place) == np.sign(angle - place)).all()
    assert (np.sign(turned) == np.sign(goal - angle)).all()


def marks(axes: Axes) -> list[float]:
    return [float(line.get_xdata()[0]) for line in axes.lines if line.get_linestyle() == "None"]


@pytest.fixture(scope="module")
def fixed_points() -> Drawing:
    drawn = figures.draw(DOCUMENT)
    assert drawn is not None
    return drawn


def test_ticks_of_the_maps_are_round_and_named_by_what_stands_there(fixed_points):
    for axes in fixed_points.figure.axes[: len(figures.MAPS)]:
        for axis, places in (
            (axes.xaxis, [0, 30, 60, 90]),
            (axes.yaxis, [-10, -1, -0.3, 0, 0.3, 1]),
        ):
            assert axis.get_ticklocs().tolist() == places
            named = [text.get_text().replace("−", "-") for text in axis.get_ticklabels()]
            assert [float(word) for word in named] == places


def test_what_an_axis_names_is_drawn_and_no_two_curves_look_alike():
    assert set(figures._SIZES_SHOWN) <= set(figures.SIZES)
    looks = [(figures._HUES[size], figures._STROKES[width]) for size, width in figures.CURVES]
    assert len(set(figures.CURVES)) == len(set(looks)) == len(looks)
    assert {size for size, _ in figures.CURVES} == figures._HUES.keys()


def test_the_maps_mark_every_fixed_point(fixed_points):
    for axes, n in zip(fixed_points.figure.axes, figures.MAPS, strict=False):
        wanted = [
            0.0,
            *(math.degrees(float(point.angle.mid())) for point in find(n).points.values()),
        ]
        assert marks(axes) == pytest.approx(wanted)
        assert axes.get_title(loc="left") == f"n = {n}"
    branches = fixed_points.figure.axes[-2]
    (separatrix,) = [
        line for line in branches.lines if str(line.get_label()).startswith("separatrix")
    ]
    sizes, angles = np.asarray(separatrix.get_xdata()), np.asarray(separatrix.get_ydata())
    assert (sizes[0], angles[0]) == figures.BIRTH
    assert angles[1] == pytest.approx(math.degrees(float(find(7).separatrix.angle.mid())))


def test_the_birth_that_is_drawn_is_the_certified_one():
    born = saddle_node()
    angle, n = float(born.angle.mid()), float(born.n.mid())
    assert (n, math.degrees(angle)) == pytest.approx(figures.BIRTH, abs=1e-4)


def test_starts_are_sorted_by_where_they_end(monkeypatch):
    monkeypatch.setattr(figures, "STARTS", 20)
    monkeypatch.setattr(figures, "BASIN_SIZES", (6, 12))
    few, many = figures.ends(6, 2, 0), figures.ends(12, 2, 0)
    assert (few.outlier, few.symmetric, few.open) == (0, 20, 0)
    assert many.outlier >= 15
    assert many.open == 0
    drawn = figures.draw_basin(DOCUMENT)
    assert drawn is not None
    assert "0 of 80 starts" in drawn.caption


def test_bars_are_the_intervals_at_the_level_of_the_whole_figure(monkeypatch):
    """Twice as many of them as there are sizes, all valid at once."""
    counts = {4: 0, 9: 37, 14: 100}
    monkeypatch.setattr(figures, "BASIN_SIZES", tuple(counts))
    monkeypatch.setattr(figures, "ends", lambda n, *_: figures.Share(n, counts[n], 0))
    drawn = figures.draw_basin(DOCUMENT)
    assert drawn is not None
    level = figures.LEVEL / (2 * len(counts))
    bars = [clopper_pearson(count, figures.STARTS, level) for count in counts.values()]
    drawn_bars = [x.lines[2][0] for x in drawn.figure.axes[0].containers]
    assert len(drawn_bars) == 2
    for bar in drawn_bars:
        found = [segment[:, 1].tolist() for segment in bar.get_segments()]
        np.testing.assert_allclose(found, bars)


# --- networks of finite width ---------------------------------------------------------------------

NETWORKS: dict[str, Any] = {
    "environment": {"seed": 1},
    "results": [{"statement": "cluster.emergence", "variant": "outlier", "evidence": []}],
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "WIDTH", 64)
    monkeypatch.setattr(figures, "DEPTH", 60)
    monkeypatch.setattr(figures, "REPLICAS", 4)
    monkeypatch.setattr(figures, "CURVES", ((7, 500), (10, 500)))
    figures.share_by_layer.cache_clear()


def test_no_figure_without_the_statement() -> None:
    assert figures.draw_breaking_away({**NETWORKS, "results": []}) is None


@pytest.mark.usefixtures("small")
def test_what_is_drawn_is_what_was_simulated() -> None:
    drawn = figures.draw_breaking_away(NETWORKS)
    assert drawn is not None
    assert drawn.name == "lone_outlier"
    axes = drawn.figure.axes
    assert [x.get_title(loc="left") for x in axes[:8:2]] == ["n = 5", "n = 7", "n = 10", "n = 30"]
    named = [(x.get_ylabel(), x.get_legend() is not None) for x in axes[:8]]
    assert named[:2] == [("cosine", True), ("squared norm over the mean", False)]
    assert named[2:] == [("", False)] * 6
    found = figures.network(10, 64, 60, 1)
    lines = {str(x.get_label()): np.asarray(x.get_ydata()) for x in axes[4].get_lines()}
    others = [k for k in range(10) if k != found.apart]
    np.testing.assert_allclose(
        lines["with the one apart"], found.cosines[:, found.apart, others].mean(axis=1)
    )
    assert [x.get_ydata()[0] for x in axes[0].get_lines()[2:]] == []  # n = 5 has no such point
    for one, size in zip(axes[2:8:2], (7, 10, 30), strict=True):
        point = outlier_fixed_point(size)
        dotted = [x.get_ydata()[0] for x in one.get_lines()[2:]]
        assert dotted == [point.cluster_cosine, point.outlier_cosine]
    shares = {str(x.get_label()): np.asarray(x.get_ydata()) for x in axes[8].get_lines()}
    share, low, high = figures.share_by_layer(10, 500, 60, 1)
    np.testing.assert_array_equal(shares["n = 10, d = 500"], share)
    assert ((low <= share) & (share <= high)).all()
    assert (low[-1], high[-1]) == clopper_pearson(round(4 * share[-1]), 4, figures.SHARE_LEVEL)


def test_the_sample_apart_is_the_one_with_the_small_cosines() -> None:
    cosines = np.tile(np.full((4, 4), 0.8), (8, 1, 1))
    cosines[:, 2, :] = cosines[:, :, 2] = 0.1
    assert figures.Network(cosines, np.ones((8, 4))).apart == 2
