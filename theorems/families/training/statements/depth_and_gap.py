"""Without normalisation, what the gap is at initialisation and what is learnt go down with depth.

Problem. DJB21 draws the orthogonality gap at initialisation and the training loss after a fixed
time against depth, and both rise together; and while a network of 20 layers learns, its gap falls.

Method. Perceptrons with ReLU of 64 units are trained on the digits by plain gradient descent. Over
4 to 16 layers, 150 steps, 64 seeds: Spearman's rank correlation of gap and loss, seed by seed. At
20 layers, 300 steps, 64 seeds: the gap at the end over that at the beginning. The interval for the
median over seeds is made of order statistics, at the level of the family.

Guarantee. The correlation is at least 3/5; with the losses of each seed in a random order it is
not. The gap ends below what it was from He's weights, which learn; from Xavier's, which do not at
20 layers, at 4/5 of it at least. Of sampling, at these sizes.

Reference. DJB21 (arXiv 2106.03970), Fig. 3.

Example:

    >>> float(STATEMENTS[0].bound())
    0.6
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import sympy as sp

from simulators.training import Design, Recipe
from theorems.checking.medians import Medians
from theorems.context import Context
from theorems.families.training.figures import LOSS, Figure
from theorems.families.training.notation import DJB21, FAMILY, SIZES, SUPPORTED_BY
from theorems.families.training.runs import (
    Curve,
    Floats,
    Treatment,
    along_training,
    compared,
    curve,
    loss,
    losses_at,
    rank_correlation,
    shuffled,
)
from theorems.statement import Quantifier, Sentinel, Source, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

UNITS, DEPTHS, DEEP = 64, (4, 6, 8, 10, 12, 16), 20
RISING = Recipe(steps=150, batch_size=32, learning_rate=0.1)
FALLING = Recipe(steps=300, batch_size=32, learning_rate=0.05, checkpoints=6)
SEEDS = 64
NO_STEP = Recipe(steps=0, batch_size=32, learning_rate=0.05)

_GAP = "orthogonality gap at initialisation"
_FALLING = f"orthogonality gap at {DEEP} layers"
_SERIES = {"he": "He", "xavier": "Xavier"}

c, c_0 = sp.symbols("c c_0", real=True)
Q, Q_0 = sp.symbols("Q Q_0", nonnegative=True)


_by_depth = {
    depth: Treatment(Design(depth, UNITS, initialisation="xavier"), RISING, seeds=SEEDS)
    for depth in DEPTHS
}


def _correlation(in_order: bool) -> Callable[[Context], Floats]:
    """Of gap and loss over depths, of each seed; or with its losses in a random order."""

    def measure(context: Context) -> Floats:
        gaps = [each.trained(context).gaps[:, 0] for each in _by_depth.values()]
        losses = [loss(each, context) for each in _by_depth.values()]
        return rank_correlation(gaps, losses if in_order else shuffled(losses, context))

    return measure


def _first_gaps(context: Context) -> Curve:
    """The gap at initialisation, against depth."""
    gaps = {depth: each.trained(context).gaps[:, 0] for depth, each in _by_depth.items()}
    return curve(_GAP, "Xavier", gaps)


def _deep(initialisation: str, recipe: Recipe = FALLING) -> Treatment:
    return Treatment(Design(DEEP, UNITS, initialisation=initialisation), recipe, seeds=SEEDS)


def _lowered(initialisation: str, recipe: Recipe) -> Callable[[Context], Floats]:
    """The gap at the end over that at the beginning, of each seed."""
    deep = _deep(initialisation, recipe)

    def measure(context: Context) -> Floats:
        gaps = deep.trained(context).gaps
        found: Floats = np.asarray(gaps[:, -1] / gaps[:, 0])
        return found

    return measure


_claim = partial(
    Statement,
    family=FAMILY,
    theorem="depth_and_gap",
    quantifier=Quantifier.COMPARISON,
    source=Source(DJB21, "Fig. 3"),
    variables=SIZES,
    remark=SUPPORTED_BY,
)

_lowering = partial(
    _claim,
    lhs=Q,
    expected=Verdict.SUPPORTED,
    definitions={
        Q: "median over seeds of the gap of 32 samples in the last layer, at the end over before",
        Q_0: "the same after no step at all",
    },
)


def _lowering_check(
    initialisation: str, beside: dict[str, Callable[[Context], Floats]]
) -> tuple[Medians]:
    measures = {"Q": _lowered(initialisation, FALLING), **beside}
    label, sizes = f"{initialisation}, L={DEEP}", {"L": DEEP, "d": UNITS}
    deep = _deep(initialisation)
    falling = along_training(_FALLING, _SERIES[initialisation], deep, "gaps")
    return (compared(label, sizes, measures, deep, curves=(falling,)),)


STATEMENTS = (
    _claim(
        variant="together",
        title="4 to 16 layers: the rank correlation of first gap and last loss is at least 3/5",
        lhs=c,
        relation=">=",
        rhs=sp.Rational(3, 5),
        definitions={
            c: "median over seeds of the rank correlation of gap at initialisation and final loss",
            c_0: "the same with the losses of each seed in a random order",
        },
        sentinel=Sentinel("losses in a random order", lhs=c_0),
        expected=Verdict.SUPPORTED,
        checks=(
            compared(
                f"L={', '.join(map(str, DEPTHS))}",
                {"d": UNITS},
                {"c": _correlation(True), "c_0": _correlation(False)},
                _by_depth[DEPTHS[-1]],
                curves=(_first_gaps, losses_at(LOSS, "Xavier", _by_depth)),
            ),
        ),
    ),
    _lowering(
        variant="lowered",
        title="20 layers from He's weights: the gap ends below what it was",
        relation="<",
        rhs=sp.Integer(1),
        sentinel=Sentinel("no step at all", lhs=Q_0),
        checks=_lowering_check("he", {"Q_0": _lowered("he", NO_STEP)}),
    ),
    _lowering(
        variant="kept_from_xavier",
        title="20 layers from Xavier's weights: the gap ends at 4/5 of what it was, or above",
        relation=">=",
        rhs=sp.Rational(4, 5),
        sentinel=Sentinel("at 6/5 or above", rhs=sp.Rational(6, 5)),
        checks=_lowering_check("xavier", {}),
    ),
)
FIGURES = (
    Figure(
        "depth_and_gap",
        "Gap at initialisation, loss after training, and the gap on the way",
        "DJB21, Fig. 3, claims that gap and loss rise together with depth, and that the gap falls "
        "while a network of 20 layers learns.",
        "Perceptrons of 64 units with ReLU; 150 steps at rate 1/10, on the right 300 at 1/20.",
        across={_GAP: "hidden layers", LOSS: "hidden layers", _FALLING: "steps"},
    ),
)
