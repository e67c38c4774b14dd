"""The whitelist parser: what it reads, what it refuses, and that nothing else ever comes out of it."""

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from theorems.workbench.domains import read_domain
from theorems.workbench.parsing import FUNCTIONS, ClaimError, read_claim, read_expression

x = sp.Symbol("x", real=True)
y = sp.Symbol("y", positive=True)
NAMES = {"x": x, "y": y}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", sp.Rational(1, 10)),
        ("1e-3", sp.Rational(1, 1000)),
        ("3*y**-0.5", 3 / sp.sqrt(y)),
        ("-x**2", -(x**2)),
        ("(x + 1)/2 - 1/3", x / 2 + sp.Rational(1, 6)),
        ("0.1 + 0.2", sp.Rational(3, 10)),
        ("sqrt(y)*log(y) + exp(-x)", sp.sqrt(y) * sp.log(y) + sp.exp(-x)),
        ("Max(x, 1, min(y, 2))", sp.Max(x, 1, sp.Min(y, 2))),
        ("abs(x)", sp.Abs(x)),
        ("  x\n + 1 ", x + 1),
        ("1_000", sp.Integer(1000)),
        ("2**-3", sp.Rational(1, 8)),
    ],
)
def test_reads_exactly(text: str, value: sp.Expr) -> None:
    assert read_expression(text, NAMES) == value


@pytest.mark.parametrize(
    ("text", "relation"), [("x <= 1", "<="), ("x < y", "<"), ("1 >= x", ">="), ("x == 2", "==")]
)
def test_reads_a_comparison(text: str, relation: str) -> None:
    assert read_claim(text, NAMES).relation == relation


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("x + 1", "compares nothing"),
        ("0 <= x <= 1", "more than two sides"),
        ("x = 1", "write =="),
        ("x ^ 2 <= 1", r"write \*\*"),
        ("x ≤ 1", "plain ASCII"),
        ("x <= 9**9**9", "exponents are at most"),
        ("x <= 2**999**2", "exponents"),
        ("x <= ((x**900)**900)", "exponents"),
        ("x <= z", "'z' is neither declared"),
        ("x <= sqt(y)", "did you mean sqrt"),
        ("x <= 1/0", "divides by zero"),
        ("x <= sqrt(-1)", "not a real number"),
        ("x <= log(0)", "not a real number"),
        ("x <= sqrt", "is a function"),
        ("x <= sqrt(1, 2)", "argument"),
        ("x <= Max()", "argument"),
        ("x <= abs(*x)", "plain formulas"),
        ("x <= 10**400*10**400*10**500", "bits"),
        ("x <= 1e9999", "too large"),
        ("x <= True", "no number"),
        ("x <= 1j", "no number"),
        ("x <= 'a'", "no number"),
        ("x in y", "want one of"),
        ("x <= y.real", "not read"),
        ("x <= [1][0]", "not read"),
        ("x <= (x if y else 1)", "not read"),
        ("x <= (lambda: 1)()", "no function"),
        ("__import__('os').system('true') <= 1", "no function"),
        ("x <= y // 2", "allowed between formulas"),
        ("x <= (", "not a formula"),
        ("x <= x**sqrt(2)", "positive base"),
        ("x <= " + "(" * 60 + "x" + ")" * 60, "nests"),
        ("x <= " + "+".join(["x"] * 100), "nests deeper"),
        ("x <= " + "-" * 1500 + "x", "deeper|not a formula"),
        ("x <= " + "1" * 3000, "characters"),
        ("x <= 1\x00", "not read"),
    ],
)
def test_refuses_in_one_line(text: str, words: str) -> None:
    with pytest.raises(ClaimError, match=words) as caught:
        read_claim(text, NAMES)
    assert "\n" not in str(caught.value)


atoms = st.sampled_from(
    [
        "x",
        "y",
        "z",
        "1",
        "0",
        "2.5",
        "1e3",
        "9",
        "sqrt",
        "exp(x)",
        "log(y)",
        "()",
        "[x]",
        "True",
        "''",
    ]
)
formulas = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(
            inner,
            st.sampled_from([" + ", "-", "*", "/", "**", "//", "%", "@", "&", " if ", ".", ":="]),
            inner,
        ).map("".join),
        inner.map(lambda s: f"({s})"),
        inner.map(lambda s: f"-{s}"),
        st.tuples(st.sampled_from([*FUNCTIONS, "eval", "open"]), inner).map(
            lambda p: f"{p[0]}({p[1]})"
        ),
    ),
    max_leaves=25,
)


@settings(max_examples=300)
@given(
    st.text(max_size=200)
    | formulas
    | st.tuples(formulas, st.sampled_from(["<=", "==", ">", " in "]), formulas).map("".join)
)
@example("9**9**9 <= x")
@example("x**-(9**9) <= 1")
@example("((((((2**60)**60)**60)))) <= x")
@example("exp(exp(exp(999))) <= x")
@example("(x+y+1)**900 <= 1")
@example("{x: y} <= 1")
def test_any_text_gives_a_relation_or_one_clear_line(text: str) -> None:
    try:
        found = read_claim(text, NAMES)
    except ClaimError as error:
        refusal: str | None = str(error)
    else:
        refusal = None
    if refusal is not None:
        assert refusal
        assert "\n" not in refusal
        return
    for side in (found.lhs, found.rhs):
        assert isinstance(side, sp.Expr)
        assert side.free_symbols <= {x, y}
        assert not side.atoms(sp.Float)
        assert not side.has(sp.nan, sp.zoo, sp.oo, sp.I)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("2..8", sp.Range(2, 9)),
        ("16..", sp.Range(16, sp.oo)),
        (range(2, 9), sp.Range(2, 9)),
        ("(0, 1/2]", sp.Interval.Lopen(0, sp.Rational(1, 2))),
        ("[0, oo)", sp.Interval(0, sp.oo)),
        (3, sp.Integer(3)),
        (Fraction(1, 3), sp.Rational(1, 3)),
        ("0.1", sp.Rational(1, 10)),
        ("(0, 1/y]", sp.Interval.Lopen(0, 1 / y)),
    ],
)
def test_reads_domains(given: object, found: sp.Set) -> None:
    assert read_domain("a", given, NAMES) == found


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("8..2", "empty"),
        ("[1, 0]", "empty"),
        (0.1, "floats are not exact"),
        (None, "want '2..8'"),
        ("1/2..3", "not a whole number"),
        ("[0, z]", "neither declared"),
        ("[1, 1]", "single point"),
        (range(0, 9, 2), "step 1"),
        ("2..x", "not a whole number"),
        ("[0, 1", "want"),
        (True, "want"),
    ],
)
def test_refuses_domains(given: object, words: str) -> None:
    with pytest.raises(ClaimError, match=words):
        read_domain("a", given, NAMES)


@given(st.text(alphabet="0123456789.,()[]oonx/-* ", max_size=25))
def test_any_domain_text_gives_a_domain_or_one_clear_line(text: str) -> None:
    try:
        found = read_domain("a", text, NAMES)
    except ClaimError as error:
        refusal = str(error)
    else:
        refusal = ""
        # 1/x is real where it has a value
        real = found.is_real is not False if found.free_symbols else found.is_real
        assert isinstance(found, sp.Range | sp.Interval) or real
    assert "\n" not in refusal
