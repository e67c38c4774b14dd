"""Small networks as tutorials and papers build them, at their usual initialisation, which train.

    python -m bench.inspection_alarms --networks 500 --healthy bench/networks/usual.py

`HEALTHY` maps kinds to functions of a seed; each returns a network and a batch of 16 samples of
white noise, in which nothing is alike. None was left out for what it was told: deep stacks of
Torch's default weights lose most of what differs between samples of noise to their biases, and train all
the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["HEALTHY"]

Case = tuple[nn.Module, Tensor]


def _images() -> Tensor:
    return torch.randn(16, 3, 32, 32)


def _step(channels: int, into: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(channels, into, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(into), nn.ReLU())


class _Basic(nn.Module):
    """The basic block of a ResNet."""

    def __init__(self, channels: int, into: int, stride: int) -> None:
        super().__init__()
        last = nn.Conv2d(into, into, 3, 1, 1, bias=False)
        self.branch = nn.Sequential(_step(channels, into, stride), last, nn.BatchNorm2d(into))
        same = stride == 1 and channels == into
        skip = nn.Conv2d(channels, into, 1, stride, bias=False)
        self.skip = nn.Identity() if same else nn.Sequential(skip, nn.BatchNorm2d(into))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.branch(x) + self.skip(x))


def _resnet(seed: int) -> Case:
    stages = [_Basic(16, 16, 1), _Basic(16, 32, 2), _Basic(32, 32, 1), _Basic(32, 64, 2)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(_step(3, 16), *stages, *head), _images()


def _vgg(seed: int) -> Case:
    steps = [_step(3, 16), nn.MaxPool2d(2), _step(16, 32), nn.MaxPool2d(2), _step(32, 64)]
    return nn.Sequential(*steps, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1024, 10)), _images()


def _lenet(seed: int) -> Case:
    pool = partial(nn.MaxPool2d, 2)
    convolutions = [nn.Conv2d(3, 6, 5), nn.ReLU(), pool(), nn.Conv2d(6, 16, 5), nn.ReLU(), pool()]
    maps = [nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
    return nn.Sequential(*convolutions, nn.Flatten(), *maps), _images()


def _two_convolutions(seed: int) -> Case:
    convolutions = [nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU()]
    maps = [nn.Linear(64 * 196, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)]
    pooled = [nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten()]
    return nn.Sequential(*convolutions, *pooled, *maps), _images()


class _Dense(nn.Module):
    """A dense block of five convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 1, 1)
        widths = [16 + 12 * k for k in range(6)]
        self.layers = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(d), nn.ReLU(), nn.Conv2d(d, 12, 3, 1, 1, bias=False))
            for d in widths[:-1]
        )
        self.head = nn.Linear(widths[-1], 10)

    def forward(self, x: Tensor) -> Tensor:
        kept: Tensor = self.stem(x)
        for layer in self.layers:
            kept = torch.cat([kept, layer(kept)], 1)
        out: Tensor = self.head(kept.mean((2, 3)))
        return out


def _dense(seed: int) -> Case:
    return _Dense(), _images()


def _perceptron(depth: int, activation: Callable[[], nn.Module], law: str, seed: int) -> Case:
    layers: list[nn.Module] = []
    for number in range(depth):
        layer = nn.Linear(64 if number else 32, 64)
        if law != "default":
            nn.init.zeros_(layer.bias)
        if law == "he":
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        elif law == "xavier":
            nn.init.xavier_uniform_(layer.weight)
        layers += [layer, activation()]
    return nn.Sequential(*layers, nn.Linear(64, 10)), torch.randn(16, 32)


class _Encoder(nn.Module):
    """A transformer over twelve tokens."""

    def __init__(self, blocks: int, norm_first: bool) -> None:
        super().__init__()
        self.embedding = nn.Linear(8, 32)
        block = nn.TransformerEncoderLayer(
            32, 4, 64, batch_first=True, norm_first=norm_first, dropout=0.0
        )
        self.blocks = nn.TransformerEncoder(block, blocks, enable_nested_tensor=False)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.blocks(self.embedding(x)).mean(1))
        return out


def _encoder(blocks: int, norm_first: bool, seed: int) -> Case:
    return _Encoder(blocks, norm_first), torch.randn(16, 12, 8)


def _autoencoder(seed: int) -> Case:
    widths = [32, 24, 12, 6, 12, 24, 32]
    layers: list[nn.Module] = []
    for into, out in pairwise(widths):
        layers += [nn.Linear(into, out), nn.ReLU()]
    return nn.Sequential(*layers[:-1]), torch.randn(16, 32)


class _Recurrent(nn.Module):
    """A recurrent module over eight steps, of which the mean or the last is read."""

    def __init__(self, kind: str, mean: bool) -> None:
        super().__init__()
        self.steps = getattr(nn, kind)(8, 64, batch_first=True)
        self.head = nn.Linear(64, 10)
        self.mean = mean

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.steps(x)
        out: Tensor = self.head(states.mean(1) if self.mean else states[:, -1])
        return out


def _recurrent(kind: str, mean: bool, seed: int) -> Case:
    return _Recurrent(kind, mean), torch.randn(16, 8, 8)


HEALTHY: Mapping[str, Callable[[int], Case]] = {
    "ResNet of four blocks": _resnet,
    "VGG of three convolutions, batch norm": _vgg,
    "LeNet-5": _lenet,
    "two convolutions, two maps": _two_convolutions,
    "dense block": _dense,
    "two layers of ReLU, default weights": partial(_perceptron, 2, nn.ReLU, "default"),
    "three layers of ReLU, He": partial(_perceptron, 3, nn.ReLU, "he"),
    "three layers of tanh, Xavier": partial(_perceptron, 3, nn.Tanh, "xavier"),
    "three layers of GELU, He": partial(_perceptron, 3, nn.GELU, "he"),
    "two transformer blocks, norm first": partial(_encoder, 2, True),
    "two transformer blocks, norm last": partial(_encoder, 2, False),
    "six transformer blocks, norm first": partial(_encoder, 6, True),
    "autoencoder": _autoencoder,
    "LSTM, last step": partial(_recurrent, "LSTM", False),
    "LSTM, mean": partial(_recurrent, "LSTM", True),
    "GRU, last step": partial(_recurrent, "GRU", False),
    "RNN, mean": partial(_recurrent, "RNN", True),
}
