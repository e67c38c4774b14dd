"""Chains: construction, widths, and how they respond to scale."""

import math

import numpy as np
import pytest

from simulators.chains import (
    CHAINS,
    Chain,
    batchnorm_chain,
    named_chain,
    read_chain,
    recenter_relu_chain,
    rescale_activation_chain,
    rescale_chain,
    residual_chain,
    vanilla_chain,
)
from simulators.layers import (
    Activation,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    ScaleResponse,
)


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ((), ValueError, "draw no weights"),
        ((Recenter(), Rescale()), ValueError, "draw no weights"),
        (Linear(4), TypeError, "not a sequence of layers"),
        (7, TypeError, "layers=7"),
        (
            (Linear(4), np.ones((9, 9))),
            TypeError,
            r"^layers contain array[^\n]*, which is no layer",
        ),
        ((Linear(4), "relu"), TypeError, "'relu', which is no layer"),
    ],
)
def test_bad_chains_are_refused(layers, error, message):
    with pytest.raises(error, match=message):
        Chain(layers)


def test_a_list_of_layers_is_accepted():
    assert Chain([Linear(4), Rescale()]) == rescale_chain(4)


@pytest.mark.parametrize(
    "make", [rescale_chain, recenter_relu_chain, batchnorm_chain, vanilla_chain]
)
@pytest.mark.parametrize(("width", "error"), [(0, ValueError), (True, TypeError), (2.5, TypeError)])
def test_named_chains_refuse_bad_widths(make, width, error):
    with pytest.raises(error, match="width="):
        make(width)
    assert make(3).widths(5)[-1] == 3


@pytest.mark.parametrize("gamma", [-0.1, math.nan])
def test_residual_chain_refuses_bad_gamma(gamma):
    with pytest.raises(ValueError, match="gamma="):
        residual_chain(4, gamma)


@pytest.mark.parametrize("gamma", ["0.1", None, np.array([0.1, 0.2]), 1j])
def test_residual_chain_refuses_what_is_no_number(gamma):
    with pytest.raises(TypeError, match=r"gamma=.* is not a real number; give a γ ≥ 0"):
        residual_chain(4, gamma)


def test_residual_chain_takes_numpy_scalars():
    assert residual_chain(np.int64(3), np.float32(0.5)) == residual_chain(3, 0.5)
    assert residual_chain(3, np.int64(1)) == residual_chain(3, 1.0)
    assert residual_chain(3, np.float32("inf")) == residual_chain(3, math.inf)


@pytest.mark.parametrize("gamma", [0.1, math.inf])
@pytest.mark.parametrize(
    ("width", "error", "message"),
    [
        (1, ValueError, "width=1: .*; a rank needs 2 rows or more"),
        (0, ValueError, "width=0"),
        (True, TypeError, "width=True"),
    ],
)
def test_a_rank_needs_two_rows(width, gamma, error, message):
    with pytest.raises(error, match=message):
        residual_chain(width, gamma)


def test_unknown_activation_suggests_the_nearest():
    for make in (batchnorm_chain, vanilla_chain, rescale_activation_chain):
        with pytest.raises(ValueError, match="did you mean 'tanh'"):
            make(4, "tahn")


def test_residual_chain_insists_on_its_width_unless_gamma_is_infinite():
    with pytest.raises(ValueError, match="receives 5 rows"):
        residual_chain(4, 0.5).widths(5)
    assert residual_chain(4, 0.5).widths(4) == (4, 4)
    assert residual_chain(4, math.inf).widths(5) == (4, 4)


def test_widths_follow_the_layers():
    chain = Chain((Activation("tanh"), Linear(6), Residual(1.0), Linear(3)))
    assert chain.widths(9) == (9, 6, 6, 3)


@pytest.mark.parametrize(
    ("chain", "scaling"),
    [
        (rescale_chain(4), ScaleResponse.FREE),
        (residual_chain(4, 0.1), ScaleResponse.FREE),
        (recenter_relu_chain(4), ScaleResponse.FREE),
        (batchnorm_chain(4, "tanh"), ScaleResponse.FREE),
        (rescale_activation_chain(4, "relu"), ScaleResponse.FREE),
        (rescale_activation_chain(4, "tanh"), ScaleResponse.BOUND),
        (vanilla_chain(4), ScaleResponse.LINEAR),
        (vanilla_chain(4, "relu"), ScaleResponse.LINEAR),
        (vanilla_chain(4, "sin"), ScaleResponse.BOUND),
        (Chain((Linear(4), Normalize(), Activation("tanh"))), ScaleResponse.FREE),
        (Chain((Linear(4), Activation("tanh"), Normalize())), ScaleResponse.BOUND),
    ],
)
def test_scaling_is_what_the_block_does(chain, scaling):
    assert chain.scaling is scaling


@pytest.mark.parametrize(
    ("layers", "forgotten"),
    [
        ((Residual(0.1), Rescale()), (True, False)),
        ((Residual(0.1), Recenter(), Activation("relu"), Normalize()), (True, True, True, False)),
        ((Linear(4), Rescale(), Residual(0.1)), (True, False, False)),
        ((Residual(0.1), Activation("tanh"), Rescale()), (False, True, False)),
        ((Residual(0.1), Residual(0.2), Rescale()), (False, True, False)),
        (
            (Residual(0.1), Rescale(), Residual(0.2), Recenter(), Rescale()),
            (True, False, True, True, False),
        ),
        ((Residual(0.1), Rescale(), Activation("tanh")), (True, False, False)),
        ((Linear(4), Activation("relu")), (False, False)),
    ],
)
def test_a_factor_is_forgotten_if_the_block_takes_it_out_before_it_can_count(layers, forgotten):
    assert Chain(layers).forgotten_factors == forgotten


def test_chains_print_as_they_are_written():
    names = {
        cls.__name__: cls
        for cls in (Chain, Linear, Recenter, Rescale, Activation, Normalize, Residual)
    }
    for chain in (batchnorm_chain(4), recenter_relu_chain(np.int32(5)), residual_chain(3, 0.5)):
        assert eval(repr(chain), names) == chain


def test_what_a_chain_takes_beside_its_width_is_told_by_its_default():
    """Texts where that is one, numbers where it is one or there is none; what is neither stays."""
    with CHAINS.restored():

        @named_chain()
        def drawn_chain(width, strength, kind="wide", scale=1.0, options=None, loud=False):
            """WH, scaled"""
            assert (options, loud) == (None, False)
            return Chain((Linear(width, std=strength * scale), *[Rescale()] * (kind == "wide")))

        drawn = CHAINS["drawn"]
        assert [part.name for part in drawn.parameters] == ["strength", "kind", "scale"]
        assert drawn.numbers == ("strength", "scale")
        assert drawn.spelling == "drawn(0.1, wide, 1.0)"
        assert len(drawn(8, {"strength": 2, "scale": 1}).layers) == 2
        (std,) = (layer.std for layer in read_chain("drawn(3, narrow, 2)").build(8).layers)
        assert std == 6.0
        with pytest.raises(ValueError, match="'x' is not a number"):
            read_chain("drawn(x, narrow)")


@pytest.mark.parametrize(
    "text", ["residual_chain(0.1)", "residual(0.1)", " residual_chain ( 0.1 )"]
)
def test_the_name_of_the_function_names_the_chain_with_arguments_too(text):
    assert read_chain(text).name == "residual(0.1)"
    assert read_chain("rescale_chain").name == "rescale"
