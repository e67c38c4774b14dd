"""Exact inputs that families share: nothing is rounded, signs are orthogonal, points lie on the
sphere.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorems.checking.rational_inputs import as_given, rational_rows, sphere_point, walsh_signs


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4))
def test_rational_rows_are_the_floats_themselves(row: list[float]) -> None:
    (found,) = rational_rows([row])
    assert [float(x) for x in found] == row
    assert all(x.denominator & (x.denominator - 1) == 0 for x in found), "dyadic"


@pytest.mark.parametrize("entry", [np.nan, np.inf, -np.inf])
def test_entries_that_are_not_finite_are_refused_by_name(entry: float) -> None:
    with pytest.raises(ValueError, match=rf"^matrix has the entry {entry}: want finite numbers$"):
        rational_rows([[1.0, entry]])


def test_rows_of_signs_are_orthogonal() -> None:
    signs = np.array([walsh_signs(number, 8) for number in range(8)], dtype=object)
    assert (signs @ signs.T == 8 * np.eye(8, dtype=int)).all()
    assert walsh_signs(5, 3) == walsh_signs(5, 8)[:3]


@given(st.lists(st.fractions(-20, 20, max_denominator=30), max_size=5))
def test_points_lie_on_the_sphere_and_give_their_coordinates_back(u: list[Fraction]) -> None:
    *inside, last = sphere_point(u)
    assert sum(x * x for x in (*inside, last)) == 1
    assert [x / (1 + last) for x in inside] == u


def test_an_input_as_given_is_the_same_object() -> None:
    item = {"n": 2}
    assert as_given(item) is item
