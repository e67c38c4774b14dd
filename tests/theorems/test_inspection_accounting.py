"""Every parameter is of a judged place or of a module that is named with the reason, whatever the
network is put together from.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
import pytest
import test_inspection_architectures
import test_inspection_unknown
import torch
import zoo
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from theorems import inspect
from theorems.inspection.inputs import InspectionError
from theorems.inspection.report import Inspection

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*torch.jit.*:DeprecationWarning",
    "ignore:.*torch.jit.*:FutureWarning",
    "ignore:.*weight_norm.*:FutureWarning",
)

WIDTH = 8


def owners(module: nn.Module) -> dict[int, set[str]]:
    """Of each parameter, by its identity, the modules that hold it; what weights are computed from
    is of their module.
    """
    held: dict[int, set[str]] = {}
    for name, part in module.named_modules():
        owner = name.partition(".parametrizations.")[0] or type(module).__name__
        for item in part.parameters(recurse=False):
            held.setdefault(id(item), set()).add(owner)
    return held


def require_accounts(module: nn.Module, found: Inspection) -> None:
    sizes = {id(item): item.numel() for item in module.parameters()}
    named = {item.name for item in found.not_judged}
    held = owners(module)
    places = {layer.name.partition(" ")[0] for layer in found.layers[: found.hidden]}
    alone = {id(item) for name, item in module.named_parameters() if name in places}
    judged = sum(size for key, size in sizes.items() if held[key] - named or key in alone)
    seen = found.parameters
    assert (seen.total, seen.judged) == (sum(sizes.values()), judged)
    assert seen.not_judged == sum(item.parameters for item in found.not_judged)
    assert seen.judged + seen.not_judged == seen.total
    assert len(named) == len(found.not_judged), "each module is named once"
    for item in found.not_judged:
        assert item.reason.strip()
        assert "\n" not in item.reason
        assert item.kind
        assert item.name in dict(module.named_modules()) or item.name == type(module).__name__
    assert 0 <= found.judged <= 1


KNOWN = {
    f"{file.__name__}: {name}": case[:2]
    for file in (test_inspection_unknown, test_inspection_architectures)
    for name, case in file.ZOO.items()
}


@pytest.mark.parametrize("name", KNOWN)
def test_parameters_of_the_zoo_add_up(name: str) -> None:
    build, batch = KNOWN[name]
    torch.manual_seed(1)
    module = build()
    require_accounts(module, inspect(module, batch))


# --- put together at random -----------------------------------------------------------------------


class Listed(nn.Module):
    """Maps in a list, or a mapping, of parameters."""

    def __init__(self, by_name: bool) -> None:
        super().__init__()
        drawn = [nn.Parameter(torch.randn(WIDTH, WIDTH) / 3) for _ in range(2)]
        several = nn.ParameterDict({"a": drawn[0], "b": drawn[1]})
        self.maps = several if by_name else nn.ParameterList(drawn)

    def forward(self, x: Tensor) -> Tensor:
        kept = self.maps.values() if isinstance(self.maps, nn.ParameterDict) else self.maps
        for weight in kept:
            x = torch.tanh(x @ weight)
        return x


class Adapted(nn.Module):
    """A frozen map, and two thin ones of parameters beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(WIDTH, WIDTH).requires_grad_(False)
        self.down, self.up = (nn.Parameter(torch.randn(s)) for s in ((WIDTH, 2), (2, WIDTH)))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.base(x) + x @ self.down @ self.up
        return out


class Squared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.product = nn.Bilinear(WIDTH, WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = torch.tanh(self.product(x, x))
        return out


class OneStep(nn.Module):
    """A module that takes sequences, given one of one step."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        step = x[:, None]
        several = isinstance(self.inner, nn.MultiheadAttention)
        given = self.inner(step, step, step) if several else self.inner(step)
        return (given[0] if isinstance(given, tuple) else given)[:, 0]


class Bare(nn.Module):
    """Parameters that are no matrix: a scale, one of no entries, one that is complex."""

    def __init__(self, used: bool) -> None:
        super().__init__()
        self.scale, self.none = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(0, WIDTH))
        self.phase = nn.Parameter(torch.ones(WIDTH, dtype=torch.complex64))
        self.used = used

    def forward(self, x: Tensor) -> Tensor:
        return (self.scale * x * self.phase).real if self.used else x


class Idle(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.forgotten, self.map = nn.LSTM(3, 4), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.map(x)
        return out


class Tied(nn.Module):
    """Two maps of the same weights, the one's own transposed."""

    def __init__(self) -> None:
        super().__init__()
        self.there, self.back = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.back.weight = self.there.weight

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.back(torch.relu(self.there(x)))
        return out


def scripted() -> nn.Module:
    made: nn.Module = torch.jit.script(zoo.linear())
    return made


PIECES: tuple[Callable[[], nn.Module], ...] = (
    zoo.linear,
    lambda: nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU()),
    lambda: nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.PReLU()),
    lambda: nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH), nn.GELU()),
    lambda: parametrizations.weight_norm(zoo.linear()),
    lambda: parametrizations.spectral_norm(zoo.linear()),
    lambda: OneStep(nn.GRU(WIDTH, WIDTH, batch_first=True)),
    lambda: OneStep(nn.MultiheadAttention(WIDTH, 2, batch_first=True)),
    lambda: nn.GRUCell(WIDTH, WIDTH),
    lambda: Listed(True),
    lambda: Listed(False),
    lambda: Bare(True),
    lambda: Bare(False),
    Adapted,
    Squared,
    Idle,
    Tied,
    scripted,
)


class Composed(nn.Module):
    """Pieces one after the other, some called again, some beside a skip connection; the head is
    used or not.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        dice = np.random.default_rng(seed)
        chosen = dice.choice(len(PIECES), dice.integers(1, 7))
        self.pieces = nn.ModuleList(PIECES[place]() for place in chosen)
        self.order = [*range(len(chosen)), *dice.integers(0, len(chosen), dice.integers(0, 3))]
        self.skips, self.headed = dice.random(len(self.order)) < 0.3, dice.random() < 0.7
        self.head = nn.Linear(WIDTH, 3)
        if dice.random() < 0.3:
            self.own = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        for place, skipped in zip(self.order, self.skips, strict=True):
            given = self.pieces[place](x)
            x = x + given if skipped else given
        x = x * self.own if hasattr(self, "own") else x
        out: Tensor = self.head(x) if self.headed else x
        return out


@pytest.mark.parametrize("seed", range(60))
def test_parameters_add_up_whatever_a_network_is_put_together_from(seed: int) -> None:
    torch.manual_seed(seed)
    module, batch = Composed(seed), torch.randn(10, WIDTH)
    with contextlib.suppress(InspectionError):
        require_accounts(module, inspect(module, batch))
        return
    with pytest.raises(InspectionError, match=r"^[^\n]*nothing to inspect: '[^\n]*$"):
        inspect(module, batch)
