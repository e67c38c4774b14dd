"""The family splines: a batchnorm unit's boundary as the total least squares fit to the inputs it
receives.

Read off what the module did, not off its settings: to unit u belong its pre-activations a and its
outputs b, and the boundary is where b = 0. With batch statistics, ε small and no trained shift, b =
(a − mean)/σ. So a module that uses running statistics, another axis or a large ε is seen to fail.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from theorems.inspection.finding import Finding, Reading, Watched
from theorems.inspection.forward_pass import Call

__all__ = ["findings"]

_NAMES = (
    "splines.total_least_squares:least",
    "splines.residual_variance:identity",
    "splines.scale_free:distance",
)
_LEEWAY = 0.01
"""What a unit may miss by, relative to the spread of its inputs: ε = 1e-5 at variance 1/2000,
rounding far less.
"""


@dataclass(frozen=True)
class _Misses:
    """The largest misses over the units of a module, and the least variance a unit receives."""

    name: str
    variance: float
    shift: float
    square: float
    distance: float


def findings(watched: Watched) -> list[Finding]:
    """The worst unit of the worst batchnorm among those that follow a layer with weights.

    Of the calls of the ``watched`` network. Returns a finding for each of three statements, unmet
    where no batchnorm follows weights. Cost: one pass over what the modules received and gave.
    """
    pairs = [
        (before, call)
        for before, call in zip(watched.calls, watched.calls[1:], strict=False)
        if isinstance(call.module, nn.modules.batchnorm._BatchNorm)
        and before.weight is not None
        and before.gave.shape == call.received.shape
        and torch.equal(before.gave, call.received)
    ]
    seen = [misses for _, call in pairs if (misses := _misses(call)) is not None]
    if not seen:
        why = "no batchnorm module that follows a layer with weights, with inputs that vary"
        return [Finding(name, False, why) for name in _NAMES]
    worst = [
        max(seen, key=lambda item: getattr(item, field))
        for field in ("shift", "square", "distance")
    ]
    words = (
        (
            f"distance of a unit's boundary from its best fit, in units of σ/‖w‖, at "
            f"{worst[0].name!r}",
            "offset of the boundary",
            worst[0].shift,
        ),
        (
            f"Σ dist² to a unit's boundary over Nσ²/‖w‖², σ that the unit divides by, less 1, at "
            f"{worst[1].name!r}",
            "Σ dist² less Nσ²/‖w‖², relative",
            worst[1].square,
        ),
        (
            f"r.m.s. distance of outputs from signed distances over their r.m.s., at "
            f"{worst[2].name!r}",
            "outputs less signed distances over r.m.s.",
            worst[2].distance,
        ),
    )
    return [
        Finding(
            name,
            True,
            f"{what}; worst unit of {len(seen)} batchnorms, 0 predicted for ε = 0, and the least "
            f"variance there is {item.variance:.2g}",
            _LEEWAY,
            value,
            value <= _LEEWAY,
            (Reading(quantity, 0.0, value),),
        )
        for name, item, (what, quantity, value) in zip(_NAMES, worst, words, strict=True)
    ]


def _misses(call: Call) -> _Misses | None:
    """None where no unit's inputs vary."""
    a, b = _by_unit(call.received), _by_unit(call.gave)
    centred = a - a.mean(dim=1, keepdim=True)
    spread = centred.square().mean(dim=1, keepdim=True).sqrt()
    varied = spread[:, 0] > 1e-6 * a.abs().amax(dim=1)
    if not varied.any():
        return None
    ideal, b = (centred / spread)[varied], b[varied]
    # of outputs in signed distances over their r.m.s.
    slope = (b * ideal).mean(dim=1, keepdim=True)
    sound = slope.abs() > 1e-12
    shift = torch.where(sound, b.mean(dim=1, keepdim=True) / slope, torch.inf).abs()
    return _Misses(
        call.name,
        variance=float(spread[varied].square().min()),
        shift=float(shift.max()),
        square=float((b.square().mean(dim=1) - 1).abs().max()),
        distance=float((b - ideal).square().mean(dim=1).sqrt().max()),
    )


def _by_unit(features: Tensor) -> Tensor:
    """(units, inputs) from (n, units, ...): the places of a convolution are inputs of their own."""
    return features.double().transpose(0, 1).flatten(1)
