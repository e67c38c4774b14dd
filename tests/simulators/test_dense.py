"""The dense engine against its definition, weight by weight."""

import math

import array_api_compat.numpy as xp
import numpy as np
import pytest
from numpy.random import SeedSequence

from simulators.backend import NumpyBackend
from simulators.chains import Chain, residual_chain, vanilla_chain
from simulators.engines import dense
from simulators.engines.rounding import Copies
from simulators.layers import LAWS, Activation, Bias, Linear, Normalize, Recenter, Rescale, Residual
from simulators.observables import effective_rank
from simulators.simulate import simulate
from simulators.streams import HostStreams
from simulators.weights import law_of
from simulators.workers import cores

BATCH = np.random.default_rng(0).standard_normal((6, 3))


def weights(law, *shapes, seed=0):
    """The matrices that replica 0 of the dense engine draws, of the given shapes, variance 1."""
    streams, drawn = HostStreams(SeedSequence(seed), "dense", range(1)), []
    for rows, columns in shapes:
        entries, known = np.empty(rows * columns), law_of(law)
        streams.fill(0, entries, known.source)
        matrix = known.of_source(entries, xp).reshape(columns, rows)
        whole = known.of_matrix
        drawn.append((matrix if whole is None else whole(matrix[None], xp)[0]).T)
    return drawn


def last(chain, depth=1):
    # The batch has two more rows than the chain; an observable keeps one shape.
    observables = {"H": lambda H: H[..., :4, :]}
    return simulate(chain, BATCH, depth=depth, engine="dense", observables=observables)["H"][0, -1]


@pytest.mark.parametrize("law", [law.example for law in LAWS.values()])
def test_a_linear_layer_multiplies_by_weights_of_variance_one_over_width(law):
    (W,) = weights(law, (4, 6))
    chain = Chain((Linear(4, law), Activation("tanh")))
    # Dot products of six terms in another order: six roundings of numbers below 6 × 4.
    assert abs(last(chain) - np.tanh(W @ BATCH / 2)).max() <= 6 * 24 * np.finfo(float).eps


def test_an_offset_is_common_to_the_samples_and_lets_gradients_through():
    b, W = weights("gaussian", (6, 1), (4, 6))
    expected = np.tanh(W @ (BATCH + 0.3 * b) / 2)
    chain = Chain((Bias(0.3), Linear(4), Activation("tanh")))
    assert abs(last(chain) - expected).max() <= 6 * 24 * np.finfo(float).eps
    G = np.arange(12.0).reshape(4, 3)
    back = W.T @ (G * (1 - expected**2)) / 2
    norms = simulate(
        chain, BATCH, depth=1, engine="dense", backward=G, observables=("gradient_norm",)
    )["gradient_norm"]
    np.testing.assert_allclose(norms[0], [np.linalg.norm(back), np.linalg.norm(G)], rtol=1e-12)


@pytest.mark.parametrize("gamma", [0.0, 0.7, math.inf])
def test_a_residual_layer_adds_its_input(gamma):
    W, V = weights("gaussian", (4, 6), (4, 4))
    H = np.tanh(W @ BATCH / 2)
    expected = V @ H if gamma == math.inf else H + gamma * V @ H
    chain = Chain((Linear(4), Activation("tanh"), Residual(gamma)))
    assert abs(last(chain) - expected).max() <= 100 * np.finfo(float).eps * (1 + abs(V).max())


@pytest.mark.parametrize("gamma", [0.0, 1e-300, dense.LEAST_DIVISOR, 1e-3, 0.7, 2.0**52])
def test_a_rescaled_residual_layer_keeps_its_proportions(gamma):
    H, start = BATCH, BATCH / np.linalg.norm(BATCH)
    for W in weights("gaussian", (6, 6), (6, 6)):
        H = H + gamma * W @ H
        H = H * 3**0.5 / np.linalg.norm(H, axis=1, keepdims=True)
    seen = simulate(
        residual_chain(6, gamma), start, depth=2, engine="dense", observables={"H": lambda H: H}
    )["H"]
    assert abs(seen[0, -1] - H).max() <= 1e4 * np.finfo(float).eps


@pytest.mark.parametrize(
    "size",
    [
        dense.BLOCK_ENTRIES,
        dense.LAYER_ENTRIES,
        dense.GROUP_REPLICAS,
        dense.CALL_ENTRIES,
        dense.BUFFER_BYTES,
    ],
)
def test_work_is_cut_at_whole_powers_of_two(size):
    assert isinstance(size, int)
    assert size.bit_count() == 1


def test_one_over_the_least_divisor_is_exact():
    assert math.frexp(dense.LEAST_DIVISOR)[0] == 0.5
    square = dense.LEAST_DIVISOR**-2
    assert square < np.finfo(np.float32).max


@pytest.mark.parametrize("n", [99, 100, 101])
def test_a_residual_layer_passes_over_the_fewer_entries(n):
    """Over the width² of W once, to make I + γW of it, or over the n · width of WH twice."""
    width, entries = 200, np.ones((1, 200**2))

    class Given(NumpyBackend):
        def draws(self, *_, **__):
            yield entries

    chain, batch, backend = Chain((Residual(0.5),)), np.ones((width, n)), Given("float64")
    [(_, blocks)] = dense.run(
        chain,
        backend.array(batch.T[None]),
        Copies.among(batch, chain),
        depth=1,
        replicas=1,
        root=np.random.SeedSequence(0),
        backend=backend,
    )
    assert [found.rows.shape for found in blocks] == [(1, n, width)]
    assert (entries[0, 1] == 0.5) == (width**2 <= 2 * n * width)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("last", [Rescale("variance"), Normalize()])
def test_many_residual_layers_before_one_rescaling_stay_in_range(dtype, last):
    chain = Chain((*(Residual(1e-12),) * 40, last))
    start = np.random.default_rng(0).standard_normal((6, 6))
    ranks = simulate(
        chain, start, depth=2, engine="dense", dtype=dtype, observables=("effective_rank",)
    )
    rescaled = start / (
        np.linalg.norm(start, axis=1, keepdims=True) if isinstance(last, Rescale) else 1
    )
    assert abs(ranks["effective_rank"][0, -1] - effective_rank(rescaled)) < 1e-3


def test_the_whole_alphabet_over_two_blocks():
    layers = (Recenter(), Rescale("variance"), Activation("sigmoid"), Residual(0.5), Normalize())
    chain = Chain((Linear(4), *layers))
    H = BATCH
    first, second, third, fourth = weights("gaussian", (4, 6), (4, 4), (4, 4), (4, 4))
    for W, V in ((first, second), (third, fourth)):
        A = W @ H / 2
        A = A - A.mean(axis=1, keepdims=True)
        A = A * 3**0.5 / np.linalg.norm(A, axis=1, keepdims=True)
        A = 1 / (1 + np.exp(-A))
        A = A + 0.5 * V @ A
        H = A * (12 / np.sum(A * A)) ** 0.5
    # Some thirty roundings per entry and block, magnified by at most the smallest recentred row's
    # norm.
    assert abs(last(chain, depth=2) - H).max() <= 1e4 * np.finfo(float).eps


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "chain",
    [
        Chain((Linear(8), Activation("relu"), Rescale("variance"))),
        Chain((Linear(3), Activation("relu"), Normalize())),
        vanilla_chain(2, "relu"),
    ],
)
def test_a_replica_is_the_same_to_the_bit_beside_any_others(chain, dtype):
    """In some replicas a whole row vanishes, or all of them."""
    width = chain.layers[0].width
    batch = np.random.default_rng(0).standard_normal((8, min(4, width)))
    measured = {"H": lambda H: H[..., :width, :], "r": effective_rank}

    def run(replicas):
        return simulate(
            chain,
            batch,
            depth=5,
            replicas=replicas,
            engine="dense",
            observables=measured,
            dtype=dtype,
        )

    alone, beside = run(1), run(300)
    assert (beside["H"][:, -1] == 0).all(axis=-1).any()
    for name in measured:
        np.testing.assert_array_equal(alone[name][0], beside[name][0])


def test_a_replica_is_the_same_in_a_group_of_its_own_and_in_one_of_many():
    """Also where there are more of them than one group for each core holds."""
    chain, batch = vanilla_chain(2, "tanh"), np.eye(2)[:, :1]
    many = 1100 * cores()

    def run(replicas):
        measured = {"H": lambda H: H}
        return simulate(
            chain, batch, depth=1, replicas=replicas, engine="dense", observables=measured
        )["H"]

    np.testing.assert_array_equal(run(many)[:3], run(3))


def test_row_blocks_make_one_matrix(monkeypatch):
    monkeypatch.setattr(dense, "BLOCK_ENTRIES", 13)  # two rows of W at a time
    parts = weights("gaussian", (2, 6), (2, 6))
    W = np.concatenate(parts)
    chain = Chain((Linear(4), Activation("tanh")))
    assert abs(last(chain) - np.tanh(W @ BATCH / 2)).max() <= 6 * 24 * np.finfo(float).eps


def test_a_zero_residual_changes_nothing():
    gap = simulate(residual_chain(6, 0.0), BATCH, depth=1, observables={"H": lambda H: H})["H"]
    scaled = BATCH * 3**0.5 / np.linalg.norm(BATCH, axis=1, keepdims=True)
    assert abs(gap[0, 1] - scaled).max() <= 8 * np.finfo(float).eps * abs(scaled).max()


def test_a_wide_first_layer_may_take_many_coordinates():
    batch = np.random.default_rng(1).standard_normal((3000, 2))
    gap = simulate(vanilla_chain(900), batch, depth=2, engine="dense")["orthogonality_gap"]
    assert np.isfinite(gap).all()
