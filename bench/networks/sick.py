"""Sick networks, by which missed alarms of `theorems inspect` are counted.

    python -m bench.networks.sick --seeds 5
    python -m bench.inspection_alarms --networks 500 --sick bench/networks/sick.py --out alarms.json

Written by someone who had read nothing of the detector. `SICK` maps fifteen kinds to functions of a
seed; each returns a network at its initialisation, a batch, and the states that would be right. The
first command above prints what `measured` finds in each, without the detector.

That a network is sick is told by a measure of its own, in double precision. A draw counts as sick
if one of these holds, and another is drawn in its place if none does:

- samples, or tokens of a sample, have a mean \\|cosine\\| of `COLLINEAR` or more at the last hidden
  layer, while those of the batch have one of at most `SPREAD` (unless the batch is what is wrong);
- a sample is `FAR` times as far from the others' mean as these are, in the quadratic mean;
- the gradient's norm at the first hidden layer is `FACTOR` times that at the last, or one part in
  `FACTOR` of it; for `nn.LSTM` and `nn.RNN`, at the first and the last step of the input;
- a share `DEAD` or more of some ReLU's units is zero on the whole batch.

A right state is any that the measure finds, with thresholds (`LENIENT`) that are less strict, so
that a second sickness of a lesser degree is no wrong answer.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SICK", "Sickness", "drawn", "main", "measured", "printed"]

#: What makes a network sick: a cosine, a distance, a factor of gradients, a share of units.
COLLINEAR, FAR, FACTOR, DEAD = 0.99, 10.0, 1e3, 0.9
STRICT = (COLLINEAR, FAR, FACTOR, DEAD)
#: Another state than that is no wrong answer from here on, in the same order.
LENIENT = (0.9, 5.0, 30.0, 0.8)
#: The batch's own mean |cosine| is no more than this.
SPREAD = 0.9
#: Draws of a seed, before a kind is told too healthy.
DRAWS = 200

T = TypeVar("T")
Case = tuple[nn.Module, Tensor]


@dataclass(frozen=True)
class Sickness:
    """What the measure finds in a network on a batch.

    Example:
        >>> Sickness(0.1, 0.999, 0.0, 1.7, 1e-5, 0.1).states()
        ('collapsing', 'vanishing')
    """

    batch: float
    samples: float
    tokens: float
    far: float
    gradient: float
    dead: float

    def sick(self) -> set[str]:
        """What is past its threshold; of cosines, only those that the batch did not have."""
        found = set(self.states(STRICT, alike=False))
        return found if self.batch <= SPREAD else found - {"collapsing"}

    def states(
        self, thresholds: tuple[float, float, float, float] = LENIENT, *, alike: bool = True
    ) -> tuple[str, ...]:
        """The answers that are right, and what comes with them or is called alike."""
        cosine, far, factor, dead = thresholds
        found = []
        if max(self.samples, self.tokens) >= cosine:
            found += ["collapsing"]
        if self.far >= far:
            found += ["outlier", *(["clustering", "collapsing"] if alike else [])]
        if self.gradient >= factor:
            found += ["exploding"]
        if self.gradient <= 1 / factor:
            found += ["vanishing"]
        if self.dead >= dead:
            found += ["dead", *(["collapsing", "vanishing"] if alike else [])]
        return tuple(dict.fromkeys(found))


def measured(network: nn.Module, batch: Tensor, *, within: bool = False) -> Sickness:
    """Cosines, gradients and dead units, of a copy in double precision.

    Args:
        network: Its stages are hidden layers, as `_stages` finds them.
        batch: Samples, sequences of numbers of tokens, or images.
        within: Gradients at any hidden layer or step of the input are compared with the last, in
            place of those at the first alone; the one furthest from a factor of 1 is told.
    """
    network = deepcopy(network).double()
    inputs = batch.double().requires_grad_() if batch.is_floating_point() else batch
    hidden: list[Tensor] = []
    last: list[Tensor] = []
    dead = [0.0]

    def keep(module: nn.Module, args: object, output: Tensor) -> None:
        output.retain_grad()
        hidden.append(output)

    def keep_last(module: nn.Module, args: tuple[Tensor, ...]) -> None:
        last.append(args[0].detach())

    def count(module: nn.Module, args: object, output: Tensor) -> None:
        features = output.detach()
        tokens = features.ndim == 3
        features = features.reshape(-1, features.shape[-1]) if tokens else features.flatten(1)
        dead.append(float((features <= 0).all(0).double().mean()))

    stages, readout = _stages(network)
    for stage in stages:
        stage.register_forward_hook(keep)
    readout.register_forward_pre_hook(keep_last)
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(count)
    output = network(inputs)
    generator = torch.Generator().manual_seed(0)
    cotangent = torch.randn(output.shape, generator=generator, dtype=output.dtype)
    torch.autograd.backward(output, cotangent)
    if hidden:
        gradients = [layer.grad for layer in hidden]
    else:
        assert inputs.grad is not None
        gradients = list(inputs.grad.unbind(1))
    *earlier, final = (0.0 if each is None else float(each.norm()) for each in gradients)
    factors = [_factor(norm, final) for norm in (earlier if within else earlier[:1])]
    rows = last[0].flatten(1)
    sequences = hidden[-1].detach() if hidden and hidden[-1].ndim == 3 else None
    tokens = 0.0
    if sequences is not None:
        tokens = sum(_mean(_cosines(sample)) for sample in sequences) / len(sequences)
    return Sickness(
        batch=_mean(_cosines(batch.double().flatten(1))) if batch.is_floating_point() else 0.0,
        samples=_mean(_cosines(rows)),
        tokens=tokens,
        far=_far(rows),
        gradient=max(factors, key=_furthest, default=1.0),
        dead=max(dead),
    )


def _factor(first: float, final: float) -> float:
    """How many times the last gradient an earlier one is."""
    if final:
        return first / final
    return math.inf if first else 1.0


def _furthest(factor: float) -> float:
    """How far a factor is from 1, up or down."""
    return abs(math.log(factor)) if 0 < factor < math.inf else math.inf


def _stages(network: nn.Module) -> tuple[list[nn.Module], nn.Module]:
    """The modules whose outputs are hidden layers, and that which reads the last of them.

    A network may name them itself, as `places`, the reader last.
    """
    places = getattr(network, "places", None)
    if isinstance(places, tuple):
        *hidden, readout = (network.get_submodule(name) for name in places)
        return hidden, readout
    named = dict(network.named_children())
    if "recurrent" in named:
        return [], named["readout"]
    if "stages" in named:
        return list(named["stages"].children()), named["readout"]
    *stages, readout = network.children()
    return stages, readout


def _cosines(rows: Tensor) -> Tensor:
    """|Cosines| of all pairs; a row that is zero is told collinear with all."""
    norms = rows.norm(dim=1, keepdim=True)
    unit = rows / norms.clamp(min=torch.finfo(rows.dtype).tiny)
    zero = norms[:, 0] == 0
    return torch.where(zero[:, None] | zero[None, :], 1.0, (unit @ unit.T).abs())


def _mean(cosines: Tensor) -> float:
    """The mean off the diagonal."""
    n = len(cosines)
    return float((cosines.sum() - cosines.diagonal().sum()) / (n * (n - 1)))


def _far(rows: Tensor) -> float:
    """How far the farthest row is from the mean of the others, by their own such distance."""
    farthest = 0.0
    for i in range(len(rows)):
        others = torch.cat([rows[:i], rows[i + 1 :]])
        mean = others.mean(0)
        radius = float((others - mean).norm(dim=1).square().mean().sqrt())
        distance = float((rows[i] - mean).norm())
        farthest = max(farthest, distance / radius if radius else 0.0)
    return farthest


class Dice:
    """Sizes and choices from a generator of their own."""

    def __init__(self, seed: int) -> None:
        """Of a seed."""
        self.generator = torch.Generator().manual_seed(seed)

    def between(self, low: int, high: int) -> int:
        """A whole number, ends included."""
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def uniform(self, low: float, high: float) -> float:
        """A number of an interval."""
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def one_of(self, *choices: T) -> T:
        """One of some choices."""
        return choices[self.between(0, len(choices) - 1)]

    def rows(self, features: int) -> Tensor:
        """A batch of 8 to 64 rows: normal, uniform, or blots of ink on a square."""
        n = self.between(8, 64)
        sort = self.one_of("normal", "uniform", "ink")
        if sort == "normal":
            return torch.randn(n, features, generator=self.generator)
        if sort == "uniform":
            return torch.rand(n, features, generator=self.generator) * 2 - 1
        side = math.isqrt(features - 1) + 1
        return self.ink(n, side).flatten(1)[:, :features]

    def ink(self, n: int, side: int) -> Tensor:
        """Images in [0, 1] of three blots each, much like small handwritten digits."""
        at = torch.arange(side) / (side - 1)
        centres = torch.rand(n, 3, 2, generator=self.generator)
        x, y = (torch.exp(-(((at - centres[..., k, None]) / 0.15) ** 2)) for k in (0, 1))
        return torch.einsum("nbi,nbj->nij", x, y).clamp(max=1)

    def images(self, channels: int, side: int) -> Tensor:
        """A batch of 8 to 32 images: noise, or ink in each channel."""
        n = self.between(8, 32)
        if self.one_of(True, False):
            return torch.randn(n, channels, side, side, generator=self.generator)
        return self.ink(n * channels, side).view(n, channels, side, side)

    def sequences(self, length: int, features: int) -> Tensor:
        """A batch of 8 to 32 sequences of normal vectors."""
        return torch.randn(self.between(8, 32), length, features, generator=self.generator)


def staged(stem: nn.Module, stages: Sequence[nn.Module], readout: nn.Module) -> nn.Sequential:
    parts = OrderedDict(stem=stem, stages=nn.Sequential(*stages), readout=readout)
    return nn.Sequential(parts)


def plain(
    inputs: int,
    width: int,
    depth: int,
    activation: Callable[[], nn.Module] = nn.ReLU,
    *,
    bias: bool = True,
    norm: Callable[[int], nn.Module] | None = None,
) -> nn.Sequential:
    """A multilayer perceptron at Torch's default initialisation, flat, as most people write it."""
    layers: list[nn.Module] = []
    for i in range(depth):
        layers.append(nn.Linear(width if i else inputs, width, bias=bias))
        if norm is not None:
            layers.append(norm(width))
        layers.append(activation())
    return nn.Sequential(*layers, nn.Linear(width, 10))


def scaled(network: nn.Module, gain: float, *, of: Sequence[nn.Module] | None = None) -> None:
    """Weights normal of variance gain²/fan_in, biases zero."""
    for module in network.modules() if of is None else of:
        if isinstance(module, nn.Linear | nn.Conv2d):
            fan_in = module.weight[0].numel()
            nn.init.normal_(module.weight, std=gain / math.sqrt(fan_in))
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def default_mlp(dice: Dice) -> Case:
    """A deep MLP at Torch's default: cosines > .99 (bias), gradient ratio < 1e-3."""
    inputs, width = dice.between(16, 128), dice.between(16, 256)
    activation = dice.one_of(nn.ReLU, nn.Tanh, nn.Identity, nn.GELU)
    return plain(inputs, width, dice.between(15, 60), activation), dice.rows(inputs)


def scale(dice: Dice) -> Case:
    """Weights too large or too small (std .01): gradient ratio > 1e3 or < 1e-3."""
    inputs, width = dice.between(16, 128), dice.between(16, 256)
    activation = dice.one_of(nn.ReLU, nn.Tanh, nn.Identity)
    network = plain(inputs, width, dice.between(10, 40), activation, bias=dice.one_of(True, False))
    small = 0.01 * math.sqrt(width)  # the "std of one hundredth" of older tutorials
    scaled(network, dice.one_of(small, dice.uniform(2.2, 4)))
    return network, dice.rows(inputs)


def sigmoids(dice: Dice) -> Case:
    """A deep sigmoid MLP, default or Xavier: cosines > .99, gradient ratio < 1e-3."""
    inputs, width = dice.between(16, 128), dice.between(16, 256)
    network = plain(inputs, width, dice.between(10, 40), nn.Sigmoid)
    if dice.one_of(True, False):
        for layer in network.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
    return network, dice.rows(inputs)


class Residual(nn.Module):
    """x + branch(x), or of a normalised x."""

    def __init__(self, branch: nn.Module, norm: nn.Module | None = None) -> None:
        """Of a branch, and of what stands before it."""
        super().__init__()
        self.branch = branch
        self.norm = nn.Identity() if norm is None else norm

    def forward(self, x: Tensor) -> Tensor:
        """The sum."""
        return x + self.branch(self.norm(x))  # type: ignore[no-any-return]


def residual(dice: Dice) -> Case:
    """Residual branches of He's scale or more and no normalisation: gradient ratio > 1e3."""
    depth, gain = dice.between(16, 50), dice.uniform(1.0, 1.6)
    if dice.one_of(True, False):
        inputs, width = dice.between(16, 128), dice.between(32, 256)
        blocks = [
            Residual(nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)))
            for _ in range(depth)
        ]
        network = staged(nn.Linear(inputs, width), blocks, nn.Linear(width, 10))
        batch = dice.rows(inputs)
    else:
        width = dice.between(16, 32)
        conv = partial(nn.Conv2d, width, width, 3, padding=1)
        blocks = [Residual(nn.Sequential(conv(), nn.ReLU(), conv())) for _ in range(depth)]
        head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))
        network = staged(nn.Conv2d(3, width, 3, padding=1), blocks, head)
        batch = dice.images(3, 8)
    scaled(network, gain * math.sqrt(2))
    return network, batch


def dead_relu(dice: Dice) -> Case:
    """ReLU after huge steps, or of large negative biases: > .9 dead, or gradient ratio > 1e3."""
    inputs, width = dice.between(16, 128), dice.between(32, 256)
    network = plain(inputs, width, dice.between(10, 16))
    scaled(network, math.sqrt(2))
    batch = dice.rows(inputs)
    linear = [layer for layer in network.children() if isinstance(layer, nn.Linear)][:-1]
    if dice.one_of(True, False):
        for layer in dice.one_of(linear, [linear[dice.between(0, len(linear) - 1)]]):
            nn.init.constant_(layer.bias, -dice.uniform(2, 20))
    else:
        labels = torch.randint(10, (len(batch),), generator=dice.generator)
        optimiser = torch.optim.SGD(network.parameters(), lr=dice.one_of(3.0, 10.0, 100.0))
        for _ in range(dice.between(1, 3)):
            optimiser.zero_grad()
            torch.autograd.backward(functional.cross_entropy(network(batch), labels))
            optimiser.step()
        optimiser.zero_grad()
    return network, batch


def batch_norm(dice: Dice) -> Case:
    """Batch norm after every layer of a deep MLP: gradient ratio > 1e3."""
    inputs, width = dice.between(16, 128), dice.between(32, 256)
    activation = dice.one_of(nn.ReLU, nn.ReLU, nn.Tanh, nn.Identity)
    network = plain(inputs, width, dice.between(40, 60), activation, norm=nn.BatchNorm1d)
    return network, dice.rows(inputs)


def convolutions(dice: Dice) -> Case:
    """Deep plain convolutions: cosines > .99, gradient ratio < 1e-3, or > 1e3 if too large."""
    channels, width = dice.one_of(1, 3), dice.between(16, 48)
    depth, side = dice.between(12, 30), dice.between(8, 14)
    activation = dice.one_of(nn.ReLU, nn.Tanh, nn.SiLU)
    layers: list[nn.Module] = []
    for i in range(depth):
        layers.append(nn.Conv2d(width if i else channels, width, 3, padding=1))
        layers.append(activation())
    if dice.one_of(True, False):
        layers.insert(2 * (depth // 2), nn.MaxPool2d(2))
    layers += [nn.Flatten(), nn.LazyLinear(10)]
    network = nn.Sequential(*layers)
    batch = dice.images(channels, side)
    with torch.no_grad():
        network(batch[:1])  # gives the last layer its shape
    if dice.between(0, 3) == 0:
        scaled(network, dice.uniform(2.2, 3))
    return network, batch


class Attention(nn.Module):
    """Torch's self-attention, of one argument."""

    def __init__(self, width: int, heads: int) -> None:
        """Of a width, and of heads."""
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """The attended values."""
        return self.attention(x, x, x, need_weights=False)[0]  # type: ignore[no-any-return]


class Tokens(nn.Module):
    """Tokens or vectors, stages, and a readout of their mean."""

    def __init__(self, stem: nn.Module, stages: Sequence[nn.Module], width: int, length: int):
        """Of an embedding, of blocks, and of the shape that they keep."""
        super().__init__()
        self.stem = stem
        self.position = nn.Parameter(torch.randn(length, width) / 2)
        self.stages = nn.ModuleList(stages)
        self.readout = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        """A row of scores for each sequence."""
        x = self.stem(x) + self.position
        for stage in self.stages:
            x = stage(x)
        return self.readout(x.mean(1))  # type: ignore[no-any-return]


def embedded(dice: Dice, width: int, length: int) -> tuple[nn.Module, Tensor]:
    """What embeds sequences of tokens or of vectors, and a batch of them."""
    if dice.one_of(True, False):
        batch = torch.randint(50, (dice.between(8, 32), length), generator=dice.generator)
        return nn.Embedding(50, width), batch
    features = dice.between(16, 32)
    return nn.Linear(features, width), dice.sequences(length, features)


def attention(dice: Dice) -> Case:
    """Attention without skip connections: tokens of a sample have cosines > .99."""
    width, length = 8 * dice.between(4, 8), dice.between(8, 16)
    stem, batch = embedded(dice, width, length)
    feed, norm = dice.one_of(True, False), dice.one_of(True, False)
    stages: list[nn.Module] = []
    for _ in range(dice.between(10, 24)):
        stages.append(Attention(width, dice.one_of(1, 4)))
        if feed:
            stages.append(
                nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
            )
        if norm:
            stages.append(nn.LayerNorm(width))
    return Tokens(stem, stages, width, length), batch


def transformer(dice: Dice) -> Case:
    """A transformer without normalisation, of He's scale or near it: gradient ratio > 1e3."""
    width, length = 8 * dice.between(4, 8), dice.between(8, 16)
    stem, batch = embedded(dice, width, length)
    stages: list[nn.Module] = []
    gain = dice.uniform(0.6, 1.0) * math.sqrt(2)
    for _ in range(dice.between(10, 24)):
        feed = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))
        scaled(feed, gain)
        stages += [Residual(Attention(width, dice.one_of(2, 4))), Residual(feed)]
    return Tokens(stem, stages, width, length), batch


class Unrolled(nn.Module):
    """A recurrent cell, step by step in Python, and a readout of its last state."""

    def __init__(self, cell: nn.RNNCell) -> None:
        """Of a cell."""
        super().__init__()
        self.stages = nn.ModuleList([cell])
        self.width = cell.hidden_size
        self.readout = nn.Linear(cell.hidden_size, 10)

    def forward(self, x: Tensor) -> Tensor:
        """A row of scores for each sequence."""
        state = x.new_zeros(len(x), self.width)
        for step in x.unbind(1):
            state = self.stages[0](step, state)
        return self.readout(state)  # type: ignore[no-any-return]


def recurrent_cell(dice: Dice) -> Case:
    """A cell unrolled, recurrent weights badly scaled: gradient ratio > 1e3 or < 1e-3 over time."""
    features, width = dice.between(16, 32), dice.between(16, 128)
    sort = dice.one_of("tanh", "relu")
    cell = nn.RNNCell(features, width, nonlinearity=sort)
    nn.init.orthogonal_(cell.weight_hh)
    gain = dice.one_of(dice.uniform(0.2, 0.7), dice.uniform(2, 4))
    with torch.no_grad():
        cell.weight_hh.mul_(gain)
    return Unrolled(cell), dice.sequences(dice.between(20, 60), features)


class Recurrent(nn.Module):
    """Torch's own recurrent layer, and a readout of its last output."""

    def __init__(self, recurrent: nn.RNNBase) -> None:
        """Of a recurrent layer, batch first."""
        super().__init__()
        self.recurrent = recurrent
        self.readout = nn.Linear(recurrent.hidden_size, 10)

    def forward(self, x: Tensor) -> Tensor:
        """A row of scores for each sequence."""
        return self.readout(self.recurrent(x)[0][:, -1])  # type: ignore[no-any-return]


def recurrent_layer(dice: Dice) -> Case:
    """nn.LSTM, nn.GRU or nn.RNN at default on long sequences: gradient ratio < 1e-3 over time."""
    features, width = dice.between(16, 32), dice.between(16, 64)
    sort = dice.one_of(nn.LSTM, nn.GRU, nn.RNN)
    layer = sort(features, width, num_layers=dice.between(1, 2), batch_first=True)
    return Recurrent(layer), dice.sequences(dice.between(40, 100), features)


class Tied(nn.Module):
    """One layer, many times over."""

    def __init__(self, inputs: int, width: int, depth: int, activation: nn.Module) -> None:
        """Of sizes, and of what follows the layer."""
        super().__init__()
        self.stem = nn.Linear(inputs, width)
        self.stages = nn.ModuleList([nn.Linear(width, width)])
        self.activation = activation
        self.depth = depth
        self.readout = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        """A row of scores for each sample."""
        x = self.stem(x)
        for _ in range(self.depth):
            x = self.activation(self.stages[0](x))
        return self.readout(x)  # type: ignore[no-any-return]


def tied(dice: Dice) -> Case:
    """A layer repeated: cosines > .99 (its first eigenvector), or gradient ratio outside 1e±3."""
    inputs, width = dice.between(16, 128), dice.between(16, 256)
    activation = dice.one_of(nn.ReLU, nn.Tanh, nn.Identity)()
    network = Tied(inputs, width, dice.between(15, 60), activation)
    if dice.one_of(True, False):
        scaled(network, dice.uniform(1.4, 2.5), of=list(network.stages))
    return network, dice.rows(inputs)


def broken_stretch(dice: Dice) -> Case:
    """Healthy layers, and a few sigmoid or tiny ones amid: cosines > .99 or ratio < 1e-3."""
    inputs, width = dice.between(16, 128), dice.between(32, 256)
    kind = dice.one_of("sigmoid", "default", "tiny")

    def healthy() -> list[nn.Module]:
        blocks: list[nn.Module] = []
        for _ in range(dice.between(4, 12)):
            if kind == "tiny":  # a normalisation after it would undo it
                layer = nn.Linear(width, width)
                nn.init.orthogonal_(layer.weight)
                nn.init.zeros_(layer.bias)
                blocks.append(nn.Sequential(layer, nn.Tanh()))
            else:
                branch = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
                blocks.append(Residual(branch, nn.LayerNorm(width)))
        return blocks

    broken: list[nn.Module] = []
    for _ in range(dice.between(3, 8)):
        layer = nn.Linear(width, width)
        if kind == "tiny":
            scaled(layer, 0.1)
        activation = {"sigmoid": nn.Sigmoid, "default": nn.ReLU, "tiny": nn.Tanh}[kind]
        broken.append(nn.Sequential(layer, activation()))
    stages = [*healthy(), *broken, *healthy()]
    return staged(nn.Linear(inputs, width), stages, nn.Linear(width, 10)), dice.rows(inputs)


class Centred(nn.Module):
    """The batch's mean taken off, batch norm without its division."""

    def forward(self, x: Tensor) -> Tensor:
        """Rows of mean zero over the batch."""
        return x - x.mean(0)


def outlier(dice: Dice) -> Case:
    """Mean subtraction and ReLU, in either order: a sample > 10 times as far as the others."""
    inputs, width = dice.between(16, 128), dice.between(16, 128)
    depth, first = dice.between(30, 60), dice.one_of(True, False)
    layers: list[nn.Module] = []
    for i in range(depth):
        layers.append(nn.Linear(width if i else inputs, width))
        layers += [Centred(), nn.ReLU()] if first else [nn.ReLU(), Centred()]
    network = nn.Sequential(*layers, nn.Linear(width, 10))
    scaled(network, math.sqrt(2 * math.pi / (math.pi - 1)))
    return network, dice.rows(inputs)


def equal_inputs(dice: Dice) -> Case:
    """Inputs nearly equal, by a large offset or a tiny scale: cosines > .99 to the end."""
    inputs, width = dice.between(16, 128), dice.between(32, 256)
    depth = dice.between(10, 20)
    batch = dice.rows(inputs)
    if dice.one_of(True, False):  # kelvin, or a time since 1970
        network = plain(inputs, width, depth, nn.Tanh, bias=False)
        scaled(network, 1.0)
        return network, (batch / batch.std() + dice.uniform(50, 300)) / dice.one_of(1.0, 300.0)
    network = plain(inputs, width, depth)  # bytes that were divided by 255 twice
    for layer in network.children():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
    return network, batch / 255 / dice.one_of(1.0, 255.0)


def drawn(
    kind: Callable[[Dice], Case],
    wanted: str | None,
    seed: int,
    *,
    measure: Callable[[nn.Module, Tensor], Sickness] = measured,
    also: tuple[str, ...] = (),
) -> tuple[nn.Module, Tensor, tuple[str, ...]]:
    """The first of a seed's draws that is sick by the measure, and finite in single precision.

    The states `also` are right besides those that the measure finds.
    """
    for draw in range(DRAWS):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(DRAWS * seed + draw)
            network, batch = kind(Dice(DRAWS * seed + draw))
            with torch.no_grad():
                finite = bool(deepcopy(network)(batch).isfinite().all())
            if not finite:
                continue
            found = measure(network, batch)
        if found.sick() if wanted is None else wanted in found.states(STRICT, alike=False):
            return network, batch, tuple(dict.fromkeys([*found.states(), *also]))
    raise RuntimeError(f"{kind.__name__}: {DRAWS} draws of seed {seed} are not sick")


KINDS: dict[str, Callable[[Dice], Case]] = {
    "MLP at Torch's default": default_mlp,
    "weights too large or too small": scale,
    "deep sigmoids": sigmoids,
    "residual, branches too large": residual,
    "dead ReLU": dead_relu,
    "deep batch norm": batch_norm,
    "plain convolutions": convolutions,
    "attention without skips": attention,
    "transformer without norm": transformer,
    "recurrent cell, unrolled": recurrent_cell,
    "nn.LSTM, nn.GRU, nn.RNN": recurrent_layer,
    "tied weights": tied,
    "healthy but for a stretch": broken_stretch,
    "mean subtraction, an outlier": outlier,
    "inputs nearly equal": equal_inputs,
}

#: What a kind's draw must have, where another sickness would be beside the point.
WANTED: dict[Callable[[Dice], Case], str] = {
    outlier: "outlier",
    equal_inputs: "collapsing",
    batch_norm: "exploding",
}
SICK = {name: partial(drawn, kind, WANTED.get(kind)) for name, kind in KINDS.items()}


def printed(
    kinds: Mapping[str, Callable[[int], tuple[nn.Module, Tensor, tuple[str, ...]]]],
    measure: Callable[[nn.Module, Tensor], Sickness],
    argv: Sequence[str] | None,
    *,
    prog: str,
    description: str | None,
) -> int:
    """Print what the measure finds in each kind, seed by seed, as the command line asks."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="of each kind (5)")
    arguments = parser.parse_args(argv)
    for name, sick in kinds.items():
        for seed in range(arguments.seeds):
            network, batch, states = sick(seed)
            found = measure(network, batch)
            print(
                f"{name}, seed {seed}: cosines {found.batch:.3f} → {found.samples:.4f}"
                f" (tokens {found.tokens:.4f}, farthest ×{found.far:.1f}),"
                f" gradient ×{found.gradient:.1e}, dead {found.dead:.2f}: {', '.join(states)}"
            )
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Print what the measure finds in each kind, seed by seed."""
    prog = "python -m bench.networks.sick"
    return printed(SICK, measured, argv, prog=prog, description=__doc__)


if __name__ == "__main__":
    sys.exit(main())
