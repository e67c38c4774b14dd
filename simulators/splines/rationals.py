"""Floats as the rationals they are, and rationals as the nearest floats."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

__all__ = ["nearest", "rational", "rationals", "sign_of"]


def rational(x: float) -> fmpq:
    """The rational that a finite float is.

    Example:
        >>> rational(0.5), rational(0.1) == fmpq(1, 10)
        (1/2, False)
    """
    return fmpq(*float(x).as_integer_ratio())


def rationals(values: Iterable[float]) -> list[fmpq]:
    """`rational` of each.

    Example:
        >>> rationals([0.25, 2.0])
        [1/4, 2]
    """
    return [rational(x) for x in values]


def nearest(values: Iterable[fmpq]) -> NDArray[np.float64]:
    """Float64 nearest to each rational, of shape (count,).

    Example:
        >>> nearest([fmpq(1, 3)]).tolist()
        [0.3333333333333333]
    """
    return np.array([int(x.p) / int(x.q) for x in values], dtype=np.float64)


def sign_of(x: fmpq) -> int:
    """−1, 0 or 1.

    Example:
        >>> sign_of(fmpq(-2, 3))
        -1
    """
    return int(x > 0) - int(x < 0)
