"""Engines, libraries and precisions agree in law; and the test that says so catches what does not.

Two samples of an observable, one per replica, are compared by the two-sample Kolmogorov–Smirnov
distance D. For n = m ≥ 458, P(D ≥ ε) ≤ 2 exp(−nε²) under equal laws (Wei and Dudley 2012,
Theorem 1), so a comparison at D < `CRITICAL` has a false alarm with probability at most
`LEVEL`; all of this file's, below 5e-4. Seeds are fixed, so a run that passes always passes.
Power: laws at a distance of 0.2 are told apart.
"""

import math

import numpy as np
import pytest
from scipy.stats import ks_2samp

from simulators.backend import NumpyBackend
from simulators.chains import (
    Chain,
    batchnorm_chain,
    recenter_relu_chain,
    rescale_activation_chain,
    rescale_chain,
    residual_chain,
    vanilla_chain,
)
from simulators.engines import factor, rows
from simulators.layers import (
    Activation,
    Bias,
    GroupNorm,
    LayerNorm,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    RMSNorm,
)
from simulators.simulate import simulate

REPLICAS = 1500
LEVEL = 1e-6
CRITICAL = math.sqrt(math.log(2 / LEVEL) / REPLICAS)
DEPTHS = (1, 3, 10)
OBSERVABLES = ("orthogonality_gap", "effective_rank", "cosine")
BATCH = np.random.default_rng(0).standard_normal((12, 3)) + 0.7
WIDTH = 10


def distances(one, other):
    """D for every observable at every depth of `DEPTHS`."""
    return {
        (name, depth): ks_2samp(
            one[name][:, depth], other[name][:, depth], method="asymp"
        ).statistic
        for name in one.values
        for depth in DEPTHS
    }


def sample(chain, *, seed, replicas=REPLICAS, observables=OBSERVABLES, **options):
    return simulate(
        chain,
        BATCH,
        depth=max(DEPTHS),
        replicas=replicas,
        seed=seed,
        observables=observables,
        **options,
    )


CHAINS = [
    rescale_chain(WIDTH),
    recenter_relu_chain(WIDTH),
    batchnorm_chain(WIDTH, "relu"),
    batchnorm_chain(WIDTH, "tanh"),
    vanilla_chain(WIDTH),
    vanilla_chain(WIDTH, "sin"),
    rescale_activation_chain(WIDTH, "relu"),
    rescale_activation_chain(WIDTH, "sigmoid"),
    Chain((Activation("relu"), Linear(WIDTH), Recenter(), Normalize())),
    Chain((Linear(14), Activation("tanh"), Linear(WIDTH), Rescale("variance"))),
]


@pytest.mark.parametrize("chain", CHAINS, ids=repr)
def test_factor_and_dense_agree_in_law(chain):
    found = distances(sample(chain, seed=1, engine="factor"), sample(chain, seed=2, engine="dense"))
    assert max(found.values()) < CRITICAL, found


def first_entry(H):
    return H[..., 0, 0]


def aligned_with_the_first_layer(H):
    """No function of the Gram matrix, and of two rows."""
    return H[..., 0, 0] * H[..., 1, 1]


ADDED = [
    residual_chain(12, 0.5),
    residual_chain(12, 0.1),
    Chain((Residual(0.5), Activation("tanh"))),
    Chain((Linear(WIDTH), Activation("tanh"), Normalize())),
    Chain((Linear(14), Activation("relu"), Recenter(), Linear(12), Residual(1.0), Rescale())),
    Chain((Linear(WIDTH), LayerNorm(), Activation("gelu"))),
    Chain((Linear(WIDTH), Bias(0.5), Activation("tanh"))),
    Chain((Bias(0.3), Linear(12), Bias(1.0), Recenter(), Bias(0.5), Residual(0.5))),
    Chain((Residual(0.5), RMSNorm())),
    Chain((Linear(12), GroupNorm(3), Activation("leaky_relu(0.2)"), Residual(0.5))),
]


@pytest.mark.parametrize("chain", [*CHAINS, *ADDED], ids=repr)
def test_rows_and_dense_agree_in_law(chain):
    """Also in what is no function of the Gram matrix."""
    observables = (*OBSERVABLES, first_entry, aligned_with_the_first_layer)
    found = distances(
        sample(chain, seed=1, engine="rows", observables=observables),
        sample(chain, seed=2, engine="dense", observables=observables),
    )
    assert max(found.values()) < CRITICAL, found


NEW_ON_THE_WAY_BACK = [
    Chain((Linear(WIDTH, std=1.3), Bias(0.5), Activation("gelu"))),
    Chain((Bias(0.3), Linear(12), LayerNorm(), Bias(1.0), Residual(0.5))),
    Chain((Linear(12), GroupNorm(3), Activation("leaky_relu(0.2)"), Residual(0.5))),
    Chain((Linear(12), RMSNorm(), Activation(np.tanh, derivative=lambda x: 1 - np.tanh(x) ** 2))),
]


@pytest.mark.parametrize("chain", NEW_ON_THE_WAY_BACK, ids=repr)
def test_gradients_through_norms_offsets_and_own_functions_agree_in_law(chain):
    one, other = (
        sample(chain, seed=seed, engine=engine, observables=("gradient_norm",), backward="gaussian")
        for seed, engine in ((1, "rows"), (2, "dense"))
    )
    found = distances(one, other)
    assert max(found.values()) < CRITICAL, found


def test_sentinel_an_offset_of_another_size_is_caught():
    one, other = (Chain((Linear(WIDTH), Bias(std), Activation("tanh"))) for std in (0.5, 0.8))
    found = distances(sample(one, seed=1, engine="rows"), sample(other, seed=2, engine="dense"))
    assert max(found.values()) > CRITICAL, found


def test_centring_takes_an_offset_out_that_comes_before_it_and_none_that_comes_after():
    def law(*layers, seed):
        return sample(Chain((Linear(WIDTH), *layers, Activation("tanh"))), seed=seed)

    without = law(Recenter(), seed=1)
    assert max(distances(law(Bias(2.0), Recenter(), seed=2), without).values()) < CRITICAL
    assert max(distances(law(Recenter(), Bias(2.0), seed=2), without).values()) > CRITICAL


@pytest.mark.parametrize("chain", [residual_chain(12, 0.5), vanilla_chain(40, "tanh")], ids=repr)
def test_rows_in_many_small_blocks_agree_with_one_in_law(chain, monkeypatch):
    whole = sample(chain, seed=1, engine="rows")
    monkeypatch.setattr(rows, "block_rows", lambda n: 4)
    found = distances(whole, sample(chain, seed=2, engine="rows"))
    assert max(found.values()) < CRITICAL, found


def test_sentinel_an_image_that_does_not_see_the_input_is_caught(monkeypatch):
    """Images of unit covariance, whatever the Gram matrix."""
    chain = residual_chain(12, 0.5)
    right = sample(chain, seed=2, engine="dense")
    monkeypatch.setattr(
        NumpyBackend, "triangular", lambda self, rows: rows[..., :3] * 0 + np.eye(3)
    )
    found = distances(sample(chain, seed=1, engine="rows"), right)
    assert max(found.values()) > CRITICAL, found


@pytest.mark.parametrize("chain", [rescale_chain(50), recenter_relu_chain(50)], ids=repr)
def test_many_small_blocks_agree_with_one_in_law(chain, monkeypatch):
    whole = sample(chain, seed=1)
    monkeypatch.setattr(factor, "leaf_rows", lambda n: 2 * n)
    monkeypatch.setattr(factor, "block_rows", lambda n: 4 * n)
    found = distances(whole, sample(chain, seed=2))
    assert max(found.values()) < CRITICAL, found


@pytest.mark.parametrize("chain", [*CHAINS[:3], residual_chain(12, 0.5)], ids=repr)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"dtype": "float32"}, {"dtype": "float64"}),
        ({"device": "cpu"}, {}),
        ({"device": "cpu", "dtype": "float32"}, {}),
    ],
)
def test_precisions_and_libraries_agree_in_law(chain, one, other):
    found = distances(sample(chain, seed=3, **one), sample(chain, seed=4, **other))
    assert max(found.values()) < CRITICAL, found


def test_float32_forgets_a_nearly_collinear_start_as_float64_does():
    batch = (1 + 1e-6 * BATCH[:, :3]).astype(np.float32)
    gaps = [
        simulate(rescale_chain(WIDTH), batch, depth=150, replicas=REPLICAS, seed=seed, dtype=dtype)
        for seed, dtype in ((5, "float32"), (6, "float64"))
    ]
    ends = [gap["orthogonality_gap"][:, -1] for gap in gaps]
    assert ks_2samp(*ends, method="asymp").statistic < CRITICAL


def wrong_activation():
    return sample(batchnorm_chain(WIDTH, "tanh"), seed=2, engine="dense"), batchnorm_chain(
        WIDTH, "relu"
    )


def uncentred_weights():
    chain = Chain((Linear(WIDTH, "uniform_positive"), Rescale()))
    return sample(chain, seed=2), rescale_chain(WIDTH)


def no_recentring():
    chain = Chain((Linear(WIDTH), Activation("relu"), Normalize()))
    return sample(chain, seed=2, engine="dense"), recenter_relu_chain(WIDTH)


def another_width():
    return sample(rescale_chain(WIDTH + 5), seed=2, engine="dense"), rescale_chain(WIDTH)


@pytest.mark.parametrize(
    "sentinel", [wrong_activation, uncentred_weights, no_recentring, another_width]
)
def test_sentinel_another_law_is_caught(sentinel):
    other, chain = sentinel()
    found = distances(sample(chain, seed=1, engine="factor"), other)
    assert max(found.values()) > CRITICAL, found


def test_sentinel_weights_scaled_per_column_are_caught(monkeypatch):
    right = sample(rescale_chain(WIDTH), seed=2, engine="dense")
    triangular = NumpyBackend.triangular

    def wrong(self, rows):
        factor = triangular(self, rows)
        factor[..., 0] *= 2  # the first column of G counts double
        return factor

    monkeypatch.setattr(NumpyBackend, "triangular", wrong)
    found = distances(sample(rescale_chain(WIDTH), seed=1, engine="factor"), right)
    assert max(found.values()) > CRITICAL, found


def test_sentinel_a_cholesky_factor_breaks_on_nearly_collinear_samples():
    """Why the factor is carried by QR: what this replaces does not even finish in float32."""
    batch = (1 + 1e-6 * BATCH).astype(np.float32)
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(batch.T @ batch)
    gap = simulate(rescale_chain(WIDTH), batch, depth=1, dtype="float32")["orthogonality_gap"]
    assert np.isfinite(gap).all()


def test_the_gap_of_replicas_is_not_shared_between_them():
    """Pairs of replicas are uncorrelated: |r| < 6/√N, false alarm below 1e-8."""
    gap = sample(rescale_chain(WIDTH), seed=7, replicas=4000)["orthogonality_gap"][:, 3]
    assert abs(np.corrcoef(gap[0::2], gap[1::2])[0, 1]) < 6 / 2000**0.5
