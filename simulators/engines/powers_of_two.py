"""Matrices kept within reach of floats by powers of two, which round nothing."""

from __future__ import annotations

import numpy as np
from array_api_compat import device
from numpy.typing import NDArray

from simulators.arrays import Array, Floats
from simulators.backend import Backend

__all__ = ["levelled", "peaks"]


def peaks(rows: Array, backend: Backend) -> Floats:
    """The largest entries in size of matrices, ``(g,)`` for ``(g, n, m)``, on the host.

    Example:
        >>> from simulators.backend import NumpyBackend
        >>> peaks(np.array([[[1.0, -3.0]]]), NumpyBackend("float64")).tolist()
        [3.0]
    """
    found = backend.xp.max(backend.xp.abs(rows), axis=(-2, -1))
    return backend.numpy(found).astype(np.float64)


def levelled(
    rows: Array, largest: Floats, room: int, backend: Backend
) -> tuple[Array, NDArray[np.int64]]:
    """``rows``, ``(g, n, m)``, over powers of two, and these, ``(g,)``: the ``largest`` entries
    come near one where they were beyond 2 to the power of ``room``, either way.

    Example:
        >>> from simulators.backend import NumpyBackend
        >>> levelled(np.full((1, 1, 1), 6e20), np.full(1, 6e20), 8, NumpyBackend("float64"))[1]
        array([70])
    """
    exponents = np.frexp(largest)[1].astype(np.int64)
    far = (np.abs(exponents) > room) & np.isfinite(largest) & (largest > 0)
    exponents = np.where(far, exponents, 0)
    if far.any():
        xp = backend.xp
        for half in (exponents // 2, exponents - exponents // 2):
            powers = xp.asarray(np.ldexp(1.0, -half), dtype=rows.dtype, device=device(rows))
            rows = rows * powers[:, None, None]
    return rows, exponents
