"""A centred layer with no more units than inputs has a region where all units are positive, and one
where all are negative; with more units, and offsets of their own, one is bounded.

Problem. The boundaries of a layer with batch normalisation all contain the mean of its inputs. With
D₁ units on D₀ coordinates, which regions are there for certain, and which with any other offsets?

Method. D₁ ≤ D₀: independent weights have a right inverse u, Σ_k w_ik u_kj = δ_ij. From the mean, go
along the sum of its columns, or against it. D₁ > D₀: weights are dependent, Σ_i λ_i w_i = 0, so that
Σ_i λ_i (⟨w_i,y⟩ - b_i) is the same for every y. Exact rationals; Rocq's kernel proves it.

Guarantee. D₁ ≤ D₀: at y = z̄ ± Σ_j u_·j every unit has ⟨w_i, y - z̄⟩ = ±1: the all-positive and the
all-negative region are not empty. (They are unbounded: `central_arrangement:unbounded`.) D₁ > D₀:
where every λ_i (⟨w_i,y⟩ - b_i) ≥ 0, none of them exceeds |Σ_i λ_i b_i|. If no λ_i is 0 and the
weights span the space, that bounds this region, or the opposite one, where all are ≤ 0; one of the
two is not empty unless Σ_i λ_i b_i = 0, as the offsets ⟨w_i, z̄⟩ of batch normalisation have it, and
independent ones with a density almost surely have not.

Reference. R26 (PMLR 334), Lemma 5; the bound for D₁ > D₀ is ours.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['positive', 'negative', 'bounded']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import flint
import numpy as np
import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.splines.notation import FAMILY, ROCQ
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

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw"]

D_1, D_0 = sp.symbols("D_1 D_0", integer=True, positive=True)
i, j, k, q = sp.symbols("i j k q", integer=True)
w, inverse, b, y = (sp.IndexedBase(name, real=True) for name in "wuby")
lam = sp.IndexedBase("lambda", real=True)
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


# --- more units than coordinates ------------------------------------------------------------------


def _dependent(
    rows: Rows, point: Sequence[Fraction], heights: Sequence[Fraction], unit: int
) -> Item:
    """Weights with λ, Σ_i λ_i w_i = 0, and offsets that give λ_i (⟨w_i,y⟩ - b_i) these heights.

    Where λ_i = 0 it is 0, whatever the offset.
    """
    matrix = flint.fmpz_mat([list(row) for row in rows]).transpose()
    basis, _ = matrix.nullspace()
    factors = [Fraction(int(basis[k, 0])) for k in range(len(rows))]
    divisor = max(map(abs, factors)) or Fraction(1)
    factors = [x / divisor for x in factors]
    values = [sum((a * x for a, x in zip(row, point, strict=True)), Fraction(0)) for row in rows]
    offsets = tuple(
        value - (height / factor if factor else height)
        for value, height, factor in zip(values, heights, factors, strict=True)
    )
    return {
        "D_1": len(rows),
        "D_0": len(point),
        "w": tuple(tuple(map(Fraction, row)) for row in rows),
        "lambda": tuple(factors),
        "b": offsets,
        "y": tuple(point),
        "q": unit % len(rows),
    }


def _dependent_inputs() -> st.SearchStrategy[Item]:
    """One to three coordinates, one or two units more."""
    number = st.integers(-5, 5)
    sixths = number.map(lambda whole: Fraction(whole, 6))

    def of(sizes: tuple[int, int]) -> st.SearchStrategy[Item]:
        width, units = sizes[0], sum(sizes)
        rows = st.lists(st.tuples(*(number,) * width), min_size=units, max_size=units)
        heights = st.tuples(*(sixths.map(abs),) * units)
        return st.builds(
            _dependent, rows, st.tuples(*(sixths,) * width), heights, st.integers(0, 5)
        )

    return st.tuples(st.integers(1, 3), st.integers(1, 2)).flatmap(of)


def _dependent_corners() -> list[Item]:
    """A corner of the region, where one unit has all there is, a point inside, and a centred layer."""
    zero, one = Fraction(0), Fraction(1)
    plane = [(1, 0), (0, 1), (-1, -1)]
    return [
        _dependent([(1,), (-1,)], (zero,), (one, zero), 0),
        _dependent(plane, (zero, one), (one, zero, zero), 0),
        _dependent(plane, (zero, one), (one, one, one), 1),
        _dependent(plane, (one, one), (zero, zero, zero), 2),
        _dependent([(2, 1), (1, -1), (3, 5)], (one, zero), (zero, 3 * one, zero), 1),
    ]


_product = sp.Sum(w[j, k] * inverse[k, q], (k, 0, D_0 - 1))
_unit = sp.Piecewise((1, sp.Eq(j, q)), (0, True))
_off = sp.Sum((_product - _unit) ** 2, (q, 0, D_1 - 1), (j, 0, D_1 - 1))


def _at(sign: int) -> sp.Expr:
    """⟨w_i, y - z̄⟩ at y = z̄ ± Σ_j u_·j."""
    along = sp.Sum(inverse[k, j], (j, 0, D_1 - 1))
    return sign * sp.Sum(w[i, k] * along, (k, 0, D_0 - 1))


_height = lam[i] * (sp.Sum(w[i, k] * y[k], (k, 0, D_0 - 1)) - b[i])
_combined = sp.Sum(lam[i] * w[i, k], (i, 0, D_1 - 1))
_LAYER = (
    Variable(D_1, sp.Range(1, sp.oo), "units"),
    Variable(D_0, sp.Range(1, sp.oo), "coordinates"),
    Variable(w, sp.Reals, "weights, one unit a row", size=(D_1, D_0)),
)
_regions = partial(
    Statement,
    family=FAMILY,
    theorem="regions_of_centred_layer",
    quantifier=Quantifier.POINTWISE,
    source=Source("R26", "Lemma 5, D₁ ≤ D₀"),
    variables=(
        *_LAYER,
        Variable(inverse, sp.Reals, "a right inverse of w", size=(D_0, D_1)),
        Variable(i, sp.Range(0, D_1), "unit looked at"),
    ),
    assumptions=(Assumption(sp.Eq(_off, 0), "w u = 1, so the weights are independent"),),
    relation="==",
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _inputs, _corners),),
)


def _proof(name: str, given: str = "u i", used: str = "i inverse", last: str = "inverse") -> Proof:
    return Proof(
        theorem=f"{ROCQ}.CentredLayer.{name}",
        script=f"move=> R D_1 D_0 w {given} one two {last}; (have _ : (1 <= D_1)%N := one); "
        f"(have _ : (1 <= D_0)%N := two); exact: (THEOREM {used})",
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
    _regions(
        variant="bounded",
        title="Σ_i λ_i w_i = 0: where all λ_i (⟨w_i,y⟩ - b_i) ≥ 0, none exceeds |Σ_i λ_i b_i|",
        source=Source("R26", "after Lemma 5, D₁ > D₀"),
        variables=(
            *_LAYER,
            Variable(lam, sp.Reals, "λ: how the weights depend on each other", size=(D_1,)),
            Variable(b, sp.Reals, "offsets", size=(D_1,)),
            Variable(y, sp.Reals, "a point of the region", size=(D_0,)),
            Variable(q, sp.Range(0, D_1), "unit looked at"),
        ),
        assumptions=(
            Assumption(sp.Eq(sp.Sum(_combined**2, (k, 0, D_0 - 1)), 0), "Σ_i λ_i w_i = 0"),
            Assumption(
                sp.Eq(sp.Sum(sp.Abs(_height) - _height, (i, 0, D_1 - 1)), 0),
                "λ_i (⟨w_i,y⟩ - b_i) ≥ 0 for every unit",
            ),
        ),
        lhs=sp.Abs(_height.subs(i, q)),
        relation="<=",
        rhs=sp.Abs(sp.Sum(lam[i] * b[i], (i, 0, D_1 - 1))),
        sentinel=Sentinel(
            "one part in a million less",
            rhs=(1 - NUDGE) * sp.Abs(sp.Sum(lam[i] * b[i], (i, 0, D_1 - 1))),
        ),
        checks=(Pointwise(as_given, _dependent_inputs, _dependent_corners),),
        proof=_proof("bounded", "lambda b y q", "q dependent sides", last="dependent sides"),
        remark="0 with the offsets ⟨w_i, z̄⟩ of batch normalisation: no such region is left. Attained "
        "at its corners.",
    ),
)

#: What is drawn: weights, whether they are centred, and a title.
_WEIGHTS = np.array([[1.0, 0.4], [-0.5, 1.0], [-0.4, -1.2]])
_OFFSETS = np.array([-0.35, -0.5, -0.45])


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """The boundaries of two and three units of the plane, centred and not, with the regions that are
    claimed; None if the statements were not run.

    ``document`` is the JSON value of a run.
    """
    from theorems.report.document import find
    from theorems.report.style import COLOURS, INK, Drawing, drawing, new_figure

    if find(document, STATEMENTS[0].name) is None:
        return None
    along = np.linspace(-2, 2, 401)
    points = np.stack(np.meshgrid(along, along), axis=-1)
    panels = (
        (_WEIGHTS[:2], np.zeros(2), "two units, centred"),
        (_WEIGHTS, np.zeros(3), "three units, centred"),
        (_WEIGHTS, _OFFSETS, "three units, other offsets"),
    )
    with drawing():
        figure = new_figure(7.6, 2.9)
        for axes, (weights, offsets, title) in zip(figure.subplots(1, 3), panels, strict=True):
            signs = points @ weights.T > offsets
            for holds, colour in ((signs.all(-1), "measured"), (~signs.any(-1), "as_printed")):
                axes.contourf(
                    along, along, holds, levels=(0.5, 1.5), colors=COLOURS[colour], alpha=0.35
                )
            for weight, offset in zip(weights, offsets, strict=True):
                foot = offset * weight / (weight @ weight)
                axes.axline(
                    foot, foot + np.array([-weight[1], weight[0]]), color=INK, linewidth=1.2
                )
            axes.plot(0, 0, "o", markersize=4, color=COLOURS["sharp"])
            axes.set(xlim=(-2, 2), ylim=(-2, 2), xticks=(), yticks=(), aspect="equal")
            axes.spines[:].set_visible(True)
            axes.set_title(title, fontsize=9)
    return Drawing(
        "regions_of_centred_layer",
        "Regions of a layer, centred and not",
        "Boundaries of units on the plane, the mean of the data (dot), and where all units are "
        "positive (blue) or all negative (orange). No more units than coordinates: both regions are "
        "there. Three units: centred, neither is; with other offsets one is there, and bounded.",
        figure,
        ("splines.regions_of_centred_layer",),
    )


FIGURES = (draw,)
