"""One forward pass of a network, watched, that leaves the network as it was."""

from __future__ import annotations

import contextlib
import itertools
import math
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from simulators.arguments import kind_of, require
from theorems.error_words import in_words
from theorems.inspection.dataflow import Dataflow, Node, close, opaque, tensors_in
from theorems.inspection.inputs import Batch, Inputs, InspectionError, inputs_of
from theorems.inspection.own_products import (
    Multiplied,
    OwnProducts,
    Product,
    Site,
    Sites,
    name_of,
)
from theorems.inspection.rewritten import to_give_instead

__all__ = ["LINEAR", "Call", "Passage", "as_it_was", "eager", "units_of", "watch"]

STATISTICS = ("batch", "running")
LINEAR = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
"""The modules that are judged: weights times what comes in, and a bias."""
_OPAQUE = "gives sparse or nested tensors, or works inside torch.func, and is not watched there"
_ELSE = "gives something else than its weights times what it receives, and its bias"
_MOVED = 0.1
"""Relative distance of rows that are the same but for rounding, which deep networks amplify."""


#: The methods that make a module of these a product.
_CODE = ("forward", "_conv_forward")


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a module: its name in the network, what came in and what came out.

    ``label`` is the name, and which call it is where there are several. ``began`` and ``ended``
    count the beginnings and ends of calls, so that a call within another is known by them.

    Of a linear map or convolution ``kind`` is the class, such as ``"Conv2d"``, ``units`` the axes
    of what comes out along which units lie, ``weight`` and ``bias`` as they entered, and
    ``computed`` says that the weight is computed from other parameters. It may be a product with
    weights in a module's own code: ``product`` is then that, ``name`` its parameter's, and
    ``module`` the one in whose code it stands.
    """

    name: str
    label: str
    module: nn.Module
    came: Node
    gave_node: Node
    began: int
    ended: int
    weight: Tensor | None = None
    bias: Tensor | None = None
    kind: str = ""
    units: tuple[int, ...] = ()
    computed: bool = False
    product: Product | None = None

    @property
    def parameters(self) -> list[Tensor]:
        """Those of its own."""
        if self.product is not None:
            return list(self.product.parameters)
        return list(self.module.parameters(recurse=False))

    @property
    def turned(self) -> bool:
        """Whether what comes in and out has the samples along its last axis."""
        return self.product is not None and self.product.by_column

    @property
    def received(self) -> Tensor:
        """What comes in, (n, …)."""
        return self.came.seen.mT if self.turned else self.came.seen

    @property
    def gave(self) -> Tensor:
        """What comes out, (n, …)."""
        return self.gave_node.seen.mT if self.turned else self.gave_node.seen

    def within(self, other: Call) -> bool:
        return other.began < self.began and self.ended < other.ended


@dataclass
class Passage:
    """A batch's way through a network.

    ``places`` are the calls that are linear maps of each sample, in order; ``calls`` are these and
    the others that are made of no smaller ones. ``refused`` says of a module by its name why a call
    of it is no place though it is a linear map or convolution. ``called`` names all modules that
    were called, with the number of calls. ``unfollowed`` is why data could not be followed, None if
    they were. ``inputs`` are what the network was given. ``objections`` are products in modules'
    own code that are no places, with the reason, and ``mixed`` those of several things that the
    batch enters.
    """

    batch: Tensor
    source: Node
    calls: list[Call] = field(default_factory=list)
    places: list[Call] = field(default_factory=list)
    outputs: list[Node] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    called: dict[str, int] = field(default_factory=dict)
    unfollowed: str | None = None
    inputs: Inputs | None = None
    objections: list[tuple[Call, str]] = field(default_factory=list)
    mixed: list[Product] = field(default_factory=list)

    def upright(self, node: Node) -> Tensor:
        """A value with the samples along its first axis, where the network has some of its values,
        (d, n), the other way.
        """
        value, samples = node.seen, len(self.batch)
        turned = value.ndim == 2 and value.shape[1] == samples != value.shape[0]
        return value.mT if turned and any(place.turned for place in self.places) else value


def watch(module: nn.Module, batch: Batch, statistics: str) -> Passage:
    """Run ``module`` on ``batch`` once, watched; it is left as it was.

    Args:
        module: whose forward takes the batch, and nothing else.
        batch: (n, …), n ≥ 3 samples along the first axis, or several arrays in a tuple or mapping.
        statistics: ``"batch"`` or ``"running"``, as `theorems.inspect` has it.

    Raises:
        InspectionError: a batch that the network does not take, values that are not finite.
        TypeError: what is no module.

    Cost: one forward pass, of which all values are kept.

    Example:
        >>> passage = watch(nn.Sequential(nn.Linear(4, 2), nn.ReLU()), torch.eye(4), "batch")
        >>> [call.label for call in passage.calls], len(passage.places)
        (['0', '1'], 1)
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"module={' '.join(f'{module!r:.60}'.split())} {to_give_instead(module)}")
    require(
        statistics in STATISTICS,
        f"statistics={statistics!r}; give 'batch' or 'running'",
        InspectionError,
    )
    tensors = (*module.named_parameters(), *module.named_buffers())
    if lazy := [name for name, item in tensors if nn.parameter.is_lazy(item)]:
        raise InspectionError(
            f"module has no shape yet at {lazy[0]!r}; run it on a batch once first, and leave out "
            "what no run reaches"
        )
    found: Passage | None = None
    refusals: list[str] = []
    for given in inputs_of(module, batch):
        try:
            found = _followed(module, given, statistics)
            break
        except InspectionError as error:
            refusals.append(str(error))
    if found is None:
        *whole, last = refusals
        raise InspectionError("; of whole numbers, ".join((last, *whole)))
    return found


def _followed(module: nn.Module, given: Inputs, statistics: str) -> Passage:
    """One run with the flow of data, or one without where that cannot be followed."""
    try:
        with as_it_was(module, statistics):
            return _passage(module, given, Dataflow())
    except InspectionError:
        raise
    # the user's code may raise anything, and Torch where it is watched
    except (Exception, SystemExit) as error:
        with as_it_was(module, statistics):
            passage = _passage(module, given, None)
        passage.unfollowed = f"data cannot be followed through it: {in_words(error)}"
        return passage


def _passage(module: nn.Module, given: Inputs, flow: Dataflow | None) -> Passage:
    """One run, with the flow of data if there is one. Without, what the user's code raises is an
    `InspectionError`.
    """
    source = Node("batch", given.samples, fed=True)
    passage = Passage(given.samples, source, inputs=given)
    everything: list[Call] = []
    state = torch.get_rng_state()
    moments = itertools.count()
    products = None if flow is None else OwnProducts(module, flow, moments)
    with torch.no_grad():
        entering = given.copied()
        if flow is not None:
            passage.source = flow.start(module, entering)
        with _hooks(module, passage, everything, flow, moments), eager():
            try:
                with products or contextlib.nullcontext(), flow or contextlib.nullcontext():
                    output = module(*entering.args, **entering.kwargs)
            except (Exception, SystemExit) as error:
                if flow is not None:
                    raise
                done = [call for call in everything if _smallest(call.module)]
                last = f" after {done[-1].label!r}" if done else ""
                raise InspectionError(
                    f"module fails{last} on a batch of shape {tuple(given.samples.shape)}: "
                    f"{in_words(error)}"
                ) from None
        passage.outputs = [_known(flow, item) for item in tensors_in(output) if not opaque(item)]
        require(
            passage.outputs,
            f"module gives {kind_of(output)}; it must give a dense tensor, or such in tuples or "
            "dicts",
            InspectionError,
        )
        own = [] if products is None else products.found
        passage.mixed = [item for item in own if item.fed is None]
        doubtful = [call for call in everything if _doubtful(call, len(given.samples))]
        sites = {
            item.site: item
            for item in own
            if item.fed is not None and _elsewhere(len(given.samples), item.came, item.gave)
        }
        moved = _moved(module, given, state, doubtful, sites) if doubtful or sites else set()
        _choose(passage, everything, moved)
        _choose_products(passage, module, own, set(sites) - moved)
        _keep_calls(passage, everything)
    _require_finite(passage)
    return passage


def _known(flow: Dataflow | None, value: Tensor) -> Node:
    return Node("unseen", value.detach().clone(), fed=True) if flow is None else flow.node(value)


def _require_finite(passage: Passage) -> None:
    for number, call in enumerate(passage.calls, start=1):
        finite = torch.isfinite(call.gave)
        if call not in passage.places:  # what is not to be seen is masked so
            finite |= call.gave == -math.inf
        require(
            finite.all(),
            "values that are not finite come out of layer "
            f"{number}, {call.label!r} ({type(call.module).__name__})",
            InspectionError,
        )
    for output in passage.outputs:
        require(
            torch.isfinite(output.seen).all(),
            "values that are not finite come out of the network, though out of none of its layers",
            InspectionError,
        )


# --- left as it was -------------------------------------------------------------------------------


@contextlib.contextmanager
def eager() -> Iterator[None]:
    """Compiled modules, and transformers that know a faster way, run as they are written, so that
    their layers are seen.

    >>> with eager():
    ...     float(torch.ones(()))
    1.0
    """
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    # where nothing was compiled, loading the compiler takes seconds
    compiled = "torch._dynamo" in sys.modules
    stance = torch.compiler.set_stance("force_eager") if compiled else contextlib.nullcontext()
    try:
        with stance:
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


@contextlib.contextmanager
def as_it_was(module: nn.Module, statistics: str) -> Iterator[None]:
    """Set the modes that ``statistics`` asks for; put modes, parameters, buffers and random state
    back afterwards.

    - ``statistics``: ``"batch"`` or ``"running"``

    >>> part = nn.BatchNorm1d(2)
    >>> with as_it_was(part, "running"):
    ...     part.training
    False
    >>> part.training
    True
    """
    modes = [(part, part.training) for part in module.modules()]
    kept = [
        (tensor, tensor.detach().clone()) for tensor in (*module.parameters(), *module.buffers())
    ]
    buffers = [(part._buffers, dict(part._buffers.items())) for part in module.modules()]
    devices = sorted({tensor.device for tensor, _ in kept if tensor.device.type == "cuda"}, key=str)
    with torch.random.fork_rng(devices):
        try:
            for part, _ in modes:
                part.training = statistics == "batch" and isinstance(
                    part, nn.modules.batchnorm._BatchNorm
                )
            yield
        finally:
            with torch.no_grad():
                for places, held in buffers:  # a scripted module's are no dict
                    for name, value in held.items():
                        places[name] = value
                for tensor, before in kept:
                    if not torch.equal(tensor, before):
                        # unseen by a graph that is waiting for its backward pass
                        tensor.data.copy_(before)
            for part, training in modes:
                part.training = training


# --- what is called -------------------------------------------------------------------------------


@contextlib.contextmanager
def _hooks(
    module: nn.Module,
    passage: Passage,
    found: list[Call],
    flow: Dataflow | None,
    moments: Iterator[int],
    names: Collection[str] | None = None,
) -> Iterator[None]:
    """Note every call of a module, or of those of these ``names``. No operation of Torch may run in
    a hook: it would be noted too.
    """
    handles = []
    open_calls: list[tuple[int, Node | None]] = []

    def before(part: nn.Module, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        first = next((item for item in tensors_in((args, kwargs)) if not opaque(item)), None)
        open_calls.append((next(moments), None if first is None else _known(flow, first)))

    def after(name: str) -> Callable[[nn.Module, object, object], None]:
        def note(part: nn.Module, args: object, output: object) -> None:
            began, came = open_calls.pop()
            passage.called[name] = count = passage.called.get(name, 0) + 1
            label = (name or type(part).__name__) + (f" (call {count})" if count > 1 else "")
            gave = next(iter(tensors_in(output)), None)
            if gave is not None and opaque(gave):
                passage.refused.setdefault(name, _OPAQUE)
            elif came is not None and gave is not None:
                kind = next((kind.__name__ for kind in LINEAR if isinstance(part, kind)), "")
                units = units_of(part)
                gave_node = _known(flow, gave)
                ended = next(moments)
                found.append(
                    Call(name, label, part, came, gave_node, began, ended, kind=kind, units=units)
                )

        return note

    try:
        for name, part in module.named_modules():
            if isinstance(part, torch.jit.ScriptModule):
                continue  # takes no such hooks
            if names is not None and name not in names:
                continue
            handles.append(part.register_forward_pre_hook(before, with_kwargs=True))
            handles.append(part.register_forward_hook(after(name)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def units_of(part: nn.Module) -> tuple[int]:
    """The axis along which the units of a linear map or convolution lie, from the end.

    >>> units_of(nn.Linear(2, 2)), units_of(nn.Conv2d(2, 2, 3))
    ((-1,), (-3,))
    """
    axes = len(part.kernel_size) if isinstance(part, nn.modules.conv._ConvNd) else 0
    return (-1 - axes,)


def _doubtful(call: Call, samples: int) -> bool:
    """Whether another axis than the first may be that of the samples."""
    return bool(call.kind) and _elsewhere(samples, call.came, call.gave_node)


def _elsewhere(samples: int, *nodes: Node) -> bool:
    return any(samples in node.value.shape[1:] for node in nodes)


class _Received(Sites):
    """What products at these sites receive, in another pass; which factor that is, they say."""

    def __init__(self, module: nn.Module, sites: Mapping[Site, int]) -> None:
        super().__init__(module)
        self.seen: dict[Site, Tensor] = {}
        self._sites = sites

    def multiplied(self, site: Site, found: Multiplied, run: Callable[[], Any]) -> Any:
        if site in self._sites:
            self.seen[site] = found.factors[self._sites[site]].detach().clone()
        return run()


def _moved(
    module: nn.Module,
    given: Inputs,
    state: Tensor,
    doubtful: Sequence[Call],
    products: Mapping[Site, Product],
) -> set[str | Site]:
    """Of these calls, by their labels, the ones of which rows move as the samples do in a batch in
    another order, and of these products, by their sites, those that receive such.
    """
    again: list[Call] = []
    turned = given.in_turn()
    other = Passage(turned.samples, Node("batch", turned.samples))
    torch.set_rng_state(state)
    # what fails has not moved
    names = {call.name for call in doubtful}
    received = _Received(module, {site: item.entry for site, item in products.items()})
    with (
        _hooks(module, other, again, None, itertools.count(), names),
        eager(),
        contextlib.suppress(Exception),
        received if products else contextlib.nullcontext(),
    ):
        module(*turned.args, **turned.kwargs)
    seen = {call.label: call for call in again}

    def rolled(a: Tensor, b: Tensor) -> bool:
        return a.shape == b.shape and bool((a.roll(1, dims=0) - b).norm() <= _MOVED * a.norm())

    calls = {
        call.label
        for call in doubtful
        if (other_call := seen.get(call.label)) is not None
        and rolled(call.received, other_call.received)
        and rolled(call.gave, other_call.gave)
    }

    def upright(value: Tensor, site: Site) -> Tensor:
        return value.mT if products[site].by_column else value

    return calls | {
        site
        for site, value in received.seen.items()
        if rolled(upright(products[site].came.seen, site), upright(value, site))
    }


def _choose(passage: Passage, everything: list[Call], moved: Collection[str | Site]) -> None:
    """Tell the calls that are linear maps of each sample. Of calls that are doubtful ``moved`` has
    those whose first axis is that of the samples.
    """
    samples = len(passage.batch)
    for call in sorted(everything, key=lambda item: item.began):
        if not call.kind:
            continue
        outer = next((place for place in passage.places if call.within(place)), None)
        inside = outer and f"is called inside {outer.label!r}, which is judged as one linear map"
        weight, bias = (getattr(call.module, name, None) for name in ("weight", "bias"))
        seen = replace(
            call,
            weight=weight.detach() if isinstance(weight, Tensor) else None,
            bias=bias.detach() if isinstance(bias, Tensor) else None,
            computed=not isinstance(call.module._parameters.get("weight"), nn.Parameter),
        )
        still = _doubtful(call, samples) and call.label not in moved
        if objection := inside or _objection(seen, samples, still):
            passage.refused.setdefault(call.name, objection)
        else:
            passage.places.append(seen)


def _choose_products(
    passage: Passage, module: nn.Module, found: Sequence[Product], still: Collection[str | Site]
) -> None:
    """Tell the products in modules' own code that are linear maps of each sample, named by a
    parameter; not those that a module consists of which is judged, or of which is known why not.
    Rows of ``still`` do not move with the samples.
    """
    modules = list(passage.places)
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    counts: Counter[str] = Counter()
    for item in found:
        known = passage.refused.get(item.within, _ELSE) != _ELSE
        inside = any(place.began < item.began and item.ended < place.ended for place in modules)
        if item.fed is None or item.scales or known or inside:
            continue
        name = name_of(item.parameters[0], names, item.within) + item.rows
        counts[name] += 1
        label = name + (f" (call {counts[name]})" if counts[name] > 1 else "")
        call = Call(
            name,
            label,
            item.part,
            item.came,
            item.gave,
            item.began,
            item.ended,
            bias=None if item.bias is None else item.bias.seen,
            kind=item.kind,
            units=item.units,
            product=item,
        )
        samples = len(passage.batch)
        if objection := _unlike_a_layer(item, samples) or _objection(
            call, samples, item.site in still
        ):
            passage.objections.append((call, objection))
        else:
            passage.places.append(replace(call, weight=item.weight, computed=item.computed))


def _keep_calls(passage: Passage, everything: list[Call]) -> None:
    """Put places in order, and tell the other calls that are made of no smaller ones."""
    samples = len(passage.batch)
    passage.places.sort(key=lambda item: item.ended)
    chosen: list[Call] = list(passage.places)
    for call in sorted(everything, key=lambda item: item.began):
        holds = any(place.within(call) or place.began == call.began for place in passage.places)
        if (
            _smallest(call.module)
            and not holds
            and not any(call.within(item) for item in chosen)
            and _by_sample(call.received, samples)
            and _by_sample(call.gave, samples)
            and call.gave_node.fed
        ):
            chosen.append(call)
    passage.calls = sorted(chosen, key=lambda item: item.ended)


def _smallest(part: nn.Module) -> bool:
    """Whether a module is not merely made of others."""
    return (
        next(part.children(), None) is None
        or next(part.parameters(recurse=False), None) is not None
    )


def _by_sample(value: Tensor, samples: int) -> bool:
    return value.ndim >= 2 and value.shape[0] == samples


def _objection(call: Call, samples: int, still: bool) -> str | None:
    """Why a call of a linear map or convolution cannot be judged; ``still`` if rows do not move
    with the samples.
    """
    received, gave = call.received, call.gave
    if not (call.came.fed and call.gave_node.fed):
        return "the batch does not enter it"
    for verb, value in (("receives", received), ("gives", gave)):
        if value.is_complex() or not value.is_floating_point():
            kind = str(value.dtype).removeprefix("torch.")
            return f"{verb} entries of type {kind}, not real numbers"
        if not _by_sample(value, samples):
            return (
                f"{verb} shape {tuple(value.shape)}, whose first axis does not hold the "
                f"{samples} samples"
            )
        if not value.numel():
            return f"{verb} no entries"
    if still:
        return (
            f"holds rows along its first axis that are not the {samples} samples: they do not "
            "move as those do"
        )
    if call.product is None and (call.weight is None or not _is_product(call)):
        return _ELSE
    return None


def _unlike_a_layer(product: Product, samples: int) -> str | None:
    """Why a product in a module's own code is no linear map of each sample, if it is none by its
    form.
    """
    if product.adds:
        return "adds something of the batch to its product in one call"
    shape = product.came.value.shape
    mixed = product.by_column and shape[0] == samples != shape[1]
    if mixed or not (product.by_row or product.by_column):
        return "multiplies along the samples, or has other weights for each of them"
    return None


def _is_product(call: Call) -> bool:
    """Whether what came out is weights times what came in, and a bias: by its code, else by the
    values.
    """
    module, base = call.module, next(kind for kind in LINEAR if isinstance(call.module, kind))
    code = {name: getattr(base, name) for name in _CODE if hasattr(base, name)}
    own = all(getattr(type(module), name) is function for name, function in code.items())
    hooked = module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module)
    if own and not hooked:
        return True
    try:
        if "_conv_forward" in code:
            product = code["_conv_forward"](module, call.received, module.weight, module.bias)
        else:
            product = code["forward"](module, call.received)
    except (RuntimeError, TypeError, ValueError):
        return False
    return product.shape == call.gave.shape and close(product, call.gave)
