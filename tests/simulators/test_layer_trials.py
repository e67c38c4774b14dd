"""What layers say of themselves is tried, and what a trial refutes is refused before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from simulators.chains import Chain
from simulators.layer_trials import contradictions, require_as_declared
from simulators.layers import (
    LAYERS,
    Activation,
    Bias,
    DrawingLayer,
    GroupNorm,
    LayerNorm,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    RMSNorm,
    RowLayer,
    ScaleResponse,
)
from simulators.simulate import simulate

WIDTH = 6
TRAITS = (
    "each_row",
    "each_sample",
    "turns_with_samples",
    "keeps_span",
    "odd",
    "recentres",
    "nonnegative",
    "keeps_nonnegative",
)
BATCH = np.random.default_rng(0).standard_normal((WIDTH, 3))


def with_fixed_weights(layer: DrawingLayer) -> RowLayer:
    """The layer with one draw of what it draws, and with its traits."""
    weights = np.random.default_rng(7).standard_normal((WIDTH, WIDTH))

    class Fixed(RowLayer, listed=False):
        def on_rows(self, rows: Any, xp: Any, width: int) -> Any:
            if isinstance(layer, Bias):
                return layer.added(rows, xp.asarray(weights[0].astype(rows.dtype)))
            image = rows @ xp.asarray(weights.T.astype(rows.dtype))
            return image + rows if isinstance(layer, Residual) else image

    fixed = Fixed()
    for trait in ("response", *TRAITS):
        setattr(fixed, trait, getattr(layer, trait))
    return fixed


SHIPPED: list[RowLayer | DrawingLayer] = [
    Linear(WIDTH),
    Residual(1.0),
    Bias(0.5),
    Recenter(),
    Rescale(),
    Rescale("variance"),
    Normalize(),
    LayerNorm(),
    RMSNorm(),
    GroupNorm(1),
    GroupNorm(2),
    *map(Activation, ("relu", "tanh", "identity", "gelu", "leaky_relu(0.2)", "sigmoid", np.sin)),
]

#: What does not hold of them; what else they leave out would hold.
FALSE: list[tuple[RowLayer, tuple[str, ...]]] = [
    (Recenter(), ("each_sample", "turns_with_samples", "odd", "nonnegative", "keeps_nonnegative")),
    (Rescale(), ("each_sample", "recentres", "nonnegative")),
    (Normalize(), ("each_row", "each_sample", "recentres")),
    (LayerNorm(), ("each_row", "turns_with_samples", "recentres")),
    (RMSNorm(), ("each_row", "turns_with_samples", "recentres", "nonnegative")),
    (GroupNorm(2), ("each_row", "turns_with_samples", "keeps_span", "recentres")),
    (Activation("relu"), ("turns_with_samples", "keeps_span", "odd", "recentres")),
    (Activation("tanh"), ("turns_with_samples", "keeps_span", "recentres", "nonnegative")),
]


def test_every_layer_of_the_package_is_tried() -> None:
    assert {kind.made_by for kind in LAYERS.values()} == {type(layer) for layer in SHIPPED}


@pytest.mark.parametrize("layer", SHIPPED, ids=repr)
def test_what_a_shipped_layer_says_of_itself_holds(layer: Any) -> None:
    tried = layer if isinstance(layer, RowLayer) else with_fixed_weights(layer)
    assert list(contradictions(tried, WIDTH)) == []


@pytest.mark.parametrize("trait", TRAITS[2:])
def test_an_offset_has_none_of_the_traits(trait: str) -> None:
    false = with_fixed_weights(Bias(0.5))
    setattr(false, trait, True)
    (said,) = contradictions(false, WIDTH)
    assert said.startswith(f"says {trait}, but")


@pytest.mark.parametrize(
    ("layer", "trait"),
    [(layer, trait) for layer, traits in FALSE for trait in traits],
    ids=lambda value: value if isinstance(value, str) else repr(value),
)
def test_a_trait_that_does_not_hold_is_refuted(layer: Any, trait: str) -> None:
    liar = type(f"{type(layer).__name__}Liar", (type(layer),), {}, listed=False)
    false = liar(
        **{name: value for name, value in vars(layer).items() if name in ("groups", "name")}
    )
    object.__setattr__(false, trait, True)
    (said,) = contradictions(false, WIDTH)
    assert said.startswith(f"says {trait}, but")


@pytest.mark.parametrize(
    ("layer", "response"),
    [
        (Recenter(), ScaleResponse.FREE),
        (Rescale(), ScaleResponse.LINEAR),
        (LayerNorm(), ScaleResponse.LINEAR),
        (Activation("relu"), ScaleResponse.FREE),
        (Activation("tanh"), ScaleResponse.LINEAR),
    ],
    ids=repr,
)
def test_a_response_to_scale_that_does_not_hold_is_refuted(layer: Any, response: Any) -> None:
    before = layer.response
    try:
        object.__setattr__(layer, "response", response)
        (said,) = contradictions(layer, WIDTH)
    finally:
        object.__setattr__(layer, "response", before)
    assert said.startswith(f"says response = ScaleResponse.{response.name}, but")


def own(on_rows: Callable[[Any, Any], Any], **traits: Any) -> RowLayer:
    @dataclass(frozen=True)
    class Own(RowLayer, listed=False):
        def on_rows(self, rows: Any, xp: Any, width: int) -> Any:
            return on_rows(rows, xp)

    for trait, holds in traits.items():
        setattr(Own, trait, holds)
    return Own()


@pytest.mark.parametrize("engine", ["auto", "dense"])
@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (own(lambda rows, xp: rows[..., :-1]), r"gives shape \(2, 4, 5\) for shape \(2, 4, 6\)"),
        (own(lambda rows, xp: xp.mean(rows, axis=-2)), "gives shape .* want the same shape"),
        (own(lambda rows, xp: xp.asarray(rows, dtype=xp.float64)), "gives float64 for float32"),
        (own(lambda rows, xp: 3), "gives an int for an array"),
        (own(lambda rows, xp: xp.nought(rows)), "fails on rows of shape .*: AttributeError"),
        (
            own(lambda rows, xp: rows / (1 + xp.max(xp.abs(rows))), each_row=True),
            "says each_row, but the image of a row depends on others; leave each_row out",
        ),
        (own(lambda rows, xp: rows * rows, response=ScaleResponse.LINEAR), "does not multiply it"),
        (own(lambda rows, xp: xp.abs(rows), odd=True), "says odd, but"),
    ],
)
def test_a_layer_that_is_not_what_it_says_is_refused_at_the_door(
    layer: RowLayer, words: str, engine: str
) -> None:
    chain = Chain((Linear(WIDTH), layer))
    with pytest.raises(ValueError, match=r"Own\(\): .*" + words) as caught:
        simulate(chain, BATCH, depth=1, engine=engine)
    assert "\n" not in str(caught.value)


def test_a_true_layer_of_ones_own_runs_and_is_tried_once() -> None:
    calls = []

    def halved(rows: Any, xp: Any) -> Any:
        calls.append(rows.shape)
        return rows / 2

    chain = Chain((Linear(WIDTH), own(halved, each_row=True, response=ScaleResponse.LINEAR)))
    for _ in range(2):
        simulate(chain, BATCH, depth=1)
    first = len(calls)
    simulate(chain, BATCH, depth=1)
    assert len(calls) - first < 5


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: GroupNorm(0), "groups=0 is below 1"),
        (
            lambda: simulate(Chain((Linear(WIDTH), GroupNorm(4))), BATCH, depth=1),
            r"GroupNorm\(groups=4\) receives 6 rows; want 4 equal blocks of 2 rows or more",
        ),
        (
            lambda: simulate(Chain((Linear(WIDTH), GroupNorm(6))), BATCH, depth=1),
            r"GroupNorm\(groups=6\) receives 6 rows",
        ),
    ],
)
def test_groups_that_do_not_fit_are_refused(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def norms(rows: Any) -> Any:
    return np.sqrt((rows * rows).mean(axis=-1))


@pytest.mark.parametrize("exponent", [-1000, -500, 0, 500, 1000])
@pytest.mark.parametrize("layer", [LayerNorm(), RMSNorm(), GroupNorm(2)], ids=repr)
def test_a_sample_is_normalised_at_any_scale_and_zero_stays_zero(layer: Any, exponent: int) -> None:
    import array_api_compat.numpy as xp

    rows = np.random.default_rng(1).standard_normal((2, 4, WIDTH)) + 0.5
    plain = layer.on_rows(rows.copy(), xp, WIDTH)
    scaled = layer.on_rows(np.ldexp(rows, exponent), xp, WIDTH)
    np.testing.assert_allclose(scaled, plain, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(norms(plain), 1.0, rtol=1e-14)
    rows[:, 1], rows[:, 2] = 0.0, 3.0
    image = layer.on_rows(rows.copy(), xp, WIDTH)
    assert (image[:, 1] == 0).all()
    if isinstance(layer, RMSNorm):
        np.testing.assert_allclose(image[:, 2], 1.0, rtol=1e-15)
    else:
        assert (image[:, 2] == 0).all()
        assert (
            abs(image[:, 0].reshape(2, getattr(layer, "groups", 1), -1).sum(axis=-1)).max() < 1e-14
        )


def test_layers_require_what_they_declare() -> None:
    for layer in SHIPPED:
        if isinstance(layer, RowLayer):
            require_as_declared(layer, WIDTH)


@dataclass(frozen=True)
class Root(RowLayer, listed=False):
    """√H, which has no value below 0"""

    each_row = each_sample = nonnegative = keeps_nonnegative = True

    def on_rows(self, rows: Any, xp: Any, width: int) -> Any:
        return xp.sqrt(rows)


@dataclass(frozen=True)
class Missing(RowLayer, listed=False):
    """NaN"""

    def on_rows(self, rows: Any, xp: Any, width: int) -> Any:
        return rows * float("nan")


@pytest.mark.parametrize("layer", [Root(), Missing()])
def test_a_layer_that_gives_no_number_is_refused_in_one_line(layer: RowLayer) -> None:
    with pytest.raises(ValueError, match=r"\(\): gives NaN for numbers of both signs") as refused:
        simulate(Chain((Linear(WIDTH), layer)), BATCH, depth=2)
    assert "\n" not in str(refused.value)


def test_a_layer_is_tried_on_what_the_layers_before_it_give() -> None:
    """Of √H after ReLU no entry is below 0; of NaN after it there is still none that is a number."""
    positive = Linear(WIDTH), Activation("relu")
    run = simulate(Chain((*positive, Root())), BATCH, depth=2, observables=("gram",))
    assert np.isfinite(run["gram"]).all()
    with pytest.raises(ValueError, match="gives NaN for numbers that are not negative"):
        simulate(Chain((*positive, Missing())), BATCH, depth=2)
