"""The outlier fixed point in floats and its reduction in balls, against the layer on full Gram
matrices.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from flint import arb, arb_series, ctx, fmpq

from simulators.engines.mean_field import (
    outlier_fixed_point,
    recenter_relu_map,
    reduced_map,
    symmetric_fixed_point,
)
from simulators.engines.mean_field.outlier import blocks
from simulators.engines.mean_field.outlier_enclosure import (
    block_invariants,
    cosines_enclosure,
    excess_series,
    larger_modulus,
    reduced_map_enclosure,
    share_series,
    sine_defect_series,
    spectrum_enclosure,
    variable,
)


def pattern(y: float, n: int) -> np.ndarray:
    """K with cluster norm 1 at y, which is also a Gram matrix."""
    K = np.full((n, n), (y - 1) / (n - 2))
    K[-1] = K[:, -1] = -y
    np.fill_diagonal(K, 1.0)
    K[-1, -1] = (n - 1) * y
    return K


def jacobian(G: np.ndarray) -> np.ndarray:
    """The layer's Jacobian on symmetric matrices by central differences of the float map."""
    n, step = len(G), 1e-5
    places = list(combinations_with_replacement(range(n), 2))
    columns = []
    for i, j in places:
        X = np.zeros((n, n))
        X[i, j] = X[j, i] = step
        change = (recenter_relu_map(G + X) - recenter_relu_map(G - X)) / (2 * step)
        columns.append([change[place] for place in places])
    return np.array(columns).T


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_there_is_none_up_to_six(n):
    assert outlier_fixed_point(n) is None


@pytest.mark.parametrize("n", [7, 8, 10, 30, 1000])
def test_it_is_a_fixed_point_of_the_layer(n):
    point = outlier_fixed_point(n)
    assert np.allclose(
        recenter_relu_map(point.gram), point.gram, rtol=0, atol=1e-14 * point.norm_ratio
    )
    assert reduced_map(point.y, n) == pytest.approx(point.y, rel=1e-13)
    assert point.norm_ratio == pytest.approx((n - 1) * point.y, rel=1e-13)
    cosine = point.gram[0, -1] / math.sqrt(point.gram[0, 0] * point.gram[-1, -1])
    assert cosine == pytest.approx(point.outlier_cosine)


@pytest.mark.parametrize("n", [7, 8, 9, 10, 11, 12])
def test_the_spectral_radius_is_that_of_the_full_jacobian(n):
    point = outlier_fixed_point(n)
    modulus = np.sort(abs(np.linalg.eigvals(jacobian(point.gram))))[::-1]
    assert modulus[0] == pytest.approx(1, abs=1e-6)  # scale, which the map keeps
    assert modulus[1] == pytest.approx(point.spectral_radius, abs=1e-6)


def test_all_eigenvalues_and_multiplicities_of_the_blocks():
    n = 8
    point = outlier_fixed_point(n)
    spectrum = spectrum_enclosure(arb(point.angle), n)
    block = np.roots([1, -float(spectrum.trace.mid()), float(spectrum.determinant.mid())])
    expected = (
        [1.0, point.slope]
        + [float(spectrum.within.mid())] * ((n - 1) * (n - 4) // 2)
        + list(block) * (n - 2)
        + [0.0] * n
    )
    assert np.allclose(
        np.sort(np.linalg.eigvals(jacobian(point.gram)).real), np.sort(expected), atol=2e-6
    )


@pytest.mark.parametrize("n", [7, 8, 30])
def test_the_block_in_floats_is_that_in_balls(n):
    point = outlier_fixed_point(n)
    slope, within, block = blocks(point.angle, n)
    spectrum = spectrum_enclosure(arb(point.angle), n)
    assert slope == point.slope
    assert within == pytest.approx(float(spectrum.within.mid()), rel=1e-9)
    assert np.trace(block) == pytest.approx(float(spectrum.trace.mid()), rel=1e-9)
    assert np.linalg.det(block) == pytest.approx(float(spectrum.determinant.mid()), rel=1e-9)


@pytest.mark.parametrize("n", [3, 4, 9])
def test_the_symmetric_point_has_the_closed_form_spectrum(n):
    rho = -1 / (n - 1)
    slope = 1 - math.acos(rho) / math.pi
    kappa = math.sqrt(1 - rho * rho) / math.pi + slope * rho
    point = symmetric_fixed_point(n)
    assert point.cluster_cosine == pytest.approx(kappa)
    assert point.outlier_cosine == pytest.approx(kappa)
    assert point.norm_ratio == pytest.approx(1)
    norms = ((n - 2) * (1 - kappa + rho * slope) + 2 * slope) / ((n - 1) * (1 - kappa))
    assert point.slope == pytest.approx(norms)
    assert point.spectral_radius == pytest.approx(max(norms, slope * n / ((1 - kappa) * (n - 1))))


@pytest.mark.parametrize("n", [3, 4, 7, 20])
@pytest.mark.parametrize("share", [1e-9, 0.01, 0.3, 0.7, 0.999])
def test_the_reduced_map_is_the_layer(n, share):
    y = share * (n - 1)
    K = recenter_relu_map(pattern(y, n) + 3)
    J = np.eye(n) - 1 / n
    K = J @ K @ J
    assert reduced_map(y, n) == pytest.approx(
        -K[0, -1] / K[0, 0], rel=1e-7 if share == 1e-9 else 1e-11
    )
    ball = reduced_map_enclosure(arb(y), n)
    assert float(ball.rad()) < 1e-25
    assert float(reduced_map(y, n)) == pytest.approx(float(ball.mid()), rel=1e-12)


def test_the_ends_of_the_reduced_map():
    assert reduced_map(6.0, 7) == pytest.approx(6.0)  # two exact blocks stay
    assert reduced_map(np.array([[1 / 6]]), 7) == pytest.approx(1 / 6)
    near = 6 - 1e-6
    assert (6 - float(reduced_map(near, 7))) / 1e-6 == pytest.approx(
        49 / 37, rel=1e-2
    )  # slope n²/((n-1)²+1)


@pytest.mark.parametrize("n", [10**4, 10**6, 10**9])
def test_large_batches_keep_accuracy(n):
    point = outlier_fixed_point(n)
    with ctx.workprec(300):
        excess = excess_series(variable(arb(point.angle)), arb(n))
        assert (
            abs(float((excess[0] / excess[1]).mid())) < 1e-14 * point.angle
        )  # the Newton step left
        spectrum = spectrum_enclosure(arb(point.angle), n)
        assert abs(float(spectrum.radius.mid()) - point.spectral_radius) < 1e-15
        inner, outer = cosines_enclosure(arb(point.angle), n)
        assert float((1 - inner).mid()) == pytest.approx(1 - point.cluster_cosine, rel=0, abs=4e-16)
        assert point.outlier_cosine == pytest.approx(float(outer.mid()), rel=1e-12)


@pytest.mark.parametrize("bad", [2, 0, -7, 10**9 + 1])
def test_sizes_outside_are_refused(bad):
    with pytest.raises(ValueError, match=f"n={bad}.*(integer ≥ 3|whole number from 3)"):
        outlier_fixed_point(bad)


@pytest.mark.parametrize("bad", [7.0, "7", None, True])
def test_what_is_no_size_is_refused(bad):
    with pytest.raises(TypeError, match="give an integer ≥ 3"):
        outlier_fixed_point(bad)
    with pytest.raises(TypeError, match="give an integer ≥ 3"):
        symmetric_fixed_point(bad)


@pytest.mark.parametrize("y", [0.0, -1.0, 6.1, math.nan])
def test_points_outside_are_refused(y):
    with pytest.raises(ValueError, match=r"want \(0, 6\]"):
        reduced_map(y, 7)
    if not math.isnan(y):
        with pytest.raises(ValueError, match="not certainly inside"):
            reduced_map_enclosure(arb(y), 7)


@pytest.mark.parametrize("open_", [arb(0.1, 0.2), arb(5.9, 0.2)])
def test_balls_that_leave_open_whether_they_are_inside_are_refused(open_):
    with pytest.raises(ValueError, match="not certainly inside"):
        reduced_map_enclosure(open_, 7)


def test_series_have_the_derivatives_of_the_functions():
    """Against another formula for e, and difference quotients at high precision."""
    with ctx.workprec(300):
        n, at, step = arb(9), arb(fmpq(7, 10)), arb(fmpq(1, 10**20))

        def plain(angle: arb) -> arb:
            s, c = angle.sin_cos()
            r = 1 - (n - 1) / (n - 2) * s * s
            phi = r.acos()
            H = (phi.sin() - phi * r) / (arb.pi() * (1 - r))
            return (
                c * c * ((n + 1) * H - 2 + 2 * angle / arb.pi())
                + H / (n - 1)
                - 2 * s * c / arb.pi()
            )

        series = excess_series(variable(at, 3), n)
        assert series[0].overlaps(plain(at))
        quotient = (plain(at + step) - plain(at - step)) / (2 * step)
        assert abs(float((series[1] - quotient).mid())) < 1e-35
        second = (plain(at + step) - 2 * plain(at) + plain(at - step)) / (step * step)
        assert abs(float((2 * series[2] - second).mid())) < 1e-30


def test_removable_singularities_are_removed():
    with ctx.workprec(128):
        around = arb(0, 0.01)
        assert share_series(variable(around))[0].contains(2 / (3 * arb.pi()))
        assert float(share_series(variable(around))[0].rad()) < 1e-3
        assert abs(float(sine_defect_series(variable(arb(0)))[0].mid())) == 0
        x = arb(fmpq(1, 3))
        assert sine_defect_series(arb_series([x], 1))[0].overlaps(x.sin() - x * x.cos())


def test_the_block_reaches_down_to_infinite_size():
    """Trace and determinant at 1/n from a ball around 0 contain those of a large n."""
    with ctx.workprec(128):
        phi, angle, h = arb(fmpq(1, 100)), arb(fmpq(1, 140)), arb(fmpq(99, 100))
        wide = block_invariants(phi, angle, h, arb(0, 1e-3))
        narrow = block_invariants(phi, angle, h, 1 / arb(5000))
        assert all(a.contains(b) for a, b in zip(wide, narrow, strict=True))


def test_the_norm_ratio_at_the_two_blocks_is_the_limit():
    """As n grows the outlier approaches the exact block, whose norm ratio is (n - 1)²."""
    ratios = [outlier_fixed_point(n).norm_ratio / (n - 1) ** 2 for n in (7, 20, 100, 1000)]
    assert ratios == sorted(ratios)
    assert ratios[-1] == pytest.approx(1, abs=1e-3)
    assert Fraction(ratios[0]) < Fraction(1, 2)


@pytest.mark.parametrize(
    ("trace", "determinant"),
    [
        (arb(3), arb(2)),
        (arb(-3), arb(2)),
        (arb(1), arb(-6)),
        (arb(1), arb(5)),
        (arb(2), arb(1)),
        (arb(2, 0.25), arb(1.0625)),
        (arb(2, 0.25), arb(0.9375)),
        (arb(2), arb(1, 0.5)),
        (arb(0, 1), arb(0, 1)),
    ],
)
def test_the_larger_modulus_is_that_of_the_zeros_at_every_point_of_the_balls(trace, determinant):
    found = larger_modulus(trace, determinant)
    for part, other in product((-1, 0, 1), repeat=2):
        ends = [
            float(ball.mid()) + sign * float(ball.rad())
            for ball, sign in ((trace, part), (determinant, other))
        ]
        modulus = max(abs(np.roots([1, -ends[0], ends[1]])))
        assert found.overlaps(arb(modulus, 1e-7))
    if trace.is_exact() and determinant.is_exact():
        assert float(found.rad()) < 1e-6
