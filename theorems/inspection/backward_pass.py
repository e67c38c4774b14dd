"""Gradients at the judged places of a network, and whether they explode or vanish on their way back.

L is a loss, or ΣG·Y of the outputs Y with entries of G standard normal. At each place the gradient
∂L/∂y of what the linear map gives is noted, y = Wx + b, all samples together. The logarithm of its
norm against depth, the number of judged places before it, has the least-squares slope −log g: on
its way back a gradient grows by the factor g a layer. Places that a way leads past lie on a line of
their own height, as the branches of a network may all be scaled. Attention is a place too, though
its maps are within one call, and the steps of a recurrent module are places of a chain of their
own. What growth is too much, `growth` says.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from simulators.arguments import kind_of, require
from theorems.error_words import in_words
from theorems.inspection.attention import picked, soft_choices
from theorems.inspection.dataflow import in_rows, reached, tensors_in, upstream
from theorems.inspection.forward_pass import (
    LINEAR,
    Call,
    Passage,
    as_it_was,
    eager,
    units_of,
)
from theorems.inspection.growth import (
    DEVIATIONS,
    FLAT,
    STEADY,
    Course,
    by_chance,
    course_of,
    factor,
    interval,
)
from theorems.inspection.inputs import Inputs, InspectionError
from theorems.inspection.own_products import Multiplied, Site, Sites
from theorems.inspection.predictions import Back
from theorems.inspection.recurrences import Recurrence, Steps, alike, recurrence, unrolled
from theorems.inspection.stages import Stage

__all__ = [
    "DEVIATIONS",
    "STEADY",
    "Backward",
    "Course",
    "Gradients",
    "Loss",
    "along",
    "followed",
    "go_back",
    "gradients",
    "slope",
]

#: A function of what the network gives, to one number.
Loss = Callable[[object], Tensor]
Floats = NDArray[np.float64]

_OUTPUTS = "random output gradients"
_DRAWS = 8
_FEWER = 2  # of each of the other networks, and of a large one, whose others have 1
_MOST_WORK = 2e9  # in multiplications of a forward pass
_MANY = 0.75  # of the units of a layer, dead: half are where all samples are alike
_RARE = 1e-5  # probability of so many by chance, of halves
_BOUNDED: Mapping[str, Callable[[Tensor], Tensor]] = {
    "tanh": lambda y: 1 - y.square(),
    "sigmoid": lambda y: 4 * y * (1 - y),
    "erf": lambda y: (-torch.special.ndtri((y.clamp(-1, 1) + 1) / 2).square() / 2).exp(),
    "Softsign": lambda y: (1 - y.abs()).square(),
    "Hardtanh": lambda y: ((y > y.min()) & (y < y.max())).double(),
    "Hardsigmoid": lambda y: ((y > 0) & (y < 1)).double(),
}
"""Slopes by what comes out, over the largest."""


@dataclass(eq=False)
class Backward:
    """Of one network: at each judged call, by its label, ‖∂L/∂y‖_F, (draws,), and the units that no
    gradient reached, (units,); of what calls receive, where asked for, ∂L/∂x of the first draw;
    recurrent modules, by the names of their chains; and of attention that is
    a module in how many sequences it chooses, and the share of saturated rows.
    """

    norms: dict[str, list[float]] = field(default_factory=dict)
    still: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    arriving: dict[str, Tensor] = field(default_factory=dict)
    chains: dict[str, Steps] = field(default_factory=dict)
    choices: dict[str, tuple[int, float]] = field(default_factory=dict)

    def forget_gradients(self) -> None:
        """Have no gradient noted so far."""
        for noted in (self.norms, self.still, self.arriving):
            noted.clear()
        for steps in self.chains.values():
            for norms in steps.norms:
                norms.clear()


@dataclass(frozen=True)
class Gradients:
    """What becomes of gradients, layer by layer.

    ``norms``, ``dead`` and ``saturated`` are of the layers of an `Inspection` in their order:
    ‖∂L/∂y‖_F, a root mean square over random output gradients; the share of units that give the
    same for all samples and pass no gradient; the share of entries where a bounded activation has
    less than a tenth of its largest slope. NaN where there is none. ``rate`` is the factor a layer
    on the way back, of this network; ``low`` to ``high`` is an interval at level 95 % of the mean
    ``over`` what is told, in which the network's own need not lie; ``own`` is that of its own, over
    its random output gradients, NaN where there is one or a loss. ``layers`` is how many it was
    fitted over, from the first to the last that a gradient reaches, and ``allowed`` the factor over
    all of them within which it is steady. ``intervals`` has the ends of the geometric mean of each
    norm, at the same level and ``over`` the same; NaN where there is none. ``ends`` is the factor
    from the last place to the first on the longest way. ``recurrences`` are the recurrent modules,
    whose steps are no layers;
    ``decided`` is the first of them of which gradients are not steady, where those of the layers
    are, None otherwise: ``course`` is then its. ``choices`` is the share of saturated rows of each
    attention, by its label; ``saturating`` the first hidden layer, or else attention, of which
    three quarters of the entries, or rows, are saturated.
    """

    loss: str
    norms: tuple[float, ...]
    dead: tuple[float, ...]
    saturated: tuple[float, ...]
    rate: float
    low: float
    high: float
    over: str
    layers: int
    allowed: float
    course: Course
    dying: int | None
    intervals: tuple[tuple[float, float], ...] = ()
    own: tuple[float, float] = (math.nan, math.nan)
    ends: float = math.nan
    recurrences: tuple[Recurrence, ...] = ()
    decided: Recurrence | None = None
    choices: tuple[tuple[str, float], ...] = ()
    saturating: tuple[str, float] | None = None

    @property
    def total(self) -> float:
        """The factor over all layers."""
        return math.exp(self.layers * math.log(self.rate)) if self.rate > 0 else math.nan

    @property
    def healthy(self) -> bool:
        """Whether gradients are steady, and no layer is dying or saturated."""
        return self.course is Course.STEADY and self.dying is None and self.saturating is None

    @property
    def sentence(self) -> str:
        """In words, how gradients grow.

        >>> flat = Gradients("", (), (), (), 1.5, 1.4, 1.6, "4 seeds", 10, 1e3,
        ...                  Course.STEADY, None)
        >>> flat.sentence
        'factor 1.5 a layer on the way back (mean over 4 seeds: 1.4 to 1.6), 58 over 10 layers'
        """
        if self.decided is not None:
            return self.decided.sentence
        still = sum(norm == 0 for norm in self.norms)
        none = f"; none arrives at {still} of {len(self.norms)} layers" if still else ""
        if not math.isfinite(self.rate):
            return f"no growth, as no two layers in a row have gradients{none}"
        words = []
        if math.isfinite(self.own[0]) and _OUTPUTS not in self.over:
            low, high = self.own
            words.append(f"{low:.3g} to {high:.3g} by {_OUTPUTS}")
        if self.over:
            words.append(f"mean over {self.over}: {self.low:.3g} to {self.high:.3g}")
        spread = f" ({'; '.join(words)})" if words else ""
        many = f"{self.layers} layer{'s' if self.layers > 1 else ''}"
        return (
            f"factor {self.rate:.3g} a layer on the way back{spread}, {self.total:.2g} over "
            f"{many}{self._jump}{none}"
        )

    @property
    def word(self) -> str:
        """``course``, but ``"stopped"`` for steady ones that a dying layer lets not pass, and
        ``"unknown"`` where no two places have gradients to compare.

        >>> Gradients("", (), (), (), math.nan, math.nan, math.nan, "", 1, 1e3,
        ...           Course.STEADY, None).word
        'unknown'
        """
        if self.course is not Course.STEADY:
            return self.course.value
        if self.dying is not None:
            return "stopped"
        compared = math.isfinite(self.rate) or math.isfinite(self.ends) or bool(self.recurrences)
        return self.course.value if compared else "unknown"

    @property
    def layered(self) -> Course:
        """What becomes of them from layer to layer, whatever recurrent modules do."""
        return self.course if self.decided is None else Course.STEADY

    @property
    def _jump(self) -> str:
        """The factor from the last layer to the first, where that alone is past what is allowed."""
        within = 1 / self.allowed <= self.total <= self.allowed
        decides = self.course is not Course.STEADY and self.decided is None and within
        return f", {self.ends:.2g} from the last to the first" if decides else ""

    def as_json(self) -> dict[str, object]:
        """The fields, and ``total``."""
        return {
            **self.__dict__,
            "course": self.word,
            "total": self.total,
            "recurrences": [item.as_json() for item in self.recurrences],
            "decided": None if self.decided is None else self.decided.name,
        }


def gradients(
    module: nn.Module,
    passage: Passage,
    found: Sequence[Stage],
    statistics: str,
    *,
    seed: int = 0,
    loss: Loss | None = None,
    others: Sequence[nn.Module] = (),
) -> Gradients | str:
    """Go back through a network, and judge how gradients grow.

    Args:
        module: that of the ``passage``; it is left as it was.
        passage: forward, of the same module.
        found: its stages, of which the hidden ones are judged.
        statistics: ``"batch"`` or ``"running"``.
        seed: of the random output gradients.
        loss: of what the module gives; standard normal output gradients without one.
        others: the same network with other weights, over which the interval is taken; without them
            it is over the output gradients.

    Returns:
        What was measured, or why nothing was.

    Cost: a forward pass and 8 backward passes, 2 of large networks; for each of the others 2, of
    large ones 1; with a loss 1.

    Example:
        >>> from theorems.inspection.forward_pass import watch
        >>> from theorems.inspection.stages import stages
        >>> parts = [nn.Linear(8, 8, bias=False) for _ in range(5)]
        >>> for part in parts:
        ...     _ = nn.init.orthogonal_(part.weight, gain=2.0)
        >>> network = nn.Sequential(*parts)
        >>> passage = watch(network, torch.eye(8), "batch")
        >>> seen = gradients(network, passage, stages(passage), "batch")
        >>> round(seen.rate, 4), seen.layers, seen.course.value
        (2.0, 4, 'steady')
    """
    try:
        large = _work(passage) >= _MOST_WORK
        draws = _FEWER if large else _DRAWS
        seen = go_back(module, passage, statistics, draws=draws, seed=seed, loss=loss)
        beside = [
            go_back(other, passage, statistics, draws=1 if large else _FEWER, seed=seed, loss=loss)
            for other in others
        ]
    except InspectionError as error:
        return str(error)
    if any(still.all() for still in seen.still.values()):
        _open(module, passage, statistics, seen, loss)
    depths = _depths(passage, found)
    logs = _logs(seen, depths)
    branches = _branches(passage, depths)
    draws_of = logs.T if logs.shape[1] > 1 else ()
    own = interval([slope(depths, column, branches) for column in draws_of])
    rates = [
        rate
        for each in (seen, *beside)
        if math.isfinite(rate := slope(depths, _logs(each, depths).mean(axis=1), branches))
    ]
    over = f"{len(rates)} initialisations"
    if not others:
        over = f"{logs.shape[1]} {_OUTPUTS}"
    mean = slope(depths, logs.mean(axis=1), branches)
    low, high = interval(rates) if others else own
    reached_at = np.array(list(depths.values()))[np.isfinite(logs).all(axis=1)]
    span = int(np.ptp(reached_at)) if len(reached_at) else 0
    profile = _profile(passage, depths, logs.mean(axis=1))
    ends = _ends(passage, depths, logs.mean(axis=1), branches)
    widths = {depths[name]: len(seen.still[name]) for name in depths if name in seen.still}
    course, allowed = course_of(mean * span, ends, by_chance(widths.values(), profile))
    samples = len(passage.batch)
    chains = tuple(
        recurrence(
            steps,
            [each.chains[name] for each in beside if name in each.chains],
            logs.shape[1],
            samples,
        )
        for name, steps in seen.chains.items()
        if all(state.ndim == 2 and len(state) % samples == 0 for state in steps.states)
    )
    decided = None
    if course is Course.STEADY:
        decided = next((item for item in chains if item.course is not Course.STEADY), None)
        course = course if decided is None else decided.course
    shares = tuple(_dead(stage, seen) for stage in found)
    saturated = tuple(map(_saturated, found))
    layers = [
        (stage.call.label, share)
        for stage, share in zip(found, saturated, strict=True)
        if stage.role == "hidden"
    ]
    choices = (
        *((name, share) for name, (rows, share) in seen.choices.items() if rows % samples == 0),
        *soft_choices(passage),
    )
    return Gradients(
        loss="standard normal output gradients" if loss is None else "the loss given",
        norms=tuple(_norm(seen.norms.get(stage.call.label, [])) for stage in found),
        dead=shares,
        saturated=saturated,
        rate=factor(mean),
        low=factor(low),
        high=factor(high),
        over=over if math.isfinite(low) else "",
        layers=span,
        allowed=allowed,
        course=course,
        dying=_dying(found, shares, seen),
        intervals=tuple(_norm_interval(stage.call.label, seen, beside) for stage in found),
        choices=choices,
        saturating=next((item for item in (*layers, *choices) if item[1] > _MANY), None),
        own=(factor(own[0]), factor(own[1])),
        ends=factor(ends),
        recurrences=chains,
        decided=decided,
    )


def followed(module: nn.Module, seen: Gradients | str) -> set[str]:
    """The modules, by their names, that are judged and no layers: what is recurrent, and attention,
    with the map that it ends in.

    >>> followed(nn.Linear(2, 2), "no gradients")
    set()
    """
    if isinstance(seen, str):
        return set()
    chains = {item.module for item in seen.recurrences}
    named = {label.partition(" (call ")[0] for label, _ in seen.choices}
    return chains | {
        name
        for name, part in module.named_modules()
        if name in named or name.rpartition(".out_proj")[0] in named
    }


def along(
    module: nn.Module,
    passage: Passage,
    part: Sequence[Stage],
    label: str | None,
    statistics: str,
    loss: Loss | None = None,
) -> Back | None:
    """Gradients along a stretch, of one draw; None where some do not come back.

    Args:
        module: that of the ``passage``; it is left as it was.
        passage: forward, of the same module.
        part: the stages of the stretch, in order.
        label: of the map that receives what the last gives, None where it comes out first.
        statistics: ``"batch"`` or ``"running"``.
        loss: of what the module gives; standard normal output gradients without one.

    Cost: a forward and a backward pass.
    """
    labels = [*(stage.call.label for stage in part[1:]), label or ""]
    if label is None and part[-1].arrival is not passage.outputs[0]:
        return None
    try:
        seen = go_back(module, passage, statistics, draws=1, loss=loss, arriving=labels)
    except InspectionError:
        return None
    found = [seen.arriving.get(name) for name in labels]
    kept = [in_rows(item.double()).cpu().numpy() for item in found if item is not None]
    shape = part[0].features.shape
    if len(kept) < len(part) or any(item.shape != shape for item in kept):
        return None
    with np.errstate(divide="ignore"):
        logs = [float(np.log(np.linalg.norm(item))) for item in kept]
    return Back(tuple(logs), np.ascontiguousarray(kept[-1].T))


def _work(passage: Passage) -> float:
    """Multiplications of one forward pass through the judged places."""
    return math.fsum(
        place.gave.numel() * place.weight.numel() / place.weight.shape[0]
        for place in passage.places
        if place.weight is not None
    )


# --- what is measured -----------------------------------------------------------------------------


def go_back(
    module: nn.Module,
    passage: Passage,
    statistics: str,
    *,
    draws: int,
    seed: int = 0,
    loss: Loss | None = None,
    arriving: Collection[str] = (),
) -> Backward:
    """One forward pass of ``module`` on the inputs of ``passage``, and some backward.

    Raises `InspectionError` where no gradients come back, or the user's code fails.

    Args:
        module: left as it was: gradients, and what needs some, too.
        passage: whose inputs are given.
        statistics: ``"batch"`` or ``"running"``.
        draws: random output gradients, at least 1.
        seed: of them.
        loss: used in their place, once.
        arriving: labels of calls, of which the gradients of what they receive are kept; ``""`` for
            that of the network's first output.

    Example:
        >>> from theorems.inspection.forward_pass import watch
        >>> network = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
        >>> seen = go_back(network, watch(network, torch.eye(4), "batch"), "batch", draws=3)
        >>> {name: len(seen.norms[name]) for name in ("0", "2")}
        {'0': 3, '2': 3}
    """
    if passage.inputs is None:
        raise InspectionError("no gradients: the passage has no inputs")
    seen = Backward()
    with as_it_was(module, statistics), _needing_gradients(module), eager(), torch.enable_grad():
        leaf, entering = _entering(passage.inputs)
        try:
            own = {
                place.product.site: place for place in passage.places if place.product is not None
            }
            with _listening(module, seen, arriving, own) as places:
                output = module(*entering.args, **entering.kwargs)
            if "" in arriving:
                _keep(seen, "", next(iter(tensors_in(output)), None))
            outputs, back = _starts(output, draws, seed, loss)
            seen.forget_gradients()  # of derivatives that the network, or the loss, itself takes
            # what weights need is not asked for where gradients reach the samples
            ends = [leaf] if leaf.requires_grad else [*module.parameters()]
            leaves = [item for item in (*ends, *places) if item.requires_grad]
            for given in back:
                torch.autograd.grad(outputs, leaves, given, retain_graph=True, allow_unused=True)
        except InspectionError:
            raise
        except Exception as error:  # the user's code may raise anything
            raise InspectionError(f"no gradients: {in_words(error)}") from None
    return seen


def _open(
    module: nn.Module, passage: Passage, statistics: str, seen: Backward, loss: Loss | None
) -> None:
    """Have units not count as passing no gradient that pass one once weights that are all zero, as
    the last of a branch are that starts as nothing, are something.
    """
    shut = [
        item
        for name, item in module.named_parameters()
        if item.is_floating_point() and not item.any() and "bias" not in name.rpartition(".")[2]
    ]
    if not shut:
        return
    before = [item.detach().clone() for item in shut]
    generator = torch.Generator().manual_seed(0)
    try:
        with torch.no_grad():
            for item in shut:
                item.data.copy_(torch.randn(item.shape, generator=generator).to(item) + 1)
        opened = go_back(module, passage, statistics, draws=1, loss=loss)
    except InspectionError:
        return
    finally:
        with torch.no_grad():
            for item, value in zip(shut, before, strict=True):
                item.data.copy_(value)
    for label, still in opened.still.items():
        seen.still[label] = still & seen.still.get(label, np.array(True))


@contextlib.contextmanager
def _needing_gradients(module: nn.Module) -> Iterator[None]:
    """Frozen parameters are not frozen meanwhile, so that gradients pass everywhere."""
    frozen = [
        item for item in module.parameters() if item.is_floating_point() and not item.requires_grad
    ]
    try:
        for item in frozen:
            item.requires_grad_(True)
        yield
    finally:
        for item in frozen:
            item.requires_grad_(False)


def _entering(inputs: Inputs) -> tuple[Tensor, Inputs]:
    """A leaf that needs gradients, if the samples are real numbers, and inputs made of it."""
    leaf = inputs.samples.detach().clone()
    leaf.requires_grad_(leaf.is_floating_point())
    # what is written in place must be no leaf
    entering = leaf.clone()

    def once(item: object) -> object:
        if item is inputs.samples:
            return entering
        return item.clone() if isinstance(item, Tensor) else item

    args, kwargs = tree_map(once, (inputs.args, inputs.kwargs))
    return leaf, Inputs(args, kwargs, entering)


@contextlib.contextmanager
def _listening(
    module: nn.Module, seen: Backward, arriving: Collection[str], own: Mapping[Site, Call]
) -> Iterator[list[Tensor]]:
    """Have what linear maps give report its gradients, and what those ``arriving`` receive; of what
    is computed again later, nothing. ``own`` are the products in modules' own code, by their sites.

    Gives the list of what they give.
    """
    called: Counter[str] = Counter()
    places: list[Tensor] = []

    def labelled(name: str, part: nn.Module, count: int) -> str:
        return (name or type(part).__name__) + (f" (call {count})" if count > 1 else "")

    def before(name: str) -> Callable[[nn.Module, object, object], None]:
        def note(part: nn.Module, args: object, kwargs: object) -> None:
            label = labelled(name, part, called[name] + 1)
            if label in arriving:
                _keep(seen, label, next(iter(tensors_in((args, kwargs))), None))

        return note

    def listen(label: str, units: tuple[int, ...], gave: Tensor) -> None:
        if gave.requires_grad:
            places.append(gave)
            gave.register_hook(partial(_note, seen, label, units))  # type: ignore[no-untyped-call]

    def after(name: str) -> Callable[[nn.Module, object, object], None]:
        def note(part: nn.Module, args: object, output: object) -> None:
            called[name] += 1
            label = labelled(name, part, called[name])
            gave = next(iter(tensors_in(output)), None)
            if gave is None:
                return
            listen(label, units_of(part), gave)

        return note

    def follow(name: str, module: str, kind: str, states: Sequence[Tensor]) -> None:
        steps = seen.chains.setdefault(name, Steps(name, module, kind))
        for state in states:
            steps.add(state, lambda gradient: _length(gradient, float(gradient.abs().max())))
            places.append(state)

    def step(name: str) -> Callable[[nn.Module, object, object], None]:
        def note(part: nn.Module, args: object, output: object) -> None:
            follow(name, name, _kind_of_cell(part), tensors_in(output)[:1])

        return note

    def steps(
        name: str,
    ) -> Callable[[nn.RNNBase, tuple[object, ...], dict[str, object], object], object]:
        def compute(
            part: nn.RNNBase, args: tuple[object, ...], kwargs: dict[str, object], output: object
        ) -> object:
            called[name] += 1
            found = unrolled(part, args, kwargs, labelled(name, part, called[name]))
            gave = next(iter(tensors_in(output)), None)
            # another class's own code may do more than its kind of module does
            if found is None or gave is None or not alike(found[0][0], gave):
                return output
            given, chains = found
            for chain, states in chains:
                follow(chain, name, part.mode, states)
            return given

        return compute

    def choice(
        name: str,
    ) -> Callable[[nn.Module, tuple[object, ...], dict[str, object], object], None]:
        def note(
            part: nn.Module, args: tuple[object, ...], kwargs: dict[str, object], output: object
        ) -> None:
            given = inspect.signature(part.forward).bind(*args, **kwargs).arguments
            asked = {**given, "need_weights": True, "average_attn_weights": False}
            with torch.no_grad():
                _, weights = part.forward(**asked)
            label = labelled(name, part, called[name] + 1)
            seen.choices[label] = (len(weights), picked(weights))

        return note

    handles = []

    class Own(Sites):
        """The products that are judged, as they are done."""

        def multiplied(self, site: Site, found: Multiplied, run: Callable[[], Any]) -> Any:
            output = run()
            place = own.get(site)
            if place is not None and output.shape == place.gave_node.value.shape:
                if place.label in arriving and place.product is not None:
                    _keep(seen, place.label, found.factors[place.product.entry])
                listen(place.label, place.units, output)
            return output

    try:
        for name, part in module.named_modules():
            if isinstance(part, nn.RNNCellBase):
                handles.append(part.register_forward_hook(step(name)))
            elif isinstance(part, nn.RNNBase):
                handles.append(part.register_forward_hook(steps(name), with_kwargs=True))
            elif isinstance(part, nn.MultiheadAttention):
                if type(part).forward is nn.MultiheadAttention.forward:
                    handles.append(part.register_forward_hook(choice(name), with_kwargs=True))
                handles.append(part.register_forward_hook(after(name)))
            if isinstance(part, LINEAR) and not isinstance(part, torch.jit.ScriptModule):
                handles.append(part.register_forward_hook(after(name)))
                if arriving:
                    handles.append(part.register_forward_pre_hook(before(name), with_kwargs=True))
        with Own(module) if own else contextlib.nullcontext():
            yield places
    finally:
        for handle in handles:
            handle.remove()


def _kind_of_cell(part: nn.Module) -> str:
    """``"RNN_TANH"`` of a cell with that, as modules of many steps call it."""
    rule = getattr(part, "nonlinearity", "")
    return f"RNN_{rule.upper()}" if rule else type(part).__name__


def _keep(seen: Backward, label: str, value: Tensor | None) -> None:
    """Have a value's first gradient kept."""
    if value is None or not value.requires_grad:
        return

    def note(gradient: Tensor) -> None:
        seen.arriving.setdefault(label, gradient.detach().clone())

    value.register_hook(note)  # type: ignore[no-untyped-call]


def _note(seen: Backward, label: str, units: tuple[int, ...], gradient: Tensor) -> None:
    values = gradient.detach()
    axes = {axis % values.ndim for axis in units}
    others = [place for place in range(values.ndim) if place not in axes]
    by_unit = (values.abs().amax(dim=others) if others else values.abs()).flatten()
    norm = _length(values, float(by_unit.max()))
    seen.norms.setdefault(label, []).append(norm)
    still = (by_unit == 0).cpu().numpy()
    seen.still[label] = still & seen.still.get(label, np.array(True))


def _length(values: Tensor, largest: float) -> float:
    """‖values‖_F of entries up to ``largest``, of which no square is lost."""
    wide = values.dtype is torch.float64
    scale = largest if wide and 0 < largest < math.inf else 1.0
    found = torch.linalg.vector_norm(values / scale if wide else values, dtype=torch.float64)
    return float(found) * scale


def _starts(
    output: object, draws: int, seed: int, loss: Loss | None
) -> tuple[list[Tensor], list[list[Tensor] | None]]:
    """Where gradients start, and which ones."""
    if loss is not None:
        value = loss(output)
        require(
            isinstance(value, Tensor) and value.numel() == 1,
            f"loss gives {kind_of(value)}; it must give a tensor of one number",
            InspectionError,
        )
        require(
            bool(value.isfinite().all()),
            f"no gradients: loss gives {value.item():g}, which is not finite",
            InspectionError,
        )
        starts = [value.sum()]
        given: list[list[Tensor] | None] = [None]
    else:
        starts = [item for item in tensors_in(output) if item.requires_grad]
        generator = torch.Generator().manual_seed(seed)
        given = [
            [
                torch.randn(item.shape, generator=generator, dtype=torch.float32).to(item)
                for item in starts
            ]
            for _ in range(draws)
        ]
    if not starts or not starts[0].requires_grad:
        raise InspectionError(
            "no gradients: what comes out does not depend on parameters so far as Torch knows"
        )
    return starts, given


# --- how they grow --------------------------------------------------------------------------------


def _places(passage: Passage) -> list[Call]:
    """The judged places, and attention, which is one too where it is called."""
    attention = (item for item in passage.calls if isinstance(item.module, nn.MultiheadAttention))
    found = {id(item): item for item in (*passage.places, *attention)}
    return sorted(found.values(), key=lambda item: item.ended)


def _before(passage: Passage) -> dict[str, list[str]]:
    """The places that each place receives something from, with no other between, by their labels in
    the order of calls.
    """
    places = _places(passage)
    made = {call.gave_node: call for call in places}
    return {
        call.label: [made[node].label for node in reached(call.came, made) if node in made]
        for call in places
    }


def _depths(passage: Passage, found: Sequence[Stage]) -> dict[str, int]:
    """How many places lie one after the other before each hidden one, by its label; of attention
    too, where it is hidden because what is hidden comes later.
    """
    hidden = {stage.call.label for stage in found if stage.role == "hidden"}
    if passage.unfollowed is not None:
        order = [call.label for call in passage.places if call.label in hidden]
        return {label: place for place, label in enumerate(order)}
    hidden |= {call.label for call in _places(passage) if call not in passage.places}
    depths: dict[str, int] = {}
    for label, before in _before(passage).items():
        depths[label] = 1 + max((depths.get(name, -1) for name in before), default=-1)
    return {label: depth for label, depth in depths.items() if label in hidden}


def _branches(passage: Passage, depths: Mapping[str, int]) -> frozenset[str]:
    """The places that a way from the batch leads past, to each output that they are a part of."""
    if passage.unfollowed is not None:
        return frozenset()
    feeding = [(output, upstream([output])) for output in passage.outputs]
    return frozenset(
        place.label
        for place in _places(passage)
        if place.label in depths
        and all(
            any(node is not place.gave_node for node in reached(output, {place.gave_node}))
            for output, nodes in feeding
            if place.gave_node in nodes
        )
    )


def _ends(
    passage: Passage, depths: Mapping[str, int], logs: Floats, branches: Collection[str]
) -> float:
    """log of the factor from the last place to the first, of those in branches or of the others,
    whichever is further from 0; NaN where neither has two.
    """
    found = [math.nan]
    for aside in (False, True):
        kept = np.array([(label in branches) is aside for label in depths], dtype=bool)
        group = _profile(passage, depths, np.where(kept, logs, np.nan))
        if len(group) > 1:
            found.append(float(group[0] - group[-1]))
    return max(found, key=lambda value: -1.0 if math.isnan(value) else abs(value))


def _profile(passage: Passage, depths: Mapping[str, int], logs: Floats) -> Floats:
    """log‖∂L/∂y‖ by depth along the longest way, the first place first, (depths,), finite.

    What is of one depth counts together; a place that no longest way passes, such as a map of what
    enters at each step, is no step of it.
    """
    kept = list(depths)
    if passage.unfollowed is None and depths:
        after = dict.fromkeys(depths, 0)
        for label, before in reversed(_before(passage).items()):
            for name in before:
                if label in after and name in after:
                    after[name] = max(after[name], after[label] + 1)
        longest = max(depths[label] + after[label] for label in depths)
        kept = [label for label in depths if depths[label] + after[label] == longest]
    by_depth: dict[int, list[float]] = {}
    for label, value in zip(depths, logs, strict=True):
        if label in kept and math.isfinite(value):
            by_depth.setdefault(depths[label], []).append(2 * value)
    found = [np.logaddexp.reduce(by_depth[depth]) / 2 for depth in sorted(by_depth)]
    return np.array(found, dtype=np.float64)


def _logs(seen: Backward, depths: Mapping[str, int]) -> Floats:
    """log‖∂L/∂y‖, (places, draws), NaN where no gradient came."""
    draws = max(map(len, seen.norms.values()), default=1)
    rows = [seen.norms.get(label, []) for label in depths]
    full = [row if len(row) == draws else [0.0] * draws for row in rows]
    with np.errstate(divide="ignore"):
        logs = np.log(np.array(full, dtype=np.float64).reshape(len(full), draws))
    return np.where(np.isfinite(logs), logs, np.nan)


def slope(
    depths: Mapping[str, int], logs: Floats, branches: Collection[str] = frozenset()
) -> float:
    """log g of least squares, by which the logarithms fall with depth; NaN for fewer than two.

    Args:
        depths: of the places, by their labels.
        logs: of the places in the same order, (places,); NaN is left out.
        branches: the places that a way leads past: they lie on a line of the same slope, and of
            another height, as a branch may be scaled.

    Example:
        >>> round(slope({"a": 0, "b": 1, "c": 2}, np.array([3.0, 2.0, 1.0])), 9)
        1.0
        >>> scaled = {"stem": 0, "a": 1, "b": 2}, np.array([9.0, 2.0, 1.0])
        >>> round(slope(*scaled, {"a", "b"}), 9)
        1.0
    """
    where = np.array(list(depths.values()), dtype=np.float64)
    aside = np.array([label in branches for label in depths], dtype=bool)
    kept = np.isfinite(logs)
    across, along_it = 0.0, 0.0
    for group in (kept & aside, kept & ~aside):
        if group.any():
            from_mean = where[group] - where[group].mean()
            across += float(from_mean @ from_mean)
            along_it += float(from_mean @ logs[group])
    return -along_it / across if across else math.nan


def _norm_interval(label: str, seen: Backward, beside: Sequence[Backward]) -> tuple[float, float]:
    """That of the geometric mean of a norm, over the networks, or over the draws of one alone."""
    norms = [each.norms.get(label, []) for each in (seen, *beside)]
    groups = norms if beside else [[norm] for norm in norms[0]]
    if any(norm == 0 for norm in itertools.chain.from_iterable(groups)) or not all(groups):
        return math.nan, math.nan
    low, high = interval([float(np.log(group).mean()) for group in groups])
    return factor(low), factor(high)


def _norm(values: Sequence[float]) -> float:
    """Root mean square."""
    return math.hypot(*values) / math.sqrt(len(values)) if values else math.nan


# --- units ----------------------------------------------------------------------------------------


def _dead(stage: Stage, seen: Backward) -> float:
    """Share of the map's units that come out alike for all samples and pass no gradient; where
    others come out with them, of those that pass none.
    """
    still = seen.still.get(stage.call.label)
    features, gave = stage.features, stage.call.gave
    if still is None or not features.is_floating_point():
        return math.nan
    if stage.joined:
        return float(still.mean())
    if features.shape != gave.shape:
        return math.nan
    spread = features.amax(dim=0) - features.amin(dim=0)
    units = [1] if stage.call.turned else [axis % features.ndim for axis in stage.call.units]
    axes = [axis - 1 for axis in sorted(units)]
    spread = spread.movedim(axes, list(range(len(axes))))
    constant = (spread.reshape(len(still), -1).amax(dim=1) == 0).cpu().numpy()
    return float((constant & still).mean())


def _saturated(stage: Stage) -> float:
    """Share of entries where the bounded activation that comes last is nearly flat."""
    rule = _BOUNDED.get(stage.actions[-1]) if stage.actions else None
    if rule is None or stage.joined:
        return math.nan
    return float((rule(stage.features.double()) < FLAT).double().mean())


def _dying(found: Sequence[Stage], shares: Sequence[float], seen: Backward) -> int | None:
    """The first hidden layer, from 1, of which nearly all units are dead, more than by chance."""
    for number, (stage, share) in enumerate(zip(found, shares, strict=True), start=1):
        if stage.role != "hidden" or not share > _MANY:
            continue
        units = len(seen.still[stage.call.label])
        if stats.binom.sf(round(share * units) - 1, units, 0.5) < _RARE:
            return number
    return None
