"""How often `theorems inspect` errs: ``python -m bench.inspection_alarms``.

    python -m bench.inspection_alarms --networks 500 --out alarms.json
    python -m bench.inspection_alarms --networks 500 --sick sick.py --out alarms.json

Healthy networks of assorted kinds are inspected, each of another seed and other sizes; one that is
told neither healthy nor not judged is a false alarm. Sick ones come from a file by whoever did not
write the detector. It defines ``SICK``, a mapping of names to functions of a seed, each of which returns a network and
a batch, as `theorems.inspect` takes them, or a network, a batch and the states that would be right,
such as ``("collapsing", "vanishing")``:

    def tied(seed): return network, torch.randn(16, 32), ("collapsing",)
    SICK = {"tied weights": tied}

One that is told healthy, or not judged, is a missed alarm; told sick with another state than those,
it is counted apart. With ``--healthy FILE``, ``HEALTHY`` of that file is inspected in place of the kinds below.

Rates have intervals of Clopper and Pearson at level 95 %. Exit status: 0; 2 for bad usage.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from simulators.documents import plain, write_json
from theorems import inspect
from theorems.checking.confidence_intervals import clopper_pearson
from theorems.inspection.loading import load_definitions

__all__ = ["HEALTHY", "Outcome", "Rate", "inspected", "rates_of"]

#: A network and a batch of this seed, and, of a sick one, the states that would be right.
Build = Callable[[int], tuple[Any, ...]]
_LEVEL = 0.05
#: The state of a network on which the detector itself fails, whatever is wrong with that.
RAISED = "raised"
#: What raises no alarm: of a sick network it is an error to have judged too little of it.
_NO_ALARM = frozenset({"healthy", "not judged"})


@dataclass(frozen=True)
class Outcome:
    """What one network was told to be, and the first words of the verdict."""

    kind: str
    seed: int
    state: str
    right: tuple[str, ...]
    verdict: str


@dataclass(frozen=True)
class Rate:
    """How many of the networks of one kind were told healthy, otherwise, or of another sickness."""

    kind: str
    networks: int
    told: Mapping[str, int]
    errors: int
    low: float
    high: float
    another: int


def inspected(kinds: Mapping[str, Build], networks: int) -> list[Outcome]:
    """Inspect so many networks, of each kind in turn, seeds counting from 0.

    >>> [each.state for each in inspected({"wide": HEALTHY["batch norm, ReLU"]}, 1)]
    ['healthy']
    """
    found = []
    names = list(kinds)
    for number in range(networks):
        kind, seed = names[number % len(names)], number // len(names)
        torch.manual_seed(seed)
        module, batch, *right = kinds[kind](seed)
        try:
            seen = inspect(module, batch)
            state, verdict = seen.state, seen.verdict
        except ValueError as error:  # what is not finite is no healthy network
            state, verdict = "refused", str(error)
        except Exception as error:  # a fault of the detector's is counted, and ends no run
            state, verdict = RAISED, f"{type(error).__name__}: {error}"
        found.append(Outcome(kind, seed, state, tuple(right[0]) if right else (), verdict))
    return found


def rates_of(outcomes: Sequence[Outcome], *, sick: bool) -> list[Rate]:
    """The errors of each kind, and of all together last.

    - ``sick``: whether no alarm is the error, healthy or not judged, or else an alarm; to raise
      an exception is one of either

    >>> rates_of([Outcome("one", 0, "healthy", (), "")], sick=True)[-1].errors
    1
    """
    kinds = [*dict.fromkeys(each.kind for each in outcomes)]
    found = []
    for kind in [*kinds, "all"]:
        own = [each for each in outcomes if kind in {each.kind, "all"}]
        errors = sum(each.state == RAISED or (each.state not in _NO_ALARM) != sick for each in own)
        another = sum(
            bool(each.right) and each.state not in {*_NO_ALARM, RAISED, *each.right} for each in own
        )
        low, high = clopper_pearson(errors, len(own), _LEVEL)
        told = dict(Counter(each.state for each in own))
        found.append(Rate(kind, len(own), told, errors, low, high, another))
    return found


# --- healthy networks -----------------------------------------------------------------------------


def _between(low: int, high: int) -> int:
    return int(torch.randint(low, high + 1, ()))


def _samples(*shape: int) -> Tensor:
    return torch.randn(_between(8, 48), *shape)


def _stacked(width: int, depth: int, *parts: Callable[[], nn.Module]) -> nn.Sequential:
    made: list[nn.Module] = []
    for _ in range(depth):
        made += [nn.Linear(width, width), *(part() for part in parts)]
    return nn.Sequential(*made, nn.Linear(width, 10))


def _normalised(activation: Callable[[], nn.Module]) -> Build:
    def build(seed: int) -> tuple[nn.Module, Tensor]:
        width, depth = _between(16, 128), _between(3, 15)
        norm = lambda: nn.BatchNorm1d(width)  # noqa: E731
        return _stacked(width, depth, norm, activation), _samples(width)

    return build


def _orthogonal(seed: int) -> tuple[nn.Module, Tensor]:
    """Orthogonal maps with tanh, as deep as signals go through them."""
    width, depth = _between(32, 128), _between(3, 12)
    made = _stacked(width, depth, nn.Tanh)
    for part in made.children():
        if isinstance(part, nn.Linear):
            nn.init.orthogonal_(part.weight, gain=1.1)
            nn.init.zeros_(part.bias)
    return made, _samples(width)


def _shallow(seed: int) -> tuple[nn.Module, Tensor]:
    """One hidden layer after He's initialisation."""
    width = _between(32, 256)
    made = nn.Sequential(nn.Linear(20, width), nn.ReLU(), nn.Linear(width, 10))
    nn.init.kaiming_normal_(made[0].weight, nonlinearity="relu")  # type: ignore[arg-type]
    return made, _samples(20)


class _Branch(nn.Module):
    """x + s · body(x)"""

    def __init__(self, body: nn.Module, scale: float = 1.0) -> None:
        super().__init__()
        self.body, self.scale = body, scale

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.scale * self.body(x)
        return out


def _norm_first(seed: int) -> tuple[nn.Module, Tensor]:
    width, depth = _between(16, 64), _between(2, 12)
    made = [
        _Branch(
            nn.Sequential(
                nn.LayerNorm(width),
                nn.Linear(width, 2 * width),
                nn.GELU(),
                nn.Linear(2 * width, width),
            )
        )
        for _ in range(depth)
    ]
    return nn.Sequential(*made, nn.LayerNorm(width), nn.Linear(width, 10)), _samples(width)


def _scaled_branches(seed: int) -> tuple[nn.Module, Tensor]:
    """Branches of tanh scaled by 1/√L, without normalisation."""
    width, depth = _between(16, 64), _between(4, 30)
    made = [
        _Branch(nn.Sequential(nn.Linear(width, width), nn.Tanh()), depth**-0.5)
        for _ in range(depth)
    ]
    return nn.Sequential(*made, nn.Linear(width, 10)), _samples(width)


def _convolutions(channels: int, depth: int) -> list[nn.Module]:
    made: list[nn.Module] = []
    for _ in range(depth):
        conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        made += [conv, nn.BatchNorm2d(channels), nn.ReLU()]
    return made


def _plain_images(seed: int) -> tuple[nn.Module, Tensor]:
    channels, depth = _between(8, 24), _between(2, 8)
    made = _convolutions(channels, depth)
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1), *made, nn.Flatten(), nn.Linear(64 * channels, 10)
    ), _samples(1, 8, 8)


def _residual_images(seed: int) -> tuple[nn.Module, Tensor]:
    """Residual blocks of two convolutions each, as ResNets have them."""
    channels, depth = _between(8, 24), _between(2, 10)
    blocks: list[nn.Module] = []
    for _ in range(depth):
        blocks += [_Branch(nn.Sequential(*_convolutions(channels, 2)[:-1])), nn.ReLU()]
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1),
        nn.BatchNorm2d(channels),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(channels, 10),
    ), _samples(1, 8, 8)


def _transformer(seed: int) -> tuple[nn.Module, Tensor]:
    width, depth = 8 * _between(2, 6), _between(1, 6)
    layer = nn.TransformerEncoderLayer(
        width, 2, 2 * width, batch_first=True, norm_first=bool(seed % 2)
    )
    return nn.Sequential(
        nn.TransformerEncoder(layer, depth, enable_nested_tensor=False), nn.Linear(width, 10)
    ), _samples(6, width)


HEALTHY: Mapping[str, Build] = {
    "batch norm, ReLU": _normalised(nn.ReLU),
    "batch norm, tanh": _normalised(nn.Tanh),
    "batch norm, nothing else": _normalised(nn.Identity),
    "orthogonal, tanh": _orthogonal,
    "one hidden layer": _shallow,
    "layer norm first, residual": _norm_first,
    "branches by 1/√L": _scaled_branches,
    "convolutions": _plain_images,
    "residual convolutions": _residual_images,
    "transformer": _transformer,
}


# --- the command ----------------------------------------------------------------------------------


def _told(rates: Sequence[Rate], words: str) -> None:
    for rate in rates:
        told = ", ".join(f"{count} {state}" for state, count in rate.told.items())
        interval = f"{rate.low:.2%} to {rate.high:.2%}"
        apart = f"; {rate.another} told another sickness" if rate.another else ""
        print(
            f"{rate.kind}: {rate.errors} {words} in {rate.networks} ({interval}); {told}{apart}",
            flush=True,
        )


def _definitions(path: str | None, name: str) -> Mapping[str, Build]:
    found = load_definitions(path).get(name) if path is not None else {}
    if not isinstance(found, Mapping) or not all(map(callable, found.values())):
        raise ValueError(f"{path}: want {name}, a mapping of names to functions of a seed")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.inspection_alarms", description=__doc__)
    parser.add_argument("--networks", type=int, default=500, metavar="N", help="of each sort (500)")
    parser.add_argument("--sick", metavar="FILE", help="a Python file that defines SICK")
    parser.add_argument("--healthy", metavar="FILE", help="a Python file that defines HEALTHY")
    parser.add_argument("--out", metavar="FILE", help="write every outcome as JSON")
    options = parser.parse_args(arguments)
    try:
        healthy = _definitions(options.healthy, "HEALTHY") or HEALTHY
        sick = _definitions(options.sick, "SICK")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    written: dict[str, object] = {}
    for sort, kinds, words in (("healthy", healthy, "false"), ("sick", sick, "missed")):
        if not kinds:
            continue
        outcomes = inspected(kinds, options.networks)
        rates = rates_of(outcomes, sick=sort == "sick")
        _told(rates, f"{words} alarms")
        written[sort] = {
            "rates": [asdict(rate) for rate in rates],
            "outcomes": [asdict(outcome) for outcome in outcomes],
        }
    if options.out is not None:
        write_json(Path(options.out), plain(written))
    return 0


if __name__ == "__main__":
    sys.exit(main())
