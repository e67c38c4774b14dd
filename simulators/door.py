"""What a batch must be to enter a simulation, and what is said to one that may not.

A batch is (d₀, n): one sample per column.
"""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np

from simulators.chains import Chain, Scaling

_LARGEST_WEIGHT = 64.0  # in standard deviations; a normal entry exceeds it with probability below 1e-890
_EXACT_INTEGERS = 2**53  # from here on an integer may have been rounded to float64


def read_batch(batch: Any) -> np.ndarray[Any, Any]:
    """``batch`` as a new float64 NumPy array of shape (d₀, n).

    ``batch`` is an array, a Torch tensor or nested lists, of floats, or integers that float64 holds exactly.
    Raises `TypeError` for another kind of entry, `ValueError` for another shape, ragged lists, entries that
    are NaN or infinite, and a batch that is empty or zero.
    """
    if array_api_compat.is_torch_array(batch):
        batch = batch.detach().cpu()
        if batch.dtype.is_floating_point:
            batch = batch.double()
    try:
        array = np.asarray(batch)
    except ValueError as error:
        raise ValueError("batch is ragged; give every column the same number of coordinates") from error
    kind = array.dtype.kind
    if kind == "O":
        raise TypeError("batch holds Python objects; give an array of floats, such as batch.astype(float)")
    if kind not in "fiu":
        raise TypeError(f"batch has dtype {array.dtype}; give real numbers, integer or floating")
    if array.ndim != 2:
        raise ValueError(f"batch has shape {array.shape}; give (d, n), one sample per column")
    if array.size == 0:
        raise ValueError(f"batch of shape {array.shape} is empty; give at least one sample of one coordinate")
    values = array.astype(np.float64)
    if kind in "iu" and abs(values).max() >= _EXACT_INTEGERS:
        large = [int(entry) for entry in array[abs(values) >= _EXACT_INTEGERS]]
        inexact = [entry for entry in large if int(float(entry)) != entry]
        if inexact:
            raise ValueError(f"batch holds {inexact[0]}, which float64 cannot; convert it as you mean it")
    if not np.isfinite(values).all():
        row, column = (int(index) for index in np.argwhere(~np.isfinite(values))[0])
        raise ValueError(f"batch[{row}, {column}] is {values[row, column]}; give finite numbers")
    if not values.any():
        raise ValueError("batch is zero; every observable is undefined there")
    return values


def admit(batch: np.ndarray[Any, Any], chain: Chain, dtype: str) -> None:
    """Raise `ValueError` unless ``chain`` can run on ``batch``, from `read_batch`, in ``dtype``."""
    rows, n = batch.shape
    if n > rows:
        raise ValueError(
            f"batch has shape {batch.shape}: n={n} samples of d={rows} coordinates, and n ≤ d is needed; "
            f"if its samples are rows give batch.T, otherwise at most {rows} of them"
        )
    narrowest = min(chain.widths(rows))
    if n > narrowest:
        raise ValueError(
            f"batch has n={n} samples, more than the width {narrowest} of the chain; "
            f"give at most {narrowest} of them, or a wider chain"
        )
    if chain.recentres and (batch == batch[:, :1]).all():
        raise ValueError("batch has all columns equal, so the chain's Recenter leaves nothing; vary them")
    largest, limits = float(abs(batch).max()), np.finfo(dtype)
    least, most = float(limits.smallest_normal), float(limits.max)
    if not least <= largest <= most and dtype == "float32":
        raise ValueError(f"batch has largest entry {largest:.3g}, outside float32; rescale it or use float64")
    if chain.scaling is Scaling.BOUND and largest > most / (_LARGEST_WEIGHT * rows):
        raise ValueError(
            f"batch has largest entry {largest:.3g}: its products with weights overflow {dtype}; rescale it"
        )
