"""The picture of an inspection: effective rank, also recentred, and gap along depth, with the theory's yardsticks."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from theorems.inspection.judging import Condition, fixed_cosine, fixed_rank
from theorems.inspection.predictions import Simulated
from theorems.inspection.report import Inspection
from theorems.report.style import COLOURS, INK, MUTED, SHADE, drawing, new_figure

__all__ = ["draw"]


def draw(found: Inspection) -> Figure:
    """Two panels over the layers, layer 0 being the batch."""
    with drawing():
        figure = new_figure(9.5, 4.2)
        rank, gap = figure.subplots(1, 2)
        _rank(rank, found)
        _gap(gap, found)
        for axes in (rank, gap):
            axes.set_xlabel("layer (0 is the batch)")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_xlim(0, max(found.hidden, 1))
            if found.since is not None:
                axes.axvline(
                    found.since, color=COLOURS["as_printed"], linewidth=1.0, linestyle=(0, (4, 2))
                )
        figure.suptitle(_title(found), x=0.01, ha="left", fontsize=10.5, weight="bold", color=INK)
    return figure


def _title(found: Inspection) -> str:
    title = found.verdict.partition("; ")[0]
    return title if len(title) < 100 else f"{title[:97]} …"


def _rank(axes: Axes, found: Inspection) -> None:
    n = found.samples
    values = [
        found.batch.effective_rank,
        *(layer.measures.effective_rank for layer in found.layers[: found.hidden]),
    ]
    axes.set(
        ylabel="effective rank r",
        ylim=(0.9, 1.25 * n),
        yscale="log",
        title=f"{n} samples; r* is of the symmetric fixed point with ReLU",
    )
    axes.yaxis.set_major_locator(LogLocator(base=2, subs=(1.0,), numticks=12))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    fixed = fixed_rank(n, found.layers[found.hidden - 1].measures.width)
    threshold = math.sqrt(fixed)
    axes.axhspan(0.9, threshold, color=SHADE, alpha=0.2, linewidth=0)
    for height, words in (
        (threshold, f"collapsing below √r* = {threshold:.3g}"),
        (fixed, f"r* = {fixed:.3g}"),
        (n, f"n = {n}"),
    ):
        axes.axhline(height, color=MUTED, linewidth=0.9)
        below = height == threshold
        axes.annotate(
            words,
            (found.hidden, height),
            (-3, -3 if below else 3),
            textcoords="offset points",
            ha="right",
            va="top" if below else "bottom",
            fontsize=8,
            color=MUTED,
        )
    recentred = [
        max(item.recentred_rank, 0.9)
        for item in (found.batch, *(layer.measures for layer in found.layers[: found.hidden]))
    ]
    axes.plot(
        range(len(recentred)),
        recentred,
        color=INK,
        linewidth=1.0,
        linestyle=(0, (1, 1.6)),
        label="recentred",
    )
    _path(axes, values, found)
    axes.legend(loc="lower left", fontsize=8)


def _gap(axes: Axes, found: Inspection) -> None:
    n = found.samples
    values = [found.batch.gap, *(layer.measures.gap for layer in found.layers[: found.hidden])]
    top = math.sqrt(1 - 1 / n)
    chain = (
        found.recognised.words if found.recognised.chain else "no chain of the theory recognised"
    )
    axes.set(ylabel="orthogonality gap V", ylim=(0, 1.12 * top), title=chain)
    axes.axhline(top, color=MUTED, linewidth=0.9)
    axes.annotate(
        "rank one, √(1 − 1/n)",
        (found.hidden, top),
        (-3, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=8,
        color=MUTED,
    )
    seen = found.simulation
    if isinstance(seen, Simulated):
        layers = np.arange(seen.gaps.shape[1])
        axes.fill_between(
            layers,
            seen.gaps.min(axis=0),
            seen.gaps.max(axis=0),
            color=COLOURS["corrected"],
            alpha=0.25,
            linewidth=0,
            label=f"the chain simulated, {len(seen.gaps)} networks",
        )
        axes.plot(layers, seen.gaps.mean(axis=0), color=COLOURS["corrected"], linewidth=1.2)
    else:
        fixed = fixed_cosine(n) * top
        axes.axhline(fixed, color=MUTED, linewidth=0.9, linestyle=(0, (1, 1.6)))
        axes.annotate(
            "symmetric fixed point with ReLU",
            (found.hidden, fixed),
            (-3, 3),
            textcoords="offset points",
            ha="right",
            va="bottom",
            fontsize=8,
            color=MUTED,
        )
    _path(axes, values, found)
    axes.legend(loc="best", fontsize=8)


def _path(axes: Axes, values: list[float], found: Inspection) -> None:
    colour = COLOURS["measured"] if found.condition is Condition.HEALTHY else COLOURS["as_printed"]
    axes.plot(
        range(len(values)),
        values,
        color=colour,
        linewidth=2.0,
        marker="o",
        markersize=3,
        label="this network",
    )
