"""Iterative orthogonalisation of networks of convolutions, without batch normalisation.

Problem. DJB21 fills the weights of convolutions as it does those of perceptrons, with patches for
samples (`simulators.training.iterative_orthogonal_`). Does that remove the slowdown with depth, and
how does it compare with batch normalisation?

Method. Networks of convolutions of 3 by 3 pixels with ReLU, 8 channels of 8 by 8, are trained on
256 of the digits by plain gradient descent, 100 steps at rate 1/200, 64 seeds of each
initialisation, with the same batches. The interval for the median over seeds is made of order
statistics, at the level of the family.

Guarantee. At 15 layers the loss is at most half of that from Xavier's weights and ¾ of that from
He's, and more than half of the progress of 5 layers is kept; from Xavier's weights it is not. At 10
layers it is no more than that with batch normalisation from He's, which 32 seeds do not always
tell; at 15 layers they do not tell it. Of sampling, at these sizes and this rate: at four times the
rate He's weights do better.

Reference. DJB21 (arXiv 2106.03970), Fig. 7.

Example:

    >>> [float(statement.bound()) for statement in STATEMENTS]
    [0.5, 0.75, 1.0, 0.5]
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from simulators.training import Design, Recipe
from theorems.families.training.figures import LOSS, Figure
from theorems.families.training.notation import DJB21, FAMILY, SIZES, SUPPORTED_BY
from theorems.families.training.runs import (
    Treatment,
    compared,
    losses_at,
    nothing_done,
    over,
    progress_over,
)
from theorems.statement import Quantifier, Sentinel, Source, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

CHANNELS, SHALLOW, MIDDLE, DEEP = 8, 5, 10, 15
RECIPE = Recipe(steps=100, batch_size=32, learning_rate=0.005, samples=256)
SEEDS = {SHALLOW: 64, MIDDLE: 64, DEEP: 64}
FEWER_SEEDS = {SHALLOW: 32, MIDDLE: 64, DEEP: 32}
SIZE = {"L": DEEP, "d": CHANNELS}

R, R_0, P, P_0 = sp.symbols("R R_0 P P_0", nonnegative=True)

_xavier, _he, _iterative, _normalised = (
    {
        depth: Treatment(Design(depth, CHANNELS, *made, kernel=3), RECIPE, seeds=n)
        for depth, n in seeds.items()
    }
    for made, seeds in (
        (("none", "xavier"), SEEDS),
        (("none", "he"), SEEDS),
        (("none", "iterative"), SEEDS),
        (("batch", "he"), FEWER_SEEDS),
    )
)

_claim = partial(
    Statement,
    family=FAMILY,
    theorem="convolutional",
    quantifier=Quantifier.COMPARISON,
    source=Source(DJB21, "Fig. 7"),
    variables=SIZES,
    remark=f"Here d is the number of channels. {SUPPORTED_BY}",
    expected=Verdict.SUPPORTED,
)

_loss = partial(
    _claim,
    lhs=R,
    relation="<=",
)

STATEMENTS = (
    _loss(
        variant="against_xavier",
        title="15 layers of convolutions: at most half of the loss from Xavier's weights",
        rhs=sp.Rational(1, 2),
        definitions={
            R: "median over seeds of loss after 100 steps over that from Xavier's weights",
            R_0: "the same of a treatment that does nothing: other weights of Xavier",
        },
        sentinel=Sentinel("a treatment that does nothing", lhs=R_0),
        checks=(
            compared(
                f"iterative, Xavier, L={DEEP}",
                SIZE,
                {
                    "R": over(_iterative[DEEP], _xavier[DEEP]),
                    "R_0": nothing_done(_xavier[DEEP]),
                },
                _iterative[DEEP],
                published=False,
                curves=(
                    losses_at(LOSS, "Xavier", _xavier),
                    losses_at(LOSS, "iterative orthogonalisation", _iterative),
                ),
            ),
        ),
    ),
    _loss(
        variant="against_he",
        title="15 layers of convolutions: at most ¾ of the loss from He's weights",
        rhs=sp.Rational(3, 4),
        definitions={R: "median over seeds of loss after 100 steps over that from He's weights"},
        sentinel=Sentinel("at most a tenth", rhs=sp.Rational(1, 10)),
        checks=(
            compared(
                f"iterative, He, L={DEEP}",
                SIZE,
                {"R": over(_iterative[DEEP], _he[DEEP])},
                _iterative[DEEP],
                published=False,
                curves=(losses_at(LOSS, "He", _he),),
            ),
        ),
    ),
    _loss(
        variant="against_batchnorm",
        title="10 layers of convolutions: no more than the loss with batch normalisation",
        rhs=sp.Integer(1),
        definitions={
            R: "median over seeds of loss after 100 steps over that with batch normalisation"
        },
        sentinel=Sentinel("at most a tenth", rhs=sp.Rational(1, 10)),
        checks=(
            compared(
                f"iterative, batch normalisation, L={MIDDLE}",
                {**SIZE, "L": MIDDLE},
                {"R": over(_iterative[MIDDLE], _normalised[MIDDLE])},
                _iterative[MIDDLE],
                published=False,
                curves=(losses_at(LOSS, "batch normalisation", _normalised),),
            ),
        ),
    ),
    _claim(
        variant="progress_kept",
        title="15 layers of convolutions make at least half of the progress of 5",
        lhs=P,
        relation=">=",
        rhs=sp.Rational(1, 2),
        definitions={
            P: "median over seeds of (log 10 - loss) at 15 layers over the same at 5",
            P_0: "the same from Xavier's weights",
        },
        sentinel=Sentinel("from Xavier's weights", lhs=P_0),
        checks=(
            compared(
                f"L={SHALLOW} and {DEEP}",
                SIZE,
                {
                    "P": progress_over(_iterative[DEEP], _iterative[SHALLOW]),
                    "P_0": progress_over(_xavier[DEEP], _xavier[SHALLOW]),
                },
                _iterative[DEEP],
                published=False,
            ),
        ),
    ),
)
FIGURES = (
    Figure(
        "convolutional",
        "Iterative orthogonalisation of convolutions against depth",
        "DJB21, Fig. 7, claims that it removes the slowdown with depth in networks of convolutions "
        "without batch normalisation, against which it is drawn.",
        "Convolutions of 3 by 3 pixels, 8 channels, ReLU, 100 steps at rate 1/200.",
    ),
)
