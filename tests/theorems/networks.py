"""Networks whose behaviour the theory knows, for the tests of inspection."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Recenter(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(dim=0)


class ResidualBlock(nn.Module):
    """H⁺ = BN(H + γWH), W of unit variance, as in D20."""

    def __init__(self, width: int, gamma: float) -> None:
        super().__init__()
        self.linear, self.norm, self.gamma = (
            linear(width, width, std=1.0),
            nn.BatchNorm1d(width),
            gamma,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + self.gamma * self.linear(x))


class BranchBlock(nn.Module):
    """H⁺ = H + ReLU(BN(WH)): nothing takes away what the branch adds to all samples alike."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear, self.norm = linear(width, width), nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.relu(self.norm(self.linear(x)))


class Functional(nn.Module):
    """The same as ``batchnorm(...)``, with the activation in the user's own code."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.linears = nn.ModuleList([linear(width, width) for _ in range(depth)])
        self.norms = nn.ModuleList([nn.BatchNorm1d(width) for _ in range(depth)])

    def forward(self, x: Tensor) -> Tensor:
        for weights, norm in zip(self.linears, self.norms, strict=True):
            x = torch.relu(norm(weights(x)))
        return x


def linear(inputs: int, outputs: int, std: float | None = None) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(layer.weight, std=(2 / inputs) ** 0.5 if std is None else std)
    return layer


def stack(width: int, depth: int, *makers: type[nn.Module], head: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers.append(linear(width, width))
        layers += [maker(width) if maker is nn.BatchNorm1d else maker() for maker in makers]
    return nn.Sequential(*layers, *([linear(width, 10)] if head else []))


def batchnorm(width: int = 96, depth: int = 15) -> nn.Module:
    return stack(width, depth, nn.BatchNorm1d, nn.ReLU)


def linear_batchnorm(width: int = 96, depth: int = 15) -> nn.Module:
    return stack(width, depth, nn.BatchNorm1d, head=False)


def vanilla(width: int = 96, depth: int = 20) -> nn.Module:
    return stack(width, depth, nn.ReLU)


def vanilla_linear(width: int = 24, depth: int = 150) -> nn.Module:
    """Entries of variance 1/width, which keeps products of any depth finite."""
    return nn.Sequential(*[linear(width, width, std=width**-0.5) for _ in range(depth)])


def recenter(width: int = 128, depth: int = 90) -> nn.Module:
    return stack(width, depth, Recenter, nn.ReLU)


def branches(width: int = 96, depth: int = 12) -> nn.Module:
    return nn.Sequential(*[BranchBlock(width) for _ in range(depth)])


def residual(width: int = 96, depth: int = 30) -> nn.Module:
    return nn.Sequential(*[ResidualBlock(width, 0.1) for _ in range(depth)])
