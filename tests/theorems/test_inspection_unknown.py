"""What inspection does not know, it says: modules not judged, chains not followed, weights that are
not independent.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networks
import numpy as np
import pytest
import torch
import zoo
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from theorems import inspect
from theorems.cli import main
from theorems.inspection.inputs import InspectionError
from theorems.inspection.recognition import law_of, values_in_common
from theorems.inspection.report import Inspection

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*weight_norm.*:FutureWarning",
    "ignore:.*torch.jit.*:DeprecationWarning",
    "ignore:.*torch.jit.*:FutureWarning",
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


FLAT = torch.randn(12, 8, generator=seeded())
WIDE = torch.randn(12, 32, generator=seeded())
TOKENS = torch.randn(12, 5, 8, generator=seeded())
IMAGES = torch.randn(6, 1, 8, 8, generator=seeded())
NUMBERS = torch.randint(0, 11, (12, 5), generator=seeded())


def inspected(build: Callable[[], nn.Module], batch: Tensor = FLAT) -> Inspection:
    torch.manual_seed(1)
    return inspect(build(), batch)


def does(found: Inspection) -> dict[str, str]:
    return {layer.name: layer.does for layer in found.layers}


def reasons(found: Inspection) -> dict[str, str]:
    return {item.name: item.reason for item in found.not_judged}


def old_weight_norm(part: nn.Module) -> nn.Module:
    return torch.nn.utils.weight_norm(part)


def blocks(*makers: Callable[[], nn.Module], depth: int = 3) -> nn.Module:
    return zoo.chain_of(*makers, nn.ReLU, depth=depth)


# --- every module with parameters is judged or named ----------------------------------------------

ZOO: dict[str, tuple[Callable[[], nn.Module], Tensor, set[str], dict[str, str]]] = {
    # what is judged, and of what is not a part of the reason
    "two branches": (zoo.Branches, FLAT, {"a", "b1", "b2", "c"}, {"h": "maps to the outputs"}),
    "strided residual block": (
        zoo.StridedBlock,
        IMAGES,
        {"stem", "first", "second"},
        {"shortcut": "pooled", "head": "maps to the outputs"},
    ),
    "a map called six times": (zoo.Repeated, FLAT, {"map"}, {}),
    "attention": (
        zoo.Attention,
        TOKENS,
        {"mlp"},
        {"head": "maps to the outputs"},
    ),
    "attention of linear maps": (
        zoo.OwnAttention,
        TOKENS,
        {"q", "k", "v"},
        {"out": "maps to the outputs"},
    ),
    "LSTM": (lambda: zoo.Recurrent(nn.LSTM), TOKENS, {"before", "after"}, {}),
    "GRU": (lambda: zoo.Recurrent(nn.GRU), TOKENS, {"before", "after"}, {}),
    "recurrent cell": (zoo.Cell, FLAT, {"after"}, {}),
    "linear with an idle child": (
        lambda: blocks(lambda: zoo.WithChild(True)),
        FLAT,
        {"0", "2", "4"},
        {"0.more": "never called", "2.more": "never called", "4.more": "never called"},
    ),
    "linear with a working child": (
        lambda: blocks(zoo.linear, lambda: zoo.WithChild(False)),
        FLAT,
        {"0", "1.weight", "1.more", "3", "4.weight", "4.more", "6", "7.weight", "7.more"},
        {},
    ),
    "parameters of the network's own": (
        zoo.Functional,
        FLAT,
        {"first", "middle", "last"},
        {},
    ),
    "weights used without a call": (
        zoo.Borrowed,
        FLAT,
        {"first", "second.weight"},
        {"second": "never called"},
    ),
    "embedding": (
        lambda: zoo.Tokens(False),
        NUMBERS,
        {"mlp"},
        {"table": "looks rows up", "head": "maps to the outputs"},
    ),
    "tied embedding": (
        lambda: zoo.Tokens(True),
        NUMBERS,
        {"mlp"},
        {"table": "looks rows up", "head": "shared, and counted elsewhere"},
    ),
    "product of two inputs": (
        zoo.TwoInputs,
        FLAT,
        {"a", "b", "last"},
        {"product": "product of two inputs"},
    ),
    "idle modules": (
        zoo.Idle,
        FLAT,
        {"used"},
        {"dropped": "no output", "idle": "never called", "norm": "never called"},
    ),
    "features and logits": (
        zoo.FeaturesAndLogits,
        FLAT,
        {"body.0", "body.2", "body.4"},
        {"head": "maps to the outputs"},
    ),
    "samples folded": (
        zoo.Folded,
        torch.randn(12, 64, generator=seeded()),
        {"whole"},
        {"part": "first axis does not hold the 12 samples"},
    ),
    "dense": (zoo.Dense, FLAT, {f"layers.{k}" for k in range(4)}, {}),
    "norm first": (
        zoo.PreNorm,
        FLAT,
        {f"layers.{k}" for k in range(4)},
        {"norms.0": "acts on nothing"},
    ),
    "written in place": (zoo.InPlace, FLAT, {"a", "b", "c"}, {}),
    "weight norm": (
        lambda: zoo.weight_normed(parametrizations.weight_norm),
        FLAT,
        {"0", "2", "4", "6", "8", "10"},
        {},
    ),
    "old weight norm": (
        lambda: zoo.weight_normed(old_weight_norm),
        FLAT,
        {"0", "2", "4", "6", "8", "10"},
        {},
    ),
    "spectral norm": (zoo.spectral, FLAT, {"0", "2", "4", "6"}, {}),
    "traced": (
        lambda: blocks(zoo.linear, lambda: zoo.traced(zoo.linear()), depth=1),
        FLAT,
        {"0"},
        {"1": "compiled by torch.jit"},
    ),
    "scripted": (
        lambda: blocks(zoo.linear, lambda: torch.jit.script(zoo.linear()), depth=1),
        FLAT,
        {"0"},
        {"1": "compiled by torch.jit"},
    ),
    "layer norm of three axes": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.LayerNorm((8, 8, 8)),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(512, 3),
        ),
        IMAGES,
        {"0"},
        {"4": "maps to the outputs"},
    ),
    "norm of the batch first": (
        lambda: nn.Sequential(nn.BatchNorm1d(8), *networks.batchnorm(8, 3)),
        FLAT,
        {"1", "4", "7"},
        {"0": "acts on nothing", "10": "maps to the outputs"},
    ),
    "probabilities": (
        lambda: nn.Sequential(networks.batchnorm(32, 3), nn.Softmax(1)),
        WIDE,
        {"0.0", "0.3", "0.6"},
        {"0.9": "maps to the outputs"},
    ),
    "samples along the second of two equal axes": (
        zoo.TimeFirst,
        torch.randn(12, 12, 8, generator=seeded()),
        {"upright"},
        {"turned": "not the 12 samples"},
    ),
    "mixtures in the place of samples": (
        zoo.Turned,
        torch.randn(12, 12, generator=seeded()),
        {"first"},
        {"across": "not the 12 samples", "along": "not the 12 samples"},
    ),
    "as many samples as entries": (
        lambda: networks.batchnorm(12, 3),
        torch.randn(12, 12, generator=seeded()),
        {"0", "3", "6"},
        {"9": "maps to the outputs"},
    ),
    "data that leave Torch": (
        zoo.Away,
        FLAT,
        {"after"},
        {"before": "cannot be followed to an output"},
    ),
    "what is pooled": (
        zoo.Pooled,
        IMAGES,
        {"maps.0", "maps.1"},
        {"maps.2": "is pooled", "norms.2": "gives, which is pooled", "head": "maps to the outputs"},
    ),
    "a hook of the user's": (
        zoo.hooked,
        FLAT,
        {"0.weight", "2"},
        {},
    ),
    "attention over the samples": (
        lambda: nn.TransformerEncoderLayer(8, 2, 16),
        torch.randn(12, 5, 8, generator=seeded()),
        {"linear1", "linear2"},
        {
            "self_attn": "takes the first axis for time",
            "norm1": "acts on nothing",
            "self_attn.out_proj": "not called itself",
        },
    ),
    "transposed convolution": (
        lambda: nn.Sequential(
            nn.ConvTranspose2d(1, 4, 2), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU()
        ),
        IMAGES,
        {"0", "2"},
        {},
    ),
}


@pytest.mark.parametrize("name", ZOO)
def test_every_parameter_is_of_a_judged_layer_or_of_a_module_named(name: str) -> None:
    build, batch, judged, left_out = ZOO[name]
    torch.manual_seed(1)
    module = build()
    found = inspect(module, batch)
    assert {layer.name.partition(" ")[0] for layer in found.layers[: found.hidden]} == judged
    named = reasons(found)
    assert set(named) == set(left_out)
    assert all(part in named[name] for name, part in left_out.items()), named
    total = sum(parameter.numel() for parameter in module.parameters())
    counted = found.parameters
    assert (counted.total, counted.judged + counted.not_judged) == (total, total)
    assert counted.not_judged == sum(item.parameters for item in found.not_judged)
    missed = [item for item in found.not_judged if not item.output]
    share = f"{sum(item.parameters for item in missed)} of the {total} parameters"
    assert (share in found.verdict) == bool(missed)
    told = found.as_json()
    assert [item["name"] for item in told["not_judged"]] == list(named)
    assert told["parameters"] == {
        "total": total,
        "judged": counted.judged,
        "not_judged": counted.not_judged,
    }


@pytest.mark.parametrize(
    "build",
    [
        lambda: zoo.traced(zoo.linear()),
        lambda: nn.LSTM(8, 8, batch_first=True),
        lambda: nn.MultiheadAttention(8, 2),
    ],
)
def test_a_network_of_which_nothing_can_be_judged_is_refused_with_the_reason(
    build: Callable[[], nn.Module],
) -> None:
    class Alone(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = build()

        def forward(self, x: Tensor) -> Any:
            several = isinstance(self.inner, nn.MultiheadAttention)
            return self.inner(*[x] * 3) if several else self.inner(x)

    with pytest.raises(
        InspectionError, match=r"no layer with weights that can be judged.*'inner'.* is "
    ):
        inspected(Alone, TOKENS if build().__class__ is nn.LSTM else FLAT)


def test_what_has_no_shape_yet_is_refused_in_one_line() -> None:
    for part in (
        nn.LazyLinear(8),
        nn.LazyBatchNorm1d(affine=False),
        nn.Sequential(zoo.linear(), nn.LazyConv2d(3, 3)),
    ):
        with pytest.raises(InspectionError, match="no shape yet"):
            inspect(part, FLAT)


# --- what a layer does is followed ----------------------------------------------------------------


def test_branches_are_joined_where_they_are_and_nowhere_else() -> None:
    found = inspected(zoo.Branches)
    assert does(found) == {
        "a": "weights → relu",
        "b1": "weights → relu",
        "b2": "weights → relu → joined with 'c'",
        "c": "weights → relu → joined with 'b2'",
        "h": "weights",
    }
    assert "'b2'" in found.recognised.sentence
    assert "joined with 'c'" in found.recognised.sentence


def test_a_strided_block_does_not_give_its_input_to_its_second_map() -> None:
    torch.manual_seed(1)
    module = zoo.StridedBlock()
    seen: dict[str, Tensor] = {}
    module.second.register_forward_hook(
        lambda part, args, output: seen.update(second=output.detach().clone())
    )
    found = inspect(module, IMAGES)
    layer = next(item for item in found.layers if item.name == "second")
    assert layer.measures.width == seen["second"][0].numel()
    H = seen["second"].flatten(1).double().numpy()
    gram = H @ H.T
    assert layer.measures.effective_rank == pytest.approx(
        np.trace(gram) ** 2 / np.square(gram).sum()
    )
    assert "shortcut" in layer.does


class Skip(nn.Module):
    """y = x + W relu(V x), by an identity that is no module's."""

    def __init__(self) -> None:
        super().__init__()
        self.v, self.w = networks.linear(8, 8), networks.linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.w(torch.relu(self.v(x)))
        return out


def test_a_skip_over_two_maps_is_seen_and_is_no_chain_of_the_theory() -> None:
    found = inspected(lambda: nn.Sequential(*[Skip() for _ in range(3)]))
    assert does(found)["0.w"] == "weights → residual"
    assert found.recognised.chain is None


class Zero(nn.Module):
    """Two maps of the same batch, the second's effect multiplied by zero: values alone cannot tell."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = networks.linear(8, 8), networks.linear(8, 8), networks.linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.a(x))
        return torch.relu(self.c(torch.relu(x + 0 * self.b(x))))


def test_what_enters_is_read_off_the_flow_and_not_off_the_values() -> None:
    found = inspected(Zero)
    assert found.recognised.chain is None


NO_CHAIN: dict[str, tuple[Callable[[], nn.Module], Tensor, str]] = {
    "two branches": (zoo.Branches, FLAT, "joined with"),
    "dense": (zoo.Dense, FLAT, "joined with"),
    "written in place": (zoo.InPlace, FLAT, "joined with"),
    "changed batch": (zoo.Scaled, FLAT, "does not receive the batch as it is"),
    "normalised batch": (
        lambda: nn.Sequential(nn.BatchNorm1d(8), *networks.batchnorm(8, 3)),
        FLAT,
        "does not receive the batch as it is",
    ),
    "one Gaussian map six times": (lambda: zoo.Repeated(0.5), FLAT, "called more than once"),
    "one map six times": (zoo.Repeated, FLAT, "called more than once"),
    "shared weights": (zoo.shared_weights, FLAT, "share their weights"),
    "shared memory": (zoo.shared_memory, FLAT, "share their weights"),
    "copied weights": (zoo.copied, torch.randn(12, 16, generator=seeded()), "values in common"),
    "weights of low rank": (
        zoo.of_low_rank,
        torch.randn(12, 64, generator=seeded()),
        "do not look independent",
    ),
    "weight norm": (
        lambda: zoo.weight_normed(parametrizations.weight_norm),
        FLAT,
        "from other parameters",
    ),
    "old weight norm": (lambda: zoo.weight_normed(old_weight_norm), FLAT, "from other parameters"),
    "spectral norm": (zoo.spectral, FLAT, "from other parameters"),
    "bfloat16": (lambda: networks.batchnorm(32, 4).bfloat16(), WIDE, "in bfloat16"),
    "float16": (lambda: networks.vanilla(32, 4).half(), WIDE, "in float16"),
    "widened again": (lambda: networks.batchnorm(32, 4).bfloat16().float(), WIDE, "in bfloat16"),
    "tokens": (lambda: networks.stack(8, 3, nn.ReLU), TOKENS, "5 places"),
    "hidden LSTM": (lambda: zoo.Recurrent(nn.LSTM), TOKENS, "LSTM"),
}


@pytest.mark.parametrize("name", NO_CHAIN)
def test_a_chain_is_named_only_where_it_is_certain(name: str) -> None:
    build, batch, said = NO_CHAIN[name]
    found = inspected(build, batch)
    assert found.recognised.chain is None
    assert found.recognised.sentence.startswith("not recognised, because ")
    assert said in found.recognised.sentence
    seen = found.simulation
    assert isinstance(seen, str) or seen.stretch.differs or seen.stretch.layers < found.hidden


def test_plain_chains_are_still_recognised() -> None:
    cases: list[tuple[Callable[[], Any], Tensor]] = [
        (lambda: networks.batchnorm(32, 4), WIDE),
        (lambda: torch.compile(networks.vanilla(32, 4)), WIDE),
        (zoo.FeaturesAndLogits, FLAT),
    ]
    for build, batch in cases:
        found = inspected(build, batch)
        assert found.recognised.obstacle is None
        assert found.recognised.words.endswith("gaussian weights")


def test_a_network_that_was_trained_is_not_taken_for_one_at_initialisation() -> None:
    module = networks.batchnorm(32, 4)
    optimiser = torch.optim.SGD(module.parameters(), 0.1)
    module(WIDE).square().mean().backward()
    optimiser.step()
    assert "has seen 1 batch in training mode" in inspect(module, WIDE).recognised.sentence
    plain = networks.vanilla(32, 4)
    plain(WIDE).square().mean().backward()
    assert "has gradients" in inspect(plain, WIDE).recognised.sentence


def test_a_bias_is_subtracted_by_batchnorm_of_any_settings() -> None:
    def net(**settings: Any) -> nn.Module:
        return blocks(zoo.linear, lambda: nn.BatchNorm1d(8, **settings))

    found = inspected(lambda: net(eps=1e-3), 3 * FLAT)
    assert found.recognised.sentence == "weights → batchnorm → relu, uniform weights"
    large = inspected(lambda: net(eps=10.0)).recognised.sentence
    assert "bias" not in large
    assert "ε that is not small" in large
    still = blocks(zoo.linear, lambda: nn.LayerNorm(8))
    assert "bias that nothing subtracts" in inspect(still, FLAT).recognised.sentence


def test_in_low_precision_actions_are_named_by_their_modules() -> None:
    found = inspected(lambda: networks.batchnorm(32, 3).bfloat16(), WIDE)
    assert does(found)["0"] == "weights → BatchNorm1d → relu", (
        "and not recenter, which rounding hides"
    )


class Under(nn.Module):
    """A network that runs under a context, or code, of its own."""

    def __init__(self, run: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.net, self.run = networks.batchnorm(8, 3), run

    def forward(self, x: Tensor) -> Tensor:
        return self.run(self.net, x)


def with_gradients(net: nn.Module, x: Tensor) -> Tensor:
    with torch.enable_grad():
        out: Tensor = net(x.requires_grad_())
        return out


def without(net: nn.Module, x: Tensor) -> Tensor:
    with torch.inference_mode():
        out: Tensor = net(x)
        return out


def narrowed(net: nn.Module, x: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out: Tensor = net(x)
        return out


def unwatched(net: nn.Module, x: Tensor) -> Tensor:
    if torch._C._len_torch_dispatch_stack():
        raise RuntimeError("runs under no mode")
    out: Tensor = net(x)
    return out


@pytest.mark.parametrize("run", [with_gradients, without])
def test_contexts_of_the_networks_own_hide_nothing(
    run: Callable[[nn.Module, Tensor], Tensor],
) -> None:
    found = inspected(lambda: Under(run))
    assert found.recognised.sentence == "weights → batchnorm → relu, gaussian weights"


def test_rounding_that_the_network_asks_for_is_seen() -> None:
    assert "computes in bfloat16" in inspected(lambda: Under(narrowed)).recognised.sentence


def test_where_data_cannot_be_followed_layers_are_measured_and_nothing_is_recognised() -> None:
    found = inspected(lambda: Under(unwatched))
    assert (
        "data cannot be followed through it: RuntimeError: runs under no mode"
        in found.recognised.sentence
    )
    assert [layer.name for layer in found.layers] == ["net.0", "net.3", "net.6", "net.9"]
    assert set(does(found).values()) == {"weights → ?"}
    assert reasons(found)["net.1"] == "acts on what cannot be followed"
    assert found.parameters.judged + found.parameters.not_judged == found.parameters.total


# --- weights that are not independent draws -------------------------------------------------------


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed))


@pytest.mark.parametrize(
    ("change", "width"),
    [
        (lambda w: w.clone(), 8),
        (lambda w: -0.3 * w.T, 8),
        (lambda w: w[torch.randperm(len(w), generator=seeded())], 32),
        (lambda w: 0.8 * w + 0.6 * normal(*w.shape, seed=7), 32),
        (torch.linalg.pinv, 32),
        (lambda w: normal(len(w), 8, seed=7) @ normal(8, len(w), seed=8), 32),
        (
            lambda w: (
                normal(*w.shape, seed=7)
                + 0.4 * normal(len(w), 1, seed=8) @ normal(1, len(w), seed=9)
            ),
            96,
        ),
        (
            lambda w: normal(*w.shape, seed=7) / normal(*w.shape, seed=7).norm(dim=1, keepdim=True),
            32,
        ),
        (lambda w: normal(*w.shape, seed=7).softmax(dim=0), 32),
        (lambda w: torch.stack([normal(len(w), seed=7).roll(k) for k in range(len(w))]), 32),
        (lambda w: normal(*w.shape, seed=7) * (0.5 * normal(len(w), 1, seed=8)).exp(), 32),
    ],
)
def test_dependent_weights_are_no_law(change: Callable[[Tensor], Tensor], width: int) -> None:
    first = normal(width, width)
    assert law_of([("a", first), ("b", normal(width, width, seed=7))]) == ("gaussian", None)
    law, objection = law_of([("a", first), ("b", change(first))])
    assert law == ""
    assert objection


def test_values_in_common_are_counted_between_each_two_layers() -> None:
    rng = np.random.default_rng(0)
    marks = [rng.integers(0, 40, size=size).astype(np.uint32) for size in (0, 1, 20, 20, 60)]
    common = values_in_common(marks)
    assert [
        [len(np.intersect1d(one, other)) for other in marks] for one in marks
    ] == common.tolist()


def test_every_layer_counts_for_the_law_and_not_the_first_alone() -> None:
    layers = [(str(k), normal(512, 512, seed=k)) for k in range(3)]
    layers.append(("3", torch.rand(512, 512, generator=seeded(3)) - 0.5))
    assert "neither Gaussian nor uniform" in str(law_of(layers)[1])


@pytest.mark.parametrize("law", ["gaussian", "uniform"])
def test_independent_draws_are_told_otherwise_once_in_some_hundreds(law: str) -> None:
    def draw(seed: int) -> Tensor:
        return (
            normal(12, 12, seed=seed)
            if law == "gaussian"
            else 2 * torch.rand(12, 12, generator=seeded(seed)) - 1
        )

    told = [law_of([(str(k), draw(100 * seed + k)) for k in range(6)])[0] for seed in range(200)]
    assert told.count(law) >= 194, "of a binomial(200, 1/500), more failures have probability 4e-7"


# --- what goes in ---------------------------------------------------------------------------------


def test_batches_of_any_byte_order_type_and_layout_reach_the_network() -> None:
    module = networks.batchnorm(8, 3)
    plain = FLAT.double().numpy()
    known = inspect(module, plain).as_json()
    for batch in (
        plain.astype(">f8"),
        plain.astype(np.longdouble),
        np.asfortranarray(plain),
        plain[::-1][::-1],
        FLAT.T.contiguous().T,
    ):
        assert inspect(module, batch).as_json() == known
    folded = zoo.Folded()
    wide = normal(12, 64)
    assert inspect(folded, wide.T.contiguous().T).as_json() == inspect(folded, wide).as_json()


NUMBERS_IN_ROWS = FLAT.double().numpy()
HIDING = np.ma.masked_array(NUMBERS_IN_ROWS, NUMBERS_IN_ROWS > 2)
ODD: dict[str, tuple[Any, str]] = {
    "truth values": (NUMBERS_IN_ROWS > 0, "entries of type torch.bool; give real numbers"),
    "complex": (NUMBERS_IN_ROWS + 1j, "entries of type torch.complex128; give real numbers"),
    "one number": (np.array(3.0), r"has shape \(\); give \(n, ...\)"),
    "no samples": (np.zeros((0, 8)), r"has shape \(0, 8\)"),
    "no entries": (np.zeros((12, 0)), r"has shape \(12, 0\)"),
    "text": (np.full((12, 8), "a"), "entries of type <U1; give real numbers"),
    "objects": (NUMBERS_IN_ROWS.astype(object), "entries of type object; give real numbers"),
    "records": (np.zeros(12, dtype=[("a", "f8")]), "entries of type .*; give real numbers"),
    "moments": (np.zeros((12, 8), dtype="M8[s]"), r"entries of type datetime64\[s\]; give real"),
    "masked": (HIDING, "some are masked; fill them"),
    "nothing": (None, "entries of type object"),
    "ragged": ([[1.0, 2.0], [3.0]], "no array of numbers: .* inhomogeneous shape"),
    "quantised": (lambda: torch.quantize_per_tensor(FLAT, 0.1, 0, torch.qint8), "is quantised"),
    "without values": (FLAT.to("meta"), "has no values"),
}


@pytest.mark.filterwarnings("ignore:.*quantized tensor.*:UserWarning")
@pytest.mark.parametrize("name", ODD)
def test_odd_batches_are_refused_in_a_line(name: str) -> None:
    batch, words = ODD[name]
    with pytest.raises(InspectionError, match=words) as refused:
        inspect(networks.batchnorm(8, 3), batch() if callable(batch) else batch)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda array: array.astype(np.float16),
        lambda array: array.astype(">f4"),
        np.ma.masked_array,
        np.matrix,
        lambda array: array[::-1],
        lambda array: np.broadcast_to(array[:, :1], (12, 8)),
        np.ndarray.tolist,
        lambda array: torch.tensor(array, requires_grad=True),
    ],
)
@pytest.mark.filterwarnings("ignore:.*matrix:PendingDeprecationWarning")
def test_batches_that_are_odd_and_numbers_are_taken(change: Callable[[Any], Any]) -> None:
    module, batch = networks.batchnorm(8, 3), change(NUMBERS_IN_ROWS)
    plain = batch.detach() if isinstance(batch, Tensor) else np.asarray(batch, dtype=float)
    assert inspect(module, batch).as_json() == inspect(module, plain).as_json()


def test_numbers_that_the_networks_type_does_not_hold_are_said_to_be_too_large() -> None:
    with pytest.raises(
        InspectionError,
        match=r"up to 1e\+200, and the network's type torch.float32 ends at 3.4e\+38",
    ):
        inspect(networks.batchnorm(8, 3), np.full((12, 8), 1e200))
    assert inspect(networks.batchnorm(8, 3).double(), 1e100 * FLAT.double()).hidden == 3


# --- what is printed ------------------------------------------------------------------------------

MODEL = """
import sys
sys.path[:0] = [{folder!r}]
import torch, zoo
from torch import nn
def branches(): return zoo.Branches()
def folded(): return zoo.Folded()
def transformer():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        def forward(self, x): return self.encoder(x[:, None, :].repeat(1, 3, 1))
    return Reader()
def deep(): return zoo.chain_of(lambda: nn.Linear(8, 8), lambda: nn.BatchNorm1d(8), nn.ReLU, depth=30)
class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.a_rather_long_name_for_a_layer, self.idle = nn.Linear(8, 1200), nn.LSTM(300, 400)
    def forward(self, x): return torch.relu(self.a_rather_long_name_for_a_layer(x))
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(
        MODEL.format(folder=str(Path(zoo.__file__).parent)), encoding="utf-8"
    )
    np.save("big.npy", FLAT.double().numpy().astype(">f8"))
    return tmp_path


@pytest.mark.parametrize("columns", [120, 80, 60, 40, 25])
@pytest.mark.parametrize("build", ["branches", "deep", "Named"])
def test_no_number_is_cut_at_any_width(
    build: str,
    columns: int,
    model: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    main(["inspect", f"model.py:{build}", "--batch", "big.npy", "--json", "out.json"])
    printed = capsys.readouterr().out
    told = json.loads(Path("out.json").read_text(encoding="utf-8"))
    numbers = re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\d)", printed)
    shown = (
        told["layers"]
        if len(told["layers"]) < 24
        else [*told["layers"][:11], *told["layers"][-12:]]
    )
    for layer in shown:
        for value in (str(layer["width"]), f"{layer['gap']:.3f}", f"{layer['effective_rank']:.3f}"):
            assert value in numbers, (value, printed)
    for item in told["not_judged"]:
        assert str(item["parameters"]) in numbers
    assert str(told["parameters"]["total"]) in numbers
    if columns >= 40:
        assert max(map(len, printed.splitlines())) <= columns
    flat = re.sub(r"\s+", "", printed)
    assert all(item["name"] in flat for item in told["not_judged"])
    assert "…" not in printed or len(told["layers"]) >= 24


def test_names_fold_at_their_dots(
    model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    main(["inspect", "model.py:transformer", "--batch", "big.npy"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    place = next(k for k, line in enumerate(lines) if re.match(r" ?1  encoder\.\s", line))
    assert [line.split()[0] for line in lines[place + 1 : place + 3]] == ["layers.0.", "linear1"]


def test_digits_reach_a_network_that_views_them_as_other_rows(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    arguments = ["--batch", "digits", "--take", "12", "--json", "out.json"]
    assert main(["inspect", "model.py:folded", *arguments]) in {0, 1}
    told = json.loads(Path("out.json").read_text(encoding="utf-8"))
    assert [layer["name"] for layer in told["layers"]] == ["whole"]
    capsys.readouterr()


def test_nothing_is_cut_in_a_pipe(model: Path) -> None:
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from theorems.cli import main; raise SystemExit(main())",
            "inspect",
            "model.py:Named",
            "--batch",
            "big.npy",
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode in {0, 1}, run.stderr
    assert "1200" in run.stdout
    assert str(4 * 400 * (300 + 400 + 2)) in run.stdout


@pytest.mark.parametrize("scale", [1e-20, 1e-6, 1e-4, 1.0, 1e4, 1e15])
@pytest.mark.parametrize("shape", [(48, 48), (48, 20), (20, 48)])
def test_the_scale_of_weights_says_nothing_of_their_independence(
    scale: float, shape: tuple[int, int]
) -> None:
    assert law_of([("a", scale * normal(*shape, seed=5))]) == ("gaussian", None)
    turned = nn.init.orthogonal_(torch.empty(shape), generator=torch.Generator().manual_seed(6))
    assert "orthogonal weights" in str(law_of([("a", scale * turned)])[1])
