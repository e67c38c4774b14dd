"""Branch and bound over boxes: what covers, what violates, what stays open."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint
import pytest
import sympy as sp

from theorems import conjecture
from theorems.checking import covering
from theorems.checking.covering import Cover, Region, cover
from theorems.context import Context
from theorems.workbench.everywhere import Everywhere
from theorems.workbench.whole_domain import covered


def shown(value: Any) -> str:
    """The same in every process, which the text of a function is not."""
    return value if isinstance(value, str) else ", ".join(value)


def bounded(claim: Any, **options: Any) -> Cover | None:
    statement = conjecture(claim, name="c", **options).statement(falsify=False)
    (check,) = statement.checks
    assert isinstance(check, Everywhere)
    return covered(
        check.space, statement, lambda item: check.refutes(statement, item), Context(0, 1e-6)
    )


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("exp(-10**8*(x-314159/1000003)**2) <= 3/2", dict(x="[0, 1]")),
        ("x**2 <= 2*x", dict(x="[0, 2]")),  # tight at both ends, and the slopes lead there
        ("x*y*(1 - x) <= 1/3", dict(x="[0, 1]", y="(0, 1)")),
        ("abs(x - y) + Max(x, y) <= 21/10", dict(x="[0, 1]", y="[0, 1]")),
        ("x <= 3/2", dict(x="[0, sqrt(2))")),
        ("x**k <= 1", dict(k="1..20", x="[0, 1]")),
        ("x*y*z < 9/2", dict(x="[0, 1]", y="[0, 2]", z="[0, 2]", assume="x + y <= 2")),
        (
            "x*y <= 3/10",
            dict(x="[0, 1]", y="[0, 1]", assume="x + y <= 1"),
        ),  # false without the assumption
        ("effective_rank <= 21/20 + 4*smallest_eigenvalue", dict(over="spectra", n=2)),
        (
            "effective_rank <= 2 + 6*smallest_eigenvalue - alpha/20",
            dict(over="spectra", n="1..3", alpha="[0, 1]", assume="smallest_eigenvalue >= 1/20"),
        ),
        ("r*x <= 4", dict(n="1..3", x="[0, 1]", computed={"r": lambda n: Fraction(n)})),
    ],
    ids=shown,
)
def test_true_claims_with_room_are_covered(claim: str, options: Any) -> None:
    found = bounded(claim, **options)
    assert found is not None
    assert found.complete, found
    assert found.settled


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("exp(-10**8*(x-314159/1000003)**2) <= 1/2", dict(x="[0, 1]")),
        ("exp(-10**6*((x-1/7)**2 + (y-5/11)**2)) < 1/2", dict(x="[0, 1]", y="[0, 1]")),
        (
            "effective_rank + exp(-10**9*(smallest_eigenvalue-142857/1000003)**2) <= 41/20 + 3*smallest_eigenvalue",
            dict(over="spectra", n="2..3"),
        ),
        ("x <= 99/100", dict(x="[0, 1]")),
        ("x*k <= 3", dict(k="1..4", x="[0, 4/5]")),
        ("-exp(-10**8*(x-1/3)**2) >= -1/2", dict(x="[0, 1]")),
    ],
    ids=shown,
)
def test_a_thin_violation_is_found(claim: str, options: Any) -> None:
    found = bounded(claim, **options)
    assert found is not None
    assert found.witness is not None
    assert not found.complete


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("exp(x) >= 1 + x", dict(x="[-1, 1]")),  # tight inside
        ("x < 1", dict(x="[0, 1)")),  # tight at an end that is not there
        ("log(x) <= x - 1/2", dict(x="(0, 1]")),  # not enclosed at an end that is not there
        ("x/(x**2 + 1) <= 1/2", dict(x="[0, 3]")),
        (
            "orthogonality_gap <= sqrt(2)*smallest_eigenvalue_gap",
            dict(over="spectra", n=2),
        ),  # the sides are equal
    ],
    ids=shown,
)
def test_what_is_tight_stays_open_and_no_witness_is_made_up(claim: str, options: Any) -> None:
    found = bounded(claim, **options)
    assert found is not None
    assert found.open
    assert 0 < found.share <= 1
    assert found.share < 1e-6 or "smallest" in claim
    assert found.witness is None


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("x <= 2", dict(x="[0, oo)")),
        ("n <= 2*n", dict(n="1..9")),
        ("n*x <= 2*n", dict(n="1..", x="[0, 1]")),
        ("a + b + c + e <= 5", dict(a="[0, 1]", b="[0, 1]", c="[0, 1]", e="[0, 1]")),
        ("n*x <= 2*n", dict(n="1..201", x="[0, 1]")),
        ("x*y <= 2", dict(x="[1/2, 1]", y="[0, 1/x]")),
        ("r <= 2", dict(x="[0, 1]", computed={"r": lambda x: x})),
        ("effective_rank <= n*(1 - orthogonality_gap**2/4)", dict(over="spectra", n="2..4")),
        (
            "orthogonality_gap <= orthogonality_gap_0",
            dict(chain="rescale", quantifier="mean field", n=2, ell=1),
        ),
    ],
    ids=shown,
)
def test_what_is_no_few_boxes_is_left_alone(claim: str, options: Any) -> None:
    assert bounded(claim, **options) is None


@pytest.mark.parametrize("domain", ["[-1, 1]", "(-1, 1]", "[-1, 1)", "(-1, 1)"])
def test_where_sides_touch_inside_is_told_whatever_the_ends(domain: str) -> None:
    found = bounded("exp(x) >= 1 + x", x=domain)
    assert found is not None
    assert found.touching
    assert all(abs(point["x"]) < 1e-5 for point in found.touching)


@pytest.mark.parametrize(("claim", "domain"), [("x < 1", "[0, 1)"), ("x > 0", "(0, 1]")])
def test_sides_that_touch_at_an_end_that_is_not_there_touch_nowhere(
    claim: str, domain: str
) -> None:
    found = bounded(claim, x=domain)
    assert found is not None
    assert found.open
    assert found.touching == ()


def test_a_jump_has_no_slope_that_says_so() -> None:
    """The slopes of a step are 0 on both sides; taken at their word they would cover a false claim."""
    x = sp.Symbol("x", nonnegative=True)
    bump = sp.Piecewise((1, sp.And(5 * x >= 2, 5 * x <= 3)), (0, True))
    statement = replace(
        conjecture("x <= 1/2", x="[0, 1]", name="c").statement(falsify=False), lhs=bump
    )
    found = cover(
        statement,
        [Region({}, ("x",), ((flint.fmpq(0), flint.fmpq(1)),))],
        lambda values: 2 <= 5 * values["x"] <= 3,
    )
    assert found.witness is not None


def test_a_part_without_a_value_is_not_covered() -> None:
    """1/x drops out of the difference of the sides, and has no value at 0."""
    x = sp.Symbol("x", real=True)
    whole = conjecture("x <= 3", x="[-1, 2]", name="c").statement(falsify=False)
    parted = replace(whole, lhs=x + 1 / x, rhs=3 + 1 / x)
    region = Region({}, ("x",), ((flint.fmpq(-1), flint.fmpq(2)),))
    assert cover(whole, [region], lambda _: False).complete
    assert cover(parted, [region], lambda _: False).open


def test_a_search_is_given_up_and_says_how_much_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covering, "MOST_BOXES", 3)
    found = bounded("exp(x) >= 1 + x - 1/1000", x="[-1, 1]")
    assert found is not None
    assert (found.open > 0, found.complete, found.witness) == (True, False, None)
    assert found.settled == 0, "the fourth box would be"
    assert found.share > 0.2


def test_what_boxes_cost_grows_with_the_terms_of_a_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covering, "MOST_OPERATIONS", 2000)
    x, k = sp.Symbol("x", real=True), sp.Symbol("k", integer=True)
    whole = conjecture("x <= 3", x="[-1, 2]", name="c").statement(falsify=False)
    region = Region({}, ("x",), ((flint.fmpq(-1), flint.fmpq(2)),))

    def met(terms: int, before: int = 0) -> int:
        looks: list[None] = []
        powers = sp.Sum(x**k, (k, before + 1, before + terms))
        claim = replace(whole, lhs=powers, relation="==", rhs=sp.S.Zero)
        cover(claim, [region], lambda _: False, lambda: looks.append(None) is not None)
        return len(looks)

    assert met(1) > met(2) > met(3) > met(10)
    assert met(3, before=-2) == met(3) == met(3, before=7)


def test_a_point_counts_only_once_it_is_decided() -> None:
    statement = conjecture("x <= 1/2", x="[0, 1]", name="c", sentinel="-1").statement(falsify=False)
    asked: list[Any] = []

    def never(values: Any) -> bool:
        asked.append(values)
        return False

    found = cover(
        statement,
        [Region({}, ("x",), ((flint.fmpq(0), flint.fmpq(1)),))],
        never,
        lambda: len(asked) > 20,
    )
    assert asked
    assert found.witness is None
    assert not found.complete


@pytest.mark.parametrize("domain", ["[0, sqrt(2)]", "(1/3, sqrt(7)]", "[-1, 1)"])
def test_the_hull_of_a_domain_is_no_smaller_and_hardly_larger(domain: str) -> None:
    (found,) = conjecture("x <= 4", x=domain, name="c", sentinel="-9").space.domains
    hull = found.hull({})
    assert hull is not None
    ends = [sp.Rational(end.numerator, end.denominator) for end in hull]
    assert ends[0] <= found.set.start
    assert ends[1] >= found.set.end
    assert all(
        abs(sp.N(a - b, 30)) < 1e-9
        for a, b in zip(ends, (found.set.start, found.set.end), strict=True)
    )
