"""Zeros isolated and counted in balls: right counts, and no answer where there is none to give."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flint import arb, arb_series, ctx, fmpq

from theorems.checking.root_isolation import UndecidedError, isolate, narrow, over, signs


def polynomial(*zeros: fmpq) -> Callable[[arb_series], arb_series]:
    def function(x: arb_series) -> arb_series:
        product = arb_series([arb(1)], x.prec)
        for zero in zeros:
            product *= x - zero
        return product

    return function


def test_zeros_are_counted_ordered_and_enclosed():
    wanted = [fmpq(1, 3), fmpq(1, 3) + fmpq(1, 10**6), fmpq(5, 7)]
    zeros, cells = isolate(polynomial(*wanted), fmpq(0), fmpq(1))
    assert [zero.rising for zero in zeros] == [True, False, True]
    assert cells > 3
    for zero, exact in zip(zeros, wanted, strict=True):
        assert zero.low < exact < zero.high
        enclosed = narrow(polynomial(*wanted), zero)
        assert enclosed.contains(arb(exact))
        assert float(enclosed.rad()) < 1e-8


def test_none_and_transcendental():
    assert isolate(lambda x: x * x + 1, fmpq(-2), fmpq(2))[0] == []
    zeros, _ = isolate(lambda x: x.cos(), fmpq(0), fmpq(8))
    with ctx.workprec(128):
        assert [
            narrow(lambda x: x.cos(), z).overlaps(k * arb.pi() / 2)
            for z, k in zip(zeros, (1, 3, 5), strict=True)
        ]


def test_a_zero_at_a_point_of_bisection_is_not_lost_or_doubled():
    zeros, _ = isolate(polynomial(fmpq(1, 2)), fmpq(0), fmpq(1))
    assert len(zeros) == 1


def test_a_family_is_counted_for_all_of_its_members():
    drift = arb(0, 0.01)
    zeros, _ = isolate(lambda x: (x - arb(fmpq(1, 2)) - drift) * (x + 1), fmpq(0), fmpq(1))
    assert len(zeros) == 1
    assert zeros[0].low < fmpq(49, 100)
    assert zeros[0].high > fmpq(51, 100)


@pytest.mark.parametrize("zeros", [(fmpq(1, 3), fmpq(1, 3)), (fmpq(0),), (fmpq(1),)])
def test_a_double_zero_or_one_at_an_end_is_left_open(zeros):
    with pytest.raises(UndecidedError, match="open"):
        isolate(polynomial(*zeros), fmpq(0), fmpq(1))


def test_newton_refuses_an_interval_without_zero():
    zero = isolate(polynomial(fmpq(1, 3)), fmpq(0), fmpq(1))[0][0]
    with pytest.raises(UndecidedError, match="no zero"):
        narrow(polynomial(fmpq(3)), zero)


def test_signs_on_a_cell():
    assert signs(lambda x: x * x, fmpq(1), fmpq(2)) == (1, 1)
    assert signs(lambda x: x * x, fmpq(-1), fmpq(2)) == (0, 0)
    assert signs(lambda x: -x, fmpq(-1), fmpq(2)) == (0, -1)
    assert over(fmpq(1, 3), fmpq(2, 3)).contains(arb(fmpq(1, 3)))
