"""Networks made sick on purpose, which plain SGD does not train: for `bench.inspection_alarms`.

    python -m bench.trainable bench/networks/last_sick.py --seeds 2 --optimiser sgd

`SICK` maps names to functions of a seed, which gives sizes, depths, weights and samples. Each
returns a network, a batch and the states that would be right, as `_states` measures them. Written
without a look at the detector.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Act = Callable[[], nn.Module]
Range = tuple[int, int]
Built = tuple[nn.Module, Tensor]
Kind = Callable[[int], tuple[nn.Module, Tensor, tuple[str, ...]]]

LOST = 100.0  # how far the share of what differs must fall
RANK = 1.2  # effective rank of what differs, at most
RATIO = 1e3  # of the gradients' norms, first layer to last
DEAD, SATURATED = 0.9, 0.75  # shares of the units of some layer

SHUT: Mapping[str, Callable[[Tensor], Tensor]] = {
    "tanh": lambda y: y.abs() > 0.99,
    "sigmoid": lambda y: y * (1 - y) < 0.01,
    "hardtanh": lambda y: y.abs() >= 1,
    "relu6": lambda y: y >= 6,
}
MIXES = ("linear", "matmul", "conv1d", "conv2d", "conv3d")
OTHERS = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "softmax", "rnn_tanh", "lstm")
KEPT = {*SHUT, *MIXES, *OTHERS, "gru"}


class _Recorder(TorchFunctionMode):
    """Keeps what the layers give in a pass, also those that are no modules, with gradients."""

    def __init__(self, samples: int) -> None:
        super().__init__()
        self.samples = samples
        self.seen: list[tuple[str, Tensor]] = []

    def __torch_function__(self, func: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = func(*args, **(kwargs or {}))
        first = given[0] if isinstance(given, tuple) and given else given
        name = getattr(func, "__name__", "").strip("_")
        if name in KEPT and isinstance(first, Tensor) and first.shape[:1] == (self.samples,):
            if first.requires_grad:
                first.retain_grad()
            self.seen.append((name, first))
        return given


def _share(values: Tensor) -> float:
    """The share of the norm that differs between samples."""
    rows = values.detach().flatten(1)
    return float((rows - rows.mean(0)).norm() / rows.norm().clamp_min(1e-300))


def _rank(values: Tensor) -> float:
    """The effective rank, Tr² / ‖·‖², of what differs between samples; 0 if nothing does."""
    rows = values.detach().flatten(1)
    rows = rows - rows.mean(0)
    scale = rows.abs().max().clamp_min(1e-300)
    gram = (rows / scale) @ (rows / scale).T
    return float(gram.trace().square() / gram.square().sum().clamp_min(1e-300))


def _flow(first: Tensor, last: Tensor) -> set[str]:
    """What the ratio of two gradients' norms says."""
    there, here = first.norm().item(), last.norm().item()
    if not (math.isfinite(there) and math.isfinite(here)):
        return {"exploding"}
    if there * RATIO <= here:
        return {"vanishing"}
    return {"exploding"} if there >= here * RATIO else set()


def _gradient(values: Tensor) -> Tensor:
    """The gradient at a tensor; zeros where none came."""
    return torch.zeros_like(values) if values.grad is None else values.grad


def _states(module: nn.Module, batch: Tensor) -> tuple[str, ...]:
    """The states that would be right, from one pass and one gradient in float64.

    Collapsing: some layer has lost what differs between samples by `LOST`, or its rank is at most
    `RANK`. Vanishing, exploding: the gradient of a random functional of the outputs, at the first
    layer's output against the last's, at the first weights against the last, or at a sequence's
    first step against its last. Dead: of some ReLU layer's units, `DEAD` are 0 for every sample.
    Saturated: of some layer's values, `SATURATED` are where the slope is flat.
    """
    net, given = copy.deepcopy(module).double(), batch.double().requires_grad_()
    with _Recorder(len(batch)) as recorder:
        output = net(given)
    seen = [value for _, value in recorder.seen]
    if not all(bool(value.isfinite().all()) for value in [*seen, output]):
        return ("exploding",)
    weights = torch.randn_like(output)
    (output * weights).sum().backward()
    states: set[str] = set()
    if min(_share(value) for value in [*seen, output]) * LOST <= _share(given) or any(
        _rank(value) <= RANK for value in seen if value[0].numel() > 3
    ):
        states.add("collapsing")
    mixed = [value for name, value in recorder.seen if name in MIXES and value.requires_grad]
    states |= _flow(_gradient(mixed[0]), _gradient(mixed[-1]))
    matrices = [parameter for parameter in net.parameters() if parameter.dim() > 1]
    states |= _flow(_gradient(matrices[0]), _gradient(matrices[-1]))
    if given.dim() == 3:
        steps = _gradient(given)
        states |= _flow(steps[:, 0], steps[:, -1])
    for name, value in recorder.seen:
        if name == "relu" and (value == 0).all(0).double().mean() >= DEAD:
            states.add("dead")
        if name in SHUT and SHUT[name](value).double().mean() >= SATURATED:
            states.add("saturated")
    return tuple(sorted(states))


def _kind(build: Callable[[Random], Built]) -> Kind:
    """The kind whose networks `build` makes, with the states that are right for each."""

    def of(seed: int) -> tuple[nn.Module, Tensor, tuple[str, ...]]:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(7919 * seed + 13)
            module, batch = build(Random(7919 * seed + 13))
            return module, batch, _states(module, batch)

    return of


def _filled(module: nn.Module, gain: float | None, bias: float = 0.0) -> nn.Module:
    """The module with weights of standard deviation gain/√fan-in, and constant biases."""
    for parameter in module.parameters():
        if parameter.dim() < 2:
            nn.init.constant_(parameter, bias)
        elif gain is not None:
            nn.init.normal_(parameter, std=gain / math.sqrt(parameter[0].numel()))
    return module


def _stack(widths: Iterable[int], act: Act) -> nn.Sequential:
    """Linear layers of these widths by Torch's default, an activation between them."""
    sizes, layers = list(widths), list[nn.Module]()
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), act()]
    return nn.Sequential(*layers[:-1])


def _plain(
    act: Act,
    depth: Range,
    gain: float | None = None,
    *,
    bias: float | None = None,
    width: Range = (24, 96),
    narrow: int = 0,
    inputs: tuple[float, float] = (0.0, 1.0),
) -> Kind:
    """A plain network by Torch's default, or of a gain and a bias; its middle layer narrow."""

    def build(draw: Random) -> Built:
        size, given = draw.randint(*width), draw.randint(12, 64)
        widths = [given, *[size] * draw.randint(*depth), draw.choice([4, 6, 10])]
        widths[len(widths) // 2] = narrow or size
        net = _stack(widths, act)
        batch = inputs[0] + inputs[1] * torch.randn(draw.randint(16, 48), given)
        if gain is None and bias is None:
            return net, batch
        return _filled(net, gain, bias or 0.0), batch

    return _kind(build)


CONVS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


def _convs(
    dimension: int, act: Act, depth: Range, gain: float | None = None, *, pool: bool = False
) -> Kind:
    """Deep plain convolutions in 1, 2 or 3 dimensions, then a linear head."""

    def build(draw: Random) -> Built:
        channels, conv = draw.randint(6, 12), CONVS[dimension]
        side = {1: draw.randint(20, 40), 2: draw.randint(8, 12), 3: 4}[dimension]
        side -= side % 2
        layers: list[nn.Module] = [conv(3, channels, 3, padding=1), act()]
        for _ in range(draw.randint(*depth)):
            layers += [conv(channels, channels, 3, padding=1, bias=not pool), act()]
        if pool:  # what is left of a network whose batch norms were deleted
            layers.insert(len(layers) // 2, nn.MaxPool2d(2))
        features = channels * (side // (1 + pool)) ** dimension
        net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, 5))
        batch = torch.randn(draw.randint(12, 20), 3, *[side] * dimension)
        return net if gain is None else _filled(net, gain), batch

    return _kind(build)


class _Own(nn.Module):
    """Layers on own parameters, called by function."""

    def __init__(self, weights: Iterable[Tensor], layer: Callable[[Tensor, Tensor], Tensor]):
        super().__init__()
        self.weights = nn.ParameterList(weights)
        self.layer = layer

    def forward(self, batch: Tensor) -> Tensor:
        """Apply each weight in turn."""
        for weight in self.weights:
            batch = self.layer(batch, weight)
        return batch.flatten(1)


def _own(
    layer: Callable[[Tensor, Tensor], Tensor],
    weight: Callable[[int], Tensor],
    width: Range,
    depth: Range,
    image: tuple[int, ...] = (),
) -> Kind:
    """Layers on own weights of a width, over vectors or images."""

    def build(draw: Random) -> Built:
        size = draw.randint(*width)
        net = _Own([weight(size) for _ in range(draw.randint(*depth))], layer)
        return net, torch.randn(draw.randint(16, 32), size, *image)

    return _kind(build)


class _Steps(nn.Module):
    """h ← keep·h + step·f(h) between two linear layers."""

    def __init__(self, inputs: int, blocks: Iterable[nn.Module], width: int, *by: float) -> None:
        super().__init__()
        self.first, self.blocks = nn.Linear(inputs, width), nn.ModuleList(blocks)
        self.head = nn.Linear(width, 5)
        self.keep, self.step = by

    def forward(self, batch: Tensor) -> Tensor:
        """Apply the blocks in turn."""
        hidden = self.first(batch)
        for block in self.blocks:
            hidden = self.keep * hidden + self.step * block(hidden)
        return torch.as_tensor(self.head(hidden))


def _residual(keep: float, step: float, depth: int, *, tied: bool = False) -> Kind:
    """Residual blocks whose branch or shortcut has the wrong factor."""

    def build(draw: Random) -> Built:
        width, count = draw.randint(24, 64), draw.randint(depth, depth + 10)
        act = nn.Tanh if tied else nn.ReLU
        blocks = [nn.Sequential(nn.Linear(width, width), act()) for _ in range(count)]
        blocks = blocks[:1] * count if tied else blocks
        return _Steps(20, blocks, width, keep, step), torch.randn(draw.randint(24, 48), 20)

    return _kind(build)


class _Attention(nn.Module):
    """Self-attention and a feed-forward part, without the shortcuts."""

    def __init__(self, width: int, *, norm: bool) -> None:
        super().__init__()
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm = nn.LayerNorm(width) if norm else nn.Identity()
        self.feed = _stack([width, 2 * width, width], nn.GELU)

    def forward(self, tokens: Tensor) -> Tensor:
        """Mix tokens, then features."""
        query, key, value = self.mix(self.norm(tokens)).chunk(3, dim=-1)
        weights = F.softmax(query @ key.mT / query.shape[-1] ** 0.5, dim=-1)
        return torch.as_tensor(self.feed(self.out(weights @ value)))


def _transformer(norm: bool, depth: int) -> Kind:
    """Attention blocks without residuals, with or without layer norms."""

    def build(draw: Random) -> Built:
        width, length = draw.choice([16, 24, 32]), draw.randint(6, 10)
        blocks = [_Attention(width, norm=norm) for _ in range(draw.randint(depth, depth + 4))]
        net = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(width * length, 6))
        return net, torch.randn(draw.randint(16, 24), length, width)

    return _kind(build)


class _Last(nn.Module):
    """The last state of a recurrent network, and a linear head."""

    def __init__(self, cell: nn.Module, width: int) -> None:
        super().__init__()
        self.cell, self.head = cell, nn.Linear(width, 4)

    def forward(self, sequence: Tensor) -> Tensor:
        """Read all, answer at the end."""
        return torch.as_tensor(self.head(self.cell(sequence)[0][:, -1]))


def _recurrent(name: str, length: int) -> Kind:
    """A recurrent network that must remember its first steps; the rest are zeros."""
    cells = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}

    def build(draw: Random) -> Built:
        width, inputs = draw.randint(12, 32), draw.randint(3, 8)
        cell = cells[name](inputs, width, batch_first=True)
        if name != "rnn":  # LSTM: input, forget, cell, output; GRU: reset, update, new
            with torch.no_grad():
                cell.bias_hh_l0[width : 2 * width] -= 3
        batch = torch.zeros(draw.randint(12, 24), draw.randint(length, length + 15), inputs)
        batch[:, :2] = torch.randn(len(batch), 2, inputs)
        return _Last(cell, width), batch

    return _kind(build)


class _Graph(nn.Module):
    """Graph convolutions, the batch being the nodes; all of one graph."""

    adjacency: Tensor

    def __init__(self, nodes: int, widths: list[int], hops: int) -> None:
        super().__init__()
        links = ((torch.rand(nodes, nodes) < 0.3).float() + torch.eye(nodes)).clamp_max(1)
        links = torch.maximum(links, links.T)
        self.register_buffer("adjacency", links / links.sum(1, keepdim=True))
        pairs = itertools.pairwise(widths)
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairs)
        self.hops = hops

    def forward(self, nodes: Tensor) -> Tensor:
        """Average over neighbours, then mix the features."""
        for index, layer in enumerate(self.layers):
            for _ in range(self.hops):
                nodes = torch.matmul(self.adjacency, nodes)
            nodes = layer(nodes if index == 0 else nodes.relu())
        return nodes


def _smoothed(depth: int, hops: int) -> Kind:
    """A graph network that averages far too often."""

    def build(draw: Random) -> Built:
        nodes, width = draw.randint(20, 48), draw.randint(16, 48)
        sizes = [10, *[width] * draw.randint(depth, depth + 4), 4]
        return _Graph(nodes, sizes, hops), torch.randn(nodes, 10)

    return _kind(build)


class _Towers(nn.Module):
    """Several inputs side by side in the batch, each through its own deep tower."""

    def __init__(self, towers: Iterable[nn.Module], outputs: int) -> None:
        super().__init__()
        self.towers = nn.ModuleList(towers)
        self.head = nn.Linear(outputs * len(self.towers), 4)

    def forward(self, batch: Tensor) -> Tensor:
        """Split, run and join."""
        parts = batch.chunk(len(self.towers), dim=1)
        joined = [tower(part) for tower, part in zip(self.towers, parts, strict=True)]
        return torch.as_tensor(self.head(torch.cat(joined, dim=1)))


def _towers(act: Act, depth: int) -> Kind:
    """Two or three deep towers."""

    def build(draw: Random) -> Built:
        count, width = draw.choice([2, 3]), draw.randint(20, 40)
        towers = [_stack([12, *[width] * depth, 8], act) for _ in range(count)]
        return _Towers(towers, 8), torch.randn(draw.randint(16, 40), 12 * count)

    return _kind(build)


SICK: Mapping[str, Kind] = {
    "deep ReLU, Torch default": _plain(nn.ReLU, (30, 45)),
    "deep leaky ReLU, Torch default": _plain(nn.LeakyReLU, (30, 45)),
    "deep tanh, Torch default": _plain(nn.Tanh, (30, 45)),
    "deep GELU, Torch default": _plain(nn.GELU, (22, 30)),
    "deep SiLU, Torch default": _plain(nn.SiLU, (20, 30)),
    "deep ELU, Torch default": _plain(nn.ELU, (35, 50)),
    "deep softplus, Torch default": _plain(nn.Softplus, (20, 35)),
    "deep sigmoid, gain 1": _plain(nn.Sigmoid, (10, 16), 1.0),
    "deep ReLU, gain 1": _plain(nn.ReLU, (45, 60), 1.0),
    "very deep narrow ReLU, He": _plain(nn.ReLU, (90, 110), 2**0.5, width=(8, 16)),
    "deep ReLU, weights too large": _plain(nn.ReLU, (25, 35), 5.0),
    "deep tanh, weights too large": _plain(nn.Tanh, (40, 50), 5.0),
    "ReLU, weights too small": _plain(nn.ReLU, (8, 12), 0.1),
    "GELU, weights too small": _plain(nn.GELU, (8, 12), 0.2),
    "deep linear, Torch default": _plain(nn.Identity, (35, 50)),
    "deep linear, weights too large": _plain(nn.Identity, (25, 35), 4.0),
    "sigmoids of inputs 0 to 255": _plain(nn.Sigmoid, (5, 8), 1.5, inputs=(128, 4)),
    "inputs a millionth": _plain(nn.ReLU, (4, 8), inputs=(0, 1e-6)),
    "zero weights": _plain(nn.ReLU, (2, 4), 0.0),
    "constant weights": _own(
        lambda h, w: F.relu(h @ w), lambda n: torch.full((n, n), 0.01), (16, 96), (4, 6)
    ),
    "ReLU shut by biases": _plain(nn.ReLU, (2, 4), bias=-12.0),
    "tanh shut by biases": _plain(nn.Tanh, (2, 4), bias=12.0),
    "hard tanh shut by biases": _plain(nn.Hardtanh, (2, 4), bias=8.0),
    "ReLU6 shut by biases": _plain(nn.ReLU6, (2, 4), bias=40.0),
    "one-unit bottleneck, tanh": _plain(nn.Tanh, (11, 15), narrow=1),
    "two-unit bottleneck, sigmoid": _plain(nn.Sigmoid, (11, 15), narrow=2),
    "deep convolutions, ReLU": _convs(2, nn.ReLU, (22, 30)),
    "deep convolutions, tanh, small": _convs(2, nn.Tanh, (16, 24), 0.4),
    "deep convolutions, batch norm deleted": _convs(2, nn.ReLU, (18, 26), pool=True),
    "deep convolutions in 1-d": _convs(1, nn.SiLU, (20, 28)),
    "deep convolutions in 3-d": _convs(3, nn.ReLU, (16, 22)),
    "own layers, positive weights": _own(
        lambda h, w: F.linear(h, w).relu(), lambda n: torch.rand(n, n), (16, 48), (14, 20)
    ),
    "own kernels, a hundredth": _own(
        lambda h, w: F.relu(F.conv2d(h, w, padding=1)),
        lambda n: torch.randn(n, n, 3, 3) * 0.01,
        (4, 10),
        (8, 14),
        (8, 8),
    ),
    "softmax after every layer": _own(
        lambda h, w: (h @ w).softmax(1), lambda n: torch.randn(n, n) / n**0.5, (16, 64), (5, 9)
    ),
    "residual branches too large": _residual(1.0, 10.0, 20),
    "shortcuts and branches a third": _residual(0.3, 0.3, 25),
    "tied contracting steps": _residual(0.0, 1.0, 40, tied=True),
    "transformer, no shortcuts, no norms": _transformer(False, 8),
    "transformer, no shortcuts": _transformer(True, 10),
    "RNN, signal at the start": _recurrent("rnn", 90),
    "LSTM that forgets": _recurrent("lstm", 60),
    "GRU that forgets": _recurrent("gru", 60),
    "graph convolutions, too deep": _smoothed(14, 1),
    "graph, too many hops": _smoothed(2, 16),
    "two or three deep towers, sigmoid": _towers(nn.Sigmoid, 9),
    "two or three deep towers, ReLU": _towers(nn.ReLU, 26),
}
