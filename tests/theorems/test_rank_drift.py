"""The drift of the effective rank: the inequality that signs it."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tests.theorems.broken import run
from theorems import Verdict
from theorems.checking.pointwise import Pointwise, decide
from theorems.rank.drift import DRIFT_INEQUALITY, _rows
from theorems.rank.inputs import Rows, drift_corners, drift_inputs


@pytest.mark.parametrize("rows", drift_corners(), ids=range(len(drift_corners())))
def test_the_inequality_is_that_of_the_matrix(rows: Rows) -> None:
    batch = np.array([[float(x) for x in row] for row in rows])
    m = batch @ batch.T / batch.shape[1]
    assert np.allclose(np.diag(m), 1)
    found = decide(DRIFT_INEQUALITY, lambda: _rows(rows))
    assert found.holds
    assert found.ratio == pytest.approx(np.sum(np.diag(m @ m) ** 2) / np.trace(m @ m @ m))


def test_the_inequality_is_certified_and_its_neighbour_falls() -> None:
    result = run(DRIFT_INEQUALITY)
    assert result.verdict is Verdict.CERTIFIED
    assert result.weak_sentinels == ()
    assert result.evidence[0].details["outside"] == 0  # every input drawn has diag M = 1


def with_corner(rows: Rows) -> Pointwise:
    return Pointwise(_rows, drift_inputs, lambda: [rows], examples=1)


def test_a_diagonal_other_than_one_is_outside() -> None:
    far = ((Fraction(2), Fraction(0)), (Fraction(0), Fraction(3)))
    result = run(DRIFT_INEQUALITY, [with_corner(far)])
    assert result.evidence[0].details["outside"] == 1


def test_without_the_diagonal_it_fails() -> None:
    single = ((Fraction(2),),)  # M = 4: 256 > 64
    assert run(replace(DRIFT_INEQUALITY, assumptions=()), [with_corner(single)]).verdict is Verdict.REFUTED
