"""How far what is compared goes at each choice of sizes, and whether that has an end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theorems.workbench.discovery.comparisons import Comparison
from theorems.workbench.discovery.inputs import NEARNESS
from theorems.workbench.discovery.measurements import ERRORS, Table

__all__ = ["Extremes", "extremes"]

#: What goes so far out (its logarithm) or grows so much for every step nearer has no end.
_FAR, _GROWS = 60.0, 0.7
#: What lies nearest to degenerate inputs is then among the farthest, up to a factor of ten.
_BESIDE = 2.5


@dataclass(frozen=True)
class Extremes:
    """The largest values of a comparison (the least, for lower bounds), one for each group.

    - ``logarithms``: (groups,), NaN where nothing has a value
    - ``endless``: the row that shows that there is no end; None where there seems to be one
    """

    logarithms: NDArray[np.float64]
    endless: int | None


def extremes(table: Table, comparison: Comparison, groups: int, *, up: bool) -> Extremes:
    """The extremes of a comparison in a table.

    Args:
        table: what was measured; of means, standard errors are allowed for.
        comparison: what is compared with a form.
        groups: how many choices of sizes there are.
        up: whether largest values are asked for.
    """
    sign = 1.0 if up else -1.0
    moved = sign * ERRORS if table.question.sampled else 0.0
    values = sign * comparison.logarithms(table, moved)
    values[np.isnan(values)] = -np.inf
    negative = np.flatnonzero(table.column(comparison.of) < 0)
    if not up and len(negative):  # what is negative lies below every positive bound
        return Extremes(np.full(groups, np.nan), int(negative[0]))
    most = np.full(groups, np.nan)
    for group in range(groups):
        rows = np.flatnonzero(table.groups == group)
        if len(rows) and values[rows].max() > -np.inf:
            most[group] = sign * values[rows].max()
    return Extremes(most, _endless(values, table.near))


def _endless(values: NDArray[np.float64], near: NDArray[np.int64]) -> int | None:
    if not len(values):
        return None
    farthest = int(np.argmax(values))
    if values[farthest] > _FAR:
        return farthest
    steps = [values[near == each].max(initial=-np.inf) for each in NEARNESS]
    if steps[0] == -np.inf or min(np.diff(steps)) < _GROWS:
        return None
    return farthest if steps[-1] >= values.max() - _BESIDE else None
