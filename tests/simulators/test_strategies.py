"""Every draw is valid, every corner is reached, and failures shrink to something readable."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis.strategies import SearchStrategy

from simulators import strategies
from simulators.batches import validate_batch
from simulators.strategies import CLOSE, TINY, Matrix, Vector

BOUNDED = settings(max_examples=100, derandomize=True, deadline=None)
# Within so many draws each corner must appear: one that appears once in fifty is missed with odds
# 1e-26.
REACHED = settings(
    max_examples=3000, derandomize=True, deadline=None, database=None, phases=[Phase.generate]
)
SHRUNK = settings(max_examples=3000, derandomize=True, deadline=None, database=None)


def columns(matrix: Matrix) -> list[Vector]:
    return list(zip(*matrix, strict=True))


@BOUNDED
@given(strategies.spectra(2, 5))
def test_spectra_are_valid(spectrum: Vector) -> None:
    assert 2 <= len(spectrum) <= 5
    assert all(isinstance(value, Fraction) and value >= 0 for value in spectrum)
    assert sum(spectrum) == 1
    assert list(spectrum) == sorted(spectrum, reverse=True)
    assert all(float(value) > 0 for value in spectrum if value)


@BOUNDED
@given(strategies.spectra(allow_zero=False), strategies.singular_values(allow_zero=False))
def test_zeros_are_kept_out_on_request(spectrum: Vector, values: Vector) -> None:
    assert min(spectrum) > 0
    assert min(values) > 0


@BOUNDED
@given(strategies.singular_values(1, 4))
def test_singular_values_are_valid(values: Vector) -> None:
    assert 1 <= len(values) <= 4
    assert all(isinstance(value, Fraction) for value in values)
    assert values[0] > 0
    assert values[-1] >= 0
    assert list(values) == sorted(values, reverse=True)
    assert TINY <= values[0] <= 9 / TINY


@BOUNDED
@given(strategies.matrices(5, 3))
def test_matrices_are_valid(matrix: Matrix) -> None:
    d, n = len(matrix), len(matrix[0])
    assert 1 <= n <= 3
    assert n <= d <= 5
    assert all(len(row) == n and any(row) for row in matrix)
    assert all(isinstance(entry, Fraction) for row in matrix for entry in row)


@BOUNDED
@given(strategies.matrices(allow_zero_rows=True))
def test_matrices_with_zero_rows_are_never_zero(matrix: Matrix) -> None:
    assert any(any(row) for row in matrix)


@BOUNDED
@given(strategies.batches())
def test_batches_pass_the_door(batch: np.ndarray) -> None:
    assert batch.dtype == np.float64
    np.testing.assert_array_equal(validate_batch(batch), batch)


SPECTRUM_CORNERS: dict[str, Callable[[Vector], bool]] = {
    "n = 1": lambda s: len(s) == 1,
    "n = 2": lambda s: len(s) == 2,
    "n = 8": lambda s: len(s) == 8,
    "uniform": lambda s: len(s) > 2 and s[0] == s[-1],
    "one dominant": lambda s: len(s) > 2 and s[0] > 9 * s[1] and s[1] == s[-1] > 0,
    "one small": lambda s: len(s) > 2 and s[0] == s[-2] > 9 * s[-1] > 0,
    "repeated": lambda s: len(s) > 3 and s[0] == s[1] > s[-2] == s[-1] > 0,
    "all distinct": lambda s: len(s) > 3 and len(set(s)) == len(s),
    "nearly singular": lambda s: 0 < s[-1] <= TINY,
    "exactly singular": lambda s: s[-1] == 0,
    "rank one": lambda s: len(s) > 2 and s[1] == 0,
}

MATRIX_CORNERS: dict[str, Callable[[Matrix], bool]] = {
    "n = 1": lambda m: len(m[0]) == 1 < len(m),
    "square": lambda m: len(m) == len(m[0]) > 2,
    "tall": lambda m: len(m) > len(m[0]) + 1 > 2,
    "equal columns": lambda m: len(m[0]) > 1 and len(set(columns(m))) < len(m[0]),
    "opposite columns": lambda m: any(
        any(a) and tuple(-x for x in a) == b for a, b in combinations(columns(m), 2)
    ),
    "all columns equal": lambda m: len(m[0]) > 2 and len(set(columns(m))) == 1,
    "close columns": lambda m: any(
        0 < max(abs(a - b) for a, b in zip(columns(m)[0], other, strict=True)) <= 18 * CLOSE
        and max(map(abs, other)) >= 1
        for other in columns(m)[1:]
    ),
    "huge": lambda m: max(abs(entry) for row in m for entry in row) >= 1 / TINY,
    "tiny": lambda m: max(abs(entry) for row in m for entry in row) <= 10 * TINY,
    "zero column": lambda m: not all(any(column) for column in columns(m)),
    "fractions": lambda m: any(entry.denominator == 7 for row in m for entry in row),
}


@pytest.mark.parametrize("corner", SPECTRUM_CORNERS)
def test_spectra_reach(corner: str) -> None:
    find(strategies.spectra(), SPECTRUM_CORNERS[corner], settings=REACHED)


@pytest.mark.parametrize("corner", SPECTRUM_CORNERS)
def test_singular_values_reach(corner: str) -> None:
    find(strategies.singular_values(), SPECTRUM_CORNERS[corner], settings=REACHED)


@pytest.mark.parametrize("corner", MATRIX_CORNERS)
def test_matrices_reach(corner: str) -> None:
    find(strategies.matrices(), MATRIX_CORNERS[corner], settings=REACHED)


@pytest.mark.parametrize(
    ("name", "strategy", "corner"),
    [
        ("huge values", strategies.singular_values(), lambda values: values[0] >= 1 / TINY),
        ("tiny values", strategies.singular_values(), lambda values: values[0] <= 9 * TINY),
        (
            "zero row",
            strategies.matrices(allow_zero_rows=True),
            lambda m: not all(any(row) for row in m),
        ),
        ("zero row", strategies.batches(), lambda b: not b.any(axis=1).all()),
        ("huge batch", strategies.batches(), lambda b: np.abs(b).max() >= 1e300),
        ("tiny batch", strategies.batches(), lambda b: np.abs(b).max() <= 1e-299),
        (
            "equal samples",
            strategies.batches(),
            lambda b: b.shape[1] > 1 and (b[:, 0] == b.T).all(),
        ),
    ],
)
def test_further_corners_are_reached(
    name: str, strategy: SearchStrategy[Any], corner: Callable[[Any], bool]
) -> None:
    find(strategy, corner, settings=REACHED)


def test_failures_shrink_to_small_whole_numbers() -> None:
    third = Fraction(1, 3)
    assert find(strategies.spectra(), lambda s: len(s) == 3, settings=SHRUNK) == (
        third,
        third,
        third,
    )
    assert find(strategies.singular_values(), lambda s: len(s) == 2, settings=SHRUNK) == (1, 1)
    matrix = find(strategies.matrices(), lambda m: len(m[0]) == 2, settings=SHRUNK)
    assert len(matrix) == 2
    assert all(abs(entry) <= 1 and entry.denominator == 1 for row in matrix for entry in row)


@pytest.mark.parametrize("n", [1, 2, 3, 8])
def test_corner_spectra_are_distinct_spectra(n: int) -> None:
    corners = strategies.corner_spectra(n)
    assert len(set(corners.values())) == len(corners) == {1: 1, 2: 4}.get(n, 9)
    for spectrum in corners.values():
        assert len(spectrum) == n
        assert sum(spectrum) == 1
        assert list(spectrum) == sorted(spectrum, reverse=True)
        assert spectrum[-1] >= 0
    assert all(
        spectrum[-1] > 0 for spectrum in strategies.corner_spectra(n, allow_zero=False).values()
    )


@pytest.mark.parametrize(("d", "n"), [(1, 1), (3, 3), (5, 2)])
def test_corner_matrices_have_their_size_and_no_zero_row(d: int, n: int) -> None:
    corners = strategies.corner_matrices(d, n)
    assert len(set(corners.values())) == len(corners) == (8 if n > 1 else 4)
    for matrix in corners.values():
        assert len(matrix) == d
        assert all(len(row) == n and any(row) for row in matrix)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: strategies.spectra(0), "min_n=0"),
        (lambda: strategies.singular_values(3, 2), "min_n=3, max_n=2"),
        (lambda: strategies.matrices(2, 3), "max_d=2, max_n=3"),
        (lambda: strategies.batches(2, 0), "max_d=2, max_n=0"),
        (lambda: strategies.corner_spectra(0), "n=0"),
        (lambda: strategies.corner_matrices(2, 3), "d=2, n=3"),
    ],
)
def test_invalid_sizes_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: strategies.spectra("1"), "min_n='1' is a str"),  # type: ignore[arg-type]
        (lambda: strategies.matrices(2.5, 2), "max_d=2.5 is a float"),  # type: ignore[arg-type]
        (lambda: strategies.corner_spectra(None), "n=None"),  # type: ignore[arg-type]
        (lambda: strategies.corner_matrices(2, "1"), "n='1'"),  # type: ignore[arg-type]
    ],
)
def test_sizes_that_are_no_whole_numbers_are_refused(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        make()
