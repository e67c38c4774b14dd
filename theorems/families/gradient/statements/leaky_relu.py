"""Leaky ReLU at every batch size: its factor of gradients is a mean of that of no activation and that
of the absolute value.

Problem. Batch normalisation with max(z, 0) + a min(z, 0): how does the factor of E‖G‖² a layer
depend on the slope a, at a batch size n?

Method. The activation is pz + q|z|, p = (1+a)/2, q = (1-a)/2. Its derivative is p + q sign z, and in
both E tr[D C D(C - uuᵀ)] and κ_n what is odd in u has mean 0, so that each is p² times that of the
identity and q² times that of the absolute value. ReLU is the case p = q, which gives the latter two
from its closed form:

    F_n(a) = (p² v F_lin + q² w F_abs)/(p² v + q² w),  v = n/(n-1), w = 4κ - v, F_lin = (n-2)/(n-3),

κ that of ReLU (`batchnorm_relu`). F_abs - F_lin and w are enclosed in balls over intervals of 1/n that
cover [0, 1/4]; integrals over the angle of two entries give F_n(a) again.

Guarantee. F_abs - F_lin ≥ 17/10 and w ≥ 8/25 for every n ≥ 4, so that F_n(a) lies between both, falls
strictly as a goes from -1 to 1, and no leaky ReLU has a smaller factor than no activation.

Reference. Ours, after Y19 (arXiv 1902.08129). The limit n → ∞ is `activation_limit:leaky_lower`.

Example:

    >>> [round(float(leaky_factor(8, Fraction(a, 10)).mid()), 4) for a in (10, 1, 0, -10)]
    [1.2, 1.6274, 1.7882, 3.6718]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import flint
import sympy as sp

from theorems.checking.enclosures import Enclosed, Part
from theorems.families.gradient.enclosures import (
    leaky_by_integrals,
    leaky_factor,
    leaky_parts,
    over,
)
from theorems.families.gradient.notation import FAMILY, SAMPLES, y19
from theorems.statement import NUDGE, Quantifier, Sentinel, Statement, Verdict

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw"]

#: Intervals of 1/n that cover [0, 1/4].
CELLS = 256
integral, formula, excess, weight = sp.symbols("integral formula excess weight", real=True)

_leaky = partial(
    Statement,
    family=FAMILY,
    theorem="leaky_relu",
    quantifier=Quantifier.MEAN_FIELD,
    source=y19("leaky ReLU"),
    variables=(SAMPLES,),
    expected=Verdict.CERTIFIED,
)


def _both(slope: Fraction, size: int) -> Mapping[str, flint.arb]:
    return {"integral": leaky_by_integrals(size, slope), "formula": leaky_factor(size, slope)}


def _closed_form(variant: str, slope: Fraction, name: str) -> Statement:
    """That the mean of both is the factor, at one slope."""
    return _leaky(
        variant=variant,
        title=f"The factor of {name} is the mean of both, F_n(a)",
        definitions={
            integral: "the factor from integrals over the angle of two entries of a row",
            formula: f"F_n({slope})",
        },
        lhs=sp.Abs(integral - formula),
        relation="<=",
        rhs=sp.Rational(1, 10**12),
        chain=f"batchnorm({'abs' if slope == -1 else f'leaky_relu({float(slope)})'})",
        sentinel=Sentinel(
            "one part in a million more", lhs=sp.Abs(integral - (1 + NUDGE) * formula)
        ),
        checks=(Enclosed((4, 5, 8, 16, 64), partial(_both, slope)),),
    )


def _over(place: int) -> Mapping[str, flint.arb]:
    ends = Fraction(place, 4 * CELLS), Fraction(place + 1, 4 * CELLS)
    absolute, linear, share = (each[0] for each in leaky_parts(over(*ends, 1)))
    return {"excess": absolute - linear, "weight": share}


def _cells() -> Iterator[Part]:
    for place in range(CELLS):
        low, high = Fraction(place, 4 * CELLS), Fraction(place + 1, 4 * CELLS)
        yield Part(f"1/n in [{low}, {high}]", partial(_over, place), low, high)


_every_size = partial(_leaky, relation=">=", checks=(Enclosed(parts=_cells),))

STATEMENTS = (
    _closed_form("tenth", Fraction(1, 10), "leaky ReLU with slope 1/10"),
    _closed_form("absolute", Fraction(-1), "the absolute value"),
    _every_size(
        variant="excess",
        title="F_abs - F_lin ≥ 17/10 at every n ≥ 4: no leaky ReLU is below no activation",
        definitions={excess: "F_abs - F_lin"},
        lhs=excess,
        rhs=sp.Rational(17, 10),
        sentinel=Sentinel("2", rhs=sp.Integer(2)),
        chain="batchnorm(abs)",
    ),
    _every_size(
        variant="weight",
        title="w ≥ 8/25 at every n ≥ 4: the factor falls strictly as the slope goes from -1 to 1",
        definitions={weight: "w, of F_abs"},
        lhs=weight,
        rhs=sp.Rational(8, 25),
        sentinel=Sentinel("7/20", rhs=sp.Rational(7, 20)),
        chain="batchnorm(abs)",
    ),
)


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """The factor against the slope at three batch sizes and in the limit; None if not run.

    ``document`` is the JSON value of a run.
    """
    import numpy as np

    from theorems.report.document import find
    from theorems.report.style import COLOURS, INK, Drawing, drawing, new_figure

    if find(document, STATEMENTS[0].name) is None:
        return None
    places = [Fraction(k, 20) for k in range(-20, 21)]
    slopes = np.array([float(each) for each in places])
    mean_square = (1 + slopes**2) / 2
    limit = mean_square / (mean_square - (1 - slopes) ** 2 / (2 * np.pi))
    with drawing():
        figure = new_figure(5.2, 3.4)
        axes = figure.add_subplot()
        for size, colour in ((4, "as_printed"), (8, "measured"), (16, "sharp")):
            factors = [float(leaky_factor(size, each).mid()) for each in places]
            axes.plot(slopes, factors, color=COLOURS[colour], label=f"n = {size}")
        axes.plot(slopes, limit, color=INK, label="n → ∞")
        axes.axhline(1, color=INK, linewidth=0.8, linestyle=":")
        axes.set(xlabel="slope below 0", ylabel="factor of E‖G‖² a layer", xlim=(-1, 1))
        axes.legend()
    return Drawing(
        "leaky_relu",
        "Gradients under batch normalisation with leaky ReLU",
        "At infinite width. Slope -1 is the absolute value, 0 ReLU, 1 no activation; dotted: gradients "
        "neither grow nor shrink.",
        figure,
        tuple(statement.name for statement in STATEMENTS),
    )


FIGURES = (draw,)
