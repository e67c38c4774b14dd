"""Activations: what they declare is tried on points, and refused where a point refutes it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import array_api_compat.numpy
import array_api_compat.torch
import mpmath
import numpy as np
import pytest

from simulators.activations import (
    ACTIVATIONS,
    ActivationFunction,
    activation,
    activation_of,
)
from simulators.catalogue import Parameter, read_entry
from simulators.chains import batchnorm_chain, read_chain, vanilla_chain
from simulators.layers import Activation, ScaleResponse
from simulators.simulate import simulate
from simulators.sweeps.grid import Grid
from simulators.trials import is_homogeneous, is_odd, vanishes

LIBRARIES = pytest.mark.parametrize(
    "xp", [array_api_compat.numpy, array_api_compat.torch], ids=["numpy", "torch"]
)
ENTRIES = [
    *ACTIVATIONS.values(),
    *(read_entry(ACTIVATIONS, f"leaky_relu({s})") for s in (0, 0.3, 1)),
]
SHIPPED = pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])


@LIBRARIES
@SHIPPED
def test_a_shipped_activation_is_what_it_declares(entry: Any, xp: Any) -> None:
    entry.require_as_told(xp)
    for found, declared in (
        (is_homogeneous, entry.homogeneous),
        (is_odd, entry.odd or entry.name == "leaky_relu(1.0)"),
        (vanishes, entry.vanishes),
    ):
        assert found(lambda rows: entry.function(rows, xp), xp) == declared


@LIBRARIES
@SHIPPED
def test_no_trial_overlooks_a_declaration_that_is_off(entry: Any, xp: Any) -> None:
    """Every trait turned to its false side, and a derivative a thousandth off."""

    def off(rows: Any, xp: Any) -> Any:
        return 1.001 * entry.slopes(rows, xp)

    false = [replace(entry, derivative=off)]
    false += [] if entry.homogeneous else [replace(entry, homogeneous=True)]
    false += [] if is_odd(lambda rows: entry.function(rows, xp), xp) else [replace(entry, odd=True)]
    image = entry.function(xp.asarray([[-2.0, -0.5, 0.0, 1.0]]), xp)
    false += [] if bool((image >= 0).all()) else [replace(entry, nonnegative=True)]
    for each in false:
        with pytest.raises(ValueError, match=re.escape(f"activation {entry.name!r}")):
            each.require_as_told(xp)


@SHIPPED
def test_a_derivative_is_that_by_autograd(entry: Any) -> None:
    x = np.linspace(-5, 5, 200)[None]
    by_torch = replace(entry, derivative=None).slopes(x.copy(), np)
    # A few operations, each good to an ulp or two of numbers up to 5.
    assert np.abs(entry.slopes(x.copy(), np) - by_torch).max() <= 32 * np.finfo(float).eps
    assert entry.slopes(x.astype("float32"), np).dtype == np.float32


def test_the_derivative_of_relu_at_0_is_0_as_in_torch() -> None:
    given = array_api_compat.torch.tensor([[0.0, -0.0]])
    for rows, xp in ((np.array([[0.0, -0.0]]), np), (given, array_api_compat.torch)):
        assert not ACTIVATIONS["relu"].slopes(rows, xp).any()


def test_without_a_derivative_torch_gives_it_or_the_refusal_says_why_not() -> None:
    entry = activation_of(lambda rows, xp: rows / (1 + xp.exp(-rows)))
    share = 1 / (1 + np.exp(-1))
    found = entry.slopes(np.array([[0.0, 1.0]]), np)
    np.testing.assert_allclose(found, [[0.5, share + share * (1 - share)]], rtol=1e-12)
    with pytest.raises(TypeError, match=r"activation 'tanh': Torch finds no gradient.*derivative="):
        activation_of(np.tanh).slopes(np.zeros((1, 2)), np)


TAIL = np.array([[-30.0, -8.0, -3.0, 0.0, 3.0, 30.0, 800.0, -800.0]])


@LIBRARIES
@pytest.mark.parametrize("name", ["gelu", "silu", "softplus", "erf"])
def test_activations_are_accurate_in_their_tails_and_never_overflow(name: str, xp: Any) -> None:
    """Against 50 digits, to some roundings of each value itself."""
    mpmath = pytest.importorskip("mpmath")
    exact = {
        "gelu": lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
        "silu": lambda x: x / (1 + mpmath.exp(-x)),
        "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
        "erf": mpmath.erf,
    }[name]
    image = np.asarray(ACTIVATIONS[name].function(xp.asarray(TAIL.copy()), xp))[0]
    with mpmath.workdps(50):
        wanted = np.array([float(exact(mpmath.mpf(float(x)))) for x in TAIL[0]])
    # erfc and exp of a rounded argument x carry x² eps; below the smallest normal all is lost
    room = (4 + TAIL[0] ** 2) * np.finfo(float).eps * np.abs(wanted) + np.finfo(
        float
    ).smallest_normal
    assert (np.abs(image - wanted) <= room).all()


BATCH = np.eye(12, 3) + 0.25
OWN: dict[str, tuple[Callable[..., Any], bool, bool, bool]] = {
    "tanh": (np.tanh, False, True, False),
    "gelu": (array_api_compat.torch.nn.functional.gelu, False, False, False),
    "absolute": (np.abs, True, False, False),
    "relu": (array_api_compat.torch.relu, True, False, True),
    "leaky_relu(negative_slope=0.2)": (
        partial(array_api_compat.torch.nn.functional.leaky_relu, negative_slope=0.2),
        True,
        False,
        False,
    ),
    "GELU(approximate='none')": (array_api_compat.torch.nn.GELU(), False, False, False),
    "<lambda>": (lambda rows, xp: xp.exp(-rows * rows), False, False, False),
}


@pytest.mark.parametrize("name", OWN)
def test_a_function_of_ones_own_is_an_activation(name: str) -> None:
    """Of arrays of NumPy, of Torch or of both; what it is, is found by trial."""
    function, homogeneous, odd, dies = OWN[name]
    layer = Activation(function)
    assert (layer.homogeneous, layer.odd, layer.entry.vanishes) == (homogeneous, odd, dies)
    assert layer.response is (ScaleResponse.LINEAR if homogeneous else ScaleResponse.BOUND)
    assert (layer, hash(layer)) == (Activation(function), hash(Activation(function)))
    assert repr(layer) == f"Activation({name})"
    for chain in (batchnorm_chain(12, function), vanilla_chain(12, function)):
        runs = [
            simulate(chain, batch, depth=2, replicas=2, engine="dense", seed=1)
            for batch in (BATCH, array_api_compat.torch.tensor(BATCH))
        ]
        assert f"Activation({name})" in runs[0].chain
        gaps = [run["orthogonality_gap"] for run in runs]
        np.testing.assert_allclose(*gaps, atol=1e-12)


def test_a_function_means_what_the_catalogue_means_by_its_name() -> None:
    functional = array_api_compat.torch.nn.functional
    for name in ("relu", "tanh", "gelu", "silu", "softplus", "leaky_relu", "sigmoid"):
        by_name, by_function = (
            simulate(batchnorm_chain(12, given), BATCH, depth=2, seed=3, engine="factor")
            for given in (name, getattr(functional, name))
        )
        gaps = [run["orthogonality_gap"] for run in (by_name, by_function)]
        np.testing.assert_allclose(*gaps, atol=1e-7)  # softplus of Torch is x from 20 on


def test_homogeneity_may_be_left_unused_and_a_derivative_given() -> None:
    assert Activation("relu", homogeneous=False).response is ScaleResponse.BOUND
    own = Activation(np.sin, derivative=np.cos)
    assert repr(own) == "Activation(sin, derivative=cos)"
    rows, gradient = np.array([[0.5, 1.0]]), np.array([[2.0, 1.0]])
    expected = gradient * np.cos(rows)
    np.testing.assert_allclose(own.pullback(rows, gradient.copy(), np, 2), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Activation(math.tanh), ValueError, "fails on an array of numpy: TypeError"),
        (lambda: Activation(np.log), ValueError, "'log' gives nan in float32 at -1"),
        (lambda: Activation(np.tanh, homogeneous=True), ValueError, "declared homogeneous"),
        (lambda: Activation("tanh", homogeneous=True), ValueError, "declared homogeneous"),
        (lambda: Activation(np.sin, np.sin), ValueError, "derivative of activation 'sin' is"),
        (lambda: Activation("sin", np.sin), ValueError, "derivative of activation 'sin' is"),
        (lambda: Activation("sin", 3), TypeError, "derivative=3 is an int; give a function"),
        (lambda: Activation("sin", None, 1), TypeError, "homogeneous=1 is an int; give True"),
        (lambda: Activation(3), TypeError, "activation=3 is an int; give one of relu"),
        (lambda: Activation("relu(1)"), ValueError, r"'relu\(1\)' takes no number"),
        (lambda: Activation("leaky_relu(7)"), ValueError, r"slope=7.0 is not a number in \[0, 1\]"),
        (lambda: Activation("leaky_relu(x)"), ValueError, "slope='x' is not a number"),
        (lambda: read_chain("vanilla(leaky_relu(2))"), ValueError, "leaky_relu slope=2.0"),
        (lambda: read_chain("vanilla(leaky_relu(0.1)"), ValueError, "unknown activation"),
        (lambda: ACTIVATIONS["relu"].at(1), ValueError, "'relu' has no parameter"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(make: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_text_gives_an_activation_its_number() -> None:
    chain = read_chain("batchnorm( leaky_relu( 2e-1 ) )")
    assert chain.name == "batchnorm(leaky_relu(0.2))"
    layer = chain.build(4).layers[-1]
    assert layer == Activation("leaky_relu(0.2)")
    assert layer.entry.meaning == "x for x > 0, else 0.2 x"
    assert layer.on_rows(np.array([[-1.0, 1.0]]), np, 2).tolist() == [[-0.2, 1.0]]
    assert read_chain("vanilla(leaky_relu)").name == "vanilla(leaky_relu)"


def test_a_number_is_tried_when_it_is_given() -> None:
    """What holds at the default may fail at another value."""
    with ACTIVATIONS.restored():

        @activation(odd=True, parameter=Parameter("shift", "shown", 0, 1, "0"))
        def shown(rows: Any, xp: Any, shift: float = 0.0) -> Any:
            """sin(x + {shift})"""
            return xp.sin(rows + shift)

        with pytest.raises(ValueError, match=r"activation 'shown\(0.5\)' is declared odd, but"):
            Activation("shown(0.5)")


def test_a_run_depends_on_what_its_functions_mean() -> None:
    from simulators.chains import CHAINS, Chain, named_chain
    from simulators.layers import Linear

    def run(function: Any) -> str:
        with CHAINS.restored():

            @named_chain()
            def shown_chain(width: int) -> Chain:
                """H⁺ = F(WH)"""
                return Chain((Linear(width), Activation(function)))

            (key,) = Grid.of({"chain": "shown", "width": 8, "batch": 3, "depth": 2}).runs()
        return key

    def one(rows: Any) -> Any:
        return rows * rows

    def two(rows: Any) -> Any:
        return rows * rows / 2

    two.__name__ = two.__qualname__ = one.__name__
    assert run(one) != run(two)


def test_an_activation_made_by_hand_is_tried_where_it_is_used() -> None:
    with ACTIVATIONS.restored():
        ACTIVATIONS.add(ActivationFunction("shown", "cos x", lambda r, xp: xp.cos(r), odd=True))
        with pytest.raises(ValueError, match="activation 'shown' is declared odd, but"):
            simulate(vanilla_chain(4, "shown"), BATCH[:4], depth=1)


def _softmax(rows: Any, xp: Any) -> Any:
    shares = xp.exp(rows - xp.max(rows, axis=-1, keepdims=True))
    return shares / xp.sum(shares, axis=-1, keepdims=True)


REFUSED: dict[str, tuple[dict[str, Any], Callable[[Any, Any], Any], str]] = {
    "homogeneity": ({"homogeneous": True}, lambda rows, xp: xp.tanh(rows), "declared homogeneous"),
    "oddness": ({"odd": True}, lambda rows, xp: xp.cos(rows), "declared odd, but F"),
    "sign": ({"nonnegative": True}, lambda rows, xp: xp.exp(rows) - 1, "but F.-.* say nonnegative"),
    "nan": ({}, lambda rows, xp: xp.log(rows), "gives nan in float32 at -1"),
    "nan far out": ({}, lambda rows, xp: rows * rows / xp.expm1(rows), "gives nan in float32 at 0"),
    "wider": ({}, lambda rows, xp: rows * np.float64(2), "gives float64 for float32"),
    "whole": ({}, lambda rows, xp: xp.astype(rows, xp.int64), "gives int64 for float32"),
    "shape": ({}, lambda rows, xp: rows[..., :1], r"gives shape \(1, 16, 1\) for shape"),
    "number": ({}, lambda rows, xp: 3.0, "gives a float for an array"),
    "neighbours": ({}, _softmax, "want a function of each entry by itself"),
    "norm": ({}, lambda rows, xp: rows / (1 + xp.max(rows)), "want a function of each entry"),
    "failure": ({}, lambda rows, xp: xp.nought(rows), "fails on an array of numpy: Attribute"),
    "slope": (
        {"derivative": lambda rows, xp: xp.sin(rows)},
        lambda rows, xp: xp.cos(rows),
        "derivative of activation 'shown' is .* where central differences give",
    ),
    "slope beyond a kink": (
        {"derivative": lambda rows, xp: xp.ones_like(rows)},
        lambda rows, xp: xp.abs(rows),
        "is 1 at -.*, where central differences give -1",
    ),
    "slope undefined": (
        {"derivative": lambda rows, xp: rows / rows},
        lambda rows, xp: 1 * rows,
        "the derivative of activation 'shown' gives nan",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_a_point_refutes_is_refused_at_registration_in_one_line(fault: str) -> None:
    declared, function, words = REFUSED[fault]

    def shown(rows: Any, xp: Any) -> Any:
        """an activation with a fault"""
        return function(rows, xp)

    with ACTIVATIONS.restored(), pytest.raises(ValueError, match=words) as caught:
        activation(**declared)(shown)
    assert "shown" not in ACTIVATIONS
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (lambda rows, xp: xp.abs(rows), lambda rows, xp: xp.sign(rows)),
        (lambda rows, xp: xp.clip(rows, -1.0, 1.0), lambda rows, xp: 1.0 * (xp.abs(rows) <= 1)),
        (lambda rows, xp: xp.sign(rows), lambda rows, xp: xp.zeros_like(rows)),
        (lambda rows, xp: xp.exp(rows), lambda rows, xp: xp.exp(rows)),
        (lambda rows, xp: rows**3 - rows, lambda rows, xp: 3 * rows**2 - 1),
        (lambda rows, xp: xp.sin(1000 * rows), lambda rows, xp: 1000 * xp.cos(1000 * rows)),
    ],
    ids=["kink", "kinks on the grid", "jump", "overflow", "polynomial", "steep"],
)
def test_no_true_derivative_is_refused(function: Any, derivative: Any) -> None:
    def shown(rows: Any, xp: Any) -> Any:
        """an activation without fault"""
        return function(rows, xp)

    with ACTIVATIONS.restored():
        activation(derivative=lambda rows, xp: xp.astype(derivative(rows, xp), rows.dtype))(shown)
        assert "shown" in ACTIVATIONS


@pytest.mark.parametrize(
    ("name", "exact"),
    [
        ("tanh", lambda x: 1 / mpmath.cosh(x) ** 2),
        ("sigmoid", lambda x: mpmath.exp(-x) / (1 + mpmath.exp(-x)) ** 2),
    ],
)
def test_where_an_activation_is_flat_its_derivative_is_small_and_not_noise(
    name: str, exact: Callable[[Any], Any]
) -> None:
    """Where all units are there, a gradient is nothing else."""
    points = np.array([[0.3, 3.0, 18.0, 19.0, 25.0, 300.0]])
    points = np.concatenate([points, -points])
    with mpmath.workdps(40):
        expected = np.array([[float(exact(mpmath.mpf(float(x)))) for x in row] for row in points])
    found = np.asarray(ACTIVATIONS[name].slopes(points.copy(), array_api_compat.numpy))
    # exp of x rounds as x does, by up to 300 units in the last place here
    assert np.abs(found / expected - 1).max() <= 400 * np.finfo(float).eps
