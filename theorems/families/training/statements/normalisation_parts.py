"""Of batch normalisation, rescaling makes deep networks learn, and recentring alone does not.

Problem. Batch normalisation takes off a unit's mean over the batch, and divides by its standard
deviation. D20 trains with either half alone. Which of them does it?

Method. Perceptrons with ReLU, 20 layers of 64 units from He's weights, are trained on the digits by
plain gradient descent, 150 steps at rate 1/50, 32 seeds of each with the same weights and batches.
The interval for the median over seeds is made of order statistics, at the level of the family.

Guarantee. With recentring alone the loss is at least 5/4 of that with both; with rescaling alone it
is no larger. Of sampling, at these sizes.

Reference. D20 (arXiv 2003.01652), Fig. 5.

Example:

    >>> [float(statement.bound()) for statement in STATEMENTS]
    [1.25, 1.0]
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from simulators.training import Design, Recipe
from theorems.checking.medians import Medians
from theorems.families.training.figures import LOSS, Figure
from theorems.families.training.notation import D20, FAMILY, SIZES, SUPPORTED_BY
from theorems.families.training.runs import Treatment, along_training, compared, over
from theorems.statement import Quantifier, Sentinel, Source, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

LAYERS, UNITS = 20, 64
RECIPE = Recipe(steps=150, batch_size=32, learning_rate=0.02, checkpoints=5)

_SERIES = {"recentre": "recentring", "rescale": "rescaling"}

R = sp.Symbol("R", nonnegative=True)


def _check(part: str) -> tuple[Medians]:
    treated, both = (Treatment(Design(LAYERS, UNITS, each), RECIPE) for each in (part, "batch"))
    sizes = {"L": LAYERS, "d": UNITS}
    curves = [along_training(LOSS, _SERIES[part], treated)]
    if part == "recentre":
        curves.append(along_training(LOSS, "batch normalisation", both))
    measures = {"R": over(treated, both)}
    return (compared(f"{part}, L={LAYERS}", sizes, measures, treated, curves=curves),)


_claim = partial(
    Statement,
    family=FAMILY,
    theorem="normalisation_parts",
    quantifier=Quantifier.COMPARISON,
    source=Source(D20, "Fig. 5"),
    variables=SIZES,
    definitions={
        R: "median over seeds of loss after 150 steps over that with batch normalisation",
    },
    lhs=R,
    expected=Verdict.SUPPORTED,
    remark=SUPPORTED_BY,
)

STATEMENTS = (
    _claim(
        variant="recentring",
        title="20 layers, recentring alone: at least 5/4 of the loss with both",
        relation=">=",
        rhs=sp.Rational(5, 4),
        sentinel=Sentinel("at least three times as much", rhs=sp.Integer(3)),
        checks=_check("recentre"),
    ),
    _claim(
        variant="rescaling",
        title="20 layers, rescaling alone: no more than the loss with both",
        relation="<=",
        rhs=sp.Integer(1),
        sentinel=Sentinel("at most a tenth of it", rhs=sp.Rational(1, 10)),
        checks=_check("rescale"),
    ),
)
FIGURES = (
    Figure(
        "normalisation_parts",
        "Recentring alone, rescaling alone, and both",
        "D20, Fig. 5, claims that rescaling is the half of batch normalisation that makes deep "
        "networks learn.",
        "Perceptrons of 20 layers of 64 units with ReLU, 150 steps at rate 1/50.",
        across="steps",
    ),
)
