"""Gradients of a real loss at initialisation grow from layer to layer as the theory's lines say.

Problem. A standard normal gradient at the last layer is multiplied, in squared norm and layer by
layer on its way back, by nT/((n-3)(n-1)κ) under batch normalisation with ReLU, by ½ with Xavier's
weights and by 1 with He's, in the width limit. Is that so of the cross-entropy of images?

Method. Networks of 20 layers of 128 units, on 32 of the digits, 64 seeds: the logarithm of the
squared norm at the first hidden layer over that at the last, for each layer between. The interval
for the median over seeds is made of order statistics, at the level of the family.

Then perceptrons of 64 units with batch normalisation, of 8 to 48 layers, are trained on the digits
by plain gradient descent, 150 steps of 32 samples at rate 1/10, 64 seeds; so are those of 4 to 16
layers from Xavier's weights, and of 4 and 16 layers with batches of 8, 32 seeds.

Guarantee. The median is within one part in ten of the logarithm of the factor, and so is the slope
from 10 to 40 layers. What is learnt goes down with it: growth and loss have a rank correlation of
at least 4/5 over depths, and at 48 layers, where the squared norm grows to some e^20, at most half
of the progress of 8 layers is made. With batches of 8, where the factor is 1.79 rather than 1.52,
that comes sooner: 16 layers make at most 3/5 of the progress of 4, which with 32 they do not lose.
From Xavier's weights, where gradients die, the less of them is left the less is learnt: the rank
correlation of growth and loss is -3/5 at most. Of sampling, at these sizes.

Reference. Ours; the factors are those of Y19 (arXiv 1902.08129) and of vanilla chains.

Example:

    >>> round(float(STATEMENTS[0].bound(n=32)), 3)
    0.378
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import sympy as sp

from simulators.training import Design, Recipe
from theorems.checking.medians import Medians
from theorems.context import Context
from theorems.families.training.figures import LOSS, Figure
from theorems.families.training.notation import FAMILY, SIZES, SUPPORTED_BY, n
from theorems.families.training.runs import (
    Curve,
    Floats,
    Treatment,
    compared,
    curve,
    loss,
    losses_at,
    progress_over,
    rank_correlation,
    shuffled,
)
from theorems.statement import Quantifier, Sentinel, Source, Statement, Variable, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FIGURES", "STATEMENTS"]

LAYERS, UNITS, SAMPLES, SEEDS = 20, 128, 32, 64

DEPTHS = (10, 20, 30, 40)
TRAINED_DEPTHS, TRAINED_UNITS = (8, 16, 24, 32, 48), 64
VANISHING_DEPTHS = (4, 6, 8, 10, 12, 16)
FEW, SOONER = 8, (4, 16)
TRAINED = Recipe(steps=150, batch_size=32, learning_rate=0.1)

_GROWTH = "ln ‖∂loss/∂H‖², first less last layer"
_SERIES = {"he": "He", "xavier": "Xavier"}

g, c, c_0 = sp.symbols("g c c_0", real=True)
P, P_0 = sp.symbols("P P_0", nonnegative=True)

_ρ = -1 / (n - 1)
_j = sp.sqrt(1 - _ρ**2) + _ρ * (sp.pi - sp.acos(_ρ))
_κ = sp.Rational(1, 2) - _j / (2 * sp.pi)
_arcsin = sp.pi / 2 - sp.acos(_ρ)
_T = (
    (n - 1) ** 2 / (2 * n)
    + (n - 1) / n * (sp.Rational(1, 4) + _arcsin / (2 * sp.pi))
    - sp.Rational(1, 2)
    + (sp.Rational(1, 2) + (n - 1) * _j / (2 * sp.pi)) / n
)
FACTOR = n * _T / ((n - 3) * (n - 1) * _κ)


def _growth(normalisation: str, initialisation: str) -> Callable[[Context], Floats]:
    """A layer's growth, of each seed."""
    at_start = _at_start(LAYERS, normalisation, initialisation)

    def measure(context: Context) -> Floats:
        found: Floats = np.asarray(at_start.trained(context).growth) / (LAYERS - 1)
        return found

    return measure


def _at_start(depth: int, normalisation: str, initialisation: str) -> Treatment:
    design = Design(depth, UNITS, normalisation, initialisation)
    no_step = Recipe(steps=0, batch_size=SAMPLES, samples=SAMPLES, probe=SAMPLES)
    return Treatment(design, no_step, seeds=SEEDS)


def _slope(context: Context) -> Floats:
    """The growth between the least and the greatest depth, a layer, with batch normalisation."""
    least, greatest = (
        _at_start(depth, "batch", "he").trained(context).growth for depth in (DEPTHS[0], DEPTHS[-1])
    )
    found: Floats = np.asarray(greatest - least) / (DEPTHS[-1] - DEPTHS[0])
    return found


def _growths(normalisation: str, initialisation: str) -> Callable[[Context], Curve]:
    """The growth against depth."""
    series = "batch normalisation" if normalisation == "batch" else _SERIES[initialisation]

    def measure(context: Context) -> Curve:
        made = {depth: _at_start(depth, normalisation, initialisation) for depth in DEPTHS}
        growths = {depth: each.trained(context).growth for depth, each in made.items()}
        return curve(_GROWTH, series, growths)

    return measure


_trained = {
    depth: Treatment(Design(depth, TRAINED_UNITS, "batch"), TRAINED, seeds=SEEDS)
    for depth in TRAINED_DEPTHS
}


_vanishing = {
    depth: Treatment(Design(depth, TRAINED_UNITS, initialisation="xavier"), TRAINED, seeds=SEEDS)
    for depth in VANISHING_DEPTHS
}
_of_few, _of_many = (
    {
        depth: Treatment(Design(depth, TRAINED_UNITS, "batch"), replace(TRAINED, batch_size=size))
        for depth in SOONER
    }
    for size in (FEW, TRAINED.batch_size)
)


def _correlation(
    treatments: Mapping[int, Treatment], in_order: bool
) -> Callable[[Context], Floats]:
    """Of growth and loss over depths, of each seed; or with its losses in a random order."""

    def measure(context: Context) -> Floats:
        growths = [each.trained(context).growth for each in treatments.values()]
        losses = [loss(each, context) for each in treatments.values()]
        return rank_correlation(growths, losses if in_order else shuffled(losses, context))

    return measure


def _check(normalisation: str, initialisation: str) -> tuple[Medians]:
    sizes = {"L": LAYERS, "d": UNITS, "n": SAMPLES}
    label = f"{normalisation}, {initialisation}, n={SAMPLES}, L={LAYERS}, d={UNITS}"
    measures = {"g": _growth(normalisation, initialisation)}
    curves = (_growths(normalisation, initialisation),)
    of = _at_start(LAYERS, normalisation, initialisation)
    return (compared(label, sizes, measures, of, resolution=0.1, published=False, curves=curves),)


_claim = partial(
    Statement,
    family=FAMILY,
    theorem="gradient_growth",
    quantifier=Quantifier.LAW,
    source=Source("ours", ""),
    variables=(*SIZES, Variable(n, sp.Range(8, sp.oo), "samples that gradients are taken at")),
    lhs=g,
    expected=Verdict.SUPPORTED,
    remark=SUPPORTED_BY,
)

_a_layer = partial(
    _claim,
    definitions={
        g: "median over seeds of log(‖∂loss/∂H_1‖²/‖∂loss/∂H_L‖²)/(L - 1) at initialisation"
    },
)

_between = partial(
    _claim,
    definitions={
        g: "median over seeds of the difference between 40 and 10 layers of "
        "log(‖∂loss/∂H_1‖²/‖∂loss/∂H_L‖²), over 30"
    },
    checks=(
        compared(
            f"batch, n={SAMPLES}, L={DEPTHS[0]} and {DEPTHS[-1]}, d={UNITS}",
            {"d": UNITS, "n": SAMPLES},
            {"g": _slope},
            _at_start(DEPTHS[-1], "batch", "he"),
            published=False,
        ),
    ),
)

_learnt = partial(
    Statement,
    family=FAMILY,
    theorem="gradient_growth",
    quantifier=Quantifier.COMPARISON,
    source=Source("ours", ""),
    variables=SIZES,
    expected=Verdict.SUPPORTED,
    remark=SUPPORTED_BY,
)

_CORRELATION = {
    c: "median over seeds of the rank correlation of growth at initialisation and final loss",
    c_0: "the same with the losses of each seed in a random order",
}
_ANY_ORDER = Sentinel("losses in a random order", lhs=c_0)

STATEMENTS = (
    _a_layer(
        variant="batchnorm",
        title="With batch normalisation and ReLU: the logarithm of nT/((n-3)(n-1)κ), less a tenth",
        relation=">=",
        rhs=sp.Rational(9, 10) * sp.log(FACTOR),
        sentinel=Sentinel("of half as many samples", rhs=sp.log(FACTOR.subs(n, n / 2))),
        checks=_check("batch", "he"),
    ),
    _a_layer(
        variant="batchnorm_above",
        title="With batch normalisation and ReLU: no more than that and a tenth",
        relation="<=",
        rhs=sp.Rational(11, 10) * sp.log(FACTOR),
        sentinel=Sentinel("of infinitely many samples, π/(π-1)", rhs=sp.log(sp.pi / (sp.pi - 1))),
        checks=_check("batch", "he"),
    ),
    _between(
        variant="slope",
        title="With batch normalisation and ReLU, from 10 to 40 layers: that logarithm, "
        "less a tenth",
        relation=">=",
        rhs=sp.Rational(9, 10) * sp.log(FACTOR),
        sentinel=Sentinel("of half as many samples", rhs=sp.log(FACTOR.subs(n, n / 2))),
    ),
    _between(
        variant="slope_above",
        title="With batch normalisation and ReLU, from 10 to 40 layers: no more than a tenth above",
        relation="<=",
        rhs=sp.Rational(11, 10) * sp.log(FACTOR),
        sentinel=Sentinel("of infinitely many samples, π/(π-1)", rhs=sp.log(sp.pi / (sp.pi - 1))),
    ),
    _a_layer(
        variant="xavier",
        title="With Xavier's weights and ReLU: ½ a layer",
        relation="==",
        rhs=-sp.log(2),
        sentinel=Sentinel("1 a layer, as with He's", rhs=sp.S.Zero),
        checks=_check("none", "xavier"),
    ),
    _a_layer(
        variant="he",
        title="With He's weights and ReLU: at most 21/20 a layer, of all 20",
        relation="<=",
        rhs=sp.log(sp.Rational(21, 20)),
        sentinel=Sentinel("9/10 a layer", rhs=sp.log(sp.Rational(9, 10))),
        checks=_check("none", "he"),
    ),
    _learnt(
        variant="training",
        title="Batch normalisation, 8 to 48 layers: rank correlation of growth and loss 4/5 "
        "or more",
        lhs=c,
        relation=">=",
        rhs=sp.Rational(4, 5),
        definitions=_CORRELATION,
        sentinel=_ANY_ORDER,
        checks=(
            compared(
                f"batch, L={', '.join(map(str, TRAINED_DEPTHS))}",
                {"d": TRAINED_UNITS},
                {"c": _correlation(_trained, True), "c_0": _correlation(_trained, False)},
                _trained[48],
                published=False,
                curves=(losses_at(LOSS, "batch normalisation", _trained),),
            ),
        ),
    ),
    _learnt(
        variant="stalled",
        title="Batch normalisation, 48 layers: at most half of the progress of 8",
        lhs=P,
        relation="<=",
        rhs=sp.Rational(1, 2),
        definitions={
            P: "median over seeds of (log 10 - loss) at 48 layers over the same at 8",
            P_0: "the same at 16 layers over that at 8",
        },
        sentinel=Sentinel("16 layers in their place", lhs=P_0),
        checks=(
            compared(
                "batch, L=8, 16 and 48",
                {"d": TRAINED_UNITS},
                {
                    "P": progress_over(_trained[48], _trained[8]),
                    "P_0": progress_over(_trained[16], _trained[8]),
                },
                _trained[48],
                published=False,
            ),
        ),
    ),
    _learnt(
        variant="sooner",
        title="Batch normalisation of 8 samples, 16 layers: at most 3/5 of the progress of 4",
        lhs=P,
        relation="<=",
        rhs=sp.Rational(3, 5),
        definitions={
            P: "median over seeds of (log 10 - loss) at 16 layers over the same at 4, batches of 8",
            P_0: "the same with batches of 32, of which gradients grow less",
        },
        sentinel=Sentinel("batches of 32 in their place", lhs=P_0),
        checks=(
            compared(
                f"batch, n={FEW}, L=4 and 16",
                {"L": 16, "d": TRAINED_UNITS},
                {
                    "P": progress_over(_of_few[16], _of_few[4]),
                    "P_0": progress_over(_of_many[16], _of_many[4]),
                },
                _of_few[16],
                published=False,
                curves=(losses_at(LOSS, f"batch normalisation of {FEW}", _of_few),),
            ),
        ),
    ),
    _learnt(
        variant="vanishing",
        title="Xavier's weights, 4 to 16 layers: rank correlation of growth and loss -3/5 or less",
        lhs=c,
        relation="<=",
        rhs=-sp.Rational(3, 5),
        definitions=_CORRELATION,
        sentinel=_ANY_ORDER,
        checks=(
            compared(
                f"Xavier, L={', '.join(map(str, VANISHING_DEPTHS))}",
                {"d": TRAINED_UNITS},
                {"c": _correlation(_vanishing, True), "c_0": _correlation(_vanishing, False)},
                _vanishing[16],
                published=False,
                curves=(losses_at(LOSS, "Xavier", _vanishing),),
            ),
        ),
    ),
)


def _lines(axes: Axes, panel: str) -> None:
    """The factors to the power of the layers between first and last."""
    from theorems.report.style import COLOURS

    if panel != _GROWTH:
        return
    factors = {"sharp": float(FACTOR.subs(n, SAMPLES)), "measured": 1.0, "as_printed": 0.5}
    layers = np.array([DEPTHS[0], DEPTHS[-1]])
    for colour, factor in factors.items():
        line = (layers - 1) * np.log(factor)
        told = f"{factor:.3g} a layer"
        axes.plot(layers, line, color=COLOURS[colour], linewidth=1, linestyle="--", label=told)


FIGURES = (
    Figure(
        "gradient_growth",
        "Gradients at initialisation against depth, and what is learnt",
        "Growth of the squared norm of the loss's gradient from the last layer to the first; "
        "dashed, what the factors say: nT/((n-3)(n-1)κ) a layer under batch normalisation, ½ from "
        "Xavier's weights, 1 from He's. The farther from 0, the less is learnt.",
        "Perceptrons with ReLU, of 128 units at initialisation, of 64 where trained, 150 steps by "
        "batches of 32, and of 8 where the name says so.",
        points=(_GROWTH,),
        beside=_lines,
    ),
)
