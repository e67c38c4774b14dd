"""Identities and inequalities between spectra: eq. 10, Lemma 4, Lemma 2 and Appendix E of DJB21."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import sympy as sp

from simulators.strategies import Matrix
from theorems.checking.expectation import Floats
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given, rational_rows, walsh_signs
from theorems.families.orthogonality import inputs
from theorems.families.orthogonality.notation import (
    BATCH,
    FAMILY,
    OURS,
    ROCQ,
    SINGULAR,
    SPECTRUM,
    UNIT_NORM,
    UNIT_TRACE,
    WIDTH,
    d,
    djb21,
    gap_squared,
    i,
    j,
    k,
    n,
    s,
    sig,
)
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

A = sp.IndexedBase("A", real=True)


def _matrix_values(item: Matrix) -> Mapping[str, object]:
    return {"A": item, "d": len(item), "n": len(item[0])}


def _pre_activations(batch: Floats) -> Matrix:
    """A = W H for the user's H and a fixed n × d matrix of signs: H itself may have zero rows."""
    rows = np.array(rational_rows(batch), dtype=object)
    d, n = rows.shape
    signs = np.array([walsh_signs(number, d) for number in range(n)], dtype=object)
    return tuple(map(tuple, signs @ rows))


_row_square = sp.Sum(A[i, k] ** 2, (k, 0, n - 1))
UNIT_FROBENIUS = Statement(
    family=FAMILY,
    theorem="unit_frobenius",
    title="Rescaled rows have unit norm: Tr(BN(A) BN(A)ᵀ) = d",
    quantifier=Quantifier.POINTWISE,
    source=djb21("eq. 10"),
    variables=(WIDTH, BATCH, Variable(A, sp.Reals, "pre-activations, A = W H", size=(d, n))),
    assumptions=(
        Assumption(sp.Gt(sp.Product(_row_square, (i, 0, d - 1)), 0), "no row of A is zero"),
    ),
    lhs=sp.Sum(sp.Sum(A[i, j] ** 2 / _row_square, (j, 0, n - 1)), (i, 0, d - 1)),
    relation="==",
    rhs=d,
    sentinel=Sentinel("the trace is d - 1e-6", rhs=d - NUDGE),
    expected=Verdict.CERTIFIED,
    checks=(
        Pointwise(
            _matrix_values,
            inputs.matrix_inputs,
            inputs.matrix_corners,
            _pre_activations,
            examples=150,
        ),
    ),
    proof=Proof(
        theorem=f"{ROCQ}.UnitFrobenius.unit_frobenius",
        also=(f"{ROCQ}.UnitFrobenius.unit_rows", f"{ROCQ}.UnitFrobenius.unit_frobenius_matrix"),
    ),
)

_spectral = Pointwise[inputs.Input](
    inputs.spectrum_values,
    inputs.spectrum_inputs,
    inputs.spectrum_corners,
    as_given,
    squares=True,
)
_gap = partial(
    Statement,
    family=FAMILY,
    theorem="gap_vs_smallest_eigenvalue",
    quantifier=Quantifier.POINTWISE,
    variables=(BATCH, SPECTRUM),
    assumptions=(UNIT_TRACE,),
    definitions={s: "min_i lambda[i]"},
    lhs=sp.sqrt(gap_squared),
    relation="<=",
    expected=Verdict.CERTIFIED,
    checks=(_spectral,),
    sentinel=Sentinel(
        "the sharp constant, one part in a million smaller",
        rhs=sp.sqrt(n * (n - 1)) * (1 - NUDGE) * (1 / n - s),
    ),
)
GAP = (
    _gap(
        variant="as_printed",
        title="The smallest eigenvalue controls the gap: V ≤ 2n V̂",
        source=djb21("Lemma 4"),
        rhs=2 * n * (1 / n - s),
        remark="Follows from the sharp form, which is smaller by a factor above 2.",
        proof=Proof(theorem=f"{ROCQ}.GapSharp.gap_vs_smallest_eigenvalue_as_printed"),
    ),
    _gap(
        variant="sharp",
        title="The smallest eigenvalue controls the gap: V ≤ √(n(n-1)) V̂",
        source=OURS,
        rhs=sp.sqrt(n * (n - 1)) * (1 / n - s),
        remark="Equality at one large eigenvalue, the others equal.",
        proof=Proof(
            theorem=f"{ROCQ}.GapSharp.gap_vs_smallest_eigenvalue_sharp",
            # SymPy splits the root of n(n-1)
            script="move=> R n l s n1 l01 least reached sum1; (have n0 : 0 <= n%:R - 1 :> R by "
            "rewrite subr_ge0 ler1n); rewrite -(sqrtrM _ n0) [(_ - 1) * _]mulrC; exact: (THEOREM "
            "n1 l01 least reached sum1)",
            also=(
                f"{ROCQ}.GapSharp.gap_squared_sharp",
                f"{ROCQ}.GapSharp.gap_squared_attained",
                f"{ROCQ}.GapSharp.gap_squared_optimal",
            ),
        ),
    ),
)

_square_gap = sp.Sum((sig[i] ** 2 - 1 / n) ** 2, (i, 0, n - 1))
_distance = sp.Sum((sig[i] - 1 / sp.sqrt(n)) ** 2, (i, 0, n - 1))
_on_sphere = Pointwise[inputs.Input](
    inputs.singular_values, inputs.singular_inputs, inputs.singular_corners, as_given
)
_wasserstein = partial(
    Statement,
    family=FAMILY,
    theorem="gaussian_distance",
    quantifier=Quantifier.POINTWISE,
    variables=(BATCH, SINGULAR),
    assumptions=(UNIT_NORM,),
    expected=Verdict.CERTIFIED,
    checks=(_on_sphere,),
)
WASSERSTEIN = (
    _wasserstein(
        variant="identity",
        title="W₂²(law(WH), law(G/√n)) = Σ(σ_i - n^(-1/2))²",
        source=djb21("Appendix D"),
        lhs=sp.Sum(sig[i] ** 2 + 1 / n - 2 * sig[i] / sp.sqrt(n), (i, 0, n - 1)),
        relation="==",
        rhs=_distance,
        sentinel=Sentinel(
            "the printed coupling bound in place of the identity", rhs=n * _square_gap
        ),
        remark="Left: the Bures distance Tr C + 1 - 2 Tr (C/n)^(1/2) between the rows' Gaussian "
        "laws, entries of W and G of variance 1/d. The identity holds for every σ, of unit norm or "
        "not. For a batch the sides are compared in balls, which cannot certify an equality.",
        proof=Proof(theorem=f"{ROCQ}.GaussianDistance.gaussian_distance_identity"),
        checks=(replace(_on_sphere, from_batch=None),),
    ),
    _wasserstein(
        variant="as_printed",
        title="W₂²(law(WH), law(G/√n)) ≤ 2n V",
        source=djb21("Lemma 2"),
        lhs=_distance,
        relation="<=",
        rhs=2 * n * sp.sqrt(_square_gap),
        proof=Proof(theorem=f"{ROCQ}.GaussianDistance.gaussian_distance_as_printed"),
        sentinel=Sentinel("half the quadratic bound", rhs=n * _square_gap / 2),
    ),
    _wasserstein(
        variant="sharp",
        title="W₂²(law(WH), law(G/√n)) ≤ n V²",
        source=djb21("Appendix D, before its last step"),
        lhs=_distance,
        relation="<=",
        rhs=n * _square_gap,
        proof=Proof(
            theorem=f"{ROCQ}.GaussianDistance.gaussian_distance_sharp",
            also=(f"{ROCQ}.GaussianDistance.gaussian_distance_squares",),
        ),
        sentinel=Sentinel("half the quadratic bound", rhs=n * _square_gap / 2),
        remark="n cannot be lowered: equal singular values beside one zero approach equality as n "
        "grows. Holds for every σ ≥ 0, of unit norm or not.",
    ),
)


def _power_sum(p: int) -> sp.Sum:
    return sp.Sum(sig[i] ** p, (i, 0, n - 1))


_initialisation = partial(
    Statement,
    family=FAMILY,
    theorem="iterative_initialisation",
    quantifier=Quantifier.POINTWISE,
    variables=(BATCH, SINGULAR),
    checks=(_on_sphere,),
)
INITIALISATION = (
    _initialisation(
        variant="as_printed",
        title="The Cauchy–Schwarz step (Σσ³)² ≤ (Σσ⁴)²",
        source=djb21("Appendix E, last display"),
        lhs=_power_sum(3) ** 2,
        relation="<=",
        rhs=_power_sum(4) ** 2,
        assumptions=(UNIT_NORM,),
        sentinel=Sentinel("(Σσ³)² ≤ (Σσ⁴)³", rhs=_power_sum(4) ** 3),
        expected=Verdict.REFUTED,
        proof=Proof(
            theorem=f"{ROCQ}.IterativeInitialisation.iterative_initialisation_as_printed_refuted",
            refutes=True,
        ),
        remark="The proof's last step; it fails already at σ = (4/5, 3/5). The conclusion "
        "survives.",
    ),
    _initialisation(
        variant="corrected",
        title="The step that works: (Σσ³)² ≤ (Σσ⁴)(Σσ²)",
        source=OURS,
        lhs=_power_sum(3) ** 2,
        relation="<=",
        rhs=_power_sum(4) * _power_sum(2),
        assumptions=(UNIT_NORM,),
        sentinel=Sentinel(
            "the same, one part in a million smaller",
            rhs=(1 - NUDGE) * _power_sum(4) * _power_sum(2),
        ),
        proof=Proof(
            theorem=f"{ROCQ}.IterativeInitialisation.iterative_initialisation_corrected",
            script="move=> R n sigma n1 s01 s1; rewrite mulrC; exact: (THEOREM n1 s01 s1)",
        ),
        expected=Verdict.CERTIFIED,
    ),
    _initialisation(
        variant="conclusion",
        title="SVD initialisation lowers the gap strictly: 1/(Σσ)² < Σσ⁴ unless V = 0 or σ_n = 0",
        source=djb21("Appendix E"),
        lhs=1 / _power_sum(1) ** 2,
        relation="<",
        rhs=_power_sum(4),
        assumptions=(
            UNIT_NORM,
            Assumption(sp.Ne(n * _power_sum(4), 1), "V(H) ≠ 0"),
            Assumption(sp.Gt(sp.Product(sig[i], (i, 0, n - 1)), 0), "σ_n > 0"),
        ),
        sentinel=Sentinel("strict by a part in a thousand", rhs=_power_sum(4) * (1 - 1000 * NUDGE)),
        expected=Verdict.CERTIFIED,
        proof=Proof(
            theorem=f"{ROCQ}.IterativeInitialisation.iterative_initialisation_conclusion",
            also=(
                f"{ROCQ}.IterativeInitialisation.iterative_initialisation_weak",
                f"{ROCQ}.IterativeInitialisation.iterative_initialisation_equality",
                f"{ROCQ}.IterativeInitialisation.iterative_initialisation_strict",
                f"{ROCQ}.IterativeInitialisation.gap_after_initialisation",
                f"{ROCQ}.IterativeInitialisation.gap_never_grows",
            ),
        ),
        remark="V(WH)² = 1/(Σσ)² - 1/n and V(H)² = Σσ⁴ - 1/n; the source writes V for V². Equal "
        "singular values beside zeros are fixed points, so full rank is needed for strictness.",
    ),
)

STATEMENTS = (
    UNIT_FROBENIUS,
    *GAP,
    *WASSERSTEIN,
    *INITIALISATION,
)
