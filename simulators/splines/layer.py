"""What regions are made of: at each activation, which region each came from and its signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layer", "patterns_of"]


@dataclass(frozen=True, eq=False)
class Layer:
    """The regions after an activation: R of them.

    - ``parents`` (R,): numbers of the regions before it that they are parts of; before the first
      activation, of the planes or segments that are cut
    - ``signs`` (units, R): −1, 0, 1, of each unit on each region

    Example:
        >>> Layer(np.array([0, 0]), np.array([[1, -1]], np.int8)).signs.shape
        (1, 2)
    """

    parents: NDArray[np.int64]
    signs: NDArray[np.int8]


def patterns_of(layers: Sequence[Layer]) -> NDArray[np.int8]:
    """The signs of all units on the regions after the last of the layers, of shape (R, units).

    Example:
        >>> first = Layer(np.array([0, 0]), np.array([[1, -1]], np.int8))
        >>> second = Layer(np.array([0, 1, 1]), np.array([[1, 1, -1]], np.int8))
        >>> patterns_of([first, second]).tolist()
        [[1, 1], [-1, 1], [-1, -1]]
    """
    regions = np.arange(len(layers[-1].parents)) if layers else np.zeros(1, dtype=np.int64)
    blocks: list[NDArray[np.int8]] = [np.zeros((0, len(regions)), dtype=np.int8)]
    for layer in reversed(layers):
        blocks.append(layer.signs[:, regions])
        regions = layer.parents[regions]
    return np.concatenate(blocks[::-1]).T
