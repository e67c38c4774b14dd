"""The network cut at its judged places: what happens between one and the next, as far as it can be
followed.

A stage goes from what a linear map gives to what the next one on its way receives. Which values
enter there is read off the flow of data, what was done to them off the values. Every parameter of
the network stands under a stage that is judged, or under a module that is not, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import array_api_compat.torch
import torch
from torch import Tensor, nn

from simulators.activations import ACTIVATIONS
from theorems.inspection.dataflow import Node, between, close, in_rows, reached, same, upstream
from theorems.inspection.forward_pass import Call, Passage
from theorems.inspection.inputs import InspectionError
from theorems.inspection.rewritten import COMPILED, holding_quantised, of_a_graph

__all__ = [
    "NotJudged",
    "Parameters",
    "Role",
    "Stage",
    "account",
    "hidden_stages",
    "judged_share",
    "stages",
]

#: Share of the energy of rescaled rows that the ε beside their variances may take.
_NEGLIGIBLE = 0.05
#: Entries of each sample that are tried first.
_PROBED = 256
#: Of what enters a sum, at most.
_NAMED = 3
#: Operations that make probabilities of outputs.
_PROBABILITIES = frozenset({"_softmax", "_log_softmax"})


class Role(StrEnum):
    """What a stage is to the network; the verdict is about the hidden ones."""

    HIDDEN = "hidden"
    OUTPUT = "maps to the outputs"
    POOLED = "is pooled for the outputs"
    UNUSED = "gives what no output is made of"
    CHOICE = "chooses by what it gives, of which no value goes on"
    LOST = "gives what cannot be followed to an output, as data leave Torch on the way"


@dataclass(frozen=True)
class Stage:
    """From one linear map to the next on its way, or to an output.

    ``features`` is what comes out, (n, ...). ``actions`` is what happened after the weights, in
    order, such as ``("batchnorm", "relu")``; an action that is not recognised is the class of its
    module, or ``"?"``. ``factor`` is that of the branch which a skip connection is added to, None
    without one, and ``own_skip`` says whether what is skipped is what the map itself receives.
    ``joined`` names what else enters there, empty where nothing does. ``arrival`` is the value that
    arrives at the next map or output, ``calls`` are the modules on the way.
    """

    call: Call
    features: Tensor
    actions: tuple[str, ...] = ()
    factor: float | None = None
    own_skip: bool = False
    joined: tuple[str, ...] = ()
    recentred: bool = False
    arrival: Node | None = None
    calls: tuple[Call, ...] = ()
    role: Role = Role.HIDDEN

    @property
    def width(self) -> int:
        """Entries per sample of what comes out."""
        return self.features[0].numel()

    @property
    def does(self) -> str:
        """What happens on the way, in words: ``weights → batchnorm → relu``."""
        return " → ".join(("weights", *self.actions, *((self.joint,) if self.joined else ())))

    @property
    def joint(self) -> str:
        """What else enters: the first names of ``joined``, and how many more there are."""
        more = len(self.joined) - _NAMED
        return (
            "joined with "
            f"{' and '.join(self.joined[:_NAMED])}{f' and {more} more' if more > 0 else ''}"
        )


def stages(passage: Passage) -> list[Stage]:
    """The stages of all places in the order of their calls, the hidden ones first.

    >>> from theorems.inspection.forward_pass import watch
    >>> network = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> [str(stage.role) for stage in stages(watch(network, torch.eye(4), "batch"))]
    ['hidden', 'maps to the outputs']
    """
    found = [_stage(passage, place) for place in passage.places]
    found = _roles(found, passage)
    return sorted(found, key=lambda stage: stage.role is not Role.HIDDEN)


# --- what enters and what happens -----------------------------------------------------------------


def _stage(passage: Passage, place: Call) -> Stage:
    if passage.unfollowed is not None:
        return Stage(place, place.gave, ("?",))
    arrival = _arrival(passage, place)
    if arrival is None:
        unseen = any(node.kind == "unseen" for node in upstream(passage.outputs))
        return Stage(place, place.gave, role=Role.LOST if unseen else Role.UNUSED)
    way = between(arrival, place.gave_node)
    if not _goes_on(way, arrival, place):
        return Stage(place, place.gave, role=Role.CHOICE)
    made = {item.gave_node: item for item in passage.places}
    taken = {item.came: item for item in reversed(passage.places) if item.began <= place.began}
    others = reached(arrival, {*made, *taken}) - {place.gave_node}
    skipped = next(iter(others)) if len(others) == 1 and others <= set(taken) else None
    if not others or skipped is not None:
        calls = _on(way, passage)
        before = None if skipped is None else passage.upright(skipped)
        actions, factor, recentred = _steps(place, calls, passage.upright(arrival), before)
        if skipped is None or "residual" in actions:
            return Stage(
                place,
                _by_sample(passage, [arrival], place),
                actions,
                factor,
                own_skip=skipped is place.came,
                recentred=recentred,
                arrival=arrival,
                calls=calls,
            )
    alone = _alone(way, place)
    calls = _on(set(alone), passage)
    # and no parts of it
    whole = [node for node in alone if node.value.numel() == place.gave.numel()]
    last = all(made[node].began < place.began for node in others if node in made)
    actions, _, recentred = _steps(place, calls, passage.upright(whole[-1]), None)
    return Stage(
        place,
        _by_sample(passage, [*whole, arrival] if last else whole, place),
        actions,
        joined=tuple(_names(others, made, taken)),
        recentred=recentred,
        arrival=arrival,
        calls=_on(way, passage) if last else calls,
    )


def _arrival(passage: Passage, place: Call) -> Node | None:
    """The value made of what ``place`` gives that the next map receives, or else that comes out."""
    made = {item.gave_node for item in passage.places}
    later = [
        item.came
        for item in sorted(passage.places, key=lambda item: item.began)
        if item.began > place.began
    ]
    return next(
        (node for node in [*later, *passage.outputs] if place.gave_node in reached(node, made)),
        None,
    )


def _goes_on(way: set[Node], arrival: Node, place: Call) -> bool:
    """Whether numbers, and not only places and truth values, go from what ``place`` gives to what
    arrives.
    """
    found = {place.gave_node}
    for node in sorted(way, key=lambda item: item.order):
        number = node.value.is_floating_point() or node.value.is_complex()
        if number and any(item in found for item in node.made_from):
            found.add(node)
    return arrival in found


def _alone(way: set[Node], place: Call) -> list[Node]:
    """The values on the way that are made of what ``place`` gives and of nothing else, in order."""
    alone = {place.gave_node: None}
    for node in sorted(way, key=lambda item: item.order):
        if node not in alone and all(item in alone for item in node.made_from if item.fed):
            alone[node] = None
    return list(alone)


def _on(way: set[Node], passage: Passage) -> tuple[Call, ...]:
    """The calls between values on the way."""
    return tuple(
        call
        for call in passage.calls
        if call not in passage.places and call.came in way and call.gave_node in way
    )


def _by_sample(passage: Passage, nodes: Sequence[Node], place: Call) -> Tensor:
    """The last of these values that has a row for each sample."""
    samples = len(passage.batch)
    return next(
        (
            value
            for value in map(passage.upright, reversed(nodes))
            if value.ndim >= 2
            and value.shape[0] == samples
            and value.is_floating_point()
            and torch.isfinite(value).all()
        ),
        place.gave,
    )


def _names(others: set[Node], made: Mapping[Node, Call], taken: Mapping[Node, Call]) -> list[str]:
    """What else enters, in words."""
    names = []
    for node in sorted(others, key=lambda item: item.order):
        if node in made:
            names.append(f"{made[node].label!r}")
        elif node.kind == "batch":
            names.append("the batch")
        elif node in taken:
            names.append(f"what {taken[node].label!r} receives")
        else:
            names.append("a tensor from elsewhere")
    return names


# --- by which functions ---------------------------------------------------------------------------


def _steps(
    place: Call, calls: Sequence[Call], arrived: Tensor, skipped: Tensor | None
) -> tuple[tuple[str, ...], float | None, bool]:
    """What was done from what ``place`` gives to what arrived, module by module and between them.

    Returns the actions, the factor of the branch that a skip connection is added to, and whether a
    bias is subtracted: where the first action but a sum takes the mean over the samples away.
    """
    actions: list[str] = []
    factor: float | None = None
    recentring: list[bool] = []
    here = place.gave
    for call in [*calls, None]:
        received = arrived if call is None else call.received
        if not same(here, received):
            names, added = _function_and_sum(here, received, skipped)
            factor = factor if added is None else added
            actions += names
            recentring += [name in {"recenter", "batchnorm"} for name in names]
        if call is not None:
            name = _function(call.received, call.gave, _epsilon(call)) or type(call.module).__name__
            actions.append(name)
            recentring.append(name in {"recenter", "batchnorm"} or _subtracts(call))
            here = call.gave
    kept = [
        (name, mean) for name, mean in zip(actions, recentring, strict=True) if name != "identity"
    ]
    first = next((mean for name, mean in kept if name != "residual"), False)
    return tuple(name for name, _ in kept), factor, first


def _function_and_sum(
    before: Tensor, after: Tensor, skipped: Tensor | None
) -> tuple[tuple[str, ...], float | None]:
    """What the user's own code did between two modules: a function, or a skip connection and the
    branch's factor.
    """
    if (name := _function(before, after)) is not None:
        return (name,), None
    if skipped is None or not (_of_a_size(before, after) and _of_a_size(skipped, after)):
        return ("?",), None
    x, y, z = in_rows(before), in_rows(after), in_rows(skipped)
    if close(x + z, y):
        return ("residual",), 1.0
    for (name, of_branch), (_, of_sum) in zip(_activated(x), _activated(x + z), strict=True):
        if close(of_branch + z, y):
            return (name, "residual"), 1.0
        if close(of_sum, y):
            return ("residual", name), 1.0
    energy = float(x.square().sum())
    factor = float(((y - z) * x).sum()) / energy if energy > 0 else 0.0
    return (("residual",), factor) if close(factor * x + z, y) else (("?",), None)


def _of_a_size(one: Tensor, other: Tensor) -> bool:
    """Whether two have as many rows, of as many entries."""
    return min(one.ndim, other.ndim) > 0 and len(one) == len(other) and one.numel() == other.numel()


def _function(before: Tensor, after: Tensor, epsilon: float = 1e-5) -> str | None:
    """The function of the theory that takes ``before`` to ``after``, by values; None if none
    does.
    """
    real = before.is_floating_point() and after.is_floating_point()
    if not (real and _of_a_size(before, after)):
        return None
    x, y = in_rows(before), in_rows(after)
    largest = float(y.abs().max())
    few, wanted = x[:, :_PROBED], y[:, :_PROBED]  # which nearly all functions fail
    if close(few, wanted, largest) and close(x, y):
        return "identity"
    for name, activated in _activated(few):
        if close(activated, wanted, largest) and close(_image(name, x), y):
            return name
    centred = x - x.mean(dim=0)
    size = x.abs().amax(dim=0)  # what cancels in the difference leaves its rounding behind
    if close(centred, y, size):
        return "recenter"
    variance = centred.square().mean(dim=0)
    deviation = (variance + epsilon).sqrt()
    varied = variance.sqrt() > 1e-6 * size
    small = (
        bool(varied.any()) and float((epsilon / (variance[varied] + epsilon)).mean()) <= _NEGLIGIBLE
    )
    return "batchnorm" if small and close(centred / deviation, y, size / deviation) else None


def _activated(x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The image of ``x``, (n, m), under each activation of the catalogue but the identity."""
    for name in ACTIVATIONS:
        if name != "identity":
            yield name, _image(name, x)


def _image(name: str, x: Tensor) -> Tensor:
    return torch.as_tensor(ACTIVATIONS[name].function(x, array_api_compat.torch))


def _epsilon(call: Call) -> float:
    return call.module.eps if isinstance(call.module, nn.modules.batchnorm._BatchNorm) else 1e-5


def _subtracts(call: Call) -> bool:
    """Whether a batchnorm takes the mean over the samples away, whatever its scale, shift and ε."""
    module = call.module
    if (
        not isinstance(module, nn.modules.batchnorm._BatchNorm)
        or call.received.shape != call.gave.shape
    ):
        return False
    axes = [0, *range(2, call.received.ndim)]
    shape = [1, -1, *[1] * (call.received.ndim - 2)]
    shift = torch.zeros(1) if module.bias is None else module.bias.detach().reshape(shape)
    mean, size = (
        call.gave.mean(dim=axes, keepdim=True),
        call.gave.abs().amax(dim=axes, keepdim=True),
    )
    return bool(((mean - shift).abs() <= 1e-3 * size + torch.finfo(mean.dtype).tiny).all())


# --- what they are to the network -----------------------------------------------------------------


def _roles(found: Sequence[Stage], passage: Passage) -> list[Stage]:
    """The stages with their roles: outputs, what is pooled for them, and the hidden ones."""
    if passage.unfollowed is not None:  # the last call is taken for the outputs' map
        return (
            [*found[:-1], replace(found[-1], role=Role.OUTPUT)] if len(found) > 1 else list(found)
        )
    received = {item.came for item in passage.places}
    inner = [item for item in found if item.arrival in received]
    heads = [
        item
        for item in found
        if item.role is Role.HIDDEN and item not in inner and _is_head(item, inner)
    ]
    taken = {item.call.came for item in heads}
    hidden = [item for item in found if item.role is Role.HIDDEN and item not in heads]
    pooled = [
        item for item in hidden if item.arrival in taken and item.width < item.call.gave[0].numel()
    ]
    if len(pooled) == len(hidden):
        pooled = []
    roles = {
        **{id(item): Role.OUTPUT for item in heads},
        **{id(item): Role.POOLED for item in pooled},
    }
    return [replace(item, role=roles.get(id(item), item.role)) for item in found]


def _is_head(stage: Stage, inner: Sequence[Stage]) -> bool:
    """Whether what ends in an output is a bare map, perhaps made probabilities, and the inner
    stages are more than that, or of another width.
    """
    widths = {item.width for item in inner}
    kinds = (
        {node.kind for node in between(stage.arrival, stage.call.gave_node)}
        if stage.arrival
        else set()
    )
    bare = not stage.actions or bool(kinds & _PROBABILITIES)
    richer = stage.width not in widths or any(item.actions for item in inner)
    squashed = stage.actions == ("sigmoid",) and stage.width not in widths
    separate = not stage.joined or stage.width not in widths
    return bool(inner) and separate and (squashed or (bare and richer))


# --- what is not judged ---------------------------------------------------------------------------

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
    (torch.jit.ScriptModule, COMPILED),
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
_QUANTISED = (
    "has quantised weights, which are not watched; inspect the network before it is quantised"
)
_EXPORTED = (
    "is part of an exported graph, which calls no modules; inspect the network before the export"
)
_ELSEWHERE = "is not called itself, and its parameters are used in the code of another"
_TIME_FIRST = "; it takes the first axis for time, where the samples are (batch_first=False)"


@dataclass(frozen=True)
class NotJudged:
    """A module that holds parameters and was not judged: how many are counted here, and why.

    ``parameters`` counts entries; what is shared counts once, with the layer that is judged if
    there is one. ``output`` says that it maps to the outputs, or is pooled for them; ``idle`` that
    it looks rows up, or takes no part, so that there is nothing to judge.
    """

    name: str
    kind: str
    parameters: int
    reason: str
    output: bool = False
    idle: bool = False


@dataclass(frozen=True)
class Parameters:
    """Entries of all parameters, and of quantised weights: ``total`` = ``judged`` +
    ``not_judged``.
    """

    total: int
    judged: int
    not_judged: int


def hidden_stages(module: nn.Module, passage: Passage, found: Sequence[Stage]) -> list[Stage]:
    """Those of the stages ``found`` in a ``passage`` of ``module`` that are judged.

    Raises:
        InspectionError: there are none.

    Example:
        >>> from theorems.inspection.forward_pass import watch
        >>> network = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
        >>> passage = watch(network, torch.eye(4), "batch")
        >>> [stage.does for stage in hidden_stages(network, passage, stages(passage))]
        ['weights → relu']
    """
    hidden = [stage for stage in found if stage.role is Role.HIDDEN]
    if not hidden:
        _, left = account(module, passage, found)
        same: dict[str, list[NotJudged]] = {}
        for item in left:
            same.setdefault(item.reason, []).append(item)
        why = "; ".join(
            f"{items[0].name!r} ({items[0].kind})"
            + (f", like {len(items) - 1} more," if len(items) > 1 else "")
            + f" {reason}"
            for reason, items in list(same.items())[:3]
        )
        raise InspectionError(
            "module has no layer with weights that can be judged; nothing to inspect"
            + (f": {why}" if why else "")
        )
    return hidden


def judged_share(parameters: Parameters, left: Sequence[NotJudged]) -> float:
    """The share judged of the parameters that could be: not those of maps to the outputs, nor of
    tables of rows, nor of what takes no part; 1 if there are none.

    >>> judged_share(Parameters(10, 4, 6), [NotJudged("a", "LSTM", 4, ""),
    ...                                     NotJudged("b", "Linear", 2, "", output=True)])
    0.5
    """
    counted = sum(item.parameters for item in left if not (item.output or item.idle))
    return parameters.judged / (parameters.judged + counted) if counted else 1.0


def account(
    module: nn.Module,
    passage: Passage,
    stages: Sequence[Stage],
    also: Collection[str] = (),
) -> tuple[Parameters, tuple[NotJudged, ...]]:
    """Count every parameter once, and name every module that holds some and was not judged.

    ``stages`` are all of the ``passage``, the judged ones first; ``also`` names modules that are
    judged and no stages.

    >>> from theorems.inspection.forward_pass import watch
    >>> network = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
    >>> passage = watch(network, torch.eye(4), "batch")
    >>> account(network, passage, stages(passage))
    (Parameters(total=10, judged=10, not_judged=0), ())
    """
    judged: set[str] = set(also)
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
    own = _own_judged(held, stages)
    before = upstream(passage.outputs)
    followed = passage.unfollowed is None and not any(node.kind == "unseen" for node in before)
    entering = (
        {node.value.data_ptr() for node in before if node.kind == "parameter"} if followed else None
    )
    parts, graphs = dict(module.named_modules()), of_a_graph(module)
    counted: set[int] = set()
    under = sum(_count(held[name], counted) for name in held if name in judged)
    under += _count([item for item in module.parameters() if id(item) in own], counted)
    told = _told(module, passage, stages)
    found = []
    for name, parameters in held.items():
        if name in judged:
            continue
        part = parts[name]
        known = name in passage.refused or name in roles
        groups: dict[NotJudged, list[nn.Parameter]] = {}
        left = [item for item in parameters if id(item) not in own]
        rest = [item for item in left if known or id(item) not in told]
        for item in left:
            if not known and id(item) in told:
                groups.setdefault(told[id(item)], []).append(item)
        if rest:
            reason = _reason(name, rest, part, passage, roles, entering, graphs)
            label = name or type(module).__name__
            idle = _idle(rest, part, entering)
            groups[NotJudged(label, _kind(part), 0, reason, name in outputs, idle)] = rest
        for why, kept in groups.items():
            count = _count(kept, counted)
            shared = "" if count else "; its parameters are shared, and counted elsewhere"
            found.append(replace(why, parameters=count, reason=why.reason + shared))
    found += [
        NotJudged(name or type(module).__name__, _kind(part), count, _QUANTISED)
        for name, part, count in holding_quantised(module)
    ]
    left_out = sum(item.parameters for item in found)
    return Parameters(under + left_out, under, left_out), tuple(found)


#: Operations that do to each value what parameters say, or normalise.
_ONE_BY_ONE = frozenset(
    {
        *("add", "add_", "sub", "sub_", "mul", "mul_", "div", "div_", "addcmul"),
        *("native_layer_norm", "native_group_norm", "native_batch_norm", "_fused_rms_norm"),
        "_prelu_kernel",
    }
)


def _own_judged(held: Mapping[str, Sequence[nn.Parameter]], stages: Sequence[Stage]) -> set[int]:
    """The parameters, by their ids, that are judged with products in modules' own code: weights and
    biases, and what the same modules do to each value on its way to the next map.
    """
    own = [stage for stage in stages if stage.role is Role.HIDDEN and stage.call.product]
    found = {id(item) for stage in own for item in stage.call.parameters}
    holders = {name for name, items in held.items() if any(id(item) in found for item in items)}
    theirs = {id(item) for name in holders for item in held[name]}
    for stage in stages if own else ():
        if stage.role is not Role.HIDDEN or stage.arrival is None:
            continue
        for node in between(stage.arrival, stage.call.gave_node):
            if node.kind in _ONE_BY_ONE:
                entering = upstream([item for item in node.made_from if not item.fed])
                found |= {id(item.value) for item in entering if item.kind == "parameter"} & theirs
    return found


def _told(module: nn.Module, passage: Passage, stages: Sequence[Stage]) -> dict[int, NotJudged]:
    """Why parameters are not judged that modules' own code multiplies by, by their ids."""
    found: dict[int, NotJudged] = {}
    for stage in stages:
        if stage.call.product is not None and stage.role is not Role.HIDDEN:
            output = stage.role in {Role.OUTPUT, Role.POOLED}
            why = NotJudged(stage.call.name, stage.call.kind, 0, str(stage.role), output)
            found |= {id(item): why for item in stage.call.parameters if id(item) not in found}
    for call, reason in passage.objections:
        why = NotJudged(call.name, call.kind, 0, reason)
        found |= {id(item): why for item in call.parameters if id(item) not in found}
    if passage.mixed:
        names = {id(item): name for name, item in module.named_parameters()}
        places = {call.gave_node for call in passage.places}
        for item in _mixed(passage, places):
            if id(item) in names and id(item) not in found:
                found[id(item)] = NotJudged(names[id(item)], "Product", 0, _MIXED)
    return found


_MIXED = "enters a product of several things that depend on the batch, no linear map"


def _mixed(passage: Passage, places: Collection[Node]) -> list[Tensor]:
    """The parameters that enter products of several things that the batch enters, and no place
    before.
    """
    seen: set[Node] = set()
    left = [node for product in passage.mixed for node in product.factors]
    while left:
        node = left.pop()
        if node not in seen:
            seen.add(node)
            left += () if node in places else node.made_from
    return [node.value for node in seen if node.kind == "parameter"]


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
    new = {id(item): item.numel() for item in parameters if id(item) not in counted}
    counted.update(new)
    return sum(new.values())


def _kind(part: nn.Module) -> str:
    return str(getattr(part, "original_name", type(part).__name__))


def _used(parameters: Sequence[nn.Parameter], entering: set[int] | None) -> bool:
    return entering is None or any(item.data_ptr() in entering for item in parameters)


def _idle(parameters: Sequence[nn.Parameter], part: nn.Module, entering: set[int] | None) -> bool:
    """Whether it looks rows up, or these of it are known to take no part in the outputs."""
    return isinstance(part, nn.Embedding | nn.EmbeddingBag) or not _used(parameters, entering)


def _reason(
    name: str,
    parameters: Sequence[nn.Parameter],
    part: nn.Module,
    passage: Passage,
    roles: Mapping[str, str],
    entering: set[int] | None,
    graphs: Collection[str],
) -> str:
    """Why these parameters of a module are not judged; ``entering`` are those that the outputs are
    made of, if that is known, ``graphs`` the modules that hold those of exported graphs.
    """
    used = _used(parameters, entering)
    if name in passage.refused:
        return passage.refused[name]
    if name in roles:
        return roles[name]
    scripted = isinstance(part, torch.jit.ScriptModule)
    if name not in passage.called and not scripted:
        if not (used and entering):
            return "is never called in the forward pass"
        return _EXPORTED if name in graphs else _ELSEWHERE
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
