"""tanh's critical line over cells of lengths: the balls against integrals at single lengths."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from flint import arb, ctx, fmpq

from theorems.families.gradient import critical_line
from theorems.families.gradient.critical_line import line_parts
from theorems.families.gradient.statements.edge_of_chaos import critical


def _directly(length: Fraction) -> dict[str, arb]:
    """What the parts enclose, at one length."""
    q = arb(fmpq(length.numerator, length.denominator))
    weights, biases = critical(length)
    w = (weights * weights - 1) / q
    return {
        "below": (4 - w) * (1 + q) / q,
        "above": (w - 9 * arb.pi() / 8) * (1 + q),
        "biases": (4 * q * q * q / (3 * biases) - 1) / q - 4 * q / 3,
    }


LEAST, MOST, CUTS = critical_line.LEAST, critical_line.MOST, 16
FIRST = critical_line.RATIO * LEAST


@pytest.mark.parametrize(
    ("place", "length"),
    [
        (0, LEAST / 20),
        (CUTS - 1, LEAST * Fraction(99, 100)),
        (CUTS, (LEAST + FIRST) / 2),
        (-1, MOST * Fraction(101, 100)),
        (-CUTS, MOST * 100),
    ],
)
def test_balls_of_a_part_hold_what_a_length_in_it_has(place: int, length: Fraction) -> None:
    part = list(line_parts())[place]
    with ctx.workprec(192):
        found, known = part.values(), _directly(length)
    for name, value in known.items():
        ball = found[name]
        assert isinstance(ball, arb)
        assert ball.rad() < 0.5, name
        bound_only = name == "biases" and length > MOST
        assert ball.lower() <= value.upper() if bound_only else ball.overlaps(value), name


def test_parts_leave_no_length_out() -> None:
    ends = [
        part.label.split("(" if "(" in part.label else "[")[1].strip("]") for part in line_parts()
    ]
    pairs = [tuple(map(Fraction, each.split(", "))) for each in ends]
    lengths, reciprocals = pairs[:-CUTS], pairs[-CUTS:]
    assert lengths[0][0] == reciprocals[0][0] == 0
    assert lengths[-1][1] == 1 / reciprocals[-1][1] == MOST
    for each in (lengths, reciprocals):
        assert all(a[1] == b[0] for a, b in pairwise(each))
