"""Figures of what was trained: medians over seeds with their intervals, as the evidence holds them.

Nothing is trained for a figure: a check leaves what each seed gave in its evidence, under
``curves``, and a saved run draws the same figure again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from theorems.families.training.notation import FAMILY
from theorems.report.document import evidence_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from theorems.report.style import Drawing

__all__ = ["LEVEL", "Figure", "curves_of"]

LEVEL = 1e-3
"""Error probability of each interval in a figure; they share no budget with verdicts."""

_FEW = 7
"""Places on a horizontal axis that have a tick each."""

_ROOM = 30
"""Letters of two names that stand side by side above a panel; longer ones stand one a line."""

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
        colours = _colours(curves)
        with drawing():
            figure = new_figure(1.1 + 3.4 * len(panels), 3.5)
            for place, panel in enumerate(panels):
                axes = figure.add_subplot(1, len(panels), place + 1)
                here = [each for each in curves if each["panel"] == panel]
                self._panel(axes, panel, here, colours)
        seeds = sorted({len(values) for curve in curves for values in curve["values"]})
        sizes = " ".join(
            f"Sizes {told}." for told in sorted(_told(curves, "sizes") - {"as stated"})
        )
        images = "".join(f" On {told}." for told in sorted(_told(curves, "images")))
        caption = (
            f"{self.caption} {sizes or self.sizes}{images} Points: medians over "
            f"{' or '.join(map(str, seeds))} seeds; bars: their intervals by order statistics, each "
            f"at the error level {LEVEL:g}."
        )
        name = f"{FAMILY}_{self.theorem}"
        return Drawing(name, self.title, caption, figure, (f"{FAMILY}.{self.theorem}",))

    def _panel(
        self,
        axes: Axes,
        panel: str,
        curves: Sequence[Mapping[str, Any]],
        colours: Mapping[str, str],
    ) -> None:
        from theorems.report.style import INK

        named = any(isinstance(at, str) for curve in curves for at in curve["at"])
        for curve in curves:
            _with_bars(axes, curve, "none" if named else "-", colours[curve["series"]])
        if self.beside is not None:
            self.beside(axes, panel)
        if panel in self.logarithmic:
            axes.set_yscale("log")
        across = self.across if isinstance(self.across, str) else self.across.get(panel, "")
        axes.set(xlabel=across, ylabel=panel)
        if named:
            axes.margins(x=0.3)
        if named and len(curves) == 1:
            return
        places = sorted({at for curve in curves for at in curve["at"]})
        if not named and len(places) <= _FEW:
            axes.set_xticks(places)
        longest = sorted(len(curve["series"]) for curve in curves)[-2:]
        axes.legend(
            labelcolor=INK,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=2 if sum(longest) <= _ROOM else 1,
            columnspacing=1,
        )


def _colours(curves: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """Of each series its colour, the same in every panel."""
    from theorems.report.style import COLOURS, INK, MUTED

    left = itertools.cycle((COLOURS["corrected"], MUTED, INK))
    series = dict.fromkeys(curve["series"] for curve in curves)
    return {name: COLOURS[_COLOURS[name]] if name in _COLOURS else next(left) for name in series}


def _told(curves: Sequence[Mapping[str, Any]], key: str) -> set[str]:
    """What the runs of curves say, under a key."""
    return {str(curve[key]) for curve in curves if key in curve}


def _with_bars(axes: Axes, curve: Mapping[str, Any], line: str, colour: str) -> None:
    """Medians of a curve, of what is known, with their intervals. An end that is not reached has no
    bar; where half of the values are not known there is no point.
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
        curve["at"],
        medians,
        yerr=[below, above],
        color=colour,
        linestyle=line,
        marker="o",
        markersize=4,
        capsize=3,
        label=curve["series"],
    )
