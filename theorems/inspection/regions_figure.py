"""The picture of linear regions: a panel for each layer, its boundaries over those of earlier ones,
and one for what the network decides.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from theorems.inspection.decisions import Decisions
from theorems.inspection.regions import Regions
from theorems.report.style import COLOURS, INK, MUTED, SHADE, drawing, new_figure

__all__ = ["draw_regions"]

_MOST_LAYERS = 5
_MOST_VECTORS = 20_000  # edges; more are a picture inside an SVG
_DOUBT = 0.05  # of mini-batches


def draw_regions(found: Regions, decisions: Decisions | None = None) -> Figure:
    """A panel for each layer; of very many the first ones and the last. The samples are on top.

    Args:
        found: the regions.
        decisions: drawn in a panel of their own, with the band of mini-batches where it is known.

    Example:
        >>> import torch
        >>> from theorems.inspection.regions import find_regions, look_at
        >>> network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
        >>> len(draw_regions(find_regions(look_at(network, np.eye(2)))).axes)
        1
    """
    done = len(found.counts)
    layers = [*range(done)]
    if done > _MOST_LAYERS:
        layers = [*range(_MOST_LAYERS - 1), done - 1]
    panels = max(len(layers) + (decisions is not None), 1)
    columns = min(panels, 3)
    rows = -(-panels // columns)
    with drawing():
        figure = new_figure(max(3.4 * columns, 6.0), 3.6 * rows + 1.2)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, layer in zip(grid, layers, strict=False):
            _layer(axes, found, layer)
        if decisions is not None:
            _decisions(grid[len(layers)], found, decisions)
        for axes in grid[:panels]:
            _frame(axes, found)
        for axes in grid[panels:]:
            axes.remove()
        handles: list[Line2D | Patch] = [
            Line2D(
                [], [], color=COLOURS["measured"], linewidth=1.4, label="boundaries of the layer"
            ),
            Line2D([], [], color=SHADE, linewidth=0.8, label="of earlier layers"),
            _dot(),
        ]
        if decisions is not None:
            handles.append(
                Line2D([], [], color=COLOURS["as_printed"], linewidth=2, label="decision boundary")
            )
            if decisions.disagreement is not None:
                band = f"where ≥ {_DOUBT:.0%} of mini-batches decide otherwise"
                handles.append(Patch(color=COLOURS["as_printed"], alpha=0.25, label=band))
        figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=8)
        figure.suptitle(_title(found), x=0.01, ha="left", fontsize=10.5, weight="bold", color=INK)
    return figure


def _title(found: Regions) -> str:
    words = {
        "train": "batch normalisation with the batch’s statistics",
        "frozen": "batch normalisation frozen",
        "none": "without batch normalisation",
    }
    part = "" if found.partition.complete else " so far"
    return f"{found.partition.regions:,} linear regions{part}; {words[found.view.statistics]}"


def _dot() -> Line2D:
    return Line2D(
        [],
        [],
        linestyle="",
        marker="o",
        markersize=4,
        markerfacecolor=COLOURS["sharp"],
        markeredgecolor="white",
        markeredgewidth=0.5,
        label="samples",
    )


def _layer(axes: Axes, found: Regions, layer: int) -> None:
    earlier, own = found.edges.layer < layer, found.edges.layer == layer
    _lines(axes, found, earlier, SHADE, 0.6)
    _lines(axes, found, own, COLOURS["measured"], 1.2 if own.sum() < 2000 else 0.6)
    count = found.counts[layer]
    axes.set_title(f"layer {layer + 1}: {count:,} region{'' if count == 1 else 's'}")


def _lines(axes: Axes, found: Regions, chosen: np.ndarray, colour: str, width: float) -> None:
    ends = found.edges.ends[chosen]
    lines = LineCollection(
        list(ends),
        colors=colour,
        linewidths=width,
        capstyle="round",
        rasterized=len(ends) > _MOST_VECTORS,
    )
    axes.add_collection(lines)


def _decisions(axes: Axes, found: Regions, seen: Decisions) -> None:
    _lines(axes, found, np.ones(found.edges.count, dtype=bool), SHADE, 0.4)
    colour = COLOURS["as_printed"]
    if seen.disagreement is not None and seen.disagreement.max() >= _DOUBT:
        axes.contourf(
            seen.first,
            seen.second,
            seen.disagreement,
            levels=[_DOUBT, 1.0],
            colors=[colour],
            alpha=0.25,
        )
    one_class = True
    for margin in seen.margins:
        if margin.min() < 0 < margin.max():
            one_class = False
            axes.contour(
                seen.first, seen.second, margin, levels=[0.0], colors=[colour], linewidths=1.6
            )
    axes.set_title(f"what the network decides{': one class' * one_class}")


def _frame(axes: Axes, found: Regions) -> None:
    (u, v), half, samples = found.view.centre, found.view.half_side, found.view.samples
    first, second = found.view.plane.labels
    inside = np.abs(samples - (u, v)).max(axis=1) <= half
    axes.scatter(
        samples[inside, 0],
        samples[inside, 1],
        s=10,
        color=COLOURS["sharp"],
        edgecolors="white",
        linewidths=0.4,
        zorder=3,
    )
    axes.set(xlim=(u - half, u + half), ylim=(v - half, v + half), xlabel=first, ylabel=second)
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.tick_params(labelsize=8, color=MUTED)
