"""The words for claims about every input: certified where the domain was covered, supported where
draws speak.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest
from hypothesis import strategies as st

from theorems import Verdict, conjecture, verify
from theorems.context import Context
from theorems.workbench import everywhere, whole_domain
from theorems.workbench.everywhere import Everywhere, largest_share
from theorems.workbench.spaces import Space
from theorems.workbench.whole_domain import Settled, solved

LEVEL = 1e-6
#: False on an interval of length 2·10⁻⁴ only.
SPIKE = "exp(-10**8*(x-314159/1000003)**2) <= 1/2"


def run(claim: str, **options: Any) -> Any:
    (result,) = verify(
        [conjecture(claim, name="c", **options).statement(falsify=False)], level=LEVEL
    )
    return result


def details(result: Any) -> Any:
    return result.evidence[0].details


@pytest.mark.parametrize(
    "claim", ["orthogonality_gap > 0", "effective_rank < n", "n*smallest_eigenvalue < 1"]
)
def test_a_strict_claim_fails_where_the_quantity_reaches_its_range(claim: str) -> None:
    """At equal eigenvalues; it is no claim that could not fail."""
    assert run(claim, over="spectra", n="2..4").verdict is Verdict.REFUTED


# --- certified ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "options", "words"),
    [
        ("n**2 <= 2**n + 1", dict(n="1..90"), "every input of the domain decided exactly (90)"),
        (
            "n*k <= 12",
            dict(n="1..3", k="1..9", assume="n + k <= 7"),
            "every input of the domain decided exactly (15)",
        ),
        ("exp(x) >= 1 + x - 1/100", dict(x="[-1, 1]"), "every box of the domain enclosed"),
        ("exp(x) < 3**k", dict(k="2..9", x="(0, k/2)"), "every box of the domain enclosed"),
        ("x < k", dict(k="2..9", x="(0, k/2)"), "decided on the whole line"),
        ("x*(1 - x) <= 1/4", dict(x="[0, 1]"), "decided on the whole line"),
        ("k*x <= 3/2", dict(x="(-oo, 1/2]", k="1..3"), "decided on the whole line"),
        ("x**n <= x", dict(n="1..9", x="[0, 1]"), "decided on the whole line"),
        ("k <= 2*k - 1", dict(k="1.."), "decided on the whole line"),
        ("k*j <= j**2 + k**2", dict(k="1..3", j="1.."), "decided on the whole line"),
    ],
    ids=str,
)
def test_a_domain_that_was_covered_is_certified(claim: str, options: Any, words: str) -> None:
    found = run(claim, **options)
    assert found.verdict is Verdict.CERTIFIED
    assert found.as_expected, found.evidence
    assert found.evidence[0].summary.startswith(words)
    assert found.power == 0
    assert "draws" not in details(found)


def test_an_input_that_only_an_enumeration_meets_is_found() -> None:
    found = run("(n - 617)**2 >= 1/2", n="1..900")
    assert found.verdict is Verdict.REFUTED
    assert details(found)["witness"] == {"n": "617"}


@pytest.mark.parametrize(
    ("claim", "options", "where"),
    [
        ("x*y*(1 - x*y) <= 1/4", dict(x="[0, 1]", y="(-oo, 3]"), ""),
        ("sqrt(x*y) <= (x + y)/2", dict(x="[0, 10]", y="[0, 10]"), ""),
        (
            "k*x*y <= k*(x**2 + y**2)/2",
            dict(x="(-oo, oo)", y="(-oo, oo)", k="1..3"),
            ", at each of 3 sizes",
        ),
    ],
    ids=str,
)
def test_z3_certifies_what_it_proves_at_every_size(
    claim: str, options: Any, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("z3")
    found = run(claim, **options)
    assert found.verdict is Verdict.CERTIFIED
    assert found.evidence[0].summary.endswith("the negation has no solution" + where)
    monkeypatch.setattr(whole_domain, "ask_z3", lambda *_: None)  # as where it is not installed
    found = run(claim, **options)
    assert (
        found.verdict is Verdict.INCONCLUSIVE
    )  # and not supported: draws say nothing of thin sets
    assert "an algebraic claim in few numbers" in found.evidence[0].summary


def test_z3_is_not_believed_about_sizes_it_was_not_asked_for() -> None:
    pytest.importorskip("z3")
    assert (
        run("x**n*y <= x", n="1..9", x="[0, 1]", y="[0, 1]").verdict is Verdict.INCONCLUSIVE
    )  # nine are too many
    assert run("x**n <= x", n="1..", x="[0, 1]").verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("smallest_eigenvalue >= s", dict(s="[0, 1/1000]")),
        ("orthogonality_gap <= (i + 1)/4", dict(i="[0, 1]")),
        ("orthogonality_gap <= (i + 1)/4", dict(i="0..3")),
    ],
    ids=str,
)
def test_no_symbol_of_an_author_meets_one_of_ours(claim: str, options: Any) -> None:
    """Names that stand for the least eigenvalue, or an index, within: taken at their word they
    would prove s ≥ s.
    """
    stated = conjecture(claim, name="c", over="spectra", n=2, **options)
    assert solved(stated.space, stated.statement(falsify=False), lambda _: False).words is None
    assert run(claim, over="spectra", n=2, **options).verdict is Verdict.REFUTED


@pytest.mark.parametrize("name", ["oo", "inf", "sqrt", "max", "lambda", "if"])
def test_names_with_a_meaning_cannot_be_declared(name: str) -> None:
    with pytest.raises(ValueError, match="has a meaning of its own"):
        conjecture(f"{name} <= 1", name="c", **{name: "[0, 1]"})


# --- supported ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "options", "draws", "reach"),
    [
        ("exp(x) >= 1 + x", dict(x="[-1, 1]"), 200, ""),
        ("log(n) <= n - 1", dict(n="1.."), 200, " (n ≤ 10001)"),
        ("x <= y + exp(-y)", dict(x="(-oo, 1]", y="[0, oo)"), 200, " (x ≥ -1e+06, y ≤ 1e+06)"),
        (
            "effective_rank >= 1/(1/n + orthogonality_gap**2)",
            dict(over="matrices", n="1..2", d="1..3"),
            200,
            "",
        ),
        (
            "effective_rank <= n*(1 - orthogonality_gap**2/4)",
            dict(over="spectra", n="2..40", assume="smallest_eigenvalue >= 1/100000/n"),
            200,
            " (n ≤ 8)",
        ),
        (
            "orthogonality_gap <= orthogonality_gap_0",
            dict(chain="rescale", quantifier="mean field", n=2, ell="1..2"),
            40,
            "",
        ),
    ],
    ids=str,
)
def test_a_domain_that_was_not_covered_is_supported_by_draws(
    claim: str, options: Any, draws: int, reach: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if options.get("over") != "spectra":
        monkeypatch.setattr(everywhere, "solved", lambda *_: Settled())
    found = run(claim, **options)
    assert found.verdict is Verdict.SUPPORTED
    assert found.as_expected, found.evidence
    seen = details(found)
    assert seen["draws"] == draws
    assert seen["level"] == LEVEL / 2  # the other half is the neighbour's
    assert (1 - seen["share_below"]) ** draws == pytest.approx(LEVEL / 2, rel=1e-9)
    assert found.power == seen["share_below"]
    assert (
        f"none of {draws} drawn at random{reach} violates: fewer than" in found.evidence[0].summary
    )
    assert seen["law"]


def test_the_summary_gives_draws_share_and_level() -> None:
    found = run("exp(x) >= 1 + x", x="[-1, 1]")
    assert found.evidence[0].summary.startswith(
        "none of 200 drawn at random violates: fewer than 7 % of such inputs do, at level 5e-07"
    )


def test_the_share_is_the_one_that_is_missed_with_the_level() -> None:
    assert largest_share(1, 0.25) == pytest.approx(0.75)
    assert largest_share(200, 1e-6) == pytest.approx(0.0667, abs=1e-4)
    assert largest_share(10**9, 1e-6) == pytest.approx(1.38e-8, rel=1e-2)


def test_the_share_is_understated_as_rarely_as_the_level_says() -> None:
    """A claim that a little more than the bound's share of inputs violates: how often draws support
    it.
    """
    level, draws, runs = 0.2, 12, 400
    share = Fraction(largest_share(draws, level)) + Fraction(1, 10**6)
    statement = conjecture("x >= t", x="[0, 1]", t=share, name="c").statement(falsify=False)
    (check,) = statement.checks
    assert isinstance(check, Everywhere)
    few = replace(check, draws=draws)
    words = [few.by_draws(statement, Context(seed, level), {}).verdict for seed in range(runs)]
    wrong = words.count(Verdict.SUPPORTED)
    assert words.count(Verdict.REFUTED) == runs - wrong
    assert abs(wrong - level * runs) < 4 * (runs * level * (1 - level)) ** 0.5


def test_minibatch_averages_follow_the_seed_of_the_run_and_owe_nothing_to_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claim = conjecture(
        "effective_rank <= n*(1 - orthogonality_gap**2/4)", over="spectra", n="2..4", name="c"
    )
    drawn: list[Any] = []
    sample = Space.sample

    def noted(space: Space, generator: np.random.Generator) -> Any:
        drawn.append(sample(space, generator))
        return drawn[-1]

    monkeypatch.setattr(Space, "sample", noted)
    monkeypatch.setattr(everywhere, "solved", lambda *_: Settled())
    statement = claim.statement(falsify=False)
    lists = []
    for seed in (0, 0, 1):
        drawn.clear()
        verify([statement], seed=seed)
        lists.append(list(drawn))
    assert lists[0] == lists[1]
    assert len(lists[0]) == 200
    assert not any(item in lists[2] for item in lists[0])
    generator = np.random.default_rng(5)
    sizes = [int(sample(claim.space, generator)["n"]) for _ in range(3000)]
    assert all(abs(sizes.count(n) - 1000) < 130 for n in (2, 3, 4))


def test_minibatch_averages_that_violate_refute(monkeypatch: pytest.MonkeyPatch) -> None:
    """What corners and Hypothesis miss and no box can hold: a violation on a tenth of 4 real
    symbols' domain.
    """
    claim = conjecture(
        "a + b + c + e <= 2", a="[0, 1]", b="[0, 1]", c="[0, 1]", e="[0, 1]", name="c", sentinel="0"
    ).statement(falsify=False)
    (check,) = claim.checks
    assert isinstance(check, Everywhere)
    tame = [{k: Fraction(1, 4) for k in "abce"}]
    monkeypatch.setattr("theorems.checking.pointwise.search", lambda *_, **__: None)
    monkeypatch.setattr(everywhere, "solved", lambda *_: Settled())
    object.__setattr__(check.attack, "corners", lambda: tame)
    found = check(claim, Context(0, LEVEL))
    assert found.verdict is Verdict.REFUTED
    assert sum(Fraction(v) for v in found.details["witness"].values()) > 2


# --- inconclusive ---------------------------------------------------------------------------------


def test_too_few_draws_are_no_support() -> None:
    found = run("exp(x) + y >= 1 + x", x="[-1, 1]", y="[0, 1]", assume="y <= 1/1000")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "meet the assumptions: too few" in found.evidence[0].summary


def test_minibatch_averages_left_open_are_no_support() -> None:
    def ball(x: Fraction) -> Any:
        return flint.arb(flint.fmpq(x.numerator, x.denominator), 0.1)

    found = run("r <= x + 1/20", x="[0, 1]", computed={"r": ball}, sentinel="x - 1")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "drawn at random left open" in found.evidence[0].summary


def test_one_input_left_open_or_unseen_keeps_a_finite_domain_from_being_certified() -> None:
    def ball(n: int) -> Any:
        return flint.arb(n, 0.1 if n == 13 else 0.0)

    found = run("r <= n + 1/20", n="1..40", computed={"r": ball}, sentinel="n - 1")
    assert found.verdict is Verdict.INCONCLUSIVE
    claim = conjecture("n**2 <= 2**n + 1", n="1..90", name="c").statement(falsify=False)
    assert claim.checks[0](claim, Context(0, LEVEL, deadline=0.0)).verdict is Verdict.INCONCLUSIVE


def test_an_authors_own_draws_are_no_independent_ones() -> None:
    narrow = st.integers(1, 999).map(
        lambda k: {"x": Fraction(k, 1000), "y": Fraction(k, 1000) + Fraction(1, 10**6)}
    )
    found = run(
        "y**2 <= x**2 + exp(-11)",
        draw=narrow,
        x="[0, 1]",
        y="[0, 2]",
        assume=("y - x <= 1/10**6", "x < y"),
    )
    assert found.verdict is Verdict.INCONCLUSIVE


def test_out_of_time_is_no_support() -> None:
    claim = conjecture("exp(x) >= 1 + x", x="[-1, 1]", name="c").statement(falsify=False)
    found = claim.checks[0](claim, Context(0, LEVEL, deadline=0.0))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "out of time after 0 draws" in found.summary


def test_whole_numbers_are_chosen_one_by_one_however_many_there_are() -> None:
    """Of ranges as long as these no list could be made."""
    stated = conjecture("x*y >= 1", over="parameters", x="1..10**12", y="1..10**12", name="c")
    found = solved(stated.space, stated.statement(falsify=False), lambda _: False)
    assert found.words is None
    assert found.witness is None


# --- the spike ------------------------------------------------------------------------------------


def test_a_claim_that_is_false_on_a_thin_part_is_never_certified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = run(SPIKE, x="[0, 1]")
    assert found.verdict is Verdict.REFUTED
    witness = Fraction(details(found)["witness"]["x"])
    assert abs(witness - Fraction(314159, 1000003)) < Fraction(1, 10**4)
    assert found.tightness is not None
    assert found.tightness > 1, "where it is refuted"
    monkeypatch.setattr(
        everywhere, "covered", lambda *_: None
    )  # the draws alone miss it, and say so
    blind = run(SPIKE.replace("10**8", "10**16"), x="[0, 1]")
    assert blind.verdict is Verdict.SUPPORTED
    assert "of such inputs do" in blind.evidence[0].summary
