"""Laws of weights beyond the first four: of which law the entries are, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import array_api_compat.torch
import numpy as np
import pytest
from scipy import stats

from simulators.backend import NumpyBackend
from simulators.chains import Chain, residual_chain, vanilla_chain
from simulators.engines import dense
from simulators.layers import Bias, Linear, Recenter, Rescale, Residual
from simulators.observables import orthogonality_gap
from simulators.simulate import simulate
from simulators.streams import Piece, root_sequence
from simulators.sweeps.grid import Grid
from simulators.weights import LAWS, law_of

ENTRIES = 40_000
#: P(D ≥ ε) ≤ 2 exp(−2nε²) (Dvoretzky, Kiefer, Wolfowitz; Massart): below 1e-9 a test.
CRITICAL = math.sqrt(math.log(2e9) / (2 * ENTRIES))
BATCH = np.random.default_rng(0).standard_normal((12, 3))


def entries(law: Any, dtype: str = "float64") -> Any:
    """As the streams give them, before they are anybody's weights."""
    piece = Piece(range(1), (ENTRIES,), law)
    (found,) = NumpyBackend(dtype).draws(root_sequence(5), "dense", [piece])
    return np.array(found[0])


def normal(df: float) -> Any:
    return stats.t(df, scale=((df - 2) / df) ** 0.5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("law", "distribution"),
    [
        ("student_t(5)", normal(5)),
        ("student_t(2.5)", normal(2.5)),
        ("student_t(1)", stats.cauchy()),
        ("student_t(2)", stats.t(2)),
    ],
)
def test_entries_are_of_their_law(law: str, distribution: Any, dtype: str) -> None:
    found = stats.kstest(entries(law, dtype).astype(float), distribution.cdf).statistic
    assert found < CRITICAL
    scaled = stats.kstest(1.1 * entries(law, dtype).astype(float), distribution.cdf).statistic
    assert scaled > CRITICAL, "a tenth more must be seen"


@pytest.mark.parametrize("p", [1.0, 0.25, 0.01])
def test_sparse_entries_are_zero_or_normal(p: float) -> None:
    found = entries(f"sparse({p})")
    share = np.mean(found != 0)
    assert abs(share - p) < CRITICAL
    kept = found[found != 0] * p**0.5
    room = CRITICAL * math.sqrt(ENTRIES / len(kept))
    assert stats.kstest(kept, stats.norm.cdf).statistic < room
    assert stats.kstest(1.3 * kept, stats.norm.cdf).statistic > room or len(kept) < 1000


@pytest.mark.parametrize(("width", "inputs"), [(12, 12), (20, 12), (7, 12)])
@pytest.mark.parametrize("library", [np.asarray, array_api_compat.torch.asarray])
def test_orthogonal_weights_have_orthonormal_rows_or_columns(
    width: int, inputs: int, library: Any
) -> None:
    """Seen through the identity: then W is the representation."""

    def products(H: Any) -> Any:
        short = H if width <= inputs else H.mT
        return short @ short.mT

    chain = Chain((Linear(width, "orthogonal"),))
    source = np.random.default_rng(1).standard_normal((4, inputs, width))
    import array_api_compat.numpy as xp

    of_matrix = LAWS["orthogonal"].of_matrix
    assert of_matrix is not None
    weights = of_matrix(source, xp).mT * width**-0.5
    wanted = max(1.0, inputs / width) * np.eye(min(width, inputs))
    np.testing.assert_allclose(products(weights), wanted + np.zeros((4, 1, 1)), atol=1e-14)
    if width >= inputs:  # an isometry
        run = simulate(
            chain,
            library(BATCH),
            depth=1,
            replicas=3,
            observables=("orthogonality_gap",),
        )
        gap = float(orthogonality_gap(BATCH))
        np.testing.assert_allclose(run["orthogonality_gap"], gap, rtol=1e-12)


def test_orthogonal_weights_are_uniformly_distributed() -> None:
    """An entry of a Haar matrix, and the trace, whose second moment is 1 only for Haar: a QR whose
    signs are not mended has another.
    """
    import array_api_compat.numpy as xp

    d, replicas = 4, 40_000
    source = np.random.default_rng(3).standard_normal((replicas, d, d))
    of_matrix = LAWS["orthogonal"].of_matrix
    assert of_matrix is not None
    Q = np.asarray(of_matrix(source, xp)) / d**0.5
    squares = Q[:, 0, 0] ** 2  # Beta(1/2, (d−1)/2)
    assert stats.kstest(squares, stats.beta(0.5, (d - 1) / 2).cdf).statistic < CRITICAL
    traces = np.trace(Q, axis1=-2, axis2=-1)
    room = 6 * np.std(traces**2) / replicas**0.5
    assert abs(np.mean(traces**2) - 1) < room
    plain = np.linalg.qr(source).Q
    wrong = np.trace(plain, axis1=-2, axis2=-1)
    assert abs(np.mean(wrong**2) - 1) > room, "signs that are not mended must be seen"


def test_a_function_draws_the_weights_of_each_matrix() -> None:
    """With replicas and layers independent, the same for the same seed, and of its law."""
    shapes = []

    def laplace(rng: Any, shape: tuple[int, int]) -> Any:
        shapes.append(shape)
        return rng.laplace(scale=0.5**0.5, size=shape)

    chain = Chain((Linear(10, laplace), Linear(6, law=laplace), Rescale()))
    assert repr(chain.layers[0]) == "Linear(width=10, law=laplace)"
    assert hash(chain.layers[0]) == hash(Linear(10, laplace))
    run = simulate(chain, BATCH, depth=2, replicas=4, seed=1)
    assert run.engine == "dense"
    assert shapes[0] == (3, 2)  # the trial
    assert {(10, 12), (6, 10), (10, 6)} == set(shapes[1:])
    gaps = run["orthogonality_gap"]
    assert len(np.unique(gaps[:, 1:])) == gaps[:, 1:].size
    again = simulate(chain, BATCH, depth=2, replicas=2, seed=1)["orthogonality_gap"]
    assert (again == gaps[:2]).all()


def test_a_function_that_draws_a_law_of_the_catalogue_agrees_with_it() -> None:
    replicas = 1500
    critical = math.sqrt(math.log(2 / 1e-6) / replicas)

    def gaps(law: Any, seed: int) -> Any:
        chain = Chain((Linear(10, law), Rescale()))
        run = simulate(chain, BATCH, depth=3, replicas=replicas, seed=seed, engine="dense")
        return run["orthogonality_gap"][:, -1]

    def drawn(rng: Any, shape: Any) -> Any:
        return rng.standard_normal(shape)

    def positive(rng: Any, shape: Any) -> Any:
        return 3**0.5 + rng.standard_normal(shape)

    exact = gaps("gaussian", 1)
    assert stats.ks_2samp(gaps(drawn, 2), exact, method="asymp").statistic < critical
    other = stats.ks_2samp(gaps(positive, 2), exact, method="asymp").statistic
    assert other > critical, "a law that is another must be seen"


@pytest.mark.parametrize("engine", ["factor", "rows", "dense"])
def test_the_deviation_of_weights_is_seen_by_every_engine(engine: str) -> None:
    """Exactly: the same draws, times σ_w."""

    def entry(H: Any, *, width: int) -> Any:
        return (H * H).sum(axis=(-2, -1))

    from simulators.observables import Observable

    squares = Observable("squares", entry, gram=True)

    def run(std: float) -> Any:
        chain = Chain((Linear(10, std=std), Rescale("variance"), Linear(8, std=std), Recenter()))
        options: dict[str, Any] = {"observables": (squares,), "engine": engine}
        return simulate(chain, BATCH, depth=3, replicas=2, seed=3, **options)["squares"]

    np.testing.assert_allclose(run(2.0)[:, 1:], 4 * run(1.0)[:, 1:], rtol=1e-12)
    assert repr(Linear(8, std=2)) == "Linear(width=8, law='gaussian', std=2.0)"
    assert repr(Linear(8, std=1)) == "Linear(width=8, law='gaussian')"


def test_residual_layers_take_any_law() -> None:
    for law in (
        "orthogonal",
        "student_t(3)",
        "sparse(0.5)",
        lambda rng, shape: rng.normal(size=shape),
    ):
        chain = residual_chain(12, 0.5, law)
        gaps = simulate(chain, BATCH, depth=3, replicas=2)["orthogonality_gap"]
        assert np.isfinite(gaps).all()
        assert len(np.unique(gaps[:, 1:])) == 6


def test_a_large_matrix_of_a_matrix_law_is_drawn_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "BLOCK_ENTRIES", 24)
    chain = Chain((Linear(12, "orthogonal"),))
    gap = float(orthogonality_gap(BATCH))
    run = simulate(chain, BATCH, depth=4, replicas=2)
    np.testing.assert_allclose(run["orthogonality_gap"], gap, rtol=1e-10)


def test_a_text_and_a_sweep_give_a_law_its_number() -> None:
    assert law_of(" student_t( 5 ) ").name == "student_t(5.0)"
    assert Linear(4, "sparse(0.5)").law == "sparse(0.5)"
    fields = {"chain": "rescale", "width": 12, "batch": 3, "depth": 2, "weights": ["student_t(3)"]}
    (run,) = Grid.of(fields).runs().values()
    assert run.weights == "student_t(3.0)"
    assert np.isfinite(run.perform()["orthogonality_gap"]).all()


def wrong_shape(rng: Any, shape: Any) -> Any:
    return rng.standard_normal(shape[::-1])


def undefined(rng: Any, shape: Any) -> Any:
    return np.full(shape, np.nan)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            lambda: Linear(4, "student_t"),
            ValueError,
            r"'student_t' needs its number; write 'student_",
        ),
        (
            lambda: Linear(4, "student_t(0)"),
            ValueError,
            r"student_t df=0.0 is not a number in \[0.1",
        ),
        (lambda: Linear(4, "sparse(2)"), ValueError, "sparse p=2.0 is not a number"),
        (lambda: Linear(4, "gaussian(2)"), ValueError, r"law 'gaussian\(2\)' takes no number"),
        (lambda: Linear(4, wrong_shape), ValueError, r"shape \(2, 3\) for the shape \(3, 2\)"),
        (lambda: Linear(4, undefined), ValueError, "'undefined' draws numbers that are not finite"),
        (lambda: Linear(4, lambda rng: 1), ValueError, "fails for .rng, .3, 2..: TypeError"),
        (lambda: Linear(4, 3), TypeError, "law=3 is an int"),
        (lambda: Bias(-1), ValueError, "std=-1 is not a number σ_b ≥ 0"),
        (lambda: Chain((Bias(1.0),)), ValueError, "draw no weights"),
        (
            lambda: simulate(Chain((Linear(12), Bias(1.0))), BATCH, depth=1, engine="factor"),
            ValueError,
            "Bias.std=1.0. adds to all samples what no factor of them tells",
        ),
        (
            lambda: simulate(
                Chain((Linear(12), Rescale(), Bias(1.0), Rescale())),
                BATCH,
                depth=1,
                engine="mean_field",
            ),
            ValueError,
            "rows are moved by normal offsets",
        ),
        (lambda: Linear(4, std=0), ValueError, "std=0 is not a number σ_w > 0"),
        (lambda: Linear(4, std="1"), TypeError, "std='1' is not a real number"),
        (
            lambda: vanilla_chain(4).with_law("student_t(2)"),
            ValueError,
            "has weights without a variance, and their scale shows",
        ),
        (lambda: residual_chain(4, 0.5, "student_t(1)"), ValueError, "weights without a variance"),
        (
            lambda: Chain((Residual(math.inf, "student_t(1)"), Linear(4), Rescale())),
            ValueError,
            "weights without a variance",
        ),
    ],
)
def test_what_is_no_law_or_needs_a_variance_is_refused_in_one_line(
    make: Any, error: Any, words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_law_without_variance_runs_where_its_scale_cancels() -> None:
    chain = Chain((Linear(12, "student_t(1)"), Rescale()))
    gaps = simulate(chain, BATCH, depth=3, replicas=3)["orthogonality_gap"]
    assert np.isfinite(gaps).all()
