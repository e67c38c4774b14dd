"""One meaning of a claim about every input whose sides have no value somewhere: refused there, or
refuted there.
"""

from fractions import Fraction
from typing import Any

import flint
import pytest
import sympy as sp

from theorems import ClaimError, conjecture, verify
from theorems.checking.pointwise import decide
from theorems.expressions import compiled
from theorems.proofs.printer import proposition
from theorems.statement import Evidence, Verdict
from theorems.workbench.conjecture import name_of
from theorems.workbench.parsing import read_claim

x = sp.Symbol("x", real=True)
k = sp.Symbol("k", integer=True)
NAMES = {
    "x": x,
    "k": k,
    "m": sp.Symbol("m", integer=True, positive=True),
    "y": sp.Symbol("y", nonnegative=True),
}


def run(claim: Any, **options: Any) -> tuple[Verdict, Evidence]:
    result = verify([conjecture(claim, name="c", **options).statement()])[0]
    assert not result.weak_sentinels
    refuting = [e for e in result.evidence if e.verdict is Verdict.REFUTED]
    return result.verdict, (refuting or result.evidence)[-1]


# --- what the reader sees -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x**2/x <= 1", {"Ne(x, 0)"}),
        ("x/x <= m", {"Ne(x, 0)"}),
        ("0*log(x) <= 1", {"x > 0"}),
        ("min(1/x, 1) <= 1", {"Ne(x, 0)"}),
        ("sqrt(x)**2 <= 1", {"x >= 0"}),
        ("exp(log(x)) <= 1", {"x > 0"}),
        ("x**-1*x <= 1", {"Ne(x, 0)"}),
        ("x**(1/3) <= 1", {"x >= 0"}),
        ("x**(-1/2) <= 1", {"x >= 0", "Ne(x, 0)"}),
        ("1/(1/x) <= 1", {"Ne(x, 0)"}),
        ("1 <= 1/((x - 2)*(x + 1)**3)", {"Ne(x - 2, 0)", "Ne(x + 1, 0)"}),
        ("1/abs(x - 1)**2 <= 1", {"Ne(x - 1, 0)"}),
        ("1/m + sqrt(y) <= 1", set()),
        ("x**0 + x**3 <= 1", set()),
        ("m**k <= 3", set()),
        ("y**k <= 3", {"Ne(Piecewise((y, k < 0), (1, True)), 0)"}),
        ("x - x/m <= 1", set()),
        ("((x - 2)/(x + 1))**k <= 3", {"Ne(x + 1, 0)", "(x - 2)/(x + 1) > 0"}),
        ("(1 - 2**(-m))**k <= 3", {"1 - 1/2**m > 0"}),
    ],
)
def test_conditions_are_read_from_the_syntax_before_sympy_simplifies(
    text: str, wanted: set[str]
) -> None:
    assert {str(c.relation) for c in read_claim(text, NAMES).conditions} == wanted


# --- refused at the door, naming the point --------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "options", "point"),
    [
        ("x**2/x <= 1", {"x": "[-1, 1]"}, "x=0: x[*][*]2/x divides by x.*assume='x != 0'"),
        ("min(1/x, 1) <= 1", {"x": "[0, 1]"}, "x=0: 1/x divides by x"),
        ("0*log(x) <= x", {"x": "[0, 1]"}, "x=0: log[(]x[)] takes the logarithm of x"),
        ("sqrt(x)**2 <= 1", {"x": "[-1, 1]"}, "x=-1: sqrt[(]x[)] takes the root of x"),
        ("x**(1/3) <= 1", {"x": "[-1, 1]"}, "x=-1: x[*][*][(]1/3[)] takes the root of x"),
        ("x*(1/k) <= 1", {"k": "0..5", "x": "[0, 1]"}, "k=0"),
        (
            "1/(617 - k) - 1/(617 - k) <= 1/k",
            {"k": "1..900"},
            "k=617: 1/[(]617 - k[)] divides by 617 - k",
        ),
        ("y**k <= 3", {"y": "[0, 1]", "k": "-2..2"}, "y=0, k=-2|k=-2, y=0"),
        (
            lambda x: sp.acos(2 * x) <= 4,
            {"x": "[0, 1]"},
            "x=1: acos[(]2[*]x[)] takes the arc cosine of 2[*]x",
        ),
        (lambda lam, n: lam[n - 3] <= 1, {"over": "spectra", "n": "2..8"}, "n=2.*not there"),
        (lambda A, d: A[3, 0] <= d, {"over": "matrices", "n": 2, "d": "2..5"}, "d=2.*not there"),
        (
            "cosine <= 1/2",
            {"over": "matrices", "n": 2, "d": "2..3"},
            "a sample that is 0 has no cosine.*assume='alive'",
        ),
        (
            "mean_absolute_cosine <= 1/2",
            {"over": "matrices", "n": 3, "d": 3},
            "a sample that is 0 has no cosine",
        ),
        (
            "orthogonality_gap <= 1/orthogonality_gap",
            {"over": "spectra", "n": "2..4"},
            "n=2, spectrum=.1/2, 1/2.",
        ),
        (
            "orthogonality_gap <= 1/orthogonality_gap_0",
            {"chain": "rescale", "n": 2, "d": 8, "ell": 2},
            "spectrum=.1/2, 1/2.",
        ),
    ],
)
def test_a_side_without_a_value_is_refused_where_that_is_seen(
    claim: Any, options: Any, point: str
) -> None:
    with pytest.raises(ClaimError, match=f"undefined at .*({point})") as caught:
        conjecture(claim, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("assumed", "verdict"),
    [("smallest_eigenvalue_0 >= 1/4", Verdict.SUPPORTED), ((), Verdict.REFUTED)],
)
def test_a_mean_of_a_quotient_is_claimed_where_it_has_a_value(
    assumed: Any, verdict: Verdict
) -> None:
    """Two samples that are one keep the gap 1/√2."""
    claim = "orthogonality_gap**2/orthogonality_gap <= 1/2"
    options: dict[str, Any] = dict(chain="rescale", n=2, d=16, ell=2, assume=assumed)
    statement = conjecture(claim, name="c", **options).statement()
    assert verify([statement])[0].verdict is verdict


# --- refuted, where only a search finds the point -------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "options", "witness", "words"),
    [
        (
            "x/(x - 2/7)*(x - 2/7) <= 1",
            {"x": "[0, 1]"},
            {"x": "2/7"},
            "x/(x - 2/7) divides by x - 2/7",
        ),
        ("0*sqrt((x - 1/3)**2 - 1/10**6) <= x", {"x": "[1/4, 1]"}, None, "takes the root of"),
        ("1/(x - y) + 1/(y - x) <= 1 + y", {"x": "[0, 1]", "y": "[2/3, 3]"}, None, "divides by"),
        (
            "1/(1617 - k) - 1/(1617 - k) <= 1/k",
            {"k": "1..3000"},
            {"k": "1617"},
            "1/(1617 - k) divides by 1617 - k",
        ),
    ],
)
def test_a_side_without_a_value_is_refuted_there(
    claim: str, options: Any, witness: Any, words: str
) -> None:
    verdict, evidence = run(claim, **options)
    assert verdict is Verdict.REFUTED
    assert "undefined at" in evidence.summary
    assert words in evidence.summary
    if witness is not None:
        assert evidence.details["witness"] == witness


def test_an_exact_decision_at_an_undefined_point_is_no_and_says_which_part() -> None:
    statement = conjecture("x**2/x <= 1", x="[-1, 1]", assume="x != 0").statement()
    found = decide(statement, lambda: {"x": Fraction(0)})
    assert found.holds is False
    assert found.undefined is not None
    assert found.undefined.words == "x**2/x divides by x"
    assert decide(statement, lambda: {"x": Fraction(1, 2)}).holds is True
    # a ball about 0 leaves open whether there is a value: never true, and not false either
    assert decide(statement, lambda: {"x": flint.arb(0, 1e-9)}).holds is None
    # the false neighbour falls by its values alone
    assert decide(statement.neighbour, lambda: {"x": Fraction(0)}).holds is True


# --- mended by assumptions ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("x**2/x <= 1", {"x": "[-1, 1]", "assume": "x != 0"}),
        ("min(1/x, 1) <= 1", {"x": "[0, 1]", "assume": "x != 0"}),
        ("x/(x - 2/7)*(x - 2/7) <= 1", {"x": "[0, 1]", "assume": "x != 2/7"}),
        ("1/(617 - k) - 1/(617 - k) <= 1/k", {"k": "1..900", "assume": "k != 617"}),
        ("(x**2 - 2)/(x**2 - 2)*x <= 2", {"x": "[0, 2]", "assume": "x**2 != 2"}),
    ],
)
def test_what_is_assumed_away_need_not_be_defined(claim: str, options: Any) -> None:
    pytest.importorskip("z3")
    assert run(claim, **options)[0] is Verdict.CERTIFIED


@pytest.mark.usefixtures("some_draws")
def test_an_assumption_that_has_no_value_is_not_met() -> None:
    """x = 0 is outside where 1/x >= 1 is assumed, as it is where x/x >= 1/2 is."""
    for assumed in ("1/x >= 1", "x/x*y >= 1/9"):
        claim = conjecture("1/x >= y/3", x="[0, 1]", y="[0, 1]", assume=assumed)
        assert claim.statement().assumptions[0].conditions
        assert run("1/x >= y/3", x="[0, 1]", y="[0, 1]", assume=assumed)[0].holds


def test_zero_to_the_power_zero_is_one_in_every_arithmetic() -> None:
    y = sp.Symbol("y", nonnegative=True)
    for expression in (y**k, y**0 + 0 * k):
        function = compiled(sp.sympify(expression), (k, y))
        assert function.floats(0, 0.0) == 1
        assert function.exact(0, 0) == 1
        assert function.balls(0, 0) == 1
    verdict, evidence = run("0**abs(x - 1/3) <= 1/2", x="[1/3, 1]")
    assert verdict is Verdict.REFUTED
    assert "violated at" in evidence.summary
    assert "1/3" in evidence.summary


# --- carried along --------------------------------------------------------------------------------


def test_conditions_are_part_of_the_claim_and_hypotheses_of_what_is_printed() -> None:
    plain = conjecture("x <= 1", x="[-1, 1]", assume="x != 0")
    read = conjecture("x**2/x <= 1", x="[-1, 1]", assume="x != 0")
    assert plain.statement().lhs == read.statement().lhs
    assert name_of(plain) != name_of(read)
    assert proposition(read.statement()).count("x != 0 ->") == 2
    assert proposition(plain.statement()).count("x != 0 ->") == 1


def test_whether_both_sides_have_a_value_is_said_to_be_open_where_it_is() -> None:
    assert run("1/(exp(x) - 1 - log(1 + x + x**2)) <= 10**9", x="[1, 2]")[0] is Verdict.CERTIFIED
    touching = "exp(2*x) - 4*exp(x) + 4"  # 0 at log(2) alone, and nowhere below
    verdict, evidence = run(f"({touching})/({touching}) + x <= 3", x="[0, 1]")
    assert verdict is not Verdict.CERTIFIED
    assert f"left open (({touching})/({touching}) divides by {touching})" in evidence.summary


# --- between two inputs ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "domains"),
    [
        ("-1/(exp(x)-2)**2 <= 0", {}),
        ("log((exp(x)-2)**2) <= 10", {}),
        ("x/(exp(x)-2)/(x+1) <= 5", {}),
        ("-1/abs(exp(x)-k)**3 <= 0", {"k": "1..3"}),
        ("-1/(exp(x)-3*y-1/2)**2 <= 0", {"y": "[0,x]"}),
        ("-1/(log(x+2)-4/5)**2 <= 0", {}),
    ],
)
def test_a_transcendental_denominator_that_changes_its_sign_is_undefined_between(
    claim: str, domains: dict[str, str]
) -> None:
    with pytest.raises(ClaimError, match=r"undefined (somewhere between|at) x="):
        conjecture(claim, x="[0,1]", **domains).statement()


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("1/(exp(x)+1) <= 1", {}),
        ("-1/(exp(x)-x-1/2)**2 <= 0", {}),
        ("-1/(exp(x)-2)**2 <= 0", {"assume": "exp(x) != 2"}),
        ("x - 1/(exp(k)-5*m)**2 <= 1", {"k": "1..3", "m": "1..3"}),  # both signs, nothing between
    ],
)
def test_one_sign_or_an_assumption_leaves_a_transcendental_denominator_in_peace(
    claim: str, options: dict[str, str]
) -> None:
    assert conjecture(claim, x="[0,1]", **options).statement().title == claim
