"""Batches and pieces of the networks of ``bench.networks.fresh_healthy``."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise
from random import Random
from typing import Any

import torch
from sklearn.datasets import load_breast_cancer, load_digits
from torch import Tensor, cat, nn
from torch.nn import functional as F

Made = tuple[nn.Module, Tensor]
Make = Callable[[Random, int, int], Made]  # of a random source, a width and a depth
Seq = nn.Sequential


class Net(nn.Module):
    """A network of named parts and a function that says how they run."""

    def __init__(self, run: Callable[[Any, Tensor], Any], **parts: nn.Module | Tensor) -> None:
        super().__init__()
        self.run = run
        for name, part in parts.items():
            if isinstance(part, nn.Module | nn.Parameter):
                setattr(self, name, part)
            else:
                self.register_buffer(name, part)

    def forward(self, x: Tensor) -> Any:
        """What `run` makes of the batch."""
        return self.run(self, x)


# Batches.


@cache
def _digits() -> Tensor:
    return torch.tensor(load_digits().images, dtype=torch.float32) / 16


@cache
def _cancer() -> Tensor:
    table = torch.tensor(load_breast_cancer().data, dtype=torch.float32)
    return (table - table.mean(0)) / table.std(0)


def samples(r: Random) -> int:
    return r.randint(8, 48)


def images(r: Random, channels: int, size: int) -> Tensor:
    """Noise, standardised digits, or digits in [0, 1], enlarged to the size."""
    n, kind = samples(r), r.randrange(3)
    if kind == 0:
        return torch.randn(n, channels, size, size)
    digits = _digits()[torch.randperm(1797)[:n]]
    digits = (digits - 0.305) / 0.376 if kind == 1 else digits
    return F.interpolate(digits[:, None], size=(size, size)).repeat(1, channels, 1, 1)


def signals(r: Random, channels: int, length: int) -> Tensor:
    """Sums of three sines of random frequency and phase, with some noise: n × channels × length."""
    n = samples(r)
    rate, phase = torch.rand(n, channels, 3, 1) * 40, torch.rand(n, channels, 3, 1) * 6.28
    waves = torch.sin(rate * torch.linspace(0, 1, length) + phase).sum(2)
    return waves + 0.1 * torch.randn_like(waves)


def tokens(r: Random, vocabulary: int, length: int) -> Tensor:
    return torch.randint(vocabulary, (samples(r), length))


def table(r: Random) -> Tensor:
    """Rows of a standardised table of 30 columns."""
    return _cancer()[torch.randperm(569)[: samples(r)]]


def mixed(r: Random) -> Tensor:
    """Eight numbers, then four codes below 20."""
    n = samples(r)
    return cat([torch.randn(n, 8), torch.randint(20, (n, 4)).float()], 1)


def points(r: Random, many: int = 32) -> Tensor:
    """Points on random ellipsoids: n × many × 3."""
    n = samples(r)
    return F.normalize(torch.randn(n, many, 3), dim=2) * (0.5 + torch.rand(n, 1, 3))


def graphs(r: Random, nodes: int = 10) -> Tensor:
    """Features of eight columns, then the rows of a random symmetric adjacency matrix."""
    n = samples(r)
    half = (torch.rand(n, nodes, nodes) < 0.3).float().triu(1)
    return cat([torch.randn(n, nodes, 8), half + half.mT], 2)


# Pieces.


def init(module: nn.Module, weight: Callable[[Tensor], object]) -> Any:
    """Initialises the weights of linear layers, convolutions and embeddings, and zeroes biases."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.modules.conv._ConvNd | nn.Embedding):
            weight(part.weight)
            if getattr(part, "bias", None) is not None:
                nn.init.zeros_(part.bias)  # type: ignore[arg-type]
    return module


kaiming = partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu")
small = partial(nn.init.normal_, std=0.02)
lecun = partial(nn.init.kaiming_normal_, nonlinearity="linear")
orthogonal = partial(nn.init.orthogonal_, gain=math.sqrt(2))


def stack(many: int, make: Callable[[int], nn.Module]) -> Seq:
    return Seq(*(make(i) for i in range(many)))


def mlp(*widths: int, act: Callable[[], nn.Module] = nn.ReLU) -> Seq:
    hidden = (Seq(nn.Linear(a, b), act()) for a, b in pairwise(widths[:-1]))
    return Seq(*hidden, nn.Linear(widths[-2], widths[-1]))


def conv(
    a: int, b: int, k: int = 3, s: int = 1, g: int = 1, act: Callable[[], nn.Module] = nn.ReLU
) -> Seq:
    conv = nn.Conv2d(a, b, k, s, k // 2, groups=g, bias=False)
    return Seq(conv, nn.BatchNorm2d(b), act())


def residual(body: nn.Module, skip: nn.Module | None = None, after: nn.Module | None = None) -> Net:
    parts = dict(body=body, skip=skip or nn.Identity(), after=after or nn.Identity())
    return Net(lambda m, x: m.after(m.skip(x) + m.body(x)), **parts)


def concat(*branches: nn.Module) -> Net:
    return Net(lambda m, x: cat([b(x) for b in m.all], 1), all=nn.ModuleList(branches))


def head(width: int, classes: int = 10) -> Seq:
    return Seq(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes))


def conv_bn(a: int, b: int, k: int = 3, s: int = 1) -> Seq:
    return Seq(nn.Conv2d(a, b, k, s, k // 2, bias=False), nn.BatchNorm2d(b))


def basic(a: int, b: int, s: int = 1, act: Callable[[], nn.Module] = nn.ReLU) -> Net:
    skip = None if a == b and s == 1 else conv_bn(a, b, 1, s)
    return residual(Seq(conv(a, b, 3, s, act=act), conv_bn(b, b)), skip, act())


def excite(w: int, act: Callable[[], nn.Module] = nn.ReLU) -> Net:
    gate = Seq(nn.AdaptiveAvgPool2d(1), nn.Conv2d(w, w // 4, 1), act(), nn.Conv2d(w // 4, w, 1))
    return Net(lambda m, x: x * m.gate(x).sigmoid(), gate=gate)


def encoder(w: int, d: int, act: str = "gelu", *, first: bool = True) -> nn.Module:
    layer = nn.TransformerEncoderLayer(w, 4, 2 * w, 0.1, act, batch_first=True, norm_first=first)
    return nn.TransformerEncoder(layer, d, enable_nested_tensor=False)


def cross(w: int) -> Net:
    """Learned queries that attend to the batch."""
    attention = nn.MultiheadAttention(w, 4, batch_first=True)
    queries = nn.Parameter(torch.randn(8, w) * 0.02)
    return Net(
        lambda m, x: m.attention(m.queries.expand(len(x), -1, -1), x, x)[0],
        attention=attention,
        queries=queries,
    )


def position(length: int, w: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(length, w) * 0.02)


def sines(length: int, w: int) -> Tensor:
    angle = torch.arange(length)[:, None] * 10000 ** (-torch.arange(0, w, 2) / w)
    return torch.stack([angle.sin(), angle.cos()], 2).reshape(length, w)


def layer_norm_2d(w: int) -> Net:
    return Net(lambda m, x: m.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), norm=nn.LayerNorm(w))


def patches(channels: int, w: int, size: int) -> Seq:
    turn = Net(lambda m, x: x.mT)
    return Seq(nn.Conv2d(channels, w, size, size), nn.Flatten(2), turn)


def causal(m: Any, x: Tensor) -> Tensor:
    """GPT-2's attention, of four heads."""
    n, length, w = x.shape
    q, k, v = m.qkv(x).view(n, length, 3, 4, w // 4).permute(2, 0, 3, 1, 4)
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return m.out(mixed.transpose(1, 2).reshape(n, length, w))  # type: ignore[no-any-return]


def decoder(w: int, norm: Callable[[int], nn.Module], mlp: nn.Module) -> Seq:
    attention = Net(causal, qkv=nn.Linear(w, 3 * w), out=nn.Linear(w, w))
    return Seq(residual(Seq(norm(w), attention)), residual(Seq(norm(w), mlp)))


def swiglu(w: int) -> Net:
    parts = {name: nn.Linear(w, 2 * w, bias=False) for name in ("gate", "up")}
    return Net(
        lambda m, x: m.down(F.silu(m.gate(x)) * m.up(x)),
        down=nn.Linear(2 * w, w, bias=False),
        **parts,
    )


def gpt(r: Random, w: int, d: int, *, llama: bool = False) -> Made:
    norm = nn.RMSNorm if llama else nn.LayerNorm
    w, length = 2 * w, r.randint(8, 24)
    blocks = stack(
        d, lambda _: decoder(w, norm, swiglu(w) if llama else mlp(w, 4 * w, w, act=nn.GELU))
    )
    net = Net(
        lambda m, x: m.head(m.blocks(m.embed(x) + m.position)),
        embed=nn.Embedding(50, w),
        position=position(length, w),
        blocks=Seq(blocks, norm(w)),
        head=nn.Linear(w, 50, bias=False),
    )
    return init(net, small), tokens(r, 50, length)


def transducer_run(m: Any, x: Tensor) -> Any:
    heard, _ = m.encoder(x[:, :, :8])
    said, _ = m.predictor(m.embed(x[:, :5, 8].long()))
    return m.joint((m.a(heard)[:, :, None] + m.b(said)[:, None]).tanh())


def wave_run(m: Any, x: Tensor) -> Any:
    x, skips = m.first(x), 0.0
    for i, (gated, out) in enumerate(zip(m.gated, m.out, strict=True)):
        content, gate = gated(F.pad(x, (2**i, 0))).chunk(2, 1)
        z = out(content.tanh() * gate.sigmoid())
        x, skips = x + z, skips + z
    return m.last(skips)


def gcn_run(m: Any, x: Tensor) -> Any:
    h, edges = x[:, :, :8], x[:, :, 8:] + torch.eye(x.shape[1])
    root = edges.sum(2).rsqrt()
    edges = root[:, :, None] * edges * root[:, None]
    for layer in m.layers:
        h = F.relu(edges @ layer(h))
    return m.head(h.mean(1))


def gin_run(m: Any, x: Tensor) -> Any:
    h, edges = x[:, :, :8], x[:, :, 8:]
    for layer in m.layers:
        h = layer(h + edges @ h).relu()
    return m.head(h.sum(1))


def gat_run(m: Any, x: Tensor) -> Any:
    h, edges = x[:, :, :8], x[:, :, 8:] + torch.eye(x.shape[1])
    for layer, score in zip(m.layers, m.scores, strict=True):
        h = layer(h)
        to, source = score(h).split(1, 2)
        weights = F.leaky_relu(to + source.mT, 0.2).masked_fill(edges == 0, -1e9)
        h = F.elu(weights.softmax(2) @ h)
    return m.head(h.mean(1))


def couple_run(m: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    log_volume = x.new_zeros(len(x))
    for net in m.nets:
        kept, moved = x.chunk(2, 1)
        scale, shift = net(kept).chunk(2, 1)
        x = cat([moved * scale.tanh().exp() + shift, kept], 1)
        log_volume = log_volume + scale.tanh().sum(1)
    return x, log_volume


def beats_run(m: Any, x: Tensor) -> Any:
    x, forecast = x.squeeze(1), 0.0
    for block in m.blocks:
        back, ahead = block(x).split([x.shape[1], 6], 1)
        x, forecast = x - back, forecast + ahead
    return forecast


def attend_run(m: Any, x: Tensor) -> Any:
    states, last = m.encoder(m.embed(x))
    decoded, _ = m.decoder(m.embed(x.flip(1)), last)
    context = (m.align(decoded) @ states.mT).softmax(2) @ states
    return m.out(cat([decoded, context], 2).tanh())
