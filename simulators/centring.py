"""Centring a batch: HJ from H, exact where a common mean cancels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["centred"]

_COARSE = 2.0**-4
"""A difference below this share of its row's largest may have lost bits that matter."""


def centred(batch: NDArray[np.float64]) -> NDArray[np.float64]:
    """HJ for a finite ``batch`` H, (d, n): every row minus its mean over the samples.

    The entries of ``batch`` are taken at their word. Each sample of HJ has a relative error of a
    few units in the last place, also where it is small beside the others, or beside what all have
    in common; it is zero exactly where it should be. Where an entry exceeds 2¹⁰⁰⁰ the result is
    HJ/2²⁴, lest it overflow. Cost: O(d n), and O(n) more for every entry that cancels.

    Example:
        >>> centred(np.array([[1.0, 1.0 + 2**-52]])) * 2**53
        array([[-1.,  1.]])
    """
    shrink = (
        2.0**-24 if np.abs(batch).max() > 2.0**1000 else 1.0
    )  # sums of n entries then stay finite
    values = batch * shrink
    n = values.shape[1]
    shifted = values - values[:, :1]
    found: NDArray[np.float64] = shifted - shifted.mean(axis=1, keepdims=True)
    peaks = np.abs(shifted).max(axis=1, keepdims=True)
    largest = np.abs(found).max(axis=0, keepdims=True)
    doubtful = (np.abs(found) < _COARSE * peaks) & (peaks > largest)
    for row, column in np.argwhere(doubtful):
        entries = values[row].tolist()
        found[row, column] = math.fsum([entries[column]] * n + [-x for x in entries]) / n
    return found
