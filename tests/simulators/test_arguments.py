"""The doors' own words: what counts as a number, and refusals of one short line whatever was
given.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from simulators.arguments import kind_of, one_of, real_number, require, told, whole_number


@pytest.mark.parametrize(
    "value",
    [
        1,
        0.1,
        Fraction(1, 3),
        np.float16(0.1),
        np.float32(0.1),
        np.float64(0.1),
        np.longdouble(2),
        np.int64(1),
        np.uint8(3),
        math.inf,
        -math.inf,
    ],
)
def test_real_scalars_are_numbers(value: Any) -> None:
    found = real_number("x", value)
    assert type(found) is float
    assert found == float(value)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (True, TypeError, "x=True is"),
        (np.True_, TypeError, "x=np.True_ is"),
        (1j, TypeError, "x=1j is"),
        (np.complex64(1), TypeError, "complex64"),
        ("1", TypeError, "x='1' is"),
        (None, TypeError, "x=None is"),
        ([0.5], TypeError, r"x=\[0.5\] is"),
        (np.array(0.5), TypeError, "x=array"),
        (np.ones((9, 9)), TypeError, "x=array"),
        (torch.ones(3, 3), TypeError, "x=tensor"),
        (math.nan, ValueError, "x=nan is not a number"),
        (np.float32("nan"), ValueError, "x=nan is not a number"),
        (10**400, ValueError, "beyond float64"),
    ],
)
def test_all_else_is_refused_in_one_short_line(
    value: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=f"{words}.*; give one in") as caught:
        real_number("x", value, "one in [0, 1]")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 160


def test_the_other_doors_tell_any_value_in_one_line() -> None:
    table = np.ones((20, 20))
    for call in (lambda: whole_number("x", table, 1), lambda: one_of("x", table, ("a", "b"))):
        with pytest.raises(TypeError, match=r"x=array.*ndarray; give") as caught:
            call()
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="x=an int of too many digits is beyond float64"):
        real_number("x", 10**9000)
    with pytest.raises(ValueError, match="x=an int of too many digits is below 1"):
        whole_number("x", -(10**9000), 1)
    assert told("a\nb") == r"'a\nb'"


def test_a_condition_that_holds_passes_and_another_raises_what_it_is_told() -> None:
    require(np.bool_(True), "never")
    with pytest.raises(TypeError, match=r"^d=2 is below 3$"):
        require([], "d=2 is below 3", TypeError)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1, "an int"),
        (1.0, "a float"),
        ("1", "a str"),
        (np.ones(2), "an ndarray"),
        (Fraction(1), "a Fraction"),
        (ValueError(), "a ValueError"),
        (OSError(), "an OSError"),
    ],
)
def test_a_type_is_told_with_its_article(value: object, words: str) -> None:
    assert kind_of(value) == words
