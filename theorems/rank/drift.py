"""How the effective rank drifts in one layer of the residual chain: the generator of ‖M‖_F² and its sign."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.rank import inputs
from theorems.rank.notation import BATCH, FAMILY, NUDGE, OURS, ROCQ, ROWS, WIDTH, d, h, i, j, k, m, n
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Verdict


def _entry(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """M_ab of M = HHᵀ/n."""
    return sp.Sum(h[a, m] * h[b, m], (m, 0, n - 1)) / n


def _over(expression: sp.Expr, *indices: sp.Symbol) -> sp.Expr:
    for index in reversed(indices):
        expression = sp.Sum(expression, (index, 0, d - 1))
    return expression


_squares = _over(_over(_entry(i, j) ** 2, j) ** 2, i)
_cube = _over(_entry(i, j) * _entry(j, k) * _entry(k, i), i, j, k)
_off_diagonal = _over((_entry(i, i) - 1) ** 2, i)


def _rows(item: inputs.Rows) -> Mapping[str, Any]:
    return {"d": len(item), "n": len(item[0]), "h": item}


DRIFT_INEQUALITY = Statement(
    family=FAMILY, theorem="drift_inequality", title="For M with diag M = 1: Σ_i (M²)_ii² ≤ Tr M³",
    quantifier=Quantifier.POINTWISE, source=OURS, variables=(WIDTH, BATCH, ROWS),
    assumptions=(Assumption(sp.Eq(_off_diagonal, 0, evaluate=False), "diag M = 1"),),
    lhs=_squares, relation="<=", rhs=_cube, expected=Verdict.CERTIFIED,
    sentinel=Sentinel("Tr M³, one part in a million smaller", rhs=(1 - NUDGE) * _cube),
    checks=(Pointwise(_rows, inputs.drift_inputs, inputs.drift_corners),),
    proof=Proof(theorem=f"{ROCQ}.DriftInequality.drift_inequality_batch",
                also=(f"{ROCQ}.DriftInequality.drift_inequality", f"{ROCQ}.DriftInequality.drift_inequality_row",
                      f"{ROCQ}.DriftInequality.drift_inequality_indexed",
                      f"{ROCQ}.DriftInequality.drift_inequality_gram")),
    remark="Cauchy–Schwarz row by row. Equality at M = I and at rank one. It signs the part -8 Tr M³ + 8 Σ_i (M²)_ii² "
           "of the drift.",
)
STATEMENTS = (DRIFT_INEQUALITY,)
