"""At first order a layer of infinite width multiplies C - I/n by n/(n+2).

Problem. Near orthogonality, λ_i = 1/n + ε_i with Σε = 0. How does p_i = E λ_i v_i²/Σλ_k v_k² move?

Method. 1/Σλ_k v_k² = n - n² Σε_k v_k² + …, since Σv² = 1: to first order p_i - 1/n is
n E v_i² ε_i - n Σ_k E v_i²v_k² ε_k. The sphere's moments give the rest. Exact rationals at drawn ε;
Rocq's kernel proves it for every n and ε.

Guarantee. n m_2 ε_i - n (m_22 Σ_k ε_k + (m_4 - m_22) ε_i) = (n/(n+2)) ε_i: the rate of
`contraction:harmonic` and `global_decay` at the fixed point, and the memory of `stationary_law`.

Reference. Ours, after DJB21 (arXiv 2106.03970).

Example:

    >>> STATEMENT.name
    'orthogonality.linear_response'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import sympy as sp

from simulators.lazy import strategies as st
from simulators.strategies import fractions_between
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.orthogonality.notation import BATCH, FAMILY, OURS, ROCQ, i, k, n
from theorems.statement import (
    NUDGE,
    Assumption,
    Proof,
    Quantifier,
    Sentinel,
    Statement,
    Variable,
    Verdict,
)

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

eps = sp.IndexedBase("epsilon", real=True)
m_2, m_4, m_22 = sp.symbols("m_2 m_4 m_22", real=True)
Item = Mapping[str, object]


def _item(place: int, first: Sequence[Fraction | int]) -> Item:
    """Deviations of sum 0, the last of which is given by the others."""
    deviations = (*map(Fraction, first), -sum(map(Fraction, first)))
    return {"n": len(deviations), "i": place % len(deviations), "epsilon": deviations}


def _inputs() -> st.SearchStrategy[Item]:
    small = fractions_between(Fraction(-1), Fraction(1), 60)
    return st.builds(_item, st.integers(0, 7), st.lists(small, min_size=0, max_size=7))


def _corners() -> list[Item]:
    return [_item(0, ()), _item(0, (1,)), _item(2, (1, 2)), _item(0, (1, 1, 1, -4, 1))]


_all = sp.Sum(eps[k], (k, 0, n - 1))
_rate = n / (n + 2)

STATEMENT = Statement(
    family=FAMILY,
    theorem="linear_response",
    title="Near orthogonality a layer multiplies C - I/n by n/(n+2)",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(
        BATCH,
        Variable(eps, sp.Reals, "λ - 1/n, to first order", size=(n,)),
        Variable(i, sp.Range(0, n), "eigenvalue looked at"),
    ),
    definitions={m_2: 1 / n, m_4: 3 / (n * (n + 2)), m_22: 1 / (n * (n + 2))},
    assumptions=(Assumption(sp.Eq(_all, 0), "‖H‖_F = 1"),),
    lhs=n * m_2 * eps[i] - n * (m_22 * _all + (m_4 - m_22) * eps[i]),
    relation="==",
    rhs=_rate * eps[i],
    sentinel=Sentinel("a rate one part in a million larger", rhs=(1 + NUDGE) * _rate * eps[i]),
    expected=Verdict.CERTIFIED,
    depends_on=("orthogonality.isotropic_moments:fourth", "orthogonality.isotropic_moments:mixed"),
    checks=(Pointwise(as_given, _inputs, _corners),),
    proof=Proof(theorem=f"{ROCQ}.Stationarity.linear_response"),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
