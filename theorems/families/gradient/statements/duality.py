"""⟨G, Ḣ⟩ is the same at every layer: gradients are dual to tangents.

Problem. A tangent goes forward through the derivatives J of the layers, a gradient back through
their transposes. What ties the two?

Method. One layer is an exchange of two sums, for every J; Rocq proves it, and for any number of
layers by induction. Exact rationals at drawn matrices.

Guarantee. Σ_i (Jᵀg)_i h_i = Σ_k g_k (Jh)_k. With W given only through A = WH, the backward pass
splits in the same way: Wᵀg = Pᵀ(Aᵀg) + (1 - HP)ᵀWᵀg for every P, and what A does not fix is the
second part; with P the pseudo-inverse of H this is how gradients go back exactly in law through
weights that nobody drew (in Rocq, `conditional_gradient`).

Reference. Ours; classical.

Example:

    >>> STATEMENT.name
    'gradient.duality'
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import sympy as sp

from simulators.lazy import composite
from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.gradient.notation import FAMILY, ROCQ, g, i, k, m, n
from theorems.statement import (
    NUDGE,
    Proof,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Variable,
    Verdict,
)

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

J, h = (sp.IndexedBase(name, real=True) for name in "Jh")
Item = Mapping[str, object]


def _item(rows: list[list[Fraction]], gradient: list[Fraction], tangent: list[Fraction]) -> Item:
    matrix = tuple(map(tuple, rows))
    sizes = {"m": len(gradient), "n": len(tangent)}
    return {**sizes, "J": matrix, "g": tuple(gradient), "h": tuple(tangent)}


@composite
def _layers(draw: st.DrawFn) -> Item:
    """A matrix of up to 4 × 4 entries, with a gradient and a tangent."""
    above, below = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    entry = st.fractions(-3, 3, max_denominator=8)

    def vector(size: int) -> list[Fraction]:
        return draw(st.lists(entry, min_size=size, max_size=size))

    return _item([vector(below) for _ in range(above)], vector(above), vector(below))


def _corners() -> list[Item]:
    """A shear of the plane, which is not its transpose."""
    one, two = Fraction(1), Fraction(2)
    return [_item([[one, two], [0 * one, one]], [one, two], [two, one])]


_back = sp.Sum(sp.Sum(J[k, i] * g[k], (k, 0, m - 1)) * h[i], (i, 0, n - 1))
_forth = sp.Sum(g[k] * sp.Sum(J[k, i] * h[i], (i, 0, n - 1)), (k, 0, m - 1))

STATEMENT = Statement(
    family=FAMILY,
    theorem="duality",
    title="⟨Jᵀg, h⟩ = ⟨g, Jh⟩: gradients are dual to tangents, layer by layer",
    quantifier=Quantifier.POINTWISE,
    source=Source("ours", "classical"),
    variables=(
        Variable(m, sp.Range(1, sp.oo), "outputs of the layer"),
        Variable(n, sp.Range(1, sp.oo), "its inputs"),
        Variable(J, sp.Reals, "its derivative", size=(m, n)),
        Variable(g, sp.Reals, "gradient at its outputs", size=(m,)),
        Variable(h, sp.Reals, "tangent at its inputs", size=(n,)),
    ),
    lhs=_back,
    relation="==",
    rhs=_forth,
    sentinel=Sentinel("one part in a million more", rhs=(1 + NUDGE) * _forth),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _layers, _corners, examples=40),),
    proof=Proof(
        theorem=f"{ROCQ}.duality_layer",
        script="move=> R m n J g h m1 n1; (have _ : (1 <= m)%N := m1); "
        "(have _ : (1 <= n)%N := n1); exact: THEOREM",
        also=(
            f"{ROCQ}.duality",
            f"{ROCQ}.conditional_law",
            f"{ROCQ}.conditional_gradient",
            f"{ROCQ}.unseen_part",
        ),
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
