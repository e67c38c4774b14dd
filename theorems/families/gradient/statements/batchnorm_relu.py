"""Batch normalisation with ReLU: the factor in closed form, above π/(π - 1) at every n ≥ 4.

Problem. At infinite width and the symmetric fixed point of the forward pass, a layer of full batch
normalisation with ReLU multiplies E‖G‖² by a number F_n. How does it depend on the batch size?

Method. The entries of a normalised row are √n times those of a uniform direction u of 1^⊥, and ReLU
asks for their signs alone: orthant probabilities and E max(u_1, 0) max(u_2, 0) are elementary. With
x = 1/n, F is analytic on [0, 1/4]; its value and slope are enclosed in balls over 256 intervals of
x that cover it, hence for every n ≥ 4 at once, n → ∞ included. Integrals over the angle of two
entries give the same number again; networks are simulated.

Guarantee. F_n = nT/((n-3)(n-1)κ) with ρ = -1/(n-1), j = √(1-ρ²) + ρ(π - arccos ρ),
κ = ½ - j/2π, T = (n-1)²/2n + ((n-1)/n)(¼ + arcsin ρ/2π) - ½ + (1/n)(½ + (n-1)j/2π):
3.08406, 1.78819, 1.58995 at n = 4, 8, 16. It falls strictly in n, to π/(π - 1) = 1.46694, and is
above that by at least 3/(2n): gradients explode at every batch size.

Reference. Ours, after Y19 (arXiv 1902.08129), who computed it another way.

Example:

    >>> [round(float(CLOSED_FORM_OF(n=size)), 5) for size in (4, 8, 16)]
    [3.08406, 1.78819, 1.58995]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache, partial, reduce

import flint
import sympy as sp

from simulators import batchnorm_chain
from theorems.checking.enclosures import Enclosed, Part
from theorems.families.gradient.enclosures import over, relu_by_integrals, relu_factor
from theorems.families.gradient.growth import Network, a_layer, growth_of_medians, orthonormal
from theorems.families.gradient.notation import (
    FAMILY,
    INNER,
    SAMPLES,
    WIDTH,
    d,
    layer_growth,
    n,
    y19,
)
from theorems.statement import NUDGE, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

#: Intervals of 1/n that cover [0, 1/4].
CELLS = 256
slope, excess, integral = sp.symbols("slope excess integral", real=True)

_rho = -1 / (n - 1)
_j = sp.sqrt(1 - _rho**2) + _rho * (sp.pi - sp.acos(_rho))
_kappa = sp.Rational(1, 2) - _j / (2 * sp.pi)
_trace = (
    (n - 1) ** 2 / (2 * n)
    + (n - 1) / n * (sp.Rational(1, 4) + (sp.pi / 2 - sp.acos(_rho)) / (2 * sp.pi))
    - sp.Rational(1, 2)
    + (sp.Rational(1, 2) + (n - 1) * _j / (2 * sp.pi)) / n
)
_closed_form = n * _trace / ((n - 3) * (n - 1) * _kappa)


def _cell(place: int) -> tuple[Fraction, Fraction]:
    """The ends of an interval of 1/n."""
    return Fraction(place, 4 * CELLS), Fraction(place + 1, 4 * CELLS)


def _cells(read: Callable[[int], Mapping[str, flint.arb]]) -> Iterator[Part]:
    """Parts that cover every n ≥ 4, each with what ``read`` makes of the place of a cell."""
    for place in range(CELLS):
        low, high = _cell(place)
        yield Part(f"1/n in [{low}, {high}]", partial(read, place), low, high)


@lru_cache(maxsize=CELLS)
def _slope_over(place: int) -> flint.arb:
    return relu_factor(over(*_cell(place), 2))[1]


def _slope(place: int) -> Mapping[str, flint.arb]:
    return {"slope": _slope_over(place)}


def _excess(place: int) -> Mapping[str, flint.arb]:
    """n(F_n - F_∞): the slope somewhere below 1/n, and so between the least and the greatest."""
    below = (_slope_over(each) for each in range(place + 1))
    return {"excess": reduce(lambda found, each: found.union(each), below)}


_relu = partial(
    Statement,
    family=FAMILY,
    theorem="batchnorm_relu",
    source=y19("ReLU"),
    chain="batchnorm(relu)",
)
_at_infinite_width = partial(
    _relu,
    quantifier=Quantifier.MEAN_FIELD,
    variables=(SAMPLES,),
    expected=Verdict.CERTIFIED,
)

CLOSED_FORM = _at_infinite_width(
    variant="closed_form",
    title="The factor F_n of batch normalisation with ReLU in closed form",
    definitions={integral: "F_n from integrals over the angle of two entries of a row"},
    lhs=sp.Abs(integral - _closed_form),
    relation="<=",
    rhs=sp.Rational(1, 10**40),
    sentinel=Sentinel(
        "one part in a million more", lhs=sp.Abs(integral - (1 + NUDGE) * _closed_form)
    ),
    checks=(Enclosed(tuple(range(4, 65)), lambda size: {"integral": relu_by_integrals(size)}),),
)
#: F_n in floats.
CLOSED_FORM_OF = sp.lambdify(n, _closed_form, modules="math")
FALLS = _at_infinite_width(
    variant="falls",
    title="F_n falls strictly in n: its derivative in 1/n is at least 3/2, for every n ≥ 4",
    definitions={slope: "dF/d(1/n)"},
    lhs=slope,
    relation=">=",
    rhs=sp.Rational(3, 2),
    sentinel=Sentinel("at least 2", rhs=sp.Integer(2)),
    checks=(Enclosed(parts=partial(_cells, _slope)),),
)
EXPLODES = _at_infinite_width(
    variant="explodes",
    title="F_n ≥ π/(π - 1) + 3/(2n) for every n ≥ 4",
    definitions={excess: "n(F_n - π/(π - 1))"},
    lhs=excess,
    relation=">=",
    rhs=sp.Rational(3, 2),
    sentinel=Sentinel("2/n more", rhs=sp.Integer(2)),
    checks=(Enclosed(parts=partial(_cells, _excess)),),
)

# --- networks -------------------------------------------------------------------------------------

_SIZE, _DEPTH = 8, 16
_NETWORK = Network(
    batchnorm_chain(512, "relu"), orthonormal(512, _SIZE), _DEPTH, {"n": _SIZE, "d": 512}
)
_deep = partial(
    _relu,
    quantifier=Quantifier.LAW,
    variables=(SAMPLES, WIDTH),
    definitions={layer_growth: INNER.format(_DEPTH)},
    lhs=layer_growth,
    expected=Verdict.SUPPORTED,
    observables=("gradient_norm",),
    checks=(growth_of_medians((_NETWORK,), "layer_growth", a_layer),),
)
DEEP = (
    _deep(
        variant="deep_lower",
        title="Half of all networks with ReLU: ‖G‖² grows by F_n a layer or more, but for 12/d",
        relation=">=",
        rhs=_closed_form * (1 - 12 / d),
        sentinel=Sentinel("a tenth more", rhs=sp.Rational(11, 10) * _closed_form * (1 - 12 / d)),
    ),
    _deep(
        variant="deep_upper",
        title="Half of all networks with ReLU: ‖G‖² grows by F_n a layer or less, but for 12/d",
        relation="<=",
        rhs=_closed_form * (1 + 12 / d),
        sentinel=Sentinel("a tenth less", rhs=sp.Rational(9, 10) * _closed_form * (1 + 12 / d)),
    ),
)

STATEMENTS = (CLOSED_FORM, FALLS, EXPLODES, *DEEP)
FIGURES = ()
