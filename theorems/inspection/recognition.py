"""The chain of the theory that a network is at initialisation, where it was followed for certain.

A layer is recognised by what it did to this batch, not by its class: a batchnorm with trained
scales is none, and a function in the user's own ``forward`` counts like a module. A chain is named
only if each layer is seen to receive what the one before it gives, and nothing else, and if the
weights may be independent draws of one law.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from scipy.sparse import csr_array
from torch import Tensor, nn

from simulators.arguments import kind_of
from simulators.chains import CHAINS, Chain
from simulators.layers import (
    Activation,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    ScaleResponse,
    WeightLayer,
)
from simulators.weights import LAWS
from theorems.inspection.condition import Floats
from theorems.inspection.dataflow import reached, same
from theorems.inspection.forward_pass import Passage
from theorems.inspection.stages import Stage
from theorems.inspection.stretches import Stretch, longest, scaled, unequal

__all__ = ["Recognised", "law_of", "recognise", "values_in_common"]

_NONE = "not recognised"
_PRECISE = (torch.float32, torch.float64)


@dataclass(frozen=True)
class Recognised:
    """The chain a network is at initialisation, or the reason why none of the theory's was
    recognised.

    ``stretch`` is what is compared with a simulation: all layers of a chain, or else the longest
    part that is nearly one; None where there is none.
    """

    words: str
    chain: Chain | None
    obstacle: str | None
    stretch: Stretch | None = None

    @property
    def sentence(self) -> str:
        """In words: the chain, or that there is none, and why."""
        return self.words if self.obstacle is None else f"{self.words}, because {self.obstacle}"


def recognise(hidden: Sequence[Stage], passage: Passage) -> Recognised:
    """The chain that these judged stages of a passage repeat, if they do.

    >>> from theorems.inspection.forward_pass import watch
    >>> from theorems.inspection.stages import stages
    >>> passage = watch(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), torch.eye(4), "batch")
    >>> recognise(stages(passage), passage).sentence
    "not recognised, because '0' has a bias that nothing subtracts; set it to zero"
    """
    objection = (
        _unfollowed(hidden, passage)
        or _imprecise(hidden)
        or _tied(hidden)
        or _trained(hidden)
        or _irregular(hidden)
    )
    chain: Chain | str | None = objection
    if objection is None:
        law, objection = _law_of(hidden)
        chain = objection or _chain(hidden, hidden[0].actions, law)
    if not isinstance(chain, Chain):
        return Recognised(_NONE, None, chain, _stretch(hidden, passage))
    words = f"{' → '.join(('weights', *hidden[0].actions))}, {law} weights"
    own, scale = scaled(chain, hidden)
    receiver = next((item for item in passage.places if item.came is hidden[-1].arrival), None)
    label = None if receiver is None else receiver.label
    scales = () if chain.scaling is ScaleResponse.FREE else tuple(unequal(hidden))
    stretch = Stretch(0, len(hidden), own, words, scales, scale, label, chain)
    return Recognised(words, chain, None, stretch)


def _stretch(hidden: Sequence[Stage], passage: Passage) -> Stretch | None:
    """The longest part of a network that is a chain or nearly one."""
    found = longest(hidden, passage, _nearest_law)
    if found is None or found.differs:
        return found
    part, first = hidden[found.first : found.end], found.chain.layers[0]
    law = str(getattr(first, "law", ""))
    chain = _irregular(part) or _chain(part, part[0].actions, law)
    return found if isinstance(chain, str) else replace(found, catalogued=chain)


def _law_of(stages: Sequence[Stage]) -> tuple[str, str | None]:
    """What `law_of` says of the weights of these stages."""
    return law_of(
        [(stage.call.label, stage.call.weight) for stage in stages if stage.call.weight is not None]
    )


def _nearest_law(stages: Sequence[Stage]) -> tuple[str, str]:
    """The law that the weights of these stages have or are taken for, and what differs."""
    law, objection = _law_of(stages)
    words = [said for said in (objection, _tied(stages), _trained(stages)) if said is not None]
    if objection is not None:
        law = "orthogonal" if _ORTHOGONAL in objection else "gaussian"
        words[0] += ", taken for Gaussian ones" if law == "gaussian" else ""
    return law, "; ".join(words)


# --- what stands against it -----------------------------------------------------------------------


def _unfollowed(hidden: Sequence[Stage], passage: Passage) -> str | None:
    """Why it is not certain that each layer receives what the one before it gives."""
    if passage.unfollowed is not None:
        return passage.unfollowed
    first = hidden[0].call
    if reached(first.came, set()) != {passage.source} or not same(first.received, passage.batch):
        return f"{first.label!r}, the first layer, does not receive the batch as it is"
    for stage, after in pairwise(hidden):
        if stage.joined:
            return f"what {stage.call.label!r} gives is {stage.joint}"
        if after.call.came is not stage.arrival:
            return f"{after.call.label!r} does not receive what is made of {stage.call.label!r}"
    if hidden[-1].joined:
        return f"what {hidden[-1].call.label!r} gives is {hidden[-1].joint}"
    return None


def _irregular(hidden: Sequence[Stage]) -> str | None:
    """Why the layers are no chain of equal ones."""
    kinds = {stage.actions for stage in hidden}
    if len(kinds) > 1:
        shown = "; ".join(" → ".join(("weights", *kind)) for kind in sorted(kinds)[:3])
        changed = next((f"; {said}" for said in map(_changed, hidden) if said), "")
        return f"its layers differ: {shown}{changed}"
    for stage in hidden:
        call = stage.call
        if call.kind != "Linear":
            what = "a product with weights" if call.product else kind_of(call.module)
            return f"{call.label!r} is {what}, not a Linear"
        if call.received.ndim != 2 or stage.features.ndim != 2:
            return (
                f"{call.label!r} acts alike on "
                f"{call.received[0].numel() // call.received.shape[-1]} places of "
                "each sample, and the theory's layers act on a sample as a whole"
            )
        if (departure := _changed(stage)) is not None:
            return departure
    if len({stage.width for stage in hidden}) > 1:
        return "its widths differ along depth"
    for stage in hidden:
        bias = stage.call.bias
        if bias is not None and bias.any() and not stage.recentred:
            return f"{stage.call.label!r} has a bias that nothing subtracts; set it to zero"
    return None


def _changed(stage: Stage) -> str | None:
    """Whether a batchnorm is there that does more or less than standardise."""
    for call in stage.calls:
        batchnorm = isinstance(call.module, nn.modules.batchnorm._BatchNorm)
        if batchnorm and type(call.module).__name__ in stage.actions:
            return (
                f"{call.label!r} is no plain batchnorm: it has a scale, a shift, running "
                "statistics, or an ε that is not small beside the variances"
            )
    return None


def _imprecise(hidden: Sequence[Stage]) -> str | None:
    """Why rounding is not negligible."""
    for stage in hidden:
        for value in (stage.call.received, stage.call.weight, stage.call.gave, stage.features):
            if value is not None and value.dtype not in _PRECISE:
                return f"{stage.call.label!r} computes in {str(value.dtype).removeprefix('torch.')}"
    return None


def _tied(hidden: Sequence[Stage]) -> str | None:
    """Why the weights of different layers, or the entries of one, are not drawn each for itself."""
    for stage in hidden:
        if stage.call.computed:
            return (
                f"{stage.call.label!r} computes its weights from other parameters, so they are "
                "not independent draws"
            )
    for one, other in combinations((stage.call for stage in hidden), 2):
        if one.name == other.name:
            return (
                f"{one.name!r} is called more than once, so that its weights are not independent "
                "from layer to layer"
            )
        if (
            one.weight is not None
            and other.weight is not None
            and one.weight.data_ptr() == other.weight.data_ptr()
        ):
            return f"{one.label!r} and {other.label!r} share their weights"
    return None


def _trained(hidden: Sequence[Stage]) -> str | None:
    """What shows that the network may not be at initialisation."""
    calls = list(itertools.chain.from_iterable((stage.call, *stage.calls) for stage in hidden))
    for call in calls:
        count = getattr(call.module, "num_batches_tracked", None)
        if isinstance(count, Tensor) and int(count) > 0:
            many = f"{int(count)} batch{'es' if int(count) > 1 else ''}"
            return (
                f"{call.label!r} has seen {many} in training mode, so that the weights may be "
                "trained; inspect a fresh network"
            )
    for call in calls:
        if any(parameter.grad is not None for parameter in call.parameters):
            return (
                f"{call.label!r} has gradients, so that the weights may be trained; inspect a "
                "fresh network"
            )
    return None


# --- the chain ------------------------------------------------------------------------------------


def _chain(hidden: Sequence[Stage], actions: tuple[str, ...], law: str) -> Chain | str:
    """The chain of the catalogue with these actions, or why there is none."""
    width = hidden[0].width
    variants = itertools.chain.from_iterable(kind.variants for kind in CHAINS.values())
    found = next(
        (variant for variant in variants if seen_actions(variant.example) == actions), None
    )
    if found is None:
        parts = "weights, skip connection, recentring, rescaling, activation"
        shown = " → ".join(("weights", *actions))
        return f"its layers are not the theory's, which have {parts}: {shown}"
    values = dict.fromkeys(found.numbers, 0.0)
    if "residual" in actions:
        gammas = [
            (stage.factor or 0.0) * float(stage.call.weight.square().mean().sqrt())
            for stage in hidden
            if stage.call.weight is not None
        ]
        # four standard errors of a mean square root, either way
        chance = math.exp(8 / math.sqrt(2 * width * width))
        skips = all(stage.own_skip for stage in hidden)
        narrow = hidden[0].call.received[0].numel() == width
        if not (skips and narrow) or max(gammas) > 1.2 * chance * min(gammas):
            return "its residual layers skip more than one map, change the width or differ in scale"
        values = {"gamma": float(np.mean(gammas))}
    return found(width, values).with_law(law)


def seen_actions(block: Chain) -> tuple[str, ...] | None:
    """What inspection would see happen after the weights of a network that is this chain.

    None for a chain that it cannot recognise, whatever happens: one that begins with another map
    than weights, or whose output depends on the scale of the weights, of which nothing is assumed.
    """
    first, *rest = block.layers
    if not isinstance(first, WeightLayer) or block.scaling is ScaleResponse.BOUND:
        return None
    actions = ["residual"] if isinstance(first, Residual) else []
    for layer, after in zip(rest, [*rest[1:], None], strict=True):
        match layer, after:
            case Recenter(), Rescale("variance"):
                actions.append("batchnorm")
            case Recenter(), _:
                actions.append("recenter")
            case Activation(str(name)), _ if name != "identity":
                actions.append(name)
            case Activation(name), _ if name != "identity":
                return None
            case ((Activation() | Normalize()), _):
                pass
            case Rescale("variance"), _ if actions[-1:] == ["batchnorm"]:
                pass
            case _:
                return None
    return tuple(actions)


# --- the law of the weights -----------------------------------------------------------------------

_SIGNIFICANT = 1e-3  # of all tests of laws together; below this a law is rejected
_DEPENDENT = 1e-3  # of all tests of independence together
_POOLED = 100_000  # entries whose law is tested, from all layers alike
_NARROW = (torch.bfloat16, torch.float16)
_SMALLEST = 8  # rows and columns from which on sums and sphericity are nearly normal
_BLOCK = 1024  # rows and columns at most that are tested for independence
_MARKS = 2000  # values of a layer, or somewhat more, that are looked for in others
_SINGULAR = "singular values"
_ORTHOGONAL = "orthogonal weights"
_SPHERICITY = 6.0  # deviations that it is allowed, as its tails are heavier than normal


def _orthogonal(matrix: Floats) -> bool:
    """Whether rows, or columns if there are fewer, are orthogonal and of one length, up to rounding
    in float32.
    """
    short = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    products = short @ short.T
    wanted = products[0, 0] * np.eye(len(products))
    return bool(np.abs(products - wanted).max() <= 1e-5 * products[0, 0])


def law_of(weights: Sequence[tuple[str, Tensor]]) -> tuple[str, str | None]:
    """The law of these weights, named, and None; or an empty law and why they are not independent
    draws of one.

    Tests on the weights themselves, which independent entries of one law all pass, but for one
    network in some 500:

    - entries: Kolmogorov–Smirnov, layer by layer and pooled
    - one layer: John's statistic of sphericity tr(S²)/tr(S)², S = WWᵀ, which for independent
      entries is nearly normal about a known mean; sums and lengths of rows and columns; values used
      twice
    - two layers: the scalar products of W, of its transpose and of the Gram matrices where they
      meet; values in common

    What passes may still be dependent; it is not seen to be.

    Args:
        weights: the layers' names with their weights, of any shapes, the first axis being that of
            the outputs.

    Cost: products of blocks of at most 1024 rows and columns, for each layer and each two of them.

    Sources: Ledoit and Wolf (2002), Wang and Yao (2013), for the test of sphericity.

    >>> generator = torch.Generator().manual_seed(0)
    >>> law_of([("0", torch.randn(64, 64, generator=generator))])
    ('gaussian', None)
    >>> law_of([("0", torch.zeros(64, 64))])
    ('', "'0' has weights that are all zero")
    """
    matrices: list[tuple[str, Floats]] = []
    for name, weight in weights:
        if (coarse := _coarse(weight)) is not None:
            return "", f"{name!r} {coarse}"
        matrix = weight.detach().double().cpu().numpy().reshape(weight.shape[0], -1)
        spread = float(np.sqrt(np.mean(matrix**2)))
        if spread == 0:
            return "", f"{name!r} has weights that are all zero"
        matrix = matrix / spread  # of float64 weights it is the memory of their own
        if min(matrix.shape) > 1 and _orthogonal(matrix):
            return "", f"{name!r} has {_ORTHOGONAL}, whose entries are not independent"
        matrices.append((name, matrix))
    law, objection = _entries([matrix for _, matrix in matrices])
    if objection is None:
        objection = _dependence(matrices, float(_laws()[law].stats("k")))
    return ("", objection) if objection is not None else (law, None)


def _laws() -> dict[str, Any]:
    """The centred laws of the catalogue that have a distribution, frozen, by name."""
    return {
        name: law.distribution()
        for name, law in LAWS.items()
        if law.distribution is not None and law.mean == 0
    }


def _coarse(weight: Tensor) -> str | None:
    """Whether the weights are of low precision, or were before they were widened."""
    for narrow in _NARROW:
        if weight.dtype is narrow or torch.equal(weight.to(narrow).to(weight.dtype), weight):
            held = str(narrow).removeprefix("torch.")
            words = f"has weights in {held}, which are no draws of a continuous law"
            return words if weight.any() else None
    return None


def _entries(matrices: Sequence[Floats]) -> tuple[str, str | None]:
    """The law of the entries, each layer's scaled to mean square 1."""
    # which entries are looked at has nothing to do with their values
    rng = np.random.default_rng(0)
    share = max(_POOLED // len(matrices), 100)
    samples = [
        matrix.ravel() if matrix.size <= share else rng.choice(matrix.ravel(), share, replace=False)
        for matrix in matrices
    ]
    pooled = np.concatenate(samples)
    found = {name: float(stats.kstest(pooled, law.cdf).pvalue) for name, law in _laws().items()}
    best = max(found, key=lambda name: found[name])
    alone = min(float(stats.kstest(sample, _laws()[best].cdf).pvalue) for sample in samples)
    if min(found[best], alone * len(samples)) < _SIGNIFICANT:
        shown = " and ".join(f"{value:.1g}" for value in found.values())
        return best, f"its weights look neither Gaussian nor uniform around zero: p = {shown}"
    return best, None


def _dependence(matrices: Sequence[tuple[str, Floats]], excess: float) -> str | None:
    """Why the entries do not look independent, None if nothing was seen."""
    blocks = [(name, matrix[:_BLOCK, :_BLOCK]) for name, matrix in matrices]
    marks = [_marks(block) for _, block in blocks]
    for (name, _), values in zip(blocks, marks, strict=True):
        if len(np.unique(values)) < len(values) / 2:
            return (
                f"the weights of {name!r} are not independent: most values are used more than once"
            )
    common = values_in_common(marks)
    counts = np.array([len(values) for values in marks])
    for one, other in np.argwhere(np.triu(common > np.minimum.outer(counts, counts) / 2, 1)):
        first, second = matrices[one], matrices[other]
        if np.array_equal(first[1], second[1]):
            return f"{second[0]!r} is equal to {first[0]!r} at the start, so no independent draw"
        return (
            f"the weights of {first[0]!r} and {second[0]!r} are not independent: they have most "
            "values in common"
        )
    seen: list[tuple[str, str, float]] = []
    for name, block in blocks:
        seen += [(repr(name), *test) for test in _one_layer(block, excess)]
    for (one_name, a), (other_name, b) in combinations(blocks, 2):
        seen += [(f"{one_name!r} and {other_name!r}", *test) for test in _two_layers(a, b)]
    for (one_name, a), (other_name, b) in pairwise(blocks):
        names = f"{one_name!r} and {other_name!r}"
        seen += [(names, *test) for test in _where_they_meet(a, b, excess)]
    allowed = float(stats.norm.isf(_DEPENDENT / (2 * max(len(seen), 1))))
    for names, what, value in seen:
        limit = max(allowed, _SPHERICITY) if what == _SINGULAR else allowed
        if abs(value) > limit:
            return (
                f"the weights of {names} do not look independent: their {what} are "
                f"{abs(value):.3g} standard deviations off, and {limit:.3g} are allowed"
            )
    return None


def _marks(block: Floats) -> NDArray[np.uint32]:
    """The values without their signs, some thousand of them, chosen by their last digits and not by
    their places.
    """
    bits = np.abs(block).astype(np.float32).ravel().view(np.uint32)
    return np.asarray(bits[bits % max(1, bits.size // _MARKS) == 0])


def values_in_common(marks: Sequence[NDArray[np.uint32]]) -> NDArray[np.int64]:
    """How many values each two layers share, (layers, layers); a layer shares all of its own with
    itself.

    Cost: a sort of all values, and a product of sparse matrices.

    >>> values_in_common([np.uint32([1, 2, 3]), np.uint32([3, 4])])
    array([[3, 1],
           [1, 2]])
    """
    own = [np.unique(values) for values in marks]
    layer = np.repeat(np.arange(len(own)), [len(values) for values in own])
    place = np.unique(np.concatenate(own), return_inverse=True)[1]
    held = csr_array(
        (np.ones(len(place), dtype=np.int64), (layer, place)), shape=(len(own), len(place))
    )
    return np.asarray((held @ held.T).toarray())


def _one_layer(matrix: Floats, excess: float) -> Iterator[tuple[str, float]]:
    """What is tested of one layer, and by how many standard deviations it is off."""
    short = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    m, k = short.shape
    if m < _SMALLEST:
        return
    for what, table in (("rows", matrix), ("columns", matrix.T)):
        count = table.shape[1]
        sums = float(np.square(table.sum(axis=1)).sum()) / count
        yield f"sums of {what}", _deviation(sums, len(table))
        roots = np.cbrt(np.square(table).mean(axis=1))  # nearly normal, after Wilson and Hilferty
        spread = len(table) * float(roots.var()) * 9 * count / (2 + excess)
        yield f"lengths of {what}", _deviation(spread, len(table) - 1)
    gram = short @ short.T
    sphericity = m * float(np.square(gram).sum()) / float(np.trace(gram)) ** 2 - 1
    yield _SINGULAR, (k * sphericity - m - 1 + 2 / m - excess) / 2


def _deviation(value: float, freedom: int) -> float:
    """The normal deviate that is as improbable as this value of a χ² variable."""
    above, below = stats.chi2.sf(value, freedom), stats.chi2.cdf(value, freedom)
    return float(stats.norm.isf(above) if above < below else stats.norm.ppf(below))


def _two_layers(a: Floats, b: Floats) -> Iterator[tuple[str, float]]:
    """The scalar products of the one with the other and with its transpose."""
    if a.shape == b.shape:
        yield "scalar products", float((a * b).sum()) / math.sqrt(a.size)
    if a.shape == b.T.shape:
        yield "scalar products, one transposed,", float((a * b.T).sum()) / math.sqrt(a.size)


def _where_they_meet(a: Floats, b: Floats, excess: float) -> Iterator[tuple[str, float]]:
    """‖BA‖² less its mean, given A: large or small where B sees what A gives most of."""
    if b.shape[1] != a.shape[0] or min(a.shape) < _SMALLEST:
        return
    gram = a @ a.T
    gram -= np.trace(gram) / len(gram) * np.eye(len(gram))
    variance = len(b) * (2 * np.square(gram).sum() + excess * np.square(np.diag(gram)).sum())
    if variance > 0:
        yield "products", float(((b @ gram) * b).sum() / math.sqrt(variance))
