"""The harmonic factor of a layer is below the linear one: 1/(1+2x) ≤ 1 - 2nx/(n+2) on [0, 1/n].

Problem. `contraction:sharp` has the factor 1 - 2n/(n+2) σ_n², `contraction:harmonic` 1/(1 + 2σ_n²).
Which says more?

Method. Times V̂ = 1/n - x, the difference is 4nx(1/n - x)²/((n+2)(1+2x)). Exact rationals; Rocq's
kernel proves it.

Guarantee. V̂/(1+2x) ≤ (1 - 2n/(n+2) x) V̂ for 0 ≤ x ≤ 1/n, x the smallest eigenvalue; equality at
both ends only. So every bound that follows from the linear factor follows from the harmonic one.

Reference. Ours, after DJB21 (arXiv 2106.03970), Appendix C.6.

Example:

    >>> float(STATEMENT.bound(n=2, s=0.25))
    0.1875
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from simulators.lazy import strategies as st
from simulators.strategies import fractions_between
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.orthogonality.notation import BATCH, FAMILY, OURS, ROCQ, SMALLEST, c, n, s
from theorems.statement import NUDGE, Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

Item = Mapping[str, Fraction | int]


def _item(size: int, share: Fraction) -> Item:
    return {"n": size, "s": share / size}


def _inputs() -> st.SearchStrategy[Item]:
    shares = fractions_between(Fraction(0), Fraction(1), 1000)
    return st.builds(_item, st.integers(1, 1000), shares)


def _corners() -> list[Item]:
    shares = (Fraction(0), Fraction(1, 2), Fraction(999, 1000), Fraction(1))
    return [_item(size, share) for size in (1, 2, 16) for share in shares]


_gap = 1 / n - s

STATEMENT = Statement(
    family=FAMILY,
    theorem="harmonic_below_linear",
    title="The harmonic factor says more: V̂/(1+2σ_n²) ≤ (1 - 2n/(n+2) σ_n²) V̂",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(BATCH, SMALLEST),
    lhs=_gap / (1 + 2 * s),
    relation="<=",
    rhs=(1 - c * s) * _gap,
    sentinel=Sentinel(
        "the linear factor a thousandth lower", rhs=(1 - 1000 * NUDGE - c * s) * _gap
    ),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _inputs, _corners),),
    proof=Proof(
        theorem=f"{ROCQ}.Harmonic.harmonic_below_linear",
        script="move=> R n s n1 s01; (have both : (0 <= s <= n%:R^-1)%R := s01); "
        "rewrite [_ * s + 1]addrC; apply: le_trans (THEOREM n1 both) _; "
        "rewrite le_eqVlt; apply/orP; left; apply/eqP; ring",
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
