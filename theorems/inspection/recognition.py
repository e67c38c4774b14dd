"""What layers do, read off their effect on the batch, and the chain of the theory that they make.

A layer is recognised by what it did to this batch, not by its class: a batchnorm with trained scales is none, and a
function in the user's own ``forward`` counts like a module.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn

from simulators import Chain
from simulators.layers import Activation, Layer, Linear, Normalize, Recenter, Rescale, Residual
from theorems.inspection.watching import Call, Passage

__all__ = ["Recognised", "Stage", "recognise", "stages"]

_SIGNIFICANT = 1e-3  # below this a law of weights is rejected
_ACTS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType({
    "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "sin": torch.sin,
})


@dataclass(frozen=True)
class Stage:
    """From what one layer with weights receives to what the next one does.

    ``features`` is what comes out, (n, ...). ``actions`` is what happened after the weights, in order, such as
    ``("batchnorm", "relu")``; an action that is not recognised is the class of its module, or ``"?"``. ``factor`` is
    that of the branch which a skip connection is added to, None without one.
    """

    call: Call
    features: Tensor
    actions: tuple[str, ...]
    factor: float | None

    @property
    def width(self) -> int:
        """Entries per sample of what comes out."""
        return self.features[0].numel()


@dataclass(frozen=True)
class Recognised:
    """The chain a network is at initialisation, or the reason why it is none of the theory's."""

    words: str
    chain: Chain | None
    obstacle: str | None


def stages(passage: Passage) -> list[Stage]:
    """The network cut at its layers with weights; inputs shared by several of them count once."""
    weighted = [number for number, call in enumerate(passage.calls) if call.weight is not None]
    weighted = [number for place, number in enumerate(weighted)
                if not place or not _shared(passage.calls[weighted[place - 1]], passage.calls[number])]
    found: list[Stage] = []
    for place, number in enumerate(weighted):
        last = place + 1 == len(weighted)
        end = len(passage.calls) if last else weighted[place + 1]
        call, between = passage.calls[number], passage.calls[number + 1 : end]
        arrived = _output(passage, call) if last else passage.calls[end].received
        earlier = [call.received, *(stage.call.received for stage in reversed(found[-3:]))]
        actions, factor = _between(call, between, arrived, earlier)
        found.append(Stage(call, arrived, actions, factor))
    return found


def _shared(one: Call, other: Call) -> bool:
    """Whether two layers receive the same, as queries and keys do; zeros are the same everywhere."""
    return _same(one.received, other.received) and bool(one.received.any())


def _output(passage: Passage, call: Call) -> Tensor:
    output = passage.output
    usable = output is not None and output.ndim >= 2 and output.shape[0] == passage.batch.shape[0]
    return output if usable and output is not None else call.gave


def _between(call: Call, calls: Sequence[Call], arrived: Tensor, earlier: Sequence[Tensor]
             ) -> tuple[tuple[str, ...], float | None]:
    actions: list[str] = []
    factor: float | None = None
    here = call.gave
    for received, item in [*((item.received, item) for item in calls), (arrived, None)]:
        if not _same(here, received):
            names, added = _gap(here, received, earlier)
            actions += names
            factor = factor if added is None else added
        if item is not None:
            actions.append(_action(item))
            here = item.gave
    return tuple(action for action in actions if action != "identity"), factor


def _gap(before: Tensor, after: Tensor, earlier: Sequence[Tensor]) -> tuple[tuple[str, ...], float | None]:
    """What the user's own code did between two modules: a function, or a skip connection and the branch's factor."""
    if (name := _function(before, after)) is not None:
        return (name,), None
    x, y = before.flatten(1), after.flatten(1)
    for skipped in (tensor.flatten(1) for tensor in earlier if tensor.numel() == before.numel() == after.numel()):
        for name, function in _ACTS.items():
            if _close(x + skipped, y):
                return ("residual",), 1.0
            if _close(function(x) + skipped, y):
                return (name, "residual"), 1.0
            if _close(function(x + skipped), y):
                return ("residual", name), 1.0
        factor = float(((y - skipped) * x).sum() / x.square().sum())
        if _close(factor * x + skipped, y):
            return ("residual",), factor
    return ("?",), None


def _action(call: Call) -> str:
    return _function(call.received, call.gave) or type(call.module).__name__


def _function(before: Tensor, after: Tensor) -> str | None:
    """The function of the theory that takes ``before`` to ``after``, by values; None if none does."""
    if before.numel() != after.numel():
        return None
    x, y = before.flatten(1), after.flatten(1)
    if _close(x, y):
        return "identity"
    centred = x - x.mean(dim=0)
    for name, function in _ACTS.items():
        if _close(function(x), y):
            return name
    size = x.abs().amax(dim=0)  # what cancels in the difference leaves its rounding behind
    if _close(centred, y, size):
        return "recenter"
    deviation = (centred.square().mean(dim=0) + 1e-5).sqrt()
    return "batchnorm" if _close(centred / deviation, y, size / deviation) else None


def _same(a: Tensor, b: Tensor) -> bool:
    return a.numel() == b.numel() and torch.equal(a.flatten(1), b.flatten(1))


def _close(a: Tensor, b: Tensor, size: Tensor | float = 0.0) -> bool:
    """Equal up to the rounding of a few operations in their precision, on numbers up to ``size`` where that is more."""
    scale = float(b.abs().max())
    eps = torch.finfo(b.dtype).eps if b.is_floating_point() else 0.0
    return bool(((a.flatten(1) - b.flatten(1)).abs() <= 64 * eps * (scale + size)).all())


def recognise(hidden: Sequence[Stage]) -> Recognised:
    """The chain that these stages repeat, if they do."""
    kinds = {stage.actions for stage in hidden}
    if len(kinds) > 1:
        shown = "; ".join(" → ".join(("weights", *kind)) for kind in sorted(kinds)[:3])
        return Recognised("mixed", None, f"its layers differ: {shown}")
    (actions,) = kinds
    words = " → ".join(("weights", *actions))
    if unknown := [stage.call for stage in hidden if not isinstance(stage.call.module, nn.Linear)]:
        return Recognised(words, None, f"{unknown[0].name!r} is a {type(unknown[0].module).__name__}, not a Linear")
    if len({stage.width for stage in hidden}) > 1:
        return Recognised(words, None, "its widths differ along depth")
    calls = [stage.call for stage in hidden]
    biases = {call.name: getattr(call.module, "bias", None) for call in calls}
    biased = [name for name, bias in biases.items() if isinstance(bias, Tensor) and bias.any()]
    if biased and not {"batchnorm", "recenter"} & set(actions):
        return Recognised(words, None, f"{biased[0]!r} has a bias that nothing subtracts; set it to zero")
    law, objection = _law(calls)
    if objection is not None:
        return Recognised(words, None, objection)
    chain = _chain(hidden, actions, law)
    if isinstance(chain, str):
        return Recognised(words, None, chain)
    return Recognised(f"{words}, {law} weights", chain, None)


def _chain(hidden: Sequence[Stage], actions: tuple[str, ...], law: str) -> Chain | str:
    """The chain of these actions, or why there is none."""
    width, weights = hidden[0].width, Linear(hidden[0].width, law)
    if actions == ("recenter", "relu"):
        return Chain((weights, Recenter(), Activation("relu"), Normalize()))
    if actions in {(), ("relu",)}:
        return Chain((weights, *map(Activation, actions)))
    normalised: tuple[Layer, ...] = (Recenter(), Rescale("variance"))
    if actions in {("batchnorm",), *(("batchnorm", name) for name in _ACTS)}:
        return Chain((weights, *normalised, Activation(actions[1] if len(actions) > 1 else "identity")))
    if actions == ("residual", "batchnorm"):
        gammas = [(stage.factor or 0.0) * float(stage.call.weight.square().mean().sqrt()) for stage in hidden
                  if stage.call.weight is not None]
        chance = math.exp(8 / math.sqrt(2 * width * width))  # four standard errors of a mean square root, either way
        if hidden[0].call.received[0].numel() != width or max(gammas) > 1.2 * chance * min(gammas):
            return "its residual layers change the width or differ in scale"
        return Chain((Residual(float(np.mean(gammas)), law, width), *normalised))
    return "its layers are not the theory's: weights, skip connection, recentring, rescaling, activation"


def _law(calls: Sequence[Call]) -> tuple[str, str | None]:
    """The law that the weights look drawn from, by Kolmogorov–Smirnov tests of their entries."""
    entries = []
    for call in calls:
        weight = call.weight
        if weight is None:
            continue
        matrix = weight.double().cpu().numpy().reshape(weight.shape[0], -1)
        products = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
        if min(matrix.shape) > 1 and np.allclose(products, products[0, 0] * np.eye(len(products)), atol=1e-5):
            return "", f"{call.name!r} has orthogonal weights, whose entries are not independent"
        spread = float(np.sqrt(np.mean(matrix**2)))
        if spread == 0:
            return "", f"{call.name!r} has weights that are all zero"
        entries.append(matrix.ravel() / spread)
    pooled = np.concatenate(entries)[:100_000]
    laws = {"gaussian": stats.norm(), "uniform": stats.uniform(-np.sqrt(3), 2 * np.sqrt(3))}
    found = {name: float(stats.kstest(pooled, law.cdf).pvalue) for name, law in laws.items()}
    best = max(found, key=lambda name: found[name])
    if found[best] < _SIGNIFICANT:
        return "", "its weights look neither Gaussian nor uniform around zero: p = " + " and ".join(
            f"{value:.1g}" for value in found.values())
    return best, None
