"""What a module is called with: one tensor or several, by place or by name, in its own dtype."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, Union

from simulators.arguments import kind_of, require
from simulators.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["Arguments", "Batch", "arguments_of"]

#: One tensor, or several by place or by name, nested or beside values of other types.
Batch: TypeAlias = Union["Tensor", tuple[object, ...], Mapping[str, object]]


@dataclass(frozen=True)
class Arguments:
    """What a module is called with, by place and by name.

    Example:
        >>> Arguments((1,)).kwargs
        {}
    """

    args: tuple[object, ...]
    kwargs: dict[str, object] = field(default_factory=dict)

    def copied(self) -> Arguments:
        """The same, with tensors in memory of their own.

        Example:
            >>> ones = torch.ones(2)
            >>> Arguments((ones,)).copied().args[0] is ones
            False
        """
        args, kwargs = torch.utils._pytree.tree_map_only(
            torch.Tensor, torch.clone, (self.args, self.kwargs)
        )
        return Arguments(args, kwargs)


def arguments_of(module: nn.Module, batch: Batch) -> Iterator[Arguments]:
    """What a module is to be called with: with whole numbers as they are, then as real ones.

    Args:
        module: a tuple is handed over by place and a mapping by name if its forward takes as much,
            and in one piece if not.
        batch: as `simulators.training.iterative_orthogonal_` takes it.

    Yields:
        Arguments in memory of their own, of the dtype of the module.

    Raises:
        TypeError: no tensor, or one of complex numbers.
        ValueError: a tensor that is sparse, empty, elsewhere or too large for that dtype.

    Example:
        >>> linear = torch.nn.Linear(2, 2)
        >>> [each.args[0].dtype for each in arguments_of(linear, torch.ones(3, 2, dtype=int))]
        [torch.int64, torch.float32]
    """
    if not isinstance(batch, torch.Tensor | tuple | Mapping):
        raise TypeError(f"batch is {kind_of(batch)}; give a tensor, or a tuple or mapping of some")
    flat, form = torch.utils._pytree.tree_flatten_with_path(
        dict(batch) if isinstance(batch, Mapping) else batch
    )
    named = [(f"batch{torch.utils._pytree.keystr(path)}", leaf) for path, leaf in flat]
    tensors = [(name, leaf) for name, leaf in named if isinstance(leaf, torch.Tensor)]
    held = [*module.parameters(), *module.buffers()]
    for name, leaf in named:
        _require_usable(name, leaf, {item.device for item in held})
    require(tensors, f"batch is {kind_of(batch)} without a tensor; give one", TypeError)
    first, samples = tensors[0]
    shape = tuple(samples.shape)
    require(0 not in shape, f"{first} has shape {shape}, and is empty; give samples with entries")
    whole = not samples.is_floating_point()
    require(
        samples.dim() > (0 if whole else 1),
        f"{first} of shape {shape}: want samples as rows, (n, …)",
    )
    # Torch computes with no numbers of 8 bits
    dtypes = [item.dtype for item in held if item.is_floating_point() and item.itemsize > 1]
    dtypes = dtypes or [torch.get_default_dtype()]
    fitted = [_fitted(name, leaf, dtypes) for name, leaf in named]
    yield _arranged(module, batch, torch.utils._pytree.tree_unflatten(fitted, form))
    if whole and samples.dim() > 1 and dtypes[0].is_floating_point:
        place = next(i for i, leaf in enumerate(fitted) if isinstance(leaf, torch.Tensor))
        fitted = [_fitted(name, leaf, dtypes) for name, leaf in named]
        fitted[place] = samples.detach().to(dtypes[0])
        yield _arranged(module, batch, torch.utils._pytree.tree_unflatten(fitted, form))


def _require_usable(name: str, leaf: object, devices: set[torch.device]) -> None:
    """Raise for an array that is no tensor, or a tensor that no module computes with."""
    if not isinstance(leaf, torch.Tensor):
        array = hasattr(leaf, "__array__")
        require(not array, f"{name} is {kind_of(leaf)}; give a tensor", TypeError)
        return
    require(
        not leaf.is_complex(), f"{name} is a Tensor of {leaf.dtype}; give real numbers", TypeError
    )
    require(
        leaf.layout is torch.strided and not leaf.is_nested and not leaf.is_quantized,
        f"{name} is sparse, nested or quantised; give a dense tensor of plain numbers",
    )
    require(
        not leaf.is_meta, f"{name} has a shape and no values, on the device 'meta'; give values"
    )
    there = ", ".join(sorted(map(str, devices)))
    require(
        not devices or leaf.device in devices,
        f"{name} is on {leaf.device}, and the module on {there}; move one to the other",
    )


def _fitted(name: str, leaf: object, dtypes: list[torch.dtype]) -> object:
    """A value in memory of its own, real numbers in a dtype of the module."""
    if not isinstance(leaf, torch.Tensor):
        return leaf
    narrow = leaf.is_floating_point() and leaf.itemsize == 1
    copied = leaf.detach().float() if narrow else leaf.detach().clone()
    if not copied.is_floating_point() or copied.dtype in dtypes:
        return copied
    cast = copied.to(dtypes[0])
    if torch.isfinite(cast).sum() < torch.isfinite(copied).sum():
        largest = float(copied[torch.isfinite(copied)].double().abs().max())
        raise ValueError(
            f"{name} has entries up to {largest:.3g}, and the module's {dtypes[0]} ends at "
            f"{torch.finfo(dtypes[0]).max:.3g}; scale the batch, or give the module a wider dtype"
        )
    return cast


def _arranged(module: nn.Module, batch: Batch, fitted: object) -> Arguments:
    if isinstance(batch, Mapping):
        named = {str(name): value for name, value in fitted.items()}  # type: ignore[attr-defined]
        apart = Arguments((), named)
    elif isinstance(batch, tuple):
        apart = Arguments(tuple(fitted))  # type: ignore[arg-type]
    else:
        return Arguments((fitted,))
    return apart if _takes(module, apart) else Arguments((fitted,))


def _takes(module: nn.Module, arguments: Arguments) -> bool:
    """Whether the module's forward has arguments of these places and names."""
    try:
        inspect.signature(module.forward).bind(*arguments.args, **arguments.kwargs)
    except (TypeError, ValueError):
        return False
    return True
