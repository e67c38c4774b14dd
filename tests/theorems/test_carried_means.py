"""Lower bounds of means of cosines that are carried on from earlier layers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulators.chains import (
    Chain,
    batchnorm_chain,
    recenter_relu_chain,
    residual_chain,
    vanilla_chain,
)
from simulators.engines.mean_field import kernel_map
from simulators.layers import Activation, Bias, LayerNorm, Linear, Normalize, RMSNorm
from simulators.simulate import simulate
from theorems import conjecture
from theorems.checking.carried_mean import CarriedMean
from theorems.checking.confidence_sequence import BoundedMean
from theorems.checking.cosine_drift import cosine_drift
from theorems.context import Context
from theorems.statement import Verdict

LEVEL = 1e-6

KNOWN = {
    "relu": vanilla_chain(64, "relu"),
    "wider": vanilla_chain(200, "relu"),
    "identity": vanilla_chain(64),
    "leaky": Chain((Linear(80), Activation("leaky_relu(0.2)"))),
    "abs": vanilla_chain(64, "abs"),
    "normalised": Chain((Linear(64), RMSNorm(), Activation("relu"), Normalize())),
    "two layers": Chain((Linear(96), Activation("relu"), Linear(64))),
}


def pair(cosine: float) -> np.ndarray:
    return np.array([[1.0, cosine], [0.0, math.sqrt(1 - cosine * cosine)]])


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("cosine", [-0.5, 0.0, 0.3, 0.9])
def test_no_mean_is_below_its_drift(name, cosine):
    """One block from a given cosine, and two more from wherever it went; nor far above."""
    chain = KNOWN[name]
    drift = cosine_drift(chain, samples=2)
    if cosine < drift.least:
        return
    run = simulate(chain, pair(cosine), depth=3, replicas=4000, seed=3, observables=("cosine",))[
        "cosine"
    ]
    for carried, now in (
        (drift(np.array([cosine]), 1).repeat(len(run)), run[:, 1]),
        (drift(run[:, 1], 2), run[:, 3]),
    ):
        gap = BoundedMean(-3.0, 3.0, LEVEL)
        gap.update(now - carried)
        low, high = gap.interval
        assert high >= 0
        assert low <= 16 / 64  # c is 1 + O(1/d)


@pytest.mark.parametrize("name", KNOWN)
def test_a_drift_is_convex_and_does_not_decrease(name):
    drift = cosine_drift(KNOWN[name], samples=2)
    cosines = np.linspace(drift.least, 1, 401)
    for blocks in (1, 2, 5):
        found = drift(cosines, blocks)
        assert (np.diff(found) >= -1e-12).all()
        assert (np.diff(found, 2) >= -1e-9).all()
        assert (found <= 1).all()
        assert found[-1] > 1 - 1e-9
    assert (drift(cosines, 0) == cosines).all()


def test_a_wide_layer_has_the_drift_of_its_kernel():
    cosines = np.linspace(0, 1, 11)
    for width in (10**3, 10**5):
        found = cosine_drift(vanilla_chain(width, "relu"), samples=2)(cosines, 1)
        limit = kernel_map("relu")(cosines)
        assert (found <= limit).all()
        assert (limit - found <= 7 / width + 1e-9).all()


@pytest.mark.parametrize(
    "chain",
    [
        batchnorm_chain(64, "relu"),
        residual_chain(64, 0.5),
        recenter_relu_chain(64),
        vanilla_chain(64, "tanh"),
        vanilla_chain(64, "relu").with_law("rademacher"),
        vanilla_chain(63, "relu"),
        Chain((Linear(64), Bias(0.1), Activation("relu"))),
        Chain((Linear(64), LayerNorm(), Activation("relu"))),
        Chain((Linear(64), Activation("relu"), Activation("relu"))),
        Chain((Activation("relu"), Linear(64))),
        Chain((Linear(64), Activation(np.abs))),  # homogeneous at points alone
        Chain((Linear(64), Activation("abs"), Linear(64))),  # negative cosines before abs
    ],
    ids=repr,
)
def test_other_chains_have_none(chain):
    assert cosine_drift(chain, samples=2) is None


# --- the sequence ---------------------------------------------------------------------------------


def test_a_carried_mean_covers_the_mean():
    """Of Bernoulli observations, and of their conditional means."""
    missed = 0
    for seed in range(300):
        generator = np.random.default_rng(seed)
        sequence = CarriedMean(0.0, 1.0, [0.5, 0.25], 0.05, reference=0.7)
        for size in (8, 8, 16, 32, 64, 128):
            given = generator.choice([0.5, 0.75, 1.0], size=size)
            now = (generator.random(size) < given).astype(float)
            sequence.update(np.stack([now, given, given**2], axis=1))
            missed += not sequence.interval[0] <= 0.75 <= sequence.interval[1]
            assert sequence.interval[0] >= 0.5
    assert missed <= 30


def test_what_the_first_observations_choose_is_told_by_the_others():
    sequence = CarriedMean(0.0, 1.0, [0.0, 0.9], LEVEL, reference=0.97)
    sequence.update(np.tile([0.98, 0.98, 0.975], (1000, 1)))
    assert sequence.interval[0] < 0.97
    sequence.update(np.tile([0.98, 0.98, 0.975], (1000, 1)))
    assert 0.97 < sequence.interval[0] < 0.975
    assert sequence.interval[1] > 0.98


def test_without_a_reference_nothing_is_carried():
    sequence = CarriedMean(0.0, 1.0, [0.25], LEVEL)
    for _ in range(2):
        sequence.update(np.tile([0.5, 0.5], (1000, 1)))
    plain = BoundedMean(0.0, 1.0, LEVEL / 2)
    plain.update(np.full(2000, 0.5))
    assert sequence.interval == pytest.approx(plain.interval)


# --- claims ---------------------------------------------------------------------------------------

ANGLES = dict(
    chain="vanilla(relu)", n=2, d=256, ell=24, assume=("cosine_0 >= 0", "cosine_0 <= 1/100")
)


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("cosine >= 1 - 33*pi**2/(10*ell**2)", Verdict.SUPPORTED),
        ("cosine >= 1 - 2*pi**2/ell**2", Verdict.REFUTED),
        ("mean_absolute_cosine >= 19/20", Verdict.SUPPORTED),
        ("mean_absolute_cosine >= 49/50", Verdict.REFUTED),
        ("1 - cosine <= 33*pi**2/(10*ell**2)", Verdict.SUPPORTED),
        ("1 - cosine <= 2*pi**2/ell**2", Verdict.REFUTED),
    ],
)
def test_claims_with_a_small_margin_are_decided(claim, expected):
    stated = conjecture(claim, name="claim", **ANGLES).statement(falsify=False)
    (check,) = stated.checks
    found = check(stated, Context(0, LEVEL))
    assert found.verdict is expected
    assert found.sentinel is Verdict.REFUTED


@pytest.mark.parametrize(
    ("claim", "carried"),
    [
        ("cosine <= 9/10", False),
        ("cosine >= 9/10", True),
        ("1 - cosine >= 1/10", False),
        ("1 - cosine < 1/10", True),
        ("cosine == 9/10", False),
        ("ell**2*(1 - mean(cosine)) <= 5", True),
        ("d >= d*ell**2 - d*ell**2*cosine", True),
        ("3*mean_absolute_cosine/2 - 1/2 >= 1/2", True),
        ("(d - 60)*cosine >= 1", False),  # of no sign that its symbols tell
        ("cosine**2 >= 9/10", False),
        ("cosine + mean_absolute_cosine >= 9/5", False),
        ("median(cosine) >= 9/10", False),
        ("mean(cosine)**2 >= 9/10", False),
        ("cosine_range <= 1/10", False),
    ],
)
def test_what_bounds_a_mean_cosine_from_below_is_carried(claim, carried):
    options = ANGLES | dict(d=64, ell=4)
    (check,) = conjecture(claim, name="claim", **options).statement(falsify=False).checks
    named = getattr(check.estimator, "__self__", None)
    assert (type(named).__name__ == "_Carried") is carried
