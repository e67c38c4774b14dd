"""Statistics of mini-batches rather than of all samples: what the jitter is worth is little here.

Problem. The means and variances of a mini-batch are those of all samples with some noise, and the
boundaries of units move with it (R26, BB22). BB22 says that this widens the margin and helps to
generalise.

Method. Perceptrons with ReLU and batch normalisation, 3 layers of 64 units, are trained on 256 of
the digits by plain gradient descent in batches of 8, 300 steps; the same batches and weights, 32
seeds; once with the statistics of the batch, once with those of all 256 in every step. The interval
for the median over seeds is made of order statistics, at the level of the run.

Guarantee. The gain in test accuracy is below five points of a hundred. Whether there is one, these
seeds do not tell: the interval for its median has both signs. Of sampling, at these sizes.

Reference. After BB22 (arXiv 2209.14778), of which abstract and introduction are known to us, and
which gives no size.

Example:

    >>> float(STATEMENT.bound())
    0.05
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sympy as sp

from simulators.training import Design, Recipe
from theorems.context import Context
from theorems.families.training.figures import Figure
from theorems.families.training.notation import FAMILY, SIZES, SUPPORTED_BY
from theorems.families.training.runs import Curve, Floats, Treatment, compared, curve
from theorems.statement import Quantifier, Sentinel, Source, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

LAYERS, UNITS = 3, 64
SIZE = {"L": LAYERS, "d": UNITS}
RECIPE = Recipe(steps=300, batch_size=8, learning_rate=0.05, samples=256)

D = sp.Symbol("D", real=True)

_JITTERED = Treatment(Design(LAYERS, UNITS, "batch"), RECIPE)
_WHOLE = replace(_JITTERED, recipe=replace(RECIPE, statistics="whole"))


def _gain(context: Context) -> Floats:
    """Test accuracy with the batch's statistics less that with all, of each seed."""
    jittered, whole = (each.trained(context).test_accuracy for each in (_JITTERED, _WHOLE))
    found: Floats = np.asarray(jittered - whole)
    return found


def _accuracies(context: Context) -> Curve:
    """The shares of test images right, by whose statistics are taken."""
    treatments = {"mini-batches": _JITTERED, "all samples": _WHOLE}
    shares = {at: each.trained(context).test_accuracy for at, each in treatments.items()}
    return curve("share of test images right", "at the end", shares)


STATEMENT = Statement(
    family=FAMILY,
    theorem="minibatch_jitter",
    title="3 layers, batches of 8: five points more of test accuracy than by whole statistics",
    quantifier=Quantifier.COMPARISON,
    source=Source("ours", "after BB22 (arXiv 2209.14778)"),
    variables=SIZES,
    definitions={D: "median over seeds of the difference of the shares of test images right"},
    lhs=D,
    relation=">=",
    rhs=sp.Rational(1, 20),
    sentinel=Sentinel("ten points more", rhs=sp.Rational(1, 10)),
    expected=Verdict.REFUTED,
    checks=(
        compared(
            f"batches of 8, L={LAYERS}",
            SIZE,
            {"D": _gain},
            published=False,
            curves=(_accuracies,),
        ),
    ),
    remark=SUPPORTED_BY,
)

STATEMENTS = (STATEMENT,)
FIGURES = (
    Figure(
        "minibatch_jitter",
        "Statistics of mini-batches against those of all samples",
        "BB22's abstract says that the jitter of mini-batches widens the margin and helps to "
        "generalise.",
        "Perceptrons of 3 layers of 64 units with ReLU, 300 steps in batches of 8.",
        across="statistics of",
    ),
)
