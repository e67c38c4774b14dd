"""What the families' figures have in common: the run's seed, bands, and axes with chosen ticks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter
from numpy.typing import NDArray

__all__ = ["band", "seed_of", "ticks"]

Floats = NDArray[np.floating[Any]]


def seed_of(document: Mapping[str, Any]) -> int:
    """The seed of the run that a document is of, at least 0: figures that simulate start from it.

    Example:
        >>> seed_of({"environment": {"seed": 3}})
        3
    """
    return int(document["environment"]["seed"])


def ticks(axis: Axis, places: Iterable[float], form: str = "{x:.0f}") -> None:
    """Ticks at these ``places`` alone, written in this ``form``; for logarithmic axes.

    Example:
        >>> from theorems.report.style import new_figure
        >>> axes = new_figure(4, 3).add_subplot()
        >>> ticks(axes.xaxis, (8, 64))
        >>> [int(place) for place in axes.xaxis.get_majorticklocs()]
        [8, 64]
    """
    axis.set_major_locator(FixedLocator(list(places)))
    axis.set_major_formatter(StrMethodFormatter(form))
    axis.set_minor_locator(NullLocator())


def band(
    axes: Axes, x: NDArray[np.generic], values: Floats, colour: str, *, alpha: float, **line: Any
) -> None:
    """The mean of ``values`` at each ``x`` as a line, above a band from the least to the largest.

    - ``x``: (points,); ``values``: (replicas, points)
    - ``alpha``: the opacity of the band; ``line``: what else `Axes.plot` takes

    Example:
        >>> from theorems.report.style import new_figure
        >>> axes = new_figure(4, 3).add_subplot()
        >>> band(axes, np.arange(2.0), np.array([[1.0, 2.0], [3.0, 4.0]]), "black", alpha=0.3)
        >>> axes.lines[0].get_ydata().tolist()
        [2.0, 3.0]
    """
    low, high = values.min(axis=0), values.max(axis=0)
    axes.fill_between(x, low, high, color=colour, alpha=alpha, linewidth=0)
    axes.plot(x, values.mean(axis=0), color=colour, **line)
