"""Many layers of the rescale chain: Theorem 1, Corollary 3 and Appendix B.1 of DJB21."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import sympy as sp
from array_api_compat import array_namespace

from simulators import Trajectory, rescale_chain
from simulators.observables import Observable, spectrum
from theorems.checking.expectation import Expectation, Floats, Instance, event
from theorems.checking.width_limit import RepeatedSpectrum, WidthLimit
from theorems.expressions import compiled
from theorems.families.orthogonality import starts
from theorems.families.orthogonality.notation import (
    BATCH,
    DEPTH,
    FAMILY,
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
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

ON_SIGMA = Assumption(sp.Ge(sp.sqrt(s), alpha), "σ_n(H_k) ≥ α for every k ≤ ℓ", along="path")
ON_LAMBDA = Assumption(sp.Ge(s, alpha), "σ_n(H_k)² ≥ α for every k ≤ ℓ", along="path")
ALPHA_SIGMA = Variable(
    alpha, sp.Interval.Lopen(0, 1 / sp.sqrt(n)), "lower bound on σ_n along the path"
)
ALPHA_LAMBDA = Variable(alpha, sp.Interval.Lopen(0, 1 / n), "lower bound on σ_n² along the path")

#: Path constants, as shares of the largest value 1/n that sigma_n^2 can have.
SHARES = (0.5, 0.75, 0.9)
#: Widths are chosen so that a bound is at most this share of its ceiling.
SPEAKING = 0.85
FAR = 16
#: A size, a width and a depth at which noise is seen to fall as d^(-1/2), chosen from no bound: one that falls
#: faster is crossed there, whatever widths it would choose for itself.
FIXED = (2, 2048, 40)
#: The most random numbers one replica may cost before a bound counts as out of reach.
AFFORDABLE = 5 * 10**7


def largest_alpha(assumption: Assumption, smallest: Any) -> sp.Expr:
    """The largest constant the path assumption allows at a layer with this sigma_n^2."""
    return assumption.relation.lhs.subs(s, smallest)


def _initial_gap(start: Floats) -> float:
    singular = np.linalg.svd(start / np.abs(start).max(), compute_uv=False)
    return float(singular[-1] ** 2 / np.sum(singular**2))


def _speaking(
    statement: Statement, start: Floats, share: float, values: Mapping[str, float]
) -> tuple[int, int] | None:
    """Depth and width at which the bound is below ``share`` of its ceiling, if one is affordable."""
    size = start.shape[1]
    top = float(statement.top(**values))
    for layers in (2**k for k in range(3, 10)):
        if (
            float(statement.bound(d=2**62, ell=layers, **_known(statement, values)))
            <= share / 4 * top
        ):
            width = starts.speaking_width(statement, share, ell=layers, **values)
            if width is not None and width * size * layers <= AFFORDABLE:
                return layers, width
            return None
    return None


def _known(statement: Statement, values: Mapping[str, float]) -> dict[str, float]:
    names = {str(x) for x in statement.rhs.free_symbols} | {"n", "alpha"}
    return {key: value for key, value in values.items() if key in names}


def paths(
    statement: Statement, batch: Floats | None, sizes: tuple[int, ...], top: Any, shift: int
) -> list[Instance]:
    """Starts with their depth, width and readouts: every alpha of ``SHARES`` at a quarter, half and full depth.

    ``shift`` is the trajectory column read at ell = 0. The smallest size runs at ``FAR`` times the width where
    the bound begins to speak as well: a wrong power of d shows between the two, or at ``FIXED``, if its own widths
    are so narrow that few paths meet the assumption.
    """
    given = [(f"n={size}", starts.two_level(size, 0.92), 1) for size in sizes]
    given.insert(1, (f"n={sizes[0]}", starts.two_level(sizes[0], 0.92), FAR))
    if batch is not None:
        given = [(f"batch {batch.shape[0]}×{batch.shape[1]}", batch, 1)]
    found = [] if batch is not None else [_fixed(statement, top, shift)]
    for label, start, factor in given:
        size, smallest = start.shape[1], _initial_gap(start)
        reach = 1 / size if batch is None else smallest
        if size == 1 or smallest <= 1e-15:
            continue  # nothing moves, or dependent columns: no positive alpha meets the assumption
        constants = [
            min(float(largest_alpha(statement.assumptions[0], share * reach)), 1.0)
            for share in SHARES
        ]
        values = {"n": size, "alpha": constants[-1], "Vhat_1": max(1 / size - smallest, 0.0)}
        reachable = _speaking(statement, start, SPEAKING, values)
        layers, width = reachable or (
            8,
            starts.WIDTHS[0],
        )  # out of reach: a width where it is vacuous
        if factor > 1 and width * factor * size * layers > AFFORDABLE / FAR:
            continue  # narrow means there take too many replicas to bound
        width *= factor
        readouts = tuple(
            {**values, "alpha": constant, "d": width, "ell": at}
            for constant in constants
            for at in sorted({max(layers // 4, 1), layers // 2, layers})
        )
        found.append(
            Instance(
                f"{label}, d={width}, {layers} layers",
                rescale_chain(width),
                start,
                layers + shift,
                readouts,
                (0.0, top(size) * (1 + 1e-9)),
                {"shift": shift},
            )
        )
    return found


def _fixed(statement: Statement, top: Any, shift: int) -> Instance:
    """The same readouts at the size, width and depth that no bound chose."""
    size, width, layers = FIXED
    start = starts.two_level(size, 0.92)
    values = {"n": size, "d": width, "Vhat_1": max(1 / size - _initial_gap(start), 0.0)}
    constants = [
        min(float(largest_alpha(statement.assumptions[0], share / size)), 1.0) for share in SHARES
    ]
    readouts = tuple(
        {**values, "alpha": constant, "ell": at}
        for constant in constants
        for at in (layers // 4, layers // 2, layers)
    )
    return Instance(
        f"n={size}, d={width}, {layers} layers, fixed",
        rescale_chain(width),
        start,
        layers + shift,
        readouts,
        (0.0, top(size) * (1 + 1e-9)),
        {"shift": shift},
    )


def _covered(statement: Statement, trajectory: Trajectory, instance: Instance) -> Any:
    """(replicas, readouts): the assumption holds at every layer the readout's hypothesis names."""
    smallest = trajectory.values["smallest_eigenvalue"]
    columns = []
    for values in instance.readouts:
        met = event(statement, {"s": smallest}, values)
        columns.append(np.all(met[:, : int(values["ell"])], axis=1))
    return np.stack(columns, axis=1)


def _restricted(name: str) -> Any:
    def sample(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
        columns = [int(v["ell"]) + instance.data["shift"] for v in instance.readouts]
        values: Floats = trajectory.values[name][:, columns] * _covered(
            statement, trajectory, instance
        )
        return values

    return sample


# --- the width limit ---------------------------------------------------------------------------------------


def _start(size: int) -> RepeatedSpectrum:
    """sigma_n = 0.9/sqrt(n) to three digits, the other eigenvalues equal."""
    smallest = Fraction(round(900 / math.sqrt(size)), 1000) ** 2
    return RepeatedSpectrum((smallest, (1 - smallest) / (size - 1)), (1, size - 1))


def _constants(statement: Statement, start: RepeatedSpectrum) -> Mapping[str, Any]:
    smallest = start.eigenvalues[0]
    constant = compiled(statement.assumptions[0].relation.lhs, (s,)).exact(smallest)
    return {
        "alpha": constant,
        "Vhat_1": flint.fmpq(1, start.n) - flint.fmpq(smallest.numerator, smallest.denominator),
    }


def _gap(eigenvalues: list[flint.arb], multiplicities: tuple[int, ...]) -> Mapping[str, Any]:
    size = sum(multiplicities)
    square = sum(
        (
            m * (e - flint.fmpq(1, size)) ** 2
            for e, m in zip(eigenvalues, multiplicities, strict=True)
        ),
        flint.arb(0),
    )
    return {"E_V": square.sqrt(), "s": eigenvalues[0]}


def _distance(eigenvalues: list[flint.arb], multiplicities: tuple[int, ...]) -> Mapping[str, Any]:
    root = flint.arb(flint.fmpq(1, sum(multiplicities))).sqrt()
    square = sum(
        (m * (e.sqrt() - root) ** 2 for e, m in zip(eigenvalues, multiplicities, strict=True)),
        flint.arb(0),
    )
    return {"E_W": square, "s": eigenvalues[0]}


# --- Theorem 1 ---------------------------------------------------------------------------------------------

E_V = sp.Symbol("E_V", nonnegative=True)
Vhat_1 = sp.Symbol("Vhat_1", nonnegative=True)


def _gap_paths(statement: Statement, batch: Floats | None) -> list[Instance]:
    return paths(statement, batch, (2, 4, 8), lambda size: math.sqrt(1 - 1 / size), 0)


_sharp_rate = sp.sqrt(n * (n - 1)) * (
    (1 - c * alpha) ** ell * Vhat_1 + sp.sqrt((1 - 1 / n) / d) / (c * alpha)
)
_DECAYS = (
    "for any monotone affine one-step expectation, the one-step drift and the bound of the gap by V̂ give the "
    "bound after ℓ layers on the event"
)
_DRIFT = "the one-step drift, a hypothesis of the theorem"
_decay: dict[str, Any] = dict(
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
        WidthLimit((_start(8), _start(16), _start(32)), 300, _gap, _constants, d, ell),
        Expectation(
            _gap_paths,
            _restricted("orthogonality_gap"),
            ("orthogonality_gap", "smallest_eigenvalue"),
            covered=_covered,
            first=20,
            resolution=0.2,
        ),
    ),
)
DECAY_AS_PRINTED = Statement(
    variant="as_printed",
    title="E V(H_{ℓ+1}) ≤ 2(1-⅔α)^ℓ + 3n/(α√d) if σ_n ≥ α",
    source=djb21("Theorem 1"),
    variables=(WIDTH, BATCH, ALPHA_SIGMA, LAYER),
    assumptions=(ON_SIGMA,),
    rhs=2 * (1 - sp.Rational(2, 3) * alpha) ** ell + 3 * n / (alpha * sp.sqrt(d)),
    expected=Verdict.REFUTED,
    remark="The proof uses σ_n² ≥ α. Along the width limit σ_n only grows, so the assumption holds with room. From "
    "σ_n = 0.99/√n the path crosses at n = 5 too (layer 455, 448 bits); for n ≤ 4 the rates do not.",
    **_decay,
)
DECAY_CORRECTED = Statement(
    variant="corrected",
    title="E V(H_{ℓ+1}) ≤ 2(1-⅔α)^ℓ + 3n/(α√d) if σ_n² ≥ α",
    source=OURS,
    variables=(WIDTH, BATCH, ALPHA_LAMBDA, LAYER),
    assumptions=(ON_LAMBDA,),
    rhs=2 * (1 - sp.Rational(2, 3) * alpha) ** ell + 3 * n / (alpha * sp.sqrt(d)),
    expected=Verdict.SUPPORTED,
    remark="The appendix prints 3n/(2α√d) in its last line: a slip.",
    **_decay,
    proof=Proof(
        theorem=f"{ROCQ}.Decay.decay_corrected",
        link="name",
        gloss=_DECAYS,
        leaves=_DRIFT,
        also=(f"{ROCQ}.Decay.drift_sharp_implies_printed",),
    ),
)
DECAY_SHARP = Statement(
    variant="sharp",
    title="E V(H_{ℓ+1}) ≤ √(n(n-1)) [(1-cα)^ℓ V̂(H_1) + √(1-1/n)/(cα√d)] if σ_n² ≥ α, c = 2n/(n+2)",
    source=OURS,
    variables=(WIDTH, BATCH, ALPHA_LAMBDA, LAYER),
    assumptions=(ON_LAMBDA,),
    rhs=_sharp_rate,
    expected=Verdict.SUPPORTED,
    **_decay,
    proof=Proof(
        theorem=f"{ROCQ}.Decay.decay_sharp",
        link="name",
        gloss=_DECAYS,
        leaves=_DRIFT,
        also=(
            f"{ROCQ}.Decay.affine_recursion",
            f"{ROCQ}.Decay.restricted_decay",
            f"{ROCQ}.Decay.restricted_expectation_paths",
        ),
    ),
)

# --- Corollary 3 -------------------------------------------------------------------------------------------

E_W = sp.Symbol("E_W", nonnegative=True)


def _gaussian_distance(H: Any, *, width: int) -> Any:
    xp = array_namespace(H)
    deviation = xp.sqrt(spectrum(H)) - H.shape[-1] ** -0.5
    return xp.sum(deviation * deviation, axis=-1)


GAUSSIAN_DISTANCE = Observable("gaussian_distance", _gaussian_distance, gram=True)


def _distance_paths(shift: int) -> Any:
    def instances(statement: Statement, batch: Floats | None) -> list[Instance]:
        return paths(statement, batch, (2, 3), lambda size: 2 - 2 / math.sqrt(size), shift)

    return instances


def _gaussian_checks(shift: int) -> tuple[Any, ...]:
    return (
        WidthLimit((_start(64),), 1000, _distance, _constants, d, ell, offset=-shift),
        Expectation(
            _distance_paths(shift),
            _restricted("gaussian_distance"),
            (GAUSSIAN_DISTANCE, "smallest_eigenvalue"),
            covered=_covered,
            first=20,
            resolution=0.2,
        ),
    )


_gaussian: dict[str, Any] = dict(
    family=FAMILY,
    theorem="gaussian_limit",
    quantifier=Quantifier.EXPECTATION,
    chain="rescale",
    observables=("gaussian_distance", "smallest_eigenvalue"),
    lhs=E_W,
    relation="<=",
    ceiling=2 - 2 / sp.sqrt(n),
    definitions={
        E_W: "E[Σ(σ_i - n^(-1/2))² · 1{the assumption holds}] ≥ W₂²(law(WH), law(G/√n)) on that event",
        Vhat_1: "V̂(H_1)",
        s: "σ_n(H_k)²",
    },
    sentinel=Sentinel(
        "three times the depth, 1e-6 of the noise",
        rhs=_sharp_rate.subs({ell: 3 * ell, d: 10**12 * d}),
    ),
)
GAUSSIAN_LIMIT_AS_PRINTED = Statement(
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
    **_gaussian,
)
GAUSSIAN_LIMIT_CORRECTED = Statement(
    variant="corrected",
    title="W₂²(law(W H_{ℓ+1}), law(G/√n)) ≤ 4n(1-⅔α)^ℓ + 6n²/(α√d) if σ_n² ≥ α",
    source=OURS,
    variables=(WIDTH, BATCH, ALPHA_LAMBDA, LAYER),
    assumptions=(ON_LAMBDA,),
    rhs=4 * n * (1 - sp.Rational(2, 3) * alpha) ** ell + 6 * n**2 / (alpha * sp.sqrt(d)),
    expected=Verdict.SUPPORTED,
    checks=_gaussian_checks(0),
    depends_on=("orthogonality.decay:corrected",),
    **_gaussian,
)
GAUSSIAN_LIMIT_SHARP = Statement(
    variant="sharp",
    title="W₂²(law(W H_{ℓ+1}), law(G/√n)) ≤ n√(1-1/n) × the sharp bound of decay, if σ_n² ≥ α",
    source=OURS,
    variables=(WIDTH, BATCH, ALPHA_LAMBDA, LAYER),
    assumptions=(ON_LAMBDA,),
    rhs=n * sp.sqrt(1 - 1 / n) * _sharp_rate,
    expected=Verdict.SUPPORTED,
    checks=_gaussian_checks(0),
    depends_on=("orthogonality.decay:sharp", "orthogonality.gaussian_distance:sharp"),
    **_gaussian,
)

# --- Appendix B.1 ------------------------------------------------------------------------------------------

E_A = sp.Symbol("E_A", nonnegative=True)
Vhat_0 = sp.Symbol("Vhat_0", nonnegative=True)


def _averages(first: int) -> Any:
    """Readouts of the average over layers ``first`` … ``first + L - 1``."""

    def instances(statement: Statement, batch: Floats | None) -> list[Instance]:
        given = [(f"n={size}", starts.two_level(size, 0.97)) for size in (2, 4, 8)]
        if batch is not None:
            given = [(f"batch {batch.shape[0]}×{batch.shape[1]}", batch)]
        found = []
        for label, start in given:
            size = start.shape[1]
            if size == 1:
                continue  # one sample is at the fixed point
            values = {"n": size, "Vhat_0": max(1 / size - _initial_gap(start), 0.0)}
            layers = next(
                (
                    x
                    for x in (8, 16, 32, 64, 128, 256)
                    if float(statement.bound(d=2**62, L=x, **values))
                    <= 0.2 * statement.top(**values)
                ),
                256,
            )
            width = starts.speaking_width(statement, SPEAKING, L=layers, **values)
            if width is None or width * size * layers > AFFORDABLE:
                width = starts.WIDTHS[0]
            found.append(
                Instance(
                    f"{label}, d={width}, {layers} layers",
                    rescale_chain(width),
                    start,
                    layers,
                    ({**values, "d": width, "L": layers},),
                    (0.0, (1 + 1e-9) / (4 * size**2)),
                    {"first": first},
                )
            )
        return [*found, *([] if batch is not None else [_fixed_average(first)])]

    return instances


def _fixed_average(first: int) -> Instance:
    """The average at the size, width and depth that no bound chose."""
    size, width, layers = FIXED
    start = starts.two_level(size, 0.97)
    values = {
        "n": size,
        "Vhat_0": max(1 / size - _initial_gap(start), 0.0),
        "d": width,
        "L": layers,
    }
    return Instance(
        f"n={size}, d={width}, {layers} layers, fixed",
        rescale_chain(width),
        start,
        layers,
        (values,),
        (0.0, (1 + 1e-9) / (4 * size**2)),
        {"first": first},
    )


def _averaged(statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    first = instance.data["first"]
    smallest = trajectory.values["smallest_eigenvalue"][
        :, first : first + int(instance.readouts[0]["L"])
    ]
    average: Floats = np.mean((1 / instance.start.shape[1] - smallest) * smallest, axis=1)[:, None]
    return average


_AVERAGES = "for any monotone affine one-step expectation, the one-step drift telescopes to the bound on the average"
_averaging: dict[str, Any] = dict(
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
AVERAGED_AS_PRINTED = Statement(
    variant="as_printed",
    title="E[(1/L)Σ_{k=1}^L V̂_k(1/n - V̂_k)] ≤ 3V̂_0/(2L) + 3/(2√d)",
    source=djb21("Appendix B.1"),
    rhs=sp.Rational(3, 2) * (Vhat_0 / depth + 1 / sp.sqrt(d)),
    definitions={E_A: "E[(1/L) Σ_{k=1}^L V̂(H_k)(1/n - V̂(H_k))]", Vhat_0: "V̂(H_0)"},
    checks=(Expectation(_averages(1), _averaged, ("smallest_eigenvalue",)),),
    proof=Proof(
        theorem=f"{ROCQ}.AveragedStability.averaged_stability_as_printed",
        link="name",
        gloss=_AVERAGES,
        leaves=_DRIFT,
    ),
    remark="The telescoping sum behind it runs over k = 0 … L-1; the drift printed there has 2/√d for 1/√d.",
    **_averaging,
)
AVERAGED_SHARP = Statement(
    variant="sharp",
    title="E[(1/L)Σ_{k=0}^{L-1} V̂_k(1/n - V̂_k)] ≤ V̂_0/(cL) + √(1-1/n)/(c√d), c = 2n/(n+2)",
    source=OURS,
    rhs=Vhat_0 / (c * depth) + sp.sqrt((1 - 1 / n) / d) / c,
    definitions={E_A: "E[(1/L) Σ_{k=0}^{L-1} V̂(H_k)(1/n - V̂(H_k))]", Vhat_0: "V̂(H_0)"},
    checks=(Expectation(_averages(0), _averaged, ("smallest_eigenvalue",)),),
    **_averaging,
    proof=Proof(
        theorem=f"{ROCQ}.AveragedStability.averaged_stability_sharp",
        link="name",
        gloss=_AVERAGES,
        leaves=_DRIFT,
        also=(f"{ROCQ}.AveragedStability.telescoping",),
    ),
)

STATEMENTS = (
    DECAY_AS_PRINTED,
    DECAY_CORRECTED,
    DECAY_SHARP,
    GAUSSIAN_LIMIT_AS_PRINTED,
    GAUSSIAN_LIMIT_CORRECTED,
    GAUSSIAN_LIMIT_SHARP,
    AVERAGED_AS_PRINTED,
    AVERAGED_SHARP,
)
