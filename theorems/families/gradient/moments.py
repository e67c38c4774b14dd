"""How a law of rows multiplies squared gradients, from the second moments of its directions alone.

A finite law stands for any: q_s carries the probability of row s and 1/‖a_s‖², u_s is its
direction. Inputs are made of orthogonal frames, whose directions have the moments of a Gaussian
law.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial

import sympy as sp

from simulators.lazy import composite
from simulators.lazy import strategies as st
from simulators.strategies import fractions_between
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given, sphere_point
from theorems.families.gradient.notation import FAMILY, g, i, k, m, n, q, s, u
from theorems.statement import (
    NUDGE,
    Assumption,
    Proof,
    Quantifier,
    Sentinel,
    Source,
    Statement,
    Variable,
    Verdict,
)

__all__ = ["moments"]

Item = Mapping[str, object]
Rows = Sequence[Sequence[Fraction]]

#: An orthogonal frame of 1^⊥ in R⁴.
_CENTRED = ((1, 1, -1, -1), (1, -1, 1, -1), (1, -1, -1, 1))


def _reflected(row: Sequence[Fraction], mirror: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """The image of a row under the reflection across the complement of a unit vector."""
    along = 2 * sum(x * y for x, y in zip(row, mirror, strict=True))
    return tuple(x - along * y for x, y in zip(row, mirror, strict=True))


def _frame(centred: bool, size: int, mirror: Sequence[Fraction]) -> Rows:
    """An orthonormal frame of R^n, or of 1^⊥ in R⁴, reflected."""
    if centred:
        return [tuple(Fraction(x, 2) for x in row) for row in _CENTRED]
    axes = [[Fraction(int(x == y)) for y in range(size)] for x in range(size)]
    return [_reflected(axis, mirror) for axis in axes]


def _item(centred: bool, rows: Rows, gradient: Sequence[Fraction]) -> Item:
    size = len(gradient)
    if centred:
        mean = sum(gradient, Fraction(0)) / size
        gradient = [entry - mean for entry in gradient]
    weight = Fraction(1, size - (3 if centred else 2))
    weights = (weight,) * len(rows)
    return {"n": size, "m": len(rows), "q": weights, "u": tuple(rows), "g": tuple(gradient)}


@composite
def _laws(draw: st.DrawFn, centred: bool) -> Item:
    size = 4 if centred else draw(st.integers(3, 4))
    entry = fractions_between(Fraction(-2), Fraction(2), 6)
    mirror = sphere_point(draw(st.lists(entry, min_size=size - 1, max_size=size - 1)))
    gradient = draw(st.lists(entry, min_size=size, max_size=size))
    return _item(centred, _frame(centred, size, mirror), gradient)


def _corners(centred: bool) -> list[Item]:
    """Frames along the axes, or the cube's, with a gradient along one axis, and along none; beside
    them one that breaks each assumption.
    """
    size = 4 if centred else 3
    axis = [Fraction(int(x == 0)) for x in range(size)]
    rows = _frame(centred, size, axis)
    found = [_item(centred, rows, each) for each in (axis, [*map(Fraction, range(1, size + 1))])]
    longer = [tuple(2 * entry for entry in row) for row in rows]
    given = found[0]
    weight = Fraction(1, 4 * (size - (3 if centred else 2)))
    return [
        *found,
        {**given, "u": tuple(longer), "q": (weight,) * len(rows)},
        {**given, "q": (weight,) * len(rows)},
        {**given, "g": tuple(axis)},
    ]


def moments(*, theorem: str, title: str, source: Source, centred: bool, proof: Proof) -> Statement:
    """The statement that second moments alone give the factor.

    Args:
        theorem: what it is a variant of.
        title: in one line.
        source: where the factor is from.
        centred: whether rows and gradients have mean 0.
        proof: the theorem that speaks for it.

    Returns:
        The variant ``moments`` of that theorem.
    """
    less, least = (3, 4) if centred else (2, 3)
    everywhere = (i, 0, n - 1), (k, 0, n - 1)
    claimed = sp.KroneckerDelta(i, k) - (1 / n if centred else 0)
    second = sp.Sum(q[s] * u[s, i] * u[s, k], (s, 0, m - 1)) - claimed / (n - less)
    along = sp.Sum(g[k] * u[s, k], (k, 0, n - 1))
    back = sp.Sum((g[i] - u[s, i] * along) ** 2, (i, 0, n - 1))
    factor = (n - less + 1) / (n - less)
    norm = sp.Sum(g[i] ** 2, (i, 0, n - 1))
    unit = sp.Sum((sp.Sum(u[s, i] ** 2, (i, 0, n - 1)) - 1) ** 2, (s, 0, m - 1))
    assumptions = (
        Assumption(sp.Eq(unit, 0), "the directions are unit vectors"),
        Assumption(
            sp.Eq(sp.Sum(second**2, *everywhere), 0), "they have the moments of a Gaussian row"
        ),
        *(
            [Assumption(sp.Eq(sp.Sum(g[i], (i, 0, n - 1)), 0), "the gradient has mean 0")]
            if centred
            else []
        ),
    )
    return Statement(
        family=FAMILY,
        theorem=theorem,
        variant="moments",
        title=title,
        quantifier=Quantifier.POINTWISE,
        source=source,
        variables=(
            Variable(n, sp.Range(least, sp.oo), "batch size"),
            Variable(m, sp.Range(1, sp.oo), "number of rows that there may be"),
            Variable(q, sp.Interval(0, sp.oo), "probability of a row over ‖a‖²", size=(m,)),
            Variable(u, sp.Reals, "its direction", size=(m, n)),
            Variable(g, sp.Reals, "gradient at a row", size=(n,)),
        ),
        assumptions=assumptions,
        lhs=sp.Sum(q[s] * back, (s, 0, m - 1)),
        relation="==",
        rhs=factor * norm,
        sentinel=Sentinel("one part in a million more", rhs=(1 + NUDGE) * factor * norm),
        expected=Verdict.CERTIFIED,
        checks=(
            Pointwise(as_given, partial(_laws, centred), partial(_corners, centred), examples=110),
        ),
        proof=proof,
    )
