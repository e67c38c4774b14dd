"""`simulate` as its users meet it: arguments, choices, shapes, scales, reproducibility."""

import hashlib
import math
import threading

import numpy as np
import pytest
import torch
from numpy.random import SeedSequence

from simulators.chains import (
    Chain,
    batchnorm_chain,
    recenter_relu_chain,
    rescale_activation_chain,
    rescale_chain,
    residual_chain,
    vanilla_chain,
)
from simulators.engines import dense, factor, rows
from simulators.layers import Activation, LayerNorm, Linear, Normalize, Recenter, Rescale, Residual
from simulators.observables import Observable
from simulators.simulate import simulate

BATCH = np.random.default_rng(0).standard_normal((6, 3))
CHAINS = [
    rescale_chain(8),
    residual_chain(6, 0.3),
    residual_chain(8, math.inf),
    recenter_relu_chain(8),
    batchnorm_chain(8),
    vanilla_chain(8),
    vanilla_chain(8, "tanh"),
    rescale_activation_chain(8, "sigmoid"),
    Chain((Linear(8, "rademacher"), Normalize())),
    Chain((Activation("relu"), Linear(8), Normalize())),
    Chain((Linear(9), Activation("sin"), Linear(7), Recenter(), Rescale("variance"))),
]


def frobenius(H):
    return (H * H).sum((-2, -1))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"chain": rescale_chain}, TypeError, "give a Chain"),
        ({"batch": np.zeros((3, 2))}, ValueError, "batch is all zero"),
        ({"batch": BATCH.T}, ValueError, "pass the transpose"),
        ({"depth": 0}, ValueError, "depth=0 is below 1"),
        ({"depth": 2.0}, TypeError, "depth=2.0 is a float"),
        ({"depth": True}, TypeError, "depth=True is a bool"),
        ({"replicas": 0}, ValueError, "replicas=0 is below 1"),
        ({"replicas": False}, TypeError, "replicas=False is a bool"),
        ({"seed": -1}, ValueError, "seed=-1"),
        ({"engine": "factro"}, ValueError, "did you mean 'factor'"),
        ({"engine": None}, TypeError, "engine=None"),
        ({"observables": ("orthogonality_gab",)}, ValueError, "did you mean 'orthogonality_gap'"),
        ({"observables": "orthogonality_gap"}, TypeError, r"write \('orthogonality_gap',\)"),
        ({"observables": frobenius}, TypeError, "not a tuple or mapping"),
        ({"observables": 3}, TypeError, "observables=3"),
        ({"observables": (3,)}, TypeError, "observable 3"),
        ({"observables": ()}, ValueError, "at least one"),
        ({"observables": ("effective_rank",) * 2}, ValueError, "each of another name"),
        ({"observables": {"all": lambda H: H.sum()}}, ValueError, "must give an array that keeps"),
        ({"observables": {"one": lambda H: 1.0}}, ValueError, "gave 1.0 for H of shape"),
        ({"observables": {"text": lambda H: frobenius(H).astype(str)}}, TypeError, "give numbers"),
        ({"chain": np.ones((9, 9))}, TypeError, "^chain=array[^\n]* is an ndarray; give a Chain"),
        ({"observables": (np.ones((9, 9)),)}, TypeError, "^observable array[^\n]* is not a name"),
        ({"dtype": np.ones((9, 9))}, ValueError, "^dtype=array[^\n]* is not available"),
        ({"dtype": "float16"}, ValueError, "dtype='float16'"),
        ({"every": 3}, ValueError, "every=3 does not divide depth=2"),
        ({"every": 0}, ValueError, "every=0 is below 1"),
        ({"every": 1.0}, TypeError, "every=1.0 is a float"),
        ({"device": "cuda:99"}, ValueError, "device='cuda:99' is not on this machine"),
    ],
)
def test_bad_arguments_are_refused(change, error, message):
    arguments = {"chain": rescale_chain(8), "batch": BATCH, "depth": 2} | change
    with pytest.raises(error, match=message):
        simulate(arguments.pop("chain"), arguments.pop("batch"), **arguments)


def test_values_have_the_promised_shapes_and_column_zero_is_the_batch():
    names = ("orthogonality_gap", "spectrum", "gram", frobenius)
    trajectory = simulate(rescale_chain(8), BATCH, depth=5, replicas=4, observables=names)
    assert {name: array.shape for name, array in trajectory.values.items()} == {
        "orthogonality_gap": (4, 6),
        "spectrum": (4, 6, 3),
        "gram": (4, 6, 3, 3),
        "frobenius": (4, 6),
    }
    assert (trajectory["frobenius"][:, 0] == frobenius(BATCH)).all()
    # Each of 8 rows of three entries is normalised to within 4 eps; their sum adds 24 roundings.
    assert abs(trajectory["frobenius"][:, 1:] - 1).max() <= 32 * np.finfo(float).eps


def test_observables_by_mapping_take_the_given_names():
    trajectory = simulate(
        rescale_chain(8), BATCH, depth=2, observables={"V": "orthogonality_gap", "size": frobenius}
    )
    assert list(trajectory.values) == ["V", "size"]


def test_the_width_reaches_observables_that_need_it():
    names = ("soft_rank(0.0)", "soft_rank(1.0)")
    trajectory = simulate(rescale_chain(50), BATCH, depth=3, observables=names)
    assert trajectory.engine == "factor"
    assert trajectory["soft_rank(0.0)"].tolist() == [[6, 50, 50, 50]]
    assert (trajectory["soft_rank(1.0)"][:, 1:] == 3).all()


RUNS = [(chain, engine) for chain in CHAINS for engine in ("auto", "dense")]
RUNS += [(chain, "rows") for chain in CHAINS if rows.obstacle(chain) is None]


@pytest.mark.parametrize(("chain", "engine"), RUNS, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("device", [None, "cpu"])
def test_every_chain_runs_on_both_libraries_in_both_precisions(chain, engine, dtype, device):
    trajectory = simulate(
        chain, BATCH, depth=4, replicas=3, engine=engine, dtype=dtype, device=device
    )
    gap = trajectory["orthogonality_gap"]
    assert gap.dtype == dtype
    # V is a root of a sum of n² squares of entries rounded a few times: its ceiling holds to n²
    # eps.
    assert ((gap >= 0) & (gap <= (2 / 3) ** 0.5 + 9 * np.finfo(dtype).eps)).all()


@pytest.mark.parametrize(
    ("chain", "observables", "reason", "taken"),
    [
        (residual_chain(6, 0.3), ("effective_rank",), "adds the layer's input", "rows"),
        (
            Chain((Linear(8, "uniform"), Rescale())),
            ("effective_rank",),
            "draws uniform weights",
            "dense",
        ),
        (
            Chain((Linear(8), Normalize(), Activation("tanh"))),
            ("effective_rank",),
            "needs all rows",
            "rows",
        ),
        (
            Chain((Activation("tanh"), Linear(8), Normalize())),
            ("effective_rank",),
            "before Activation",
            "rows",
        ),
        (rescale_chain(8), (frobenius,), "'frobenius' is not declared gram_invariant", "rows"),
    ],
)
def test_where_factor_is_not_exact_auto_takes_the_next_and_factor_says_why(
    chain, observables, reason, taken
):
    trajectory = simulate(chain, BATCH[:, :2], depth=1, observables=observables)
    assert trajectory.engine == taken
    assert reason in trajectory.engine_reason
    with pytest.raises(ValueError, match=f"not exact here.*{reason}.*use engine=.*'{taken}'"):
        simulate(chain, BATCH[:, :2], depth=1, observables=observables, engine="factor")
    assert (
        simulate(chain, BATCH[:, :2], depth=1, observables=observables, engine="dense").engine
        == "dense"
    )


def test_auto_draws_weights_where_they_are_as_few_as_images():
    assert simulate(residual_chain(6, 0.3), BATCH, depth=1).engine == "dense"
    assert simulate(residual_chain(7, 0.3), np.eye(7, 3), depth=1).engine == "rows"


def test_few_rows_of_a_batch_make_no_wide_weights_cheap():
    chain = Chain((Linear(64), LayerNorm(), Activation("relu")))
    assert simulate(chain, np.eye(3), depth=1).engine == "rows"


def test_rows_says_why_it_does_not_draw_other_laws():
    with pytest.raises(ValueError, match=r"engine='rows' is not exact.*uniform.*engine='dense'"):
        simulate(Chain((Linear(8, "uniform"), Rescale())), BATCH, depth=1, engine="rows")


@pytest.mark.parametrize(
    "chain",
    [
        rescale_chain(8),
        residual_chain(8, math.inf),
        Chain((Residual(math.inf), Rescale())),
        recenter_relu_chain(8),
        rescale_activation_chain(8, "tanh"),
        Chain((Linear(8), Normalize(), Activation("relu"))),
        Chain((Linear(8), Normalize(), Rescale(), Activation("tanh"))),
    ],
    ids=repr,
)
def test_where_gram_is_exact_auto_takes_it(chain):
    trajectory = simulate(chain, BATCH, depth=2)
    assert (trajectory.engine, trajectory.engine_reason[:12]) == ("factor", "exact in law")
    assert simulate(chain, BATCH, depth=2, engine="factor").engine_reason == "asked for"


def test_a_marked_function_is_measured_on_the_factor():
    def size(H):
        return frobenius(H)

    size.gram_invariant = True
    trajectory = simulate(rescale_chain(8), BATCH, depth=2, observables=(size,))
    assert trajectory.engine == "factor"


def test_mean_field_is_the_limit_of_wide_chains():
    wide = simulate(rescale_chain(200_000), BATCH, depth=1)["orthogonality_gap"]
    limit = simulate(rescale_chain(7), BATCH, depth=1, engine="mean_field")["orthogonality_gap"]
    # C⁺ is within d^{-1/2} of its mean in root mean square (DJB21, Lemma 6); six deviations.
    assert abs(wide - limit).max() <= 6 / 200_000**0.5


def test_mean_field_keeps_the_directions_of_the_batch():
    trajectory = simulate(
        Chain((Linear(7), Rescale("variance"))),
        BATCH,
        depth=2,
        engine="mean_field",
        observables=("gram",),
    )
    _, directions = np.linalg.eigh(BATCH.T @ BATCH)
    for layer in range(3):
        rotated = directions.T @ trajectory["gram"][0, layer] @ directions
        # eigh, svd and three products of 3 × 3 matrices of norm at most 1, each a small multiple
        # of n eps.
        assert abs(rotated - np.diag(np.diag(rotated))).max() <= 100 * np.finfo(float).eps


@pytest.mark.parametrize(
    ("chain", "options", "reason"),
    [
        (batchnorm_chain(8, "tanh"), {}, "tanh is not homogeneous"),
        (Chain((Linear(8, "uniform"), Rescale())), {}, "its weights are uniform"),
        (rescale_chain(8), {"replicas": 2}, "give replicas=1"),
        (rescale_chain(8), {"observables": (frobenius,)}, "not declared gram_invariant"),
    ],
)
def test_mean_field_is_refused_where_it_does_not_apply(chain, options, reason):
    with pytest.raises(ValueError, match=f"engine='mean_field' does not apply.*{reason}"):
        simulate(chain, BATCH, depth=1, engine="mean_field", **options)


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**1000])
@pytest.mark.parametrize(
    "chain",
    [rescale_chain(8), vanilla_chain(8), recenter_relu_chain(8), batchnorm_chain(8)],
    ids=repr,
)
def test_a_power_of_two_changes_no_bit_where_the_scale_is_free(chain, scale, engine):
    options = {"depth": 6, "replicas": 2, "engine": engine}
    plain, scaled = (simulate(chain, batch, **options) for batch in (BATCH, BATCH * scale))
    assert (plain["orthogonality_gap"] == scaled["orthogonality_gap"]).all()


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
@pytest.mark.parametrize("scale", [1e-300, 1e300])
@pytest.mark.parametrize(
    "chain", [vanilla_chain(8, "tanh"), rescale_activation_chain(8, "tanh")], ids=repr
)
def test_extreme_scales_do_no_harm_where_they_matter(chain, scale, engine):
    gap = simulate(chain, BATCH * scale, depth=6, replicas=2, engine=engine)["orthogonality_gap"]
    assert np.isfinite(gap).all()


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
@pytest.mark.parametrize("activation", ["identity", "relu"])
def test_vanilla_chains_neither_overflow_nor_underflow(engine, activation):
    def size(H):
        return frobenius(H)

    size.gram_invariant = True
    trajectory = simulate(
        vanilla_chain(32, activation), BATCH, depth=10_000, engine=engine,
        observables=("absolute_cosine", size),
    )  # fmt: skip
    assert trajectory["absolute_cosine"][0, -1] > 1 - 1e-6
    # ‖H‖ is divided by itself: each of at most 96 squares is rounded, and so is their sum.
    assert abs(trajectory["size"][0, 1:] - 1).max() <= 200 * np.finfo(float).eps


def test_a_dead_network_is_nan_without_a_warning():
    chain, batch = vanilla_chain(1, "relu"), np.array([[1.0]])
    for engine in ("factor", "rows", "dense"):
        gap = simulate(chain, batch, depth=30, replicas=5, engine=engine)["orthogonality_gap"]
        assert np.isnan(gap[:, -1]).all()
        assert (gap[:, 0] == 0).all()


@pytest.mark.parametrize("engine", ["factor", "rows", "dense", "mean_field"])
@pytest.mark.parametrize("n", [1, 2, 6])
def test_one_sample_two_and_as_many_as_coordinates(engine, n):
    batch = np.random.default_rng(n).standard_normal((6, n))
    gap = simulate(rescale_chain(6), batch, depth=5, engine=engine)["orthogonality_gap"]
    assert np.isfinite(gap).all()
    if n == 1:
        assert (gap == 0).all()


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize(
    "chain", [rescale_chain(8), batchnorm_chain(8), rescale_activation_chain(8, "tanh")], ids=repr
)
def test_nearly_collinear_samples_in_float32(chain, engine, library):
    batch = np.ones((6, 3)) + 1e-6 * np.random.default_rng(1).standard_normal((6, 3))
    device = None if library == "numpy" else "cpu"
    gap = simulate(
        chain, batch, depth=50, replicas=4, engine=engine, dtype="float32", device=device
    )
    assert np.isfinite(gap["orthogonality_gap"]).all()


@pytest.mark.parametrize("chain", CHAINS, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_replicas_do_not_depend_on_their_number_or_grouping(chain, dtype, monkeypatch):
    options = {"depth": 4, "seed": 5, "dtype": dtype}
    for engine in {simulate(chain, BATCH, **options).engine, "dense"}:
        many = simulate(chain, BATCH, replicas=50, engine=engine, **options)["orthogonality_gap"]
        few = simulate(chain, BATCH, replicas=3, engine=engine, **options)["orthogonality_gap"]
        with monkeypatch.context() as patch:
            patch.setattr(factor, "PIECE_ENTRIES", 200)
            grouped = simulate(chain, BATCH, replicas=50, engine=engine, **options)[
                "orthogonality_gap"
            ]
        assert (many[:3] == few).all()
        assert (many == grouped).all()
        assert len(np.unique(many[:, 1])) == 50


@pytest.mark.parametrize(
    ("engine", "unit", "name"), [(dense, 36, "LAYER_ENTRIES"), (rows, 18, "PIECE_ENTRIES")]
)
def test_replicas_of_whole_layers_do_not_depend_on_grouping(engine, unit, name, monkeypatch):
    def gaps():
        return simulate(
            residual_chain(6, 1.0),
            BATCH,
            depth=30,
            replicas=5,
            engine=engine.__name__.rpartition(".")[2],
        )["orthogonality_gap"]

    together = gaps()
    for entries in (unit, 2 * unit):  # one replica at once, two
        monkeypatch.setattr(engine, name, entries)
        assert (together == gaps()).all()


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
def test_the_same_call_gives_the_same_bits_and_another_seed_others(engine):
    def run(seed):
        return simulate(rescale_chain(300), BATCH, depth=10, replicas=9, seed=seed, engine=engine)

    root = SeedSequence(3)
    first = run(root)
    assert (first["orthogonality_gap"] == run(root)["orthogonality_gap"]).all()
    assert (first["orthogonality_gap"] == run(3)["orthogonality_gap"]).all()
    assert (first["orthogonality_gap"][:, 1:] != run((3, 1))["orthogonality_gap"][:, 1:]).all()


def test_the_engines_draw_from_separate_streams():
    gaps = [simulate(rescale_chain(3), BATCH, depth=1, engine=name)["orthogonality_gap"][0, 1]
            for name in ("factor", "rows", "dense")]  # fmt: skip
    assert len(set(gaps)) == 3


def test_the_batch_is_left_alone_in_both_libraries():
    chain = Chain((Recenter(), Activation("identity"), Rescale(), Linear(8)))
    for engine in ("factor", "rows", "dense"):
        array, tensor = BATCH.copy(), torch.tensor(BATCH)
        simulate(chain, array, depth=2, engine=engine)
        simulate(chain, tensor, depth=2, engine=engine)
        assert (array == BATCH).all()
        assert (tensor.numpy() == BATCH).all()


def test_a_torch_batch_selects_torch_and_observables_see_tensors():
    seen = []

    def kind(H):
        seen.append(type(H))
        return frobenius(H)

    simulate(rescale_chain(8), torch.tensor(BATCH), depth=1, observables=(kind,))
    simulate(rescale_chain(8), BATCH, depth=1, observables=(kind,))
    assert seen == [torch.Tensor] * 2 + [np.ndarray] * 2


def test_settings_say_what_ran():
    trajectory = simulate(
        rescale_chain(8), BATCH, depth=2, replicas=3, seed=SeedSequence(7, spawn_key=(1,))
    )
    assert trajectory.chain == repr(rescale_chain(8))
    assert (trajectory.depth, trajectory.replicas, trajectory.dtype) == (2, 3, "float64")
    assert trajectory.seed == {"entropy": 7, "spawn_key": [1]}
    assert trajectory.batch_shape == (6, 3)
    assert trajectory.batch_sha256 == hashlib.sha256(BATCH.tobytes()).hexdigest()
    assert trajectory.versions["numpy"] == np.__version__


def test_simulations_may_run_in_several_threads():
    results = [None] * 4

    def work(slot):
        results[slot] = simulate(rescale_chain(64), BATCH, depth=200, replicas=8)[
            "orthogonality_gap"
        ]

    threads = [threading.Thread(target=work, args=(slot,)) for slot in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all((result == results[0]).all() for result in results)


@pytest.mark.parametrize(
    "chain", [rescale_chain(8), residual_chain(6, 0.3), vanilla_chain(8)], ids=repr
)
@pytest.mark.parametrize("engine", ["auto", "rows", "dense"])
def test_measuring_now_and_then_gives_the_same_path(chain, engine):
    options = {"depth": 12, "replicas": 5, "seed": 2, "engine": engine}
    all_layers = simulate(chain, BATCH, **options)
    some = simulate(chain, BATCH, every=4, **options)
    assert (all_layers.every, some.every) == (1, 4)
    assert some["orthogonality_gap"].shape == (5, 4)
    assert (some["orthogonality_gap"] == all_layers["orthogonality_gap"][:, ::4]).all()


def test_an_observable_that_fails_in_a_thread_fails_here():
    def broken(H):
        if H.shape[1] > 1 or H.shape[-2] != 6 or not (H == BATCH).all():
            raise ZeroDivisionError("seen")
        return frobenius(H)

    with pytest.raises(ZeroDivisionError, match="seen"):
        simulate(residual_chain(6, 0.3), BATCH, depth=50, replicas=9, observables=(broken,))
    assert not [
        thread for thread in threading.enumerate() if thread.name.startswith(("replicas", "draws"))
    ]


@pytest.mark.parametrize("law", ["gaussian", "uniform", "rademacher"])
def test_a_residual_chain_takes_any_law(law):
    rank = simulate(
        residual_chain(6, 0.5, law), BATCH, depth=3, replicas=4, observables=("effective_rank",)
    )
    assert np.isfinite(rank["effective_rank"]).all()
    assert law in rank.chain


def test_the_former_name_of_an_engine_works_and_says_so():
    now = simulate(rescale_chain(8), BATCH, depth=2, engine="factor")
    with pytest.warns(DeprecationWarning, match="engine 'gram' is called 'factor' now"):
        former = simulate(rescale_chain(8), BATCH, depth=2, engine="gram")
    assert former.engine == "factor"
    assert np.array_equal(former["orthogonality_gap"], now["orthogonality_gap"])


def test_what_has_a_value_nowhere_is_refused_and_what_has_one_somewhere_is_not():
    def nowhere(H, width=None):
        return H[..., 0, 0] * math.nan

    def of_full_rank(H):
        """NaN at the first batch below, a number elsewhere"""
        return np.where(np.linalg.matrix_rank(H) == H.shape[-1], H[..., 0, 0], math.nan)

    with pytest.raises(ValueError, match=r"observable 'o' gave NaN for the batch, and for a matri"):
        simulate(rescale_chain(8), BATCH, depth=2, observables={"o": nowhere})
    with pytest.raises(ValueError, match="'nowhere' gave NaN"):
        simulate(
            rescale_chain(8),
            BATCH,
            depth=2,
            observables=(Observable("nowhere", nowhere, gram=False, backward=True),),
            backward="gaussian",
        )
    flat = np.outer(np.arange(6.0), [1, 2])
    values = simulate(rescale_chain(8), flat, depth=2, observables={"o": of_full_rank})["o"]
    assert np.isnan(values[0, 0])
    # a sample that is 0 has no angle with another
    absent = np.stack([np.zeros(6), np.ones(6)], axis=1)
    assert np.isnan(
        simulate(vanilla_chain(8), absent, depth=1, observables=("cosine",))["cosine"]
    ).all()
