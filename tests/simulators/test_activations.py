"""Activations: what they declare is tried on points, and refused where a point refutes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import array_api_compat.numpy
import array_api_compat.torch
import numpy as np
import pytest

from simulators.activations import ACTIVATIONS, activation, by_autograd
from simulators.trials import is_homogeneous, is_odd, vanishes

LIBRARIES = pytest.mark.parametrize(
    "xp", [array_api_compat.numpy, array_api_compat.torch], ids=["numpy", "torch"]
)
SHIPPED = pytest.mark.parametrize("entry", ACTIVATIONS.values(), ids=list(ACTIVATIONS))


@LIBRARIES
@SHIPPED
def test_a_shipped_activation_is_what_it_declares(entry: Any, xp: Any) -> None:
    entry.require_as_told(xp)
    for found, declared in (
        (is_homogeneous, entry.homogeneous),
        (is_odd, entry.odd),
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
    false += [] if entry.odd else [replace(entry, odd=True)]
    for each in false:
        with pytest.raises(ValueError, match=f"activation '{entry.name}'"):
            each.require_as_told(xp)


@SHIPPED
def test_a_derivative_is_that_by_autograd(entry: Any) -> None:
    x = np.linspace(-5, 5, 200)[None]
    by_torch = by_autograd(entry.name, entry.function)(x, np)
    # A few operations, each good to an ulp or two of numbers up to 1.
    assert np.abs(entry.slopes(x, np) - by_torch).max() <= 8 * np.finfo(float).eps
    assert entry.slopes(x.astype("float32"), np).dtype == np.float32


def test_the_derivative_of_relu_at_0_is_0_as_in_torch() -> None:
    given = array_api_compat.torch.tensor([[0.0, -0.0]])
    for rows, xp in ((np.array([[0.0, -0.0]]), np), (given, array_api_compat.torch)):
        assert not ACTIVATIONS["relu"].slopes(rows, xp).any()


def test_without_a_derivative_torch_gives_it_and_leaves_the_rows() -> None:
    def swish(rows: Any, xp: Any) -> Any:
        rows *= 1 / (1 + xp.exp(-rows))
        return rows

    rows = np.array([[0.0, 1.0]])
    slopes = by_autograd("swish", swish)(rows, np)
    share = 1 / (1 + np.exp(-1))
    np.testing.assert_allclose(slopes, [[0.5, share + share * (1 - share)]], rtol=1e-12)
    assert (rows == [[0, 1]]).all()
    with pytest.raises(
        ValueError, match=r"'twisted' cannot be differentiated by Torch.*give deriv"
    ):
        by_autograd("twisted", lambda rows, xp: np.tanh(rows))(rows, np)


def _softmax(rows: Any, xp: Any) -> Any:
    shares = xp.exp(rows - xp.max(rows, axis=-1, keepdims=True))
    return shares / xp.sum(shares, axis=-1, keepdims=True)


REFUSED: dict[str, tuple[dict[str, Any], Callable[[Any, Any], Any], str]] = {
    "homogeneity": ({"homogeneous": True}, lambda rows, xp: xp.tanh(rows), "declared homogeneous"),
    "oddness": ({"odd": True}, lambda rows, xp: xp.cos(rows), "declared odd, but F"),
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
