"""Growth rates against closed forms, against long products, and what the door refuses."""

import math

import numpy as np
import pytest
from scipy.special import digamma

from simulators import simulate, vanilla_chain
from simulators.chains import Chain
from simulators.layers import Normalize, Residual
from simulators.lyapunov import leading_exponents


def exact(width, place):
    """Newman's exponents of products of standard normal matrices, the largest at place 0."""
    return (math.log(2) + digamma((width - place) / 2)) / 2


@pytest.mark.parametrize("width", [2, 5, 20])
def test_all_leading_exponents_of_gaussian_products(width):
    count = min(width, 3)
    rates = leading_exponents(width, depth=400, replicas=60, count=count, seed=1)
    assert rates.shape == (60, count)
    error = rates.std(axis=0, ddof=1) / 60**0.5
    expected = [exact(width, place) for place in range(count)]
    assert (abs(rates.mean(axis=0) - expected) < 7 * error).all()  # false alarm below 1e-9
    assert (
        abs(rates.mean(axis=0) - [exact(width + 1, place) for place in range(count)]) > 7 * error
    ).any()


def log_ratio(chain, width, depth, replicas):
    """log σ_2 - log σ_1 of the product of ``depth`` layers, per layer, from the simulator itself."""
    run = simulate(
        chain,
        np.eye(width),
        depth=depth,
        every=depth,
        replicas=replicas,
        engine="dense",
        seed=3,
        observables=("spectrum",),
    )
    spectrum = run["spectrum"][:, -1]
    return np.log(spectrum[:, 1] / spectrum[:, 0]) / 2 / depth


@pytest.mark.parametrize(
    ("gamma", "chain"), [(math.inf, vanilla_chain(6)), (0.5, Chain((Residual(0.5), Normalize())))]
)
def test_the_gap_is_that_of_long_products(gamma, chain):
    depth, replicas = 120, 400  # σ_2/σ_1 is near e^-12, far above rounding
    long = log_ratio(chain, 6, depth, replicas)
    rates = leading_exponents(6, gamma, depth=depth, replicas=replicas, seed=2)
    gap = rates[:, 1] - rates[:, 0]
    error = math.hypot(long.std() / replicas**0.5, gap.std() / replicas**0.5)
    # The product's ratio starts a constant of order 1 ahead of the frame's, which fades as 1/depth.
    assert abs(long.mean() - gap.mean()) < 7 * error + 2 / depth
    assert long.mean() < -0.05


def test_no_depth_overflows():
    rates = leading_exponents(2, depth=20_000, replicas=2)
    assert np.isfinite(rates).all()
    assert abs(rates[:, 1] - rates[:, 0] + math.log(2)).max() < 0.1


def test_replicas_depend_on_the_seed_and_their_number_alone():
    many = leading_exponents(4, 0.3, depth=30, replicas=9, seed=5)
    assert (leading_exponents(4, 0.3, depth=30, replicas=2, seed=5) == many[:2]).all()
    assert (leading_exponents(4, 0.3, depth=30, replicas=9, seed=6) != many).all()
    assert len(np.unique(many)) == many.size


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"width": 1}, ValueError, "width=1 is below 2"),
        ({"count": 4}, ValueError, "count=4 exceeds width=3"),
        ({"count": 0}, ValueError, "count=0 is below 1"),
        ({"gamma": 0.0}, ValueError, "gamma=0"),
        ({"gamma": -1.0}, ValueError, "gamma=-1.0"),
        ({"gamma": math.nan}, ValueError, "gamma=nan"),
        ({"gamma": "1"}, TypeError, "gamma='1'"),
        ({"depth": 0}, ValueError, "depth=0"),
        ({"replicas": 1.5}, TypeError, "replicas=1.5"),
        ({"seed": -1}, ValueError, "seed=-1"),
    ],
)
def test_bad_arguments_are_refused_by_name(change, error, message):
    arguments = {"width": 3, "gamma": 1.0, "depth": 2} | change
    with pytest.raises(error, match=message):
        leading_exponents(arguments.pop("width"), arguments.pop("gamma"), **arguments)
