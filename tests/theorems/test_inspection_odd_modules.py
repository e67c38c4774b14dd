"""Modules and batches of odd kinds: an answer, or one line, and never an exception of Torch's."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from theorems import inspect
from theorems.inspection.inputs import InspectionError

WIDTH = 16


def perceptron(layers: int = 2) -> nn.Sequential:
    parts = [part for _ in range(layers) for part in (nn.Linear(WIDTH, WIDTH), nn.Tanh())]
    return nn.Sequential(*parts)


def rows(n: int = 8) -> Tensor:
    return torch.randn(n, WIDTH, generator=torch.Generator().manual_seed(0))


class Mapped(nn.Module):
    """Maps each sample inside ``torch.func``."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.inner, self.head = (
            nn.Linear(WIDTH, WIDTH),
            perceptron(),
            nn.Linear(WIDTH, 3),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(torch.func.vmap(self.inner)(torch.relu(self.stem(x))))
        return out


class Padded(nn.Module):
    """A transformer that Torch computes a faster way where samples are padded."""

    def __init__(self) -> None:
        super().__init__()
        block = nn.TransformerEncoderLayer(WIDTH, 4, 32, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(block, 2), nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor, padding: Tensor) -> Tensor:
        out: Tensor = self.head(self.encoder(x, src_key_padding_mask=padding).mean(dim=1))
        return out


@dataclasses.dataclass(slots=True)
class Parts:
    values: list[Tensor]


@dataclasses.dataclass
class Result:
    parts: Parts
    name: str = "outputs"


class Nesting(nn.Module):
    """Gives what stands in a list in a dataclass in another."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.head = perceptron(), nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Result:
        return Result(Parts([self.head(self.inner(x))]))


class Giving(nn.Module):
    """Gives what a function makes of hidden features."""

    def __init__(self, gives: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.inner, self.gives = perceptron(), gives

    def forward(self, x: Tensor) -> object:
        return self.gives(self.inner(x))


class Listed(nn.Module):
    """Scales that are parameters in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.scales = nn.ParameterList(torch.randn(WIDTH) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        for scale in self.scales:
            x = torch.relu(x * scale)
        return x


def quantised(module: nn.Module) -> nn.Module:
    quantize: Any = torch.ao.quantization.quantize_dynamic
    given: nn.Module = quantize(module, {nn.Linear}, torch.qint8)
    return given


def traced(module: nn.Module) -> nn.Module:
    trace: Any = torch.jit.trace
    given: nn.Module = trace(module, rows())
    return given


def leave(_: Tensor) -> None:
    raise SystemExit(3)


def test_maps_inside_torch_func_are_named_and_not_judged() -> None:
    torch.manual_seed(0)
    found = inspect(Mapped(), rows())
    assert [layer.name for layer in found.layers] == ["stem", "head"]
    reasons = {item.name: item.reason for item in found.not_judged}
    assert "torch.func" in reasons["inner.0"]
    assert found.parameters.total == sum(item.numel() for item in Mapped().parameters())


def test_layers_of_a_transformer_are_seen_where_samples_are_padded() -> None:
    torch.manual_seed(0)
    padding = np.zeros((6, 5), dtype=bool)
    padding[2, 3:] = True
    before = torch.backends.mha.get_fastpath_enabled()
    found = inspect(Padded(), (np.random.default_rng(0).normal(size=(6, 5, WIDTH)), padding))
    assert torch.backends.mha.get_fastpath_enabled() is before
    judged = [layer.name for layer in found.layers[: found.hidden]]
    assert "encoder.layers.0.linear1" in judged
    assert "encoder.layers.1.linear1" in judged


def test_outputs_in_nested_dataclasses_are_found() -> None:
    torch.manual_seed(0)
    found = inspect(Nesting(), rows())
    assert [str(layer.role) for layer in found.layers] == [
        "hidden",
        "hidden",
        "maps to the outputs",
    ]


def test_a_module_without_values_is_refused() -> None:
    with pytest.raises(InspectionError, match="'meta'; load or initialise it"):
        inspect(perceptron().to("meta"), rows())


REFUSED: dict[str, tuple[Callable[[], nn.Module], Callable[[], Any], str]] = {
    "scripted": (lambda: torch.jit.script(perceptron()), rows, "compiled by torch.jit"),
    "traced": (
        lambda: traced(perceptron()),
        rows,
        r"^module .* '0' \(Linear\), like 1 more, is compiled .* before torch.jit$",
    ),
    "exported": (
        lambda: torch.export.export(perceptron(), (rows(),)).module(),
        rows,
        "is part of an exported graph, which calls no modules; inspect the network before",
    ),
    "quantised": (
        lambda: quantised(perceptron()),
        rows,
        "has quantised weights, which are not watched; inspect the network before it is",
    ),
    "parameters in a list": (
        Listed,
        rows,
        r"'scales' \(ParameterList\) is not called itself, and its parameters are used in the code",
    ),
    "sparse batch": (perceptron, lambda: rows().to_sparse(), "batch is sparse"),
    "nested outputs": (
        lambda: Giving(lambda y: torch.nested.nested_tensor([y[:5], y[5:]])),
        rows,
        "must give a dense tensor",
    ),
    "leaves": (lambda: Giving(leave), rows, "SystemExit: 3"),
    "no outputs": (lambda: Giving(lambda _: None), rows, "gives a NoneType"),
    "no width": (lambda: nn.Sequential(nn.Linear(WIDTH, 0), nn.Linear(0, 3)), rows, "no entries"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_looked_at_is_refused_in_one_line(name: str) -> None:
    build, batch, words = REFUSED[name]
    with pytest.raises(InspectionError, match=words) as refused:
        inspect(build(), batch())
    assert "\n" not in str(refused.value)


def test_numbers_of_eight_bits_are_taken() -> None:
    torch.manual_seed(0)
    network, batch = perceptron(), rows().to(torch.float8_e4m3fn)
    assert inspect(network, batch).batch == inspect(network, batch.float()).batch


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda: torch.export.export(perceptron(), (rows(),)), "before torch.export"),
        (lambda: perceptron().state_dict(), "an OrderedDict of weights; load them with"),
        (lambda: nn.ReLU, "is the class ReLU; give an instance"),
        (lambda: [perceptron()], "is a list; give a torch.nn.Module"),
    ],
)
def test_what_is_no_module_is_told_what_to_do(given: Callable[[], Any], words: str) -> None:
    with pytest.raises(TypeError, match=words) as refused:
        inspect(given(), rows())
    assert "\n" not in str(refused.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_quantised_weights_are_counted_among_what_is_not_judged() -> None:
    torch.manual_seed(0)
    after = quantised(perceptron())
    found = inspect(nn.Sequential(perceptron(), after), rows())
    entries = sum(item.numel() for item in perceptron().parameters())
    assert found.parameters.total == 2 * entries
    assert {item.kind for item in found.not_judged} >= {"Linear"}
    assert sum(item.parameters for item in found.not_judged) == found.parameters.not_judged


def test_graphs_that_call_their_modules_are_judged() -> None:
    torch.manual_seed(0)
    network = perceptron()
    known = inspect(network, rows())
    compiled: Any = torch.compile(network, backend="eager")
    for other in (torch.fx.symbolic_trace(network), compiled):
        found = inspect(other, rows())
        assert [layer.measures for layer in found.layers] == [
            layer.measures for layer in known.layers
        ]


def test_copies_of_one_layer_are_named() -> None:
    torch.manual_seed(0)
    batch = torch.randn(6, 5, WIDTH)
    found = inspect(nn.TransformerEncoder(encoder_layer(), 3, enable_nested_tensor=False), batch)
    said = dict(found.besides)["copies"]
    assert said.startswith("weights of 'layers.1', 'layers.2' are equal to those of 'layers.0' at")
    assert found.as_json()["equal"] == found.equal
    assert "copies" not in dict(
        inspect(nn.Sequential(encoder_layer(), encoder_layer()), batch).besides
    )
    one = nn.Linear(WIDTH, WIDTH, bias=False)
    twice = nn.Sequential(one, nn.ReLU(), copy.deepcopy(one), nn.ReLU())
    assert "'2' is equal to '0' at the start" in inspect(twice, rows()).recognised.sentence
    shared = nn.Sequential(one, nn.ReLU(), one, nn.ReLU())
    assert not inspect(shared, rows()).equal


def encoder_layer() -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(WIDTH, 4, 2 * WIDTH, batch_first=True)


class Way(nn.Module):
    """Maps ``a`` to ``c``, attention and what a function does with them."""

    def __init__(self, way: Callable[[Any, Tensor], Tensor], last: int = WIDTH) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, last)
        self.way = way

    def forward(self, x: Tensor) -> Tensor:
        return self.way(self, x)


class Attending(nn.Module):
    """Queries, and a key and a value of the module's own beside those of the tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.head = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 3)
        self.inner = nn.MultiheadAttention(
            WIDTH, 2, batch_first=True, add_bias_kv=True, kdim=WIDTH, vdim=WIDTH
        )

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.reshape(len(x), 4, 4).repeat(1, 1, 4)
        out: Tensor = self.head(self.inner(self.query(tokens), tokens, tokens)[0].mean(1))
        return out


WAYS: dict[str, tuple[Callable[[], nn.Module], set[str]]] = {
    "one number a sample": (
        lambda: Way(lambda own, x: own.b(torch.relu(own.a(x))).squeeze(1), last=1),
        {"a"},
    ),
    "probabilities of one class": (
        lambda: Way(lambda own, x: torch.sigmoid(own.b(torch.relu(own.a(x))).squeeze(1)), last=1),
        {"a"},
    ),
    "one number for all": (
        lambda: Way(lambda own, x: own.b(torch.relu(own.a(x))).square().mean()),
        {"a", "b"},
    ),
    "rows of halves": (
        lambda: Way(lambda own, x: own.b(torch.relu(own.a(x)).reshape(-1, 8).reshape(x.shape))),
        {"a"},
    ),
    "a key and a value more": (Attending, {"query"}),
}


@pytest.mark.parametrize("name", WAYS)
def test_odd_ways_are_followed(name: str) -> None:
    build, judged = WAYS[name]
    torch.manual_seed(0)
    module = build()
    found = inspect(module, rows())
    assert {layer.name for layer in found.layers[: found.hidden]} == judged
    assert found.parameters.total == sum(item.numel() for item in module.parameters())
