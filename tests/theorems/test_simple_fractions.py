"""The simplest fraction of an interval: none simpler lies in it."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theorems.simple_fractions import simplest_between

fractions = st.fractions(-100, 100, max_denominator=500)


@settings(deadline=None)
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
