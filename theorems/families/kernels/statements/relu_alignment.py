"""ReLU aligns samples like 9π²/(2ℓ²): 1/√(1 - ρ_ℓ) grows by √2/(3π) a layer, and hardly by more.

Problem. κ′(1) = 1 for ReLU, and 1 - κ is of order (1 - ρ)^(3/2) away from 1 - ρ. The bound of order
1/ℓ for kernels of slope 1, `alignment`, is then far from sharp; what is the law?

Method. One layer: κ = (√(1 - ρ²) + (π - arccos ρ)ρ)/π in balls over every angle at once, by series
near 0. Many: paths of it in balls, at corners and at correlations and depths drawn by Hypothesis.

Guarantee. With c = √2/(3π) and u = 1/√(1 - ρ): c + 1/(30u) ≤ u⁺ - u ≤ c + 51/(500u) at every ρ in
[-1, 1). Hence u_0 + cℓ ≤ u_ℓ ≤ u_0 + cℓ + (51/500)(1/u_0 + log(1 + cℓ/u_0)/c) at every ℓ ≥ 1, and
ℓ²(1 - ρ_ℓ) → 1/c² = 9π²/2. From ρ_0 = 0 the upper bound on 1 - ρ_ℓ is 11, 1.6 and .03 % too large
at ℓ = 1, 1000 and 100,000; that of order 1/ℓ is 24 % too large at ℓ = 1, but 15 times at ℓ = 100
and 12,400 times at ℓ = 100,000.

Reference. Ours; next to the case κ′(1) = 1 of JH24 (arXiv 2410.20107), as restated by an author.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['layer_least', 'layer_most', 'upper', 'lower']
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import flint
import sympy as sp

from simulators.lazy import strategies as st
from simulators.strategies import fractions_between
from theorems.checking.enclosures import Enclosed, Part
from theorems.checking.pointwise import Pointwise
from theorems.families.kernels.inputs import Item
from theorems.families.kernels.notation import FAMILY, OURS
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw"]

rho_0, rho_l = sp.symbols("rho_0 rho_l", real=True)
excess = sp.Symbol("excess", real=True)
ell = sp.Symbol("ell", integer=True, positive=True)

NEAR = Fraction(1, 10**6)


def relu_path(item: Mapping[str, Any]) -> Item:
    """Start and depth with the correlation after so many ReLU layers, at the current precision.

    Example:
        >>> round(float(relu_path({"rho_0": Fraction(0), "ell": 1})["rho_l"].mid()), 4)
        0.3183
    """
    value, pi = flint.arb(flint.fmpq(*item["rho_0"].as_integer_ratio())), flint.arb.pi()
    for _ in range(item["ell"]):
        value = ((1 - value * value).sqrt() + (pi - value.acos()) * value) / pi
    return {**item, "rho_l": value}


#: Below the first the angle of two samples is treated by series, above it in cells.
_SMALL, _BEYOND_PI = Fraction(1, 8), Fraction(22, 7)


@cache
def excesses() -> Mapping[str, flint.arb]:
    """A ball that holds (u⁺ - u - c)u of every pair that is not equal, c = √2/(3π).

    Example:
        >>> ball = excesses()["excess"]
        >>> 0.033 < ball < 0.102
        True
    """
    found = _small_angle(Fraction(0), _SMALL / 2).union(_small_angle(_SMALL / 2, _SMALL))
    low = _SMALL
    while low < _BEYOND_PI:
        high = low + Fraction(1, max(512, int(32 / low**3)))
        found, low = found.union(_excess_at(_ball(low, high))), high
    return {"excess": found}


def everywhere() -> tuple[Part, ...]:
    """Every ρ at once, and the two ends, by which false neighbours fall."""
    near, opposite = _number(Fraction(1, 8)), flint.arb.pi()
    return (
        Part("every ρ in [-1, 1)", excesses),
        Part("ρ = cos ⅛", lambda: {"excess": _excess_series(near)[0]}),
        Part("ρ = -1", lambda: {"excess": _excess_series(opposite)[0]}),
    )


def _ball(low: Fraction, high: Fraction) -> flint.arb:
    return _number(low).union(_number(high))


def _number(value: Fraction | int) -> flint.arb:
    return flint.arb(flint.fmpq(*value.as_integer_ratio()))


def _excess_at(angle: flint.arb) -> flint.arb:
    """At angles away from 0: with x = √(1 - ρ) and 1 - κ = x²(1 - ε), by the mean value theorem."""
    middle = flint.arb(angle.mid())
    slope = _excess_series(angle)[1]
    return _excess_series(middle)[0] + slope * (angle - middle)


def _excess_series(angle: flint.arb) -> flint.arb_series:
    """Value and slope in the angle, to first order."""
    theta = flint.arb_series([angle, 1], prec=2)
    pi, root = flint.arb.pi(), flint.arb(2).sqrt()
    x = root * (theta / 2).sin()
    share = (theta.sin() - theta * theta.cos()) / (pi * x * x)
    return ((1 - share).rsqrt() - 1 - root / (3 * pi) * x) / (x * x)


def _small_angle(low: Fraction, high: Fraction) -> flint.arb:
    """At all angles θ between two small ones, by alternating series, each term below the last.

    sin θ - θ cos θ = πθ³S and 1 - cos θ = θ²T, so that ε = θS/T and x = θ√T. To first order
    ε/2 = cx, and what is left of ε/2 - cx is θ³B/(2T).
    """
    angle, pi = _ball(low, high), flint.arb.pi()
    square = angle * angle
    zero_to = [_ball(Fraction(0), high**2 / each) for each in (840, 720, 360)]
    a = _number(Fraction(1, 30)) - zero_to[0]
    b = _number(Fraction(1, 12)) - zero_to[2]
    S = (_number(Fraction(1, 3)) - square * a) / pi
    T = _number(Fraction(1, 2)) - square * (_number(Fraction(1, 24)) - zero_to[1])
    curve = _number(Fraction(3, 8)) * (1 - square * b).rsqrt().union(flint.arb(1))
    B = (b / 2 - curve * b * b * square / 3 - a) / pi
    ratio = S / (T * T.sqrt())  # ε/x
    share = angle * S / T
    tail = share * flint.arb(0).union(5 / (16 * (1 - share)))
    return angle * B / (2 * T * T) + ratio * ratio * (_number(Fraction(3, 8)) + tail)


def path_corners() -> list[Item]:
    """Orthogonal samples through 1 layer and 300, opposite ones, and nearly equal ones."""
    ends = ((Fraction(0), 1), (Fraction(0), 300), (Fraction(-1), 3), (1 - NEAR, 2))
    return [{"rho_0": start, "ell": depth} for start, depth in ends]


def _correlations() -> st.SearchStrategy[Fraction]:
    return fractions_between(Fraction(-1), 1 - Fraction(1, 60), 60)


def paths() -> st.SearchStrategy[Item]:
    """A correlation below 1 and a depth of up to 40 layers.

    Example:
        >>> paths().validate()
    """
    return st.fixed_dictionaries({"rho_0": _correlations(), "ell": st.integers(1, 40)})


_rate, _excess = sp.sqrt(2) / (3 * sp.pi), sp.Rational(51, 500)


def _path_least(rate: sp.Expr) -> sp.Expr:
    """1 - ρ_ℓ if 1/√(1 - ρ) grows by ``rate`` a layer."""
    return 1 / (1 / sp.sqrt(1 - rho_0) + rate * ell) ** 2


def _path_most(excess: sp.Expr) -> sp.Expr:
    """1 - ρ_ℓ if 1/√(1 - ρ) grows by c + ``excess``√(1 - ρ) a layer, at the most."""
    start = 1 / sp.sqrt(1 - rho_0)
    log = sp.log(1 + _rate * ell / start) / _rate
    return 1 / (start + _rate * ell + excess * (1 / start + log)) ** 2


_relu = partial(
    Statement,
    family=FAMILY,
    theorem="relu_alignment",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    expected=Verdict.CERTIFIED,
)
_layer = partial(
    _relu,
    variables=(),
    definitions={
        excess: "(u⁺ - u - c)u at every ρ in [-1, 1); u = 1/√(1 - ρ), u⁺ = 1/√(1 - κ(ρ))",
    },
    lhs=excess,
    checks=(Enclosed(parts=everywhere),),
)
_path = partial(
    _relu,
    variables=(
        Variable(rho_0, sp.Interval.Ropen(-1, 1), "correlation of two samples at the start"),
        Variable(ell, sp.Range(1, sp.oo), "number of layers"),
    ),
    definitions={rho_l: "ρ_ℓ, after ℓ ReLU layers"},
    lhs=1 - rho_l,
    checks=(Pointwise(relu_path, paths, path_corners, walks=False),),
)


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """ℓ²(1 - ρ_ℓ) with its bounds, and that of order 1/ℓ; None if no path was run."""
    import numpy as np

    from theorems.report.document import find
    from theorems.report.style import COLOURS, Drawing, drawing, new_figure

    if find(document, STATEMENTS[-1].name) is None:
        return None
    depths = np.arange(1, 1001)
    ends, start = [], 1.0
    for _ in depths:  # 1 - κ in the angle, which loses no digits as it goes to 0
        angle = 2 * np.arcsin(np.sqrt(start / 2))
        start -= (np.sin(angle) - angle * np.cos(angle)) / np.pi
        ends.append(start)
    rate, slope = np.sqrt(2) / (3 * np.pi), 1 / 2 - 1 / np.pi
    least = 1 + rate * depths
    most = least + 0.102 * (1 + np.log1p(rate * depths) / rate)
    with drawing():
        figure = new_figure(5, 3.5)
        axes = figure.add_subplot()
        axes.loglog(depths, depths**2 * ends, color=COLOURS["measured"], label="ReLU from ρ = 0")
        for bound in (least, most):
            label = "bounds" if bound is least else None
            axes.loglog(depths, depths**2 / bound**2, "--", color=COLOURS["sharp"], label=label)
        printed = depths**2 / (1 + slope * depths)
        axes.loglog(depths, printed, ":", color=COLOURS["as_printed"], label="of order 1/ℓ")
        axes.axhline(9 * np.pi**2 / 2, color=COLOURS["corrected"], label="9π²/2")
        axes.set(xlabel="layer ℓ", ylabel="ℓ²(1 - ρ_ℓ)")
        axes.legend()
    return Drawing(
        "relu_alignment",
        "How ReLU aligns samples",
        "ℓ²(1 - ρ_ℓ) between its bounds, which meet at 9π²/2; the bound for all kernels of slope 1 "
        "leaves it.",
        figure,
    )


STATEMENTS = (
    _layer(
        variant="layer_least",
        title="u⁺ ≥ u + √2/(3π) + 1/(30u) in a ReLU layer, u = 1/√(1 - ρ)",
        relation=">=",
        rhs=sp.Rational(1, 30),
        sentinel=Sentinel("1/28 in place of 1/30", rhs=sp.Rational(1, 28)),
    ),
    _layer(
        variant="layer_most",
        title="u⁺ ≤ u + √2/(3π) + 51/(500u) in a ReLU layer, u = 1/√(1 - ρ)",
        relation="<=",
        rhs=_excess,
        sentinel=Sentinel("1/10 in place of 51/500", rhs=sp.Rational(1, 10)),
    ),
    _path(
        variant="upper",
        title="1 - ρ_ℓ ≤ 1/(1/√(1 - ρ_0) + √2ℓ/(3π))² for ReLU",
        relation="<=",
        rhs=_path_least(_rate),
        sentinel=Sentinel(
            "a rate one part in a thousand larger",
            rhs=_path_least(sp.Rational(1001, 1000) * _rate),
        ),
    ),
    _path(
        variant="lower",
        title="1 - ρ_ℓ ≥ 1/(u_0 + cℓ + (51/500)(1/u_0 + log(1 + cℓ/u_0)/c))² for ReLU",
        relation=">=",
        rhs=_path_most(_excess),
        sentinel=Sentinel("1/30 in place of 51/500", rhs=_path_most(sp.Rational(1, 30))),
    ),
)
FIGURES = (draw,)
