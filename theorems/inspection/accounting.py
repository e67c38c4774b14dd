"""Every parameter of the network: under a judged layer, or under a module that was not judged, with
the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from theorems.inspection.dataflow import upstream
from theorems.inspection.forward_pass import Passage
from theorems.inspection.stages import Role, Stage

__all__ = ["NotJudged", "Parameters", "account"]

_ACTING = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.PReLU,
)
"""The modules with parameters that are judged with the layer that they follow."""

_KINDS: tuple[tuple[type[nn.Module], str], ...] = (
    (torch.jit.ScriptModule, "is compiled by torch.jit, and what it does inside is not watched"),
    (
        nn.MultiheadAttention,
        "is attention, whose maps are within one call and are not watched one by one",
    ),
    (nn.RNNBase, "is recurrent, and its steps are within one call"),
    (nn.RNNCellBase, "is a recurrent cell, no map of one input"),
    (nn.Embedding, "looks rows up, and is no map of numbers"),
    (nn.EmbeddingBag, "looks rows up, and is no map of numbers"),
    (nn.Bilinear, "is a product of two inputs, no map of one"),
)
_TIME_FIRST = "; it takes the first axis for time, where the samples are (batch_first=False)"


@dataclass(frozen=True)
class NotJudged:
    """A module that holds parameters and was not judged: how many are counted here, and why.

    ``parameters`` counts entries; what is shared counts once, with the layer that is judged if
    there is one. ``output`` says that it maps to the outputs, or is pooled for them.
    """

    name: str
    kind: str
    parameters: int
    reason: str
    output: bool = False


@dataclass(frozen=True)
class Parameters:
    """Entries of all parameters: ``total`` = ``judged`` + ``not_judged``."""

    total: int
    judged: int
    not_judged: int


def account(
    module: nn.Module, passage: Passage, stages: Sequence[Stage]
) -> tuple[Parameters, tuple[NotJudged, ...]]:
    """Count every parameter once, and name every module that holds some and was not judged.

    ``stages`` are all of the ``passage``, the judged ones first.

    >>> from theorems.inspection.forward_pass import watch
    >>> from theorems.inspection.stages import stages
    >>> network = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
    >>> passage = watch(network, torch.eye(4), "batch")
    >>> account(network, passage, stages(passage))
    (Parameters(total=10, judged=10, not_judged=0), ())
    """
    judged: set[str] = set()
    for stage in stages:
        if stage.role is Role.HIDDEN:
            judged.add(stage.call.name)
            judged |= {call.name for call in stage.calls if isinstance(call.module, _ACTING)}
    roles = {stage.call.name: str(stage.role) for stage in reversed(stages)}
    outputs = {stage.call.name for stage in stages if stage.role in {Role.OUTPUT, Role.POOLED}}
    for stage in stages:
        for call in stage.calls if stage.role is not Role.HIDDEN else ():
            if isinstance(call.module, _ACTING) and call.name not in roles:
                roles[call.name] = f"acts on what {stage.call.label!r} gives, which {stage.role}"
                outputs |= {call.name} if stage.call.name in outputs else set()
    held = _holders(module)
    before = upstream(passage.outputs)
    followed = passage.unfollowed is None and not any(node.kind == "unseen" for node in before)
    entering = (
        {node.value.data_ptr() for node in before if node.kind == "parameter"} if followed else None
    )
    counted: set[int] = set()
    under = sum(_count(held[name], counted) for name in held if name in judged)
    found = []
    for name, parameters in held.items():
        if name not in judged:
            part = module.get_submodule(name)
            count = _count(parameters, counted)
            shared = "" if count else "; its parameters are shared, and counted elsewhere"
            found.append(
                NotJudged(
                    name or type(module).__name__,
                    _kind(part),
                    count,
                    _reason(name, part, passage, roles, entering) + shared,
                    name in outputs,
                )
            )
    left = sum(item.parameters for item in found)
    return Parameters(under + left, under, left), tuple(found)


def _holders(module: nn.Module) -> dict[str, list[nn.Parameter]]:
    """The parameters by the name of the module that they are of; what weights are computed from is
    of their module.
    """
    held: dict[str, list[nn.Parameter]] = {}
    for name, part in module.named_modules():
        owner = name.partition(".parametrizations.")[0] if ".parametrizations." in name else name
        if name.startswith("parametrizations."):
            owner = ""
        if own := list(part.parameters(recurse=False)):
            held.setdefault(owner, []).extend(own)
    return held


def _count(parameters: Sequence[nn.Parameter], counted: set[int]) -> int:
    """Entries of those not counted yet."""
    total = 0
    for parameter in parameters:
        if id(parameter) not in counted:
            counted.add(id(parameter))
            total += parameter.numel()
    return total


def _kind(part: nn.Module) -> str:
    return str(getattr(part, "original_name", type(part).__name__))


def _reason(
    name: str,
    part: nn.Module,
    passage: Passage,
    roles: Mapping[str, str],
    entering: set[int] | None,
) -> str:
    """Why a module is not judged; ``entering`` are the parameters that the outputs are made of, if
    that is known.
    """
    used = entering is None or any(item.data_ptr() in entering for item in part.parameters())
    if name in passage.refused:
        return passage.refused[name]
    if name in roles:
        return roles[name]
    scripted = isinstance(part, torch.jit.ScriptModule)
    if name not in passage.called and not scripted:
        return (
            "is not called itself, and its parameters are used in the code of another"
            if used and entering
            else "is never called in the forward pass"
        )
    if not used:
        return "takes no part in the outputs"
    for kind, reason in _KINDS:
        if isinstance(part, kind):
            return reason + ("" if getattr(part, "batch_first", True) else _TIME_FIRST)
    if isinstance(part, _ACTING):
        return (
            "acts on nothing that is judged"
            if passage.unfollowed is None
            else "acts on what cannot be followed"
        )
    return "uses its parameters in its own code, which is no layer that is known"
