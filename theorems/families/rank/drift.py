"""How the effective rank drifts in one layer of the residual chain: the generator of ‖M‖_F² and its
sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from itertools import chain

import numpy as np
import sympy as sp

from simulators.strategies import Matrix
from theorems.checking.check import Floats
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import rational_rows
from theorems.families.rank import inputs
from theorems.families.rank.drift_checks import (
    Derivation,
    LabelledBatch,
    Paired,
    invariants,
    second_order,
)
from theorems.families.rank.notation import (
    BATCH,
    FAMILY,
    OURS,
    ROCQ,
    ROWS,
    TWO_ROWS,
    WIDTH,
    d,
    h,
    i,
    j,
    k,
    m,
    n,
)
from theorems.statement import NUDGE, Assumption, Proof, Quantifier, Sentinel, Statement, Verdict


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


def _rows(item: Matrix) -> Mapping[str, object]:
    return {"d": len(item), "n": len(item[0]), "h": item}


#: Of a wider batch the first rows are taken: the sums cost d³ n rational operations.
_ROWS_TRIED = 16


def _reads_rows(batch: Floats) -> str:
    """Which part of a batch is read, where it is not all of it."""
    return f"its first {_ROWS_TRIED} of {len(batch)} rows" if len(batch) > _ROWS_TRIED else ""


def _first_rows(batch: Floats) -> Matrix:
    return rational_rows(batch[:_ROWS_TRIED])


DRIFT_INEQUALITY = Statement(
    family=FAMILY,
    theorem="drift_inequality",
    title="For M with diag M = 1: Σ_i (M²)_ii² ≤ Tr M³",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(WIDTH, BATCH, ROWS),
    assumptions=(Assumption(sp.Eq(_off_diagonal, 0, evaluate=False), "diag M = 1"),),
    lhs=_squares,
    relation="<=",
    rhs=_cube,
    expected=Verdict.CERTIFIED,
    sentinel=Sentinel("Tr M³, one part in a million smaller", rhs=(1 - NUDGE) * _cube),
    checks=(Pointwise(_rows, inputs.drift_inputs, inputs.drift_corners),),
    proof=Proof(
        theorem=f"{ROCQ}.DriftInequality.drift_inequality_batch",
        also=(
            f"{ROCQ}.DriftInequality.drift_inequality",
            f"{ROCQ}.DriftInequality.drift_inequality_row",
            f"{ROCQ}.DriftInequality.drift_inequality_indexed",
            f"{ROCQ}.DriftInequality.drift_inequality_gram",
        ),
    ),
    remark="Cauchy–Schwarz row by row. Equality at M = I and at rank one. It signs the part -8 Tr "
    "M³ + 8 Σ_i (M²)_ii² of the drift.",
)


def _rescaled(*pairs: tuple[sp.Expr, sp.Expr]) -> sp.Expr:
    """The product of the M_ab once rows have norm √n: Σ_m h_am h_bm over both norms. Every index
    must come twice.
    """
    above = [sp.Sum(h[a, m] * h[b, m], (m, 0, n - 1)) for a, b in pairs]
    below = dict.fromkeys(chain.from_iterable(pairs))
    return sp.Mul(*above) / sp.Mul(*(sp.Sum(h[a, m] ** 2, (m, 0, n - 1)) for a in below))


_norms = sp.Product(sp.Sum(h[i, m] ** 2, (m, 0, n - 1)), (i, 0, d - 1))
_rescaled_cube = _over(_rescaled((i, j), (j, k), (k, i)), i, j, k)
DRIFT_INEQUALITY_RESCALED = Statement(
    family=FAMILY,
    theorem="drift_inequality_rescaled",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    title="Of every H without zero row, rows rescaled so that diag M = 1: Σ_i (M²)_ii² ≤ Tr M³",
    variables=(WIDTH, BATCH, ROWS),
    assumptions=(Assumption(sp.Gt(_norms, 0, evaluate=False), "no row of H is zero"),),
    lhs=_over(_over(_rescaled((i, j), (i, j)), j) ** 2, i),
    relation="<=",
    rhs=_rescaled_cube,
    expected=Verdict.CERTIFIED,
    sentinel=Sentinel("Tr M³, one part in a million smaller", rhs=(1 - NUDGE) * _rescaled_cube),
    checks=(
        Pointwise(
            _rows,
            inputs.nonzero_rows,
            inputs.drift_corners,
            _first_rows,
            examples=100,
            refuses=inputs.too_narrow,
            reads=_reads_rows,
        ),
    ),
    proof=Proof(theorem=f"{ROCQ}.DriftInequality.drift_inequality_rescaled"),
    remark="drift_inequality for BN-rows(H), in the entries of H: the roots cancel, so that every "
    "batch is decided exactly. Of a user's batch the first 16 rows are tried.",
)

# --- the generator --------------------------------------------------------------------------------

drift = sp.Symbol("G", real=True)
squares, cube, rows = sp.symbols("F T_3 Q", nonnegative=True)
_rhs = 2 * d**2 - 2 * squares - 8 * cube + 8 * rows


@lru_cache(maxsize=1024)
def _drift_values(item: Matrix) -> Mapping[str, object]:
    batch = np.array(item, dtype=object)
    matrix = (batch @ batch.T / len(item[0])).tolist()
    return {**_rows(item), **invariants(matrix), "G": second_order(matrix)}


def _starts(batch: Floats | None) -> list[LabelledBatch]:
    """Three widths under three laws; or the user's batch, whose rows the check rescales, under
    two.
    """
    if batch is not None:
        return [LabelledBatch("the batch", batch, law) for law in ("rademacher", "gaussian")]
    found = []
    for width, cosine in ((2, 0.8), (4, 0.5), (8, 0.2)):
        factor = np.linalg.cholesky(np.full((width, width), cosine) + (1 - cosine) * np.eye(width))
        label = f"d={width}, cosine {cosine}"
        found += [
            LabelledBatch(label, factor, law) for law in ("gaussian", "uniform", "rademacher")
        ]
    return found


DRIFT = Statement(
    family=FAMILY,
    theorem="drift",
    quantifier=Quantifier.EXPECTATION,
    source=OURS,
    title="E‖M⁺‖_F² = ‖M‖_F² + γ²(2d² - 2‖M‖_F² - 8 Tr M³ + 8 Σ_i (M²)_ii²) + O(γ⁴)",
    chain="residual",
    variables=(TWO_ROWS, BATCH, ROWS),
    assumptions=(Assumption(sp.Eq(_off_diagonal, 0, evaluate=False), "diag M = 1"),),
    definitions={
        drift: "the coefficient of γ² in E‖M⁺‖_F², entries of W independent, symmetric, of "
        "variance 1",
        squares: "‖M‖_F²",
        cube: "Tr M³",
        rows: "Σ_i (M²)_ii²",
    },
    lhs=drift,
    relation="==",
    rhs=_rhs,
    expected=Verdict.SUPPORTED,
    sentinel=Sentinel("4 in place of 8", rhs=2 * d**2 - 2 * squares - 4 * cube + 4 * rows),
    checks=(
        Derivation(),
        Pointwise(
            _drift_values,
            partial(inputs.drift_inputs, 2),
            partial(inputs.drift_corners, 2),
            refuses=inputs.too_narrow,
        ),
        Paired(_starts),
    ),
    remark="The second order needs no more of the law than mean 0 and variance 1. By "
    "drift_inequality its last two terms together are at most 0. At M = I only noise is left, 2d² "
    "- 2d, which lowers the rank; at rank one nothing moves.",
)
STATEMENTS = (DRIFT_INEQUALITY, DRIFT_INEQUALITY_RESCALED, DRIFT)
