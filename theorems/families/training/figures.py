"""Figures of what was trained: medians over seeds with their intervals, as the evidence holds them.

Nothing is trained for a figure: a check leaves what each seed gave in its evidence, under
``curves``, and a saved run draws the same figure again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from theorems.families.training.notation import FAMILY
from theorems.report.document import evidence_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from theorems.report.style import Drawing

__all__ = ["LEVEL", "LOSS", "Figure", "curves_of"]

LOSS = "training loss, nats"
"""The name of a panel of losses; those of others begin so too."""

LEVEL = 1e-3
"""Error probability of each interval in a figure; they share no budget with verdicts."""

_FEW = 7
"""Places on a horizontal axis that have a tick each."""

_ROOM = 34
"""Letters of two names that stand side by side above a panel; longer ones stand one a line."""

_HEIGHT, _ROW = 3.1, 0.19
"""Of a figure, and of a line of the legends above its panels, in inches."""

_APART = 0.012
"""How far series stand beside each other at one place, of the whole axis, so that none hides one."""

_MARKERS = "os^Dv"

_COLOURS = {
    "Xavier": "as_printed",
    "He": "measured",
    "batch normalisation": "sharp",
}


def curves_of(document: Mapping[str, Any], theorem: str) -> list[Mapping[str, Any]]:
    """The curves in the evidence of a theorem's variants, in their order; of a panel one of a name.

    Args:
        document: the JSON value of a run.
        theorem: its name in this family.

    Returns:
        Each as `theorems.families.training.runs.curve` made it, with what its run says of images
        and sizes.

    Example:
        >>> curves_of({"results": []}, "depth_and_gap")
        []
    """
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for result in document["results"]:
        if result["statement"] != f"{FAMILY}.{theorem}":
            continue
        for evidence in evidence_of(result, "readouts"):
            for row in evidence["readouts"]:
                circumstances = {key: row[key] for key in ("images", "sizes") if key in row}
                for each in row.get("curves", ()):
                    found[each["panel"], each["series"]] = {**circumstances, **each}
    return [*found.values()]


@dataclass(frozen=True)
class Figure:
    """A figure of a theorem of this family: a function of a run's JSON value.

    - ``theorem``: in whose evidence the curves are; also the name of its files
    - ``title``, ``caption``: what it shows, and the claim; ``sizes``: of what was trained, unless
      a run says others; how many seeds and what the bars are is added
    - ``across``: what the horizontal axes are, by panel; by default that of the first curve
    - ``logarithmic``: names of panels whose values are drawn so
    - ``points``: names of panels whose points are not joined, as a law is drawn beside them
    - ``beside``: draws what else is in a panel, given its axes and its name

    Example:
        >>> Figure("depth_and_gap", "Depth", "All goes down.", "")({"results": []}) is None
        True
    """

    theorem: str
    title: str
    caption: str
    sizes: str
    across: Mapping[str, str] | str = "hidden layers"
    logarithmic: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    beside: Callable[[Axes, str], None] | None = None

    def __call__(self, document: Mapping[str, Any]) -> Drawing | None:
        """The figure; None where no run has left curves.

        Args:
            document: the JSON value of a run.
        """
        from theorems.report.style import Drawing, drawing, new_figure

        curves = curves_of(document, self.theorem)
        if not curves:
            return None
        panels = list(dict.fromkeys(curve["panel"] for curve in curves))
        strokes = _strokes(curves)
        with drawing():
            figure = new_figure(1.1 + 3.4 * len(panels), _HEIGHT)
            rows = 0
            for place, panel in enumerate(panels):
                axes = figure.add_subplot(1, len(panels), place + 1)
                here = [each for each in curves if each["panel"] == panel]
                rows = max(rows, self._panel(axes, panel, here, strokes))
            figure.set_figheight(_HEIGHT + _ROW * rows)
        seeds = sorted({len(values) for curve in curves for values in curve["values"]})
        sizes = " ".join(
            f"Sizes {told}." for told in sorted(_told(curves, "sizes") - {"as stated"})
        )
        images = "".join(f" On {told}." for told in sorted(_told(curves, "images")))
        caption = (
            f"{self.caption} {sizes or self.sizes}{images} Points: medians over "
            f"{' or '.join(map(str, seeds))} seeds; bars: their intervals by order statistics, each "
            f"at the error level {LEVEL:g}. Those of one place stand beside each other."
        )
        name = f"{FAMILY}_{self.theorem}"
        return Drawing(name, self.title, caption, figure, (f"{FAMILY}.{self.theorem}",))

    def _panel(
        self,
        axes: Axes,
        panel: str,
        curves: Sequence[Mapping[str, Any]],
        strokes: Mapping[str, Mapping[str, str]],
    ) -> int:
        """Draw the curves of a panel; how many lines its legend has."""
        from matplotlib.lines import Line2D

        from theorems.report.style import INK, MUTED

        named = any(isinstance(at, str) for curve in curves for at in curve["at"])
        line = "none" if named or panel in self.points else "-"
        places = list(dict.fromkeys(at for curve in curves for at in curve["at"]))
        found = {at: float(number if named else at) for number, at in enumerate(places)}
        apart = _APART * (max(found.values()) - min(found.values()))
        for number, curve in enumerate(curves):
            off = (number - (len(curves) - 1) / 2) * apart
            there = [found[at] + off for at in curve["at"]]
            _with_bars(axes, there, curve, linestyle=line, **strokes[curve["series"]])
        if panel.startswith(LOSS.partition(",")[0]):
            dots = (0, (1, 2))
            axes.axhline(
                math.log(10), color=MUTED, linewidth=1, linestyle=dots, label="a guess: ln 10"
            )
        if self.beside is not None:
            self.beside(axes, panel)
        if panel in self.logarithmic:
            axes.set_yscale("log")
        across = self.across if isinstance(self.across, str) else self.across.get(panel, "")
        axes.set(xlabel=across, ylabel=panel)
        if named:
            axes.margins(x=0.3)
            axes.set_xticks([*found.values()], labels=[*map(str, places)])
        if named and len(curves) == 1:
            return 0
        if not named and len(places) <= _FEW:
            axes.set_xticks(sorted(places))
        told = zip(*axes.get_legend_handles_labels(), strict=True)
        handles, labels = zip(
            *sorted(told, key=lambda each: isinstance(each[0], Line2D)), strict=True
        )
        columns = 2 if sum(sorted(map(len, labels))[-2:]) <= _ROOM else 1
        axes.legend(
            handles,
            labels,
            labelcolor=INK,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=columns,
            columnspacing=1,
        )
        return math.ceil(len(labels) / columns)


def _strokes(curves: Sequence[Mapping[str, Any]]) -> Mapping[str, Mapping[str, str]]:
    """Of each series its colour and the form of its points, the same in every panel."""
    from theorems.report.style import COLOURS, INK, MUTED

    left = itertools.cycle((COLOURS["corrected"], MUTED, INK))
    series = dict.fromkeys(curve["series"] for curve in curves)
    markers = itertools.cycle(_MARKERS)
    return {
        name: {
            "color": COLOURS[_COLOURS[name]] if name in _COLOURS else next(left),
            "marker": next(markers),
        }
        for name in series
    }


def _told(curves: Sequence[Mapping[str, Any]], key: str) -> set[str]:
    """What the runs of curves say, under a key."""
    return {str(curve[key]) for curve in curves if key in curve}


def _with_bars(
    axes: Axes, across: Sequence[float], curve: Mapping[str, Any], **stroke: Any
) -> None:
    """Medians of a curve at the places ``across``, of what is known, with their intervals. An end
    that is not reached has no bar; where half of the values are not known there is no point.
    """
    from theorems.checking.medians import within

    medians, below, above = [], [], []
    for values in curve["values"]:
        known = np.array([np.nan if value is None else value for value in values])
        low, high = within(known, LEVEL)
        lost = np.isnan(known)
        medians.append(float(np.median(known[~lost])) if lost.mean() < 1 / 2 else np.nan)
        below.append(medians[-1] - low if np.isfinite(low) else 0.0)
        above.append(high - medians[-1] if np.isfinite(high) else 0.0)
    axes.errorbar(
        across,
        medians,
        yerr=[below, above],
        markersize=4.5,
        elinewidth=1.2,
        capsize=3,
        label=curve["series"],
        **stroke,
    )
