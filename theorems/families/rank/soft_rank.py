"""The soft rank is at least (1 - τ)² times the effective rank: the lemma of D20, its sharp form,
and that of H.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial

import numpy as np
import sympy as sp

from simulators.strategies import Matrix
from theorems.checking.check import Floats
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import rational_rows
from theorems.families.rank import inputs
from theorems.families.rank.notation import (
    BATCH,
    FAMILY,
    OURS,
    ROCQ,
    ROWS,
    SPECTRUM,
    THRESHOLD,
    WIDTH,
    d,
    d20,
    eigenvalues_at_least,
    h,
    i,
    j,
    k,
    lam,
    n,
    tau,
)
from theorems.statement import NUDGE, Assumption, Proof, Quantifier, Sentinel, Statement, Verdict

_MODULE = f"{ROCQ}.SoftRankLowerBound"
_ALL = (i, 0, d - 1)
_trace = sp.Sum(lam[i], _ALL)
_count = sp.Sum(sp.Piecewise((1, lam[i] >= tau), (0, True)), _ALL)
_effective_rank = _trace**2 / sp.Sum(lam[i] ** 2, _ALL)


def _spectrum_values(item: tuple[inputs.Levels, Fraction]) -> Mapping[str, object]:
    levels, threshold = item
    flat: list[Fraction] = []
    for value, multiplicity in levels:
        flat += [value] * multiplicity
    return {"d": len(flat), "lambda": flat, "tau": threshold}


_spectra = partial(
    Statement,
    family=FAMILY,
    theorem="soft_rank_lower_bound",
    quantifier=Quantifier.POINTWISE,
    variables=(WIDTH, SPECTRUM, THRESHOLD),
    relation="<=",
    expected=Verdict.CERTIFIED,
    assumptions=(Assumption(sp.Eq(_trace, d), "Tr M = d"),),
    checks=(Pointwise(_spectrum_values, inputs.spectrum_inputs, inputs.spectrum_corners),),
)
AS_PRINTED = _spectra(
    variant="as_printed",
    title="The soft rank is at least (1-τ)² times the effective rank: (1-τ)² r ≤ rank_τ",
    source=d20("Lemma"),
    lhs=(1 - tau) ** 2 * _effective_rank,
    rhs=_count,
    sentinel=Sentinel(
        "(1-τ)²(1+τ/100) in place of (1-τ)²", lhs=(1 - tau) ** 2 * (1 + tau / 100) * _effective_rank
    ),
    proof=Proof(
        theorem=f"{_MODULE}.soft_rank_lower_bound_ratio",
        # the theorem counts by a cardinal and divides first
        script=(
            "move=> R d l tau d1 l0 /andP[t0 t1] tr; (have _ : (1 <= d)%N := d1); "
            f"rewrite {_MODULE}.count_indicator -mulrA; exact: (THEOREM l0 tr t0 t1)"
        ),
        also=(f"{_MODULE}.soft_rank_lower_bound", f"{_MODULE}.soft_rank_lower_bound_sum"),
    ),
    remark="Equality only at M = I, τ = 0. The constant is best for every τ: one large eigenvalue "
    "beside d-1 just below τ brings the quotient of the sides to 1 as d grows. Counting only λ_i > "
    "τ changes nothing.",
)
SHARP = _spectra(
    variant="sharp",
    title="Cantelli's form: rank_τ/d ≥ (1-τ)²/((1-τ)² + d/r - 1)",
    source=OURS,
    lhs=(1 - tau) ** 2 * d**2,
    rhs=_count * sp.Sum((lam[i] - tau) ** 2, _ALL),
    sentinel=Sentinel("one part in a million more", lhs=(1 + NUDGE) * (1 - tau) ** 2 * d**2),
    proof=Proof(
        theorem=f"{_MODULE}.soft_rank_lower_bound_sharp",
        also=(f"{_MODULE}.soft_rank_lower_bound_sharper", f"{_MODULE}.soft_rank_sharp_attained"),
    ),
    remark="Stated without division: Σ(λ-τ)² = d ((1-τ)² + d/r - 1). Equality at M = I for every "
    "τ; for each d, τ and count it is approached as the eigenvalues that count are equal and the "
    "others come up to τ. It gives the printed form, whose right side it exceeds by the factor "
    "1/(1 - (1-(1-τ)²) r/d).",
)

EVERY_WIDTH = _spectra(
    variant="every_width",
    title="The quotient of both ranks, best for every width: rank_τ ≥ ((1-τ)² + τ(2-τ)/d) r",
    source=OURS,
    lhs=(1 - tau) ** 2 * d**2 + tau * (2 - tau) * d,
    rhs=_count * sp.Sum(lam[i] ** 2, _ALL),
    sentinel=Sentinel(
        "the new term larger by (1 - 1/d)/100 of itself",
        lhs=(1 - tau) ** 2 * d**2 + tau * (2 - tau) * (d + (d - 1) / sp.Integer(100)),
    ),
    proof=Proof(theorem=f"{_MODULE}.soft_rank_every_width"),
    remark="Stated without division: r = d²/Σλ². Of each τ > 0 and d the constant is the best: it is "
    "approached as all eigenvalues but one come up to τ. `theorems discover` proposes it at τ = ½, "
    "where it is (d + 3)/(4d). It follows from the sharp form, as one eigenvalue at least counts.",
)

# --- of a batch -----------------------------------------------------------------------------------

rank_tau = sp.Symbol("rank", integer=True, nonnegative=True)
_square_norm = sp.Sum(h[i, k] ** 2, (i, 0, d - 1), (k, 0, n - 1))
_gram_norm = sp.Sum(sp.Sum(h[i, j] * h[i, k], (i, 0, d - 1)) ** 2, (j, 0, n - 1), (k, 0, n - 1))
_matrix_rank = _square_norm**2 / _gram_norm


def soft_rank(rows: Matrix, threshold: Fraction) -> int:
    """rank_τ of H ≠ 0, exact: the eigenvalues of HHᵀ, scaled to sum to d, that are ``threshold`` or
    more.

    Example:
        >>> soft_rank(((Fraction(1), Fraction(0)), (Fraction(0), Fraction(2))), Fraction(1))
        1
    """
    batch = np.array(rows, dtype=object)
    width = len(batch)
    gram = batch @ batch.T if width <= batch.shape[1] else batch.T @ batch
    unseen = width - len(gram)  # eigenvalues 0
    scaled = gram * Fraction(width) / Fraction(np.trace(gram))
    return eigenvalues_at_least(scaled.tolist(), threshold) + (unseen if threshold == 0 else 0)


def _matrix_values(item: tuple[Matrix, Fraction]) -> Mapping[str, object]:
    rows, threshold = item
    return {
        "d": len(rows),
        "n": len(rows[0]),
        "h": rows,
        "tau": threshold,
        "rank": soft_rank(rows, threshold),
    }


#: Of a larger batch so many rows and samples are taken: exact eigenvalue counts cost O(d⁴).
_TAKEN = 48


def _reads(batch: Floats) -> str:
    """Which part of a batch is read, where it is not all of it."""
    rows, samples = batch.shape
    return (
        f"its first {min(rows, _TAKEN)} of {rows} rows and {min(samples, _TAKEN)} of {samples} "
        f"samples"
        if max(rows, samples) > _TAKEN
        else ""
    )


def _halfway(batch: Floats) -> tuple[Matrix, Fraction]:
    """The user's H at τ = 1/2."""
    return rational_rows(batch[:_TAKEN, :_TAKEN]), Fraction(1, 2)


MATRIX = Statement(
    family=FAMILY,
    theorem="soft_rank_lower_bound",
    variant="matrix",
    quantifier=Quantifier.POINTWISE,
    title="For every batch H ≠ 0: (1-τ)² r(H) ≤ rank_τ(H)",
    source=d20("Lemma"),
    variables=(WIDTH, BATCH, ROWS, THRESHOLD),
    definitions={
        rank_tau: "number of eigenvalues of M, scaled to Tr M = d, that are tau or more, with "
        "multiplicity"
    },
    assumptions=(Assumption(sp.Gt(_square_norm, 0, evaluate=False), "H ≠ 0"),),
    lhs=(1 - tau) ** 2 * _matrix_rank,
    relation="<=",
    rhs=rank_tau,
    expected=Verdict.CERTIFIED,
    sentinel=Sentinel("1-τ in place of (1-τ)²", lhs=(1 - tau) * _matrix_rank),
    checks=(
        Pointwise(
            _matrix_values,
            inputs.matrix_inputs,
            inputs.matrix_corners,
            _halfway,
            item=lambda values: (values["h"], values["tau"]),
            reads=_reads,
        ),
    ),
    proof=Proof(
        theorem=f"{_MODULE}.soft_rank_lower_bound_matrix",
        link="name",
        leaves="the diagonalisation M = P diag(λ) Pᵀ, a hypothesis",
        gloss="a matrix M = P diag(λ) Pᵀ with PᵀP = 1, λ ≥ 0 and Tr M = d has at least (1-τ)² (Tr "
        "M)²/‖M‖_F² eigenvalues λ_i ≥ τ, without division",
    ),
    remark="The effective rank is read off HᵀH, which shares its nonzero eigenvalues with HHᵀ. A "
    f"user's batch is tried at τ = 1/2, its first {_TAKEN} rows and samples.",
)

STATEMENTS = (AS_PRINTED, SHARP, EVERY_WIDTH, MATRIX)
