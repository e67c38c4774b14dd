"""Bases that begin with Q of a tall H = QR: orthonormal whatever its rank, and of the R that the
folding gives.
"""

import numpy as np
import pytest

from simulators.backend import NumpyBackend, TorchBackend
from simulators.engines import factor
from simulators.engines.factor import Folding
from simulators.engines.orthonormal import Completing
from tests.simulators.hostile import HOSTILE

BACKENDS = [NumpyBackend("float64"), TorchBackend("float64", "cpu"), NumpyBackend("float32")]


def fits(rows, backend, block):
    """H = QR by the folding's R, and an orthonormal basis of all of ℝ^m of which Q are the first
    vectors.
    """
    given, plain, folding = backend.array(rows), Folding(backend), Completing(backend)
    for start in range(0, rows.shape[-1], block):
        plain.add(given[..., start : start + block])
        folding.add(given[..., start : start + block])
    triangle = folding.finish()
    assert (backend.numpy(triangle) == backend.numpy(plain.result())).all()

    group, n, m = rows.shape

    def from_basis(along, others):
        found = folding.from_basis(along, backend.array(others))
        return backend.numpy(found).astype(np.float64)

    # Householder's bound, column by column: some m n roundings, where their square root is seen.
    limit = 64 * n * np.finfo(backend.dtype).eps
    again = from_basis(triangle, np.zeros(rows.shape))
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    assert np.linalg.norm((again - rows) / np.where(lengths > 0, lengths, 1.0)) <= limit
    identity = np.broadcast_to(np.eye(m), (group, m, m))
    basis = from_basis(backend.array(identity[..., :n]), identity)
    assert np.abs(basis @ basis.swapaxes(-1, -2) - np.eye(m)).max() <= limit


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
def test_the_basis_is_orthonormal_whatever_the_rank(name, m, monkeypatch):
    monkeypatch.setattr(factor, "leaf_rows", lambda n: 32)
    rows = HOSTILE[name](m, 4).T[None]
    fits(rows, NumpyBackend("float64"), factor.block_rows(4))


def test_zeros_have_a_basis():
    fits(np.zeros((1, 4, 50)), NumpyBackend("float64"), 20)
