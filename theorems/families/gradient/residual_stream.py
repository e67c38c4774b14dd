"""Gradients through residual streams H⁺ = H + BN(WH) and h⁺ = h + tanh(Wh), which no chain of the
engine expresses.

Of the first rows are centred, so that a row is a vector of R^(n-1), and normalising takes it to
length √n. Given H = QR, WH has the law of fresh normals times R/√d, and given WH as well WᵀG is
known on the span of Q and fresh beside it: no d × d matrix is drawn, and the law is exact at every
width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.arguments import require, whole_number

__all__ = ["stream_growths", "tanh_growths"]

Floats = NDArray[np.float64]


def stream_growths(
    width: int, size: int, depth: int, replicas: int, seed: Any, variance: float = 1.0
) -> Floats:
    """‖G_0‖²/‖G_L‖² of residual streams from orthogonal centred samples, G_L standard normal.

    Entries of W have variance 1/d; the gradient is that part of it which is orthogonal to 1.

    Args:
        width: d, at least n.
        size: n ≥ 4.
        depth: L ≥ 1.
        replicas: independent networks.
        seed: as `numpy.random.default_rng` takes it.
        variance: q > 0 of the entries of the start.

    Returns:
        (replicas,)

    Raises:
        ValueError: for a number out of its range, naming the argument.

    Cost: O(d n²) a layer and network, and its memory O(d n).

    Example:
        >>> stream_growths(64, 8, 1, 2, 0).shape
        (2,)
    """
    size = whole_number("size", size, 4)
    width, depth = whole_number("width", width, size), whole_number("depth", depth, 1)
    replicas = whole_number("replicas", replicas, 1)
    require(0 < variance < np.inf, f"variance={variance!r} is not a number q > 0")
    rng = np.random.default_rng(seed)
    free = size - 1
    start = np.eye(width, free) * (width * size * variance / free) ** 0.5
    stream = np.broadcast_to(start, (replicas, width, free))
    layers = []
    for _ in range(depth):
        basis, factor = np.linalg.qr(stream)
        rows = rng.standard_normal(stream.shape) @ factor / width**0.5
        lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
        directions = rows / lengths
        layers.append((basis, factor, lengths, directions))
        stream = stream + size**0.5 * directions
    gradient = rng.standard_normal(stream.shape)
    last = _squares(gradient)
    for basis, factor, lengths, directions in reversed(layers):
        along = np.sum(gradient * directions, axis=-1, keepdims=True)
        inner = size**0.5 * (gradient - along * directions) / lengths
        gradient = gradient + _through_weights(
            inner, lengths * directions, basis, factor, rng.standard_normal(gradient.shape)
        )
    found: Floats = _squares(gradient) / last
    return found


def tanh_growths(width: int, depth: int, replicas: int, seed: Any) -> Floats:
    """‖G_0‖²/‖G_L‖² of one sample in streams h⁺ = h + tanh(Wh), from entries 1, G_L standard normal.

    Entries of W have variance 1/d.

    Args:
        width: d ≥ 2.
        depth: L ≥ 1.
        replicas: independent networks.
        seed: as `numpy.random.default_rng` takes it.

    Returns:
        (replicas,)

    Raises:
        ValueError: for a number out of its range, naming the argument.

    Cost: O(d) a layer and network, and its memory.

    Example:
        >>> tanh_growths(64, 3, 2, 0).shape
        (2,)
    """
    width, depth = whole_number("width", width, 2), whole_number("depth", depth, 1)
    replicas = whole_number("replicas", replicas, 1)
    rng = np.random.default_rng(seed)
    stream = np.ones((replicas, width, 1))
    layers = []
    for _ in range(depth):
        length = np.linalg.norm(stream, axis=1, keepdims=True)
        rows = rng.standard_normal(stream.shape) * length / width**0.5
        layers.append((stream / length, length, rows))
        stream = stream + np.tanh(rows)
    gradient = rng.standard_normal(stream.shape)
    last = _squares(gradient)
    for basis, factor, rows in reversed(layers):
        inner = gradient / np.cosh(rows) ** 2
        gradient = gradient + _through_weights(
            inner, rows, basis, factor, rng.standard_normal(gradient.shape)
        )
    found: Floats = _squares(gradient) / last
    return found


def _through_weights(
    gradient: Floats, rows: Floats, basis: Floats, factor: Floats, fresh: Floats
) -> Floats:
    """WᵀG given WH = ``rows`` and H = QR."""
    known = np.linalg.solve(_turned(factor), _turned(rows) @ gradient)
    root = np.linalg.qr(gradient, mode="r")
    beside = fresh - basis @ (_turned(basis) @ fresh)
    found: Floats = basis @ known + beside @ root / gradient.shape[-2] ** 0.5
    return found


def _turned(matrices: Floats) -> Floats:
    return np.swapaxes(matrices, -1, -2)


def _squares(matrices: Floats) -> Floats:
    found: Floats = np.sum(matrices * matrices, axis=(-2, -1))
    return found
