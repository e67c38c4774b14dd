"""The chain of the theory that a network is at initialisation, where it was followed for certain.

A layer is recognised by what it did to this batch, not by its class: a batchnorm with trained
scales is none, and a function in the user's own ``forward`` counts like a module. A chain is named
only if each layer is seen to receive what the one before it gives, and nothing else, and if the
weights may be independent draws.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import torch
from torch import Tensor, nn

from simulators.chains import CHAINS, Chain
from simulators.layers import (
    Activation,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    ScaleResponse,
    WeightLayer,
)
from theorems.inspection.dataflow import reached, same
from theorems.inspection.forward_pass import Passage
from theorems.inspection.stages import Stage
from theorems.inspection.weight_laws import law_of

__all__ = ["Recognised", "recognise"]

_NONE = "not recognised"
_PRECISE = (torch.float32, torch.float64)


@dataclass(frozen=True)
class Recognised:
    """The chain a network is at initialisation, or the reason why none of the theory's was
    recognised.
    """

    words: str
    chain: Chain | None
    obstacle: str | None

    @property
    def sentence(self) -> str:
        """In words: the chain, or that there is none, and why."""
        return self.words if self.obstacle is None else f"{self.words}, because {self.obstacle}"


def recognise(hidden: Sequence[Stage], passage: Passage) -> Recognised:
    """The chain that these judged stages of a passage repeat, if they do.

    >>> from theorems.inspection.forward_pass import watch
    >>> from theorems.inspection.stages import stages
    >>> passage = watch(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), torch.eye(4), "batch")
    >>> recognise(stages(passage), passage).sentence
    "not recognised, because '0' has a bias that nothing subtracts; set it to zero"
    """
    objection = (
        _unfollowed(hidden, passage)
        or _imprecise(hidden)
        or _tied(hidden)
        or _trained(hidden)
        or _irregular(hidden)
    )
    if objection is not None:
        return Recognised(_NONE, None, objection)
    law, objection = law_of(
        [(stage.call.label, stage.call.weight) for stage in hidden if stage.call.weight is not None]
    )
    chain = objection or _chain(hidden, hidden[0].actions, law)
    if isinstance(chain, str):
        return Recognised(_NONE, None, chain)
    return Recognised(f"{' → '.join(('weights', *hidden[0].actions))}, {law} weights", chain, None)


# --- what stands against it -----------------------------------------------------------------------


def _unfollowed(hidden: Sequence[Stage], passage: Passage) -> str | None:
    """Why it is not certain that each layer receives what the one before it gives."""
    if passage.unfollowed is not None:
        return passage.unfollowed
    first = hidden[0].call
    if reached(first.came, set()) != {passage.source} or not same(first.received, passage.batch):
        return f"{first.label!r}, the first layer, does not receive the batch as it is"
    for stage, after in pairwise(hidden):
        if stage.joined:
            return f"what {stage.call.label!r} gives is {stage.joint}"
        if after.call.came is not stage.arrival:
            return f"{after.call.label!r} does not receive what is made of {stage.call.label!r}"
    if hidden[-1].joined:
        return f"what {hidden[-1].call.label!r} gives is {hidden[-1].joint}"
    return None


def _irregular(hidden: Sequence[Stage]) -> str | None:
    """Why the layers are no chain of equal ones."""
    kinds = {stage.actions for stage in hidden}
    if len(kinds) > 1:
        shown = "; ".join(" → ".join(("weights", *kind)) for kind in sorted(kinds)[:3])
        changed = next((f"; {said}" for said in map(_changed, hidden) if said), "")
        return f"its layers differ: {shown}{changed}"
    for stage in hidden:
        call = stage.call
        if not isinstance(call.module, nn.Linear):
            return f"{call.label!r} is a {type(call.module).__name__}, not a Linear"
        if call.received.ndim != 2 or stage.features.ndim != 2:
            return (
                f"{call.label!r} acts alike on "
                f"{call.received[0].numel() // call.received.shape[-1]} places of "
                "each sample, and the theory's layers act on a sample as a whole"
            )
        if (departure := _changed(stage)) is not None:
            return departure
    if len({stage.width for stage in hidden}) > 1:
        return "its widths differ along depth"
    for stage in hidden:
        bias = getattr(stage.call.module, "bias", None)
        if isinstance(bias, Tensor) and bias.any() and not stage.recentred:
            return f"{stage.call.label!r} has a bias that nothing subtracts; set it to zero"
    return None


def _changed(stage: Stage) -> str | None:
    """Whether a batchnorm is there that does more or less than standardise."""
    changed = [
        call.label
        for call in stage.calls
        if isinstance(call.module, nn.modules.batchnorm._BatchNorm)
        and type(call.module).__name__ in stage.actions
    ]
    return (
        (
            f"{changed[0]!r} is no plain batchnorm: it has a scale, a shift, running statistics, "
            "or an ε that is not "
            "small beside the variances"
        )
        if changed
        else None
    )


def _imprecise(hidden: Sequence[Stage]) -> str | None:
    """Why rounding is not negligible."""
    for stage in hidden:
        for value in (stage.call.received, stage.call.weight, stage.call.gave, stage.features):
            if value is not None and value.dtype not in _PRECISE:
                return f"{stage.call.label!r} computes in {str(value.dtype).removeprefix('torch.')}"
    return None


def _tied(hidden: Sequence[Stage]) -> str | None:
    """Why the weights of different layers, or the entries of one, are not drawn each for itself."""
    for stage in hidden:
        if not isinstance(stage.call.module._parameters.get("weight"), nn.Parameter):
            return (
                f"{stage.call.label!r} computes its weights from other parameters, so they are "
                "not independent draws"
            )
    for one, other in combinations((stage.call for stage in hidden), 2):
        if one.module is other.module:
            return (
                f"{one.name!r} is called more than once, so that its weights are not independent "
                "from layer to layer"
            )
        if (
            one.weight is not None
            and other.weight is not None
            and one.weight.data_ptr() == other.weight.data_ptr()
        ):
            return f"{one.label!r} and {other.label!r} share their weights"
    return None


def _trained(hidden: Sequence[Stage]) -> str | None:
    """What shows that the network may not be at initialisation."""
    calls = list(itertools.chain.from_iterable((stage.call, *stage.calls) for stage in hidden))
    for call in calls:
        count = getattr(call.module, "num_batches_tracked", None)
        if isinstance(count, Tensor) and int(count) > 0:
            many = f"{int(count)} batch{'es' if int(count) > 1 else ''}"
            return (
                f"{call.label!r} has seen {many} in training mode, so that the weights may be "
                "trained; inspect a "
                "fresh network"
            )
    for call in calls:
        if any(parameter.grad is not None for parameter in call.module.parameters(recurse=False)):
            return (
                f"{call.label!r} has gradients, so that the weights may be trained; inspect a "
                "fresh network"
            )
    return None


# --- the chain ------------------------------------------------------------------------------------


def _chain(hidden: Sequence[Stage], actions: tuple[str, ...], law: str) -> Chain | str:
    """The chain of the catalogue with these actions, or why there is none."""
    width = hidden[0].width
    variants = itertools.chain.from_iterable(kind.variants for kind in CHAINS.values())
    found = next(
        (variant for variant in variants if seen_actions(variant.example) == actions), None
    )
    if found is None:
        parts = "weights, skip connection, recentring, rescaling, activation"
        shown = " → ".join(("weights", *actions))
        return f"its layers are not the theory's, which have {parts}: {shown}"
    values = dict.fromkeys(found.numbers, 0.0)
    if "residual" in actions:
        gammas = [
            (stage.factor or 0.0) * float(stage.call.weight.square().mean().sqrt())
            for stage in hidden
            if stage.call.weight is not None
        ]
        # four standard errors of a mean square root, either way
        chance = math.exp(8 / math.sqrt(2 * width * width))
        skips = all(stage.own_skip for stage in hidden)
        narrow = hidden[0].call.received[0].numel() == width
        if not (skips and narrow) or max(gammas) > 1.2 * chance * min(gammas):
            return "its residual layers skip more than one map, change the width or differ in scale"
        values = {"gamma": float(np.mean(gammas))}
    return found(width, values).with_law(law)


def seen_actions(block: Chain) -> tuple[str, ...] | None:
    """What inspection would see happen after the weights of a network that is this chain.

    None for a chain that it cannot recognise, whatever happens: one that begins with another map
    than weights, or whose output depends on the scale of the weights, of which nothing is assumed.
    """
    first, *rest = block.layers
    if not isinstance(first, WeightLayer) or block.scaling is ScaleResponse.BOUND:
        return None
    actions = ["residual"] if isinstance(first, Residual) else []
    for layer, after in zip(rest, [*rest[1:], None], strict=True):
        match layer, after:
            case Recenter(), Rescale("variance"):
                actions.append("batchnorm")
            case Recenter(), _:
                actions.append("recenter")
            case Activation(name), _ if name != "identity":
                actions.append(name)
            case ((Activation() | Normalize()), _):
                pass
            case Rescale("variance"), _ if actions[-1:] == ["batchnorm"]:
                pass
            case _:
                return None
    return tuple(actions)
