"""Layers: what they refuse when made, and what they do to rows at any scale."""

import math

import array_api_compat.numpy as xp
import numpy as np
import pytest

from simulators.layers import (
    ACTIVATIONS,
    LAWS,
    Activation,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    frobenius_norm,
)

ROWS = np.random.default_rng(0).standard_normal((5, 3, 8))  # 5 replicas, 3 samples, 8 coordinates


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Linear(0), ValueError, "width=0 is below 1"),
        (lambda: Linear(-3), ValueError, "width=-3"),
        (lambda: Linear(True), TypeError, "width=True is a bool"),
        (lambda: Linear(4.0), TypeError, "width=4.0 is a float"),
        (lambda: Linear("4"), TypeError, "width='4' is a str"),
        (
            lambda: Linear(4, "gausian"),
            ValueError,
            "unknown law 'gausian'; did you mean 'gaussian'?",
        ),
        (lambda: Linear(4, None), TypeError, "law=None"),
        (lambda: Residual(-1.0), ValueError, "gamma=-1.0 is not ≥ 0"),
        (lambda: Residual(math.nan), ValueError, "gamma=nan"),
        (lambda: Residual(-math.inf), ValueError, "gamma=-inf"),
        (lambda: Residual(2.0**53), ValueError, "use math.inf"),
        (lambda: Residual("1"), TypeError, "gamma='1' is not a real number"),
        (lambda: Residual(1j), TypeError, "gamma=1j is not a real number"),
        (lambda: Residual(np.complex128(1)), TypeError, "gamma=np.complex128"),
        (lambda: Residual(None), TypeError, "gamma=None"),
        (lambda: Residual(np.array([0.1])), TypeError, "gamma=array"),
        (lambda: Residual(np.float32("nan")), ValueError, "gamma=nan"),
        (lambda: Residual(np.float32(-1)), ValueError, "gamma=np.float32.* is not ≥ 0"),
        (
            lambda: Residual(10**400),
            ValueError,
            "gamma=1000.* is beyond float64; give a γ ≥ 0, or math.inf",
        ),
        (lambda: Residual(True), TypeError, "gamma=True"),
        (lambda: Residual(1.0, "cauchy"), ValueError, "unknown law 'cauchy'; known are gaussian"),
        (lambda: Residual(1.0, width=0), ValueError, "width=0"),
        (lambda: Rescale("frobenious"), ValueError, "did you mean 'frobenius'"),
        (lambda: Activation("reLU"), ValueError, "did you mean 'relu'"),
        (lambda: Activation(("tanh",)), TypeError, "give one of relu, tanh"),
    ],
)
def test_bad_arguments_are_refused_by_name_value_and_remedy(make, error, message):
    with pytest.raises(error, match=message.replace("?", r"\?")):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Linear(1),
        lambda: Linear(np.int64(7)),
        *(lambda law=law: Linear(4, law.example) for law in LAWS.values()),
        lambda: Residual(0),
        lambda: Residual(2.0**52),
        lambda: Residual(math.inf),
        lambda: Residual(np.float64(0.5), width=3),
        lambda: Residual(np.int64(1)),
        *(lambda name=name: Activation(name) for name in ACTIVATIONS),
        lambda: Rescale("variance"),
    ],
)
def test_good_arguments_are_accepted_and_hashable(make):
    assert make() == make()
    assert hash(make()) == hash(make())


def test_numpy_width_becomes_an_int():
    assert repr(Linear(np.int64(7))) == "Linear(width=7, law='gaussian')"


def test_numpy_gamma_becomes_a_float():
    assert (
        repr(Residual(np.float32(0.1)))
        == f"Residual(gamma={float(np.float32(0.1))!r}, law='gaussian', width=None)"
    )
    assert Residual(np.float32("inf")) == Residual(math.inf)


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-600, 1.0, 2.0**600, 2.0**1000])
def test_rescale_at_any_power_of_two_is_the_same(scale):
    plain = Rescale().on_rows(ROWS.copy(), xp, 8)
    scaled = Rescale().on_rows(ROWS * scale, xp, 8)
    # Dividing by a peak adds one rounding of each entry and of the norm, which squares and sums
    # three.
    assert np.abs(scaled - plain).max() <= 4 * np.finfo(float).eps * np.abs(plain).max()


@pytest.mark.parametrize(("unit", "norm"), [("frobenius", 8**-0.5), ("variance", 3**0.5)])
def test_rescale_gives_every_row_its_norm(unit, norm):
    rows = Rescale(unit).on_rows(ROWS.copy(), xp, 8)
    # Three products, two sums, a root, a quotient and a product round: at most 8 half-units.
    assert np.abs(np.linalg.norm(rows, axis=-2) / norm - 1).max() <= 4 * np.finfo(float).eps


def test_rescale_keeps_a_zero_row_zero_and_rescales_its_neighbours():
    rows = ROWS.copy()
    rows[..., 2] = 0
    out = Rescale().on_rows(rows, xp, 8)
    assert (out[..., 2] == 0).all()
    assert np.isfinite(out).all()
    assert (np.linalg.norm(np.delete(out, 2, axis=-1), axis=-2) > 0.3).all()


def test_recenter_is_exact_on_pairs():
    rows = Recenter().on_rows(np.array([[1.0, 4.0], [3.0, 4.0]]), xp, 2)
    assert (rows == [[-1, 0], [1, 0]]).all()


def test_normalize_keeps_the_mean_square_at_one_and_zero_at_zero():
    rows = np.array([[3.0, 0.0], [0.0, 4.0]])
    assert (Normalize().on_rows(rows, xp, 2) == 2 * (rows / 5)).all()
    assert (Normalize().on_rows(np.zeros((2, 2)), xp, 2) == 0).all()


@pytest.mark.parametrize("scale", [2.0**-1060, 2.0**-600, 1.0, 2.0**600, 2.0**1020])
def test_frobenius_norm_neither_overflows_nor_underflows(scale):
    assert frobenius_norm(np.array([[3.0, 0.0], [0.0, 4.0]]) * scale, xp).item() == 5 * scale


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_declare_homogeneity_truthfully(name):
    activation = Activation(name)
    applied = activation.on_rows(ROWS.copy(), xp, 8)
    doubled = activation.on_rows(2 * ROWS, xp, 8)
    assert activation.homogeneous == bool((doubled == 2 * applied).all())


def test_activations_have_their_names_values():
    x = np.array([[-1.0, 0.0, 2.0]])
    expected = {
        "relu": [0.0, 0.0, 2.0],
        "tanh": np.tanh(x[0]),
        "sin": np.sin(x[0]),
        "sigmoid": [1 / (1 + math.e), 0.5, 1 / (1 + math.e**-2)],
        "identity": x[0],
        "gelu": [x * (1 + math.erf(x / math.sqrt(2))) / 2 for x in (-1, 0, 2)],
        "silu": [-1 / (1 + math.e), 0.0, 2 / (1 + math.e**-2)],
        "leaky_relu": [-0.01, 0.0, 2.0],
        "erf": [math.erf(x) for x in (-1, 0, 2)],
        "softplus": [math.log(1 + math.e**x) for x in (-1, 0, 2)],
        "abs": [1.0, 0.0, 2.0],
    }
    for name in ACTIVATIONS:
        # Sigmoid goes through tanh; it and the exponential are each good to an ulp or two of 1.
        error = np.abs(Activation(name).on_rows(x.copy(), xp, 3)[0] - expected[name])
        assert error.max() <= 4 * np.finfo(float).eps, name


def test_sigmoid_does_not_overflow():
    assert (Activation("sigmoid").on_rows(np.array([[-1e308, 1e308]]), xp, 2) == [[0, 1]]).all()
