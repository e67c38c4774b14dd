"""Whether a run is worse than one that was stored, by ratios alone.

What is compared is the processor time of ours over that of what it took turns with. A slower clock,
or a neighbour that takes a core, changes both, and their ratio little; absolute times are never
compared.

A ratio is worse if its cost rose by more than the factor R, at a level that all the judged ratios
of the stored run share: the lower confidence bound of Mann and Whitney, for the rounds of both
runs, lies above R. Judged are ratios to what costs the same in every process, see `Against.judged`;
of the others the change is told. Rounds of one run are not quite independent of each other, and two
runs differ a little where nothing changed, as memory lies otherwise; R is the room for that. What
may be worse, its estimate being above R, is measured in a fresh process, and that look decides.
`bench.error_rates` measures how often this errs.
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
    - ``least``: its lower confidence bound; above ``most``, the factor R, it is worse
    - ``judged``: whether it can be worse at all, or is told only
    """

    name: str
    judged: bool
    factor: float
    least: float
    most: float

    @property
    def worse(self) -> bool:
        """Whether the cost rose by more than ``most``, beyond doubt."""
        return self.judged and self.least > self.most

    @property
    def reason(self) -> str:
        """The change in one line."""
        return (
            f"{self.name}: {self.factor:.2f} times the cost of the stored run, at least "
            f"{self.least:.2f} with confidence; "
            + (f"allowed {self.most:g}" if self.judged else "told, not judged")
        )


@dataclass(frozen=True)
class Comparison:
    """All changes since a stored run, and the names that only one of the runs has."""

    changes: tuple[Change, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def judged(self) -> tuple[Change, ...]:
        """The changes that may be for the worse."""
        return tuple(each for each in self.changes if each.judged)

    @property
    def worse(self) -> tuple[Change, ...]:
        """The changes for the worse."""
        return tuple(each for each in self.changes if each.worse)


def change(now: Ratio, stored: Run, most: float) -> Change | None:
    """What became of a ratio since ``stored``; None if it is not in there.

    ``most`` is the factor R by which its cost may rise.
    """
    if (then := stored.ratio(now.name)) is None:
        return None
    share = sum(each.against.judged for each in stored.ratios)
    shift = shift_above(now.log_costs, then.log_costs, LEVEL / max(1, share))
    return Change(now.name, now.against.judged, math.exp(shift.value), math.exp(shift.low), most)


def compared(now: Sequence[Ratio], stored: Run, most: float) -> Comparison:
    """The ratios of this run against those of ``stored``, name by name."""
    changes = [change(each, stored, most) for each in now]
    before, after = ([each.name for each in ratios] for ratios in (stored.ratios, now))
    return Comparison(
        tuple(each for each in changes if each is not None),
        tuple(name for name in after if name not in before),
        tuple(name for name in before if name not in after),
    )
