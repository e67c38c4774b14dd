"""Small networks of many kinds, for the tests of what inspection says that it does not know."""

from __future__ import annotations

from typing import Any

import networks
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

WIDTH = 8


def linear() -> nn.Linear:
    return nn.Linear(WIDTH, WIDTH)


class Branches(nn.Module):
    """Two branches of different depth, summed for the outputs' map."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b1, self.b2, self.c, self.h = [linear() for _ in range(5)]

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.a(x))
        y = torch.relu(self.b2(torch.relu(self.b1(x))))
        z = torch.relu(self.c(x))
        out: Tensor = self.h(y + z)
        return out


class StridedBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.first = (
            nn.Conv2d(1, 4, 3, padding=1),
            nn.Conv2d(4, 6, 3, stride=2, padding=1),
        )
        self.second, self.shortcut = nn.Conv2d(6, 6, 3, padding=1), nn.Conv2d(4, 6, 1, stride=2)
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        y = self.second(torch.relu(self.first(x)))
        x = torch.relu(y + self.shortcut(x))
        out: Tensor = self.head(x.mean(dim=(2, 3)))
        return out


class Repeated(nn.Module):
    """One map, called six times."""

    def __init__(self, std: float | None = None) -> None:
        super().__init__()
        self.map = linear() if std is None else networks.linear(WIDTH, WIDTH, std)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(6):
            x = torch.relu(self.map(x))
        return x


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.mlp, self.head = linear(), nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(x, x, x)[0]
        out: Tensor = self.head(torch.relu(self.mlp(x)).mean(dim=1))
        return out


class OwnAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.out = [linear() for _ in range(4)]

    def forward(self, x: Tensor) -> Tensor:
        scores = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / WIDTH**0.5, dim=-1)
        out: Tensor = self.out(scores @ self.v(x))
        return out


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.before, self.cell, self.after = (
            linear(),
            kind(WIDTH, WIDTH, batch_first=True),
            linear(),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = torch.relu(self.after(self.cell(torch.relu(self.before(x)))[0]))
        return out


class Cell(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.after = nn.GRUCell(WIDTH, WIDTH), linear()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.after(self.cell(x))
        return out


class WithChild(nn.Linear):
    """A linear map with a module below it; ``exact`` says whether it is still its weights times
    what it receives.
    """

    def __init__(self, exact: bool) -> None:
        super().__init__(WIDTH, WIDTH)
        self.more, self.exact = nn.Linear(WIDTH, WIDTH), exact

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y if self.exact else y + self.more(x)


class Functional(nn.Module):
    """Parameters that no module but the network itself holds."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = linear(), linear()
        self.middle = nn.Parameter(torch.randn(WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = torch.relu(self.last(torch.relu(torch.relu(self.first(x)) @ self.middle)))
        return out


class Borrowed(nn.Module):
    """The weights of a module that is not called, used in the network's own code."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = linear(), linear()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(nn.functional.linear(torch.relu(self.first(x)), self.second.weight))


class Tokens(nn.Module):
    def __init__(self, tied: bool) -> None:
        super().__init__()
        self.table, self.mlp = nn.Embedding(11, WIDTH), linear()
        self.head = nn.Linear(WIDTH, 11, bias=False)
        if tied:
            self.head.weight = self.table.weight

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(torch.relu(self.mlp(self.table(x))))
        return out


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.product, self.last = (
            linear(),
            linear(),
            nn.Bilinear(WIDTH, WIDTH, WIDTH),
            linear(),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = torch.relu(
            self.last(self.product(torch.relu(self.a(x)), torch.relu(self.b(x))))
        )
        return out


class Idle(nn.Module):
    """A module that is never called, and one that gives what nothing uses."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.dropped, self.idle, self.norm = (
            linear(),
            linear(),
            linear(),
            nn.BatchNorm1d(WIDTH),
        )

    def forward(self, x: Tensor) -> Tensor:
        self.dropped(x)
        return torch.relu(self.used(x))


class FeaturesAndLogits(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *[part for _ in range(3) for part in (networks.linear(WIDTH, WIDTH), nn.ReLU())]
        )
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Any:
        x = self.body(x)
        return x, self.head(x)


class Folded(nn.Module):
    """Each sample becomes eight rows, as ``view`` allows for contiguous arrays only."""

    def __init__(self) -> None:
        super().__init__()
        self.whole, self.part = nn.Linear(64, 64), linear()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.part(x.view(len(x) * 8, 8)).view(len(x), 64)
        return torch.relu(self.whole(torch.relu(out)))


class Dense(nn.Module):
    """Every layer receives all before it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(WIDTH * (k + 1), WIDTH) for k in range(4)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, torch.relu(layer(x))], dim=1)
        return x


class PreNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(WIDTH) for _ in range(4)])
        self.layers = nn.ModuleList([linear() for _ in range(4)])

    def forward(self, x: Tensor) -> Tensor:
        for norm, layer in zip(self.norms, self.layers, strict=True):
            x = x + torch.relu(layer(norm(x)))
        return x


class InPlace(nn.Module):
    """A part of the features is written over."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = linear(), linear(), linear()

    def forward(self, x: Tensor) -> Tensor:
        y = self.a(x)
        z = self.b(x)
        y[:, :4] = z[:, 4:]
        return torch.relu(self.c(torch.relu_(y)))


class Scaled(nn.Module):
    """Torch's code for the batch before the first layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = networks.batchnorm(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(torch.tanh(x))
        return out


class TimeFirst(nn.Module):
    """The samples go to the second axis, which is as long as the first where there are as many
    places.
    """

    def __init__(self) -> None:
        super().__init__()
        self.turned, self.upright = linear(), linear()

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.turned(x.transpose(0, 1))).mean(dim=0)
        return torch.relu(self.upright(x))


class Turned(nn.Module):
    """One map mixes the samples, and what follows has rows that are mixtures."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.across, self.along = [nn.Linear(12, 12) for _ in range(3)]

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        return torch.relu(self.along(torch.relu(self.across(x.t())).t()))


class Away(nn.Module):
    """The data leave Torch on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.after = networks.linear(WIDTH, WIDTH), networks.linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.before(x))
        return torch.relu(self.after(torch.from_numpy(x.numpy() + 0)))


class Pooled(nn.Module):
    """The last convolution, and its norm, are pooled for the outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.ModuleList([nn.Conv2d(k, 4, 3, padding=1) for k in (1, 4, 4)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(4) for _ in range(3)])
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        for conv, norm in zip(self.maps, self.norms, strict=True):
            x = torch.relu(norm(conv(x)))
        out: Tensor = self.head(x.mean(dim=(2, 3)))
        return out


def hooked() -> nn.Module:
    """A hook of the user's own changes what the first map gives."""
    found = chain_of(linear, nn.ReLU, depth=2)
    found[0].register_forward_hook(lambda part, args, output: output.square())
    return found


def chain_of(*makers: Any, depth: int = 4) -> nn.Sequential:
    return nn.Sequential(*[make() for _ in range(depth) for make in makers])


def weight_normed(kind: Any) -> nn.Sequential:
    return chain_of(lambda: kind(networks.linear(WIDTH, WIDTH)), nn.ReLU, depth=6)


def traced(part: nn.Module) -> nn.Module:
    return torch.jit.trace(part, torch.ones(12, WIDTH), check_trace=False)  # type: ignore[no-untyped-call]


def shared_weights() -> nn.Sequential:
    found = chain_of(lambda: networks.linear(WIDTH, WIDTH), nn.ReLU)
    found[4].weight = found[0].weight
    return found


def shared_memory() -> nn.Sequential:
    found = chain_of(lambda: networks.linear(WIDTH, WIDTH), nn.ReLU)
    found[4].weight = nn.Parameter(found[0].weight.data)  # type: ignore[union-attr]
    return found


def copied() -> nn.Sequential:
    found = chain_of(lambda: networks.linear(16, 16), nn.ReLU)
    with torch.no_grad():
        found[4].weight.copy_(found[0].weight.T * 2)  # type: ignore[operator, union-attr]
    return found


def of_low_rank() -> nn.Sequential:
    found = chain_of(lambda: networks.linear(64, 64), nn.ReLU)
    with torch.no_grad():
        for part in found[::2]:
            part.weight.copy_(torch.randn(64, 20) @ torch.randn(20, 64))  # type: ignore[operator, union-attr]
    return found


def spectral() -> nn.Sequential:
    return chain_of(lambda: parametrizations.spectral_norm(linear()), nn.ReLU)
