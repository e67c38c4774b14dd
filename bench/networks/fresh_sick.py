"""Networks made sick on purpose, as practitioners come to make them: ``SICK``.

    python -m bench.inspection_alarms --sick bench/networks/fresh_sick.py
    python -m bench.trainable bench/networks/fresh_sick.py --seeds 3 --optimiser sgd

Written from the names of the states alone, with no look at how a detector finds them. Sick means
here that SGD with momentum does not train the network within some hundred steps, as
`bench.trainable.trains` has it; the states that come with each are what `measured` finds.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from random import Random
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations
from torch.overrides import TorchFunctionMode

Sick = tuple[nn.Module, Tensor, tuple[str, ...]]
Build = Callable[[Random], tuple[nn.Module, Tensor]]
Act = Callable[[], nn.Module]
Norm = Callable[[int], nn.Module]
Depths = tuple[int, int]
Draw = Callable[[Random], Tensor]
Make = Callable[[Random], nn.Module]
Step = Callable[[nn.Module, Tensor], Tensor]
Fill = Callable[[Tensor], object]

MAPS = {"linear", "matmul", "rmatmul", "bmm", "einsum", "mm", "addmm"} | {
    f"conv{kind}" for kind in ("1d", "2d", "3d", "_transpose2d")
}
ENDS = {"sigmoid": (0, 1), "tanh": (-1, 1), "hardtanh": (-1, 1)}


class _Watch(TorchFunctionMode):
    """Notes what enters and leaves every linear map, and how its activations stand."""

    def __init__(self) -> None:
        super().__init__()
        self.maps: list[Tensor] = []
        self.entering: list[tuple[object, ...]] = []
        self.dead = self.saturated = 0.0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "").strip("_")
        if name in MAPS and out.requires_grad:
            out.retain_grad()
            self.maps.append(out)
            self.entering.append(tuple(args))
        if name == "relu":
            self.dead = max(self.dead, (out == 0).all(0).double().mean().item())
        if name in ENDS:
            low, high = ENDS[name]
            near = (high - low) / 200 if name != "hardtanh" else 0
            ends = (out <= low + near) | (out >= high - near)
            self.saturated = max(self.saturated, ends.double().mean().item())
        return out


def _differences(rows: Tensor) -> tuple[float, float, float]:
    """Share of the energy in what differs between rows, its effective rank, and how clustered."""
    rows = rows.detach().double().reshape(len(rows), -1)
    rows = rows / rows.abs().max().clamp_min(1e-300)
    apart = rows - rows.mean(0)
    share = (apart.square().sum() / rows.square().sum().clamp_min(1e-300)).item()
    if share < 1e-20:
        return share, 0.0, 0.0
    values, vectors = torch.linalg.eigh(apart @ apart.T)
    rank = (values.sum().square() / values.square().sum()).item()
    order = apart[vectors[:, -1].argsort()]
    n = len(rows)
    sizes = torch.arange(1, n)[:, None]
    firsts = order.cumsum(0)[:-1]  # sums of the rows before a cut; after it, minus as much
    between = firsts.square().sum(1, keepdim=True) * n / (sizes * (n - sizes))
    return share, rank, (between.max() / apart.square().sum()).item()


def measured(module: nn.Module, batch: Tensor) -> dict[str, float]:
    """What shows that a network is sick, in double precision and in training mode.

    Of rows (a sample's entries each), the share of differences is Σ‖x_i − x̄‖² / Σ‖x_i‖², and their
    effective rank (Σλ)² / Σλ² for the eigenvalues λ of the matrix of their products. The last
    hidden features are what enters the last linear map that is applied.

    Returns:
        ``lost``: the batch's share of differences over that of the last hidden features (token ids
        count as one-hot vectors).
        ``rank``: the effective rank of what differs in the last hidden features.
        ``cluster``: the largest part of the energy of those differences that lies between two
        groups of samples, of all cuts along the first principal direction.
        ``gradient``: the gradient's norm at the output of the first linear map over that at the
        last one's, for a random cotangent of the network's output.
        ``dead``: the part of a layer's ReLUs that are zero for every sample, of the worst layer.
        ``saturated``: the part of sigmoids and tanhs within half a percent of their range of an
        end, of the worst layer.
    """
    module = copy.deepcopy(module).double().train()
    given = batch.double() if batch.is_floating_point() else batch
    with torch.enable_grad(), _Watch() as watch:
        out = module(given)
    outs = out if isinstance(out, tuple) else (out,)
    sum((torch.randn_like(part) * part).sum() for part in outs).backward()
    norms = [0.0 if o.grad is None else o.grad.norm().item() for o in watch.maps]
    last = next(t for t in watch.entering[-1] if isinstance(t, Tensor) and len(t) == len(batch))
    rows = given if batch.is_floating_point() else F.one_hot(batch)
    before, (share, rank, cluster) = _differences(rows), _differences(last)
    return {
        "lost": before[0] / max(share, 1e-300),
        "rank": rank,
        "cluster": cluster,
        "gradient": norms[0] / max(norms[-1], 1e-300),
        "dead": watch.dead,
        "saturated": watch.saturated,
    }


def states(of: Mapping[str, float]) -> tuple[str, ...]:
    """The states that measures show: those of a hundredfold loss, rank 1.2, and so on."""
    shown = {
        "collapsing": of["lost"] >= 100 or of["rank"] <= 1.2,
        "clustering": of["cluster"] >= 0.95,
        "exploding": not of["gradient"] <= 1e3,
        "vanishing": of["gradient"] <= 1e-3,
        "dead": of["dead"] >= 0.9,
        "saturated": of["saturated"] >= 0.75,
    }
    return tuple(name for name, shows in shown.items() if shows)


@lru_cache
def _all_digits() -> Tensor:
    return torch.tensor(load_digits().data, dtype=torch.float32)


def noise(r: Random, *shape: int) -> Tensor:
    """Samples of independent standard normal entries."""
    return torch.randn(r.randint(24, 48), *shape)


def digits(r: Random, raw: bool = False) -> Tensor:
    """Handwritten digits as rows of 64 pixels, from 0 to 255 or else standardised."""
    every = _all_digits()
    some = every[torch.randperm(len(every))[: r.randint(24, 48)]]
    return some * 255 / 16 if raw else (some - every.mean(0)) / (every.std(0) + 0.1)


def pictures(r: Random, raw: bool = False) -> Tensor:
    """Handwritten digits as pictures of one channel."""
    return digits(r, raw).reshape(-1, 1, 8, 8)


def padded(r: Random) -> Tensor:
    """Sentences of some five tokens, padded at the right with zeros."""
    ids = torch.randint(1, 30, (r.randint(24, 48), r.randint(40, 55)))
    ids[:, r.randint(4, 7) :] = 0
    return ids


def white(r: Random) -> Tensor:
    """Noise of 16 to 64 entries a sample."""
    return noise(r, r.randint(16, 64))


def gaussian(gain: float) -> Fill:
    """Weights of variance gain² / fan in."""
    return lambda w: nn.init.normal_(w, std=gain / math.sqrt(w[0].numel()))


def filled(module: nn.Module, fill: Fill, bias: float = 0.0) -> nn.Module:
    """The module with its weights filled anew, and its biases constant."""
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
            fill(part.weight.data)
            if part.bias is not None:
                nn.init.constant_(part.bias, bias)
    return module


def stack(
    first: int, width: int, depth: int, act: Act, out: int, norm: Norm | None = None
) -> nn.Sequential:
    """Linear maps, each followed by a norm if one is given and by the activation; and a head."""
    parts: list[nn.Module] = []
    for layer in range(depth):
        parts.append(nn.Linear(width if layer else first, width))
        parts += [norm(width)] if norm else []
        parts.append(act())
    return nn.Sequential(*parts, nn.Linear(width, out))


def wide(r: Random, depths: Depths, act: Act) -> nn.Sequential:
    """A plain stack over digits, of some width."""
    return stack(64, r.randint(32, 96), r.randint(*depths), act, r.randint(2, 8))


def plain(
    act: Act,
    depths: Depths,
    fill: Fill | None = None,
    norm: Norm | None = None,
    batch: Draw = digits,
) -> Build:
    """Plain stacks of one activation, with Torch's default weights or those given."""

    def build(r: Random) -> tuple[nn.Module, Tensor]:
        x = batch(r)
        net = stack(x.shape[1], r.randint(24, 64), r.randint(*depths), act, r.randint(2, 8), norm)
        return (filled(net, fill) if fill else net), x

    return build


def conv_stack(
    r: Random, conv: Callable[..., nn.Module], into: int, width: int, depth: int, act: Act
) -> nn.Sequential:
    """Convolutions of width 3, their mean over positions, and a head."""
    parts: list[nn.Module] = []
    for layer in range(depth):
        parts += [conv(width if layer else into, width, 3, padding=1), act()]
    parts += [nn.Flatten(2), nn.AdaptiveAvgPool1d(1), nn.Flatten()]
    return nn.Sequential(*parts, nn.Linear(width, r.randint(2, 8)))


class Deep(nn.Module):
    """A stem, layers that each come in by the same step, and a head."""

    def __init__(
        self, r: Random, stem: nn.Module, width: int, times: int, depths: Depths, step: Step
    ) -> None:
        super().__init__()
        self.stem, self.step, self.head = stem, step, nn.Linear(width, r.randint(2, 8))
        depth = r.randint(*depths)
        self.layers = nn.ModuleList(nn.Linear(width, times * width) for _ in range(depth))

    def forward(self, x: Tensor) -> Any:
        x = self.stem(x)
        for layer in self.layers:
            x = self.step(layer, x)
        return self.head(x.mean(1) if x.ndim == 3 else x)


def residual(r: Random) -> nn.Module:
    """Residual blocks of a gain of two, without a norm."""
    width = r.randint(32, 64)
    net = Deep(r, nn.Linear(64, width), width, 1, (30, 50), lambda up, x: x + F.relu(up(x)))
    filled(net.layers, gaussian(2.0))
    return net


def attention(r: Random) -> nn.Module:
    """Self-attention over tokens without residual connections."""

    def step(mix: nn.Module, x: Tensor) -> Tensor:
        query, key, value = mix(x).chunk(3, dim=-1)
        return F.gelu(F.scaled_dot_product_attention(query, key, value))

    width = r.randint(24, 48)
    return Deep(r, nn.Embedding(50, width), width, 3, (8, 10), step)


def gated(r: Random) -> nn.Module:
    """Layers whose gates multiply what passes, and are shut."""

    def step(up: nn.Module, x: Tensor) -> Tensor:
        value, gate = up(x).chunk(2, dim=-1)
        return torch.tanh(value) * torch.sigmoid(gate - 10)

    width = r.randint(32, 96)
    return Deep(r, nn.Linear(64, width), width, 2, (3, 6), step)


def graph(r: Random) -> tuple[nn.Module, Tensor]:
    """Nodes of one random graph, and convolutions on it."""
    x, width = noise(r, r.randint(16, 48)), r.randint(24, 64)
    edges = torch.rand(len(x), len(x)) < 0.3
    joined = (edges | edges.T).double() + torch.eye(len(x))
    mean = joined / joined.sum(1, keepdim=True)

    def step(up: nn.Module, x: Tensor) -> Tensor:
        return F.relu(up(torch.matmul(mean.to(x), x)))

    return Deep(r, nn.Linear(x.shape[1], width), width, 1, (10, 24), step), x


class Reader(nn.Module):
    """A recurrent network whose last state, after the padding, is read."""

    def __init__(self, r: Random, cell: Callable[..., nn.Module]) -> None:
        super().__init__()
        width = r.randint(16, 48)
        self.embed = nn.Embedding(30, 16)
        self.cell = cell(16, width, r.randint(1, 2), batch_first=True)
        self.head = nn.Linear(width, r.randint(2, 8))

    def forward(self, ids: Tensor) -> Any:
        x: Tensor = self.cell(self.embed(ids))[0][:, -1]
        return self.head(x)


class Recurrence(nn.Module):
    """A recurrence of own weights over a sequence that starts with what matters."""

    def __init__(self, r: Random, gain: float, act: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        width, out = r.randint(24, 64), r.randint(2, 8)
        self.into = nn.Parameter(torch.randn(width, 8) / math.sqrt(8))
        self.again = nn.Parameter(gain * nn.init.orthogonal_(torch.empty(width, width)))
        self.bias = nn.Parameter(torch.zeros(width))
        self.read = nn.Parameter(torch.randn(out, width) / math.sqrt(width))
        self.act = act

    def forward(self, x: Tensor) -> Any:
        state = torch.zeros(len(x), len(self.again), dtype=x.dtype, device=x.device)
        for step in x.unbind(1):
            state = self.act(F.linear(step, self.into, self.bias) + state @ self.again.T)
        return F.linear(state, self.read)


class Own(nn.Module):
    """Layers of own parameters, without a module for any of them."""

    def __init__(self, weights: Sequence[Tensor], act: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.weights = nn.ParameterList(weights)
        self.act = act

    def forward(self, x: Tensor) -> Any:
        *hidden, head = list(self.weights)
        for w in hidden:
            x = self.act(F.conv2d(x, w, padding=1) if w.ndim == 4 else x @ w)
        return x.flatten(1) @ head


class Experts(nn.Module):
    """A mixture of two experts, all of it given to one that is dead."""

    def __init__(self, r: Random) -> None:
        super().__init__()
        width = r.randint(32, 96)
        self.gate, self.head = nn.Linear(64, 2), nn.Linear(width, r.randint(2, 8))
        self.experts = nn.ModuleList(stack(64, width, 1, nn.ReLU, width) for _ in range(2))
        self.gate.bias.data.copy_(torch.tensor([40.0, -40.0]))
        nn.init.constant_(self.experts[0][0].bias, -15.0)  # type: ignore[index]

    def forward(self, x: Tensor) -> Any:
        share = F.softmax(self.gate(x), dim=-1)
        each = torch.stack([expert(x) for expert in self.experts], dim=1)
        return self.head((share[:, :, None] * each).sum(1))


class Towers(nn.Module):
    """Two inputs side by side, each with its own deep tower, which multiply."""

    def __init__(self, r: Random) -> None:
        super().__init__()
        width, depth = r.randint(24, 64), r.randint(18, 24)
        self.left = stack(32, width, depth, nn.Tanh, width)
        self.right = stack(32, width, depth, nn.ReLU, width)
        self.head, self.value = nn.Linear(width, r.randint(2, 8)), nn.Linear(width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        said = {"left": self.left(x[:, :32]), "right": self.right(x[:, 32:])}
        x = said["left"] * said["right"]
        return self.head(x), self.value(x)


def dead_at(net: nn.Sequential, place: int, below: float) -> nn.Sequential:
    """The network with the biases of the layer at a place all far below zero."""
    nn.init.constant_(net[place].bias, below)  # type: ignore[arg-type]
    return net


def wrapped(net: nn.Sequential, wrap: Callable[[nn.Module], object]) -> nn.Sequential:
    """The network with every linear layer wrapped in a parametrisation."""
    for part in net:
        if isinstance(part, nn.Linear):
            wrap(part)
    return net


def small_weight_norm(part: nn.Module) -> None:
    """Weight norm whose lengths all start at 0.1."""
    parametrizations.weight_norm(part)
    part.parametrizations.weight.original0.data.fill_(0.1)  # type: ignore[union-attr,operator]


def norm_of_one(r: Random) -> nn.Module:
    """Group norm after the mean over positions, with as many groups as channels."""
    w = r.randint(16, 64)
    trunk = [nn.Conv2d(1, w, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.GroupNorm(w, w)]
    head = [nn.Flatten(), nn.Linear(w, w), nn.ReLU(), nn.Linear(w, r.randint(2, 8))]
    return nn.Sequential(*trunk, *head)


def one_row(r: Random) -> tuple[nn.Module, Tensor]:
    """Digits, one of which is written in other units."""
    x = digits(r)
    x[r.randrange(len(x))] *= 1e6
    net = stack(64, r.randint(32, 96), r.randint(2, 4), nn.ReLU, r.randint(3, 8), nn.BatchNorm1d)
    return filled(net, gaussian(math.sqrt(2))), x


def flag(r: Random) -> tuple[nn.Module, Tensor]:
    """Standard features, one of which is zero or a million."""
    x = noise(r, r.randint(16, 64))
    x[:, 0] = 1e6 * (torch.rand(len(x)) < 0.5)
    norm = nn.BatchNorm1d
    return stack(x.shape[1], r.randint(32, 96), r.randint(2, 4), nn.Tanh, r.randint(4, 8), norm), x


def ids(r: Random, length: int, tokens: int) -> Tensor:
    """Sentences of tokens, without padding."""
    return torch.randint(tokens, (r.randint(24, 48), length))


R, N = nn.ReLU, nn.init.normal_
raw = partial(digits, raw=True)
BUILDS: dict[str, Build] = {
    "plain ReLU, Torch's default": plain(R, (26, 34)),
    "plain tanh, Torch's default": plain(nn.Tanh, (26, 34), batch=white),
    "plain sigmoid, Torch's default": plain(nn.Sigmoid, (10, 16)),
    "plain sigmoid, Xavier": plain(nn.Sigmoid, (12, 20), gaussian(1.0), batch=white),
    "SELU without its own init": plain(nn.SELU, (36, 42)),
    "GELU, Xavier": plain(nn.GELU, (28, 34), gaussian(1.0), batch=white),
    "SiLU, He": plain(nn.SiLU, (40, 46), gaussian(math.sqrt(2))),
    "softplus, Xavier": plain(nn.Softplus, (20, 26), gaussian(1.0)),
    "ELU, weights of 0.02": plain(nn.ELU, (12, 18), lambda w: N(w, std=0.02)),
    "ReLU, gain of 4": plain(R, (22, 30), gaussian(4.0), batch=white),
    "sigmoid, weights from rand, raw pixels": plain(
        nn.Sigmoid, (2, 6), lambda w: w.uniform_(), batch=raw
    ),
    "zero weights": plain(R, (2, 6), lambda w: w.zero_()),
    "constant weights": plain(R, (3, 8), lambda w: w.fill_(1 / w.shape[1]), batch=raw),
    "deep linear, small weights": plain(nn.Identity, (14, 24), gaussian(0.3)),
    "softmax between layers": plain(partial(nn.Softmax, dim=-1), (5, 10), batch=white),
    "layer norm, deep sigmoids": plain(nn.Sigmoid, (12, 16), norm=nn.LayerNorm),
    "RMS norm, deep softplus": plain(nn.Softplus, (16, 22), norm=nn.RMSNorm, batch=white),
    "graph network that over-smooths": graph,
    "one row in other units, before batch norm": one_row,
    "a flag of 1e6 beside features of one": flag,
}
ON_DIGITS: dict[str, Make] = {
    "weight norm of small g": lambda r: wrapped(wide(r, (10, 20), nn.Tanh), small_weight_norm),
    "spectral norm in every layer": lambda r: wrapped(
        wide(r, (18, 26), nn.LeakyReLU), parametrizations.spectral_norm
    ),
    "biases far below zero": lambda r: filled(
        wide(r, (2, 5), R), gaussian(1.4), -r.uniform(10, 20)
    ),
    "hardtanh pushed to its ends": lambda r: filled(
        wide(r, (2, 4), nn.Hardtanh), gaussian(1), r.choice([-10, 10])
    ),
    "a dead layer in the middle": lambda r: dead_at(wide(r, (4, 7), R), 4, -9),
    "autoencoder through a dead bottleneck": lambda r: nn.Sequential(
        dead_at(stack(64, 48, 2, R, 64), 2, -r.uniform(5, 9)), R(), nn.Linear(64, 64)
    ),
    "layer norm of one feature": lambda r: nn.Sequential(
        stack(64, r.randint(32, 64), 1, nn.Tanh, 1), nn.LayerNorm(1), stack(1, 32, 1, nn.Tanh, 4)
    ),
    "residual blocks, unscaled and without norm": residual,
    "own matrices from rand": lambda r: Own(
        [*torch.rand(r.randint(6, 12), 64, 64), torch.rand(64, r.randint(2, 8))], F.relu
    ),
    "one layer iterated to its fixed point": lambda r: nn.Sequential(
        *[nn.Linear(64, 64), nn.ELU()] * r.randint(30, 50), nn.Linear(64, r.randint(2, 8))
    ),
    "gates that are shut": gated,
    "mixture that gives all to a dead expert": Experts,
    "two inputs, two deep towers, two heads": Towers,
}
ON_PICTURES: dict[str, Make] = {
    "convolutions, Torch's default": lambda r: conv_stack(
        r, nn.Conv2d, 1, r.randint(4, 8), r.randint(14, 18), R
    ),
    "group norm and sigmoids, deep convolutions": lambda r: conv_stack(
        r, nn.Conv2d, 1, 8, 14, lambda: nn.Sequential(nn.GroupNorm(2, 8), nn.Sigmoid())
    ),
    "group norm of single values": norm_of_one,
    "own filters of 0.01": lambda r: Own(
        [0.01 * torch.randn(6, k, 3, 3) for k in (1, *[6] * r.randint(7, 11))]
        + [0.01 * torch.randn(384, r.randint(2, 8))],
        torch.tanh,
    ),
}
ON_OTHERS: dict[str, tuple[Make, Draw]] = {
    "pictures of 0 to 255 into steep sigmoids": (
        lambda r: filled(
            conv_stack(r, nn.Conv2d, 1, 8, r.randint(4, 8), nn.Sigmoid), lambda w: w.uniform_()
        ),
        partial(pictures, raw=True),
    ),
    "convolutions in one dimension, tanh": (
        lambda r: conv_stack(r, nn.Conv1d, 4, r.randint(8, 12), r.randint(16, 20), nn.Tanh),
        lambda r: noise(r, 4, r.randint(8, 12)),
    ),
    "convolutions in three dimensions": (
        lambda r: conv_stack(r, nn.Conv3d, 1, 4, r.randint(12, 16), nn.LeakyReLU),
        lambda r: noise(r, 1, 3, 3, 3)[:24],
    ),
    "transformer without residuals": (attention, lambda r: ids(r, r.randint(8, 14), 50)),
    "LSTM that reads its padding last": (lambda r: Reader(r, nn.LSTM), padded),
    "GRU that reads its padding last": (lambda r: Reader(r, nn.GRU), padded),
    "Elman network that reads its padding last": (lambda r: Reader(r, nn.RNN), padded),
    "recurrence that forgets": (
        lambda r: Recurrence(r, 0.7, torch.tanh),
        lambda r: F.pad(noise(r, 2, 8), (0, 0, 0, r.randint(30, 40))),
    ),
    "recurrence of ReLUs that explodes": (
        lambda r: Recurrence(r, 2.5, F.relu),
        lambda r: noise(r, r.randint(30, 40), 8),
    ),
    "embeddings of 100 into sigmoids": (
        lambda r: nn.Sequential(
            nn.Embedding(40, 12, _weight=50 + 100 * torch.rand(40, 12)),
            nn.Flatten(),
            stack(48, r.randint(32, 64), r.randint(4, 7), nn.Sigmoid, 4),
        ),
        lambda r: ids(r, 4, 40),
    ),
}


def _with(net: Make, batch: Draw) -> Build:
    return lambda r: (net(r), batch(r))


BUILDS |= {name: _with(net, digits) for name, net in ON_DIGITS.items()}
BUILDS |= {name: _with(net, pictures) for name, net in ON_PICTURES.items()}
BUILDS |= {name: _with(net, batch) for name, (net, batch) in ON_OTHERS.items()}


def _made(name: str, build: Build, seed: int) -> Sick:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module, batch = build(Random(f"{name} {seed}"))
        return module, batch, states(measured(module, batch))


SICK: Mapping[str, Callable[[int], Sick]] = {n: partial(_made, n, b) for n, b in BUILDS.items()}
