"""The picture of an inspection: effective rank, also recentred, and gap along depth, with the
theory's yardsticks.
"""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from theorems.inspection.condition import Condition, fixed_cosine, fixed_rank
from theorems.inspection.predictions import Simulated
from theorems.inspection.report import Inspection
from theorems.report.style import COLOURS, INK, MUTED, SHADE, drawing, new_figure

__all__ = ["draw"]

_DOTTED = (0, (1, 1.6))


def draw(found: Inspection) -> Figure:
    """Two panels over the layers, layer 0 being the batch.

    Example:
        >>> import torch
        >>> from theorems import inspect
        >>> network = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU())
        >>> len(draw(inspect(network, torch.eye(8))).axes)
        2
    """
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
    seen = [found.batch, *(layer.measures for layer in found.layers[: found.hidden])]
    axes.set(
        ylabel="effective rank r",
        ylim=(0.9, 1.25 * n),
        yscale="log",
        title=f"{n} samples; r* is of the symmetric fixed point with ReLU",
    )
    axes.yaxis.set_major_locator(LogLocator(base=2, subs=(1.0,), numticks=12))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    fixed = fixed_rank(n, seen[-1].width)
    threshold = math.sqrt(fixed)
    axes.axhspan(0.9, threshold, color=SHADE, alpha=0.2, linewidth=0)
    _yardstick(axes, found, threshold, f"collapsing below √r* = {threshold:.3g}", below=True)
    _yardstick(axes, found, fixed, f"r* = {fixed:.3g}")
    _yardstick(axes, found, n, f"n = {n}")
    axes.plot(
        range(len(seen)),
        [max(item.recentred_rank, 0.9) for item in seen],
        color=INK,
        linewidth=1.0,
        linestyle=_DOTTED,
        label="recentred",
    )
    _path(axes, [item.effective_rank for item in seen], found)
    axes.legend(loc="lower left", fontsize=8)


def _gap(axes: Axes, found: Inspection) -> None:
    n = found.samples
    values = [found.batch.gap, *(layer.measures.gap for layer in found.layers[: found.hidden])]
    top = math.sqrt(1 - 1 / n)
    axes.set(
        ylabel="orthogonality gap V",
        ylim=(0, 1.12 * top),
        title=(
            found.recognised.words
            if found.recognised.chain
            else "no chain of the theory recognised"
        ),
    )
    _yardstick(axes, found, top, "rank one, √(1 − 1/n)")
    seen = found.simulation
    if isinstance(seen, Simulated):
        layers = seen.stretch.first + np.arange(seen.gaps.shape[1])
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
        _yardstick(axes, found, fixed, "symmetric fixed point with ReLU", linestyle=_DOTTED)
    _path(axes, values, found)
    axes.legend(loc="best", fontsize=8)


def _yardstick(
    axes: Axes,
    found: Inspection,
    height: float,
    words: str,
    *,
    below: bool = False,
    linestyle: str | tuple[float, tuple[float, ...]] = "-",
) -> None:
    """A line at this height with its meaning at its right end, above or below it."""
    axes.axhline(height, color=MUTED, linewidth=0.9, linestyle=linestyle)
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
