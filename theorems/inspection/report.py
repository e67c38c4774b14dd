"""The whole of an inspection: layers, chain, predictions, verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from theorems.inspection.accounting import NotJudged, Parameters, account
from theorems.inspection.finding import Finding, Watched
from theorems.inspection.fluctuation import Chance, chance, final_run
from theorems.inspection.judging import (
    SOFT,
    Condition,
    Floats,
    Measures,
    fixed_rank,
    fixed_recentred_rank,
    measure,
)
from theorems.inspection.predictions import Simulated, findings, simulated
from theorems.inspection.recognition import Recognised, recognise
from theorems.inspection.stages import Role, Stage, stages
from theorems.inspection.watching import InspectionError, watch

__all__ = ["Inspection", "Layer", "inspected"]


@dataclass(frozen=True)
class Layer:
    """A layer with weights and all up to the next: its name, what it does, what is measured of what comes out.

    ``role`` is ``"hidden"`` for a layer that is judged, and says otherwise why it is not.
    """

    name: str
    does: str
    measures: Measures
    role: str = Role.HIDDEN


@dataclass(frozen=True)
class Inspection:
    """What was seen of a network, layer by layer, and what it means.

    ``hidden`` counts the layers that the verdict is about, which come first in ``layers``: all linear maps and
    convolutions that could be watched, except maps to the outputs and what is pooled for them. ``not_judged`` names
    every other module that holds parameters, with the reason, and ``parameters`` counts them all. ``since`` is the
    layer, from 1, from which on the condition is not healthy; None for a healthy network. ``chance`` says whether
    healthy networks of these widths look as bad, None where that was not asked: the last layer is healthy, or the
    batch too large.
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

    @property
    def verdict(self) -> str:
        """In words: the first layer, the quantity that decided there, what is left after the last, and how much of the
        network that does not speak of."""
        left = [item for item in self.not_judged if not item.output]
        if not left:
            return self._finding()
        share = sum(item.parameters for item in left)
        many = f"{len(left)} modules" if len(left) > 1 else "1 module"
        return (
            f"{self._finding()}; {many} with {share} of the {self.parameters.total} parameters "
            f"{'are' if len(left) > 1 else 'is'} not judged"
        )

    def _finding(self) -> str:
        last = self.layers[self.hidden - 1].measures
        many = f"{self.hidden} layer{'s' if self.hidden > 1 else ''}"
        rank = f"effective rank {last.effective_rank:.3g} of {min(last.width, self.samples)} after {many}"
        if last.dead:
            first_dead = next(k for k, layer in enumerate(self.layers) if layer.measures.dead)
            name = self.layers[first_dead].name
            return f"dead from layer {first_dead + 1} ({name!r}) on: {last.reason}"
        if self.since is None:
            return f"healthy: {rank}{self._pardon(last)}"
        first = self.layers[self.since - 1]
        place = f"at layer {self.since} ({first.name!r})"
        if self.since == 1 and self.batch.condition is not Condition.HEALTHY:
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
        if self.chance is None:
            return ""
        run = final_run([layer.measures.strength for layer in self.layers[: self.hidden]])
        which = "the last layer is" if run == 1 else f"the last {run} layers are"
        return (
            f"; {which} past a yardstick ({last.reason}), but by chance {self.chance.exceeded} of "
            f"{self.chance.replicas} healthy networks of this width are as far past one"
        )

    def _driver(self, last: Measures) -> str:
        """What the loss of rank comes from: a mean that all samples share, or what recentring leaves."""
        if not math.isfinite(last.mean_share):
            return ""
        left = f"effective rank {last.recentred_rank:.3g} of {min(last.width, self.samples - 1)}"
        fixed = fixed_recentred_rank(self.samples, last.width)
        if last.recentred_rank < math.sqrt(fixed):
            return f"; recentring does not help, it leaves {left}"
        if last.mean_share > 0.5:
            return (
                f"; a mean that all samples share drives it, with {last.mean_share:.0%} of the energy: recentring, "
                f"as the next batchnorm does, leaves {left}"
            )
        return f"; recentring leaves {left}"

    def as_json(self) -> dict[str, Any]:
        """A JSON value; numbers that do not exist are NaN."""
        seen = self.simulation
        return {
            "schema": 1,
            "verdict": self.verdict,
            "condition": self.condition.value,
            "since": self.since,
            "chance": None if self.chance is None else self.chance.as_json(),
            "samples": self.samples,
            "statistics": self.statistics,
            "hidden": self.hidden,
            "soft_rank_tau": SOFT,
            "healthy_rank": fixed_rank(self.samples, self.layers[self.hidden - 1].measures.width),
            "batch": self.batch.as_json(),
            "layers": [
                {"name": x.name, "does": x.does, "role": str(x.role), **x.measures.as_json()}
                for x in self.layers
            ],
            "chain": {
                "words": self.recognised.words,
                "layers": repr(self.recognised.chain) if self.recognised.chain else None,
                "obstacle": self.recognised.obstacle,
            },
            "statements": [finding.as_json() for finding in self.findings],
            "simulation": seen.as_json()
            if isinstance(seen, Simulated)
            else {"not_simulated": seen},
            "not_judged": [item.as_json() for item in self.not_judged],
            "parameters": self.parameters.as_json(),
        }


def inspected(module: Any, batch: Any, statistics: str, seed: int) -> Inspection:
    """As `theorems.inspection.inspect`."""
    passage = watch(module, batch, statistics)
    found = stages(passage)
    parameters, left = account(module, passage, found)
    hidden = _hidden(found)
    if not hidden:
        why = "; ".join(f"{item.name!r} ({item.kind}) {item.reason}" for item in left[:3])
        raise InspectionError(
            "module has no layer with weights that can be judged; nothing to inspect"
            + (f": {why}" if why else "")
        )
    start = _features(passage.batch)
    features = [_features(stage.features) for stage in found]
    layers = tuple(
        Layer(stage.call.label, stage.does, measure(H), stage.role)
        for stage, H in zip(found, features, strict=True)
    )
    recognised = recognise(found[:hidden], passage)
    seen = [layer.measures for layer in layers[:hidden]]
    watched = Watched(
        recognised, passage.calls, found[:hidden], start, features[:hidden], seen, seed
    )
    condition, since, excuse = _judged(seen, start.shape[1], seed)
    return Inspection(
        samples=start.shape[1],
        statistics=statistics,
        batch=measure(start),
        layers=layers,
        hidden=hidden,
        recognised=recognised,
        findings=tuple(findings(watched)),
        simulation=simulated(recognised, start, seen, seed),
        not_judged=left,
        parameters=parameters,
        condition=condition,
        since=since,
        chance=excuse,
    )


def _features(tensor: torch.Tensor) -> Floats:
    """(d, n) float64 from (n, ...)."""
    return np.ascontiguousarray(tensor.detach().flatten(1).double().cpu().numpy().T)


def _hidden(found: list[Stage]) -> int:
    """The layers that are judged, which come first."""
    return sum(stage.role is Role.HIDDEN for stage in found)


def _judged(seen: list[Measures], n: int, seed: int) -> tuple[Condition, int | None, Chance | None]:
    """The last layer's condition, the first layer of the run that it ends, and whether chance explains that run."""
    strengths = [item.strength for item in seen]
    run = final_run(strengths)
    if not run:
        return Condition.HEALTHY, None, None
    if seen[-1].dead:  # narrow healthy networks may die too, and are dead then
        return seen[-1].condition, len(seen) - run + 1, None
    found = chance(strengths, [item.width for item in seen], n, seed)
    if found is not None and found.explains:
        return Condition.HEALTHY, None, found
    return seen[-1].condition, len(seen) - run + 1, found
