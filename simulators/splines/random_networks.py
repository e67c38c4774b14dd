"""Networks with random weights, and biases that batch normalisation, zero or chance puts there.

The weights are the same whatever the biases, so that treatments can be compared on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from simulators.arguments import require
from simulators.splines.network import Network
from simulators.splines.operations import Activation, Affine, Operation, Scaling
from simulators.splines.rationals import rationals
from simulators.streams import Seed, root_sequence

__all__ = ["Treatment", "random_network"]

Floats = NDArray[np.float64]
Treatment = Literal["batchnorm", "zero", "random"]
"""What biases are: those of batch normalisation over a batch, 0, or drawn like the weights."""


def random_network(
    batch: Floats,
    widths: Sequence[int],
    treatment: Treatment,
    *,
    slope: float = 0.0,
    seed: Seed = 0,
) -> Network:
    """Layers of Gaussian weights of variance 2/fan-in, each followed by the activation.

    With ``"batchnorm"`` pre-activations are normalised over the batch, with ε = 0; a unit that is
    constant there is only centred. Means of the first layer are exact, so that its boundaries meet
    in one point; deeper ones, and spreads, are their float64 values.

    Args:
        batch: (N, D), on which statistics are taken.
        widths: of the layers.
        treatment: "batchnorm", "zero" or "random".
        slope: of the activation below 0.
        seed: as `simulators.streams.root_sequence` takes it. Weights depend on it alone.

    Raises:
        ValueError: a treatment that is none, widths that are none, a batch that is no matrix.

    Example:
        >>> data = np.array([[1.0, 2.0], [3.0, 2.0], [2.0, 5.0]])
        >>> network = random_network(data, (4, 4), "batchnorm")
        >>> np.abs(np.round(network.values(data)[2].mean(axis=1), 12)).tolist()
        [0.0, 0.0, 0.0, 0.0]
    """
    require(
        treatment in get_args(Treatment),
        f"treatment={treatment!r}: want one of {', '.join(get_args(Treatment))}",
    )
    points = np.asarray(batch, dtype=np.float64)
    require(points.ndim == 2 and len(points) > 1, f"batch of shape {points.shape}: want (N, D)")
    require(
        len(widths) > 0 and min(widths) > 0, f"widths={tuple(widths)}: want one or more, from 1"
    )
    draws = np.random.Generator(np.random.SFC64(root_sequence(seed)))
    values = points.T
    operations: list[Operation] = []
    for fan_in, width in pairwise((len(values), *widths)):
        scale = np.sqrt(2 / fan_in)
        weights = scale * draws.standard_normal((width, fan_in))
        offset = scale * draws.standard_normal(width)  # drawn always, so that weights are the same
        if treatment != "random":
            offset = np.zeros(width)
        heights = weights @ values + offset[:, None]
        operations.append(Affine(len(operations), weights, offset))
        if treatment == "batchnorm":
            mean = heights.mean(axis=1)
            means = _exact_means(weights, points) if len(operations) == 1 else rationals(mean)
            spread = heights.std(axis=1)
            factor = 1 / np.where(spread > 1e-9 * np.abs(heights).max(axis=1), spread, 1.0)
            scales = rationals(factor)
            shifts = tuple(-m * f for m, f in zip(means, scales, strict=True))
            operations.append(Scaling(len(operations), tuple(scales), shifts))
            heights = factor[:, None] * (heights - mean[:, None])
        operations.append(Activation(len(operations), slope))
        values = np.where(heights > 0, heights, slope * heights)
    return Network(points.shape[1], tuple(operations))


def _exact_means(weights: Floats, points: Floats) -> list[fmpq]:
    """The means of first pre-activations, exactly, so that boundaries meet in that of the batch."""
    centre = [sum(rationals(column), fmpq(0)) / len(points) for column in points.T]
    rows = (zip(rationals(row), centre, strict=True) for row in weights)
    return [sum((w * c for w, c in row), fmpq(0)) for row in rows]
