"""A third set of networks made sick on purpose, by whoever had not read the inspection's rules.

    python -m bench.inspection_alarms --networks 500 --sick bench/networks/third_sick.py
    python -m bench.networks.third_sick_measures --seeds 5

The second command checks that every kind is sick by measures that know nothing of the inspection's.

The kinds are what practitioners happen on: plain nets too deep or of the wrong scale, residual
branches nobody scaled, transformers that lose their tokens, normalisation in very deep stacks, dead
and saturated units, memories over long sequences, graphs smoothed away, own modules on their own
parameters. Sizes vary with the seed; some kinds are sick by a small factor, some by many orders.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

Sizes = random.Random
Pair = tuple[nn.Module, Tensor]
Build = Callable[[Sizes], Pair]
Part = Callable[[], nn.Module]
Initial = Callable[[Tensor], object]

SICK: dict[str, Callable[[int], tuple[nn.Module, Tensor, tuple[str, ...]]]] = {}
CLASSES = 10


def sick(name: str, *right: str) -> Callable[[Build], Build]:
    """Enters a kind: its name, and the states that would be right of it."""

    def enter(build: Build) -> Build:
        def at(seed: int) -> tuple[nn.Module, Tensor, tuple[str, ...]]:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                network, batch = build(Sizes(f"{name} {seed}"))
            return network, batch, right

        SICK[name] = at
        return build

    return enter


# Batches and weights


@cache
def all_digits() -> Tensor:
    """The digits of scikit-learn, standardised pixel by pixel: 1797 × 64."""
    from sklearn.datasets import load_digits

    pixels = torch.tensor(load_digits().data, dtype=torch.float32)
    return (pixels - pixels.mean(0)) / pixels.std(0).clamp(min=0.5)


def digits(samples: int) -> Tensor:
    return all_digits()[torch.randperm(len(all_digits()))[:samples]]


def some(sizes: Sizes) -> int:
    """A number of samples."""
    return sizes.randint(8, 48)


def rows(sizes: Sizes) -> Tensor:
    """Digits or noise, a sample a row."""
    if sizes.random() < 0.5:
        return digits(some(sizes))
    return torch.randn(some(sizes), sizes.randint(16, 96))


def images(sizes: Sizes) -> Tensor:
    """Digits or noise, as images."""
    samples, side = sizes.randint(8, 24), sizes.choice([8, 12, 16])
    if sizes.random() < 0.5:
        return digits(samples).reshape(-1, 1, 8, 8)
    return torch.randn(samples, 3, side, side)


def series(sizes: Sizes) -> Tensor:
    return torch.randn(some(sizes), sizes.randint(2, 8), sizes.randint(24, 64))


def volumes(sizes: Sizes) -> Tensor:
    return torch.randn(sizes.randint(8, 16), 1, 6, 6, 6)


def token_ids(sizes: Sizes, vocabulary: int) -> Tensor:
    return torch.randint(vocabulary, (sizes.randint(8, 24), sizes.randint(8, 24)))


def gaussian(low: float, high: float | None = None) -> Initial:
    """Weights of variance gain²/fan-in, each matrix of a gain between ``low`` and ``high``."""

    def initial(weight: Tensor) -> object:
        gain = low + ((high or low) - low) * float(torch.rand(()))
        return nn.init.normal_(weight, std=gain / math.sqrt(weight[0].numel()))

    return initial


def normal(std: float) -> Initial:
    return partial(nn.init.normal_, std=std)


HE = gaussian(math.sqrt(2))


def initialised(network: nn.Module, initial: Initial, bias: float = 0.0) -> nn.Module:
    """``network`` with its matrices and kernels drawn afresh and all its biases alike."""
    for name, parameter in network.named_parameters():
        if parameter.ndim >= 2:
            initial(parameter)
        elif name.endswith("bias"):
            nn.init.constant_(parameter, bias)
    return network


def drawn(initial: Initial, *shapes: tuple[int, ...]) -> list[Tensor]:
    weights = [torch.empty(shape) for shape in shapes]
    for weight in weights:
        initial(weight)
    return weights


def lower(layer: object, bias: float) -> None:
    """Sets a layer's biases."""
    assert isinstance(layer, nn.Linear | nn.Conv2d)
    assert layer.bias is not None
    nn.init.constant_(layer.bias, bias)


# Parts


class Mean(nn.Module):
    """The mean over an axis: of tokens, or of positions."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(self.axis)


class Plus(nn.Module):
    """x + branch(x), the branch along an axis of x."""

    def __init__(self, branch: nn.Module, axis: int = -1) -> None:
        super().__init__()
        self.branch, self.axis = branch, axis

    def forward(self, x: Tensor) -> Any:
        return x + self.branch(x.transpose(self.axis, -1)).transpose(self.axis, -1)


class Attention(nn.Module):
    """Softmax attention with one head, without a residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.three = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Any:
        query, key, value = self.three(x).chunk(3, dim=-1)
        weights = torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(x.shape[-1]), dim=-1)
        return self.out(weights @ value)


class MeanOnly(nn.Module):
    """Batch normalisation that subtracts the mean and divides the layer by one scale."""

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(0)
        return centred / centred.square().mean().sqrt()


class Last(nn.Module):
    """The last state of a recurrent net, through a head."""

    def __init__(self, memory: nn.RNNBase) -> None:
        super().__init__()
        self.memory = memory
        self.head = nn.Linear(memory.hidden_size, CLASSES)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.memory(x)[0][:, -1])


class Calls(nn.Module):
    """A function of the batch and of a list of own parameters."""

    def __init__(
        self, weights: Sequence[Tensor], call: Callable[[Tensor, nn.ParameterList], Tensor]
    ) -> None:
        super().__init__()
        self.weights = nn.ParameterList([nn.Parameter(weight) for weight in weights])
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(x, self.weights)


MAPS: tuple[Callable[[int, int], nn.Module], ...] = (
    nn.Linear,
    partial(nn.Conv1d, kernel_size=3, padding=1),
    partial(nn.Conv2d, kernel_size=3, padding=1),
    partial(nn.Conv3d, kernel_size=3, padding=1),
)


def chain(
    shape: Sequence[int],
    width: int,
    depth: int,
    activation: Part,
    norm: Callable[[int], nn.Module] | None = None,
) -> nn.Sequential:
    """A net without residuals for samples of ``shape``: linear layers or convolutions, each with
    its norm if there is one and its activation; the mean over positions; the head."""
    layers: list[nn.Module] = []
    for inputs in [shape[0], *[width] * (depth - 1)]:
        normed = [] if norm is None else [norm(width)]
        layers += [MAPS[len(shape) - 1](inputs, width), *normed, activation()]
    pooled = [nn.Flatten(2), Mean(2)] if len(shape) > 1 else []
    return nn.Sequential(*layers, *pooled, nn.Linear(width, CLASSES))


def chains(
    name: str,
    right: Sequence[str],
    depth: tuple[int, int],
    activation: Part,
    initial: Initial | None = None,
    *,
    width: tuple[int, int] = (48, 128),
    batch: Callable[[Sizes], Tensor] = rows,
    bias: float = 0.0,
    norm: Callable[[int], nn.Module] | None = None,
) -> None:
    """Enters a kind of `chain`; without ``initial`` its weights are as torch leaves them."""

    @sick(name, *right)
    def build(sizes: Sizes) -> Pair:
        samples = batch(sizes)
        dimensions = sizes.randint(*width), sizes.randint(*depth)
        network = chain(samples.shape[1:], *dimensions, activation, norm)
        return (network if initial is None else initialised(network, initial, bias)), samples


# Nets without residuals: too deep, or of the wrong scale

FADING = "collapsing", "vanishing"
GROWING = "exploding", "collapsing"
DYING = "dead", "collapsing", "vanishing"
SAME = partial(nn.init.constant_, val=0.01)
LEAKY = partial(nn.LeakyReLU, 0.1)
RANDOM = "clustering", "collapsing", "saturated", "vanishing"
GLOROT = nn.init.xavier_uniform_
convolutions = partial(chains, batch=images, width=(16, 32))

chains("ReLU, He, too deep", ["collapsing"], (120, 160), nn.ReLU, HE, width=(96, 128))
chains("leaky ReLU, He, far too deep", ["collapsing"], (120, 160), LEAKY, gaussian(1.407))
chains("ReLU as torch leaves it", FADING, (12, 30), nn.ReLU)
chains("tanh as torch leaves it", FADING, (14, 40), nn.Tanh)
chains("SELU as torch leaves it", FADING, (24, 40), nn.SELU)
chains("tanh, too large for its depth", ["exploding"], (22, 40), nn.Tanh, gaussian(2.5, 3.5))
chains("sigmoid, Glorot", FADING, (6, 14), nn.Sigmoid, GLOROT)
chains("softplus, He", ["collapsing"], (14, 30), nn.Softplus, HE)
chains("GELU, small weights of transformers", ["vanishing"], (5, 16), nn.GELU, normal(0.02))
chains("ReLU, too large", GROWING, (8, 20), nn.ReLU, gaussian(3, 8))
chains("SELU, too large", GROWING, (8, 20), nn.SELU, gaussian(3, 4))
chains("weights all zero", DYING, (2, 6), nn.ReLU, nn.init.zeros_)
chains("weights all alike", ["collapsing"], (2, 5), nn.Tanh, SAME)
chains("linear, narrow", FADING, (180, 240), nn.Identity, gaussian(1), width=(14, 24))
chains("tanh, standard normal", ["saturated", "exploding"], (3, 7), nn.Tanh, normal(1.5))
chains("hard tanh, too large", ["saturated", "exploding"], (3, 8), nn.Hardtanh, gaussian(4, 8))
chains("tanh, drawn by rand", RANDOM, (3, 8), nn.Tanh, nn.init.uniform_)
chains("ReLU, biases far below zero", DYING, (2, 6), nn.ReLU, HE, bias=-6.0)
convolutions("convolutions, ReLU, He, too deep", ["collapsing"], (36, 56), nn.ReLU, HE)
convolutions("convolutions as torch leaves them", FADING, (12, 24), nn.GELU)
convolutions("convolutions, too large", GROWING, (9, 16), nn.ReLU, gaussian(4, 6))
chains("convolutions along time", FADING, (12, 24), nn.ReLU, batch=series)
deep_volumes = partial(chains, batch=volumes, width=(6, 12))
deep_volumes("convolutions of volumes, too small", ["vanishing"], (4, 8), nn.ELU, gaussian(0.2))


@sick("sines of full frequency in every layer", "exploding")
def sines(sizes: Sizes) -> Pair:
    width, depth = sizes.randint(48, 128), sizes.randint(4, 7)

    def call(x: Tensor, weights: nn.ParameterList) -> Tensor:
        for weight in weights:
            x = torch.sin(30 * F.linear(x, weight))
        return x

    weights = drawn(gaussian(1), (width, 2), *[(width, width)] * depth)
    return Calls(weights, call), torch.rand(some(sizes), 2) * 2 - 1


@sick("own matrices in a list, too small", "vanishing")
def own_matrices(sizes: Sizes) -> Pair:
    batch, width = rows(sizes), sizes.randint(32, 96)
    shapes = (width, batch.shape[1]), *[(width, width)] * sizes.randint(9, 20)

    def call(x: Tensor, weights: nn.ParameterList) -> Tensor:
        for weight in weights:
            x = torch.tanh(F.linear(x, weight))
        return x

    return Calls(drawn(gaussian(0.3, 0.6), *shapes), call), batch


@sick("own kernels, too large", *GROWING)
def own_kernels(sizes: Sizes) -> Pair:
    batch, channels = images(sizes), sizes.randint(12, 24)
    inner = [(channels, channels, 3, 3)] * sizes.randint(10, 16)

    def call(x: Tensor, kernels: nn.ParameterList) -> Tensor:
        for kernel in kernels:
            x = F.relu(F.conv2d(x, kernel, padding=1))
        return x.mean((2, 3))

    return Calls(drawn(normal(0.35), (channels, batch.shape[1], 3, 3), *inner), call), batch


# Residual nets without normalisation


@sick("residual, He branches of full size", *GROWING)
def residual(sizes: Sizes) -> Pair:
    batch, width = rows(sizes), sizes.randint(48, 96)
    linear = partial(nn.Linear, width, width)
    blocks = [
        Plus(nn.Sequential(linear(), nn.ReLU(), linear())) for _ in range(sizes.randint(14, 30))
    ]
    ends = nn.Linear(batch.shape[1], width), nn.Linear(width, CLASSES)
    return initialised(nn.Sequential(ends[0], *blocks, ends[1]), HE), batch


@sick("residual convolutions, He branches of full size", *GROWING)
def residual_convolutions(sizes: Sizes) -> Pair:
    batch, channels = images(sizes), sizes.randint(12, 24)
    conv = partial(MAPS[2], channels, channels)
    blocks = [
        Plus(nn.Sequential(nn.ReLU(), conv(), nn.ReLU(), conv()))
        for _ in range(sizes.randint(32, 40))
    ]
    head = nn.Flatten(2), Mean(2), nn.Linear(channels, CLASSES)
    return initialised(nn.Sequential(MAPS[2](batch.shape[1], channels), *blocks, *head), HE), batch


@sick("one layer unrolled, its steps too large", *GROWING)
def unrolled(sizes: Sizes) -> Pair:
    batch, width, steps = rows(sizes), sizes.randint(32, 96), sizes.randint(14, 28)

    def call(x: Tensor, weights: nn.ParameterList) -> Tensor:
        x = F.linear(x, weights[0])
        for _ in range(steps):
            x = x + F.relu(F.linear(x, weights[1]))
        return x

    return Calls(drawn(HE, (width, batch.shape[1]), (width, width)), call), batch


@sick("mixer without norms, too large", *GROWING)
def mixer(sizes: Sizes) -> Pair:
    tokens, width = sizes.randint(8, 16), sizes.randint(24, 48)
    blocks: list[nn.Module] = []
    for _ in range(sizes.randint(8, 12)):
        for size, axis in ((tokens, 1), (width, 2)):
            branch = nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size)
            blocks.append(Plus(nn.Sequential(*branch), axis))
    network = nn.Sequential(*blocks, Mean(1), nn.Linear(width, CLASSES))
    return initialised(network, normal(0.3)), torch.randn(some(sizes), tokens, width)


# Tokens


@sick("attention alone, without residuals", "collapsing")
def attention_alone(sizes: Sizes) -> Pair:
    vocabulary, width = sizes.randint(20, 60), sizes.randint(24, 64)
    layers = [Attention(width) for _ in range(sizes.randint(3, 6))]
    network = nn.Sequential(nn.Embedding(vocabulary, width), *layers, nn.Linear(width, vocabulary))
    nn.init.normal_(network[0].weight)  # type: ignore[arg-type]
    for layer in layers:
        initialised(layer, gaussian(1))
    return network, token_ids(sizes, vocabulary)


@sick("transformer without residuals", "collapsing")
def transformer_without_residuals(sizes: Sizes) -> Pair:
    vocabulary, width = sizes.randint(20, 60), sizes.randint(24, 48)
    layers: list[nn.Module] = []
    for _ in range(sizes.randint(6, 12)):
        feed = nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        layers += [nn.LayerNorm(width), Attention(width), nn.LayerNorm(width), *feed]
    head = nn.LayerNorm(width), nn.Linear(width, vocabulary)
    network = nn.Sequential(nn.Embedding(vocabulary, width), *layers, *head)
    return network, token_ids(sizes, vocabulary)


@sick("transformer, Glorot, norms after the residuals, deep", "collapsing")
def transformer_post_norm(sizes: Sizes) -> Pair:
    vocabulary, width = sizes.randint(20, 60), 4 * sizes.randint(6, 12)
    layer = partial(nn.TransformerEncoderLayer, width, 4, 2 * width, dropout=0, batch_first=True)
    layers = [initialised(layer(), nn.init.xavier_uniform_) for _ in range(sizes.randint(36, 48))]
    ends = nn.Embedding(vocabulary, width), nn.Linear(width, vocabulary)
    return nn.Sequential(ends[0], *layers, ends[1]), token_ids(sizes, vocabulary)


@sick("embeddings all alike", "collapsing")
def embeddings_alike(sizes: Sizes) -> Pair:
    vocabulary, width = sizes.randint(20, 60), sizes.randint(16, 48)
    table = nn.Embedding(vocabulary, width)
    nn.init.constant_(table.weight, 1 / math.sqrt(width))
    hidden = nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
    network = nn.Sequential(table, *hidden, Mean(1), nn.Linear(width, CLASSES))
    return network, token_ids(sizes, vocabulary)


@sick("bag of words, embeddings too small", "vanishing")
def embeddings_small(sizes: Sizes) -> Pair:
    vocabulary, width = sizes.randint(40, 100), sizes.randint(24, 64)
    table = nn.Embedding(vocabulary, width)
    nn.init.normal_(table.weight, std=1e-4)
    hidden = nn.Linear(width, width, bias=False), nn.ReLU(), nn.Linear(width, CLASSES)
    return nn.Sequential(table, Mean(1), *hidden), token_ids(sizes, vocabulary)


# Normalisation

POSITIVE = partial(nn.init.uniform_, a=0.0, b=0.05)
ALIKE = "clustering", "collapsing"

chains("batch norm, ReLU, very deep", ["exploding"], (46, 64), nn.ReLU, norm=nn.BatchNorm1d)
convolutions(
    "batch norm, convolutions", [*ALIKE, "exploding"], (64, 80), nn.ReLU, norm=nn.BatchNorm2d
)
chains("batch norm, positive", ALIKE, (6, 16), nn.Tanh, POSITIVE, norm=nn.BatchNorm1d)
chains(
    "batch norm that only centres",
    [*ALIKE, "exploding"],
    (140, 200),
    nn.ReLU,
    HE,
    norm=lambda _: MeanOnly(),
)
chains("layer norm, ReLU, very deep", ["collapsing"], (60, 100), nn.ReLU, HE, norm=nn.LayerNorm)
convolutions(
    "group norm, very deep", ["collapsing"], (44, 60), nn.ReLU, HE, norm=partial(nn.GroupNorm, 1)
)


@sick("batch norm by hand, own matrices", "exploding")
def batch_norm_by_hand(sizes: Sizes) -> Pair:
    batch = rows(sizes)
    width = batch.shape[1]

    def call(x: Tensor, weights: nn.ParameterList) -> Tensor:
        for weight in weights:
            x = x @ weight
            x = torch.relu((x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt())
        return x

    weights = drawn(gaussian(1), *[(width, width)] * sizes.randint(50, 70))
    return Calls(weights, call), batch


@sick("weight norm of unit length, ReLU", *FADING)
def weight_norm(sizes: Sizes) -> Pair:
    batch = rows(sizes)
    network = chain(batch.shape[1:], sizes.randint(48, 96), sizes.randint(21, 32), nn.ReLU)
    for layer in list(network)[::2]:
        lower(layer, 0.0)
        parametrizations.weight_norm(layer)
        nn.init.ones_(layer.get_parameter("parametrizations.weight.original0"))
    return network, batch


@sick("spectral norm, deep", *FADING)
def spectral_norm(sizes: Sizes) -> Pair:
    batch = rows(sizes)
    network = chain(batch.shape[1:], sizes.randint(32, 64), sizes.randint(14, 24), nn.GELU)
    for layer in list(network)[::2]:
        parametrizations.spectral_norm(layer)
    return network, batch


# Dead and saturated units


@sick("ReLU, pixels as they are, weights mostly negative", *DYING)
def weights_below(sizes: Sizes) -> Pair:
    batch = digits(some(sizes)) - all_digits().amin(0)
    network = chain((64,), sizes.randint(32, 96), sizes.randint(2, 5), nn.ReLU)
    return initialised(network, partial(nn.init.normal_, mean=-0.2, std=0.1)), batch


@sick("two branches, one of them dead", "dead")
def one_branch_dead(sizes: Sizes) -> Pair:
    batch, width = rows(sizes), sizes.randint(32, 64)

    class Branches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Linear(batch.shape[1], width)
            self.left = nn.Linear(width, width)
            self.right = nn.Linear(width, width)
            self.head = nn.Linear(2 * width, CLASSES)

        def forward(self, x: Tensor) -> Any:
            x = torch.tanh(self.stem(x))
            return self.head(torch.cat([self.left(x).relu(), self.right(x).relu()], dim=1))

    network = Branches()
    lower(network.right, -6.0)
    return network, batch


@sick("autoencoder, the bottleneck's units dead", *DYING)
def dead_bottleneck(sizes: Sizes) -> Pair:
    widths = [64, sizes.randint(40, 60), sizes.randint(16, 32), sizes.randint(2, 4)]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths + widths[-2::-1]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    lower(layers[4], -4.0)
    return nn.Sequential(*layers[:-1]), digits(some(sizes))


@sick("encoder and decoder of images, the narrowest maps dead", *DYING)
def dead_maps(sizes: Sizes) -> Pair:
    channels = [3, sizes.randint(8, 12), sizes.randint(12, 20), sizes.randint(4, 8)]
    down: list[nn.Module] = []
    up: list[nn.Module] = []
    for outer, inner in pairwise(channels):
        down += [nn.Conv2d(outer, inner, 4, stride=2, padding=1), nn.ReLU()]
        up = [nn.ConvTranspose2d(inner, outer, 4, stride=2, padding=1), nn.ReLU(), *up]
    lower(down[-2], -3.0)
    return nn.Sequential(*down, *up[:-1]), torch.randn(sizes.randint(8, 16), 3, 32, 32)


@sick("sigmoid, pixels as they are", "saturated")
def sigmoid_saturated(sizes: Sizes) -> Pair:
    network = chain((64,), sizes.randint(32, 96), sizes.randint(2, 4), nn.Sigmoid)
    return initialised(network, normal(1)), 4 * (digits(some(sizes)) - all_digits().amin(0))


# Sequences, graphs, pairs


def cue_long_ago(memory: nn.RNNBase, sizes: Sizes, forget: float = 0.0) -> Pair:
    """Sequences that differ in their first four steps and are silent from there on; the second
    quarter or third of a cell's biases, of its forget or update gate, are ``forget``."""
    batch = torch.zeros(some(sizes), sizes.randint(30, 80), memory.input_size)
    batch[:, :4] = torch.randn(len(batch), 4, memory.input_size)
    for name, bias in memory.named_parameters():
        if forget and name.startswith("bias_hh"):
            nn.init.constant_(bias.detach()[memory.hidden_size : 2 * memory.hidden_size], forget)
    return Last(memory), batch


@sick("recurrent net, a cue long ago", *FADING)
def recurrent(sizes: Sizes) -> Pair:
    return cue_long_ago(nn.RNN(8, sizes.randint(24, 64), batch_first=True), sizes)


@sick("LSTM that forgets, a cue long ago", *FADING)
def forgetful(sizes: Sizes) -> Pair:
    memory = nn.LSTM(8, sizes.randint(24, 64), batch_first=True)
    return cue_long_ago(memory, sizes, -sizes.uniform(1, 3))


@sick("GRU of two layers that forgets, a cue long ago", *FADING)
def forgetful_gates(sizes: Sizes) -> Pair:
    memory = nn.GRU(8, sizes.randint(24, 64), num_layers=2, batch_first=True)
    return cue_long_ago(memory, sizes, -3.0)


@sick("recurrent net, ReLU, recurrent weights too large", *GROWING)
def recurrent_exploding(sizes: Sizes) -> Pair:
    memory = nn.RNN(8, sizes.randint(24, 64), nonlinearity="relu", batch_first=True)
    gaussian(sizes.uniform(2.4, 3))(memory.get_parameter("weight_hh_l0"))
    return Last(memory), torch.randn(some(sizes), sizes.randint(24, 60), 8)


def graph(nodes: int, likely: float) -> Tensor:
    """Adjacency of a random graph, with a ring through all nodes and every node its own."""
    edges = torch.rand(nodes, nodes).triu(1) > 1 - likely
    ring = torch.eye(nodes).roll(1, 0)
    return ((edges | edges.T) + ring + ring.T + torch.eye(nodes)).clamp(max=1)


@sick("graph convolutions, smoothed away", "collapsing")
def graph_smooth(sizes: Sizes) -> Pair:
    nodes, width = sizes.randint(16, 48), sizes.randint(24, 64)
    batch = torch.randn(nodes, sizes.randint(16, 48))
    adjacency = graph(nodes, 0.15)
    means = adjacency / adjacency.sum(1, keepdim=True)

    def call(x: Tensor, weights: nn.ParameterList) -> Tensor:
        for weight in weights:
            x = torch.relu(means.to(x.dtype) @ x @ weight)
        return x

    inner = [(width, width)] * sizes.randint(6, 20)
    return Calls(drawn(gaussian(1.6), (batch.shape[1], width), *inner), call), batch


@sick("graph convolutions that sum over neighbours", "exploding")
def graph_sums(sizes: Sizes) -> Pair:
    nodes, width = sizes.randint(12, 24), sizes.randint(24, 64)
    adjacency = graph(nodes, 0.3)

    def call(x: Tensor, weights: nn.ParameterList) -> Tensor:
        for weight in weights:
            x = torch.relu(adjacency.to(x.dtype) @ x @ weight)
        return x.mean(1)

    weights = drawn(HE, *[(width, width)] * sizes.randint(6, 10))
    return Calls(weights, call), torch.randn(some(sizes), nodes, width)


@sick("pairs through one encoder, too deep", *FADING)
def siamese(sizes: Sizes) -> Pair:
    class Pairs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = chain((64,), sizes.randint(32, 64), sizes.randint(14, 24), nn.Tanh)
            self.head = nn.Linear(2 * CLASSES, 1)

        def forward(self, pairs: Tensor) -> Any:
            left, right = self.encoder(pairs[:, 0]), self.encoder(pairs[:, 1])
            return self.head(torch.cat([(left - right).abs(), left * right], dim=1))

    samples = some(sizes)
    return Pairs(), torch.stack([digits(samples), digits(samples)], dim=1)


@sick("images and numbers together, both encoders too small", "vanishing")
def two_inputs(sizes: Sizes) -> Pair:
    numbers, width = sizes.randint(4, 12), sizes.randint(16, 48)

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.image = chain((1, 8, 8), width // 2, 4, nn.ReLU)
            self.numbers = chain((numbers,), width, 4, nn.ReLU)
            self.head = nn.Linear(2 * CLASSES, CLASSES)

        def forward(self, x: Tensor) -> Any:
            image = self.image(x[:, :64].reshape(-1, 1, 8, 8))
            return self.head(torch.cat([image, self.numbers(x[:, 64:])], dim=1))

    samples = some(sizes)
    batch = torch.cat([digits(samples), torch.randn(samples, numbers)], dim=1)
    return initialised(Two(), normal(0.01)), batch


@sick("answers in a dictionary, deep", *FADING)
def answers(sizes: Sizes) -> Pair:
    batch, width = rows(sizes), sizes.randint(32, 64)

    class Answers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = chain(batch.shape[1:], width, sizes.randint(12, 20), nn.GELU)[:-1]
            self.head = nn.Linear(width, CLASSES)

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            features = self.trunk(x)
            return {"logits": self.head(features), "features": features}

    return Answers(), batch
