"""ReLU aligns samples like 9π²/(2ℓ²): 1/√(1 - ρ_ℓ) grows by √2/(3π) a layer, and hardly by more.

Problem. κ′(1) = 1 for ReLU, and 1 - κ is of order (1 - ρ)^(3/2) away from 1 - ρ. The bound of order
1/ℓ for kernels of slope 1, `alignment`, is then far from sharp; what is the law?

Method. The kernel κ = (√(1 - ρ²) + (π - arccos ρ)ρ)/π in balls, and paths of it, at corners and at
correlations and depths drawn by Hypothesis.

Guarantee. With c = √2/(3π) and u = 1/√(1 - ρ): c ≤ u⁺ - u ≤ c + 51/(500u) in every layer, for every
ρ in [-1, 1). Hence, for ℓ ≥ 1, u_0 + cℓ ≤ u_ℓ ≤ u_0 + cℓ + (51/500)(1/u_0 + log(1 + cℓ/u_0)/c),
and ℓ²(1 - ρ_ℓ) → 1/c² = 9π²/2. From ρ_0 = 0 the upper bound on 1 - ρ_ℓ is 11, 1.6 and .03 % too
large at ℓ = 1, 1000 and 100,000, the bound of order 1/ℓ 24 % at ℓ = 1, but 15 times at ℓ = 100 and
12,400 times at ℓ = 100,000.

Reference. Ours; next to the case κ′(1) = 1 of JH24 (arXiv 2410.20107), as restated by an author.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['layer_upper', 'layer_lower', 'upper', 'lower']
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import flint
import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.kernels.inputs import Item
from theorems.families.kernels.notation import FAMILY, OURS, rho
from theorems.statement import Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

rho_0, rho_l = sp.symbols("rho_0 rho_l", real=True)
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


def layer_corners() -> list[Item]:
    """Opposite, orthogonal and nearly equal samples."""
    return [{"rho": each} for each in (Fraction(-1), Fraction(0), 1 - NEAR)]


def path_corners() -> list[Item]:
    """Orthogonal samples through 1 layer and 300, opposite ones, and nearly equal ones."""
    ends = ((Fraction(0), 1), (Fraction(0), 300), (Fraction(-1), 3), (1 - NEAR, 2))
    return [{"rho_0": start, "ell": depth} for start, depth in ends]


def _correlations() -> st.SearchStrategy[Fraction]:
    return st.fractions(-1, 1 - Fraction(1, 60), max_denominator=60)


def layers() -> st.SearchStrategy[Item]:
    """A correlation below 1.

    Example:
        >>> layers().validate()
    """
    return st.fixed_dictionaries({"rho": _correlations()})


def paths() -> st.SearchStrategy[Item]:
    """A correlation below 1 and a depth of up to 40 layers.

    Example:
        >>> paths().validate()
    """
    return st.fixed_dictionaries({"rho_0": _correlations(), "ell": st.integers(1, 40)})


_rate, _excess = sp.sqrt(2) / (3 * sp.pi), sp.Rational(51, 500)
_kappa = (sp.sqrt(1 - rho**2) + (sp.pi - sp.acos(rho)) * rho) / sp.pi


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
    variables=(
        Variable(rho, sp.Interval.Ropen(-1, 1), "correlation of two samples before the layer"),
    ),
    lhs=1 / sp.sqrt(1 - _kappa) - 1 / sp.sqrt(1 - rho),
    checks=(Pointwise(as_given, layers, layer_corners),),
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

STATEMENTS = (
    _layer(
        variant="layer_upper",
        title="1/√(1 - κ(ρ)) ≥ 1/√(1 - ρ) + √2/(3π) for ReLU",
        relation=">=",
        rhs=_rate,
        sentinel=Sentinel("one part in a thousand more", rhs=sp.Rational(1001, 1000) * _rate),
    ),
    _layer(
        variant="layer_lower",
        title="1/√(1 - κ(ρ)) ≤ 1/√(1 - ρ) + √2/(3π) + (51/500)√(1 - ρ) for ReLU",
        relation="<=",
        rhs=_rate + _excess * sp.sqrt(1 - rho),
        sentinel=Sentinel("1/10 in place of 51/500", rhs=_rate + sp.sqrt(1 - rho) / 10),
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
FIGURES = ()
