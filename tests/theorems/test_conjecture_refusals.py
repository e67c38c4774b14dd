"""What is refused of a claim, in one line, before anything runs."""

from fractions import Fraction
from typing import Any

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators import rescale_chain
from theorems import ClaimError, conjecture, verify

SAMPLED: dict[str, Any] = dict(
    chain="rescale", n="2..3", d="64..128", ell=12, assume="smallest_eigenvalue_0 >= 1/(4*n)"
)


@pytest.mark.parametrize("sizes", [{"ell": 10**9}, {"d": 10**9}, {"ell": "10**6..", "d": 1000}])
def test_sizes_that_cannot_be_simulated_are_refused(sizes: dict[str, Any]) -> None:
    claim = conjecture(
        "orthogonality_gap <= 1/2", chain="rescale", name="c", **{"n": 2, "d": 8, "ell": 2} | sizes
    )
    with pytest.raises(ClaimError, match="declare smaller sizes"):
        claim.statement()


@pytest.mark.parametrize(
    ("claim", "options", "words"),
    [
        ("orthogonality_gap <= z", SAMPLED, "'z' is neither declared nor a quantity"),
        ("orthogonalty_gap <= 1/d", SAMPLED, "did you mean orthogonality_gap"),
        ("spectrum <= 1/d", SAMPLED, "neither declared|vector"),
        ("orthogonality_gap <= 2", SAMPLED, "vacuous everywhere"),
        ("orthogonality_gap >= 0", SAMPLED, "vacuous everywhere"),
        ("effective_rank <= 1/d", SAMPLED, "out of range everywhere.*units"),
        ("probability <= 3/2", SAMPLED | {"event": "effective_rank >= 2"}, "vacuous everywhere"),
        ("orthogonality_gap <= 1/d", SAMPLED | {"chain": "rescal"}, "did you mean 'rescale'"),
        ("orthogonality_gap <= 1/d", SAMPLED | {"chain": rescale_chain(8)}, "one width"),
        ("orthogonality_gap <= 1/d", SAMPLED | {"chain": lambda width: 3}, "returns a Chain"),
        ("orthogonality_gap <= 1/d", SAMPLED | {"n": "8..2"}, "empty"),
        ("orthogonality_gap <= 1/d", SAMPLED | {"n": "200..300"}, "never fit into a width"),
        (
            "orthogonality_gap <= 1/d",
            SAMPLED | {"assume": "n >= 5"},
            "nothing meets the assumptions",
        ),
        (
            "orthogonality_gap <= 1/d",
            SAMPLED | {"assume": "orthogonality_gap <= 1"},
            "write orthogonality_gap_0",
        ),
        (
            "orthogonality_gap <= 1/d",
            SAMPLED | {"quantifier": "expection"},
            "did you mean expectation",
        ),
        ("orthogonality_gap <= 1/d", SAMPLED | {"expected": "suported"}, "did you mean supported"),
        ("orthogonality_gap <= 1/d", SAMPLED | {"observable": "effective_rank"}, "does not occur"),
        ("orthogonality_gap <= 1/d", SAMPLED | {"observable": "gram"}, "n × n matrix"),
        ("orthogonality_gap <= 1/d", SAMPLED | {"over": "spectra"}, "without a chain"),
        ("orthogonality_gap <= 1/d", {"chain": "rescale", "n": 2, "d": 64}, "no ell, the depth"),
        (
            "effective_rank <= d/2",
            {"chain": "residual", "n": 1, "d": 1, "ell": 3, "gamma": "1/10"},
            "d=1: the chain residual needs 2 rows or more",
        ),
        (
            "orthogonality_gap <= 1/d",
            SAMPLED | {"n": 1},
            r"vacuous everywhere: orthogonality_gap lies in \[0, 0\]",
        ),
        (
            "orthogonality_gap <= 1/d",
            {"chain": "residual", "n": 2, "d": 64, "ell": 3},
            "no gamma, the parameter of the chain",
        ),
        ("n <= d", SAMPLED, "compares a quantity at layer ell with a bound; it names none"),
        (
            "probability >= 1/2",
            SAMPLED | {"event": "effective_rank >= 1"},
            "always happens, as effective_rank lies",
        ),
        ("probability <= 1/2", SAMPLED | {"event": "effective_rank < 1"}, "never happens"),
        ("probability <= 1/2", SAMPLED | {"event": "n < effective_rank"}, "never happens"),
        (
            "slope <= 1000",
            SAMPLED | {"quantifier": "limit", "observable": "orthogonality_gap"},
            "about an exponent reads",
        ),
        ("x <= x + 1", {"x": "[0, 1]"}, "the sides differ by a constant"),
        ("x == x", {"x": "[0, 1]"}, "by a constant"),
        (
            "2*probability <= 1",
            SAMPLED | {"event": "effective_rank >= 2"},
            "probability alone on one side",
        ),
        ("orthogonality_gap != 1/d", SAMPLED, "holds almost everywhere"),
        ("orthogonality_gap <= 1/d", SAMPLED | {"quantifier": "limit"}, "about the slope"),
        (
            "orthogonality_gap <= 1/d",
            SAMPLED | {"quantifier": "mean field", "chain": "batchnorm(tanh)"},
            "no known map",
        ),
        ("orthogonality_gap <= 1/2", {}, "say of which"),
        ("cosine <= 1/2", {"over": "spectra"}, "use over='matrices'"),
        ("soft_rank(2) <= 1", {"over": "spectra"}, r"lies in \[0, 1\]"),
        ("x <= 1", {"x": "[0, 2]", "over": "spectre"}, "did you mean spectra"),
        ("1/x <= 2", {"x": "[0, 1]"}, "undefined"),
        ("log(x) <= 2", {"x": "[-1, 1]"}, "undefined"),
        ("x <= 1", {"x": 0.5}, "floats are not exact"),
        ("x <= 1", {"cosine": 1}, "meaning of its own"),
        (lambda x: x <= 0.5, {"x": "[0, 1]"}, "is a float"),
        (lambda y: y <= 1, {"x": "[0, 1]"}, "'y' is neither declared"),
        (lambda x: x + 1, {"x": "[0, 1]"}, "want text or a SymPy relation"),
        (lambda x: x == 1, {"x": "[0, 1]"}, "sp.Eq"),
        (lambda x: x >= 0, {"x": "[0, 1]"}, "always true"),
        (lambda x: sp.Symbol("t") <= x, {"x": "[0, 1]"}, "'t'"),
        (
            lambda x: sp.gamma(x + 1) <= 3,
            {"x": "[0, 1]"},
            "cannot be evaluated exactly.*it has gamma",
        ),
        (lambda *x: x, {"x": "[0, 1]"}, "one by one"),
        (3, {}, "want text or a SymPy relation"),
        ("cosine <= 1/2", {"over": "matrices"}, "at least 2 samples"),
        (
            "soft_rank(1e999999999) <= n",
            {"over": "spectra", "d": "4..8"},
            "the threshold is a number",
        ),
        ("x <= 1", {"x": "1..10**400"}, "too far to try"),
        ("x <= 1", {"x": f"[0, {'9' * 200}]"}, "too far to try"),
        ("x <= 10**1000", {"x": "[0, 1]"}, "beyond all floats"),
        ("2 <= 1", {}, "names no symbol"),
        ("x*y <= 1", {"x": "[0, 1]", "y": "[0, 1/x]"}, "undefined at x=0"),
        ("x <= 1", {"x": "[0, 2]", "spectrum": "[0, 1]"}, "meaning of its own"),
        ("x <= 1", {"x": "[0, 2]", "effective_rank_0": "[0, 1]"}, "meaning of its own"),
        ("x <= 1", {"x": "[0, 2]", "assume": 5}, "the assumption is an int"),
        ("x <= 1", {"x": "[0, 2]", "sentinel": 3}, "as text"),
        ("x <= 1", {"x": "[0, 2]", "computed": 3}, "want a dict"),
        ("x <= 1", {"x": "[0, 2]", "observable": 3}, "no name of a quantity"),
        (lambda x: sp.Eq(x, sp.I * x), {"x": "[0, 1]"}, "I is not a real number"),
        (lambda x: sp.Le(x, sp.oo * x, evaluate=False), {"x": "[0, 1]"}, "oo is not a real number"),
        (lambda x: sp.Eq(x, sp.nan, evaluate=False), {"x": "[0, 1]"}, "nan is not a real number"),
        (
            "x <= 1",
            {
                "x": "[0, 1]",
                "assume": sp.Eq(sp.Symbol("x", nonnegative=True, real=True), sp.I, evaluate=False),
            },
            "I is not a real number",
        ),
        (lambda x: sp.GoldenRatio - 1 <= x, {"x": "[0, 1]"}, "it has GoldenRatio"),
        (lambda k: sp.Mod(k, 3) <= 2, {"k": "0..9"}, "it has Mod"),
        (lambda x: sp.Integral(x, x) <= 2, {"x": "[0, 1]"}, "it has Integral"),
        (
            lambda x: sp.Piecewise((x, x < sp.Rational(1, 2))) <= 1,
            {"x": "[0, 1]"},
            "has no value where",
        ),
        (lambda x: x <= 10**5000, {"x": "[0, 1]"}, "more than 4096 bits"),
        (lambda x: x ** (10**9) <= x, {"x": "[0, 1]"}, "exponents are at most 1000"),
        ("x <= 1", {"x": 10**5000}, "more than 4096 bits"),
        ("x <= 1", {"x": sp.I}, "want '2..8'"),
        ("x <= 1", {"x": sp.Range(0, 10, 2)}, "step 1"),
        ("x <= 1", {"x": sp.Range(5, 0, -1)}, "step 1"),
        ("x <= 1", {"x": sp.Interval(0, sp.Symbol("a"))}, "'a' is not declared before it"),
        ("x <= 1", {"x": sp.Interval(0, 0.5)}, "floats are not exact"),
        ("x <= 1", {"x": "[0, 1]", "a b": "[0, 1]"}, "no name of letters"),
        (lambda lam: lam <= 1, {"over": "spectra", "n": 2}, "a whole family"),
        (lambda lam: lam[5] <= 1, {"over": "spectra", "n": "2..8"}, "undefined at n=2.* not there"),
        (lambda lam: lam[-1] <= 1, {"over": "spectra", "n": 2}, "counted from 0"),
        (lambda A: A[0] <= 1, {"over": "matrices", "n": 2, "d": 2}, "counted from 0"),
        ("x <= 1", {"x": "[0, 2]", "computed": {3: lambda x: x}}, "no name of letters"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line_before_anything_runs(
    claim: Any, options: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise RuntimeError("a simulation ran")

    monkeypatch.setattr("theorems.checking.drawn_networks.simulate", never)
    with pytest.raises(ClaimError, match=words) as caught:
        conjecture(claim, name="mine", **options)
    assert str(caught.value).startswith("mine: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"name": "a\nb"}, "name="),
        ({"name": "../up"}, "letters, digits"),
        ({"name": 3}, "name=3"),
        ({"name": "\udc80"}, "name="),
        ({"name": "a" * 400}, "at most 200"),
        ({"title": "\x1b[31m"}, "title="),
        ({"title": 3}, "title=3"),
    ],
)
def test_labels_that_do_not_fit_on_a_line_are_refused(options: Any, words: str) -> None:
    with pytest.raises(ClaimError, match=words) as caught:
        conjecture("x <= 1", x="[0, 2]", **options)
    assert str(caught.value).isprintable()


@pytest.mark.filterwarnings("error")
def test_functions_that_are_no_plain_ones_are_refused() -> None:
    async def later(x: Any) -> Any:
        return x <= 1

    def several(x: Any) -> Any:
        yield x <= 1

    for function in (later, several):
        with pytest.raises(ClaimError, match="async or a generator"):
            conjecture(x="[0, 2]")(function)


words = st.sampled_from(
    [
        "x",
        "0",
        "1",
        "n",
        "d",
        "[0, 1]",
        "2..3",
        "rescale",
        "orthogonality_gap <= 1/d",
        "x <= 1",
        "spectra",
        "probability >= 1/2",
        "effective_rank >= 2",
        "limit",
        "",
        "::",
        "9**9**9 <= 1",
        "x <= n**x",
    ]
)


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "chain",
                "over",
                "quantifier",
                "observable",
                "assume",
                "event",
                "sentinel",
                "n",
                "d",
                "ell",
                "x",
                "expected",
            ]
        ),
        words,
        max_size=5,
    ),
    words,
)
def test_any_declaration_gives_a_claim_or_one_clear_line(
    options: dict[str, str], claim: str
) -> None:
    try:
        conjecture(claim, name="c", **options)
    except ClaimError as error:
        refusal = str(error)
    else:
        refusal = ""
    assert "\n" not in refusal


@pytest.mark.parametrize(
    ("computed", "options", "words"),
    [
        ({"r": lambda x: 0.5}, {}, "came out as a float"),
        ({"r": lambda z: 1}, {}, "'z', which is not declared"),
        ({"r": lambda x: sp.I * x}, {}, "no exact real number"),
        ({"r": lambda x: sp.Symbol("t")}, {}, "no exact real"),
        ({"r": lambda x: sp.Float(0.5)}, {}, "no exact real number"),
        ({"r": min}, {}, "does not tell its parameters"),
        ({"r": lambda x: exit(3)}, {}, "SystemExit: 3"),
        ({"r": 3}, {}, "is no function"),
        ({"cosine": lambda x: x}, {}, "meaning of its own"),
        ({"r": lambda x: x}, {"chain": "rescale", "n": 2, "d": 8, "ell": 2}, "without a chain"),
    ],
)
def test_computed_quantities_that_do_not_fit_are_refused(
    computed: Any, options: Any, words: str
) -> None:
    with pytest.raises(ClaimError, match=words):
        conjecture("r <= 1 + x", x="[0, 1]", computed=computed, name="c", **options)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (3, "no Hypothesis strategy"),
        (st.integers(), "want a dict of x"),
        (st.just({"x": 0.5}), "not exact"),
        (st.just({"x": 1, "y": 1}), "want a dict of x"),
    ],
)
def test_minibatch_averages_that_do_not_fit_are_refused_before_a_run(draw: Any, words: str) -> None:
    with pytest.raises(ClaimError, match=words):
        conjecture("x <= 2 - x/2", x="[0, 1]", draw=draw, name="c")


def test_a_strategy_that_fails_during_a_run_gives_one_clear_line() -> None:
    stated = False

    def fail_late(k: int) -> dict[str, Any]:
        if stated:
            raise KeyError("late")
        return {"x": Fraction(k, 1000)}

    claim = conjecture(
        "x**2 <= exp(x) - 1/2", x="[0, 1]", draw=st.integers(0, 1000).map(fail_late), name="c"
    )
    statement = claim.statement(falsify=False)
    stated = True
    with pytest.raises(ClaimError) as caught:
        verify([statement])
    assert str(caught.value) == "draw= raised KeyError: 'late'"


@pytest.mark.parametrize(
    ("over", "drawn"),
    [
        ("matrices", {"n": 1, "d": 2, "matrix": 3}),
        ("matrices", {"n": 1, "d": 2, "matrix": ()}),
        ("matrices", {"n": 1, "d": 2, "matrix": ((),)}),
        ("matrices", {"n": (1,), "d": 2, "matrix": ((1,), (2,))}),
        ("spectra", {"n": 2, "spectrum": ((1,), (1,))}),
        ("spectra", {"n": 2, "spectrum": 1}),
    ],
)
def test_minibatch_averages_of_the_wrong_shape_are_refused(over: str, drawn: Any) -> None:
    with pytest.raises(ClaimError, match="list of rows"):
        conjecture(
            "effective_rank <= n - 1/4",
            over=over,
            name="c",
            draw=st.just(drawn),
            **({"d": "1..3"} if over == "matrices" else {}),
        )
