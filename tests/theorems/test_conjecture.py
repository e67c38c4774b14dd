"""Stating claims: what becomes of them, and what is refused before anything runs."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import pytest
import sympy as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import theorems
from simulators import Chain, simulate
from simulators.documents import plain
from simulators.layers import Linear, Rescale
from theorems import ClaimError, Quantifier, Verdict, conjecture, verify
from theorems.workbench.everywhere import Everywhere

SAMPLED: dict[str, Any] = dict(
    chain="rescale", n="2..3", d="64..128", ell=12, assume="smallest_eigenvalue_0 >= 1/(4*n)"
)


def run(claim: Any, **options: Any) -> Any:
    return verify([claim.statement(falsify=False)], **options)[0]


def test_the_function_form_is_the_text_form() -> None:
    @conjecture(**SAMPLED)
    def gap_law(orthogonality_gap: Any, n: Any, d: Any) -> Any:
        """The mean gap is small.

        More words.
        """
        return orthogonality_gap <= 3 * sp.sqrt(n / d)

    text = conjecture("orthogonality_gap <= 3*sqrt(n/d)", name="gap_law", **SAMPLED)
    flipped = conjecture("3*sqrt(n/d) >= orthogonality_gap", name="gap_law", **SAMPLED)
    assert gap_law.title == "The mean gap is small"
    assert gap_law.name == "gap_law"
    assert gap_law.family == "test_conjecture"
    assert gap_law.quantifier is Quantifier.EXPECTATION
    for other in (text, flipped):
        assert (other.relation, other.quantity) == (gap_law.relation, gap_law.quantity)


def test_the_package_names_the_function_and_not_a_module() -> None:
    assert callable(theorems.conjecture)
    with pytest.raises(AttributeError, match="nothing"):
        theorems.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        (
            "orthogonality_gap <= sqrt(n*(n-1))*smallest_eigenvalue_gap",
            dict(over="spectra", n="1..5"),
        ),
        (
            "effective_rank >= 1/(1/n + orthogonality_gap**2)",
            dict(over="matrices", n="1..3", d="1..4"),
        ),
        ("soft_rank(1/2) >= effective_rank/4", dict(over="spectra", n="1..4", d="4..9")),
        # of more samples than rows some eigenvalues are 0
        ("soft_rank(1/2) >= effective_rank/4", dict(over="spectra", n="2..6", d="2..4")),
        (
            "orthogonality_gap <= orthogonality_gap_0",
            dict(chain="rescale", quantifier="mean field", n=2, ell="1..2"),
        ),
    ],
    ids=str,
)
def test_true_claims_over_a_continuum_are_supported_and_their_measured_neighbours_fall(
    claim: str, options: Any
) -> None:
    found = run(conjecture(claim, name="c", **options))
    assert found.verdict is Verdict.SUPPORTED
    assert found.as_expected
    assert [e.sentinel for e in found.evidence] == [Verdict.REFUTED]


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        (
            "orthogonality_gap <= 9/10*sqrt(n*(n-1))*smallest_eigenvalue_gap",
            dict(over="spectra", n="1..5"),
        ),
        (
            "orthogonality_gap <= orthogonality_gap_0/2",
            dict(chain="rescale", quantifier="mean field", n=2, ell="1..2"),
        ),
        ("sqrt(x*y) <= (x+y)/2 - x/100", dict(x="[0, 10]", y="[0, 10]")),
        ("cosine >= -1/2", dict(over="matrices", n=2, d="2..3", assume="alive")),
    ],
    ids=str,
)
def test_false_pointwise_claims_are_refuted(claim: str, options: Any) -> None:
    found = run(conjecture(claim, name="c", **options))
    assert found.verdict is Verdict.REFUTED
    assert not found.as_expected
    assert "witness" in found.evidence[0].details


@pytest.mark.parametrize(
    ("claim", "options", "verdict"),
    [
        ("orthogonality_gap <= 3*sqrt(n/d)", SAMPLED, "supported"),
        ("orthogonality_gap <= sqrt(n/d)/4", SAMPLED, "refuted"),
        ("orthogonality_gap >= sqrt(n/d)/9", SAMPLED, "supported"),
        (
            "effective_rank >= 1 + gamma",
            dict(
                chain="residual",
                n="2..3",
                d=16,
                ell=2,
                gamma="[1/10, 1/2]",
                assume="smallest_eigenvalue_0 >= 1/(2*n)",
            ),
            "supported",
        ),
        (
            "probability >= 1/2",
            dict(
                event="effective_rank >= 3/2",
                chain="batchnorm(tanh)",
                n=3,
                d=64,
                ell=4,
                assume="effective_rank_0 >= 5/2",
            ),
            "supported",
        ),
        # two of the three samples may be equal, and recentring then leaves one direction
        (
            "probability >= 1/2",
            dict(event="effective_rank >= 3/2", chain="batchnorm(tanh)", n=3, d=64, ell=4),
            "refuted",
        ),
        (
            "abs(slope + 1/2) <= 1/5",
            dict(
                quantifier="limit",
                observable="orthogonality_gap",
                chain="rescale",
                n=3,
                d="32..256",
                ell=8,
            ),
            "supported",
        ),
        (
            "abs(slope + 1) <= 1/5",
            dict(
                quantifier="limit",
                observable="orthogonality_gap",
                chain="rescale",
                n=3,
                d="32..256",
                ell=8,
            ),
            "refuted",
        ),
    ],
    ids=str,
)
def test_sampled_claims_get_the_verdict_of_the_truth(
    claim: str, options: Any, verdict: str
) -> None:
    found = run(conjecture(claim, name="c", expected=verdict, **options))
    assert found.verdict.value == verdict
    assert found.as_expected, found.evidence


def test_a_chain_may_be_a_function_of_the_width() -> None:
    def wide(width: int) -> Chain:
        return Chain((Linear(width, law="rademacher"), Rescale("frobenius")))

    found = run(
        conjecture(
            "orthogonality_gap <= 4*sqrt(n/d)", name="c", **SAMPLED | {"chain": wide, "d": "64..96"}
        )
    )
    assert found.verdict is Verdict.SUPPORTED


def test_a_sentinel_may_be_given_and_is_held_to_the_same_check() -> None:
    surviving = conjecture(
        "orthogonality_gap <= 3*sqrt(n/d)", name="c", sentinel="2*sqrt(n/d)", **SAMPLED
    )
    found = run(surviving)
    assert found.verdict is Verdict.SUPPORTED
    assert found.weak_sentinels  # 2 is true as well, so nothing was shown
    assert not found.as_expected


def test_placing_a_sentinel_draws_what_is_affordable_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[int] = []

    def counting(chain: Any, start: Any, *, depth: int, replicas: int, **rest: Any) -> Any:
        drawn.append(replicas * depth * start.shape[1] * chain.widths(start.shape[0])[-1])
        return simulate(chain, start, depth=depth, replicas=replicas, **rest)

    monkeypatch.setattr("theorems.checking.drawn_networks.simulate", counting)
    monkeypatch.setattr("theorems.workbench.sentinels.AFFORDABLE", 10**5)
    claim = conjecture(
        "orthogonality_gap <= 1/2", chain="rescale", name="c", n=2, d="16..1024", ell=2
    )
    claim.statement()
    assert drawn == sorted(drawn)
    assert 0 < sum(drawn) <= 10**5
    drawn.clear()
    monkeypatch.setattr("theorems.workbench.sentinels.AFFORDABLE", 0)
    conjecture(
        "orthogonality_gap <= 1/2", chain="rescale", name="c", n=2, d="16..1024", ell=2
    ).statement()
    assert drawn == [2 * 2 * 2 * 16], "the cheapest, always"


def test_the_measured_sentinel_lies_between_the_truth_and_the_claim() -> None:
    claim = conjecture("orthogonality_gap <= 5*sqrt(n/d)", name="c", **SAMPLED)
    s = claim.statement(falsify=False).sentinel
    share = s.rhs / claim.relation.rhs
    assert Fraction(1, 50) < Fraction(int(share.p), int(share.q)) < Fraction(1, 3)


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        (lambda lam: lam[0] <= 1 + lam[1], dict(over="spectra", n="2..3")),
        (lambda A: A[0, 0] <= sp.Abs(A[0, 0]), dict(over="matrices", n=1, d="1..2")),
        (lambda x: x <= sp.E, dict(x="[0, 2]")),
    ],
    ids=["spectrum", "matrix", "e"],
)
def test_claims_about_entries_alone_are_searched_by_every_attack(claim: Any, options: Any) -> None:
    found = verify([conjecture(claim, name="c", **options).statement()])[0]
    assert found.verdict.holds
    assert [e.sentinel for e in found.evidence] == [Verdict.REFUTED] * 2


@pytest.mark.parametrize(
    "domain", ["[0, 1)", "[0, sqrt(2)]", "[0, 1234/4321]", "(-oo, 1/2]", "[-oo, 1]"]
)
def test_domains_with_any_ends_are_searched(domain: str) -> None:
    (result,) = verify([conjecture("x <= 3/2", x=domain, name="c").statement(falsify=False)])
    assert result.verdict is Verdict.CERTIFIED
    (result,) = verify([conjecture("x <= 1/4", x=domain, name="c").statement(falsify=False)])
    assert result.verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("y", "x"),
    [
        ("[10**20, 10**21]", "[y, oo)"),
        ("[-10**20, 0]", "(-oo, y)"),
        ("[0, 1]", "[y, oo)"),
        ("0..3", "[10**20, oo]"),
    ],
)
def test_domains_without_end_that_start_far_out_or_at_another_symbol_are_searched(
    y: str, x: str
) -> None:
    (result,) = verify(
        [conjecture("y <= abs(x) + abs(y)", y=y, x=x, name="c", sentinel="y - 1").statement()]
    )
    assert result.verdict is Verdict.CERTIFIED
    assert "gradient ascent" in result.evidence[0].summary


def test_an_irrational_end_is_not_rounded() -> None:
    """The float next to √2 lies beyond it, and must not count as an input."""
    claim = conjecture("x**2 <= 2", x="[0, sqrt(2)]", name="c")
    beyond = Fraction(2**0.5)
    assert beyond**2 > 2
    assert not claim.space.contains({"x": beyond})
    assert claim.space.contains({"x": beyond - Fraction(1, 10**12)})


def test_an_assumption_that_symbols_settle_is_no_surprise() -> None:
    """SymPy makes alpha >= 0 of a nonnegative symbol the word true."""
    for settled in ("alpha >= 0", "2 > 1"):
        with pytest.raises(ClaimError, match=f"the assumption {settled} has no effect"):
            conjecture("alpha <= 1", alpha="[0, 1]", assume=settled, name="c")
    with pytest.raises(ClaimError, match="nothing meets the assumptions"):
        conjecture("alpha <= 1", alpha="[0, 1]", assume="alpha < 0", name="c")


ends = st.sampled_from(
    [
        "0",
        "1",
        "-1",
        "1/3",
        "-7/2",
        "1e-30",
        "10**20",
        "sqrt(2)",
        "log(2)",
        "-pi",
        "pi/4",
        "oo",
        "-oo",
    ]
)
intervals = st.tuples(st.sampled_from("[("), ends, ends, st.sampled_from("])")).map(
    "{0[0]}{0[1]}, {0[2]}{0[3]}".format
)
domains = intervals | st.sampled_from(
    ["0..3", "-2..", "5", "1/7", "[0, x]", "(-oo, oo)", "[x, x + sqrt(2))", "2..1"]
)
assumptions = st.lists(
    st.sampled_from(
        [
            "1 <= 2",
            "2 < 1",
            "x >= x",
            "x < x",
            "x >= 0",
            "x < 0",
            "x < y",
            "y == x",
            "x**2 > 2",
            "sqrt(x) <= 1",
            "n >= 1",
            "effective_rank <= 1",
            "effective_rank < 1",
            "orthogonality_gap == 0",
        ]
    ),
    max_size=2,
)
statements = st.sampled_from(
    [
        "x <= y",
        "x < y",
        "x == y",
        "x**2 <= 2",
        "sqrt(x) <= 1 + y",
        "1/x <= 3",
        "log(x) <= x",
        "abs(x - y) <= 5",
        "exp(x) >= 1 + x",
        "x*y <= 1",
        "x**y <= 2",
        "x <= 10**30",
        "effective_rank <= n*x + 1",
        "cosine <= x",
        "orthogonality_gap <= sqrt(1 - 1/n)*y",
        "smallest_eigenvalue >= x",
        "effective_rank == n",
        "soft_rank(1/2) <= x + 1",
    ]
)


def brief(check: Any) -> Any:
    """The same check on few draws."""
    if isinstance(check, Everywhere):
        return replace(
            check,
            draws=8,
            attack=replace(
                check.attack, examples=4, corners=lambda: list(check.attack.corners())[:12]
            ),
        )
    return replace(
        check,
        adversary=replace(
            check.adversary, examples=4, corners=lambda: list(check.adversary.corners())[:12]
        ),
    )


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.nested_given],
)
@given(data=st.data())
def test_any_domain_and_assumption_gives_a_verdict_or_one_clear_line(
    data: st.DataObject, tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "x": data.draw(domains),
        "y": data.draw(domains),
        "assume": data.draw(assumptions),
    }
    over = data.draw(st.sampled_from(["parameters", "matrices", "spectra"]))
    if over != "parameters":
        options |= {
            "n": data.draw(st.sampled_from(["1..2", "2", "2..", "3..1"])),
            "d": data.draw(st.sampled_from(["2", "2..3", "1.."])),
        }
    # in a claim about parameters alone a batch has no part, and is refused
    batches = [None, [[1.0, 0.5], [0.0, 1.0]]][: 1 if over == "parameters" else 2]
    try:
        claim = conjecture(data.draw(statements), name="c", over=over, **options)
        statement = claim.statement(corpus=tmp_path)
        (result,) = verify(
            [replace(statement, checks=tuple(map(brief, statement.checks)))],
            budget=0.05,
            batch=data.draw(st.sampled_from(batches)),
        )
    except ClaimError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert result.verdict in Verdict
        json.dumps(plain(result.as_json()), allow_nan=False)
    assert "\n" not in refusal


def test_an_author_may_compute_quantities_exactly_or_in_balls() -> None:
    def harmonic(n: int) -> Fraction:
        """The n-th harmonic number."""
        return sum((Fraction(1, k) for k in range(1, n + 1)), Fraction(0))

    def root(x: Fraction) -> Any:
        return flint.arb(flint.fmpq(x.numerator, x.denominator)).sqrt()

    true = run(
        conjecture("harmonic <= 1 + log(n)", n="1..60", computed={"harmonic": harmonic}, name="c")
    )
    assert (true.verdict, true.as_expected) == (Verdict.CERTIFIED, True)
    false = conjecture(
        "harmonic <= 1/2 + log(n) + 1/n", n="1..60", computed={"harmonic": harmonic}, name="c"
    )
    assert run(false).verdict is Verdict.REFUTED
    assert "harmonic number" in str(false.statement(falsify=False).definitions)
    ball = run(conjecture("r <= (1 + x)/2", x="[0, 4]", computed={"r": root}, name="c"))
    assert ball.evidence[0].sentinel is Verdict.REFUTED


def test_an_author_may_draw_inputs_that_are_rarely_met() -> None:
    narrow = st.integers(1, 999).map(
        lambda k: {"x": Fraction(k, 1000), "y": Fraction(k, 1000) + Fraction(1, 10**6)}
    )
    options: dict[str, Any] = dict(x="[0, 1]", y="[0, 2]", assume=("y - x <= 1/10**6", "x < y"))
    with pytest.raises(ClaimError, match="nothing meets"):
        conjecture("y**2 <= x**2 + 1/10**5", name="c", **options | {"x": "[1/3, 2/3]"})
    found = run(conjecture("y**2 <= x**2 + exp(-11)", name="c", draw=narrow, **options))
    assert (
        found.verdict is Verdict.INCONCLUSIVE
    )  # Hypothesis' draws are not independent, so no share follows
    assert found.evidence[0].details["decided"] > 50
    assert "too few" in found.evidence[0].summary
    assert (
        run(conjecture("y**2 <= x**2 + 1/10**6", name="c", draw=narrow, **options)).verdict
        is Verdict.REFUTED
    )
