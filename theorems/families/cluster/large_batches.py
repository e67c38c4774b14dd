"""The outlier reduction for all large batches at once: ε = 1/n is an interval that reaches down to
0.

Written with ε, every function of `simulators.engines.mean_field.outlier` is analytic at ε = 0 once
its variable is scaled to the region. With c = cos ψ and φ the angle within the cluster, three
regions cover ψ in [0, π/2]:

A. φ = θε, θ in [0, 12]: e, as a function of θ, is increasing; it is −2 at θ = 0 and positive at θ =
12 by B. One
   zero: the outlier.
B. φ ≥ 12ε and c ≥ 2ε: e > 0. For φ ≤ 1 this is shown for e·p, p = ε/φ in [0, 1/12]; for φ ≥ 1,
where ψ > 1/2, for
   e·ε/c² with a = ε/c in [0, 1/2].
C. c = zε, z in [0, 2]: e/ε is convex in z, has the zero z_s = 1/(1 − ε), the symmetric point, with
a negative slope,
   and is positive at z = 2 by B. One more zero, above z_s: the separatrix.

The slope at z_s tends to 0 with ε; along the symmetric points it is −q(c)/√(1 − c²), c = 1/(n − 1),
where q(0) = 0, and q′ > 0 is enclosed instead. The exact two-block point ψ = 0 is no zero of e. So
f_n has exactly two more fixed points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from flint import arb, arb_series, ctx, fmpq

from simulators.arguments import require
from simulators.engines.mean_field.outlier_enclosure import (
    block_invariants,
    block_rows,
    entire,
    share_series,
    sine_defect_series,
    variable,
)
from theorems.checking.covering import Box, halves
from theorems.checking.root_isolation import UndecidedError, over

__all__ = ["FIRST", "PRECISION", "Enclosure", "cells", "enclose", "growth_at"]

#: The least batch size covered.
FIRST = 64
PRECISION = 128
_DEEPEST = 24
_OUTERMOST, _INNERMOST = 12, 2  # θ at the end of region A, z at the end of region C
_SCALED_ZERO = fmpq(4)  # region A: τ lies within this


@dataclass(frozen=True)
class Enclosure:
    """What holds for every n ≥ `FIRST` with 1/n in an interval, in balls.

    ``fixed_points`` besides the symmetric and the two-block one; ``stretch`` is τ = n²((n +
    1)φ/(3π) − 1) at the outlier and ``stretch_after`` = n²((n + 2)φ⁺/(3π) − 1), φ⁺ being the angle
    after ReLU; ``decay`` = n(1 − spectral radius) there; ``growth`` = n(f_n′ − 1) at the
    separatrix and ``distance`` = n((n cos ψ at the separatrix) − (at the symmetric point)).
    """

    fixed_points: int
    stretch: arb
    stretch_after: arb
    decay: arb
    growth: arb
    distance: arb


def cells() -> tuple[tuple[fmpq, fmpq], ...]:
    """Intervals of 1/n that cover (0, 1/`FIRST`]; the first starts at 0.

    Example:
        >>> cells()[0]
        (0, 1/4096)
    """
    ends = [
        fmpq(0),
        fmpq(1, 4096),
        fmpq(1, 1024),
        fmpq(1, 512),
        *(fmpq(k, 16 * FIRST) for k in range(3, 17)),
    ]
    return tuple(pairwise(ends))


@lru_cache(maxsize=64)
def enclose(low: fmpq, high: fmpq) -> Enclosure:
    """Prove the picture above for 1/n in [low, high], 0 ≤ low < high ≤ 1/`FIRST`, and enclose what
    is claimed.

    Raises `UndecidedError` if a ball leaves a sign open. Cost: some hundred evaluations of
    30 µs.
    """
    require(0 <= low < high <= fmpq(1, FIRST), f"[{low}, {high}] is not within [0, 1/{FIRST}]")
    with ctx.workprec(PRECISION):
        eps = over(low, high)
        # one fixed point in region A, none in B, one besides the symmetric in C
        _region_b(eps)
        theta, rate, stretch = _region_a(eps)
        growth, distance = _region_c(eps)
        slope, within, block = _spectrum(theta, rate, eps)
        return Enclosure(
            fixed_points=1 + 1,
            stretch=stretch,
            stretch_after=_after_relu(stretch, eps),
            decay=slope.min(within).min(block),
            growth=growth,
            distance=distance,
        )


# --- the functions --------------------------------------------------------------------------------


def _ratio(eps: arb) -> arb:
    """sin ψ / sin(φ/2)."""
    return (2 * (1 - 2 * eps) / (1 - eps)).sqrt()


def _near_two_blocks(theta: arb_series, eps: arb) -> arb_series:
    """e at φ = θε."""
    phi = theta * eps
    angle = ((phi / 2).sin() * _ratio(eps)).asin()
    c = angle.cos()
    share = theta * share_series(phi)  # H/ε
    return (
        c * c * ((1 + eps) * share - 2)
        + eps * eps * share / (1 - eps)
        - 2 * c * sine_defect_series(angle) / arb.pi()
    )


def _stretched(tau: arb, eps: arb) -> arb:
    """e/ε² at (n + 1)φ = 3π(1 + τε²)."""
    pi = arb.pi()
    theta = 3 * pi * (1 + tau * eps * eps) / (1 + eps)
    phi = theta * eps
    half = (phi / 2).sin()
    angle = (half * _ratio(eps)).asin()
    c = angle.cos()
    share = share_series(arb_series([phi], 1))[0]
    flatness = theta * theta * _flatness(phi)
    # (sin ψ − ψ cos ψ)/ε² = ε (ψ/ε)³ · (…)/ψ³ with ψ/ε = (ψ/sin ψ)(sin ψ/ε)
    cubed = eps * (_ratio(eps) * theta / 2 * (phi / 2).sinc() / angle.sinc()) ** 3
    cubed *= entire(fmpq(5, 2), arb_series([-angle * angle / 4], 1))[0] / 3
    return (
        c * c * (2 * tau - 2 * (1 + tau * eps * eps) * flatness)
        + theta * share / (1 - eps)
        - 2 * c * cubed / pi
    )


def _flatness(phi: arb) -> arb:
    """(1 − (3π/2) H/φ)/φ², 1/60 at 0, by the mean value theorem in φ²."""
    w = variable(arb(0).union(phi * phi))
    denominator = entire(fmpq(3, 2), -w / 16)
    return (1 - entire(fmpq(5, 2), -w / 4) / (denominator * denominator))[1]


def _after_relu(tau: arb, eps: arb) -> arb:
    """n²((n + 2)φ⁺/(3π) − 1), from φ⁺/φ = 1 − φ/(3π) + aφ² + (third Taylor coefficient at some
    point of [0, φ])·φ³.
    """
    pi = arb.pi()
    b, grown = eps / (1 + eps), 1 + tau * eps * eps
    phi = 3 * pi * b * grown
    bend = (
        _relu_ratio(variable(arb(0), 3))[2] + phi * _relu_ratio(variable(arb(0).union(phi), 4))[3]
    )
    scaled = grown / (1 + eps)  # φ/(3πε)
    return (
        tau
        - grown / (1 + eps) ** 2
        + (1 + b) * grown * (9 * pi * pi * bend * scaled * scaled - b * tau)
    )


def _relu_ratio(phi: arb_series) -> arb_series:
    """φ⁺/φ, where sin(φ⁺/2) = √h sin(φ/2)."""
    reach = (1 - phi * share_series(phi)).sqrt() * entire(fmpq(3, 2), -phi * phi / 16)
    return reach * _arcsine_ratio(reach * reach * phi * phi / 4)


def _arcsine_ratio(square: arb_series) -> arb_series:
    """arcsin(x)/x by x², analytic for x² < 1: ₂F₁(½, ½; 3/2; x²)."""
    half, factor, coefficients = arb(fmpq(1, 2)), arb(1), []
    for m in range(square.prec):
        coefficients.append(factor * square[0].hypgeom_2f1(half + m, half + m, half + 1 + m))
        factor *= (half + m) ** 2 / ((half + 1 + m) * (m + 1))
    return arb_series(coefficients, square.prec)(
        arb_series([arb(0), *square.coeffs()[1:]], square.prec)
    )


def _between(phi: arb, p: arb, eps: arb) -> arb:
    """e·p with p = ε/φ, less a term that is not negative, εpH/(1 − ε)."""
    series = arb_series([phi], 1)
    angle = ((series / 2).sin() * _ratio(eps)).asin()
    c = angle.cos()
    return (
        c * c * ((1 + eps) * share_series(series) - 2 * p)
        - 2 * p * c * sine_defect_series(angle) / arb.pi()
    )[0]


def _beside(angle: arb, a: arb, eps: arb) -> arb:
    """e·ε/c² with a = ε/c."""
    s, pi = angle.sin(), arb.pi()
    phi = 2 * (s / _ratio(eps)).asin()
    H = phi * share_series(arb_series([phi], 1))[0]
    return (1 + eps) * H - 2 * eps * (1 - angle / pi) + a * a * H / (1 - eps) - 2 * a * s / pi


def _near_symmetric(z: arb_series, eps: arb) -> arb_series:
    """e/ε at cos ψ = zε."""
    angle = (z * eps).acos()
    phi = (1 - (1 - eps) / (1 - 2 * eps) * (1 - z * z * eps * eps)).acos()
    H = phi * share_series(phi)
    pi = arb.pi()
    return (
        z * z * ((1 + eps) * H - 2 * eps * (1 - angle / pi))
        + H / (1 - eps)
        - 2 * z * angle.sin() / pi
    )


def _slope_at_symmetric(c: arb_series) -> arb_series:
    """q: the derivative of e in ψ at the symmetric point, where φ = π − ψ, by c = 1/(n − 1); 0 at c
    = 0.
    """
    pi = arb.pi()
    angle, phi = c.acos(), (-c).acos()
    s = angle.sin()
    H = (s + phi * c) / (pi * (1 + c))
    rate = 2 * c * (phi - s) / (pi * s * (1 + c))
    return (
        c * (2 + 2 * c) * rate
        + 2 * c * c / pi
        - 2 * s * ((1 + 2 * c) * H - 2 * c * (1 - angle / pi))
        - 2 * (2 * c * c - 1) / pi
    )


# --- the regions ----------------------------------------------------------------------------------


def _region_a(eps: arb) -> tuple[arb, arb, arb]:
    """θ of the outlier, ∂e/∂θ there, and τ."""
    pieces = 6
    for k in range(pieces):
        cell = over(fmpq(k * _OUTERMOST, pieces), fmpq((k + 1) * _OUTERMOST, pieces))
        require(
            _near_two_blocks(variable(cell), eps)[1] > 0,
            f"e may fall for θ in {cell}",
            UndecidedError,
        )
    # e is increasing there, so two signs enclose the zero
    low, high = arb(-_SCALED_ZERO), arb(_SCALED_ZERO)
    require(
        _stretched(low, eps) < 0 < _stretched(high, eps),
        "the outlier's angle is open",
        UndecidedError,
    )
    for _ in range(40):
        middle = (low + high) / 2
        value = _stretched(middle, eps)
        if value < 0:
            low = middle
        elif value > 0:
            high = middle
        else:
            break
    low, high = _tighten(low, middle, eps, below=True), _tighten(high, middle, eps, below=False)
    tau = low.union(high)
    theta = 3 * arb.pi() * (1 + tau * eps * eps) / (1 + eps)
    require(theta < _OUTERMOST, "the outlier's angle leaves region A", UndecidedError)
    return theta, _near_two_blocks(variable(theta), eps)[1], tau


def _tighten(outside: arb, inside: arb, eps: arb, *, below: bool) -> arb:
    """A bound of the zero closer to ``inside``, where the sign is open, than ``outside``, where it
    is certain.
    """
    for _ in range(12):
        middle = ((outside + inside) / 2).mid()
        value = _stretched(middle, eps)
        if (value < 0) if below else (value > 0):
            outside = middle
        else:
            inside = middle
    return outside


def _region_b(eps: arb) -> None:
    most = eps.upper()
    _positive(
        lambda phi, p: _between(phi, p, (p * phi).min(most)),
        (fmpq(0), fmpq(1)),
        (fmpq(0), fmpq(1, _OUTERMOST)),
    )
    _positive(
        lambda angle, a: _beside(angle, a, (a * angle.cos()).nonnegative_part().min(most)),
        (fmpq(1, 2), fmpq(101, 64)),
        (fmpq(0), fmpq(1, _INNERMOST)),
    )


def _positive(function: Callable[[arb, arb], arb], *rectangle: tuple[fmpq, fmpq]) -> None:
    """Show that ``function`` is positive on a ``rectangle``, halving its cells in turn."""
    waiting: list[tuple[Box, int]] = [(rectangle, 0)]
    while waiting:
        cell, depth = waiting.pop()
        try:
            clear = bool(function(*(over(*side) for side in cell)) > 0)
        except ValueError:  # a division by a ball around 0
            clear = False
        if not clear:
            across, along = (float(low) for low, _ in cell)
            require(
                depth < _DEEPEST, f"e may vanish near {across:.4g}, {along:.4g}", UndecidedError
            )
            waiting += [(half, depth + 1) for half in halves(cell, 1 - depth % 2)]


def _region_c(eps: arb) -> tuple[arb, arb]:
    """n(f_n′ − 1) at the separatrix, and its distance from the symmetric point."""
    pieces = 4
    least = None
    for k in range(pieces):
        cell = over(fmpq(k * _INNERMOST, pieces), fmpq((k + 1) * _INNERMOST, pieces))
        bend = 2 * _near_symmetric(variable(cell, 3), eps)[2]
        require(bend > 0, f"e may not be convex for z in {cell}", UndecidedError)
        least = bend if least is None else least.min(bend)
    centre = 1 / (1 - eps)
    c = eps / (1 - eps)
    # q(c)/c = q′(0) + c q″/2 at some point between
    bent = _slope_at_symmetric(variable(arb(0).union(c), 3))[2]
    steepness = _slope_at_symmetric(variable(arb(0)))[1] + c * bent
    require(steepness > 0, "the slope at the symmetric point is open", UndecidedError)
    fall = steepness / ((1 - eps) * (1 - c * c).sqrt())  # −(e/ε)′(z_s)/ε
    # the other zero lies 2·fall·ε/bend above z_s, for some value of the second derivative between
    # the two
    reach = 2 * fall / least
    span = centre + eps * arb(0).union(reach)
    require(span < _INNERMOST, "the separatrix leaves region C", UndecidedError)
    bend = 2 * _by_mean_value(lambda z: _near_symmetric(z, eps), span, 2)
    distance = 2 * fall / bend
    rise = fall * (bend / bend)  # (e/ε)′/ε at the separatrix; bends of two points
    return growth_at(centre + eps * distance, rise, eps), distance


def growth_at(z: arb, rise: arb, eps: arb) -> arb:
    """n(f_n′ − 1) at a fixed point with cos ψ = zε, where (e/ε)′ is ``rise`` times ε.

    Example:
        >>> growth_at(arb(2), arb(1), arb(fmpq(1, 100))) > fmpq(1, 3)
        True
    """
    sine = 1 - z * z * eps * eps
    phi = (1 - (1 - eps) / (1 - 2 * eps) * sine).acos()
    h = 1 - phi * share_series(arb_series([phi], 1))[0]
    return (1 - eps) * sine * rise / (2 * h * z)


def _by_mean_value(function: Callable[[arb_series], arb_series], cell: arb, order: int) -> arb:
    """The Taylor coefficient of that order on ``cell``, from the one at its middle and the next on
    all of it.
    """
    middle = cell.mid()
    step = (order + 1) * function(variable(cell, order + 2))[order + 1]
    return function(variable(middle, order + 1))[order] + step * (cell - middle)


def _spectrum(theta: arb, rate: arb, eps: arb) -> tuple[arb, arb, arb]:
    """n(1 − f_n′), n(1 − κ′/h) and n(1 − spectral radius of the 2 × 2 block) at the outlier."""
    pi = arb.pi()
    phi = theta * eps
    half, ratio = phi / 2, _ratio(eps)
    angle = (half.sin() * ratio).asin()
    share = share_series(arb_series([phi], 1))[0]
    h = 1 - phi * share
    slope = (1 - eps) * rate * theta * half.sinc() / (2 * h * half.cos())
    within = theta * (1 / pi - share) / h
    # Vieta: (1 − λ)(1 − λ′) = 1 − trace + determinant = (h − κ′)(h − 1 + 2σ_α/n + (σ_β/n) cos φ)/h²
    row_a, row_b = block_rows(phi, angle, eps)
    product = theta * (1 / pi - share) * (h - 1 + 2 * row_a + row_b * phi.cos()) / (h * h)
    trace, determinant = block_invariants(phi, angle, h, eps)
    discriminant = trace * trace / 4 - determinant
    require(discriminant > 0, "the block's eigenvalues may not be real", UndecidedError)
    smaller = trace / 2 - discriminant.sqrt()
    larger = trace / 2 + discriminant.sqrt()
    block = product / (1 - smaller)
    require(abs(smaller) < larger, "the order of the block's eigenvalues is open", UndecidedError)
    require(slope * eps < 1 and within * eps < 1, "an eigenvalue may be negative", UndecidedError)
    return slope, within, block
