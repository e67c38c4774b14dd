"""Means of what has no range, or half of one: what no number of samples bounds, and its words."""

from __future__ import annotations

from dataclasses import dataclass

from theorems.checking.check import SampledCheck
from theorems.context import Context
from theorems.evidence import Evidence, Recorded, Verdict
from theorems.statement import Statement

__all__ = ["Unbounded"]


@dataclass(frozen=True)
class Unbounded(SampledCheck):
    """The check of a claim about a mean or variance of what may be as large as it likes.

    A value too rare to be seen may carry any part of such a mean, so that samples alone, however
    many, say nothing: Bahadur & Savage, Annals of Mathematical Statistics 27 (1956).

    - ``statistic``: what is claimed of, in words; ``reading``: what has no range
    - ``side``: of which its range has no end: "lower", "upper" or "lower and no upper"
    - ``bounded``: whether samples bound the statistic from below, and from above

    Example:
        >>> Unbounded("mean(log(x))", "log(x)", "lower").reason[:46]
        'mean(log(x)): log(x) has no lower bound, and a'
    """

    statistic: str
    reading: str
    side: str
    bounded: tuple[bool, bool] = (False, False)

    @property
    def reason(self) -> str:
        """Why nothing is decided, and what could be claimed instead, in a sentence."""
        known = ""
        if any(self.bounded):
            known = (
                f", so that samples bound it from {'below' if self.bounded[0] else 'above'} alone"
            )
        return (
            f"{self.statistic}: {self.reading} has no {self.side} bound, and a value too rare to "
            f"be seen may carry any part of it{known}; claim its median or a quantile, whose "
            f"intervals need no range, as in median({self.reading}), or the probability of an "
            f"event, assume what bounds a moment, as assume='kurtosis({self.reading}) <= 10', cut "
            "it off by Min and Max, or give a quantity that has a range its floor and ceiling "
            "where it is declared"
        )

    def words(self, statement: Statement) -> str:
        return f"nothing: {self.reason}"

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        return Evidence(
            method=self.method,
            verdict=Verdict.INCONCLUSIVE,
            sentinel=Verdict.INCONCLUSIVE,
            summary=self.reason,
            details=Recorded({"seed": context.seed}),
        )
