"""How often a segment crosses the boundaries of random networks: many networks at once, in floats.

On each piece of the segment the network is affine. A layer's units are drawn, cut every piece where
they are zero, and what they give is affine on the smaller pieces. By Lemma 1 of R26 a further
Gaussian unit separates the ends of a piece with probability ∠/π, ∠ the angle under which what it
reads is seen there (with a bias of standard deviation τ, a further coordinate τ): so the angles,
added up over the pieces, tell the expected crossings of the next layer exactly, given all before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.arguments import require
from simulators.streams import Seed, root_sequence

__all__ = ["RandomCrossings", "random_crossings"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RandomCrossings:
    """Of R networks of L layers.

    - ``counts`` (R, L): crossings of the segment with boundaries of each layer's units
    - ``angles`` (R, L): the sum of the angles, in radians, under which the pieces are seen that the
      layer reads

    Example:
        >>> RandomCrossings(np.ones((1, 2), int), np.ones((1, 2))).counts.tolist()
        [[1, 1]]
    """

    counts: Ints
    angles: Floats


def random_crossings(
    ends: Floats,
    widths: Sequence[int],
    *,
    slope: float = 0.0,
    bias: float = 0.0,
    replicas: int = 1,
    seed: Seed = 0,
) -> RandomCrossings:
    """Crossings of a segment by random networks: weights of variance 1/fan-in, all independent.

    Scales of weights do not matter without biases. Signs are those of floats: a crossing is missed
    where a unit vanishes within rounding of the end of a piece.

    Args:
        ends: (2, D), the ends of the segment.
        widths: of the layers.
        slope: of the activation below 0: 0 for ReLU, −1 for absolute values.
        bias: standard deviation of the biases.
        replicas: R.
        seed: as `simulators.streams.root_sequence` takes it.

    Returns:
        Counts and angles.

    Raises:
        ValueError: ends of another shape, widths or a bias that are none.

    Cost: pieces times widths, vectorised over networks.

    Example:
        >>> found = random_crossings(np.eye(2), (4, 4), replicas=1000)
        >>> found.counts.shape, bool(abs(found.counts[:, 0].mean() - 2) < 0.2)
        ((1000, 2), True)
    """
    points = np.asarray(ends, dtype=np.float64)
    require(
        points.ndim == 2 and len(points) == 2 and bool(np.isfinite(points).all()),
        f"ends of shape {points.shape}: want two finite points, (2, D)",
    )
    require(
        len(widths) > 0 and min(widths) > 0, f"widths={tuple(widths)}: want one or more, from 1"
    )
    require(0 <= bias < np.inf, f"bias={bias}: want a standard deviation of at least 0")
    draws = np.random.Generator(np.random.SFC64(root_sequence(seed)))
    pieces = _start(points, replicas)
    counts = np.empty((replicas, len(widths)), dtype=np.int64)
    angles = np.empty((replicas, len(widths)))
    for layer, width in enumerate(widths):
        angles[:, layer] = np.bincount(pieces.owner, pieces.angles(bias), minlength=replicas)
        fan_in = pieces.first.shape[1]
        weights = draws.standard_normal((replicas, width, fan_in)) / np.sqrt(fan_in)
        offsets = bias * draws.standard_normal((replicas, width))
        pieces, counts[:, layer] = pieces.through(weights, offsets, slope)
    return RandomCrossings(counts, angles)


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Pieces of all networks: on piece p of network ``owner[p]`` values go from ``first[p]`` to
    ``last[p]``, affinely.
    """

    owner: Ints
    first: Floats
    last: Floats

    def angles(self, bias: float) -> Floats:
        """The angle under which each piece is seen, a coordinate ``bias`` being added; 0 from 0."""
        scale = 1 / np.sqrt(self.first.shape[1])
        added = np.full((len(self.owner), 1), bias)
        u, v = (np.hstack([scale * x, added]) for x in (self.first, self.last))
        long, short = (np.linalg.norm(x, axis=1)[:, None] for x in (u, v))
        apart, along = short * u - long * v, short * u + long * v
        far, near = (np.linalg.norm(x, axis=1) for x in (apart, along))
        return np.asarray(2 * np.arctan2(far, near))

    def through(self, weights: Floats, offsets: Floats, slope: float) -> tuple[_Pieces, Ints]:
        """The pieces after a layer, and how many crossings each network has there."""
        here, there = (
            np.einsum("puk,pk->pu", weights[self.owner], x) + offsets[self.owner]
            for x in (self.first, self.last)
        )
        piece, unit = np.nonzero(here * there < 0)
        where = here[piece, unit] / (here[piece, unit] - there[piece, unit])
        # a piece begins where one was, and at every crossing, of the unit ``by``
        old = np.arange(len(self.owner))
        mother = np.concatenate([old, piece])
        begins = np.concatenate([np.zeros(len(old)), where])
        by = np.concatenate([np.full(len(old), -1), unit])
        order = np.lexsort([by, begins, mother])
        mother, begins, by = mother[order], begins[order], by[order]
        cut = np.flatnonzero(by >= 0)
        finishes = np.ones(len(mother))
        finishes[cut - 1] = begins[cut]
        middle = _between(here, there, mother, (begins + finishes) / 2)
        first, last = (_between(here, there, mother, x) for x in (begins, finishes))
        first[cut, by[cut]] = last[cut - 1, by[cut]] = 0.0  # exactly, or a dead layer would turn
        factor = np.where(middle > 0, 1.0, slope)
        counts = np.bincount(self.owner[piece], minlength=len(weights))
        return _Pieces(self.owner[mother], factor * first, factor * last), counts


def _start(points: Floats, replicas: int) -> _Pieces:
    first, last = (np.tile(point, (replicas, 1)) for point in points)
    return _Pieces(np.arange(replicas), first, last)


def _between(here: Floats, there: Floats, rows: Ints, places: Floats) -> Floats:
    """Values (rows, units) at places from 0 to 1 between two ends."""
    share = places[:, None]
    return np.asarray((1 - share) * here[rows] + share * there[rows])
