"""Which value was computed from which in one forward pass, and when two are the same.

Every operation that Torch dispatches is seen, in modules, in functions and in scripted code alike.
A value is known by the memory that it lies in, whatever Python object holds it. What is written in
place is a new value, of which all views of that memory are made; the old one is copied first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from theorems.inspection.inputs import Inputs

__all__ = [
    "Dataflow",
    "Node",
    "between",
    "close",
    "in_rows",
    "opaque",
    "reached",
    "same",
    "tensors_in",
    "upstream",
]

#: Operations that also write running statistics, which the layer itself does not read.
_RUNNING = "batch_norm"
#: From this rounding unit on, hiding what was done, values are close if they are the same.
_COARSE = 1e-5

#: Where a value lies: storage, offset, shape, strides and type.
_Memory = tuple[object, ...]


@dataclass(eq=False)
class Node:
    """One value, and the values that it was made from.

    ``kind`` is the operation's name, or ``"batch"``, ``"parameter"``, ``"constant"`` (a tensor that
    a module holds), or ``"unseen"`` (a tensor of which nothing is known). ``fed`` says whether the
    batch, or something unseen, enters.
    """

    kind: str
    value: Tensor
    made_from: tuple[Node, ...] = ()
    order: int = 0
    fed: bool = False

    @property
    def seen(self) -> Tensor:
        """The value, apart from the gradients that the network's own code may ask for."""
        return self.value.detach()


class Dataflow(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The values of one forward pass, by the memory that they lie in.

    Operations are noted as long as it is entered as a context.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._nodes: dict[_Memory, Node] = {}
        #: so that no memory is used twice
        self._held: dict[_Memory, Tensor] = {}
        #: by their storage
        self._views: dict[object, list[_Memory]] = {}
        self._count = 0

    def start(self, module: nn.Module, given: Inputs) -> Node:
        """Name what is there before anything is computed.

        - ``module``: whose parameters, buffers and other tensors are named
        - ``given``: what it is called with

        Returns the node of the samples.
        """
        for part in module.modules():
            for value in vars(part).values():
                if isinstance(value, Tensor):
                    self._put(value, Node("constant", value))
        for value in module.buffers():
            self._put(value, Node("constant", value))
        for value in module.parameters():
            self._put(value, Node("parameter", value))
        for value in tensors_in((given.args, given.kwargs)):
            kind = "batch" if given.by_sample(value) else "constant"
            self._put(value, Node(kind, value, fed=kind == "batch"))
        return self.node(given.samples)

    def node(self, value: Tensor) -> Node:
        """What is known of a value.

        Args:
            value: a tensor, known by the memory that it lies in.

        Returns:
            Its node; of one never met a node ``"unseen"``, which is kept.
        """
        return self._nodes.get(_memory(value)) or self._put(value, Node("unseen", value, fed=True))

    def note(
        self,
        name: str,
        read: Sequence[Tensor],
        written: Sequence[Tensor],
        run: Callable[[], object],
    ) -> object:
        """Run an operation, and note what it makes and what it writes over.

        - ``name``: of the operation
        - ``read``, ``written``: the tensors that it takes, and those of them that it writes over
        - ``run``: does it

        Returns what ``run`` gives. Cost: a copy of what is written over, if the batch enters it.
        """
        inputs = tuple(dict.fromkeys(self.node(item) for item in read))
        old: dict[_Memory, Node] = {}
        for item in written:
            old |= {key: self._nodes[key] for key in self._views.get(_storage(item), ())}
        for node in set(old.values()):
            if node.fed:
                node.value = node.value.detach().clone()
        output = run()
        known = {_memory(item) for item in read}  # another view of the same is nothing new
        over = {_memory(item): self._made(name, item, inputs) for item in written}
        for key, node in over.items():
            self._put(node.value, node)
            old.pop(key, None)
        for key, node in old.items():
            self._nodes[key] = self._made("view", self._held[key], (node, *over.values()))
        for item in tensors_in(output):
            if _memory(item) not in known:
                self._put(item, self._made(name, item, inputs))
        return output

    def _made(self, name: str, value: Tensor, inputs: tuple[Node, ...]) -> Node:
        self._count += 1
        return Node(name, value, inputs, self._count, any(node.fed for node in inputs))

    def _put(self, value: Tensor, node: Node) -> Node:
        key = _memory(value)
        if key not in self._nodes:
            self._views.setdefault(key[0], []).append(key)
        self._nodes[key], self._held[key] = node, value
        return node

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # the compiler is not at work, and would be loaded only to be told so

    def __torch_dispatch__(
        self,
        func: OpOverload[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        written: list[Tensor] = []
        if _RUNNING not in name:
            for place, argument in enumerate(func._schema.arguments):
                if argument.alias_info is not None and argument.alias_info.is_write:
                    given = args[place] if place < len(args) else kwargs.get(argument.name)
                    written += tensors_in(given)
        return self.note(name, tensors_in((args, kwargs)), written, lambda: func(*args, **kwargs))


def tensors_in(value: object) -> list[Tensor]:
    """The tensors of nested tuples, lists and dicts, and of the attributes of other objects, in
    order.

    >>> [len(item) for item in tensors_in({"a": torch.zeros(2), "b": [torch.zeros(3), None]})]
    [2, 3]
    """
    found: list[Tensor] = []
    for leaf in tree_flatten(value)[0]:
        if isinstance(leaf, Tensor):
            found.append(leaf)
        elif is_dataclass(leaf) and not isinstance(leaf, type | nn.Module):
            found += tensors_in([getattr(leaf, item.name, None) for item in fields(leaf)])
        elif hasattr(leaf, "__dict__") and not isinstance(leaf, type | nn.Module):
            held = tree_flatten(list(vars(leaf).values()))[0]
            found += [item for item in held if isinstance(item, Tensor)]
    return found


def opaque(value: Tensor) -> bool:
    """Whether a tensor has no entries that can be read one by one: sparse, nested, or one that
    ``torch.func`` puts in the place of others.

    >>> opaque(torch.eye(2)), opaque(torch.eye(2).to_sparse())
    (False, True)
    """
    inside = torch._C._functorch.is_functorch_wrapped_tensor(value)
    return value.is_nested or value.layout is not torch.strided or bool(inside)


def reached(target: Node, stops: Collection[Node]) -> set[Node]:
    """Where one comes to from ``target`` against the flow: the first of ``stops`` on each way, and
    the ends of ways that meet none, except those that the batch does not enter.

    >>> batch = Node("batch", torch.zeros(1), fed=True)
    >>> sum_ = Node("add", torch.zeros(1), (batch, Node("constant", torch.ones(1))), 1, fed=True)
    >>> [node.kind for node in reached(sum_, ())]
    ['batch']
    """
    return {node for node in _fed(target, stops) if node in stops or not node.made_from}


def between(target: Node, start: Node) -> set[Node]:
    """The values on ways from ``start`` to ``target``, both among them; empty where there is no
    way.

    Example:
        >>> batch = Node("batch", torch.zeros(1), fed=True)
        >>> relu = Node("relu", torch.zeros(1), (batch,), 1, fed=True)
        >>> between(relu, batch) == {relu, batch}, between(batch, relu)
        (True, set())
    """
    order = sorted(_fed(target, {start}), key=lambda node: node.order)
    found = {start} & set(order)
    for node in order:
        if any(item in found for item in node.made_from):
            found.add(node)
    return found


def upstream(targets: Sequence[Node]) -> set[Node]:
    """Everything that ``targets`` are made of, parameters and constants too, themselves included.

    >>> batch = Node("batch", torch.zeros(1))
    >>> sorted(node.kind for node in upstream([Node("relu", torch.zeros(1), (batch,))]))
    ['batch', 'relu']
    """
    return _walk(targets, lambda node: node.made_from)


def _fed(target: Node, stops: Collection[Node]) -> set[Node]:
    """What the batch enters of all that makes ``target``, without what lies before ``stops``."""

    def before(node: Node) -> Iterable[Node]:
        return () if node in stops else (item for item in node.made_from if item.fed)

    return _walk([target] if target.fed else [], before)


def _walk(targets: Sequence[Node], before: Callable[[Node], Iterable[Node]]) -> set[Node]:
    """All that one comes to from ``targets``, themselves included, by steps to what is before."""
    seen, left = set(targets), list(targets)
    while left:
        new = [item for item in before(left.pop()) if item not in seen]
        seen.update(new)
        left += new
    return seen


def _storage(value: Tensor) -> int:
    try:
        return int(value.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):  # sparse tensors and the like have none
        return -id(value)


def _memory(value: Tensor) -> _Memory:
    storage = _storage(value)
    if storage < 0:
        return (storage,)
    return storage, value.storage_offset(), tuple(value.shape), value.stride(), value.dtype


# --- whether two values are the same --------------------------------------------------------------


def in_rows(value: Tensor) -> Tensor:
    """The entries of a value as a matrix, a row for each of its first axis.

    >>> in_rows(torch.zeros(2, 3, 4)).shape, in_rows(torch.zeros(2)).shape
    (torch.Size([2, 12]), torch.Size([2, 1]))
    """
    return value.flatten(1) if value.ndim > 1 else value.reshape(-1, 1)


def same(a: Tensor, b: Tensor) -> bool:
    """Whether two values, (n, …), have the same entries sample by sample, whatever their shapes.

    >>> same(torch.zeros(2, 2, 2), torch.zeros(2, 4)), same(torch.zeros(2, 3), torch.zeros(2, 4))
    (True, False)
    """
    return a.numel() == b.numel() and torch.equal(in_rows(a), in_rows(b))


def close(a: Tensor, b: Tensor, size: Tensor | float = 0.0) -> bool:
    """Equal up to the rounding of a few operations in their precision, on numbers up to ``size``
    where that is more.

    Exactly equal in a precision so low that rounding hides what was done.

    >>> a = torch.tensor([[1.0, 2.0]])
    >>> close(a, a + 1e-6), close(a, a + 1e-3), close(a.half(), a.half() + 1e-3)
    (True, False, False)
    """
    eps = torch.finfo(b.dtype).eps if b.is_floating_point() else 0.0
    if eps > _COARSE:
        return same(a, b)
    scale = float(b.abs().max())
    return bool(((in_rows(a) - in_rows(b)).abs() <= 64 * eps * (scale + size)).all())
