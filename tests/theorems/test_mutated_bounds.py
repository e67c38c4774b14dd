"""A bound that falls faster in the width than the mean does is refuted: no bound chooses all its
sizes.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from newcomers import new, with_own_file

from theorems.checking.expectation import Expectation
from theorems.families.orthogonality.notation import d
from theorems.registry import get, library
from theorems.statement import Quantifier, Statement, Verdict
from theorems.verification import verify

#: Upper bounds on a mean that stay true with d squared, as far as sizes can be reached, each with the reason.
STILL_TRUE = {
    f"orthogonality.gaussian_limit:{variant}": "W₂² is at most n V², which itself falls as 1/d"
    for variant in ("as_printed", "corrected", "sharp")
} | {
    "orthogonality.activation_conjecture:sigmoid": "the chain collapses, and nothing is left to fluctuate"
}
#: Refuted as it is printed, by paths in the width limit.
FALSE_ALREADY = {"orthogonality.decay:as_printed"}
BOUNDS = [
    s
    for s in library()
    if s.relation == "<="
    and d in s.rhs.free_symbols
    and s.ceiling is not None
    and any(isinstance(c, Expectation) for c in s.checks)
]


def steeper(statement: Statement, share: int = 30) -> Statement:
    """The bound with d squared, √d with d, on what is sampled alone, with this part of the draws."""
    checks = tuple(
        replace(c, normals=c.normals // share, replicas=c.replicas // share)
        for c in statement.checks
        if isinstance(c, Expectation)
    )
    return replace(
        statement, rhs=statement.rhs.subs(d, d**2), checks=checks, depends_on=(), proof=None
    )


def test_there_are_bounds_in_the_width_to_mutate() -> None:
    names = {s.name for s in BOUNDS}
    assert {"orthogonality.decay:corrected", "orthogonality.decay:sharp"} <= names
    assert set(STILL_TRUE) | FALSE_ALREADY <= names
    assert all(s.quantifier in (Quantifier.EXPECTATION, Quantifier.LIMIT) for s in BOUNDS)


@pytest.mark.parametrize("name", sorted({s.name for s in BOUNDS} - set(STILL_TRUE) - FALSE_ALREADY))
def test_a_bound_with_another_power_of_the_width_is_refuted(name: str) -> None:
    (found,) = verify([steeper(get(name))])
    if name in with_own_file() and found.verdict is not Verdict.REFUTED:
        new(f"{name} is {found.verdict.value} with d² for d as well: no width tells them apart")
    assert found.verdict is Verdict.REFUTED


def test_widths_are_not_chosen_by_the_bound_alone() -> None:
    """n = 2, α = 0.45, ℓ = 40, d = 2048: the mean gap is 0.016, the mutated bound 0.0065."""
    claim = steeper(get("orthogonality.decay:corrected"), 1)
    assert float(claim.bound(n=2, d=2048, alpha=0.45, ell=40)) == pytest.approx(0.00651, rel=1e-3)
    (found,) = verify([claim])
    rows = [
        r for r in found.evidence[0].details["readouts"] if r["verdict"] == Verdict.REFUTED.value
    ]
    assert any(r["d"] == 2048 and r["ell"] == 40 and 0.014 < r["mean"] < 0.019 for r in rows)
