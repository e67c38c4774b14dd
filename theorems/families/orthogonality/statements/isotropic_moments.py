"""What "Gaussian" contributes: directions of a law that rotations leave alone have the sphere's
moments.

Problem. The theorems of this family ask of a row of W only E v_i⁴ and E v_i²v_k² for its direction
v. Why does a Gaussian row, or any other whose law no rotation changes, have those of the sphere?

Method. A turn by a quarter in the plane of two coordinates exchanges them: all E v_i⁴ are one
number m_4, all E v_i²v_k² another, m_22. A turn by an eighth takes v_i to (v_i + v_k)/√2, and
E (v_i + v_k)⁴/4 = (2m_4 + 6m_22)/4 must be m_4: so m_4 = 3m_22. Unit length gives
n m_4 + n(n-1) m_22 = 1. Rocq's kernel compares the two linear equations with the claim, and has a
theorem that derives them for every linear functional that such turns and changes of sign leave
alone.

Guarantee. m_4 = 3/(n(n+2)) and m_22 = 1/(n(n+2)), for every n ≥ 2, without an integral.

Reference. Ours; classical.

Example:

    >>> [float(statement.bound(n=2)) for statement in STATEMENTS]
    [0.375, 0.125]
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial

import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.orthogonality.notation import FAMILY, ROCQ, n
from theorems.statement import (
    NUDGE,
    Assumption,
    Proof,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Variable,
    Verdict,
)

__all__ = ["FIGURES", "STATEMENTS"]

m_4, m_22 = sp.symbols("m_4 m_22", real=True)
Item = Mapping[str, Fraction | int]


def _item(size: int) -> Item:
    mixed = Fraction(1, size * (size + 2))
    return {"n": size, "m_4": 3 * mixed, "m_22": mixed}


def _inputs() -> st.SearchStrategy[Item]:
    return st.integers(2, 10**4).map(_item)


def _corners() -> list[Item]:
    return [_item(size) for size in (2, 3, 1000)]


_EIGHTH = Assumption(sp.Eq(m_4, 3 * m_22), "a turn by an eighth changes nothing")
_LENGTH = Assumption(sp.Eq(n * m_4 + n * (n - 1) * m_22, 1), "|v| = 1")
_moments = partial(
    Statement,
    family=FAMILY,
    theorem="isotropic_moments",
    quantifier=Quantifier.POINTWISE,
    source=Source("ours", "classical"),
    variables=(
        Variable(n, sp.Range(2, sp.oo), "batch size, at least 2"),
        Variable(m_4, sp.Reals, "E v_i⁴"),
        Variable(m_22, sp.Reals, "E v_i² v_k², i ≠ k"),
    ),
    assumptions=(_EIGHTH, _LENGTH),
    relation="==",
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _inputs, _corners),),
)
_THEOREMS = f"{ROCQ}.Isotropy"
_ALSO = (f"{_THEOREMS}.turns_give_moments",)

STATEMENTS = (
    _moments(
        variant="fourth",
        title="E v_i⁴ = 3/(n(n+2)) if no rotation changes the law of the unit vector v",
        lhs=m_4,
        rhs=3 / (n * (n + 2)),
        sentinel=Sentinel("one part in a million more", rhs=3 * (1 + NUDGE) / (n * (n + 2))),
        proof=Proof(theorem=f"{_THEOREMS}.isotropic_fourth", also=_ALSO),
    ),
    _moments(
        variant="mixed",
        title="E v_i² v_k² = 1/(n(n+2)) if no rotation changes the law of the unit vector v",
        lhs=m_22,
        rhs=1 / (n * (n + 2)),
        sentinel=Sentinel("one part in a million more", rhs=(1 + NUDGE) / (n * (n + 2))),
        proof=Proof(theorem=f"{_THEOREMS}.isotropic_mixed", also=_ALSO),
    ),
)
FIGURES = ()
