"""Claims at infinite width about chains whose Gram matrices are followed."""

from __future__ import annotations

import math
from fractions import Fraction

import flint
import numpy as np
import pytest

from simulators.activations import ACTIVATIONS, activation
from simulators.chains import batchnorm_chain, read_chain, vanilla_chain
from simulators.engines.mean_field import gram_map, kernel_map
from simulators.engines.mean_field.directions import UndecidedError
from simulators.simulate import simulate
from simulators.starts import Start
from theorems import conjecture, verify
from theorems.statement import ClaimError, Verdict
from theorems.workbench.exact_values import enclosed_spectrum
from theorems.workbench.gram_paths import float_layer, followed, layer_at, leaves_samples

ANGLES = dict(
    chain="vanilla(relu)",
    quantifier="mean field",
    n=2,
    assume="cosine_0 >= 0",
)
HALF = Fraction(1, 2)


def verdict(claim: str, **options: object) -> Verdict:
    return verify(conjecture(claim, name="claim", **options))[0].verdict


def test_the_angle_law_of_relu_holds_and_a_smaller_constant_does_not():
    """1 − cos ≤ 9π²/(2ℓ²) at ℓ = 1 … 200; from orthogonal samples ℓ²(1 − cos) is 3.989 π² at 200."""
    assert verdict("cosine >= 1 - 9*pi**2/(2*ell**2)", ell="1..200", **ANGLES) is Verdict.SUPPORTED
    refuted = verdict("cosine >= 1 - 39*pi**2/(10*ell**2)", ell="1..200", **ANGLES)
    assert refuted is Verdict.REFUTED


@pytest.mark.parametrize(
    ("claim", "options", "expected"),
    [
        (
            "cosine >= cosine_0",
            dict(chain="vanilla(relu)", n=2, ell="1..8", assume="cosine_0 <= 99/100"),
            Verdict.SUPPORTED,
        ),
        ("cosine <= cosine_0", dict(chain="vanilla(relu)", n=2, ell="1..8"), Verdict.REFUTED),
        (
            "smallest_eigenvalue <= 3/10",
            dict(chain="recenter_relu", n=3, ell=1),
            Verdict.SUPPORTED,
        ),
        (
            "orthogonality_gap >= 1/100",
            dict(chain="batchnorm(relu)", n=2, ell=1),
            Verdict.REFUTED,
        ),
        (
            "cosine <= cosine_0/1000",
            dict(chain="rescale", n=2, ell="1..2", assume="cosine_0 >= 1/10"),
            Verdict.REFUTED,
        ),
    ],
)
def test_verdicts_are_those_of_the_mathematics(claim, options, expected):
    assert verdict(claim, quantifier="mean field", **options) is expected


# --- numbers --------------------------------------------------------------------------------------


def test_layers_are_those_of_the_engine():
    start = Start(
        (Fraction(2, 3), Fraction(1, 3)), copies=(0, 1), scales=(Fraction(1), Fraction(-3))
    )
    gram = np.array([[float(x) for x in row] for row in start.gram])
    for chain in (vanilla_chain(6, "sin"), vanilla_chain(6, "relu"), batchnorm_chain(6)):
        scaled = math.sqrt(6 * 2 / gram.trace()) * start.batch(6)
        found = simulate(chain, scaled, depth=3, engine="mean_field", observables=("gram",))
        balls = layer_at(start.gram, gram_map(chain), 3)
        trace = balls[0, 0] + balls[1, 1]
        factor = float_layer(start.batch(2)[None], gram_map(chain), 3)[0]
        for i, j in np.ndindex(2, 2):
            value = float(found["gram"][0, 3, i, j])
            assert abs(float((balls[i, j] / trace - value).abs_lower())) < 1e-14
            assert float(balls[i, j].rad()) < 1e-12
            assert (factor.T @ factor)[i, j] == pytest.approx(float(balls[i, j].mid()), abs=1e-13)


def test_a_start_has_mean_square_one_an_entry():
    """So that vanilla(tanh) is claimed of where it is no linear chain."""
    gram = ((Fraction(3), Fraction(0)), (Fraction(0), Fraction(1)))
    found = layer_at(gram, gram_map(vanilla_chain(6, "tanh")), 1)
    for place, variance in ((0, 1.5), (1, 0.5)):
        one = np.ones(())
        value = float(kernel_map("tanh").covariance(variance * one, variance * one, one))
        assert float(found[place, place].mid()) == pytest.approx(value, rel=1e-12)


def test_eigenvalues_are_enclosed():
    with flint.ctx.workprec(128):
        exact = flint.fmpq_mat([[2, 1, 0], [1, 2, 0], [0, 0, 2]])
        found = enclosed_spectrum(flint.arb_mat(exact))
        for ball, value in zip(
            found, (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)), strict=True
        ):
            assert ball.contains(flint.fmpq(value.numerator, value.denominator))
            assert float(ball.rad()) < 1e-14
        wide = flint.arb_mat([[flint.arb(2, 0.1), flint.arb(1)], [flint.arb(1), flint.arb(2)]])
        assert all(
            one.contains(other)
            for one, other in zip(
                enclosed_spectrum(wide),
                enclosed_spectrum(flint.arb_mat([[2.1, 1], [1, 2]])),
                strict=True,
            )
        )
        singular = enclosed_spectrum(flint.arb_mat([[1, 1], [1, 1]]))
        assert singular[1].contains(0)
        assert singular[1] > -1e-14
        nothing = enclosed_spectrum(flint.arb_mat([[flint.arb.nan(), 0], [0, 1]]))
        assert all(ball.contains(0) and ball.contains(1) for ball in nothing)


@pytest.mark.parametrize(
    ("rows", "recentres", "paired", "left"),
    [
        (((1, 1), (1, 1)), False, True, True),
        (((1, 1), (1, 1)), True, False, False),
        (((1, 0), (0, 0)), False, True, False),
        (((1, 0), (0, 0)), False, False, True),
        (((1, 0, 0), (0, 1, 0), (0, 0, 1)), True, True, True),
        (((1, -1, 0), (-1, 1, 0), (0, 0, 0)), True, True, False),
        (((1, -1, 0), (-1, 1, 0), (0, 0, 0)), True, False, True),
    ],
)
def test_what_is_left_of_a_start(rows, recentres, paired, left):
    gram = tuple(tuple(map(Fraction, row)) for row in rows)
    assert leaves_samples(gram, recentres=recentres, paired=paired) is left


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        ("batchnorm(tanh)", "no known map at infinite width: Activation.*tanh is not homogeneous"),
        ("residual", "while gamma is open; write it, as in residual"),
        ("rescale_activation(relu)", "rows are the batch's own"),
        (lambda width: vanilla_chain(width, "relu"), "put it under @named_chain"),
    ],
)
def test_chains_without_a_map_are_refused_with_the_reason(chain, words):
    options = dict(n=2, ell=1, gamma="[1/10, 1]") if chain == "residual" else dict(n=2, ell=1)
    with pytest.raises(ClaimError, match=words):
        conjecture("orthogonality_gap <= 1/2", chain=chain, quantifier="mean field", **options)


def test_an_activation_without_an_enclosure_is_refused():
    with ACTIVATIONS.restored():

        @activation()
        def hat(rows, xp):
            """max(1 − |x|, 0)"""
            return xp.maximum(1 - xp.abs(rows), xp.zeros_like(rows))

        with pytest.raises(ClaimError, match="in balls: nothing is known of hat off the real line"):
            followed(read_chain("vanilla(hat)"))


# --- what floats are for --------------------------------------------------------------------------


def test_floats_choose_what_is_decided_in_balls_where_that_takes_long():
    claim = conjecture(
        "orthogonality_gap <= 1/2",
        name="claim",
        chain="batchnorm(relu)",
        quantifier="mean field",
        n="3..4",
        ell="1..2",
    )
    assert not claim.space.quick
    check, corners = claim.statement(falsify=False).checks[0], claim.space.corners()
    tried = list(check.attack.corners())
    assert 0 < len(tried) < len(corners) / 2

    def largest(items):
        gaps = [claim.space.roughly(item)["orthogonality_gap"] for item in items]
        return max(gap for gap in gaps if not math.isnan(gap))

    assert largest(tried) >= largest(corners)


@pytest.mark.parametrize("chain", ["vanilla(tanh)", "batchnorm(relu)", "vanilla(relu)"])
def test_rough_values_are_near_the_balls(chain):
    claim = conjecture(
        "orthogonality_gap <= 7/10",
        name="claim",
        chain=chain,
        quantifier="mean field",
        n=3,
        ell="1..2",
        assume="effective_rank_0 >= 5/4",
    )
    near = 0
    for item in claim.space.corners()[::9]:
        rough, exact = claim.space.roughly(item), claim.space.values(item)
        if not math.isnan(rough["orthogonality_gap"]):
            near += 1
            off = exact["orthogonality_gap"] - rough["orthogonality_gap"]
            assert abs(float(flint.arb(off).abs_lower())) < 1e-7
        for name, value in claim.space.given(item).items():
            assert str(value) == str(exact[name])
    assert near > 3


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("cosine >= cosine_0", Verdict.REFUTED),  # tanh takes norms apart
        ("cosine <= 9/10", Verdict.SUPPORTED),
    ],
)
def test_tanh_is_followed_to_a_verdict(claim, expected):
    options = dict(chain="vanilla(tanh)", n=2, ell=1, assume="cosine_0 <= 1/2")
    assert verdict(claim, quantifier="mean field", **options) is expected


def test_wide_balls_before_recentring_are_undecided_and_no_defect():
    layers = gram_map(batchnorm_chain(4))
    wide = [[flint.arb(1, 2) for _ in range(3)] for _ in range(3)]
    with pytest.raises(UndecidedError, match="all samples agree to rounding"):
        layers.enclosure(wide)
    apart = Fraction(1, 10**60)
    gram = tuple(tuple(1 + (i == j) * (i + 1) * apart for i in range(3)) for j in range(3))
    assert layer_at(gram, layers, 4).nrows() == 3
