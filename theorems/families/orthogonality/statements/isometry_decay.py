"""At finite width the gap falls geometrically to a floor of order 1/d, from any start of full rank:
after ℓ layers, with no assumption on the path.

Problem. DJB21's Theorem 1 assumes σ_n ≥ α along the path, `isometry_drift` averages over layers.
What holds after the last layer at a finite width?

Method. Let W(H) = exp(D/2n) = det(nC)^(-1/2n), which is 1 for orthogonal samples and else above.
`isometry_drift` bounds D(H⁺) for every weight matrix by D(H) + D(U⁺) + Σ ω_k log y_k, with
y_k = n v_kᵀCv_k, U orthogonal and leverages ω_k of sum n. Take exp(·/2n): by the inequality of means
Π y_k^(ω_k/2n) ≤ (1/n) Σ ω_k √y_k, and v_k is uniform whatever W(U⁺) and ω_k are, as a rotation of all
rows changes neither. So

    E W(H⁺) ≤ E√y · E W(U⁺) · W(H),    E[W(H⁺)/W(U⁺)] ≤ E√y · W(H).

- E√y = 1 - ½E(√y - 1)², and by Cauchy–Schwarz E(√y-1)² ≥ (E(y-1)²)²/E(y-1)²(√y+1)², which the
  sphere's moments up to the sixth bound: 1 - E√y ≥ n(n+4)V²/(4(n+2)(3n+2))
- V² ≥ (1 - W⁻²)/n² (`distance`): Kober's inequality bounds 1 - det(nC)^(1/n) by (1/n)Σ(√x_i-√x_j)²
  over pairs of x_i = nλ_i
- E W(U⁺) ≤ β: lengthening directions to Gaussian rows only raises it, and E det⁻¹ of a Wishart matrix
  is known
- V² ≤ 4(W - 1), by `log_gain`

Guarantee. With κ = (n+4)/(4n(n+2)(3n+2)) and β = Π_{i<n} (d/(d-2-i))^(1/2n), about 1 + (n+3)/(4d),
E[W(H⁺) | H] ≤ β(W - κ(W - 1)); so where ρ = β(1 - κ) < 1, for every start of full rank and every ℓ

    E V(H_ℓ)² ≤ 4[ρ^ℓ (W(H_0) - 1) + (β - 1)/(1 - ρ)].

The floor has the right order in d, and is some 50n² times too high; κ has the right order n⁻², as
one small eigenvalue beside equal ones leaves 1/(4(n-1)(n+2)). It speaks where d is above some
12n³. What
stands in the way of the exact rate (n/(n+2))^ℓ of `gap_decay`: the smallest eigenvalue is concave in
C, so that a mean over weights lowers it, and a bound on how often a path comes near dependence is
needed; W pays for that by its power. What networks do is in `finite_width_decay`.

Reference. Ours, after DJB21 (arXiv 2106.03970), Theorem 1; Kober's inequality of 1958 is classical.

Example:

    >>> round(float(DECAY.bound(n=2, d=4096, ell=200, W_0=1.5)), 4)
    0.0713
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import partial

import numpy as np
import sympy as sp
from array_api_compat import array_namespace

from simulators import rescale_chain
from simulators.arrays import Array, Namespace
from simulators.lazy import strategies as st
from simulators.observables import Observable
from theorems.checking.expectation import Expectation, Floats, Instance, at_layer
from theorems.checking.pointwise import Pointwise
from theorems.families.orthogonality import inputs
from theorems.families.orthogonality.notation import (
    BATCH,
    FAMILY,
    OURS,
    SPECTRUM,
    UNIT_TRACE,
    d,
    ell,
    gap_squared,
    i,
    lam,
    n,
)
from theorems.families.orthogonality.statements.isometry_drift import difference_of_halves, paired
from theorems.statement import Assumption, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["DECAY", "FIGURES", "STATEMENTS"]

E_W, E_2 = sp.symbols("E_W E_2", nonnegative=True)
W_0, W_H = sp.symbols("W_0 W_H", positive=True)
j = sp.Symbol("j", integer=True, nonnegative=True)

_kappa = (n + 4) / (4 * n * (n + 2) * (3 * n + 2))
_beta = sp.Product(d / (d - 2 - j), (j, 0, n - 1)) ** (1 / (2 * n))
_SAMPLES = Variable(n, sp.Range(2, sp.oo), "batch size")
_decay = partial(
    Statement,
    family=FAMILY,
    theorem="isometry_decay",
    source=OURS,
)

# --- spectra --------------------------------------------------------------------------------------


def _near_orthogonal() -> list[tuple[Fraction, ...]]:
    """Spectra with n²V² ≤ 1, down to a breath away from orthogonality, and one eigenvalue less."""
    found: list[tuple[Fraction, ...]] = []
    for size in (2, 3, 5, 8):
        flat, apart = Fraction(1, size), Fraction(1, size * size)
        found += [
            (flat + share * apart, flat - share * apart, *(flat,) * (size - 2))
            for share in (Fraction(1, 2), Fraction(1, 1000))
        ]
        small = flat - Fraction(9, 10) * apart
        found.append((*((1 - small) / (size - 1),) * (size - 1), small))
    return found


def _drawn_near() -> st.SearchStrategy[tuple[Fraction, ...]]:
    """Spectra moved towards the uniform one by 1/n of their way, where n²V² ≤ 1 - 1/n."""
    return inputs.spectrum_inputs().map(_moved)


def _moved(spectrum: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    flat = Fraction(1, len(spectrum))
    return tuple(flat + flat * (each - flat) for each in spectrum)


DISTANCE = _decay(
    variant="distance",
    title="Π nλ_i ≥ (1 - n²V²)^n where n²V² ≤ 1: near orthogonality D is bounded by V",
    quantifier=Quantifier.POINTWISE,
    variables=(BATCH, SPECTRUM),
    assumptions=(UNIT_TRACE, Assumption(sp.Le(n**2 * gap_squared, 1), "n²V² ≤ 1")),
    lhs=sp.Product(n * lam[i], (i, 0, n - 1)),
    relation=">=",
    rhs=(1 - n**2 * gap_squared) ** n,
    sentinel=Sentinel("(1 - n²V²/5)^n", rhs=(1 - n**2 * gap_squared / 5) ** n),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(inputs.spectrum_values, _drawn_near, _near_orthogonal),),
    remark="Where n²V² > 1, det(nC) ≥ 0 says as much. Near orthogonality nV²/2 is right in place "
    "of n²V²; with one small eigenvalue the order n² is.",
)

# --- one layer ------------------------------------------------------------------------------------


def _growth(H: Array, *, width: int) -> Array:
    """W of the first half of the samples over W of the second."""
    xp: Namespace = array_namespace(H)
    return xp.exp(difference_of_halves(H, width=width) / H.shape[-1])


_GROWTH = Observable("isometry_growth", _growth, gram=False)


def _pairs(statement: Statement, batch: Floats | None) -> list[Instance]:
    """A start and its orthogonal polar factor as the two halves of one batch."""
    found = []
    for label, halves, spectrum in paired((2, 4), batch):
        size = len(spectrum)
        own = math.exp(-float(np.sum(np.log(size * spectrum))) / (2 * size))
        # y lies between nλ_n and nλ_1
        ends = own * np.sqrt(size * spectrum[[-1, 0]])
        support = (float(ends[0]) * (1 - 1e-6), float(ends[1]) * (1 + 1e-6))
        found += [
            Instance(
                f"{label}, d={width}",
                rescale_chain(width),
                halves,
                1,
                ({"n": size, "d": width, "W_H": own},),
                support,
            )
            for width in (2 * size, 32 * size)
        ]
    return found


def _contracted(share: sp.Expr) -> sp.Expr:
    return W_H - share * (W_H - 1)


DRIFT = _decay(
    variant="drift",
    title="E[W(H⁺)/W(U⁺) | H] ≤ W - κ(W - 1), W = det(nC)^(-1/2n), κ = (n+4)/(4n(n+2)(3n+2)), "
    "U orthogonal, on the same weights",
    quantifier=Quantifier.EXPECTATION,
    variables=(
        _SAMPLES,
        Variable(d, sp.Range(n, sp.oo), "width, at least the batch size"),
        Variable(W_H, sp.Interval(1, sp.oo), "W(H) = det(nC)^(-1/2n)"),
    ),
    definitions={E_W: "E[W(H⁺)/W(U⁺) | H]"},
    chain="rescale",
    observables=(_GROWTH.name,),
    lhs=E_W,
    relation="<=",
    rhs=_contracted(_kappa),
    sentinel=Sentinel("30κ", rhs=_contracted(30 * _kappa)),
    expected=Verdict.SUPPORTED,
    checks=(
        Expectation(
            _pairs,
            at_layer(_GROWTH.name, 1),
            (_GROWTH,),
            resolution=0.01,
            enough=1 / 3,
            dtype="float32",
        ),
    ),
    remark="Near orthogonality κ could be 1/(n+2), at two samples 1 - 2√2/π everywhere.",
)

# --- many layers ----------------------------------------------------------------------------------


def _paths(statement: Statement, batch: Floats | None) -> list[Instance]:
    """A few layers from near orthogonality, and many from near dependence, where the bound says
    something.
    """
    if batch is not None:
        return []
    found = []
    for size, smallest, width, layers in (
        (2, 0.3, 16384, 1),
        (2, 0.05, 2048, 100),
        (3, 0.03, 4096, 100),
    ):
        start = inputs.two_level(size, smallest * size)
        spectrum = np.linalg.svd(start, compute_uv=False) ** 2
        spectrum /= spectrum.sum()
        own = math.exp(-float(np.sum(np.log(size * spectrum))) / (2 * size))
        values: Mapping[str, float] = {"n": size, "d": width, "ell": layers, "W_0": own}
        found.append(
            Instance(
                f"n={size}, W_0={own:.3g}, d={width}, {layers} layers",
                rescale_chain(width),
                start,
                layers,
                (values,),
                (0.0, 1 - 1 / size + 1e-6),
            )
        )
    return found


_rho = _beta * (1 - _kappa)
_bound = 4 * (_rho**ell * (W_0 - 1) + (_beta - 1) / (1 - _rho))

DECAY = _decay(
    variant="last_layer",
    title="E V(H_ℓ)² ≤ 4[ρ^ℓ (W(H_0) - 1) + (β-1)/(1-ρ)], ρ = β(1 - κ) < 1, β ≈ 1 + (n+3)/(4d), "
    "from any full rank",
    quantifier=Quantifier.EXPECTATION,
    variables=(
        _SAMPLES,
        Variable(d, sp.Range(n + 2, sp.oo), "width, at least n + 2"),
        Variable(ell, sp.Range(1, sp.oo), "number of layers"),
        Variable(W_0, sp.Interval(1, sp.oo), "W(H_0) = det(nC)^(-1/2n), finite for full rank"),
    ),
    assumptions=(Assumption(sp.Lt(_rho, 1), "ρ < 1: d above some n²(3n + 8)"),),
    definitions={E_2: "E V(H_ℓ)²"},
    chain="rescale",
    observables=("orthogonality_gap",),
    lhs=E_2,
    relation="<=",
    rhs=_bound,
    ceiling=1 - 1 / n,
    sentinel=Sentinel("a twentieth of it", rhs=_bound / 20),
    expected=Verdict.SUPPORTED,
    depends_on=(
        "orthogonality.isometry_decay:drift",
        "orthogonality.isometry_decay:distance",
        "orthogonality.log_gain",
        "orthogonality.quadratic_form_variance",
    ),
    checks=(
        Expectation(
            _paths,
            lambda statement, trajectory, instance: np.asarray(
                trajectory.values["orthogonality_gap"][:, -1:] ** 2
            ),
            ("orthogonality_gap",),
            resolution=0.2,
            enough=1 / 3,
            dtype="float32",
        ),
    ),
    remark="No assumption on the path; the law of rows enters by their directions' invariance and by "
    "E W(U⁺).",
)

STATEMENTS = (DISTANCE, DRIFT, DECAY)
FIGURES = ()
