"""Exact decisions: ties, near-ties, open enclosures, shrunk witnesses, and a user's batch of any
condition.
"""

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest
import sympy as sp
from broken import run
from hypothesis import strategies as st
from newcomers import with_own_file

from simulators.batches import Batch, read_batch
from theorems import Assumption, Evidence, Sentinel, Statement, Verdict, get, library
from theorems.checking.pointwise import (
    Pointwise,
    admitted,
    compare,
    decide,
    holds,
    readable,
    short,
)
from theorems.context import Context
from theorems.definedness import conditions_of
from theorems.families.orthogonality.inputs import (
    contraction_values,
    singular_values,
    spectrum_values,
)

x, y = sp.symbols("x y")
TINY = Fraction(1, 10**300)


def claim(lhs: sp.Expr, relation: str, rhs: sp.Expr, **more: Any) -> Statement:
    """``lhs relation rhs`` in x and y, with a sentinel that no test here reads."""
    base = get("orthogonality.contraction:sharp")
    return replace(
        base,
        variables=(),
        definitions={x: "", y: ""},
        lhs=sp.sympify(lhs),
        relation=relation,
        rhs=sp.sympify(rhs),
        assumptions=more.pop("assumptions", ()),
        ceiling=None,
        **{"sentinel": Sentinel("", rhs=x + y + 10**6), **more},
    )


def test_two_hundred_inputs_are_drawn_unless_another_number_is_said() -> None:
    check = Pointwise(lambda item: item, lambda: st.just({}))
    assert check.examples == 200
    assert ", 200 generated inputs" in check.words(claim(x, "<=", y))
    assert ", 7 generated inputs" in replace(check, examples=7).words(claim(x, "<=", y))


@pytest.mark.parametrize("length", [79, 80, 81, 300])
def test_an_input_is_shortened_to_eighty_characters(length: int) -> None:
    found = short({"x": 10 ** (length - len("{x: }") - 1)})
    assert len(found) == min(length, 80)
    assert found.endswith("…") is (length > 80)


def truth(relation: str, sign: int) -> bool:
    return {"<=": sign <= 0, "<": sign < 0, ">=": sign >= 0, ">": sign > 0, "==": sign == 0}[
        relation
    ]


@pytest.mark.parametrize("relation", ["<=", "<", ">=", ">", "=="])
@pytest.mark.parametrize("sign", [-1, 0, 1])
@pytest.mark.parametrize("root", [False, True])
def test_ties_and_near_ties(relation: str, sign: int, root: bool) -> None:
    """x against 1/3 (or the roots of both), equal or 1e-300 apart."""
    third = sp.Rational(1, 3)
    statement = claim(sp.sqrt(x), relation, sp.sqrt(third)) if root else claim(x, relation, third)
    decision = decide(statement, lambda: {"x": Fraction(1, 3) + sign * TINY})
    assert decision.holds is truth(relation, sign)


@pytest.mark.parametrize("relation", ["<=", "<", ">=", ">", "=="])
@pytest.mark.parametrize("sign", [-1, 1])
def test_radicals_that_agree_to_forty_digits_differ(relation: str, sign: int) -> None:
    statement = claim(
        sp.sqrt(x) + sp.sqrt(y), relation, sp.sqrt(5 + 2 * sp.sqrt(6)) - sp.Rational(sign, 10**40)
    )
    assert decide(statement, lambda: {"x": 2, "y": 3}).holds is truth(relation, sign)


@pytest.mark.parametrize("relation", ["<=", "<", ">=", ">", "=="])
def test_an_open_enclosure_is_never_true(relation: str) -> None:
    wide = flint.arb(0, 1)
    assert decide(claim(x, relation, y), lambda: {"x": wide, "y": 0}).holds is None
    assert compare(wide, relation, flint.arb(0)) is None


def test_enclosures_that_narrow_are_used() -> None:
    """The input is asked for again at every precision."""

    def values() -> dict[str, Any]:
        return {"x": flint.arb(2).sqrt(), "y": Fraction(10**60 * 14142135623730951, 10**76)}

    asked = []
    decision = decide(claim(x, "<", y), lambda: (asked.append(flint.ctx.prec), values())[1])
    assert decision.holds is True
    assert asked[1] == 128
    far = claim(x**2 - 2, "<", sp.Rational(1, 10**200))
    assert decide(far, lambda: {"x": flint.arb(2).sqrt()}).holds is True


def test_squares_are_compared_only_between_nonnegative_sides() -> None:
    for statement in (claim(sp.sqrt(x), "<=", -y), claim(sp.sqrt(x), "<=", y - 3)):
        assert decide(statement, lambda: {"x": 2, "y": 2}, squares=True).holds is False
    assert decide(claim(-sp.sqrt(x), "<=", y), lambda: {"x": 9, "y": 2}, squares=True).holds is True


def test_equal_sides_may_both_be_negative() -> None:
    x_y = {
        "x": Fraction(285362461, 8820),
        "y": Fraction(1141449844, 3914685),
    }  # roots SymPy does not reduce alike
    scaled = claim(-1 / sp.sqrt(x), "==", -1 / (sp.sqrt(y) * sp.sqrt(sp.Rational(86993, 784))))
    assert decide(scaled, lambda: x_y, squares=True).holds is True
    assert decide(scaled, lambda: x_y).holds is True
    assert decide(claim(-sp.sqrt(x), "==", sp.sqrt(x)), lambda: x_y, squares=True).holds is False
    assert (
        decide(claim(-sp.sqrt(x), "<=", -sp.sqrt(x + 1)), lambda: x_y, squares=True).holds is False
    )


def test_equalities_of_long_numbers_keep_their_signs() -> None:
    """Of numbers that SymPy would take long to factor, it is told the sign and nothing else."""
    long = Fraction(10**20 + 39, 10**20 + 129)
    for value in (long, -long):
        same = claim(sp.Abs(x) * sp.sqrt(y), "==", (x if value > 0 else -x) * sp.sqrt(y))
        assert decide(same, lambda value=value: {"x": value, "y": long}).holds is True
        same = claim(sp.exp(sp.Abs(x)), "==", sp.exp(x if value > 0 else -x))
        assert decide(same, lambda value=value: {"x": value}).holds is True


def test_equalities_of_radicals_are_found() -> None:
    root = sp.sqrt(2) + sp.sqrt(3)
    assert decide(claim(x**4, "==", 10 * x**2 - 1), lambda: {"x": root}).holds is True
    assert decide(claim(x**4, "==", 10 * x**2 - 2), lambda: {"x": root}).holds is False
    for bound, found in ((sp.exp(2), None), (sp.exp(3), False)):
        assert decide(claim(sp.exp(x**2), "==", bound), lambda: {"x": sp.sqrt(2)}).holds is found


@pytest.mark.parametrize(("bound", "holds"), [(1, False), (3, None)])
def test_what_is_false_wherever_it_has_a_value_is_false_where_that_is_open(
    bound: int, holds: bool | None
) -> None:
    statement = claim(sp.Integer(2), "<=", sp.Integer(bound), defined=conditions_of(1 / x))
    assert decide(statement, lambda: {"x": flint.arb(0, 1e-10)}).holds is holds


def test_nonnumbers_are_an_error() -> None:
    with pytest.raises(TypeError):
        decide(claim(x, "<=", 1), lambda: {"x": "1"})


@pytest.mark.parametrize(
    ("relation", "left", "right", "answer"),
    [
        (sp.Eq(x, y), 1, 1, True),
        (sp.Eq(x, y), 1, 2, False),
        (sp.Ne(x, y), 1, 2, True),
        (sp.Ne(x, y), 1, 1, False),
        (sp.Ge(x, y), 1, 1, True),
        (sp.Gt(x, y), 1, 1, False),
        (sp.Le(x, y), 2, 1, False),
        (sp.Lt(x, y), 1, 2, True),
    ],
)
def test_assumptions_are_read_in_their_direction(
    relation: Any, left: int, right: int, answer: bool
) -> None:
    assert holds(flint.fmpq(left), relation, flint.fmpq(right)) is answer
    assert holds(flint.arb(left), relation, flint.arb(right)) is answer
    assert holds(flint.arb(left, 5), relation, flint.arb(right, 5)) is None


# --- the search -----------------------------------------------------------------------------------

FRACTIONS = st.fractions(0, 1000, max_denominator=60)


def search(statement: Statement, **more: Any) -> Any:
    check = Pointwise(lambda item: {"x": item, "y": 0}, lambda: FRACTIONS, **more)
    return run(replace(statement, expected=Verdict.CERTIFIED), [check]).evidence[0]


def test_a_violation_is_shrunk_and_violates() -> None:
    statement = claim(x, "<=", sp.Rational(207, 2))
    evidence = search(statement)
    assert evidence.verdict is Verdict.REFUTED
    witness = Fraction(evidence.details["witness"])
    assert decide(statement, lambda: {"x": witness}).holds is False
    assert witness == 104, "the simplest fraction beyond 103.5"


def test_outside_is_not_certified() -> None:
    assumption = Assumption(sp.Gt(x, 1000), "x > 1000")
    evidence = search(claim(x, "<=", 0, assumptions=(assumption,)))
    assert evidence.verdict is Verdict.OUTSIDE
    assert evidence.summary == "no input met the assumptions"
    assert evidence.details["decided"] == 0
    assert evidence.details["outside"] > 0


def of_batch(items: list[Any], sentinel: Any = -1, refusal: str = "") -> Evidence:
    """What is said of x ≤ 1 and a batch that gives these values of x; elsewhere x is 0."""
    check = Pointwise(
        lambda item: {"x": item, "y": 0},
        lambda: st.just(Fraction(0)),
        examples=1,
        given=lambda _: items,
        refuses=lambda _: refusal,
    )
    statement = claim(x, "<=", sp.S.One, sentinel=Sentinel("", rhs=sp.sympify(sentinel)))
    return check(statement, Context(0, 1e-6, batch=Batch.of(np.eye(2), "")))


@pytest.mark.parametrize(
    ("items", "refusal", "verdict", "method", "summary"),
    [
        (
            [Fraction(1, 2), Fraction(1)],
            "",
            Verdict.CERTIFIED,
            "certificate",
            "the batch decided exactly",
        ),
        ([Fraction(1, 2), Fraction(2)], "", Verdict.REFUTED, "search", "violated at 2"),
        (
            [Fraction(1, 2), flint.arb(1, 0.5)],
            "",
            Verdict.INCONCLUSIVE,
            "certificate",
            "the batch is left open",
        ),
        (
            [],
            "",
            Verdict.OUTSIDE,
            "certificate",
            "the batch lies outside the domain or the assumptions",
        ),
        ([Fraction(2)], "it is too thin", Verdict.OUTSIDE, "certificate", "it is too thin"),
    ],
)
def test_a_batch_is_told_of_in_its_own_words(
    items: list[Any], refusal: str, verdict: Verdict, method: str, summary: str
) -> None:
    found = of_batch(items, refusal=refusal)
    assert (found.verdict, found.method, found.summary) == (verdict, method, summary)
    assert found.details["batch"] == verdict
    assert found.details.get("witness") == ("2" if verdict is Verdict.REFUTED else None)
    assert found.power == (0.0 if verdict.holds else None)


@pytest.mark.parametrize(("bound", "verdict"), [(-1, Verdict.REFUTED), (2, Verdict.CERTIFIED)])
def test_the_neighbour_of_a_claim_of_a_batch_is_tried_elsewhere(
    bound: int, verdict: Verdict
) -> None:
    assert of_batch([Fraction(1, 2)], bound).sentinel is verdict


def test_corners_are_always_tried() -> None:
    evidence = search(claim(x, "<", 1001), corners=lambda: [Fraction(1001)])
    assert evidence.details["witness"] == "1001"


@pytest.mark.parametrize(("relation", "bound"), [("<=", 2), (">=", Fraction(1, 2))])
def test_tightness_is_one_at_the_tight_end_of_either_bound(relation: str, bound: Any) -> None:
    for value, tightness in ((Fraction(1), 0.5), (Fraction(bound), 1.0)):
        assert (
            decide(claim(x, relation, bound), lambda value=value: {"x": value}).ratio == tightness
        )  # type: ignore[misc]


def test_a_ratio_of_sides_that_rounding_made_is_no_tightness() -> None:
    lost = {"x": flint.arb(1e-16, 1e-16), "y": flint.arb("1e-200", "1e-202")}
    assert decide(claim(x, "<=", y), lambda: lost).ratio is None
    known = {"x": flint.arb("5e-201", "1e-250"), "y": flint.arb("1e-200", "1e-250")}
    assert decide(claim(x, "<=", y), lambda: known).ratio == pytest.approx(0.5)


def test_the_interval_of_tightness_starts_at_what_does_not_depend_on_draws() -> None:
    """Hypothesis draws constants of whatever modules are loaded, so another process may meet
    tighter inputs.
    """
    tried = search(claim(x, "<=", 1000), corners=lambda: [Fraction(250), Fraction(5)])
    assert tried.tightness_interval == (0.25, tried.tightness)
    assert search(claim(x, "<=", 1000)).tightness_interval == (0.0, tried.tightness)


def test_an_open_input_leaves_the_claim_open() -> None:
    evidence = search(claim(x, "<=", 10**6), corners=lambda: [flint.arb(10**6, 1)])
    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert evidence.details["open"] == 1


def test_an_assumption_left_open_neither_refutes_nor_hides() -> None:
    """On a ball the equality x = 1 is open: a claim true on the whole ball counts, one that falls
    is left open.
    """
    one = Assumption(sp.Eq(x, 1), "x = 1")
    ball = flint.arb(1, 1e-9)
    certified = search(claim(x, "<=", 2, assumptions=(one,)), corners=lambda: [ball])
    assert certified.verdict is Verdict.CERTIFIED
    assert certified.details["decided"] >= 1
    opened = search(claim(x, "<=", 0, assumptions=(one,)), corners=lambda: [ball], examples=1)
    assert opened.verdict is Verdict.INCONCLUSIVE
    assert opened.details["open"] == 1


def test_readable_inputs_are_json() -> None:
    item = {"a": Fraction(1, 3), "b": (flint.fmpq(1, 2), sp.sqrt(2)), "c": np.ones((3, 2)), "d": 4}
    assert json.loads(json.dumps(readable(item))) == {
        "a": "1/3",
        "b": ["1/2", "sqrt(2)"],
        "c": "the batch, 3×2",
        "d": 4,
    }


# --- a user's batch -------------------------------------------------------------------------------

_rng = np.random.default_rng(5)
_columns = _rng.standard_normal((6, 3))
BATCHES = {
    "one sample": _columns[:, :1],
    "two samples": _columns[:, :2],  # V and V̂ tie at n = 2
    "repeated": _columns[:, [0, 0, 1]],
    "rank one": _columns[:, [0, 0, 0]] * np.array([1.0, 2.0, -4.0]),
    "zero sample": _columns * np.array([1.0, 0.0, 1.0]),
    "ill-conditioned": np.column_stack(
        [_columns[:, 0], _columns[:, 0] + 1e-12 * _columns[:, 1], _columns[:, 2]]
    ),
    "orthonormal": np.eye(3),
    "tiny": _columns * 1e-150,
    "digits": read_batch("digits").array,
}
POINTWISE = [
    s for s in library() if any(isinstance(c, Pointwise) and c.from_batch for c in s.checks)
]
#: Batches outside a statement's assumptions: V = 0, σ_n = 0.
OUTSIDE = {
    ("orthogonality.iterative_initialisation:conclusion", name)
    for name in ("one sample", "repeated", "rank one", "zero sample", "orthonormal")
}

#: One input leaves nothing to vary, and is its own mean.
OUTSIDE |= {
    (f"splines.{name}", "one sample")
    for name in (
        "total_least_squares:unique",
        "central_arrangement:unbounded",
        "scale_free:length",
        "scale_free:distance",
    )
}
#: The digits' first pixels are blank, and a zero row cannot be rescaled.
OUTSIDE.add(("rank.drift_inequality_rescaled", "digits"))


def of_its_own(statement: Statement) -> Pointwise:
    """The check of a statement, of the family's own inputs and with as few draws as can be."""
    check = next(c for c in statement.checks if isinstance(c, Pointwise))
    return replace(check, corners=tuple, examples=1, walks=False)


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("statement", POINTWISE, ids=lambda s: s.name)
def test_batches_are_examined_exactly(statement: Statement, name: str) -> None:
    check = of_its_own(statement)
    found, tally, _ = check.attack(statement, Context(0, 1e-6, Batch.of(BATCHES[name], name)))
    assert tally.batch is found
    if statement.expected is Verdict.REFUTED:  # false in general, and true or open on some batches
        assert found is not Verdict.OUTSIDE
        return
    outside = (statement.name, name) in OUTSIDE
    if statement.name in with_own_file():
        (item,) = check.of_batch(BATCHES[name]) or [None]
        outside = admitted(statement, check.values(item)) is False
    assert found is (Verdict.OUTSIDE if outside else Verdict.CERTIFIED)


@pytest.mark.parametrize("name", ["one sample", "two samples"])
@pytest.mark.parametrize("statement", POINTWISE, ids=lambda s: s.name)
def test_what_was_found_of_a_batch_is_the_verdict(statement: Statement, name: str) -> None:
    check, batch = of_its_own(statement), Batch.of(BATCHES[name], name)
    result = run(statement, [check], batch)
    assert result.verdict is check.attack(statement, Context(0, 1e-6, batch))[0]
    assert result.evidence[0].details["batch"] == result.verdict
    json.dumps(result.as_json(), allow_nan=False)


def test_a_false_claim_falls_on_the_batch_itself() -> None:
    statement = get("orthogonality.contraction:sharp")
    checks = [
        replace(check, corners=tuple, examples=1)
        for check in statement.checks
        if isinstance(check, Pointwise)
    ]
    evidence = run(
        replace(statement, rhs=statement.rhs / 2), checks, Batch.of(np.diag([2.0, 1.0]), "")
    ).evidence[0]
    assert evidence.verdict is Verdict.REFUTED
    assert evidence.details["witness"] == "the batch, 2×2"


def test_spectra_of_batches_are_exact_where_rational() -> None:
    assert spectrum_values(np.diag([3.0, 1.0])) == {
        "n": 2,
        "lambda": [flint.fmpq(1, 10), flint.fmpq(9, 10)],
        "s": flint.fmpq(1, 10),
    }
    assert singular_values(np.eye(3) * 1e-3)["sigma"] == [sp.sqrt(3) / 3] * 3
    assert contraction_values(np.eye(3))["p_n"] == flint.fmpq(1, 3)
    assert spectrum_values(np.ones((2, 2)))["s"] == 0
    assert (
        spectrum_values(np.array([[1.0, 1.0], [0.0, 1.0]]))["s"]
        == sp.Rational(1, 2) - sp.sqrt(5) / 6
    )
    three = spectrum_values(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))["lambda"]
    assert three[1] == flint.fmpq(1, 4)
    assert three[0].overlaps((3 - flint.arb(5).sqrt()) / 8)
    assert three[0].rad() < 1e-15
