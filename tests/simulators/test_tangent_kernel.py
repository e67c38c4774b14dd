"""Tangent kernels: dense against Torch's autograd weight by weight, rows against dense by law, and
both against what is known at infinite width.
"""

import math

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from simulators import simulate
from simulators.chains import (
    Chain,
    batchnorm_chain,
    recenter_relu_chain,
    rescale_chain,
    residual_batchnorm_chain,
    residual_chain,
    vanilla_chain,
)
from simulators.engines import round_trip, rows, tangent_kernel
from simulators.layers import (
    Activation,
    Bias,
    GroupNorm,
    LayerNorm,
    Linear,
    Residual,
    RMSNorm,
    WeightLayer,
)
from simulators.observables import OBSERVABLES, Observable, observable
from tests.simulators.hostile import HOSTILE
from tests.simulators.test_backward import (
    BATCH,
    DEPTH,
    GRADIENT,
    HELD_IN_FLOAT32,
    HOSTILE_CHAINS,
    NAMED,
    OTHERS,
    D,
    N,
    by_torch,
    in_both_precisions,
    weights,
)
from tests.simulators.test_laws import CRITICAL, REPLICAS

ALONE = [
    Chain((Linear(D), LayerNorm(), Activation("gelu"))),
    Chain((Residual(0.5), RMSNorm())),
    Chain((Linear(D, std=1.5), GroupNorm(2), Activation("tanh"), Residual(0.3))),
    Chain((Linear(6), Activation("tanh"), Linear(D, std=0.7))),
]


def normalised_by_torch(layer, H, W):
    """The layer as its definition has it."""
    functional = torch.nn.functional
    match layer:
        case Linear():
            return layer.std * by_torch(layer, H, W)
        case LayerNorm():
            return functional.layer_norm(H.T, (len(H),), eps=0.0).T
        case RMSNorm():
            return H * len(H) ** 0.5 / H.norm(dim=0)
        case GroupNorm(groups):
            return functional.group_norm(H.T, groups, eps=0.0).T
        case Activation(name="gelu"):
            return functional.gelu(H)
    return by_torch(layer, H, W)


def by_autograd(chain, depth, batch=BATCH, gradient=GRADIENT):
    """K of the weights after each layer, for the outputs ⟨g_i, h_i⟩, one Jacobian a matrix."""
    drawn = [each.requires_grad_() for each in weights(chain, depth)]
    remaining, H, places = iter(drawn), torch.from_numpy(batch.copy()), []
    for place in range(depth):
        for layer in chain.layers:
            W = None
            if isinstance(layer, WeightLayer):
                W = next(remaining)
                scale = layer.scale if isinstance(layer, Linear) else 1.0
                places.append((place, W, scale))  # W is drawn with entries of variance 1
            H = normalised_by_torch(layer, H, W)
    outputs = (torch.from_numpy(gradient) * H).sum(0)
    kernels = np.zeros((depth + 1, len(outputs), len(outputs)))
    for place, W, scale in places:
        jacobian = torch.stack([torch.autograd.grad(f, W, retain_graph=True)[0] for f in outputs])
        jacobian = jacobian.flatten(1) / scale
        kernels[: place + 1] += (jacobian @ jacobian.T).numpy()
    return kernels


@pytest.mark.parametrize("law", ["gaussian", "rademacher"])
@pytest.mark.parametrize("chain", [*NAMED, *OTHERS, *ALONE], ids=repr)
def test_dense_kernels_are_those_of_autograd_for_the_same_weights(chain, law):
    chain = chain.with_law(law)
    found = simulate(
        chain, BATCH, depth=DEPTH, engine="dense", backward=GRADIENT, observables=["tangent_kernel"]
    )["tangent_kernel"][0]
    for layer, expected in enumerate(by_autograd(chain, DEPTH)):
        # Some hundred roundings, as many as a chain of four blocks of sums of eight makes.
        assert np.abs(found[layer] - expected).max() <= 1e-12 * np.linalg.norm(expected)


@pytest.mark.parametrize("gamma", [0.5, 3.0])
@pytest.mark.parametrize("n", [4, D])
def test_so_they_are_where_the_engine_carries_multiples_of_what_a_layer_gives(gamma, n):
    """H/γ + WH in place of H + γWH, ahead of rescaling."""
    random = np.random.default_rng(n)
    batch, gradient = random.standard_normal((2, D, n))
    chain = residual_chain(D, gamma)
    found = simulate(
        chain, batch, depth=DEPTH, engine="dense", backward=gradient, observables=["tangent_kernel"]
    )["tangent_kernel"][0]
    expected = by_autograd(chain, DEPTH, batch, gradient)
    assert np.abs(found - expected).max() <= 1e-12 * np.linalg.norm(expected[0])


@pytest.mark.parametrize("blocks", [1, 2**7])
def test_rows_gone_through_in_pieces_give_the_same_kernel(blocks, monkeypatch):
    options = {"depth": 3, "backward": GRADIENT, "observables": ["tangent_kernel"]}
    whole = simulate(batchnorm_chain(D), BATCH, **options)["tangent_kernel"]
    monkeypatch.setattr(tangent_kernel, "_ENTRIES", blocks)
    pieces = simulate(batchnorm_chain(D), BATCH, **options)["tangent_kernel"]
    np.testing.assert_allclose(pieces, whole, rtol=0, atol=1e-13 * np.abs(whole).max())


class Interacting(Activation, listed=False):
    """An activation that does not say that it maps each sample by itself."""

    each_sample = False


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_one_gradient_for_all_samples_does_where_each_goes_by_itself(name):
    options = {"depth": DEPTH, "engine": "dense", "backward": GRADIENT}
    alone, apart = (
        simulate(Chain((Linear(D), layer)), BATCH, observables=["tangent_kernel"], **options)
        for layer in (Activation(name), Interacting(name))
    )
    difference = np.abs(alone["tangent_kernel"] - apart["tangent_kernel"]).max()
    assert difference <= 1e-13 * np.abs(alone["tangent_kernel"]).max()


def rows_of_h(H, *, width):
    return H[..., :5, :]


H_TOO = Observable("H", rows_of_h, gram=False)


def measures(trajectory):
    """Numbers of a trajectory by name, (replicas, layers) each, that see sizes and angles of K, and
    how K and H go together; the last layer, where K is 0, left out.
    """
    kernel = trajectory["tangent_kernel"][:, :-1]
    trace = np.trace(kernel, axis1=-2, axis2=-1)
    # what is far below the trace is none of its law, but rounding
    shares = np.round(kernel / np.where(trace > 0, trace, 1.0)[..., None, None], 9)
    found = {
        "log trace": np.log(np.where(trace > 0, trace, 1e-300)),
        "a sample": shares[..., -1, -1],
        "a pair": shares[..., 0, 1],
        "another pair": shares[..., -1, -2],
        "least eigenvalue": np.round(np.linalg.eigvalsh(shares)[..., 0], 9),
    }
    if "log_gradient_norm" in trajectory.values:
        found["log ‖G‖"] = np.maximum(trajectory["log_gradient_norm"][:, :-1], -1e3)
    if "H" in trajectory.values:
        H = trajectory["H"]
        gram = np.einsum("...di,...dj->...ij", H[:, 1:], H[:, 1:])
        found["⟨K, HᵀH⟩ of five rows"] = (shares * gram).sum((-2, -1))
    return found


def farthest(one, other):
    """The largest distance D of `test_laws` over numbers and layers, over replicas not spoiled."""
    first, second = measures(one), measures(other)
    kept = ~one.spoiled.any(axis=1), ~other.spoiled.any(axis=1)
    assert min(each.mean() for each in kept) > 0.95
    return max(
        ks_2samp(
            first[name][kept[0], layer], second[name][kept[1], layer], method="asymp"
        ).statistic
        for name in first
        for layer in range(first[name].shape[1])
    )


def sample(chain, engine, seed, batch=BATCH, **options):
    settings = {
        "depth": DEPTH,
        "replicas": REPLICAS,
        "backward": "readout",
        "observables": ["tangent_kernel", H_TOO],
        **options,
    }
    return simulate(chain, batch, engine=engine, seed=seed, **settings)


IN_LAW = [
    vanilla_chain(D, "tanh"),
    vanilla_chain(D, "relu"),
    rescale_chain(D),
    batchnorm_chain(D, "relu"),
    batchnorm_chain(D, "tanh"),
    recenter_relu_chain(D),
    residual_chain(D, 0.5),
    residual_batchnorm_chain(D, 0.3),
    *ALONE,
    Chain((Linear(D), Bias(0.5), Activation("tanh"))),
    OTHERS[0],
    OTHERS[2],
]


@pytest.mark.parametrize("chain", IN_LAW, ids=repr)
def test_rows_and_dense_agree_in_the_law_of_kernels(chain):
    assert farthest(sample(chain, "rows", 1), sample(chain, "dense", 2)) < CRITICAL


BOTH = ["tangent_kernel", "log_gradient_norm", H_TOO]


@pytest.mark.parametrize(
    "backward", ["readout", "gaussian", GRADIENT], ids=["readout", "gaussian", "array"]
)
def test_they_agree_whatever_the_outputs_and_with_gradients_in_one_run(backward):
    chain = batchnorm_chain(D, "tanh")
    one, other = (
        sample(chain, engine, seed, backward=backward, observables=BOTH)
        for engine, seed in (("rows", 1), ("dense", 2))
    )
    assert farthest(one, other) < CRITICAL


def test_sentinel_outputs_that_go_back_through_weights_of_their_own_are_caught(monkeypatch):
    """What weights have not shown yet, drawn for each output anew."""
    chain = batchnorm_chain(12, "tanh")
    batch = np.random.default_rng(0).standard_normal((12, N))
    right = sample(chain, "dense", 2, batch)
    pulled = rows._InLaw._pulled_by
    random = np.random.default_rng(5)

    def forgetful(self, layer, inputs, basis, drawn, gradient):
        n = drawn[0].shape[-2]
        group, columns = gradient.shape[:2]
        found = []
        for output in np.split(gradient, columns // n, axis=1):
            self.noise = iter([random.standard_normal((group, n * inputs))])
            found.append(pulled(self, layer, inputs, basis, drawn, output.copy()))
        return np.concatenate(found, axis=1)

    monkeypatch.setattr(rows._InLaw, "_pulled_by", forgetful)
    assert farthest(sample(chain, "rows", 1, batch), right) > CRITICAL


@pytest.mark.parametrize(
    "chain", [batchnorm_chain(D, "tanh"), vanilla_chain(D, "relu"), rescale_chain(D)], ids=repr
)
@pytest.mark.parametrize("start", HOSTILE)
def test_rows_and_dense_agree_on_hostile_starts_or_say_that_nothing_follows(chain, start):
    """A replica that either engine calls spoiled counts in neither."""
    one, other = (
        sample(chain, engine, seed, HOSTILE[start](D, N), observables=["tangent_kernel"], depth=2)
        for engine, seed in (("rows", 1), ("dense", 2))
    )
    if max(one.spoiled.mean(), other.spoiled.mean()) < 0.05:
        assert farthest(one, other) < CRITICAL


@pytest.mark.parametrize("start", HELD_IN_FLOAT32)
@pytest.mark.parametrize("chain", [*HOSTILE_CHAINS, ALONE[0]], ids=repr)
def test_rounding_is_not_below_what_float32_does_to_kernels(chain, start, monkeypatch):
    """Spoiled samples aside, which speak for nothing. The factor allows for terms that add up."""
    single, double = in_both_precisions(
        chain, start, monkeypatch, replicas=300, observables=["tangent_kernel"]
    )
    found, expected = single["tangent_kernel"], double["tangent_kernel"]
    traces = np.trace(expected, axis1=-2, axis2=-1)
    apart = np.linalg.norm(found - expected, axis=(-2, -1)) / np.where(traces > 0, traces, 1.0)
    sound = ~(single.spoiled | double.spoiled)
    assert (apart[sound] <= 200 * single.rounding[sound]).all()


def test_an_ordinary_kernel_is_good_to_some_roundings():
    for chain in (*NAMED, *OTHERS, *ALONE):
        for engine in ("rows", "dense"):
            run = sample(chain, engine, 3, replicas=200, observables=["tangent_kernel"])
            assert np.median(run.rounding) <= 1e-13
            assert run.spoiled.mean() <= 0.01


@pytest.mark.parametrize("engine", ["rows", "dense"])
@pytest.mark.parametrize("chain", [batchnorm_chain(D, "tanh"), vanilla_chain(D, "relu")], ids=repr)
@pytest.mark.parametrize(
    "options", [{"dtype": "float32"}, {"device": "cpu"}, {"device": "cpu", "dtype": "float32"}]
)
def test_precisions_and_libraries_agree_in_law(chain, engine, options):
    options = {"observables": ["tangent_kernel"], "depth": 2, **options}
    one = sample(chain, engine, 1, **options)
    assert one["tangent_kernel"].dtype == np.float64
    assert farthest(one, sample(chain, engine, 2, observables=["tangent_kernel"], depth=2)) < (
        CRITICAL
    )


@pytest.mark.parametrize("engine", ["rows", "dense"])
@pytest.mark.parametrize("chain", [vanilla_chain(D, "tanh"), batchnorm_chain(D)], ids=repr)
def test_a_kernel_depends_on_nothing_beside_it(engine, chain):
    """Not on how many replicas run, on which layers are measured, nor, where samples do not
    interact, does a gradient on whether the kernel is wanted.
    """
    many = sample(chain, engine, 3, replicas=5, observables=BOTH)
    few = sample(chain, engine, 3, replicas=2, every=2, observables=BOTH)
    for name in many.values:
        np.testing.assert_array_equal(many[name][:2, ::2], few[name])
    without = sample(chain, engine, 3, replicas=5, observables=BOTH[1:])
    np.testing.assert_array_equal(without["H"], many["H"])
    if chain.each_sample:
        name = "log_gradient_norm"
        np.testing.assert_array_equal(without[name], many[name])


@pytest.mark.parametrize("kept", [0, 2000])
@pytest.mark.parametrize("engine", ["rows", "dense"])
@pytest.mark.parametrize(
    "chain",
    [vanilla_chain(D, "relu"), batchnorm_chain(D, "tanh"), residual_chain(D, 0.5)],
    ids=repr,
)
def test_what_is_kept_of_the_forward_pass_changes_no_bit(chain, engine, kept, monkeypatch):
    """Also where scales are carried aside, and the stretches gone through again."""
    whole = sample(chain, engine, 3, replicas=2, depth=23)
    monkeypatch.setattr(round_trip, "KEPT_BYTES", kept)
    pieces = sample(chain, engine, 3, replicas=2, depth=23)
    np.testing.assert_array_equal(whole["tangent_kernel"], pieces["tangent_kernel"])
    np.testing.assert_array_equal(whole.rounding, pieces.rounding)


@pytest.mark.parametrize("engine", ["rows", "dense"])
def test_the_kernel_of_a_batch_at_another_scale(engine):
    """Times 4 to the power of 300 without normalisation, the same where scale is taken out."""
    options = {"replicas": 3, "observables": ["tangent_kernel"]}
    for chain, power in ((vanilla_chain(D, "relu"), 300), (batchnorm_chain(D), 0)):
        kernel = sample(chain, engine, 3, **options)["tangent_kernel"]
        scaled = sample(chain, engine, 3, np.ldexp(BATCH, 300), **options)["tangent_kernel"]
        np.testing.assert_allclose(scaled, np.ldexp(kernel, 2 * power), rtol=1e-12)


@pytest.mark.parametrize("engine", ["rows", "dense"])
def test_a_kernel_beyond_floats_is_infinite_and_never_undefined(engine):
    batch = np.random.default_rng(0).standard_normal((16, 4))
    run = simulate(
        batchnorm_chain(16), batch, depth=1500, every=100, engine=engine, backward="readout",
        observables=["tangent_kernel"],
    )["tangent_kernel"][0]  # fmt: skip
    traces = np.trace(run, axis1=-2, axis2=-1)
    assert traces[0] == math.inf
    assert 0 < traces[-2] < math.inf
    assert (np.diff(traces[traces < math.inf]) < 0).all()
    assert not np.isnan(run).any()


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_at_large_width_the_kernel_is_that_of_infinite_width(activation):
    """Θ = Σ_ℓ Σ_ℓ(x, y) Π_{k > ℓ} κ′_k(x, y), for K over
    the width, the readout of variance 1/d.

    Six deviations of the mean, and a relative 8/d for what finite width moves.
    """
    width, depth, replicas, cosine = 1024, 4, 64, 0.3
    batch = np.zeros((width, 2))
    batch[:2] = np.array([[1.0, cosine], [0.0, (1 - cosine**2) ** 0.5]]) * width**0.5
    expected = at_infinite_width(activation, np.array([[1.0, cosine], [cosine, 1.0]]), depth)
    run = simulate(
        vanilla_chain(width, activation), batch, depth=depth, replicas=replicas, seed=7,
        observables=["tangent_kernel"], backward="readout",
    )["tangent_kernel"] / width  # fmt: skip
    deviations = run.std(axis=0) / replicas**0.5
    assert (np.abs(run.mean(axis=0) - expected) <= 6 * deviations + 8 / width * expected).all()


def at_infinite_width(activation, covariance, depth):
    """Θ of the weights after each layer, by integrals over two normals on a grid of Hermite
    nodes.
    """
    nodes, masses = np.polynomial.hermite_e.hermegauss(120)
    masses = np.outer(masses, masses) / masses.sum() ** 2
    u, v = np.meshgrid(nodes, nodes, indexing="ij")
    function, slope = {
        "relu": (lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0)),
        "tanh": (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
    }[activation]

    def mean(of, covariance):
        a, b = np.sqrt(np.diag(covariance))
        c = np.clip(covariance[0, 1] / (a * b), -1, 1)
        x, y = a * u, b * (c * u + (1 - c * c) ** 0.5 * v)
        cross = (masses * of(x) * of(y)).sum()
        return np.array(
            [[(masses * of(x) ** 2).sum(), cross], [cross, (masses * of(a * v) ** 2).sum()]]
        )

    slopes, inputs = [], []
    for _ in range(depth):
        inputs.append(covariance)
        slopes.append(mean(slope, covariance))
        covariance = mean(function, covariance)
    kernels = [np.zeros((2, 2))]
    behind = np.ones((2, 2))
    for given, at in zip(reversed(inputs), reversed(slopes), strict=True):
        behind = behind * at
        kernels.append(kernels[-1] + given * behind)
    return np.array(kernels[::-1])


def test_the_readout_is_common_to_the_samples_and_of_variance_one_over_d():
    run = simulate(
        vanilla_chain(64), np.eye(64, 2), depth=1, replicas=400, engine="rows", backward="readout",
        observables=[Observable("G", lambda G, width: G, gram=False, backward=True)],
    )["G"][:, 1]  # fmt: skip
    np.testing.assert_array_equal(run[..., 0], run[..., 1])
    squares = (run[..., 0] ** 2).sum(axis=-1)
    # a chi-square of 64 degrees over 64, on average over 400
    assert abs(squares.mean() - 1) <= 6 * (2 / 64 / 400) ** 0.5
    entries = run[..., 0] * 8
    assert abs((entries**4).mean() - 3) <= 6 * (96 / entries.size) ** 0.5


def test_the_quickest_engine_counts_a_gradient_for_each_output():
    options = {"depth": 1, "observables": ["tangent_kernel"], "backward": "readout"}
    for chain, engine in (
        (batchnorm_chain(D), "dense"),
        (batchnorm_chain(32), "rows"),
        (vanilla_chain(D), "rows"),
    ):
        assert simulate(chain, np.eye(32, N), **options).engine == engine


def test_an_observable_of_ones_own_reads_the_kernel_at_its_scale():
    with OBSERVABLES.restored():

        @observable(reads="tangent", floor=0)
        def kernel_trace(K):
            """the trace of the tangent kernel"""
            return K[..., range(K.shape[-1]), range(K.shape[-1])].sum(axis=-1)

        run = simulate(
            vanilla_chain(D), np.ldexp(BATCH, 100), depth=3, engine="dense", backward="readout",
            dtype="float32", observables=["kernel_trace", "tangent_kernel"],
        )  # fmt: skip
    traces = np.trace(run["tangent_kernel"], axis1=-2, axis2=-1)
    assert traces[0, 0] > 1e50
    np.testing.assert_allclose(run["kernel_trace"], traces, rtol=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"backward": None}, "'tangent_kernel' reads the backward pass; give backward='gaussian'"),
        ({"backward": "readouts"}, "backward='readouts' is unknown; give 'gaussian', 'readout'"),
        ({"engine": "factor"}, "'tangent_kernel' reads the backward pass, which needs all"),
        ({"engine": "mean_field"}, "'tangent_kernel' reads the backward pass"),
        ({"backward": np.ones((D, N + 1))}, r"has shape \(8, 4\); want .* \(8, 3\)"),
    ],
)
def test_what_no_kernel_comes_of_is_refused_in_one_line(given, message):
    options = {
        "depth": 2, "observables": ["tangent_kernel"], "backward": "readout", **given
    }  # fmt: skip
    with pytest.raises(ValueError, match=message) as refusal:
        simulate(rescale_chain(D), BATCH, **options)
    assert "\n" not in str(refusal.value)
