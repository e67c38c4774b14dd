"""Gradients: dense against Torch's autograd weight by weight, rows against dense by law, and what is
promised of both.
"""

import math

import numpy as np
import pytest
import torch
from numpy.random import SeedSequence
from scipy.special import digamma, polygamma
from scipy.stats import binom, ks_2samp

from simulators import backend, simulate
from simulators.backend import NumpyBackend
from simulators.chains import (
    Chain,
    batchnorm_chain,
    recenter_relu_chain,
    rescale_activation_chain,
    rescale_chain,
    residual_batchnorm_chain,
    residual_chain,
    vanilla_chain,
)
from simulators.engines import factor, notes, round_trip, rows
from simulators.layers import (
    Activation,
    Linear,
    Normalize,
    Recenter,
    Rescale,
    Residual,
    WeightLayer,
)
from simulators.observables import OBSERVABLES, Observable, observable
from simulators.streams import HostStreams
from tests.simulators.hostile import HOSTILE
from tests.simulators.test_laws import CRITICAL, REPLICAS

D, N, DEPTH = 8, 3, 4
BATCH = np.random.default_rng(0).standard_normal((D, N)) + 0.7
GRADIENT = np.random.default_rng(1).standard_normal((D, N))
SCALED = ("log_gradient_norm", "gradient_norm", "gradient_gram")

NAMED = [
    rescale_chain(D),
    rescale_activation_chain(D, "tanh"),
    rescale_activation_chain(D, "relu"),
    residual_chain(D, 0.5),
    residual_chain(D, math.inf),
    residual_batchnorm_chain(D, 0.3),
    recenter_relu_chain(D),
    batchnorm_chain(D, "relu"),
    batchnorm_chain(D, "tanh"),
    batchnorm_chain(D, "identity"),
    vanilla_chain(D, "identity"),
    vanilla_chain(D, "relu"),
    vanilla_chain(D, "tanh"),
]
OTHERS = [
    Chain((Linear(6), Activation("tanh"), Recenter(), Linear(D), Residual(1.0), Rescale())),
    Chain((Activation("relu"), Linear(D), Recenter(), Normalize())),
    Chain((Linear(5), Activation("tanh"), Normalize(), Linear(D), Rescale("variance"))),
    Chain((Residual(0.5), Activation("tanh"))),
]


def whole(G, *, width):
    return G


EVERY_ENTRY = Observable("G", whole, gram=False, backward=True)


def weights(chain, depth, seed=0):
    """What replica 0 of the dense engine draws, variance 1, in order."""
    streams = HostStreams(SeedSequence(seed), "dense", range(1))
    found, inputs = [], D
    for layer, width in list(zip(chain.layers, chain.widths(D), strict=True)) * depth:
        if isinstance(layer, WeightLayer):
            entries = np.empty(width * inputs)
            streams.fill(0, entries, layer.law)
            found.append(torch.from_numpy(entries.reshape(inputs, width).T.copy()))
        inputs = width
    return found


def by_torch(layer, H, W):
    """The layer as its definition has it."""
    d, n = H.shape
    match layer:
        case Linear():
            return W @ H / layer.width**0.5
        case Residual(gamma=math.inf):
            return W @ H
        case Residual():
            return H + layer.gamma * W @ H
        case Recenter():
            return H - H.mean(1, keepdim=True)
        case Rescale(unit="frobenius"):
            return H / (H.norm(dim=1, keepdim=True) * d**0.5)
        case Rescale():
            return H * n**0.5 / H.norm(dim=1, keepdim=True)
        case Normalize():
            return H * (d * n) ** 0.5 / H.norm()
        case Activation():
            return {"tanh": torch.tanh, "relu": torch.relu, "identity": lambda x: x}[layer.name](H)


def autograd(chain, depth, G):
    """∂L/∂H for every representation, from the batch on, and the last representation."""
    drawn = iter(weights(chain, depth))
    seen = [torch.from_numpy(BATCH.copy()).requires_grad_()]
    for _ in range(depth):
        H = seen[-1]
        for layer in chain.layers:
            H = by_torch(layer, H, next(drawn) if isinstance(layer, WeightLayer) else None)
        seen.append(H)
    last = torch.from_numpy(G) if isinstance(G, np.ndarray) else G(seen[-1].detach())
    return [each.numpy() for each in torch.autograd.grad(seen[-1], seen, last)]


@pytest.mark.parametrize("law", ["gaussian", "rademacher"])
@pytest.mark.parametrize("chain", [*NAMED, *OTHERS], ids=repr)
def test_dense_gradients_are_those_of_autograd_for_the_same_weights(chain, law):
    chain = chain.with_law(law)
    found = simulate(
        chain,
        BATCH,
        depth=DEPTH,
        engine="dense",
        backward=GRADIENT,
        observables=[EVERY_ENTRY, "gradient_norm", "log_gradient_norm", "gradient_gram"],
    )
    for layer, expected in enumerate(autograd(chain, DEPTH, GRADIENT)):
        norm = np.linalg.norm(expected)
        # Some hundred roundings, as many as a chain of four blocks of sums of eight makes.
        assert np.abs(found["G"][0, layer] - expected).max() <= 1e-12 * norm
        assert abs(found["gradient_norm"][0, layer] / norm - 1) <= 1e-12
        assert abs(found["log_gradient_norm"][0, layer] - math.log(norm)) <= 1e-12
        products = found["gradient_gram"][0, layer] - expected.T @ expected
        assert np.abs(products).max() <= 1e-12 * norm**2


def half_of_its_square(H):
    return H


@pytest.mark.parametrize("chain", [batchnorm_chain(D, "tanh"), residual_chain(D, 0.5)], ids=repr)
def test_a_function_of_the_last_representation_is_given_that(chain):
    found = simulate(
        chain,
        BATCH,
        depth=DEPTH,
        engine="dense",
        backward=half_of_its_square,
        observables=[EVERY_ENTRY],
    )["G"]
    expected = autograd(chain, DEPTH, lambda H: H)
    assert max(np.abs(found[0, k] - each).max() for k, each in enumerate(expected)) <= 1e-12


def measures(trajectory):
    """Numbers of a trajectory by name, (replicas, layers) each, that see norms and angles.

    What is far below the norm of a gradient is none of its law, but rounding.
    """
    gram, trace = trajectory["gradient_gram"], np.exp(2 * trajectory["log_gradient_norm"])
    shares = np.round(gram / np.where(trace > 0, trace, 1.0)[..., None, None], 9)
    found = {"log ‖G‖": np.maximum(trajectory["log_gradient_norm"], -1e3)}
    found["products"], found["a sample"] = shares[..., 0, 1], shares[..., 2, 2]
    found["other products"] = shares[..., -1, -2]
    if "G" in trajectory.values:
        found["an entry"] = trajectory["G"][..., 0, 0]
    if "H" in trajectory.values:
        joint = (trajectory["H"][..., :5, :] * trajectory["G"][..., :5, :]).sum((-2, -1))
        found["⟨H, G⟩ of five rows"] = joint
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


def rows_of_h(H, *, width):
    return H[..., :5, :]


def rows_of_g(G, *, width):
    return G[..., :5, :]


ALL = [
    "log_gradient_norm",
    "gradient_gram",
    Observable("H", rows_of_h, gram=False),
    Observable("G", rows_of_g, gram=False, backward=True),
]


def sample(chain, engine, seed, batch=BATCH, backward="gaussian", **options):
    settings = {"depth": DEPTH, "replicas": REPLICAS, "observables": ALL, **options}
    return simulate(chain, batch, engine=engine, seed=seed, backward=backward, **settings)


@pytest.mark.parametrize("chain", [*NAMED, *OTHERS], ids=repr)
def test_rows_and_dense_agree_in_the_law_of_gradients(chain):
    assert farthest(sample(chain, "rows", 1), sample(chain, "dense", 2)) < CRITICAL


@pytest.mark.parametrize("backward", [GRADIENT, half_of_its_square], ids=["array", "function"])
def test_they_agree_whatever_the_last_gradient(backward):
    chain = batchnorm_chain(D, "tanh")
    one = sample(chain, "rows", 1, backward=backward)
    assert farthest(one, sample(chain, "dense", 2, backward=backward)) < CRITICAL


def test_sentinel_gradients_that_do_not_see_the_forward_pass_are_caught(monkeypatch):
    """Fresh weights on the way back: right norms layer by layer, another joint law."""
    chain = residual_chain(D, 0.5)
    right = sample(chain, "dense", 2)
    again = rows._InLaw.weighted_both_ways

    def forgetful(self, layer, inputs, free, notes):
        image, back, gain = again(self, layer, inputs, free, notes)
        for unit in back.args[3]:
            unit[...] = np.random.default_rng(5).standard_normal(unit.shape)
        return image, back, gain

    monkeypatch.setattr(rows._InLaw, "weighted_both_ways", forgetful)
    assert farthest(sample(chain, "rows", 1), right) > CRITICAL


HOSTILE_CHAINS = [
    rescale_chain(D),
    batchnorm_chain(D, "tanh"),
    recenter_relu_chain(D),
    vanilla_chain(D, "relu"),
    residual_batchnorm_chain(D, 0.3),
]


@pytest.mark.parametrize("chain", HOSTILE_CHAINS, ids=repr)
@pytest.mark.parametrize("start", HOSTILE)
def test_rows_and_dense_agree_on_hostile_starts_or_say_that_nothing_follows(chain, start):
    """A replica that either engine calls spoiled counts in neither."""
    batch = HOSTILE[start](D, N)
    one, other = (
        sample(chain, engine, seed, batch, observables=ALL[:2], depth=2)
        for engine, seed in (("rows", 1), ("dense", 2))
    )
    if max(one.spoiled.mean(), other.spoiled.mean()) < 0.05:
        assert farthest(one, other) < CRITICAL


@pytest.mark.parametrize("chain", [*NAMED, *OTHERS], ids=repr)
@pytest.mark.parametrize("engine", ["rows", "dense"])
def test_the_forward_numbers_are_those_of_a_run_without_gradients(engine, chain):
    observables = ["orthogonality_gap", "log_norm", Observable("H", rows_of_h, gram=False)]
    options = {"replicas": 3, "engine": engine, "depth": DEPTH, "seed": 5}
    alone = simulate(chain, BATCH, observables=observables, **options)
    both = simulate(
        chain, BATCH, observables=[*observables, "gradient_norm"], backward="gaussian", **options
    )
    for name in alone.values:
        np.testing.assert_array_equal(alone[name], both[name])


@pytest.mark.parametrize("kept", [0, 2000, 20000])
@pytest.mark.parametrize("engine", ["rows", "dense"])
@pytest.mark.parametrize(
    "chain", [residual_chain(D, 0.5), vanilla_chain(D, "relu"), OTHERS[2]], ids=repr
)
def test_what_is_kept_of_the_forward_pass_changes_no_bit(chain, engine, kept, monkeypatch):
    """From one block at a time, in stretches of stretches, to all of it."""
    whole = sample(chain, engine, 3, replicas=2, depth=23)
    monkeypatch.setattr(round_trip, "KEPT_BYTES", kept)
    pieces = sample(chain, engine, 3, replicas=2, depth=23)
    for name in whole.values:
        np.testing.assert_array_equal(whole[name], pieces[name])


@pytest.mark.parametrize("engine", ["rows", "dense"])
@pytest.mark.parametrize("least", [1, 3])
def test_how_many_replicas_go_together_changes_no_bit(engine, least, monkeypatch):
    """Nor whether what is kept of them lies in one piece of memory."""
    whole = sample(batchnorm_chain(D, "tanh"), engine, 3, replicas=8)
    monkeypatch.setattr(round_trip, "LEAST_REPLICAS", least)
    for module in (round_trip, notes, backend):
        monkeypatch.setattr(module, "WHOLE_BYTES", 0)
    monkeypatch.setattr(notes, "PIECE_ENTRIES", 100)
    pieces = sample(batchnorm_chain(D, "tanh"), engine, 3, replicas=8)
    for name in whole.values:
        np.testing.assert_array_equal(whole[name], pieces[name])


@pytest.mark.parametrize("engine", ["rows", "dense"])
def test_a_replica_does_not_depend_on_how_many_run(engine):
    many, few = (sample(batchnorm_chain(D), engine, 3, replicas=count) for count in (5, 2))
    for name in many.values:
        np.testing.assert_array_equal(many[name][:2], few[name])


@pytest.mark.parametrize("engine", ["rows", "dense"])
def test_every_other_layer_is_that_layer(engine):
    chain = batchnorm_chain(D, "tanh")
    all_of_them, some = (sample(chain, engine, 3, replicas=2, every=every) for every in (1, 2))
    for name in some.values:
        np.testing.assert_array_equal(all_of_them[name][:, ::2], some[name])


@pytest.mark.parametrize("chain", [residual_chain(D, 0.5), OTHERS[0]], ids=repr)
def test_rows_in_many_small_blocks_agree_with_one_in_law(chain, monkeypatch):
    whole = sample(chain, "rows", 1)
    monkeypatch.setattr(rows, "block_rows", lambda n: 4)
    monkeypatch.setattr(factor, "leaf_rows", lambda n: 3)
    assert farthest(whole, sample(chain, "rows", 2)) < CRITICAL


@pytest.mark.parametrize("chain", [batchnorm_chain(D, "tanh"), residual_chain(D, 0.5)], ids=repr)
@pytest.mark.parametrize("engine", ["rows", "dense"])
@pytest.mark.parametrize(
    "options", [{"dtype": "float32"}, {"device": "cpu"}, {"device": "cpu", "dtype": "float32"}]
)
def test_precisions_and_libraries_agree_in_law(chain, engine, options):
    names = ["log_gradient_norm", "gradient_gram"]
    one = sample(chain, engine, 1, observables=names, **options)
    assert farthest(one, sample(chain, engine, 2, observables=names)) < CRITICAL


def test_a_gradient_beyond_floats_is_known_by_its_logarithm():
    """Batch normalisation with ReLU multiplies E‖G‖² by 1.8 and more at every layer."""
    run = simulate(
        batchnorm_chain(16), np.random.default_rng(0).standard_normal((16, 4)), depth=3000,
        every=100, observables=["log_gradient_norm", "gradient_norm", "gradient_gram"],
        backward="gaussian", engine="rows",
    )  # fmt: skip
    logarithm, norm = run["log_gradient_norm"][0], run["gradient_norm"][0]
    assert logarithm[0] > 1000
    assert np.isfinite(logarithm).all()
    assert (np.isfinite(norm) == (logarithm < 709.7)).all()
    held = logarithm < 300
    assert held.any()
    assert np.abs(np.log(norm[held]) - logarithm[held]).max() <= 1e-12
    traces = np.trace(run["gradient_gram"][0], axis1=-2, axis2=-1)
    assert np.abs(np.log(traces[held]) / 2 - logarithm[held]).max() <= 1e-12
    assert not np.isnan(run["gradient_gram"]).any()


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_the_scale_of_a_chain_without_normalisation_is_carried(engine, activation):
    """E log ‖WH‖² − log ‖H‖² is log(2/d) + ψ(d/2), and half the coordinates go with ReLU."""
    d, depth = 64, 400
    batch = np.ldexp(np.random.default_rng(0).standard_normal((d, 1)), 300)
    run = simulate(
        vanilla_chain(d, activation), batch, depth=depth, every=depth, replicas=40, seed=4,
        engine=engine, observables=["log_norm"],
    )["log_norm"]  # fmt: skip
    assert np.abs(run[:, 0] - math.log(np.linalg.norm(batch))).max() <= 1e-12
    if activation == "identity":
        mean, variance = (math.log(2 / d) + digamma(d / 2)) / 2, polygamma(1, d / 2) / 4
    else:
        living = binom(d, 0.5)
        sizes = np.arange(1, d + 1)
        probability = living.pmf(sizes) / (1 - living.pmf(0))
        logs = np.log(2 / d) + digamma(sizes / 2)
        mean = float(probability @ logs) / 2
        variance = float(probability @ (logs**2 + polygamma(1, sizes / 2))) / 4 - mean**2
    found = (run[:, 1] - run[:, 0]) / depth
    # Six deviations of a mean of 40 · 400 nearly normal terms: false alarm below 1e-8.
    assert abs(found.mean() - mean) <= 6 * (variance / (40 * depth)) ** 0.5


@pytest.mark.parametrize("engine", ["rows", "dense"])
def test_log_norm_is_that_of_the_layer_where_scale_is_kept(engine):
    chain = vanilla_chain(D, "tanh")
    run = simulate(
        chain,
        BATCH,
        depth=3,
        engine=engine,
        observables=["log_norm", Observable("H", whole, False)],
    )
    norms = np.linalg.norm(run["H"], axis=(-2, -1))
    assert np.abs(run["log_norm"] - np.log(norms)).max() <= 1e-14


def nearly_equal(d, n):
    noise = np.random.default_rng(3).standard_normal((2, d, n))
    return noise[0, :, :1] + 1e-5 * noise[1]


HELD_IN_FLOAT32 = {
    "samples that differ by 1e-5": nearly_equal,
    **{
        name: HOSTILE[name]
        for name in (
            "equal samples", "opposite samples", "dependent samples", "one large sample",
            "one eigenvalue 1e-300", "eigenvalues 1e-300, rows mixed",
        )
    },
}  # fmt: skip


def in_both_precisions(chain, start, monkeypatch, **options):
    """Runs in float32 and float64 with the same batch and weights."""
    draws = NumpyBackend.draws

    def in_float64(self, root, engine, pieces, *, ahead=True, **options):
        for entries in draws(NumpyBackend("float64"), root, engine, pieces, **options):
            yield entries.astype(self.dtype)

    monkeypatch.setattr(NumpyBackend, "draws", in_float64)
    return [
        simulate(
            chain, np.float32(HELD_IN_FLOAT32[start](D, N)), depth=3, engine="dense",
            backward=GRADIENT, dtype=dtype, **options,
        )
        for dtype in ("float32", "float64")
    ]  # fmt: skip


@pytest.mark.parametrize("start", HELD_IN_FLOAT32)
@pytest.mark.parametrize("chain", HOSTILE_CHAINS, ids=repr)
def test_rounding_is_not_below_what_float32_does_to_gradients(chain, start, monkeypatch):
    """Spoiled samples aside, which speak for nothing. The factor allows for terms that add up."""
    single, double = in_both_precisions(
        chain, start, monkeypatch, replicas=50, observables=[EVERY_ENTRY]
    )
    norms = np.linalg.norm(double["G"], axis=(-2, -1))
    apart = np.linalg.norm(single["G"] - double["G"], axis=(-2, -1))
    apart = apart / np.where(norms > 0, norms, 1.0)
    sound = ~(single.spoiled | double.spoiled)
    assert (apart[sound] <= 200 * single.rounding[sound]).all()


@pytest.mark.parametrize("engine", ["rows", "dense"])
@pytest.mark.parametrize(
    ("chain", "n"),
    [(batchnorm_chain(D, "tanh"), 2), (residual_batchnorm_chain(D, 0.5), 2), (rescale_chain(D), 1)],
    ids=repr,
)
def test_a_gradient_that_is_all_cancelled_speaks_for_nothing(engine, chain, n):
    """Two samples, centred and rescaled, are ±1: nothing moves them, and what is left is rounding,
    or zero.
    """
    run = simulate(
        chain, BATCH[:, :n], depth=6, replicas=20, engine=engine, backward="gaussian",
        observables=["log_gradient_norm"],
    )  # fmt: skip
    assert (run.spoiled[:, :-1] | (run["log_gradient_norm"][:, :-1] == -math.inf)).all()


def test_a_gradient_that_sinks_unseen_is_taken_to_be_cancelled(monkeypatch):
    """In blocks that are not tried."""
    monkeypatch.setattr(round_trip.RoundTrip, "_tried", lambda self, block: 0)
    run = simulate(
        batchnorm_chain(D, "tanh"), BATCH[:, :2], depth=6, replicas=20, engine="rows",
        backward="gaussian", observables=["log_gradient_norm"],
    )  # fmt: skip
    assert (run.spoiled[:, :-2] | (run["log_gradient_norm"][:, :-2] == -math.inf)).all()


def test_an_ordinary_gradient_is_good_to_some_roundings():
    for chain in (*NAMED, *OTHERS):
        for engine in ("rows", "dense"):
            run = sample(chain, engine, 3, replicas=200)
            assert np.median(run.rounding) <= 1e-14
            assert run.spoiled.mean() <= 0.01


REFUSED = [
    ({"backward": None}, ValueError, "observable 'gradient_norm' reads the backward pass; give"),
    ({"observables": ["log_norm"]}, ValueError, "backward='gaussian' is read by none"),
    ({"backward": "normal"}, ValueError, "backward='normal' is unknown; give 'gaussian'"),
    ({"backward": 1.0}, TypeError, "backward=1.0 is a float; give 'gaussian'"),
    ({"backward": np.ones((D, N + 1))}, ValueError, r"has shape \(8, 4\); want .* \(8, 3\)"),
    ({"backward": np.ones((N, D))}, ValueError, r"has shape \(3, 8\); want .* \(8, 3\)"),
    ({"backward": np.ones((D, N), complex)}, TypeError, "backward has dtype complex128"),
    ({"backward": np.full((D, N), "a")}, TypeError, "backward has dtype <U1"),
    ({"backward": np.ones((D, N), bool)}, TypeError, "backward has dtype bool"),
    ({"backward": np.full((D, N), math.nan)}, ValueError, "entries that are not finite"),
    ({"backward": np.zeros((D, N))}, ValueError, "no entry but 0, so every gradient is 0"),
    ({"backward": lambda H: H[..., :2]}, ValueError, r"<lambda> gave shape \(1, 8, 2\) for H_L"),
    ({"backward": lambda H: H.astype("f4")}, TypeError, "gave an array of float32 for H_L of"),
    ({"backward": lambda H: 1.0}, TypeError, "gave a float for H_L of dtype float64"),
    ({"backward": lambda H: H * math.inf}, ValueError, "gave entries that are not finite"),
    ({"engine": "factor"}, ValueError, "'gradient_norm' reads the backward pass, which needs all"),
    ({"engine": "mean_field"}, ValueError, "reads the backward pass"),
]


@pytest.mark.parametrize(("given", "error", "message"), REFUSED)
def test_what_no_backward_pass_can_start_from_is_refused_in_one_line(given, error, message):
    options = {"depth": 2, "observables": ["gradient_norm"], "backward": "gaussian", **given}
    with pytest.raises(error, match=message) as refusal:
        simulate(rescale_chain(D), BATCH, **options)
    assert "\n" not in str(refusal.value)


def test_the_quickest_exact_engine_goes_back_and_says_why():
    options = {"depth": 1, "observables": ["gradient_norm"], "backward": "gaussian"}
    wide = simulate(rescale_chain(D), BATCH, **options)
    narrow = simulate(rescale_chain(4), BATCH[:4], **options)
    drawn = simulate(rescale_chain(D).with_law("rademacher"), BATCH, **options)
    assert [run.engine for run in (wide, narrow, drawn)] == ["rows", "dense", "dense"]
    assert "reads the backward pass, which needs all rows of H" in wide.engine_reason


def test_a_gradient_given_in_torch_is_taken():
    chain, options = batchnorm_chain(D), {"depth": 2, "observables": ["gradient_gram"]}
    given = [torch.from_numpy(GRADIENT).requires_grad_(), GRADIENT.tolist()]
    runs = [simulate(chain, BATCH, backward=each, **options) for each in (GRADIENT, *given)]
    for run in runs[1:]:
        np.testing.assert_array_equal(run["gradient_gram"], runs[0]["gradient_gram"])


def test_an_observable_of_ones_own_reads_gradients_at_their_scale():
    with OBSERVABLES.restored():

        @observable(reads="backward", floor=0)
        def largest_entry(G):
            """the largest entry of G"""
            return abs(G).max(axis=(-2, -1))

        run = simulate(
            vanilla_chain(D), BATCH, depth=3, backward=1e30 * GRADIENT, engine="dense",
            observables=["largest_entry", "gradient_norm"],
        )  # fmt: skip
    assert abs(run["largest_entry"][0, -1] / (1e30 * abs(GRADIENT)).max() - 1) <= 1e-12
    assert (run["largest_entry"] <= run["gradient_norm"]).all()


def test_the_last_column_is_the_last_gradient_and_the_first_that_of_the_batch():
    """Finite differences of ½‖H_L‖² in the batch, the weights drawn again from the seed."""
    chain = residual_batchnorm_chain(D, 0.5)
    options = {"depth": 3, "engine": "dense", "seed": 8}
    run = simulate(chain, BATCH, backward=half_of_its_square, observables=[EVERY_ENTRY], **options)

    def loss(batch):
        found = simulate(chain, batch, observables=[Observable("H", whole, False)], **options)
        return (np.random.default_rng(2).standard_normal((D, N)) * found["H"][0, -1]).sum()

    fixed = simulate(
        chain, BATCH, backward=np.random.default_rng(2).standard_normal((D, N)),
        observables=[EVERY_ENTRY], **options,
    )["G"][0, 0]  # fmt: skip
    step, v = 1e-5, np.random.default_rng(3).standard_normal((D, N))
    moved = (loss(BATCH + step * v) - loss(BATCH - step * v)) / (2 * step)
    assert abs(moved - (fixed * v).sum()) <= 1e-7 * np.linalg.norm(fixed)
    assert np.linalg.norm(run["G"][0, -1]) > 0


@pytest.mark.parametrize(
    ("activation", "factor"), [("identity", 6 / 5), ("relu", 1.78819)], ids=["linear", "ReLU"]
)
def test_batch_normalisation_multiplies_the_square_of_a_gradient_by_its_known_factor(
    activation, factor
):
    """Eight samples, in the width limit: (n − 2)/(n − 3) (Yang et al. 2019), and that of ReLU.

    Six deviations of a mean over replicas: a false alarm below 1e-8, and far less than the
    factors (n − 1)/(n − 2) and π/(π − 1) are away.
    """
    width, first, last, replicas = 4096, 22, 28, 24
    batch = np.random.default_rng(0).standard_normal((width, 8))
    run = simulate(
        batchnorm_chain(width, activation), batch, depth=30, replicas=replicas, seed=2,
        observables=["log_gradient_norm"], backward="gaussian",
    )["log_gradient_norm"]  # fmt: skip
    found = np.exp(2 * (run[:, first] - run[:, last]) / (last - first))
    assert abs(found.mean() - factor) <= 6 * found.std() / replicas**0.5
