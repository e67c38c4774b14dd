"""Means of what has no value with positive probability: they have none either, and nothing is claimed of them.

A sample that is seen without a value settles that for certain. How many were seen is told, and how to condition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from theorems.context import Context

if TYPE_CHECKING:
    from theorems.statement import Statement
from theorems.statement import Evidence, Verdict

__all__ = ["UndefinedMean", "told"]


def told(missing: int, count: int, where: str) -> str:
    """The words in which evidence says that so many samples have no value there."""
    return (
        f"undefined in {missing} of {count} samples ({missing / count:.1%}) at {where}: such a mean has no value; "
        "condition it on what keeps it defined, as assume='alive' does where samples die"
    )


@dataclass(frozen=True)
class UndefinedMean:
    """The check of a claim about a mean of which ``missing`` of ``count`` samples at ``where`` have no value."""

    missing: int
    count: int
    where: str

    def words(self, statement: Statement) -> str:
        """What ``theorems show`` says of it."""
        return f"nothing: {told(self.missing, self.count, self.where)}"

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        return Evidence(
            method="simulation",
            verdict=Verdict.OUTSIDE,
            sentinel=Verdict.OUTSIDE,
            summary=told(self.missing, self.count, self.where),
            details={
                "seed": context.seed,
                "undefined": self.missing,
                "samples": self.count,
                "instance": self.where,
            },
        )
