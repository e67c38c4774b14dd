"""Shrinking: simplest rationals, and inputs that get simpler while they still violate."""

from fractions import Fraction

from hypothesis import given
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
