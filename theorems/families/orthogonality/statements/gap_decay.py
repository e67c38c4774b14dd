"""At infinite width the gap itself falls like (n/(n+2))^ℓ, from any start of full rank.

Problem. Theorem 1 of DJB21 bounds the gap V if σ_n stays above α along the path. At infinite width,
how fast does V fall, with constants, from any start?

Method. `global_decay` gives 1/s_ℓ - n ≤ (n/(n+2))^ℓ (1/s_0 - n) for the smallest eigenvalue s_ℓ, so
1/n - s_ℓ ≤ (1/s_ℓ - n)/n², and V ≤ √(n(n-1)) (1/n - s) (`gap_vs_smallest_eigenvalue:sharp`). The
path from four starts is followed in balls; Rocq proves it from the integrals themselves.

Guarantee. V(H_ℓ) ≤ √(n(n-1))/n² (n/(n+2))^ℓ (1/s_0 - n). The rate is the exact one: no smaller one
holds for all ℓ.

Reference. Ours, after DJB21 (arXiv 2106.03970), Theorem 1.

Example:

    >>> round(float(STATEMENT.bound(n=2, ell=1, s_0=0.25)), 4)
    0.3536
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import flint
import sympy as sp

from theorems.checking.width_limit import RepeatedSpectrum, WidthLimit
from theorems.families.orthogonality.decay import gap_of
from theorems.families.orthogonality.notation import BATCH, FAMILY, OURS, ROCQ, d, ell, n
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

#: Layers that are followed.
LAYERS = 80
s_0 = sp.Symbol("s_0", positive=True)
E_V = sp.Symbol("E_V", nonnegative=True)


def _start(size: int, smallest: Fraction) -> RepeatedSpectrum:
    """One eigenvalue ``smallest`` beside equal ones."""
    return RepeatedSpectrum((smallest, (1 - smallest) / (size - 1)), (1, size - 1))


def _known(statement: Statement, start: RepeatedSpectrum) -> Mapping[str, flint.fmpq]:
    smallest = start.eigenvalues[0]
    return {"s_0": flint.fmpq(smallest.numerator, smallest.denominator)}


def _decay(rate: sp.Expr) -> sp.Expr:
    return sp.sqrt(n * (n - 1)) / n**2 * rate**ell * (1 / s_0 - n)


_rate = n / (n + 2)

STATEMENT = Statement(
    family=FAMILY,
    theorem="gap_decay",
    title="At infinite width V(H_ℓ) ≤ √(n(n-1))/n² (n/(n+2))^ℓ (1/σ_n²(0) - n), from any full rank",
    quantifier=Quantifier.MEAN_FIELD,
    source=OURS,
    variables=(
        BATCH,
        Variable(ell, sp.Range(1, sp.oo), "layers"),
        Variable(s_0, sp.Interval.Lopen(0, 1 / n), "smallest eigenvalue of the start, σ_n²(0)"),
    ),
    definitions={E_V: "V(H_ℓ) at infinite width"},
    lhs=E_V,
    relation="<=",
    rhs=_decay(_rate),
    chain="rescale",
    observables=("orthogonality_gap",),
    sentinel=Sentinel("a rate one part in twenty smaller", rhs=_decay(sp.Rational(19, 20) * _rate)),
    expected=Verdict.CERTIFIED,
    depends_on=("orthogonality.global_decay", "orthogonality.gap_vs_smallest_eigenvalue:sharp"),
    checks=(
        WidthLimit(
            (
                _start(2, Fraction(1, 8)),
                _start(4, Fraction(1, 2**10)),
                _start(8, Fraction(1, 16)),
                _start(16, Fraction(1, 2**20)),
            ),
            LAYERS,
            gap_of,
            _known,
            d,
            ell,
            first=1,
        ),
    ),
    proof=Proof(
        theorem=f"{ROCQ}.leaf.HarmonicIntegral.width_limit_gap",
        link="name",
        gloss="spectra of sum 1, each made of the integrals p_i of the one before, with least "
        "members s_k, s_0 > 0, satisfy √Σ(λ_i - 1/n)² ≤ √(n(n-1))/n² (n/(n+2))^k (1/s_0 - n)",
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
