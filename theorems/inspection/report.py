"""The whole of an inspection: layers, chain, predictions, verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from theorems.inspection.judging import SOFT, Condition, Floats, Measures, fixed_rank, measure
from theorems.inspection.predictions import Finding, Simulated, findings, simulated
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
    pooled for it. ``since`` is
    the layer, from 1, from which on the condition is not healthy; None for a healthy network.
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

    @property
    def verdict(self) -> str:
        """In one line."""
        last = self.layers[self.hidden - 1].measures
        rank = f"effective rank {last.effective_rank:.3g} of {min(last.width, self.samples)} after {self.hidden} layers"
        if self.since is None:
            return f"healthy: {rank}"
        place = "from the batch on" if self.since == 1 and self.batch.condition is not Condition.HEALTHY else (
            f"at layer {self.since} ({self.layers[self.since - 1].name!r})")
        if self.condition is Condition.COLLAPSING:
            return f"collapsing {place}: {rank}"
        if last.largest_cluster == self.samples - 1:
            share = f"{last.outlier_share:.0%} of the recentred energy"
            return f"clustering {place}: a lone outlier, sample {last.outlier}, with {share}"
        return f"clustering {place}: two groups, the larger of {last.largest_cluster} samples"

    def as_json(self) -> dict[str, Any]:
        """A JSON value; numbers that do not exist are NaN."""
        seen = self.simulation
        return {
            "schema": 1, "verdict": self.verdict, "condition": self.condition.value, "since": self.since,
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
    condition, since = _judged(seen)
    return Inspection(
        samples=start.shape[1], statistics=statistics, batch=measure(start), layers=layers, hidden=hidden,
        recognised=recognised, findings=tuple(findings(recognised, start, features[:hidden])),
        simulation=simulated(recognised, start, seen, seed), ignored=tuple(passage.ignored), condition=condition,
        since=since)


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


def _judged(seen: list[Measures]) -> tuple[Condition, int | None]:
    if seen[-1].condition is Condition.HEALTHY:
        return Condition.HEALTHY, None
    since = len(seen)
    while since > 1 and seen[since - 2].condition is not Condition.HEALTHY:
        since -= 1
    return seen[-1].condition, since
