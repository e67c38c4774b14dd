"""Whether a run is worse than one that was stored, by ratios alone.

What is compared is the processor time of ours over that of what it took turns with. A slower clock,
or a neighbour that takes a core, changes both, and their ratio little; absolute times are never
compared.

A ratio is worse if its cost rose by more than the factor R, at a level that all ratios of the
stored run share: the lower confidence bound of Mann and Whitney, for the rounds of both runs, lies
above R. Rounds of one run are not quite independent of each other, and two runs differ a little
where nothing changed, as memory lies otherwise; R is the room for that. What looks worse is
measured afresh, and the second look decides. `bench.error_rates` measures how often this errs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.intervals import shift_above
from bench.report.document import Ratio, Run

__all__ = ["LEVEL", "Change", "Comparison", "change", "compared"]

LEVEL = 0.05
"""Probability of any false alarm in a comparison, where rounds are independent."""


@dataclass(frozen=True)
class Change:
    """What became of one ratio's cost since the stored run.

    - ``factor``: the cost now over the cost then; above 1 it is worse
    - ``least``: its lower confidence bound
    - ``worse``: whether that lies above ``most``, the factor R
    """

    name: str
    factor: float
    least: float
    most: float

    @property
    def worse(self) -> bool:
        """Whether the cost rose by more than ``most``, beyond doubt."""
        return self.least > self.most

    @property
    def reason(self) -> str:
        """The change in one line."""
        return (
            f"{self.name}: {self.factor:.2f} times the cost of the stored run, at least "
            f"{self.least:.2f} with confidence; allowed {self.most:g}"
        )


@dataclass(frozen=True)
class Comparison:
    """All changes since a stored run, and the names that only one of the runs has."""

    changes: tuple[Change, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def worse(self) -> tuple[Change, ...]:
        """The changes for the worse."""
        return tuple(each for each in self.changes if each.worse)


def change(now: Ratio, then: Ratio, most: float, share: int) -> Change:
    """What became of a ratio.

    - ``most``: the factor R by which its cost may rise
    - ``share``: how many ratios share the level
    """
    shift = shift_above(now.log_costs, then.log_costs, LEVEL / share)
    return Change(now.name, math.exp(shift.value), math.exp(shift.low), most)


def compared(now: Sequence[Ratio], stored: Run, most: float) -> Comparison:
    """The ratios of this run against those of ``stored``, name by name."""
    then = {each.name: each for each in stored.ratios}
    names = {each.name for each in now}
    return Comparison(
        tuple(change(each, then[each.name], most, len(then)) for each in now if each.name in then),
        tuple(each.name for each in now if each.name not in then),
        tuple(name for name in then if name not in names),
    )
