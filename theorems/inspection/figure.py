"""The picture of an inspection: effective rank, also recentred, gap and gradients along depth, with
the theory's yardsticks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from theorems.inspection.backward_pass import Course
from theorems.inspection.condition import Condition, Floats, fixed_cosine, fixed_rank
from theorems.inspection.predictions import GROWTH, RANK, Simulated
from theorems.inspection.report import Inspection
from theorems.report.style import COLOURS, INK, MUTED, SHADE, drawing, new_figure

__all__ = ["PANELS", "draw", "panel"]

_DOTTED = (0, (1, 1.6))
_LARGEST = math.log(np.finfo(float).max) / 2
_LONGEST = 100  # characters of a title
_ROOM = 0.45  # of the height, above all lines for the legend
_SIMULATED = "the chain simulated"


def draw(found: Inspection) -> Figure:
    """A panel for each of `PANELS` over the layers, layer 0 being the batch.

    Example:
        >>> import torch
        >>> from theorems import inspect
        >>> network = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU())
        >>> len(draw(inspect(network, torch.eye(8))).axes)
        3
    """
    with drawing():
        figure = new_figure(13.6, 4.2)
        for axes, name in zip(figure.subplots(1, len(PANELS)), PANELS, strict=True):
            _fill(axes, found, name)
        figure.suptitle(_title(found), x=0.01, ha="left", fontsize=10.5, weight="bold", color=INK)
    return figure


def panel(found: Inspection, name: str) -> Figure:
    """One panel as a figure of its own.

    - ``name``: a key of `PANELS`

    Example:
        >>> import torch
        >>> from theorems import inspect
        >>> network = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU())
        >>> panel(inspect(network, torch.eye(8)), "rank").axes[0].get_ylabel()
        'effective rank r'
    """
    with drawing():
        figure = new_figure(6.6, 3.9)
        _fill(figure.add_subplot(), found, name)
    return figure


def _fill(axes: Axes, found: Inspection, name: str) -> None:
    PANELS[name](axes, found)
    axes.set_xlabel("layer (0 is the batch)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(0, max(found.hidden, 1))
    if found.since is not None:
        axes.axvline(found.since, color=COLOURS["as_printed"], linewidth=1.0, linestyle=(0, (4, 2)))


def _title(found: Inspection) -> str:
    title = found.verdict.partition("; ")[0]
    if len(title) < _LONGEST:
        return title
    title = title.partition(" (")[0]
    return title if len(title) < _LONGEST else f"{title[: _LONGEST - 3]} …"


def _rank(axes: Axes, found: Inspection) -> None:
    n = found.samples
    seen = [found.batch, *(layer.measures for layer in found.layers[: found.hidden])]
    axes.set(
        ylabel="effective rank r",
        ylim=(0.9, 1.25 * n),
        yscale="log",
        title="r* is of the symmetric fixed point with ReLU",
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
    simulation = found.simulation
    line = simulation.line(RANK) if isinstance(simulation, Simulated) else None
    if isinstance(simulation, Simulated) and line is not None:
        start = seen[simulation.stretch.first].effective_rank
        replicas = np.insert(line.replicas, 0, start, axis=1)
        _band(axes, _layers(simulation), replicas, _SIMULATED)
    _path(axes, [item.effective_rank for item in seen], found)
    axes.legend(loc="best", fontsize=8)


def _gap(axes: Axes, found: Inspection) -> None:
    n = found.samples
    values = [found.batch.gap, *(layer.measures.gap for layer in found.layers[: found.hidden])]
    top = math.sqrt(1 - 1 / n)
    axes.set(
        ylabel="orthogonality gap V",
        ylim=(0, 1.12 * top),
        title=_chain(found),
    )
    _yardstick(axes, found, top, "rank one, √(1 − 1/n)")
    seen = found.simulation
    if isinstance(seen, Simulated):
        _band(axes, _layers(seen), seen.gaps, _SIMULATED)
    else:
        fixed = fixed_cosine(n) * top
        _yardstick(axes, found, fixed, "symmetric fixed point with ReLU", linestyle=_DOTTED)
    _path(axes, values, found)
    axes.legend(loc="best", fontsize=8)


def _chain(found: Inspection) -> str:
    """The chain that the network is, or nearly is."""
    seen = found.simulation
    if found.recognised.chain is not None:
        return found.recognised.words
    if isinstance(seen, Simulated):
        return f"nearly {seen.stretch.words}"
    return "no chain of the theory recognised"


def _gradients(axes: Axes, found: Inspection) -> None:
    seen = found.gradients
    axes.set(ylabel="norm of the gradient", yscale="log")
    norms = np.array([] if isinstance(seen, str) else seen.norms[: found.hidden])
    known = (norms > 0) & np.isfinite(norms)
    if isinstance(seen, str) or not known.any():
        axes.set(title="no gradients", yticks=[])
        return
    places = np.arange(1, found.hidden + 1)
    rate = f"{seen.word}; factor {seen.rate:.3g} a layer on the way back"
    axes.set_title(rate if math.isfinite(seen.rate) else "no two layers in a row have gradients")
    low, high = np.array(seen.intervals[: found.hidden]).T
    sure = known & np.isfinite(low)
    colour = COLOURS["measured" if seen.course is Course.STEADY else "as_printed"]
    if seen.over and sure.any():
        axes.fill_between(
            places,
            np.where(sure, low, np.nan),
            np.where(sure, high, np.nan),
            color=colour,
            alpha=0.25,
            linewidth=0,
            label=f"‖∂L/∂y‖, mean over {seen.over}, 95 %",
        )
    last = norms[known][-1]
    for side, words in ((seen.allowed, "exploding above"), (1 / seen.allowed, "vanishing below")):
        if norms[known].min() / 10 < last * side < 10 * norms[known].max():
            _yardstick(axes, found, last * side, words, below=side < 1)
    axes.plot(
        places,
        np.where(known, norms, np.nan),
        color=colour,
        linewidth=2.0,
        marker="o",
        markersize=3,
        label="‖∂L/∂y‖, this network",
    )
    _given(axes, found.simulation)
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top * (top / bottom) ** _ROOM)
    axes.legend(loc="upper right", fontsize=8)


def _given(axes: Axes, seen: Simulated | str) -> None:
    """Gradients at what the layers of a stretch give, beside those of the chain simulated."""
    line = None if isinstance(seen, str) else seen.line(GROWTH)
    if isinstance(seen, str) or line is None or abs(seen.arriving) > _LARGEST:
        return
    arriving = math.exp(seen.arriving)
    layers = range(seen.stretch.first + 1, seen.stretch.end + 1)
    _band(axes, layers, arriving * line.replicas, "‖∂L/∂h‖, the chain simulated")
    axes.plot(
        layers,
        arriving * line.seen,
        color=INK,
        linewidth=1.0,
        linestyle=_DOTTED,
        label="‖∂L/∂h‖, this network",
    )


#: What each panel shows, by its name.
PANELS: Mapping[str, Callable[[Axes, Inspection], None]] = {
    "rank": _rank,
    "gap": _gap,
    "gradients": _gradients,
}


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


def _layers(seen: Simulated) -> range:
    """The layers of the stretch simulated, from what enters it."""
    return range(seen.stretch.first, seen.stretch.end + 1)


def _band(axes: Axes, layers: range, values: Floats, words: str) -> None:
    """What simulated networks have of a quantity, (replicas, layers): range and mean."""
    axes.fill_between(
        layers,
        values.min(axis=0),
        values.max(axis=0),
        color=COLOURS["corrected"],
        alpha=0.25,
        linewidth=0,
        label=f"{words}, {len(values)} networks",
    )
    axes.plot(layers, values.mean(axis=0), color=COLOURS["corrected"], linewidth=1.2)


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
