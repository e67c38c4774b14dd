"""How little may differ between samples and be learned: ``python -m bench.shares_learned``.

    python -m bench.shares_learned --seeds 3

Plain networks of growing depth, at usual initialisations, lose what differs between samples by and
by. Each is inspected, and trained by SGD with momentum as `bench.trainable` does. By the share of
energy that the last hidden layer has in neither the samples' mean nor one direction more
(`further_share`) the command prints, a decade a line, how many train. `theorems inspect` calls a
loss harmless over few layers down to a share below which hardly any do (`LEARNABLE`).

Exit status: 0; 2 for bad usage.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from bench.trainable import trains
from theorems import inspect
from theorems.inspection.condition import further_share

__all__ = ["main", "networks"]

_WIDTH, _SAMPLES, _SIDE = 64, 32, 8
_DEPTHS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20)
_CODES = ((32, 8), (32, 16, 8), (32, 16, 3), (48, 32, 16, 8), (48, 32, 16, 8, 2))
_CONVOLUTIONS = (1, 3, 5, 7, 10, 14)

Case = tuple[str, nn.Module, Tensor]


def _stacked(depth: int, activation: Callable[[], nn.Module]) -> nn.Sequential:
    parts: list[nn.Module] = []
    for _ in range(depth):
        parts += [nn.Linear(_WIDTH, _WIDTH), activation()]
    return nn.Sequential(*parts, nn.Linear(_WIDTH, 10))


def _autoencoder(code: Sequence[int]) -> nn.Sequential:
    widths = [_WIDTH, *code, *code[-2::-1], _WIDTH]
    parts: list[nn.Module] = []
    for into, out in pairwise(widths):
        parts += [nn.Linear(into, out), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def _convolutional(depth: int) -> nn.Sequential:
    channels = [1, *[16] * depth]
    parts: list[nn.Module] = []
    for into, out in pairwise(channels):
        parts += [nn.Conv2d(into, out, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(16 * _SIDE**2, 10))


def networks(seed: int) -> Iterator[Case]:
    """Networks of this seed with the batches that they read, by what they are.

    >>> name, network, batch = next(networks(0))
    >>> name, len(network), tuple(batch.shape)
    ('ReLU, 2 layers', 5, (32, 64))
    """
    torch.manual_seed(seed)
    for depth in _DEPTHS:
        for activation in (nn.ReLU, nn.Tanh, nn.Sigmoid):
            name = f"{activation.__name__}, {depth} layers"
            yield name, _stacked(depth, activation), torch.randn(_SAMPLES, _WIDTH)
    for code in _CODES:
        yield f"autoencoder {code}", _autoencoder(code), torch.randn(_SAMPLES, _WIDTH)
    for depth in _CONVOLUTIONS:
        batch = torch.randn(_SAMPLES, 1, _SIDE, _SIDE)
        yield f"{depth} convolutions", _convolutional(depth), batch


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.shares_learned", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="networks of each kind (default 3)")
    given = parser.parse_args(arguments)
    if given.seeds < 1:
        parser.error(f"--seeds is {given.seeds}, and must be at least 1")
    decades: dict[int, list[bool]] = {}
    for seed in range(given.seeds):
        for name, network, batch in networks(seed):
            seen = inspect(network, batch)
            share = further_share(seen.layers[seen.hidden - 1].measures)
            learned = trains(network, batch, seed, optimiser="sgd")
            print(f"{share:.1e}  {'trains' if learned else 'does not'}  {name}", flush=True)
            decade = math.floor(math.log10(max(share, 1e-16)))
            decades.setdefault(decade, []).append(learned)
    for decade in sorted(decades, reverse=True):
        came = decades[decade]
        print(f"1e{decade} to 1e{decade + 1}: {sum(came)} of {len(came)} train")
    return 0


if __name__ == "__main__":
    sys.exit(main())
