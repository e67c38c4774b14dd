"""What all checks share: the verdict that says nothing, a neighbour judged alike, rows taken
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from simulators.batches import Batch
from theorems import Verdict
from theorems.checking.check import ExactCheck, Judgement, SampledCheck, greatest, sentinel_of
from theorems.context import Context
from theorems.evidence import Details, Evidence, Recorded
from theorems.statement import Statement
from theorems.templates.pointwise import STATEMENT

CONTEXT = Context(0, 1e-6)


@dataclass(frozen=True)
class Listed(ExactCheck[str]):
    """Says of the claim and of its neighbour what it is told to say."""

    verdicts: Mapping[str, Verdict]

    def words(self, statement: Statement) -> str:
        return "listed"

    def judge(self, claim: Statement, context: Context) -> Judgement[str]:
        which = "claim" if claim.rhs == STATEMENT.rhs else "neighbour"
        return Judgement(self.verdicts[which], f"of the {which}", which, 0.5)

    def details(self, found: Judgement[str], fallen: Judgement[str]) -> Details:
        return Recorded({"found": found.seen, "fallen": fallen.seen})


@pytest.mark.parametrize("own", [Verdict.CERTIFIED, Verdict.REFUTED, Verdict.INCONCLUSIVE])
@pytest.mark.parametrize("other", [Verdict.CERTIFIED, Verdict.REFUTED, Verdict.INCONCLUSIVE])
def test_claim_and_neighbour_are_judged_alike(own: Verdict, other: Verdict) -> None:
    found = Listed({"claim": own, "neighbour": other})(STATEMENT, CONTEXT)
    assert (found.verdict, found.sentinel) == (own, other)
    assert (found.summary, found.tightness) == ("of the claim", 0.5)
    assert found.power == (0.0 if own is Verdict.CERTIFIED else None)
    assert dict(found.details) == {"found": "claim", "fallen": "neighbour"}


def test_an_exact_check_leaves_a_batch_alone() -> None:
    check = Listed({"claim": Verdict.CERTIFIED, "neighbour": Verdict.REFUTED})
    assert (check.takes_batch, check.method, check.partial) == (False, "certificate", False)


@dataclass(frozen=True)
class Row:
    verdict: Verdict
    sentinel: Verdict
    tightness: float | None = None
    power: float | None = None


class Sampled(SampledCheck):
    """Two rows, of which the first decides."""

    def words(self, statement: Statement) -> str:
        return "two rows"

    def __call__(self, statement: Statement, context: Context) -> Evidence:
        if context.array is not None:
            return self.outside(f"a batch of {context.array.shape[1]} samples", Recorded({"n": 2}))
        rows = [
            Row(Verdict.SUPPORTED, Verdict.REFUTED, 0.25, 0.5),
            Row(Verdict.VACUOUS, Verdict.VACUOUS, 0.75),
        ]
        return self.of_rows(Verdict.SUPPORTED, "two rows", rows, rows[:1], Recorded())


def test_rows_are_taken_together() -> None:
    found = Sampled()(STATEMENT, CONTEXT)
    assert (found.method, found.verdict, found.sentinel) == (
        "simulation",
        Verdict.SUPPORTED,
        Verdict.REFUTED,
    )
    assert (found.tightness, found.power) == (0.25, 0.5), "of the rows that decide"


def test_what_is_outside_says_nothing_of_either_claim() -> None:
    found = Sampled()(STATEMENT, Context(0, 1e-6, batch=Batch.of(np.eye(2), "two")))
    assert (found.verdict, found.sentinel) == (Verdict.OUTSIDE, Verdict.OUTSIDE)
    assert (found.summary, dict(found.details)) == ("a batch of 2 samples", {"n": 2})
    assert (found.tightness, found.power) == (None, None)


@pytest.mark.parametrize(
    ("sentinels", "together"),
    [
        ([], Verdict.VACUOUS),
        ([Verdict.OUTSIDE, Verdict.VACUOUS], Verdict.VACUOUS),
        ([Verdict.SUPPORTED, Verdict.VACUOUS], Verdict.SUPPORTED),
        ([Verdict.SUPPORTED, Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Verdict.SUPPORTED, Verdict.INCONCLUSIVE, Verdict.REFUTED], Verdict.REFUTED),
    ],
)
def test_a_neighbour_falls_where_it_falls_on_one_row(
    sentinels: list[Verdict], together: Verdict
) -> None:
    assert sentinel_of([Row(Verdict.SUPPORTED, each) for each in sentinels]) is together


def test_the_greatest_is_of_those_that_are_there() -> None:
    assert greatest([None, 0.0, -1.0]) == 0.0
    assert greatest([]) is None
