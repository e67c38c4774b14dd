"""Shrinking: simplest rationals, and inputs that get simpler while they still violate."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorems.checking.shrinking import shrink, weight
from theorems.simple_fractions import simplest_between

fractions = st.fractions(-100, 100, max_denominator=500)


@given(fractions, fractions)
def test_no_simpler_fraction_lies_between(a: Fraction, b: Fraction) -> None:
    low, high = min(a, b), max(a, b)
    found = simplest_between(low, high)
    assert low <= found <= high
    for denominator in range(1, min(found.denominator, 60)):
        first = Fraction(-(-low.numerator * denominator // low.denominator), denominator)
        assert first > high, "a smaller denominator fits"


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        ("1/3", "1/2", "1/2"),
        ("5/7", "3/4", "3/4"),
        ("-3", "-2", "-2"),
        ("-1", "1", "0"),
        ("31415/10000", "31416/10000", "333/106"),
        ("2/5", "2/5", "2/5"),
    ],
)
def test_simplest_fractions(low: str, high: str, found: str) -> None:
    assert simplest_between(Fraction(low), Fraction(high)) == Fraction(found)


def test_an_empty_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="exceeds"):
        simplest_between(Fraction(1), Fraction(0))


def test_a_number_shrinks_to_the_simplest_that_violates() -> None:
    found = shrink(
        {"x": Fraction(2_718_281_828, 10**9)},
        lambda item: Fraction(5, 2) < item["x"] < Fraction(26, 9),
    )
    assert found == {"x": Fraction(11, 4)} or found["x"].denominator <= 4


def test_a_spectrum_loses_samples_and_keeps_its_sum() -> None:
    spectrum = (Fraction(61, 100), Fraction(29, 100), Fraction(7, 100), Fraction(3, 100))
    found = shrink(
        {"n": Fraction(4), "spectrum": spectrum},
        lambda item: (
            len(item["spectrum"]) == item["n"] >= 2 and item["spectrum"][0] > Fraction(1, 2)
        ),
    )
    assert found["n"] == 2
    assert sum(found["spectrum"]) == 1
    assert max(x.denominator for x in found["spectrum"]) <= 4


def test_a_matrix_loses_rows_and_columns() -> None:
    rows = tuple(tuple(Fraction(7 * i + j + 1, 3) for j in range(3)) for i in range(4))
    found = shrink(
        {"n": Fraction(3), "d": Fraction(4), "matrix": rows},
        lambda item: (
            (len(item["matrix"]), len(item["matrix"][0])) == (item["d"], item["n"])
            and item["d"] >= 2
        ),
    )
    assert (found["d"], found["n"]) == (2, 1)
    assert set(sum(found["matrix"], ())) <= {Fraction(0), Fraction(1)}


@given(st.fractions(1, 50), st.fractions(1, 50))
def test_what_comes_out_violates_and_is_no_heavier(x: Fraction, y: Fraction) -> None:
    def violates(item: object) -> bool:
        return isinstance(item, dict) and item["x"] * item["y"] >= Fraction(1, 2)

    found = shrink({"x": x, "y": y}, violates)
    assert violates(found)
    assert weight(found) <= weight({"x": x, "y": y})


def test_trials_are_limited() -> None:
    calls = []
    shrink({"x": Fraction(10**40 + 1, 10**39)}, lambda item: bool(calls.append(item)), most=25)
    assert len(calls) <= 25
