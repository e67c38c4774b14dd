"""At infinite width samples part from any start of full rank: 1/σ_n² - n falls by n/(n+2) a layer.

Problem. Theorem 1 of DJB21 assumes that σ_n stays above α along the path. At infinite width the
spectrum moves by a deterministic map. How fast does it become uniform, from any start?

Method. y = 1/σ_n² obeys y⁺ ≤ (n/(n+2))(y + 2) by `contraction:harmonic`, hence the recursion for
y - n, which Rocq proves. The path from four starts is followed in balls, layer by layer.

Guarantee. 1/σ_n²(ℓ) - n ≤ (n/(n+2))^ℓ (1/σ_n²(0) - n), from any start of full rank, with no
assumption on the path; the rate is the exact one at the fixed point. (At finite width see
`one_step_drift:harmonic`.)

Reference. Ours, after DJB21 (arXiv 2106.03970), Theorem 1.

Example:

    >>> float(STATEMENT.bound(n=2, ell=1, s_0=0.25))
    1.0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import flint
import sympy as sp

from theorems.checking.width_limit import RepeatedSpectrum, WidthLimit
from theorems.families.orthogonality.notation import BATCH, FAMILY, OURS, ROCQ, d, ell, n, s
from theorems.statement import (
    Proof,
    Quantifier,
    Sentinel,
    Statement,
    Variable,
    Verdict,
)

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

#: Layers that are followed; 128 bits tell both sides apart that far.
LAYERS = 120
s_0 = sp.Symbol("s_0", positive=True)
_rate = n / (n + 2)


def _start(size: int, smallest: Fraction) -> RepeatedSpectrum:
    """One eigenvalue ``smallest`` beside equal ones."""
    return RepeatedSpectrum((smallest, (1 - smallest) / (size - 1)), (1, size - 1))


def _known(statement: Statement, start: RepeatedSpectrum) -> Mapping[str, flint.fmpq]:
    smallest = start.eigenvalues[0]
    return {"s_0": flint.fmpq(smallest.numerator, smallest.denominator)}


def _smallest(
    eigenvalues: Sequence[flint.arb], multiplicities: Sequence[int]
) -> Mapping[str, flint.arb]:
    return {"s": eigenvalues[0]}


STATEMENT = Statement(
    family=FAMILY,
    theorem="global_decay",
    title="At infinite width 1/σ_n²(ℓ) - n ≤ (n/(n+2))^ℓ (1/σ_n²(0) - n), from any full rank",
    quantifier=Quantifier.MEAN_FIELD,
    source=OURS,
    variables=(
        BATCH,
        Variable(ell, sp.Range(1, sp.oo), "layers"),
        Variable(s_0, sp.Interval.Lopen(0, 1 / n), "smallest eigenvalue of the start, σ_n²(0)"),
    ),
    definitions={s: "σ_n² after ℓ layers at infinite width"},
    lhs=1 / s - n,
    relation="<=",
    rhs=_rate**ell * (1 / s_0 - n),
    chain="rescale",
    observables=("smallest_eigenvalue",),
    sentinel=Sentinel(
        "a rate one part in twenty smaller",
        rhs=(sp.Rational(19, 20) * _rate) ** ell * (1 / s_0 - n),
    ),
    expected=Verdict.CERTIFIED,
    depends_on=("orthogonality.contraction:harmonic",),
    checks=(
        WidthLimit(
            (
                _start(4, Fraction(1, 2**10)),
                _start(4, Fraction(1, 8)),
                _start(8, Fraction(1, 16)),
                _start(16, Fraction(1, 2**20)),
                _start(32, Fraction(1, 64)),
            ),
            LAYERS,
            _smallest,
            _known,
            d,
            ell,
            first=1,
        ),
    ),
    proof=Proof(
        theorem=f"{ROCQ}.leaf.HarmonicIntegral.width_limit_decay",
        link="name",
        gloss="spectra of sum 1, each made of the integrals p_i of the one before, whose least "
        "members are s_k with s_0 > 0, satisfy 1/s_k - n ≤ (n/(n+2))^k (1/s_0 - n)",
        also=(f"{ROCQ}.Harmonic.global_decay",),
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
