"""Data in the plane, as BB22 draws its boundaries around: moons, rings, a mixture, and real digits.

Of each a function of the number of points and a NumPy generator, that gives (N, 2). They lie as
they come, beside 0 and not centred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simulators.batches import read_batch

__all__ = ["CLOUDS", "digits", "images_of_digits", "mixture", "moons", "rings"]

Floats = NDArray[np.float64]
Cloud = Callable[[int, np.random.Generator], Floats]

_NOISE = 0.08
_DIGITS = 64


def moons(count: int, draws: np.random.Generator) -> Floats:
    """Two half circles of radius 1 that reach into each other, with a mean near (½, ¼).

    Example:
        >>> moons(6, np.random.default_rng(0)).shape
        (6, 2)
    """
    angle = np.pi * draws.random(count)
    first = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    second = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    chosen = np.where(np.arange(count)[:, None] % 2 == 0, first, second)
    return np.asarray(chosen + _NOISE * draws.standard_normal((count, 2)))


def rings(count: int, draws: np.random.Generator) -> Floats:
    """Circles of radius ½ and 1 about (2, 1).

    Example:
        >>> rings(6, np.random.default_rng(0)).shape
        (6, 2)
    """
    angle = 2 * np.pi * draws.random(count)
    radius = np.where(np.arange(count) % 2 == 0, 0.5, 1.0)[:, None]
    circle = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray([2.0, 1.0] + circle + _NOISE * draws.standard_normal((count, 2)))


def mixture(count: int, draws: np.random.Generator) -> Floats:
    """Three Gaussian clusters of standard deviation 3/10, at (2, 0), (3, 1) and (2, 2).

    Example:
        >>> mixture(6, np.random.default_rng(0)).shape
        (6, 2)
    """
    centres = np.array([[2.0, 0.0], [3.0, 1.0], [2.0, 2.0]])
    return np.asarray(centres[np.arange(count) % 3] + 0.3 * draws.standard_normal((count, 2)))


def images_of_digits() -> Floats:
    """The first 64 digits of scikit-learn, (64, 64), a sample a row.

    Raises:
        ValueError: scikit-learn is missing; the error says what to install.

    Example:
        >>> images_of_digits().shape
        (64, 64)
    """
    return read_batch("digits", take=_DIGITS).array.T


@cache
def _projected() -> Floats:
    """Digits on the two first singular directions of the uncentred images, over their r.m.s."""
    images = images_of_digits()
    directions = np.linalg.svd(images, full_matrices=False)[2][:2]
    directions = directions * np.sign(directions.sum(axis=1))[:, None]
    plane = images @ directions.T
    return np.asarray(plane / np.sqrt((plane**2).mean()))


def digits(count: int, draws: np.random.Generator) -> Floats:
    """So many of the first 64 digits of scikit-learn, projected, with r.m.s. coordinate 1.

    Raises:
        ValueError: scikit-learn is missing; the error says what to install.

    Example:
        >>> digits(6, np.random.default_rng(0)).shape
        (6, 2)
    """
    every = _projected()
    return np.asarray(every[draws.choice(len(every), count, replace=False)])


#: By name; all but the digits need nothing that is not installed.
CLOUDS: Mapping[str, Cloud] = {"moons": moons, "rings": rings, "mixture": mixture}
