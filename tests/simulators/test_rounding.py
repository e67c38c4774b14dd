"""Where float arithmetic cannot follow a network it says so, and where it can it does.

Two-sample tests compare the engines from hostile starts. All of them together raise a false
alarm with probability at most 1e-6; seeds are fixed.
"""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hostile import HOSTILE, mean_first
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from simulators import (
    Chain,
    Trajectory,
    batchnorm_chain,
    rescale_chain,
    residual_chain,
    simulate,
    vanilla_chain,
)
from simulators.backend import NumpyBackend
from simulators.batches import centred, gaussian_batch
from simulators.chains import CHAINS
from simulators.engines import rounding
from simulators.layers import (
    Activation,
    Bias,
    GroupNorm,
    LayerNorm,
    Linear,
    Recenter,
    Rescale,
    Residual,
    RMSNorm,
)
from simulators.observables import Observable

WIDTH, N, DEPTH, REPLICAS = 16, 4, 10, 150
CLOSE = 1e-5  # laws of a single point are told apart by rounding
READ = ("orthogonality_gap", "mean_absolute_cosine")
VARIANTS = [variant for chain in CHAINS.values() for variant in chain.variants]
NAMED = {variant.name: variant(WIDTH, {"gamma": 0.1}) for variant in VARIANTS}
FACTORED = [name for name in NAMED if not name.startswith("residual")]  # a factor of H will do
NAMED |= {
    "Linear LayerNorm relu": Chain((Linear(WIDTH), LayerNorm(), Activation("relu"))),
    "Linear BN Bias relu": Chain(
        (Linear(WIDTH), Recenter(), Rescale("variance"), Bias(0.5), Activation("relu"))
    ),
    "Residual RMSNorm": Chain((Residual(0.5), RMSNorm())),
    "Linear GroupNorm relu": Chain((Linear(WIDTH), GroupNorm(4), Activation("relu"))),
}
CONTRACTING = ("sigmoid", "softplus")  # unless BN pulls samples apart, they fall together
FALSE_ALARM = 1e-6 / (2 * len(NAMED) * (len(HOSTILE) + 2) * 2 * 2 * len(READ))


def in_law(name: str) -> tuple[str, ...]:
    """The engines that are exact in law for the chain of that name, and draw no weights."""
    return ("factor", "rows") if name in FACTORED else ("rows",)


def run(chain: Chain, batch: NDArray[np.float64], engine: str, **more: Any) -> Trajectory:
    given = {
        "depth": DEPTH,
        "replicas": REPLICAS,
        "observables": READ,
        "seed": (7, ("factor", "dense", "rows").index(engine)),
        **more,
    }
    return simulate(chain, batch, engine=engine, **given)


def differ(one: Trajectory, other: Trajectory, layer: int = -1) -> bool:
    """Whether two laws differ by more than `CLOSE` at a layer, by Kolmogorov and Smirnov; no where
    one is spoiled.
    """
    if one.spoiled[:, layer].any() or other.spoiled[:, layer].any():
        return False
    for name in READ:
        first, second = (
            each[name][:, layer][~np.isnan(each[name][:, layer])] for each in (one, other)
        )
        if not (len(first) and len(second)):
            continue
        below = ks_2samp(first + CLOSE, second, alternative="greater", method="asymp").pvalue
        above = ks_2samp(first - CLOSE, second, alternative="less", method="asymp").pvalue
        if min(below, above) < FALSE_ALARM / 2:
            return True
    return False


@pytest.mark.parametrize("name", NAMED)
def test_engines_agree_in_law_from_hostile_starts_or_say_spoiled(name: str) -> None:
    for start, make in HOSTILE.items():
        for dtype in ("float64", "float32"):
            batch = make(WIDTH, N)
            if dtype == "float32" and abs(batch).max() > 1e38:
                continue  # refused at the door
            dense = run(NAMED[name], batch, "dense", dtype=dtype)
            for engine in in_law(name):
                found = run(NAMED[name], batch, engine, dtype=dtype)
                for layer in (1, 4, DEPTH):
                    assert not differ(found, dense, layer), (start, dtype, engine, layer)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NAMED)
def test_nothing_is_spoiled_from_a_healthy_start(name: str, dtype: str) -> None:
    for engine in (*in_law(name), "dense"):
        found = run(
            NAMED[name], gaussian_batch(WIDTH, N, 1), engine, depth=100, replicas=50, dtype=dtype
        )
        assert not found.spoiled.any()
        if not any(
            each in name for each in CONTRACTING
        ):  # samples become equal there, as far as floats can tell
            assert found.rounding.max() < {"float64": 1e-8, "float32": 2e-3}[dtype]


@pytest.mark.parametrize("width", [8, 64])
def test_square_residual_chains_are_not_spoiled_in_float32(width: int) -> None:
    found = simulate(
        residual_chain(width, 0.1), np.eye(width), depth=200, replicas=40, dtype="float32", seed=2
    )
    assert found.spoiled[:, -1].mean() < 0.1


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "identity"])
def test_a_common_mean_cancels_exactly(activation: str, dtype: str, engine: str) -> None:
    """Eigenvalues of 1e-300 beside the mean: to batchnorm, the same start as equal ones without a
    mean.
    """
    chain, n = batchnorm_chain(64, activation), 8
    tiny = HOSTILE["eigenvalues 1e-300 beside the mean"](n, n)
    plain = np.vstack([mean_first(n)[:, 1:].T, np.zeros((1, n))])
    one, other = (
        run(chain, batch, engine, depth=4, dtype=dtype, seed=(3, k))
        for k, batch in enumerate((tiny, plain))
    )
    assert not one.spoiled.any()
    assert not other.spoiled.any()
    assert not any(differ(one, other, layer) for layer in range(1, 5))


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
@pytest.mark.parametrize("name", FACTORED)
def test_equal_samples_stay_equal(name: str, engine: str) -> None:
    batch = HOSTILE["equal samples"](WIDTH, N)
    found = run(NAMED[name], batch, engine, depth=40, replicas=20, observables=("cosine",))
    defined = found["cosine"][~np.isnan(found["cosine"])]
    assert abs(defined - 1).max() < 1e-12
    assert not found.spoiled.any()


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
@pytest.mark.parametrize("name", [name for name in FACTORED if NAMED[name].odd])
def test_opposite_samples_stay_opposite(name: str, engine: str) -> None:
    found = run(
        NAMED[name],
        HOSTILE["opposite samples"](WIDTH, N),
        engine,
        depth=40,
        replicas=20,
        observables=("cosine",),
    )
    assert abs(found["cosine"] + 1).max() < 1e-12
    assert not found.spoiled.any()


def _log_determinant(H: Any, *, width: int) -> Any:
    scaled = H / abs(H).max(axis=(-2, -1), keepdims=True)
    return np.linalg.slogdet(
        scaled.swapaxes(-1, -2) if scaled.shape[-1] == scaled.shape[-2] else scaled
    ).logabsdet


@pytest.mark.parametrize("chain", [rescale_chain(WIDTH), vanilla_chain(WIDTH)])
def test_singular_values_of_any_ratio_are_carried_by_the_thin_engine(chain: Chain) -> None:
    """Under the same weights the determinant is proportional to that of the start, however small
    it is.
    """
    determinant = Observable("log_determinant", _log_determinant, gram=True)
    logs = [
        simulate(
            chain,
            np.diag([1.0, 0.5, tiny])[:, :3] @ _rotation(),
            depth=6,
            replicas=5,
            engine="factor",
            observables=(determinant,),
        )["log_determinant"]
        for tiny in (1e-20, 1e-150)
    ]
    np.testing.assert_allclose(logs[0] - logs[1], 130 * np.log(10), rtol=1e-9)


def _rotation() -> NDArray[np.float64]:
    return np.asarray(np.linalg.qr(np.random.default_rng(8).standard_normal((3, 3))).Q)


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
def test_noise_that_grows_into_sight_is_spoiled_and_stays_so(engine: str) -> None:
    batch = HOSTILE["eigenvalues 1e-300, rows mixed"](WIDTH, N)
    found = run(rescale_chain(WIDTH), batch, engine, depth=40, dtype="float32")
    assert not found.spoiled[:, 1].any()
    assert found.spoiled[:, -1].all()
    assert (found.spoiled[:, 1:] >= found.spoiled[:, :-1]).all()
    assert found.rounding.max() <= 1
    assert (np.diff(found.rounding[:, 1:], axis=1) >= 0).all()


def test_an_estimate_that_is_too_small_lets_the_engines_disagree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the comparison of engines is worth: with the estimate away, rounding is taken for a
    result.
    """
    batch = HOSTILE["one large sample"](WIDTH, N)
    monkeypatch.setattr(rounding, "ROUNDINGS", 1e-30)
    monkeypatch.setattr(rounding, "_FORGOTTEN", 0.0)
    monkeypatch.setattr(rounding, "SPOILED", 2.0)
    from simulators import trajectory

    monkeypatch.setattr(trajectory, "SPOILED", 2.0)
    one = run(batchnorm_chain(WIDTH, "relu"), batch, "factor", depth=40, dtype="float32")
    exact = run(batchnorm_chain(WIDTH, "relu"), batch, "factor", depth=40)
    assert differ(one, exact)


def test_an_estimate_that_is_too_large_spoils_healthy_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounding, "ROUNDINGS", 1e14)
    assert run(batchnorm_chain(WIDTH, "relu"), gaussian_batch(WIDTH, N, 1), "factor").spoiled.any()


def test_nothing_is_off_by_more_than_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounding, "ROUNDINGS", 1e20)
    found = run(batchnorm_chain(WIDTH, "relu"), gaussian_batch(WIDTH, N, 1), "factor", depth=2)
    assert found.rounding.max() == 1


def test_copies_are_found_and_negatives_where_the_chain_keeps_them() -> None:
    x, y = gaussian_batch(WIDTH, 2, 1).T
    batch = np.stack([x, -x, x, y, -y, 0 * x, -0.0 * x], axis=1)
    odd = rounding.Copies.among(batch, rescale_chain(WIDTH))
    assert odd.pairs == ((1, 0, -1), (2, 0, 1), (4, 3, -1), (6, 5, 1))
    assert odd.others == (0, 3, 5)
    other = rounding.Copies.among(batch, batchnorm_chain(WIDTH, "relu"))
    assert other.pairs == ((2, 0, 1), (6, 5, 1))
    rows = odd.restored(batch.T + 1e-9 * np.arange(7)[:, None])
    assert (rows[1] == -rows[0]).all()
    assert (rows[2] == rows[0]).all()
    assert (rows[4] == -rows[3]).all()


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
def test_what_float32_cannot_hold_is_spoiled_on_arrival(engine: str) -> None:
    batch = gaussian_batch(WIDTH, N, 1)
    batch[:, 0] *= 1e-60
    found = run(rescale_chain(WIDTH), batch, engine, dtype="float32")
    assert found.spoiled.all()
    assert not run(rescale_chain(WIDTH), batch, engine).spoiled.any()


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
def test_a_centring_after_the_activation_tells_what_it_cancels(engine: str) -> None:
    """The activation's mean dwarfs what the samples differ in; rescaling then shows rounding."""
    chain = Chain((Linear(WIDTH), Activation("sigmoid"), Recenter(), Rescale("variance")))
    one, two = (run(chain, scale * gaussian_batch(WIDTH, N, 1), engine) for scale in (1e-15, 1e-3))
    assert one.spoiled[:, 1:].all()
    assert not two.spoiled.any()


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
def test_a_centring_of_later_weights_tells_what_it_cancels(engine: str) -> None:
    """(WF)J = W(FJ): the mean of F dwarfs what the samples differ in there as well."""
    chain = Chain((Linear(WIDTH), Activation("sigmoid"), Linear(WIDTH), Recenter(), Rescale()))
    one, two = (run(chain, scale * gaussian_batch(WIDTH, N, 1), engine) for scale in (1e-15, 1e-3))
    assert one.spoiled[:, 1:].all()
    assert not two.spoiled.any()


def test_what_a_late_centring_cancels_does_not_depend_on_the_blocks_of_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain = Chain((Linear(WIDTH), Activation("sigmoid"), Recenter(), Rescale("variance")))
    batch = 1e-9 * gaussian_batch(WIDTH, N, 1)
    whole = run(chain, batch, "factor", depth=2).rounding[:, 1:]
    monkeypatch.setattr("simulators.engines.factor.block_rows", lambda n: 3)
    blocks = run(chain, batch, "factor", depth=2).rounding[:, 1:]
    assert np.median(blocks / whole, axis=0) == pytest.approx(1, rel=0.5)


def test_infinite_width_is_spoiled_where_the_batch_hides_its_spectrum() -> None:
    hidden = HOSTILE["eigenvalues 1e-300, rows mixed"](WIDTH, 2)
    found = simulate(rescale_chain(WIDTH), hidden, depth=20, engine="mean_field")
    assert not found.spoiled[0, 1]
    assert found.spoiled[0, -1]
    assert not simulate(
        rescale_chain(WIDTH), gaussian_batch(WIDTH, 4, 0), depth=20, engine="mean_field"
    ).spoiled.any()


@pytest.mark.parametrize("seed", range(20))
def test_centring_is_exact_to_a_few_units_in_the_last_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d, n = rng.integers(1, 6), rng.integers(1, 7)
    batch = rng.standard_normal((d, 1)) * 10.0 ** rng.integers(-200, 200, (d, 1))
    batch = batch * (1 + 10.0 ** rng.integers(-18, 1) * rng.standard_normal((d, n)))
    batch[:, -1] = batch.mean(axis=1)
    found = centred(batch)
    for row, exact_row in zip(
        found, [[Fraction(x) for x in row] for row in batch.tolist()], strict=True
    ):
        mean = sum(exact_row) / len(exact_row)
        exact = np.array([float(x - mean) for x in exact_row])
        largest = np.abs(found).max(axis=0)
        assert (np.abs(row - exact) <= 64 * n * 2**-53 * np.maximum(np.abs(exact), largest)).all()
        assert (row[exact == 0] == 0).all()


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
def test_the_estimate_is_kept_with_the_values(engine: str, tmp_path: Any) -> None:
    found = run(
        rescale_chain(WIDTH), HOSTILE["dependent samples"](WIDTH, N), engine, depth=6, every=3
    )
    assert found.rounding.shape == found.spoiled.shape == (REPLICAS, 3)
    assert (Trajectory.load(found.save(tmp_path / "t.npz")).rounding == found.rounding).all()
    with pytest.raises(ValueError, match="read-only"):
        found.rounding[:] = 0


def test_the_error_on_arrival_holds_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounding, "arrival_error", lambda *_: 1e-3)
    start = np.random.default_rng(0).standard_normal((2 * N, N))
    found = run(rescale_chain(WIDTH), start, "factor", depth=2)
    assert (found.rounding[:, 1:] == 1e-3).all()


def test_a_level_is_written_down_from_its_layer_on() -> None:
    outlook = rounding.Outlook(
        chain=rescale_chain(2),
        relation=None,
        unit=2.0**-53,
        least=2.0**-1022,
        samples=(0, 1),
        level=1e-9,
        distances=np.empty(0),
        ratios=np.empty(0),
    )
    watch = rounding.Watch(outlook, 2, 6, 3, NumpyBackend("float64"))
    assert (watch.errors == 1e-9).all()
    cancelled = np.ones((6, 2))
    cancelled[0, 0] = cancelled[4, 1] = 1e-5 / (rounding.ROUNDINGS * outlook.unit)
    blocks = (rounding.Representation(np.eye(2)[None].repeat(2, 0), each) for each in cancelled)
    assert len(list(watch.over(blocks))) == 6
    assert watch.errors.tolist() == [[1e-9, 1e-5, 1e-5], [1e-9, 1e-9, 1e-5]]


@pytest.mark.parametrize(("share", "away"), [(1 / 16 - 2**-12, True), (1 / 16, False)])
def test_a_distance_below_a_sixteenth_of_a_unit_has_been_rounded_away(
    share: float, away: bool
) -> None:
    start = np.array([[1, 1], [0, 2.0**-60]])
    chain = vanilla_chain(2, "tanh")
    copies = rounding.Copies.among(start, chain)
    outlook = rounding.Outlook.of(chain, start, start, copies, "float64", carried=False)
    watch = rounding.Watch(outlook, 1, 8, 1, NumpyBackend("float64"))
    later = np.array([[[1, 0], [1, share * 2.0**-53]]])
    assert len(list(watch.over(iter([rounding.Representation(later)] * 8)))) == 8
    assert bool(watch.errors[0, -1] == 1) is away


FINDS = [
    (rescale_chain(WIDTH), rounding.Relation.SPAN),
    (batchnorm_chain(WIDTH, "identity"), rounding.Relation.SPAN),
    (vanilla_chain(WIDTH, "relu"), rounding.Relation.DIRECTION),
    (batchnorm_chain(WIDTH, "relu"), rounding.Relation.PLACE),
    (vanilla_chain(WIDTH, "tanh"), rounding.Relation.PLACE),
]


def outlook(chain: Chain, start: NDArray[np.float64]) -> rounding.Outlook:
    """Of a start that floats hold exactly, for an engine that carries no rows apart."""
    copies = rounding.Copies.among(start, chain)
    return rounding.Outlook.of(chain, start, start, copies, "float64", carried=False)


@pytest.mark.parametrize(("chain", "relation"), FINDS, ids=lambda each: getattr(each, "name", ""))
def test_what_can_be_lost_is_what_the_chain_keeps(
    chain: Chain, relation: rounding.Relation
) -> None:
    assert outlook(chain, gaussian_batch(WIDTH, N, 1)).relation is relation


@pytest.mark.parametrize("chain", [chain for chain, _ in FINDS[:4]])
def test_distances_do_not_depend_on_a_scale_that_the_chain_does_not_see(chain: Chain) -> None:
    start = gaussian_batch(WIDTH, N, 1)
    there, here = (outlook(chain, scale * start) for scale in (1.0, 2.0**-40))
    np.testing.assert_array_equal(there.distances, here.distances)
    np.testing.assert_array_equal(there.ratios, here.ratios)


def test_of_directions_the_length_of_no_sample_matters() -> None:
    start, chain = gaussian_batch(WIDTH, N, 1), vanilla_chain(WIDTH, "relu")
    there, here = outlook(chain, start), outlook(chain, start * 2.0 ** np.arange(-20, 20, 10))
    np.testing.assert_array_equal(there.distances, here.distances)


def test_the_first_layer_is_looked_at_where_centring_meets_a_small_sample() -> None:
    start = gaussian_batch(WIDTH, N, 1)
    uneven = start * np.array([1, 1, 1, 2.0**-50])
    chains = {"centred": batchnorm_chain(WIDTH, "relu"), "not": vanilla_chain(WIDTH, "relu")}
    first = {
        (name, batch is uneven): outlook(chain, batch).first
        for name, chain in chains.items()
        for batch in (start, uneven)
    }
    later = first.pop(("not", False))
    assert later > 1
    assert first == {("centred", True): 1, ("centred", False): later, ("not", True): later}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_floats_hold_arrives_with_the_roundings_of_one_block(dtype: str) -> None:
    unit = {"float32": 2.0**-24, "float64": 2.0**-53}[dtype]
    assert rounding.arrival_error(np.eye(2), np.eye(2), dtype) == rounding.ROUNDINGS * unit
    off = np.eye(2) * (1 + 2.0**-10)
    assert rounding.arrival_error(np.eye(2), off, dtype) == 2.0**-10


def test_what_is_spoiled_is_not_looked_at_again() -> None:
    """Samples 2^-60 apart are seen 2^-8 apart, and then as far apart as they are long."""
    start = np.array([[1, 1], [0, 2.0**-60]])
    watch = rounding.Watch(
        outlook(vanilla_chain(2, "tanh"), start), 1, 8, 1, NumpyBackend("float64")
    )
    seen = [
        rounding.Representation(np.array([[[1, 0], [1, apart]]])) for apart in (2.0**-8, *[1.0] * 7)
    ]
    assert len(list(watch.over(iter(seen)))) == 8
    assert watch.errors[0, 1] == pytest.approx(rounding.ROUNDINGS * 2.0**-8, rel=1e-3)
    assert (watch.errors[0, 1:] == watch.errors[0, 1]).all()
