"""The state of a module, to be put back as if nothing had happened to it.

A pass through a module changes more than its author thinks of: running means, the number of batches
seen, what a forward keeps in attributes, random numbers. `StateBefore` holds all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from simulators.lazy import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

__all__ = ["StateBefore", "is_lazy", "tensors_of"]


def tensors_of(module: nn.Module) -> Iterator[Tensor]:
    """Parameters, buffers and tensors among the attributes of one module, not of its children.

    Example:
        >>> [tuple(tensor.shape) for tensor in tensors_of(torch.nn.Linear(3, 2))]
        [(2, 3), (2,)]
    """
    held = chain(module._parameters.values(), module._buffers.values(), vars(module).values())
    return (item for item in held if isinstance(item, torch.Tensor))


def is_lazy(tensor: Tensor) -> bool:
    """Whether a tensor waits for its shape, as those of ``LazyLinear`` do.

    Example:
        >>> is_lazy(torch.nn.LazyLinear(2).weight)
        True
    """
    found: bool = torch.nn.parameter.is_lazy(tensor)
    return found


class StateBefore:
    """What a module, its children and the random numbers are at the time this is made.

    Args:
        module: whose state it is; its values are copied.
        generator: of random numbers, beside Torch's own.

    Cost: a copy of all parameters and buffers.

    Example:
        >>> linear = torch.nn.Linear(2, 2)
        >>> before, weight = StateBefore(linear, None), linear.weight.clone()
        >>> linear.seen, _ = True, torch.nn.init.zeros_(linear.weight)
        >>> before.put_back()
        >>> torch.equal(linear.weight, weight), hasattr(linear, "seen")
        (True, False)
    """

    def __init__(self, module: nn.Module, generator: Generator | None) -> None:
        self._modules = [_Attributes(each) for each in module.modules()]
        held = {id(item): item for each in module.modules() for item in tensors_of(each)}
        self._values = [_Value(tensor) for tensor in held.values()]
        self._random = _random_states([*held.values()], generator)

    def put_back(self) -> None:
        """Make everything as it was: classes, attributes, modes, hooks, values, random numbers."""
        for module in self._modules:
            module.put_back()
        self.put_back_values()
        for restore in self._random:
            restore()

    def put_back_values(
        self, written: Collection[int] = (), parametrizations: Collection[nn.Module] = ()
    ) -> None:
        """Give parameters and buffers the values that they had.

        Args:
            written: ids of tensors that keep what they have.
            parametrizations: modules that keep the buffers they hold.
        """
        for module in self._modules:
            if module.module not in parametrizations:
                module.put_back_buffers()
        for value in self._values:
            if id(value.tensor) not in written:
                value.put_back()


class _Attributes:
    """The class of one module and its attributes, with what the dicts among them hold."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._kind = type(module)
        # those of scripted modules live outside Python
        scripted = isinstance(module, torch.jit.ScriptModule)
        self._held: dict[str, Any] = {} if scripted else dict(vars(module))
        self._inside = {
            name: dict(value) for name, value in self._held.items() if isinstance(value, dict)
        }

    def put_back(self) -> None:
        if not self._held:
            return
        self.module.__class__ = self._kind
        vars(self.module).clear()
        vars(self.module).update(self._held)
        for name, held in self._inside.items():
            _refill(self._held[name], held)

    def put_back_buffers(self) -> None:
        if self._held:
            _refill(self.module._buffers, self._inside["_buffers"])


def _refill(target: dict[Any, Any], held: dict[Any, Any]) -> None:
    """The same object with what it held: handles of hooks refer to it."""
    target.clear()
    target.update(held)


class _Value:
    """The numbers in one tensor; or that it had none yet."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self._kind = type(tensor)
        self._lazy = is_lazy(tensor)
        plain = not self._lazy and tensor.layout is torch.strided and not tensor.is_meta
        self._numbers = tensor.detach().clone() if plain else None

    def put_back(self) -> None:
        if self._lazy and not is_lazy(self.tensor):
            self.tensor.data = self.tensor.new_empty(0)
            self.tensor.__class__ = self._kind
        # what is as it was is not written: a graph that waits for its backward pass would object
        numbers = self._numbers
        if numbers is not None and not torch.equal(self.tensor, numbers):
            self.tensor.detach().copy_(numbers)


def _random_states(
    tensors: Collection[Tensor], generator: Generator | None
) -> list[Callable[[], object]]:
    """What puts back the states of Torch's random numbers, where the tensors are, and those of a
    generator.
    """
    state = torch.get_rng_state()
    restore: list[Callable[[], object]] = [partial(torch.set_rng_state, state)]
    if generator is not None:
        restore.append(partial(generator.set_state, generator.get_state()))
    for device in {tensor.device for tensor in tensors if tensor.is_cuda}:
        there = torch.cuda.get_rng_state(device)
        restore.append(partial(torch.cuda.set_rng_state, there, device))
    return restore
