"""Boundaries near the data: networks with batch normalisation, and the same weights with other biases.

A ratio above `MOST` counts as that, so that medians of at most that are what they are: the other
network may have no boundary there at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from simulators.splines.boundaries import density_near
from simulators.splines.nearest_boundary import nearest_boundaries
from simulators.splines.partition import Partition, linear_regions
from simulators.splines.random_networks import Treatment, random_network
from simulators.splines.segments import cut_segments
from simulators.splines.slices import coordinate_slice
from theorems.checking.check import Floats as AnyFloats
from theorems.checking.medians import Case, Sample
from theorems.context import Context
from theorems.families.splines.clouds import CLOUDS, digits, images_of_digits

__all__ = ["OTHERS", "Setting", "available", "cases", "partition_near"]

Floats = NDArray[np.float64]

OTHERS: tuple[Treatment, ...] = ("zero", "random")
MOST = 1e6
_SLOPE = 0.1
#: Radius of "near a sample", over half the side of the square.
_NEAR = 0.1
_IN_PLANE = {**CLOUDS, "digits": digits}


def available(names: Sequence[str]) -> tuple[str, ...]:
    """Of data by name, those that can be had here: digits come with scikit-learn.

    Example:
        >>> available(("moons", "rings"))
        ('moons', 'rings')
    """
    found = find_spec("sklearn") is not None
    return tuple(name for name in names if found or not name.startswith("digits"))


def _wide_clusters(count: int, draws: np.random.Generator) -> Floats:
    """Three Gaussian clusters of standard deviation 1 in 64 dimensions, with means of entries ±1."""
    centres = 1 + np.sign(draws.standard_normal((3, 64)))
    return np.asarray(centres[np.arange(count) % 3] + draws.standard_normal((count, 64)))


def _samples(data: str, count: int, draws: np.random.Generator) -> Floats:
    if data == "clusters in 64 dimensions":
        return _wide_clusters(count, draws)
    if data == "digits in 64 dimensions":
        images = images_of_digits()
        return np.asarray(images[draws.choice(len(images), count, replace=False)])
    return _IN_PLANE[data](count, draws)


def partition_near(
    points: Floats, widths: Sequence[int], treatment: Treatment, seed: tuple[int, ...]
) -> tuple[Partition, float]:
    """The regions of a random leaky network on a square about points (N, 2), and half its side.

    Example:
        >>> points = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
        >>> found, half = partition_near(points, (3,), "batchnorm", (0,))
        >>> found.regions, half
        (6, 1.25)
    """
    low, high = points.min(axis=0), points.max(axis=0)
    centre = (low + high) / 2
    half = 1.25 * float(np.abs(points - centre).max())
    signs = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    network = random_network(points, widths, treatment, slope=_SLOPE, seed=seed)
    return linear_regions(network, coordinate_slice(2), centre + half * signs), half


def _in_plane(points: Floats, widths: Sequence[int], treatment: Treatment, seed: int) -> Floats:
    """Length of boundary near the samples, and the number of regions."""
    found, half = partition_near(points, widths, treatment, (seed,))
    near, _ = density_near(found, points, _NEAR * half)
    return np.array([near, found.regions])


def _distance(points: Floats, widths: Sequence[int], treatment: Treatment, seed: int) -> Floats:
    """Median distance of samples to the nearest boundary."""
    network = random_network(points, widths, treatment, slope=0.0, seed=(seed,))
    return np.array([np.median(nearest_boundaries(network, points).distances)])


def _crossings(points: Floats, widths: Sequence[int], treatment: Treatment, seed: int) -> Floats:
    """Crossings between pairs of samples, on average."""
    network = random_network(points, widths, treatment, slope=0.0, seed=(seed,))
    half = len(points) // 2
    pieces = cut_segments(network, points[:half], points[half : 2 * half]).counts
    return np.array([pieces.mean() - 1])


@dataclass(frozen=True)
class Setting:
    """Networks of some ``widths`` on ``samples`` points of ``data``, fresh for each of ``networks``.

    - ``plane``: whether regions are enumerated, or distances and segments looked at

    Example:
        >>> Setting("moons", (6, 6), 40, 64).plane
        True
    """

    data: str
    widths: tuple[int, ...]
    samples: int
    networks: int

    @property
    def plane(self) -> bool:
        return self.data in _IN_PLANE

    def read(self, measure: str, context: Context) -> dict[str, Floats]:
        """What is read of each network by treatment, a row for each; data and weights are shared.

        In the plane, lengths and regions together.
        """
        look = (
            _in_plane if self.plane else {"distance": _distance, "crossings": _crossings}[measure]
        )

        def drawn() -> dict[str, Floats]:
            draws = np.random.default_rng(context.stream("splines", "boundary_density", self.data))
            treatments: tuple[Treatment, ...] = ("batchnorm", *OTHERS)
            found: dict[str, list[Floats]] = {each: [] for each in treatments}
            for _ in range(self.networks):
                points = _samples(self.data, self.samples, draws)
                seed = int(draws.integers(2**62))
                for each in treatments:
                    found[each].append(look(points, self.widths, each, seed))
            return {each: np.array(values) for each, values in found.items()}

        return context.remembered(("boundary_density", self, look.__name__), drawn)

    def ratios(self, measure: str, other: Treatment, context: Context) -> Sample:
        """By how much batch normalisation brings boundaries nearer than ``other``, of each network.

        Of lengths, regions and crossings its own over the other's, of distances the inverse.
        """
        found = self.read(measure, context)
        column = int(measure == "regions")
        own, theirs = found["batchnorm"][:, column], found[other][:, column]
        if measure == "distance":
            own, theirs = theirs, own
        ratios = np.full(len(own), MOST)
        np.divide(own, theirs, out=ratios, where=own < MOST * theirs)
        return Sample({"q": [ratios]}, notes={"networks": len(own)})


def cases(
    settings: Sequence[Setting], measure: str, others: Sequence[Treatment] = OTHERS
) -> Callable[[AnyFloats | None], list[Case]]:
    """A case for every setting and every other treatment, for `Medians`; none on a user's batch.

    Example:
        >>> [case.label for case in cases([Setting("moons", (6,), 40, 8)], "length")(None)]
        ['moons, 6 units, against zero', 'moons, 6 units, against random']
    """

    def laid_out(batch: AnyFloats | None) -> list[Case]:
        tried = settings if batch is None else ()
        return [
            Case(
                f"{each.data}, {'-'.join(map(str, each.widths))} units, against {other}",
                {},
                partial(each.ratios, measure, other),
                1,
            )
            for each in tried
            for other in others
        ]

    return laid_out
