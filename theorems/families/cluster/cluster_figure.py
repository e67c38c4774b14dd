"""A lone outlier breaking away at finite width: cosines and norms through depth, and how often it
has by each layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from simulators import recenter_relu_chain, simulate
from simulators.arrays import Floats
from simulators.batches import gaussian_batch
from simulators.engines.mean_field import outlier_fixed_point
from theorems.checking.confidence_intervals import clopper_pearson
from theorems.families.cluster.emergence import stays
from theorems.report.document import find
from theorems.report.figure_parts import band, seed_of
from theorems.report.style import COLOURS, INK, MUTED, Drawing, drawing, new_figure

__all__ = ["Network", "draw", "share_by_layer"]


SIZES = (5, 7, 10, 30)
WIDTH, DEPTH = 500, 500
REPLICAS, WINDOW, LEVEL = 32, 20, 0.01
#: Batch size and width of each curve below; the width is told apart by the stroke.
CURVES = ((6, 500), (7, 500), (8, 500), (10, 500), (8, 2000))
_STROKES = {500: "-", 2000: (0, (4, 2))}
_HUES = {6: MUTED, 7: COLOURS["as_printed"], 8: COLOURS["corrected"], 10: COLOURS["measured"]}


@dataclass(frozen=True)
class Network:
    """One network from a random start: by layer, cosines (depth + 1, n, n) and squared norms over
    their mean.
    """

    cosines: Floats
    norms: Floats

    @property
    def apart(self) -> int:
        """The sample that is furthest from the others in the last quarter of the layers, on
        average.
        """
        late = self.cosines[-len(self.cosines) // 4 :].mean(axis=0)
        return int(np.argmin(late.sum(axis=0)))


@lru_cache(maxsize=32)
def network(size: int, width: int, depth: int, seed: int) -> Network:
    """One replica of ``depth`` layers with ``size`` samples, exact in law.

    Example:
        >>> network(4, 16, 3, 0).norms.shape
        (4, 4)
    """
    run = simulate(
        recenter_relu_chain(width),
        gaussian_batch(width, size, seed=size),
        depth=depth,
        seed=(seed, size),
        observables=("gram",),
        engine="factor",
    )
    gram = run["gram"][0]
    squares = np.diagonal(gram, axis1=1, axis2=2)
    return Network(gram / np.sqrt(squares[:, :, None] * squares[:, None, :]), squares * size)


@lru_cache(maxsize=32)
def share_by_layer(size: int, width: int, depth: int, seed: int) -> Floats:
    """Share of networks with an emerged outlier at each layer from ``WINDOW`` on, with its
    interval: (3, layers).
    """
    run = simulate(
        recenter_relu_chain(width),
        gaussian_batch(width, size, seed=size),
        depth=depth,
        replicas=REPLICAS,
        seed=(seed, size, width),
        observables=("lone_outlier",),
        engine="factor",
    )
    counts = [
        int(stays(run["lone_outlier"], layer, WINDOW).sum()) for layer in range(WINDOW, depth + 1)
    ]
    ends = {count: clopper_pearson(count, REPLICAS, LEVEL) for count in set(counts)}
    return np.array([[count / REPLICAS, *ends[count]] for count in counts]).T


def draw(document: Mapping[str, object]) -> Drawing | None:
    """Four batch sizes above, the share of networks by layer below; None if it was not run.

    ``document`` is the JSON value of a run. Cost: some seconds of simulation.
    """
    if find(document, "cluster.emergence:outlier") is None:
        return None
    seed = seed_of(document)
    with drawing():
        figure = new_figure(11.4, 8.6)
        grid = figure.add_gridspec(3, len(SIZES), height_ratios=(1.1, 0.9, 1.2))
        for column, size in enumerate(SIZES):
            found = network(size, WIDTH, DEPTH, seed)
            above = figure.add_subplot(grid[0, column])
            _cosines(above, found, size)
            _norms(figure.add_subplot(grid[1, column], sharex=above), found)
            if column == 0:
                above.set_ylabel("cosine")
                above.legend(loc="upper right")
                figure.axes[-1].set_ylabel("squared norm over the mean")
        _shares(figure.add_subplot(grid[2, :]), seed)
    return Drawing(
        "lone_outlier", "A lone outlier breaks away from seven samples on", _caption(), figure
    )


def _cosines(axes: Axes, found: Network, size: int) -> None:
    apart = found.apart
    others = [k for k in range(size) if k != apart]
    rows, columns = (np.array(others)[place] for place in np.triu_indices(size - 1, 1))
    layers = np.arange(len(found.cosines))
    for values, colour, label in (
        (found.cosines[:, rows, columns], COLOURS["measured"], "among the others"),
        (found.cosines[:, apart, others], COLOURS["as_printed"], "with the one apart"),
    ):
        band(axes, layers, values.T, colour, alpha=0.3, linewidth=1.2, label=label)
    point = outlier_fixed_point(size)
    if point is not None:
        for level in (point.cluster_cosine, point.outlier_cosine):
            axes.axhline(level, color=INK, linewidth=0.9, linestyle=(0, (1, 1.6)))
    axes.set(title=f"n = {size}", ylim=(-0.05, 1.02))
    axes.tick_params(labelbottom=False)


def _norms(axes: Axes, found: Network) -> None:
    layers = np.arange(len(found.norms))
    for sample in range(found.norms.shape[1]):
        if sample != found.apart:
            axes.plot(
                layers, found.norms[:, sample], color=COLOURS["measured"], linewidth=0.5, alpha=0.5
            )
    axes.plot(layers, found.norms[:, found.apart], color=COLOURS["as_printed"], linewidth=1.2)
    axes.set(yscale="log", xlabel="layer", ylim=(0.02, 45))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _shares(axes: Axes, seed: int) -> None:
    for size, width in CURVES:
        share, low, high = share_by_layer(size, width, DEPTH, seed)
        layers = np.arange(WINDOW, DEPTH + 1)
        axes.fill_between(layers, low, high, color=_HUES[size], alpha=0.12, linewidth=0)
        axes.plot(
            layers,
            share,
            color=_HUES[size],
            linestyle=_STROKES[width],
            label=f"n = {size}, d = {width}",
        )
    axes.set(
        title=f"One sample the lone outlier through the last {WINDOW} layers",
        xlabel="layer",
        ylabel="share of networks",
        xlim=(0, 1.22 * DEPTH),
        ylim=(-0.02, 1.02),
        xticks=range(0, DEPTH + 1, 100),
    )
    axes.legend(loc="center right")


def _caption() -> str:
    return (
        f"Above: one network of width {WIDTH} for each batch size, from a random start. The sample "
        f"furthest apart "
        "in the end against the others; bands from the smallest to the largest cosine, lines the "
        "mean; dotted, "
        "the outlier fixed point of infinite width, which exists for n ≥ 7. Below the cosines, "
        "every sample's "
        f"squared norm. Bottom: how many of {REPLICAS} networks have a lone outlier, a sample "
        f"whose largest cosine "
        f"with the others is below their smallest, that was the same through the last {WINDOW} "
        f"layers; shaded, "
        f"{1 - LEVEL:.0%} intervals at each layer. The wider network waits longer, as the "
        f"symmetric "
        "configuration is stable at infinite width."
    )
