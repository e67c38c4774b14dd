"""Weights of a layer through what makes them: a parameter, a parametrisation, weight normalisation.

What counts is the *effective* weight, which the layer multiplies by. Where it is computed from other
parameters, these are set so that it comes out as wanted, and that it does is looked at afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from simulators.arguments import require
from simulators.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["give", "require_held", "shared_weights"]

_ROUNDING = 64
"""Rounding units of the largest entry by which an effective weight may differ from the wanted."""


def give(layer: nn.Module, name: str, wanted: Tensor, where: str) -> list[Tensor]:
    """Set a weight of a layer so that the effective one is as wanted.

    Args:
        layer: any module.
        name: of the attribute, such as ``"weight"``.
        wanted: its values, of its shape, in any floating-point dtype.
        where: the layer as an error names it.

    Returns:
        The tensors that were written to, in place.

    Raises:
        ValueError: it cannot be set, or comes out otherwise than wanted.

    Example:
        >>> layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 3))
        >>> with torch.no_grad():
        ...     written = give(layer, "weight", torch.full((3, 2), 0.5), "the layer")
        >>> layer.weight.tolist(), len(written)
        ([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]], 2)
    """
    effective = getattr(layer, name)
    value, largest = wanted.to(effective.dtype), float(wanted.abs().max())
    require(
        torch.isfinite(value).all() and (value.any() or largest == 0),
        f"module: {where} would need entries of its {name} up to {largest:.3g}, outside "
        f"{effective.dtype}; scale the batch or the gain",
    )
    try:
        written = _write(layer, name, value)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        words = " ".join(str(error).split())
        raise ValueError(
            f"module: {where} does not take the {name} it is given: {words}; make it a plain "
            "parameter first"
        ) from error
    require_held(layer, name, wanted, where)
    return written


def _write(layer: nn.Module, name: str, value: Tensor) -> list[Tensor]:
    from torch.nn.utils.weight_norm import WeightNorm  # behind a function of its name

    if torch.nn.utils.parametrize.is_parametrized(layer, name):
        steps: Any = layer.parametrizations[name]  # type: ignore[index]
        found: Any = value
        for step in reversed(steps):
            found = step.right_inverse(found)
        if isinstance(found, torch.Tensor):
            return [_copied(steps.original, found)]
        return [
            _copied(getattr(steps, f"original{place}"), each) for place, each in enumerate(found)
        ]
    for hook in layer._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm) and hook.name == name:
            length, direction = getattr(layer, f"{name}_g"), getattr(layer, f"{name}_v")
            made = torch.norm_except_dim(value, 2, hook.dim)
            written = [_copied(length, made), _copied(direction, value)]
            setattr(layer, name, hook.compute_weight(layer))
            return written
    if not isinstance(layer._parameters.get(name), torch.nn.Parameter):
        raise ValueError(f"it is computed from others{_by_whom(layer)}")
    return [_copied(getattr(layer, name), value)]


def _copied(target: Tensor, value: Tensor) -> Tensor:
    require(target.shape == value.shape, f"{tuple(value.shape)} for {tuple(target.shape)}")
    target.copy_(value)
    return target


def require_held(layer: nn.Module, name: str, wanted: Tensor, where: str) -> None:
    """Raise ``ValueError`` unless the effective weight of a layer is as wanted, to rounding.

    The arguments are those of `give`.

    Example:
        >>> layer = torch.nn.Linear(2, 3)
        >>> wanted = layer.weight + 1
        >>> require_held(layer, "weight", wanted, "the layer")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: module: the layer does not keep the weight it is given: it comes out ...
    """
    effective, wanted = getattr(layer, name).detach(), wanted.detach()
    apart = float((effective.double() - wanted).abs().max())
    allowed = _ROUNDING * torch.finfo(effective.dtype).eps * float(wanted.abs().max())
    # what is not a number is not allowed
    require(
        apart <= allowed,
        f"module: {where} does not keep the {name} it is given: it comes out otherwise by up to "
        f"{apart:.2g}{_by_whom(layer)}; make it a plain parameter of its own first",
    )


def _by_whom(layer: nn.Module) -> str:
    """What makes the weights of a layer, in words, where it has a name."""
    parametrized = getattr(layer, "parametrizations", {})
    makers = [
        type(step).__name__
        for steps in (parametrized.values() if parametrized else ())
        for step in steps
    ]
    makers += [type(hook).__name__ for hook in layer._forward_pre_hooks.values()]
    named = [name for name in makers if name not in ("function", "method")]
    return f" by {', '.join(named)}" if named else ""


def shared_weights(module: nn.Module) -> dict[int, list[str]]:
    """Parameters whose memory more than one module reads, in part or in whole.

    Returns:
        By the id of each, the names of all parameters in that memory.

    Example:
        >>> nn = torch.nn
        >>> net = nn.ModuleDict({"in": nn.Embedding(9, 4), "out": nn.Linear(4, 9)})
        >>> net["out"].weight = net["in"].weight
        >>> shared_weights(net)[id(net["out"].weight)]
        ['in.weight', 'out.weight']
    """
    groups: list[list[tuple[str, int]]] = []
    device, end = "", 0
    for there, first, last, name, tensor in sorted(_spans(module)):
        if there != device or first >= end:
            groups.append([])
            device, end = there, last
        groups[-1].append((name, tensor))
        end = max(end, last)
    shared: dict[int, list[str]] = {}
    for group in groups:
        if len(group) > 1:
            shared.update((tensor, [name for name, _ in group]) for _, tensor in group)
    return shared


def _spans(module: nn.Module) -> Iterator[tuple[str, int, int, str, int]]:
    """Device, first and last byte, name and id of each parameter of each module."""
    for prefix, each in module.named_modules():
        for key, tensor in each._parameters.items():
            lazy = tensor is not None and torch.nn.parameter.is_lazy(tensor)
            if tensor is None or lazy or not tensor.numel() or tensor.layout is not torch.strided:
                continue
            strides = zip(tensor.shape, tensor.stride(), strict=True)
            entries = 1 + sum((size - 1) * stride for size, stride in strides)
            start, name = tensor.data_ptr(), f"{prefix}.{key}" if prefix else key
            end = start + entries * tensor.element_size()
            yield str(tensor.device), start, end, name, id(tensor)
