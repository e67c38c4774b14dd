"""Which perceptrons are still trainable when they are deep: plain, normalised, or of raised rank.

Problem. D20 trains networks of many depths, without normalisation, with batch normalisation, and
without it after gradient ascent on the effective rank. Plain ones stall at rank one as they get
deeper; how do the others?

Method. Perceptrons with ReLU of 64 units and 4 to 32 layers are trained on the digits by plain
gradient descent, 150 steps at rate 1/10, 32 seeds of each treatment, 64 at 16
layers, with the same batches: from
Xavier's weights, from He's with batch normalisation, and from Xavier's after 100 steps of ascent on
the rank of 32 samples. The interval for the median over seeds is made of order statistics, at the
level of the family.

Guarantee. From Xavier's weights 32 layers make at most a tenth of the progress of 4. With batch
normalisation 16 layers make at least three quarters of it, and 32 do not: plain gradient descent
feels the growth of gradients there (`training.gradient_growth`). Ascent on the rank helps at 16
layers, and does harm at 8, where nothing stalls; at 32 its loss is 0.79 to 0.99 of that without, by
32 seeds at 10⁻³, which do not tell it at 10⁻⁶: no claim. Of sampling, at these sizes.

Reference. D20 (arXiv 2003.01652), Fig. 1.

Example:

    >>> [float(statement.bound()) for statement in STATEMENTS]
    [0.1, 0.75, 0.75, 1.0, 1.0]
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from simulators.training import Design, Recipe
from theorems.checking.medians import Medians
from theorems.families.training.figures import LOSS, Figure
from theorems.families.training.notation import D20, FAMILY, SIZES, SUPPORTED_BY
from theorems.families.training.runs import (
    SEEDS,
    Treatment,
    compared,
    losses_at,
    over,
    progress_over,
)
from theorems.statement import Quantifier, Sentinel, Source, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

UNITS, ASCENT, DEPTHS = 64, 100, (4, 8, 16, 32)
SHALLOW, MIDDLE, DEEP = 4, 16, 32
RECIPE = Recipe(steps=150, batch_size=32, learning_rate=0.1)
MORE_SEEDS = {**dict.fromkeys(DEPTHS, SEEDS), MIDDLE: 64}
SHUFFLED = Recipe(steps=150, batch_size=32, learning_rate=0.1, labels="shuffled")

P, P_0, R = sp.symbols("P P_0 R", nonnegative=True)

_plain, _normalised, _raised = (
    {depth: Treatment(Design(depth, UNITS, *more), RECIPE, seeds=n[depth]) for depth in DEPTHS}
    for more, n in (
        (("none", "xavier"), MORE_SEEDS),
        (("batch", "he"), dict.fromkeys(DEPTHS, SEEDS)),
        (("none", "xavier", "relu", ASCENT), MORE_SEEDS),
    )
)
_on_noise = Treatment(_normalised[MIDDLE].design, SHUFFLED)


def _raised_over_plain(depth: int) -> tuple[Medians]:
    measures = {"R": over(_raised[depth], _plain[depth])}
    curves = [losses_at(LOSS, "rank raised before", _raised)] if depth == MIDDLE else []
    sizes = {"L": depth, "d": UNITS}
    label = f"ascent, Xavier, L={depth}"
    return (compared(label, sizes, measures, _raised[depth], curves=curves),)


_claim = partial(
    Statement,
    family=FAMILY,
    theorem="depth_and_trainability",
    quantifier=Quantifier.COMPARISON,
    source=Source(D20, "Fig. 1"),
    variables=SIZES,
    remark=SUPPORTED_BY,
)

_normalised_claim = partial(
    _claim,
    lhs=P,
    relation=">=",
    rhs=sp.Rational(3, 4),
)

_ascent_claim = partial(
    _claim,
    lhs=R,
    relation="<=",
    rhs=sp.Integer(1),
    definitions={R: "median over seeds of final loss with ascent on the rank, over that without"},
    sentinel=Sentinel("at half of it", rhs=sp.Rational(1, 2)),
)

STATEMENTS = (
    _claim(
        variant="plain",
        title="Xavier's weights: 32 layers make at most a tenth of the progress of 4",
        lhs=P,
        relation="<=",
        rhs=sp.Rational(1, 10),
        definitions={
            P: "median over seeds of (log 10 - loss) at 32 layers over the same at 4",
            P_0: "the same with batch normalisation",
        },
        sentinel=Sentinel("with batch normalisation", lhs=P_0),
        expected=Verdict.SUPPORTED,
        checks=(
            compared(
                f"Xavier, L={SHALLOW} and {DEEP}",
                {"L": DEEP, "d": UNITS},
                {
                    "P": progress_over(_plain[DEEP], _plain[SHALLOW]),
                    "P_0": progress_over(_normalised[DEEP], _normalised[SHALLOW]),
                },
                _plain[DEEP],
                curves=(losses_at(LOSS, "Xavier", _plain),),
            ),
        ),
    ),
    _normalised_claim(
        variant="batchnorm",
        title="Batch normalisation: 16 layers make at least 3/4 of the progress of 4",
        definitions={
            P: "median over seeds of (log 10 - loss) at 16 layers over the same at 4",
            P_0: "the same with the labels shuffled at 16 layers",
        },
        sentinel=Sentinel("shuffled labels", lhs=P_0),
        expected=Verdict.SUPPORTED,
        checks=(
            compared(
                f"batch, L={SHALLOW} and {MIDDLE}",
                {"L": MIDDLE, "d": UNITS},
                {
                    "P": progress_over(_normalised[MIDDLE], _normalised[SHALLOW]),
                    "P_0": progress_over(_on_noise, _normalised[SHALLOW]),
                },
                _normalised[MIDDLE],
                curves=(losses_at(LOSS, "batch normalisation", _normalised),),
            ),
        ),
    ),
    _normalised_claim(
        variant="batchnorm_deep",
        title="Batch normalisation: 32 layers make at least 3/4 of the progress of 4",
        definitions={P: "median over seeds of (log 10 - loss) at 32 layers over the same at 4"},
        sentinel=Sentinel("all of it", rhs=sp.Integer(1)),
        expected=Verdict.REFUTED,
        remark="That networks with batch normalisation need no rescue, however deep, does not "
        "reproduce at 32 layers of 64 units, by 150 steps of plain gradient descent at rate 1/10; "
        f"at 16 layers it does. {SUPPORTED_BY}",
        checks=(
            compared(
                f"batch, L={SHALLOW} and {DEEP}",
                {"L": DEEP, "d": UNITS},
                {"P": progress_over(_normalised[DEEP], _normalised[SHALLOW])},
                _normalised[DEEP],
            ),
        ),
    ),
    _ascent_claim(
        variant="rescued",
        title="16 layers: the loss ends no higher with ascent on the rank",
        expected=Verdict.SUPPORTED,
        checks=_raised_over_plain(MIDDLE),
    ),
    _ascent_claim(
        variant="unneeded",
        title="8 layers: the loss ends no higher with ascent on the rank",
        expected=Verdict.REFUTED,
        remark="That ascent on the rank rescues does not reproduce at 8 layers of 64 units, where "
        f"nothing stalls; at 16 layers it does. {SUPPORTED_BY}",
        checks=_raised_over_plain(8),
    ),
)
FIGURES = (
    Figure(
        "depth_and_trainability",
        "What is learnt against depth",
        "D20, Fig. 1, claims that plain networks stall as they get deeper, that raising the rank "
        "before training rescues them, and that batch normalisation needs no rescue.",
        "Perceptrons of 64 units with ReLU, 150 steps at rate 1/10.",
    ),
)
