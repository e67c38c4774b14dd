"""Small networks that multiply by parameters of their own, in their own code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize

WIDTH = 8


def drawn(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape) / shape[-1] ** 0.5)


class Own(nn.Module):
    """Two maps of the same sort, each after a parameter ``first`` and ``second``, and relu."""

    def __init__(self, multiply: Callable[[Tensor, Tensor], Tensor], *shape: int) -> None:
        super().__init__()
        self.first, self.second = drawn(*shape), drawn(*shape)
        self.multiply = multiply

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.multiply(torch.relu(self.multiply(x, self.first)), self.second))


def own(multiply: Callable[..., Tensor], *shape: int) -> Callable[[], nn.Module]:
    return lambda: Own(multiply, *(shape or (WIDTH, WIDTH)))


class Biased(nn.Module):
    """Weights and biases under usual names, by one of several functions that do the same."""

    def __init__(self, multiply: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.weight, self.bias = drawn(WIDTH, WIDTH), nn.Parameter(torch.randn(WIDTH))
        self.multiply = multiply

    def forward(self, x: Tensor) -> Tensor:
        return self.multiply(x, self.weight, self.bias)


def plus_in_place(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    x = x @ weight.T
    x += bias
    return x


def chain(
    multiply: Callable[[Tensor, Tensor, Tensor], Tensor] | None,
    activation: Callable[[], nn.Module] = nn.Tanh,
) -> nn.Sequential:
    """Three maps in their own code, or by modules where it is not told how to ``multiply``."""

    def layer() -> nn.Module:
        return nn.Linear(WIDTH, WIDTH) if multiply is None else Biased(multiply)

    return nn.Sequential(*[part for _ in range(3) for part in (layer(), activation())])


BIASED: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "linear": functional.linear,
    "linear, by names": lambda x, w, b: functional.linear(x, weight=w, bias=b),
    "matmul": lambda x, w, b: torch.matmul(x, w.T) + b,
    "bias first": lambda x, w, b: b + x @ w.T,
    "bias in place": plus_in_place,
    "addmm": lambda x, w, b: torch.addmm(b, x, w.t()),
    "mm": lambda x, w, b: x.mm(w.transpose(0, 1)).add(b),
    "einsum": lambda x, w, b: torch.einsum("ni,oi->no", x, w) + b,
    "einsum, operands in a list": lambda x, w, b: torch.einsum("o i, n i -> n o", [w, x]) + b,
    "einsum of any axes": lambda x, w, b: torch.einsum("...i,oi->...o", x, w) + b,
    "tensordot": lambda x, w, b: torch.tensordot(x, w, dims=([1], [1])) + b,
    "tensordot of the last axis": lambda x, w, b: torch.tensordot(x, w.T, 1) + b,
    "inner": lambda x, w, b: torch.inner(x, w) + b,
    "baddbmm": lambda x, w, b: torch.baddbmm(b, x[:, None], w.T.expand(len(x), -1, -1))[:, 0],
    "columns": lambda x, w, b: (w @ x.T + b[:, None]).T,
    "einsum of columns": lambda x, w, b: (torch.einsum("oi,in->on", w, x.mT) + b[:, None]).mT,
    "convolution": lambda x, w, b: functional.conv1d(x[..., None], w[..., None], b)[..., 0],
    "transposed convolution": lambda x, w, b: functional.conv_transpose1d(
        x[..., None], w.T[..., None], b
    )[..., 0],
}
"""x Wᵀ + b in many ways."""


class Columns(nn.Module):
    """Samples are columns from the first map to the last."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = drawn(6, WIDTH), drawn(6, 6), drawn(3, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first @ x.T)
        x = x + torch.tanh(self.second @ x)
        return (self.head @ x).T


class Listed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.ParameterList([drawn(WIDTH, WIDTH) for _ in range(3)])

    def forward(self, x: Tensor) -> Tensor:
        for weight in self.weights:
            x = torch.relu(x @ weight)
        return x


class Stacked(nn.Module):
    """All weights, and the outputs', in one parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.weights, self.head = drawn(4, WIDTH, WIDTH), drawn(3, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        for weight in self.weights[:3]:
            x = torch.relu(functional.linear(x, weight))
        x = torch.relu(functional.linear(x, 0.5 * self.weights[3]))
        return functional.linear(x, self.head)


class Chunks(nn.Module):
    """Queries, keys and values by parts of one parameter, and attention."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = drawn(3 * WIDTH, WIDTH), drawn(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (functional.linear(x, part) for part in self.qkv.chunk(3))
        x = x + torch.softmax(q @ k.mT, dim=-1) @ v
        return torch.relu(x @ self.out)


class Masked(nn.Linear):
    """A linear module of which a part of the weights counts."""

    def __init__(self) -> None:
        super().__init__(WIDTH, WIDTH)
        self.register_buffer("mask", torch.tril(torch.ones(WIDTH, WIDTH)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(functional.linear(x, self.weight * self.mask, self.bias))


class Lengths(nn.Module):
    """Weight norm by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths, self.directions = nn.Parameter(torch.ones(WIDTH, 1)), drawn(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        norms = self.directions.norm(dim=1, keepdim=True)
        return torch.relu(functional.linear(x, self.lengths * self.directions / norms))


class LowRank(nn.Module):
    """A frozen map and one of low rank beside it, added to the weights."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = drawn(WIDTH, WIDTH).requires_grad_(False)
        self.up, self.down = drawn(WIDTH, 2), drawn(2, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(functional.linear(x, self.frozen + self.up @ self.down))


class Halved(nn.Module):
    """What a parameter is multiplied by."""

    def forward(self, weight: Tensor) -> Tensor:
        return weight / 2


def parametrised() -> nn.Module:
    module = Own(functional.linear, WIDTH, WIDTH)
    parametrize.register_parametrization(module, "first", Halved())
    return module


class Normed(nn.Module):
    """Convolutions with group norm, whose parameters are the network's own as well."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel, self.deeper = drawn(4, 1, 3, 3), drawn(4, 4, 3, 3)
        self.scale, self.shift = nn.Parameter(torch.ones(4)), nn.Parameter(torch.zeros(4))
        self.head = drawn(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.conv2d(x, self.kernel, padding=1)
        x = torch.relu(functional.group_norm(x, 2, self.scale, self.shift))
        x = torch.relu(functional.conv2d(x, self.deeper, stride=2))
        return x.mean(dim=(2, 3)) @ self.head


class Heads(nn.Module):
    """Projections to heads and back, through ``einsum``."""

    def __init__(self) -> None:
        super().__init__()
        self.split, self.join = drawn(2, WIDTH, 4), drawn(2, 4, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(torch.einsum("ntd,hdk->nhtk", x, self.split))
        return torch.relu(torch.einsum("nhtk,hkd->ntd", x, self.join))


class Step(nn.Module):
    """A recurrent cell."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.state, self.head = drawn(WIDTH, WIDTH), drawn(WIDTH, WIDTH), drawn(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(len(x), WIDTH)
        for step in x.unbind(1):
            h = torch.tanh(step @ self.into + h @ self.state)
        return h @ self.head


class Mixtures(nn.Module):
    """Weights are mixed for each sample by what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.shares = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 3)
        self.experts = drawn(3, WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        shares = torch.softmax(self.shares(x), dim=-1)
        return torch.relu(torch.einsum("ne,ni,eoi->no", shares, x, self.experts))


class Made(nn.Module):
    """Weights of each sample are what a parameter makes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.basis = nn.Linear(WIDTH, WIDTH), drawn(WIDTH, WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        weights = (x[:, :, None, None] * self.basis).sum(1)
        return torch.relu(torch.bmm(weights, x[..., None])[..., 0])


class Across(nn.Module):
    """Samples are mixed, by as many mixtures as there are samples."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.mix = nn.Linear(WIDTH, WIDTH), drawn(12, 12)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.mix @ torch.relu(self.first(x)))


class Each(nn.Module):
    """A map of its own for each sample."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(WIDTH, WIDTH), drawn(12, WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        return torch.relu(torch.bmm(x[:, None], self.second)[:, 0])


class Outside(nn.Module):
    """What a module gives is shifted by another's parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.shift = Inner(), nn.Parameter(torch.randn(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.inner(x) + self.shift)


class Inner(nn.Module):
    """Two maps, the last as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = drawn(WIDTH, WIDTH), drawn(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x @ self.first) @ self.second


class Random(nn.Module):
    """Weights that are no parameters, and a gain that is one."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("features", torch.randn(WIDTH, WIDTH))
        self.gain, self.last = nn.Parameter(torch.ones(WIDTH)), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Any:
        x = torch.einsum("ni,i->ni", torch.relu(x @ self.features), self.gain)
        return torch.relu(self.last(x))


class Unlike(nn.Module):
    """What is added in the same call depends on the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(WIDTH, WIDTH), drawn(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        return torch.relu(torch.addmm(x, x, self.second))


class Turning(nn.Module):
    """Complex weights."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(WIDTH, WIDTH)
        self.turn = nn.Parameter(torch.randn(WIDTH, WIDTH, dtype=torch.complex64))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu((self.first(x).to(torch.complex64) @ self.turn).abs())


class Cells(nn.Module):
    """Torch's own modules that multiply inside."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.cell, self.map = nn.GRUCell(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.memory(x)
        x, _ = self.attention(x, x, x)
        out: Tensor = self.head(torch.relu(self.map(self.cell(x[:, -1]))))
        return out
