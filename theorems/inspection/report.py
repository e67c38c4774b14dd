"""The whole of an inspection: layers, chain, predictions, verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

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
from theorems.inspection.recognition import Recognised, Stage, recognise, stages
from theorems.inspection.watching import watch

__all__ = ["Inspection", "Layer", "inspected"]


@dataclass(frozen=True)
class Layer:
    """A layer with weights and all up to the next: its name, what it does, what is measured of what comes out."""

    name: str
    does: str
    measures: Measures


@dataclass(frozen=True)
class Inspection:
    """What was seen of a network, layer by layer, and what it means.

    ``hidden`` counts the layers that the verdict is about: all, except a last linear map to the outputs and what is
    pooled for it. ``since`` is the layer, from 1, from which on the condition is not healthy; None for a healthy
    network. ``chance`` says whether healthy networks of these widths look as bad, None where that was not asked: the
    last layer is healthy, or the batch too large.
    """

    samples: int
    statistics: str
    batch: Measures
    layers: tuple[Layer, ...]
    hidden: int
    recognised: Recognised
    findings: tuple[Finding, ...]
    simulation: Simulated | str
    ignored: tuple[str, ...]
    condition: Condition
    since: int | None
    chance: Chance | None

    @property
    def verdict(self) -> str:
        """In words: the first layer, the quantity that decided there, and what is left after the last."""
        last = self.layers[self.hidden - 1].measures
        many = f"{self.hidden} layer{'s' if self.hidden > 1 else ''}"
        rank = f"effective rank {last.effective_rank:.3g} of {min(last.width, self.samples)} after {many}"
        if self.since is None:
            return f"healthy: {rank}{self._pardon(last)}"
        first = self.layers[self.since - 1]
        place = f"at layer {self.since} ({first.name!r})"
        if self.since == 1 and self.batch.condition is not Condition.HEALTHY:
            place = f"from the batch on, {place}"
        decided = f"{self.condition.value} {place}: {first.measures.reason}"
        if first.measures.condition is not self.condition:
            number, same = next((k, layer) for k, layer in enumerate(self.layers[self.since :], start=self.since + 1)
                                if layer.measures.condition is self.condition)
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
        return (f"; {which} past a yardstick ({last.reason}), but by chance {self.chance.exceeded} of "
                f"{self.chance.replicas} healthy networks of this width are as far past one")

    def _driver(self, last: Measures) -> str:
        """What the loss of rank comes from: a mean that all samples share, or what recentring leaves."""
        if not math.isfinite(last.mean_share):
            return ""
        left = f"effective rank {last.recentred_rank:.3g} of {min(last.width, self.samples - 1)}"
        fixed = fixed_recentred_rank(self.samples, last.width)
        if last.recentred_rank < math.sqrt(fixed):
            return f"; recentring does not help, it leaves {left}"
        if last.mean_share > 0.5:
            return (f"; a mean that all samples share drives it, with {last.mean_share:.0%} of the energy: recentring, "
                    f"as the next batchnorm does, leaves {left}")
        return f"; recentring leaves {left}"

    def as_json(self) -> dict[str, Any]:
        """A JSON value; numbers that do not exist are NaN."""
        seen = self.simulation
        return {
            "schema": 1, "verdict": self.verdict, "condition": self.condition.value, "since": self.since,
            "chance": None if self.chance is None else self.chance.as_json(),
            "samples": self.samples, "statistics": self.statistics, "hidden": self.hidden, "soft_rank_tau": SOFT,
            "healthy_rank": fixed_rank(self.samples, self.layers[self.hidden - 1].measures.width),
            "batch": self.batch.as_json(),
            "layers": [{"name": x.name, "does": x.does, **x.measures.as_json()} for x in self.layers],
            "chain": {"words": self.recognised.words, "layers": repr(self.recognised.chain) if self.recognised.chain
                      else None, "obstacle": self.recognised.obstacle},
            "statements": [finding.as_json() for finding in self.findings],
            "simulation": seen.as_json() if isinstance(seen, Simulated) else {"not_simulated": seen},
            "not_measured": list(self.ignored),
        }


def inspected(module: Any, batch: Any, statistics: str, seed: int) -> Inspection:
    """As `theorems.inspection.inspect`."""
    passage = watch(module, batch, statistics)
    found = stages(passage)
    start = _features(passage.batch)
    features = [_features(stage.features) for stage in found]
    layers = tuple(Layer(stage.call.name, " → ".join(("weights", *stage.actions)), measure(H))
                   for stage, H in zip(found, features, strict=True))
    hidden = _hidden(found)
    recognised = recognise(found[:hidden])
    seen = [layer.measures for layer in layers[:hidden]]
    watched = Watched(recognised, passage.calls, found[:hidden], start, features[:hidden], seen, seed)
    condition, since, excuse = _judged(seen, start.shape[1], seed)
    return Inspection(
        samples=start.shape[1], statistics=statistics, batch=measure(start), layers=layers, hidden=hidden,
        recognised=recognised, findings=tuple(findings(watched)),
        simulation=simulated(recognised, start, seen, seed), ignored=tuple(passage.ignored), condition=condition,
        since=since, chance=excuse)


def _features(tensor: torch.Tensor) -> Floats:
    """(d, n) float64 from (n, ...)."""
    return np.ascontiguousarray(tensor.detach().flatten(1).double().cpu().numpy().T)


def _hidden(found: list[Stage]) -> int:
    """The layers that are judged: not a last bare linear map, where the others are more or of another width, nor then
    a layer that is pooled for it, for averages over places are alike whatever the layers do."""
    if len(found) == 1:
        return 1
    last, before = found[-1], found[-2]
    if last.actions or not (before.actions or last.width != before.width):
        return len(found)
    pooled = before.width < before.call.gave[0].numel()
    return len(found) - (2 if pooled and len(found) > 2 else 1)


def _judged(seen: list[Measures], n: int, seed: int) -> tuple[Condition, int | None, Chance | None]:
    """The last layer's condition, the first layer of the run that it ends, and whether chance explains that run."""
    strengths = [item.strength for item in seen]
    run = final_run(strengths)
    if not run:
        return Condition.HEALTHY, None, None
    found = chance(strengths, [item.width for item in seen], n, seed)
    if found is not None and found.explains:
        return Condition.HEALTHY, None, found
    return seen[-1].condition, len(seen) - run + 1, found
