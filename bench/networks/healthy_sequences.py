"""Healthy networks on sequences, sets and graphs, for `bench.networks.healthy`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from bench.networks.pieces import (
    Apply,
    Attention,
    Built,
    Joined,
    Positions,
    Recurrent,
    Residual,
    bert,
    beside,
    clouds,
    digits,
    entering,
    initialised,
    mean_over,
    mlp,
    noise,
    product,
    relu,
    scenes,
    signals,
    swapped,
    tokens,
)

SEQUENCES: dict[str, Callable[[int], Built]] = {}
kind = partial(entering, SEQUENCES)


class TextLSTM(nn.Module):
    def __init__(self, vocabulary: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 32)
        self.lstm = nn.LSTM(32, width, layers, batch_first=True)
        self.head = nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        _, (state, _) = self.lstm(self.embedding(x))
        out: Tensor = self.head(state[-1])
        return out


@kind("LSTM on tokens, last state")
def _(draw: Random) -> Built:
    network = TextLSTM(50, draw.choice((32, 64)), draw.randint(1, 2))
    return network, tokens(draw, draw.randint(10, 30), 50)


@kind("LSTM, orthogonal, forget gates open, signals")
def _(draw: Random) -> Built:
    width = draw.choice((32, 64))
    lstm = nn.LSTM(2, width, batch_first=True)
    nn.init.orthogonal_(lstm.get_parameter("weight_hh_l0"))
    with torch.no_grad():
        lstm.get_parameter("bias_ih_l0")[width : 2 * width] = 1.0
    network = nn.Sequential(swapped(), Recurrent(lstm), nn.Linear(width, 4))
    return network, signals(draw, 2, draw.randint(20, 60))


@kind("GRU in both directions, mean over time, signals")
def _(draw: Random) -> Built:
    width = draw.choice((16, 32))
    gru = nn.GRU(3, width, draw.randint(1, 2), batch_first=True, bidirectional=True)
    pooled = Recurrent(gru, mean=True)
    return nn.Sequential(swapped(), pooled, nn.Linear(2 * width, 5)), signals(draw, 3, 32)


@kind("RNN with tanh, Torch's default")
def _(draw: Random) -> Built:
    width = draw.choice((32, 64))
    rnn = Recurrent(nn.RNN(8, width, batch_first=True))
    return nn.Sequential(rnn, nn.Linear(width, 5)), noise(draw, draw.randint(5, 20), 8)


@kind("RNN of ReLU from the identity, rows of digits")
def _(draw: Random) -> Built:
    width = draw.choice((32, 64, 100))
    rnn = nn.RNN(8, width, nonlinearity="relu", batch_first=True)
    nn.init.eye_(rnn.get_parameter("weight_hh_l0"))
    nn.init.normal_(rnn.get_parameter("weight_ih_l0"), std=0.1)
    return nn.Sequential(Recurrent(rnn), nn.Linear(width, 10)), digits(draw, 8, 8)


@kind("convolutions, then a GRU")
def _(draw: Random) -> Built:
    width = draw.choice((16, 32))
    front = (nn.Conv1d(1, width, 5, 2, 2), nn.BatchNorm1d(width), nn.ReLU(), swapped())
    gru = Recurrent(nn.GRU(width, 32, batch_first=True))
    return nn.Sequential(*front, gru, nn.Linear(32, 5)), signals(draw, 1, 64)


@kind("convolutions on text, maximum over time")
def _(draw: Random) -> Built:
    width = draw.choice((16, 32))
    branches = [nn.Sequential(nn.Conv1d(32, width, size), nn.ReLU()) for size in (3, 4, 5)]
    for branch in branches:
        branch.extend([nn.AdaptiveMaxPool1d(1), nn.Flatten()])
    network = nn.Sequential(nn.Embedding(60, 32), swapped(), Joined(beside, *branches))
    return network.extend([nn.Dropout(0.3), nn.Linear(3 * width, 4)]), tokens(draw, 24, 60)


@kind("bag of embeddings")
def _(draw: Random) -> Built:
    width = draw.choice((32, 64))
    return nn.Sequential(nn.EmbeddingBag(100, width), nn.Linear(width, 4)), tokens(draw, 20, 100)


class WaveNet(nn.Module):
    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, width, 1)
        self.gated = nn.ModuleList(
            nn.Conv1d(width, 2 * width, 2, dilation=1 << layer) for layer in range(layers)
        )
        self.across = nn.ModuleList(nn.Conv1d(width, 2 * width, 1) for _ in range(layers))
        self.tail = nn.Sequential(nn.ReLU(), nn.Conv1d(width, width, 1), nn.ReLU())
        self.head = nn.Conv1d(width, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        skipped = torch.zeros_like(x)
        for layer, (gated, across) in enumerate(zip(self.gated, self.across, strict=True)):
            kept, gate = gated(F.pad(x, (1 << layer, 0))).chunk(2, dim=1)
            residual, skip = across(torch.tanh(kept) * torch.sigmoid(gate)).chunk(2, dim=1)
            x, skipped = x + residual, skipped + skip
        out: Tensor = self.head(self.tail(skipped))
        return out


@kind("WaveNet")
def _(draw: Random) -> Built:
    return WaveNet(draw.choice((16, 24, 32)), draw.randint(3, 5)), signals(draw, 1, 48)


@kind("temporal convolutions with weight normalisation")
def _(draw: Random) -> Built:
    width, network, inputs = draw.choice((16, 32)), nn.Sequential(), 2
    for level in range(draw.randint(2, 4)):
        gap, body = 1 << level, nn.Sequential()
        for entered in (inputs, width):
            layer = nn.Conv1d(entered, width, 3, dilation=gap)
            body.extend([nn.ConstantPad1d((2 * gap, 0), 0.0), weight_norm(layer), nn.ReLU()])
        shortcut = nn.Identity() if inputs == width else nn.Conv1d(inputs, width, 1)
        network.append(Residual(body, shortcut, nn.ReLU()))
        inputs = width
    last = Apply(lambda x: x[:, :, -1])
    return network.extend([last, nn.Linear(width, 4)]), signals(draw, 2, 32)


def pre_norm(width: int, heads: int, causal: bool = False) -> list[nn.Module]:
    """A block of a transformer, normalised before attention and before the perceptron."""
    attention = nn.Sequential(nn.LayerNorm(width), Attention(width, heads, causal))
    wide = mlp([width, 4 * width, width], lambda _: nn.GELU())
    return [Residual(attention), Residual(nn.Sequential(nn.LayerNorm(width), *wide))]


@kind("vision transformer, own attention, digits")
def _(draw: Random) -> Built:
    width, network = draw.choice((32, 64)), nn.Sequential()
    network.extend([nn.Conv2d(1, width, 2, 2), nn.Flatten(2), swapped(), Positions(16, width)])
    for _ in range(draw.randint(2, 6)):
        network.extend(pre_norm(width, 4))
    network.extend([nn.LayerNorm(width), mean_over(1), nn.Linear(width, 10)])
    return initialised(network, bert), digits(draw, 1, 8, 8)


class ClassToken(nn.Module):
    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = Positions(17, width)
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), patches], dim=1)
        out: Tensor = self.head(self.norm(self.encoder(self.positions(x)))[:, 0])
        return out


@kind("vision transformer of Torch's layers, class token")
def _(draw: Random) -> Built:
    return ClassToken(draw.choice((32, 64)), draw.randint(2, 6)), scenes(draw, 3, 16)


@kind("post-norm transformer of Torch's layers, dropout, tokens")
def _(draw: Random) -> Built:
    width, length = draw.choice((32, 64)), draw.randint(8, 24)
    layer = nn.TransformerEncoderLayer(width, 4, 2 * width, batch_first=True)
    encoder = nn.TransformerEncoder(layer, draw.randint(1, 3), enable_nested_tensor=False)
    network = nn.Sequential(nn.Embedding(50, width), Positions(length, width), encoder)
    return network.extend([mean_over(1), nn.Linear(width, 4)]), tokens(draw, length, 50)


@kind("post-norm transformer, own attention")
def _(draw: Random) -> Built:
    width, length = draw.choice((32, 64)), draw.randint(8, 16)
    network = nn.Sequential(nn.Linear(8, width), Positions(length, width))
    for _ in range(draw.randint(1, 4)):
        wide = mlp([width, 4 * width, width], relu)
        network.append(Residual(Attention(width, 4), after=nn.LayerNorm(width)))
        network.append(Residual(wide, after=nn.LayerNorm(width)))
    return network.extend([mean_over(1), nn.Linear(width, 3)]), noise(draw, length, 8)


class GPT(nn.Module):
    """Causal, residual projections scaled by depth, embedding and head tied."""

    def __init__(self, vocabulary: int, length: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding, self.positions = nn.Embedding(vocabulary, width), Positions(length, width)
        blocks = [block for _ in range(layers) for block in pre_norm(width, 4, True)]
        self.blocks, self.norm = nn.Sequential(*blocks), nn.LayerNorm(width)
        initialised(self, bert)
        nn.init.normal_(self.embedding.weight, std=0.02)
        for name, weight in self.named_parameters():
            if name.endswith(("out.weight", "body.3.weight")):
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * layers))

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.norm(self.blocks(self.positions(self.embedding(x))))
        return F.linear(hidden, self.embedding.weight)


@kind("GPT, tied embedding, logits at every place")
def _(draw: Random) -> Built:
    length = draw.randint(8, 16)
    network = GPT(40, length, draw.choice((32, 64)), draw.randint(2, 6))
    return network, tokens(draw, length, 40)


@kind("transformer of RMS normalisation and SwiGLU")
def _(draw: Random) -> Built:
    width, network = draw.choice((32, 64)), nn.Sequential()
    network.append(nn.Linear(6, width))
    for _ in range(draw.randint(2, 4)):
        gate = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU())
        gated = Joined(product, gate, nn.Linear(width, 2 * width))
        network.append(Residual(nn.Sequential(nn.RMSNorm(width), Attention(width, 4))))
        body = nn.Sequential(nn.RMSNorm(width), gated, nn.Linear(2 * width, width))
        network.append(Residual(body))
    network.extend([nn.RMSNorm(width), mean_over(1), nn.Linear(width, 4)])
    return network, noise(draw, draw.randint(8, 16), 6)


@kind("MLP-Mixer")
def _(draw: Random) -> Built:
    width, network = draw.choice((32, 64)), nn.Sequential()
    network.extend([nn.Conv2d(3, width, 4, 4), nn.Flatten(2), swapped()])
    for _ in range(draw.randint(2, 6)):
        places = mlp([16, 32, 16], lambda _: nn.GELU())
        channels = mlp([width, 2 * width, width], lambda _: nn.GELU())
        network.append(Residual(nn.Sequential(nn.LayerNorm(width), swapped(), places, swapped())))
        network.append(Residual(nn.Sequential(nn.LayerNorm(width), channels)))
    network.extend([nn.LayerNorm(width), mean_over(1), nn.Linear(width, 10)])
    return network, scenes(draw, 3, 16)


@kind("DeepSets")
def _(draw: Random) -> Built:
    width = draw.choice((32, 64, 128))
    inner = nn.Sequential(*mlp([3, width, width], relu), nn.ReLU())
    network = nn.Sequential(inner, mean_over(1), *mlp([width, width, 5], relu))
    return network, clouds(draw, draw.choice((8, 16, 32)))


@kind("PointNet")
def _(draw: Random) -> Built:
    width, network, inputs = draw.choice((16, 32)), nn.Sequential(swapped()), 3
    for outputs in (width, 2 * width, 4 * width):
        network.extend([nn.Conv1d(inputs, outputs, 1), nn.BatchNorm1d(outputs), nn.ReLU()])
        inputs = outputs
    network.extend([Apply(lambda x: x.amax(2)), nn.Linear(inputs, 32), nn.BatchNorm1d(32)])
    return network.extend([nn.ReLU(), nn.Linear(32, 5)]), clouds(draw, draw.choice((16, 32)))


class GraphConv(nn.Module):
    """Kipf and Welling's layer on a fixed graph, its normalised adjacency a buffer."""

    def __init__(self, adjacency: Tensor, inputs: int, outputs: int) -> None:
        super().__init__()
        looped = adjacency + torch.eye(len(adjacency))
        roots = looped.sum(1).rsqrt()
        self.register_buffer("average", roots[:, None] * looped * roots)
        self.linear = nn.Linear(inputs, outputs)
        nn.init.xavier_uniform_(self.linear.weight)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.get_buffer("average") @ self.linear(x)
        return mixed


@kind("graph convolutions on a fixed graph")
def _(draw: Random) -> Built:
    nodes, width = draw.choice((10, 16, 24)), draw.choice((16, 32))
    edges = (torch.rand(nodes, nodes) < 3 / nodes).float().triu(1)
    network, inputs = nn.Sequential(), 6
    for _ in range(draw.randint(2, 3)):
        network.extend([GraphConv(edges + edges.T, inputs, width), nn.ReLU()])
        inputs = width
    return network.extend([mean_over(1), nn.Linear(width, 3)]), noise(draw, nodes, 6)
