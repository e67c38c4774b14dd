"""Weights whose mean is not zero break batch normalisation.

Problem. D20 proves that batch normalisation keeps the rank for weights that are centred. With
weights uniform on [0, 2/√d] it collapses at initialisation; does such a network still learn?

Method. Perceptrons with ReLU and batch normalisation, 10 layers of 64 units, are trained on the
digits by plain gradient descent, 150 steps at rate 1/50, 32 seeds. The interval for the median
over seeds is made of order statistics, at the level of the family.

Guarantee. The loss is at least twice that from He's weights; with other weights of He in their
place it is not. Of sampling, at these sizes.

Reference. D20 (arXiv 2003.01652), Fig. 6.

Example:

    >>> float(STATEMENT.bound())
    2.0
"""

from __future__ import annotations

import sympy as sp

from simulators.training import Design, Recipe
from theorems.families.training.figures import LOSS, Figure
from theorems.families.training.notation import D20, FAMILY, SIZES, SUPPORTED_BY
from theorems.families.training.runs import (
    Treatment,
    along_training,
    compared,
    nothing_done,
    over,
)
from theorems.statement import Quantifier, Sentinel, Source, Statement, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS"]

LAYERS, UNITS = 10, 64
RECIPE = Recipe(steps=150, batch_size=32, learning_rate=0.02, checkpoints=5)

R, R_0 = sp.symbols("R R_0", nonnegative=True)

_centred, _uncentred = (
    Treatment(Design(LAYERS, UNITS, "batch", weights), RECIPE) for weights in ("he", "uncentred")
)

STATEMENT = Statement(
    family=FAMILY,
    theorem="uncentred_weights",
    title="10 layers with batch normalisation: at least twice the loss of centred weights",
    quantifier=Quantifier.COMPARISON,
    source=Source(D20, "Fig. 6"),
    variables=SIZES,
    definitions={
        R: "median over seeds of loss after 150 steps over that from He's weights",
        R_0: "the same of a treatment that does nothing: other weights of He",
    },
    lhs=R,
    relation=">=",
    rhs=sp.Integer(2),
    sentinel=Sentinel("a treatment that does nothing", lhs=R_0),
    expected=Verdict.SUPPORTED,
    checks=(
        compared(
            f"uncentred, L={LAYERS}",
            {"L": LAYERS, "d": UNITS},
            {"R": over(_uncentred, _centred), "R_0": nothing_done(_centred)},
            _uncentred,
            curves=(
                along_training(LOSS, "He", _centred),
                along_training(LOSS, "uniform on [0, 2/√d]", _uncentred),
            ),
        ),
    ),
    remark=SUPPORTED_BY,
)

STATEMENTS = (STATEMENT,)
FIGURES = (
    Figure(
        "uncentred_weights",
        "Batch normalisation with weights whose mean is not zero",
        "D20, Fig. 6, claims that uncentred initial weights break batch normalisation.",
        "Perceptrons of 10 layers of 64 units with ReLU, 150 steps at rate 1/50.",
        across="steps",
    ),
)
