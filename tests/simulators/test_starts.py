"""Starts made here: Gaussian, collinear, of a spectrum, of a Gram matrix; and what is refused of
them.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from simulators import batches
from simulators.batches import batch_of_gram


def test_gaussian_batches_follow_the_seed() -> None:
    first = batches.gaussian_batch(5, 3, 7)
    assert first.shape == (5, 3)
    np.testing.assert_array_equal(first, batches.gaussian_batch(5, 3, 7))
    assert not np.array_equal(first, batches.gaussian_batch(5, 3, 8))


@pytest.mark.parametrize("spread", [1e-6, 0.1, 3.0])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_collinear_batches_have_their_spread_and_spectrum(spread: float, n: int) -> None:
    batch = batches.collinear_batch(5, n, spread, 0)
    s = spread / np.sqrt(2)
    expected = [s + np.sqrt(n)] + [s] * (n - 1)
    np.testing.assert_allclose(
        np.linalg.svd(batch, compute_uv=False), expected, rtol=1e-14 / min(spread, 1)
    )
    for i in range(n):
        for j in range(i):
            np.testing.assert_allclose(np.linalg.norm(batch[:, i] - batch[:, j]), spread, rtol=1e-8)


def test_spectrum_batches_have_their_spectrum() -> None:
    batch = batches.spectrum_batch([Fraction(9, 16), 0.25, 0], 5)
    assert batch.shape == (5, 3)
    np.testing.assert_array_equal(batch.T @ batch, np.diag([9 / 16, 0.25, 0]))


def test_named_spectra_are_exact_for_fractions() -> None:
    tenth = Fraction(1, 10)
    assert batches.two_level_spectrum(4, tenth) == (Fraction(3, 10),) * 3 + (tenth,)
    assert batches.dominant_spectrum(4, tenth) == (Fraction(7, 10),) + (tenth,) * 3
    assert batches.two_level_spectrum(4, 0.25) == batches.dominant_spectrum(4, 0.25) == (0.25,) * 4
    assert batches.two_level_spectrum(3, 1 / 3)[2] == 1 / 3
    assert all(isinstance(value, Fraction) for value in batches.dominant_spectrum(2, Fraction(0)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: batches.gaussian_batch(2, 3, 0), "n=3 samples of dimension d=2"),
        (lambda: batches.gaussian_batch(2, 0, 0), "n=0"),
        (lambda: batches.collinear_batch(2, 3, 1.0, 0), "n=3"),
        (lambda: batches.collinear_batch(3, 2, 0.0, 0), r"spread=0\.0"),
        (lambda: batches.collinear_batch(3, 2, float("nan"), 0), "spread=nan"),
        (lambda: batches.collinear_batch(3, 2, float("inf"), 0), "spread=inf"),
        (lambda: batches.spectrum_batch([], 3), "n=0"),
        (lambda: batches.spectrum_batch([1.0, 1.0], 1), "n=2"),
        (lambda: batches.spectrum_batch([1.0, -1.0], 2), r"eigenvalues\[1\]=-1.0 is negative"),
        (lambda: batches.spectrum_batch([0.0], 2), "all zero"),
        (lambda: batches.spectrum_batch([float("nan")], 2), "finite"),
        (lambda: batches.two_level_spectrum(1, 1.0), "n=1"),
        (lambda: batches.two_level_spectrum(2, 0.6), r"smallest=0\.6"),
        (lambda: batches.dominant_spectrum(2, -0.1), r"smallest=-0\.1"),
        (lambda: batches.dominant_spectrum(2, float("nan")), "smallest=nan"),
    ],
)
def test_synthetic_starts_refuse(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: batches.gaussian_batch("3", 2, 0), "d='3' is a str"),  # type: ignore[arg-type]
        (lambda: batches.gaussian_batch(3, 2.0, 0), "n=2.0 is a float"),  # type: ignore[arg-type]
        (lambda: batches.gaussian_batch(3, 2, None), "seed=None"),  # type: ignore[arg-type]
        # type: ignore[arg-type]
        (lambda: batches.collinear_batch(3, 2, "1", 0), "spread='1' is not a real number"),
        # type: ignore[arg-type]
        (lambda: batches.spectrum_batch(3, 3), "eigenvalues=3 is an int; give finite"),
        # type: ignore[arg-type]
        (lambda: batches.spectrum_batch("12", 3), "eigenvalues='12' is a str"),
        # type: ignore[list-item]
        (lambda: batches.spectrum_batch([1, None], 3), r"eigenvalues\[1\]=None"),
        (lambda: batches.two_level_spectrum("2", 0.1), "n='2' is a str"),  # type: ignore[arg-type]
        # type: ignore[type-var]
        (lambda: batches.dominant_spectrum(2, 1j), "smallest=1j is not a real number"),
    ],
)
def test_starts_of_another_type_are_refused_by_name(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        make()


def test_synthetic_starts_take_numpy_scalars() -> None:
    np.testing.assert_array_equal(
        batches.gaussian_batch(np.int64(3), 2, np.int64(1)), batches.gaussian_batch(3, 2, 1)
    )
    single = np.float32(0.5)
    np.testing.assert_array_equal(
        batches.collinear_batch(3, 2, single, 0), batches.collinear_batch(3, 2, 0.5, 0)
    )


def test_a_batch_of_a_gram_matrix_has_it():
    M = np.array([[1.0, 0.5, -0.5], [0.5, 1.0, 0.2], [-0.5, 0.2, 1.0]])
    H = batch_of_gram(M)
    assert abs(H @ H.T / 3 - M).max() < 1e-14
    singular = np.ones((4, 4))
    assert abs(batch_of_gram(singular) @ batch_of_gram(singular).T / 4 - singular).max() < 1e-13
    assert abs(batch_of_gram(np.eye(2, dtype=int))).max() > 0


@pytest.mark.parametrize(
    ("M", "error", "message"),
    [
        ([[1.0, 2.0], [2.0, 1.0]], ValueError, "M has the eigenvalue -1"),
        (
            [[1.0, 0.2], [0.2, 1.1]],
            ValueError,
            r"M has 1.1 in entry \(1, 1\) .*, 0.1 from 1; scale",
        ),
        (
            [[1.0, 0.2], [0.3, 1.0]],
            ValueError,
            r"M has 0.2 in entry \(0, 1\) .* and 0.3 in entry \(1, 0\) .*symmetric",
        ),
        (
            [[1.0, np.nan], [np.nan, 1.0]],
            ValueError,
            r"M has nan in entry \(0, 1\) .*one of 2 such entries",
        ),
        ([[1.0, 0.0], [-np.inf, 1.0]], ValueError, r"M has -inf in entry \(1, 0\)"),
        ([[1, 2], [1]], ValueError, "M is ragged or not an array; give rows of one length$"),
        (None, TypeError, "M has entries of type object"),
        ("M", TypeError, "M has entries of type <U1"),
        ([[1.0]], ValueError, r"M has shape \(1, 1\); give \(d, d\) with d ≥ 2"),
        (np.ones((2, 3)), ValueError, "M has shape"),
        ([[1j, 0], [0, 1]], TypeError, "complex"),
    ],
)
def test_what_is_no_gram_matrix_is_refused(M, error, message):
    with pytest.raises(error, match=message):
        batch_of_gram(M)
