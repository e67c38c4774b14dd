"""Shrinking: simplest rationals, and inputs that get simpler while they still violate."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theorems.checking.shrinking import shrink, weight


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


@settings(deadline=None)
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


F = Fraction


@pytest.mark.parametrize(
    ("ratio", "low", "high", "want"),
    [
        (F(571, 100), F(11, 2), F(6001, 1000), F(6)),
        (F(1903, 100), F(19), F(20001, 1000), F(20)),
        (F(9823, 100), F(98), F(99001, 1000), F(99)),
        (F(10**6, 123457) + F(1, 10**12), F(10**6, 123457), F(10**6, 123456), F(10**6, 123457)),
    ],
    ids=str,
)
def test_shares_become_the_smallest_whole_ones_that_violate(
    ratio: Fraction, low: Fraction, high: Fraction, want: Fraction
) -> None:
    def violates(item: Any) -> bool:
        return len(item) == 2 and sum(item) == 1 and item[1] > 0 and low <= item[0] / item[1] < high

    found = shrink((ratio / (1 + ratio), 1 / (1 + ratio)), violates)
    assert found[0] / found[1] == want


@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_spectrum_loses_its_first_middle_or_last_entry(place: int) -> None:
    """What violates is three to seven times the same powers in turn, whatever is beside them."""
    kept = [F(1), F(2), F(4), F(8)]
    spectrum = [*kept[:place], F(11), *kept[place:]]

    def violates(item: Any) -> bool:
        rest = [*item]
        if len(rest) == 5:
            del rest[place]
        return len(rest) == 4 and all(rest) and all(b == 2 * a for a, b in pairwise(rest))

    assert violates(spectrum)
    assert len(shrink(tuple(spectrum), violates)) == 4
