"""Dual kernels: what an activation makes of correlated normals, in floats and in balls.

For standard normal x, y of correlation ρ and variances q, r,

    E φ(√q x) φ(√r y)   and, for q = r = 1 over its value at ρ = 1,   κ(ρ) = E φ(x)φ(y)/E φ(x)².

κ is the cosine of two samples after a wide layer whose pre-activations have variance 1 and cosine ρ
(Neal 1996). It is Σ c_k² ρ^k/Σ c_k², with Hermite coefficients c_k: `simulators.engines.mean_field.
hermite`.

In closed form: positively homogeneous functions by the arc-cosine kernel (Cho, Saul, NeurIPS 2009),
erf (Williams, NeurIPS 1997), GELU (Tsuchida et al., arXiv 2002.08517; derived anew below), sin,
cos, exp, the step, polynomials. With D = (1+q)(1+r) − c², c = ρ√(qr), Φ and p the normal law's
distribution and density, E Φ(√q x)Φ(√r y) = 1/4 + asin(c/√((1+q)(1+r)))/2π, and by Stein's identity
E[uΦ(u) vΦ(v)] = c E Φ(u)Φ(v) + (qr − qc²/(1+q) + c²/(1+r))/(2π√D).

All others by their Hermite expansion: tanh, the logistic function, softplus and SiLU in balls as
well, any other function in floats.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from array_api_compat import array_namespace
from flint import arb, ctx, fmpq
from numpy.typing import ArrayLike

from simulators.activations import ACTIVATIONS, ActivationFunction, activation_of
from simulators.arguments import kind_of, one_of, require, told, whole_number
from simulators.arrays import Floats
from simulators.catalogue import read_entry
from simulators.engines.mean_field.hermite import (
    LARGEST_DEGREE,
    Analytic,
    Expansion,
    Real,
    expansion,
    expansion_enclosure,
)
from simulators.engines.mean_field.recenter_relu import arc_cosine, arc_cosine_enclosure

__all__ = ["KERNELS", "DualKernel", "HomogeneousKernel", "kernel_map"]

Number: TypeAlias = Any
"""A float array or a ball: a formula below takes either."""
Written: TypeAlias = str | ActivationFunction | np.polynomial.Polynomial | Callable[..., Any]

_GUARD_BITS = 32
_DEGREES = (80, 160, 320)  # of expansions in balls


class DualKernel(ABC):
    """The dual kernel of one activation φ: κ of an array of cosines, when called.

    - ``name``: that of φ
    - ``unenclosed``: why there are no balls, in words; None where there are
    - ``closed``: whether there is a formula

    Example:
        >>> kappa = kernel_map("relu")
        >>> kappa([-1, 0, 1]).round(4).tolist(), kappa.derivative(1.0).round(4).tolist()
        ([0.0, 0.3183, 1.0], 1.0)
        >>> abs(kappa.ball(Fraction(1, 2)) - float(kappa(0.5))) < 1e-15
        True
    """

    name: str
    unenclosed: str | None = None
    closed: bool = True

    def __call__(self, cosine: ArrayLike) -> Floats:
        """κ(ρ) for ρ in [−1, 1], of the shape of ``cosine``.

        Exactly 1 at ρ = 1, and accurate to some 1e-15 absolutely; relatively as well at ρ = −1 for
        ReLU and the step, where κ falls to 0. Raises ``ValueError`` outside [−1, 1] and for NaN.
        """
        rho = _cosines(cosine)
        one = np.ones(())
        return np.asarray(self.covariance(one, one, rho) / self.covariance(one, one, one))

    def derivative(self, cosine: ArrayLike) -> Floats:
        """κ′(ρ) = E φ′(x)φ′(y)/E φ(x)², of the shape of ``cosine``; infinite where it is.

        Of φ without a closed form it is the derivative of the expansion up to what is negligible of
        κ. Raises as a call does.

        Example:
            >>> kernel_map("exp").derivative(1.0).tolist()
            1.0
        """
        one = np.ones(())
        return np.asarray(self._slope(_cosines(cosine)) / self.covariance(one, one, one))

    def hermite(self, count: int, variance: float = 1.0) -> Floats:
        """c_0 … c_{count−1} of φ(√q x), q = ``variance`` > 0: shape (count,), count ≤ 1025.

        Signed, not normalised: Σ c_k² = E φ(√q x)². Cost: 1664 values of φ.

        Args:
            count: how many coefficients, from 1 to 1025.
            variance: q, above 0.

        Example:
            >>> abs(kernel_map("identity").hermite(3)).round(12).tolist()
            [0.0, 1.0, 0.0]
        """
        count = whole_number("count", count, 1)
        require(
            count <= LARGEST_DEGREE + 1,
            f"count={count}: coefficients are reckoned up to degree {LARGEST_DEGREE}",
        )
        require(0 < variance < math.inf, f"variance={told(variance)}: want a number q > 0")
        found = expansion(self._values, np.array([float(variance)]), count - 1)
        return np.asarray(found.coefficients[0])

    def ball(self, cosine: int | Fraction | fmpq | arb, *, precision: int = 128) -> arb:
        """A ball that contains κ(ρ) for every ρ of ``cosine``, exact or a ball, in [−1, 1].

        What of a ball lies beyond [−1, 1] is cut off. Raises ``ValueError`` where there is no
        enclosure, with the reason, and for a cosine that is certainly outside; ``TypeError`` for a
        float.

        Args:
            cosine: ρ.
            precision: in bits.

        Example:
            >>> kernel_map("tanh").ball(Fraction(1, 2)).contains(0)
            False
        """
        with ctx.workprec(precision + _GUARD_BITS):
            one = arb(1)
            rho = _within(_exact_number(cosine))
            return self.covariance_ball(one, one, rho) / self.covariance_ball(one, one, one)

    def moments(self, covariance: Floats) -> Floats:
        """E φ(z) φ(z)ᵀ for z ~ N(0, K), K = ``covariance`` of shape (..., n, n); of that shape.

        Correlations beyond 1 by rounding are 1. Cost: n² values of the kernel each.

        Example:
            >>> kernel_map("relu").moments(np.eye(2)).round(4).tolist()
            [[0.5, 0.1592], [0.1592, 0.5]]
        """
        variances = np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1), 0.0)
        first, second = np.broadcast_arrays(variances[..., :, None], variances[..., None, :])
        scale = np.sqrt(first * second)
        inside = np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0)
        np.clip(inside, -1, 1, out=inside)
        places = np.arange(covariance.shape[-1])
        inside[..., places, places] = 1.0
        return self.covariance(first, second, inside)

    def moments_enclosure(self, covariance: Sequence[Sequence[arb]]) -> list[list[arb]]:
        """Balls that contain E φ(z) φ(z)ᵀ for every K of ``covariance``, n × n balls.

        At FLINT's precision of the moment. Raises ``ValueError`` where there is no enclosure, with
        the reason.

        Example:
            >>> kernel_map("identity").moments_enclosure([[arb(2)]])[0][0] == 2
            True
        """
        n = len(covariance)
        variances = [_not_negative(covariance[i][i]) for i in range(n)]
        found = [[arb(0)] * n for _ in range(n)]
        for i in range(n):
            found[i][i] = self.covariance_ball(variances[i], variances[i], arb(1))
            for j in range(i):
                scale = (variances[i] * variances[j]).sqrt()
                cosine = covariance[i][j] / scale if scale > 0 else arb(0, 1)
                value = self.covariance_ball(variances[i], variances[j], cosine)
                found[i][j] = found[j][i] = value
        return found

    @abstractmethod
    def covariance(self, first: Floats, second: Floats, cosine: Floats) -> Floats:
        """E φ(√q x)φ(√r y): ``first`` is q ≥ 0, ``second`` r ≥ 0, ``cosine`` ρ in [−1, 1].

        Arrays that broadcast; so is what comes back.
        """

    @abstractmethod
    def covariance_ball(self, first: arb, second: arb, cosine: arb) -> arb:
        """The same of balls, at FLINT's precision of the moment.

        ``cosine`` lies within [−1, 1] but for rounding, which is cut off. Raises ``ValueError``
        where there is no enclosure, with the reason.

        Args:
            first: q, the variance of one variable.
            second: r, that of the other.
            cosine: ρ, of both.
        """

    @abstractmethod
    def _slope(self, cosine: Floats) -> Floats:
        """E φ′(x)φ′(y) at variances 1."""

    @abstractmethod
    def _values(self, x: Floats) -> Floats:
        """φ of an array, of its shape."""

    def __repr__(self) -> str:
        return f"kernel_map({self.name!r})"


def kernel_map(activation: Written) -> DualKernel:
    """The dual kernel of an activation.

    ``activation`` is a name in `ACTIVATIONS`, with a number where it takes one, or in `KERNELS`; an
    `ActivationFunction`; a `numpy.polynomial.Polynomial`; or a function of arrays, as
    `simulators.activations.activation_of` takes it. A function of your own has no balls, whatever
    its values at points are: they tell neither that it is homogeneous nor how it grows off the real
    line.

    Raises ``TypeError`` for anything else, ``ValueError`` for a name that is not known, a function
    that is no activation, and one that is 0 everywhere or has no finite square mean.

    Example:
        >>> kernel_map("erf")(0.0).tolist(), kernel_map(np.polynomial.Polynomial([0, 0, 1]))(0.5)
        (0.0, array(0.5))
        >>> kernel_map(lambda x: x * np.exp(-x)).unenclosed
        'nothing is known of <lambda> off the real line, by which a remainder could be bounded'
    """
    if isinstance(activation, str):
        if activation in KERNELS and activation not in ACTIVATIONS:
            return KERNELS[activation]
        if "(" not in activation:
            one_of("activation", activation, dict.fromkeys([*ACTIVATIONS, *KERNELS]))
        return _of_entry(read_entry(ACTIVATIONS, activation))
    if isinstance(activation, ActivationFunction):
        return _of_entry(activation)
    if isinstance(activation, np.polynomial.Polynomial):
        return _Polynomial.of(activation)
    if not callable(activation):
        raise TypeError(
            f"activation={told(activation)} is {kind_of(activation)}; give a name, a Polynomial, "
            "or a function of arrays"
        )
    return _of_entry(activation_of(activation))


def _of_entry(entry: ActivationFunction) -> DualKernel:
    def function(x: Floats) -> Floats:
        rows = np.atleast_2d(np.array(x))  # a copy, which the function may overwrite
        return np.asarray(entry.function(rows, array_namespace(rows))).reshape(np.shape(x))

    if entry.homogeneous:
        up, down = (float(function(np.array(x))) for x in (1.0, -1.0))
        require(up or down, f"activation {entry.name} is 0 everywhere, so κ has no value")
        tried = f"that {entry.name} is homogeneous is known at points alone"
        return HomogeneousKernel(entry.name, up, down, None if _is_ours(entry) else tried)
    return KERNELS[entry.name] if _is_ours(entry) else _Expanded(entry.name, function)


def _is_ours(entry: ActivationFunction) -> bool:
    """Whether it is an activation of this package, of which more is known than values at points."""
    known = ACTIVATIONS.get(entry.name.partition("(")[0])
    if known is None or known.function.__module__ != activation_of.__module__:
        return False
    return getattr(entry.function, "func", entry.function) is known.function


def _cosines(cosine: ArrayLike) -> Floats:
    try:
        rho = np.asarray(cosine, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"cosine={told(cosine)} is no real number or array of them") from None
    if not (abs(rho) <= 1).all():
        raise ValueError(f"cosine ranges over [{rho.min()}, {rho.max()}]; want numbers in [-1, 1]")
    return rho


def _exact_number(value: object) -> arb:
    if isinstance(value, Fraction):
        return arb(fmpq(value.numerator, value.denominator))
    if isinstance(value, bool) or not isinstance(value, int | fmpq | arb):
        raise TypeError(
            f"cosine={told(value)} is {kind_of(value)}; give int, Fraction, fmpq or arb "
            "(Fraction(x) takes a float at its exact value)"
        )
    return arb(value)


def _not_negative(variance: arb) -> arb:
    """The part of a ball that may be a variance."""
    return variance if variance >= 0 else variance.nonnegative_part()


def _within(cosine: arb) -> arb:
    """The part of a ball in [−1, 1]."""
    if not cosine.is_finite() or cosine > 1 or cosine < -1:
        raise ValueError(f"cosine {cosine} does not meet [-1, 1]")
    if abs(cosine) <= 1:
        return cosine
    return cosine.lower().max(arb(-1)).union(cosine.upper().min(arb(1)))


# --- closed forms ---------------------------------------------------------------------------------


class _FloatFunctions:
    """The functions of the formulas below, of float arrays."""

    pi = math.pi
    sqrt, exp = staticmethod(np.sqrt), staticmethod(np.exp)
    arc_cosine = staticmethod(arc_cosine)

    @staticmethod
    def arcsin(x: Floats) -> Floats:
        return np.asarray(np.arcsin(np.clip(x, -1, 1)))

    @staticmethod
    def damped_sinh(x: Floats, least: Floats) -> Floats:
        """e^−least sinh x, |x| ≤ least, which neither overflows nor cancels."""
        return np.asarray(-np.sign(x) * np.exp(abs(x) - least) * np.expm1(-2 * abs(x)) / 2)

    @staticmethod
    def orthant(rho: Floats) -> Floats:
        """P[x > 0, y > 0], which keeps its relative accuracy at ρ = −1."""
        low = np.arcsin(np.sqrt((1 + rho) / 2)) / math.pi
        return np.asarray(np.where(rho < 0, low, 0.25 + np.arcsin(rho) / (2 * math.pi)))


class _BallFunctions:
    """The same functions, of balls."""

    @property
    def pi(self) -> arb:
        return arb.pi()

    @staticmethod
    def sqrt(x: arb) -> arb:
        return _not_negative(x).sqrt()

    @staticmethod
    def exp(x: arb) -> arb:
        return x.exp()

    @staticmethod
    def arcsin(x: arb) -> arb:
        inside = _within(x)
        return inside.lower().max(arb(-1)).asin().union(inside.upper().min(arb(1)).asin())

    @staticmethod
    def arc_cosine(x: arb) -> arb:
        return arc_cosine_enclosure(x)

    @staticmethod
    def damped_sinh(x: arb, least: arb) -> arb:
        return (-least).exp() * x.sinh()

    def orthant(self, rho: arb) -> arb:
        return arb(1) / 4 + self.arcsin(rho) / (2 * arb.pi())


_FLOATS, _BALLS = _FloatFunctions(), _BallFunctions()


@dataclass(frozen=True, repr=False)
class HomogeneousKernel(DualKernel):
    """The dual kernel of φ(x) = ``up``·max(x, 0) + ``down``·max(−x, 0): every φ with φ(sx) = sφ(x)
    for s > 0.

    Example:
        >>> HomogeneousKernel("leaky", 1.0, -0.1)(0.0).round(4).tolist()
        0.2553
    """

    name: str
    up: float
    down: float
    unenclosed: str | None = None

    @property
    def linear(self) -> bool:
        """Whether φ is linear.

        It is where both halves have one slope.
        """
        return self.up == -self.down

    @property
    def steepest(self) -> float:
        """The least L with |φ(x)| ≤ L|x|.

        The larger of |φ(1)| and |φ(−1)|.
        """
        return max(abs(self.up), abs(self.down))

    def covariance(self, first: Floats, second: Floats, cosine: Floats) -> Floats:
        form = _homogeneous(_FLOATS, self.up, self.down, cosine)
        return np.asarray(np.sqrt(first * second) * form)

    def covariance_ball(self, first: arb, second: arb, cosine: arb) -> arb:
        if self.unenclosed is not None:
            raise ValueError(f"no enclosure of the dual kernel: {self.unenclosed}")
        form = _homogeneous(_BALLS, arb(self.up), arb(self.down), _within(cosine))
        return _BALLS.sqrt(first * second) * form

    def _slope(self, cosine: Floats) -> Floats:
        same, crossed = self.up**2 + self.down**2, 2 * self.up * self.down
        return same * _FLOATS.orthant(cosine) - crossed * _FLOATS.orthant(-cosine)

    def _values(self, x: Floats) -> Floats:
        return np.asarray(self.up * np.maximum(x, 0) + self.down * np.maximum(-x, 0))


def _homogeneous(m: Functions, up: Number, down: Number, rho: Number) -> Number:
    if up == -down:
        return up * up * rho  # the arc cosines would widen a ball near ±1
    even, crossed = (up * up + down * down) / 2, up * down
    found = even * m.arc_cosine(rho)
    return found if crossed == 0 else found + crossed * m.arc_cosine(-rho)


@dataclass(frozen=True, repr=False)
class _Closed(DualKernel):
    """φ with a formula of E φ(√q x)φ(√r y) in q, r, c = ρ√(qr), ρ, and one of E φ′(x)φ′(y) in ρ."""

    name: str
    function: Real
    form: Callable[[Functions, Number, Number, Number, Number], Number]
    slope: Callable[[Floats], Floats]

    def covariance(self, first: Floats, second: Floats, cosine: Floats) -> Floats:
        product = cosine * np.sqrt(first * second)
        return np.asarray(self.form(_FLOATS, first, second, product, cosine))

    def covariance_ball(self, first: arb, second: arb, cosine: arb) -> arb:
        cosine = _within(cosine)
        return self.form(_BALLS, first, second, cosine * _BALLS.sqrt(first * second), cosine)

    def _slope(self, cosine: Floats) -> Floats:
        return self.slope(cosine)

    def _values(self, x: Floats) -> Floats:
        return self.function(x)


def _erf(x: Floats) -> Floats:
    from scipy.special import erf  # a tenth of a second, which most runs are spared

    return np.asarray(erf(x))


def _erf_form(m: Functions, q: Number, r: Number, c: Number, rho: Number) -> Number:
    return 2 / m.pi * m.arcsin(2 * c / m.sqrt((1 + 2 * q) * (1 + 2 * r)))


def _gelu_form(m: Functions, q: Number, r: Number, c: Number, rho: Number) -> Number:
    product = (1 + q) * (1 + r)
    both = 1 / (4 + 0 * c) + m.arcsin(c / m.sqrt(product)) / (2 * m.pi)
    rest = q * r - q * c * c / (1 + q) + c * c / (1 + r)
    return c * both + rest / (2 * m.pi * m.sqrt(product - c * c))


def _gelu_slope(rho: Floats) -> Floats:
    determinant = 4 - rho * rho
    density = 1 / (2 * math.pi * np.sqrt(determinant))
    return np.asarray(
        0.25 + np.arcsin(rho / 2) / (2 * math.pi) + density * (rho + rho / determinant)
    )


def _step_slope(rho: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(1 / (2 * math.pi * np.sqrt((1 - rho) * (1 + rho))))


@dataclass(frozen=True, repr=False)
class _Polynomial(DualKernel):
    """φ(x) = Σ_m a_m x^m, by its Hermite coefficients, which are exact."""

    name: str
    powers: tuple[float, ...]

    @staticmethod
    def of(polynomial: np.polynomial.Polynomial) -> _Polynomial:
        """Raises ``ValueError`` for one that is 0 or not finite."""
        powers = np.asarray(polynomial.convert().coef)
        require(
            powers.dtype.kind in "fiu" and np.isfinite(powers).all() and powers.any(),
            f"activation={told(polynomial)}: want real coefficients, finite and not all 0",
        )
        return _Polynomial(str(polynomial), tuple(map(float, powers)))

    def _coefficients(self, root: Number, zero: Number) -> list[Number]:
        """c_k √k! of φ(√q x): x^m = Σ_j m!/(2^j j! (m − 2j)!) He_{m−2j}."""
        found = [zero] * len(self.powers)
        for m, j in _pairs(len(self.powers)):
            share = math.factorial(m) // (2**j * math.factorial(j) * math.factorial(m - 2 * j))
            found[m - 2 * j] = found[m - 2 * j] + share * (root**m * self.powers[m])
        return found

    def _sum(self, left: Sequence[Number], right: Sequence[Number], rho: Number) -> Number:
        total = left[-1] * right[-1] * 0
        for k in reversed(range(len(left))):
            total = total * rho * (k + 1) + left[k] * right[k]
        return total

    def covariance(self, first: Floats, second: Floats, cosine: Floats) -> Floats:
        left, right = (self._coefficients(np.sqrt(q), np.zeros(())) for q in (first, second))
        return np.asarray(self._sum(left, right, cosine))

    def covariance_ball(self, first: arb, second: arb, cosine: arb) -> arb:
        left, right = (self._coefficients(_BALLS.sqrt(q), arb(0)) for q in (first, second))
        return self._sum(left, right, _within(cosine))

    def _slope(self, cosine: Floats) -> Floats:
        derivative = np.polynomial.Polynomial(self.powers).deriv()
        if not derivative.coef.any():
            return np.zeros(np.shape(cosine))
        one = np.ones(())
        return _Polynomial.of(derivative).covariance(one, one, cosine)

    def _values(self, x: Floats) -> Floats:
        return np.asarray(np.polynomial.Polynomial(self.powers)(x))


def _pairs(count: int) -> Iterator[tuple[int, int]]:
    """m < count and j ≤ m/2."""
    for m in range(count):
        for j in range(m // 2 + 1):
            yield m, j


# --- expansions -----------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class _Expanded(DualKernel):
    """φ by its Hermite expansion; in balls where ``analytic`` says what they need."""

    name: str
    function: Real
    analytic: Analytic | None = None
    closed = False

    def __post_init__(self) -> None:
        one = np.ones(())
        require(
            self.covariance(one, one, one) > 0,
            f"activation {self.name} is 0 wherever it was looked at, so κ has no value",
        )

    @property
    def unenclosed(self) -> str | None:  # type: ignore[override]
        if self.analytic is not None:
            return None
        return (
            f"nothing is known of {self.name} off the real line, by which a remainder could be "
            "bounded"
        )

    def covariance(self, first: Floats, second: Floats, cosine: Floats) -> Floats:
        first, second, cosine = np.broadcast_arrays(first, second, cosine)
        variances, places = np.unique(np.stack([first, second]), return_inverse=True)
        found = self._expansion(tuple(variances.tolist()))
        left, right = places.reshape(2, *cosine.shape)
        remainder = np.sqrt(found.remainder)
        # what is left out has at ρ = 1 its true value, and elsewhere a smaller one
        total = remainder[left] * remainder[right]
        for k in reversed(range(found.coefficients.shape[1])):
            total = total * cosine + found.coefficients[left, k] * found.coefficients[right, k]
        return np.asarray(total)

    def _expansion(self, variances: tuple[float, ...]) -> Expansion:
        try:
            return expansion(self._values, np.array(variances))
        except ValueError as error:
            raise ValueError(f"activation {self.name}: {error}") from None

    def covariance_ball(self, first: arb, second: arb, cosine: arb) -> arb:
        if self.analytic is None:
            raise ValueError(f"no enclosure of the dual kernel: {self.unenclosed}")
        cosine, precision = _within(cosine), int(ctx.prec)
        left, right = (
            _enclosed(self.analytic, _Key.of(variance), precision) for variance in (first, second)
        )
        size = min(len(left.coefficients), len(right.coefficients))
        total, rest = arb(0), arb(0)
        for one, other in zip(
            reversed(left.coefficients[:size]), reversed(right.coefficients[:size]), strict=True
        ):
            total = total * cosine + one * other
        if not cosine.is_zero():
            both = left.remainder(size) * right.remainder(size)
            rest = both.sqrt() * cosine.abs_upper() ** size
        return total + arb(0, rest.abs_upper())

    def _slope(self, cosine: Floats) -> Floats:
        found = self._expansion((1.0,)).coefficients[0] ** 2
        total = np.zeros(np.shape(cosine))
        for k in reversed(range(1, len(found))):
            total = total * cosine + k * found[k]
        return total

    def _values(self, x: Floats) -> Floats:
        return np.asarray(self.function(x), dtype=np.float64)


@dataclass(frozen=True)
class _Key:
    """A ball by its midpoint and radius, so that equal balls are found again."""

    middle: tuple[int, int]
    radius: tuple[int, int]

    @staticmethod
    def of(ball: arb) -> _Key:
        (m, e), (rm, re) = ball.mid().man_exp(), ball.rad().man_exp()
        return _Key((int(m), int(e)), (int(rm), int(re)))

    @property
    def ball(self) -> arb:
        middle, radius = (arb((m, e)) for m, e in (self.middle, self.radius))
        return arb(middle, radius)


@dataclass(frozen=True)
class _EnclosedExpansion:
    """c_0 … c_K, and E φ²."""

    coefficients: list[arb]
    square: arb

    def remainder(self, size: int) -> arb:
        """An upper bound of what the first ``size`` coefficients leave out of E φ²."""
        left = self.square - sum((c * c for c in self.coefficients[:size]), arb(0))
        return left.abs_upper() if not left < 0 else arb(0)


@lru_cache(maxsize=1024)
def _enclosed(analytic: Analytic, variance: _Key, precision: int) -> _EnclosedExpansion:
    """Up to the first of `_DEGREES` that leaves nothing to speak of."""
    for degree in _DEGREES:
        found = _EnclosedExpansion(*expansion_enclosure(analytic, variance.ball, degree, precision))
        if found.remainder(degree + 1) <= found.square.abs_lower() * arb(2) ** -precision:
            break
    return found


def _tanh_bound(height: arb) -> tuple[arb, arb]:
    """|tanh(x + iy)|² = (sinh²x + sin²y)/(sinh²x + cos²y) is at most the larger of 1 and tan²y."""
    return arb(1).max(height.tan()), arb(0)


def _logistic_bound(height: arb) -> tuple[arb, arb]:
    """1/(1 + e^−z) = (1 + tanh(z/2))/2."""
    return (1 + _tanh_bound(height / 2)[0]) / 2, arb(0)


def _softplus_bound(height: arb) -> tuple[arb, arb]:
    """Its derivative is the logistic function; on the line it is at most |x| + log 2."""
    return arb(2).log() + height * _logistic_bound(height)[0], arb(1)


def _silu_bound(height: arb) -> tuple[arb, arb]:
    """|z| times the logistic function."""
    logistic, _ = _logistic_bound(height)
    return height * logistic, logistic


def _logistic(x: arb) -> arb:
    return (1 + (x / 2).tanh()) / 2


def _softplus(x: arb) -> arb:
    """log(1 + e^x); off the line it is analytic for |Im z| < π, where 1 + e^z meets no cut."""
    return x.exp().log1p()


Functions: TypeAlias = _FloatFunctions | _BallFunctions

KERNELS: Mapping[str, DualKernel] = {
    kernel.name: kernel
    for kernel in (
        HomogeneousKernel("identity", 1.0, -1.0),
        HomogeneousKernel("relu", 1.0, 0.0),
        HomogeneousKernel("abs", 1.0, 1.0),
        _Closed("erf", _erf, _erf_form, lambda rho: 4 / (math.pi * np.sqrt(9 - 4 * rho * rho))),
        _Closed(
            "sin",
            np.sin,
            lambda m, q, r, c, rho: m.damped_sinh(c, (q + r) / 2),
            lambda rho: (np.exp(rho - 1) + np.exp(-rho - 1)) / 2,
        ),
        _Closed(
            "cos",
            np.cos,
            lambda m, q, r, c, rho: (m.exp(c - (q + r) / 2) + m.exp(-c - (q + r) / 2)) / 2,
            lambda rho: _FLOATS.damped_sinh(rho, np.ones(())),
        ),
        _Closed(
            "exp",
            np.exp,
            lambda m, q, r, c, rho: m.exp(c + (q + r) / 2),
            lambda rho: np.exp(1 + rho),
        ),
        _Closed(
            "step",
            lambda x: (x > 0).astype(np.float64),
            lambda m, q, r, c, rho: m.orthant(rho) + 0 * c,
            _step_slope,
        ),
        _Closed("gelu", lambda x: x * (1 + _erf(x / math.sqrt(2))) / 2, _gelu_form, _gelu_slope),
        _Expanded("tanh", np.tanh, Analytic(arb.tanh, math.pi / 2, _tanh_bound)),
        _Expanded(
            "sigmoid",
            lambda x: (1 + np.tanh(x / 2)) / 2,
            Analytic(_logistic, math.pi, _logistic_bound),
        ),
        _Expanded(
            "softplus",
            lambda x: np.logaddexp(0, x),
            Analytic(_softplus, math.pi, _softplus_bound),
        ),
        _Expanded(
            "silu",
            lambda x: x * (1 + np.tanh(x / 2)) / 2,
            Analytic(lambda x: x * _logistic(x), math.pi, _silu_bound),
        ),
    )
}
"""The kernels that are known by name: in closed form, or in balls by their expansion."""
