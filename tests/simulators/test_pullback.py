"""Gradients through layers: closed forms against Torch's autograd and against finite differences."""

import dataclasses
import math

import array_api_compat.numpy
import array_api_compat.torch
import numpy as np
import pytest
import torch

from simulators import Chain, simulate
from simulators.layer_trials import require_as_declared
from simulators.layers import (
    LAYERS,
    Activation,
    GroupNorm,
    LayerNorm,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    RMSNorm,
    RowLayer,
)

XP = array_api_compat.numpy
N, WIDTH = 3, 5


def rows_with(change):
    rows = np.random.default_rng(0).standard_normal((2, N, WIDTH)) + 0.3
    change(rows)
    return rows


def plain(rows):
    pass


def zero_row(rows):
    rows[..., 2] = 0.0


def equal_samples(rows):
    rows[:, 1] = rows[:, 0]


def all_zero_replica(rows):
    rows[1] = 0.0


def scales(rows):
    """Rows of every scale side by side."""
    rows *= np.array([1e-300, 1e-12, 1.0, 1e12, 1e300])


def tiny(rows):
    rows *= 1e-200


INPUTS = {
    change.__name__: rows_with(change) for change in (plain, zero_row, equal_samples, scales, tiny)
} | {"a replica of zeros": rows_with(all_zero_replica)}
LAYERS_OF_EACH_KIND = [
    Recenter(),
    Rescale("frobenius"),
    Rescale("variance"),
    Normalize(),
    LayerNorm(),
    RMSNorm(),
    GroupNorm(1),
    *(Activation(name) for name in ("relu", "tanh", "sin", "sigmoid", "identity")),
]
GRADIENT = np.random.default_rng(1).standard_normal((2, N, WIDTH))


def closed(layer, rows, gradient=GRADIENT, xp=XP):
    return layer.pullback(rows.copy(), gradient.copy(), xp, WIDTH)


def by_autograd(layer, rows):
    return RowLayer.pullback(layer, rows.copy(), GRADIENT.copy(), XP, WIDTH)


def image(layer, rows):
    return layer.on_rows(rows.copy(), XP, WIDTH)


def test_every_layer_of_the_package_is_looked_at():
    shipped = {kind.made_by for kind in LAYERS.values() if issubclass(kind.made_by, RowLayer)}
    assert shipped == {type(layer) for layer in LAYERS_OF_EACH_KIND}


@pytest.mark.parametrize("layer", LAYERS_OF_EACH_KIND, ids=repr)
@pytest.mark.parametrize("name", ["plain", "equal_samples"])
def test_a_closed_form_is_what_autograd_finds(layer, name):
    found, expected = closed(layer, INPUTS[name]), by_autograd(layer, INPUTS[name])
    # Sums of 15 terms, each good to some roundings.
    assert np.abs(found - expected).max() <= 64 * np.finfo(float).eps * np.abs(expected).max()


def differences_agree(layer, name):
    """⟨G, J v⟩ = ⟨Jᵀ G, v⟩, J v by central differences relative to the scale of each row."""
    rows = INPUTS[name]
    unit = np.abs(rows).max(axis=-2, keepdims=True)
    if isinstance(layer, Normalize):
        unit = np.full_like(unit, unit.max())
    step = 1e-5
    for seed in range(4):
        v = np.random.default_rng(seed).standard_normal(rows.shape)
        ahead, behind = (image(layer, rows + sign * step * unit * v) for sign in (1, -1))
        expected = GRADIENT * (ahead - behind) / (2 * step)
        found = closed(layer, rows) * unit * v
        size = np.abs(expected).sum() + np.abs(found).sum()
        assert abs(found.sum() - expected.sum()) <= 1e-7 * size


@pytest.mark.parametrize("layer", LAYERS_OF_EACH_KIND, ids=repr)
@pytest.mark.parametrize("name", ["plain", "equal_samples"])
def test_a_pullback_is_the_adjoint_of_finite_differences(layer, name):
    differences_agree(layer, name)


@pytest.mark.parametrize("layer", LAYERS_OF_EACH_KIND[:4], ids=repr)
@pytest.mark.parametrize("name", ["scales", "tiny"])
def test_it_is_so_for_rows_of_any_scale_where_the_layer_knows_none(layer, name):
    differences_agree(layer, name)


@pytest.mark.parametrize("layer", [Rescale(), Rescale("variance")], ids=repr)
def test_a_row_of_zeros_moves_nothing_and_its_neighbours_keep_their_gradients(layer):
    found, beside = closed(layer, INPUTS["zero_row"]), closed(layer, INPUTS["plain"])
    assert (found[..., 2] == 0).all()
    kept = [0, 1, 3, 4]
    limit = 8 * np.finfo(float).eps * np.abs(beside).max()
    assert np.abs(found[..., kept] - beside[..., kept]).max() <= limit


def test_a_representation_of_zeros_moves_nothing():
    found = closed(Normalize(), INPUTS["a replica of zeros"])
    assert (found[1] == 0).all()
    assert (found[0] != 0).all()


@pytest.mark.parametrize("layer", LAYERS_OF_EACH_KIND, ids=repr)
@pytest.mark.parametrize("name", INPUTS)
def test_image_and_pullback_together_are_the_two(layer, name):
    rows = INPUTS[name].copy()
    found, back = layer.with_pullback(rows, XP, WIDTH)
    np.testing.assert_array_equal(rows, INPUTS[name])
    np.testing.assert_array_equal(found, image(layer, rows))
    np.testing.assert_array_equal(back(GRADIENT.copy()), closed(layer, INPUTS[name]))


@pytest.mark.parametrize("exponent", [-1000, -500, 0, 500, 1000])
@pytest.mark.parametrize("layer", [Rescale(), Normalize()], ids=repr)
def test_a_gradient_scales_inversely_with_what_is_normalised(layer, exponent):
    """At any scale with full relative accuracy, as long as it can be represented itself."""
    plain = closed(layer, INPUTS["plain"])
    scaled = closed(layer, np.ldexp(INPUTS["plain"], exponent))
    difference = np.ldexp(scaled, exponent) - plain
    assert np.abs(difference).max() <= 16 * np.finfo(float).eps * np.abs(plain).max()


@pytest.mark.parametrize(
    "layer", [layer for layer in LAYERS_OF_EACH_KIND if layer.each_row], ids=repr
)
def test_each_row_layers_pull_back_any_rows_by_themselves(layer):
    whole = closed(layer, INPUTS["scales"])
    for some in (slice(0, 2), slice(2, 5)):
        rows, gradient = INPUTS["scales"][..., some].copy(), GRADIENT[..., some].copy()
        part = layer.pullback(rows, gradient, XP, WIDTH)
        limit = 8 * np.finfo(float).eps * np.abs(whole[..., some]).max(axis=-2, keepdims=True)
        assert (np.abs(part - whole[..., some]) <= limit).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", LAYERS_OF_EACH_KIND, ids=repr)
def test_both_libraries_give_the_same_in_the_dtype_of_the_rows(layer, dtype):
    rows, gradient = (x.astype(dtype) for x in (INPUTS["plain"], GRADIENT))
    found = closed(layer, rows, gradient)
    tensor = layer.pullback(
        torch.from_numpy(rows.copy()),
        torch.from_numpy(gradient.copy()),
        array_api_compat.torch,
        WIDTH,
    )
    assert (found.dtype, tensor.dtype) == (rows.dtype, getattr(torch, dtype))
    limit = 64 * np.finfo(dtype).eps * np.abs(found).max()
    assert np.abs(found - tensor.numpy()).max() <= limit


def layer_of(on_rows):
    """An unlisted layer of someone else that says nothing of gradients."""

    @dataclasses.dataclass(frozen=True)
    class Own(RowLayer, listed=False):
        def on_rows(self, rows, xp, width):
            return on_rows(rows, xp)

    return Own()


@pytest.mark.parametrize(
    ("on_rows", "derivative"),
    [
        (lambda rows, xp: rows * xp.abs(rows), lambda x: 2 * np.abs(x)),
        (lambda rows, xp: xp.exp(-rows), lambda x: -np.exp(-x)),
        (lambda rows, xp: xp.asarray(rows, copy=True), np.ones_like),
    ],
    ids=["product", "exp", "copy"],
)
def test_a_layer_that_says_nothing_of_gradients_has_them_by_autograd(on_rows, derivative):
    rows = INPUTS["plain"]
    found = closed(layer_of(on_rows), rows)
    expected = GRADIENT * derivative(rows)
    assert np.abs(found - expected).max() <= 8 * np.finfo(float).eps * np.abs(expected).max()


def in_place(rows, xp):
    found = xp.exp(rows)
    found *= rows
    rows += found
    return rows


@pytest.mark.parametrize(
    ("on_rows", "error", "message"),
    [
        (in_place, TypeError, "Own.*: Torch finds no gradient .*write it out of place"),
        (lambda rows, xp: np.tanh(rows), TypeError, "functions of xp alone"),
        (lambda rows, xp: rows.detach(), TypeError, "it leaves Torch"),
        (lambda rows, xp: rows.detach().numpy(), TypeError, "it leaves Torch"),
        (lambda rows, xp: rows[..., :1], ValueError, r"gave shape \(2, 3, 1\)"),
        (lambda rows, xp: xp.astype(rows, xp.float32), ValueError, "dtype torch.float32"),
    ],
    ids=["writes in place", "NumPy", "detached", "NumPy array", "another shape", "another dtype"],
)
def test_what_autograd_cannot_follow_is_refused_in_one_line(on_rows, error, message):
    with pytest.raises(error, match=message) as refusal:
        closed(layer_of(on_rows), INPUTS["plain"])
    assert "\n" not in str(refusal.value)


def test_a_wrong_closed_form_would_be_seen():
    """The test of finite differences, fed the gradient of a layer without the projection."""

    class Wrong(Rescale, listed=False):
        def pullback(self, rows, gradient, xp, width):
            return gradient * self.factors(rows, xp, width)

    with pytest.raises(AssertionError):
        differences_agree(Wrong(), "plain")


@pytest.mark.parametrize(
    ("pullback", "message"),
    [
        (lambda rows, gradient, xp, width: gradient, "gives the slope .* quotients give"),
        (lambda rows, gradient, xp, width: math.nan * gradient, "gives the slope nan"),
        (lambda rows, gradient, xp, width: gradient[..., :1], "pullback gives .*want the same"),
        (lambda rows, gradient, xp, width: xp.astype(gradient, xp.float32), "float32 for"),
    ],
    ids=["wrong", "NaN", "another shape", "another dtype"],
)
def test_a_pullback_of_ones_own_that_difference_quotients_refute_is_refused(pullback, message):
    class Square(RowLayer, listed=False):
        def on_rows(self, rows, xp, width):
            return rows * rows

    class Own(Square, listed=False):
        def pullback(self, rows, gradient, xp, width):
            return pullback(rows, gradient, xp, width)

    class Right(Square, listed=False):
        def pullback(self, rows, gradient, xp, width):
            return 2 * rows * gradient

    for sound in (Square(), Right()):
        require_as_declared(sound, 6)
    with pytest.raises(ValueError, match=message):
        require_as_declared(Own(), 6)


@pytest.mark.parametrize("name", ["pullback", "pushforward"])
@pytest.mark.parametrize("error", [KeyError("oops"), ValueError("two\nlines")], ids=repr)
def test_a_derivative_of_ones_own_that_raises_is_refused_in_one_line(name, error):
    def broken(self, rows, given, xp, width):
        raise error

    twice = {"on_rows": lambda self, rows, xp, width: 2 * rows, "__repr__": lambda self: "Twice()"}
    own = type("Twice", (RowLayer,), {**twice, name: broken}, listed=False)()
    said = rf"Twice\(\): its {name} fails on rows of shape .*: {type(error).__name__}: "
    with pytest.raises(ValueError, match=said) as refusal:
        simulate(Chain((Linear(6), own)), np.eye(6, 2), depth=1, observables=("cosine",))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["pullback", "pushforward"])
def test_a_layer_may_have_no_derivative(name):
    def missing(self, rows, given, xp, width):
        raise NotImplementedError

    twice = {"on_rows": lambda self, rows, xp, width: 2 * rows}
    require_as_declared(type("Twice", (RowLayer,), {**twice, name: missing}, listed=False)(), 6)


@pytest.mark.parametrize("layer", LAYERS_OF_EACH_KIND, ids=repr)
def test_the_closed_forms_of_the_package_pass_that_trial(layer):
    require_as_declared(layer, 6)
