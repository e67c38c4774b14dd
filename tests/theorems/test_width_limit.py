"""The width limit against an independent iteration in floats; every way a path can end."""

import math
from dataclasses import replace
from typing import Any

import flint
import numpy as np
import pytest
import sympy as sp
from broken import run
from scipy.integrate import quad

from theorems import Assumption, Statement, Verdict, get
from theorems.checking.width_limit import WidthLimit
from theorems.context import Context
from theorems.families.orthogonality.notation import alpha, ell, n, s

CONTEXT = Context(0, 1e-6)
PRINTED, CORRECTED = (get(f"orthogonality.decay:{form}") for form in ("as_printed", "corrected"))


def follow(statement: Statement, **change: Any) -> Any:
    return run(statement, [replace(statement.checks[0], **change)]).evidence[0]


def mean_field(small: float, large: float, size: int) -> tuple[float, float]:
    """One layer by adaptive quadrature of λ ∫ (1+2tλ)^{-1} ∏ (1+2tλ_k)^{-1/2} dt, t = (x/(1-x))."""

    def integrand(x: float) -> float:
        t = x / (1 - x)
        root = math.sqrt((1 + 2 * t * small) * (1 + 2 * t * large) ** (size - 1))
        return small / (1 + 2 * t * small) / root / (1 - x) ** 2

    image = quad(integrand, 0, 1, epsabs=0, epsrel=1e-11, limit=200)[0]
    return image, (1 - image) / (size - 1)


def crossing(size: int) -> int:
    """First layer ℓ whose gap exceeds 2 (1 - 2α/3)^ℓ, α = σ_n at the start."""
    sigma = round(900 / math.sqrt(size)) / 1000
    small = sigma**2
    large = (1 - small) / (size - 1)
    for layer in range(600):
        gap = math.sqrt((small - 1 / size) ** 2 + (size - 1) * (large - 1 / size) ** 2)
        if gap > 2 * (1 - 2 * sigma / 3) ** layer:
            return layer
        grown = mean_field(small, large, size)
        assert grown[0] > small, "σ_n only grows, so the assumption holds with room"
        small, large = grown
    raise AssertionError("never crossed")


def test_the_printed_bound_is_crossed_where_floats_cross_it() -> None:
    evidence = PRINTED.checks[0](PRINTED, CONTEXT)
    assert evidence.verdict is Verdict.REFUTED
    found = {path["n"]: path["crossing_layer"] for path in evidence.details["paths"]}
    assert {16, 32} <= set(found)
    for size in (16, 32):  # at n = 8 the gap has fallen below float rounding when it crosses
        assert found[size] == crossing(size)
    assert all(50 < found[size] < 200 for size in (16, 32)), "about a hundred layers"


@pytest.mark.parametrize(
    "statement", [CORRECTED, get("orthogonality.decay:sharp")], ids=lambda s: s.name
)
def test_the_mended_bounds_hold_on_the_same_path(statement: Statement) -> None:
    evidence = statement.checks[0](statement, CONTEXT)
    assert evidence.verdict is Verdict.CERTIFIED
    printed = PRINTED.checks[0](PRINTED, CONTEXT).details["paths"]
    assert [p["start"] for p in evidence.details["paths"]] == [p["start"] for p in printed]
    assert all(
        path["last_layer"] == statement.checks[0].depth for path in evidence.details["paths"]
    )
    assert 0 < evidence.tightness < 1
    assert evidence.sentinel is Verdict.REFUTED
    assert evidence.partial, "one path cannot carry an expectation over all starts"


def test_the_assumption_holds_with_equality_at_the_start() -> None:
    """σ_n = 0.9/√n to three digits, a rational square, and α is its root."""
    check = PRINTED.checks[0]
    for start in check.starts:
        known = check.initial(PRINTED, start)
        assert sp.Rational(str(known["alpha"])) ** 2 == sp.Rational(str(start.eigenvalues[0]))
        assert float(known["alpha"]) == pytest.approx(0.9 / math.sqrt(start.n), abs=5e-4)
        total = sum(m * e for e, m in zip(start.eigenvalues, start.multiplicities, strict=True))
        assert total == 1


def test_an_assumption_violated_is_outside() -> None:
    larger = {
        "initial": lambda st, start: dict(CORRECTED.checks[0].initial(st, start)) | {"alpha": 1}
    }
    evidence = follow(CORRECTED, **larger)
    assert evidence.verdict is Verdict.OUTSIDE
    assert "outside at layer 0" in evidence.summary
    # σ_n grows, so that this fails at the first layer and not at the start
    falling = replace(CORRECTED, assumptions=(Assumption(sp.Le(s, alpha), "", along="path"),))
    evidence = follow(falling, initial=CORRECTED.checks[0].initial)
    assert evidence.verdict is Verdict.OUTSIDE
    assert "outside at layer 1" in evidence.summary


def test_an_assumption_on_the_smallest_eigenvalue_reads_the_smallest() -> None:
    for name in ("decay:corrected", "gaussian_limit:as_printed", "gaussian_limit:corrected"):
        statement = get(f"orthogonality.{name}")
        below = replace(statement, assumptions=(Assumption(sp.Le(s, 1 / n), "", along="path"),))
        assert follow(below, depth=2).verdict is Verdict.CERTIFIED


def test_an_enclosure_too_wide_is_inconclusive() -> None:
    evidence = follow(CORRECTED, precision=12)
    assert evidence.verdict is Verdict.INCONCLUSIVE
    assert "inconclusive at layer" in evidence.summary
    assert "holds" not in evidence.summary


def test_a_refutation_needs_a_certain_crossing() -> None:
    """At 12 bits the printed bound's crossing cannot be seen; it must not be reported all the same."""
    assert follow(PRINTED, precision=8).verdict is Verdict.INCONCLUSIVE


def test_what_is_told_of_a_crossing_is_of_the_paths_that_cross() -> None:
    """Within 112 layers n = 16 and 32 do and 8 does not."""
    evidence = follow(PRINTED, depth=112)
    assert evidence.verdict is Verdict.REFUTED
    crossings = {path["n"]: path["crossing_layer"] for path in evidence.details["paths"]}
    assert crossings[8] is None
    assert evidence.summary == "crossed in the width limit at " + ", ".join(
        f"layer {crossings[size]} (n={size})" for size in (16, 32)
    )


def test_the_direction_is_read() -> None:
    reversed_ = replace(CORRECTED, relation=">=")
    evidence = follow(reversed_)
    assert evidence.verdict is Verdict.REFUTED
    assert all(path["crossing_layer"] == 0 for path in evidence.details["paths"])


def test_the_printed_corollary_reads_its_first_layer_at_one() -> None:
    """Corollary 3 speaks of H_ℓ, so that its path starts at ℓ = 1; the mended form speaks of
    H_{ℓ+1}.
    """
    exact = sp.Symbol("E_W", nonnegative=True)
    for form, first in (("as_printed", 1), ("corrected", 0)):
        statement = get(f"orthogonality.gaussian_limit:{form}")
        # ℓ itself as the bound: E_W ≤ ℓ fails at layer 0 exactly if ℓ starts at 0
        evidence = follow(replace(statement, rhs=sp.Integer(1) * ell), depth=3)
        assert exact in statement.definitions
        assert (evidence.verdict is Verdict.REFUTED) is (first == 0)


def test_paths_are_the_same_for_every_variant() -> None:
    floats = np.array([mean_field(0.05, 0.95 / 15, 16)])
    assert floats.sum() < 1
    assert mean_field(1 / 16, 1 / 16, 16)[0] == pytest.approx(1 / 16, rel=1e-10)


@pytest.mark.parametrize(
    ("name", "symbol", "measure"),
    [
        ("decay:sharp", "E_V", lambda found, n: np.linalg.norm(found - 1 / n)),
        ("gaussian_limit:corrected", "E_W", lambda found, n: np.sum((found**0.5 - n**-0.5) ** 2)),
    ],
)
def test_what_a_layer_is_said_to_have_is_that_of_its_spectrum(
    name: str, symbol: str, measure: Any
) -> None:
    (check,) = [c for c in get(f"orthogonality.{name}").checks if isinstance(c, WidthLimit)]
    for shares, multiplicities in (((1, 3), (2, 2)), ((0, 1, 4), (1, 2, 3))):
        total = sum(m * e for e, m in zip(shares, multiplicities, strict=True))
        read = check.readings([flint.arb(e) / total for e in shares], multiplicities)
        found = np.repeat(np.array(shares) / total, multiplicities)
        assert float(read[symbol].mid()) == pytest.approx(measure(found, len(found)), abs=1e-12)
        assert float(read["s"].mid()) == pytest.approx(found[0])
