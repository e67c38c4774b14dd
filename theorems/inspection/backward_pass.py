"""Gradients at the judged places of a network, and whether they explode or vanish on their way back.

L is a loss, or ΣG·Y of the outputs Y with entries of G standard normal. At each place the gradient
∂L/∂y of what the linear map gives is noted, y = Wx + b, all samples together. The logarithm of its
norm against depth, the number of judged places before it, has the least-squares slope −log g: on
its way back a gradient grows by the factor g a layer.

Gradients are steady as long as the factor over all layers lies within a thousand either way, but
for chance. In a layer of ReLU of width d, log‖∂L/∂y‖² of one sample has a variance of about 5/d, by
which layers add up; `DEVIATIONS` standard deviations of that are allowed, as a healthy network
passes them once in a thousand times. Other layers fluctuate less.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from simulators.arguments import kind_of, require
from theorems.error_words import in_words
from theorems.inspection.dataflow import reached, tensors_in
from theorems.inspection.forward_pass import LINEAR, Passage, as_it_was, eager
from theorems.inspection.inputs import Inputs, InspectionError
from theorems.inspection.predictions import Back
from theorems.inspection.stages import Stage

__all__ = [
    "DEVIATIONS",
    "STEADY",
    "Backward",
    "Course",
    "Gradients",
    "Loss",
    "along",
    "go_back",
    "gradients",
    "slope",
]

#: A function of what the network gives, to one number.
Loss = Callable[[object], Tensor]
Floats = NDArray[np.float64]

STEADY = 1000.0
"""The factor over all layers up to which gradients are steady, or one over it."""
DEVIATIONS = 3.29
"""Standard deviations allowed beyond it, of a normal variable passed with probability 1e-3."""
_DRAWS = 8
_FEWER = 2  # of each of the other networks, and of a large one, whose others have 1
_MOST_WORK = 2e9  # in multiplications of a forward pass
_LEVEL = 0.95
_MANY = 0.75  # of the units of a layer, dead: half are where all samples are alike
_RARE = 1e-5  # probability of so many by chance, of halves
_FLAT = 0.1  # of the largest slope, below which a unit is saturated
_BOUNDED: Mapping[str, Callable[[Tensor], Tensor]] = {
    "tanh": lambda y: 1 - y.square(),
    "sigmoid": lambda y: 4 * y * (1 - y),
    "erf": lambda y: (-torch.special.ndtri((y.clamp(-1, 1) + 1) / 2).square() / 2).exp(),
}
"""Slopes by what comes out, over the largest."""


class Course(StrEnum):
    """What becomes of gradients on their way back."""

    STEADY = "steady"
    EXPLODING = "exploding"
    VANISHING = "vanishing"


@dataclass(eq=False)
class Backward:
    """Of one network: at each judged call, by its label, ‖∂L/∂y‖_F, (draws,), and the units that no
    gradient reached, (units,); and of what calls receive, where asked for, ∂L/∂x of the first draw.
    """

    norms: dict[str, list[float]] = field(default_factory=dict)
    still: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    arriving: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Gradients:
    """What becomes of gradients, layer by layer.

    ``norms``, ``dead`` and ``saturated`` are of the layers of an `Inspection` in their order:
    ‖∂L/∂y‖_F, a root mean square over random output gradients; the share of units that give the
    same for all samples and pass no gradient; the share of entries where a bounded activation has
    less than a tenth of its largest slope. NaN where there is none. ``rate`` is the factor a layer
    on the way back, ``low`` to ``high`` its interval at level 95 % ``over`` what is told,
    ``layers`` how many it was fitted over, and ``allowed`` the factor over all of them within which
    it is steady. ``intervals`` has the ends of the geometric mean of each norm, at the same level
    and ``over`` the same; NaN where there is none.
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

    @property
    def total(self) -> float:
        """The factor over all layers."""
        return math.exp(self.layers * math.log(self.rate)) if self.rate > 0 else math.nan

    @property
    def healthy(self) -> bool:
        """Whether gradients are steady, and no layer is dying."""
        return self.course is Course.STEADY and self.dying is None

    @property
    def sentence(self) -> str:
        """In words, how gradients grow.

        >>> flat = Gradients("", (), (), (), 1.5, 1.4, 1.6, "4 initialisations", 10, 1e3,
        ...                  Course.STEADY, None)
        >>> flat.sentence
        'factor 1.5 a layer on the way back (1.4 to 1.6 over 4 initialisations), 58 over 10 layers'
        """
        if not math.isfinite(self.rate):
            return "no growth, as no two layers in a row have gradients"
        interval = f" ({self.low:.3g} to {self.high:.3g} over {self.over})" if self.over else ""
        many = f"{self.layers} layer{'s' if self.layers > 1 else ''}"
        return (
            f"factor {self.rate:.3g} a layer on the way back{interval}, {self.total:.2g} over "
            f"{many}"
        )

    def as_json(self) -> dict[str, object]:
        """The fields, and ``total``."""
        return {**self.__dict__, "course": self.course.value, "total": self.total}


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
    depths = _depths(passage, found)
    logs = _logs(seen, depths)
    rates = [
        rate
        for each in (seen, *beside)
        if math.isfinite(rate := slope(depths, _logs(each, depths).mean(axis=1)))
    ]
    over = f"{len(rates)} initialisations"
    if not others:
        rates = [slope(depths, column) for column in logs.T] if logs.shape[1] > 1 else []
        over = f"{logs.shape[1]} random output gradients"
    mean = slope(depths, logs.mean(axis=1))
    low, high = _interval(rates)
    span = max(depths.values()) - min(depths.values()) if depths else 0
    widths = {depths[name]: len(seen.still[name]) for name in depths if name in seen.still}
    deviation = math.sqrt(5 * math.fsum(1 / width for width in widths.values())) / 2
    allowed = math.log(STEADY) + DEVIATIONS * deviation
    course = Course.STEADY
    if math.isfinite(mean) and abs(mean) * span > allowed:
        course = Course.EXPLODING if mean > 0 else Course.VANISHING
    shares = tuple(_dead(stage, seen) for stage in found)
    return Gradients(
        loss="standard normal output gradients" if loss is None else "the loss given",
        norms=tuple(_norm(seen.norms.get(stage.call.label, [])) for stage in found),
        dead=shares,
        saturated=tuple(map(_saturated, found)),
        rate=_factor(mean),
        low=_factor(low),
        high=_factor(high),
        over=over if math.isfinite(low) else "",
        layers=span,
        allowed=math.exp(allowed),
        course=course,
        dying=_dying(found, shares, seen),
        intervals=tuple(_norm_interval(stage.call.label, seen, beside) for stage in found),
    )


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
    kept = [item.double().flatten(1).cpu().numpy() for item in found if item is not None]
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
            with _listening(module, seen, arriving) as places:
                output = module(*entering.args, **entering.kwargs)
            if "" in arriving:
                _keep(seen, "", next(iter(tensors_in(output)), None))
            outputs, back = _starts(output, draws, seed, loss)
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
    module: nn.Module, seen: Backward, arriving: Collection[str]
) -> Iterator[list[Tensor]]:
    """Have what linear maps give report its gradients, and what those ``arriving`` receive; of what
    is computed again later, nothing.

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

    def after(name: str) -> Callable[[nn.Module, object, object], None]:
        def note(part: nn.Module, args: object, output: object) -> None:
            called[name] += 1
            label = labelled(name, part, called[name])
            gave = next(iter(tensors_in(output)), None)
            if gave is None or not gave.requires_grad:
                return
            axes = len(part.kernel_size) if isinstance(part, nn.modules.conv._ConvNd) else 0
            note_it = partial(_note, seen, label, -1 - axes)
            places.append(gave)
            gave.register_hook(note_it)  # type: ignore[no-untyped-call]

        return note

    handles = []
    for name, part in module.named_modules():
        if isinstance(part, LINEAR) and not isinstance(part, torch.jit.ScriptModule):
            handles.append(part.register_forward_hook(after(name)))
            if arriving:
                handles.append(part.register_forward_pre_hook(before(name), with_kwargs=True))
    try:
        yield places
    finally:
        for handle in handles:
            handle.remove()


def _keep(seen: Backward, label: str, value: Tensor | None) -> None:
    """Have a value's first gradient kept."""
    if value is None or not value.requires_grad:
        return

    def note(gradient: Tensor) -> None:
        seen.arriving.setdefault(label, gradient.detach().clone())

    value.register_hook(note)  # type: ignore[no-untyped-call]


def _note(seen: Backward, label: str, axis: int, gradient: Tensor) -> None:
    values = gradient.detach()
    others = [place for place in range(values.ndim) if place != axis % values.ndim]
    by_unit = values.abs().amax(dim=others) if others else values.abs()
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


def _depths(passage: Passage, found: Sequence[Stage]) -> dict[str, int]:
    """How many judged places lie one after the other before each hidden one, by its label."""
    hidden = {stage.call.label for stage in found if stage.role == "hidden"}
    if passage.unfollowed is not None:
        order = [call.label for call in passage.places if call.label in hidden]
        return {label: place for place, label in enumerate(order)}
    made = {call.gave_node: call for call in passage.places}
    depths: dict[str, int] = {}
    for call in sorted(passage.places, key=lambda item: item.ended):
        before = [made[node].label for node in reached(call.came, made) if node in made]
        depths[call.label] = 1 + max((depths.get(label, -1) for label in before), default=-1)
    return {label: depth for label, depth in depths.items() if label in hidden}


def _logs(seen: Backward, depths: Mapping[str, int]) -> Floats:
    """log‖∂L/∂y‖, (places, draws), NaN where no gradient came."""
    draws = max(map(len, seen.norms.values()), default=1)
    rows = [seen.norms.get(label, []) for label in depths]
    full = [row if len(row) == draws else [0.0] * draws for row in rows]
    with np.errstate(divide="ignore"):
        logs = np.log(np.array(full, dtype=np.float64).reshape(len(full), draws))
    return np.where(np.isfinite(logs), logs, np.nan)


def slope(depths: Mapping[str, int], logs: Floats) -> float:
    """log g of least squares, by which the logarithms fall with depth; NaN for fewer than two.

    Args:
        depths: of the places, by their labels.
        logs: of the places in the same order, (places,); NaN is left out.

    Example:
        >>> round(slope({"a": 0, "b": 1, "c": 2}, np.array([3.0, 2.0, 1.0])), 9)
        1.0
    """
    where = np.array(list(depths.values()), dtype=np.float64)
    kept = np.isfinite(logs)
    if len(set(where[kept])) < 2:
        return math.nan
    return float(-np.polynomial.Polynomial.fit(where[kept], logs[kept], 1).convert().coef[1])


def _interval(rates: Sequence[float]) -> tuple[float, float]:
    """Student's interval of the mean."""
    if len(rates) < 2 or not np.isfinite(rates).all():
        return math.nan, math.nan
    reach = stats.t.ppf((1 + _LEVEL) / 2, len(rates) - 1) * stats.sem(rates)
    return float(np.mean(rates) - reach), float(np.mean(rates) + reach)


def _norm_interval(label: str, seen: Backward, beside: Sequence[Backward]) -> tuple[float, float]:
    """That of the geometric mean of a norm, over the networks, or over the draws of one alone."""
    norms = [each.norms.get(label, []) for each in (seen, *beside)]
    groups = norms if beside else [[norm] for norm in norms[0]]
    if any(norm == 0 for norm in itertools.chain.from_iterable(groups)) or not all(groups):
        return math.nan, math.nan
    low, high = _interval([float(np.log(group).mean()) for group in groups])
    return _factor(low), _factor(high)


def _factor(log: float) -> float:
    """Its exponential, which is the one NaN of this module where there is none."""
    return math.exp(log) if math.isfinite(log) else math.nan


def _norm(values: Sequence[float]) -> float:
    """Root mean square."""
    return math.hypot(*values) / math.sqrt(len(values)) if values else math.nan


# --- units ----------------------------------------------------------------------------------------


def _dead(stage: Stage, seen: Backward) -> float:
    """Share of the map's units that come out alike for all samples and pass no gradient."""
    still = seen.still.get(stage.call.label)
    features, gave = stage.features, stage.call.gave
    if still is None or features.shape != gave.shape or not features.is_floating_point():
        return math.nan
    axis = features.ndim - 1 if isinstance(stage.call.module, nn.Linear) else 1
    spread = (features.amax(dim=0) - features.amin(dim=0)).movedim(axis - 1, 0)
    constant = (spread.reshape(len(still), -1).amax(dim=1) == 0).cpu().numpy()
    return float((constant & still).mean())


def _saturated(stage: Stage) -> float:
    """Share of entries where the bounded activation that comes last is nearly flat."""
    rule = _BOUNDED.get(stage.actions[-1]) if stage.actions else None
    if rule is None or stage.joined:
        return math.nan
    return float((rule(stage.features.double()) < _FLAT).double().mean())


def _dying(found: Sequence[Stage], shares: Sequence[float], seen: Backward) -> int | None:
    """The first hidden layer, from 1, of which nearly all units are dead, more than by chance."""
    for number, (stage, share) in enumerate(zip(found, shares, strict=True), start=1):
        if stage.role != "hidden" or not share > _MANY:
            continue
        units = len(seen.still[stage.call.label])
        if stats.binom.sf(round(share * units) - 1, units, 0.5) < _RARE:
            return number
    return None
