"""Many layers of the rescale chain: Theorem 1, Corollary 3 and Appendix B.1 of DJB21."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product
from typing import TypeAlias

import flint
import numpy as np
import sympy as sp
from array_api_compat import array_namespace
from numpy.typing import NDArray

from simulators import Trajectory, rescale_chain
from simulators.arrays import Array, Namespace
from simulators.observables import Observable, spectrum
from theorems.checking.expectation import Expectation, Floats, Instance, event
from theorems.checking.lost_samples import Known
from theorems.checking.width_limit import RepeatedSpectrum, WidthLimit
from theorems.expressions import compiled
from theorems.families.orthogonality import inputs
from theorems.families.orthogonality.notation import (
    BATCH,
    DEPTH,
    FAMILY,
    GAUSSIAN_ROWS,
    LAW,
    LAYER,
    OURS,
    ROCQ,
    WIDTH,
    alpha,
    c,
    d,
    depth,
    djb21,
    ell,
    n,
    s,
)
from theorems.statement import (
    Assumption,
    Check,
    Proof,
    Quantifier,
    Sentinel,
    Statement,
    Variable,
    Verdict,
)

Values: TypeAlias = Mapping[str, float]

E_V, E_W, E_A, Vhat_0, Vhat_1 = sp.symbols("E_V E_W E_A Vhat_0 Vhat_1", nonnegative=True)
ON_SIGMA = Assumption(sp.Ge(sp.sqrt(s), alpha), "σ_n(H_k) ≥ α for every k ≤ ℓ", along="path")
ON_LAMBDA = Assumption(sp.Ge(s, alpha), "σ_n(H_k)² ≥ α for every k ≤ ℓ", along="path")
ALPHA_SIGMA = Variable(
    alpha, sp.Interval.Lopen(0, 1 / sp.sqrt(n)), "lower bound on σ_n along the path"
)
ALPHA_LAMBDA = Variable(alpha, sp.Interval.Lopen(0, 1 / n), "lower bound on σ_n² along the path")

#: Path constants, as shares of the largest value 1/n that sigma_n^2 can have.
SHARES = (0.5, 0.75, 0.9)
#: Widths are chosen so that a bound is at most this share of its ceiling: the first, or the second
#: where that takes more than so many random numbers a replica.
SPEAKING, LOOSER, DEAR = 0.85, 0.95, 10**6
FAR = 16
#: Depths tried, in turn, until the part of a bound that is not noise is small.
DEPTHS = tuple(2**k for k in range(3, 10))
#: A size, a width and a depth at which noise is seen to fall as d^(-1/2), chosen from no bound: one
#: that falls
#: faster is crossed there, whatever widths it would choose for itself.
FIXED = (2, 2048, 40)
#: The most random numbers one replica may cost before a bound counts as out of reach.
AFFORDABLE = 5 * 10**7


def largest_alpha(assumption: Assumption, smallest: float | sp.Expr) -> sp.Expr:
    """The largest constant the path assumption allows at a layer with this sigma_n^2.

    Example:
        >>> largest_alpha(ON_SIGMA, sp.Rational(1, 4))
        1/2
    """
    return assumption.relation.lhs.subs(s, smallest)


def _smallest(start: Floats) -> float:
    """sigma_n^2 of a start, scaled to norm 1."""
    singular = np.linalg.svd(start / np.abs(start).max(), compute_uv=False)
    return float(singular[-1] ** 2 / np.sum(singular**2))


def _first_depth(
    statement: Statement, depths: Sequence[int], name: str, share: float, values: Values
) -> int | None:
    """The first depth at which the bound at no noise is at most ``share`` of its ceiling."""
    most, given = share * float(statement.top(**values)), inputs.known(statement, values)
    bounds = ((x, float(statement.bound(d=2**62, **{name: x}, **given))) for x in depths)
    return next((depth for depth, bound in bounds if bound <= most), None)


def _speaking(statement: Statement, values: Values) -> tuple[int, int]:
    """Depth and width at which the bound speaks, if affordable; else some where it is vacuous."""
    layers = _first_depth(statement, DEPTHS, "ell", SPEAKING / 4, values)
    if layers is not None:
        width = _affordable(statement, layers, {**values, "ell": layers})
        if width is not None:
            return layers, width
    return 8, inputs.WIDTHS[0]


def _affordable(statement: Statement, layers: int, values: Values) -> int | None:
    """The width at which a bound speaks after so many layers, if that is affordable."""
    for share, most in ((SPEAKING, DEAR), (LOOSER, AFFORDABLE)):
        width = inputs.speaking_width(statement, share, **values)
        if width is not None and width * values["n"] * layers <= most:
            return width
    return None


def _constants(statement: Statement, reach: float) -> list[float]:
    """Values of alpha: ``SHARES`` of what sigma_n^2 = ``reach`` allows."""
    assumption = statement.assumptions[0]
    return [min(float(largest_alpha(assumption, share * reach)), 1.0) for share in SHARES]


def paths(
    sizes: Sequence[int],
    top: Callable[[int], float],
    shift: int,
    statement: Statement,
    batch: Floats | None,
) -> list[Instance]:
    """Starts with their depth, width and readouts: every alpha of ``SHARES`` at a quarter, half and
    full depth.

    ``top(n)`` bounds the sampled quantity; ``shift`` is the trajectory column read at ell = 0. The
    first of ``sizes`` runs at ``FAR`` times the width where the bound begins to speak as well: a
    wrong power of d shows between the two, or at ``FIXED``, if its own widths are so narrow that
    few paths meet the assumption. A user's (d, n) batch takes the place of all, if sigma_n > 0.

    Example:
        >>> [path.depth for path in paths((2,), lambda n: 1.0, 0, DECAY_SHARP, np.eye(2))]
        [8]
    """

    def path(label: str, start: Floats, alphas: list[float], layers: int, width: int) -> Instance:
        n = start.shape[1]
        values = {"n": n, "d": width, "Vhat_1": max(1 / n - _smallest(start), 0.0)}
        seen = product(alphas, sorted({max(layers // 4, 1), layers // 2, layers}))
        return Instance(
            f"{label}, d={width}, {layers} layers",
            rescale_chain(width),
            start,
            layers + shift,
            tuple({**values, "alpha": alpha, "ell": at} for alpha, at in seen),
            (0.0, top(n) * (1 + 1e-9)),
            {"shift": shift},
        )

    found = []
    given = [(f"n={size}", inputs.two_level(size, 0.92), 1) for size in sizes]
    given.insert(1, (*given[0][:2], FAR))
    if batch is not None:
        given = [(f"batch {batch.shape[0]}×{batch.shape[1]}", batch, 1)]
    else:
        size, width, layers = FIXED
        start = inputs.two_level(size, 0.92)
        fixed = path(f"n={size}", start, _constants(statement, 1 / size), layers, width)
        found.append(replace(fixed, label=f"{fixed.label}, fixed"))
    for label, start, factor in given:
        size, smallest = start.shape[1], _smallest(start)
        if size == 1 or smallest <= 1e-15:
            continue  # nothing moves, or dependent columns: no positive alpha meets the assumption
        alphas = _constants(statement, 1 / size if batch is None else smallest)
        values = {"n": size, "alpha": alphas[-1], "Vhat_1": max(1 / size - smallest, 0.0)}
        layers, width = _speaking(statement, values)
        if factor > 1 and width * factor * size * layers > AFFORDABLE / FAR:
            continue  # narrow means there take too many replicas to bound
        found.append(path(label, start, alphas, layers, width * factor))
    return found


def _met(
    statement: Statement, trajectory: Trajectory, instance: Instance, off: int
) -> NDArray[np.bool_]:
    """(replicas, readouts): the assumption holds at every layer the readout's hypothesis names, if
    rounding has moved σ_n² by ``off`` times its estimate.
    """
    layers = {"s": np.maximum(_smallest_of(trajectory) + off * trajectory.rounding, 0.0)}
    met = [
        np.all(event(statement, layers, values)[:, : int(values["ell"])], axis=1)
        for values in instance.readouts
    ]
    return np.stack(met, axis=1)


def _smallest_of(trajectory: Trajectory) -> Floats:
    return np.asarray(trajectory.values["smallest_eigenvalue"])


def _covered(statement: Statement, trajectory: Trajectory, instance: Instance) -> NDArray[np.bool_]:
    """(replicas, readouts): the assumption holds, or rounding leaves it open."""
    return _met(statement, trajectory, instance, 1)


def _read(name: str, statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """(replicas, readouts): the observable at the layer of each readout."""
    columns = [int(values["ell"]) + instance.data["shift"] for values in instance.readouts]
    return np.asarray(trajectory.values[name][:, columns])


def _restricted(
    name: str, statement: Statement, trajectory: Trajectory, instance: Instance
) -> Known:
    """What is known of the observable on paths that meet the assumption, 0 on others: of a path
    that rounding leaves open, either.
    """
    seen = _read(name, statement, trajectory, instance)
    found = Known.at(trajectory, seen, instance.support)
    low = found.low * _met(statement, trajectory, instance, -1)
    high = found.high * (_met(statement, trajectory, instance, 1) | found.spoiled)
    return Known.between(low, high, found.spoiled)


def _on_event(
    sizes: Sequence[int], top: Callable[[int], float], observable: str | Observable, shift: int = 0
) -> Expectation:
    """The mean of an observable over paths that meet the assumption."""
    name = observable if isinstance(observable, str) else observable.name
    return Expectation(
        partial(paths, sizes, top, shift),
        partial(_read, name),
        (observable, "smallest_eigenvalue"),
        covered=_covered,
        known=partial(_restricted, name),
        first=20,
        resolution=0.2,
        enough=1 / 3,
        dtype="float32",
    )


# --- the width limit ------------------------------------------------------------------------------


def _start(size: int) -> RepeatedSpectrum:
    """sigma_n = 0.9/sqrt(n) to three digits, the other eigenvalues equal."""
    smallest = Fraction(round(900 / math.sqrt(size)), 1000) ** 2
    return RepeatedSpectrum((smallest, (1 - smallest) / (size - 1)), (1, size - 1))


def _at_start(statement: Statement, start: RepeatedSpectrum) -> Mapping[str, flint.fmpq]:
    smallest = start.eigenvalues[0]
    return {
        "alpha": compiled(statement.assumptions[0].relation.lhs, (s,)).exact(smallest),
        "Vhat_1": flint.fmpq(1, start.n) - flint.fmpq(smallest.numerator, smallest.denominator),
    }


def gap_of(
    eigenvalues: Sequence[flint.arb], multiplicities: Sequence[int]
) -> Mapping[str, flint.arb]:
    """Enclosures of the gap V and of sigma_n^2, from a layer's spectrum, smallest first.

    Example:
        >>> gap_of([flint.arb(1)], (1,))
        {'E_V': 0, 's': 1.00000000000000}
    """
    mean = flint.fmpq(1, sum(multiplicities))
    squares = (m * (e - mean) ** 2 for e, m in zip(eigenvalues, multiplicities, strict=True))
    return {"E_V": sum(squares, flint.arb(0)).sqrt(), "s": eigenvalues[0]}


def _distance(
    eigenvalues: Sequence[flint.arb], multiplicities: Sequence[int]
) -> Mapping[str, flint.arb]:
    root = flint.arb(flint.fmpq(1, sum(multiplicities))).sqrt()
    squares = (m * (e.sqrt() - root) ** 2 for e, m in zip(eigenvalues, multiplicities, strict=True))
    return {"E_W": sum(squares, flint.arb(0)), "s": eigenvalues[0]}


# --- Theorem 1 ------------------------------------------------------------------------------------

_sharp_rate = sp.sqrt(n * (n - 1)) * (
    (1 - c * alpha) ** ell * Vhat_1 + sp.sqrt((1 - 1 / n) / d) / (c * alpha)
)
_harmonic_rate = sp.sqrt(n * (n - 1)) * (
    Vhat_1 / (1 + 2 * alpha) ** ell + sp.sqrt((1 - 1 / n) / d) * (1 + 2 * alpha) / (2 * alpha)
)
_DECAYS = f"{LAW}the bound holds after ℓ layers on the event"
_decay = partial(
    Statement,
    family=FAMILY,
    theorem="decay",
    quantifier=Quantifier.EXPECTATION,
    chain="rescale",
    observables=("orthogonality_gap", "smallest_eigenvalue"),
    lhs=E_V,
    relation="<=",
    ceiling=sp.sqrt(1 - 1 / n),
    definitions={E_V: "E[V(H_{ℓ+1}) · 1{the assumption holds}]", Vhat_1: "V̂(H_1)", s: "σ_n(H_k)²"},
    depends_on=(
        "orthogonality.one_step_drift:sharp",
        "orthogonality.gap_vs_smallest_eigenvalue:sharp",
    ),
    sentinel=Sentinel(
        "three times the depth, a hundredth of the noise",
        rhs=_sharp_rate.subs({ell: 3 * ell, d: 10000 * d}),
    ),
    checks=(
        WidthLimit((_start(8), _start(16), _start(32)), 300, gap_of, _at_start, d, ell),
        _on_event((2, 4, 8), lambda size: math.sqrt(1 - 1 / size), "orthogonality_gap"),
    ),
)
DECAY = (
    _decay(
        variant="as_printed",
        title="E V(H_{ℓ+1}) ≤ 2(1-⅔α)^ℓ + 3n/(α√d) if σ_n ≥ α",
        source=djb21("Theorem 1"),
        variables=(WIDTH, BATCH, ALPHA_SIGMA, LAYER),
        assumptions=(ON_SIGMA,),
        rhs=2 * (1 - sp.Rational(2, 3) * alpha) ** ell + 3 * n / (alpha * sp.sqrt(d)),
        expected=Verdict.REFUTED,
        remark="The proof uses σ_n² ≥ α. Along the width limit σ_n only grows, so the assumption "
        "holds with room. From σ_n = 0.99/√n the path crosses at n = 5 too (layer 455, 448 bits); "
        "for n ≤ 4 the rates do not.",
    ),
    _decay(
        variant="corrected",
        title="E V(H_{ℓ+1}) ≤ 2(1-⅔α)^ℓ + 3n/(α√d) if σ_n² ≥ α",
        source=OURS,
        variables=(WIDTH, BATCH, ALPHA_LAMBDA, LAYER),
        assumptions=(ON_LAMBDA,),
        rhs=2 * (1 - sp.Rational(2, 3) * alpha) ** ell + 3 * n / (alpha * sp.sqrt(d)),
        expected=Verdict.SUPPORTED,
        remark="The appendix prints 3n/(2α√d) in its last line: a slip.",
        proof=Proof(
            theorem=f"{ROCQ}.HarmonicDrift.decay_corrected_from_moments",
            link="name",
            gloss=_DECAYS,
            leaves=GAUSSIAN_ROWS,
            also=(
                f"{ROCQ}.Decay.decay_corrected",
                f"{ROCQ}.Decay.drift_sharp_implies_printed",
            ),
        ),
    ),
)
DECAY_SHARP = _decay(
    variant="sharp",
    title="E V(H_{ℓ+1}) ≤ √(n(n-1)) [(1-cα)^ℓ V̂(H_1) + √(1-1/n)/(cα√d)] if σ_n² ≥ α, c = 2n/(n+2)",
    source=OURS,
    variables=(WIDTH, BATCH, ALPHA_LAMBDA, LAYER),
    assumptions=(ON_LAMBDA,),
    rhs=_sharp_rate,
    expected=Verdict.SUPPORTED,
    proof=Proof(
        theorem=f"{ROCQ}.HarmonicDrift.decay_sharp_from_moments",
        link="name",
        gloss=_DECAYS,
        leaves=GAUSSIAN_ROWS,
        also=(
            f"{ROCQ}.Decay.decay_sharp",
            f"{ROCQ}.Decay.affine_recursion",
            f"{ROCQ}.Decay.restricted_decay",
            f"{ROCQ}.Decay.restricted_expectation_paths",
        ),
    ),
)
DECAY_HARMONIC = _decay(
    variant="harmonic",
    title="E V(H_{ℓ+1}) ≤ √(n(n-1)) [V̂(H_1)/(1+2α)^ℓ + √((1-1/n)/d) (1+2α)/(2α)] if σ_n² ≥ α",
    source=OURS,
    variables=(WIDTH, BATCH, ALPHA_LAMBDA, LAYER),
    assumptions=(ON_LAMBDA,),
    rhs=_harmonic_rate,
    sentinel=Sentinel(
        "three times the depth, a hundredth of the noise",
        rhs=_harmonic_rate.subs({ell: 3 * ell, d: 10000 * d}),
    ),
    depends_on=(
        "orthogonality.one_step_drift:harmonic",
        "orthogonality.gap_vs_smallest_eigenvalue:sharp",
    ),
    expected=Verdict.SUPPORTED,
    remark="From the drift V̂/(1 + 2σ_n²), and below the sharp bound for every α < 1/n.",
    proof=Proof(
        theorem=f"{ROCQ}.HarmonicDrift.decay_harmonic",
        link="name",
        gloss=_DECAYS,
        leaves=GAUSSIAN_ROWS,
    ),
)

# --- Corollary 3 ----------------------------------------------------------------------------------


def _gaussian_distance(H: Array, *, width: int) -> Array:
    xp: Namespace = array_namespace(H)
    deviation = xp.sqrt(spectrum(H)) - H.shape[-1] ** -0.5
    return xp.sum(deviation * deviation, axis=-1)


GAUSSIAN_DISTANCE = Observable("gaussian_distance", _gaussian_distance, gram=True)


def _gaussian_checks(shift: int) -> tuple[Check, ...]:
    return (
        WidthLimit((_start(64),), 1000, _distance, _at_start, d, ell, offset=-shift),
        _on_event((2, 3), lambda size: 2 - 2 / math.sqrt(size), GAUSSIAN_DISTANCE, shift),
    )


def _limit_proof(theorem: str, distance: str) -> Proof:
    return Proof(
        theorem=f"{ROCQ}.GaussianLimit.{theorem}",
        link="name",
        gloss="if the distance is at most a multiple of V at every state, V has its bound by σ_n² "
        "and V̂ its drift, the bound holds after ℓ layers on the event",
        leaves="the drift of V̂, which HarmonicDrift proves from moments of a row",
        also=(f"{ROCQ}.GaussianDistance.{distance}",),
    )


_gaussian = partial(
    Statement,
    family=FAMILY,
    theorem="gaussian_limit",
    quantifier=Quantifier.EXPECTATION,
    chain="rescale",
    observables=("gaussian_distance", "smallest_eigenvalue"),
    lhs=E_W,
    relation="<=",
    ceiling=2 - 2 / sp.sqrt(n),
    definitions={
        E_W: "E[Σ(σ_i - n^(-1/2))² · 1{the assumption holds}] ≥ W₂²(law(WH), law(G/√n)) on that "
        "event",
        Vhat_1: "V̂(H_1)",
        s: "σ_n(H_k)²",
    },
    sentinel=Sentinel(
        "three times the depth, 1e-6 of the noise",
        rhs=_sharp_rate.subs({ell: 3 * ell, d: 10**12 * d}),
    ),
)
GAUSSIAN = (
    _gaussian(
        variant="as_printed",
        title="W₂²(law(W_ℓ H_ℓ), law(G/√n)) ≤ 4n(1-⅔α)^ℓ + 6n²/(α√d) if σ_n ≥ α",
        source=djb21("Corollary 3"),
        variables=(WIDTH, BATCH, ALPHA_SIGMA, LAYER),
        assumptions=(ON_SIGMA,),
        rhs=4 * n * (1 - sp.Rational(2, 3) * alpha) ** ell + 6 * n**2 / (alpha * sp.sqrt(d)),
        expected=Verdict.REFUTED,
        checks=_gaussian_checks(-1),
        depends_on=("orthogonality.decay:as_printed",),
        remark="Inherits Theorem 1's assumption, and moves its exponent from H_{ℓ+1} to H_ℓ.",
    ),
    _gaussian(
        variant="corrected",
        title="W₂²(law(W H_{ℓ+1}), law(G/√n)) ≤ 4n(1-⅔α)^ℓ + 6n²/(α√d) if σ_n² ≥ α",
        source=OURS,
        variables=(WIDTH, BATCH, ALPHA_LAMBDA, LAYER),
        assumptions=(ON_LAMBDA,),
        rhs=4 * n * (1 - sp.Rational(2, 3) * alpha) ** ell + 6 * n**2 / (alpha * sp.sqrt(d)),
        expected=Verdict.SUPPORTED,
        checks=_gaussian_checks(0),
        depends_on=("orthogonality.decay:corrected",),
        proof=_limit_proof("limit_corrected", "gaussian_distance_as_printed"),
    ),
    _gaussian(
        variant="sharp",
        title="W₂²(law(W H_{ℓ+1}), law(G/√n)) ≤ n√(1-1/n) × the sharp bound of decay, if σ_n² ≥ α",
        source=OURS,
        variables=(WIDTH, BATCH, ALPHA_LAMBDA, LAYER),
        assumptions=(ON_LAMBDA,),
        rhs=n * sp.sqrt(1 - 1 / n) * _sharp_rate,
        expected=Verdict.SUPPORTED,
        checks=_gaussian_checks(0),
        depends_on=("orthogonality.decay:sharp", "orthogonality.gaussian_distance:sharp"),
        proof=_limit_proof("limit_sharp", "gaussian_distance_sharp"),
    ),
)

# --- Appendix B.1 ---------------------------------------------------------------------------------


def _averages(first: int, statement: Statement, batch: Floats | None) -> list[Instance]:
    """Readouts of the average over layers ``first`` … ``first + L - 1``."""

    def average(label: str, start: Floats, layers: int, width: int) -> Instance:
        n = start.shape[1]
        values = {"n": n, "Vhat_0": max(1 / n - _smallest(start), 0.0), "d": width, "L": layers}
        support = (0.0, (1 + 1e-9) / (4 * n**2))
        label = f"{label}, d={width}, {layers} layers"
        chain = rescale_chain(width)
        return Instance(label, chain, start, layers, (values,), support, {"first": first})

    given = [(f"n={size}", inputs.two_level(size, 0.97)) for size in (2, 4, 8)]
    if batch is not None:
        given = [(f"batch {batch.shape[0]}×{batch.shape[1]}", batch)]
    found = []
    for label, start in given:
        size = start.shape[1]
        if size == 1:
            continue  # one sample is at the fixed point
        values = {"n": size, "Vhat_0": max(1 / size - _smallest(start), 0.0)}
        layers = _first_depth(statement, DEPTHS[:-1], "L", 0.2, values) or DEPTHS[-2]
        width = _affordable(statement, layers, {**values, "L": layers}) or inputs.WIDTHS[0]
        found.append(average(label, start, layers, width))
    if batch is None:
        size, width, layers = FIXED
        fixed = average(f"n={size}", inputs.two_level(size, 0.97), layers, width)
        found.append(replace(fixed, label=f"{fixed.label}, fixed"))
    return found


def _averaged(
    harmonic: bool, statement: Statement, trajectory: Trajectory, instance: Instance
) -> Floats:
    first, layers = instance.data["first"], int(instance.readouts[0]["L"])
    smallest = trajectory.values["smallest_eigenvalue"][:, first : first + layers]
    gaps = 1 / instance.start.shape[1] - smallest
    seen = gaps * smallest / (1 + 2 * smallest) if harmonic else gaps * smallest
    return np.asarray(np.mean(seen, axis=1))[:, None]


def _averaging_from(first: int, harmonic: bool = False) -> Expectation:
    return Expectation(
        partial(_averages, first),
        partial(_averaged, harmonic),
        ("smallest_eigenvalue",),
        enough=1 / 3,
        dtype="float32",
    )


_AVERAGES = f"{LAW}the bound holds for the average over layers"
_averaging = partial(
    Statement,
    family=FAMILY,
    theorem="averaged_stability",
    quantifier=Quantifier.EXPECTATION,
    chain="rescale",
    variables=(WIDTH, BATCH, DEPTH),
    observables=("smallest_eigenvalue",),
    lhs=E_A,
    relation="<=",
    ceiling=1 / (4 * n**2),
    expected=Verdict.SUPPORTED,
    depends_on=("orthogonality.one_step_drift:sharp",),
    sentinel=Sentinel(
        "a twentieth of the noise, no memory of the start", rhs=sp.sqrt((1 - 1 / n) / d) / (20 * c)
    ),
)
AVERAGING = (
    _averaging(
        variant="as_printed",
        title="E[(1/L)Σ_{k=1}^L V̂_k(1/n - V̂_k)] ≤ 3V̂_0/(2L) + 3/(2√d)",
        source=djb21("Appendix B.1"),
        rhs=sp.Rational(3, 2) * (Vhat_0 / depth + 1 / sp.sqrt(d)),
        definitions={E_A: "E[(1/L) Σ_{k=1}^L V̂(H_k)(1/n - V̂(H_k))]", Vhat_0: "V̂(H_0)"},
        checks=(_averaging_from(1),),
        proof=Proof(
            theorem=f"{ROCQ}.HarmonicDrift.averaged_stability_as_printed_from_moments",
            link="name",
            gloss=_AVERAGES,
            leaves=GAUSSIAN_ROWS,
            also=(f"{ROCQ}.AveragedStability.averaged_stability_as_printed",),
        ),
        remark="The telescoping sum behind it runs over k = 0 … L-1; the drift printed there has "
        "2/√d for 1/√d.",
    ),
    _averaging(
        variant="sharp",
        title="E[(1/L)Σ_{k=0}^{L-1} V̂_k(1/n - V̂_k)] ≤ V̂_0/(cL) + √(1-1/n)/(c√d), c = 2n/(n+2)",
        source=OURS,
        rhs=Vhat_0 / (c * depth) + sp.sqrt((1 - 1 / n) / d) / c,
        definitions={E_A: "E[(1/L) Σ_{k=0}^{L-1} V̂(H_k)(1/n - V̂(H_k))]", Vhat_0: "V̂(H_0)"},
        checks=(_averaging_from(0),),
        proof=Proof(
            theorem=f"{ROCQ}.HarmonicDrift.averaged_stability_sharp_from_moments",
            link="name",
            gloss=_AVERAGES,
            leaves=GAUSSIAN_ROWS,
            also=(
                f"{ROCQ}.AveragedStability.averaged_stability_sharp",
                f"{ROCQ}.AveragedStability.telescoping",
            ),
        ),
    ),
    _averaging(
        variant="harmonic",
        title="E[(1/L)Σ_{k=0}^{L-1} V̂_k σ_n²(H_k)/(1+2σ_n²(H_k))] ≤ V̂_0/(2L) + √((1-1/n)/d)/2",
        source=OURS,
        rhs=Vhat_0 / (2 * depth) + sp.sqrt((1 - 1 / n) / d) / 2,
        definitions={
            E_A: "E[(1/L) Σ_{k=0}^{L-1} V̂(H_k) σ_n²(H_k)/(1 + 2σ_n²(H_k))], σ_n² = 1/n - V̂",
            Vhat_0: "V̂(H_0)",
        },
        depends_on=("orthogonality.one_step_drift:harmonic",),
        checks=(_averaging_from(0, harmonic=True),),
        proof=Proof(
            theorem=f"{ROCQ}.HarmonicDrift.averaged_stability_harmonic_from_moments",
            link="name",
            gloss=_AVERAGES,
            leaves=GAUSSIAN_ROWS,
            also=(f"{ROCQ}.AveragedStability.telescoping",),
        ),
        remark="Stronger than the sharp form: 1/(1 + 2σ_n²) ≥ n/(n+2).",
    ),
)

STATEMENTS = (
    *DECAY,
    DECAY_SHARP,
    DECAY_HARMONIC,
    *GAUSSIAN,
    *AVERAGING,
)
