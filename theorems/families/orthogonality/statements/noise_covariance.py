"""The noise of a layer near orthogonality is isotropic on the traceless symmetric matrices.

Problem. From orthogonal samples the next C is the average of d independent vvᵀ, v a uniform
direction. What is the covariance of the entries of vvᵀ - I/n?

Method. E v_iv_jv_kv_l = (δ_ijδ_kl + δ_ikδ_jl + δ_ilδ_jk)/(n(n+2)), so the covariance of vvᵀ is
τ (δ_ikδ_jl + δ_ilδ_jk - (2/n) δ_ijδ_kl), τ = 1/(n(n+2)): that of a matrix of the orthogonal
Gaussian ensemble with its trace taken off. Exact rationals; Rocq's kernel for every n.

Guarantee. On the diagonal τ(2 - 2/n), across it -2τ/n, and the squares of all entries add up to
1 - 1/n, as n τ(2 - 2/n) + n(n-1)τ.

Reference. Ours, after DJB21 (arXiv 2106.03970), Lemma 6.

Example:

    >>> [float(statement.bound(n=2, tau=1 / 8)) for statement in STATEMENTS[:2]]
    [0.125, -0.125]
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.orthogonality.notation import FAMILY, OURS, ROCQ, n
from theorems.statement import NUDGE, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

m_2, m_4, m_22, tau = sp.symbols("m_2 m_4 m_22 tau", real=True)
Item = Mapping[str, int]


def _inputs() -> st.SearchStrategy[Item]:
    return st.integers(2, 10**4).map(_item)


def _item(size: int) -> Item:
    return {"n": size}


def _corners() -> list[Item]:
    return [_item(size) for size in (2, 3, 1000)]


_covariance = partial(
    Statement,
    family=FAMILY,
    theorem="noise_covariance",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(Variable(n, sp.Range(2, sp.oo), "batch size, at least 2"),),
    relation="==",
    expected=Verdict.CERTIFIED,
    depends_on=("orthogonality.isotropic_moments:fourth", "orthogonality.isotropic_moments:mixed"),
    checks=(Pointwise(as_given, _inputs, _corners),),
)
_MOMENTS = {m_2: 1 / n, m_4: 3 / (n * (n + 2)), m_22: 1 / (n * (n + 2))}
_TAU = {tau: 1 / (n * (n + 2))}
_ROCQ = f"{ROCQ}.Stationarity"
_more = "one part in a million more"

STATEMENTS = (
    _covariance(
        variant="diagonal",
        title="E (v_i² - 1/n)² = τ(2 - 2/n), τ = 1/(n(n+2))",
        definitions={m_2: _MOMENTS[m_2], m_4: _MOMENTS[m_4], **_TAU},
        lhs=m_4 - 2 * m_2 / n + 1 / n**2,
        rhs=tau * (2 - 2 / n),
        sentinel=Sentinel("2τ, without the trace taken off", rhs=2 * tau),
        proof=Proof(theorem=f"{_ROCQ}.noise_diagonal"),
    ),
    _covariance(
        variant="across",
        title="E (v_i² - 1/n)(v_k² - 1/n) = -2τ/n for i ≠ k, τ = 1/(n(n+2))",
        definitions={m_2: _MOMENTS[m_2], m_22: _MOMENTS[m_22], **_TAU},
        lhs=m_22 - 2 * m_2 / n + 1 / n**2,
        rhs=-2 * tau / n,
        sentinel=Sentinel(_more, rhs=-2 * (1 + NUDGE) * tau / n),
        proof=Proof(theorem=f"{_ROCQ}.noise_across"),
    ),
    _covariance(
        variant="total",
        title="E ‖vvᵀ - I/n‖_F² = n τ(2 - 2/n) + n(n-1)τ = 1 - 1/n, τ = 1/(n(n+2))",
        definitions=_TAU,
        lhs=n * (tau * (2 - 2 / n)) + n * (n - 1) * tau,
        rhs=1 - 1 / n,
        sentinel=Sentinel(_more, rhs=(1 + NUDGE) * (1 - 1 / n)),
        proof=Proof(theorem=f"{_ROCQ}.noise_total"),
    ),
)
FIGURES = ()
