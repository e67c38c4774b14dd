"""Healthy networks of graphs, sets, flows, coordinates, control, and several inputs or heads."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.networks.last_pieces import (
    Built,
    Net,
    count,
    digits,
    kind,
    mlp,
    noise,
    orthogonal,
    pooled,
    start,
)


def _graph(nodes: int, degree: float = 3.0) -> Tensor:
    """The adjacency of a random graph without loops."""
    upper = (torch.rand(nodes, nodes) < degree / nodes).float().triu(1)
    return upper + upper.T


@kind("graph convolutions, labels of nodes")
def _gcn(r: Random) -> Built:
    x, d = noise(r, 32), r.choice([32, 64])
    linked = _graph(len(x)) + torch.eye(len(x))
    scale = linked.sum(1).rsqrt()
    net = Net(
        lambda m, x: m.linked @ m.two(F.relu(m.linked @ m.one(x))),
        one=nn.Linear(32, d),
        two=nn.Linear(d, 4),
        linked=scale[:, None] * linked * scale,
    )
    return start(net, nn.init.xavier_uniform_), x


@kind("graph attention, labels of nodes")
def _gat(r: Random) -> Built:
    x, d = noise(r, 24), r.choice([8, 16])
    linked = _graph(len(x)) + torch.eye(len(x)) > 0

    def layer(a: int, b: int, heads: int) -> Net:
        def rule(m: Any, x: Tensor) -> Any:
            values = m.map(x).unflatten(1, (heads, b))
            to, of = (values * m.target).sum(2), (values * m.source).sum(2)
            score = F.leaky_relu(to[:, None] + of[None], 0.2)
            weight = score.masked_fill(~m.linked[:, :, None], -math.inf).softmax(1)
            return torch.einsum("ijh,jhb->ihb", weight, values).flatten(1)

        draw = nn.init.xavier_uniform_
        target, source = (nn.Parameter(draw(torch.empty(heads, b))) for _ in range(2))
        return Net(
            rule,
            map=nn.Linear(a, heads * b, bias=False),
            target=target,
            source=source,
            linked=linked,
        )

    return nn.Sequential(layer(24, d, 4), nn.ELU(), layer(4 * d, 4, 1)), x


@kind("graph isomorphism network, labels of graphs")
def _gin(r: Random) -> Built:
    nodes, d, depth = r.randint(6, 12), r.choice([32, 64]), r.randint(2, 4)

    def rule(m: Any, x: Tensor) -> Any:
        linked, x = x[:, :, :nodes], x[:, :, nodes:]
        for layer in m.layers:
            x = layer(x + linked @ x)
        return m.head(x.sum(1) / nodes)

    layers = (
        nn.Sequential(mlp([d if i else 8, d, d]), nn.LayerNorm(d), nn.ReLU()) for i in range(depth)
    )
    net = Net(rule, layers=nn.ModuleList(layers), head=mlp([d, d, 2]))
    n = count(r)
    graphs = torch.stack([_graph(nodes) for _ in range(n)])
    kinds = F.one_hot(torch.randint(8, (n, nodes)), 8).float()
    return net, torch.cat([graphs, kinds], 2)


@kind("PointNet on shapes of points")
def _pointnet(r: Random) -> Built:
    d = r.choice([64, 128])
    each = [nn.Conv1d(3, 32, 1), nn.BatchNorm1d(32), nn.ReLU(), nn.Conv1d(32, d, 1)]
    each += [nn.BatchNorm1d(d), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten()]
    head = [nn.Linear(d, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 5)]
    points = F.normalize(noise(r, 3, r.randint(16, 40)), dim=1)
    return nn.Sequential(*each, *head), points * (0.5 + torch.rand(len(points), 3, 1))


@kind("deep sets")
def _sets(r: Random) -> Built:
    d = r.choice([32, 64])
    net = Net(
        lambda m, x: m.all(m.each(x).mean(1)),
        each=mlp([4, d, d, d], nn.ELU),
        all=mlp([d, d, 3], nn.ELU),
    )
    return net, noise(r, r.randint(4, 12), 4)


@kind("set transformer")
def _set_transformer(r: Random) -> Built:
    d = r.choice([32, 64])

    def attend() -> Net:
        def rule(m: Any, x: Tensor) -> Any:
            x = x + m.mix(x, x, x, need_weights=False)[0]
            return x + F.relu(m.map(x))

        return Net(rule, mix=nn.MultiheadAttention(d, 4, batch_first=True), map=nn.Linear(d, d))

    pool = Net(
        lambda m, x: m.mix(m.seed.expand(len(x), 1, d), x, x, need_weights=False)[0][:, 0],
        mix=nn.MultiheadAttention(d, 4, batch_first=True),
        seed=nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, 1, d))),
    )
    net = nn.Sequential(nn.Linear(3, d), attend(), attend(), pool, nn.Linear(d, 3))
    return net, noise(r, r.randint(5, 12), 3)


@kind("flow of affine couplings")
def _flow(r: Random) -> Built:
    d, w = r.choice([6, 8]), r.choice([32, 64])

    def rule(m: Any, x: Tensor) -> Any:
        total = torch.zeros(len(x))
        for net in m.nets:
            kept, moved = x.chunk(2, 1)
            log, shift = net(kept).chunk(2, 1)
            log = torch.tanh(log)
            x = torch.cat([moved * log.exp() + shift, kept], 1)
            total = total + log.sum(1)
        return x, total

    nets = (mlp([d // 2, w, w, d]) for _ in range(2 * r.randint(2, 3)))
    return Net(rule, nets=nn.ModuleList(nets)), noise(r, d)


@kind("neural differential equation, Runge-Kutta")
def _differential(r: Random) -> Built:
    d, w = r.choice([8, 16]), r.choice([32, 64])

    def rule(m: Any, x: Tensor) -> Any:
        for _ in range(4):
            one = m.field(x)
            two = m.field(x + one / 8)
            three = m.field(x + two / 8)
            x = x + (one + 2 * two + 2 * three + m.field(x + three / 4)) / 24
        return x

    net = Net(rule, field=mlp([d, w, d], nn.Tanh))
    return nn.Sequential(nn.Linear(10, d), net, nn.Linear(d, 3)), noise(r, 10)


def _coordinates(r: Random, d: int, most: int) -> Tensor:
    return 2 * torch.rand(count(r, most), d) - 1


@kind("physics-informed network, tanh")
def _physics(r: Random) -> Built:
    net = mlp([2] + [r.choice([32, 50])] * r.randint(3, 5) + [3], nn.Tanh)
    return start(net, nn.init.xavier_normal_), _coordinates(r, 2, 12)


@kind("sinusoidal representation network")
def _siren(r: Random) -> Built:
    w, parts = r.choice([32, 64]), list[nn.Module]()
    for i in range(r.randint(3, 4)):
        layer = nn.Linear(w if i else 2, w)
        bound = math.sqrt(6 / w) / 30 if i else 1 / 2
        nn.init.uniform_(layer.weight, -bound, bound)
        parts.append(Net(lambda m, x: torch.sin(30 * m.map(x)), map=layer))
    last = nn.Linear(w, 3)
    nn.init.uniform_(last.weight, -math.sqrt(6 / w) / 30, math.sqrt(6 / w) / 30)
    return nn.Sequential(*parts, last), _coordinates(r, 2, 32)


@kind("radiance field, encoded coordinates and a skip")
def _radiance(r: Random) -> Built:
    w, octaves = r.choice([64, 128]), r.randint(4, 6)
    wide = 3 + 6 * octaves

    def rule(m: Any, x: Tensor) -> Any:
        angle = (x[:, :, None] * m.rate).flatten(1)
        code = torch.cat([x, angle.sin(), angle.cos()], 1)
        return m.two(torch.cat([F.relu(m.one(code)), code], 1))

    rate = math.pi * 2.0 ** torch.arange(octaves)
    net = Net(rule, one=mlp([wide, w, w]), two=mlp([w + wide, w, 4]), rate=rate)
    return net, _coordinates(r, 3, 48)


@kind("Q-network of pixels")
def _pixels(r: Random) -> Built:
    c = r.choice([16, 32])
    features = [nn.Conv2d(4, c, 4, 2), nn.ReLU(), nn.Conv2d(c, 2 * c, 3), nn.ReLU(), nn.Flatten()]
    frames = (torch.rand(count(r, 32), 4, 16, 16) < 0.15).float()
    return nn.Sequential(*features, mlp([50 * c, 128, 4])), frames


@kind("Q-network of advantages and a value")
def _dueling(r: Random) -> Built:
    w, actions = r.choice([64, 128]), r.randint(2, 6)

    def rule(m: Any, x: Tensor) -> Any:
        advantage = m.advantage(y := m.trunk(x))
        return m.value(y) + advantage - advantage.mean(1, keepdim=True)

    trunk = nn.Sequential(mlp([8, w, w]), nn.ReLU())
    return Net(rule, trunk=trunk, value=mlp([w, 1]), advantage=mlp([w, actions])), noise(r, 8)


@kind("actor and critic, orthogonal")
def _actor_critic(r: Random) -> Built:
    w, actions = r.choice([32, 64]), r.randint(2, 6)
    actor, critic = mlp([8, w, w, actions], nn.Tanh), mlp([8, w, w, 1], nn.Tanh)
    for net, gain in ((actor, 0.01), (critic, 1.0)):
        start(net, orthogonal(math.sqrt(2)))
        start(net[-1], orthogonal(gain))
    return Net(lambda m, x: (m.actor(x), m.critic(x)), actor=actor, critic=critic), noise(r, 8)


@kind("Gaussian policy")
def _policy(r: Random) -> Built:
    w, actions = r.choice([64, 128]), r.randint(2, 4)
    net = Net(
        lambda m, x: (m.mean(y := m.trunk(x)), m.log(y).clamp(-20, 2)),
        trunk=nn.Sequential(mlp([11, w, w]), nn.ReLU()),
        mean=nn.Linear(w, actions),
        log=nn.Linear(w, actions),
    )
    return net, noise(r, 11)


@kind("soft mixture of experts")
def _experts(r: Random) -> Built:
    w, experts = r.choice([32, 64]), r.randint(3, 6)
    net = Net(
        lambda m, x: torch.einsum(
            "ne,neo->no", m.gate(x).softmax(1), torch.stack([e(x) for e in m.experts], 1)
        ),
        gate=nn.Linear(20, experts),
        experts=nn.ModuleList(mlp([20, w, 5]) for _ in range(experts)),
    )
    return net, noise(r, 20)


@kind("experts shared by several tasks")
def _tasks(r: Random) -> Built:
    w, tasks = r.choice([32, 64]), r.randint(2, 3)

    def rule(m: Any, x: Tensor) -> Any:
        every = torch.stack([F.relu(e(x)) for e in m.experts], 1)
        mixed = [(g(x).softmax(1)[:, :, None] * every).sum(1) for g in m.gates]
        return tuple(tower(y) for tower, y in zip(m.towers, mixed, strict=True))

    net = Net(
        rule,
        experts=nn.ModuleList(mlp([16, w, w]) for _ in range(4)),
        gates=nn.ModuleList(nn.Linear(16, 4) for _ in range(tasks)),
        towers=nn.ModuleList(mlp([w, 16, 2]) for _ in range(tasks)),
    )
    return net, noise(r, 16)


@kind("image and table side by side")
def _side_by_side(r: Random) -> Built:
    c = r.choice([8, 16])
    image = [nn.Conv2d(1, c, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    image += [nn.Conv2d(c, 2 * c, 3, padding=1), nn.ReLU(), pooled()]
    net = Net(
        lambda m, x: m.head(
            torch.cat([m.image(x[:, :64].reshape(-1, 1, 8, 8)), m.table(x[:, 64:])], 1)
        ),
        image=nn.Sequential(*image),
        table=nn.Sequential(mlp([10, 32, 32]), nn.ReLU()),
        head=mlp([2 * c + 32, 64, 4]),
    )
    images = digits(r, standard=True).flatten(1)
    return net, torch.cat([images, torch.randn(len(images), 10)], 1)


@kind("siamese network of pairs")
def _siamese(r: Random) -> Built:
    w = r.choice([64, 128])
    net = Net(
        lambda m, x: m.head((m.trunk(x[:, 0]) - m.trunk(x[:, 1])).abs()),
        trunk=nn.Sequential(mlp([64, w, 64]), nn.ReLU()),
        head=nn.Linear(64, 1),
    )
    images = digits(r, standard=True).flatten(1)
    return net, torch.stack([images, images[torch.randperm(len(images))]], 1)


@kind("trunk of convolutions with a head for class and one for box")
def _box(r: Random) -> Built:
    c, trunk = r.choice([16, 32]), list[nn.Module]()
    for a, b in ((3, c), (c, 2 * c)):
        trunk += [nn.Conv2d(a, b, 3, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.1)]
    net = Net(
        lambda m, x: (m.label(y := m.trunk(x)), m.box(y)),
        trunk=nn.Sequential(*trunk, pooled()),
        label=nn.Linear(2 * c, r.randint(3, 8)),
        box=mlp([2 * c, 32, 4]),
    )
    return net, noise(r, 3, 16, 16)
