"""What a network is given: one array or several, in any byte order, type and layout.

Numbers reach the network as they are, but for their type: real numbers take the network's own,
whole ones stay whole where the network takes them, as an embedding does, and become real where it
does not.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from simulators.arguments import ArgumentError, require

__all__ = ["Batch", "Inputs", "InspectionError", "inputs_of"]

#: One array of samples, or several by place or by name.
Batch = ArrayLike | Tensor | tuple[ArrayLike | Tensor, ...] | Mapping[str, ArrayLike | Tensor]


class InspectionError(ArgumentError):
    """A network or batch that cannot be inspected. The message is one line."""


@dataclass(frozen=True)
class Inputs:
    """The arguments of a network's forward: tensors by place and by name.

    ``samples`` is the first of them, (n, …). What has n rows is taken to have one for each sample;
    all else, such as a mask of all samples alike, says nothing of any of them.
    """

    args: tuple[object, ...]
    kwargs: dict[str, Tensor]
    samples: Tensor

    def by_sample(self, value: Tensor) -> bool:
        """Whether a tensor has a row for each sample."""
        return value.ndim >= 1 and value.shape[0] == len(self.samples)

    def copied(self) -> Inputs:
        """The same in memory of their own.

        >>> given = next(iter(inputs_of(nn.Linear(2, 2), torch.eye(3, 2))))
        >>> given.copied().samples is given.samples
        False
        """
        return self._changed({}, torch.clone)

    def in_turn(self) -> Inputs:
        """The last sample first, and all others one place later.

        >>> next(iter(inputs_of(nn.Linear(1, 1), [[1.0], [2.0], [3.0]]))).in_turn().samples.tolist()
        [[3.0], [1.0], [2.0]]
        """
        return self._changed(
            {}, lambda item: item.roll(1, dims=0) if self.by_sample(item) else item.clone()
        )

    def _changed(self, done: dict[int, Tensor], change: object) -> Inputs:
        def once(item: object) -> object:
            if not isinstance(item, Tensor):
                return item
            if id(item) not in done:
                done[id(item)] = change(item)  # type: ignore[operator]
            return done[id(item)]

        args, kwargs = tree_map(once, (self.args, self.kwargs))
        return Inputs(args, kwargs, done[id(self.samples)])


def inputs_of(module: nn.Module, batch: Batch) -> Iterator[Inputs]:
    """What ``module`` is to be given: first with whole numbers as they are, then as real ones.

    Args:
        module: a mapping is handed over by name if its forward has arguments of these names, and
            in one piece if not.
        batch: (n, …), n ≥ 3 samples along the first axis; or a tuple or mapping of arrays, of which
            the first is (n, …). Further ones may be masks with −∞ or of truth values.

    Raises:
        InspectionError: no numbers, fewer than three samples, values that are not finite or that
            the network's type does not hold.

    Example:
        >>> [given.samples.dtype for given in inputs_of(nn.Linear(2, 2), [[1, 2], [3, 4], [5, 6]])]
        [torch.int64, torch.float32]
    """
    like = next((item for item in module.parameters() if item.is_floating_point()), torch.zeros(()))
    require(
        like.device.type != "meta",
        "module has shapes and no values, on the device 'meta'; load or initialise it first",
        InspectionError,
    )
    named = _named(batch)
    given = {name: _tensor(name, item) for name, item in named.items()}
    first = next(iter(given), None)
    require(first is not None, "batch holds no arrays; give at least one", InspectionError)
    for name, item in given.items():
        _require_numbers(name, item, first=name == first)
    fitted = {name: _fitted(name, item, like) for name, item in given.items()}
    yield _arranged(module, batch, fitted)
    real = {
        name: _fitted(name, item.to(like.dtype), like)
        for name, item in given.items()
        if _whole(item) and not isinstance(named[name], Tensor)
    }
    if real:
        yield _arranged(module, batch, fitted | real)


def _named(batch: Batch) -> dict[str, ArrayLike | Tensor]:
    """The arrays, by what they are called in refusals."""
    if isinstance(batch, Mapping):
        return {f"batch[{name!r}]": item for name, item in batch.items()}
    if isinstance(batch, tuple) and all(isinstance(item, np.ndarray | Tensor) for item in batch):
        return {f"batch[{place}]": item for place, item in enumerate(batch)}
    return {"batch": batch}  # type: ignore[dict-item]


def _arranged(module: nn.Module, batch: Batch, given: Mapping[str, Tensor]) -> Inputs:
    tensors = tuple(given.values())
    if not isinstance(batch, Mapping):
        return Inputs(tensors, {}, tensors[0])
    named = dict(zip(batch, tensors, strict=True))
    if _takes(module, named):
        return Inputs((), named, tensors[0])
    return Inputs((named,), {}, tensors[0])


def _takes(module: nn.Module, names: Mapping[str, object]) -> bool:
    """Whether the module's forward has arguments of these names."""
    try:
        inspect.signature(module.forward).bind(**names)
    except (TypeError, ValueError):  # a scripted module's is not written in Python
        return False
    return True


def _tensor(name: str, batch: ArrayLike | Tensor) -> Tensor:
    if isinstance(batch, Tensor):
        require(
            batch.layout is torch.strided and not batch.is_nested,
            f"{name} is sparse or nested; give a dense tensor, as batch.to_dense() may be",
            InspectionError,
        )
        require(
            not batch.is_quantized and batch.device.type != "meta",
            f"{name} is quantised or has no values; give numbers, as batch.dequantize() may be",
            InspectionError,
        )
        narrow = batch.is_floating_point() and batch.itemsize == 1  # Torch computes with none such
        return (batch.float() if narrow else batch).detach().clone().contiguous()
    try:
        return torch.tensor(_native(batch))
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise InspectionError(
            f"{name} is no array of numbers: {' '.join(str(error).split())}"
        ) from None


def _native(batch: ArrayLike) -> NDArray[np.generic]:
    """The same numbers in the byte order, the types and the layout that Torch takes everywhere."""
    if np.ma.is_masked(batch):
        raise ValueError("some are masked; fill them, or leave their samples out")
    array = np.asarray(batch)
    if array.dtype.kind not in "fiubc":
        raise TypeError(f"entries of type {array.dtype}; give real numbers")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return array.astype(np.float64)
    if array.dtype.kind in "iu":
        if array.size and int(array.max()) > np.iinfo(np.int64).max:
            raise OverflowError(f"whole numbers up to {array.max()}, above those of 64 bits")
        return np.asarray(array, dtype=np.int64, order="C")
    return np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def _require_numbers(name: str, tensor: Tensor, *, first: bool) -> None:
    require(
        not tensor.is_complex() and (not first or tensor.dtype != torch.bool),
        f"{name} has entries of type {tensor.dtype}; give real numbers",
        InspectionError,
    )
    if first:
        require(
            tensor.ndim >= 2 and 0 not in tensor.shape,
            f"{name} has shape {tuple(tensor.shape)}; give (n, ...), samples along the first axis",
            InspectionError,
        )
        require(  # recentred, two samples are opposite whatever the network does
            tensor.shape[0] >= 3,
            f"{name} has {tensor.shape[0]} sample(s); give at least 3, along the first axis",
            InspectionError,
        )
    finite = torch.isfinite(tensor) if first else torch.isfinite(tensor) | (tensor == -torch.inf)
    require(finite.all(), f"{name} has entries that are not finite", InspectionError)


def _whole(tensor: Tensor) -> bool:
    return not tensor.is_floating_point()


def _fitted(name: str, tensor: Tensor, like: Tensor) -> Tensor:
    """The tensor where the network is, in its type if its entries are real numbers."""
    if _whole(tensor):
        return tensor.to(like.device)
    fitted = tensor.to(like)
    if torch.isfinite(fitted).sum() < torch.isfinite(tensor).sum():
        largest = float(tensor[torch.isfinite(tensor)].double().abs().max())
        raise InspectionError(
            f"{name} has entries up to {largest:.3g}, and the network's "
            f"type {like.dtype} ends at {torch.finfo(like.dtype).max:.3g}; scale the batch, or "
            "give the network a wider type"
        )
    return fitted
