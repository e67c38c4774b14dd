"""With orthogonal weights and as many samples as units the isometry gap never rises, and falls
geometrically at every width, from every start of full rank.

Problem. Layers H⁺ = BN(WH) without mean subtraction, W orthogonal and uniform, d = n: how fast do
samples become orthogonal, and with which constants?

Method. D(H) = -log det(nC), trace C = 1. Here C⁺ = Hᵀ Wᵀ diag(n v_kᵀ M v_k)^-1 W H, v_k the rows of
W and M = HHᵀ, so that D(H⁺) = D(H) + Σ_k log(n v_kᵀ M v_k), exactly. The trace of M is 1: by the
inequality of means the sum is never positive, whatever W (`never_rises`, proved in Rocq). On
average it is -G(H) = n E log(n vᵀMv), as in `isometry_drift`, but with no noise: G ≥ D/((n+2)(1+D))
(`gain`), by an integral in balls,

    E log(n Σ λ_k v_k²) = ∫ ((1 + 2t/n)^(-n/2) - Π(1 + 2tλ_k)^(-1/2)) dt/t.

As D never rises, the factor 1 - 1/((n+2)(1+D_0)) holds in every layer (`decay`).

Guarantee. D(H⁺) ≤ D(H) for every orthogonal W. G ≥ D/((n+2)(1+D)) at the spectra looked at, of
up to 8 samples; near isometry it is 2D/(n+2). E D(H_ℓ) ≤ D_0 (1 - 1/((n+2)(1+D_0)))^ℓ, sampled at
n = 2 and 4.

Reference. Ours; after M23 (arXiv 2310.02012), whose rate 1/(c d²(1 + dφ_0)), φ = D/d, is smaller by
the order of d. c is not known to us.

Example:

    >>> round(float(DECAY.bound(n=2, D_0=1.0, ell=8)), 4)
    0.3436
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache, partial
from math import comb
from typing import Any

import flint
import numpy as np
import sympy as sp
from array_api_compat import array_namespace

from simulators import Chain
from simulators.arrays import Array, Namespace
from simulators.layers import Linear, Rescale
from simulators.lazy import composite
from simulators.lazy import strategies as st
from simulators.observables import Observable
from theorems.checking.expectation import Expectation, Floats, Instance, at_layer
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given, sphere_point
from theorems.families.orthogonality.notation import (
    BATCH,
    FAMILY,
    ROCQ,
    SPECTRUM,
    UNIT_TRACE,
    ell,
    i,
    k,
    lam,
    n,
)
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

__all__ = ["DECAY", "FIGURES", "GAIN", "NEVER_RISES", "STATEMENTS", "gain_enclosure"]

OURS = Source("ours", "after M23 (arXiv 2310.02012)")
D, D_0, E_D, G = sp.symbols("D D_0 E_D G", nonnegative=True)
v = sp.IndexedBase("v", real=True)
_WEIGHTS = partial(Statement, family=FAMILY, theorem="orthogonal_weights", source=OURS)

# --- every W --------------------------------------------------------------------------------------

_all_rows = (k, 0, n - 1)
_all_columns = (i, 0, n - 1)
_column = sp.Sum((sp.Sum(v[k, i] ** 2, _all_rows) - 1) ** 2, _all_columns)


@composite
def _turned(draw: st.DrawFn) -> Mapping[str, object]:
    """A spectrum of 2 to 4 eigenvalues and a reflection, in rationals."""
    size = draw(st.integers(2, 4))
    entry = st.fractions(-2, 2, max_denominator=6)
    mirror = sphere_point(draw(st.lists(entry, min_size=size - 1, max_size=size - 1)))
    whole = draw(st.lists(st.integers(0, 12), min_size=size, max_size=size).filter(any))
    return _reflected(mirror, [Fraction(x, sum(whole)) for x in whole])


def _reflected(mirror: tuple[Fraction, ...], spectrum: list[Fraction]) -> Mapping[str, object]:
    size = len(mirror)
    rows = tuple(
        tuple(Fraction(int(a == b)) - 2 * mirror[a] * mirror[b] for b in range(size))
        for a in range(size)
    )
    return {"n": size, "lambda": tuple(spectrum), "v": rows}


def _turned_corners() -> list[Mapping[str, object]]:
    """Equal eigenvalues, where both sides are equal, unequal ones, and what breaks each
    assumption.
    """
    mirror = (Fraction(3, 5), Fraction(4, 5))
    equal = _reflected(mirror, [Fraction(1, 2)] * 2)
    unequal = _reflected(mirror, [Fraction(1, 4), Fraction(3, 4)])
    longer = {**equal, "v": ((Fraction(2), Fraction(0)), (Fraction(0), Fraction(2)))}
    return [equal, unequal, longer, {**equal, "lambda": (Fraction(1),) * 2}]


_diagonal = n * sp.Sum(lam[i] * v[k, i] ** 2, _all_columns)
NEVER_RISES = _WEIGHTS(
    variant="never_rises",
    title="Π_k n v_kᵀMv_k ≤ 1: with orthogonal weights D never rises, whatever the weights",
    quantifier=Quantifier.POINTWISE,
    variables=(BATCH, SPECTRUM, Variable(v, sp.Interval(-1, 1), "rows of W", size=(n, n))),
    assumptions=(UNIT_TRACE, Assumption(sp.Eq(_column, 0), "columns of W are unit vectors")),
    lhs=sp.Product(_diagonal, _all_rows),
    relation="<=",
    rhs=sp.Integer(1),
    sentinel=Sentinel("one part in a million less", rhs=1 - NUDGE),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _turned, _turned_corners, examples=110),),
    proof=Proof(
        theorem=f"{ROCQ}.OrthogonalWeights.never_rises",
        link="name",
        gloss="for λ ≥ 0 of sum 1 and W with columns of length 1: Π_k n Σ_i λ_i W_ki² ≤ 1",
        leaves="D(H⁺) = D(H) + Σ_k log(n v_kᵀMv_k), by which the product says that D never rises",
    ),
)

# --- the mean over W ------------------------------------------------------------------------------

#: Integrals are enclosed to this share of themselves, in so many bits.
_TOLERANCE, _PRECISION = 1e-6, 53


@lru_cache(maxsize=256)
def gain_enclosure(spectrum: tuple[Fraction, ...], precision: int) -> flint.arb:
    """G = -n E log(n Σ λ_i v_i²), v a uniform direction, in a ball.

    With t = (1-w²)/2w² and u = 1 - w², the difference of the two products is that of two square
    roots, and what their squares differ by is a polynomial in u, divided by u exactly.

    - ``spectrum``: (n,) positive fractions of sum 1
    - ``precision``: in bits

    Cost: milliseconds; more where an eigenvalue is tiny.

    Example:
        >>> round(float(gain_enclosure((Fraction(1, 8), Fraction(7, 8)), 64).mid()), 3)
        0.371
    """
    size = len(spectrum)
    product = flint.fmpq_poly([1])
    for each in spectrum:
        product *= flint.fmpq_poly([1, flint.fmpq(*(each - 1).as_integer_ratio())])
    even = [
        flint.fmpq(comb(size, power) * (1 - size) ** power, size**power)
        for power in range(size + 1)
    ]
    apart = (product - flint.fmpq_poly(even)).coeffs()[1:]
    factors = [flint.arb(flint.fmpq(*(1 - each).as_integer_ratio())) for each in spectrum]
    alike = flint.arb(flint.fmpq(size - 1, size))

    def integrand(w: flint.acb, analytic: bool) -> flint.acb:
        u = 1 - w * w
        difference = flint.acb(0)
        for coefficient in reversed(apart):
            difference = difference * u + flint.arb(coefficient)
        first = (1 - alike * u).sqrt(analytic) ** size
        second = flint.acb(1)
        for factor in factors:
            second *= (1 - factor * u).sqrt(analytic)
        # 1/first - 1/second, over u
        return 2 * w ** (size - 1) * difference / (first * second * (first + second))

    with flint.ctx.workprec(precision):
        ends = flint.acb(0), flint.acb(1)
        found: flint.arb = flint.acb.integral(integrand, *ends, rel_tol=_TOLERANCE).real
        return -size * found


def _gains(item: Mapping[str, Any]) -> Mapping[str, object]:
    """A spectrum with its G and D."""
    spectrum = tuple(each / sum(item["lambda"]) for each in item["lambda"])
    logarithms = (
        flint.arb(flint.fmpq(*(len(spectrum) * each).as_integer_ratio())).log() for each in spectrum
    )
    gap = -sum(logarithms, flint.arb(0))
    return {**item, "D": gap, "G": gain_enclosure(spectrum, _PRECISION)}


def _spectrum(*weights: int) -> Mapping[str, object]:
    return {"n": len(weights), "lambda": tuple(map(Fraction, weights))}


def _spectra() -> st.SearchStrategy[Mapping[str, object]]:
    weight = st.one_of(st.integers(1, 12), st.sampled_from((1, 100)))
    return st.lists(weight, min_size=2, max_size=4).map(lambda found: _spectrum(*found))


def _spectra_corners() -> list[Mapping[str, object]]:
    """Next to isometry on both sides, and one eigenvalue small or large, of 2, 3, 5 and 8."""
    pairs = ((99, 100), (101, 100), (1, 100), (100, 1))
    sizes = ((2, 4), (3, 4), (5, 4), (8, 2))
    return [
        _spectrum(one, *[other] * (size - 1))
        for size, taken in sizes
        for one, other in pairs[-taken:]
    ]


#: Larger ones were not tried: balls of 53 bits tell nothing at 16.
SIZE = Variable(n, sp.Range(2, 9), "batch size, and width, at most 8")
_least = D / ((n + 2) * (1 + D))
GAIN = _WEIGHTS(
    variant="gain",
    title="n ≤ 8: with orthogonal weights D falls by G ≥ D/((n+2)(1+D)) on average",
    quantifier=Quantifier.POINTWISE,
    variables=(
        SIZE,
        Variable(lam, sp.Interval.open(0, sp.oo), "squared singular values of H", size=(n,)),
    ),
    definitions={
        D: "-Σ log(n λ_i/Σλ), the isometry gap",
        G: "-n E log(n Σ λ_i v_i²/Σλ), v uniform",
    },
    lhs=G,
    relation=">=",
    rhs=_least,
    sentinel=Sentinel("3D/((n+2)(1+D))", rhs=3 * _least),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(_gains, _spectra, _spectra_corners, walks=False, examples=96),),
)

# --- many layers ----------------------------------------------------------------------------------


def _gap(H: Array, *, width: int) -> Array:
    """D of samples whose rows have one length."""
    xp: Namespace = array_namespace(H)
    squares = xp.sum(H * H, axis=(-2, -1), keepdims=True)
    scaled = H / xp.sqrt(squares / H.shape[-1])
    gram = xp.matmul(xp.matrix_transpose(scaled), scaled)
    return -xp.linalg.slogdet(gram)[1]


_GAP = Observable("isometry_gap", _gap, gram=False)


def _networks(statement: Statement, batch: Floats | None) -> list[Instance]:
    """Starts of one small eigenvalue, to a depth where the bound has fallen by a third or more."""
    found = []
    for size, small, depth in ((2, 0.05, 4), (4, 0.1, 24), (4, 0.001, 60)):
        singular = np.ones(size)
        singular[-1] = small**0.5
        start = np.diag(singular / np.linalg.norm(singular))
        gap = -float(np.sum(np.log(size * np.diag(start) ** 2)))
        chain = Chain((Linear(size, "orthogonal"), Rescale()))
        values = {"n": size, "D_0": gap, "ell": depth}
        label = f"n={size}, D_0={gap:.2f}, {depth} layers"
        found.append(Instance(label, chain, start, depth, (values,), (-1e-6, gap + 1e-6)))
    return found


_bound = D_0 * (1 - 1 / ((n + 2) * (1 + D_0))) ** ell
DECAY = _WEIGHTS(
    variant="decay",
    title="n ≤ 8, orthogonal weights: E D(H_ℓ) ≤ D_0 (1 - 1/((n+2)(1+D_0)))^ℓ, from any full rank",
    quantifier=Quantifier.EXPECTATION,
    variables=(
        SIZE,
        Variable(D_0, sp.Interval(0, sp.oo), "D(H_0) = -log det(nC)"),
        Variable(ell, sp.Range(0, sp.oo), "number of layers"),
    ),
    definitions={E_D: "E D(H_ℓ)"},
    observables=(_GAP.name,),
    lhs=E_D,
    relation="<=",
    rhs=_bound,
    ceiling=D_0,
    sentinel=Sentinel("the rate near isometry", rhs=D_0 * (n / (n + 2)) ** ell),
    expected=Verdict.SUPPORTED,
    depends_on=(f"{FAMILY}.orthogonal_weights:never_rises", f"{FAMILY}.orthogonal_weights:gain"),
    checks=(
        Expectation(
            _networks,
            at_layer(_GAP.name),
            (_GAP,),
            resolution=0.1,
            enough=1 / 3,
            follows_batch=False,
        ),
    ),
)

STATEMENTS = (NEVER_RISES, GAIN, DECAY)
FIGURES = ()
