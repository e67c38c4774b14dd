"""Statistics of mini-batches rather than of all samples: the jitter widens the margin, and helps.

Problem. The means and variances of a mini-batch are those of all samples with some noise, and the
boundaries of units move with it (R26, BB22). BB22 says that this widens the margin between samples
and the decision boundary, and helps to generalise.

Method. Perceptrons with ReLU and batch normalisation, 3 layers of 64 units, are trained on the
digits by plain gradient descent, 300 steps; the same batches and weights, once with the statistics
of the batch, once with those of all samples learnt from in every step: batches of 16 among 128
samples, rate 1/10, 64 seeds; batches of 8 among 256, rate 1/20, 32 seeds. The margin is the median
over the samples learnt from of their distance to the decision boundary in the space of images, to
first order. The interval for the median over seeds is made of order statistics, at the level of
the family.

Guarantee. With 128 samples the jitter widens the margin by 8 of a hundred or more, and the test
accuracy is higher; with other weights in the place of jitter the margin is no wider. With 256
samples the gain in test accuracy is below five points of a hundred, and whether there is one, these
seeds do not tell. The boundaries of the first layer move by √((N-b)/(b(N-1))) standard deviations
of its values, as of sampling without replacement; those of the third by a quarter of that at most,
as layers before them are normalised by the same batch. Of sampling, at these sizes: with batches of
4 among 128 samples, on other seeds, the jitter widened nothing.

Reference. After BB22 (arXiv 2209.14778), of which abstract and introduction are known to us, and
which gives no size. How far a boundary moves is classical (sampling from a finite population); see
`splines.margin_jitter`.

Example:

    >>> [float(statement.bound()) for statement in STATEMENTS[:3]]
    [0.05, 1.08, 0.0]
    >>> round(float(STATEMENTS[3].bound(N=128, b=16)), 3)
    0.235
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import sympy as sp

from simulators.training import Design, Recipe
from theorems.context import Context
from theorems.families.training.figures import Figure
from theorems.families.training.notation import FAMILY, SIZES, SUPPORTED_BY
from theorems.families.training.runs import Curve, Floats, Treatment, compared, curve
from theorems.statement import Quantifier, Sentinel, Source, Statement, Variable, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FIGURES", "STATEMENTS"]

LAYERS, UNITS = 3, 64
SIZE = {"L": LAYERS, "d": UNITS}
BATCH, SAMPLES = 16, 128
RECIPE = Recipe(steps=300, batch_size=BATCH, learning_rate=0.1, samples=SAMPLES, probe=SAMPLES)
MORE_SAMPLES = Recipe(steps=300, batch_size=8, learning_rate=0.05, samples=256, probe=256)

D, R, R_0 = sp.symbols("D R R_0", real=True)
m = sp.Symbol("m", nonnegative=True)
N, b = sp.symbols("N b", integer=True, positive=True)

_RIGHT, _MARGIN = "share of test images right", "distance to the decision boundary"
_MOVED = "movement of boundaries / (σ/‖w‖)"

_jittered, _jittered_of_more = (
    Treatment(Design(LAYERS, UNITS, "batch"), recipe, seeds=seeds)
    for recipe, seeds in ((RECIPE, 64), (MORE_SAMPLES, 32))
)


def _whole(jittered: Treatment) -> Treatment:
    """The same with the statistics of all samples."""
    return replace(jittered, recipe=replace(jittered.recipe, statistics="whole"))


def _gain(jittered: Treatment) -> Callable[[Context], Floats]:
    """Test accuracy with the batch's statistics less that with all, of each seed."""

    def measure(context: Context) -> Floats:
        shares = [each.trained(context).test_accuracy for each in (jittered, _whole(jittered))]
        found: Floats = np.asarray(shares[0] - shares[1])
        return found

    return measure


def _wider(treated: Treatment) -> Callable[[Context], Floats]:
    """The margin over that with all samples' statistics, of each seed."""

    def measure(context: Context) -> Floats:
        margins = [each.trained(context).margin for each in (treated, _whole(_jittered))]
        found: Floats = np.asarray(margins[0] / margins[1])
        return found

    return measure


def _moved(layer: int) -> Callable[[Context], Floats]:
    """How far batches move the boundaries of a layer's units, of each seed."""

    def measure(context: Context) -> Floats:
        found: Floats = np.asarray(_jittered.trained(context).moved[:, layer - 1])
        return found

    return measure


def _at_the_end(panel: str, measured: str, jittered: Treatment) -> Callable[[Context], Curve]:
    """What networks are at the end, by whose statistics are taken."""
    recipe = jittered.recipe
    series = f"batches of {recipe.batch_size} of {recipe.samples}"
    treatments = {"mini-batches": jittered, "all samples": _whole(jittered)}

    def measure(context: Context) -> Curve:
        points = {at: getattr(each.trained(context), measured) for at, each in treatments.items()}
        return curve(panel, series, points)

    return measure


def _movements(context: Context) -> Curve:
    """How far boundaries move, against the number of their layer."""
    points = {layer: _moved(layer)(context) for layer in range(1, LAYERS + 1)}
    return curve(_MOVED, f"batches of {BATCH} of {SAMPLES}", points)


_claim = partial(
    Statement,
    family=FAMILY,
    theorem="minibatch_jitter",
    quantifier=Quantifier.COMPARISON,
    source=Source("ours", "after BB22 (arXiv 2209.14778)"),
    variables=SIZES,
    remark=SUPPORTED_BY,
)

_DIFFERENCE = {D: "median over seeds of the difference of the shares of test images right"}
_WORDS = f"batches of {BATCH} of {SAMPLES}, L={LAYERS}"
_moving = partial(
    _claim,
    quantifier=Quantifier.LAW,
    variables=(
        *SIZES,
        Variable(N, sp.Range(2, sp.oo), "samples learnt from"),
        Variable(b, sp.Range(2, sp.oo), "samples of a batch"),
    ),
    lhs=m,
    expected=Verdict.SUPPORTED,
)
_BOUNDARIES = {**SIZE, "N": SAMPLES, "b": BATCH}
_SAMPLING = sp.sqrt((N - b) / (b * (N - 1)))

STATEMENTS = (
    _claim(
        variant="five_points",
        title="3 layers, batches of 8: five points more of test accuracy than by whole statistics",
        definitions=_DIFFERENCE,
        lhs=D,
        relation=">=",
        rhs=sp.Rational(1, 20),
        sentinel=Sentinel("ten points more", rhs=sp.Rational(1, 10)),
        expected=Verdict.REFUTED,
        remark="BB22 gives no size of the gain. One of five points does not reproduce with batches "
        "of 8 among 256 images, 3 layers of 64 units, 300 steps at rate 1/20; some gain does with "
        f"batches of 16 among 128. {SUPPORTED_BY}",
        checks=(
            compared(
                f"batches of 8, L={LAYERS}",
                SIZE,
                {"D": _gain(_jittered_of_more)},
                _jittered_of_more,
                published=False,
                curves=(
                    _at_the_end(_RIGHT, "test_accuracy", _jittered_of_more),
                    _at_the_end(_MARGIN, "margin", _jittered_of_more),
                ),
            ),
        ),
    ),
    _claim(
        variant="margin",
        title="3 layers, batches of 16: a margin wider by 8/100 than by whole statistics",
        definitions={
            R: "median over seeds of the margin with the batch's statistics over that with all",
            R_0: "the same of a treatment that does nothing: other weights, with all",
        },
        lhs=R,
        relation=">=",
        rhs=sp.Rational(27, 25),
        sentinel=Sentinel("a treatment that does nothing", lhs=R_0),
        expected=Verdict.SUPPORTED,
        checks=(
            compared(
                _WORDS,
                SIZE,
                {
                    "R": _wider(_jittered),
                    "R_0": _wider(replace(_whole(_jittered), weights="other")),
                },
                _jittered,
                published=False,
                curves=(_at_the_end(_MARGIN, "margin", _jittered),),
            ),
        ),
    ),
    _claim(
        variant="generalises",
        title="3 layers, batches of 16: higher test accuracy than by whole statistics",
        definitions=_DIFFERENCE,
        lhs=D,
        relation=">",
        rhs=sp.Integer(0),
        sentinel=Sentinel("by seven points or more", rhs=sp.Rational(7, 100)),
        expected=Verdict.SUPPORTED,
        checks=(
            compared(
                _WORDS,
                SIZE,
                {"D": _gain(_jittered)},
                _jittered,
                published=False,
                curves=(_at_the_end(_RIGHT, "test_accuracy", _jittered),),
            ),
        ),
    ),
    _moving(
        variant="boundary",
        title="3 layers: boundaries of the first move by what sampling says of the mean",
        definitions={
            m: "median over seeds of the r.m.s. over batches of the movement of the first "
            "layer's boundaries after training, over that of σ/‖w‖"
        },
        relation="==",
        rhs=_SAMPLING,
        sentinel=Sentinel("of batches half as large", rhs=_SAMPLING.subs(b, b / 2)),
        checks=(
            compared(
                _WORDS,
                _BOUNDARIES,
                {"m": _moved(1)},
                _jittered,
                resolution=0.1,
                published=False,
                curves=(_movements,),
            ),
        ),
    ),
    _moving(
        variant="boundary_deeper",
        title="3 layers: boundaries of the third move by at most a quarter of that",
        definitions={
            m: "median over seeds of the r.m.s. over batches of the movement of the third "
            "layer's boundaries after training, over that of σ/‖w‖"
        },
        relation="<=",
        rhs=_SAMPLING / 4,
        sentinel=Sentinel("by at most a tenth", rhs=_SAMPLING / 10),
        checks=(compared(_WORDS, _BOUNDARIES, {"m": _moved(LAYERS)}, _jittered, published=False),),
    ),
)


def _line(axes: Axes, panel: str) -> None:
    """What sampling says."""
    from theorems.report.style import COLOURS

    if panel == _MOVED:
        said = float(_SAMPLING.subs({N: SAMPLES, b: BATCH}))
        told = "sampling without replacement"
        axes.axhline(said, color=COLOURS["sharp"], linewidth=1, linestyle="--", label=told)
        axes.set_ylim(bottom=0)


FIGURES = (
    Figure(
        "minibatch_jitter",
        "Statistics of mini-batches against those of all samples",
        "BB22's abstract says that the jitter of mini-batches widens the margin between samples "
        "and decision boundary, and helps to generalise. On the right, dashed, how far the "
        "boundaries of a layer move by sampling without replacement, were the layers before it "
        "still.",
        "Perceptrons of 3 layers of 64 units with ReLU, 300 steps.",
        across={_RIGHT: "statistics of", _MARGIN: "statistics of", _MOVED: "hidden layer"},
        points=(_MOVED,),
        beside=_line,
    ),
)
