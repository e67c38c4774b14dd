"""Tangents: dense against Torch's forward mode on the same weights, rows against dense by law, and
what ties them to gradients and to H itself.
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

from simulators import simulate
from simulators.chains import Chain, batchnorm_chain, residual_batchnorm_chain, vanilla_chain
from simulators.engines import round_trip
from simulators.layers import (
    LAYERS,
    Activation,
    Bias,
    GroupNorm,
    LayerNorm,
    Linear,
    Recenter,
    Rescale,
    Residual,
    RMSNorm,
    RowLayer,
    WeightLayer,
)
from simulators.observables import OBSERVABLES, Observable, observable
from simulators.trajectory import Trajectory
from tests.simulators.hostile import HOSTILE
from tests.simulators.test_backward import (
    BATCH,
    DEPTH,
    EVERY_ENTRY,
    GRADIENT,
    NAMED,
    OTHERS,
    D,
    N,
    by_torch,
    weights,
)
from tests.simulators.test_laws import CRITICAL, REPLICAS

TANGENT = np.random.default_rng(2).standard_normal((D, N))
SEVERAL = np.random.default_rng(3).standard_normal((2, D, N))
NORMS = [
    Chain((Linear(D), Bias(0.5), Activation("tanh"))),
    Chain((Linear(D), LayerNorm(), Activation("gelu"))),
    Chain((Residual(0.5), RMSNorm())),
    Chain((Linear(D), GroupNorm(2), Activation("sin"), Recenter())),
]


WIDE = 12


def widened(chain):
    """The same layers at a width that holds three columns for every sample."""
    sizes = {Linear: WIDE, Residual: None}
    return Chain(
        tuple(
            dataclasses.replace(layer, width=sizes[type(layer)]) if type(layer) in sizes else layer
            for layer in chain.layers
        )
    )


def start(name):
    if name == "plain":
        return np.random.default_rng(0).standard_normal((WIDE, N)) + 0.7
    return HOSTILE[name](WIDE, N)


def whole(T, *, width):
    return T


TANGENTS = Observable("T", whole, gram=False, jvp=True)


def by_forward_mode(chain, depth, tangent):
    """Ḣ after every block, from the batch on, by `torch.func.jvp`."""
    found = [tangent]
    for blocks in range(1, depth + 1):

        def network(H, blocks=blocks):
            drawn = iter(weights(chain, blocks))
            for layer in chain.layers * blocks:
                H = by_torch(layer, H, next(drawn) if isinstance(layer, WeightLayer) else None)
            return H

        inputs = torch.from_numpy(BATCH.copy()), torch.from_numpy(tangent.copy())
        found.append(torch.func.jvp(network, inputs[:1], inputs[1:])[1].numpy())
    return found


# torch loads its rules of forward mode by what it has deprecated itself
@pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
@pytest.mark.parametrize("law", ["gaussian", "rademacher"])
@pytest.mark.parametrize("chain", [*NAMED, *OTHERS], ids=repr)
def test_dense_tangents_are_those_of_forward_mode_on_the_same_weights(chain, law):
    chain = chain.with_law(law)
    observables = [TANGENTS, "tangent_norm", "log_tangent_norm", "tangent_gram"]
    options = {"depth": DEPTH, "engine": "dense", "observables": observables}
    alone = simulate(chain, BATCH, tangents=TANGENT, **options)
    together = simulate(chain, BATCH, tangents=np.stack([TANGENT, -3 * TANGENT]), **options)
    for layer, expected in enumerate(by_forward_mode(chain, DEPTH, TANGENT)):
        norm = np.linalg.norm(expected)
        assert np.abs(alone["T"][0, layer] - expected).max() <= 1e-12 * norm
        assert np.abs(together["T"][0, layer, 1] + 3 * expected).max() <= 1e-11 * norm
        assert abs(alone["tangent_norm"][0, layer] / norm - 1) <= 1e-12
        assert abs(together["log_tangent_norm"][0, layer, 0] - math.log(norm)) <= 1e-12
        products = alone["tangent_gram"][0, layer] - expected.T @ expected
        assert np.abs(products).max() <= 1e-12 * norm**2
    assert together["tangent_norm"].shape == (1, DEPTH + 1, 2)
    assert together["tangent_gram"].shape == (1, DEPTH + 1, 2, N, N)


@pytest.mark.parametrize("engine", ["dense", "rows"])
@pytest.mark.parametrize("chain", [*NAMED, *OTHERS, *NORMS], ids=repr)
def test_what_goes_back_and_what_goes_forward_are_adjoint(chain, engine):
    """⟨G_ℓ, Ḣ_ℓ⟩ is the same at every layer, as G_ℓ is the adjoint of what takes Ḣ_ℓ on."""
    tangents = np.random.default_rng(2).standard_normal((2, WIDE, N))
    found = simulate(
        widened(chain),
        start("plain"),
        depth=6,
        replicas=3,
        engine=engine,
        backward="gaussian",
        tangents=tangents,
        observables=[EVERY_ENTRY, TANGENTS],
    )
    G, T = found["G"][:, :, None], found["T"]
    sizes = np.linalg.norm(G, axis=(-2, -1)) * np.linalg.norm(T, axis=(-2, -1))
    pairs = (G * T).sum(axis=(-2, -1))
    assert np.abs(pairs - pairs[:, -1:]).max() <= 1e-10 * sizes.max()


def test_ways_forward_that_are_gone_again_take_the_same_tangents(monkeypatch):
    options = {
        "depth": 9,
        "replicas": 2,
        "engine": "rows",
        "backward": "gaussian",
        "tangents": "gaussian",
        "observables": [EVERY_ENTRY, TANGENTS],
    }
    chain = batchnorm_chain(D, "tanh")
    kept = simulate(chain, BATCH, **options)
    monkeypatch.setattr(round_trip, "KEPT_BYTES", 1)
    again = simulate(chain, BATCH, **options)
    for name in ("G", "T"):
        assert np.array_equal(kept[name], again[name])


def measures(found):
    """Numbers of a trajectory by name, (replicas, layers) each."""
    gram, trace = found["tangent_gram"], np.exp(2 * found["log_tangent_norm"])
    shares = np.round(gram / np.where(trace > 0, trace, 1.0)[..., None, None], 9)
    shares, H = shares.reshape(*found.rounding.shape, -1, N, N), found["H"]
    T = found["T"].reshape(*found.rounding.shape, -1, *H.shape[-2:])
    size = np.sqrt((T * T).sum((-2, -1)) * (H * H).sum((-2, -1))[..., None])
    both = (T * H[:, :, None]).sum((-2, -1)) / np.where(size > 0, size, 1.0)
    logs = np.maximum(found["log_tangent_norm"], -1e3).reshape(*found.rounding.shape, -1)
    apart = {
        "log ‖Ḣ‖": logs[..., 0],
        "products": shares[..., 0, 0, 1],
        "a sample": shares[..., 0, 2, 2],
        "angle of H and Ḣ": np.round(both[..., 0], 9),
        "of the last": logs[..., -1],
    }
    if T.shape[2] > 1:
        found = (T[:, :, 0] * T[:, :, 1]).sum((-2, -1))
        norms = np.linalg.norm(T[:, :, :2], axis=(-2, -1)).prod(axis=-1)
        apart["two tangents"] = np.round(found / np.where(norms > 0, norms, 1.0), 9)
    return apart


def rows_of_h(H, *, width):
    return H[..., :5, :]


def of_both_engines(chain, batch, tangents, depth=DEPTH):
    options = {
        "depth": depth,
        "replicas": REPLICAS,
        "tangents": tangents,
        "observables": [
            "tangent_gram",
            "log_tangent_norm",
            Observable("T", rows_of_h, gram=False, jvp=True),
            Observable("H", rows_of_h, gram=False),
        ],
    }
    return [simulate(chain, batch, engine=engine, **options) for engine in ("rows", "dense")]


def farthest(one, other):
    first, second = measures(one), measures(other)
    kept = ~one.spoiled.any(axis=1), ~other.spoiled.any(axis=1)
    assert min(each.mean() for each in kept) > 0.95
    return max(
        ks_2samp(
            first[name][kept[0], layer], second[name][kept[1], layer], method="asymp"
        ).statistic
        for name in first
        for layer in range(1, first[name].shape[1])
    )


@pytest.mark.parametrize("chain", [*NAMED, *OTHERS, *NORMS], ids=repr)
def test_rows_has_the_law_of_dense_along_several_tangents(chain):
    tangents = np.random.default_rng(4).standard_normal((2, WIDE, N))
    found = of_both_engines(widened(chain), start("plain"), tangents)
    assert farthest(*found) < CRITICAL


@pytest.mark.parametrize("name", ["equal samples", "dependent samples", "one large sample"])
@pytest.mark.parametrize(
    "chain",
    [
        batchnorm_chain(WIDE, "tanh"),
        residual_batchnorm_chain(WIDE, 0.5),
        vanilla_chain(WIDE, "relu"),
        Chain((Linear(WIDE), LayerNorm(), Activation("gelu"))),
    ],
    ids=repr,
)
def test_rows_has_the_law_of_dense_from_hostile_starts(chain, name):
    tangents = np.random.default_rng(4).standard_normal((WIDE, N))
    assert farthest(*of_both_engines(chain, start(name), tangents)) < CRITICAL


def along_a_sample(batch):
    found = np.zeros_like(batch)
    found[:, 0] = 1.0
    return found


@pytest.mark.parametrize(
    "tangents",
    [
        "gaussian",
        lambda H: H,
        lambda H: np.roll(H, 1, axis=1),
        along_a_sample,
        lambda H: np.stack([H + 1e-7 * np.roll(H, 1, axis=0), H[:, ::-1]]),
    ],
    ids=["gaussian", "H itself", "H turned", "one sample alone", "nearly H"],
)
def test_rows_has_the_law_of_dense_along_hostile_tangents(tangents):
    chain = Chain((Residual(0.5), Activation("tanh"), Linear(WIDE), Bias(0.1)))
    assert farthest(*of_both_engines(chain, start("plain"), tangents)) < CRITICAL


@pytest.mark.parametrize("engine", ["dense", "rows"])
def test_without_activations_and_norms_tangents_obey_the_law_of_h(engine):
    """And along H itself they are H."""
    chain = Chain((Linear(WIDE), Residual(0.3)))
    found = simulate(
        chain,
        start("plain"),
        depth=5,
        replicas=REPLICAS,
        engine=engine,
        tangents=lambda H: np.stack([H, H[::-1]]),
        observables=["log_tangent_norm", "log_norm"],
    )
    along, H = found["log_tangent_norm"], found["log_norm"]
    assert np.abs(along[..., 0] - H).max() <= 1e-12
    for layer in range(1, 6):
        assert ks_2samp(along[:, layer, 1], H[:, layer], method="asymp").statistic < CRITICAL


def test_where_the_scale_is_taken_out_the_image_of_h_itself_is_nothing():
    found = simulate(
        batchnorm_chain(D),
        BATCH,
        depth=2,
        tangents=np.stack([BATCH, np.outer(TANGENT[:, 0], np.ones(N))]),
        observables=["log_tangent_norm", "tangent_norm"],
    )
    assert (found["tangent_norm"][0, 1:] <= 1e-13 * np.linalg.norm(BATCH)).all()
    assert found.spoiled[0, 1:].all()  # what is left is rounding, and is said to be


def test_tangents_double_with_their_start_at_any_depth_and_scale():
    """‖Ḣ‖² of batchnorm(relu) grows by 1.78819 a layer: to 1e300 and beyond."""
    options = {"depth": 2400, "every": 2400, "observables": ["log_tangent_norm", "tangent_norm"]}
    chain = batchnorm_chain(64)
    batch = np.random.default_rng(0).standard_normal((64, 8))
    tangent = np.random.default_rng(1).standard_normal((64, 8))
    one = simulate(chain, batch, tangents=tangent, **options)
    other = simulate(chain, batch, tangents=np.ldexp(tangent, -600), **options)
    difference = one["log_tangent_norm"] - other["log_tangent_norm"]
    assert np.abs(difference - 600 * math.log(2)).max() <= 1e-9
    assert abs(one["log_tangent_norm"][0, 1] / 2400 - math.log(1.78819) / 2) < 0.03
    assert not one.spoiled.any()


def test_a_small_batch_is_moved_by_more_where_its_scale_is_taken_out():
    chain, options = batchnorm_chain(D, "tanh"), {"depth": 3, "observables": ["log_tangent_norm"]}
    one = simulate(chain, BATCH, tangents=TANGENT, **options)["log_tangent_norm"]
    other = simulate(chain, BATCH / 1024, tangents=TANGENT, **options)["log_tangent_norm"]
    assert np.abs(other[0, 1:] - one[0, 1:] - math.log(1024)).max() <= 1e-9


def test_a_network_that_dies_takes_its_tangents_with_it():
    batch = np.ones((2, 1))
    found = simulate(
        vanilla_chain(2, "relu"),
        batch,
        depth=20,
        replicas=50,
        engine="dense",
        tangents="gaussian",
        observables=["alive", "log_tangent_norm"],
    )
    dead = found["alive"] == 0
    assert dead.any()
    assert (found["log_tangent_norm"][dead] == -math.inf).all()


# --- layers of one's own --------------------------------------------------------------------------


@pytest.fixture
def own_words():
    with LAYERS.restored(), OBSERVABLES.restored():
        yield


def own_layers():
    @dataclass(frozen=True)
    class Mixed(RowLayer):
        """H → H + roll(H)², whose derivative is not symmetric"""

        def on_rows(self, rows, xp, width):
            return rows + xp.roll(rows, 1, axis=-1) ** 2

    @dataclass(frozen=True)
    class Told(Mixed):
        """the same, with its derivative"""

        def pushforward(self, rows, tangent, xp, width):
            return tangent + 2 * xp.roll(rows * tangent, 1, axis=-1)

    return Mixed(), Told()


def test_a_layer_of_ones_own_takes_tangents_by_torch_or_as_it_says(own_words):
    found = [
        simulate(
            Chain((Linear(D), layer, Activation("tanh"))),
            BATCH,
            depth=3,
            engine="dense",
            tangents=TANGENT,
            backward=GRADIENT,
            observables=[TANGENTS, EVERY_ENTRY],
        )
        for layer in own_layers()
    ]
    one, other = (each["T"] for each in found)
    assert np.abs(one - other).max() <= 1e-12 * np.abs(one).max()
    pairs = (one * found[0]["G"]).sum(axis=(-2, -1))
    assert np.abs(pairs - pairs[:, -1:]).max() <= 1e-10 * np.abs(one).max() * D * N


def test_a_layer_that_says_what_is_not_so_of_its_derivative_is_refused(own_words):
    plain, told = (type(each) for each in own_layers())

    class Symmetric(plain):
        """said to be"""

        self_adjoint = True

    class Wrong(told):
        """its derivative is another's"""

        def pushforward(self, rows, tangent, xp, width):
            return tangent

    options = {"depth": 1, "tangents": TANGENT, "observables": ["tangent_norm"]}
    with pytest.raises(ValueError, match="says self_adjoint, but its derivative is no symmetric"):
        simulate(Chain((Linear(D), Symmetric())), BATCH, **options)
    with pytest.raises(ValueError, match="its pushforward gives the slope"):
        simulate(Chain((Linear(D), Wrong())), BATCH, **options)


def test_a_layer_that_leaves_torch_says_so(own_words):
    class Away(RowLayer):
        """by NumPy alone"""

        def on_rows(self, rows, xp, width):
            return xp.asarray(np.cbrt(np.asarray(rows)))

    chain = Chain((Linear(D), Away()))
    with pytest.raises(TypeError, match=r"finds no gradient .*; write it .* give it a pushforward"):
        simulate(chain, BATCH, depth=1, tangents=TANGENT, observables=["tangent_norm"])


def test_an_observable_of_ones_own_is_handed_tangents(own_words):
    @observable(reads="jvp", floor=0)
    def largest_entry(T):
        """of a tangent"""
        return abs(T).max(axis=(-2, -1))

    found = simulate(
        vanilla_chain(D), BATCH, depth=2, tangents=SEVERAL, observables=["largest_entry"]
    )
    assert found["largest_entry"].shape == (1, 3, 2)
    assert (found["largest_entry"][0, 0] == np.abs(SEVERAL).max(axis=(-2, -1))).all()


def test_an_observable_of_ones_own_may_contract_several():
    def products(T, *, width):
        return np.einsum("...adn,...bdn->...ab", T, T)

    found = simulate(
        vanilla_chain(D),
        BATCH,
        depth=2,
        engine="dense",
        tangents=SEVERAL,
        observables=[Observable("products", products, gram=False, jvp=True), TANGENTS],
    )
    T = found["T"]
    assert found["products"].shape == (1, 3, 2, 2)
    assert np.allclose(found["products"][..., 0, 1], (T[:, :, 0] * T[:, :, 1]).sum((-2, -1)))


def test_a_function_with_a_symmetric_derivative_of_its_own_is_followed():
    with_cube = Activation(lambda x: x**3 / 6, derivative=lambda x: x * x / 2)
    chains = [Chain((Linear(D), act)) for act in (with_cube, Activation(lambda x: x**3 / 6))]
    found = [
        simulate(c, BATCH, depth=3, tangents=TANGENT, engine="dense", observables=[TANGENTS])["T"]
        for c in chains
    ]
    assert np.abs(found[0] - found[1]).max() <= 1e-12 * np.abs(found[0]).max()


# --- at the door ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"tangents": None}, ValueError, "'tangent_norm' reads tangents; give tangents='gaussian'"),
        ({"tangents": "normal"}, ValueError, "tangents='normal' is unknown; give 'gaussian'"),
        ({"tangents": "gaussian(0)"}, ValueError, "tangents='gaussian.0.' is unknown"),
        ({"tangents": np.ones((D, N + 1))}, ValueError, r"has shape \(8, 4\); want .*\(8, 3\)"),
        ({"tangents": np.ones((0, D, N))}, ValueError, r"has shape \(0, 8, 3\); want"),
        ({"tangents": np.zeros((D, N))}, ValueError, "no entry but 0"),
        ({"tangents": np.full((D, N), np.nan)}, ValueError, "not finite"),
        ({"tangents": np.ones((D, N), complex)}, TypeError, "complex128; give real numbers"),
        ({"tangents": [[1.0], [1.0, 2.0]]}, ValueError, "tangents is no array"),
        ({"tangents": 3.0}, TypeError, "tangents=3.0 is a float; give"),
        ({"tangents": lambda H: None}, TypeError, "gave a NoneType; it must give an array like"),
        ({"tangents": lambda H: H[1:]}, ValueError, r"has shape \(7, 3\); want that of the batch"),
        (
            {"tangents": 1e300 * TANGENT, "dtype": "float32"},
            ValueError,
            "tangents has largest entry .*, outside float32; rescale it or use float64",
        ),
        (
            {"backward": 1e-300 * TANGENT, "dtype": "float32"}
            | {"observables": ["gradient_norm", "tangent_norm"]},
            ValueError,
            "backward has largest entry .*, outside float32; rescale it or use float64",
        ),
        ({"observables": ["log_norm"]}, ValueError, "read by none of the observables"),
        ({"engine": "factor"}, ValueError, "reads tangents, which needs all rows"),
        ({"engine": "mean_field"}, ValueError, "reads tangents, which needs all rows"),
        ({"engine": "rows", "tangents": "gaussian(2)"}, ValueError, "are 9 columns, more than the"),
    ],
)
def test_refused_in_one_line(changed, error, words):
    options = {"depth": 1, "tangents": TANGENT, "observables": ["tangent_norm"], **changed}
    with pytest.raises(error, match=words) as caught:
        simulate(vanilla_chain(D), BATCH, **options)
    assert "\n" not in str(caught.value)


def test_engines_draw_the_same_tangents_and_a_trajectory_keeps_what_they_were(tmp_path):
    options = {"depth": 1, "replicas": 3, "seed": 5, "observables": [TANGENTS]}
    runs = [
        simulate(vanilla_chain(D), BATCH, engine=engine, tangents="gaussian", **options)
        for engine in ("rows", "dense")
    ]
    assert np.array_equal(runs[0]["T"][:, 0], runs[1]["T"][:, 0])
    assert len(np.unique(runs[0]["T"][:, 0])) == 3 * D * N
    again = Trajectory.load(runs[0].save(tmp_path / "run.npz"))
    assert (again.tangents, again.backward) == ("gaussian", None)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_takes_the_same_path(dtype):
    options = {"depth": 4, "replicas": 2, "tangents": "gaussian(2)", "dtype": dtype}
    chain, observables = vanilla_chain(WIDE, "tanh"), ["tangent_norm", "tangent_gram"]
    options |= {"engine": "rows", "observables": observables}
    here = simulate(chain, start("plain"), **options)
    there = simulate(chain, start("plain"), device="cpu", **options)
    size = np.abs(here["tangent_norm"])
    tolerance = 1e-3 if dtype == "float32" else 1e-10
    assert (np.abs(here["tangent_norm"] - there["tangent_norm"]) <= tolerance * size).all()


@pytest.mark.parametrize("chain", [batchnorm_chain(64), Chain((Linear(64), Rescale()))], ids=repr)
def test_means_of_squares_grow_as_those_of_gradients(chain):
    """⟨G, Ḣ⟩ of independent normal G and Ḣ₀ has one variance, from either end."""
    batch = np.random.default_rng(0).standard_normal((64, 4))
    found = simulate(
        chain,
        batch,
        depth=8,
        replicas=400,
        engine="rows",
        tangents="gaussian",
        backward="gaussian",
        observables=["tangent_norm", "gradient_norm"],
    )
    forward, back = found["tangent_norm"][:, -1] ** 2, found["gradient_norm"][:, 0] ** 2
    spread = math.hypot(forward.std() / forward.mean(), back.std() / back.mean()) / 20
    assert abs(math.log(forward.mean() / back.mean())) <= 6 * spread
