"""A centred layer with no more units than inputs has a region where all units are positive, and one
where all are negative.

Problem. The boundaries of a layer with batch normalisation all contain the mean of its inputs. With
D₁ units on D₀ ≥ D₁ coordinates and independent weights, which regions are there for certain?

Method. Independent weights have a right inverse u, Σ_k w_ik u_kj = δ_ij. From the mean, go along
the sum of its columns, or against it. Exact rationals; Rocq's kernel proves it.

Guarantee. At y = z̄ ± Σ_j u_·j every unit has ⟨w_i, y - z̄⟩ = ±1: the all-positive and the
all-negative region are not empty. (They are unbounded: `central_arrangement:unbounded`.)

Reference. R26 (PMLR 334), Lemma 5, the case D₁ ≤ D₀.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['positive', 'negative']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial

import flint
import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.splines.notation import FAMILY, ROCQ
from theorems.statement import (
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

D_1, D_0 = sp.symbols("D_1 D_0", integer=True, positive=True)
i, j, k, q = sp.symbols("i j k q", integer=True)
w, inverse = (sp.IndexedBase(name, real=True) for name in "wu")
Item = Mapping[str, object]
Rows = Sequence[Sequence[int]]


def _item(rows: Rows, unit: int) -> Item:
    """Weights with a right inverse, wᵀ(wwᵀ)⁻¹; of dependent ones none, and no input."""
    weights = flint.fmpq_mat(flint.fmpz_mat([list(row) for row in rows]))
    transposed = weights.transpose()
    product = weights * transposed
    if product.det() == 0:
        weights = transposed = flint.fmpq_mat(1, 1, [1])
        product = weights
    found = transposed * product.inv()

    def nested(matrix: flint.fmpq_mat) -> tuple[tuple[Fraction, ...], ...]:
        table = (row for row in matrix.tolist())
        return tuple(tuple(Fraction(int(x.p), int(x.q)) for x in row) for row in table)

    return {
        "D_1": weights.nrows(),
        "D_0": weights.ncols(),
        "w": nested(weights),
        "u": nested(found),
        "i": unit % weights.nrows(),
    }


def _inputs() -> st.SearchStrategy[Item]:
    number = st.integers(-5, 5)

    def of(shape: tuple[int, int]) -> st.SearchStrategy[Item]:
        units, width = min(shape), max(shape)
        row = st.lists(number, min_size=width, max_size=width)
        rows = st.lists(row, min_size=units, max_size=units)
        return st.builds(_item, rows, st.integers(0, 5))

    return st.tuples(st.integers(1, 3), st.integers(1, 4)).flatmap(of)


def _corners() -> list[Item]:
    return [
        _item([[2]], 0),
        _item([[1, 0], [0, 1]], 1),
        _item([[1, 1, 0], [0, 1, 1]], 0),
        _item([[1, 1, 1], [1, -1, 0], [0, 1, 1000]], 2),
    ]


_product = sp.Sum(w[j, k] * inverse[k, q], (k, 0, D_0 - 1))
_unit = sp.Piecewise((1, sp.Eq(j, q)), (0, True))
_off = sp.Sum((_product - _unit) ** 2, (q, 0, D_1 - 1), (j, 0, D_1 - 1))


def _at(sign: int) -> sp.Expr:
    """⟨w_i, y - z̄⟩ at y = z̄ ± Σ_j u_·j."""
    along = sp.Sum(inverse[k, j], (j, 0, D_1 - 1))
    return sign * sp.Sum(w[i, k] * along, (k, 0, D_0 - 1))


_regions = partial(
    Statement,
    family=FAMILY,
    theorem="regions_of_centred_layer",
    quantifier=Quantifier.POINTWISE,
    source=Source("R26", "Lemma 5, D₁ ≤ D₀"),
    variables=(
        Variable(D_1, sp.Range(1, sp.oo), "units"),
        Variable(D_0, sp.Range(1, sp.oo), "coordinates"),
        Variable(w, sp.Reals, "weights, one unit a row", size=(D_1, D_0)),
        Variable(inverse, sp.Reals, "a right inverse of w", size=(D_0, D_1)),
        Variable(i, sp.Range(0, D_1), "unit looked at"),
    ),
    assumptions=(Assumption(sp.Eq(_off, 0), "w u = 1, so the weights are independent"),),
    relation="==",
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _inputs, _corners),),
)


def _proof(name: str) -> Proof:
    return Proof(
        theorem=f"{ROCQ}.CentredLayer.{name}",
        script="move=> R D_1 D_0 w u i one two inverse; (have _ : (1 <= D_1)%N := one); "
        "(have _ : (1 <= D_0)%N := two); exact: (THEOREM i inverse)",
    )


STATEMENTS = (
    _regions(
        variant="positive",
        title="D₁ ≤ D₀ units with independent weights: where all are positive there is a region",
        lhs=_at(1),
        rhs=sp.Integer(1),
        sentinel=Sentinel("twice as positive", rhs=sp.Integer(2)),
        proof=_proof("all_positive"),
    ),
    _regions(
        variant="negative",
        title="D₁ ≤ D₀ units with independent weights: where all are negative there is a region",
        lhs=_at(-1),
        rhs=sp.Integer(-1),
        sentinel=Sentinel("twice as negative", rhs=sp.Integer(-2)),
        proof=_proof("all_negative"),
    ),
)
FIGURES = ()
