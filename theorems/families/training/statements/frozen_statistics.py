"""Batch normalisation's statistics, frozen at initialisation, are an initialisation without it.

Problem. A network with batch normalisation whose means and variances are taken once, at
initialisation, and then are constants, is one without batch normalisation, from other weights and
biases. BB22 says that these are good ones. Better than the usual?

Method. Perceptrons with ReLU, 10 layers of 64 units, are trained on the digits by plain gradient
descent, 150 steps at rate 1/50, 32 seeds of each initialisation with the same batches. The
interval for the median over seeds is made of order statistics, at the level of the family.

Guarantee. The training loss is at most a tenth of that from Xavier's weights, half of that from
He's, and no more than that from orthogonal ones. What is learnt generalises less well: the test
accuracy is below that from orthogonal weights. Of sampling, at these sizes; at 20 layers and this
rate some of these networks diverge.

Reference. After BB22 (arXiv 2209.14778), of which abstract and introduction are known to us.

Example:

    >>> [float(statement.bound()) for statement in STATEMENTS]
    [0.1, 0.5, 1.0, 0.0]
"""

from __future__ import annotations

from functools import partial

import numpy as np
import sympy as sp

from simulators.training import Design, Recipe
from theorems.checking.medians import Medians
from theorems.context import Context
from theorems.families.training.figures import LOSS, Figure
from theorems.families.training.notation import FAMILY, SIZES, SUPPORTED_BY
from theorems.families.training.runs import (
    Curve,
    Floats,
    Treatment,
    along_training,
    compared,
    curve,
    nothing_done,
    over,
)
from theorems.statement import Quantifier, Sentinel, Source, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

LAYERS, UNITS = 10, 64
SIZE = {"L": LAYERS, "d": UNITS}
RECIPE = Recipe(steps=150, batch_size=32, learning_rate=0.02, checkpoints=5)
FROZEN = Treatment(Design(LAYERS, UNITS, "frozen"), RECIPE)

_RIGHT = "share of test images right"
_SERIES = {"xavier": "Xavier", "he": "He", "orthogonal": "orthogonal"}

R, R_0 = sp.symbols("R R_0", nonnegative=True)
D = sp.Symbol("D", real=True)


def _from(weights: str) -> Treatment:
    return Treatment(Design(LAYERS, UNITS, initialisation=weights), RECIPE)


def _against(weights: str) -> tuple[Medians]:
    measures = {"R": over(FROZEN, _from(weights))}
    if weights == "xavier":
        measures["R_0"] = nothing_done(_from(weights))
    curves = [along_training(LOSS, _SERIES[weights], _from(weights))]
    if weights == "xavier":
        curves.append(along_training(LOSS, "frozen statistics", FROZEN))
    return (compared(f"frozen, {weights}, L={LAYERS}", SIZE, measures, FROZEN, curves=curves),)


def _more_right(context: Context) -> Floats:
    """Test accuracy over that from orthogonal weights, as a difference, of each seed."""
    frozen, usual = (each.trained(context) for each in (FROZEN, _from("orthogonal")))
    found: Floats = np.asarray(frozen.test_accuracy - usual.test_accuracy)
    return found


def _accuracies(context: Context) -> Curve:
    """The shares of test images right, by what the weights are."""
    treatments = {"frozen": FROZEN, "orthogonal": _from("orthogonal"), "He": _from("he")}
    shares = {at: each.trained(context).test_accuracy for at, each in treatments.items()}
    return curve(_RIGHT, "at the end", shares)


_claim = partial(
    Statement,
    family=FAMILY,
    theorem="frozen_statistics",
    quantifier=Quantifier.COMPARISON,
    source=Source("ours", "after BB22 (arXiv 2209.14778)"),
    variables=SIZES,
    remark=SUPPORTED_BY,
)

_loss = partial(
    _claim,
    lhs=R,
    relation="<=",
    definitions={
        R: "median over seeds of loss after 150 steps, statistics frozen, over that without them",
        R_0: "the same of a treatment that does nothing: other weights, without them",
    },
    expected=Verdict.SUPPORTED,
)

STATEMENTS = (
    _loss(
        variant="against_xavier",
        title="10 layers: at most a tenth of the loss from Xavier's weights",
        rhs=sp.Rational(1, 10),
        sentinel=Sentinel("a treatment that does nothing", lhs=R_0),
        checks=_against("xavier"),
    ),
    _loss(
        variant="against_he",
        title="10 layers: at most half of the loss from He's weights",
        rhs=sp.Rational(1, 2),
        sentinel=Sentinel("at most a hundredth", rhs=sp.Rational(1, 100)),
        checks=_against("he"),
    ),
    _loss(
        variant="against_orthogonal",
        title="10 layers: no more than the loss from orthogonal weights",
        rhs=sp.Integer(1),
        sentinel=Sentinel("at most a twentieth", rhs=sp.Rational(1, 20)),
        checks=_against("orthogonal"),
    ),
    _claim(
        variant="test_accuracy",
        title="10 layers: test accuracy no lower than from orthogonal weights",
        lhs=D,
        relation=">=",
        rhs=sp.Integer(0),
        definitions={D: "median over seeds of the difference of the shares of test images right"},
        sentinel=Sentinel("a tenth of all images more", rhs=sp.Rational(1, 10)),
        expected=Verdict.REFUTED,
        remark="That frozen statistics are a good initialisation reproduces for what is learnt, by "
        "10 layers of 64 units in 150 steps at rate 1/50, and does not reproduce for images of the "
        f"test. {SUPPORTED_BY}",
        checks=(
            compared(
                f"frozen, orthogonal, L={LAYERS}",
                SIZE,
                {"D": _more_right},
                FROZEN,
                curves=(_accuracies,),
            ),
        ),
    ),
)
FIGURES = (
    Figure(
        "frozen_statistics",
        "Batch normalisation's statistics, frozen at initialisation",
        "BB22's abstract calls batch normalisation a good initialisation: with its statistics "
        "frozen, of a network without it.",
        "Perceptrons of 10 layers of 64 units with ReLU, 150 steps at rate 1/50.",
        across={LOSS: "steps"},
        logarithmic=(LOSS,),
    ),
)
