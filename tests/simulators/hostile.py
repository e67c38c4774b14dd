"""Starts at which float arithmetic has little left of what matters, by name: functions of d₀ and
n, (d₀, n) each.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def _noise(d: int, n: int) -> Floats:
    return np.random.default_rng(3).standard_normal((d, n))


def mean_first(n: int) -> Floats:
    """Orthogonal, its first column the mean direction (Helmert's)."""
    found = np.zeros((n, n))
    found[:, 0] = n**-0.5
    for k in range(1, n):
        found[:k, k], found[k, k] = (k * (k + 1)) ** -0.5, -k * (k * (k + 1)) ** -0.5
    return found


def _turned(n: int) -> Floats:
    return np.asarray(np.linalg.qr(_noise(n, n)).Q)


def _spectral(d: int, eigenvalues: Floats, basis: Floats) -> Floats:
    rows = np.sqrt(eigenvalues)[:, None] * basis.T
    return np.vstack([rows, np.zeros((d - len(rows), len(rows)))])


def _dominant(n: int) -> Floats:
    return np.array([1.0] + [1e-300] * (n - 1))


def _with(d: int, n: int, change: Callable[[Floats], None]) -> Floats:
    batch = _noise(d, n)
    change(batch)
    return batch


def _duplicate(batch: Floats) -> None:
    batch[:, 1] = batch[:, 0]


def _opposite(batch: Floats) -> None:
    batch[:, 1] = -batch[:, 0]


def _dependent(batch: Floats) -> None:
    batch[:, 2] = batch[:, 0] + batch[:, 1]


def _huge(batch: Floats) -> None:
    batch[:, 0] *= 1e150


def _large(batch: Floats) -> None:
    batch[:, 0] *= 1e12


HOSTILE: Mapping[str, Callable[[int, int], Floats]] = {
    "eigenvalues 1e-300 beside the mean": lambda d, n: _spectral(d, _dominant(n), mean_first(n)),
    "eigenvalues 1e-300 in a turned basis": lambda d, n: _spectral(d, _dominant(n), _turned(n)),
    "eigenvalues 1e-300, rows mixed": lambda d, n: (
        _turned(d) @ _spectral(d, _dominant(n), _turned(n))
    ),
    "one eigenvalue 1e-300": lambda d, n: _spectral(
        d, np.array([1.0] * (n - 1) + [1e-300]), _turned(n)
    ),
    "equal samples": lambda d, n: _with(d, n, _duplicate),
    "opposite samples": lambda d, n: _with(d, n, _opposite),
    "dependent samples": lambda d, n: _with(d, n, _dependent),
    "constant samples and noise of 1e-12": lambda d, n: (
        _noise(d, n)[:, :1] + 1e-12 * _turned(d)[:, :n]
    ),
    "constant samples and noise of 1e-16": lambda d, n: (
        _noise(d, n)[:, :1] + 1e-16 * _turned(d)[:, :n]
    ),
    "one huge sample": lambda d, n: _with(d, n, _huge),
    "one large sample": lambda d, n: _with(d, n, _large),
}
