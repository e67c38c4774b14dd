"""Healthy networks as textbooks, tutorials and well-known repositories build them.

They were written without sight of the detector, and none was dropped or kept for what it says of
them: each kind is here because networks of it train, by Adam and by SGD with momentum
(``python -m bench.trainable bench/networks/last_healthy.py``). Widths, depths, numbers of samples
and batches depend on the seed. More of the kinds are in `last_images`
and `last_sorts`.

    python -m bench.inspection_alarms --healthy bench/networks/last_healthy.py --out alarms.json
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from bench.networks import last_images, last_sorts
from bench.networks.last_pieces import (
    KINDS,
    Built,
    Net,
    block,
    digits,
    kind,
    mlp,
    noise,
    normal,
    pooled,
    residual,
    start,
    tokens,
    truncated,
    waves,
)

HEALTHY: Mapping[str, Callable[[int], Built]] = KINDS
ELSEWHERE = (last_images, last_sorts)  # whose kinds their import enters


@kind("generator of DCGAN")
def _generator(r: Random) -> Built:
    z, c = r.choice([16, 32]), r.choice([16, 32])
    one = [nn.ConvTranspose2d(z, 2 * c, 4, bias=False), nn.BatchNorm2d(2 * c), nn.ReLU()]
    two = [nn.ConvTranspose2d(2 * c, c, 4, 2, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU()]
    net = nn.Sequential(*one, *two, nn.ConvTranspose2d(c, 1, 4, 2, 1, bias=False), nn.Tanh())
    return start(net, normal), noise(r, z, 1, 1)


@kind("discriminator of DCGAN")
def _discriminator(r: Random) -> Built:
    c = r.choice([16, 32])
    one = [nn.Conv2d(1, c, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    two = [nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2)]
    net = nn.Sequential(*one, *two, nn.Conv2d(2 * c, 1, 4, bias=False), nn.Flatten())
    return start(net, normal), 2 * digits(r, standard=False, side=16) - 1


@kind("critic with spectral norm")
def _spectral(r: Random) -> Built:
    c, parts = r.choice([16, 32]), list[nn.Module]()
    for a, b, stride in ((3, c, 1), (c, c, 2), (c, 2 * c, 1), (2 * c, 2 * c, 2)):
        parts += [spectral_norm(nn.Conv2d(a, b, 2 + stride, stride, 1)), nn.LeakyReLU(0.1)]
    net = nn.Sequential(*parts, pooled(spectral_norm(nn.Linear(2 * c, 1))))
    return net, noise(r, 3, 16, 16)


def _embedded(vocabulary: int, length: int, d: int) -> Net:
    """Embeddings of tokens and of their places."""
    return Net(
        lambda m, x: m.token(x) + m.place.weight[: x.shape[1]],
        token=nn.Embedding(vocabulary, d),
        place=nn.Embedding(length, d),
    )


@kind("transformer encoder of Torch on tokens")
def _encoder(r: Random) -> Built:
    d, length = r.choice([32, 64]), r.randint(8, 20)
    layer = nn.TransformerEncoderLayer(d, 4, 2 * d, dropout=0.1, batch_first=True)
    stack = nn.TransformerEncoder(layer, r.randint(1, 3), enable_nested_tensor=False)
    rate = torch.exp(torch.arange(0, d, 2) * (-math.log(10000.0) / d))
    angle = torch.arange(length)[:, None] * rate
    net = Net(
        lambda m, x: m.head(m.stack(m.token(x) * math.sqrt(d) + m.place).mean(1)),
        token=nn.Embedding(100, d),
        place=torch.stack([angle.sin(), angle.cos()], 2).flatten(1),
        stack=stack,
        head=nn.Linear(d, 4),
    )
    return net, tokens(r, 100, length)


@kind("GPT with tied head")
def _gpt(r: Random) -> Built:
    d, length, depth = r.choice([32, 64]), r.randint(8, 16), r.randint(2, 4)
    net = Net(
        lambda m, x: F.linear(m.body(m.embedded(x)), m.embedded.token.weight),
        embedded=_embedded(65, length, d),
        body=nn.Sequential(*(block(d, 4, causal=True) for _ in range(depth)), nn.LayerNorm(d)),
    )
    start(net, truncated)
    for name, weight in net.named_parameters():
        if name.endswith(("out.weight", "branch.1.2.weight")):
            nn.init.normal_(weight, std=0.02 / math.sqrt(2 * depth))
    return net, tokens(r, 65, length)


@kind("BERT-like classifier")
def _bert(r: Random) -> Built:
    d, length = r.choice([48, 64]), r.randint(10, 24)
    body = [nn.LayerNorm(d), *(block(d, 4) for _ in range(r.randint(2, 4))), nn.LayerNorm(d)]
    head = [nn.Linear(d, d), nn.Tanh(), nn.Linear(d, 2)]
    net = nn.Sequential(_embedded(200, length, d), *body, Net(lambda m, x: x[:, 0]), *head)
    return start(net, truncated), tokens(r, 200, length)


@kind("vision transformer")
def _vit(r: Random) -> Built:
    d = r.choice([32, 64])

    def rule(m: Any, x: Tensor) -> Any:
        patches = m.patch(x).flatten(2).transpose(1, 2)
        return m.body(torch.cat([m.first.expand(len(x), 1, d), patches], 1) + m.place)[:, 0]

    net = Net(
        lambda m, x: m.head(m.trunk(x)),
        trunk=Net(
            rule,
            patch=nn.Conv2d(3, d, 4, 4),
            first=nn.Parameter(0.02 * torch.randn(1, 1, d)),
            place=nn.Parameter(0.02 * torch.randn(1, 17, d)),
            body=nn.Sequential(*(block(d, 4) for _ in range(r.randint(2, 5))), nn.LayerNorm(d)),
        ),
        head=nn.Linear(d, 10),
    )
    return start(net, truncated), noise(r, 3, 16, 16)


@kind("MLP-Mixer")
def _mixer(r: Random) -> Built:
    d, layers = r.choice([32, 64]), list[nn.Module]()
    for _ in range(r.randint(2, 4)):
        turned = Net(lambda m, x: m.mix(x.mT).mT, mix=mlp([16, 32, 16], nn.GELU))
        layers.append(residual(nn.Sequential(nn.LayerNorm(d), turned)))
        layers.append(residual(nn.Sequential(nn.LayerNorm(d), mlp([d, 2 * d, d], nn.GELU))))
    stem = [nn.Conv2d(1, d, 4, 4), nn.Flatten(2), Net(lambda m, x: x.mT)]
    head = [nn.LayerNorm(d), Net(lambda m, x: x.mean(1)), nn.Linear(d, 10)]
    return nn.Sequential(*stem, *layers, *head), digits(r, standard=True, side=16)


@kind("LSTM on tokens")
def _lstm(r: Random) -> Built:
    d = r.choice([32, 64])
    net = Net(
        lambda m, x: m.head(m.cells(m.token(x))[0][:, -1]),
        token=nn.Embedding(80, 32),
        cells=nn.LSTM(32, d, r.randint(1, 2), batch_first=True),
        head=nn.Linear(d, 2),
    )
    return net, tokens(r, 80, r.randint(8, 20))


@kind("LSTM both ways, orthogonal, forget bias of 1")
def _both_ways(r: Random) -> Built:
    d = r.choice([32, 48])
    cells = nn.LSTM(3, d, batch_first=True, bidirectional=True)
    for name, weight in cells.named_parameters():
        if "weight_ih" in name:
            nn.init.xavier_uniform_(weight)
        elif "weight_hh" in name:
            nn.init.orthogonal_(weight)
        else:
            nn.init.zeros_(weight)
            nn.init.constant_(weight[d : 2 * d], 0.5)
    net = Net(lambda m, x: m.head(m.cells(x)[0].amax(1)), cells=cells, head=nn.Linear(2 * d, 4))
    return net, waves(r, r.randint(12, 30), 3)


@kind("GRU on sinusoids")
def _gru(r: Random) -> Built:
    d = r.choice([32, 64])
    net = Net(
        lambda m, x: m.head(m.cells(x)[1][-1]),
        cells=nn.GRU(2, d, r.randint(1, 2), batch_first=True),
        head=nn.Linear(d, 3),
    )
    return net, waves(r, r.randint(10, 30), 2)


@kind("convolutions and a GRU")
def _crnn(r: Random) -> Built:
    c, d = r.choice([16, 32]), r.choice([32, 64])
    net = Net(
        lambda m, x: m.head(m.cells(m.features(x).mean(2).mT)[0].mean(1)),
        features=nn.Sequential(nn.Conv2d(1, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU()),
        cells=nn.GRU(c, d, batch_first=True, bidirectional=True),
        head=nn.Linear(2 * d, 10),
    )
    return net, digits(r, standard=True, side=16)


@kind("temporal convolutions with weight norm")
def _tcn(r: Random) -> Built:
    c, parts = r.choice([16, 32]), list[nn.Module]()
    for i in range(r.randint(2, 4)):
        a, branch = (4 if i == 0 else c), list[nn.Module]()
        for b in (a, c):
            pad = nn.ConstantPad1d((2 * 2**i, 0), 0.0)
            branch += [pad, weight_norm(nn.Conv1d(b, c, 3, dilation=2**i)), nn.ReLU()]
            branch += [nn.Dropout(0.1)]
        short = nn.Conv1d(a, c, 1) if a != c else None
        parts += [residual(nn.Sequential(*branch), short), nn.ReLU()]
    turned, last = Net(lambda m, x: x.mT), Net(lambda m, x: x[:, :, -1])
    return nn.Sequential(turned, *parts, last, nn.Linear(c, 4)), waves(r, 30, 4)


@kind("WaveNet-like, gated, with skips")
def _wavenet(r: Random) -> Built:
    c, depth = r.choice([16, 24]), r.randint(3, 4)

    def rule(m: Any, x: Tensor) -> Any:
        x, skips = m.stem(x.mT), []
        for i in range(depth):
            wide, gate = m.maps[i](F.pad(x, (2**i, 0))).chunk(2, 1)
            gated = torch.tanh(wide) * torch.sigmoid(gate)
            skips.append(m.skips[i](gated))
            if i < depth - 1:
                x = x + m.backs[i](gated)
        return m.head(F.relu(torch.stack(skips).sum(0)).mean(2))

    net = Net(
        rule,
        stem=nn.Conv1d(2, c, 1),
        maps=nn.ModuleList(nn.Conv1d(c, 2 * c, 2, dilation=2**i) for i in range(depth)),
        skips=nn.ModuleList(nn.Conv1d(c, 2 * c, 1) for _ in range(depth)),
        backs=nn.ModuleList(nn.Conv1d(c, c, 1) for _ in range(depth - 1)),
        head=mlp([2 * c, 2 * c, 4]),
    )
    return net, waves(r, 32, 2)


@kind("convolutions on sentences")
def _sentences(r: Random) -> Built:
    c = r.choice([16, 32])
    net = Net(
        lambda m, x: m.head(torch.cat([F.relu(k(m.token(x).mT)).amax(2) for k in m.maps], 1)),
        token=nn.Embedding(150, 32),
        maps=nn.ModuleList(nn.Conv1d(32, c, k) for k in (3, 4, 5)),
        head=nn.Sequential(nn.Dropout(0.5), nn.Linear(3 * c, 2)),
    )
    return net, tokens(r, 150, r.randint(10, 30))


@kind("bag of embeddings")
def _bag(r: Random) -> Built:
    d = r.choice([32, 64])
    bag, head = nn.EmbeddingBag(300, d), nn.Linear(d, 4)
    for weight in (bag.weight, head.weight):
        nn.init.uniform_(weight, -0.5, 0.5)
    nn.init.zeros_(head.bias)
    return nn.Sequential(bag, head), tokens(r, 300, r.randint(6, 20))


@kind("neural collaborative filtering")
def _filtering(r: Random) -> Built:
    d = r.choice([16, 32])
    net = Net(
        lambda m, x: m.head(torch.cat([m.user(x[:, 0]), m.item(x[:, 1])], 1)),
        user=nn.Embedding(60, d),
        item=nn.Embedding(60, d),
        head=mlp([2 * d, 64, 32, 1]),
    )
    return net, tokens(r, 60, 2)


@kind("click model of features and their products")
def _clicks(r: Random) -> Built:
    d, fields = r.choice([8, 16]), r.randint(3, 6)

    def rule(m: Any, x: Tensor) -> Any:
        low = m.bottom(x[:, :8])
        rows = [e(x[:, 8 + i].long()) for i, e in enumerate(m.tables)]
        every = torch.stack([low, *rows], 1)
        i, j = torch.triu_indices(fields + 1, fields + 1, 1)
        return m.top(torch.cat([low, (every @ every.mT)[:, i, j]], 1))

    tables = nn.ModuleList(nn.Embedding(20, d) for _ in range(fields))
    top = mlp([d + fields * (fields + 1) // 2, 64, 32, 1])
    net = Net(rule, bottom=mlp([8, 32, d]), tables=tables, top=top)
    ids = tokens(r, 20, fields)
    return net, torch.cat([torch.randn(len(ids), 8), ids.float()], 1)


@kind("table, batch norm and dropout")
def _table(r: Random) -> Built:
    d, parts = r.choice([64, 128]), list[nn.Module]()
    for i in range(r.randint(2, 3)):
        parts += [nn.Linear(d if i else 12, d), nn.BatchNorm1d(d), nn.ReLU(), nn.Dropout(0.2)]
    return nn.Sequential(*parts, nn.Linear(d, 1)), noise(r, 12)


@kind("table, residual network")
def _table_residual(r: Random) -> Built:
    d = r.choice([48, 64])
    parts = [
        residual(nn.Sequential(nn.BatchNorm1d(d), mlp([d, 2 * d, d]), nn.Dropout(0.1)))
        for _ in range(r.randint(2, 6))
    ]
    head = [nn.BatchNorm1d(d), nn.ReLU(), nn.Linear(d, 3)]
    return nn.Sequential(nn.Linear(16, d), *parts, *head), noise(r, 16)


@kind("table, a token for each feature")
def _feature_tokens(r: Random) -> Built:
    d, features = 32, r.randint(6, 12)
    bound = 1 / math.sqrt(d)
    net = Net(
        lambda m, x: m.body(
            torch.cat([m.first.expand(len(x), 1, d), x[:, :, None] * m.weight + m.bias], 1)
        )[:, 0],
        first=nn.Parameter(torch.empty(1, 1, d).uniform_(-bound, bound)),
        weight=nn.Parameter(torch.empty(features, d).uniform_(-bound, bound)),
        bias=nn.Parameter(torch.empty(features, d).uniform_(-bound, bound)),
        body=nn.Sequential(*(block(d, 4) for _ in range(r.randint(1, 3))), nn.LayerNorm(d)),
    )
    return nn.Sequential(net, nn.ReLU(), nn.Linear(d, 2)), noise(r, features)
