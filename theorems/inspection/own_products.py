"""Products with weights in a module's own code: linear maps that are no call of a module.

``functional.linear(x, self.weight)``, ``x @ self.weight`` and the like are seen as they are called,
before Torch takes them apart. What is multiplied is known by the flow of data: weights are what the
batch does not enter and parameters do, be it a parameter itself, a view of one, or what is computed
from some.

A product has a *site*, by which it is found again in another pass through the same network: the
module whose code it stands in, and how many came before it there.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from theorems.inspection.dataflow import Dataflow, Node, opaque, upstream

__all__ = ["OwnProducts", "Product", "Site", "Sites", "name_of"]

Site = tuple[str, int]
#: One label an axis; None for an axis along which nothing changes.
_Axes = list[int | None]

_FACTORS: Mapping[str, tuple[str, ...]] = {
    "linear": ("input", "weight"),
    **{
        f"conv{kind}{axes}d": ("input", "weight")
        for kind in ("", "_transpose")
        for axes in (1, 2, 3)
    },
    "matmul": ("input", "other"),
    "__matmul__": ("input", "other"),
    "mm": ("input", "mat2"),
    "bmm": ("input", "mat2"),
    "mv": ("input", "vec"),
    "addmm": ("mat1", "mat2"),
    "baddbmm": ("batch1", "batch2"),
    "addmv": ("mat", "vec"),
    "inner": ("input", "other"),
    "tensordot": ("a", "b"),
}
"""Names of the factors in the functions that multiply two."""
_ADDING = frozenset({"addmm", "baddbmm", "addmv"})
_BEFORE: Mapping[str, tuple[str, ...]] = dict.fromkeys(_ADDING, ("input",))
_AFTER: Mapping[str, tuple[str, ...]] = {"tensordot": ("dims",)}
_SUMS = frozenset({"add", "add_", "__add__", "__radd__", "__iadd__"})
_EINSUM = "einsum"


@dataclass(frozen=True)
class Multiplied:
    """A call of a function that multiplies: its factors, what it adds to their product, and a label
    for each axis of each factor and of what comes out, empty of a convolution.
    """

    function: str
    factors: tuple[Tensor, ...]
    added: Tensor | None
    labels: tuple[_Axes, ...]
    out: _Axes
    scale: float = 1.0


@dataclass(eq=False)
class Product:
    """Weights times what the batch enters, in the code of the module named ``within``.

    ``fed`` is which of the ``factors`` the batch enters, None where it enters several. ``bias`` is
    what is added that the batch does not enter, and ``adds`` whether something that it does. The
    ``parameters`` are those that weights and bias are made of, the largest first.
    """

    site: Site
    part: nn.Module
    multiplied: Multiplied
    factors: tuple[Node, ...]
    fed: int | None
    gave: Node
    began: int
    ended: int
    parameters: tuple[Tensor, ...] = ()
    bias: Node | None = None
    adds: bool = False

    @property
    def within(self) -> str:
        return self.site[0]

    @property
    def entry(self) -> int:
        """Which of the factors is what comes in."""
        return self.fed or 0

    @property
    def came(self) -> Node:
        return self.factors[self.entry]

    @property
    def weights(self) -> tuple[Node, ...]:
        """The other factors."""
        return tuple(node for place, node in enumerate(self.factors) if place != self.fed)

    @property
    def kind(self) -> str:
        """As modules are called that do the same, ``"Linear"`` or ``"Conv2d"``; else
        ``"Product"``.
        """
        function = self.multiplied.function
        if function.startswith("conv"):
            words = function.removeprefix("conv").split("_")
            return "Conv" + "".join(word.capitalize() for word in words)
        came, out = self._came_labels, self.multiplied.out
        summed = [label for label in came if label in self._weight_labels and label not in out]
        axis = 0 if self.by_column else -1
        plain = self.units == (axis % len(out),) and summed == [came[axis]]
        return "Linear" if plain else "Product"

    @property
    def units(self) -> tuple[int, ...]:
        """The axes of what comes out along which weights differ."""
        if not self.multiplied.labels:
            return (1,)
        own = self._weight_labels
        return tuple(
            place
            for place, label in enumerate(self.multiplied.out)
            if label is not None and label in own
        )

    @property
    def by_row(self) -> bool:
        """Whether what comes out for one entry of the first axis is of that entry alone, by the
        same weights for all.
        """
        if not self.multiplied.labels:
            return self.fed == 0
        first = self._came_labels[:1]
        return first == self.multiplied.out[:1] and first[0] not in self._weight_labels

    @property
    def by_column(self) -> bool:
        """The same of the last of two axes."""
        last = self._came_labels[-1:] if self.multiplied.labels else []
        return (
            len(last) == 1
            and len(self._came_labels) == len(self.multiplied.out) == 2
            and not self.by_row
            and last == self.multiplied.out[-1:]
            and last[0] not in self._weight_labels
        )

    @property
    def scales(self) -> bool:
        """Whether entries are multiplied one by one, and none added."""
        if not self.multiplied.labels:
            return False
        own, came = self._weight_labels, set(self._came_labels)
        return own <= came and own <= set(self.multiplied.out)

    @property
    def weight(self) -> Tensor:
        """(units, …), as modules have it; what is computed from several factors as well."""
        tensors = [node.value.detach() for node in self.weights]
        if not self.multiplied.labels:
            return tensors[0]
        labels = [
            self.multiplied.labels[place] for place in range(len(self.factors)) if place != self.fed
        ]
        units = [label for label in self.multiplied.out if label in self._weight_labels]
        kept = [
            label
            for label in self._came_labels
            if label in self._weight_labels and label not in units
        ]
        value = _as_map(tensors, labels, units, kept)
        return value if self.multiplied.scale == 1.0 else self.multiplied.scale * value

    @property
    def computed(self) -> bool:
        """Whether the weights are something else than a parameter, or a view of one."""
        if len(self.weights) > 1 or self.multiplied.scale != 1.0:
            return True
        return not _in_one_place(self.weights[0].value, self.parameters[0])

    @property
    def rows(self) -> str:
        """Which rows of its largest parameter it takes, in brackets; empty for all of it."""
        main = self.parameters[0]
        parts = [
            node.value
            for node in upstream(self.weights)
            if not opaque(node.value) and _in_one_place(node.value, main)
        ]
        return _rows(min(parts, key=_distinct), main) if parts else ""

    @property
    def _came_labels(self) -> _Axes:
        return self.multiplied.labels[self.entry]

    @property
    def _weight_labels(self) -> set[int]:
        labels = self.multiplied.labels
        others = (labels[place] for place in range(len(labels)) if place != self.fed)
        return {label for label in itertools.chain.from_iterable(others) if label is not None}


def _as_map(
    tensors: Sequence[Tensor],
    labels: Sequence[_Axes],
    units: Sequence[int],
    kept: Sequence[int],
) -> Tensor:
    """The product of ``tensors``, with the axes of the units first, as one."""
    values, axes = [], []
    for tensor, own in zip(tensors, labels, strict=True):
        value = tensor
        for place in reversed([place for place, label in enumerate(own) if label is None]):
            value = value.select(place, 0)
        values.append(value)
        axes.append([label for label in own if label is not None])
    wanted = [*units, *kept]
    if len(values) == 1 and sorted(axes[0]) == sorted(set(wanted)):
        value = values[0].permute([axes[0].index(label) for label in wanted])
    else:
        every = dict.fromkeys(itertools.chain.from_iterable(axes))
        numbers = {label: place for place, label in enumerate(every)}
        given = [[numbers[label] for label in own] for own in axes]
        terms = itertools.chain.from_iterable(zip(values, given, strict=True))
        value = torch.einsum(*terms, [numbers[label] for label in wanted])
    if len(units) == 1:
        return value
    return value.flatten(0, len(units) - 1) if units else value[None]


def name_of(parameter: Tensor, names: Mapping[int, Sequence[str]], within: str = "") -> str:
    """A parameter's name in the network; of several the one in the module ``within``.

    - ``names``: all of each parameter, by its ``id``; what a parametrisation holds is called as
      what is computed from it

    >>> part = nn.Linear(2, 2)
    >>> name_of(part.weight, {id(part.weight): ["a.weight", "b.weight"]}, "b")
    'b.weight'
    """
    found = names.get(id(parameter), [""])
    inside = [name for name in found if name.rpartition(".")[0] == within]
    name = (inside or found)[0]
    head, parametrised, tail = name.rpartition("parametrizations.")
    return head + tail.partition(".")[0] if parametrised else name


def _in_one_place(one: Tensor, other: Tensor) -> bool:
    return bool(one.untyped_storage()._cdata == other.untyped_storage()._cdata)


def _distinct(value: Tensor) -> int:
    """How many entries lie at places of their own."""
    sizes = zip(value.shape, value.stride(), strict=True)
    return math.prod(size for size, step in sizes if step)


def _rows(view: Tensor, whole: Tensor) -> str:
    if whole.ndim < 2 or not whole.is_contiguous() or not view.numel():
        return ""
    start = view.storage_offset() - whole.storage_offset()
    sizes = zip(view.shape, view.stride(), strict=True)
    last = start + sum((size - 1) * step for size, step in sizes)
    row = whole.stride(0)
    low, high = start // row, last // row + 1
    if high - low == len(whole) or _distinct(view) != (high - low) * row:
        return ""
    return f"[{low}]" if high - low == 1 else f"[{low}:{high}]"


# --- what is called -------------------------------------------------------------------------------


class Sites(TorchFunctionMode):
    """Products in the code of the modules of a network, while it runs.

    As long as it is entered as a context, `multiplied` is called for each, and `summed` for each
    sum of two tensors; both run what they are given.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self._module = module
        self._running: list[str] = [""]
        self._counts: Counter[str] = Counter()
        self._handles: list[Any] = []

    @property
    def running(self) -> str:
        """The name of the innermost module that runs."""
        return self._running[-1]

    def multiplied(self, site: Site, found: Multiplied, run: Callable[[], Any]) -> Any:
        """What ``run`` gives, of the product ``found`` at a ``site``."""
        return run()

    def summed(self, one: Tensor, other: Tensor, run: Callable[[], Any]) -> Any:
        """What ``run`` gives, of a sum of two tensors."""
        return run()

    def __enter__(self) -> Sites:
        def before(name: str) -> Callable[..., None]:
            return lambda *given: self._running.append(name)

        def after(name: str) -> Callable[..., None]:
            def leave(*given: object) -> None:
                if self._running[-1] == name:  # not, where it was never entered
                    self._running.pop()

            return leave

        for name, part in self._module.named_modules():
            if name and not isinstance(part, torch.jit.ScriptModule):
                self._handles.append(part.register_forward_pre_hook(before(name), prepend=True))
                self._handles.append(part.register_forward_hook(after(name), always_call=True))
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        for handle in self._handles:
            handle.remove()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")

        def run() -> Any:
            return func(*args, **kwargs)

        if name in _SUMS and len(args) == 2 and all(isinstance(item, Tensor) for item in args):
            return self.summed(args[0], args[1], run)
        if name not in _FACTORS and name != _EINSUM:
            return run()
        site = (self.running, self._counts[self.running])
        self._counts[self.running] += 1
        read = _of_einsum if name == _EINSUM else _of_two
        found = read(name, args, kwargs)
        if found is None or any(map(opaque, found.factors)):
            return run()
        return self.multiplied(site, found, run)


class OwnProducts(Sites):
    """The products of one pass of which the data are followed; ``found`` are those with weights,
    and those of several things that the batch enters.
    """

    def __init__(self, module: nn.Module, flow: Dataflow, moments: Iterator[int]) -> None:
        super().__init__(module)
        self.found: list[Product] = []
        self._parts = dict(module.named_modules())
        self._flow, self._moments = flow, moments
        self._last: dict[Node, Product] = {}
        self._made_of: dict[Node, tuple[Tensor, ...]] = {}

    def multiplied(self, site: Site, found: Multiplied, run: Callable[[], Any]) -> Any:
        nodes = tuple(map(self._flow.node, found.factors))
        added = None if found.added is None else self._flow.node(found.added)
        began = next(self._moments)
        output = run()
        entered = [place for place, node in enumerate(nodes) if node.fed]
        if not entered or not isinstance(output, Tensor) or opaque(output):
            return output
        weights = [item for node in nodes if not node.fed for item in self._parameters(node)]
        if len(entered) == 1 and not weights:
            return output
        biases = self._parameters(added) if added is not None and not added.fed else ()
        weights.sort(key=lambda item: -item.numel())
        product = Product(
            site,
            self._parts[site[0]],
            found,
            nodes,
            entered[0] if len(entered) == 1 else None,
            self._flow.node(output),
            began,
            next(self._moments),
            tuple(dict.fromkeys((*weights, *biases))),
            None if added is None or added.fed else added,
            added is not None and added.fed,
        )
        self.found.append(product)
        self._last[product.gave] = product
        return output

    def summed(self, one: Tensor, other: Tensor, run: Callable[[], Any]) -> Any:
        """A bias is what is added to a product in the same code, and of parameters alone."""
        if opaque(one) or opaque(other):
            return run()
        nodes = self._flow.node(one), self._flow.node(other)
        output = run()
        for node, bias in (nodes, nodes[::-1]):
            product = self._last.get(node)
            if (
                product is None
                or product.bias is not None
                or product.within != self.running
                or bias.fed
                or not (parameters := self._parameters(bias))
                or output.shape != node.value.shape
            ):
                continue
            product.bias, product.gave = bias, self._flow.node(output)
            product.ended = next(self._moments)
            product.parameters = tuple(dict.fromkeys((*product.parameters, *parameters)))
            break
        return output

    def _parameters(self, node: Node) -> tuple[Tensor, ...]:
        if node not in self._made_of:
            found = [item for item in upstream([node]) if item.kind == "parameter"]
            self._made_of[node] = tuple(item.value for item in found)
        return self._made_of[node]


# --- what is multiplied ---------------------------------------------------------------------------


def _of_two(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Multiplied | None:
    """A product of two factors; None where they are no tensors."""
    names = (*_BEFORE.get(name, ()), *_FACTORS[name], *_AFTER.get(name, ()))
    with_bias = (*names, "bias") if _FACTORS[name][-1] == "weight" else names
    given = dict(zip(with_bias, args, strict=False)) | dict(kwargs)
    factors: tuple[Any, ...] = tuple(given.get(each) for each in _FACTORS[name])
    if not all(isinstance(item, Tensor) and item.ndim for item in factors):
        return None
    added = given.get("input" if name in _ADDING else "bias")
    if name.startswith("conv"):
        labels: tuple[_Axes, ...] = ()
        out: _Axes = []
    elif name in {"inner", "tensordot"}:
        ends = ([factors[0].ndim - 1], [factors[1].ndim - 1])
        dims = ends if name == "inner" else given.get("dims", 2)
        axes = _summed(dims, factors[0].ndim)
        if axes is None:
            return None
        *labels_, out = _tensordot(factors[0].ndim, factors[1].ndim, *axes)
        labels = tuple(labels_)
    else:
        *labels_, out = _matmul(factors[0], factors[1], transposed=name == "linear")
        labels = tuple(labels_)
    scale = float(given.get("alpha", 1.0)) if name in _ADDING else 1.0
    return Multiplied(
        name, factors, added if isinstance(added, Tensor) else None, labels, out, scale
    )


def _matmul(a: Tensor, b: Tensor, *, transposed: bool) -> tuple[_Axes, _Axes, _Axes]:
    """Labels of a @ b, or of a @ bᵀ where b has no more axes than two: 0 of what is summed, 1 and 2
    of rows and columns, and of the others their distance from the end, from 3 on.
    """
    many = max(a.ndim, b.ndim)

    def before(value: Tensor) -> _Axes:
        axes = range(value.ndim - 2)
        return [
            value.ndim - place if value.shape[place] > 1 and value.stride(place) else None
            for place in axes
        ]

    first: _Axes = [*before(a), *([1] if a.ndim > 1 else []), 0]
    columns: _Axes = [2, 0] if transposed else [0, 2]
    second: _Axes = [*before(b), *(columns if b.ndim > 1 else [0])]
    batch: _Axes = list(range(many, 2, -1))
    out: _Axes = [*batch, *([1] if a.ndim > 1 else []), *([2] if b.ndim > 1 else [])]
    return first, second, out


def _summed(dims: Any, ndim: int) -> tuple[list[int], list[int]] | None:
    """The axes of two factors over which `torch.tensordot` sums; None for what names none."""
    if isinstance(dims, int):
        return list(range(ndim - dims, ndim)), list(range(dims))
    try:
        one, other = ([int(place) for place in part] for part in dims)
    except (TypeError, ValueError):
        return None
    return one, other


def _tensordot(
    first: int, second: int, one: Sequence[int], other: Sequence[int]
) -> tuple[_Axes, _Axes, _Axes]:
    a: _Axes = list(range(first))
    b: _Axes = list(range(first, first + second))
    for place, match in zip(one, other, strict=True):
        b[match] = a[place]
    summed = {a[place] for place in one}
    out = [label for label in (*a, *b) if label not in summed]
    return a, b, out


def _of_einsum(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Multiplied | None:
    """A product that an equation tells; None for what it does not tell."""
    if not args or not isinstance(args[0], str):
        return None
    given = args[1] if len(args) == 2 and isinstance(args[1], list | tuple) else args[1:]
    equation = args[0].replace(" ", "")
    terms, arrow, wanted = equation.partition("->")
    operands = terms.split(",")
    if not all(isinstance(item, Tensor) for item in given) or len(operands) != len(given):
        return None
    letters = "".join(operands).replace(".", "")
    once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
    wanted = wanted if arrow else ("..." if "." in terms else "") + "".join(once)
    factors = tuple(given)
    named = [len(term.replace(".", "")) for term in operands]
    hidden = max(
        (
            item.ndim - count
            for item, count, term in zip(factors, named, operands, strict=True)
            if "." in term
        ),
        default=0,
    )
    labels = tuple(
        _spelt(term, item.ndim - count, item)
        for term, count, item in zip(operands, named, factors, strict=True)
    )
    return Multiplied(name, factors, None, labels, _spelt(wanted, hidden))


def _spelt(term: str, hidden: int, value: Tensor | None = None) -> _Axes:
    """A label for each axis of a term, those that ``...`` stands for below zero; None for one of a
    ``value`` along which nothing changes.
    """
    before, dots, after = term.partition("...")
    found: _Axes = [
        *map(ord, before),
        *([-distance for distance in range(hidden, 0, -1)] if dots else []),
        *map(ord, after),
    ]
    if value is None:
        return found
    still = [
        label is not None and label < 0 and (size == 1 or not step)
        for label, size, step in zip(found, value.shape, value.stride(), strict=True)
    ]
    return [None if flat else label for label, flat in zip(found, still, strict=True)]
