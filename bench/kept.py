"""What a run has found so far, and the run that it is compared with."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from bench.afresh import afresh
from bench.pair import Pair, measured
from bench.pairs import ABSENT
from bench.report import Environment, Growth, Memory, Ratio, Run, Verdicts
from bench.report.comparison import Comparison, change, compared
from bench.report.machine import load

__all__ = ["Kept", "Report"]

Report = Callable[..., None]
"""Called with one line for the summary, and with numbers behind it by name."""


@dataclass
class Kept:
    """What a run has found so far, and what it is compared with."""

    short: bool
    before: Environment
    stored: Run | None = None
    most: float = math.inf
    ratios: dict[str, Ratio] = field(default_factory=dict)
    growth: list[Growth] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    verdicts: list[Verdicts] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def ratio(self, pair: Pair) -> Ratio:
        """The ratio of ``pair``, measured once; again in a fresh process if maybe worse."""
        if pair.name in self.ratios:
            return self.ratios[pair.name]
        found = measured(pair)
        if self._may_be_worse(found):
            found = replace(afresh(pair), looks=2)
        self.keep(found)
        return found

    def keep(self, ratio: Ratio) -> None:
        """Put a ratio on record, and into the summary."""
        self.ratios[ratio.name] = ratio
        self.lines.append(ratio.summary)

    def require(self, met: bool, line: str) -> None:
        """Fail the benchmark where its target is not ``met``, with one line.

        Not in a run that is compared with another: what that is asked is what got worse.
        """
        if not met and self.stored is None:
            pytest.fail(line, pytrace=False)

    def _may_be_worse(self, found: Ratio) -> bool:
        """Whether the cost rose by more than is allowed, beyond doubt or not."""
        since = change(found, self.stored, self.most) if self.stored else None
        return since is not None and since.judged and since.factor > self.most

    def run(self) -> Run:
        """All of it as a document."""
        here = replace(self.before, load=self.before.load + load())
        return Run(
            here,
            self.short,
            tuple(self.ratios.values()),
            tuple(self.growth),
            tuple(self.memory),
            tuple(self.verdicts),
            ABSENT,
        )

    def comparison(self) -> Comparison | None:
        """The ratios against those of the stored run, if there is one."""
        if self.stored is None:
            return None
        return compared(tuple(self.ratios.values()), self.stored, self.most)
