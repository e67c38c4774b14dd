"""Q of tall matrices: orthonormal whatever their rank, and of the R that the folding gives."""

import numpy as np
import pytest

from simulators.backend import NumpyBackend, TorchBackend
from simulators.engines import factor
from simulators.engines.factor import Folding
from simulators.engines.orthonormal import Orthonormalising
from tests.simulators.hostile import HOSTILE

BACKENDS = [NumpyBackend("float64"), TorchBackend("float64", "cpu"), NumpyBackend("float32")]


def both(backend, rows, block):
    """Qᵀ and Rᵀ of the tall matrix, and Rᵀ as the folding without Q has it."""
    basis, plain = backend.array(rows), Folding(backend)
    folding = Orthonormalising(backend)
    for start in range(0, rows.shape[-1], block):
        plain.add(backend.xp.asarray(basis[..., start : start + block], copy=True))
        folding.add(basis[..., start : start + block])
    alone = backend.numpy(plain.result()).copy()
    return backend.numpy(basis), backend.numpy(folding.finish()), alone


def fits(rows, backend, block):
    n = rows.shape[-2]
    basis, triangle, alone = both(backend, rows, block)
    # Householder's bound, column by column: some m n roundings, where their square root is seen.
    limit = 64 * n * np.finfo(backend.dtype).eps
    assert (triangle == alone).all()
    assert np.abs(basis @ basis.swapaxes(-1, -2) - np.eye(n)).max() <= limit
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    assert np.linalg.norm((triangle @ basis - rows) / np.where(lengths > 0, lengths, 1.0)) <= limit


@pytest.mark.parametrize("backend", BACKENDS, ids=repr)
@pytest.mark.parametrize(
    ("m", "block"),
    [(3, 3), (4, 4), (11, 11), (64, 64), (67, 24), (67, 25), (500, 48), (501, 500), (3000, 96)],
)
def test_q_and_r_give_back_what_was_folded(backend, m, block, monkeypatch):
    """However many leaves and joints there are, the last leaf with fewer rows than columns."""
    monkeypatch.setattr(factor, "leaf_rows", lambda n: 6)
    rows = np.random.default_rng(m).standard_normal((2, 3, m)).astype(backend.dtype)
    fits(rows, backend, block)


@pytest.mark.parametrize("m", [40, 600])
@pytest.mark.parametrize("name", HOSTILE)
def test_q_is_orthonormal_whatever_the_rank(name, m, monkeypatch):
    monkeypatch.setattr(factor, "leaf_rows", lambda n: 32)
    rows = HOSTILE[name](m, 4).T[None]
    fits(rows, NumpyBackend("float64"), factor.block_rows(4))


def test_zeros_have_a_basis():
    fits(np.zeros((1, 4, 50)), NumpyBackend("float64"), 20)
