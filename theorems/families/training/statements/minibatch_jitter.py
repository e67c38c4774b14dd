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
from theorems.families.training.notation import FAMILY, SIZES, SUPPORTED_BY
from theorems.families.training.runs import Floats, Treatment, compared
from theorems.statement import Quantifier, Sentinel, Source, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

LAYERS, UNITS = 3, 64
SIZE = {"L": LAYERS, "d": UNITS}
RECIPE = Recipe(steps=300, batch_size=8, learning_rate=0.05, samples=256)

D = sp.Symbol("D", real=True)


def _gain(context: Context) -> Floats:
    """Test accuracy with the batch's statistics less that with all, of each seed."""
    design = Design(LAYERS, UNITS, "batch")
    jittered, whole = (
        Treatment(design, recipe).trained(context)
        for recipe in (RECIPE, replace(RECIPE, statistics="whole"))
    )
    found: Floats = np.asarray(jittered.test_accuracy - whole.test_accuracy)
    return found


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
    checks=(compared(f"batches of 8, L={LAYERS}", SIZE, {"D": _gain}, published=False),),
    remark=SUPPORTED_BY,
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
