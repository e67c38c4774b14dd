"""The family gradient: the factor by which ‖G‖² grows a layer, beside that of infinite width.

How far from it a network of this width and depth may be is read off the chain itself, simulated
from the same batch and the same gradient at the end: the prediction holds for the network if it is
as near as all replicas.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from simulators.layers import (
    Activation,
    Bias,
    Layer,
    LayerNorm,
    Linear,
    Recenter,
    Rescale,
    Residual,
    RMSNorm,
)
from theorems.families.gradient.growth import a_layer
from theorems.inspection.finding import Finding, Reading, Watched
from theorems.inspection.predictions import GROWTH, Line, Simulated
from theorems.inspection.stretches import Stretch

__all__ = ["factor_of", "findings", "growth_finding"]

_LEAST = 5  # layers
_ITERATIONS = 1000
_SMOOTH = ("tanh", "erf", "sin", "exp")
_MOST = 16  # samples, up to which factors of smooth activations take at most some seconds


def findings(watched: Watched) -> list[Finding]:
    """What is said of the longest stretch that is a chain of the theory or nearly one."""
    seen = watched.simulation
    if isinstance(seen, str):
        return []
    line, n = seen.line(GROWTH), watched.batch.shape[1]
    found = factor_of(seen.stretch, n)
    if line is None or found is None:
        return []
    name, factor = found
    if len(line.seen) < _LEAST:
        why = (
            f"{_LEAST} layers or more are wanted for an inner half, and there are {len(line.seen)}"
        )
        return [Finding(name, False, why)]
    return [growth_finding(name, factor, seen, line)]


def factor_of(stretch: Stretch, n: int) -> tuple[str, float] | None:
    """The statement about a chain's gradients, and the factor of ‖G‖² a layer that it has.

    Args:
        stretch: with the chain.
        n: the number of samples.

    Returns:
        None for a chain that no statement is about.

    Example:
        >>> from simulators import batchnorm_chain
        >>> factor_of(Stretch(0, 9, batchnorm_chain(64, "relu"), ""), 8)
        ('gradient.batchnorm_relu:deep_lower', 1.7881...)
    """
    first, *rest = stretch.chain.layers
    bias = next((layer.std for layer in rest if isinstance(layer, Bias)), 0.0)
    after = tuple(layer for layer in rest if not _idle(layer))
    if isinstance(first, Residual):
        return _residual(first, after, n)
    if not isinstance(first, Linear):
        return None
    match after:
        case (Recenter(), Rescale(), *others) if n >= 4:
            return _batchnorm(others, n)
        case (LayerNorm(),):
            d = first.width
            return ("gradient.layernorm_factor:law", (d - 2) / (d - 3)) if d > 3 else None
        case (LayerNorm(), Activation("relu")):
            return "gradient.layernorm_factor:relu_lower", 1.0
        case (RMSNorm(),):
            d = first.width
            return ("gradient.rmsnorm_factor:law", (d - 1) / (d - 2)) if d > 2 else None
        case (Activation("relu"),):
            return "gradient.vanilla_factor", first.std**2 / 2
        case (Activation("tanh"),):
            return "gradient.edge_of_chaos:deep_lower", _chi(first.std, bias)
    return None


def _idle(layer: Layer) -> bool:
    return isinstance(layer, Bias) or layer == Activation("identity")


def _residual(first: Residual, after: tuple[Layer, ...], n: int) -> tuple[str, float] | None:
    from theorems.families.gradient.enclosures import residual_factor

    match after:
        case (Recenter(), Rescale()):
            left = n - 1  # coordinates of the recentred samples
        case (Rescale(),):
            left = n
        case _:
            return None
    strength = Fraction(first.gamma**2 * (first.width or 0)).limit_denominator(10**6)
    if left < 4 or strength <= 0:
        return None
    return "gradient.residual_factor:deep_lower", float(residual_factor(left, strength).mid())


def _batchnorm(others: list[Layer], n: int) -> tuple[str, float] | None:
    from theorems.families.gradient.enclosures import smooth_factor
    from theorems.families.gradient.statements.batchnorm_relu import CLOSED_FORM_OF

    match others:
        case []:
            return "gradient.batchnorm_linear:deep_lower", (n - 2) / (n - 3)
        case [Activation("relu")]:
            return "gradient.batchnorm_relu:deep_lower", float(CLOSED_FORM_OF(n=n))
        case [Activation(str(name))] if name in _SMOOTH and n <= _MOST:
            return f"gradient.batchnorm_factor:{name}", float(smooth_factor(name, n).mid())
    return None


def _chi(weights: float, biases: float) -> float:
    """χ₁ = σ_w² E sech⁴(√q z) of tanh where q = σ_w² E tanh²(√q z) + σ_b², which it comes to."""
    points, shares = np.polynomial.hermite_e.hermegauss(80)
    shares = shares / shares.sum()
    q = 1.0
    for _ in range(_ITERATIONS):
        q = weights**2 * float(shares @ np.tanh(math.sqrt(q) * points) ** 2) + biases**2
    return weights**2 * float(shares @ np.cosh(math.sqrt(q) * points) ** -4)


def growth_finding(name: str, factor: float, seen: Simulated, line: Line) -> Finding:
    """The growth of ‖G‖² a layer in the inner half of a stretch, beside the factor.

    Args:
        name: of the statement.
        factor: of ‖G‖² a layer.
        seen: the stretch, simulated.
        line: of it, that of gradients.

    Returns:
        The distance of the logarithms over the largest of the replicas; of a stretch that differs
        from the chain, or whose weights are not Gaussian, only words.
    """
    depth = len(line.seen) - 1
    grown = a_layer(np.vstack([line.seen, line.replicas]) ** 2, depth)
    with np.errstate(divide="ignore", invalid="ignore"):
        distances = np.abs(np.log(grown) - math.log(factor))
    measured = float(grown[0])
    what = f"‖G‖² grows by {measured:.3g} a layer in the inner half, {factor:.3g} predicted"
    first = seen.stretch.chain.layers[0]
    departures = list(seen.stretch.differs)
    if getattr(first, "law", "gaussian") != "gaussian":
        departures.append(f"weights that look {getattr(first, 'law', '')}")
    if departures:
        why = f"{'; '.join(departures)}: compared all the same, {what}"
        return Finding(name, False, why)
    allowed = float(distances[1:].max())
    if not (math.isfinite(allowed) and allowed > 0 and math.isfinite(distances[0])):
        return Finding(name, False, "gradients that reach every layer are assumed, and some do not")
    distance = float(distances[0]) / allowed
    holds: bool | None = distance <= 1
    blind = holds and factor != 1 and allowed >= abs(math.log(factor))
    return Finding(
        name,
        True,
        f"{what}; distance of the logarithms over the largest of {len(line.replicas)} networks of "
        f"this chain{'; the network is too small to tell it from 1' if blind else ''}",
        1.0,
        distance,
        None if blind else holds,
        (Reading("growth of ‖G‖² a layer", factor, measured),),
    )
