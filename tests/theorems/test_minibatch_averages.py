"""Averages over batches: against enumeration by hand, in three arithmetics, printed for people and
for Rocq.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import flint
import numpy as np
import pytest
import sympy as sp

from theorems.expressions import UndefinedError, arguments_of, compiled
from theorems.minibatch_averages import (
    Average,
    AverageWithoutReplacement,
    AverageWithReplacement,
    BatchSum,
)
from theorems.proofs.formulas import Formulas, UnprintableError
from theorems.typesetting import block, inline

N, b, m = sp.symbols("N b m", integer=True, positive=True)
i, j, B, C = sp.symbols("i j B C")
x = sp.IndexedBase("x", real=True)
POPULATION = [Fraction(1), Fraction(5, 3), Fraction(7), Fraction(-2)]

MEAN = BatchSum(x[i], i, B) / b
VARIANCE = BatchSum((x[i] - BatchSum(x[j], j, B) / b) ** 2, i, B) / b
KINDS = {
    AverageWithoutReplacement: lambda size, places: combinations(range(size), places),
    AverageWithReplacement: lambda size, places: product(range(size), repeat=places),
}


def by_hand(
    kind: type[Average], values: list[Fraction], size: int
) -> Iterator[tuple[Fraction, Fraction]]:
    """Mean and variance of every batch, by the definition."""
    for members in KINDS[kind](len(values), size):
        drawn = [values[k] for k in members]
        mean = sum(drawn, Fraction(0)) / size
        yield mean, sum(((v - mean) ** 2 for v in drawn), Fraction(0)) / size


def rational(value: Fraction) -> flint.fmpq:
    return flint.fmpq(value.numerator, value.denominator)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_moments_are_those_of_all_batches(kind: type[Average], size: int) -> None:
    batches = list(by_hand(kind, POPULATION, size))
    for body, truth in (
        (MEAN**2, [mean**2 for mean, _ in batches]),
        (VARIANCE, [var for _, var in batches]),
    ):
        average = kind(body, B, b, N)
        assert arguments_of(average) == (N, b, x)
        function, want = compiled(average, (N, b, x)), sum(truth, Fraction(0)) / len(truth)
        assert function.exact(4, size, POPULATION) == rational(want)
        with flint.ctx.workprec(100):
            assert function.balls(4, size, POPULATION).overlaps(flint.arb(rational(want)))
        number = function.floats(
            np.asarray(4.0), np.asarray(float(size)), np.array([float(v) for v in POPULATION])
        )
        assert number == pytest.approx(float(want), rel=1e-13)
        opened = average.subs({N: 4, b: size}).doit()
        assert opened.xreplace(
            {x[k]: sp.Rational(v.numerator, v.denominator) for k, v in enumerate(POPULATION)}
        ) == sp.Rational(want.numerator, want.denominator)


def test_the_two_kinds_differ() -> None:
    first, second = (
        compiled(kind(MEAN**2, B, b, N), (N, b, x)).exact(4, 2, POPULATION) for kind in KINDS
    )
    assert first != second


def test_more_than_there_are_cannot_be_drawn_without_replacement() -> None:
    with pytest.raises(UndefinedError):
        compiled(AverageWithoutReplacement(MEAN, B, b, N), (N, b, x)).exact(2, 3, POPULATION[:2])
    assert compiled(AverageWithReplacement(MEAN, B, b, N), (N, b, x)).exact(
        2, 3, POPULATION[:2]
    ) == flint.fmpq(4, 3)


def test_bound_symbols_are_not_free() -> None:
    average = AverageWithoutReplacement(VARIANCE, B, b, N)
    assert not {i, j, B} & {s for s in average.free_symbols if isinstance(s, sp.Symbol)} - {N, b}
    assert BatchSum(x[i], i, B).free_symbols >= {B}
    assert average.subs(b, 3).size == 3
    assert average.doit() == average, "nothing to write out while the sizes are open"


def formulas(**more: Any) -> Formulas:
    names = {"N": "N", "b": "b", "m": "m", "x": "x"}
    return Formulas(names, {"N": 1, "b": 1, "m": 1}, {"x": (N,)}, **more)


@pytest.mark.parametrize(
    ("expression", "printed"),
    [
        (
            AverageWithoutReplacement(MEAN, B, b, N),
            r"(\sum_(B : {set 'I_N} | #|B| == b) (\sum_(i in B) x i) / b%:R) / 'C(N, b)%:R",
        ),
        (
            AverageWithReplacement(MEAN, B, b, N),
            r"(\sum_(B : {ffun 'I_b -> 'I_N}) (\sum_(i < b) x (B i)) / b%:R) / N%:R ^+ b",
        ),
        (
            AverageWithoutReplacement(
                BatchSum(x[i] * BatchSum(x[j], j, B), i, B) ** 2, B, b + 1, N
            ),
            r"(\sum_(B : {set 'I_N} | #|B| == (b + 1)%N) (\sum_(i in B) x i * (\sum_(j in B) x j)) ^+ 2)"
            r" / 'C(N, b + 1)%:R",
        ),
        (
            AverageWithReplacement(BatchSum(x[i], i, B) ** 2, B, 2, N),
            r"(\sum_(B : {ffun 'I_2 -> 'I_N}) (\sum_(i < 2) x (B i)) ^+ 2) / N%:R ^+ 2",
        ),
    ],
)
def test_printed_to_rocq(expression: sp.Expr, printed: str) -> None:
    assert formulas().real(expression) == printed


def test_what_is_summed_outside_its_average_or_of_another_size_is_not_printed() -> None:
    with pytest.raises(UnprintableError, match="outside the average over its draws"):
        formulas().real(BatchSum(x[i], i, B))
    with pytest.raises(UnprintableError, match="outside the average over its draws"):
        formulas().real(AverageWithoutReplacement(BatchSum(x[i], i, C), B, b, N))
    with pytest.raises(UnprintableError, match="does not run over"):
        formulas().real(AverageWithoutReplacement(MEAN, B, b, m))


def test_shown_to_people() -> None:
    without, replaced = (kind(MEAN - 1, B, b, N) for kind in KINDS)
    assert inline(without) == "E[|B| = b]((Σ[i ∈ B] xᵢ)/b - 1)"
    assert inline(replaced).startswith("E[B ∈ {0 … N - 1}^b](")
    text = "\n".join(block(sp.Eq(without, 0, evaluate=False), 80))
    assert "i ∈ B" in text
    assert "|B| = b" in text
    assert "Average" not in text
