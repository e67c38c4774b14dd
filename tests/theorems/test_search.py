"""Falsification: each attack alone finds what it is for, true claims survive, and only what is
decided counts.
"""

import time
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

from theorems import Verdict, conjecture, get, verify
from theorems.checking.ascent import ascend, evolve
from theorems.checking.expectation import Expectation
from theorems.checking.pointwise import decide
from theorems.checking.search import ExactAdversary, Falsification, Found, violation
from theorems.context import Context
from theorems.evidence import Evidence, Recorded
from theorems.witnesses import Corpus
from theorems.workbench.adversaries import MeanAdversary, attackable

UNIT: dict[str, Any] = dict(x="[0, 1]", y="[0, 1]")
CHAIN: dict[str, Any] = dict(
    chain="rescale", n="2..3", d="64..128", ell="8..12", assume="smallest_eigenvalue_0 >= 1/(4*n)"
)
CONTEXT = Context(0, 1e-6)
EDGE: dict[str, Any] = dict(chain="rescale", n="3..4", d="64..", ell="16..32", alpha="[0, 1]")


def falsification(
    claim: str, corpus: Path | None = None, **options: Any
) -> tuple[Any, Falsification]:
    statement = conjecture(claim, name="c", **options).statement(corpus=corpus, only=True)
    (check,) = statement.checks
    assert isinstance(check, Falsification)
    return statement, check


def hunted(claim: str, *attacks: str, **options: Any) -> Any:
    """What is found with only these attacks left to the adversary."""
    statement, check = falsification(claim, **options)
    adversary = check.adversary
    assert isinstance(adversary, ExactAdversary)
    without = {
        "corners": dict(corners=lambda: []),
        "z3": dict(solve=None),
        "cube": dict(cube=None),
        "boxes": dict(bound=None),
    }
    for name, change in without.items():
        if name not in attacks:
            adversary = replace(adversary, **change)  # type: ignore[arg-type]
    if "hypothesis" not in attacks:
        adversary = replace(adversary, examples=1)
    return adversary.hunt(statement, CONTEXT, [], {})


# --- the optimisers -------------------------------------------------------------------------------


def test_ascent_reaches_the_top_and_keeps_the_best_point() -> None:
    starts = np.random.default_rng(0).random((8, 3))
    found = ascend(lambda u: -((u - 0.25) ** 2).sum(-1), starts)
    assert found.shape == (8, 3)
    assert np.allclose(found[0], 0.25, atol=1e-2)
    corner = ascend(lambda u: u.sum(-1), starts)
    assert corner[0].tolist() == [1.0, 1.0, 1.0]
    assert ascend(lambda u: (u * 0).sum(-1).log(), starts).shape == (8, 3)  # nowhere defined


def test_ascent_evaluates_the_score_once_a_step() -> None:
    seen: list[Any] = []

    def score(u: Any) -> Any:
        seen.append(u)
        return -((u - 0.25) ** 2).sum(-1)

    for steps in (1, 7):
        seen.clear()
        ascend(score, np.full((2, 3), 0.5), steps=steps)
        assert len(seen) == steps


def test_evolution_finds_a_narrow_step_without_gradient_and_repeats_itself() -> None:
    def score(u: Any) -> Any:
        return np.floor(-20 * np.abs(u - 0.7).max(-1))

    found = evolve(score, 2, seed=3)
    assert score(found[:1])[0] >= -1
    assert (found == evolve(score, 2, seed=3)).all()


# --- exact claims ---------------------------------------------------------------------------------

#: True outside a disc of radius 1/200 about (1/3, 2/7); no polynomial, and no corner or simple fraction is in it.
NARROW = "(exp(x) - exp(1/3))**2 + (y - 2/7)**2 >= 1/40000"


def test_gradient_ascent_finds_what_random_draws_do_not() -> None:
    assert hunted(NARROW, **UNIT) is None
    found = hunted(NARROW, "cube", **UNIT)
    assert found.attack == "gradient ascent"
    assert abs(found.item["x"] - Fraction(1, 3)) < Fraction(1, 100)


@pytest.mark.parametrize(
    ("claim", "options"),
    [
        ("orthogonality_gap <= 69/100", {}),
        ("effective_rank <= 199/100", {}),
        ("absolute_cosine <= 99/100", {"assume": "alive"}),
    ],
)
def test_quantities_can_be_climbed(claim: str, options: Any) -> None:
    found = hunted(claim, "cube", over="matrices", n=2, d=2, **options)
    assert found.attack == "gradient ascent"


def test_evolution_steps_in_where_there_is_no_gradient() -> None:
    claim = "orthogonality_gap <= 7/20 + orthogonality_gap_0/100"
    found = hunted(claim, "cube", chain="rescale", quantifier="mean field", n=3, ell="1..2")
    assert found.attack == "differential evolution"


def test_z3_decides_polynomials_at_small_sizes() -> None:
    found = hunted("(x - 1/3)**2 + (y - 2/7)**2 >= 1/10**8", "z3", **UNIT)
    assert found.attack == "z3 at small sizes"
    assert found.item == {"x": Fraction(1, 3), "y": Fraction(2, 7)}
    spectra = hunted(
        "orthogonality_gap >= 1/1000 + smallest_eigenvalue_gap/10", "z3", over="spectra", n="3..4"
    )
    assert spectra.attack == "z3 at small sizes"
    assert spectra.item["spectrum"] == (Fraction(1, 3),) * 3


def test_branch_and_bound_finds_what_is_thinner_than_any_slope_shows() -> None:
    claim = "exp(-10**8*(x - 314159/1000003)**2) <= 1/2"
    assert hunted(claim, "corners", "cube", "hypothesis", x="[0, 1]") is None
    found = hunted(claim, "boxes", x="[0, 1]")
    assert found.attack == "branch and bound"
    statement, check = falsification(claim, x="[0, 1]")
    assert check(statement, CONTEXT).verdict is Verdict.REFUTED


def test_targeting_climbs_where_nothing_else_is_left() -> None:
    found = hunted("x*y <= 9/10", "hypothesis", **UNIT)
    assert found.attack == "hypothesis"


@pytest.mark.parametrize(
    "claim",
    [
        "orthogonality_gap <= sqrt(n*(n-1))*smallest_eigenvalue_gap",
        "effective_rank <= n*(1 - orthogonality_gap**2/4)",
        "smallest_eigenvalue <= 1/n - orthogonality_gap**2/100",
    ],
)
def test_true_claims_survive_and_their_neighbours_do_not(claim: str) -> None:
    statement, check = falsification(claim, over="spectra", n="2..4")
    found = check(statement, CONTEXT)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.partial
    assert found.sentinel is Verdict.REFUTED


def test_a_witness_is_decided_exactly_shrunk_and_kept(tmp_path: Path) -> None:
    statement, check = falsification(
        "orthogonality_gap <= 2*smallest_eigenvalue_gap",
        corpus=tmp_path,
        over="spectra",
        n="3..6",
        assume="smallest_eigenvalue >= 1/50",
    )
    found = check(statement, CONTEXT)
    assert found.verdict is Verdict.REFUTED
    (kept,) = Corpus(tmp_path).of(statement.name)
    adversary = check.adversary
    assert isinstance(adversary, ExactAdversary)
    assert adversary.refutes(statement, kept.input)
    assert kept.input["n"] == 3  # the fewest samples there are
    assert max(x.denominator for x in kept.input["spectrum"]) <= 100


def test_floats_alone_never_refute() -> None:
    """In double precision the left side exceeds the right by rounding; exactly the two are equal."""
    statement, check = falsification("(x + 1)**2 - 1 <= x**2 + 2*x", x="[1/10, 1]")
    assert check(statement, CONTEXT).verdict is Verdict.INCONCLUSIVE


def test_the_claim_that_survives_a_blind_search_is_not_praised() -> None:
    statement, check = falsification("x <= 1 + y", **UNIT)
    blind = replace(
        check.adversary, corners=lambda: [], solve=None, cube=None, bound=None, examples=1
    )  # type: ignore[type-var]
    found = Falsification(blind)(statement, CONTEXT)
    assert found.sentinel is not Verdict.REFUTED
    assert "misses the false neighbour too" in found.summary


@dataclass(frozen=True)
class Told:
    """An adversary that finds what it is told to, of the claim and of its neighbour."""

    found: Found | None
    fallen: Found | None
    levels: list[float] = field(default_factory=list)
    takes_batch = False

    def hunt(self, statement: Any, context: Context, known: Any, tried: dict[str, int]) -> Any:
        self.levels.append(context.level)
        return self.found if len(self.levels) == 1 else self.fallen

    def shrunk(self, statement: Any, context: Context, found: Found) -> Found:
        return found


@pytest.mark.parametrize("found", [None, Found({"x": 1}, "a guess", "1 > 0")])
@pytest.mark.parametrize("fallen", [None, Found({"x": 2}, "a guess", "2 > 1")])
def test_a_search_says_of_claim_and_neighbour_what_it_found_at_half_its_level_each(
    found: Found | None, fallen: Found | None
) -> None:
    statement, _ = falsification("x <= 1 + y", **UNIT)
    adversary = Told(found, fallen)
    said = Falsification(adversary)(statement, CONTEXT)
    assert said.verdict is (Verdict.REFUTED if found else Verdict.INCONCLUSIVE)
    assert said.sentinel is (Verdict.REFUTED if fallen else Verdict.INCONCLUSIVE)
    assert adversary.levels == [CONTEXT.level / 2] * 2


def test_what_is_climbed_falls_the_further_an_assumption_is_missed() -> None:
    statement, _ = falsification("x <= 1/4 + y", assume="x >= 1/2", **UNIT)
    x = np.array([0.6, 0.4, 0.2, 0.1])
    found = violation(replace(statement, lhs=sp.S.One), {"x": x, "y": np.zeros(4)}, np)
    assert found[0] > 0 > found[1] > found[2] > found[3]


def test_only_an_equality_that_is_assumed_may_be_missed_by_rounding() -> None:
    statement, _ = falsification("x <= 1/4 + y", assume="x >= 1/2", **UNIT)
    (given,) = statement.assumptions
    for relation, most in ((sp.Ge, 0.0), (sp.Le, 0.0), (sp.Eq, 1e-9)):
        assumed = relation(given.relation.lhs, given.relation.rhs)
        claim = replace(statement, assumptions=(replace(given, relation=assumed),))
        away = np.array([most / 2, 2 * most + 1e-10, 1e-3]) * (-1 if relation is sp.Ge else 1)
        found = violation(claim, {"x": 0.5 + away, "y": np.zeros(3)}, np)
        assert (found > -1).tolist() == [True, False, False]


# --- the corpus -----------------------------------------------------------------------------------


def test_witnesses_are_tried_first_and_survive_a_run_that_fails(tmp_path: Path) -> None:
    options: dict[str, Any] = dict(corpus=tmp_path, x="[0, 1]", y="[0, 1]")
    statement, check = falsification(NARROW, **options)
    assert check(statement, CONTEXT).details["attack"] == "branch and bound"
    statement, check = falsification(NARROW, **options)
    again = check(statement, CONTEXT)
    assert again.details["attack"] == "witness of an earlier run"
    assert again.details["tried"] == {"witness of an earlier run": 1}

    mended, check = falsification(
        "(exp(x) - exp(1/3))**2 + (y - 2/7)**2 >= 0*x", **options | {"sentinel": "1/10"}
    )
    assert (
        check(mended, CONTEXT).verdict is Verdict.INCONCLUSIVE
    )  # tried, and held against it no more
    assert len(Corpus(tmp_path).of(statement.name)) == 1


def test_a_witness_that_does_not_fit_the_claim_any_more_is_no_error(tmp_path: Path) -> None:
    statement, check = falsification("x <= 1/2", corpus=tmp_path, x="[0, 1]")
    assert check(statement, CONTEXT).verdict is Verdict.REFUTED
    other, check = falsification("y <= 2 + y/2", corpus=tmp_path, y="[0, 1]")
    assert check(other, CONTEXT).verdict is Verdict.INCONCLUSIVE


# --- means ----------------------------------------------------------------------------------------


def test_a_false_mean_is_refuted_by_fresh_samples_on_a_shrunk_start(tmp_path: Path) -> None:
    statement, check = falsification("orthogonality_gap <= sqrt(n/d)/3", corpus=tmp_path, **CHAIN)
    found = check(statement, CONTEXT)
    assert found.verdict is Verdict.REFUTED
    assert found.details["kind"] == "mean"
    (kept,) = Corpus(tmp_path).of(statement.name)
    assert kept.input["n"] == 2
    statement, check = falsification("orthogonality_gap <= sqrt(n/d)/3", corpus=tmp_path, **CHAIN)
    assert check(statement, Context(7, 1e-6)).details["attack"] == "witness of an earlier run"


def test_a_true_mean_survives_and_its_neighbour_does_not() -> None:
    statement, check = falsification("orthogonality_gap <= 3*sqrt(n/d)", **CHAIN)
    found = check(statement, CONTEXT)
    assert (found.verdict, found.sentinel) == (Verdict.INCONCLUSIVE, Verdict.REFUTED)


def test_the_start_is_searched() -> None:
    """True from every start that the lay-out of the check tries, false between them."""
    statement, check = falsification(
        "smallest_eigenvalue >= 1/4 - 5*(smallest_eigenvalue_0 - 3/10)**2",
        chain="rescale",
        n=2,
        d=64,
        ell=1,
    )
    found = check(statement, CONTEXT)
    assert found.verdict in (Verdict.REFUTED, Verdict.INCONCLUSIVE)
    assert (
        "differential evolution over starts" in found.details["tried"]
        or found.verdict is Verdict.REFUTED
    )


def test_infinite_width_refutes_a_claim_that_every_tried_width_supports() -> None:
    options = CHAIN | {"n": 2, "d": "64..", "ell": 8}
    whole = verify(
        [conjecture("orthogonality_gap <= 3*sqrt(n/d)", name="c", **options).statement()]
    )[0]
    assert whole.verdict is Verdict.REFUTED
    searched, sampled = whole.evidence
    assert searched.verdict is Verdict.REFUTED
    assert searched.details["kind"] == "width limit"
    assert sampled.verdict is Verdict.SUPPORTED  # the widths that were sampled


@pytest.mark.parametrize("earlier", [0, 1, 5])
def test_the_questions_of_a_search_never_spend_more_than_its_level(
    earlier: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every question that can be asked is, the last of them confirms, and the shrunk witness is
    confirmed too.
    """
    spent: list[float] = []
    questions = earlier + 6

    @dataclass(frozen=True)
    class Asked(Expectation):
        def __call__(self, statement: Any, context: Context) -> Evidence:
            spent.append(context.level)
            found = Verdict.REFUTED if len(spent) >= questions else Verdict.INCONCLUSIVE
            row = {"verdict": found.value, "low": 0.0, "high": 0.0, "bound": 0.0}
            return Evidence(
                method="simulation",
                verdict=found,
                summary="",
                sentinel=Verdict.REFUTED,
                details=Recorded({"readouts": [row]}),
            )

    def promising(adversary: MeanAdversary, statement: Any, item: Any) -> float:
        return 0.5 if adversary.design.speaks(statement, item) else -1.0

    monkeypatch.setattr(MeanAdversary, "pilot", promising)
    statement, check = falsification("orthogonality_gap <= 3*sqrt(n/d)", **CHAIN)
    assert isinstance(check.adversary, MeanAdversary)
    asked = {part.name: getattr(check.adversary.check, part.name) for part in fields(Expectation)}
    adversary = replace(check.adversary, check=Asked(**asked))
    known = [
        {"n": Fraction(2), "d": Fraction(64), "ell": Fraction(8), "spectrum": (Fraction(1, 2),) * 2}
    ] * earlier
    found = adversary.hunt(statement, CONTEXT, known, {})
    assert found is not None
    adversary.shrunk(statement, CONTEXT, found)
    assert len(spent) == questions + 1
    assert sum(spent) == pytest.approx(CONTEXT.level)


def test_a_mean_is_never_refuted_on_the_pilot_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    statement, check = falsification("orthogonality_gap <= 3*sqrt(n/d)", **CHAIN)
    monkeypatch.setattr(MeanAdversary, "pilot", lambda *_: 0.5)  # everything looks like a violation
    assert check(statement, CONTEXT).verdict is Verdict.INCONCLUSIVE


# --- limits and the library -----------------------------------------------------------------------


def test_a_search_out_of_time_says_so_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    decided: list[object] = []

    def counting(*arguments: Any, **options: Any) -> Any:
        decided.append(arguments)
        return decide(*arguments, **options)

    monkeypatch.setattr("theorems.checking.search.decide", counting)
    statement, check = falsification(
        "orthogonality_gap <= sqrt(n*(n-1))*smallest_eigenvalue_gap", over="spectra", n="1..6"
    )
    found = check(statement, replace(CONTEXT, deadline=time.monotonic()))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert len(decided) <= 3, "one question in the claim, its neighbour and the shrinking each"


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("orthogonality.iterative_initialisation:as_printed", Verdict.REFUTED),
        ("orthogonality.convexity:as_printed", Verdict.REFUTED),
        ("orthogonality.gap_vs_smallest_eigenvalue:sharp", Verdict.INCONCLUSIVE),
    ],
)
def test_statements_of_the_library_are_attacked_too(
    name: str, verdict: Verdict, tmp_path: Path
) -> None:
    statement = attackable(get(name), Corpus(tmp_path))
    assert statement is not None
    found = statement.checks[0](statement, CONTEXT)
    assert (found.verdict, found.sentinel) == (verdict, Verdict.REFUTED)
    assert len(list(tmp_path.iterdir())) == (verdict is Verdict.REFUTED)
    again = attackable(get(name), Corpus(tmp_path))
    assert again is not None
    if verdict is Verdict.REFUTED:
        assert again.checks[0](again, CONTEXT).details["attack"] == "witness of an earlier run"


def test_algebra_is_not_attacked() -> None:
    assert attackable(get("orthogonality.convexity:conclusion"), None) is None


def test_the_formulas_of_small_sizes_are_the_quantities() -> None:
    """What z3 is asked about spectra is what the exact values are."""
    from theorems.algebraic import number
    from theorems.expressions import arguments_of, compiled
    from theorems.workbench.exact_values import LEAST
    from theorems.workbench.quantities import QUANTITIES

    n = sp.Symbol("n", integer=True, positive=True)
    spectrum = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]
    written_out = {name: q.in_eigenvalues(n) for name, q in QUANTITIES.items()}
    formulas = {name: formula for name, formula in written_out.items() if formula is not None}
    assert len(formulas) >= 4
    for name, formula in formulas.items():
        names = arguments_of(formula)
        values = {"n": 3, "lambda": spectrum, str(LEAST): min(spectrum)}
        written = float(compiled(formula, names).balls(*(values[str(s)] for s in names)))
        import flint

        exact = QUANTITIES[name].of_spectrum
        assert exact is not None
        found = exact([flint.fmpq(x.numerator, x.denominator) for x in spectrum], 3)
        assert np.isclose(written, float(number(found)))


@pytest.mark.parametrize(("edge", "falls"), [("alpha <= 0", False), ("alpha >= 1/2", True)])
def test_a_limit_of_the_bound_counts_only_where_it_is_the_limit(
    edge: str, falls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At α = 0 the bound n/(2n + 2αd) is 1/2 at every width, though its limit for a generic α is 0."""
    claim = conjecture(
        "orthogonality_gap <= n/(2*n + 2*alpha*d)",
        name="c",
        assume=("smallest_eigenvalue_0 >= 1/(4*n)", edge),
        **EDGE,
    )
    monkeypatch.setattr(MeanAdversary, "pilot", lambda *_: -1.0)  # no finite width looks promising
    statement = claim.statement(only=True)
    (check,) = statement.checks
    assert isinstance(check, Falsification)
    found = check.adversary.hunt(statement, CONTEXT, [], {})
    assert (found is not None and found.kind == "width limit") is falls
