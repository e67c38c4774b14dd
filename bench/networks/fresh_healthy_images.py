"""Healthy networks of images, for ``bench.networks.fresh_healthy``."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import torch
from torch import Tensor, cat, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from bench.networks import fresh_healthy_pieces as p
from bench.networks.fresh_healthy_pieces import Made, Make, Net, Seq


def _bottleneck(w: int, g: int = 1, *, zero: bool = False) -> Net:
    last = p.conv_bn(w // 2, w, 1)
    if zero:
        nn.init.zeros_(last[1].weight)  # type: ignore[arg-type]
    return p.residual(Seq(p.conv(w, w // 2, 1), p.conv(w // 2, w // 2, g=g), last), after=nn.ReLU())


def _mbconv(w: int) -> Net:
    wide = 4 * w
    inner = p.conv(wide, wide, g=wide, act=nn.SiLU)
    return p.residual(
        Seq(p.conv(w, wide, 1, act=nn.SiLU), inner, p.excite(wide, nn.SiLU), p.conv_bn(wide, w, 1))
    )


def _convnext(w: int) -> Net:
    wide = nn.Conv2d(w, 4 * w, 1)
    depthwise = nn.Conv2d(w, w, 7, padding=3, groups=w)
    body = Seq(depthwise, p.layer_norm_2d(w), wide, nn.GELU(), nn.Conv2d(4 * w, w, 1))
    scale = nn.Parameter(1e-6 * torch.ones(w, 1, 1))
    return Net(lambda m, x: x + m.scale * m.body(x), body=p.init(body, p.small), scale=scale)


def _mixer(tokens: int, w: int) -> Seq:
    across = p.mlp(tokens, 32, tokens, act=nn.GELU)
    mixed = Net(lambda m, x: x + m.mlp(m.norm(x).mT).mT, mlp=across, norm=nn.LayerNorm(w))
    return Seq(mixed, p.residual(Seq(nn.LayerNorm(w), p.mlp(w, 2 * w, w, act=nn.GELU))))


def _gmlp(tokens: int, w: int) -> Net:
    space = nn.Conv1d(tokens, tokens, 1)
    nn.init.normal_(space.weight, std=1e-6)
    nn.init.ones_(space.bias)  # type: ignore[arg-type]
    gate = Net(
        lambda m, x: x.chunk(2, 2)[0] * m.space(m.norm(x.chunk(2, 2)[1])),
        space=space,
        norm=nn.LayerNorm(w),
    )
    return p.residual(Seq(nn.LayerNorm(w), nn.Linear(w, 2 * w), nn.GELU(), gate, nn.Linear(w, w)))


def _shuffled(m: Any, x: Tensor) -> Tensor:
    left, right = x.chunk(2, 1)
    return torch.stack([left, m.body(right)], 2).flatten(1, 2)


def _shuffle_unit(w: int) -> Net:
    h = w // 2
    depthwise = Seq(nn.Conv2d(h, h, 3, 1, 1, groups=h, bias=False), nn.BatchNorm2d(h))
    return Net(_shuffled, body=Seq(p.conv(h, h, 1), depthwise, p.conv(h, h, 1)))


def _unet_run(m: Any, x: Tensor) -> Any:
    a = m.one(x)
    b = m.two(F.max_pool2d(a, 2))
    c = m.three(F.max_pool2d(b, 2))
    return m.out(m.back1(cat([m.up1(m.back2(cat([m.up2(c), b], 1))), a], 1)))


def _unet(channels: int, w: int, double: Callable[[int, int], nn.Module]) -> Net:
    return Net(
        _unet_run,
        one=double(channels, w),
        two=double(w, 2 * w),
        three=double(2 * w, 4 * w),
        up2=nn.ConvTranspose2d(4 * w, 2 * w, 2, 2),
        back2=double(4 * w, 2 * w),
        up1=nn.ConvTranspose2d(2 * w, w, 2, 2),
        back1=double(2 * w, w),
        out=nn.Conv2d(w, 2, 1),
    )


def _group_conv(a: int, b: int) -> Seq:
    return Seq(nn.Conv2d(a, b, 3, padding=1), nn.GroupNorm(4, b), nn.SiLU())


def _inception(w: int) -> Net:
    q = w // 4
    five = Seq(p.conv(w, q, 1), p.conv(q, q, 5))
    pool = Seq(nn.MaxPool2d(3, 1, 1), p.conv(w, q, 1))
    return p.concat(p.conv(w, q, 1), Seq(p.conv(w, q, 1), p.conv(q, q)), five, pool)


def _fire(a: int, w: int) -> Seq:
    squeeze = Seq(nn.Conv2d(a, w // 4, 1), nn.ReLU())
    wide = p.concat(nn.Conv2d(w // 4, w // 2, 1), nn.Conv2d(w // 4, w // 2, 3, padding=1))
    return Seq(squeeze, wide, nn.ReLU())


def _inverted(w: int) -> Net:
    wide = 4 * w
    six = nn.ReLU6
    return p.residual(
        Seq(p.conv(w, wide, 1, act=six), p.conv(wide, wide, g=wide, act=six), p.conv_bn(wide, w, 1))
    )


def _activated_first(w: int) -> Net:
    halves = [Seq(nn.BatchNorm2d(w), nn.ReLU(), nn.Conv2d(w, w, 3, 1, 1)) for _ in range(2)]
    return p.residual(Seq(halves[0], nn.Dropout(0.1), halves[1]))


def _dense_layer(a: int, b: int) -> Net:
    body = Seq(nn.BatchNorm2d(a), nn.ReLU(), nn.Conv2d(a, b, 3, padding=1, bias=False))
    return p.concat(nn.Identity(), body)


def _nin(a: int, b: int, k: int) -> Seq:
    one = [nn.Conv2d(b, b, 1), nn.ReLU(), nn.Conv2d(b, b, 1), nn.ReLU()]
    return Seq(nn.Conv2d(a, b, k, padding=k // 2), nn.ReLU(), *one)


def _pyramid_run(m: Any, x: Tensor) -> tuple[Tensor, ...]:
    c3 = m.stem(x)
    c4 = m.down4(c3)
    c5 = m.down5(c4)
    p5 = m.in5(c5)
    p4 = m.in4(c4) + F.interpolate(p5, scale_factor=2)
    p3 = m.in3(c3) + F.interpolate(p4, scale_factor=2)
    return tuple(head(p) for p in (p3, p4, p5) for head in (m.classes, m.boxes))


def _retina(r: Random, w: int) -> Made:
    """A feature pyramid with shared heads, initialised as RetinaNet's."""
    tower = partial(p.stack, 2, lambda _: Seq(nn.Conv2d(w, w, 3, padding=1), nn.ReLU()))
    heads = [Seq(tower(), nn.Conv2d(w, many, 3, padding=1)) for many in (6, 4)]
    classes, boxes = (p.init(head, partial(nn.init.normal_, std=0.01)) for head in heads)
    nn.init.constant_(classes[-1].bias, -math.log(99))
    net = Net(
        _pyramid_run,
        stem=Seq(p.conv(3, w, 3, 2), p.basic(w, w)),
        down4=p.basic(w, w, 2),
        down5=p.basic(w, w, 2),
        **{f"in{level}": nn.Conv2d(w, w, 1) for level in (3, 4, 5)},
        classes=classes,
        boxes=boxes,
    )
    return net, p.images(r, 3, 32)


def _vae_run(m: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    mean, log_variance = m.encode(x).chunk(2, 1)
    code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
    return m.decode(code), mean, log_variance


def _densenet(r: Random, w: int, d: int) -> Made:
    grow = [_dense_layer(w + 12 * i, 12) for i in range(d + 1)]
    wide = w + 12 * (d + 1)
    halve = Seq(p.conv(wide, w, 1), nn.AvgPool2d(2))
    again = [_dense_layer(w + 12 * i, 12) for i in range(d + 1)]
    net = Seq(nn.Conv2d(3, w, 3, 1, 1), *grow, halve, *again, nn.BatchNorm2d(wide), nn.ReLU())
    return p.init(Seq(net, p.head(wide)), nn.init.kaiming_normal_), p.images(r, 3, 16)


def _spatial_transformer(r: Random, w: int, d: int) -> Made:
    """PyTorch's tutorial: a network that warps the image, the identity at first."""
    locate = Seq(nn.Conv2d(1, 8, 7), nn.MaxPool2d(2, 2), nn.ReLU(), nn.Conv2d(8, 10, 5))
    locate = Seq(locate, nn.MaxPool2d(2, 2), nn.ReLU(), nn.Flatten(), p.mlp(90, 32, 6))
    last: Any = locate[-1]
    last = last[-1]
    nn.init.zeros_(last.weight)
    last.bias.data.copy_(torch.tensor([1.0, 0, 0, 0, 1, 0]))
    first = Seq(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(10, 20, 5))
    rest = Seq(nn.Dropout2d(), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(320, 50))
    return Net(
        lambda m, x: m.classify(
            F.grid_sample(
                x,
                F.affine_grid(m.locate(x).view(-1, 2, 3), list(x.shape), align_corners=False),
                align_corners=False,
            )
        ),
        locate=locate,
        classify=Seq(first, rest, nn.ReLU(), nn.Dropout(), nn.Linear(50, 10)),
    ), p.images(r, 1, 28)


def _vit(r: Random, w: int, d: int) -> Made:
    return Net(
        lambda m, x: m.head(
            m.blocks(cat([m.token.expand(len(x), 1, -1), m.patch(x)], 1) + m.position)[:, 0]
        ),
        patch=p.patches(3, w, 4),
        token=nn.Parameter(torch.zeros(1, w)),
        position=p.position(17, w),
        blocks=p.encoder(w, d),
        head=Seq(nn.LayerNorm(w), nn.Linear(w, 10)),
    ), p.images(r, 3, 16)


def _detr(r: Random, w: int, d: int) -> Made:
    layer = nn.TransformerDecoderLayer(w, 4, 2 * w, batch_first=True)
    return Net(
        lambda m, x: (lambda h: (m.classes(h), m.boxes(h).sigmoid()))(
            m.decoder(m.queries.expand(len(x), -1, -1), m.encoder(m.patch(x) + m.position))
        ),
        patch=Seq(p.conv(3, w, 3, 2), p.conv(w, w, 3, 2), nn.Flatten(2), Net(lambda m, x: x.mT)),
        position=p.position(16, w),
        encoder=p.encoder(w, d, "relu", first=False),
        queries=nn.Parameter(torch.randn(5, w)),
        decoder=nn.TransformerDecoder(layer, 2),
        classes=nn.Linear(w, 4),
        boxes=p.mlp(w, w, 4),
    ), p.images(r, 3, 16)


def _vgg(r: Random, w: int, d: int, *, norm: bool) -> Made:
    layers: list[nn.Module] = []
    for a, b in ((3, w), (w, w), (w, 2 * w), (2 * w, 2 * w), (2 * w, 2 * w)):
        layers += [nn.Conv2d(a, b, 3, 1, 1), *[nn.BatchNorm2d(b)] * norm, nn.ReLU()]
        layers += [nn.MaxPool2d(2)] * (a == w)
    body = p.init(Seq(*layers), p.kaiming)
    top = Seq(nn.Linear(2 * w * 16, 64), nn.ReLU(), nn.Dropout(), nn.Linear(64, 10))
    return Seq(body, nn.Flatten(), p.init(top, partial(nn.init.normal_, std=0.01))), p.images(
        r, 3, 16
    )


def _highway(r: Random, w: int, d: int) -> Made:
    def layer(_: int) -> Net:
        gate = nn.Linear(w, w)
        nn.init.constant_(gate.bias, -2.0)
        return Net(
            lambda m, x: x + m.gate(x).sigmoid() * (m.body(x).relu() - x),
            gate=gate,
            body=nn.Linear(w, w),
        )

    net = Seq(nn.Flatten(), nn.Linear(64, w), nn.ReLU(), p.stack(2 * d, layer), nn.Linear(w, 10))
    return net, p.images(r, 1, 8)


def _dcgan(r: Random, w: int, d: int, *, generator: bool) -> Made:
    if not generator:
        leak = partial(nn.LeakyReLU, 0.2)
        first = Seq(nn.Conv2d(1, w, 4, 2, 1, bias=False), leak())
        more = Seq(nn.Conv2d(w, 2 * w, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * w), leak())
        last = nn.Conv2d(2 * w, 1, 4, bias=False)
        return p.init(Seq(first, more, last, nn.Flatten()), p.small), p.images(r, 1, 16)
    net = Seq(nn.ConvTranspose2d(32, 2 * w, 4, bias=False), nn.BatchNorm2d(2 * w), nn.ReLU())
    net.append(nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False))
    net.extend([nn.BatchNorm2d(w), nn.ReLU(), nn.ConvTranspose2d(w, 1, 4, 2, 1, bias=False)])
    return p.init(net.append(nn.Tanh()), p.small), torch.randn(p.samples(r), 32, 1, 1)


def _critic(r: Random, w: int, d: int) -> Made:
    """SN-GAN's discriminator."""
    convs = [spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in ((3, w), (w, w), (w, w))]
    body = Seq(*(Seq(conv, nn.LeakyReLU(0.1)) for conv in convs))
    return Seq(body, nn.Flatten(), spectral_norm(nn.Linear(4 * w, 1))), p.images(r, 3, 16)


def _vae(r: Random, w: int, d: int) -> Made:
    encode = Seq(nn.Flatten(), p.mlp(64, w, w, 16))
    net = Net(_vae_run, encode=encode, decode=Seq(p.mlp(8, w, w, 64), nn.Sigmoid()))
    return net, p.images(r, 1, 8)


def _siamese(r: Random, w: int, d: int) -> Made:
    """Pairs of images, one tower with batch norm, the head on the distances."""
    pairs = torch.stack([x := p.images(r, 1, 16), x.roll(1, 0) + 0.1 * torch.randn_like(x)], 1)
    return Net(
        lambda m, x: m.head((m.tower(x[:, 0]) - m.tower(x[:, 1])).abs()),
        tower=Seq(p.conv(1, w), nn.MaxPool2d(2), p.conv(w, w), nn.MaxPool2d(2), p.head(w, w)),
        head=nn.Linear(w, 1),
    ), pairs


def _perceiver(r: Random, w: int, d: int) -> Made:
    net = Seq(p.patches(3, w, 4), p.cross(w), p.encoder(w, d), nn.LayerNorm(w))
    return Seq(net, nn.Flatten(), nn.Linear(8 * w, 10)), p.images(r, 3, 16)


def _folding(r: Random, w: int, d: int) -> Made:
    down = Seq(nn.Conv2d(1, w, 3, 2, 1), nn.ReLU(), nn.Conv2d(w, 2 * w, 3, 2, 1), nn.ReLU())
    up = Seq(nn.ConvTranspose2d(2 * w, w, 2, 2), nn.ReLU(), nn.ConvTranspose2d(w, 1, 2, 2))
    return Seq(down, up, nn.Sigmoid()), p.images(r, 1, 16)


def _double(a: int, b: int) -> Seq:
    return Seq(p.conv(a, b), p.conv(b, b))


def _plain(build: Callable[[int, int], nn.Module], channels: int = 3, size: int = 16) -> Make:
    """Images into the network of a width and a depth."""
    return lambda r, w, d: (build(w, d), p.images(r, channels, size))


def _lenet(w: int, d: int) -> nn.Module:
    convs = [nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5)]
    return Seq(
        *convs, nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), p.mlp(400, 120, 84, 10, act=nn.Tanh)
    )


def _alexnet(w: int, d: int) -> nn.Module:
    convs = [nn.Conv2d(3, w, 5, 2, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(w, w, 3, 1, 1)]
    convs += [nn.ReLU(), nn.Conv2d(w, w, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    top = [nn.Dropout(), nn.Linear(16 * w, 128), nn.ReLU(), nn.Dropout(), nn.Linear(128, 64)]
    return Seq(*convs, *top, nn.ReLU(), nn.Linear(64, 10))


def _aspp(w: int, d: int) -> nn.Module:
    """DeepLab's: dilated branches, then a map of classes of the image's size."""
    branches = [
        Seq(nn.Conv2d(w, w, 3, padding=g, dilation=g), nn.BatchNorm2d(w), nn.ReLU())
        for g in (1, 2, 4)
    ]
    up = nn.Upsample(scale_factor=4, mode="bilinear")
    body = Seq(p.conv(3, w, 3, 2), p.basic(w, w, 2), p.concat(*branches), p.conv(3 * w, w, 1))
    return Seq(body, nn.Conv2d(w, 3, 1), up)


def _super_resolution(w: int, d: int) -> nn.Module:
    """EDSR's."""

    def block(_: int) -> Net:
        return p.residual(Seq(nn.Conv2d(w, w, 3, 1, 1), nn.ReLU(), nn.Conv2d(w, w, 3, 1, 1)))

    body = p.residual(Seq(p.stack(d, block), nn.Conv2d(w, w, 3, 1, 1)))
    return Seq(nn.Conv2d(1, w, 3, 1, 1), body, nn.Conv2d(w, 4, 3, 1, 1), nn.PixelShuffle(2))


def _denoising_convs(w: int, d: int) -> nn.Module:
    """DnCNN's: the noise, taken off the image."""
    body = Seq(nn.Conv2d(1, w, 3, 1, 1), nn.ReLU(), p.stack(d, lambda _: p.conv(w, w)))
    return Net(lambda m, x: x - m.body(x), body=body.append(nn.Conv2d(w, 1, 3, 1, 1)))


def _detector(w: int, d: int) -> nn.Module:
    """Darknet's blocks and YOLO's heads at two scales."""
    leak = partial(nn.LeakyReLU, 0.1)
    unit = p.residual(Seq(p.conv(w, w // 2, 1, act=leak), p.conv(w // 2, w, act=leak)))
    return Net(
        lambda m, x: (lambda a: (m.near(a), m.far(m.down(a))))(m.stem(x)),
        stem=Seq(p.conv(3, w, 3, 2, act=leak), unit, p.conv(w, w, 3, 2, act=leak)),
        down=p.conv(w, w, 3, 2, act=leak),
        near=nn.Conv2d(w, 16, 1),
        far=nn.Conv2d(w, 16, 1),
    )


def _conv_mixer(w: int, d: int) -> nn.Module:
    def block(_: int) -> Seq:
        depthwise = Seq(nn.Conv2d(w, w, 5, padding=2, groups=w), nn.GELU(), nn.BatchNorm2d(w))
        return Seq(p.residual(depthwise), nn.Conv2d(w, w, 1), nn.GELU(), nn.BatchNorm2d(w))

    first = Seq(nn.Conv2d(3, w, 4, 4), nn.GELU(), nn.BatchNorm2d(w))
    return Seq(first, p.stack(d, block), p.head(w))


def _token_mean(w: int, classes: int = 10) -> Seq:
    return Seq(nn.LayerNorm(w), Net(lambda m, x: x.mean(1)), nn.Linear(w, classes))


def _elu_convs(w: int, d: int) -> nn.Module:
    layers = p.stack(d, lambda i: Seq(nn.Conv2d(w if i else 3, w, 3, padding=1), nn.ELU()))
    return Seq(layers, nn.MaxPool2d(4), nn.Flatten(), nn.Linear(16 * w, 10))


IMAGES: dict[str, Make] = {
    "highway": _highway,
    "LeNet-5": _plain(_lenet, 1, 28),
    "AlexNet": _plain(_alexnet, 3, 32),
    "VGG": partial(_vgg, norm=False),
    "VGG, batch norm": partial(_vgg, norm=True),
    "network in network": _plain(
        lambda w, d: Seq(_nin(3, w, 5), nn.MaxPool2d(2), _nin(w, w, 3), nn.Dropout(), p.head(w))
    ),
    "Inception": _plain(lambda w, d: Seq(p.conv(3, w), _inception(w), _inception(w), p.head(w))),
    "SqueezeNet": _plain(
        lambda w, d: Seq(
            p.init(
                Seq(nn.Conv2d(3, w, 3), nn.ReLU(), *(_fire(w, w) for _ in range(d))),
                nn.init.kaiming_uniform_,
            ),
            nn.Dropout(),
            nn.Conv2d(w, 10, 1),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
    ),
    "ShuffleNet": _plain(
        lambda w, d: Seq(p.conv(3, w, 3, 2), p.stack(d, lambda _: _shuffle_unit(w)), p.head(w))
    ),
    "MobileNet": _plain(
        lambda w, d: Seq(
            p.conv(3, w, 3, 2, act=nn.ReLU6), p.stack(d, lambda _: _inverted(w)), p.head(w)
        )
    ),
    "EfficientNet": _plain(
        lambda w, d: Seq(
            p.conv(3, w, 3, 2, act=nn.SiLU), p.stack(d, lambda _: _mbconv(w)), p.head(w)
        )
    ),
    "ResNet": _plain(
        lambda w, d: p.init(
            Seq(
                p.conv(3, w),
                p.stack(d, lambda _: p.basic(w, w)),
                p.basic(w, 2 * w, 2),
                p.head(2 * w),
            ),
            p.kaiming,
        )
    ),
    "ResNet, Mish": _plain(
        lambda w, d: Seq(p.conv(3, w, act=nn.Mish), p.basic(w, w, 2, nn.Mish), p.head(w))
    ),
    "ResNet, last norms zero": _plain(
        lambda w, d: Seq(
            p.conv(3, w), p.stack(2 * d, lambda _: _bottleneck(w, zero=True)), p.head(w)
        )
    ),
    "ResNeXt": _plain(
        lambda w, d: Seq(p.conv(3, w), p.stack(d, lambda _: _bottleneck(w, 4)), p.head(w))
    ),
    "squeeze and excitation": _plain(
        lambda w, d: Seq(
            p.conv(3, w),
            p.residual(Seq(p.conv(w, w), p.conv_bn(w, w), p.excite(w)), after=nn.ReLU()),
            p.head(w),
        )
    ),
    "wide ResNet": _plain(
        lambda w, d: Seq(
            nn.Conv2d(3, w, 3, 1, 1),
            p.stack(d, lambda _: _activated_first(w)),
            nn.BatchNorm2d(w),
            nn.ReLU(),
            p.head(w),
        )
    ),
    "DenseNet": _densenet,
    "ConvNeXt": _plain(
        lambda w, d: Seq(
            nn.Conv2d(3, w, 4, 4),
            p.layer_norm_2d(w),
            p.stack(d, lambda _: _convnext(w)),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.LayerNorm(w),
            nn.Linear(w, 10),
        ),
        3,
        32,
    ),
    "convolutions, ELU": _plain(_elu_convs),
    "ConvMixer": _plain(_conv_mixer, 3, 32),
    "MLP-Mixer": _plain(
        lambda w, d: Seq(p.patches(3, w, 4), p.stack(d, lambda _: _mixer(16, w)), _token_mean(w))
    ),
    "gMLP": _plain(
        lambda w, d: Seq(p.patches(3, w, 4), p.stack(d, lambda _: _gmlp(16, w)), _token_mean(w))
    ),
    "spatial transformer": _spatial_transformer,
    "vision transformer": _vit,
    "Perceiver": _perceiver,
    "RetinaNet": lambda r, w, d: _retina(r, w),
    "YOLO": _plain(_detector, 3, 32),
    "DETR": _detr,
    "U-Net": _plain(lambda w, d: _unet(3, 16, _double)),
    "U-Net, group norm": _plain(lambda w, d: _unet(3, 16, _group_conv)),
    "DeepLab": _plain(_aspp),
    "EDSR": _plain(_super_resolution, 1, 8),
    "DnCNN": _plain(_denoising_convs, 1),
    "autoencoder": _plain(
        lambda w, d: Seq(nn.Flatten(), p.mlp(64, 2 * w, w, 8), nn.ReLU(), p.mlp(8, w, 2 * w, 64)),
        1,
        8,
    ),
    "autoencoder, convolutions": _folding,
    "VAE": _vae,
    "DCGAN, generator": partial(_dcgan, generator=True),
    "DCGAN, discriminator": partial(_dcgan, generator=False),
    "SN-GAN, discriminator": _critic,
    "siamese": _siamese,
}
