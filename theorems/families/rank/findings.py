"""The family rank: soft against effective rank at every layer, residual chains, and linear chains
that collapse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import polygamma

from simulators.layers import Activation, Linear, Recenter, Rescale, Residual
from theorems.families.rank.networks import BURN_IN, relaxation
from theorems.inspection.condition import SOFT, Floats, Measures
from theorems.inspection.finding import Finding, Reading, Watched
from theorems.registry import get

__all__ = ["findings", "growth_gap", "soft_rank_finding"]

_ROUNDING = 1e-9
_DEVIATIONS = 3.3  # of a normal variable, passed with probability 1e-3


def findings(watched: Watched) -> list[Finding]:
    return [soft_rank_finding(watched.measures), _average(watched), _collapse(watched)]


def soft_rank_finding(measures: Sequence[Measures]) -> Finding:
    """rank_τ ≥ (1−τ)² d/((1−τ)² + d/r − 1), at the layer where it is tightest.

    It holds for every matrix, so what it can show to be wrong are the two ranks reported.
    """
    name = "rank.soft_rank_lower_bound:sharp"
    layers = [
        (number, item) for number, item in enumerate(measures, start=1) if item.effective_rank > 0
    ]
    if not layers:
        return Finding(name, False, "H ≠ 0 is assumed, and all layers give zero")
    square = (1 - SOFT) ** 2
    least = [
        square * item.width / (square + item.width / item.effective_rank - 1) for _, item in layers
    ]
    quotients = [
        bound / item.soft_rank if item.soft_rank else math.inf
        for bound, (_, item) in zip(least, layers, strict=True)
    ]
    tightest = int(np.argmax(quotients))
    number, item = layers[tightest]
    return Finding(
        name,
        True,
        f"least soft rank (τ = {SOFT:g}) that r allows, over the soft rank, the largest of "
        f"{len(layers)} layer{'s' if len(layers) > 1 else ''}: {least[tightest]:.3g} and "
        f"{item.soft_rank} at layer {number}; for every matrix",
        1.0,
        quotients[tightest],
        quotients[tightest] <= 1 + _ROUNDING,
        (Reading(f"soft rank at layer {number}", least[tightest], item.soft_rank),),
    )


def _average(watched: Watched) -> Finding:
    """r̄ ≥ √d/3 over the layers after the start is forgotten."""
    name = "rank.average_rank:lower"
    match watched.recognised.chain.layers if watched.recognised.chain else ():
        case (Residual(gamma=gamma), Recenter(), Rescale()):
            pass
        case ():
            return Finding(name, False, watched.recognised.obstacle or "no chain")
        case _:
            return Finding(
                name,
                False,
                "the residual chain H + γWH that rescales rows is assumed, and this one is: "
                f"{watched.recognised.words}",
            )
    d, n, depth = watched.measures[0].width, watched.batch.shape[1], len(watched.measures)
    burn = BURN_IN * relaxation(d, gamma)
    if not (8 <= d <= 512 and gamma >= 0.01):
        return Finding(
            name,
            False,
            f"widths 8 … 512 and γ ≥ 1/100 are assumed, and they are {d} and {gamma:.3g}",
        )
    if (
        rank := int(
            np.linalg.matrix_rank(watched.batch - watched.batch.mean(axis=1, keepdims=True))
        )
    ) < d:
        return Finding(
            name,
            False,
            f"a batch of rank d = {d} is assumed, and recentred the {n} samples have {rank}",
        )
    if depth <= burn:
        return Finding(
            name,
            False,
            f"the start is forgotten after some {burn} layers (γ = {gamma:.3g}), and there are "
            f"{depth}",
        )
    mean = float(np.mean([item.effective_rank for item in watched.measures[burn:]]))
    least = float(get(name).bound(d=d))
    what = f"√d/3 over the mean of r after layer {burn}; of a median over networks, and this is one"
    readings = (Reading("mean effective rank", least, mean),)
    if least <= 1:
        return Finding(
            name,
            True,
            f"{what}; r ≥ 1 always, so it says nothing",
            1.0,
            least / mean,
            None,
            readings,
        )
    return Finding(name, True, what, 1.0, least / mean, least <= mean, readings)


def _collapse(watched: Watched) -> Finding:
    """The rate at which log(σ₂/σ₁) falls in a linear chain, from a frame carried through the
    network's own weights.
    """
    name = "rank.vanilla_collapse:gaussian"
    chain = watched.recognised.chain
    if chain is None:
        return Finding(name, False, watched.recognised.obstacle or "no chain")
    linear = all(layer == Activation("identity") for layer in chain.layers[1:])
    if not linear or not isinstance(chain.layers[0], Linear) or chain.layers[0].law != "gaussian":
        return Finding(
            name,
            False,
            "Gaussian weights and nothing else are assumed, and this chain is: "
            f"{watched.recognised.words}",
        )
    d = watched.measures[0].width
    if d < 2:
        return Finding(name, False, "width 2 or more is assumed")
    weights = [
        stage.call.weight.double().cpu().numpy()
        for stage in watched.stages
        if stage.call.weight is not None
    ]
    return growth_gap(weights, watched.batch)


def growth_gap(weights: Sequence[Floats], batch: Floats) -> Finding:
    """Over ℓ layers the mean of ½ log(χ²_{d−1}/χ²_d), independent from layer to layer, if the
    weights are.
    """
    name, d = "rank.vanilla_collapse:gaussian", len(weights[0])
    frame = np.linalg.qr(batch[:, :2]).Q
    total = 0.0
    for weight in weights:
        frame, factor = np.linalg.qr(weight @ frame)
        first, second = np.abs(np.diag(factor))
        total += math.log(second / first) if second > 0 else -math.inf
    rate, predicted = total / len(weights), float(get(name).bound(d=d))
    spread = 0.5 * math.sqrt((polygamma(1, (d - 1) / 2) + polygamma(1, d / 2)) / len(weights))
    allowed = _DEVIATIONS * float(spread)
    what = (
        f"distance of log(σ₂/σ₁) per layer, {rate:.3g}, from {predicted:.3g}, and what chance "
        f"allows it over {len(weights)} layers"
    )
    blind = allowed >= abs(predicted)
    return Finding(
        name,
        True,
        f"{what}; too few to tell it from no collapse"
        if blind
        else f"{what}; a limit over layers, and these are some",
        allowed,
        abs(rate - predicted),
        None if blind and abs(rate - predicted) <= allowed else abs(rate - predicted) <= allowed,
        (Reading("log(σ₂/σ₁) per layer", predicted, rate),),
    )
