"""One forward pass of a network, watched through hooks, that leaves the network as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["Call", "InspectionError", "Passage", "watch"]

STATISTICS = ("batch", "running")


class InspectionError(ValueError):
    """A network or batch that cannot be inspected. The message is one line."""


@dataclass(frozen=True)
class Call:
    """One call of a module without children: its name in the network, what went in and what came out, copied."""

    name: str
    module: nn.Module
    received: Tensor
    gave: Tensor

    @property
    def weight(self) -> Tensor | None:
        """The weights of a linear map or convolution; None for other modules."""
        weight = getattr(self.module, "weight", None)
        linear = isinstance(weight, Tensor) and weight.ndim >= 2 and not isinstance(self.module, nn.Embedding)
        return weight.detach() if linear and weight is not None else None


@dataclass
class Passage:
    """A batch's way through a network: the calls in order, and the network's own input and output."""

    batch: Tensor
    calls: list[Call] = field(default_factory=list)
    output: Tensor | None = None
    ignored: list[str] = field(default_factory=list)


def watch(module: nn.Module, batch: Any, statistics: str) -> Passage:
    """Run ``module`` on ``batch`` once. Raises `InspectionError`, or `TypeError` for what is no module."""
    if not isinstance(module, nn.Module):
        raise TypeError(f"module={module!r:.60} is a {type(module).__name__}; give a torch.nn.Module")
    if statistics not in STATISTICS:
        raise InspectionError(f"statistics={statistics!r}; give 'batch' or 'running'")
    if lazy := [name for name, item in module.named_parameters() if nn.parameter.is_lazy(item)]:
        raise InspectionError(f"module has no shape yet at {lazy[0]!r}; run it on a batch once first")
    passage = Passage(_tensor(module, batch))
    with _as_it_was(module, statistics), _hooks(module, passage), torch.no_grad():
        try:
            output = module(passage.batch.clone())
        except InspectionError:
            raise
        except Exception as error:  # whatever the user's code raises
            last = f" after {passage.calls[-1].name!r}" if passage.calls else ""
            text = " ".join(str(error).split())
            raise InspectionError(f"module fails{last} on a batch of shape {tuple(passage.batch.shape)}: "
                                  f"{type(error).__name__}: {text:.300}") from None
    passage.output = _first_tensor(output)
    if passage.output is None:
        raise InspectionError(f"module gives a {type(output).__name__}; it must give a tensor, or one first in a tuple")
    if not torch.isfinite(passage.output).all():
        raise InspectionError("values that are not finite come out of the network, though out of none of its layers")
    if not any(call.weight is not None for call in passage.calls):
        raise InspectionError("module has no layer with weights that was called; nothing to inspect")
    return passage


def _tensor(module: nn.Module, batch: Any) -> Tensor:
    like = next((item for item in module.parameters() if item.is_floating_point()), torch.zeros(()))
    try:
        tensor = batch.detach().clone() if isinstance(batch, Tensor) else torch.tensor(np.asarray(batch))
    except (TypeError, ValueError, RuntimeError) as error:
        raise InspectionError(f"batch is no array of numbers: {' '.join(str(error).split())}") from None
    if tensor.is_complex() or tensor.dtype == torch.bool:
        raise InspectionError(f"batch has entries of type {tensor.dtype}; give real numbers")
    tensor = tensor.to(like.device) if isinstance(batch, Tensor) and not tensor.is_floating_point() else tensor.to(like)
    if tensor.ndim < 2 or 0 in tensor.shape:
        raise InspectionError(f"batch has shape {tuple(tensor.shape)}; give (n, ...), samples along the first axis")
    if tensor.shape[0] < 3:  # recentred, two samples are opposite whatever the network does
        raise InspectionError(f"batch has {tensor.shape[0]} sample(s); give at least 3, along the first axis")
    if not torch.isfinite(tensor).all():
        raise InspectionError("batch has entries that are not finite")
    return tensor


def _first_tensor(output: Any) -> Tensor | None:
    if isinstance(output, Tensor):
        return output
    items = output.values() if isinstance(output, Mapping) else output if isinstance(output, tuple | list) else ()
    return next((item for item in items if isinstance(item, Tensor)), None)


@contextlib.contextmanager
def _as_it_was(module: nn.Module, statistics: str) -> Iterator[None]:
    """Set the modes that ``statistics`` asks for; put modes, parameters, buffers and random state back afterwards."""
    modes = [(part, part.training) for part in module.modules()]
    kept = [(tensor, tensor.detach().clone()) for tensor in (*module.parameters(), *module.buffers())]
    places = [(part, name, value) for part in module.modules() for name, value in part._buffers.items()]
    devices = sorted({tensor.device for tensor, _ in kept if tensor.device.type == "cuda"}, key=str)
    with torch.random.fork_rng(devices):
        try:
            for part, _ in modes:
                part.training = statistics == "batch" and isinstance(part, nn.modules.batchnorm._BatchNorm)
            yield
        finally:
            with torch.no_grad():
                for part, name, value in places:
                    part._buffers[name] = value
                for tensor, before in kept:
                    if not torch.equal(tensor, before):
                        tensor.copy_(before)
            for part, training in modes:
                part.training = training


@contextlib.contextmanager
def _hooks(module: nn.Module, passage: Passage) -> Iterator[None]:
    """Record every call of a module without children; the copies are taken before anything works in place."""
    received: dict[int, Tensor] = {}
    counts: dict[str, int] = {}
    handles = []
    samples = passage.batch.shape[0]

    def before(part: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if (first := _first_tensor((*args, *kwargs.values()))) is not None:
            received[id(part)] = first.detach().clone()

    def after(name: str) -> Any:
        def note(part: nn.Module, args: Any, output: Any) -> None:
            counts[name] = counts.get(name, 0) + 1
            label = name if counts[name] == 1 else f"{name} (call {counts[name]})"
            gave, came = _first_tensor(output), received.pop(id(part), None)
            shaped = gave is not None and came is not None and gave.ndim >= 2 and came.ndim >= 2
            if gave is None or came is None or not shaped or gave.shape[0] != samples or came.shape[0] != samples:
                passage.ignored.append(label)
                return
            if not torch.isfinite(gave).all():
                raise InspectionError("values that are not finite come out of layer "
                                      f"{len(passage.calls) + 1}, {label!r} ({type(part).__name__})")
            passage.calls.append(Call(label, part, came, gave.detach().clone()))
        return note

    try:
        for name, part in module.named_modules():
            if next(part.children(), None) is None:
                handles.append(part.register_forward_pre_hook(before, with_kwargs=True))
                handles.append(part.register_forward_hook(after(name or type(part).__name__)))
        yield
    finally:
        for handle in handles:
            handle.remove()
