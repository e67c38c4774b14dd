"""The factor engine: folding by QR, and its step against the same step on all rows."""

import threading

import numpy as np
import pytest
from numpy.random import SeedSequence

from simulators.backend import NumpyBackend, TorchBackend
from simulators.chains import (
    Chain,
    batchnorm_chain,
    recenter_relu_chain,
    rescale_activation_chain,
    rescale_chain,
    vanilla_chain,
)
from simulators.engines import factor
from simulators.layers import Activation, Linear, Normalize, Recenter, Rescale
from simulators.observables import orthogonality_gap
from simulators.simulate import simulate
from simulators.streams import HostStreams, row_blocks
from simulators.workers import use_cores

FOUR_CORES = "simulators.workers._cores_there", lambda: 4
BACKENDS = [NumpyBackend("float64"), NumpyBackend("float32"), TorchBackend("float64", "cpu")]


def rounding(rows, dtype="float64"):
    """Backward error of Householder QR, ‖ΔA‖_F ≤ c m n u ‖A‖_F (Higham 2002, Theorem 19.4), twice
    in RᵀR.
    """
    n, m = rows.shape[-2:]
    return 2 * m * n * np.finfo(dtype).eps * np.sum(rows.astype(float) ** 2, axis=(-2, -1)).max()


@pytest.mark.parametrize("backend", BACKENDS, ids=repr)
@pytest.mark.parametrize("n", [1, 2, 3, 8, 40])
@pytest.mark.parametrize("extra", [0, 1, 7])
def test_folding_keeps_the_gram_matrix_of_all_rows(backend, n, extra):
    leaf = factor.leaf_rows(n)
    sizes = [factor.block_rows(n), 3 * leaf + extra, n, leaf, max(1, n - 1)]
    rows = np.random.default_rng(n).standard_normal((2, n, sum(sizes)))
    folding = factor.Folding(backend)
    start = 0
    for size in sizes:
        folding.add(backend.array(rows[..., start : start + size]))
        start += size
    found = backend.numpy(folding.result()).astype(float)
    assert found.shape == (2, n, n)
    assert abs(found @ found.mT - rows @ rows.mT).max() <= rounding(rows, backend.dtype)


def test_folding_many_blocks_stays_small():
    folding = factor.Folding(NumpyBackend("float64"))
    rows = np.random.default_rng(0).standard_normal((1, 2, 200 * 300))
    for block in np.split(rows, 200, axis=-1):
        folding.add(block)
        assert sum(each.shape[-1] for each in folding._factors) <= factor.leaf_rows(2)
    found = folding.result()
    assert abs(found @ found.mT - rows @ rows.mT).max() <= rounding(rows)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 8, 16, 48])
def test_blocks_are_whole_leaves_too_small_for_blas_threads(n):
    # OpenBLAS: gemv starts threads at 9216 entries, gemm at 2¹⁸ multiplications.
    assert factor.block_rows(n) % factor.leaf_rows(n) == 0
    assert factor.leaf_rows(n) * n < 9216
    assert factor.block_rows(n) * n * n <= 2**18
    assert factor.leaf_rows(n) >= 2 * n


def product(H):
    """C = HᵀH, scale and all."""
    return H.swapaxes(-1, -2) @ H


product.gram_invariant = True


def normals(width, n, *, seed, layers=1):
    """G of the factor engine's replica 0, ``(width, n)``, for each layer."""
    streams, drawn = HostStreams(SeedSequence(seed), "factor", range(1)), []
    for _ in range(layers):
        blocks = []
        for rows in row_blocks(width, factor.block_rows(n)):
            entries = np.empty(rows * n)
            streams.fill(0, entries, "gaussian")
            blocks.append(entries.reshape(n, rows).T)
        drawn.append(np.concatenate(blocks))
    return drawn


# Beyond one leaf a folded factor may have other signs than R: GR then has the same law, not the
# same values.
@pytest.mark.parametrize(("width", "depth"), [(5, 2), (300, 2), (20_000, 1)])
def test_a_step_is_the_same_step_on_all_rows_of_GR(width, depth):
    """Everything that acts between two matrices of weights, at both outlets of the segment."""
    n = 4
    batch = np.random.default_rng(0).standard_normal((9, n))
    chain = Chain((Activation("relu"), Linear(width), Recenter(), Normalize(), Activation("relu")))
    seen = simulate(chain, batch, depth=depth, seed=5, observables=(product,), engine="factor")[
        "product"
    ]
    R, error = np.linalg.qr(np.maximum(batch, 0), mode="r"), 0.0
    for layer, G in enumerate(normals(width, n, seed=5, layers=depth), start=1):
        A = G @ R
        A -= A.mean(axis=1, keepdims=True)
        H = np.maximum(A * (width * n / np.sum(A * A)) ** 0.5, 0)
        # Three decompositions per layer, and a step that stretches what it is given by a small
        # factor.
        error = 4 * error + 4 * rounding(H.T)
        assert abs(seen[0, layer] - product(H)).max() <= error
        R = np.linalg.qr(np.maximum(H, 0), mode="r")


def test_layers_before_the_weights_know_how_many_rows_the_batch_has():
    d, n = 9, 4
    batch = np.random.default_rng(0).standard_normal((d, n))
    chain = Chain((Activation("sin"), Rescale(), Linear(5)))
    seen = simulate(chain, batch, depth=1, seed=5, observables=(product,), engine="factor")
    H = np.sin(batch)
    H /= d**0.5 * np.linalg.norm(H, axis=1, keepdims=True)
    (G,) = normals(5, n, seed=5)
    H = G @ np.linalg.qr(H, mode="r") / 5**0.5
    assert abs(seen["product"][0, 1] - product(H)).max() <= 2 * rounding(H.T)


def test_several_weights_in_one_block_are_several_segments():
    n = 3
    batch = np.random.default_rng(1).standard_normal((5, n))
    chain = Chain((Linear(40), Activation("tanh"), Linear(30), Rescale("variance")))
    seen = simulate(chain, batch, depth=1, seed=2, observables=(product,))["product"]
    streams = HostStreams(SeedSequence(2), "factor", range(1))
    entries = np.empty(n * 70)
    streams.fill(0, entries, "gaussian")
    first, second = entries[: n * 40].reshape(n, 40).T, entries[n * 40 :].reshape(n, 30).T
    H = np.tanh(first @ np.linalg.qr(batch, mode="r") / 40**0.5)
    H = second @ np.linalg.qr(H, mode="r")
    H *= n**0.5 / np.linalg.norm(H, axis=1, keepdims=True)
    assert abs(seen[0, 1] - product(H)).max() <= 4 * rounding(H.T)


def test_the_trace_is_what_the_chain_says():
    batch = np.random.default_rng(2).standard_normal((6, 3))
    for chain, trace in (
        (rescale_chain(5000), 1),
        (rescale_activation_chain(50, "tanh"), 1),
        (recenter_relu_chain(5000), 15000),
        (Chain((Linear(50), Rescale("variance"))), 150),
        (Chain((Linear(50), Normalize())), 150),
    ):
        C = simulate(chain, batch, depth=3, replicas=2, observables=(product,))["product"][:, 1:]
        n, d = 3, chain.layers[0].width if isinstance(chain.layers[0], Linear) else 50
        assert (
            abs(np.trace(C, axis1=-2, axis2=-1) / trace - 1).max()
            <= 2 * n * d * np.finfo(float).eps
        )


@pytest.mark.parametrize("chain", [rescale_chain(16), batchnorm_chain(16, "tanh")], ids=repr)
def test_equal_columns_stay_together(chain):
    batch = np.random.default_rng(3).standard_normal((6, 4))[:, [0, 1, 1, 2]]
    cosine = simulate(chain, batch, depth=1, replicas=20, observables=(second_and_third,))
    # One QR of the batch and one of the layer, of 6 and 16 rows.
    assert (cosine["second_and_third"] >= 1 - 2 * 22 * 4 * np.finfo(float).eps).all()


def second_and_third(H):
    return np.sum(H[..., 1] * H[..., 2], axis=-1) / np.sqrt(
        np.sum(H[..., 1] ** 2, axis=-1) * np.sum(H[..., 2] ** 2, axis=-1)
    )


second_and_third.gram_invariant = True


@pytest.fixture
def four_cores(monkeypatch):
    """As on a machine with four cores, and however small layers are, worth sharing."""
    monkeypatch.setattr(*FOUR_CORES)
    monkeypatch.setattr(factor, "SHARE_ENTRIES", 1)
    monkeypatch.setattr(factor, "FEW_SAMPLES", 0)
    yield
    use_cores(None)


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize("device", [None, "cpu"], ids=["numpy", "torch"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("chain", "n"),
    [
        (rescale_chain(16), 4),
        (rescale_chain(16), 1),
        (rescale_chain(70), 50),
        (recenter_relu_chain(200), 9),
        (vanilla_chain(13, "relu"), 3),
        (batchnorm_chain(12), 5),
        (Chain((Linear(31), Rescale(), Linear(9), Recenter(), Rescale())), 2),
    ],
    ids=repr,
)
def test_replicas_are_the_same_by_any_number_of_cores(chain, n, dtype, device, monkeypatch):
    batch = np.random.default_rng(n).standard_normal((n + 3, n))

    def run(cores):
        use_cores(cores)
        found = simulate(
            chain,
            batch,
            depth=5,
            replicas=7,
            seed=6,
            dtype=dtype,
            device=device,
            engine="factor",
            observables=["orthogonality_gap", "log_norm"],
        )
        return [*found.values.values(), found.rounding]

    whole = run(1)
    for rows in (factor.block_rows(n), 2 * n + 1):
        with monkeypatch.context() as patch:
            patch.setattr(factor, "block_rows", lambda n, rows=rows: rows)
            alone = run(1)
            for cores in (2, 3):
                for mine, theirs in zip(run(cores), alone, strict=True):
                    assert np.array_equal(mine, theirs, equal_nan=True)
        if rows == factor.block_rows(n):
            assert all(map(np.array_equal, whole, alone))


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize(("most", "threads"), [(1, 0), (2, 2), (3, 3), (None, 4)])
def test_groups_run_in_as_many_threads_as_there_are_cores(most, threads):
    use_cores(most)
    seen, all_there = set(), threading.Barrier(max(1, threads))

    def thread(H):
        name = threading.current_thread().name
        if name.startswith("replicas") and name not in seen:
            seen.add(name)
            all_there.wait(30)
        return orthogonality_gap(H)

    thread.gram_invariant = True
    simulate(
        rescale_chain(16), np.eye(16, 4), depth=5, replicas=8, observables=[thread], engine="factor"
    )
    assert len(seen) == threads


@pytest.mark.usefixtures("four_cores")
def test_a_failure_in_one_group_ends_the_run():
    def failing(H):
        if threading.current_thread() is not threading.main_thread():
            raise ArithmeticError("in a group")
        return orthogonality_gap(H)

    failing.gram_invariant = True
    with pytest.raises(ArithmeticError, match="in a group"):
        simulate(
            rescale_chain(16),
            np.eye(16, 4),
            depth=5,
            replicas=8,
            observables=[failing],
            engine="factor",
        )


@pytest.mark.parametrize(
    ("n", "width", "replicas", "workers", "count"),
    [
        (32, 4096, 20, 1, 1),
        (32, 4096, 20, 2, 2),
        (32, 4096, 3, 8, 1),  # a group of a single replica is too small
        (32, 4096, 60, 16, 7),
        (32, 64, 20, 2, 1),  # a layer is too small
        (4, 8192, 20, 2, 1),  # one thread draws, and one does the rest
        (4, 8192, 20, 4, 4),
    ],
)
def test_groups_run_side_by_side_where_a_layer_is_work_enough(n, width, replicas, workers, count):
    chain = rescale_chain(width)
    assert factor.side_by_side(chain, (1, n, width), replicas, workers) == count
