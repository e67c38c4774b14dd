"""Healthy networks on vectors, for `bench.networks.healthy`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.networks.pieces import (
    Apply,
    Built,
    Joined,
    Residual,
    beside,
    columns,
    conv_bn,
    digits,
    entering,
    he,
    hidden,
    initialised,
    lecun,
    mlp,
    noise,
    product,
    relu,
)

PERCEPTRONS: dict[str, Callable[[int], Built]] = {}
kind = partial(entering, PERCEPTRONS)


@kind("logistic regression, digits")
def _(draw: Random) -> Built:
    return nn.Linear(64, 10), digits(draw)


@kind("sigmoid, one hidden layer, Xavier, digits")
def _(draw: Random) -> Built:
    network = mlp(hidden(draw, 1, 1), lambda _: nn.Sigmoid())
    return initialised(network, nn.init.xavier_normal_), digits(draw)


@kind("ReLU, Torch's default, digits")
def _(draw: Random) -> Built:
    return mlp(hidden(draw, 1, 4), relu), digits(draw)


@kind("ReLU, He")
def _(draw: Random) -> Built:
    return initialised(mlp(hidden(draw, 2, 8), relu), he), noise(draw, 64)


@kind("ReLU with dropout, digits")
def _(draw: Random) -> Built:
    return mlp(hidden(draw, 2, 3), relu, lambda _: nn.Dropout(0.2)), digits(draw)


@kind("tanh, Xavier, digits")
def _(draw: Random) -> Built:
    network = mlp(hidden(draw, 2, 6), lambda _: nn.Tanh())
    return initialised(network, nn.init.xavier_uniform_), digits(draw)


@kind("tanh, orthogonal")
def _(draw: Random) -> Built:
    network = mlp(hidden(draw, 2, 10), lambda _: nn.Tanh())
    return initialised(network, nn.init.orthogonal_), noise(draw, 64)


@kind("GELU, Torch's default")
def _(draw: Random) -> Built:
    return mlp(hidden(draw, 1, 4, 20, 1), lambda _: nn.GELU()), noise(draw, 20)


@kind("leaky ReLU with batch normalisation")
def _(draw: Random) -> Built:
    network = mlp(hidden(draw, 2, 6), nn.BatchNorm1d, lambda _: nn.LeakyReLU(0.1))
    return network, noise(draw, 64)


@kind("SiLU with layer normalisation, digits")
def _(draw: Random) -> Built:
    return mlp(hidden(draw, 2, 6), nn.LayerNorm, lambda _: nn.SiLU()), digits(draw)


@kind("SELU, LeCun's normal, alpha dropout")
def _(draw: Random) -> Built:
    network = mlp(hidden(draw, 4, 12), lambda _: nn.SELU(), lambda _: nn.AlphaDropout(0.05))
    return initialised(network, lecun), digits(draw)


class Highway(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.change, self.gate = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.constant_(self.gate.bias, -2.0)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.gate(x))
        return gate * F.relu(self.change(x)) + (1 - gate) * x


@kind("Highway")
def _(draw: Random) -> Built:
    width = draw.choice((32, 64))
    layers = [Highway(width) for _ in range(draw.randint(5, 15))]
    return nn.Sequential(nn.Linear(64, width), *layers, nn.Linear(width, 10)), digits(draw)


@kind("residual blocks of SwiGLU")
def _(draw: Random) -> Built:
    width, network = draw.choice((32, 64)), nn.Sequential()
    network.append(nn.Linear(20, width))
    for _ in range(draw.randint(2, 6)):
        gate = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU())
        gated = Joined(product, gate, nn.Linear(width, 2 * width))
        body = nn.Sequential(nn.RMSNorm(width), gated, nn.Linear(2 * width, width))
        network.append(Residual(body))
    return network.extend([nn.RMSNorm(width), nn.Linear(width, 5)]), noise(draw, 20)


@kind("ReZero")
def _(draw: Random) -> Built:
    width, network = draw.choice((32, 64, 128)), nn.Sequential()
    network.append(nn.Linear(64, width))
    for _ in range(draw.randint(4, 24)):
        body = nn.Sequential(nn.Linear(width, width), nn.ReLU())
        network.append(Residual(body, scale=torch.zeros(1)))
    return network.append(nn.Linear(width, 10)), digits(draw)


class Tabular(nn.Module):
    """Two columns of categories, embedded, beside numbers; residual blocks follow."""

    def __init__(self, categories: int, width: int, blocks: int) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(categories, 8) for _ in range(2))
        self.first = nn.Linear(8 + 16, width)
        bodies = [
            nn.Sequential(nn.BatchNorm1d(width), *mlp([width] * 3, relu)) for _ in range(blocks)
        ]
        self.blocks = nn.Sequential(*map(Residual, bodies))
        self.head = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        embedded = [table(x[:, place].long()) for place, table in enumerate(self.embeddings)]
        x = self.first(torch.cat([*embedded, x[:, 2:]], dim=1))
        out: Tensor = self.head(F.relu(self.blocks(x)))
        return out


@kind("table of categories and numbers, residual")
def _(draw: Random) -> Built:
    network = Tabular(10, draw.choice((32, 64)), draw.randint(1, 4))
    numbers = noise(draw, 8)
    return network, torch.cat([torch.randint(10, (len(numbers), 2)).float(), numbers], dim=1)


@kind("SIREN on coordinates")
def _(draw: Random) -> Built:
    widths = hidden(draw, 2, 4, 2, 1)
    network = mlp(widths, lambda _: Apply(lambda x: torch.sin(30 * x)))
    for place, layer in enumerate(m for m in network if isinstance(m, nn.Linear)):
        bound = 1 / 2 if place == 0 else math.sqrt(6 / layer.in_features) / 30
        nn.init.uniform_(layer.weight, -bound, bound)
    return network, 2 * torch.rand(draw.randint(8, 48), 2) - 1


@kind("random Fourier features and ReLU on coordinates")
def _(draw: Random) -> Built:
    waves = 5 * torch.randn(2, 32)
    lift = Apply(lambda x: torch.cat([torch.sin(x @ waves), torch.cos(x @ waves)], dim=1))
    network = nn.Sequential(lift, *mlp(hidden(draw, 2, 4, 64, 3), relu))
    return network, 2 * torch.rand(draw.randint(8, 48), 2) - 1


@kind("autoencoder, digits")
def _(draw: Random) -> Built:
    width, code = draw.choice((32, 48)), draw.choice((8, 16))
    return mlp([64, width, code, width, 64], relu), digits(draw)


@kind("encoder of a variational autoencoder, mean and log variance")
def _(draw: Random) -> Built:
    width, code = draw.choice((64, 128)), draw.choice((2, 8, 16))
    trunk = nn.Sequential(*mlp([64] + [width] * draw.randint(1, 2) + [width], relu), nn.ReLU())
    heads = Joined(beside, nn.Linear(width, code), nn.Linear(width, code))
    return nn.Sequential(trunk, heads), digits(draw)


@kind("heads of several tasks")
def _(draw: Random) -> Built:
    width = draw.choice((32, 64, 128))
    trunk = nn.Sequential(*mlp([64, width, width], relu), nn.ReLU())
    heads = [mlp([width, 32, outputs], relu) for outputs in draw.choice(((1, 5), (3, 1, 2)))]
    return nn.Sequential(trunk, Joined(beside, *heads)), digits(draw)


@kind("actor and critic, orthogonal")
def _(draw: Random) -> Built:
    def head(outputs: int, gain: float) -> nn.Module:
        network = mlp([8, 64, 64, outputs], lambda _: nn.Tanh())
        for layer in network:
            if isinstance(layer, nn.Linear):
                scale = gain if layer.out_features == outputs else math.sqrt(2)
                nn.init.orthogonal_(layer.weight, scale)
                nn.init.zeros_(layer.bias)
        return network

    return Joined(beside, head(draw.randint(2, 6), 0.01), head(1, 1.0)), noise(draw, 8)


@kind("dueling value network")
def _(draw: Random) -> Built:
    width, actions = draw.choice((64, 128)), draw.randint(2, 6)
    trunk = nn.Sequential(*mlp([12, width, width], relu), nn.ReLU())
    heads = Joined(beside, mlp([width, 32, 1], relu), mlp([width, 32, actions], relu))
    value = Apply(lambda x: x[:, :1] + x[:, 1:] - x[:, 1:].mean(1, keepdim=True))
    return nn.Sequential(trunk, heads, value), noise(draw, 12)


@kind("mixture of experts, softly gated")
def _(draw: Random) -> Built:
    experts, width = draw.randint(2, 6), draw.choice((32, 64))
    branches = [mlp([64, width, width, 10], relu) for _ in range(experts)]
    gate = nn.Sequential(nn.Linear(64, experts), nn.Softmax(1))

    def mixed(parts: Sequence[Tensor]) -> Tensor:
        return torch.einsum("ne,enc->nc", parts[0], torch.stack(list(parts[1:])))

    return Joined(mixed, gate, *branches), digits(draw)


@kind("siamese, absolute difference of pairs")
def _(draw: Random) -> Built:
    width = draw.choice((32, 64))
    twin = nn.Sequential(nn.Unflatten(1, (2, 32)), *mlp([32, width, width], relu))
    far = Apply(lambda x: (x[:, 0] - x[:, 1]).abs())
    return nn.Sequential(twin, far, nn.Linear(width, 1)), digits(draw)


@kind("two branches, image and table")
def _(draw: Random) -> Built:
    width = draw.choice((8, 16))
    image = nn.Sequential(columns(0, 64), nn.Unflatten(1, (1, 8, 8)), *conv_bn(1, width), nn.ReLU())
    image.extend([nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * width, 32), nn.ReLU()])
    table = nn.Sequential(
        columns(64, 70), nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU()
    )
    batch = digits(draw)
    both = torch.cat([batch, torch.randn(len(batch), 6)], dim=1)
    return nn.Sequential(Joined(beside, image, table), *mlp([48, 32, 10], relu)), both


@kind("frozen features with adapters of low rank")
def _(draw: Random) -> Built:
    network, width = nn.Sequential(nn.Linear(64, 64), nn.ReLU()), 64
    network.requires_grad_(False)
    for _ in range(draw.randint(1, 3)):
        adapter = nn.Sequential(nn.Linear(width, 4, bias=False), nn.Linear(4, width, bias=False))
        nn.init.zeros_(adapter.get_parameter("1.weight"))
        frozen = nn.Linear(width, width).requires_grad_(False)
        network.extend([Residual(adapter, frozen), nn.ReLU()])
    return network.append(nn.Linear(width, 10)), digits(draw)


@kind("normalising flow of affine couplings")
def _(draw: Random) -> Built:
    class Coupling(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.moments = mlp([4, width, width, 8], relu)
            nn.init.zeros_(self.moments.get_parameter("4.weight"))
            nn.init.zeros_(self.moments.get_parameter("4.bias"))

        def forward(self, x: Tensor) -> Tensor:
            kept, moved = x.chunk(2, dim=1)
            shift, scale = self.moments(kept).chunk(2, dim=1)
            return torch.cat([moved * torch.exp(torch.tanh(scale)) + shift, kept], dim=1)

    width = draw.choice((32, 64))
    return nn.Sequential(*[Coupling(width) for _ in range(draw.randint(2, 6))]), noise(draw, 8)
