"""Dual kernels: against integrals of other kinds, in balls, by simulation; and bad input."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from scipy.integrate import quad

from simulators.activations import ACTIVATIONS, activation
from simulators.chains import vanilla_chain
from simulators.engines.mean_field import DualKernel, kernel_map, kernels
from simulators.engines.mean_field.hermite import expansion_enclosure
from simulators.engines.mean_field.kernels import KERNELS
from simulators.simulate import simulate
from theorems.checking.confidence_sequence import BoundedMean

NAMES = sorted({*KERNELS, *ACTIVATIONS})
KINKED = {"relu": 1, "abs": 1, "step": 0}  # and the degree of homogeneity
CUBIC = np.polynomial.Polynomial([1.0, -2.0, 0.0, 0.5])
COSINES = [-1.0, -1 + 1e-9, -0.6, 0.0, 0.3, 0.95, 1 - 1e-12, 1.0]
VARIANCES = [(1.0, 1.0), (0.7, 2.0), (0.01, 1.5)]


def smooth(name: str) -> bool:
    return name not in KINKED and not ACTIVATIONS.get(name, ACTIVATIONS["tanh"]).homogeneous


def by_tensor_quadrature(kernel: DualKernel, q: float, r: float, rho: float, nodes: int) -> float:
    """Gauss–Hermite in both variables."""
    x, weights = np.polynomial.hermite_e.hermegauss(nodes)
    weights = weights / weights.sum()
    first = np.broadcast_to(math.sqrt(q) * x[:, None], (nodes, nodes))
    second = math.sqrt(r) * (rho * x[:, None] + math.sqrt(1 - rho * rho) * x[None, :])
    values = kernel._values(first) * kernel._values(second)
    return float(weights @ values @ weights)


def by_angle(kernel: DualKernel, degree: int, q: float, r: float, rho: float) -> float:
    """Of a homogeneous φ: in polar coordinates, one integral over the angle between its kinks."""
    apart = math.acos(rho)

    def integrand(angle: float) -> float:
        values = kernel._values(np.cos([angle, angle - apart]))
        return float(values[0] * values[1])

    kinks = sorted({(k + 0.5) * math.pi + a for k in range(-2, 4) for a in (0, apart)})
    ends = [-1.0, *(k for k in kinks if -1 < k < 2 * math.pi - 1), 2 * math.pi - 1]
    pieces = (quad(integrand, a, b, epsabs=1e-14)[0] for a, b in pairwise(ends))
    radial = 2**degree * math.factorial(degree)  # E r^(2·degree)
    return radial * (q * r) ** (degree / 2) * sum(pieces) / (2 * math.pi)


def tolerance(kernel: DualKernel, q: float, r: float) -> float:
    one = np.ones(())
    size = math.sqrt(
        float(kernel.covariance(one * q, one * q, one) * kernel.covariance(one * r, one * r, one))
    )
    return 100 * float(np.finfo(float).eps) * max(size, 1.0)


@pytest.mark.parametrize("rho", [-0.95, -0.6, 0.0, 0.3, 0.9])
@pytest.mark.parametrize(("q", "r"), VARIANCES)
@pytest.mark.parametrize("name", [*filter(smooth, NAMES), "cubic"])
def test_kernels_are_the_integrals_that_they_stand_for(name, q, r, rho):
    kernel = kernel_map(CUBIC) if name == "cubic" else kernel_map(name)
    found = float(kernel.covariance(np.array(q), np.array(r), np.array(rho)))
    fine, finer = (by_tensor_quadrature(kernel, q, r, rho, nodes) for nodes in (120, 170))
    assert abs(found - finer) <= 2 * abs(fine - finer) + tolerance(kernel, q, r)


@pytest.mark.parametrize("rho", [-0.95, -0.6, 0.0, 0.3, 0.9])
@pytest.mark.parametrize(("q", "r"), VARIANCES)
@pytest.mark.parametrize("name", sorted(KINKED))
def test_kernels_of_functions_with_a_kink_are_integrals_over_the_angle(name, q, r, rho):
    kernel = kernel_map(name)
    found = float(kernel.covariance(np.array(q), np.array(r), np.array(rho)))
    assert abs(found - by_angle(kernel, KINKED[name], q, r, rho)) <= tolerance(kernel, q, r)


@pytest.mark.parametrize("name", NAMES)
def test_kernels_and_their_derivatives_are_power_series_of_the_squares(name):
    """Where powers of ρ fall so fast that 400 terms leave nothing."""
    kernel = kernel_map(name)
    squares = kernel.hermite(400) ** 2
    total = float(kernel.covariance(*np.ones((3, 1))).item())
    powers = np.arange(400)
    for rho in (-0.5, 0.0, 0.7):
        assert abs(float(kernel(rho)) - (squares * rho**powers).sum() / total) < 1e-13
        series = (squares[1:] * powers[1:] * rho ** powers[:-1]).sum() / total
        assert abs(float(kernel.derivative(rho)) - series) < 1e-12


@pytest.mark.parametrize("rho", COSINES)
@pytest.mark.parametrize("name", sorted(KERNELS))
def test_floats_agree_with_balls_that_are_narrow(name, rho):
    kernel = kernel_map(name)
    with ctx.workprec(200):
        ball = kernel.ball(fmpq(*rho.as_integer_ratio()))
        assert float(ball.rad()) < (1e-15 if smooth(name) else 1e-30)
        assert abs(float((ball - float(kernel(rho))).mid())) < 4e-15
    assert float(kernel(1.0)) == 1


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_a_ball_of_cosines_covers_every_cosine_in_it(name):
    kernel = kernel_map(name)
    for middle in (-1.0, -0.2, 1.0):
        wide = kernel.ball(arb(middle, 0.125))
        for rho in (middle - 0.125, middle - 0.0625, middle, middle + 0.0625, middle + 0.125):
            if abs(rho) <= 1:
                assert wide.overlaps(kernel.ball(Fraction(rho)))


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "silu"])
def test_a_short_expansion_is_wide_and_covers_the_longer_one(name, monkeypatch):
    """Its remainder is bounded, and not left out."""
    kernel = kernel_map(name)
    true = kernel.ball(Fraction(9, 10))
    monkeypatch.setattr(kernels, "_DEGREES", (4,))
    kernels._enclosed.cache_clear()
    short = kernel.ball(Fraction(9, 10))
    kernels._enclosed.cache_clear()
    assert short.overlaps(true)
    assert float(short.rad()) > 1e-5
    bare = sum(float(c) ** 2 * 0.9**k for k, c in enumerate(kernel.hermite(5)))
    one = np.ones(())
    assert not arb(bare / float(kernel.covariance(one, one, one)), 1e-12).overlaps(true)


def test_coefficients_in_balls_cover_those_of_another_grid():
    """Precision decides step, strip and ends of the rule; the enclosed numbers are the same."""
    analytic = kernel_map("silu").analytic
    for variance in (arb(0), arb(1) / 8, arb(1), arb(30)):
        coarse, square = expansion_enclosure(analytic, variance, 20, 40)
        fine, finer = expansion_enclosure(analytic, variance, 20, 140)
        assert square.overlaps(finer)
        assert float(square.rad()) < 1e-6 * (1 + float(square.mid()))
        for one, other in zip(coarse, fine, strict=True):
            assert one.overlaps(other)
            assert float(other.rad()) < 1e-25
            assert not (one + one.rad() * 4 + 1e-6).overlaps(other)


def test_neighbours_are_told_apart():
    """Of every kernel the ball at 1/2 excludes those of all others, and its own with an error."""
    half = {name: kernel_map(name).ball(Fraction(1, 2)) for name in KERNELS}
    for name, ball in half.items():
        assert not (ball * (1 + arb(2) ** -40)).overlaps(ball)
        for other, theirs in half.items():
            assert (other == name) == ball.overlaps(theirs), (name, other)


def values_of_the_first_pair(H):
    """Σ_i H_i0 H_i1 over the width."""
    return (H[..., 0] * H[..., 1]).mean(axis=-1)


@pytest.mark.parametrize("name", ["tanh", "sin", "sigmoid"])
def test_bounded_activations_have_the_mean_of_a_simulated_layer(name):
    """E φ(u)φ(v) is exactly the mean over one layer of any width; 0.02 beside it is not."""
    q, r, rho, width = 0.8, 2.0, 0.6, 16
    factor = np.linalg.cholesky([[q, rho * math.sqrt(q * r)], [rho * math.sqrt(q * r), r]]).T
    batch = math.sqrt(width) * np.vstack([factor, np.zeros((2, 2))])
    values = simulate(
        vanilla_chain(width, name),
        batch,
        depth=1,
        replicas=4000,
        seed=1,
        observables={"pair": values_of_the_first_pair},
        engine="dense",
    )["pair"][:, 1]
    mean = BoundedMean(-1.0, 1.0, 1e-6)
    mean.update(values)
    low, high = mean.interval
    true = float(kernel_map(name).covariance(np.array(q), np.array(r), np.array(rho)))
    assert low <= true <= high
    assert high - low < 0.04


def test_an_activation_of_ones_own_has_a_kernel():
    with ACTIVATIONS.restored():

        @activation(homogeneous=True)
        def bent(rows, xp):
            """2x above 0, x/2 below"""
            return xp.where(rows > 0, 2 * rows, rows / 2)

        @activation()
        def exp(rows, xp):
            """e^(x/2), which is not what the name says elsewhere"""
            return xp.exp(rows / 2)

        bent_kernel, exp_kernel = kernel_map("bent"), kernel_map("exp")
    # by ReLU's: φ(x) = 2 max(x, 0) − max(−x, 0)/2
    relu = kernel_map("relu")
    expected = (4.25 * relu(0.3) - 2 * relu(-0.3)) / (4.25 - 0)
    assert float(bent_kernel(0.3)) == pytest.approx(float(expected), rel=1e-14)
    with pytest.raises(ValueError, match="that bent is homogeneous is known at points alone"):
        bent_kernel.ball(0)
    assert float(exp_kernel(0.3)) == pytest.approx(math.exp(0.25 * (0.3 - 1)), rel=1e-14)
    with pytest.raises(ValueError, match="no enclosure of the dual kernel: nothing is known of"):
        exp_kernel.ball(0)


def test_names_with_a_number_and_functions_of_arrays_are_read():
    leaky = kernel_map("leaky_relu(0.25)")
    relu = kernel_map("relu")
    expected = (1.0625 * relu(0.3) - 0.5 * relu(-0.3)) / 1.0625
    assert float(leaky(0.3)) == pytest.approx(float(expected), rel=1e-14)
    for function, name in ((np.tanh, "tanh"), (np.abs, "abs")):
        assert float(kernel_map(function)(0.3)) == pytest.approx(float(kernel_map(name)(0.3)))


def tanh(x):
    """tanh x, and 0 from 5 on."""
    return np.where(abs(x) < 5, np.tanh(x), 0.0)


@pytest.mark.parametrize(
    "function",
    [tanh, np.tanh, np.abs, lambda x: np.maximum(x, 0)],
    ids=["cut off", "ufunc", "abs", "relu"],
)
def test_values_at_points_certify_nothing(function):
    """A function may be another where it was not looked at."""
    kernel = kernel_map(function)
    assert kernel.unenclosed is not None
    with pytest.raises(ValueError, match="no enclosure"):
        kernel.ball(Fraction(1, 2))


def test_a_callable_is_expanded():
    kernel = kernel_map(lambda x: np.minimum(np.maximum(x, -1), 1))
    fine = by_tensor_quadrature(kernel, 1.0, 1.0, 0.3, 170)
    assert float(kernel.covariance(*np.array([[1.0], [1.0], [0.3]])).item()) == pytest.approx(
        fine, abs=1e-3
    )
    assert float(kernel(1.0)) == 1


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ("relus", ValueError, "unknown activation 'relus'; did you mean 'relu'"),
        ("relu(2)", ValueError, "takes no number"),
        (3, TypeError, "activation=3 is an int; give a name, a Polynomial, or a function"),
        (np.polynomial.Polynomial([0.0]), ValueError, "not all 0"),
        (np.polynomial.Polynomial([math.nan]), ValueError, "finite"),
        (lambda x: x.sum(), ValueError, "want the same shape"),
        (lambda x: np.zeros_like(x), ValueError, "is 0 everywhere"),
        (lambda x: x * (abs(x) > 50), ValueError, "is 0 wherever it was looked at"),
        (lambda x: np.exp(x * x), ValueError, "<lambda>: .* has no finite mean"),
    ],
)
def test_what_is_no_activation_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        kernel_map(given)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_what_is_no_cosine_is_refused(name):
    kernel = kernel_map(name)
    for bad in (1.0000001, math.nan, [0.0, -2.0]):
        with pytest.raises(ValueError, match=r"want numbers in \[-1, 1\]"):
            kernel(bad)
        with pytest.raises(ValueError, match=r"want numbers in \[-1, 1\]"):
            kernel.derivative(bad)
    with pytest.raises(TypeError, match="cosine='a' is no real number"):
        kernel("a")
    with pytest.raises(ValueError, match=r"does not meet \[-1, 1\]"):
        kernel.ball(2)
    with pytest.raises(TypeError, match=r"cosine=0\.5 is a float; give int, Fraction"):
        kernel.ball(0.5)
    with pytest.raises(ValueError, match="count=1026"):
        kernel.hermite(1026)
    with pytest.raises(ValueError, match=r"variance=0\.0: want a number q > 0"):
        kernel.hermite(2, 0.0)
