"""Families that a statement defines entry by entry: their values, and what does not have one."""

from dataclasses import replace
from fractions import Fraction

import flint
import pytest
import sympy as sp

from theorems import Sentinel, get
from theorems.checking.pointwise import decide
from theorems.checking.symbol_values import Completed, NoValueError, evaluate
from theorems.expressions import InexactError
from theorems.statement import Variable

n = sp.Symbol("n", integer=True, positive=True)
i, k = sp.symbols("i k", integer=True)
x = sp.IndexedBase("x", real=True)
z, y = (sp.IndexedBase(name, shape=(n,), real=True) for name in "zy")
total = sp.Symbol("T", real=True)
MEANINGS = {
    total: sp.Sum(x[k], (k, 0, n - 1)),
    z: sp.Lambda((i,), sp.Piecewise((x[i] - total / n, i < 2), (0, True))),
    y: sp.Lambda((i,), sp.sqrt(z[i] + 1)),
}
GIVEN = {"n": 3, "x": (Fraction(1), Fraction(2), Fraction(6))}


def test_a_family_is_computed_from_those_before_it() -> None:
    found = Completed(GIVEN, MEANINGS, True)
    assert found["T"] == 9
    assert found["z"] == (flint.fmpq(-2), flint.fmpq(-1), flint.fmpq(0))
    assert evaluate(z[i] * z[k], Completed({**GIVEN, "i": 0, "k": 1}, MEANINGS, True), True) == 2
    assert found.meaning("z") == MEANINGS[z]
    assert set(found) == {"n", "x", "T", "z", "y"}
    assert len(found) == 5


def test_what_is_given_goes_before_its_definition() -> None:
    assert Completed({**GIVEN, "T": 0}, MEANINGS, True)["z"][:2] == (flint.fmpq(1), flint.fmpq(2))


def test_an_irrational_member_is_no_rational_but_a_ball() -> None:
    given = {"n": 3, "x": (Fraction(1), Fraction(1), Fraction(1))}
    assert Completed(given, MEANINGS, True)["y"] == (flint.fmpq(1),) * 3
    other = {"n": 2, "x": (Fraction(1), Fraction(0))}
    with pytest.raises(InexactError):
        Completed(other, MEANINGS, True)["y"]
    first, second = Completed(other, MEANINGS, False)["y"]
    assert first.overlaps(flint.arb(3).sqrt() / flint.arb(2).sqrt())
    assert (first**2 + second**2).overlaps(flint.arb(2))


def test_an_irrational_member_is_decided_by_its_definition() -> None:
    """Also where no other symbol is to be replaced; balls would leave the equality open."""
    roots = sp.IndexedBase("y", shape=(3,), real=True)
    claim = replace(
        get("orthogonality.gap_vs_smallest_eigenvalue:sharp"),
        variables=(
            Variable(n, sp.Range(1, sp.oo), "how many"),
            Variable(x, sp.Interval(0, sp.oo), "numbers", size=(n,)),
        ),
        definitions={roots: sp.Lambda((i,), sp.sqrt(x[i] + 1))},
        assumptions=(),
        proof=None,
        lhs=roots[0] * roots[1],
        relation="==",
        rhs=sp.S.One,
        sentinel=Sentinel("", rhs=sp.S.Zero),
    )
    for other, equal in ((sp.sqrt(6), True), (sp.sqrt(6) + sp.Rational(1, 10**90), False)):
        assert decide(replace(claim, rhs=other), lambda: GIVEN).holds is equal


def test_words_and_unknown_names_have_no_value() -> None:
    with pytest.raises(NoValueError, match="no value for T among those given: n, x"):
        Completed(GIVEN, {total: "in words"}, True)["T"]
