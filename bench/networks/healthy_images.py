"""Healthy networks on images, for `bench.networks.healthy`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from random import Random

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from bench.networks.pieces import (
    Built,
    Joined,
    Residual,
    bert,
    beside,
    classifier,
    conv,
    conv_bn,
    dcgan,
    digits,
    entering,
    fan_out,
    greys,
    he,
    initialised,
    noise,
    projection,
    scenes,
    squeeze,
    stages,
)

IMAGES: dict[str, Callable[[int], Built]] = {}
kind = partial(entering, IMAGES)


class LeNet(nn.Module):
    def __init__(self, side: int, maps: int, wide: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, maps, 3, padding=1)
        self.conv2 = nn.Conv2d(maps, 2 * maps, 3, padding=1)
        self.fc1 = nn.Linear(2 * maps * (side // 4) ** 2, wide)
        self.fc2 = nn.Linear(wide, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        out: Tensor = self.fc2(F.relu(self.fc1(x.flatten(1))))
        return out


@kind("LeNet with ReLU, Torch's default, digits")
def _(draw: Random) -> Built:
    return LeNet(8, draw.choice((6, 8, 16)), draw.choice((32, 64, 120))), digits(draw, 1, 8, 8)


@kind("LeNet with ReLU, Torch's default, greys from 0 to 1")
def _(draw: Random) -> Built:
    return LeNet(8, draw.choice((6, 8, 16)), draw.choice((32, 64, 120))), greys(draw)


@kind("LeNet-5 with tanh and mean pooling, Xavier")
def _(draw: Random) -> Built:
    wide = draw.choice((60, 84, 120))
    network = nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, wide), nn.Tanh(), nn.Linear(wide, 84), nn.Tanh(), nn.Linear(84, 10)),
    )
    return initialised(network, nn.init.xavier_uniform_), scenes(draw, 1, 32)


@kind("plain CNN without normalisation, He")
def _(draw: Random) -> Built:
    width, network = draw.choice((16, 24, 32)), nn.Sequential(nn.Conv2d(3, 16, 3, padding=1))
    inputs = 16
    for place in range(draw.randint(2, 5)):
        network.extend([nn.ReLU(), nn.Conv2d(inputs, width, 3, 1 + place % 2, 1)])
        inputs = width
    network.extend([nn.ReLU(), *classifier(width)])
    return initialised(network, he), scenes(draw, 3, 16)


@kind("VGG with batch normalisation")
def _(draw: Random) -> Built:
    network, inputs, first = nn.Sequential(), 3, draw.choice((8, 16))
    for stage in range(draw.randint(2, 4)):
        for _ in range(draw.randint(1, 2)):
            network.extend([*conv_bn(inputs, first << stage), nn.ReLU()])
            inputs = first << stage
        network.append(nn.MaxPool2d(2))
    network.extend([nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 64), nn.ReLU()])
    network.extend([nn.Dropout(0.3), nn.Linear(64, 10)])
    return network, noise(draw, 3, 32, 32)


@kind("ResNet of basic blocks")
def _(draw: Random) -> Built:
    def block(inputs: int, outputs: int, stride: int) -> nn.Module:
        body = [*conv_bn(inputs, outputs, 3, stride), nn.ReLU(), *conv_bn(outputs, outputs)]
        return Residual(nn.Sequential(*body), projection(inputs, outputs, stride), nn.ReLU())

    width = draw.choice((8, 16))
    body, wide = stages(draw, width, block)
    network = nn.Sequential(*conv_bn(3, width), nn.ReLU(), body, classifier(wide))
    return initialised(network, fan_out), scenes(draw, 3, 16)


@kind("ResNet of bottlenecks, the last gains zero")
def _(draw: Random) -> Built:
    def block(inputs: int, outputs: int, stride: int) -> nn.Module:
        middle, last = outputs // 4, conv_bn(outputs // 4, outputs, 1)
        nn.init.zeros_(last.get_parameter("1.weight"))
        body = [*conv_bn(inputs, middle, 1), nn.ReLU(), *conv_bn(middle, middle, 3, stride)]
        shortcut = projection(inputs, outputs, stride)
        return Residual(nn.Sequential(*body, nn.ReLU(), *last), shortcut, nn.ReLU())

    body, wide = stages(draw, 32, block)
    network = nn.Sequential(*conv_bn(3, 32), nn.ReLU(), body, classifier(wide))
    return initialised(network, fan_out), noise(draw, 3, 16, 16)


@kind("pre-activation ResNet, digits")
def _(draw: Random) -> Built:
    def block(inputs: int, outputs: int, stride: int) -> nn.Module:
        body = [nn.BatchNorm2d(inputs), nn.ReLU(), conv(inputs, outputs, 3, stride)]
        body += [nn.BatchNorm2d(outputs), nn.ReLU(), conv(outputs, outputs)]
        return Residual(nn.Sequential(*body), projection(inputs, outputs, stride))

    width = draw.choice((8, 16))
    body, wide = stages(draw, width, block)
    tail = (nn.BatchNorm2d(wide), nn.ReLU(), classifier(wide))
    return nn.Sequential(conv(1, width), body, *tail), digits(draw, 1, 8, 8)


@kind("wide ResNet with group normalisation")
def _(draw: Random) -> Built:
    def block(inputs: int, outputs: int, stride: int) -> nn.Module:
        body = [nn.GroupNorm(4, inputs), nn.ReLU(), conv(inputs, outputs, 3, stride)]
        body += [nn.GroupNorm(4, outputs), nn.ReLU(), conv(outputs, outputs)]
        same = inputs == outputs
        shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride)
        return Residual(nn.Sequential(*body), shortcut)

    width = draw.choice((8, 16, 24))
    body, wide = stages(draw, width, block)
    tail = (nn.GroupNorm(4, wide), nn.ReLU(), classifier(wide))
    return initialised(nn.Sequential(conv(3, width), body, *tail), he), scenes(draw, 3, 16)


@kind("squeeze-and-excite ResNet")
def _(draw: Random) -> Built:
    def block(inputs: int, outputs: int, stride: int) -> nn.Module:
        body = [*conv_bn(inputs, outputs, 3, stride), nn.ReLU(), *conv_bn(outputs, outputs)]
        shortcut = projection(inputs, outputs, stride)
        return Residual(nn.Sequential(*body, squeeze(outputs)), shortcut, nn.ReLU())

    width = draw.choice((8, 16))
    body, wide = stages(draw, width, block)
    return nn.Sequential(*conv_bn(3, width), nn.ReLU(), body, classifier(wide)), noise(
        draw, 3, 16, 16
    )


@kind("MobileNet of inverted residuals, ReLU6")
def _(draw: Random) -> Built:
    def block(inputs: int, outputs: int, stride: int) -> nn.Module:
        wide = 4 * inputs
        body = nn.Sequential(*conv_bn(inputs, wide, 1), nn.ReLU6())
        body.extend([*conv_bn(wide, wide, 3, stride, wide), nn.ReLU6(), *conv_bn(wide, outputs, 1)])
        return Residual(body) if inputs == outputs and stride == 1 else body

    width = draw.choice((8, 12))
    body, wide = stages(draw, width, block)
    network = nn.Sequential(*conv_bn(3, width), nn.ReLU6(), body, *conv_bn(wide, 64, 1))
    network.extend([nn.ReLU6(), classifier(64)])
    return initialised(network, fan_out), scenes(draw, 3, 16)


@kind("EfficientNet of SiLU and squeeze-and-excite")
def _(draw: Random) -> Built:
    def block(inputs: int, outputs: int, stride: int) -> nn.Module:
        wide = 4 * inputs
        body = nn.Sequential(*conv_bn(inputs, wide, 1), nn.SiLU())
        body.extend([*conv_bn(wide, wide, 3, stride, wide), nn.SiLU(), squeeze(wide)])
        body.extend(conv_bn(wide, outputs, 1))
        return Residual(body) if inputs == outputs and stride == 1 else body

    width = draw.choice((8, 12))
    body, wide = stages(draw, width, block)
    return nn.Sequential(*conv_bn(3, width), nn.SiLU(), body, classifier(wide)), noise(
        draw, 3, 16, 16
    )


@kind("DenseNet")
def _(draw: Random) -> Built:
    growth, layers, wide = draw.choice((6, 8, 12)), draw.randint(2, 4), 16
    network = nn.Sequential(conv(3, wide))
    for block in range(2):
        for _ in range(layers):
            body = nn.Sequential(nn.BatchNorm2d(wide), nn.ReLU(), conv(wide, growth))
            network.append(Joined(beside, nn.Identity(), body))
            wide += growth
        if block == 0:
            network.extend([nn.BatchNorm2d(wide), nn.ReLU(), conv(wide, wide // 2, 1)])
            network.append(nn.AvgPool2d(2))
            wide //= 2
    network.extend([nn.BatchNorm2d(wide), nn.ReLU(), classifier(wide)])
    return initialised(network, he), scenes(draw, 3, 16)


@kind("Inception, two and three branches")
def _(draw: Random) -> Built:
    width, network, wide = draw.choice((8, 12)), nn.Sequential(), 3
    for _ in range(draw.randint(2, 3)):
        sizes = draw.choice(((1, 3), (1, 3, 5)))
        branches = [nn.Sequential(*conv_bn(wide, width, size), nn.ReLU()) for size in sizes]
        network.extend([Joined(beside, *branches), nn.MaxPool2d(2)])
        wide = width * len(sizes)
    return network.append(classifier(wide)), scenes(draw, 3, 16)


@kind("ConvNeXt with layer scale")
def _(draw: Random) -> Built:
    width, network = draw.choice((16, 32)), nn.Sequential()
    network.extend([nn.Conv2d(3, width, 4, 4), nn.GroupNorm(1, width)])
    for _ in range(draw.randint(2, 4)):
        body = [nn.Conv2d(width, width, 7, padding=3, groups=width), nn.GroupNorm(1, width)]
        body += [nn.Conv2d(width, 4 * width, 1), nn.Conv2d(4 * width, width, 1)]
        body.insert(3, nn.GELU())
        network.append(Residual(nn.Sequential(*body), scale=1e-6 * torch.ones(width, 1, 1)))
    pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(width), nn.Linear(width, 10))
    return initialised(network.extend(pool), bert), scenes(draw, 3, 32)


@kind("Fixup ResNet")
def _(draw: Random) -> Built:
    width, blocks = draw.choice((8, 16)), draw.randint(2, 6)
    first = nn.Conv2d(3, width, 3, padding=1)
    network = nn.Sequential(first, nn.ReLU())
    for _ in range(blocks):
        inner, outer = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        nn.init.normal_(inner.weight, std=math.sqrt(2 / (9 * width)) / math.sqrt(blocks))
        nn.init.zeros_(outer.weight)
        body = nn.Sequential(inner, nn.ReLU(), outer)
        network.append(Residual(body, after=nn.ReLU()))
    head = classifier(width)
    nn.init.zeros_(head.get_parameter("2.weight"))
    return network.append(head), scenes(draw, 3, 16)


@kind("SkipInit ResNet without normalisation")
def _(draw: Random) -> Built:
    width = draw.choice((8, 16, 24))
    network = nn.Sequential(nn.Conv2d(3, width, 3, padding=1))
    for _ in range(draw.randint(3, 8)):
        body = nn.Sequential(nn.ReLU(), conv(width, width), nn.ReLU(), conv(width, width))
        network.append(Residual(body, scale=torch.zeros(())))
    return initialised(network.extend([nn.ReLU(), classifier(width)]), he), noise(draw, 3, 16, 16)


@kind("U-Net, segmentation")
def _(draw: Random) -> Built:
    def twice(inputs: int, outputs: int) -> list[nn.Module]:
        return [*conv_bn(inputs, outputs), nn.ReLU(), *conv_bn(outputs, outputs), nn.ReLU()]

    width, levels = draw.choice((8, 12)), draw.randint(1, 2)
    inner = nn.Sequential(*twice(width << (levels - 1), width << levels))
    for level in reversed(range(levels)):
        wide = width << level
        up = nn.ConvTranspose2d(2 * wide, wide, 2, 2)
        across = Joined(beside, nn.Identity(), nn.Sequential(nn.MaxPool2d(2), inner, up))
        entering = 3 if level == 0 else wide // 2
        inner = nn.Sequential(*twice(entering, wide), across, *twice(2 * wide, wide))
    return inner.append(nn.Conv2d(width, 1, 1)), scenes(draw, 3, 16)


@kind("style transfer with instance normalisation")
def _(draw: Random) -> Built:
    width = draw.choice((8, 16))
    network = nn.Sequential(nn.Conv2d(3, width, 3, 2, 1), nn.InstanceNorm2d(width), nn.ReLU())
    for _ in range(draw.randint(2, 4)):
        body = [conv(width, width), nn.InstanceNorm2d(width, affine=True), nn.ReLU()]
        body += [conv(width, width), nn.InstanceNorm2d(width, affine=True)]
        network.append(Residual(nn.Sequential(*body)))
    network.extend([nn.Upsample(scale_factor=2), nn.Conv2d(width, 3, 3, padding=1)])
    return network, scenes(draw, 3, 16)


@kind("DCGAN, generator")
def _(draw: Random) -> Built:
    width, latent = draw.choice((8, 16)), draw.choice((16, 32, 64))
    network = nn.Sequential(
        nn.Unflatten(1, (latent, 1, 1)), nn.ConvTranspose2d(latent, 2 * width, 4)
    )
    network.extend([nn.BatchNorm2d(2 * width), nn.ReLU()])
    network.extend(
        [nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.BatchNorm2d(width), nn.ReLU()]
    )
    network.extend([nn.ConvTranspose2d(width, 1, 4, 2, 1), nn.Tanh()])
    return initialised(network, dcgan), noise(draw, latent)


@kind("DCGAN, discriminator with spectral normalisation")
def _(draw: Random) -> Built:
    width, network, wide = draw.choice((8, 16)), nn.Sequential(), 3
    for level in range(3):
        layer = nn.Conv2d(wide, width << level, 4, 2, 1)
        wide = width << level
        network.extend([spectral_norm(layer), nn.LeakyReLU(0.2)])
    return network.extend([nn.Flatten(), nn.Linear(4 * wide, 1)]), scenes(draw, 3, 16)


@kind("convolutional autoencoder, digits")
def _(draw: Random) -> Built:
    width, code = draw.choice((8, 16)), draw.choice((8, 16, 32))
    encoder = (nn.Conv2d(1, width, 3, 2, 1), nn.ReLU(), nn.Conv2d(width, 2 * width, 3, 2, 1))
    middle = (nn.ReLU(), nn.Flatten(), nn.Linear(8 * width, code), nn.Linear(code, 8 * width))
    decoder = (nn.ReLU(), nn.Unflatten(1, (2 * width, 2, 2)))
    up = (nn.ConvTranspose2d(2 * width, width, 2, 2), nn.ReLU(), nn.ConvTranspose2d(width, 1, 2, 2))
    return nn.Sequential(*encoder, *middle, *decoder, *up), digits(draw, 1, 8, 8)
