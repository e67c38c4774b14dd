"""Products with weights in a module's own code are judged as linear maps and convolutions are."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import own_code as zoo
import pytest
import torch
from torch import Tensor, nn

from theorems import inspect, watch_training
from theorems.inspection.forward_pass import watch
from theorems.inspection.report import Inspection

_seeded = torch.Generator().manual_seed(0)
FLAT = torch.randn(12, 8, generator=_seeded)
TOKENS = torch.randn(12, 5, 8, generator=_seeded)
IMAGES = torch.randn(6, 1, 8, 8, generator=_seeded)
BOTH = {"first", "second"}
HEAD = {"head": "maps to the outputs"}
#: what acts on rows or pictures of one place
BY_PLACES = {"baddbmm", "convolution", "transposed convolution"}

#: name: how it is built, its batch, what is judged, and of what is not a part of the reason
ZOO: dict[str, tuple[Callable[[], Any], Tensor, set[str], dict[str, str]]] = {
    "from the right": (zoo.own(lambda x, w: x @ w), FLAT, BOTH, {}),
    "transposed": (zoo.own(lambda x, w: x @ w.T), FLAT, BOTH, {}),
    "scaled": (zoo.own(lambda x, w: torch.nn.functional.linear(x, 0.1 * w)), FLAT, BOTH, {}),
    "reshaped": (zoo.own(lambda x, w: x @ w.view(8, 8), 64), FLAT, BOTH, {}),
    "a corner": (zoo.own(lambda x, w: x @ w[:8, :8], 16, 16), FLAT, BOTH, {}),
    "einsum without an arrow": (zoo.own(lambda x, w: torch.einsum("ni,io", x, w)), FLAT, BOTH, {}),
    "einsum of axes that nothing changes along": (
        zoo.own(lambda x, w: torch.einsum("...i,...io->...o", x, w[None, None])),
        TOKENS,
        BOTH,
        {},
    ),
    "of two factors": (
        zoo.own(lambda x, w: torch.einsum("ni,ri,ro->no", x, w, w)),
        FLAT,
        BOTH,
        {},
    ),
    "of each token": (zoo.own(lambda x, w: x @ w), TOKENS, BOTH, {}),
    "across tokens": (zoo.own(lambda x, w: w @ x, 5, 5), TOKENS, BOTH, {}),
    "for each head": (
        zoo.own(lambda x, w: (x.unflatten(-1, (2, 4)).mT[..., None, :] @ w).flatten(2), 4, 2, 2),
        TOKENS,
        BOTH,
        {},
    ),
    "images": (
        zoo.own(lambda x, w: torch.nn.functional.conv2d(x, w, padding=1), 1, 1, 3, 3),
        IMAGES,
        BOTH,
        {},
    ),
    "columns": (zoo.Columns, FLAT, {"first", "second"}, HEAD),
    "a list": (zoo.Listed, FLAT, {f"weights.{k}" for k in range(3)}, {}),
    "a stack": (zoo.Stacked, FLAT, {f"weights[{k}]" for k in range(4)}, HEAD),
    "parts of one": (zoo.Chunks, TOKENS, {"qkv[0:8]", "qkv[8:16]", "qkv[16:24]", "out"}, {}),
    "masked": (zoo.Masked, FLAT, {"weight"}, {}),
    "lengths and directions": (zoo.Lengths, FLAT, {"directions"}, {}),
    "low rank beside": (zoo.LowRank, FLAT, {"frozen"}, {}),
    "parametrised": (zoo.parametrised, FLAT, BOTH, {}),
    "convolutions and norms": (zoo.Normed, IMAGES, {"kernel"}, {"deeper": "is pooled", **HEAD}),
    "heads": (zoo.Heads, TOKENS, {"split", "join"}, {}),
    "a cell": (zoo.Step, TOKENS, {"into", "state"}, HEAD),
    "mixtures by the batch": (
        zoo.Mixtures,
        FLAT,
        {"first", "shares"},
        {"experts": "several things that depend on the batch"},
    ),
    "made by the batch": (
        zoo.Made,
        FLAT,
        {"first"},
        {"basis": "several things that depend on the batch"},
    ),
    "others for each sample": (zoo.Each, FLAT, {"first"}, {"second": "other weights for each"}),
    "a bias from outside": (
        zoo.Outside,
        FLAT,
        {"inner.first", "inner.second"},
        {"Outside": "its own code"},
    ),
    "across the samples": (zoo.Across, FLAT, {"first"}, {"mix": "along the samples"}),
    "no parameters, and a gain": (zoo.Random, FLAT, {"last"}, {"Random": "its own code"}),
    "added in one call": (zoo.Unlike, FLAT, {"first"}, {"second": "adds something of the batch"}),
    "complex": (zoo.Turning, FLAT, {"first"}, {"turn": "complex64, not real"}),
    "modules that multiply inside": (zoo.Cells, TOKENS, {"map"}, HEAD),
}


def inspected(build: Callable[[], nn.Module], batch: Tensor) -> Inspection:
    torch.manual_seed(1)
    return inspect(build(), batch)


def judged_layers(found: Inspection) -> set[str]:
    return {layer.name.partition(" ")[0] for layer in found.layers[: found.hidden]}


@pytest.mark.parametrize("name", ZOO)
def test_every_parameter_is_judged_or_named_with_the_reason(name: str) -> None:
    build, batch, judged, left_out = ZOO[name]
    found = inspected(build, batch)
    assert judged_layers(found) == judged
    assert "cannot be followed" not in found.recognised.sentence
    named = {item.name: item.reason for item in found.not_judged}
    assert set(named) == set(left_out)
    assert all(part in named[key] for key, part in left_out.items()), named
    total = sum(parameter.numel() for parameter in build().parameters())
    assert found.parameters.total == found.parameters.judged + found.parameters.not_judged == total
    assert not isinstance(found.gradients, str)
    assert all(norm > 0 for norm in found.gradients.norms)


def test_columns_are_turned_whatever_their_number() -> None:
    found = inspected(zoo.Columns, FLAT)
    assert [layer.does for layer in found.layers] == [
        "weights → relu",
        "weights → tanh → residual",
        "weights",
    ]
    for samples, judged in ((8, BOTH), (6, {"first", "second"})):
        square = inspected(zoo.Columns, FLAT[:samples])
        assert judged_layers(square) == judged, samples


# --- the same as by modules -----------------------------------------------------------------------


def numbers(found: Inspection, name: str) -> list[float]:
    """Of each layer rank, norm, gradient norm, and shares of saturated and dead units, these where
    what comes out has the shape that the map gives.
    """
    columns = found.columns()
    names = ["effective_rank", "log_norm", "gradient_norm", "saturated"]
    names += [] if name in BY_PLACES else ["dead"]
    return [float(str(value)) for name in names for value in columns[name]]


def of_modules(scale: float = 1.0) -> tuple[nn.Module, Inspection]:
    torch.manual_seed(1)
    module = zoo.chain(None)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(scale)
    return module, inspect(module, FLAT)


@pytest.mark.parametrize("name", zoo.BIASED)
def test_the_same_is_measured_as_of_modules_that_do_the_same(name: str) -> None:
    module, known = of_modules()
    network = zoo.chain(zoo.BIASED[name])
    network.load_state_dict(module.state_dict())
    found = inspect(network, FLAT)
    assert [layer.name for layer in found.layers] == ["0.weight", "2.weight", "4.weight"]
    assert [layer.does for layer in found.layers] == [layer.does for layer in known.layers]
    assert numbers(found, name) == pytest.approx(numbers(known, name), rel=1e-4)
    assert numbers(found, name) != pytest.approx(numbers(of_modules(1.01)[1], name), rel=1e-4), (
        "others differ"
    )
    assert found.parameters == known.parameters
    assert found.verdict == known.verdict


@pytest.mark.parametrize("name", zoo.BIASED)
def test_weights_and_biases_are_those_of_a_module(name: str) -> None:
    torch.manual_seed(1)
    network = zoo.chain(zoo.BIASED[name])
    for place, part in zip(watch(network, FLAT, "batch").places, network[::2], strict=True):
        assert place.weight is not None
        assert place.bias is not None
        weight = place.weight.flatten(1)
        if name == "transposed convolution":  # modules have inputs first there
            weight = weight.T
        assert torch.equal(weight, part.weight)
        assert torch.equal(place.bias.flatten(), part.bias)
        assert not place.computed
        product = place.received.reshape(12, 8) @ weight.T + part.bias
        assert torch.allclose(product, place.gave.reshape(12, 8), atol=1e-5)


def test_weights_of_several_factors_are_their_product() -> None:
    def twice(x: Tensor, w: Tensor) -> Tensor:
        return torch.addmm(torch.zeros(8), torch.einsum("ni,ri,ro->no", x, w, w), w, alpha=2)

    network = zoo.own(twice)()
    places = watch(network, FLAT, "batch").places
    first = network.get_parameter("first").detach()
    wanted = first.T @ first, 2 * first.T
    for place, weight in zip(places, wanted, strict=False):
        assert place.weight is not None
        assert torch.allclose(place.weight, weight.T if place is places[0] else weight)
        assert place.computed
        assert torch.allclose(place.received @ place.weight.T, place.gave, atol=1e-5)


@pytest.mark.parametrize("name", sorted(set(zoo.BIASED) - BY_PLACES))
def test_a_chain_is_recognised_in_a_modules_own_code(name: str) -> None:
    torch.manual_seed(1)
    network = zoo.chain(zoo.BIASED[name], nn.ReLU)
    for key, parameter in network.named_parameters():
        nn.init.normal_(parameter) if key.endswith("weight") else nn.init.zeros_(parameter)
    seen = inspect(network, FLAT).recognised
    assert seen.sentence == "weights → relu, gaussian weights"


def test_the_same_is_predicted_and_watched_in_training() -> None:
    torch.manual_seed(1)
    module = zoo.chain(None, nn.ReLU)
    network = zoo.chain(zoo.BIASED["matmul"], nn.ReLU)
    network.load_state_dict(module.state_dict())
    lines = []
    for each in (module, network):
        simulation = inspect(each, FLAT[:6]).simulation
        assert not isinstance(simulation, str)
        lines.append({line.quantity: line.measured for line in simulation.lines})
    assert lines[1] == pytest.approx(lines[0], rel=1e-4)
    assert "gradient factor a layer" in lines[1]
    with watch_training(network, FLAT) as seen:
        with torch.no_grad():
            network.get_parameter("2.weight").mul_(1.5)
        seen.step()
    assert seen.snapshots[-1].moved == pytest.approx((0.0, 0.5, 0.0))


def test_a_weight_used_twice_is_shared_as_that_of_a_module_is() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = zoo.drawn(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(torch.relu(x @ self.weight) @ self.weight)

    found = inspected(Twice, FLAT)
    assert [layer.name for layer in found.layers] == ["weight", "weight (call 2)"]
    assert "called more than once" in found.recognised.sentence


def test_a_weight_of_two_modules_is_named_by_each_and_shared() -> None:
    torch.manual_seed(1)
    network = zoo.chain(zoo.BIASED["linear"])
    network[2].weight = network[0].weight
    found = inspect(network, FLAT)
    assert [layer.name for layer in found.layers] == ["0.weight", "2.weight", "4.weight"]
    assert "share their weights" in found.recognised.sentence


def test_a_weight_used_both_ways_is_shared() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encode, self.decode = nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)

        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(torch.relu(self.encode(x)) @ self.encode.weight)

    found = inspected(Tied, FLAT)
    assert judged_layers(found) == {"encode", "encode.weight"}
    assert "share their weights" in found.recognised.sentence
    assert [item.name for item in found.not_judged] == ["decode"]


def test_weights_that_are_computed_are_no_draws() -> None:
    for build in (zoo.Masked, zoo.Lengths, zoo.LowRank, zoo.parametrised):
        assert "from other parameters" in inspected(build, FLAT).recognised.sentence


def test_the_network_is_left_as_it_was() -> None:
    torch.manual_seed(1)
    module = zoo.chain(zoo.BIASED["bias in place"])
    before = {key: value.clone() for key, value in module.state_dict().items()}
    inspect(module, FLAT)
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert not any(
        part._forward_hooks or part._forward_pre_hooks or part._forward_hooks_always_called
        for part in module.modules()
    )


def test_gradients_of_other_initialisations_are_of_the_same_places() -> None:
    one, *others = (zoo.chain(zoo.BIASED["matmul"]) for _ in range(3))
    found = inspect(one, FLAT, others=others)
    assert not isinstance(found.gradients, str)
    assert found.gradients.over == "3 initialisations"


def test_exceptions_that_modules_catch_do_not_move_the_sites() -> None:
    class Failing(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise ValueError("not today")

    class Catching(zoo.Biased):
        def __init__(self) -> None:
            super().__init__(zoo.BIASED["matmul"])
            self.failing = Failing()

        def forward(self, x: Tensor) -> Tensor:
            with contextlib.suppress(ValueError):
                x = self.failing(x)
            return super().forward(x)

    torch.manual_seed(1)
    network = nn.Sequential(Catching(), nn.Tanh(), Catching(), nn.Tanh())
    assert [layer.name for layer in inspect(network, FLAT).layers] == ["0.weight", "2.weight"]
    sites = [place.product.site for place in watch(network, FLAT, "batch").places if place.product]
    assert sites == [("0", 0), ("2", 0)]


def test_where_data_cannot_be_followed_own_products_are_named_as_not_judged() -> None:
    class Unwatched(zoo.Biased):
        def __init__(self) -> None:
            super().__init__(zoo.BIASED["matmul"])
            self.first = nn.Linear(8, 8)

        def forward(self, x: Tensor) -> Tensor:
            if torch._C._len_torch_dispatch_stack():
                raise RuntimeError("runs under no mode")
            return super().forward(self.first(x))

    found = inspected(Unwatched, FLAT)
    assert judged_layers(found) == {"first"}
    assert {item.name: item.reason for item in found.not_judged} == {
        "Unwatched": "uses its parameters in its own code, which is no layer that is known"
    }
