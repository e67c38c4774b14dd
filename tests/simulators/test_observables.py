"""Observables against exact arithmetic, against each other's library, and at the edges of their
domains.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from flint import ctx, fmpq, fmpq_mat
from hypothesis import given, settings

from simulators import observables as ob
from simulators import strategies
from simulators.batches import collinear_batch, gaussian_batch, spectrum_batch

EPS = np.finfo(np.float64).eps
SCALE_FREE = [kind for kind in ob.OBSERVABLES.values() if not kind.scaled]
"""The others have tests of their own below."""
PLAIN = [kind.function for kind in SCALE_FREE if kind.parameter is None]
ALL = [*PLAIN, partial(ob.soft_rank, tau=0.5), partial(ob.soft_rank, tau=0)]
BOUNDED = settings(max_examples=60, derandomize=True, deadline=None)


def rounding(H: Any) -> float:
    """Bound on the error of any observable here: some n² inner products of length d, each a few
    roundings.

    None of them exceeds n before this factor, the effective rank; V, cosines and eigenvalues
    are at most 1.
    """
    d, n = H.shape[-2:]
    eps = EPS if "64" in str(H.dtype) else np.finfo(np.float32).eps
    return float(4 * (d + 8) * n**2 * eps)


def exact_gram(H: np.ndarray) -> list[list[Fraction]]:
    """C/‖H‖_F² of the float64 entries, exactly."""
    columns = [[Fraction(entry) for entry in column] for column in H.T]
    products = [[sum(map(lambda a, b: a * b, u, v), Fraction(0)) for v in columns] for u in columns]
    total = sum(products[i][i] for i in range(len(columns)))
    return [[entry / total for entry in row] for row in products]


def exact_spectrum(H: np.ndarray) -> list[float]:
    """Eigenvalues of C/‖H‖_F² from the exact characteristic polynomial, descending."""
    normalised = exact_gram(H)
    matrix = fmpq_mat(
        [[fmpq(entry.numerator, entry.denominator) for entry in row] for row in normalised]
    )
    with ctx.workprec(200):
        roots = matrix.charpoly().numer().complex_roots()
        values = [
            float(root.real.mid()) for root, multiplicity in roots for _ in range(multiplicity)
        ]
    return sorted(values, reverse=True)


def exact_root(square: Fraction) -> float:
    return math.isqrt(square.numerator * 10**60 // square.denominator) / 10**30


def exact_gap(H: np.ndarray) -> float:
    n = H.shape[1]
    C = exact_gram(H)
    return exact_root(sum((C[i][j] - Fraction(i == j, n)) ** 2 for i in range(n) for j in range(n)))


def exact_effective_rank(H: np.ndarray) -> float:
    return float(1 / sum(entry**2 for row in exact_gram(H) for entry in row))


def exact_cosine(H: np.ndarray) -> float:
    C = exact_gram(H)
    return math.copysign(exact_root(C[0][1] ** 2 / (C[0][0] * C[1][1])), C[0][1])


def agrees(
    function: Callable[[np.ndarray], Any], exact: Callable[[np.ndarray], Any], H: np.ndarray
) -> bool:
    return bool(np.max(np.abs(np.asarray(function(H)) - np.asarray(exact(H)))) <= rounding(H))


EXACT: dict[Callable[[Any], Any], Callable[[np.ndarray], Any]] = {
    ob.orthogonality_gap: exact_gap,
    ob.gram: lambda H: [[float(entry) for entry in row] for row in exact_gram(H)],
    ob.effective_rank: exact_effective_rank,
    ob.spectrum: exact_spectrum,
    ob.smallest_eigenvalue: lambda H: exact_spectrum(H)[-1],
    ob.smallest_eigenvalue_gap: lambda H: 1 / H.shape[1] - exact_spectrum(H)[-1],
}


@pytest.mark.parametrize("function", EXACT)
@BOUNDED
@given(H=strategies.batches())
def test_agrees_with_exact_arithmetic(function: Callable[[Any], Any], H: np.ndarray) -> None:
    assert agrees(function, EXACT[function], H)


@BOUNDED
@given(strategies.batches())
def test_cosine_agrees_with_exact_arithmetic(H: np.ndarray) -> None:
    if H.shape[1] > 1 and H[:, :2].any(axis=0).all():
        assert agrees(ob.cosine, exact_cosine, H)
        assert ob.absolute_cosine(H) == abs(ob.cosine(H))


@pytest.mark.parametrize(
    ("wrong", "exact"),
    [
        (lambda H: np.linalg.norm(ob.gram(H)), exact_gap),  # forgets I/n
        (lambda H: np.linalg.norm(H.T @ H - np.eye(3) / 3), exact_gap),  # forgets ‖H‖²
        (lambda H: ob.orthogonality_gap(H) ** 2, exact_gap),
        (lambda H: ob.smallest_eigenvalue(H) ** 0.5, lambda H: exact_spectrum(H)[-1]),  # σ, not σ²
        (lambda H: ob.spectrum(H)[::-1], exact_spectrum),
        (lambda H: ob.effective_rank(H) + 1e-10, exact_effective_rank),
        (lambda H: abs(ob.cosine(H)), exact_cosine),
    ],
)
def test_a_wrong_formula_is_caught(
    wrong: Callable[[Any], Any], exact: Callable[[Any], Any]
) -> None:
    H = np.array([[3.0, -1.0, 0.0], [1.0, 1.0, 2.0], [0.0, 1.0, 1.0], [-2.0, 5.0, 1.0]])
    assert exact_cosine(H) < 0
    assert not agrees(wrong, exact, H)


def test_known_values() -> None:
    H = np.diag([3.0, 2.0, 1.0])
    np.testing.assert_allclose(ob.spectrum(H), [9 / 14, 4 / 14, 1 / 14], rtol=4 * EPS)
    assert ob.orthogonality_gap(np.eye(5)) == 0
    assert ob.orthogonality_gap(np.ones((3, 1))) == 0
    assert ob.smallest_eigenvalue_gap(np.eye(4)) == 0
    np.testing.assert_allclose(
        ob.orthogonality_gap(np.ones((5, 4))), math.sqrt(1 - 1 / 4), rtol=4 * EPS
    )
    np.testing.assert_allclose(ob.effective_rank(np.ones((5, 4))), 1, rtol=4 * EPS)
    np.testing.assert_allclose(ob.effective_rank(np.eye(6)[:, :4]), 4, rtol=4 * EPS)
    H = np.array([[1.0, -1, 0], [0, 0, 1]])
    np.testing.assert_allclose(ob.mean_absolute_cosine(H), 1 / 3, rtol=4 * EPS)
    assert [float(ob.cosine(H)), float(ob.cosine(H, 0, 2)), float(ob.absolute_cosine(H))] == [
        -1,
        0,
        1,
    ]


def test_fewer_rows_than_samples_mean_a_zero_eigenvalue() -> None:
    H = gaussian_batch(5, 3, 0).T
    assert ob.smallest_eigenvalue(H) == 0
    np.testing.assert_allclose(ob.smallest_eigenvalue_gap(H), 1 / 5, rtol=4 * EPS)
    assert ob.spectrum(H).shape == (5,)
    np.testing.assert_allclose(ob.spectrum(H)[:3], ob.spectrum(H.T), rtol=1e-12)


@pytest.mark.parametrize("size", [1e-6, 1e-9, 1e-12])
def test_a_tiny_gap_is_measured(size: float) -> None:
    H = np.eye(4)
    H[0, 1] = size
    assert abs(ob.orthogonality_gap(H) - exact_gap(H)) <= rounding(H)
    assert exact_gap(H) > size / 4


def test_small_eigenvalues_do_not_pass_through_the_gram_matrix() -> None:
    """Squaring first would leave nothing but rounding of an eigenvalue of 2e-17."""
    n, spread = 4, 1e-8
    s = spread / math.sqrt(2)
    expected = s**2 / ((s + math.sqrt(n)) ** 2 + (n - 1) * s**2)
    measured = ob.smallest_eigenvalue(collinear_batch(8, n, spread, 0))
    np.testing.assert_allclose(measured, expected, rtol=8 * 8 * EPS * math.sqrt(n) / s)
    assert expected < 2e-17


@pytest.mark.parametrize("function", PLAIN)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numpy_and_torch_agree(function: Callable[[Any], Any], dtype: type) -> None:
    H = np.random.default_rng(1).standard_normal((3, 2, 6, 4)).astype(dtype)
    ours = function(H)
    theirs = function(torch.from_numpy(H))
    assert ours.dtype == dtype
    assert theirs.dtype == torch.from_numpy(H).dtype
    assert ours.shape[:2] == (3, 2)
    assert ours.shape == tuple(theirs.shape)
    assert np.max(np.abs(ours - theirs.numpy())) <= rounding(H)
    single = function(H[2, 1])
    assert np.max(np.abs(ours[2, 1] - single)) <= rounding(H)


@pytest.mark.parametrize("function", PLAIN)
@pytest.mark.parametrize("library", [np.asarray, torch.asarray])
@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_scale_does_not_matter(
    function: Callable[[Any], Any], library: Callable[[Any], Any], scale: float
) -> None:
    H = gaussian_batch(5, 3, 2)
    difference = np.asarray(function(library(H * scale))) - function(H)
    assert np.max(np.abs(difference)) <= rounding(H)


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("library", [np.asarray, torch.asarray])
@pytest.mark.parametrize("bad", [0.0, math.nan, math.inf])
def test_undefined_is_nan_and_stays_in_its_replica(
    function: Callable[[Any], Any], library: Callable[[Any], Any], bad: float
) -> None:
    H = np.stack([np.full((3, 3), bad), gaussian_batch(3, 3, 0)])
    measured = np.asarray(function(library(H)))
    if function is ob.alive and bad == 0:  # the one thing that a zero H has
        assert measured[0] == 0
    else:
        assert np.isnan(measured[0]).all()
    assert np.isfinite(measured[1]).all()


@pytest.mark.parametrize("library", [np.asarray, torch.asarray])
def test_alive_says_whether_every_sample_has_a_unit_that_is_not_zero(
    library: Callable[[Any], Any],
) -> None:
    H = np.stack(
        [[[1.0, 0.0], [0.0, 0.0]], [[1e-300, 0.0], [0.0, -1e300]], [[0.0, 0.0], [1.0, 1.0]]]
    )
    assert np.asarray(ob.alive(library(H))).tolist() == [0, 1, 1]


def test_cosines_of_columns_of_unlike_scale_and_of_a_zero_column() -> None:
    H = np.array([[1e-300, 1e300, 0.0], [0.0, 1e300, 0.0]])
    np.testing.assert_allclose(ob.cosine(H), math.sqrt(0.5), rtol=4 * EPS)
    assert np.isnan(ob.cosine(H, 0, 2))
    assert np.isnan(ob.mean_absolute_cosine(H))
    assert ob.mean_absolute_cosine(H[:, :2]) == ob.absolute_cosine(H)


def test_soft_rank_counts_eigenvalues_scaled_to_trace_d() -> None:
    H = spectrum_batch([Fraction(1, 2), Fraction(1, 4), Fraction(1, 8), Fraction(1, 8)], 8)
    # d·spectrum is 4, 2, 1, 1 and four zeros
    assert [float(ob.soft_rank(H, tau)) for tau in (0.0, 1e-9, 0.99)] == [8, 4, 4]
    assert ob.soft_rank(H[:4], 0.0) == 4
    assert ob.soft_rank(H[:4], 0.0, width=8) == 8
    assert ob.soft_rank(H[:4], 0.6) == 2  # scaled to trace 4: 2, 1, ½, ½
    assert ob.soft_rank(H[:4], 0.6, width=8) == 4
    assert ob.soft_rank(torch.from_numpy(H[:4]), 0.6, width=8) == 4
    assert ob.soft_rank(np.stack([H, H]), 0.0).tolist() == [8, 8]


@pytest.mark.parametrize("tau", [-0.1, 1.1, math.nan, math.inf])
def test_soft_rank_refuses_thresholds_outside_the_unit_interval(tau: float) -> None:
    with pytest.raises(ValueError, match=r"tau=.* number.* in \[0, 1\]"):
        ob.soft_rank(np.eye(2), tau)


@pytest.mark.parametrize(
    "tau", ["0.5", None, 1j, True, [0.5], np.array([0.5, 0.6]), np.array(0.5), np.complex64(0)]
)
def test_soft_rank_refuses_thresholds_that_are_no_numbers(tau: Any) -> None:
    with pytest.raises(TypeError, match=r"tau=.* is not a real number; give one in \[0, 1\]"):
        ob.soft_rank(np.eye(2), tau)


@pytest.mark.parametrize("tau", [np.float32(0.5), np.float64(0.5), np.int64(1), Fraction(1, 2)])
@pytest.mark.parametrize("H", [np.eye(2), np.eye(2, dtype=np.float32), torch.eye(2)])
def test_soft_rank_takes_scalars_of_numpy(H: Any, tau: Any) -> None:
    assert ob.soft_rank(H, tau) == 2
    assert ob.soft_rank(H, tau).dtype == H.dtype
    assert ob.resolve(f"soft_rank({float(tau)})").function(H, width=2) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda H: ob.soft_rank(H, 0.5, width="4"), "width='4' is a str"),
        (lambda H: ob.soft_rank(H, 0.5, width=4.5), "width=4.5 is a float"),
        (lambda H: ob.cosine(H, "a"), "sample='a' is a str"),
        (lambda H: ob.absolute_cosine(H, 0, 1.5), "sample=1.5 is a float"),
        (lambda H: ob.lone_outlier(H, "0.1"), "margin='0.1' is not a real number"),
        (lambda H: ob.gram(H.tolist()), "H=.* is a list; observables need a real floating array"),
        (lambda H: ob.spectrum(None), "H=None is a NoneType"),
    ],
)
def test_other_arguments_of_another_type_are_named(call: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call(np.eye(4))


def test_soft_rank_refuses_a_width_below_the_rank() -> None:
    with pytest.raises(ValueError, match="width=2"):
        ob.soft_rank(np.eye(3), 0.5, width=2)


@pytest.mark.parametrize("function", ALL)
def test_arguments_that_are_not_batches_of_columns(function: Callable[[Any], Any]) -> None:
    for H in (np.ones((3, 3), dtype=int), np.ones((3, 3), dtype=complex)):
        with pytest.raises(TypeError, match="real floating"):
            function(H)
    with pytest.raises(TypeError):
        function([[1.0, 0.0], [0.0, 1.0]])
    for shape in ((0, 2), (2, 0, 2)):
        with pytest.raises(ValueError, match="shape"):
            function(np.ones(shape))
    with pytest.raises(ValueError, match="shape"):
        function(np.ones(1))


def test_cosines_need_two_samples() -> None:
    for function in (ob.cosine, ob.absolute_cosine, ob.mean_absolute_cosine):
        with pytest.raises(ValueError, match="two samples"):
            function(np.ones((3, 1)))
    with pytest.raises(ValueError, match="numbered 2"):
        ob.cosine(np.ones((3, 2)), 0, 2)


def test_a_lone_outlier_is_below_every_cosine_of_the_others() -> None:
    cluster = np.array([[1.0, 1.0, 1.0, 0.0], [0.1, 0.0, 0.0, 0.0], [0.0, 0.2, 0.0, 1.0]])
    assert ob.lone_outlier(cluster) == 3
    assert ob.lone_outlier(cluster[:, [0, 3, 1, 2]]) == 1
    assert ob.lone_outlier(cluster, 0.5) == 3
    assert ob.lone_outlier(cluster, 0.9) == -1
    pairs = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 0.1, 1.0, 1.0]])
    assert ob.lone_outlier(pairs) == -1
    assert ob.lone_outlier(np.eye(4)) == -1, "a tie is no outlier"
    np.testing.assert_array_equal(
        ob.lone_outlier(np.stack([cluster * 1e-200, cluster * 1e200])), [3, 3]
    )
    with pytest.raises(ValueError, match="n ≥ 3"):
        ob.lone_outlier(cluster[:, :2])
    for margin in (-0.1, 2.0, math.nan):
        with pytest.raises(ValueError, match="margin"):
            ob.lone_outlier(cluster, margin)


def test_the_range_of_cosines() -> None:
    assert ob.cosine_range(np.eye(4)) == 0
    assert ob.cosine_range(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 2.0]])) == 1
    assert ob.cosine_range(np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 2.0]])) == 1


def test_names_of_the_catalogue_are_the_functions() -> None:
    H = gaussian_batch(6, 3, 3)
    for name, kind in ob.OBSERVABLES.items():
        assert kind.name == name
        if kind.parameter is not None:
            continue
        observable = kind.measured
        assert observable.gram == (kind.reads == "gram")
        assert ob.resolve(name) is observable
        assert ob.resolve(getattr(ob, name)) is observable
        np.testing.assert_array_equal(observable.function(H, width=6), getattr(ob, name)(H))


@pytest.mark.parametrize(
    "name", [kind.example for kind in ob.OBSERVABLES.values() if kind.reads == "gram"]
)
def test_gram_invariant_observables_measure_the_thin_factor(name: str) -> None:
    H = gaussian_batch(9, 3, 4)
    observable = ob.resolve(name)
    thin = observable.function(np.linalg.qr(H).R, width=9)
    assert np.max(np.abs(thin - observable.function(H, width=9))) <= rounding(H)


def test_resolve_reads_a_threshold() -> None:
    observable = ob.resolve("soft_rank(0.25)")
    H = gaussian_batch(6, 3, 3)
    assert observable.name == "soft_rank(0.25)"
    assert observable.gram
    assert observable.function(H, width=12) == ob.soft_rank(H, 0.25, width=12)
    assert ob.resolve(observable) is observable
    assert pickle.loads(pickle.dumps(observable)).function(H, width=12) == observable.function(
        H, width=12
    )


def test_resolve_takes_functions_of_the_user() -> None:
    def first_entry(H: Any) -> Any:
        return H[..., 0, 0]

    observable = ob.resolve(first_entry)
    assert (observable.name, observable.gram) == ("first_entry", False)
    assert observable.function(np.full((2, 2), 7.0), width=2) == 7

    def first_square(H: Any) -> Any:
        return (H[..., 0] ** 2).sum(axis=-1)

    first_square.gram_invariant = True  # type: ignore[attr-defined]
    assert ob.resolve(first_square).gram


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        ("orthogonalty_gap", ValueError, "did you mean 'orthogonality_gap'.*effective_rank"),
        ("soft_rank", ValueError, r"did you mean 'soft_rank\(0.5\)'"),
        ("zzz", ValueError, "unknown observable 'zzz'; known are"),
        ("soft_rank(x)", ValueError, r"tau='x' is not a number; give one in \[0, 1\]"),
        ("soft_rank()", ValueError, r"tau='' is not a number; give one in \[0, 1\]"),
        ("soft_rank(1j)", ValueError, "tau='1j' is not a number"),
        ("soft_rank(nan)", ValueError, "tau=nan"),
        ("soft_rank(1.5)", ValueError, "tau=1.5"),
        ("soft_rank(0.5) ", ValueError, "unknown"),
        (ob.soft_rank, TypeError, "needs a threshold"),
        (3, TypeError, "3 is not a name"),
        (
            type("Nameless", (), {"__call__": lambda self, H: H})(),
            TypeError,
            "wrap it in an Observable",
        ),
    ],
)
def test_resolve_refuses(item: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ob.resolve(item)


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"reads": "Q"}, "reads='Q'"),
        ({"floor": 2, "ceiling": 1}, "floor=2, ceiling=1"),
        ({"floor": math.nan}, "floor=nan"),
        ({"ceiling": math.nan}, "ceiling=nan"),
    ],
)
def test_an_own_observable_whose_range_or_reading_makes_no_sense_is_refused(
    told: dict[str, Any], named: str
) -> None:
    def total(H: Any) -> Any:
        """The sum of all entries."""
        return H.sum((-1, -2))

    with ob.OBSERVABLES.restored(), pytest.raises(ValueError, match=named):
        ob.observable(**told)(total)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e150, 1e300])
@pytest.mark.parametrize("library", [np.asarray, torch.from_numpy])
def test_what_knows_a_scale_is_right_at_every_scale(
    library: Callable[..., Any], scale: float
) -> None:
    plain = gaussian_batch(6, 3, 3)
    norm = np.linalg.norm(plain)
    H = library(scale * plain)
    assert abs(float(ob.log_norm(H)) - math.log(scale) - math.log(norm)) <= 1e-12
    assert float(ob.log_gradient_norm(H)) == float(ob.log_norm(H))
    assert abs(float(ob.gradient_norm(H)) / scale / norm - 1) <= 1e-12
    exact = scale**2 * (plain.T @ plain) if scale < 1e200 else np.sign(plain.T @ plain) * math.inf
    np.testing.assert_allclose(np.asarray(ob.gradient_gram(H)), exact, rtol=1e-9)


@pytest.mark.parametrize("log_scale", [-2000.0, -700.0, -1.0, 300.0, 709.0, 2000.0])
def test_what_it_was_divided_by_is_put_back(log_scale: float) -> None:
    """Beyond float64 where the result is, and only there."""
    G = gaussian_batch(6, 3, 3)
    logarithm = math.log(np.linalg.norm(G)) + log_scale
    assert abs(float(ob.log_norm(G, log_scale=log_scale)) - logarithm) <= 1e-12
    assert abs(float(ob.log_gradient_norm(G, log_scale=log_scale)) - logarithm) <= 1e-12
    norm = float(ob.gradient_norm(G, log_scale=log_scale))
    assert (
        norm == math.inf if logarithm > 709.79 else abs(norm - math.exp(logarithm)) <= 1e-11 * norm
    )
    products = np.asarray(ob.gradient_gram(G, log_scale=log_scale))
    assert (np.isinf(products) == (np.log(abs(G.T @ G)) + 2 * log_scale > 709.79)).all()
    assert (np.sign(products) == np.sign(G.T @ G) * (log_scale > -700)).all()


def test_zeros_have_no_norm_and_no_products() -> None:
    H = np.zeros((2, 4, 3))
    H[1] = 1.0
    assert ob.log_norm(H).tolist() == [-math.inf, math.log(12) / 2]
    assert ob.gradient_norm(H, log_scale=np.array([900.0, 0.0])).tolist() == [0.0, 12**0.5]
    products = ob.gradient_gram(H, log_scale=np.array([900.0, 0.0]))
    assert (products[0] == 0).all()
    assert np.abs(products[1] - 4).max() <= 1e-14
    H[1, 0, 0] = math.nan
    assert np.isnan(ob.log_norm(H)[1])
    assert np.isnan(ob.gradient_norm(H)[1])
    assert np.isnan(ob.gradient_gram(H)[1]).all()


def _entries_above(H: Any) -> Any:
    return (H > 0).mean(axis=(-2, -1))


def _first_row(H: Any) -> Any:
    return (H[..., 0, :] ** 2).sum(axis=-1) / (H**2).sum(axis=(-2, -1))


def _mean_square(H: Any) -> Any:  # the number of rows is not that of a factor
    return (H**2).mean(axis=(-2, -1))


@pytest.mark.parametrize("reading", [_entries_above, _first_row, _mean_square])
def test_what_reads_more_than_the_gram_matrix_is_refused_where_it_says_gram(reading: Any) -> None:
    kind = ob.NamedObservable("reading", "of more", reading, reads="gram", floor=0)
    with pytest.raises(ValueError, match="declared reads='gram', but it differs"):
        _ = kind.measured
    assert not ob.NamedObservable("reading", "of more", reading, floor=0).measured.gram


def test_what_a_trial_cannot_follow_may_read_the_gram_matrix() -> None:
    of_tensors = ob.NamedObservable(
        "volume", "det HᵀH", lambda H: torch.linalg.det(H.mT @ H), reads="gram"
    )
    assert of_tensors.measured.gram
