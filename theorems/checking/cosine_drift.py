"""What is left of a cosine at least, on average, some blocks later: a drift, for every width.

Let ρ be the cosine of two samples, and ρ⁺ that after Gaussian weights of width d and a positively
homogeneous φ. Given ρ, rows are independent pairs of normals (x_k, y_k) of correlation ρ, of which
scales show in no cosine. With X = Σ φ(x_k)², Y = Σ φ(y_k)² and D = Σ (φ(x_k) − φ(y_k))²,

    1 − ρ⁺ = 1 − (X + Y − D)/(2√(XY)) ≤ D/(2√(XY)),

as the arithmetic mean of X and Y is at least the geometric one. Leaving row k out of X and Y makes
these no larger, and independent of what row k adds to D, of mean 2 E φ² (1 − κ(ρ)), κ the dual
kernel of φ. By Cauchy and Schwarz therefore

    E[1 − ρ⁺ | ρ] ≤ c (1 − κ(ρ)) + p,   c = d E φ² E[1/X₋],   X₋ a sum over d − 1 rows.

Given that B of d − 1 normals are positive, X₋ is a sum of chi squares of B and d − 1 − B degrees of
freedom, so that c = 1 + O(1/d) is a sum over the binomial law of B. It is taken over the B within
some t of their mean; p bounds what all others may add, by Hoeffding's inequality 4 exp(−2t²/d)
times the most that 1 − ρ⁺ can be.

κ is convex, and does not decrease where φ is monotone, or where ρ ≥ 0. So is therefore the bound
g(ρ) = 1 − c (1 − κ(ρ)) − p of E[ρ⁺ | ρ], and by Jensen's inequality E[ρ_{ℓ+k} | H_ℓ] ≥ g^k(ρ_ℓ).
The mean of g^k(ρ_ℓ) is a lower bound of that of ρ_{ℓ+k}; and the former has a far narrower range,
from g^k of the least cosine to 1, so that fewer samples tell it.

A mean over the paths on which all samples live, through L blocks, differs by what the others carry:
a sample dies in a block with probability 2^−d at most, and E[· | alive] by no more than 2 k n 2^−d
for k blocks of n samples, where 2 L n 2^−d ≤ 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulators.chains import Chain
from simulators.engines.mean_field.kernels import HomogeneousKernel, kernel_map
from simulators.layers import Activation, Linear, Normalize, RMSNorm

__all__ = ["CosineDrift", "cosine_drift"]

FloatArray = npt.NDArray[np.float64]

#: Widths from here on: samples die too rarely to be seen.
_NARROWEST = 64
#: Standard deviations of a binomial law within which its numbers are gone through.
_DEVIATIONS = 16
#: What floats may be off, relatively and absolutely: far above their rounding.
_ROUNDING = 1e-9
_OFF = 1e-12

_LINEAR = HomogeneousKernel("identity", 1.0, -1.0)


@dataclass(frozen=True)
class _Step:
    """ρ to 1 − c (1 − κ(ρ)) − p, c = ``factor`` and p = ``rest``; ``least`` is the least ρ⁺."""

    kernel: HomogeneousKernel
    factor: float
    rest: float
    least: float

    def __call__(self, cosines: FloatArray) -> FloatArray:
        below = self.factor * (1 - self.kernel(np.minimum(cosines, 1.0))) + self.rest + _OFF
        return np.maximum(1 - below, self.least)


@dataclass(frozen=True)
class CosineDrift:
    """A lower bound of E[ρ after k blocks | ρ now], for a cosine ρ of two samples.

    - ``steps``: one for each layer of weights of a block; `cosine_drift` makes them
    - ``least``: the least cosine after a block; ``lost``: what a block may lose where samples die

    Example:
        >>> from simulators.chains import vanilla_chain
        >>> drift = cosine_drift(vanilla_chain(1000, "relu"), samples=2)
        >>> drift(np.array([0.0, 0.5, 1.0]), blocks=1).round(3).tolist()
        [0.314, 0.607, 1.0]
    """

    steps: tuple[_Step, ...]
    least: float
    lost: float

    def __call__(self, cosines: FloatArray, blocks: int) -> FloatArray:
        """The bound, of the shape of ``cosines``, convex and nondecreasing in each.

        Cosines must be those after a block, not of a batch, and numbers. ``blocks`` ≥ 0 is k.
        Cost: k values of a dual kernel each.
        """
        found = np.clip(cosines, self.least, 1.0)
        for _ in range(blocks):
            for step in self.steps:
                found = step(found)
        return np.asarray(found - blocks * self.lost)


def cosine_drift(chain: Chain, samples: int) -> CosineDrift | None:
    """The drift of cosines under a chain, or None where none is known.

    It is of blocks of Gaussian `Linear` layers, positively homogeneous activations of the library,
    and layers that scale samples, `RMSNorm` and `Normalize`, of width 64 or more. ``samples`` is
    the number of samples of a batch.

    Example:
        >>> from simulators.chains import batchnorm_chain
        >>> cosine_drift(batchnorm_chain(1000, "relu"), samples=2) is None
        True
    """
    parts = _parts(chain)
    least = 0.0 if chain.nonnegative else -1.0
    if parts is None or min(width for width, _ in parts) < _NARROWEST:
        return None
    steps: list[_Step] = []
    before, lost = least, 0.0
    for width, kernel in parts:
        folded = kernel.up * kernel.down > 0  # not monotone, but of one sign
        if folded and before < 0:
            return None
        vanishes = not (kernel.up and kernel.down)
        before = 0.0 if folded or vanishes else -1.0
        factor, rest = _constants(width, kernel)
        steps.append(_Step(kernel, factor, (1 - before) * rest, before))
        lost += 2 * samples * 2.0**-width if vanishes else 0.0
    return CosineDrift(tuple(steps), least, lost)


def _parts(chain: Chain) -> list[tuple[int, HomogeneousKernel]] | None:
    """The widths and activations of a block; None where other layers stand in it."""
    layers = [layer for layer in chain.layers if not isinstance(layer, RMSNorm | Normalize)]
    found: list[tuple[int, HomogeneousKernel]] = []
    for layer in layers:
        if isinstance(layer, Linear) and layer.law == "gaussian":
            found.append((layer.width, _LINEAR))
            continue
        kernel = kernel_map(layer.entry) if isinstance(layer, Activation) else None
        if not isinstance(kernel, HomogeneousKernel) or kernel.unenclosed is not None:
            return None
        if not found or found[-1][1] is not _LINEAR:
            return None
        found[-1] = found[-1][0], kernel
    return found


def _constants(width: int, kernel: HomogeneousKernel) -> tuple[float, float]:
    """c, and the probability of what it leaves out."""
    up, down = kernel.up**2, kernel.down**2
    rows = width - 1
    if up == down:
        inverse, rest = 1 / (up * (rows - 2)), 0.0
    else:
        counts, weights, rest = _binomial(rows)
        share = counts * up / (counts * up + (rows - counts) * down)
        inverse = 0.0
        for part, size, degrees in ((share, up, counts), (1 - share, down, rows - counts)):
            if size:
                inverse += float(np.sum(weights * part**2 / (size * (degrees - 2))))
    return width * (up + down) / 2 * inverse * (1 + _ROUNDING), rest


def _binomial(rows: int) -> tuple[FloatArray, FloatArray, float]:
    """Numbers B of positive normals among ``rows``, near their mean, with upper bounds of their
    probabilities, and of the probability that either of two samples has others among rows + 1.
    """
    room = _DEVIATIONS * math.sqrt(rows) / 2
    low, high = max(3, math.ceil(rows / 2 - room)), min(rows - 3, math.floor(rows / 2 + room))
    counts = np.arange(low, high + 1, dtype=np.float64)
    ratios = np.log((rows - counts[:-1]) / (counts[:-1] + 1))
    logs = np.concatenate([[0.0], np.cumsum(ratios)])
    weights = np.exp(logs - logs.max())
    distance = min((rows + 1) / 2 - low, high - (rows + 1) / 2)
    rest = 4 * math.exp(-2 * distance**2 / (rows + 1))
    return counts, weights / weights.sum(), rest
