"""Factors of batch normalisation with an activation, enclosed in balls.

- ``relu_factor``: the closed form for ReLU, at a batch size or over an interval of 1/n, as a power
  series in 1/n; ``relu_by_integrals``: the same from integrals over the angle
- ``leaky_factor``, ``leaky_by_integrals``: the same for leaky ReLUs; ``leaky_parts``: what theirs are
  means of
- ``smooth_factor``: for an analytic activation, at a batch size; ``polynomial_factor``: the same
  for a polynomial by its weights on harmonics
- ``residual_factor``: after a residual sum
- ``gaussian_factor``: E φ′²/Var φ, for an infinite batch

An entry of a normalised row is √(n-1) v, v a coordinate of a uniform point of the unit sphere of
R^(n-1), and two of them have the angle arccos(-1/(n-1)). Means of products f(v_1) f(v_2) are
Σ_k a_k² P_k(-1/(n-1)), a_k² the weight of f on harmonics of degree k, P_k Gegenbauer's polynomials
with P_k(1) = 1: what a sum up to K leaves out is at most what it leaves out of E f(v)².
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from math import comb

from flint import acb, arb, arb_series, ctx, fmpq

from theorems.checking.root_isolation import UndecidedError

__all__ = [
    "SMOOTH",
    "Smooth",
    "gaussian_factor",
    "leaky_by_integrals",
    "leaky_factor",
    "leaky_parts",
    "over",
    "polynomial_factor",
    "relu_by_integrals",
    "relu_factor",
    "residual_factor",
    "slope_means",
    "smooth_factor",
    "tanh_means",
]

Function = Callable[[acb], acb]
#: Harmonics are taken up to this degree, and what they leave out is enclosed.
DEGREES = 48
#: ... or until they leave out less than this; precision in bits.
_LEFT, _PRECISION = 1e-14, 64
#: The real line is cut there: what is beyond is below 1e-50 for functions that grow no faster
#: than z, and for exp.
_CUT = 18


# --- ReLU -----------------------------------------------------------------------------------------


def relu_factor(reciprocal: arb_series) -> arb_series:
    """The closed form nT/((n-3)(n-1)κ), as a power series in 1/n around ``reciprocal``.

    Args:
        reciprocal: the variable 1/n, its middle a ball within [0, 1/4]; 0 stands for n → ∞.

    Returns:
        The factor with as many derivatives as the variable has.

    Example:
        >>> float(relu_factor(arb_series([arb(1) / 8], 1))[0].mid())
        1.788189...
    """
    x, pi = reciprocal, arb.pi()
    rho = -x / (1 - x)
    angle = rho.asin()  # arccos ρ = π/2 - angle
    j = (1 - rho * rho).sqrt() + rho * (angle + pi / 2)
    kappa = arb(1) / 2 - j / (2 * pi)
    both = arb(1) / 4 + angle / (2 * pi)
    # nT/n²
    above = (1 - x) ** 2 / 2 + x * (1 - x) * (both + j / (2 * pi)) - (x - x * x) / 2
    return above / ((1 - x) * (1 - 3 * x) * kappa)


def leaky_parts(reciprocal: arb_series) -> tuple[arb_series, arb_series, arb_series]:
    """What the factor of every leaky ReLU is a mean of: that of the absolute value, that of no
    activation, and the weight of the former, whose counterpart is n/(n-1).

    - ``reciprocal``: as of `relu_factor`

    Example:
        >>> absolute, linear, weight = leaky_parts(arb_series([arb(1) / 8], 1))
        >>> round(float(absolute[0].mid()), 5), float(linear[0].mid())
        (3.67182, 1.2)
    """
    x, pi = reciprocal, arb.pi()
    rho = -x / (1 - x)
    own = 1 / (1 - x)  # E x² - E xy
    # 4κ of ReLU is the sum of both
    weight = 2 - 2 * ((1 - rho * rho).sqrt() + rho * (rho.asin() + pi / 2)) / pi - own
    linear = (1 - 2 * x) / (1 - 3 * x)
    return (relu_factor(x) * (own + weight) - own * linear) / weight, linear, weight


def leaky_factor(size: int, slope: Fraction) -> arb:
    """The factor at a batch size ≥ 4 of the leaky ReLU with ``slope`` below 0, in closed form.

    Example:
        >>> round(float(leaky_factor(8, Fraction(0)).mid()), 5)
        1.78819
    """
    absolute, linear, weight = (each[0] for each in leaky_parts(arb_series([arb(1) / size], 1)))
    a = arb(fmpq(slope.numerator, slope.denominator))
    even, odd = (1 - a) ** 2 * weight, (1 + a) ** 2 * size / arb(size - 1)
    return (even * absolute + odd * linear) / (even + odd)


def leaky_by_integrals(size: int, slope: Fraction) -> arb:
    """The same from integrals over the angle of two entries, arc by arc of their signs.

    Example:
        >>> abs(leaky_by_integrals(8, Fraction(1)) - fmpq(6, 5)) < 1e-12
        True
    """
    n, a = arb(size), arb(fmpq(slope.numerator, slope.denominator))
    apart, quarter = (-1 / (n - 1)).acos(), arb.pi() / 2
    # the signs of cos θ and cos(θ - apart) between these angles, quarter < apart < 2 quarter
    angles = (-quarter, apart - quarter, quarter, apart + quarter, 3 * quarter)
    slopes = ((arb(1), a), (arb(1), arb(1)), (a, arb(1)), (a, a))
    whole = 2 * arb.pi()

    def product(theta: acb, _: bool) -> acb:
        return theta.cos() * (theta - apart).cos()

    def square(theta: acb, _: bool) -> acb:
        return theta.cos() ** 2

    both = single = products = squares = arb(0)
    for low, high, (first, second) in zip(angles[:-1], angles[1:], slopes, strict=True):
        both += first * second * (high - low) / whole
        single += first**2 * (high - low) / whole
        # the squared length of two entries is 2(n-1)/(n-1) on average, as all n have n
        products += first * second * 2 * acb.integral(product, acb(low), acb(high)).real / whole
        squares += first**2 * 2 * acb.integral(square, acb(low), acb(high)).real / whole
    return _factor(size, _Moments(single, both, squares, products, squares, products))


def relu_by_integrals(size: int) -> arb:
    """The factor for ReLU at a batch size ≥ 4, from integrals over the angle of two entries."""
    return leaky_by_integrals(size, Fraction(0))


# --- any activation -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Moments:
    """Means over entries x, y of a normalised row, d and e the derivatives of φ there: E d², E de,
    E x²d², E xyde, E φ(x)², E φ(x)φ(y).
    """

    slope: arb
    slopes: arb
    weighted: arb
    products: arb
    square: arb
    pair: arb


def _factor(size: int, means: _Moments) -> arb:
    """n/((n-3)(n-1)κ) E tr[D C D (C - uuᵀ)], by its entries."""
    n = arb(size)
    kappa = means.square - means.pair
    trace = (n - 2 + 1 / n) * means.slope + (n - 1) / n * (
        means.slopes - means.weighted + means.products
    )
    return n * trace / ((n - 3) * (n - 1) * kappa)


@dataclass(frozen=True)
class Smooth:
    """An activation that is analytic near the real line, with its derivative; is it odd?

    Example:
        >>> SMOOTH["sin"].name
        'sin'
    """

    name: str
    function: Function
    derivative: Function
    odd: bool = True


def _tanh_slope(z: acb) -> acb:
    return 1 / z.cosh() ** 2


def _erf_slope(z: acb) -> acb:
    return 2 * (-z * z).exp() / acb.pi().sqrt()


#: Activations that are enclosed, by name.
SMOOTH = {
    each.name: each
    for each in (
        Smooth("identity", lambda z: z, lambda z: acb(1)),
        Smooth("tanh", lambda z: z.tanh(), _tanh_slope),
        Smooth("sin", lambda z: z.sin(), lambda z: z.cos()),
        Smooth("erf", lambda z: z.erf(), _erf_slope),
        Smooth("z^2 + z^3", lambda z: z**2 + z**3, lambda z: 2 * z + 3 * z**2, odd=False),
        Smooth("exp", lambda z: z.exp(), lambda z: z.exp(), odd=False),
    )
}


@lru_cache(maxsize=64)
def smooth_factor(name: str, size: int) -> arb:
    """The factor for an activation of `SMOOTH` at a batch size ≥ 4.

    Cost: some hundred integrals, a second or less.

    Example:
        >>> abs(smooth_factor("identity", 8) - fmpq(6, 5)) < 1e-12
        True
    """
    phi = SMOOTH[name]
    scale = arb(size - 1).sqrt()

    def activation(v: acb) -> acb:
        return phi.function(scale * v)

    def slope(v: acb) -> acb:
        return phi.derivative(scale * v)

    def weighted(v: acb) -> acb:
        return scale * v * phi.derivative(scale * v)

    odd, even = (1, 0) if phi.odd else (None, None)
    with ctx.workprec(_PRECISION):
        square, pair = _pair(activation, size, odd)
        one, both = _pair(slope, size, even)
        heavy, products = _pair(weighted, size, odd)
        return _factor(size, _Moments(one, both, heavy, products, square, pair))


def polynomial_factor(name: str, degree: int, size: int) -> arb:
    """The factor Σ k(k+n-3) m_k/((n-3) Σ m_k) of a polynomial of `SMOOTH`, by degrees.

    Args:
        name: of the polynomial.
        degree: its degree, or more.
        size: the batch size n ≥ 4.

    Example:
        >>> abs(polynomial_factor("identity", 1, 8) - fmpq(6, 5)) < 1e-12
        True
    """
    space, scale = size - 1, arb(size - 1).sqrt()
    above, below = arb(0), arb(0)

    def activation(v: acb) -> acb:
        return SMOOTH[name].function(scale * v)

    for k in range(1, degree + 1):
        mean = _sphere_mean(partial(_weighed, activation, k, space), space)
        kept = 1 - _gegenbauer(k, space, acb(fmpq(-1, space))).real
        weight = mean * mean * _harmonics(k, space) * kept
        above += k * (k + size - 3) * weight
        below += weight
    return above / ((size - 3) * below)


def _pair(function: Function, size: int, parity: int | None) -> tuple[arb, arb]:
    """E f(v_1)² and E f(v_1) f(v_2); ``parity`` 0 of an even and 1 of an odd function."""
    space = size - 1
    square = _sphere_mean(lambda v: function(v) ** 2, space)
    cosine = arb(fmpq(-1, space))
    left, total = square, arb(0)
    for degree in range(DEGREES):
        if parity is not None and degree % 2 != parity:
            continue
        mean = _sphere_mean(partial(_weighed, function, degree, space), space)
        weight = mean * mean * _harmonics(degree, space)
        left = left - weight
        total += weight * _gegenbauer(degree, space, acb(cosine)).real
        if left < _LEFT:
            break
    # |P_k| ≤ 1: what is left changes the sum by no more
    rest = left.abs_upper()
    return square, total + rest.union(-rest)


def _weighed(function: Function, degree: int, space: int, v: acb) -> acb:
    return function(v) * _gegenbauer(degree, space, v)


def _sphere_mean(function: Function, space: int) -> arb:
    """E f(v), v a coordinate of a uniform point of the unit sphere of R^space: v = sin τ."""
    quarter = acb.pi() / 2

    def integrand(tau: acb, _: bool) -> acb:
        return function(tau.sin()) * tau.cos() ** (space - 2)

    def mass(tau: acb, _: bool) -> acb:
        return tau.cos() ** (space - 2)

    above = acb.integral(integrand, -quarter, quarter).real
    return above / acb.integral(mass, -quarter, quarter).real


def _gegenbauer(degree: int, space: int, v: acb) -> acb:
    """Gegenbauer's polynomial of the sphere in R^space, 1 at v = 1."""
    before, now = acb(1), v
    if degree == 0:
        return before
    for k in range(1, degree):
        before, now = now, ((2 * k + space - 2) * v * now - k * before) / (k + space - 2)
    return now


def _harmonics(degree: int, space: int) -> int:
    """How many independent harmonics of a degree there are in R^space."""
    below = comb(degree + space - 3, space - 1) if degree >= 2 else 0
    return comb(degree + space - 1, space - 1) - below


# --- after a residual sum -------------------------------------------------------------------------


def residual_factor(size: int, strength: Fraction) -> arb:
    """½(1 + n(1 + 1/β) ∫₀¹ t^(n-3) exp(-n(1-t²)/2β) dt), of BN(H + γWH) with rows rescaled.

    Args:
        size: the batch size n ≥ 3.
        strength: β = γ²d > 0, the variance of the branch.

    Example:
        >>> float(residual_factor(8, Fraction(1)).mid())
        1.12271...
    """
    beta = arb(fmpq(strength.numerator, strength.denominator))

    def integrand(t: acb, _: bool) -> acb:
        return t ** (size - 3) * (size * (t * t - 1) / (2 * beta)).exp()

    found = acb.integral(integrand, acb(0), acb(1)).real
    return (1 + size * (1 + 1 / beta) * found) / 2


# --- infinite batch -------------------------------------------------------------------------------


def gaussian_factor(name: str) -> arb:
    """E φ′(z)²/Var φ(z) for z standard normal and an activation of `SMOOTH`.

    Example:
        >>> abs(gaussian_factor("identity") - 1) < 1e-12
        True
    """
    phi = SMOOTH[name]
    slope = _normal_mean(lambda z: phi.derivative(z) ** 2)
    mean = _normal_mean(phi.function)
    return slope / (_normal_mean(lambda z: phi.function(z) ** 2) - mean * mean)


def _normal_mean(function: Function) -> arb:
    """E f(z), for |f(z)| ≤ max(z², e^(2z), 4): up to 18, and beyond by e²P(z > 16) and its like."""

    def integrand(z: acb, _: bool) -> acb:
        return function(z) * (-z * z / 2).exp()

    inside = acb.integral(integrand, acb(-_CUT), acb(_CUT)).real / (2 * arb.pi()).sqrt()
    # E[e^(2z); z > c] = e² P(z > c - 2), which is more than E[z² + 4; |z| > c] for c = 18
    beyond = arb(2).exp() * (arb(_CUT - 2) / arb(2).sqrt()).erfc()
    if not beyond < 1e-50:
        raise UndecidedError("the real line is cut too early")
    return inside + arb(0, 1e-50)


def slope_means(length: arb, count: int) -> list[arb]:
    """E s, E s², … E s^count of s = sech²(√q z), z standard normal, q > 0 = ``length``.

    Cost: a millisecond or two for each.

    Example:
        >>> [round(float(mean.mid()), 4) for mean in slope_means(arb(1), 2)]
        [0.6057, 0.4644]
    """

    def mean(power: int, z: acb, _: bool) -> acb:
        slope = 1 / (scale * z).cosh() ** 2
        return slope**power * (-z * z / 2).exp()

    with ctx.workprec(_PRECISION):
        scale = length.sqrt()
        share = 2 / (2 * arb.pi()).sqrt()
        # beyond the cut lies less than 1e-50 of a function below 1
        return [
            share * acb.integral(partial(mean, power), acb(0), acb(_CUT)).real + arb(0, 1e-50)
            for power in range(1, count + 1)
        ]


def tanh_means(length: arb) -> tuple[arb, arb]:
    """E tanh²(√q z) and E sech⁴(√q z), z standard normal, q > 0 = ``length``.

    Cost: milliseconds.

    Example:
        >>> [round(float(mean.mid()), 4) for mean in tanh_means(arb(1))]
        [0.3943, 0.4644]
    """
    slope, square = slope_means(length, 2)
    return 1 - slope, square


def over(low: Fraction, high: Fraction, terms: int) -> arb_series:
    """The variable 1/n around a ball that holds [low, high], with so many terms."""
    ends = (arb(fmpq(end.numerator, end.denominator)) for end in (low, high))
    first, last = ends
    return arb_series([first.union(last), arb(1)], terms)
