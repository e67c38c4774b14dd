"""A lone outlier: the layer with one at infinite width, its fixed points as the batch grows and
their stability; which random starts end there, the layer on Gram matrices iterated; and how it
breaks away in networks of finite width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import (
    FixedLocator,
    NullFormatter,
    NullLocator,
    ScalarFormatter,
    StrMethodFormatter,
)

from simulators import recenter_relu_chain, simulate
from simulators.arrays import Floats
from simulators.batches import gaussian_batch
from simulators.engines.mean_field import (
    outlier_fixed_point,
    recenter_relu_map,
    reduced_map,
    symmetric_fixed_point,
)
from theorems.checking.confidence_intervals import clopper_pearson
from theorems.families.cluster.emergence import stays
from theorems.families.cluster.fixed_points import FixedPoints, find
from theorems.report.document import find as find_result
from theorems.report.figure_parts import band, seed_of, ticks
from theorems.report.style import COLOURS, INK, MUTED, Drawing, drawing, new_figure

__all__ = [
    "FIGURES",
    "Network",
    "Share",
    "draw",
    "draw_basin",
    "draw_breaking_away",
    "ends",
    "share_by_layer",
    "turn",
]


MAPS = (6, 7, 10, 30)
SIZES = (*range(3, 31), 35, 40, 50, 64, 80, 100, 140, 200, 300)
#: Batch sizes named on an axis.
_SIZES_SHOWN = (3, 5, 7, 10, 20, 50, 100, 300)
#: The saddle-node, n* and ψ* in degrees, where two branches meet; enclosed by
#: ``outlier_fixed_point:saddle_node``.
BIRTH = (6.107075, 64.9967)
#: The colour of each fixed point, filled where it attracts.
_LOOKS = {
    "outlier": (COLOURS["measured"], True),
    "separatrix": (COLOURS["as_printed"], False),
    "symmetric": (COLOURS["corrected"], True),
    "two blocks": (COLOURS["sharp"], False),
}
BASIN_SIZES = range(4, 15)
STARTS, BASIN_DEPTH = 100, 400
#: Probability that any interval misses its share, over the whole figure.
LEVEL = 1e-3
#: A start has arrived once its norms are this close, relatively, to those of a fixed point.
_NEAR = 0.05


def draw(document: Mapping[str, object]) -> Drawing | None:
    """The map for four batch sizes above, fixed points and spectral radius below; None if their
    count was not run.

    ``document`` is the JSON value of a run. Cost: a second.
    """
    if find_result(document, "cluster.outlier_fixed_point:count") is None:
        return None
    found = {n: find(n) for n in sorted({*MAPS, *SIZES})}
    with drawing():
        figure = new_figure(11.4, 7.4)
        grid = figure.add_gridspec(2, 4, height_ratios=(1, 1.25))
        for column, n in enumerate(MAPS):
            _map(figure.add_subplot(grid[0, column]), found[n], column == 0)
        _branches(figure.add_subplot(grid[1, :2]), [found[n] for n in SIZES])
        _stability(figure.add_subplot(grid[1, 2:]), [found[n] for n in SIZES])
    return Drawing(
        "outlier_fixed_points",
        "A lone outlier is a stable fixed point from seven samples on",
        _caption(found),
        figure,
        ("cluster.outlier_fixed_point",),
    )


def turn(angle: Floats, n: int) -> Floats:
    """By how much one layer changes ψ, in radians, for each ``angle`` ψ in (0, π/2).

    Example:
        >>> bool(turn(np.array([1.5]), 6)[0] < 0)
        True
    """
    after = reduced_map((n - 1) * np.cos(angle) ** 2, n)
    return np.asarray(np.arccos(np.sqrt(np.minimum(after / (n - 1), 1))) - angle)


def _map(axes: Axes, found: FixedPoints, first: bool) -> None:
    n = found.n
    angle = np.linspace(1e-3, math.pi / 2 - 1e-6, 600)
    change = np.degrees(turn(angle, n))
    axes.axhline(0, color=MUTED, linewidth=1.0)
    axes.plot(np.degrees(angle), change, color=INK, linewidth=1.6)
    border = (
        math.degrees(float(found.separatrix.angle.mid())) if found.separatrix is not None else 0.0
    )
    axes.axvspan(0, border, color=COLOURS["measured"], alpha=0.12, linewidth=0)
    axes.axvspan(border, 90, color=COLOURS["corrected"], alpha=0.16, linewidth=0)
    _mark(axes, 0.0, 0.0, "two blocks")
    for name, point in found.points.items():
        _mark(axes, math.degrees(float(point.angle.mid())), 0.0, name)
    axes.set_yscale("asinh", linear_width=0.2)
    axes.set(
        title=f"n = {n}",
        xlim=(-3, 93),
        xlabel="ψ, degrees",
        xticks=[0, 30, 60, 90],
        ylim=(-12, 4),
    )
    axes.yaxis.set_major_locator(FixedLocator([-10, -1, -0.3, 0, 0.3, 1]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(ScalarFormatter())
    if first:
        axes.set_ylabel("change of ψ in one layer, degrees")


def _mark(axes: Axes, x: float, y: float, name: str) -> None:
    colour, filled = _LOOKS[name]
    axes.plot(
        [x],
        [y],
        marker="o",
        markersize=6.5,
        markeredgewidth=1.6,
        markeredgecolor=colour,
        markerfacecolor=colour if filled else "white",
        linestyle="none",
        zorder=5,
        clip_on=False,
    )


def _branches(axes: Axes, found: list[FixedPoints]) -> None:
    """ψ of every fixed point against n, and where starts on the line go."""
    places: dict[str, list[tuple[int, float]]] = {name: [] for name in _WORDS}
    for point_set in found:
        for name, point in point_set.points.items():
            places[name].append((point_set.n, math.degrees(float(point.angle.mid()))))
    degrees = {name: np.array(pairs).T for name, pairs in places.items()}
    for name in ("outlier", "separatrix"):
        degrees[name] = np.column_stack((BIRTH, degrees[name]))
    born = degrees["separatrix"]
    axes.fill_between(born[0], 0, born[1], color=COLOURS["measured"], alpha=0.12, linewidth=0)
    axes.fill_between(born[0], born[1], 90, color=COLOURS["corrected"], alpha=0.16, linewidth=0)
    axes.fill_between([3, BIRTH[0]], 0, 90, color=COLOURS["corrected"], alpha=0.16, linewidth=0)
    for name, (sizes, angles) in degrees.items():
        whole = np.flatnonzero(sizes == np.round(sizes)).tolist()
        axes.plot(
            sizes,
            angles,
            marker="o",
            markersize=3.2,
            markevery=whole,
            color=_LOOKS[name][0],
            linestyle="--" if name == "separatrix" else "-",
            linewidth=1.4,
            label=_WORDS[name],
        )
    axes.plot(*BIRTH, marker="D", markersize=5, color=INK, linestyle="none", zorder=6)
    axes.annotate(
        f"saddle-node, n* = {BIRTH[0]:.3f}",
        BIRTH,
        (10, 0),
        textcoords="offset points",
        va="center",
        color=INK,
    )
    axes.text(22, 38, "goes to the outlier", color=INK, style="italic")
    axes.text(3.15, 22, "goes to the\nsymmetric\npoint", color=INK, style="italic")
    axes.set(
        title="Fixed points and what they attract on the line y",
        xscale="log",
        xlim=(3, found[-1].n),
        ylim=(0, 90),
        ylabel="ψ, degrees",
        xlabel="batch size n",
    )
    axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.6))
    ticks(axes.xaxis, _SIZES_SHOWN)


_WORDS = {
    "outlier": "outlier, attracting",
    "separatrix": "separatrix, repelling",
    "symmetric": "symmetric, attracting",
}


def _stability(axes: Axes, found: list[FixedPoints]) -> None:
    """The largest moduli of the Jacobian at the outlier and at the symmetric point."""
    outlier = [(f.n, f.outlier.spectrum) for f in found if f.outlier is not None]
    sizes = np.array([n for n, _ in outlier])
    for label, values, stroke, colour in (
        (
            "outlier: along the line, f$_n'$",
            [s.slope for _, s in outlier],
            "-",
            COLOURS["measured"],
        ),
        ("outlier: 2×2 block", [s.block_radius for _, s in outlier], "--", COLOURS["sharp"]),
        ("outlier: within the cluster", [s.within for _, s in outlier], ":", COLOURS["as_printed"]),
    ):
        axes.plot(
            sizes,
            [float(v.mid()) for v in values],
            linestyle=stroke,
            color=colour,
            label=label,
            marker="o",
            markersize=2.8,
        )
    axes.plot(
        [f.n for f in found],
        [symmetric_fixed_point(f.n).spectral_radius for f in found],
        color=COLOURS["corrected"],
        label="symmetric point: radius",
        linewidth=1.4,
    )
    line = np.geomspace(3, found[-1].n, 200)
    axes.plot(line, 1 - 1 / line, color=MUTED, linewidth=0.9, label="1 - 1/n")
    axes.axhline(1, color=INK, linewidth=1.0)
    axes.axvline(BIRTH[0], color=MUTED, linewidth=1.0, linestyle=":")
    axes.set(
        title="Both are stable: all eigenvalues below 1",
        xscale="log",
        xlim=(3, found[-1].n),
        ylim=(0.72, 1.015),
        xlabel="batch size n",
        ylabel="modulus of eigenvalues",
    )
    axes.legend(loc="lower right")
    ticks(axes.xaxis, _SIZES_SHOWN)


def _caption(found: Mapping[int, FixedPoints]) -> str:
    radii = {n: f.outlier.spectrum.radius for n, f in found.items() if f.outlier is not None}
    smallest = min(radii, key=lambda n: float(radii[n].mid()))
    return (
        "Infinite width, recentring and ReLU, n − 1 exchangeable samples and one other. After "
        "recentring one number describes the batch: π − ψ is the angle between cluster and "
        "outlier, so that ψ = 0 are two exact blocks. Above: how one layer changes ψ, with every "
        "fixed point, filled where it attracts (the scale is arsinh). Below left: followed in "
        "floats, a start under the separatrix goes to the outlier, one above it to the symmetric "
        "point; the separatrix closes in on the symmetric point as n grows, n(n cos ψ − n cos ψ_s) "
        "tending to π − 2. Below right: all eigenvalues of the layer's derivative on n × n Gram "
        f"matrices at the outlier; the spectral radius is least at n = {smallest}, "
        f"{float(radii[smallest].mid()):.4f}, and 1 − 1/n to first order. Fixed points and "
        "eigenvalues are midpoints of balls narrower than the lines; lines join whole n."
    )


# --- which random starts end with an outlier ------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """Of ``STARTS`` random batches of n samples, how many ended at the outlier, the symmetric
    point, or neither yet.
    """

    n: int
    outlier: int
    symmetric: int

    @property
    def open(self) -> int:
        return STARTS - self.outlier - self.symmetric


def ends(n: int, dimension: int, seed: int) -> Share:
    """Follow Gaussian batches of that dimension in floats for `BASIN_DEPTH` layers. Cost: half a
    second for n = 14.
    """
    batches = np.random.default_rng((seed, n, dimension)).standard_normal((STARTS, dimension, n))
    grams: Floats = batches.swapaxes(1, 2) @ batches
    for _ in range(BASIN_DEPTH):
        grams = recenter_relu_map(grams)
    squares = np.sort(np.diagonal(grams, axis1=1, axis2=2), axis=1)
    alike = squares[:, -2] / squares[:, 0] < 1 + _NEAR
    ratio = squares[:, -1] / squares[:, 0]
    point = outlier_fixed_point(n)
    arrived = (
        0 if point is None else int((alike & (abs(ratio / point.norm_ratio - 1) < _NEAR)).sum())
    )
    return Share(n, arrived, int((ratio < 1 + _NEAR).sum()))


def draw_basin(document: Mapping[str, object]) -> Drawing | None:
    """The share of starts that end with an outlier, for two dimensions; None if the outlier was not
    part of the run.

    ``document`` is the JSON value of a run. Cost: some ten seconds.
    """
    if find_result(document, "cluster.outlier_fixed_point:count") is None:
        return None
    seed = seed_of(document)
    groups = {
        "samples of dimension 2": ([ends(n, 2, seed) for n in BASIN_SIZES], "measured", "-"),
        "samples of dimension n": ([ends(n, n, seed) for n in BASIN_SIZES], "as_printed", "--"),
    }
    left, level = 0, LEVEL / (len(groups) * len(BASIN_SIZES))
    with drawing():
        figure = new_figure(7.2, 4.0)
        axes = figure.add_subplot()
        for label, (shares, colour, stroke) in groups.items():
            left += sum(share.open for share in shares)
            middle = np.array([s.outlier / STARTS for s in shares])
            low, high = np.array([clopper_pearson(s.outlier, STARTS, level) for s in shares]).T
            axes.errorbar(
                [s.n for s in shares],
                middle,
                yerr=(middle - low, high - middle),
                color=COLOURS[colour],
                linestyle=stroke,
                marker="o",
                markersize=4,
                capsize=3,
                label=label,
            )
        axes.axvline(6.107, color=MUTED, linewidth=1.0, linestyle=":")
        axes.annotate(
            "outlier born",
            (6.107, 0.52),
            (-5, 0),
            textcoords="offset points",
            ha="right",
            color=INK,
        )
        axes.set(
            xlabel="batch size n",
            ylabel="share that ends with an outlier",
            ylim=(-0.03, 1.03),
            xticks=list(BASIN_SIZES),
        )
        axes.legend(loc="center right")
    return Drawing(
        "outlier_basin",
        "From seven samples on, some random batches fall to the outlier",
        (
            f"Infinite width: {STARTS} batches of standard normal samples for each point, followed "
            f"for {BASIN_DEPTH} layers of the map on Gram matrices in floats. Bars: "
            f"Clopper–Pearson intervals, all valid with probability 1 − {LEVEL:g}. With up to 6 "
            f"samples there is no outlier to go to. {left} of "
            f"{STARTS * len(BASIN_SIZES) * len(groups)} starts had not arrived at either fixed "
            "point. Nothing here is random but the batch."
        ),
        figure,
        ("cluster.emergence:outlier", "cluster.emergence:none"),
    )


# --- a lone outlier breaking away at finite width -------------------------------------------------

NETWORK_SIZES = (5, 7, 10, 30)
WIDTH, DEPTH = 500, 500
REPLICAS, WINDOW, SHARE_LEVEL = 32, 20, 0.01
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
    ends = {count: clopper_pearson(count, REPLICAS, SHARE_LEVEL) for count in set(counts)}
    return np.array([[count / REPLICAS, *ends[count]] for count in counts]).T


def draw_breaking_away(document: Mapping[str, object]) -> Drawing | None:
    """Four batch sizes above, the share of networks by layer below; None if it was not run.

    ``document`` is the JSON value of a run. Cost: some seconds of simulation.
    """
    if find_result(document, "cluster.emergence:outlier") is None:
        return None
    seed = seed_of(document)
    with drawing():
        figure = new_figure(11.4, 8.6)
        grid = figure.add_gridspec(3, len(NETWORK_SIZES), height_ratios=(1.1, 0.9, 1.2))
        for column, size in enumerate(NETWORK_SIZES):
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
        "lone_outlier",
        "A lone outlier breaks away from seven samples on",
        _breaking_away(),
        figure,
        ("cluster.emergence",),
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


def _breaking_away() -> str:
    return (
        f"Above: one network of width {WIDTH} for each batch size, from a random start. The sample "
        "furthest apart in the end against the others; bands from the smallest to the largest "
        "cosine, lines the mean; dotted, the outlier fixed point of infinite width, which exists "
        "for n ≥ 7. Below the cosines, every sample's squared norm. Bottom: how many of "
        f"{REPLICAS} networks have a lone outlier, a sample whose largest cosine with the others "
        f"is below their smallest, that was the same through the last {WINDOW} layers; shaded, "
        f"{1 - SHARE_LEVEL:.0%} intervals at each layer. The wider network waits longer, as the "
        "symmetric configuration is stable at infinite width."
    )


FIGURES = (draw, draw_basin, draw_breaking_away)
