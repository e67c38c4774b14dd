"""Parts of figures: ticks where they are asked for and nowhere else, bands around all replicas."""

import numpy as np

from theorems.report.figure_parts import band, seed_of, ticks
from theorems.report.style import new_figure


def test_ticks_are_those_alone_and_as_written() -> None:
    axes = new_figure(4, 3).add_subplot()
    axes.set(xscale="log", xlim=(1, 100))
    ticks(axes.xaxis, (2, 50), "{x:g}!")
    assert axes.xaxis.get_majorticklocs().tolist() == [2, 50]
    assert axes.xaxis.get_minorticklocs().tolist() == []
    assert [axes.xaxis.get_major_formatter()(place) for place in (2, 50)] == ["2!", "50!"]


def test_a_band_holds_every_replica_and_its_line_is_the_mean() -> None:
    axes = new_figure(4, 3).add_subplot()
    values = np.array([[1.0, 5.0, 2.0], [3.0, 1.0, 2.0]])
    band(axes, np.arange(3), values, "black", alpha=0.3, label="mean")
    (line,), (area,) = axes.lines, axes.collections
    assert line.get_ydata().tolist() == [2, 3, 2]
    assert line.get_label() == "mean"
    corners = {tuple(point) for point in area.get_paths()[0].vertices.tolist()}
    assert {
        (k, end) for k, column in enumerate(values.T) for end in (min(column), max(column))
    } <= corners


def test_the_seed_is_that_of_the_run() -> None:
    assert seed_of({"environment": {"seed": 7}}) == 7
