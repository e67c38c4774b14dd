"""The whole of an inspection: layers, chain, predictions, verdict."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from html import escape

import numpy as np
from torch import Tensor, nn

from theorems.inspection.attention import Tokens, tokens_of
from theorems.inspection.backward_pass import Course, Gradients, Loss, along, followed, gradients
from theorems.inspection.condition import (
    DEEP,
    SOFT,
    Chance,
    Condition,
    Floats,
    Measures,
    driven_by_mean,
    final_run,
    fixed_rank,
    fixed_recentred_rank,
    judge,
    measure,
)
from theorems.inspection.copies import Group, copies, in_words
from theorems.inspection.dataflow import in_rows
from theorems.inspection.finding import (
    Finding,
    Remedy,
    Watched,
    findings,
    remedies,
)
from theorems.inspection.forward_pass import Passage, watch
from theorems.inspection.inputs import Batch
from theorems.inspection.predictions import Simulated, simulated
from theorems.inspection.recognition import Recognised, recognise
from theorems.inspection.stages import (
    NotJudged,
    Parameters,
    Role,
    Stage,
    account,
    hidden_stages,
    judged_share,
    stages,
)
from theorems.notebook import table
from theorems.typesetting import number

__all__ = ["Inspection", "Layer", "as_columns", "inspect", "watched"]


_SHARED = 1 / 3
"""Of a batch's energy in the mean of its samples, from which on it is told of."""
_STILL = 0.1
"""Of what differs between samples of the batch, a share of the energy below which it is lost."""


@dataclass(frozen=True)
class Layer:
    """A layer with weights and all up to the next: its name, what it does, what is measured of what
    comes out.

    ``role`` is ``"hidden"`` for a layer that is judged, and says otherwise why it is not. ``kind``
    is the module's, such as ``"Conv2d"``, or that of a module which does the same, and otherwise
    ``"Product"``; ``shape`` is that of what comes out for one sample.
    """

    name: str
    does: str
    measures: Measures
    role: str = Role.HIDDEN
    kind: str = "Linear"
    shape: tuple[int, ...] = ()

    @classmethod
    def of(cls, stage: Stage, measures: Measures) -> Layer:
        """The layer of a stage, of which this was measured."""
        shape = tuple(stage.features.shape[1:])
        label = stage.call.label
        return cls(label, stage.does, measures, stage.role, stage.call.kind, shape)


@dataclass(frozen=True)
class Inspection:
    """What was seen of a network, layer by layer, and what it means.

    ``hidden`` counts the layers that the verdict is about, which come first in ``layers``: all
    linear maps and convolutions that could be watched, except maps to the outputs and what is
    pooled for them. ``not_judged`` names every other module that holds parameters, with the reason,
    and ``parameters`` counts them all. ``since`` is the layer, from 1, from which on the condition
    is not healthy; None for a healthy network. ``batch`` is measured too; where it is of whole
    numbers, it is what the first layer receives. ``chance`` says whether healthy networks of these
    widths look as bad, None where that was not asked: the last layer is healthy, or the batch too
    large. ``gradients`` is what becomes of gradients, or why none were measured;
    ``remedies`` is what the theory offers against what is wrong; ``equal`` has the weights that are
    the same in different modules.
    """

    samples: int
    statistics: str
    batch: Measures
    layers: tuple[Layer, ...]
    hidden: int
    recognised: Recognised
    findings: tuple[Finding, ...]
    simulation: Simulated | str
    not_judged: tuple[NotJudged, ...]
    parameters: Parameters
    condition: Condition
    since: int | None
    chance: Chance | None
    gradients: Gradients | str
    remedies: tuple[Remedy, ...] = ()
    tokens: Tokens | None = None
    equal: tuple[Group, ...] = ()

    @property
    def judged(self) -> float:
        """The share of the parameters that was judged, from 0 to 1, of those that are not of maps
        to the outputs, rows looked up, or of no use.
        """
        return judged_share(self.parameters, self.not_judged)

    @property
    def unwell(self) -> bool:
        """Whether something is wrong, forward or backward, in what was judged."""
        backward = not isinstance(self.gradients, str) and not self.gradients.healthy
        tokens = self.tokens is not None and self.tokens.collapsed
        return self.since is not None or tokens or backward

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong, and at least half of the parameters were judged."""
        return self.state == "healthy"

    @property
    def state(self) -> str:
        """In one or two words, what drives the rest: dead, collapsing, clustering, exploding,
        vanishing or saturated; otherwise healthy, or not judged, of more than half of the
        parameters.

        Where several are so, the first of: outputs that are dead; samples that are no better in
        the batch, if no layer is dying; tokens that collapsed; a layer of dying units, unless
        gradients explode; gradients from layer to layer; collapse and clusters; gradients from
        step to step in time; saturation.
        """
        if not self.unwell:
            return "healthy" if self.judged >= 0.5 else "not judged"
        return self._troubles()[0][0]

    @property
    def besides(self) -> tuple[tuple[str, str], ...]:
        """What is followed beside the judged layers, by what it is: recurrent modules, the tokens
        of a sample, attention that chooses, weights that are equal at the start.
        """
        seen = self.gradients
        recurrent, choices = ((), ()) if isinstance(seen, str) else (seen.recurrences, seen.choices)
        found = [("recurrent", each.sentence) for each in recurrent]
        if self.tokens is not None:
            found.append(("tokens", self.tokens.sentence))
        name, share = max(choices, key=lambda item: item[1], default=("", 0.0))
        if share > 0:
            words = f"of the rows of {name!r} {share:.0%} are saturated, the most of any"
            found.append(("attention", words))
        if self.equal:
            found.append(("copies", in_words(self.equal)))
        return tuple(found)

    @property
    def counted(self) -> str:
        """In words, what counts as a sample and as a unit, of the judged layers."""
        judged = self.layers[: self.hidden]
        words = ["a sample is a row of the batch"]
        if any(layer.kind.startswith("Conv") for layer in judged):
            words.append(
                "of what a convolution gives, all channels at all places make the width, and a "
                "unit is a channel"
            )
        if any(layer.kind == "Linear" and len(layer.shape) > 1 for layer in judged):
            words.append(
                "of what a map of each token gives, the features of all tokens make the width, "
                "and a unit is a feature"
            )
        if any(layer.kind == "Linear" and len(layer.shape) == 1 for layer in judged):
            words.append("of what a map of each sample gives, a unit is an entry")
        if any(layer.kind == "Product" for layer in judged):
            words.append(
                "of what a product along other axes gives, all entries make the width, and a unit "
                "is a place along the axes that its weights give"
            )
        return "; ".join(words)

    def __repr__(self) -> str:
        return f"<Inspection of {len(self.layers)} layers: {self.verdict}>"

    def columns(self) -> dict[str, list[object]]:
        """What was measured, a column each with an entry for each of ``layers``.

        ``pandas.DataFrame(found.columns())`` makes a table of it, as does any library of tables.

        Example:
            >>> found = inspect(nn.Sequential(nn.Linear(8, 8), nn.ReLU()), np.eye(8))
            >>> found.columns()["name"], found.columns()["width"]
            (['0'], [8])
        """
        seen = self.gradients
        blank = [math.nan] * len(self.layers)
        back = {
            "gradient_norm": blank if isinstance(seen, str) else [*seen.norms],
            "dead": blank if isinstance(seen, str) else [*seen.dead],
            "saturated": blank if isinstance(seen, str) else [*seen.saturated],
        }
        measured = [asdict(layer.measures) for layer in self.layers]
        return {
            "name": [layer.name for layer in self.layers],
            "does": [layer.does for layer in self.layers],
            "role": [str(layer.role) for layer in self.layers],
            **{key: [str(row[key]) for row in measured] for key in ("condition", "reason")},
            **{
                key: [row[key] for row in measured]
                for key in measured[0]
                if key not in {"condition", "reason"}
            },
            **back,
        }

    def _repr_html_(self) -> str:
        seen = self.gradients
        norms = [math.nan] * len(self.layers) if isinstance(seen, str) else seen.norms
        layers = (
            [
                escape(layer.name),
                escape(layer.does),
                number(layer.measures.effective_rank),
                number(None if math.isnan(norm) else norm),
                layer.measures.word,
            ]
            for layer, norm in zip(self.layers, norms, strict=True)
        )
        findings = (
            [
                escape(found.statement),
                "yes" if found.met else "no",
                number(found.predicted),
                number(found.measured),
                escape(found.why),
            ]
            for found in self.findings
        )
        return (
            f"<div><p>{escape(self.verdict)}</p>"
            + table(("layer", "what it does", "effective rank", "‖∂L/∂y‖", "condition"), layers)
            + table(("statement", "assumptions met", "at most", "measured", "why"), findings)
            + "</div>"
        )

    @property
    def verdict(self) -> str:
        """In words: the first layer, the quantity that decided there, what is left after the last,
        and how much of the network that does not speak of.
        """
        left = [item for item in self.not_judged if not item.output]
        said = "; ".join(words for _, words in self._troubles())
        if not self._sick_forward:
            fine = self._finding()
            said = f"{said}; {fine.removeprefix('healthy: ')}" if said else fine
        if isinstance(self.gradients, str):
            said = f"{said}; {self.gradients}"
        if self.state == "not judged":
            said = f"not judged: {1 - self.judged:.0%} of the parameters; the rest is {said}"
        if not left:
            return said
        share = sum(item.parameters for item in left)
        many = f"{len(left)} modules" if len(left) > 1 else "1 module"
        return (
            f"{said}; {many} with {share} of the {self.parameters.total} parameters "
            f"{'are' if len(left) > 1 else 'is'} not judged"
        )

    @property
    def _sick_forward(self) -> bool:
        """Whether samples die, collapse or cluster."""
        return self.since is not None or self.layers[self.hidden - 1].measures.dead

    @property
    def _from_the_batch_on(self) -> bool:
        return self.since == 1 and self.batch.condition is not Condition.HEALTHY

    def _troubles(self) -> list[tuple[str, str]]:
        """What is wrong, each in a word and in a phrase, what drives the rest first."""
        seen = self.gradients
        dead = self.layers[self.hidden - 1].measures.dead
        word = "dead" if dead else self.condition.value
        forward = [(word, self._finding())] if self._sick_forward else []
        tokens = []
        if self.tokens is not None and self.tokens.collapsed:
            words = f"collapsing tokens: {self.tokens.sentence}"
            tokens = [(Condition.COLLAPSING.value, words)]
        if isinstance(seen, str):
            return [*tokens, *forward]
        dying, course, saturated = self._dying(seen), [], []
        if seen.course is not Course.STEADY:
            word = seen.course.value
            course = [(word, f"{word} gradients: {seen.sentence}")]
        if seen.saturating is not None:
            name, share = seen.saturating
            words = f"saturated in {name!r}: {share:.0%} of what comes out of it"
            saturated = [("saturated", words)]
        exploding = seen.layered is Course.EXPLODING
        layered = seen.layered is not Course.STEADY
        if dead:
            ordered = [forward, tokens, dying, course]
        elif exploding:
            ordered = [tokens, course, dying, forward]
        else:
            ordered = (
                [tokens, dying, course, forward] if layered else [tokens, dying, forward, course]
            )
        if self._from_the_batch_on and not dying:
            ordered = [forward, tokens, course]
        return [*itertools.chain.from_iterable(ordered), *saturated]

    def _dying(self, seen: Gradients) -> list[tuple[str, str]]:
        """Of a layer whose units are dying."""
        if seen.dying is None:
            return []
        layer = self.layers[seen.dying - 1]
        words = (
            f"dead at layer {seen.dying} ({layer.name!r}): {seen.dead[seen.dying - 1]:.0%} of "
            "its units give the same for all samples and pass no gradient"
        )
        return [("dead", words)]

    def _finding(self) -> str:
        last = self.layers[self.hidden - 1].measures
        many = f"{self.hidden} layer{'s' if self.hidden > 1 else ''}"
        most = min(last.width, self.samples)
        rank = f"effective rank {last.effective_rank:.3g} of {most} after {many}"
        if last.dead:
            start, dead = next(
                (k, layer) for k, layer in enumerate(self.layers, start=1) if layer.measures.dead
            )
            return f"dead from layer {start} ({dead.name!r}) on: {last.reason}"
        if self.since is None:  # what else is wrong may hinder learning
            return f"healthy: {rank}{'' if self.unwell else self._pardon(last)}"
        first = self.layers[self.since - 1]
        place = f"at layer {self.since} ({first.name!r})"
        if self._from_the_batch_on:
            place = f"from the batch on, {place}"
        decided = f"{self.condition.value} {place}: {first.measures.reason}"
        if first.measures.condition is not self.condition:
            number, same = next(
                (k, layer)
                for k, layer in enumerate(self.layers[self.since :], start=self.since + 1)
                if layer.measures.condition is self.condition
            )
            decided += f", and at layer {number} ({same.name!r}) {same.measures.reason}"
        if self.condition is Condition.COLLAPSING:
            after = f"; {rank}" if self.since < self.hidden else ""
            return f"{decided}{after}{self._driver(last)}"
        if last.largest_cluster == self.samples - 1:
            share = f"{last.outlier_share:.0%} of the recentred energy"
            return f"{decided}; after {many} a lone outlier, sample {last.outlier}, with {share}"
        return f"{decided}; after {many} two groups, the larger of {last.largest_cluster} samples"

    def _pardon(self, last: Measures) -> str:
        """Why a last layer past a yardstick is healthy all the same."""
        if last.strength == 0:
            return ""
        run = final_run([layer.measures.strength for layer in self.layers[: self.hidden]])
        past = (
            f"the last {f'{run} layers are' if run > 1 else 'layer is'} past a yardstick "
            f"({last.reason})"
        )
        if self.chance is not None:
            return (
                f"; {past}, but by chance {self.chance.exceeded} of {self.chance.replicas} healthy "
                "networks of this width are as far past one"
            )
        left = f"effective rank {last.recentred_rank:.3g} of {min(last.width, self.samples - 1)}"
        if driven_by_mean(last, self.samples):
            return (
                f"; a mean that all samples share has {last.mean_share:.0%} of the energy, which "
                f"a bias takes away, and recentring leaves {left}"
            )
        return (
            f"; {past}, but what recentring leaves has {1 - last.mean_share:.2g} of the energy and "
            f"{left}, from which {'so few' if run < DEEP else 'the'} layers learn"
        )

    def _driver(self, last: Measures) -> str:
        """What the loss of rank comes from: a mean that all samples share, or what recentring
        leaves.
        """
        if not math.isfinite(last.mean_share):
            return ""
        left = f"effective rank {last.recentred_rank:.3g} of {min(last.width, self.samples - 1)}"
        fixed = fixed_recentred_rank(self.samples, last.width)
        if last.recentred_rank < math.sqrt(fixed):
            return f"; recentring does not help, it leaves {left}"
        if driven_by_mean(last, self.samples):
            return (
                "; a mean that all samples share drives it, with "
                f"{last.mean_share:.0%} of the energy: recentring, "
                f"as the next batchnorm does, leaves {left}{self._from_batch(last)}"
            )
        return f"; recentring leaves {left}"

    def _from_batch(self, last: Measures) -> str:
        """Where that mean is the batch's own, and the samples differ as much as they did."""
        shared, before = self.batch.mean_share, self.batch.recentred_rank
        lost = 1 - last.mean_share < _STILL * (1 - shared)
        if not shared > _SHARED or lost or last.recentred_rank < before / 2:
            return ""
        return (
            f"; the batch has {shared:.0%} of its own energy in such a mean, and what differs "
            f"between samples is kept, effective rank {before:.3g} in the batch: inspect it again "
            "with features standardised over the data"
        )

    def as_json(self) -> dict[str, object]:
        """Everything as a JSON value; numbers that do not exist are NaN.

        The keys are those of the fields, and ``schema``, ``verdict``, ``soft_rank_tau``,
        ``healthy_rank``.
        """
        seen = self.simulation
        last = self.layers[self.hidden - 1].measures
        return {
            "schema": 1,
            "verdict": self.verdict,
            "state": self.state,
            "condition": self.condition.value,
            "judged": self.judged,
            "tokens": None if self.tokens is None else asdict(self.tokens),
            "since": self.since,
            "chance": None if self.chance is None else self.chance.as_json(),
            "samples": self.samples,
            "statistics": self.statistics,
            "hidden": self.hidden,
            "soft_rank_tau": SOFT,
            "healthy_rank": fixed_rank(self.samples, last.width),
            "batch": asdict(self.batch),
            "layers": [
                {
                    "name": x.name,
                    "does": x.does,
                    "role": x.role,
                    "kind": x.kind,
                    "shape": x.shape,
                    **asdict(x.measures),
                }
                for x in self.layers
            ],
            "chain": {
                "words": self.recognised.words,
                "layers": repr(self.recognised.chain) if self.recognised.chain else None,
                "obstacle": self.recognised.obstacle,
            },
            "remedies": [asdict(remedy) for remedy in self.remedies],
            "statements": [asdict(finding) for finding in self.findings],
            "simulation": {"not_simulated": seen} if isinstance(seen, str) else seen.as_json(),
            "not_judged": [asdict(item) for item in self.not_judged],
            "parameters": asdict(self.parameters),
            "equal": self.equal,
            "gradients": (
                {"not_measured": self.gradients}
                if isinstance(self.gradients, str)
                else self.gradients.as_json()
            ),
        }


def inspect(
    module: nn.Module,
    batch: Batch,
    *,
    statistics: str = "batch",
    seed: int = 0,
    loss: Loss | None = None,
    others: Sequence[nn.Module] = (),
) -> Inspection:
    """Watch ``module`` process ``batch`` once, forward and backward, and say what becomes of the
    samples along depth and of gradients on their way back.

    Judged are linear maps and convolutions of which each row belongs to a sample, modules and
    products with weights in a module's own code alike; these are named by their parameter, such as
    ``"body.3.weight"``. All else that holds parameters is in ``not_judged`` of what is returned,
    with the reason, and ``parameters`` adds up to all of them. Gradients are those of what the
    judged layers' maps give. A chain of the theory is named where data were followed
    from layer to layer and the weights pass tests of independence; else ``recognised.sentence``
    says why not.

    Args:
        module: its forward takes the batch, and nothing else; its output is a tensor, or tensors in
            tuples, dicts and dataclasses. It is left as it was: parameters, buffers, modes, hooks
            and random state.
        batch: (n, …), n ≥ 3 samples along the first axis, an array of any byte order and layout or
            a tensor; converted to the module's dtype and device. Whole numbers stay whole where
            the module takes them, integer tensors always. Several inputs are a tuple of arrays, or
            a mapping by the names of forward's arguments, the first of them the samples; a mask
            among them may hold −∞.
        statistics: ``"batch"``, batchnorm as in training, which is what the theory is about,
            dropout off; or ``"running"``, everything as in evaluation.
        seed: of the simulations that the network is compared with.
        loss: of what the module gives, to a tensor of one number; without it gradients start from
            standard normal ones of all outputs.
        others: the same network with other weights: the interval of the gradients' growth is then
            over initialisations, otherwise over output gradients.

    Raises:
        ValueError: naming what is wrong: fewer than three samples, a batch the network does not
            take or its type does not hold, values that are not finite, with the layer, nothing that
            can be judged.
        TypeError: no module.

    Cost: two forward passes, of which all values are kept in memory, eight backward ones (with a
    loss one), as much for each of the others, O(d n²) per layer, and up to
    about ten seconds of simulation each where a chain is recognised, where a fixed point of it is
    compared, and where the last layers do not look healthy.

    Example:
        >>> import torch
        >>> network = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU())
        >>> found = inspect(network, torch.eye(8))
        >>> (
        ...     found.layers[0].does,
        ...     found.parameters.total,
        ...     found.recognised.sentence,
        ... )  # doctest: +ELLIPSIS
        ('weights → relu', 72, "not recognised, because '0' has a bias that nothing subtracts; ...")
    """
    passage = watch(module, batch, statistics)
    found = stages(passage)
    hidden = hidden_stages(module, passage, found)
    seen = watched(passage, hidden, seed)
    seen = replace(
        seen,
        simulation=_simulated(module, passage, seen, statistics, loss),
        gradients=gradients(module, passage, found, statistics, loss=loss, others=others),
    )
    beside = [measure(as_columns(stage.features)) for stage in found[len(hidden) :]]
    n = len(passage.batch)
    entering = measure(seen.batch)
    condition, since, excuse = judge(seen.measures, n, seed, entering)
    parameters, left = account(module, passage, found, followed(module, seen.gradients))
    told = Inspection(
        samples=n,
        statistics=statistics,
        batch=entering,
        layers=tuple(
            Layer.of(stage, measures)
            for stage, measures in zip(found, [*seen.measures, *beside], strict=True)
        ),
        hidden=len(hidden),
        recognised=seen.recognised,
        findings=tuple(_findings(seen)),
        simulation=seen.simulation,
        not_judged=left,
        parameters=parameters,
        condition=condition,
        since=since,
        chance=excuse,
        gradients=seen.gradients,
        tokens=tokens_of(passage, [item.call.came for item in found if item.role is Role.OUTPUT]),
        equal=copies(module),
    )
    words = [told.state] if since is None else [told.state, condition.value]
    offered = itertools.chain.from_iterable(remedies(seen, word) for word in words)
    return replace(told, remedies=tuple(dict.fromkeys(offered)))


def watched(passage: Passage, hidden: Sequence[Stage], seed: int = 0) -> Watched:
    """What the families look at, of a passage and the stages of it that are judged.

    Cost: O(d n²) per layer.

    Example:
        >>> import torch
        >>> passage = watch(nn.Sequential(nn.Linear(4, 2), nn.ReLU()), torch.eye(4), "batch")
        >>> seen = watched(passage, stages(passage))
        >>> seen.features[0].shape, seen.measures[0].width
        ((2, 4), 2)
    """
    features = [as_columns(stage.features) for stage in hidden]
    return Watched(
        recognise(hidden, passage),
        passage.calls,
        hidden,
        as_columns(_entering(passage, hidden)),
        features,
        [measure(H) for H in features],
        seed,
    )


def _findings(seen: Watched) -> list[Finding]:
    """What the families say of the network, and where an assumption is not met by all of it but by
    its longest stretch, what they say of that.
    """
    found, stretch = findings(seen), seen.recognised.stretch
    if seen.recognised.chain is not None or stretch is None or stretch.catalogued is None:
        return found
    kept = slice(stretch.first, stretch.end)
    part = replace(
        seen,
        recognised=Recognised(stretch.words, stretch.catalogued, None, stretch),
        stages=seen.stages[kept],
        batch=as_columns(seen.stages[stretch.first].call.received),
        features=seen.features[kept],
        measures=seen.measures[kept],
    )
    better = {item.statement: item for item in findings(part) if item.met}
    where = f"layers {stretch.first + 1} to {stretch.end}: "
    return [
        replace(better[item.statement], why=where + better[item.statement].why)
        if not item.met and item.statement in better
        else item
        for item in found
    ]


def _simulated(
    module: nn.Module, passage: Passage, seen: Watched, statistics: str, loss: Loss | None
) -> Simulated | str:
    """What is simulated of the longest stretch that is a chain, or nearly one."""
    stretch = seen.recognised.stretch
    if stretch is None:
        return simulated(seen.recognised, seen.batch, seen.measures, seen.seed)
    part = seen.stages[stretch.first : stretch.end]
    return simulated(
        seen.recognised,
        as_columns(part[0].call.received),
        seen.measures[stretch.first : stretch.end],
        seen.seed,
        along(module, passage, part, stretch.label, statistics, loss),
    )


def _entering(passage: Passage, hidden: Sequence[Stage]) -> Tensor:
    """The samples; of whole numbers, which may be names of rows, what the first layer receives."""
    return passage.batch if passage.batch.is_floating_point() else hidden[0].call.received


def as_columns(samples: Tensor) -> Floats:
    """(d, n) in float64, one sample per column, from (n, …), one along the first axis.

    >>> import torch
    >>> as_columns(torch.zeros(3, 2, 2)).shape
    (4, 3)
    """
    return np.ascontiguousarray(in_rows(samples.detach()).double().cpu().numpy().T)
