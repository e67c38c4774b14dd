"""What the kinds of `last_healthy` are made of: batches, initialisations, and parts."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F

from bench.networks.fresh_healthy_pieces import Net as Net

__all__ = ["Net"]

Built = tuple[nn.Module, Tensor]
Init = Callable[[Tensor], Any]

KINDS: dict[str, Callable[[int], Built]] = {}
DIGITS = torch.tensor(load_digits().images, dtype=torch.float32) / 16
SPREAD = DIGITS.std(0)


def kind(name: str) -> Callable[[Callable[[Random], Built]], Callable[[Random], Built]]:
    """Enters a builder under this name; sizes come from its argument, weights from the seed."""

    def enter(build: Callable[[Random], Built]) -> Callable[[Random], Built]:
        def seeded(seed: int) -> Built:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                return build(Random(f"{name} {seed}"))

        KINDS[name] = seeded
        return build

    return enter


def count(r: Random, most: int = 48) -> int:
    """How many samples."""
    return r.randint(8, most)


def noise(r: Random, *shape: int) -> Tensor:
    """Samples of independent standard Gaussians."""
    return torch.randn(count(r), *shape)


def tokens(r: Random, vocabulary: int, length: int) -> Tensor:
    """Samples of token ids, the more frequent ones first, as in a text."""
    return (vocabulary * torch.rand(count(r), length) ** 2).long()


def digits(r: Random, *, standard: bool, side: int = 8) -> Tensor:
    """Handwritten digits (samples × 1 × side × side), in [0, 1] or standardised by pixel."""
    images = (DIGITS - DIGITS.mean(0)) / torch.where(SPREAD > 0, SPREAD, 1) if standard else DIGITS
    chosen = images[torch.randperm(len(images))[: count(r)], None]
    return F.interpolate(chosen, size=(side, side), mode="nearest")


def waves(r: Random, length: int, channels: int) -> Tensor:
    """Sinusoids of random frequency and phase with a little noise (samples × length × channels)."""
    n = count(r)
    time = torch.linspace(0, 1, length)[None, :, None]
    phase = math.tau * torch.rand(n, 1, channels)
    clean = torch.sin(math.tau * (1 + 5 * torch.rand(n, 1, channels)) * time + phase)
    return clean + 0.1 * torch.randn(n, length, channels)


def start(net: nn.Module, init: Init) -> nn.Module:
    """The net with all weights of linear maps and convolutions drawn anew, and no biases."""
    for part in net.modules():
        if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d | nn.ConvTranspose2d):
            init(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Embedding) and init is truncated:
            init(part.weight)
    return net


def he(weight: Tensor) -> None:
    """He et al. for ReLU, by the outputs, as torchvision's residual networks."""
    nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")


def lecun(weight: Tensor) -> None:
    """LeCun's, for SELU."""
    nn.init.kaiming_normal_(weight, nonlinearity="linear")


def truncated(weight: Tensor) -> None:
    """The truncated normal of deviation 0.02 of transformers."""
    nn.init.trunc_normal_(weight, std=0.02)


def normal(weight: Tensor) -> None:
    """The normal of deviation 0.02 of DCGAN."""
    nn.init.normal_(weight, std=0.02)


def orthogonal(gain: float) -> Init:
    """Orthogonal weights of this gain."""
    return lambda weight: nn.init.orthogonal_(weight, gain)


def mlp(sizes: list[int], act: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear maps with activations between them."""
    parts: list[nn.Module] = []
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        parts += [act()] if i else []
        parts.append(nn.Linear(fan_in, fan_out))
    return nn.Sequential(*parts)


def conv(
    a: int, b: int, k: int = 3, stride: int = 1, groups: int = 1, act: nn.Module | None = None
) -> nn.Sequential:
    """Convolution, batch norm, and an activation if there is one."""
    parts = [nn.Conv2d(a, b, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(b)]
    return nn.Sequential(*parts, *([act] if act is not None else []))


def residual(branch: nn.Module, short: nn.Module | None = None) -> Net:
    """Branch plus shortcut."""
    return Net(lambda m, x: m.short(x) + m.branch(x), branch=branch, short=short or nn.Identity())


def pooled(*head: nn.Module) -> nn.Sequential:
    """Global average pooling and what follows."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), *head)


def attention(d: int, heads: int, *, causal: bool = False) -> Net:
    """Self-attention with one map for queries, keys and values, as in nanoGPT and timm."""

    def rule(m: Any, x: Tensor) -> Any:
        n, t, _ = x.shape
        q, k, v = m.qkv(x).reshape(n, t, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return m.out(mixed.transpose(1, 2).reshape(n, t, d))

    return Net(rule, qkv=nn.Linear(d, 3 * d), out=nn.Linear(d, d))


def block(d: int, heads: int, *, causal: bool = False) -> nn.Sequential:
    """A transformer block that normalises first."""
    return nn.Sequential(
        residual(nn.Sequential(nn.LayerNorm(d), attention(d, heads, causal=causal))),
        residual(nn.Sequential(nn.LayerNorm(d), mlp([d, 4 * d, d], nn.GELU))),
    )
