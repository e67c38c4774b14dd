"""The longest stretch of a network that is a chain of the theory, or nearly one.

Equal linear maps one after the other, and what happens between them, may be simulated wherever each
is seen to receive what the one before it gives. What keeps such a stretch from being a chain of the
theory, such as biases or another law of the weights, is told, and it is compared all the same.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from simulators.activations import ACTIVATIONS
from simulators.chains import Chain
from simulators.layers import (
    Activation,
    Bias,
    Layer,
    LayerNorm,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    RMSNorm,
)
from theorems.inspection.forward_pass import Passage
from theorems.inspection.stages import Stage

__all__ = ["Stretch", "follows", "longest", "scaled", "unequal"]

_PRECISE = (torch.float32, torch.float64)
_LEAST = 2  # maps
_UNEQUAL = 1.2  # times chance, by which scales of the weights may differ
_STANDARD: dict[str, tuple[Layer, ...]] = {
    "recenter": (Recenter(),),
    "batchnorm": (Recenter(), Rescale("variance")),
    "BatchNorm1d": (Recenter(), Rescale("variance")),
    "LayerNorm": (LayerNorm(),),
    "RMSNorm": (RMSNorm(),),
}
"""What is simulated for an action that is no activation."""


@dataclass(frozen=True)
class Stretch:
    """Judged layers ``first`` to before ``end``, counted from 0, and the ``chain`` that they are.

    ``differs`` is what sets them apart from it, a phrase each, empty where nothing does; ``scale``
    is what the batch is multiplied by for the chain's first weights to do to it what the network's
    do, and ``label`` the map that receives what the stretch gives, None for an output.
    ``catalogued`` is the chain of the catalogue that it is, None where it differs from all.
    """

    first: int
    end: int
    chain: Chain
    words: str
    differs: tuple[str, ...] = ()
    scale: float = 1.0
    label: str | None = None
    catalogued: Chain | None = None

    @property
    def layers(self) -> int:
        """How many layers it has."""
        return self.end - self.first


def follows(stage: Stage, after: Stage) -> bool:
    """Whether all that one stage gives, and nothing else, is what the other's map receives."""
    return not stage.joined and after.call.came is stage.arrival


def longest(
    hidden: Sequence[Stage], passage: Passage, law_of: Callable[[Sequence[Stage]], tuple[str, str]]
) -> Stretch | None:
    """The longest stretch that is a chain of the theory or nearly one, the first of such.

    Args:
        hidden: the judged stages, in order.
        passage: of which they are.
        law_of: the law of the weights of stages, the most similar one of the catalogue, and what
            differs, empty where nothing does.

    Returns:
        None where no two maps make such a stretch.
    """
    if passage.unfollowed is not None:
        return None
    runs: list[list[int]] = []
    for place, stage in enumerate(hidden):
        if not _alone(stage):
            continue
        last = runs[-1][-1] if runs else None
        if last == place - 1 and _continues(hidden[place - 1], stage):
            runs[-1].append(place)
        else:
            runs.append([place])
    for run in sorted(runs, key=len, reverse=True):
        part = hidden[run[0] : run[-1] + 1]
        if len(run) >= _LEAST and _layers(part[0].actions) is not None:
            law, departure = law_of(part)
            return _made(part, run[0], passage, law, departure)
    return None


def scaled(chain: Chain, hidden: Sequence[Stage]) -> tuple[Chain, float]:
    """The ``chain`` with weights of the scale that these stages' have, and what the batch is to be
    multiplied by.
    """
    first, *rest = chain.layers
    if not isinstance(first, Linear):
        return chain, 1.0
    logs = _log_scales(hidden)
    std = math.exp(float(np.mean(logs[1:] if len(logs) > 1 else logs)))
    # what a network does not divide by shows in its gradients
    rest = [layer for layer in rest if not isinstance(layer, Normalize)]
    into = hidden[0].call.received.shape[1]
    scale = math.exp(logs[0]) / std * math.sqrt(first.width / into)
    return Chain((replace(first, std=std), *rest)), scale


def unequal(stages: Sequence[Stage]) -> list[str]:
    """Whether scales of the weights differ by more than chance, in words; the first map's shows in
    no gradient after it, but for a residual one's.
    """
    logs, width = _log_scales(stages), stages[0].width
    kept = logs if stages[0].actions[:1] == ("residual",) else logs[1:]
    # four standard errors of a mean square root, either way
    allowed = math.log(_UNEQUAL) + 8 / math.sqrt(2 * width * width)
    if kept and max(kept) - min(kept) > allowed:
        return ["weights of different scales, taken at their geometric mean"]
    return []


def _log_scales(stages: Sequence[Stage]) -> list[float]:
    """Of each map the logarithm of σ_w: √inputs times the root mean square of its weights, times
    the factor of a branch.
    """
    found = []
    for stage in stages:
        weight = stage.call.weight
        square = 0.0 if weight is None else float(weight.double().square().mean())
        size = stage.call.received.shape[-1] * (stage.factor or 1.0) ** 2 * square
        found.append(0.5 * math.log(size) if size else 0.0)
    return found


def _alone(stage: Stage) -> bool:
    """Whether a stage is a linear map of whole samples in ordinary precision, with own weights."""
    call = stage.call
    values = (call.received, call.gave, stage.features, call.weight)
    return (
        call.kind == "Linear"
        and call.weight is not None
        and bool(call.weight.any())
        and all(item is not None and item.ndim == 2 and item.dtype in _PRECISE for item in values)
        and (not call.received[0].numel() or "residual" not in stage.actions or stage.own_skip)
    )


def _continues(before: Stage, stage: Stage) -> bool:
    """Whether two stages are equal but for their weights, one following the other."""
    one, other = before.call, stage.call
    shared = one.name == other.name or (
        one.weight is not None
        and other.weight is not None
        and one.weight.data_ptr() == other.weight.data_ptr()
    )
    return (
        follows(before, stage)
        and before.actions == stage.actions
        and before.width == stage.width
        and not shared
    )


def _layers(actions: Sequence[str]) -> list[Layer] | None:
    """What happens after the weights, as layers of a chain; None for what is none of the
    theory's.
    """
    found: list[Layer] = []
    for place, action in enumerate(actions):
        if action == "residual" and place == 0:
            continue
        if action in _STANDARD:
            found += _STANDARD[action]
        elif action in ACTIVATIONS:
            found.append(Activation(action))
        else:
            return None
    return found


def _made(part: Sequence[Stage], first: int, passage: Passage, law: str, departure: str) -> Stretch:
    stage, width = part[0], part[0].width
    differs = [departure] if departure else []
    rest = _layers(stage.actions) or []
    residual = stage.actions[:1] == ("residual",)
    differs += unequal(part)
    scale = 1.0
    if residual:
        gamma = math.exp(float(np.mean(_log_scales(part)))) / math.sqrt(width)
        chain = Chain((Residual(gamma, law=law, width=width), *rest))
    else:
        chain, scale = scaled(Chain((Linear(width, law=law), *rest)), part)
    if (bias := _bias(part)) > 0:
        differs.append(f"biases, of σ_b = {bias:.2g}, taken for normal ones")
        weights, *others = chain.layers
        chain = Chain((weights, Bias(bias), *others))
    differs += [said for said in map(_affine, _modules(part)) if said][:1]
    receiver = next((item for item in passage.places if item.came is part[-1].arrival), None)
    return Stretch(
        first,
        first + len(part),
        chain,
        f"{' → '.join(('weights', *stage.actions))}, {law} weights",
        tuple(differs),
        scale,
        None if receiver is None else receiver.label,
    )


def _bias(part: Sequence[Stage]) -> float:
    """Root mean square of the biases that nothing subtracts."""
    kept = [
        stage.call.bias.double().flatten()
        for stage in part
        if stage.call.bias is not None and not stage.recentred
    ]
    return float(torch.cat(kept).square().mean().sqrt()) if kept else 0.0


def _modules(part: Sequence[Stage]) -> list[nn.Module]:
    calls = itertools.chain.from_iterable(stage.calls for stage in part)
    return [call.module for call in calls]


def _affine(module: nn.Module) -> str:
    """What a normalisation does beside normalising, in words; empty for nothing."""
    name = type(module).__name__
    if name not in _STANDARD:
        return ""
    scale, shift = getattr(module, "weight", None), getattr(module, "bias", None)
    plain = (not isinstance(scale, Tensor) or bool((scale == 1).all())) and (
        not isinstance(shift, Tensor) or not bool(shift.any())
    )
    return "" if plain else f"{name} with scales and shifts, which are left out"
