"""What a ball leaves open is left open: its ends decide, never its middle, in every place that
compares balls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any

import flint
import pytest
import sympy as sp
from flint import arb, fmpq

from theorems import Sentinel, Statement, Verdict, get
from theorems.checking import pointwise
from theorems.checking.covering import Box
from theorems.checking.enclosures import Enclosed, Part
from theorems.checking.pointwise import Pointwise, compare, decide, holds
from theorems.checking.width_limit import RepeatedSpectrum, WidthLimit
from theorems.context import Context
from theorems.families.orthogonality.branching import (
    DEEPEST,
    CounterexampleFound,
    Problem,
    cover,
    positive_definite,
    walk,
)
from theorems.statement import Variable

X, Y = sp.symbols("x y", real=True)
#: Balls whose middle says one thing and whose ends leave it open: about 1.
ABOUT_ONE = [arb(mid, radius) for mid, radius in ((1.1, 0.2), (0.9, 0.2), (1.0, 0.5), (1.0, 1e-12))]
RELATIONS = {"<=": sp.Le, "<": sp.Lt, ">=": sp.Ge, ">": sp.Gt, "==": sp.Eq}


@pytest.mark.parametrize(("ball", "relation"), [*product(ABOUT_ONE, RELATIONS)])
def test_a_comparison_of_balls_is_open_where_they_meet(ball: arb, relation: str) -> None:
    assert compare(ball, relation, arb(1)) is None
    assert compare(arb(1), relation, ball) is None
    assert holds(ball, RELATIONS[relation](X, sp.Integer(1)), arb(1)) is None


@pytest.mark.parametrize(
    ("relation", "above", "touching", "below"),
    [
        ("<=", False, None, True),
        ("<", False, None, True),
        (">=", True, None, False),
        (">", True, None, False),
        ("==", False, None, False),
    ],
)
def test_a_comparison_of_balls_apart_is_decided(
    relation: str, above: bool, touching: None, below: bool
) -> None:
    assert compare(arb(1.5, 0.25), relation, arb(1)) is above
    assert compare(arb(1.5, 0.625), relation, arb(1)) is touching
    assert compare(arb(0.5, 0.25), relation, arb(1)) is below


def claim(relation: str, **changes: Any) -> Statement:
    base = get("orthogonality.gap_vs_smallest_eigenvalue:sharp")
    given: dict[str, Any] = dict(
        variables=(),
        definitions={X: "what is read"},
        assumptions=(),
        proof=None,
        lhs=X,
        relation=relation,
        rhs=sp.S.One,
        sentinel=Sentinel("", rhs=sp.Integer(-7)),
    )
    return replace(base, **(given | changes))


@pytest.mark.parametrize(("ball", "relation"), [*product(ABOUT_ONE, ("<=", "<", ">=", ">"))])
def test_checks_by_enclosures_leave_open_what_a_ball_leaves_open(ball: arb, relation: str) -> None:
    assert decide(claim(relation), lambda: {"x": ball}).holds is None
    enclosed = Enclosed(parts=lambda: [Part("a part", lambda: {"x": ball})])
    assert enclosed(claim(relation), Context(0, 1e-6)).verdict is Verdict.INCONCLUSIVE
    from hypothesis import strategies as st

    pointwise = Pointwise(lambda item: {"x": ball}, lambda: st.just(0), examples=1)
    assert pointwise(claim(relation), Context(0, 1e-6)).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("ball", "relation"), [*product(ABOUT_ONE, ("<=", "<", ">=", ">"))])
def test_a_path_stops_where_a_ball_leaves_the_bound_open(ball: arb, relation: str) -> None:
    width, layer = sp.Symbol("d", positive=True), sp.Symbol("ell", nonnegative=True)
    statement = claim(
        relation,
        variables=(
            Variable(width, sp.Interval(1, sp.oo), "d"),
            Variable(layer, sp.Interval(0, sp.oo), "ell"),
        ),
    )
    spectrum = RepeatedSpectrum((Fraction(1, 4), Fraction(3, 4)), (1, 1))
    check = WidthLimit(
        (spectrum,),
        2,
        lambda spectrum, sizes: {"x": ball},
        lambda statement, start: {},
        width,
        layer,
    )
    found = check(statement, Context(0, 1e-6))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.details["paths"][0]["crossing_layer"] is None


@dataclass(frozen=True)
class Vague(Problem):
    """Every bound is a ball around a positive middle that reaches below 0."""

    margin: tuple[float, float] = (0.1, 1.0)

    def by_value(self, box: Box) -> arb:
        return arb(*self.margin)

    def by_slope(self, box: Box) -> arb:
        return arb(*self.margin)

    def excess(self, point: Any) -> arb:
        return arb(-self.margin[0], self.margin[1])

    def by_curvature(self, box: Box) -> bool:
        return False


def test_a_box_whose_bound_is_open_is_not_settled() -> None:
    problem = Vague(2, fmpq(1), 64)
    for rule in "vs":
        with pytest.raises(ValueError, match=f"not settled by rule '{rule}'"):
            walk(problem, rule)
    with pytest.raises(ArithmeticError, match="left open"):  # and no counterexample either
        cover(problem, 20)
    assert walk(Vague(2, fmpq(1), 64, (1.0, 0.5)), "v").margin > 0
    sure = Vague(2, fmpq(1), 64, (1.0, 0.5))
    assert cover(sure, 20)[0] in ("v", "s")


def test_an_open_box_is_halved_no_more_than_a_certificate_may_say() -> None:
    with pytest.raises(ArithmeticError) as error:
        cover(Vague(2, fmpq(1), 64), 10_000)
    assert DEEPEST <= int(str(error.value).rpartition(" ")[2]) <= 2 * DEEPEST


def test_boxes_are_walked_as_deep_as_a_certificate_may_say_and_no_deeper() -> None:
    sure = Vague(2, fmpq(1), 64, (1.0, 0.5))
    assert walk(sure, "0" * DEEPEST + "v" * (DEEPEST + 1)).margin > 0
    with pytest.raises(ValueError, match=f"'0' at character {DEEPEST} is neither"):
        walk(sure, "0" * (DEEPEST + 1))


def test_a_counterexample_is_certainly_one() -> None:
    @dataclass(frozen=True)
    class False_(Vague):
        def excess(self, point: Any) -> arb:
            return arb(-1, 0.5)

    with pytest.raises(CounterexampleFound):
        cover(False_(2, fmpq(1), 64), 20)


@pytest.mark.parametrize(
    "box",
    [
        ((fmpq(1, 4), fmpq(1, 3)), (fmpq(2, 3), fmpq(3, 4))),
        ((fmpq(1, 10), fmpq(2, 5)), (fmpq(3, 5), fmpq(9, 10))),
        ((fmpq(2, 5), fmpq(1, 2)), (fmpq(1, 2), fmpq(3, 5))),
    ],
)
@pytest.mark.parametrize("kappa", [fmpq(1), fmpq(1, 2)])
def test_bounds_of_a_box_are_below_all_its_points(box: Box, kappa: fmpq) -> None:
    problem = Problem(2, kappa, 128)
    least = min(
        (
            problem.excess(point).lower()
            for k in range(21)
            if (
                point := [
                    box[0][0] + (box[0][1] - box[0][0]) * fmpq(k, 20),
                    1 - box[0][0] - (box[0][1] - box[0][0]) * fmpq(k, 20),
                ]
            )
        ),
        key=float,
    )
    for bound in (problem.by_value(box), problem.by_slope(box)):
        assert bound <= least + arb("1e-25")
    with flint.ctx.workprec(16):  # where balls are wide, the bound is lower, never higher
        rough = Problem(2, kappa, 16)
        for bound in (rough.by_value(box), rough.by_slope(box)):
            assert bound.lower() <= least + arb("1e-3")


def spread_about(middle: arb) -> list[list[arb]]:
    """A symmetric matrix whose first row has radii 1 and 2⁻²⁰ about ``middle`` and 0."""
    tiny = arb(0, 2.0**-20)
    return [[arb(middle, 1), tiny], [tiny, arb(10)]]


def test_a_matrix_that_may_be_singular_is_not_called_positive_definite() -> None:
    assert positive_definite([[arb(1, 0.5)]])
    assert not positive_definite([[arb(1, 1.5)]])
    assert not positive_definite([[arb(-1)]])
    assert not positive_definite([[arb(0, 1)]])
    assert positive_definite([[arb(2), arb(1)], [arb(1), arb(2)]])
    assert not positive_definite([[arb(1), arb(2)], [arb(2), arb(1)]])
    assert not positive_definite([[arb(1), arb(1)], [arb(1), arb(1)]])
    with flint.ctx.workprec(8):  # sums of radii round here, and must round upwards
        assert positive_definite(spread_about(arb(2)))
        assert not positive_definite(spread_about(arb(1.0 + 2.0**-21)))
    with flint.ctx.workprec(8):  # its determinant is -1, its last pivot above 0 but for rounding
        assert not positive_definite([[arb(3), arb(19)], [arb(19), arb(120)]])
        assert positive_definite([[arb(3), arb(19)], [arb(19), arb(123)]])


@pytest.mark.parametrize("open_", [arb(0.1, 0.2), arb(0, 0.2)])
@pytest.mark.parametrize("relation", ["<=", ">="])
def test_no_ratio_to_a_bound_that_may_be_zero_or_of_a_side_that_may_be_negative(
    open_: arb, relation: str
) -> None:
    between = claim(relation, rhs=Y, definitions={X: "what is read", Y: "and with what"})

    def enclosed(left: arb, right: arb) -> float | None:
        part = Part("a part", lambda: {"x": left, "y": right})
        return Enclosed(parts=lambda: [part])(between, Context(0, 1e-6)).tightness

    def decided(left: arb, right: arb) -> float | None:
        return decide(between, lambda: {"x": left, "y": right}).ratio

    for left, right in ((arb(1), open_), (open_, arb(1))):
        assert enclosed(left, right) is None
    assert decided(*((open_, arb(1)) if relation == ">=" else (arb(1), open_))) is None
    ratio = {"<=": 0.5, ">=": 2.0}[relation]
    assert enclosed(arb(1), arb(2)) == ratio
    assert decided(arb(1), arb(2)) == ratio


@pytest.mark.parametrize(
    ("ball", "certain"),
    [(arb(1, 0.5), True), (arb(0.1, 0.2), False), (Fraction(1, 2), True), (Fraction(-1, 2), False)],
)
def test_a_side_is_not_negative_if_its_whole_ball_is_not(ball: Any, certain: bool) -> None:
    assert pointwise._nonnegative(X, claim("<="), {"x": ball}) is certain


@pytest.mark.parametrize(
    ("middle", "other", "verdict", "sentinel"),
    [
        (0.5, -7, Verdict.CERTIFIED, Verdict.REFUTED),
        (0.5, 7, Verdict.CERTIFIED, Verdict.CERTIFIED),
        (2, -7, Verdict.REFUTED, Verdict.REFUTED),
        (0.5, Fraction(1, 2), Verdict.CERTIFIED, Verdict.INCONCLUSIVE),
    ],
)
def test_checks_by_enclosures_decide_both_claims_where_balls_are_apart(
    middle: float, other: Any, verdict: Verdict, sentinel: Verdict
) -> None:
    check = Enclosed(parts=lambda: [Part("a part", lambda: {"x": arb(middle, 0.1)})])
    found = check(claim("<=", sentinel=Sentinel("", rhs=sp.sympify(other))), Context(0, 1e-6))
    assert (found.verdict, found.sentinel) == (verdict, sentinel)


@pytest.mark.parametrize(
    ("high", "settled"), [(Fraction(1, 4), True), (Fraction(2, 7), True), (Fraction(2, 5), False)]
)
def test_a_part_speaks_of_every_size_its_inverses_reach(high: Fraction, settled: bool) -> None:
    """1/n ≤ 2/7 says n ≥ 4, and 1/n ≤ 2/5 only n ≥ 3, where ``bound`` is another."""
    size = sp.Symbol("n", integer=True, positive=True)
    bound = sp.Piecewise((sp.S.One, size >= 4), (sp.S.Zero, True))
    check = Enclosed(parts=lambda: [Part("large ones", lambda: {"x": arb(0.5, 0.1)}, high=high)])
    given = claim("<=", rhs=bound, variables=(Variable(size, sp.Range(3, sp.oo), "batch size"),))
    if settled:
        assert check(given, Context(0, 1e-6)).verdict is Verdict.CERTIFIED
    else:
        with pytest.raises(ValueError, match="beyond n = 3"):
            check(given, Context(0, 1e-6))


def test_sizes_outside_the_domain_are_passed_over() -> None:
    """Of a claim about n = 3, 4, 5, which is false at every other size."""
    size = sp.Symbol("n", integer=True, positive=True)
    check = Enclosed(
        sizes=tuple(range(1, 10)), values=lambda n: {"x": arb(0.5 if 3 <= n <= 5 else 2, 0.1)}
    )
    given = claim("<=", variables=(Variable(size, sp.Range(3, 6), "batch size"),))
    found = check(given, Context(0, 1e-6))
    assert found.verdict is Verdict.CERTIFIED
    assert list(found.details["enclosures"]) == ["n=3", "n=4", "n=5"]


@pytest.mark.parametrize(
    ("side", "terms"),
    [
        (X, 1),
        (X**9, 1),
        ((X + Y) ** 8, 9),
        ((X + Y + 2) ** 4, 15),
        ((X + 2) * (Y + 3) ** 2, 6),
        ((X + Y) ** 3 + (X - 5) ** 2, 7),
    ],
    ids=str,
)
def test_what_multiplies_out_to_more_terms_than_a_few_thousand_is_left_as_it_is(
    side: sp.Expr, terms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expanded: list[sp.Expr] = []
    monkeypatch.setattr(sp, "expand", lambda e: expanded.append(e) or sp.Expr.expand(e))
    for few in (False, True):
        other = sp.Integer(10**6 + few)  # a term of its own
        monkeypatch.setattr(pointwise, "_MOST_TERMS", terms + few)
        given = claim("<=", lhs=side, rhs=other, definitions={X: "what is read", Y: "and that"})
        assert decide(given, lambda: {"x": arb(1, 0.1), "y": arb(1, 0.1)}).holds
        assert (side - other in expanded) is few
