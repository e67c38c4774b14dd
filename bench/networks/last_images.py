"""Healthy perceptrons, and networks of images, as `last_healthy` has them."""

from __future__ import annotations

from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.networks.last_pieces import (
    Built,
    Net,
    conv,
    digits,
    he,
    kind,
    lecun,
    mlp,
    noise,
    pooled,
    residual,
    start,
    truncated,
)


@kind("perceptron of ReLU, He")
def _perceptron(r: Random) -> Built:
    width = r.choice([64, 96, 128])
    net = start(mlp([64] + [width] * r.randint(2, 6) + [10]), nn.init.kaiming_normal_)
    return nn.Sequential(nn.Flatten(), net), digits(r, standard=True)


@kind("perceptron of tanh, Xavier")
def _tanh(r: Random) -> Built:
    net = mlp([20] + [r.choice([32, 64])] * r.randint(2, 5) + [4], nn.Tanh)
    return start(net, nn.init.xavier_uniform_), noise(r, 20)


@kind("perceptron of Torch's tutorial, digits in [0, 1]")
def _quickstart(r: Random) -> Built:
    width = r.choice([64, 128])
    return nn.Sequential(nn.Flatten(), mlp([64, width, width, 10])), digits(r, standard=False)


@kind("self-normalising perceptron, SELU")
def _selu(r: Random) -> Built:
    width, depth = r.choice([32, 64, 128]), r.randint(4, 8)
    return start(mlp([30] + [width] * depth + [5], nn.SELU), lecun), noise(r, 30)


@kind("highway network")
def _highway(r: Random) -> Built:
    d = r.choice([32, 64])

    def layer() -> Net:
        gate = nn.Linear(d, d)
        nn.init.constant_(gate.bias, -1.0)
        return Net(
            lambda m, x: torch.lerp(x, F.relu(m.map(x)), torch.sigmoid(m.gate(x))),
            map=nn.Linear(d, d),
            gate=gate,
        )

    layers = [layer() for _ in range(r.randint(3, 8))]
    return nn.Sequential(nn.Linear(40, d), *layers, nn.Linear(d, 10)), noise(r, 40)


@kind("maxout network with dropout")
def _maxout(r: Random) -> Built:
    d = r.choice([48, 64])

    def layer(a: int) -> Net:
        return Net(lambda m, x: m.maps(x).unflatten(1, (d, 3)).amax(2), maps=nn.Linear(a, 3 * d))

    return nn.Sequential(
        nn.Flatten(), layer(64), nn.Dropout(0.2), layer(d), nn.Dropout(0.2), nn.Linear(d, 10)
    ), digits(r, standard=True)


@kind("LeNet-5, tanh")
def _lenet(r: Random) -> Built:
    c = r.choice([6, 8])
    features = [nn.Conv2d(1, c, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2)]
    features += [nn.Conv2d(c, 16, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()]
    net = nn.Sequential(*features, mlp([256, 120, 84, 10], nn.Tanh))
    return start(net, nn.init.xavier_uniform_), digits(r, standard=True, side=16)


@kind("convolutions of Torch's MNIST example")
def _mnist(r: Random) -> Built:
    c = r.choice([8, 16])
    features = [nn.Conv2d(1, c, 3), nn.ReLU(), nn.Conv2d(c, 2 * c, 3), nn.ReLU(), nn.MaxPool2d(2)]
    head = [nn.Flatten(), nn.Linear(72 * c, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)]
    net = nn.Sequential(*features, nn.Dropout(0.25), *head)
    return net, digits(r, standard=False, side=16)


def _vgg(r: Random, *, norm: bool) -> nn.Module:
    c, parts = 3, list[nn.Module]()
    for b in [w * r.choice([1, 2]) for w in (16, 32, 64)]:
        for _ in range(r.randint(1, 2)):
            bare = nn.Sequential(nn.Conv2d(c, b, 3, padding=1), nn.ReLU())
            parts.append(conv(c, b, act=nn.ReLU()) if norm else bare)
            c = b
        parts.append(nn.MaxPool2d(2))
    head = [nn.Flatten(), nn.Linear(4 * c, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10)]
    return start(nn.Sequential(*parts, *head), he)


@kind("VGG with batch norm")
def _vgg_norm(r: Random) -> Built:
    return _vgg(r, norm=True), noise(r, 3, 16, 16)


@kind("VGG without norm, He")
def _vgg_bare(r: Random) -> Built:
    return _vgg(r, norm=False), noise(r, 3, 16, 16)


@kind("residual network of CIFAR")
def _resnet(r: Random) -> Built:
    c = r.choice([8, 16])
    parts: list[nn.Module] = [conv(3, c, act=nn.ReLU())]
    a = c
    for b, stride in ((c, 1), (2 * c, 2), (4 * c, 2)):
        for i in range(r.randint(1, 3)):
            s = stride if i == 0 else 1
            branch = nn.Sequential(conv(a, b, stride=s, act=nn.ReLU()), conv(b, b))
            short = conv(a, b, 1, s) if a != b else None
            parts += [residual(branch, short), nn.ReLU()]
            a = b
    return start(nn.Sequential(*parts, pooled(nn.Linear(a, 10))), he), noise(r, 3, 16, 16)


@kind("residual network, norm first, with group norm")
def _preact(r: Random) -> Built:
    c = r.choice([16, 32])

    def half() -> list[nn.Module]:
        return [nn.GroupNorm(8, c), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1)]

    blocks = [residual(nn.Sequential(*half(), *half())) for _ in range(r.randint(2, 5))]
    head = pooled(nn.Linear(c, 10))
    net = nn.Sequential(nn.Conv2d(1, c, 3, padding=1), *blocks, nn.GroupNorm(8, c), nn.ReLU(), head)
    return net, digits(r, standard=True)


@kind("densely connected network")
def _dense(r: Random) -> Built:
    grow, c = r.choice([8, 12]), 16
    parts: list[nn.Module] = [nn.Conv2d(3, c, 3, padding=1, bias=False)]
    for stage in range(2):
        for _ in range(r.randint(2, 4)):
            new = [nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, grow, 3, padding=1, bias=False)]
            parts.append(Net(lambda m, x: torch.cat([x, m.new(x)], 1), new=nn.Sequential(*new)))
            c += grow
        parts += [nn.BatchNorm2d(c), nn.ReLU()]
        if stage == 0:
            parts += [nn.Conv2d(c, c // 2, 1, bias=False), nn.AvgPool2d(2)]
            c //= 2
    net = start(nn.Sequential(*parts, pooled(nn.Linear(c, 10))), nn.init.kaiming_normal_)
    return net, noise(r, 3, 16, 16)


def _squeeze(c: int) -> Net:
    gate = pooled(nn.Linear(c, c // 4), nn.SiLU(), nn.Linear(c // 4, c), nn.Sigmoid())
    return Net(lambda m, x: x * m.gate(x)[:, :, None, None], gate=gate)


@kind("MobileNet v2, ReLU6")
def _mobile(r: Random) -> Built:
    c, t = r.choice([8, 16]), r.choice([3, 4])
    parts: list[nn.Module] = [conv(3, c, act=nn.ReLU6())]
    for b, stride in [(c, 1), (2 * c, 2), (2 * c, 1), (4 * c, 2)][: r.randint(3, 4)]:
        deep = conv(t * c, t * c, 3, stride, t * c, nn.ReLU6())
        branch = nn.Sequential(conv(c, t * c, 1, act=nn.ReLU6()), deep, conv(t * c, b, 1))
        parts.append(residual(branch) if stride == 1 and b == c else branch)
        c = b
    head = [conv(c, 96, 1, act=nn.ReLU6()), pooled(nn.Dropout(0.2), nn.Linear(96, 10))]
    return start(nn.Sequential(*parts, *head), he), noise(r, 3, 16, 16)


@kind("EfficientNet-like, SiLU and squeeze")
def _efficient(r: Random) -> Built:
    c, parts = r.choice([16, 24]), list[nn.Module]()
    for _ in range(r.randint(2, 4)):
        deep = conv(3 * c, 3 * c, 3, 1, 3 * c, nn.SiLU())
        wide = conv(c, 3 * c, 1, act=nn.SiLU())
        parts.append(residual(nn.Sequential(wide, deep, _squeeze(3 * c), conv(3 * c, c, 1))))
    net = nn.Sequential(conv(1, c, act=nn.SiLU()), *parts, pooled(nn.Linear(c, 10)))
    return start(net, he), digits(r, standard=False)


@kind("SqueezeNet, fire modules")
def _fire(r: Random) -> Built:
    s = r.choice([8, 16])

    def fire(a: int) -> Net:
        return Net(
            lambda m, x: F.relu(torch.cat([m.one(y := F.relu(m.squeeze(x))), m.three(y)], 1)),
            squeeze=nn.Conv2d(a, s, 1),
            one=nn.Conv2d(s, 4 * s, 1),
            three=nn.Conv2d(s, 4 * s, 3, padding=1),
        )

    stem = [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    net = nn.Sequential(*stem, fire(32), fire(8 * s), nn.Conv2d(8 * s, 10, 1), pooled())
    return start(net, nn.init.kaiming_uniform_), digits(r, standard=True, side=16)


@kind("Inception modules")
def _inception(r: Random) -> Built:
    c = r.choice([8, 12])

    def module(a: int) -> Net:
        branches = [
            conv(a, c, 1, act=nn.ReLU()),
            nn.Sequential(conv(a, c, 1, act=nn.ReLU()), conv(c, 2 * c, 3, act=nn.ReLU())),
            nn.Sequential(conv(a, c, 1, act=nn.ReLU()), conv(c, c, 5, act=nn.ReLU())),
            nn.Sequential(nn.MaxPool2d(3, 1, 1), conv(a, c, 1, act=nn.ReLU())),
        ]
        return Net(lambda m, x: torch.cat([b(x) for b in m.all], 1), all=nn.ModuleList(branches))

    more = [module(5 * c) for _ in range(r.randint(1, 2))]
    head = pooled(nn.Dropout(0.4), nn.Linear(5 * c, 10))
    return nn.Sequential(conv(1, 16, act=nn.ReLU()), module(16), *more, head), digits(
        r, standard=True
    )


@kind("ConvNeXt with layer scale")
def _convnext(r: Random) -> Built:
    d = r.choice([32, 48])

    def layer() -> Net:
        def rule(m: Any, x: Tensor) -> Any:
            return x + (m.scale * m.mix(m.deep(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)

        deep = nn.Conv2d(d, d, 7, padding=3, groups=d)
        mix = nn.Sequential(nn.LayerNorm(d, eps=1e-6), mlp([d, 4 * d, d], nn.GELU))
        return Net(rule, deep=deep, mix=mix, scale=nn.Parameter(torch.full((d,), 1e-6)))

    stem = [nn.Conv2d(3, d, 4, 4), nn.GroupNorm(1, d)]
    layers = [layer() for _ in range(r.randint(2, 4))]
    net = nn.Sequential(*stem, *layers, pooled(nn.LayerNorm(d, eps=1e-6), nn.Linear(d, 10)))
    return start(net, truncated), noise(r, 3, 32, 32)


@kind("U-Net with batch norm")
def _unet(r: Random) -> Built:
    c = r.choice([8, 12])

    def pair(a: int, b: int) -> nn.Sequential:
        return nn.Sequential(conv(a, b, act=nn.ReLU()), conv(b, b, act=nn.ReLU()))

    def rule(m: Any, x: Tensor) -> Any:
        one = m.down1(x)
        two = m.down2(F.max_pool2d(one, 2))
        low = m.low(F.max_pool2d(two, 2))
        two = m.up2(torch.cat([two, m.open2(low)], 1))
        return m.last(m.up1(torch.cat([one, m.open1(two)], 1)))

    net = Net(
        rule,
        **{"down1": pair(1, c), "down2": pair(c, 2 * c), "low": pair(2 * c, 4 * c)},
        **{"open2": nn.ConvTranspose2d(4 * c, 2 * c, 2, 2), "up2": pair(4 * c, 2 * c)},
        **{"open1": nn.ConvTranspose2d(2 * c, c, 2, 2), "up1": pair(2 * c, c)},
        last=nn.Conv2d(c, r.choice([1, 2]), 1),
    )
    return net, digits(r, standard=False, side=16)


@kind("autoencoder, sigmoid at the end")
def _autoencoder(r: Random) -> Built:
    w, code = r.choice([32, 48]), r.choice([8, 16])
    net = nn.Sequential(nn.Flatten(), mlp([64, w, code, w, 64]), nn.Sigmoid())
    return net, digits(r, standard=False)


@kind("convolutional autoencoder")
def _conv_autoencoder(r: Random) -> Built:
    c = r.choice([8, 16])
    down = [nn.Conv2d(1, c, 3, 2, 1), nn.ReLU(), nn.Conv2d(c, 2 * c, 3, 2, 1), nn.ReLU()]
    up = [nn.ConvTranspose2d(2 * c, c, 2, 2), nn.ReLU(), nn.ConvTranspose2d(c, 1, 2, 2)]
    return nn.Sequential(*down, *up), digits(r, standard=True, side=16)


@kind("variational autoencoder")
def _vae(r: Random) -> Built:
    w, z = r.choice([64, 128]), r.choice([8, 16])

    def rule(m: Any, x: Tensor) -> Any:
        mean, log = m.code(x).chunk(2, 1)
        drawn = mean + torch.randn_like(mean) * torch.exp(log / 2) if m.training else mean
        return torch.sigmoid(m.decode(drawn)), mean, log

    code = nn.Sequential(nn.Flatten(), mlp([64, w, 2 * z]))
    return Net(rule, code=code, decode=mlp([z, w, 64])), digits(r, standard=False)
