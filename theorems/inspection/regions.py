"""The linear regions of a user's network on a plane, with the samples in it: numbers and files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulators.arguments import require, told
from simulators.splines.boundaries import (
    Boundaries,
    Folds,
    boundaries,
    density_near,
    distances,
    folds,
)
from simulators.splines.network import Network
from simulators.splines.operations import Scaling
from simulators.splines.partition import Partition, Progress, linear_regions
from simulators.splines.slices import Slice, coordinate_slice, principal_slice, slice_through
from simulators.splines.torch_networks import Statistics, read_network
from theorems.inspection.inputs import InspectionError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Regions", "View", "find_regions", "look_at", "named_slice", "write_regions"]

Floats = NDArray[np.float64]

_MARGIN = 1.25  # half the side of the square over the largest coordinate of a sample
_SMALLEST, _LARGEST = 1e-100, 1e100  # of half a side, as of entries of a batch
_FINEST = 1e-12  # half a side over the distance of the centre from 0
_NEAR = 0.05  # radius of "near a sample", over half the side of the square
_MOST_UNITS_SPELLED = 512
_SIGNS = np.array(["-", "0", "+"])


@dataclass(frozen=True, eq=False)
class View:
    """A network on a square of a plane.

    - ``network``: what is looked at
    - ``plane``: of input space
    - ``samples`` (N, 2): the batch in coordinates of the plane, projected where it is not in it
    - ``centre``, ``half_side``: of the square
    - ``statistics``: of batch normalisation; "none" where the network has none
    """

    network: Network
    plane: Slice
    samples: Floats
    centre: tuple[float, float]
    half_side: float
    statistics: Statistics

    @property
    def square(self) -> Floats:
        """Its corners (4, 2)."""
        signs = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        return np.asarray(np.array(self.centre) + self.half_side * signs)


@dataclass(frozen=True, eq=False)
class Regions:
    """The regions, and what is told of them.

    - ``view``: what is looked at
    - ``partition``: the regions
    - ``edges``, ``bends``: boundaries and their folds
    """

    view: View
    partition: Partition
    edges: Boundaries
    bends: Folds

    @property
    def layer_names(self) -> tuple[str, ...]:
        """What the module calls its activations."""
        found = self.partition.network.activations
        return tuple(each.name or str(k) for k, each in enumerate(found))

    @property
    def counts(self) -> tuple[int, ...]:
        """How many regions there are after each activation that was gone through."""
        return tuple(len(layer.parents) for layer in self.partition.layers)

    def as_json(self) -> dict[str, object]:
        """All numbers, for `simulators.documents.plain`."""
        found = self.partition
        areas = found.areas()
        samples, half_side = self.view.samples, self.view.half_side
        u, v = self.view.centre
        inside = np.abs(samples - (u, v)).max(axis=1) <= half_side
        radius = _NEAR * half_side
        near, everywhere = density_near(found, samples, radius)
        gaps = distances(found, samples[inside])
        lengths = np.bincount(
            self.edges.layer, self.edges.lengths, minlength=len(found.network.activations)
        )
        return {
            "schema": 1,
            "statistics": self.view.statistics,
            "remarks": list(found.network.remarks),
            "plane": {"axes": list(found.plane.labels), "dimension": found.plane.dimension},
            "square": {"centre": [u, v], "half_side": half_side},
            "complete": found.complete,
            "regions": found.regions,
            "vertices": found.mesh.vertices,
            "edges": found.mesh.edges,
            "euler": found.mesh.euler,
            "area": {"total": areas.sum(), "median": np.median(areas), "smallest": areas.min()},
            "signs_decided_in_rationals": found.exact_signs,
            "layers": [
                {"layer": name, "units": width, "regions": count, "boundary_length": length}
                for name, width, count, length in zip(
                    self.layer_names, found.network.widths, self.counts, lengths, strict=False
                )
            ],
            "folds": {
                "count": len(self.bends.angles),
                "mean_angle": _mean(self.bends.angles),
                "largest_angle": self.bends.angles.max(initial=0.0),
            },
            "samples": {
                "in_square": int(inside.sum()),
                "of": len(samples),
                "nearest_boundary_least": gaps.min(initial=np.inf),
                "nearest_boundary_median": np.median(gaps) if len(gaps) else None,
            },
            "boundary_per_area": {
                "radius": radius,
                "near_samples": near,
                "everywhere": everywhere,
            },
        }


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0


def named_slice(text: str | None, batch: Floats) -> Slice:
    """The plane that ``--slice`` names: ``PCA``, two coordinates ``i,j``, or three samples
    ``a,b,c``; by default the two coordinates there are, or PCA.

    Args:
        text: the option, or None.
        batch: (N, D).

    Raises:
        ValueError: what means no plane of this batch.

    Example:
        >>> named_slice("0,2", np.eye(3)).labels
        ('x0', 'x2')
    """
    count, dimension = batch.shape
    if text is None:
        text = "0,1" if dimension == 2 else "PCA"
    require(dimension >= 2, f"samples of dimension {dimension}: want at least 2", InspectionError)
    if text.upper() == "PCA":
        return principal_slice(batch)
    words = text.split(",")
    plain = all(word.strip().isascii() and word.strip().isdigit() for word in words)
    require(
        plain and len(words) in (2, 3) and max(map(len, words)) < 10,
        f"--slice {text!r}: want PCA, two coordinates such as 0,1, or three samples such as 0,4,7",
        InspectionError,
    )
    numbers = [int(word) for word in words]
    if len(numbers) == 2:
        return coordinate_slice(dimension, *numbers)
    require(
        max(numbers) < count,
        f"--slice {text!r}: there are samples 0 to {count - 1}",
        InspectionError,
    )
    return slice_through(batch[numbers])


def look_at(
    module: nn.Module,
    batch: Floats,
    *,
    plane: str | None = None,
    statistics: Statistics = "train",
    half_side: float | None = None,
) -> View:
    """A module as a network on a square around the samples of a batch: all that may be refused.

    Args:
        module: as `simulators.splines.torch_networks.read_network` takes it.
        batch: (N, …), samples along the first axis.
        plane: as `named_slice` takes it.
        statistics: of batch normalisation.
        half_side: of the square, in coordinates of the plane; by default so that the samples are
            inside with some room.

    Raises:
        ValueError: a module that is not read, or no such plane.

    Example:
        >>> import torch
        >>> look_at(torch.nn.Linear(2, 1), np.eye(2), half_side=2.0).square[0].tolist()
        [-1.5, -1.5]
    """
    array = np.asarray(batch, dtype=np.float64)
    network = read_network(module, array, statistics)
    flat = array.reshape(len(array), -1)
    chosen = named_slice(plane, flat)
    samples = chosen.coordinates(flat)
    low, high = samples.min(axis=0), samples.max(axis=0)
    u, v = _rounded((low + high) / 2, (high - low).max())
    reach = np.abs(samples - (u, v)).max()
    half = half_side if half_side is not None else float(_rounded(_MARGIN * (reach or 1.0)))
    require(
        _SMALLEST < half < _LARGEST,
        f"half_side={told(half)}: want a number from {_SMALLEST:g} to {_LARGEST:g}",
        InspectionError,
    )
    farthest = max(abs(u), abs(v))
    require(
        half > _FINEST * farthest,
        f"half_side={told(half)}: floats do not tell so small a square from its centre, "
        f"{farthest:g} from 0; want more than {_FINEST * farthest:g}",
        InspectionError,
    )
    normalised = any(isinstance(each, Scaling) for each in network.operations)
    return View(
        network, chosen, samples, (float(u), float(v)), half, statistics if normalised else "none"
    )


def find_regions(
    view: View,
    *,
    progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
    seconds: float | None = None,
) -> Regions:
    """The linear regions of a network on a square.

    Args:
        view: what is looked at.
        progress: told of each unit.
        stop: asked before each unit whether to stop, with what was found.
        seconds: stop after so many, with what was found.

    Example:
        >>> import torch
        >>> _ = torch.manual_seed(0)
        >>> network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
        >>> find_regions(look_at(network, np.eye(2), half_side=1e6)).partition.regions
        7
    """
    found = linear_regions(
        view.network, view.plane, view.square, progress=progress, stop=stop, seconds=seconds
    )
    return Regions(view, found, boundaries(found), folds(found))


def _rounded(values: Floats | float, size: float = 0.0) -> Floats:
    """Two significant digits or so, so that the square has round corners; of ``size``, if given."""
    top = size or float(np.abs(np.asarray(values, dtype=np.float64)).max(initial=0.0))
    digits = 1 - int(np.floor(np.log10(top))) if top > 0 else 0
    return np.round(values, digits)


def write_regions(found: Regions, directory: Path) -> list[Path]:
    """Write ``regions.csv``, ``regions.geojson`` and ``folds.csv`` into a directory; the paths.

    A region has its number, area, centroid of its corners, pattern of signs (+, −, 0 for each unit,
    layers parted by a bar; left out above 512 units) and the float coefficients of its outputs.
    GeoJSON has number, area and pattern with the corners, in coordinates of the plane.

    Raises:
        OSError: a file cannot be written.

    Example:
        >>> import torch
        >>> from tempfile import TemporaryDirectory
        >>> network = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())
        >>> with TemporaryDirectory() as folder:
        ...     paths = write_regions(find_regions(look_at(network, np.eye(2))), Path(folder))
        >>> [path.name for path in paths]
        ['regions.csv', 'regions.geojson', 'folds.csv']
    """
    paths = [directory / name for name in ("regions.csv", "regions.geojson", "folds.csv")]
    corners = list(_corners(found.partition))
    rows = list(_rows(found, corners))
    with paths[0].open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with paths[1].open("w", encoding="utf-8") as stream:
        stream.write('{"type": "FeatureCollection", "features": [\n')
        for k, (row, ring) in enumerate(zip(rows, corners, strict=True)):
            stream.write(",\n" if k else "")
            json.dump(_feature(row, ring), stream)
        stream.write("\n]}\n")
    names, bends = found.layer_names, found.bends
    with paths[2].open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow([*found.partition.plane.labels, "layer", "unit", "angle"])
        columns = zip(
            bends.points.tolist(),
            bends.layer.tolist(),
            bends.unit.tolist(),
            bends.angles.tolist(),
            strict=True,
        )
        table.writerows(
            [*point, names[layer], unit, angle] for point, layer, unit, angle in columns
        )
    return paths


def _corners(found: Partition) -> Iterator[list[list[float]]]:
    """The corners of each region, counter-clockwise."""
    order, starts = found.mesh.cycles()
    points = found.points[found.mesh.origin[order]]
    for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        yield points[start:end].tolist()


def _rows(found: Regions, corners: list[list[list[float]]]) -> Iterator[Mapping[str, object]]:
    """What is told of each region."""
    partition = found.partition
    spelled = sum(partition.network.widths) <= _MOST_UNITS_SPELLED
    patterns = partition.patterns() if spelled else None
    ends = np.cumsum([len(layer.signs) for layer in partition.layers])[:-1]
    outputs = partition.outputs
    first, second = partition.plane.labels
    for k, (area, ring) in enumerate(zip(partition.areas().tolist(), corners, strict=True)):
        u, v = np.mean(ring, axis=0).tolist()
        row: dict[str, object] = {"region": k, "area": area, first: u, second: v}
        if patterns is not None:
            layers = np.split(_SIGNS[patterns[k] + 1], ends)
            row["pattern"] = "|".join("".join(signs) for signs in layers)
        if outputs is not None:
            for i, coefficients in enumerate(outputs.values[:, :, k].tolist()):
                row |= zip((f"y{i}", f"y{i}/{first}", f"y{i}/{second}"), coefficients, strict=True)
        yield row


def _feature(row: Mapping[str, object], ring: list[list[float]]) -> dict[str, object]:
    told = {key: row[key] for key in ("region", "area", "pattern") if key in row}
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return {"type": "Feature", "geometry": geometry, "properties": told}
