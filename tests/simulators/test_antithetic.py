"""One residual layer with W and −W: the pair, its weights' law and moments, and the door."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from simulators.antithetic import antithetic_layer
from simulators.layers import LAWS

BATCH = np.array([[1.0, 2.0, -1.0], [0.0, 1.0, 1.0], [2.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
IDENTITY = np.eye(4)


def weights(plus: Any, gamma: float) -> Any:
    """W off the diagonal, for H = 1: row i of H + γW is a multiple of e_i + γW_i."""
    d = plus.shape[-1]
    ratios = plus / np.diagonal(plus, axis1=-2, axis2=-1)[..., None]
    return ratios[:, ~np.eye(d, dtype=bool)]


def test_both_are_the_layer_of_one_weight_matrix() -> None:
    gamma = 0.3
    plus, minus, speeds = antithetic_layer(BATCH, gamma, draws=50, seed=3)
    H = BATCH / np.linalg.norm(BATCH, axis=1, keepdims=True)
    for i in range(4):
        # H_i + γ(WH)_i and H_i - γ(WH)_i add up to 2 H_i, so the three directions lie in a plane
        planes = np.stack([plus[:, i], minus[:, i], np.broadcast_to(H[i], (50, 3))], axis=1)
        assert np.abs(np.linalg.det(planes)).max() < 1e-12
    assert np.allclose(np.linalg.norm(plus, axis=-1), math.sqrt(3))
    assert np.allclose(np.linalg.norm(minus, axis=-1), math.sqrt(3))
    assert speeds.shape == (50,)
    assert (speeds > 0).all()
    assert not np.allclose(plus, minus)


def test_rademacher_weights_are_seen_exactly() -> None:
    gamma = 1e-3
    plus, minus, speeds = antithetic_layer(IDENTITY, gamma, draws=2000, law="rademacher")
    entries = weights(plus, gamma) / gamma
    assert np.abs(np.abs(entries) - 1).max() < 2 * gamma  # over 1 ± γ, the diagonal
    assert np.allclose(weights(minus, gamma) / gamma, -entries, atol=3 * gamma)
    assert np.allclose(speeds, 2)  # ‖W_i‖ = √4
    assert abs(np.sign(entries).mean()) < 6 / math.sqrt(entries.size)
    # no two draws alike: 2000 of 2^12 patterns meet, but not all in one
    assert len(np.unique(np.sign(entries), axis=0)) > 1000


INDEPENDENT = [law for law in LAWS.values() if law.of_matrix is None and law.mean == 0]


@pytest.mark.parametrize("law", [law.example for law in INDEPENDENT])
def test_the_weights_have_mean_0_and_variance_1(law: str) -> None:
    gamma, draws = 1e-6, 20_000
    plus, _, _ = antithetic_layer(IDENTITY, gamma, draws=draws, law=law, seed=1)
    entries = weights(plus, gamma) / gamma
    assert abs(entries.mean()) < 6 / math.sqrt(entries.size)
    fourth = {"student_t(5)": 9, "sparse(0.1)": 30}.get(law, 3)
    assert abs((entries**2).mean() - 1) < 6 * math.sqrt((fourth - 1) / entries.size) + 1e-4


def test_a_law_of_whole_matrices_is_refused() -> None:
    with pytest.raises(ValueError, match="law='orthogonal' draws whole matrices"):
        antithetic_layer(IDENTITY, 0.1, draws=2, law="orthogonal")


def test_no_step_leaves_the_rescaled_batch() -> None:
    plus, minus, _ = antithetic_layer(BATCH, 0.0, draws=2)
    expected = BATCH / np.linalg.norm(BATCH, axis=1, keepdims=True) * math.sqrt(3)
    assert np.allclose(plus, expected)
    assert np.array_equal(plus, minus)


def test_the_seed_decides_and_the_block_size_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    first = antithetic_layer(BATCH, 0.1, draws=30, seed=5)[0]
    assert np.array_equal(first, antithetic_layer(BATCH, 0.1, draws=30, seed=5)[0])
    assert not np.array_equal(first, antithetic_layer(BATCH, 0.1, draws=30, seed=6)[0])
    monkeypatch.setattr("simulators.antithetic._BLOCK_ROWS", 7)
    assert np.allclose(first, antithetic_layer(BATCH, 0.1, draws=30, seed=5)[0], atol=1e-13)


def test_torch_gives_the_same() -> None:
    found = antithetic_layer(torch.tensor(BATCH), 0.1, draws=5, seed=2)
    for ours, theirs in zip(antithetic_layer(BATCH, 0.1, draws=5, seed=2), found, strict=True):
        assert isinstance(theirs, torch.Tensor)
        assert np.allclose(ours, theirs.numpy())


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"gamma": -0.1}, ValueError, "gamma"),
        ({"gamma": math.nan}, ValueError, "gamma"),
        ({"gamma": math.inf}, ValueError, "finite"),
        ({"gamma": "1"}, TypeError, "gamma"),
        ({"draws": 0}, ValueError, "draws"),
        ({"draws": 2.5}, TypeError, "draws"),
        ({"law": "cauchy"}, ValueError, "law"),
        ({"batch": np.array([[1.0, 1.0], [0.0, 0.0]])}, ValueError, r"zero rows \[1\]"),
        ({"batch": [[2.0]]}, ValueError, r"batch has shape \(1, 1\): .*; give 2 rows or more"),
        ({"batch": np.array([[np.nan]])}, ValueError, "batch"),
        ({"seed": -1}, ValueError, "seed"),
    ],
)
def test_the_door(change: dict[str, Any], error: type[Exception], words: str) -> None:
    given: dict[str, Any] = {"batch": BATCH, "gamma": 0.1, "draws": 3} | change
    with pytest.raises(error, match=words):
        antithetic_layer(given.pop("batch"), given.pop("gamma"), **given)
