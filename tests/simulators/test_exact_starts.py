"""Starts in rationals: what they say of their Gram matrix is what their entries have, and no
coordinate is idle.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.starts import (
    Start,
    corner_axes,
    corner_samples,
    corner_scales,
    cube_dimensions,
    haar_mirrors,
    named,
    start_at,
    starts,
)
from simulators.strategies import corner_spectra

HALF = Fraction(1, 2)


def floats(rows: Any) -> Any:
    return np.array([[float(x) for x in row] for row in rows])


def close(start: Start, rows: int) -> bool:
    batch, exact = start.batch(rows), floats(start.gram)
    return bool(np.allclose(batch.T @ batch, exact, rtol=1e-12, atol=1e-12 * abs(exact).max()))


@settings(max_examples=60, deadline=None)
@given(starts(1, 5), st.integers(1, 3))
def test_entries_have_the_gram_matrix_that_is_stated(start: Start, repeats: int) -> None:
    assert close(replace(start, repeats=repeats), 3 * start.size)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda n: st.tuples(
            st.just(n),
            st.lists(st.floats(0, 1), min_size=cube_dimensions(n), max_size=cube_dimensions(n)),
        )
    )
)
def test_the_cube_holds_starts(point: tuple[int, list[float]]) -> None:
    start = start_at(*point)
    assert close(start, start.size)
    assert sum(start.spectrum) == 1


def test_every_coordinate_of_the_cube_moves_the_start() -> None:
    middle = np.full(cube_dimensions(3), 0.5)
    middle[:6] = 0.1, 0.15, 0.2, 0.9, 0.8, 0.7  # eigenvalues that a basis tells apart, and a mirror
    plain = start_at(3, middle.tolist()).gram
    for k in range(cube_dimensions(3)):
        moved = middle.copy()
        moved[k] = 0.05
        far = middle.copy()
        far[k] = 0.99
        assert any(start_at(3, u.tolist()).gram != plain for u in (moved, far)), k


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 16])
def test_named_axes_are_orthogonal_and_complete(n: int) -> None:
    found = corner_axes(n)
    assert len(set(found.values())) == len(found)
    for axes in found.values():
        rows = floats(axes)
        products = rows @ rows.T
        assert np.count_nonzero(products - np.diag(np.diag(products))) == 0
        assert (np.diag(products) > 0).all()
        assert len(rows) == n


def test_the_mean_direction_is_first_or_last() -> None:
    spectrum = corner_spectra(4)["dominant"]
    means = [
        sum(sum(row) for row in Start(spectrum, corner_axes(4)[name]).gram) / 4
        for name in ("mean first", "mean last")
    ]
    assert means == [spectrum[0], spectrum[-1]]
    simplex = Start(corner_spectra(4)["singular"], corner_axes(4)["mean last"]).gram
    assert {simplex[i][j] / simplex[i][i] for i in range(4) for j in range(i)} == {Fraction(-1, 3)}


def test_mirrors_draw_bases_by_haars_law() -> None:
    """The squares of the first axis' entries are Dirichlet(1/2, …): means 1/3, mean squares 1/5."""
    generator = np.random.default_rng(0)
    first = (Fraction(1), Fraction(0), Fraction(0))
    squares = np.array(
        [
            [
                float(row[k])
                for k, row in enumerate(Start(first, (), haar_mirrors(3, generator)).gram)
            ]
            for _ in range(1500)
        ]
    )
    deviation = 4.5 / np.sqrt(1500)  # two-sided error 7e-6 for each mean
    assert abs(squares.mean(0) - 1 / 3).max() < deviation * np.sqrt(4 / 45)
    assert abs((squares**2).mean(0) - 1 / 5).max() < deviation * squares.var()


def test_x_and_minus_x() -> None:
    start = Start((HALF, HALF), (), (), *corner_samples(2)["x, -x"])
    assert start.gram == ((HALF, -HALF), (-HALF, HALF))
    assert named(start) == {"spectrum": "uniform", "basis": "diagonal", "samples": "x, -x"}


@pytest.mark.parametrize("n", [1, 2, 3, 4, 16])
def test_levels_have_names_that_are_read_back(n: int) -> None:
    spectrum = corner_spectra(n)["uniform"]
    for basis, axes in corner_axes(n).items():
        for samples, (copies, signs) in corner_samples(n).items():
            for scales, sizes in corner_scales(n).items():
                scaled = tuple(a * b for a, b in zip(signs, sizes, strict=True))
                words = named(Start(spectrum, axes, (), copies, scaled))
                assert (
                    words["basis"],
                    words.get("samples", "as they are"),
                    words.get("scales", "as they are"),
                ) == (basis, samples, scales)


def test_a_start_says_whether_its_spectrum_is_what_it_was_given() -> None:
    spectrum = corner_spectra(3)["distinct"]
    turned = Start(
        spectrum,
        corner_axes(3)["mean first"],
        ((Fraction(1), Fraction(2), Fraction(3)),),
        scales=(Fraction(1), Fraction(-1), Fraction(1)),
    )
    assert turned.plain
    assert np.allclose(np.linalg.eigvalsh(floats(turned.gram))[::-1], [float(x) for x in spectrum])
    assert not replace(turned, copies=(0, 0, 2)).plain
    assert not replace(turned, scales=(Fraction(1), Fraction(2), Fraction(1))).plain


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(spectrum=()), "nonnegative numbers"),
        (dict(spectrum=(Fraction(0),)), "not all zero"),
        (dict(spectrum=(HALF, -HALF)), "nonnegative"),
        (dict(axes=((HALF, HALF), (HALF, HALF))), r"axes\[1\]"),
        (dict(axes=((HALF, HALF),)), "axes: 1 entries"),
        (dict(mirrors=((Fraction(0),) * 2,)), "mirrors: one is the zero"),
        (dict(copies=(0, 2)), "copies"),
        (dict(scales=(HALF,)), "scales: 1 entries"),
        (dict(repeats=0), "repeats"),
    ],
)
def test_what_is_no_start_is_refused_by_name(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Start(**{"spectrum": (HALF, HALF), **options})


def test_a_batch_needs_room_for_its_rows() -> None:
    with pytest.raises(ValueError, match="rows=3: 2 samples, their rows stacked 2 times, take 4"):
        Start((HALF, HALF), repeats=2).batch(3)
    with pytest.raises(ValueError, match="take 9 coordinates"):
        start_at(2, [0.0])
