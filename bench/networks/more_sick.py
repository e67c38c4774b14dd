"""More sick networks, by which missed alarms of `theorems inspect` are counted.

    python -m bench.networks.more_sick --seeds 5
    python -m bench.inspection_alarms --networks 500 --sick bench/networks/more_sick.py

Written, as those of `bench.networks.sick`, by someone who had read nothing of the detector, of
other architectures and causes: mistakes that are made, such as a skip that is added twice, `fan_out` in
a dense block, a softmax between layers, or a gate that is shut. `SICK` maps each kind to a function
of a seed, which returns a network at its initialisation, a batch of 8 to 32 samples, and the states
that would be right. The first command above prints what `measured` finds, without the detector.

What counts as sick, and what as a right answer, is decided as there, in double precision, by the
same thresholds; they stood before any of these networks was inspected. Two things are new:

- gradients count as exploding or vanishing where those at any hidden layer, or any step of the
  input of a recurrent layer, are `FACTOR` times those at the last, or one part in `FACTOR` of them:
  the inside of a U-Net may learn nothing while its outer skips do;
- nodes of a graph, points of a set and patches of an image count as tokens do.

Of some kinds (`WANTED`) only draws that are sick in the way intended are kept, and where the batch
itself is what is wrong, that its samples are collinear counts. Where all that remains of samples is
rounding, which the measure takes for directions, what it does not see is right as well (`ALSO`).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from bench.networks import sick
from bench.networks.sick import (
    Attention,
    Case,
    Dice,
    Recurrent,
    Residual,
    Tied,
    Tokens,
    drawn,
    embedded,
    plain,
    printed,
    scaled,
    staged,
)

__all__ = ["SICK", "main", "measured"]

#: The measure of the earlier kinds, of gradients at every hidden layer.
measured = partial(sick.measured, within=True)


def _rows(dice: Dice, features: int) -> Tensor:
    """8 to 32 samples."""
    return dice.rows(features)[:32]


def _unbiased(network: nn.Module) -> None:
    """Biases zero."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d) and module.bias is not None:
            nn.init.zeros_(module.bias)


# --- residual networks ----------------------------------------------------------------------------


class Bottleneck(nn.Module):
    """A residual block of three convolutions, with a shortcut of 1 × 1 where shapes change."""

    def __init__(self, inputs: int, width: int, stride: int, scale: float) -> None:
        """Of channels before and after, and of what the branch is multiplied by."""
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, width // 2, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width // 2, width // 2, 3, stride, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width // 2, width, 1),
        )
        same = stride == 1 and inputs == width
        self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, width, 1, stride)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """The sum."""
        return self.shortcut(x) + self.scale * self.branch(x)  # type: ignore[no-any-return]


def staged_resnet(dice: Dice) -> Case:
    """A ResNet of three stages without norm, branches scaled up: gradient ratio > 1e3."""
    width, scale, blocks = dice.one_of(16, 24), dice.uniform(1.2, 3), []
    inputs = width
    for stage in range(3):
        for block in range(dice.between(3, 6)):
            stride = 2 if stage and not block else 1
            blocks.append(Bottleneck(inputs, width << stage, stride, scale))
            inputs = width << stage
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))
    network = staged(nn.Conv2d(3, width, 3, padding=1), blocks, head)
    scaled(network, math.sqrt(2))
    return network, dice.images(3, dice.one_of(8, 12))


class Weighted(nn.Module):
    """keep · x + gain · branch(norm(x)), or the norm of it all."""

    def __init__(
        self, branch: nn.Module, width: int, keep: float, gain: float, *, after: bool = False
    ) -> None:
        """Of a branch, two factors, and whether the norm comes after the sum."""
        super().__init__()
        self.branch, self.norm = branch, nn.LayerNorm(width)
        self.keep, self.gain, self.after = keep, gain, after

    def forward(self, x: Tensor) -> Tensor:
        """The sum."""
        if self.after:
            return self.norm(self.keep * x + self.gain * self.branch(x))  # type: ignore[no-any-return]
        return self.keep * x + self.gain * self.branch(self.norm(x))  # type: ignore[no-any-return]


def _blocks(
    dice: Dice, depth: int, keep: float, gain: float, *, after: bool
) -> tuple[nn.Module, Tensor]:
    """A transformer of so many blocks, each of attention and of two linear layers."""
    width, length = 8 * dice.between(3, 6), dice.between(6, 12)
    stem, batch = embedded(dice, width, length)
    stages: list[nn.Module] = []
    for _ in range(depth):
        feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        stages += [
            Weighted(branch, width, keep, gain, after=after)
            for branch in (Attention(width, 2), feed)
        ]
    return Tokens(stem, stages, width, length), batch


def skip_twice(dice: Dice) -> Case:
    """A transformer, norm first, whose skip is added twice: gradient ratio > 1e3."""
    return _blocks(dice, dice.between(6, 12), 2.0, dice.uniform(0.5, 1.5), after=False)


def wrong_factor(dice: Dice) -> Case:
    """DeepNorm's factor on the branch and not on the skip: tokens have cosines > .99."""
    return _blocks(dice, dice.between(8, 14), 1.0, dice.uniform(4, 20), after=True)


def euler(dice: Dice) -> Case:
    """An ordinary differential equation whose steps are too long: gradient ratio > 1e3."""
    inputs, width = dice.between(16, 64), dice.between(16, 128)
    network = Tied(inputs, width, dice.between(12, 40), nn.Identity())
    field = nn.Sequential(nn.Linear(width, width), dice.one_of(nn.ReLU, nn.Softplus, nn.Tanh)())
    scaled(field, dice.uniform(1, 3))
    network.stages = nn.ModuleList([Residual(field)])
    return network, _rows(dice, inputs)


class Gate(nn.Module):
    """x times a sigmoid of x."""

    def __init__(self, width: int, bias: float) -> None:
        """Of a bias, below zero where the gate is shut."""
        super().__init__()
        self.linear = nn.Linear(width, width)
        nn.init.constant_(self.linear.bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        """What the gate lets pass."""
        return x * torch.sigmoid(self.linear(x))


def shut_gate(dice: Dice) -> Case:
    """Residual branches of 1/√depth, and one or two shut gates amid: gradient ratio < 1e-3."""
    inputs, width, depth = dice.between(16, 64), dice.between(32, 128), dice.between(8, 16)
    stages: list[nn.Module] = []
    for _ in range(depth):
        branch = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, width))
        scaled(branch, depth**-0.5)
        stages.append(Residual(branch))
    for _ in range(dice.between(1, 2)):
        stages.insert(dice.between(2, depth - 2), Gate(width, -dice.uniform(7.5, 12)))
    return staged(nn.Linear(inputs, width), stages, nn.Linear(width, 10)), _rows(dice, inputs)


# --- weights --------------------------------------------------------------------------------------


def weight_norms(dice: Dice) -> Case:
    """Weight norm, lengths one or too large, under ReLU: gradient ratio outside 1e±3."""
    inputs, width, depth = dice.between(16, 64), dice.between(16, 128), dice.between(20, 40)
    length, stages = dice.one_of(1.0, dice.uniform(2.2, 4)), []
    for i in range(depth):
        layer = parametrizations.weight_norm(nn.Linear(width if i else inputs, width))
        nn.init.constant_(layer.parametrizations["weight"].original0, length)
        stages.append(nn.Sequential(layer, nn.ReLU()))
    return nn.Sequential(*stages, nn.Linear(width, 10)), _rows(dice, inputs)


def spectral_norms(dice: Dice) -> Case:
    """A critic with spectral norm on every layer: gradient ratio < 1e-3, or cosines > .99."""
    width, depth = dice.between(16, 64), dice.between(8, 16)
    slope, images = dice.one_of(0.0, 0.1, 0.2), dice.one_of(True, False)
    inputs = 3 if images else dice.between(16, 64)
    stages: list[nn.Module] = []
    for i in range(depth):
        before = width if i else inputs
        layer = nn.Conv2d(before, width, 3, padding=1) if images else nn.Linear(before, width)
        stages.append(nn.Sequential(parametrizations.spectral_norm(layer), nn.LeakyReLU(slope)))
    score = parametrizations.spectral_norm(nn.Linear(width * 36 if images else width, 1))
    batch = dice.images(3, 6) if images else _rows(dice, inputs)
    return staged(nn.Identity(), stages, nn.Sequential(nn.Flatten(), score)), batch


def orthogonal(dice: Dice) -> Case:
    """Orthogonal weights of gain one under ReLU: gradient ratio < 1e-3, cosines > .99."""
    inputs, width = dice.between(16, 128), dice.between(16, 128)
    network = plain(inputs, width, dice.between(20, 50), dice.one_of(nn.ReLU, nn.GELU))
    for layer in network.children():
        if isinstance(layer, nn.Linear):
            nn.init.orthogonal_(layer.weight)
    _unbiased(network)
    return network, _rows(dice, inputs)


def deep_linear(dice: Dice) -> Case:
    """A linear network of weights a little too large or too small: gradient ratio beyond 1e±3."""
    inputs, width = dice.between(16, 128), dice.between(48, 160)
    network = plain(inputs, width, dice.between(40, 60), nn.Identity, bias=dice.one_of(True, False))
    scaled(network, dice.one_of(dice.uniform(1.15, 1.4), dice.uniform(0.7, 0.85)))
    return network, _rows(dice, inputs)


def constant_weights(dice: Dice) -> Case:
    """All weights equal: units are alike, samples have cosines > .99."""
    inputs, width = dice.between(16, 64), dice.between(16, 64)
    network = plain(inputs, width, dice.between(3, 8), dice.one_of(nn.ReLU, nn.Tanh, nn.ELU))
    constant = dice.one_of(1 / width, 0.01, 1.0)
    for layer in network.children():
        if isinstance(layer, nn.Linear):
            nn.init.constant_(layer.weight, constant)
    _unbiased(network)
    return network, _rows(dice, inputs)


def activations(dice: Dice) -> Case:
    """SELU, ELU, GELU, Mish or softplus after the wrong initialisation: cosines or gradients."""
    inputs, width = dice.between(16, 64), dice.between(16, 128)
    activation = dice.one_of(nn.SELU, nn.ELU, nn.GELU, nn.Mish, nn.Softplus)
    network = plain(inputs, width, dice.between(15, 50), activation)
    wrong = dice.one_of(nn.init.xavier_uniform_, nn.init.kaiming_normal_, None)
    for layer in network.children():
        if isinstance(layer, nn.Linear) and wrong is not None:
            wrong(layer.weight)
            nn.init.zeros_(layer.bias)
    return network, _rows(dice, inputs)


class Append(nn.Module):
    """The input, and features of it, as one: a layer of a dense block."""

    def __init__(self, layer: nn.Module) -> None:
        """Of what finds the features."""
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Both, along the channels."""
        return torch.cat([x, self.layer(x)], 1)


def dense_block(dice: Dice) -> Case:
    """A dense block after He's initialisation of `fan_out`: gradient ratio > 1e3."""
    growth, depth, channels = dice.between(6, 10), dice.between(20, 30), dice.between(8, 16)
    images = dice.one_of(True, False)
    stages: list[nn.Module] = []
    for i in range(depth):
        width = channels + i * growth
        layer = nn.Conv2d(width, growth, 3, padding=1) if images else nn.Linear(width, growth)
        nn.init.kaiming_normal_(layer.weight, mode="fan_out")
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        stages.append(Append(nn.Sequential(nn.ReLU(), layer)))
    head = nn.Linear(channels + depth * growth, 10)
    if not images:
        inputs = dice.between(16, 64)
        return staged(nn.Linear(inputs, channels), stages, head), _rows(dice, inputs)
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    return staged(nn.Conv2d(3, channels, 3, padding=1), stages, pooled), dice.images(3, 6)


class Sine(nn.Module):
    """sin(ω (Wx + b))"""

    def __init__(self, inputs: int, width: int, omega: float) -> None:
        """Of sizes, and of a frequency."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, inputs))
        self.bias = nn.Parameter(torch.zeros(width))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        self.omega = omega

    def forward(self, x: Tensor) -> Tensor:
        """Sines, one for each unit."""
        return torch.sin(self.omega * functional.linear(x, self.weight, self.bias))


def sines(dice: Dice) -> Case:
    """Sines of frequency 30 in every layer at Torch's default: gradient ratio > 1e3."""
    inputs, width, depth = dice.between(2, 4), dice.between(32, 128), dice.between(5, 8)
    omega = dice.uniform(15, 30)
    stages = [Sine(width if i else inputs, width, omega) for i in range(depth)]
    return nn.Sequential(*stages, nn.Linear(width, 1)), _rows(dice, inputs)


# --- images ---------------------------------------------------------------------------------------


def separable(dice: Dice) -> Case:
    """Depthwise and pointwise convolutions without norm or skip: gradients < 1e-3, cosines."""
    width = dice.between(16, 48)
    stages = [
        nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, groups=width),
            nn.ReLU6(),
            nn.Conv2d(width, width, 1),
            nn.ReLU6(),
        )
        for _ in range(dice.between(8, 14))
    ]
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))
    return staged(nn.Conv2d(3, width, 3, padding=1), stages, head), dice.images(3, 8)


def deep_norms(dice: Dice) -> Case:
    """Batch norm after every convolution, none skipped: gradient ratio > 1e3."""
    width, side = dice.between(16, 24), dice.between(4, 5)
    activation = dice.one_of(nn.ReLU, nn.ReLU, nn.LeakyReLU, nn.Tanh)
    stages: list[nn.Module] = [
        nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), activation()
        )
        for _ in range(dice.between(45, 60))
    ]
    head = nn.Sequential(nn.Flatten(), nn.Linear(width * side**2, 10))
    return staged(nn.Conv2d(1, width, 3, padding=1), stages, head), dice.images(1, side)[:16]


class UNet(nn.Module):
    """Convolutions down to a few pixels and up again, each level with a skip to its like."""

    def __init__(self, width: int, levels: int, activation: type[nn.Module]) -> None:
        """Of channels, and of how often the side is halved."""
        super().__init__()

        def block(inputs: int) -> nn.Sequential:
            first, second = (nn.Conv2d(k, width, 3, padding=1) for k in (inputs, width))
            return nn.Sequential(first, activation(), second, activation())

        self.down = nn.ModuleList([block(width if level else 1) for level in range(levels)])
        self.middle = block(width)
        self.up = nn.ModuleList([block(2 * width) for _ in range(levels)])
        self.readout = nn.Conv2d(width, 2, 1)
        numbers = range(levels)
        self.places = (
            *(f"down.{number}" for number in numbers),
            "middle",
            *(f"up.{number}" for number in numbers),
            "readout",
        )

    def forward(self, x: Tensor) -> Tensor:
        """Two scores for each pixel."""
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.middle(x)
        for block in self.up:
            x = functional.interpolate(x, scale_factor=2.0)
            x = block(torch.cat([x, skips.pop()], 1))
        return self.readout(x)  # type: ignore[no-any-return]


def unet(dice: Dice) -> Case:
    """A U-Net at Torch's default: gradients inside < 1e-3 of those at the last layer."""
    levels = dice.between(3, 4)
    network = UNet(dice.between(16, 24), levels, dice.one_of(nn.ReLU, nn.SiLU, nn.ELU))
    return network, dice.images(1, 1 << levels)[:16]


def single_pixel(dice: Dice) -> Case:
    """Group norm of one channel each on a single pixel: zero but for rounding, gradients too."""
    width, batch = dice.between(16, 48), dice.images(3, 8)
    strides = [2, 2, 2, *[1] * dice.between(0, 3)]
    stages: list[nn.Module] = [
        nn.Sequential(
            nn.Conv2d(width if i else 3, width, 3, stride, padding=1),
            nn.GroupNorm(width, width),
            nn.ReLU(),
        )
        for i, stride in enumerate(strides)
    ]
    return nn.Sequential(*stages, nn.Sequential(nn.Flatten(), nn.Linear(width, 10))), batch


def negative_shift(dice: Dice) -> Case:
    """Batch norm whose shift is far below zero before ReLU: > .9 of the units are dead."""
    inputs, width, depth = dice.between(16, 64), dice.between(32, 128), dice.between(4, 10)
    network = plain(inputs, width, depth, norm=nn.BatchNorm1d)
    norms = [layer for layer in network.children() if isinstance(layer, nn.BatchNorm1d)]
    for norm in dice.one_of(norms, norms[depth // 2 :], [norms[-1]]):
        nn.init.constant_(norm.bias, -dice.uniform(3.5, 8))
    return network, _rows(dice, inputs)


class Headed(nn.Module):
    """A backbone of residual convolutions with batch norm, and a head that reads it."""

    def __init__(self, width: int, depth: int, head: Sequence[nn.Module]) -> None:
        """Of channels, blocks, and layers of the head, the last of which gives scores."""
        super().__init__()
        self.stem = nn.Conv2d(1, width, 3, padding=1)
        self.backbone = nn.Sequential(*(self.block(width) for _ in range(depth)))
        self.head = nn.Sequential(*head)
        self.places = (
            *(f"backbone.{number}" for number in range(depth)),
            *(f"head.{number}" for number in range(len(head))),
        )

    @staticmethod
    def block(width: int) -> nn.Module:
        """Two convolutions, with batch norm before each."""
        parts: list[nn.Module] = []
        for _ in range(2):
            conv = nn.Conv2d(width, width, 3, padding=1, bias=False)
            parts += [nn.BatchNorm2d(width), nn.ReLU(), conv]
        return Residual(nn.Sequential(*parts))

    def forward(self, x: Tensor) -> Tensor:
        """A row of scores for each image."""
        return self.head(self.backbone(self.stem(x)).mean((2, 3)))  # type: ignore[no-any-return]


def sick_head(dice: Dice) -> Case:
    """A healthy backbone, and a head of sigmoids or of std .01: cosines or gradients."""
    width, tiny = dice.between(16, 48), dice.one_of(True, False)
    activation = nn.ReLU if tiny else dice.one_of(nn.Sigmoid, nn.Softplus)
    head = [nn.Sequential(nn.Linear(width, width), activation()) for _ in range(dice.between(3, 6))]
    if tiny:
        scaled(nn.Sequential(*head), 0.01 * math.sqrt(width))
    network = Headed(width, dice.between(2, 5), [*head, nn.Linear(width, 10)])
    return network, dice.images(1, 8)


# --- rows -----------------------------------------------------------------------------------------


def layer_norms(dice: Dice) -> Case:
    """Layer norm after every layer, none skipped: cosines > .99, or gradients where it is large."""
    inputs, width = dice.between(16, 64), dice.between(16, 96)
    activation = dice.one_of(nn.ReLU, nn.Tanh, nn.Sigmoid)
    network = plain(inputs, width, dice.between(40, 70), activation, norm=nn.LayerNorm)
    if activation is nn.Tanh:
        for layer in network.children():
            if isinstance(layer, nn.LayerNorm):
                nn.init.constant_(layer.weight, dice.uniform(2.5, 5))
    return network, _rows(dice, inputs)


def gated(dice: Dice) -> Case:
    """Gated linear units at Torch's default: gradient ratio < 1e-3, cosines > .99."""
    inputs, width = dice.between(16, 64), dice.between(16, 128)
    stages: list[nn.Module] = [
        nn.Sequential(nn.Linear(width if i else inputs, 2 * width), nn.GLU())
        for i in range(dice.between(8, 20))
    ]
    return nn.Sequential(*stages, nn.Linear(width, 10)), _rows(dice, inputs)


def hidden_softmax(dice: Dice) -> Case:
    """A softmax after every hidden layer: cosines > .99, gradient ratio < 1e-3."""
    inputs, width = dice.between(16, 64), dice.between(16, 128)
    network = plain(inputs, width, dice.between(3, 8), partial(nn.Softmax, dim=1))
    return network, _rows(dice, inputs)


def one_unit(dice: Dice) -> Case:
    """An autoencoder that goes through one unit: cosines > .99."""
    inputs, width = dice.between(16, 64), dice.between(32, 64)
    activation = dice.one_of(nn.Tanh, nn.ELU, nn.SiLU)
    sizes = [inputs, width, width // 2, 1, width // 2, width]
    stages = [
        nn.Sequential(nn.Linear(before, after), activation()) for before, after in pairwise(sizes)
    ]
    return nn.Sequential(*stages, nn.Linear(width, inputs)), _rows(dice, inputs)


class Siamese(nn.Module):
    """One encoder of two rows, and a score of what it makes of them."""

    def __init__(self, encoder: nn.Sequential, width: int, *, difference: bool) -> None:
        """Of an encoder, and whether the absolute difference is scored, or both codes."""
        super().__init__()
        self.encoder, self.difference = encoder, difference
        self.score = nn.Linear(width if difference else 2 * width, 1)
        self.places = (*(f"encoder.{number}" for number in range(len(encoder))), "score")

    def forward(self, pairs: Tensor) -> Tensor:
        """A score for each pair."""
        one, two = (self.encoder(rows) for rows in pairs.unbind(1))
        both = (one - two).abs() if self.difference else torch.cat([one, two], 1)
        return self.score(both)  # type: ignore[no-any-return]


def siamese(dice: Dice) -> Case:
    """A siamese network, its encoder at Torch's default: gradient ratio < 1e-3, cosines."""
    inputs, width = dice.between(16, 64), dice.between(16, 128)
    activation = dice.one_of(nn.ReLU, nn.LeakyReLU, nn.SiLU)
    encoder = [
        nn.Sequential(nn.Linear(width if i else inputs, width), activation())
        for i in range(dice.between(9, 20))
    ]
    network = Siamese(nn.Sequential(*encoder), width, difference=dice.one_of(True, False))
    return network, dice.sequences(2, inputs)


def other_units(dice: Dice) -> Case:
    """One sample that was not normalised as the others were: > 10 times as far as they are."""
    inputs, width = dice.between(16, 128), dice.between(32, 128)
    network = plain(inputs, width, dice.between(3, 8))
    scaled(network, math.sqrt(2))
    batch = _rows(dice, inputs)
    batch[dice.between(0, len(batch) - 1)] *= dice.uniform(50, 255)
    return network, batch


# --- tokens, nodes, points and steps --------------------------------------------------------------


class Sharp(nn.Module):
    """Attention of one head whose logits are not divided by √width."""

    def __init__(self, width: int, gain: float) -> None:
        """Of a width, and of the scale of queries and keys."""
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        scaled(self, 1.0)
        scaled(self, gain, of=[self.query, self.key])

    def forward(self, x: Tensor) -> Tensor:
        """The attended values."""
        logits = self.query(x) @ self.key(x).transpose(1, 2)
        return torch.softmax(logits, -1) @ self.value(x)  # type: ignore[no-any-return]


def sharp_attention(dice: Dice) -> Case:
    """Attention of logits far too large, without skips: tokens have cosines > .99."""
    width, length = dice.between(16, 64), dice.between(6, 12)
    stem, batch = embedded(dice, width, length)
    stages: list[nn.Module] = []
    for _ in range(dice.between(8, 20)):
        stages += [Sharp(width, dice.uniform(1, 4)), nn.LayerNorm(width)]
    return Tokens(stem, stages, width, length), batch


class Mixer(nn.Module):
    """An MLP over the patches, and one over the channels."""

    def __init__(self, length: int, width: int) -> None:
        """Of patches and channels."""
        super().__init__()

        def mlp(size: int) -> nn.Sequential:
            return nn.Sequential(nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size))

        self.patches, self.channels = mlp(length), mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        """Patches mixed, then channels."""
        x = self.patches(x.transpose(1, 2)).transpose(1, 2)
        return self.channels(x)  # type: ignore[no-any-return]


class Patches(nn.Module):
    """Patches of an image, as tokens."""

    def __init__(self, side: int, width: int) -> None:
        """Of a patch's side, and of channels."""
        super().__init__()
        self.conv = nn.Conv2d(3, width, side, stride=side)

    def forward(self, x: Tensor) -> Tensor:
        """(images, patches, channels)"""
        return self.conv(x).flatten(2).transpose(1, 2)  # type: ignore[no-any-return]


def mixer(dice: Dice) -> Case:
    """An MLP-Mixer without norm or skip: gradient ratio < 1e-3, cosines > .99."""
    width = dice.between(16, 48)
    stages = [Mixer(16, width) for _ in range(dice.between(5, 12))]
    return Tokens(Patches(2, width), stages, width, 16), dice.images(3, 8)


class Positions(nn.Module):
    """An embedding of tokens, to which sines of the position are added."""

    def __init__(self, words: int, width: int, length: int, std: float) -> None:
        """Of the standard deviation of the embedding."""
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        nn.init.normal_(self.embedding.weight, std=std)
        angles = torch.arange(length)[:, None] / 10000 ** (torch.arange(0, width, 2) / width)
        self.register_buffer("sines", torch.cat([angles.sin(), angles.cos()], 1))

    def forward(self, tokens: Tensor) -> Tensor:
        """(samples, length, width)"""
        return self.embedding(tokens) + self.sines  # type: ignore[no-any-return]


def _sentences(dice: Dice, stem: nn.Module, width: int, length: int) -> nn.Module:
    """A healthy transformer, norm first, of what embeds the tokens."""
    stages: list[nn.Module] = []
    for _ in range(dice.between(2, 4)):
        feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        stages += [Residual(branch, nn.LayerNorm(width)) for branch in (Attention(width, 2), feed)]
    return Tokens(stem, [*stages, nn.LayerNorm(width)], width, length)


def positions(dice: Dice) -> Case:
    """Sines of the position beside an embedding of std .02: samples have cosines > .99."""
    width, length = 8 * dice.between(3, 8), dice.between(8, 24)
    network = _sentences(dice, Positions(100, width, length, 0.02), width, length)
    return network, torch.randint(100, (dice.between(8, 32), length), generator=dice.generator)


def unknown_words(dice: Dice) -> Case:
    """Texts nearly all of whose words are the one for "unknown": samples have cosines > .99."""
    width, length = 8 * dice.between(3, 8), dice.between(8, 24)
    network = _sentences(dice, nn.Embedding(100, width), width, length)
    batch = torch.ones(dice.between(8, 32), length, dtype=torch.long)
    if dice.one_of(True, False):  # one text has a word that is known
        batch[0, 0] = 7
    return network, batch


class Neighbours(nn.Module):
    """A layer of a graph network: the mean over neighbours, then a linear map."""

    adjacency: Tensor

    def __init__(self, adjacency: Tensor, width: int, activation: nn.Module) -> None:
        """Of a normalised adjacency."""
        super().__init__()
        self.register_buffer("adjacency", adjacency)
        self.linear, self.activation = nn.Linear(width, width, bias=False), activation
        nn.init.kaiming_normal_(self.linear.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(graphs, nodes, width)"""
        return self.activation(self.linear(self.adjacency @ x))  # type: ignore[no-any-return]


def graph(dice: Dice) -> Case:
    """A deep graph network, smoothed until nodes are alike: cosines > .99 of a graph's nodes."""
    nodes, features, width = dice.between(8, 20), dice.between(8, 32), dice.between(16, 64)
    edges = torch.rand(nodes, nodes, generator=dice.generator) < dice.uniform(0.3, 0.6)
    linked = (edges | edges.T | torch.eye(nodes, dtype=torch.bool)).float()
    degree = linked.sum(1).rsqrt()
    adjacency = degree[:, None] * linked * degree
    activation = dice.one_of(nn.ReLU, nn.Tanh, nn.LeakyReLU)
    stages = [Neighbours(adjacency, width, activation()) for _ in range(dice.between(8, 24))]
    network = Tokens(nn.Linear(features, width), stages, width, nodes)
    return network, dice.sequences(nodes, features)


def points(dice: Dice) -> Case:
    """Sets of points, a shared MLP at Torch's default and their mean: cosines > .99."""
    width, number = dice.between(32, 128), dice.between(32, 64)
    stages = [nn.Sequential(nn.Linear(width, width), nn.ReLU()) for _ in range(dice.between(4, 10))]
    return Tokens(nn.Linear(3, width), stages, width, number), dice.sequences(number, 3)


def gru(dice: Dice) -> Case:
    """A GRU that keeps nothing, or of recurrent weights too large: gradients over the steps."""
    features, width = dice.between(16, 32), dice.between(16, 64)
    layer = nn.GRU(features, width, batch_first=True)
    gates = dict(layer.named_parameters())
    nn.init.constant_(gates["bias_hh_l0"][width : 2 * width], -dice.uniform(3, 6))
    if dice.one_of(True, False):
        nn.init.constant_(gates["bias_hh_l0"][:width], 3.0)
        nn.init.normal_(
            gates["weight_hh_l0"][2 * width :], std=dice.uniform(3, 6) / math.sqrt(width)
        )
    return Recurrent(layer), dice.sequences(dice.between(20, 50), features)


def forgetting(dice: Dice) -> Case:
    """An LSTM whose forget gate is shut by its bias: gradients over the steps < 1e-3."""
    features, width = dice.between(16, 32), dice.between(16, 64)
    layer = nn.LSTM(features, width, batch_first=True)
    gates = dict(layer.named_parameters())
    nn.init.constant_(gates["bias_ih_l0"][width : 2 * width], -dice.uniform(4, 10))
    return Recurrent(layer), dice.sequences(dice.between(8, 30), features)


KINDS: dict[str, Callable[[Dice], Case]] = {
    "staged ResNet, branches too large": staged_resnet,
    "skip added twice": skip_twice,
    "DeepNorm's factor misplaced": wrong_factor,
    "Euler's steps too long": euler,
    "a shut gate amid residual blocks": shut_gate,
    "weight norm": weight_norms,
    "spectral norm": spectral_norms,
    "orthogonal of gain one": orthogonal,
    "deep linear, a little off": deep_linear,
    "all weights equal": constant_weights,
    "activation and initialisation at odds": activations,
    "dense block of fan_out": dense_block,
    "sines of frequency 30": sines,
    "separable convolutions": separable,
    "deep convolutions with batch norm": deep_norms,
    "U-Net": unet,
    "group norm of a single pixel": single_pixel,
    "batch norm's shift below zero": negative_shift,
    "sick head": sick_head,
    "deep layer norm": layer_norms,
    "gated linear units": gated,
    "softmax between layers": hidden_softmax,
    "through one unit": one_unit,
    "siamese": siamese,
    "one sample in other units": other_units,
    "attention too sharp": sharp_attention,
    "MLP-Mixer without skips": mixer,
    "positions drown the words": positions,
    "unknown words": unknown_words,
    "deep graph network": graph,
    "sets of points": points,
    "GRU, gates or weights": gru,
    "LSTM that forgets": forgetting,
}

#: What a kind's draw must have, where another sickness would be beside the point.
WANTED: dict[Callable[[Dice], Case], str] = {
    staged_resnet: "exploding",
    skip_twice: "exploding",
    wrong_factor: "collapsing",
    euler: "exploding",
    dense_block: "exploding",
    deep_norms: "exploding",
    sines: "exploding",
    shut_gate: "vanishing",
    unet: "vanishing",
    negative_shift: "dead",
    other_units: "outlier",
    positions: "collapsing",
    unknown_words: "collapsing",
    graph: "collapsing",
}
#: Right besides what the measure finds.
ALSO: dict[Callable[[Dice], Case], tuple[str, ...]] = {single_pixel: ("collapsing", "dead")}
SICK = {
    name: partial(drawn, kind, WANTED.get(kind), measure=measured, also=ALSO.get(kind, ()))
    for name, kind in KINDS.items()
}


def main(argv: Sequence[str] | None = None) -> int:
    """Print what the measure finds in each kind, seed by seed."""
    prog = "python -m bench.networks.more_sick"
    return printed(SICK, measured, argv, prog=prog, description=__doc__)


if __name__ == "__main__":
    sys.exit(main())
