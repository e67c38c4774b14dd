"""Gradients of a real loss at initialisation grow from layer to layer as the theory's lines say.

Problem. A standard normal gradient at the last layer is multiplied, in squared norm and layer by
layer on its way back, by nT/((n-3)(n-1)κ) under batch normalisation with ReLU, by ½ with Xavier's
weights and by 1 with He's, in the width limit. Is that so of the cross-entropy of images?

Method. Networks of 20 layers of 128 units, on 32 of the digits, 64 seeds: the logarithm of the
squared norm at the first hidden layer over that at the last, for each layer between. The interval
for the median over seeds is made of order statistics, at the level of the run.

Guarantee. The median is within one part in ten of the logarithm of the factor: of sampling, at
these sizes.

Reference. Ours; the factors are those of Y19 (arXiv 1902.08129) and of vanilla chains.

Example:

    >>> round(float(STATEMENTS[0].bound(n=32)), 3)
    0.378
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import sympy as sp

from simulators.training import Design, Recipe
from theorems.checking.medians import Medians
from theorems.context import Context
from theorems.families.training.notation import FAMILY, SIZES, SUPPORTED_BY, n
from theorems.families.training.runs import Floats, Treatment, compared
from theorems.statement import Quantifier, Sentinel, Source, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

LAYERS, UNITS, SAMPLES, SEEDS = 20, 128, 32, 64

g = sp.Symbol("g", real=True)

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
    design = Design(LAYERS, UNITS, normalisation, initialisation)
    at_start = Treatment(design, Recipe(steps=0, probe=SAMPLES), seeds=SEEDS)

    def measure(context: Context) -> Floats:
        found: Floats = np.asarray(at_start.trained(context).growth) / (LAYERS - 1)
        return found

    return measure


def _check(normalisation: str, initialisation: str) -> tuple[Medians]:
    sizes = {"L": LAYERS, "d": UNITS, "n": SAMPLES}
    label = f"{normalisation}, {initialisation}, n={SAMPLES}, L={LAYERS}, d={UNITS}"
    measures = {"g": _growth(normalisation, initialisation)}
    return (compared(label, sizes, measures, resolution=0.1, published=False),)


_claim = partial(
    Statement,
    family=FAMILY,
    theorem="gradient_growth",
    quantifier=Quantifier.LAW,
    source=Source("ours", ""),
    variables=(*SIZES, Variable(n, sp.Range(8, sp.oo), "samples that gradients are taken at")),
    definitions={
        g: "median over seeds of log(‖∂loss/∂H_1‖²/‖∂loss/∂H_L‖²)/(L - 1) at initialisation"
    },
    lhs=g,
    expected=Verdict.SUPPORTED,
    remark=SUPPORTED_BY,
)

STATEMENTS = (
    _claim(
        variant="batchnorm",
        title="With batch normalisation and ReLU: the logarithm of nT/((n-3)(n-1)κ), less a tenth",
        relation=">=",
        rhs=sp.Rational(9, 10) * sp.log(FACTOR),
        sentinel=Sentinel("of half as many samples", rhs=sp.log(FACTOR.subs(n, n / 2))),
        checks=_check("batch", "he"),
    ),
    _claim(
        variant="batchnorm_above",
        title="With batch normalisation and ReLU: no more than that and a tenth",
        relation="<=",
        rhs=sp.Rational(11, 10) * sp.log(FACTOR),
        sentinel=Sentinel("of infinitely many samples, π/(π-1)", rhs=sp.log(sp.pi / (sp.pi - 1))),
        checks=_check("batch", "he"),
    ),
    _claim(
        variant="xavier",
        title="With Xavier's weights and ReLU: ½ a layer",
        relation="==",
        rhs=-sp.log(2),
        sentinel=Sentinel("1 a layer, as with He's", rhs=sp.S.Zero),
        checks=_check("none", "xavier"),
    ),
    _claim(
        variant="he",
        title="With He's weights and ReLU: at most 21/20 a layer, of all 20",
        relation="<=",
        rhs=sp.log(sp.Rational(21, 20)),
        sentinel=Sentinel("9/10 a layer", rhs=sp.log(sp.Rational(9, 10))),
        checks=_check("none", "he"),
    ),
)
FIGURES = ()
