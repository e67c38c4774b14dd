"""An assumption is all that keeps an input out: without it, verify and falsify meet what it kept
out.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from newcomers import new, with_own_file

from theorems.checking.declared import DeclaredInputs
from theorems.checking.pointwise import Pointwise, admit
from theorems.registry import get, library
from theorems.statement import Quantifier, Statement, Verdict
from theorems.verification import verify
from theorems.workbench.adversaries import attackable

SETTLES = "(σ - r)² ≤ n(σ² - r²)² for every σ ≥ 0 and r = 1/√n, term by term"
UNUSED = "its side does not name a number that this equality fixes"
#: Assumptions without which the claim stays true, each with the reason. They say what the symbols stand for.
NOT_NEEDED: dict[tuple[str, str], str] = {
    (
        "orthogonality.gaussian_distance:identity",
        "‖H‖_F = 1",
    ): "the square multiplied out, entry by entry",
    (
        "orthogonality.gaussian_distance:as_printed",
        "‖H‖_F = 1",
    ): "Σ(σ - r)² ≤ Σ|σ² - r²| ≤ √n V, as |σ - r| ≤ σ + r",
    ("orthogonality.gaussian_distance:sharp", "‖H‖_F = 1"): SETTLES,
    ("orthogonality.iterative_initialisation:corrected", "‖H‖_F = 1"): "Cauchy–Schwarz for every σ",
    (
        "cluster.symmetric_fixed_point:one_step",
        "the samples are not all equal",
    ): "for b = a the other assumption has no value, and for b > a the layer's trace is 0, not n a",
    ("cluster.one_dimensional_reduction:outlier_norm", "so do the rows of the n - 1"): UNUSED,
    (
        "cluster.one_dimensional_reduction:cluster_correlation",
        "the other sample's row of K sums to 0",
    ): UNUSED,
    (
        "cluster.one_dimensional_reduction:outlier_correlation",
        "so do the rows of the n - 1",
    ): UNUSED,
    (
        "splines.scale_free:distance",
        "w ≠ 0",
    ): "pre-activations that are not all equal are not of w = 0",
}
CLAIMS = [s for s in library() if s.quantifier is Quantifier.POINTWISE and s.assumptions]
DROPPED = [(s.name, a.words) for s in CLAIMS for a in s.assumptions]


def without(statement: Statement, words: str) -> Statement:
    """The statement without one of its assumptions, attacked on its inputs alone."""
    kept = tuple(a for a in statement.assumptions if a.words != words)
    checks = tuple(c for c in statement.checks if isinstance(c, Pointwise))
    return replace(statement, assumptions=kept, checks=checks, depends_on=())


def test_every_pointwise_claim_is_attacked_on_its_declared_inputs() -> None:
    for statement in CLAIMS:
        checks = [c for c in statement.checks if isinstance(c, Pointwise)]
        assert checks, statement.name
        assert all(c.declared(statement) for c in checks), statement.name


def test_the_list_of_what_is_not_needed_names_assumptions_that_exist() -> None:
    assert set(NOT_NEEDED) <= set(DROPPED)


@pytest.mark.parametrize(("name", "words"), [pair for pair in DROPPED if pair not in NOT_NEEDED])
def test_without_an_assumption_a_claim_is_refuted(name: str, words: str) -> None:
    weakened = without(get(name), words)
    verdict = verify([weakened])[0].verdict
    if name in with_own_file() and verdict is not Verdict.REFUTED:
        new(f"{name} is {verdict.value} without {words!r} as well: is that assumed for nothing?")
    assert verdict is Verdict.REFUTED
    attack = attackable(weakened, None)
    assert attack is not None
    assert verify([attack])[0].evidence[0].verdict is Verdict.REFUTED


@pytest.mark.parametrize(("name", "words"), NOT_NEEDED)
def test_what_is_not_needed_is_not_refuted_without_it(name: str, words: str) -> None:
    weakened = without(get(name), words)
    quick = replace(weakened, checks=tuple(replace(c, examples=20) for c in weakened.checks))  # type: ignore[type-var]
    assert verify([quick])[0].verdict in (
        Verdict.CERTIFIED,
        Verdict.INCONCLUSIVE,
        get(name).expected,
    )


def test_the_gap_without_unit_trace_is_refuted_by_a_spectrum_of_another_sum() -> None:
    for variant in ("as_printed", "sharp"):
        weakened = replace(
            get(f"orthogonality.gap_vs_smallest_eigenvalue:{variant}"), assumptions=()
        )
        ones: dict[str, Any] = {"n": 2, "lambda": (Fraction(1), Fraction(1)), "s": Fraction(1)}
        admit(weakened, ones)
        result = verify([weakened])[0]
        assert result.verdict is Verdict.REFUTED
        assert not any(e.method == "proof" for e in result.evidence)
        witness = next(e.details["witness"] for e in result.evidence if "witness" in e.details)
        assert sum(map(Fraction, witness["lambda"])) != 1
        assert any("recorded proof" in note and "changed" in note for note in result.notes)


@pytest.mark.parametrize(
    "name",
    sorted(
        {
            s.name
            for s in library()
            if any(isinstance(c, Pointwise) and c.declared(s) for c in s.checks)
        }
    ),
)
def test_declared_inputs_lie_in_their_domains(name: str) -> None:
    statement = get(name)
    (check,) = (c for c in statement.checks if isinstance(c, Pointwise))
    inputs: DeclaredInputs | None = check.declared(statement)
    assert inputs is not None
    corners = inputs.corners()
    assert len(corners) >= 3
    for item in corners:
        assert inputs.contains(item)
    other_words = tuple(replace(v, meaning="in other words") for v in statement.variables)
    again = check.declared(replace(statement, variables=other_words))
    assert again is not None
    assert again.corners() == corners
