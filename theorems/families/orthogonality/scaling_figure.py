"""Means against width on logarithmic axes, with the intervals of the evidence and the line of slope
-1/2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

from simulators.arrays import Floats
from theorems.report.document import evidence_of, find
from theorems.report.figure_parts import ticks
from theorems.report.style import COLOURS, INK, MUTED, Drawing, drawing, new_figure

__all__ = ["Curve", "curves", "draw"]


@dataclass(frozen=True)
class Curve:
    """Means with their intervals at each width, from one statement's evidence."""

    label: str
    widths: Floats
    means: Floats
    lows: Floats
    highs: Floats
    slope: tuple[float, float]


@dataclass(frozen=True)
class _Group:
    ylabel: str
    symbol: str
    title: str
    members: tuple[tuple[str, str], ...]  # label, full name


_F = "orthogonality"
_GROUPS = (
    _Group(
        "mean orthogonality gap  E V",
        "E V",
        "Stationary gap",
        (
            ("no activation", f"{_F}.width_scaling"),
            ("tanh", f"{_F}.odd_activations:tanh"),
            ("sin", f"{_F}.odd_activations:sin"),
        ),
    ),
    _Group(
        "E‖X − X′‖$_F$,  X = QᵀQ/d",
        "E‖X − X′‖$_F$",
        "Fluctuation with an activation",
        (
            ("relu", f"{_F}.activation_conjecture:relu"),
            ("tanh", f"{_F}.activation_conjecture:tanh"),
            ("sin", f"{_F}.activation_conjecture:sin"),
        ),
    ),
)
#: Where the upper axes may have ticks.
_PLACES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_LOOKS = {
    "no activation": ("o", COLOURS["measured"]),
    "relu": ("D", COLOURS["as_printed"]),
    "tanh": ("s", COLOURS["corrected"]),
    "sin": ("^", COLOURS["sharp"]),
}


def curves(document: Mapping[str, object], members: tuple[tuple[str, str], ...]) -> list[Curve]:
    """The curves whose statements the run checked by a fit over two or more widths, positive and
    bounded.

    ``members`` are labels with the full names of statements.
    """
    found = []
    for label, name in members:
        for evidence in evidence_of(find(document, name), "widths"):
            rows = sorted(evidence["widths"], key=lambda row: row["width"])
            numbers = [[row["width"], row["mean"], *row["interval"]] for row in rows]
            table = np.array(numbers, dtype=float).reshape(-1, 4)
            low, high = np.array(evidence["slope"] or (None, None), dtype=float)
            bounded = np.isfinite([*table.flat, low, high]).all()
            if len(rows) > 1 and bounded and (table[:, :3] > 0).all():
                widths, means, lows, highs = table.T
                found.append(Curve(label, widths, means, lows, highs, (float(low), float(high))))
    return found


def draw(document: Mapping[str, object]) -> Drawing | None:
    """One column per quantity that the run measured against width; None if there is none.

    ``document`` is the JSON value of a run.
    """
    columns = [(group, found) for group in _GROUPS if (found := curves(document, group.members))]
    if not columns:
        return None
    collapse = find(document, f"{_F}.activation_conjecture:sigmoid_collapse")
    collapsed = collapse is not None and collapse["verdict"] != "refuted"
    with drawing():
        figure = new_figure(5.2 * len(columns), 6.2)
        grid = figure.add_gridspec(2, len(columns), height_ratios=(1.9, 1))
        for column, (group, found) in enumerate(columns):
            above = figure.add_subplot(grid[0, column])
            below = figure.add_subplot(grid[1, column], sharex=above)
            _panel(above, below, group, found)
            if group is _GROUPS[1] and collapsed:
                above.text(
                    0.03,
                    0.04,
                    "sigmoid: not drawn, its representations\ncollapse to rank one",
                    transform=above.transAxes,
                    color=MUTED,
                    va="bottom",
                )
    members = (group.members for group, _ in columns)
    shown = [name for _, name in chain.from_iterable(members)]
    return Drawing(
        "width_scaling",
        "Fluctuations against width",
        _caption(columns, collapsed),
        figure,
        tuple(shown),
    )


def _panel(above: Axes, below: Axes, group: _Group, found: list[Curve]) -> None:
    widths = np.unique(np.concatenate([c.widths for c in found]))
    margin = 2.0**0.35
    ends = np.array([widths[0] / margin, widths[-1] * margin])
    above.set(title=group.title, xscale="log", yscale="log", ylabel=group.ylabel, xlim=ends)
    below.set(xlabel="width d", ylabel=f"{group.symbol} · √d")
    centre = float(np.exp(np.mean(np.log(found[0].means * np.sqrt(found[0].widths)))))
    above.plot(
        ends,
        centre / np.sqrt(ends),
        color=INK,
        linewidth=1.0,
        linestyle=(0, (1, 1.6)),
        label=f"{centre:.3g} d$^{{-1/2}}$",
    )
    below.axhline(centre, color=INK, linewidth=1.0, linestyle=(0, (1, 1.6)))
    for place, curve in enumerate(found):
        marker, colour = _LOOKS[curve.label]
        shift = 2.0 ** (0.11 * (place - (len(found) - 1) / 2))
        label = f"{curve.label}: slope in [{curve.slope[0]:.2f}, {curve.slope[1]:.2f}]".replace(
            "-", "−"
        )
        for axes, scale in ((above, np.ones_like(curve.widths)), (below, np.sqrt(curve.widths))):
            bars = [(curve.means - curve.lows) * scale, (curve.highs - curve.means) * scale]
            axes.errorbar(
                curve.widths * shift,
                curve.means * scale,
                yerr=np.maximum(bars, 0),
                fmt=marker,
                color=colour,
                markersize=5.5,
                markerfacecolor="none",
                markeredgewidth=1.4,
                elinewidth=1.4,
                capsize=3,
                label=label,
            )
    above.legend(loc="upper right")
    for axes in (above, below):
        ticks(axes.xaxis, widths)
    low, high = above.get_ylim()
    places = [place for place in _PLACES if low <= place <= high]
    if len(places) > 1:
        above.yaxis.set_major_locator(FixedLocator(places))
        above.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        above.yaxis.set_minor_formatter(NullFormatter())
    above.tick_params(labelbottom=False)


def _caption(columns: list[tuple[_Group, list[Curve]]], collapsed: bool) -> str:
    text = (
        "Points: means over independent networks in the stationary regime; bars: their confidence "
        "intervals at the run's error budget; dotted: exponent −1/2. Curves are moved sideways a "
        "little so that none hides another. Below: the same times √d, where exponent −1/2 is "
        "level. "
    )
    if columns[-1][0] is _GROUPS[1]:
        text += (
            "X and X′ are QᵀQ/d of two independent networks; E‖X − X′‖ is within a factor 2 of E‖X "
            "− E X‖, the quantity of the conjecture. "
        )
        if collapsed:
            text += (
                "With a sigmoid the representations collapse to rank one, so its fluctuations "
                "vanish with depth and it has no curve here. "
            )
    return text.strip()
