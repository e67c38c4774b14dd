"""BB22's figure: boundaries of each layer over those of earlier ones, with batch normalisation and
without it.
"""

from __future__ import annotations

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from simulators.splines.boundaries import boundaries
from simulators.splines.random_networks import Treatment
from theorems.families.splines.clouds import moons
from theorems.families.splines.densities import partition_near
from theorems.report.style import COLOURS, SHADE, drawing, new_figure

__all__ = ["boundary_figure"]

_WIDTHS = (6, 6, 6, 6)
_ROWS: tuple[tuple[Treatment, str], ...] = (
    ("batchnorm", "batch normalisation"),
    ("zero", "zero biases"),
    ("random", "random biases"),
)


def boundary_figure(seed: int) -> Figure:
    """A row for each treatment of the biases, a panel for each layer; cost: a second.

    Args:
        seed: of data and weights, at least 0.

    Example:
        >>> len(boundary_figure(0).axes)
        12
    """
    points = moons(120, np.random.default_rng(seed))
    with drawing():
        figure = new_figure(8.8, 7.4)
        grid = figure.subplots(3, 4, sharex=True, sharey=True)
        for row, (treatment, name) in zip(grid, _ROWS, strict=True):
            found, half = partition_near(points, _WIDTHS, treatment, (seed,))
            edges = boundaries(found)
            centre = (points.min(axis=0) + points.max(axis=0)) / 2
            for layer, axes in enumerate(row):
                for chosen, colour, width in (
                    (edges.layer < layer, SHADE, 0.5),
                    (edges.layer == layer, COLOURS["measured"], 0.9),
                ):
                    lines = LineCollection(
                        list(edges.ends[chosen]),
                        colors=colour,
                        linewidths=width,
                        capstyle="round",
                    )
                    axes.add_collection(lines)
                axes.scatter(*points.T, s=5, color=COLOURS["sharp"], linewidths=0, zorder=3)
                axes.set_title(
                    f"layer {layer + 1}: {len(found.layers[layer].parents):,} regions", fontsize=9
                )
                axes.set(
                    xlim=(centre[0] - half, centre[0] + half),
                    ylim=(centre[1] - half, centre[1] + half),
                )
                axes.set_aspect("equal")
                axes.grid(visible=False)
            row[0].set_ylabel(name)
        handles = [
            Line2D(
                [], [], color=COLOURS["measured"], linewidth=1.4, label="boundaries of the layer"
            ),
            Line2D([], [], color=SHADE, linewidth=0.8, label="of earlier layers"),
            Line2D(
                [],
                [],
                color=COLOURS["sharp"],
                linestyle="",
                marker="o",
                markersize=4,
                label="samples",
            ),
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=8.5)
    return figure
