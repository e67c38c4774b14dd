"""Whether the networks of `bench.networks.third_sick` are as sick as is said.

    python -m bench.networks.third_sick_measures --seeds 5

The measures are this file's own and know nothing of the inspection's: `Measured` says what they
are, and the constants above it how much is sick. At every seed a state that is given with a kind
must be found, and every state found must be given. For each kind it prints at how many seeds each
state was found and the range of every measure, then what fails. Exit status: 0, or 1 if any does.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd as Convolution
from torch.utils._python_dispatch import TorchDispatchMode

from bench.networks.third_sick import SICK

LOST = 50.0  # the share of differences falls by this factor from the batch to the last features
DIRECTIONS = 1.3  # of the differences in the last features, where the batch's have twice as many
WITHIN = 0.05  # of the energy of differences, within the two clusters
GRADIENTS = 1e3  # ratio of first to last parameter, or its inverse
GROWTH = 1e3  # of the features over the batch, or its inverse
DEAD = 0.9  # of the units of some layer
SATURATED = 0.7  # of the entries of some layer


@dataclass(frozen=True)
class Measured:
    """What a network does with its batch, in double precision.

    Features are what goes into the last linear or convolution module, in the order in which they
    are defined, or the output if there is none. Token ids count as unit vectors.

    - lost: share ‖X − mean‖²/‖X‖² of energy in differences between samples, the batch's over the
      features'; where there are tokens, also between the tokens of a sample, whichever lost more
    - directions, from_directions: effective rank (Tr C)²/‖C‖² of the Gram matrix C of differences
      between samples, in the features and in the batch
    - within: energy within two clusters, as the sign of the leading direction tells them apart,
      over that of all differences between samples
    - gradients: ‖W‖‖∂W‖ of the first matrix or kernel over that of the last, the loss being the
      output against a normal probe
    - growth: root mean square of the features over that of the batch
    - dead: units of a ReLU that are zero on every sample, their share in the worst layer
    - saturated: entries of a tanh or sigmoid where its slope is below 2 % of the steepest, or of a
      hard tanh at its limits; their share in the worst layer
    """

    lost: float
    directions: float
    from_directions: float
    within: float
    gradients: float
    growth: float
    dead: float
    saturated: float

    def states(self) -> set[str]:
        """The states that are found, by the thresholds above."""
        few = self.directions <= min(DIRECTIONS, self.from_directions / 2)
        found = {
            "collapsing": few or self.lost >= LOST,
            "clustering": self.within <= WITHIN,
            "exploding": max(self.gradients / GRADIENTS, self.growth / GROWTH) >= 1,
            "vanishing": min(self.gradients * GRADIENTS, self.growth * GROWTH) <= 1,
            "dead": self.dead >= DEAD,
            "saturated": self.saturated >= SATURATED,
        }
        return {state for state, present in found.items() if present}


class Units(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Watches the activations, whoever calls them."""

    dead = 0.0
    saturated = 0.0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        result = func(*args, **(kwargs or {}))
        flat: dict[str, Callable[[], Tensor]] = {
            "tanh": lambda: 1 - result.square() < 0.02,
            "sigmoid": lambda: 4 * result * (1 - result) < 0.02,
            "hardtanh": lambda: result.abs() >= 1,
        }
        name = func.overloadpacket.__name__.rstrip("_")
        if name == "relu":
            self.dead = max(self.dead, float((result == 0).all(0).double().mean()))
        if name in flat:
            self.saturated = max(self.saturated, float(flat[name]().double().mean()))
        return result


def share(x: Tensor, axis: int) -> float:
    """The share of energy in differences along an axis; 0 of nothing."""
    energy = float(x.square().sum())
    return float((x - x.mean(axis, keepdim=True)).square().sum()) / energy if energy else 0.0


def leading(features: Tensor) -> tuple[float, float]:
    """Effective rank of the differences between samples, and their share within two clusters."""
    if share(features, 0) < 1e-24:  # rounding
        return 0.0, 1.0
    centred = (features - features.mean(0)).flatten(1)
    left, singular, _ = torch.linalg.svd(centred, full_matrices=False)
    energy = float(singular.square().sum())
    sides = centred[left[:, 0] > 0], centred[left[:, 0] <= 0]
    within = sum(share(side, 0) * float(side.square().sum()) for side in sides)
    return energy**2 / float(singular.pow(4).sum()), within / energy


def measured(network: nn.Module, batch: Tensor) -> Measured:
    """Runs a copy of ``network`` once forward and once backward, in training mode."""
    network = copy.deepcopy(network).double()
    tokens = not batch.is_floating_point()
    before = F.one_hot(batch).double() if tokens else batch.double()
    kept: list[Tensor] = []
    heads = [module for module in network.modules() if isinstance(module, nn.Linear | Convolution)]
    if heads:
        heads[-1].register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0].detach()))
    with Units() as units:  # type: ignore[no-untyped-call]
        output = network(batch if tokens else before)
    output = output["logits"] if isinstance(output, dict) else output
    features = kept[-1] if kept else output.detach()
    probe = torch.randn(
        output.shape, dtype=output.dtype, generator=torch.Generator().manual_seed(0)
    )
    (output * probe).sum().backward()
    sensitive = [
        float(weight.detach().norm() * weight.grad.norm())
        for weight in network.parameters()
        if weight.ndim >= 2 and weight.grad is not None
    ]
    axes = [0, 1] if features.ndim == before.ndim == 3 else [0]
    directions, within = leading(features)
    return Measured(
        lost=max(share(before, axis) / max(share(features, axis), 1e-30) for axis in axes),
        directions=directions,
        from_directions=leading(before)[0],
        within=within,
        gradients=sensitive[0] / max(sensitive[-1], 1e-300),
        growth=float((features.square().mean() / (1 if tokens else before.square().mean())).sqrt()),
        dead=units.dead,
        saturated=units.saturated,
    )


def complaints(name: str, seeds: range) -> list[str]:
    """What fails of a kind, after a line with the ranges of its measures is printed."""
    wrong: list[str] = []
    by_measure: dict[str, list[float]] = {}
    seen: Counter[str] = Counter()
    for seed in seeds:
        network, batch, right = SICK[name](seed)
        found = measured(network, batch)
        for measure, value in asdict(found).items():
            by_measure.setdefault(measure, []).append(value)
        states = found.states()
        seen.update(states)
        if not states & set(right) or states - set(right):
            wrong.append(f"{name}, seed {seed}: found {sorted(states)}, given {sorted(right)}")
    ranges = [f"{measure} {min(of):.3g}…{max(of):.3g}" for measure, of in by_measure.items()]
    print(f"{name}: {dict(seen)}, {', '.join(ranges)}", flush=True)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks that the networks are as sick as is said")
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(parser.parse_args().seeds)
    wrong = [complaint for name in SICK for complaint in complaints(name, seeds)]
    print(f"{len(SICK)} kinds, {len(wrong)} complaints", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
