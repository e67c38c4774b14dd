"""How much vᵀCv fluctuates for a uniform direction v: E(n vᵀCv - 1)² = (2n/(n+2)) V².

Problem. A row of W in the direction v is divided by √(vᵀCv). The gap V of C is what makes these
differ from row to row: by how much?

Method. In the eigenbasis vᵀCv = Σλ_i v_i², of mean 1/n since Σλ = 1; its square has the mean
m_4 Σλ_i² + m_22 ((Σλ_i)² - Σλ_i²) by the sphere's fourth moments. Exact rationals; Rocq's kernel
proves it for every spectrum.

Guarantee. n² E(vᵀCv)² - 1 = (2n/(n+2)) (Σλ_i² - 1/n), for every n ≥ 1 and Σλ = 1.

Reference. Ours, after DJB21 (arXiv 2106.03970).

Example:

    >>> STATEMENT.name
    'orthogonality.quadratic_form_variance'
"""

from __future__ import annotations

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.families.orthogonality.inputs import (
    spectrum_corners,
    spectrum_inputs,
    spectrum_values,
)
from theorems.families.orthogonality.notation import (
    BATCH,
    FAMILY,
    OURS,
    ROCQ,
    SPECTRUM,
    UNIT_TRACE,
    i,
    lam,
    n,
)
from theorems.statement import NUDGE, Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

m_4, m_22 = sp.symbols("m_4 m_22", real=True)
_sum = sp.Sum(lam[i], (i, 0, n - 1))
_squares = sp.Sum(lam[i] ** 2, (i, 0, n - 1))
_variance = 2 * n / (n + 2) * (_squares - 1 / n)

STATEMENT = Statement(
    family=FAMILY,
    theorem="quadratic_form_variance",
    title="E(n vᵀCv - 1)² = (2n/(n+2)) V² for a uniform direction v",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(BATCH, SPECTRUM),
    assumptions=(UNIT_TRACE,),
    definitions={m_4: 3 / (n * (n + 2)), m_22: 1 / (n * (n + 2))},
    lhs=n**2 * (m_4 * _squares + m_22 * (_sum**2 - _squares)) - 1,
    relation="==",
    rhs=_variance,
    sentinel=Sentinel("one part in a million more", rhs=(1 + NUDGE) * _variance),
    expected=Verdict.CERTIFIED,
    depends_on=("orthogonality.isotropic_moments:fourth", "orthogonality.isotropic_moments:mixed"),
    checks=(Pointwise(spectrum_values, spectrum_inputs, spectrum_corners),),
    proof=Proof(theorem=f"{ROCQ}.IsometryDrift.quadratic_form_variance"),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
