"""Iterative orthogonalisation against Xavier's and He's weights, without batch normalisation.

Problem. Deep networks without normalisation are slow to learn, and the deeper the slower. DJB21
fills their weights layer by layer so that a batch comes nearer to orthogonality
(`simulators.training.iterative_orthogonal_`), and reports that the slowdown is gone.

Method. Perceptrons with ReLU of 64 units are trained on the digits by plain gradient descent, 200
steps at rate 1/200, 32 seeds of each initialisation with the same batches. The interval for the
median over seeds is made of order statistics, at the level of the family.

Guarantee. At 15 layers the loss is at most ¾ of that from Xavier's weights, and no more than that
with batch normalisation; it is not ¾ of that from He's, whose loss is lower; from 5 to 15 layers at
least half of the progress is kept, and from Xavier's weights not. Of sampling, at these sizes and
this rate: at ten times the rate the gradients of orthogonalised networks, which grow as under batch
normalisation, make them diverge.

Reference. DJB21 (arXiv 2106.03970), Fig. 4.

Example:

    >>> float(STATEMENTS[0].bound())
    0.75
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import sympy as sp

from simulators.training import Design, Recipe
from theorems.context import Context
from theorems.families.training.figures import LOSS, Figure
from theorems.families.training.notation import DJB21, FAMILY, SIZES, SUPPORTED_BY
from theorems.families.training.runs import (
    Curve,
    Floats,
    Treatment,
    compared,
    losses_at,
    nothing_done,
    over,
    progress_over,
)
from theorems.statement import Quantifier, Sentinel, Source, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

UNITS, SHALLOW, DEEP = 64, 5, 15
DEPTHS = (SHALLOW, 10, DEEP)
RECIPE = Recipe(steps=200, batch_size=32, learning_rate=0.005)
SIZE = {"L": DEEP, "d": UNITS}

_SERIES = {
    "xavier": "Xavier",
    "he": "He",
    "batch": "batch normalisation",
    "iterative": "iterative orthogonalisation",
}

R, R_0, P, P_0 = sp.symbols("R R_0 P P_0", nonnegative=True)


def treatment(depth: int, initialisation: str) -> Treatment:
    """Networks of a depth from an initialisation.

    - ``depth``: hidden layers
    - ``initialisation``: a word of `simulators.training.Design`; ``"batch"`` for batch
      normalisation, from He's weights

    Example:
        >>> treatment(5, "he").design.width
        64
    """
    if initialisation == "batch":
        return Treatment(Design(depth, UNITS, "batch"), RECIPE)
    return Treatment(Design(depth, UNITS, initialisation=initialisation), RECIPE)


def _kept(initialisation: str) -> Callable[[Context], Floats]:
    """What measures how much of the progress of the shallow networks the deep ones make."""
    return progress_over(treatment(DEEP, initialisation), treatment(SHALLOW, initialisation))


_claim = partial(
    Statement,
    family=FAMILY,
    theorem="iterative_orthogonalisation",
    quantifier=Quantifier.COMPARISON,
    source=Source(DJB21, "Fig. 4"),
    variables=SIZES,
    remark=SUPPORTED_BY,
)


def _over_depths(initialisation: str) -> Callable[[Context], Curve]:
    treatments = {depth: treatment(depth, initialisation) for depth in DEPTHS}
    return losses_at(LOSS, _SERIES[initialisation], treatments)


def _against(initialisation: str, most: sp.Rational) -> dict[str, Any]:
    """What a comparison with another initialisation has of its own."""
    control, treated = treatment(DEEP, initialisation), treatment(DEEP, "iterative")
    measures = {"R": over(treated, control)}
    curves = [_over_depths(initialisation)]
    if initialisation == "xavier":
        measures["R_0"] = nothing_done(control)
        curves.append(_over_depths("iterative"))
    ratio = f"loss after 200 steps over that from {_SERIES[initialisation]}"
    return {
        "lhs": R,
        "relation": "<=",
        "rhs": most,
        "definitions": {
            R: f"median over seeds of {ratio}",
            R_0: "the same of a treatment that does nothing: other weights, "
            f"{_SERIES[initialisation]}",
        },
        "checks": (
            compared(
                f"iterative, {initialisation}, L={DEEP}", SIZE, measures, treated, curves=curves
            ),
        ),
    }


STATEMENTS = (
    _claim(
        variant="against_xavier",
        title="15 layers: at most ¾ of the loss from Xavier's weights",
        sentinel=Sentinel("a treatment that does nothing", lhs=R_0),
        expected=Verdict.SUPPORTED,
        **_against("xavier", sp.Rational(3, 4)),
    ),
    _claim(
        variant="against_he",
        title="15 layers: at most ¾ of the loss from He's weights",
        sentinel=Sentinel("at most half", rhs=sp.Rational(1, 2)),
        expected=Verdict.REFUTED,
        remark="That it learns faster than from He's weights does not reproduce at 15 layers of 64 "
        "units by 200 steps at rate 1/200; with convolutions of 8 channels it does. "
        f"{SUPPORTED_BY}",
        **_against("he", sp.Rational(3, 4)),
    ),
    _claim(
        variant="against_batchnorm",
        title="15 layers: no more than the loss with batch normalisation",
        sentinel=Sentinel("at most half", rhs=sp.Rational(1, 2)),
        expected=Verdict.SUPPORTED,
        **_against("batch", sp.Integer(1)),
    ),
    _claim(
        variant="progress_kept",
        title="15 layers make at least half of the progress of 5",
        lhs=P,
        relation=">=",
        rhs=sp.Rational(1, 2),
        definitions={
            P: "median over seeds of (log 10 - loss) at 15 layers over the same at 5",
            P_0: "the same from Xavier's weights",
        },
        sentinel=Sentinel("from Xavier's weights", lhs=P_0),
        expected=Verdict.SUPPORTED,
        checks=(
            compared(
                f"L={SHALLOW} and {DEEP}",
                SIZE,
                {"P": _kept("iterative"), "P_0": _kept("xavier")},
                treatment(DEEP, "iterative"),
            ),
        ),
    ),
)
FIGURES = (
    Figure(
        "iterative_orthogonalisation",
        "Iterative orthogonalisation against depth",
        "DJB21, Fig. 4, claims that it removes the slowdown with depth without batch "
        "normalisation.",
        "Perceptrons of 64 units with ReLU, 200 steps at rate 1/200.",
    ),
)
