"""Branch and bound over spectra: enclosures against other means, covers that hold, constants that
do not.
"""

import dataclasses

import numpy as np
import pytest
import sympy as sp
from flint import arb, fmpq

from simulators.engines.mean_field import rescale_map, rescale_map_enclosure
from theorems.certificates.document import CertificateError
from theorems.context import Context
from theorems.families.orthogonality.branching import (
    RULES,
    CounterexampleFound,
    Problem,
    cover,
    walk,
)
from theorems.families.orthogonality.contraction_boxes import (
    PRECISION,
    ContractionBoxes,
    certify,
    constant,
)
from theorems.families.orthogonality.growth import _Sums, growth
from theorems.registry import get, library
from theorems.statement import Quantifier, Sentinel, Verdict

SPECTRA = (
    [fmpq(1, 10), fmpq(3, 10), fmpq(6, 10)],
    [fmpq(1, 10**6), fmpq(1, 2), fmpq(1, 2) - fmpq(1, 10**6)],
    [fmpq(1, 6)] * 6,
    [fmpq(2, 5), fmpq(3, 5)],
)


def sharp(n):
    return fmpq(2 * n, n + 2)


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_growth_is_the_mean_field_map_over_the_smallest_eigenvalue(spectrum):
    found = growth(spectrum, 0, 60).value
    assert found.overlaps(rescale_map_enclosure(spectrum)[0] / spectrum[0])
    assert float(found.rad()) < 1e-12 * float(found.mid())


@pytest.mark.parametrize("spectrum", SPECTRA[:1] + SPECTRA[2:])
def test_derivatives_agree_with_differences(spectrum):
    step = fmpq(1, 10**6)
    found = growth(spectrum, 2, 60)
    for i in range(len(spectrum)):
        there = [[v + sign * step * (i == k) for k, v in enumerate(spectrum)] for sign in (1, -1)]
        up, down = (growth(point, 1, 100) for point in there)
        slope = (up.value - down.value) / (2 * step)
        assert float(slope.mid()) == pytest.approx(float(found.gradient[i].mid()), rel=1e-8)
        for j in range(len(spectrum)):
            slope = (up.gradient[j] - down.gradient[j]) / (2 * step)
            assert float(slope.mid()) == pytest.approx(float(found.hessian[i][j].mid()), rel=1e-8)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_there_are_no_derivatives_beyond_the_order_asked_for(order):
    found = growth(SPECTRA[0], order, 60)
    assert (len(found.gradient), len(found.hessian)) == (3 * (order > 0), 3 * (order > 1))


def test_at_the_uniform_spectrum_value_and_slope_are_the_beta_integrals():
    for n in (2, 5):
        found = growth([fmpq(1, n)] * n, 1, 60)
        assert found.value.overlaps(arb(1))
        assert found.gradient[0].overlaps(arb(fmpq(-3 * n, n + 2)))
        assert found.gradient[1].overlaps(arb(fmpq(-n, n + 2)))


def test_a_growth_of_zero_eigenvalues_is_refused():
    with pytest.raises(ValueError, match="positive"):
        growth([fmpq(0), fmpq(1)], 0, 40)


@pytest.mark.parametrize("n", [2, 3])
def test_the_sharp_contraction_is_covered_and_the_walk_agrees(n):
    problem = Problem(n, sharp(n), PRECISION)
    tree, ledger = cover(problem, 10_000)
    assert ledger.counts["c"] > 0
    assert ledger.margin >= 0
    again = walk(problem, tree)
    assert again.counts == ledger.counts
    assert again.margin.overlaps(ledger.margin)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("excess", [fmpq(1, 1000), fmpq(1, 10**4), fmpq(1)])
def test_a_larger_constant_has_a_counterexample(n, excess):
    kappa = sharp(n) * (1 + excess)
    with pytest.raises(CounterexampleFound) as found:
        cover(Problem(n, kappa, PRECISION), 10_000)
    point = found.value.point
    assert sum(point, fmpq(0)) == 1
    assert 0 < point[0] <= min(point)
    image = rescale_map_enclosure(point)[0]  # by other means
    assert fmpq(1, n) - image > (1 - kappa * point[0]) * (fmpq(1, n) - point[0])
    with pytest.raises(CertificateError, match="false at"):
        certify(n, kappa)


def test_boxes_that_rules_settle_hold_at_random_points():
    problem = Problem(3, sharp(3), PRECISION)
    tree, _ = cover(problem, 10_000)
    rng = np.random.default_rng(0)
    spectra = np.sort(rng.dirichlet((1, 1, 1), 500), axis=-1)
    gaps = 1 / 3 - spectra[:, 0]
    assert np.all(1 / 3 - rescale_map(spectra)[:, 0] <= (1 - 6 / 5 * spectra[:, 0]) * gaps + 1e-14)
    # every spectrum lies in exactly the boxes that the tree says, and in at least one
    assert set(tree) <= set(RULES + "012")
    assert (
        tree.count("v") + tree.count("s") + tree.count("c") + tree.count("x")
        == sum(map(str.isdigit, tree)) + 1
    )


def test_every_rule_refuses_a_box_it_does_not_settle():
    problem = Problem(3, sharp(3), PRECISION)
    root = problem.cut(problem.root())
    assert not problem.by_value(root) >= 0
    assert not problem.by_slope(root) >= 0
    assert not problem.by_curvature(root)
    far = ((fmpq(1, 10), fmpq(11, 100)), (fmpq(2, 10), fmpq(21, 100)), (fmpq(68, 100), fmpq(7, 10)))
    assert problem.by_value(far) >= 0
    assert not Problem(3, fmpq(5), PRECISION).by_value(far) >= 0
    near = ((fmpq(33, 100), fmpq(34, 100)),) * 3
    assert problem.by_curvature(near)
    assert not Problem(3, sharp(3) + fmpq(1, 10**9), PRECISION).by_curvature(near)


@pytest.mark.parametrize("rule", "vcs")
def test_no_rule_but_its_own_settles_a_box_outside_the_simplex(rule):
    """Of four shares that grow the third is at most 1/8 and the last at most 1/2 there."""
    problem = Problem(4, sharp(4), PRECISION)
    with pytest.raises(ValueError, match="ends early"):
        walk(problem, "322x")
    with pytest.raises(ValueError, match=f"character 3 is not settled by rule '{rule}'"):
        walk(problem, f"322{rule}")


def test_the_sizes_that_are_covered_leave_none_out():
    found = [c for x in library() for c in x.checks if isinstance(c, ContractionBoxes)]
    assert found
    for check in found:
        assert list(check.sizes) == list(range(2, check.sizes[-1] + 1))


def test_the_constant_is_read_off_the_statement():
    for name in ("orthogonality.contraction:sharp", "orthogonality.one_step_drift:sharp"):
        assert constant(get(name), 4) == fmpq(4, 3)
    assert constant(get("orthogonality.one_step_drift:as_printed"), 4) == fmpq(2, 3)
    with pytest.raises(ValueError, match="not"):
        constant(get("orthogonality.averaged_stability:sharp"), 4)
    irrational = dataclasses.replace(
        get("orthogonality.contraction:sharp"), rhs=(1 - sp.sqrt(2) * S) * (1 / N - S)
    )
    with pytest.raises(ValueError, match="not"):
        constant(irrational, 4)
    assert sp.Rational(
        str(constant(get("orthogonality.contraction:sharp").neighbour, 2))
    ) == sp.Rational(1001, 1000)


def test_a_tail_that_is_not_certainly_bounded_leaves_an_infinite_ball():
    sums = _Sums([fmpq(1, 2)] * 2, 0, 20)
    assert sums._whole(sums.zero, ()).is_finite()
    sums.shares = [arb(0.4, 0.2)] * 2  # the exponent of its fall is about 1/5, and may be below 0
    assert not sums._whole(sums.zero, ()).is_finite()


N, S = sp.Symbol("n", integer=True, positive=True), sp.Symbol("s", nonnegative=True)


@pytest.mark.parametrize(
    ("bound", "found"),
    [
        ((1 - S) * (1 / N - S), Verdict.CERTIFIED),
        ((1 - 2 * S) * (1 / N - S), Verdict.REFUTED),
        ((1 - S) * (1 / N - S) / 2, Verdict.INCONCLUSIVE),
    ],
)
def test_a_neighbour_stands_where_boxes_cover_it_and_is_open_in_another_form(bound, found):
    changed = dataclasses.replace(
        get("orthogonality.contraction:sharp"), sentinel=Sentinel("", rhs=bound)
    )
    assert ContractionBoxes((2,))(changed, Context(seed=0, level=1e-6)).sentinel is found


@pytest.mark.parametrize(
    "change",
    [
        {"lhs": 2 * get("orthogonality.contraction:sharp").lhs},
        {"relation": ">="},
        {"relation": "=="},
        {"assumptions": ()},
        {"quantifier": Quantifier.MEAN_FIELD},
    ],
)
def test_shipped_boxes_speak_of_no_other_claim(change):
    statement = get("orthogonality.contraction:sharp")
    check = ContractionBoxes((2,))
    context = Context(seed=0, level=1e-6)
    assert check(statement, context).verdict is Verdict.CERTIFIED
    assert check(dataclasses.replace(statement, **change), context).verdict is Verdict.INCONCLUSIVE
