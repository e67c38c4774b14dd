"""One layer of the rescale chain, given H: Lemmas 6, 7, 8, 10 and Theorem 5 of DJB21."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from itertools import product

import numpy as np
import sympy as sp

from simulators import Trajectory, rescale_chain
from simulators.engines.mean_field import rescale_map
from simulators.lazy import strategies as st
from simulators.observables import Observable, gram
from simulators.strategies import fractions_between
from theorems.checking.expectation import Expectation, Floats, Instance, at_layer
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.checking.symbolic import SymbolicIdentity, SymbolicSign
from theorems.families.orthogonality import inputs
from theorems.families.orthogonality.contraction_boxes import ContractionBoxes
from theorems.families.orthogonality.notation import (
    BATCH,
    FAMILY,
    GAUSSIAN_ROWS,
    LAW,
    OURS,
    ROCQ,
    SMALLEST,
    SPECTRUM,
    UNIT_TRACE,
    WIDTH,
    c,
    d,
    djb21,
    k,
    lam,
    n,
    s,
)
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Variable, Verdict

EC, P2, EL, EV1, p_n, t = sp.symbols("E_C P2 E_L E_Vhat p_n t", nonnegative=True)
_integral = sp.Integral(
    s / (1 + 2 * t * s) * sp.Product(1 / sp.sqrt(1 + 2 * t * lam[k]), (k, 0, n - 1)),
    (t, 0, sp.oo),
)

#: Ranges of sampled quantities are widened by this, relatively: float64 may overshoot them by
#: rounding.
ROUNDING = 1e-9

# --- Lemma 6 and Lemma 7: concentration -----------------------------------------------------------


def _directions(start: Floats) -> tuple[Floats, Floats, Floats]:
    """Right singular vectors, spectrum and mean-field image of a start."""
    _, singular, right = np.linalg.svd(start / np.abs(start).max(), full_matrices=False)
    spectrum = singular**2 / np.sum(singular**2)
    return right, spectrum, rescale_map(spectrum)


def _one_layer(
    widths: Callable[[int], tuple[int, ...]],
    top: Callable[[int, Floats], float],
    statement: Statement,
    batch: Floats | None,
) -> list[Instance]:
    """One layer from spectra of every shape; ``top(n, p)`` bounds the sampled quantity, which is
    never negative.
    """
    found: list[Instance] = []
    for label, start in inputs.one_layer(batch):
        size = start.shape[1]
        if size == 1:
            continue  # one sample is at the fixed point, and nothing is random
        right, spectrum, image = _directions(start)
        values = {
            "n": size,
            "s": min(float(spectrum[-1]), 1 / size),
            "p_n": float(image[-1]),
            "P2": float(np.sum(image**2)),
        }
        wide = inputs.speaking_width(statement, 0.95, **values) if batch is not None else None
        found.extend(
            Instance(
                f"{label}, d={width}",
                rescale_chain(width),
                start,
                1,
                ({**values, "d": width},),
                (0.0, top(size, image) * (1 + ROUNDING)),
                {"expected_gram": (right.T * image) @ right, "p_n": float(image[-1])},
            )
            for width in sorted({*widths(size), *((wide,) if wide else ())})
        )
    return found


def _gram_deviation(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    deviation = trajectory.values["gram"][:, 1] - instance.data["expected_gram"]
    return np.asarray(np.sum(deviation**2, axis=(-2, -1)))[:, None]


def _smallest_deviation(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    smallest = at_layer("smallest_eigenvalue", 1)(statement, trajectory, instance)
    return np.asarray((smallest - instance.data["p_n"]) ** 2)


_GRAM = Observable("gram", lambda H, width: gram(H), gram=True)
# C⁺ has trace 1 and is positive, so ‖C⁺ - E C⁺‖² ≤ 1 + Σp² - 2 min p.
_COPIES = "the Gaussian integral of bounded Borel functions, not built in Rocq"
_deviations = Expectation(
    partial(
        _one_layer,
        lambda size: (size, 4 * size),
        lambda size, p: 1 + float(np.sum(p**2)) - 2 * float(p[-1]),
    ),
    _gram_deviation,
    (_GRAM,),
    resolution=0.1,
    enough=1 / 3,
    dtype="float32",
)
_concentration = partial(
    Statement,
    family=FAMILY,
    theorem="concentration",
    quantifier=Quantifier.EXPECTATION,
    variables=(WIDTH, BATCH),
    definitions={EC: "E‖C⁺ - E C⁺‖_F² given H", P2: "Σ p_i², p = E C⁺ in H's right singular basis"},
    lhs=EC,
    chain="rescale",
    observables=("gram",),
    expected=Verdict.SUPPORTED,
)
CONCENTRATION = (
    _concentration(
        variant="as_printed",
        title="C⁺ concentrates: E‖C⁺ - E C⁺‖_F² ≤ 1/d",
        source=djb21("Lemma 6"),
        relation="<=",
        rhs=1 / d,
        ceiling=1 - 1 / n,
        sentinel=Sentinel("1/(4d)", rhs=1 / (4 * d)),
        proof=Proof(
            theorem=f"{ROCQ}.Concentration.concentration_as_printed",
            link="name",
            leaves=_COPIES,
            gloss="for every positive normalised linear functional the average of d independent "
            "copies of uuᵀ, u a random unit vector, is within 1/d of its mean in squared Frobenius "
            "norm, on average",
        ),
        checks=(_deviations,),
    ),
    _concentration(
        variant="sharp",
        title="C⁺ concentrates: E‖C⁺ - E C⁺‖_F² = (1 - Σp_i²)/d",
        source=OURS,
        proof=Proof(
            theorem=f"{ROCQ}.Concentration.concentration_sharp",
            link="name",
            leaves=_COPIES,
            gloss="for every positive normalised linear functional and the average of d "
            "independent copies of uuᵀ, u a random unit vector with diagonal second moments p_i, "
            "the squared deviation is (1 - Σp_i²)/d on average",
            also=(
                f"{ROCQ}.Concentration.concentration_identity",
                f"{ROCQ}.Concentration.concentration_noise",
                "BatchNorm.common.Means.variance_of_average",
                "BatchNorm.common.Means.finite_mean",
                "BatchNorm.common.Means.finite_copies",
            ),
        ),
        relation="==",
        rhs=(1 - P2) / d,
        sentinel=Sentinel("the printed 1/d as an equality", rhs=1 / d),
        checks=(_deviations,),
    ),
)

SMALLEST_CONCENTRATION = Statement(
    family=FAMILY,
    theorem="smallest_eigenvalue_concentration",
    quantifier=Quantifier.EXPECTATION,
    title="V̂ concentrates around the mean-field value: E(V̂⁺ - (1/n - p_n))² ≤ 1/d",
    source=djb21("Lemma 7"),
    variables=(WIDTH, BATCH),
    definitions={EL: "E(V̂(H⁺) - (1/n - p_n))² given H", p_n: _integral},
    chain="rescale",
    observables=("smallest_eigenvalue",),
    lhs=EL,
    relation="<=",
    rhs=1 / d,
    ceiling=sp.Max(p_n, 1 / n - p_n) ** 2,
    sentinel=Sentinel("p_n²/(10 d)", rhs=p_n**2 / (10 * d)),
    expected=Verdict.SUPPORTED,
    proof=Proof(
        theorem=f"{ROCQ}.OneStepDrift.smallest_eigenvalue_concentration",
        link="name",
        leaves=_COPIES,
        gloss="the smallest eigenvalue of that average is within (1-1/n)/d of the mean's smallest "
        "eigenvalue, in mean square",
        also=(f"{ROCQ}.OneStepDrift.smallest_lipschitz",),
    ),
    checks=(
        Expectation(
            partial(
                _one_layer,
                lambda size: (4 * size**2, 32 * size**2),
                lambda size, p: float(max(p[-1], 1 / size - p[-1])) ** 2,
            ),
            _smallest_deviation,
            ("smallest_eigenvalue",),
            resolution=0.1,
            enough=1 / 3,
            dtype="float32",
        ),
    ),
)

# --- Lemma 10: convexity --------------------------------------------------------------------------

theta = sp.Symbol("theta", positive=True)
delta = sp.Symbol("delta", nonnegative=True)
_near = 1 + 2 * theta * (1 / n - delta)
_far = 1 + 2 * theta * (1 / n + delta / (n - 1))
_integrand = _near ** sp.Rational(-3, 2) * _far ** (-(n - 1) / 2)
_h1 = _near ** sp.Rational(-5, 2) * _far ** (-(n + 1) / 2)
_h3 = _near ** sp.Rational(-7, 2) * _far ** (-(n + 3) / 2)
_h4_printed = (
    (4 * n - 2) / (n - 1)
    + 2 * theta * (4 * n - 2) / (n - 1)
    + 2 * theta * delta * (n + 2) / (n - 1)
)
_h4 = (4 * n - 6) / (n - 1) * (1 + 2 * theta / n) + 2 * theta * delta * (n + 6) / (n - 1)
_one_less = sp.Symbol("n_1", positive=True)
_slack = sp.Symbol("u", nonnegative=True)
_GRID: tuple[Mapping[str, Fraction | int], ...] = tuple(
    {"n": size, "theta": at, "delta": share / size}
    for size, at, share in product(
        (2, 3, 8), (Fraction(1, 10), Fraction(10)), (Fraction(0), Fraction(1, 2), Fraction(1))
    )
)
_ratio = (n + 1) / (n - 1)

_convexity = partial(
    Statement,
    family=FAMILY,
    theorem="convexity",
    quantifier=Quantifier.POINTWISE,
    variables=(
        Variable(n, sp.Range(2, sp.oo), "batch size, at least 2"),
        Variable(theta, sp.Interval.Lopen(0, sp.oo), "integration variable"),
        Variable(delta, sp.Interval(0, 1 / n), "δ = 1/n - σ_n²"),
    ),
)


def _points() -> st.SearchStrategy[dict[str, Fraction | int]]:
    return st.fixed_dictionaries(
        {
            "n": st.integers(2, 40),
            "theta": fractions_between(Fraction(1, 50), Fraction(50), 50),
            "delta": fractions_between(Fraction(0), Fraction(1), 60),
        }
    )


def _point_values(item: Mapping[str, Fraction | int]) -> Mapping[str, Fraction | int]:
    return {**item, "delta": Fraction(item["delta"]) / item["n"]}


_derivative = sp.diff(_h1, delta)
CONVEXITY = (
    _convexity(
        variant="as_printed",
        title="h₁' = θ h₃ h₄ with the printed h₄",
        source=djb21("Appendix C.7"),
        lhs=_derivative,
        relation="==",
        rhs=theta * _h3 * _h4_printed,
        expected=Verdict.REFUTED,
        sentinel=Sentinel("h₄ doubled", rhs=2 * theta * _h3 * _h4_printed),
        checks=(Pointwise(_point_values, _points, examples=50),),
        proof=Proof(
            theorem=f"{ROCQ}.leaf.ConvexityDerivatives.convexity_as_printed_refuted",
            link="name",
            refutes=True,
            gloss="not for all n ≥ 2, θ > 0 and 0 ≤ δ ≤ 1/n is the derivative of h₁ = near^(-5/2) "
            "far^(-(n+1)/2) in δ equal to θ h₃ times the printed h₄",
            also=(f"{ROCQ}.Convexity.convexity_h4_printed_refuted",),
        ),
        remark="The exponent (n-3)/2 should be (n+1)/2; hence 4n-2 for 4n-6, n+2 for n+6, and a "
        "lost factor 1/n.",
    ),
    _convexity(
        variant="corrected",
        title="h₁' = θ h₃ h₄ with h₄ = (4n-6)/(n-1)·(1+2θ/n) + 2θδ(n+6)/(n-1)",
        source=OURS,
        lhs=_derivative,
        relation="==",
        rhs=theta * _h3 * _h4,
        expected=Verdict.CERTIFIED,
        sentinel=Sentinel("the printed h₄", rhs=theta * _h3 * _h4_printed),
        proof=Proof(
            theorem=f"{ROCQ}.leaf.ConvexityDerivatives.convexity_corrected",
            link="name",
            gloss="the derivative of h₁ = near^(-5/2) far^(-(n+1)/2) in δ is θ h₃ times the "
            "corrected h₄",
            also=(f"{ROCQ}.Convexity.convexity_h4",),
        ),
        checks=(SymbolicIdentity(_GRID, scale=_h3),),
    ),
    _convexity(
        variant="conclusion",
        title="the integrand g is convex in δ on [0, 1/n]",
        source=djb21("Lemma 10"),
        lhs=sp.Derivative(_integrand, (delta, 2)),
        relation=">=",
        rhs=sp.Integer(0),
        expected=Verdict.CERTIFIED,
        sentinel=Sentinel("g'' ≥ 1/10", rhs=sp.Rational(1, 10)),
        proof=Proof(
            theorem=f"{ROCQ}.leaf.ConvexityDerivatives.convexity_conclusion",
            link="name",
            gloss="the second derivative of g = near^(-3/2) far^(-(n-1)/2) in δ is nonnegative for "
            "n ≥ 2, θ > 0, 0 ≤ δ ≤ 1/n",
            also=(f"{ROCQ}.Convexity.convexity_polynomial",),
        ),
        checks=(
            SymbolicSign(
                factor=theta**2 * _near ** sp.Rational(-7, 2) * _far ** (-(n + 3) / 2),
                terms=(15 * (_far - _near / 5) ** 2, (_ratio - sp.Rational(3, 5)) * _near**2),
                # delta runs through (0, 1/n]; both sides are continuous at 0
                substitution={n: _one_less + 1, delta: 1 / ((_one_less + 1) * (1 + _slack))},
                points=_GRID,
            ),
        ),
    ),
)

# --- Lemma 8: contraction, and Theorem 5: drift ---------------------------------------------------

_CONTRACTS = (
    "the improper integral p_n of s/(1+2ts) ∏(1+2tλ_k)^(-1/2), for every spectrum λ of sum 1 and "
    "every 0 ≤ s ≤ 1/n, satisfies the inequality"
)
_MORE = 1 + sp.Rational(1, 1000)


def _harmonic(twice: sp.Expr | int) -> sp.Expr:
    """1/n - (1/n - s)/(1 + ``twice`` s)."""
    return (1 + twice / n) * s / (1 + twice * s)


_SPECTRA = Pointwise[inputs.Input](
    inputs.contraction_values,
    inputs.spectrum_inputs,
    inputs.spectrum_corners,
    as_given,
    examples=80,
    item=lambda values: tuple(values["lambda"]),
)
_contraction = partial(
    Statement,
    family=FAMILY,
    theorem="contraction",
    quantifier=Quantifier.POINTWISE,
    variables=(BATCH, SPECTRUM),
    assumptions=(UNIT_TRACE,),
    definitions={s: "min_i lambda[i]", p_n: _integral},
    lhs=1 / n - p_n,
    relation="<=",
    expected=Verdict.CERTIFIED,
    sentinel=Sentinel(
        "c one part in a thousand larger",
        rhs=(1 - c * _MORE * s) * (1 / n - s),
    ),
    checks=(_SPECTRA, ContractionBoxes((2, 3, 4))),
)
CONTRACTION = (
    _contraction(
        variant="as_printed",
        title="1/n - p_n ≤ (1 - ⅔σ_n²) V̂",
        source=djb21("Lemma 8"),
        rhs=(1 - sp.Rational(2, 3) * s) * (1 / n - s),
        proof=Proof(
            theorem=f"{ROCQ}.leaf.Contraction.contraction_as_printed", link="name", gloss=_CONTRACTS
        ),
    ),
    _contraction(
        variant="sharp",
        title="1/n - p_n ≤ (1 - 2n/(n+2) σ_n²) V̂",
        source=djb21("Appendix C.6, last display"),
        rhs=(1 - c * s) * (1 / n - s),
        remark="Tight at the fixed point, where the factor is n/(n+2).",
        proof=Proof(
            theorem=f"{ROCQ}.leaf.Contraction.contraction_sharp",
            link="name",
            gloss=_CONTRACTS,
            also=(
                f"{ROCQ}.leaf.Contraction.contraction_lower",
                f"{ROCQ}.leaf.TangentIntegral.tangent_integral_step",
                f"{ROCQ}.TangentLine.tangent_line",
                f"{ROCQ}.TangentLine.tangent_line_rational",
                f"{ROCQ}.TangentLine.product_le_mean_power",
            ),
        ),
    ),
    _contraction(
        variant="harmonic",
        title="p_n ≥ (n+2)σ_n²/(n(1 + 2σ_n²)), that is 1/n - p_n ≤ V̂/(1 + 2σ_n²)",
        source=OURS,
        # the second form, and nothing cancels where σ_n² is tiny
        lhs=p_n,
        relation=">=",
        rhs=_harmonic(2),
        sentinel=Sentinel("2 one part in a thousand larger", rhs=_harmonic(2 * _MORE)),
        checks=(_SPECTRA,),
        remark="Stronger than the linear factor 1 - 2n/(n+2) σ_n² wherever 0 < σ_n² < 1/n, with "
        "the same slope at the fixed point. Of a row's direction only the second and fourth "
        "moments are used, so it holds for every law that has these.",
        proof=Proof(
            theorem=f"{ROCQ}.leaf.HarmonicIntegral.contraction_integral",
            link="name",
            gloss="the improper integral p of s/(1+2ts) ∏(1+2tλ_k)^(-1/2), for every spectrum λ of "
            "sum 1 and every s ≥ 0, is at least (n+2)s/(n(1+2s))",
            also=(
                f"{ROCQ}.leaf.HarmonicIntegral.product_le_tilted_mean",
                f"{ROCQ}.leaf.PowerIntegral.power_integral",
                f"{ROCQ}.Harmonic.contraction_harmonic",
                f"{ROCQ}.Harmonic.harmonic_image",
                f"{ROCQ}.Harmonic.harmonic_tangent",
                f"{ROCQ}.Harmonic.harmonic_below_linear",
            ),
        ),
    ),
)

_DRIFTS = f"{LAW}the bound holds after one layer"
_drift = partial(
    Statement,
    family=FAMILY,
    theorem="one_step_drift",
    quantifier=Quantifier.EXPECTATION,
    variables=(WIDTH, BATCH, SMALLEST),
    definitions={EV1: "E[V̂(H⁺) | H]"},
    chain="rescale",
    observables=("smallest_eigenvalue_gap",),
    lhs=EV1,
    relation="<=",
    ceiling=1 / n,
    expected=Verdict.SUPPORTED,
    depends_on=("orthogonality.contraction:sharp",),
    sentinel=Sentinel("without the noise term", rhs=(1 - c * s) * (1 / n - s)),
    checks=(
        Expectation(
            partial(_one_layer, lambda size: (4 * size**2, 64 * size**2), lambda size, p: 1 / size),
            at_layer("smallest_eigenvalue_gap", 1),
            ("smallest_eigenvalue_gap",),
            resolution=0.02,
            enough=1 / 3,
            dtype="float32",
        ),
    ),
)
DRIFT = (
    _drift(
        variant="as_printed",
        title="E[V̂⁺ | H] ≤ (1 - ⅔σ_n²) V̂ + 1/√d",
        source=djb21("Theorem 5"),
        rhs=(1 - sp.Rational(2, 3) * s) * (1 / n - s) + 1 / sp.sqrt(d),
        proof=Proof(
            theorem=f"{ROCQ}.HarmonicDrift.drift_as_printed_from_moments",
            link="name",
            gloss=_DRIFTS,
            leaves=GAUSSIAN_ROWS,
        ),
    ),
    _drift(
        variant="sharp",
        title="E[V̂⁺ | H] ≤ (1 - 2n/(n+2) σ_n²) V̂ + √((1-1/n)/d)",
        source=OURS,
        rhs=(1 - c * s) * (1 / n - s) + sp.sqrt((1 - 1 / n) / d),
        proof=Proof(
            theorem=f"{ROCQ}.HarmonicDrift.drift_sharp_from_moments",
            link="name",
            gloss=_DRIFTS,
            leaves=GAUSSIAN_ROWS,
        ),
    ),
    _drift(
        variant="harmonic",
        title="E[V̂⁺ | H] ≤ V̂/(1 + 2σ_n²) + √((1-1/n)/d)",
        source=OURS,
        rhs=(1 / n - s) / (1 + 2 * s) + sp.sqrt((1 - 1 / n) / d),
        depends_on=("orthogonality.contraction:harmonic",),
        sentinel=Sentinel("without the noise term", rhs=(1 / n - s) / (1 + 2 * s)),
        proof=Proof(
            theorem=f"{ROCQ}.HarmonicDrift.drift_from_moments",
            link="name",
            gloss=_DRIFTS,
            leaves=GAUSSIAN_ROWS,
            also=(
                f"{ROCQ}.HarmonicDrift.drift_harmonic",
                f"{ROCQ}.HarmonicDrift.signs_give_mixed",
                f"{ROCQ}.HarmonicDrift.finite_moments",
            ),
        ),
    ),
)

STATEMENTS = (
    *CONCENTRATION,
    SMALLEST_CONCENTRATION,
    *CONVEXITY,
    *CONTRACTION,
    *DRIFT,
)
