"""Layers of random units on a few points, and what share of their units cuts them how.

With batch normalisation, points are placed by coordinates about their mean, which is 0: the last
sample of a batch sees to that, and is not looked at. Every unit of a layer is a draw of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from simulators import Trajectory, batchnorm_chain, vanilla_chain
from simulators.observables import Observable
from theorems.checking.expectation import Instance
from theorems.statement import Statement

__all__ = ["UNITS", "Bools", "centred", "observe", "placed", "share", "weights"]

Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
#: Units of a layer: so many boundaries a replica.
UNITS = 32


def centred(points: Sequence[Sequence[float]]) -> Floats:
    """A batch of the points and of one that brings the mean to 0, as columns.

    Args:
        points: N of them, of as many coordinates each.

    Returns:
        (d, N + 1), with rows of zeros where the points have fewer coordinates than samples.

    Example:
        >>> centred([[1.0, 0.0], [0.0, 1.0]]).tolist()
        [[1.0, 0.0, -1.0], [0.0, 1.0, -1.0], [0.0, 0.0, 0.0]]
    """
    columns = np.array(points, dtype=np.float64).T
    whole = np.concatenate([columns, -columns.sum(axis=1, keepdims=True)], axis=1)
    missing = max(0, whole.shape[1] - len(whole))
    return np.concatenate([whole, np.zeros((missing, whole.shape[1]))])


def placed(label: str, points: Sequence[Sequence[float]], symbols: Mapping[str, float]) -> Instance:
    """One layer on `centred` points, with the values of the statement's symbols there.

    Example:
        >>> placed("a right angle", [[1.0, 0.0], [0.0, 1.0]], {"c": 0}).width
        32
    """
    return Instance(
        label=label,
        chain=batchnorm_chain(UNITS, "identity"),
        start=centred(points),
        depth=1,
        readouts=(symbols,),
        support=(0.0, 1.0),
    )


def weights(label: str, dimension: int, symbols: Mapping[str, float]) -> Instance:
    """One layer on the unit vectors: entries of a row are the weights of a unit, up to a factor.

    Example:
        >>> weights("a plane", 2, {"K": 1}).start.tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    return Instance(
        label=label,
        chain=vanilla_chain(UNITS),
        start=np.eye(dimension),
        depth=1,
        readouts=(symbols,),
        support=(0.0, 1.0),
    )


def _share(H: Floats, width: int, *, holds: Callable[[Floats], Bools]) -> Floats:
    return np.asarray(holds(H).mean(axis=-1))


def observe(name: str, holds: Callable[[Floats], Bools]) -> Observable:
    """The share of a layer's units, of those that it has, where ``holds`` of (…, units, samples).

    Example:
        >>> positive = observe("positive", lambda H: H[..., 0] > 0)
        >>> float(positive.function(np.array([[1.0], [-1.0]]), width=2))
        0.5
    """
    return Observable(name, partial(_share, holds=holds), gram=False)


def share(name: str, statement: Statement, trajectory: Trajectory, instance: Instance) -> Floats:
    """What an observable of `observe` is after the layer, for each replica.

    Returns (replicas, 1).
    """
    found: Floats = trajectory[name][:, -1:]
    return found
