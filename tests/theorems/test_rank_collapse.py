"""Collapse without normalisation and with uncentred weights; which part of normalisation keeps the
rank.
"""

import math
from dataclasses import replace
from typing import Any

import flint
import numpy as np
import pytest
import sympy as sp
from scipy.special import digamma

from theorems import Statement, Verdict, get, typesetting
from theorems.context import Context
from theorems.expressions import InexactError, compiled
from theorems.families.rank import collapse
from theorems.families.rank.collapse import GAP, UNCENTRED, growths
from theorems.families.rank.networks import side_by_side
from theorems.families.rank.notation import d
from theorems.verification import verify

COLLAPSE, LEADING, BRANCHES, RANK_ONE = (
    get(f"rank.vanilla_collapse:{variant}")
    for variant in ("gaussian", "leading_exponent", "residual", "rank")
)
PLAIN = ((3, math.inf, 3000, 200), (4, math.inf, 3000, 200))
BRANCHED = ((4, 0.5, 1000, 100), (8, 2.0, 2000, 100))


def run(statement: Statement, *checks: Any, **changes: Any) -> Any:
    (result,) = verify([replace(statement, checks=checks, **changes)])
    return result


def test_the_constant_in_three_arithmetics() -> None:
    closed = compiled(GAP, (d,))
    for width in (2, 3, 8, 1000):
        value = (digamma((width - 1) / 2) - digamma(width / 2)) / 2
        assert closed.floats(width) == pytest.approx(value, rel=1e-12)
        assert closed.balls(width).overlaps(flint.arb(value, 1e-12))
    assert closed.balls(2).overlaps(-flint.arb(2).log())
    with pytest.raises(InexactError, match="digamma"):
        closed.exact(4)


@pytest.mark.parametrize("statement", [COLLAPSE, LEADING])
def test_the_exponents_are_newmans_and_not_their_neighbours(statement: Statement) -> None:
    assert run(statement, growths(PLAIN)).as_expected
    other = run(
        statement,
        growths(PLAIN),
        rhs=statement.sentinel.rhs,
        sentinel=replace(statement.sentinel, rhs=statement.rhs),
    )
    assert other.verdict is Verdict.REFUTED


def test_branches_collapse_at_their_rate_and_no_faster() -> None:
    assert run(BRANCHES, growths(BRANCHED)).as_expected
    assert run(BRANCHES, growths(BRANCHED), rhs=4 * BRANCHES.rhs).verdict is Verdict.REFUTED


@pytest.mark.parametrize("size", [math.inf, 0.3])
def test_the_rank_is_one_without_normalisation(size: float) -> None:
    compared = collapse.plain_and_rescaled(size)
    assert run(RANK_ONE, side_by_side(compared, (8,), lambda width: 24 * width)).as_expected
    assert run(RANK_ONE, side_by_side(compared, (8,), lambda width: 2)).verdict is Verdict.REFUTED


def test_uncentred_weights_break_normalisation() -> None:
    compared = side_by_side(collapse.uncentred_and_centred(1.0), (8,), lambda width: 64)
    assert run(UNCENTRED, compared).as_expected
    swapped = replace(UNCENTRED.sentinel, lhs=collapse.r_uncentred)
    assert (
        run(UNCENTRED, compared, lhs=collapse.r_centred, sentinel=swapped).verdict
        is Verdict.REFUTED
    )


@pytest.mark.parametrize("statement", collapse.ABLATION, ids=lambda s: s.name)
def test_rescaling_keeps_the_rank_and_mean_subtraction_does_not(statement: Statement) -> None:
    before = () if "relu" not in statement.variant else (collapse.Activation("relu"),)
    compared = side_by_side(
        [collapse.normalised_by(symbol, before) for symbol in collapse.PARTS],
        (32,),
        lambda width: 8 * width,
    )
    assert run(statement, compared).as_expected
    swapped = {"r_recentre": "r_rescale", "r_rescale": "r_recentre", "r_both": "r_bare"}
    names = {
        sp.Symbol(a, nonnegative=True): sp.Symbol(b, nonnegative=True) for a, b in swapped.items()
    }
    wrong = run(
        statement,
        compared,
        lhs=statement.lhs.xreplace(names),
        sentinel=replace(statement.sentinel, lhs=statement.sentinel.lhs.xreplace(names)),
    )
    assert wrong.verdict is Verdict.REFUTED


def test_a_batch_that_is_not_square_is_outside() -> None:
    (result,) = verify([UNCENTRED], batch=np.eye(6)[:, :3])
    assert result.verdict is Verdict.OUTSIDE


def test_the_digamma_function_is_typeset_by_its_letter() -> None:
    assert typesetting.inline(GAP) == "ψ(d/2 - 1/2)/2 - ψ(d/2)/2"
    assert "ψ" in "".join(typesetting.block(GAP, 80))
    assert "polygamma" not in "".join(typesetting.block(GAP, 80))
    with pytest.raises(TypeError, match="order 1"):
        compiled(sp.polygamma(1, d), (d,))


def test_a_network_that_died_has_no_rank() -> None:
    """At d = 8 ReLU leaves H = 0 in some networks; the ranks of the others are at least 1."""
    compared = side_by_side(
        [
            collapse.normalised_by(symbol, (collapse.Activation("relu"),))
            for symbol in collapse.PARTS
        ],
        (8,),
        lambda width: 64,
    )
    (case,) = compared.cases(None)
    values = np.concatenate(
        [array for arrays in case.draw(Context(0, 1e-6)).values.values() for array in arrays]
    )
    dead = np.isnan(values)
    assert 0 < dead.sum() < len(values)
    assert (values[~dead] > 0.999).all()


@pytest.mark.parametrize(
    ("statement", "size", "wanted"),
    [
        (collapse.ABLATION[0], 8, "16 to 512"),
        (collapse.ABLATION[2], 8, "32 to 64"),
        (collapse.ABLATION[3], 70, "32 to 64"),
    ],
)
def test_batches_of_widths_that_a_claim_is_not_about_are_outside(
    statement: Any, size: int, wanted: str
) -> None:
    (result,) = verify([statement], batch=np.eye(size))
    assert result.verdict is Verdict.OUTSIDE
    assert f"{wanted} of them" in result.evidence[0].summary


def test_batches_that_cost_too_much_are_left_open() -> None:
    (result,) = verify([collapse.ABLATION[0]], batch=np.eye(400))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "not run" in result.evidence[0].summary
