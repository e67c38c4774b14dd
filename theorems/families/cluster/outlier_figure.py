"""The layer with one outlier at infinite width: the map, its fixed points as the batch grows, and
their stability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, ScalarFormatter

from simulators.engines.mean_field import reduced_map, symmetric_fixed_point
from theorems.families.cluster.fixed_points import FixedPoints, Point, find
from theorems.report.document import find as find_result
from theorems.report.style import COLOURS, INK, MUTED, Drawing, drawing, new_figure

__all__ = ["draw", "turn"]

Floats = npt.NDArray[np.float64]

MAPS = (6, 7, 10, 30)
SIZES = (*range(3, 31), 35, 40, 50, 64, 80, 100, 140, 200, 300)
#: The saddle-node, n* and ψ* in degrees, where two branches meet; enclosed by
#: ``outlier_fixed_point:saddle_node``.
BIRTH = (6.107075, 64.9967)
_LOOKS: dict[str, dict[str, Any]] = {
    "outlier": {"color": COLOURS["measured"], "filled": True},
    "separatrix": {"color": COLOURS["as_printed"], "filled": False},
    "symmetric": {"color": COLOURS["corrected"], "filled": True},
    "two blocks": {"color": COLOURS["sharp"], "filled": False},
}


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """The map for four batch sizes above, fixed points and spectral radius below; None if their
    count was not run.
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
    )


def turn(angle: Floats, n: int) -> Floats:
    """By how much one layer changes ψ, in radians, for ψ in (0, π/2)."""
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
    for name, point in _named(found):
        _mark(axes, math.degrees(float(point.angle.mid())), 0.0, name)
    axes.set_title(f"n = {n}", weight="bold")
    axes.set_yscale("asinh", linear_width=0.2)
    axes.set(xlim=(-3, 93), xlabel="ψ, degrees", ylim=(-12, 4))
    axes.yaxis.set_major_locator(FixedLocator([-10, -1, -0.3, 0, 0.3, 1]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_major_locator(FixedLocator([0, 30, 60, 90]))
    if first:
        axes.set_ylabel("change of ψ in one layer, degrees")


def _named(found: FixedPoints) -> list[tuple[str, Point]]:
    pairs = (
        ("outlier", found.outlier),
        ("separatrix", found.separatrix),
        ("symmetric", found.symmetric),
    )
    return [(name, point) for name, point in pairs if point is not None]


def _mark(axes: Axes, x: float, y: float, name: str) -> None:
    look = _LOOKS[name]
    axes.plot(
        [x],
        [y],
        marker="o",
        markersize=6.5,
        markeredgewidth=1.6,
        markeredgecolor=look["color"],
        markerfacecolor=look["color"] if look["filled"] else "white",
        linestyle="none",
        zorder=5,
        clip_on=False,
    )


def _branches(axes: Axes, found: list[FixedPoints]) -> None:
    """ψ of every fixed point against n, and where starts on the line go."""
    degrees = {
        name: np.array(
            [
                [f.n, math.degrees(float(point.angle.mid()))]
                for f in found
                for own, point in _named(f)
                if own == name
            ]
        ).T
        for name in _WORDS
    }
    axes.set_xscale("log")
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
            color=_LOOKS[name]["color"],
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
    axes.set(xlim=(3, found[-1].n), ylim=(0, 90), ylabel="ψ, degrees", xlabel="batch size n")
    axes.set_title("Fixed points and what they attract on the line y", weight="bold")
    axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.6))
    _sizes(axes)


_WORDS = {
    "outlier": "outlier, attracting",
    "separatrix": "separatrix, repelling",
    "symmetric": "symmetric, attracting",
}


def _stability(axes: Axes, found: list[FixedPoints]) -> None:
    """The largest moduli of the Jacobian at the outlier and at the symmetric point."""
    axes.set_xscale("log")
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
        xlim=(3, found[-1].n),
        ylim=(0.72, 1.015),
        xlabel="batch size n",
        ylabel="modulus of eigenvalues",
    )
    axes.set_title("Both are stable: all eigenvalues below 1", weight="bold")
    axes.legend(loc="lower right")
    _sizes(axes)


def _sizes(axes: Axes) -> None:
    axes.xaxis.set_major_locator(FixedLocator([3, 5, 7, 10, 20, 50, 100, 300]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())


def _caption(found: Mapping[int, FixedPoints]) -> str:
    radii = {n: f.outlier.spectrum.radius for n, f in found.items() if f.outlier is not None}
    smallest = min(radii, key=lambda n: float(radii[n].mid()))
    return (
        "Infinite width, recentring and ReLU, n − 1 exchangeable samples and one other. After "
        "recentring one number "
        "describes the batch: π − ψ is the angle between cluster and outlier, so that ψ = 0 are "
        "two exact blocks. "
        "Above: how one layer changes ψ, with every fixed point, filled where it attracts (the "
        "scale is arsinh). Below "
        "left: followed in floats, a start under the separatrix goes to the outlier, one above it "
        "to the symmetric "
        "point; the separatrix "
        "closes in on the symmetric point as n grows, n(n cos ψ − n cos ψ_s) tending to π − 2. "
        "Below right: all "
        "eigenvalues of the layer's derivative on n × n Gram matrices at the outlier; the spectral "
        "radius is least at "
        f"n = {smallest}, {float(radii[smallest].mid()):.4f}, and 1 − 1/n to first order. Fixed "
        f"points and eigenvalues "
        "are midpoints of balls narrower than the lines; lines join whole n."
    )
