"""The outlier at infinite width: every statement as expected; wrong thresholds, Jacobians and
points fall.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
import sympy as sp
from flint import arb, arb_mat, arb_series, ctx, fmpq

from simulators.engines.mean_field import outlier_fixed_point
from simulators.engines.mean_field.outlier_enclosure import (
    cluster_angle_series,
    excess_series,
    variable,
)
from theorems import get
from theorems.checking.enclosures import Enclosed, Part
from theorems.checking.root_isolation import UndecidedError, over
from theorems.families.cluster import fixed_points, jacobian, large_batches, outlier
from theorems.families.cluster.fixed_points import find
from theorems.families.cluster.notation import n as SIZE
from theorems.statement import Sentinel, Variable, Verdict
from theorems.verification import verify

COUNT, SADDLE_NODE, STABLE, REPELLING, CLOSING_IN = (
    get(f"cluster.outlier_fixed_point:{variant}")
    for variant in ("count", "saddle_node", "stable", "repelling", "closing_in")
)
QUICK = (COUNT, STABLE, REPELLING, CLOSING_IN, *outlier.ANGLE)


def others(threshold):
    """How many more fixed points there are, if they come with so many samples."""
    return sp.Piecewise((2, threshold <= SIZE), (0, True))


def verdict(statement):
    return verify([statement])[0].verdict


@pytest.mark.parametrize("statement", QUICK, ids=lambda s: s.name)
def test_every_statement_is_as_expected_and_its_sentinel_falls(statement):
    result = verify([statement])[0]
    assert result.as_expected
    assert result.verdict is Verdict.CERTIFIED
    assert [e.sentinel for e in result.evidence] == [Verdict.REFUTED]
    assert result.evidence[0].summary.startswith("every n ≥")


def few(statement, *sizes):
    check = statement.checks[0]
    return replace(statement, checks=(replace(check, sizes=sizes),))


@pytest.mark.parametrize(
    "statement", [outlier.SYMMETRIC_SPECTRUM, outlier.OUTLIER_JACOBIAN], ids=lambda s: s.name
)
def test_the_jacobians_are_as_expected(statement):
    result = verify([few(statement, 4, 7, 9)])[0]
    assert result.as_expected
    assert not result.weak_sentinels


def test_the_reduction_is_as_expected():
    check = replace(outlier.REDUCED.checks[0], examples=5)
    assert verify([replace(outlier.REDUCED, checks=(check,))])[0].as_expected


# --- what is wrong falls --------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [5, 6, 8, 9])
def test_a_wrong_threshold_is_refuted(threshold):
    wrong = replace(COUNT, rhs=others(threshold), sentinel=Sentinel("", rhs=others(7)))
    assert verdict(wrong) is Verdict.REFUTED


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_wrong_count_is_refuted_even_for_large_sizes_only(count):
    wrong = replace(
        COUNT,
        rhs=sp.Integer(count),
        variables=(Variable(SIZE, sp.Range(large_batches.FIRST, sp.oo), "batch size"),),
    )
    wrong = few(wrong)
    result = verify([wrong])[0]
    assert result.verdict is Verdict.REFUTED
    assert "n≥" in result.evidence[0].summary


def test_a_wrong_angle_is_refuted():
    tau = outlier.tau
    two_pi = replace(
        outlier.ANGLE[0],
        lhs=sp.Abs(tau + SIZE**2 / 3),
        checks=(Enclosed((7, 8, 20), outlier.ANGLE[0].checks[0].values),),
    )
    assert verdict(two_pi) is Verdict.REFUTED  # 2π in place of 3π
    assert (
        verdict(replace(outlier.ANGLE[1], lhs=sp.Abs(tau - 3 * sp.pi**2 / 20))) is Verdict.REFUTED
    )


def test_stability_is_refuted_where_there_is_none():
    """The same check says of the separatrix that it does not attract."""

    def decay(size: int):
        return {"D": size * (1 - find(size).separatrix.spectrum.radius)}

    wrong = replace(STABLE, checks=(Enclosed((7, 8, 20), decay),))
    assert verdict(wrong) is Verdict.REFUTED


def test_a_wrong_jacobian_misses_by_far_more_than_the_right_one():
    assert jacobian.outlier_residual(7) < 1e-50
    assert jacobian.outlier_residual(7, norms_move=False) > 0.1
    right = jacobian.symmetric_eigenvalues(6)
    assert jacobian.symmetric_residual(6) < 1e-50
    for wrong in (
        {"edges": right[0] + 1e-9},
        {"norms": right[1] - 1e-9},
        {"edges": right[1], "norms": right[0]},
    ):
        assert jacobian.symmetric_residual(6, **wrong) > 1e-10


def test_a_wrong_fixed_point_is_noticed(monkeypatch):
    """At the separatrix's spectrum, or a point a little off, the Jacobian does not fit."""
    found = find(8)
    off = replace(found.outlier, y=found.outlier.y + 1e-6)
    spectrum = found.outlier.spectrum
    for wrong in (
        off,
        replace(found.outlier, spectrum=found.separatrix.spectrum),
        replace(found.outlier, spectrum=replace(spectrum, trace=spectrum.trace - 1e-6)),
        replace(found.outlier, spectrum=replace(spectrum, determinant=spectrum.determinant + 1e-6)),
    ):
        jacobian._outlier_images.cache_clear()
        monkeypatch.setattr(jacobian, "find", lambda n, wrong=wrong: replace(found, outlier=wrong))
        assert jacobian.outlier_residual(8) > 1e-8
    jacobian._outlier_images.cache_clear()


# --- the parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [*range(3, 13), 64, 10**5])
def test_fixed_points_agree_with_floats(n):
    found, floats = find(n), outlier_fixed_point(n)
    assert found.others == (2 if n >= 7 else 0)
    assert (found.outlier is None) == (floats is None)
    if floats is not None:
        assert float(found.outlier.angle.mid()) == pytest.approx(floats.angle, rel=1e-13)
        assert float(found.outlier.spectrum.radius.mid()) == pytest.approx(
            floats.spectral_radius, abs=1e-13
        )
        assert float(found.outlier.angle.rad()) < 1e-40


def test_a_size_of_two_is_refused():
    with pytest.raises(ValueError, match="n=2; want at least 3"):
        find(2)
    with pytest.raises(ValueError, match="no outlier point"):
        jacobian.outlier_residual(6)


def test_too_little_precision_leaves_the_count_open():
    with pytest.raises(UndecidedError):
        find(10**9, 40)


def test_the_derivative_is_that_of_the_map():
    """Against a difference quotient at high precision, at a Gram matrix without symmetry."""
    from simulators.engines.mean_field import recenter_relu_map_enclosure

    with ctx.workprec(200):
        gram = [
            [fmpq(4), fmpq(1), fmpq(-1)],
            [fmpq(1), fmpq(2), fmpq(1, 3)],
            [fmpq(-1), fmpq(1, 3), fmpq(5)],
        ]
        X = [
            [fmpq(1), fmpq(2), fmpq(0)],
            [fmpq(2), fmpq(0), fmpq(1)],
            [fmpq(0), fmpq(1), fmpq(-1)],
        ]  # trace 0
        step = fmpq(1, 10**18)
        ahead, behind = (
            recenter_relu_map_enclosure(
                [
                    [g + sign * step * x for g, x in zip(*rows, strict=True)]
                    for rows in zip(gram, X, strict=True)
                ],
                precision=200,
            )
            for sign in (1, -1)
        )
        derivative = jacobian.layer_derivative(
            arb_mat([[arb(g) for g in row] for row in gram]),
            arb_mat([[arb(x) for x in row] for row in X]),
        )
        for i in range(3):
            for j in range(3):
                quotient = (ahead[i][j] - behind[i][j]) / (2 * step)
                assert abs(float((derivative[i, j] - quotient).mid())) < 1e-30


def test_bases_are_complete():
    directions = [*jacobian._kernel(6), *jacobian._edges(6, 5)]
    with pytest.raises(ArithmeticError, match="are no basis"):
        jacobian._check_basis(directions)


# --- all large sizes ------------------------------------------------------------------------------


def test_the_cells_cover_everything_down_to_zero():
    cells = large_batches.cells()
    assert cells[0][0] == 0
    assert cells[-1][1] == fmpq(1, large_batches.FIRST)
    assert [low for low, _ in cells[1:]] == [high for _, high in cells[:-1]]


@pytest.mark.parametrize("n", [64, 100, 1000, 10**6])
def test_what_holds_at_once_holds_at_each_size(n):
    low, high = next(cell for cell in large_batches.cells() if cell[0] < fmpq(1, n) <= cell[1])
    everywhere, found = large_batches.enclose(low, high), find(n)
    with ctx.workprec(192):
        phi = found.outlier.cluster_angle
        assert everywhere.stretch.contains(n * n * ((n + 1) * phi / (3 * arb.pi()) - 1))
        assert everywhere.decay.contains(n * (1 - found.outlier.spectrum.radius))
        assert everywhere.growth.contains(n * (found.separatrix.spectrum.slope - 1))
        assert everywhere.distance.contains(
            n * n * (found.separatrix.angle.cos() - found.symmetric.angle.cos())
        )
        assert everywhere.stretch_after.contains(outlier.ANGLE[2].checks[0].values(n)["tau"])


@pytest.mark.parametrize("n", [64, 100, 1000])
def test_growth_is_that_of_the_slope_of_e(n):
    """At the separatrix of one size, in balls of some 150 bits."""
    with ctx.workprec(192):
        point = find(n).separatrix
        slope = excess_series(arb_series([point.angle, 1]), arb(n))[1]
        rise = -n * slope / point.angle.sin()
        found = large_batches.growth_at(n * point.angle.cos(), rise, arb(fmpq(1, n)))
        want = n * (point.spectrum.slope - 1)
        assert found.overlaps(want)
        assert found.rad() + want.rad() < arb(1e-9)


@pytest.mark.parametrize("n", [1000, 10**6])
def test_what_is_enclosed_at_one_size_holds_there_with_little_room(n):
    with ctx.workprec(192):
        eps, found = 1 / arb(n), find(n)
        _, _, stretch = large_batches._region_a(eps)
        growth, distance = large_batches._region_c(eps)
        after = large_batches._after_relu(stretch, eps)
        assert after.contains(outlier.ANGLE[2].checks[0].values(n)["tau"])
        assert growth.contains(n * (found.separatrix.spectrum.slope - 1))
        apart = found.separatrix.angle.cos() - found.symmetric.angle.cos()
        assert distance.contains(n * n * apart)
        assert all(ball.rad() < 1 / arb(n) for ball in (after, growth, distance))


@pytest.mark.parametrize("n", [64, 1000, 10**6])
def test_each_eigenvalue_at_once_is_that_of_each_size(n):
    low, high = next(cell for cell in large_batches.cells() if cell[0] < fmpq(1, n) <= cell[1])
    with ctx.workprec(192):
        eps = over(low, high)
        theta, rate, _ = large_batches._region_a(eps)
        found = find(n).outlier.spectrum
        for ball, value in zip(
            large_batches._spectrum(theta, rate, eps),
            (found.slope, found.within, found.block_radius),
            strict=True,
        ):
            assert ball.contains(n * (1 - value))
            assert ball.rad() < 0.2


def test_the_limits_are_enclosed_at_one_over_n_equal_to_zero():
    """The scaled functions are continuous there."""
    with ctx.workprec(128):
        pi, zero = arb.pi(), arb(0)
        growth, distance = large_batches._region_c(zero)
        _, _, stretch = large_batches._region_a(zero)
        for ball, limit in (
            (distance, pi - 2),
            (growth, (pi - 2) / (2 * (pi - 1))),
            (stretch, 3 * pi**2 / 20 - 1),
        ):
            assert ball.contains(limit)
            assert ball.rad() < 1e-9


def test_the_limits_are_in_the_innermost_cell():
    first = large_batches.enclose(*large_batches.cells()[0])
    assert float(first.stretch.mid()) == pytest.approx(3 * math.pi**2 / 20 - 1, abs=0.01)
    assert float(first.distance.mid()) == pytest.approx(math.pi - 2, abs=0.01)
    assert float(first.growth.mid()) == pytest.approx((math.pi - 2) / (2 * (math.pi - 1)), abs=0.01)


@pytest.mark.parametrize("n", [64, 1000])
def test_the_scaled_functions_are_e(n):
    with ctx.workprec(192):
        size, eps = arb(n), 1 / arb(n)

        def e(psi: arb) -> arb:
            return excess_series(arb_series([psi], 1), size)[0]

        for psi in (arb(fmpq(5, n)), arb(fmpq(1, 2)), arb(fmpq(6, 5))):
            phi = cluster_angle_series(arb_series([psi], 1), size)[0]
            c = psi.cos()
            assert large_batches._near_two_blocks(arb_series([phi * n], 1), eps)[0].overlaps(e(psi))
            assert large_batches._stretched(
                n * n * ((n + 1) * phi / (3 * arb.pi()) - 1), eps
            ).overlaps(e(psi) * n * n)
            assert large_batches._near_symmetric(arb_series([c * n], 1), eps)[0].overlaps(
                e(psi) * n
            )
            assert large_batches._beside(psi, eps / c, eps).overlaps(e(psi) * eps / c**2)
            H = phi * large_batches.share_series(arb_series([phi], 1))[0]
            left_out = eps / phi * eps * H / (1 - eps)
            assert (large_batches._between(phi, eps / phi, eps) + left_out).overlaps(
                e(psi) * eps / phi
            )
        cosine = 1 / arb(n - 1)
        slope = excess_series(variable(cosine.acos()), size)[1]
        assert large_batches._slope_at_symmetric(arb_series([cosine], 1))[0].overlaps(slope)


@pytest.mark.parametrize(
    "name",
    [
        "_near_two_blocks",
        "_stretched",
        "_between",
        "_beside",
        "_near_symmetric",
        "_slope_at_symmetric",
    ],
)
def test_every_lemma_is_needed(monkeypatch, name):
    """With one function turned round the proof stops."""
    right = getattr(large_batches, name)
    monkeypatch.setattr(large_batches, name, lambda *arguments: -1 * right(*arguments))
    large_batches.enclose.cache_clear()
    with pytest.raises(UndecidedError):
        large_batches.enclose(fmpq(0), fmpq(1, 4096))
    large_batches.enclose.cache_clear()


@pytest.mark.parametrize("theta", [1, 3, 5, 7, 11])
def test_a_fall_anywhere_in_the_region_of_two_blocks_stops_the_proof(monkeypatch, theta):
    right = large_batches._near_two_blocks

    def dented(angle, eps):
        return -1 * right(angle, eps) if angle[0].contains(theta) else right(angle, eps)

    monkeypatch.setattr(large_batches, "_near_two_blocks", dented)
    large_batches.enclose.cache_clear()
    with pytest.raises(UndecidedError, match="e may fall for θ"):
        large_batches.enclose(fmpq(0), fmpq(1, 4096))
    large_batches.enclose.cache_clear()


def test_intervals_outside_are_refused():
    for low, high in (
        (fmpq(0), fmpq(1, 63)),
        (fmpq(1, 100), fmpq(1, 100)),
        (fmpq(-1), fmpq(1, 100)),
    ):
        with pytest.raises(ValueError, match="not within"):
            large_batches.enclose(low, high)


# --- the saddle-node ------------------------------------------------------------------------------


def test_the_saddle_node_is_a_double_zero_between_six_and_seven():
    with ctx.workprec(128):
        born = fixed_points.saddle_node()
        psi, n = born.angle, born.n
        assert 6 < n < 7
        assert float(n.rad()) < 1e-12
        series = excess_series(variable(psi, 3), n)
        assert series[0].contains(0)
        assert series[1].contains(0)
        assert series[2] < 0


def test_the_box_of_the_fold_has_the_saddle_node_inside(monkeypatch):
    """Beyond it the zeros are counted, on which it would lie if it were at an edge."""
    boxes = []
    monkeypatch.setattr(fixed_points, "_fold", lambda *box: boxes.append(box))
    monkeypatch.setattr(fixed_points, "_scan", lambda *_: None)
    born = fixed_points.saddle_node.__wrapped__()
    ((left, right, low, high),) = boxes
    assert left < born.angle < right
    assert low < born.n < high


@pytest.mark.parametrize(("low", "high", "zeros"), [(5, 6, 3), (6, 7, 3)])
def test_a_wrong_count_for_real_sizes_is_refused(low, high, zeros):
    with ctx.workprec(128), pytest.raises(UndecidedError):
        fixed_points._scan(fmpq(low), fmpq(high), zeros)


def test_the_saddle_node_statement_is_as_expected():
    assert verify([SADDLE_NODE])[0].as_expected


# --- the check ------------------------------------------------------------------------------------


def test_open_enclosures_are_inconclusive():
    def wide(size: int):
        return {"D": arb(0, 1)}

    def failing(size: int):
        raise UndecidedError("too wide")

    for values in (wide, failing):
        result = verify([replace(STABLE, checks=(Enclosed((7, 8), values),))])[0]
        assert result.verdict is Verdict.INCONCLUSIVE
        assert "n=7" in result.evidence[0].summary


def test_parts_only_speak_of_what_does_not_depend_on_n():
    part = Part("n≥64", lambda: {"D": arb(1)}, Fraction(0), Fraction(1, 64))
    statement = replace(
        STABLE,
        rhs=1 / SIZE,
        checks=(Enclosed((), None, lambda: [part]),),
        sentinel=Sentinel("", rhs=2 / SIZE),
    )
    with pytest.raises(ValueError, match="depends on n beyond"):
        verify([statement])


@pytest.mark.parametrize("left_out", [0, 5])
def test_a_gap_between_parts_is_refused(left_out):
    """Left out: the part that reaches to infinity, one in the middle."""
    check = REPELLING.checks[0]
    gappy = replace(
        check, sizes=(), parts=lambda: [p for k, p in enumerate(check.parts()) if k != left_out]
    )
    with pytest.raises(ValueError, match="no part covers 1/n between"):
        verify([replace(REPELLING, checks=(gappy,))])


@pytest.mark.parametrize("without", [{"sizes": ()}, {"values": None}], ids=["sizes", "values"])
def test_parts_alone_speak_of_no_smaller_size(without):
    check = replace(REPELLING.checks[0], **without)
    result = verify(
        [replace(REPELLING, checks=(check,), sentinel=Sentinel("", rhs=sp.Integer(1)))]
    )[0]
    assert result.evidence[0].summary == f"enclosed in balls for every n ≥ {large_batches.FIRST}"


def test_sizes_that_are_not_covered_are_not_claimed():
    statement = replace(COUNT, checks=(Enclosed((3, 4, 7), lambda size: {"N": find(size).others}),))
    result = verify([replace(statement, sentinel=Sentinel("", rhs=others(4)))])[0]
    assert result.evidence[0].summary == "3 batch sizes from 3 to 7"
