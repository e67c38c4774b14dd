"""Gradients of a residual stream, drawn by its rows, have the law of the dense computation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp

from theorems.families.gradient.residual_stream import stream_growths, tanh_growths

WIDTH, SIZE, DEPTH, REPLICAS = 8, 5, 3, 4000


def dense_growths(seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The same by full weight matrices."""
    rng = np.random.default_rng(seed)
    start = np.eye(WIDTH, SIZE - 1) * (WIDTH * SIZE / (SIZE - 1)) ** 0.5
    stream = np.broadcast_to(start, (REPLICAS, WIDTH, SIZE - 1))
    layers = []
    for _ in range(DEPTH):
        weights = rng.standard_normal((REPLICAS, WIDTH, WIDTH)) / WIDTH**0.5
        rows = weights @ stream
        lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
        layers.append((weights, lengths, rows / lengths))
        stream = stream + SIZE**0.5 * rows / lengths
    gradient = rng.standard_normal(stream.shape)
    last = np.sum(gradient**2, axis=(1, 2))
    for weights, lengths, directions in reversed(layers):
        along = np.sum(gradient * directions, axis=-1, keepdims=True)
        inner = SIZE**0.5 * (gradient - along * directions) / lengths
        gradient = gradient + np.swapaxes(weights, 1, 2) @ inner
    return np.asarray(np.sum(gradient**2, axis=(1, 2)) / last)


def test_rows_have_the_law_of_the_dense_computation() -> None:
    by_rows = stream_growths(WIDTH, SIZE, DEPTH, REPLICAS, 1)
    assert ks_2samp(by_rows, dense_growths(2)).pvalue > 1e-4
    deeper = stream_growths(WIDTH, SIZE, DEPTH + 1, REPLICAS, 1)
    assert ks_2samp(deeper, dense_growths(2)).pvalue < 1e-9  # it tells one layer more


def test_a_start_of_another_variance_tells() -> None:
    wider = stream_growths(WIDTH, SIZE, DEPTH, REPLICAS, 1, variance=2.0)
    assert np.median(wider) < np.median(stream_growths(WIDTH, SIZE, DEPTH, REPLICAS, 1))


@pytest.mark.parametrize(
    ("name", "value"),
    [("size", 3), ("width", 7), ("depth", 0), ("replicas", 0), ("variance", 0.0)],
)
def test_it_refuses_numbers_out_of_range(name: str, value: float) -> None:
    given: dict[str, Any] = {"width": 8, "size": 8, "depth": 1, "replicas": 1, "seed": 0}
    with pytest.raises(ValueError, match=name):
        stream_growths(**{**given, name: value})


def dense_tanh_growths(seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Streams of one sample with tanh, by full weight matrices."""
    rng = np.random.default_rng(seed)
    stream = np.ones((REPLICAS, WIDTH))
    layers = []
    for _ in range(DEPTH):
        weights = rng.standard_normal((REPLICAS, WIDTH, WIDTH)) / WIDTH**0.5
        rows = np.einsum("rij,rj->ri", weights, stream)
        layers.append((weights, rows))
        stream = stream + np.tanh(rows)
    gradient = rng.standard_normal(stream.shape)
    last = np.sum(gradient**2, axis=1)
    for weights, rows in reversed(layers):
        back = np.einsum("rij,ri->rj", weights, gradient / np.cosh(rows) ** 2)
        gradient = gradient + back
    return np.asarray(np.sum(gradient**2, axis=1) / last)


def test_one_sample_with_tanh_has_the_law_of_the_dense_computation() -> None:
    by_rows = tanh_growths(WIDTH, DEPTH, REPLICAS, 1)
    assert ks_2samp(by_rows, dense_tanh_growths(2)).pvalue > 1e-4
    deeper = tanh_growths(WIDTH, DEPTH + 1, REPLICAS, 1)
    assert ks_2samp(deeper, dense_tanh_growths(2)).pvalue < 1e-9
    with pytest.raises(ValueError, match="width"):
        tanh_growths(1, 1, 1, 0)
