"""Batches and layers of which networks are built: noise, digits, signals, tokens; branches, gates.

Builders draw from a ``random.Random``: sizes, and the 8 to 48 samples of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import pairwise
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Built = tuple[nn.Module, Tensor]
Builder = Callable[[Random], Built]


def entering(kinds: dict[str, Callable[[int], Built]], name: str) -> Callable[[Builder], Builder]:
    """Enter a builder among the kinds, as a function of a seed that leaves Torch's stream alone."""

    def enter(build: Builder) -> Builder:
        def seeded(seed: int) -> Built:
            draw = Random(f"{name} {seed}")
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(draw.getrandbits(32))
                return build(draw)

        kinds[name] = seeded
        return build

    return enter


# Batches ------------------------------------------------------------------------------------------


def noise(draw: Random, *shape: int) -> Tensor:
    return torch.randn(draw.randint(8, 48), *shape)


@lru_cache
def _digits() -> Tensor:
    from sklearn.datasets import load_digits

    return torch.tensor(load_digits().data, dtype=torch.float32)


def digits(draw: Random, *shape: int) -> Tensor:
    """Handwritten digits, each pixel standardised over all of them."""
    pixels = _digits()
    scaled = (pixels - pixels.mean(0)) / pixels.std(0).clamp(min=1e-3)
    rows = torch.tensor(draw.sample(range(len(pixels)), draw.randint(8, 48)))
    return scaled[rows].reshape(len(rows), *(shape or (64,)))


def greys(draw: Random) -> Tensor:
    """Handwritten digits as images with greys from 0 to 1, as loaders give them."""
    rows = torch.tensor(draw.sample(range(len(_digits())), draw.randint(8, 48)))
    return _digits()[rows].reshape(-1, 1, 8, 8) / 16


def scenes(draw: Random, channels: int, side: int) -> Tensor:
    """Smooth images with a little noise, each channel standardised, as photographs are."""
    coarse = noise(draw, channels, side // 4, side // 4)
    smooth = F.interpolate(coarse, size=(side, side), mode="bilinear")
    smooth = smooth + 0.1 * torch.randn_like(smooth)
    means, deviations = smooth.mean((0, 2, 3), keepdim=True), smooth.std((0, 2, 3), keepdim=True)
    return (smooth - means) / deviations


def signals(draw: Random, channels: int, length: int) -> Tensor:
    """Sines of random frequency and phase with noise: samples × channels × length."""
    phases = 2 * math.pi * torch.rand(draw.randint(8, 48), channels, 1)
    turns = 1 + 4 * torch.rand(len(phases), channels, 1)
    times = torch.linspace(0, 2 * math.pi, length)
    waves = 1.4 * torch.sin(turns * times + phases)
    return waves + 0.1 * torch.randn_like(waves)


def tokens(draw: Random, length: int, vocabulary: int) -> Tensor:
    """Ids as frequent as Zipf's law has words: samples × length."""
    frequencies = 1 / torch.arange(1.0, vocabulary + 1)
    count = draw.randint(8, 48)
    return torch.multinomial(frequencies, count * length, replacement=True).reshape(count, length)


def clouds(draw: Random, points: int) -> Tensor:
    """Points on ellipsoids, noisy: samples × points × 3."""
    directions = F.normalize(noise(draw, points, 3), dim=-1)
    return directions * (0.3 + torch.rand(len(directions), 1, 3))


# Pieces -------------------------------------------------------------------------------------------


class Apply(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Joined(nn.Module):
    """Branches with one input, and what joins their outputs."""

    def __init__(self, join: Callable[[Sequence[Tensor]], Tensor], *branches: nn.Module) -> None:
        super().__init__()
        self.join, self.branches = join, nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return self.join([branch(x) for branch in self.branches])


class Residual(nn.Module):
    """``after(shortcut(x) + scale * body(x))``; a scale that is given is learned."""

    def __init__(
        self,
        body: nn.Module,
        shortcut: nn.Module | None = None,
        after: nn.Module | None = None,
        scale: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.body, self.shortcut = body, shortcut or nn.Identity()
        self.after = after or nn.Identity()
        self.scale = None if scale is None else nn.Parameter(scale)

    def forward(self, x: Tensor) -> Tensor:
        branch: Tensor = self.body(x)
        if self.scale is not None:
            branch = self.scale * branch
        out: Tensor = self.after(self.shortcut(x) + branch)
        return out


class Attention(nn.Module):
    def __init__(self, width: int, heads: int, causal: bool = False) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) / math.sqrt(d // self.heads)
        if self.causal:
            later = torch.ones(t, t, dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, -math.inf)
        mixed: Tensor = self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, d))
        return mixed


class Recurrent(nn.Module):
    """A recurrent layer of Torch's, and of its outputs the last or their mean."""

    def __init__(self, layer: nn.RNNBase, mean: bool = False) -> None:
        super().__init__()
        self.layer, self.mean = layer, mean

    def forward(self, x: Tensor) -> Tensor:
        states: Tensor = self.layer(x)[0]
        return states.mean(1) if self.mean else states[:, -1]


class Positions(nn.Module):
    """Learned positions, added."""

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(0.02 * torch.randn(length, width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table


beside: Callable[[Sequence[Tensor]], Tensor] = partial(torch.cat, dim=1)


def product(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] * parts[1]


def mean_over(*axes: int) -> Apply:
    return Apply(lambda x: x.mean(axes))


def swapped() -> Apply:
    return Apply(lambda x: x.transpose(1, 2))


def columns(first: int, last: int) -> Apply:
    return Apply(lambda x: x[:, first:last])


def initialised(network: nn.Module, rule: Callable[[Tensor], object]) -> nn.Module:
    """The network with weights of linear and convolutional layers by the rule, and biases zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d):
            rule(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


he: Callable[[Tensor], Tensor] = partial(nn.init.kaiming_normal_, nonlinearity="relu")
fan_out = partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu")
lecun = partial(nn.init.kaiming_normal_, nonlinearity="linear")
bert = partial(nn.init.trunc_normal_, std=0.02)
dcgan = partial(nn.init.normal_, std=0.02)


def mlp(widths: Sequence[int], *between: Callable[[int], nn.Module]) -> nn.Sequential:
    """Linear layers, and between them what `between` makes of a width."""
    network = nn.Sequential(nn.Linear(widths[0], widths[1]))
    for width, after in pairwise(widths[1:]):
        network.extend([make(width) for make in between])
        network.append(nn.Linear(width, after))
    return network


def relu(_: int) -> nn.Module:
    return nn.ReLU()


def hidden(draw: Random, least: int, most: int, inputs: int = 64, outputs: int = 10) -> list[int]:
    """Widths of a network with so many hidden layers, all as wide."""
    return [inputs, *[draw.choice((32, 64, 100, 128))] * draw.randint(least, most), outputs]


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)


def conv_bn(
    inputs: int, outputs: int, size: int = 3, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(conv(inputs, outputs, size, stride, groups), nn.BatchNorm2d(outputs))


def classifier(width: int, classes: int = 10) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


def projection(inputs: int, outputs: int, stride: int) -> nn.Module:
    return (
        nn.Identity() if inputs == outputs and stride == 1 else conv_bn(inputs, outputs, 1, stride)
    )


def stages(
    draw: Random, width: int, block: Callable[[int, int, int], nn.Module]
) -> tuple[nn.Sequential, int]:
    """Two or three stages of blocks (inputs, outputs, stride), twice as wide and half the side."""
    network, inputs = nn.Sequential(), width
    blocks = draw.randint(1, 2)
    for stage in range(draw.randint(2, 3)):
        for place in range(blocks):
            stride = 2 if stage > 0 and place == 0 else 1
            network.append(block(inputs, width << stage, stride))
            inputs = width << stage
    return network, inputs


def squeeze(width: int) -> nn.Module:
    """Squeeze and excite."""
    gate = nn.Sequential(
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(width, width // 4, 1),
        nn.ReLU(),
        nn.Conv2d(width // 4, width, 1),
        nn.Sigmoid(),
    )
    return Joined(product, nn.Identity(), gate)
