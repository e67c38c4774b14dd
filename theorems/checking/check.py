"""What checks have in common: their words, their policy towards a user's batch, and the way to
evidence.

A check judges a claim and its false neighbour by the same means. An `ExactCheck` judges each
by itself, in exact numbers or balls; a `SampledCheck` reads both off the same samples, row
by row.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from theorems.context import Context
from theorems.evidence import Details, Evidence, Recorded, Verdict, read_details, typed
from theorems.statement import Statement

__all__ = [
    "CheckBase",
    "Comparison",
    "ExactCheck",
    "Floats",
    "Judgement",
    "Readout",
    "SampledCheck",
    "SampledRows",
    "greatest",
    "sentinel_of",
]

Floats = npt.NDArray[np.floating]
Seen = TypeVar("Seen")


class CheckBase(ABC):
    """A check, called with a statement and its circumstances: it says what it does, and what it
    found.

    ``method`` is the word for it in evidence. Where a user's batch has no part in a check, it is
    run without the batch, and what it finds stands apart from the verdict on the batch.
    """

    method: ClassVar[str]

    @property
    def takes_batch(self) -> bool:
        """Whether a user's batch has a part in it.

        Where it has none, the check is called without the batch.
        """
        return True

    @abstractmethod
    def words(self, statement: Statement) -> str:
        """What it does with the statement, as ``theorems show`` prints it: one or more clauses.

        They are made from the check's own settings; nothing is drawn.
        """

    @abstractmethod
    def __call__(self, statement: Statement, context: Context) -> Evidence: ...

    def outside(self, words: str, details: Details | None = None) -> Evidence:
        """Evidence that says nothing of the claim nor of its neighbour.

        - ``words``: why, in one line
        - ``details``: what was seen nevertheless; nothing by default
        """
        return Evidence(
            method=self.method,
            verdict=Verdict.OUTSIDE,
            sentinel=Verdict.OUTSIDE,
            summary=words,
            details=Recorded() if details is None else details,
        )


@dataclass(frozen=True)
class Judgement(Generic[Seen]):
    """What was found of one claim.

    - ``verdict``, ``words``: what it is, and why
    - ``seen``: what it rests on, for the details of the evidence
    - ``tightness``: measured / bound at the tightest, or its inverse for a lower bound
    """

    verdict: Verdict
    words: str
    seen: Seen
    tightness: float | None = None


class ExactCheck(CheckBase, Generic[Seen]):
    """Judges the claim, and then its neighbour alone, without a user's batch. ``partial`` as in
    `Evidence`.
    """

    method = "certificate"
    partial: ClassVar[bool] = False

    @property
    def takes_batch(self) -> bool:
        return False

    @abstractmethod
    def judge(self, claim: Statement, context: Context) -> Judgement[Seen]:
        """What there is to say of one claim.

        - ``claim``: the statement, or its false neighbour, which is judged alike
        - ``context``: told of progress; level and batch have no part in it

        A claim of a form that the check does not read is a ``ValueError``.
        """

    @abstractmethod
    def details(self, found: Judgement[Seen], fallen: Judgement[Seen]) -> Details:
        """What was seen, as the evidence keeps it.

        - ``found``, ``fallen``: what `judge` said of the claim and of its neighbour
        """

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        found = self.judge(statement, context)
        fallen = self.judge(statement.neighbour, context)
        return Evidence(
            method=self.method,
            verdict=found.verdict,
            summary=found.words,
            sentinel=fallen.verdict,
            tightness=found.tightness,
            power=0.0 if found.verdict.holds else None,
            partial=self.partial,
            details=self.details(found, fallen),
        )


class Readout(Protocol):
    """A row: what one instance says of the claim, and of its neighbour."""

    @property
    def sentinel(self) -> Verdict: ...


class Comparison(Protocol):
    """How tightly a bound was met by what was measured, and with what power that was seen."""

    @property
    def tightness(self) -> float | None: ...

    @property
    def power(self) -> float | None: ...


@dataclass(frozen=True, kw_only=True)
class SampledRows(Details):
    """Rows of a check that samples.

    - ``seed`` of the run; ``level``: the error probability that the rows share
    - ``engine``, ``dtype``: how the samples were drawn, where that is one way for all
    - ``sentinel_refuted_on``: on how many rows the false neighbour fell
    - ``scope``: over what the verdict speaks
    """

    seed: int
    engine: str | None = None
    dtype: str | None = None
    level: float
    sentinel_refuted_on: int
    readouts: Sequence[Details] = field(metadata=typed(read_details))
    scope: str | None = None


class SampledCheck(CheckBase):
    """Judges a claim and its neighbour on the same samples, in rows: one for each mean or median.

    A subclass draws, makes its rows, and leaves it to `of_rows` what they say together.
    """

    method = "simulation"

    def of_rows(
        self,
        verdict: Verdict,
        summary: str,
        rows: Sequence[Readout],
        decided: Sequence[Comparison],
        details: Details,
    ) -> Evidence:
        """Evidence from rows.

        ``decided`` is what tightness and power are read from; the neighbour falls where it falls on
        one row.
        """
        return Evidence(
            method=self.method,
            verdict=verdict,
            summary=summary,
            sentinel=sentinel_of(rows),
            tightness=greatest(each.tightness for each in decided),
            power=greatest(each.power for each in decided),
            details=details,
        )


def sentinel_of(rows: Iterable[Readout]) -> Verdict:
    """What rows say of the false neighbour together.

    ``refuted`` if it fell on one of them, else ``inconclusive`` if it is open on one, ``supported``
    if it stands on one, and ``vacuous`` if none says anything.
    """
    found = {row.sentinel for row in rows}
    words = (Verdict.REFUTED, Verdict.INCONCLUSIVE, Verdict.SUPPORTED)
    return next((word for word in words if word in found), Verdict.VACUOUS)


def greatest(numbers: Iterable[float | None]) -> float | None:
    """The largest of those that are there; None if none is.

    Example:
        >>> greatest([0.5, None, 0.75]), greatest([None])
        (0.75, None)
    """
    return max((x for x in numbers if x is not None), default=None)
