"""Raising the rank before training helps deep networks that stall at rank one.

Problem. Without normalisation the representations of a deep network are nearly of rank one, and
plain gradient descent stalls. D20 raises the effective rank by gradient ascent on it before
training, and reports that this alone makes such networks learn.

Method. Perceptrons of 64 units from Xavier's weights are trained on the digits by plain gradient
descent, with and without 100 steps of ascent on the rank of 32 samples before; 64 seeds with the
same weights and batches. The interval for the median over seeds is made of order statistics, at the
level of the family.

Guarantee. With ReLU, at 16 layers, the ascent multiplies the rank by 3 or more, and the loss ends
lower. With tanh, at 20 layers, which learn without it, the loss does not end at ¾ or below. Of
sampling, at these sizes; from 30 layers on ascent at this rate raises ReLU's rank little.

Reference. D20 (arXiv 2003.01652), Fig. 4.

Example:

    >>> [float(statement.bound()) for statement in STATEMENTS]
    [3.0, 1.0, 0.75]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import sympy as sp

from simulators.training import Design, Recipe
from theorems.checking.medians import Medians
from theorems.context import Context
from theorems.families.training.figures import Figure
from theorems.families.training.notation import D20, FAMILY, SIZES, SUPPORTED_BY
from theorems.families.training.runs import (
    Floats,
    Treatment,
    along_training,
    compared,
    over,
)
from theorems.statement import Quantifier, Sentinel, Source, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

UNITS, ASCENT, SEEDS = 64, 100, 64

_RANK = "effective rank with ReLU"

R, r, r_0 = sp.symbols("R r r_0", nonnegative=True)

_relu = Treatment(
    Design(16, UNITS, initialisation="xavier"),
    Recipe(steps=300, batch_size=32, learning_rate=0.1, checkpoints=6),
    seeds=SEEDS,
)
_tanh = Treatment(
    Design(20, UNITS, initialisation="xavier", activation="tanh"),
    Recipe(steps=100, batch_size=32, learning_rate=0.05, checkpoints=5),
    seeds=SEEDS,
)


def _raised(treatment: Treatment) -> Treatment:
    return replace(treatment, design=replace(treatment.design, ascent=ASCENT))


def _ranks(treated: Treatment, control: Treatment) -> Callable[[Context], Floats]:
    """The rank before training over that of the control, of each seed."""

    def measure(context: Context) -> Floats:
        first, second = (each.trained(context).ranks[:, 0] for each in (treated, control))
        found: Floats = np.asarray(first / second)
        return found

    return measure


def _check(
    control: Treatment,
    measures: dict[str, Callable[[Context], Floats]],
    panel: str,
    measured: str = "losses",
) -> tuple[Medians]:
    design = control.design
    sizes = {"L": design.depth, "d": UNITS}
    curves = (
        along_training(panel, "as drawn", control, measured),
        along_training(panel, "after ascent on the rank", _raised(control), measured),
    )
    label = f"{design.activation}, L={design.depth}"
    return (compared(label, sizes, measures, _raised(control), curves=curves),)


_claim = partial(
    Statement,
    family=FAMILY,
    theorem="rank_before_training",
    quantifier=Quantifier.COMPARISON,
    source=Source(D20, "Fig. 4"),
    variables=SIZES,
    remark=SUPPORTED_BY,
)

_loss = partial(
    _claim,
    lhs=R,
    relation="<=",
    definitions={R: "median over seeds of final loss with ascent on the rank, over that without"},
)

STATEMENTS = (
    _claim(
        variant="raised",
        title="16 layers, ReLU: ascent multiplies the rank by 3 or more",
        lhs=r,
        relation=">=",
        rhs=sp.Integer(3),
        definitions={
            r: "median over seeds of effective rank in the last layer with ascent, over without",
            r_0: "the same of a treatment that does nothing: other weights",
        },
        sentinel=Sentinel("a treatment that does nothing", lhs=r_0),
        expected=Verdict.SUPPORTED,
        checks=_check(
            _relu,
            {
                "r": _ranks(_raised(_relu), _relu),
                "r_0": _ranks(replace(_relu, weights="other"), _relu),
            },
            _RANK,
            "ranks",
        ),
    ),
    _loss(
        variant="rescued",
        title="16 layers, ReLU: the loss ends no higher with ascent on the rank",
        rhs=sp.Integer(1),
        sentinel=Sentinel("at a tenth of it", rhs=sp.Rational(1, 10)),
        expected=Verdict.SUPPORTED,
        checks=_check(_relu, {"R": over(_raised(_relu), _relu)}, "training loss with ReLU, nats"),
    ),
    _loss(
        variant="rescued_tanh",
        title="20 layers, tanh: the loss ends at ¾ or below with ascent on the rank",
        rhs=sp.Rational(3, 4),
        sentinel=Sentinel("at a tenth of it", rhs=sp.Rational(1, 10)),
        expected=Verdict.REFUTED,
        remark="That raising the rank rescues does not reproduce with tanh at 20 layers of 64 "
        f"units, which learn without it; with ReLU at 16 layers it does. {SUPPORTED_BY}",
        checks=_check(_tanh, {"R": over(_raised(_tanh), _tanh)}, "training loss with tanh, nats"),
    ),
)
FIGURES = (
    Figure(
        "rank_before_training",
        "Ascent on the rank before training",
        "D20, Fig. 4, claims that raising the rank at initialisation makes deep networks learn "
        "that stall without.",
        "Perceptrons of 64 units from Xavier's weights, 16 layers with ReLU and 20 with tanh.",
        across="steps",
        logarithmic=(_RANK,),
    ),
)
