"""How long runs take: a model linear in what an engine does, fitted to short measured runs.

Per block and replica, with width d, batch size n and one weight matrix:

- factor: 1, d·n (normals drawn), d·n² (products, QR)
- rows: as factor
- dense: 1, d² (entries drawn), d²·n (product)
- mean_field: 1, n² (quadrature nodes, whose number depends on the spectrum as well)

Going back takes `BACKWARD` times as much again; tangents count as further samples.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from simulators.arrays import Floats
from simulators.sweeps.executors import Run
from simulators.sweeps.grid import RunBackward, RunBatch, RunTangents, SweepRun

__all__ = ["BACKWARD", "RunningTimes", "calibrate", "features", "rough_seconds"]

Group: TypeAlias = tuple[str, str, str, str, tuple[str, ...]]

_ROUGH = {
    "factor": (5e-5, 6e-9, 1e-9),
    "rows": (5e-5, 6e-9, 1e-9),
    "dense": (5e-5, 6e-9, 5e-10),
    "mean_field": (5e-4, 1e-6, 0.0),
}
"""Seconds per feature on a machine of today: for the order of runs, and the depth of the measured
ones.
"""

BACKWARD = 2
"""The way back, in ways forward; measured runs say more exactly."""

_PROBE = 0.03
_SMALL_WIDTHS = {
    "factor": (64, 512, 4096),
    "rows": (64, 512, 4096),
    "dense": (32, 96, 256),
    "mean_field": (64,),
}
_LARGEST_PROBE = 32


def features(run: SweepRun) -> Floats:
    """What the run does, in the units of the model: shape (3,).

    One and two further numbers, see this module, times depth and replicas.

    Args:
        run: of any engine that is measured.

    Example:
        >>> from simulators.sweeps.grid import Grid
        >>> fields = {"chain": "rescale", "width": 8, "batch": 3, "depth": 4}
        >>> [run] = Grid.of(fields).runs().values()
        >>> features(run).tolist()
        [4.0, 96.0, 288.0]
    """
    d, n = float(run.width), float(run.batch.n)
    if run.tangents is not None:
        n *= 1 + run.tangents.count((run.width, run.batch.n))
    per_block = {
        "factor": (1, d * n, d * n * n),
        "rows": (1, d * n, d * n * n),
        "dense": (1, d * d, d * d * n),
        "mean_field": (1, n * n, 0),
    }
    ways = 1 if run.backward is None else 1 + BACKWARD
    return float(run.depth) * run.replicas * ways * np.array(per_block[run.engine], dtype=float)


def rough_seconds(run: Run) -> float:
    """Seconds of one core, without measuring: right in order, not in scale.

    It orders runs, and chooses the depths of those that are measured.

    Args:
        run: of any engine; or one of another kind, which has them as ``rough_seconds``.

    Example:
        >>> from simulators.sweeps.grid import Grid
        >>> fields = {"chain": "rescale", "width": [8, 800], "batch": 3, "depth": 4}
        >>> small, large = Grid.of(fields).runs().values()
        >>> rough_seconds(small) < rough_seconds(large)
        True
    """
    if not isinstance(run, SweepRun):
        return float(getattr(run, "rough_seconds", 1.0))
    return float(features(run) @ np.array(_ROUGH[run.engine]))


@dataclass(frozen=True)
class RunningTimes:
    """A fitted model: `seconds` of one core for runs like those it was fitted to.

    ``fitted`` has the seconds of each feature, (3,), for each kind of run.

    Example:
        >>> from simulators.sweeps.grid import Grid
        >>> fields = {"chain": "rescale", "width": 8, "batch": 3, "depth": 4}
        >>> [run] = Grid.of(fields).runs().values()
        >>> model = RunningTimes({_group(run): np.array([1.0, 0.0, 0.0])})
        >>> model.seconds(run)  # a second a layer
        4.0
    """

    fitted: Mapping[Group, Floats]

    def seconds(self, run: SweepRun) -> float:
        """Predicted seconds on one core. Raises `KeyError` for a chain or engine that was not
        measured.

        Args:
            run: whose chain and engine were measured.
        """
        return float(features(run) @ self.fitted[_group(run)])


def calibrate(runs: Iterable[SweepRun]) -> RunningTimes:
    """Measure short runs of each chain, law, engine and dtype among ``runs``, and fit the model to
    them.

    Each probe is at most as wide as the group's widest run and takes some 30 ms; there are up to
    six a group. Expect a factor of two either way: probes fit into caches, and the machine may be
    busier later.

    Example:
        >>> from simulators.sweeps.grid import Grid
        >>> fields = {"chain": "rescale", "width": 8, "batch": 3, "depth": 4}
        >>> [run] = Grid.of(fields).runs().values()
        >>> 0 < calibrate([run]).seconds(run) < 60
        True
    """
    groups: dict[Group, list[SweepRun]] = {}
    for run in runs:
        groups.setdefault(_group(run), []).append(run)
    with threadpool_limits(limits=1):  # as in the workers
        return RunningTimes({group: _fit(members) for group, members in groups.items()})


def _group(run: SweepRun) -> Group:
    return run.chain, run.weights, run.engine, run.dtype, run.observables


def _fit(members: list[SweepRun]) -> Floats:
    # A tenth of a second, which commands and workers that do not fit are spared.
    from scipy.optimize import nnls

    rows, seconds = [], []
    for probe in _probes(members):
        began = time.perf_counter()
        probe.perform()
        seconds.append(time.perf_counter() - began)
        rows.append(features(probe))
    matrix = np.array(rows) / np.array(seconds)[:, None]  # equations for relative errors
    scale = np.maximum(matrix.max(axis=0), np.finfo(float).tiny)
    coefficients, _ = nnls(matrix / scale, np.ones(len(rows)))
    return np.asarray(coefficients / scale)


def _probes(members: list[SweepRun]) -> list[SweepRun]:
    """Short runs in place of these: other widths, sizes and depths; the first one warms the engine
    up.
    """
    batches = [run.batch.n for run in members]
    least, most = min(batches), max(batches)
    # larger batches than a probe's are reckoned by the model, which tells d·n from d·n² by two
    # sizes
    sizes = sorted(
        {least if least < _LARGEST_PROBE else _LARGEST_PROBE // 4, min(most, _LARGEST_PROBE)}
    )
    widest = max(run.width for run in members)
    found = []
    for n in sizes:
        for width in sorted(
            {max(n, min(width, widest)) for width in _SMALL_WIDTHS[members[0].engine]}
        ):
            replicas = min(members[0].replicas, 4)
            back = None if members[0].backward is None else RunBackward("gaussian")
            along = members[0].tangents
            along = (
                None
                if along is None
                else RunTangents(along.words if along.array is None else "gaussian")
            )
            sized = replace(
                members[0], width=width, batch=RunBatch(n), backward=back, tangents=along
            )
            probe = replace(sized, depth=1, replicas=replicas, seed=0)
            depth = int(_PROBE / rough_seconds(probe))
            found.append(replace(probe, depth=min(max(depth, 1), 2000)))
    replace(found[0], depth=1).perform()
    return found
