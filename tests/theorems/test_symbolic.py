"""Certificates by algebra: what they certify, what only a point may refute, and what is left open."""

from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
import sympy as sp

from theorems import Sentinel, Statement, Verdict, get, library
from theorems.checking.symbolic import SymbolicIdentity, SymbolicSign
from theorems.context import Context

x, y = sp.symbols("x y", positive=True)
POINTS = ({"x": 1, "y": 2}, {"x": Fraction(1, 3), "y": 5})
CONTEXT = Context(0, 1e-6)


def claim(lhs: Any, relation: str, rhs: Any, false_rhs: Any = None) -> Statement:
    base = get("orthogonality.convexity:corrected")
    wrong = sp.sympify(rhs) + 1 + x if false_rhs is None else sp.sympify(false_rhs)
    return replace(
        base,
        variables=(),
        definitions={x: "", y: ""},
        lhs=sp.sympify(lhs),
        relation=relation,
        rhs=sp.sympify(rhs),
        sentinel=Sentinel("", rhs=wrong),
    )


def test_identities() -> None:
    check = SymbolicIdentity(POINTS)
    certified = check(claim((x + y) ** 2, "==", x**2 + 2 * x * y + y**2), CONTEXT)
    assert (certified.verdict, certified.sentinel) == (Verdict.CERTIFIED, Verdict.REFUTED)
    refuted = check(
        claim((x + y) ** 2, "==", x**2 + 2 * x * y + y**2 + sp.Rational(1, 10**50)), CONTEXT
    )
    assert refuted.verdict is Verdict.REFUTED
    assert "x = 1" in refuted.summary


def test_an_identity_is_refuted_only_at_a_point() -> None:
    """(x - 1)(x - 1/3) vanishes at both points and nowhere simplifies to zero."""
    open_ = SymbolicIdentity(POINTS)(claim((x - 1) * (x - sp.Rational(1, 3)), "==", 0, 7), CONTEXT)
    assert (open_.verdict, open_.sentinel) == (Verdict.INCONCLUSIVE, Verdict.REFUTED)
    blind = SymbolicIdentity(())(claim(x, "==", y), CONTEXT)
    assert (blind.verdict, blind.sentinel) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)


def sign(factor: Any, terms: tuple[Any, ...], points: Any = POINTS) -> SymbolicSign:
    return SymbolicSign(sp.sympify(factor), terms, {}, points)


SQUARES = claim(x**3 + x * y**2, ">=", 2 * x**2 * y, x**3 + x * y**2 + sp.Rational(1, 10))


def test_signs() -> None:
    evidence = sign(x, ((x - y) ** 2,))(SQUARES, CONTEXT)
    assert (evidence.verdict, evidence.sentinel) == (Verdict.CERTIFIED, Verdict.REFUTED)


@pytest.mark.parametrize(
    ("check", "why"),
    [
        (sign(x, ((x - y) ** 2, x)), "do not add up"),
        (sign(x - y, (x**2 - x * y,)), "may not be positive"),
        (sign(-x, (-((x - y) ** 2),)), "may not be positive"),
        (sign(x, (x**2 - x * y, y**2 - x * y)), "is open"),
    ],
)
def test_a_certificate_that_fails_leaves_the_claim_open(check: SymbolicSign, why: str) -> None:
    evidence = check(SQUARES, CONTEXT)
    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert why in evidence.summary


def test_a_point_refutes_a_sign() -> None:
    evidence = sign(1, (x - y,))(claim(x, ">=", y, x + y), CONTEXT)
    assert evidence.verdict is Verdict.REFUTED
    assert "x = 1, y = 2" in evidence.summary


def test_a_sentinel_that_no_point_fells_is_reported_as_standing() -> None:
    survivor = claim(x**2 + y**2, ">=", 2 * x * y, x * y)
    assert sign(1, ((x - y) ** 2,))(survivor, CONTEXT).sentinel is Verdict.INCONCLUSIVE


def test_the_substitution_is_what_makes_the_lemma_provable() -> None:
    """Without the domain (n ≥ 2, δ ≤ 1/n) the convexity certificate must not go through."""
    statement = get("orthogonality.convexity:conclusion")
    check = statement.checks[0]
    assert check.judge(statement, CONTEXT).verdict is Verdict.CERTIFIED
    for symbol in check.substitution:
        less = {k: v for k, v in check.substitution.items() if k != symbol}
        found = replace(check, substitution=less).judge(statement, CONTEXT)
        assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("variant", ["corrected", "conclusion"])
def test_the_convexity_is_tried_at_the_ends_of_its_domain_and_inside(variant: str) -> None:
    (check,) = get(f"orthogonality.convexity:{variant}").checks
    points = {tuple(point[name] for name in ("n", "theta", "delta")) for point in check.points}
    shares = {(n, theta, n * delta) for n, theta, delta in points}
    assert shares == set(product((2, 3, 8), (Fraction(1, 10), 10), (0, Fraction(1, 2), 1)))


FACTORED = [
    pytest.param(statement, check, id=statement.name)
    for statement in library()
    for check in statement.checks
    if isinstance(check, SymbolicSign)
]


@pytest.mark.parametrize(("statement", "check"), FACTORED)
def test_a_positive_factor_times_its_terms_is_the_difference_at_each_point(
    statement: Statement, check: SymbolicSign
) -> None:
    difference = (statement.lhs - statement.rhs).doit()
    for point in check.points:
        values = {s: point[str(s)] for s in difference.free_symbols}
        sides = (e.subs(values) for e in (difference, check.factor * sum(check.terms)))
        left, right = map(float, sides)
        assert left == pytest.approx(right, rel=1e-9, abs=1e-12)
