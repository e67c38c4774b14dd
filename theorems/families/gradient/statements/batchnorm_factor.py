"""Batch normalisation with any activation: its factor, at least the linear one, and not monotone.

Problem. At infinite width a layer of batch normalisation with activation φ multiplies E‖G‖² by
n/((n-3)(n-1)κ_n) E tr[D C D (C - uuᵀ)], u uniform on the unit sphere of 1^⊥, C = I - 11ᵀ/n,
D = diag φ′(√n u_i), κ_n = E[φ(√n u_1)² - φ(√n u_1)φ(√n u_2)]. Which φ makes it least at a batch
size, and is it largest for small batches, as with ReLU?

Method. Entry by entry these are means of functions of one and of two entries; the latter are sums
over Gegenbauer polynomials, of which the coefficients are integrals in balls and the rest is
enclosed by Parseval. At batch sizes 4, 8 and 16 (tanh: 4, 8).

Guarantee. For sin, erf, exp and tanh the factor is above (n-2)/(n-3), that of no activation, as
`harmonic_factor` proves for all: at n = 8 1.40172, 1.40505, 1.66520, 1.35855 against 1.2. For exp
it is below its limit e/(e-1) at n = 16: the limit bounds nothing.

Reference. Ours.

Example:

    >>> from theorems.families.gradient.enclosures import smooth_factor
    >>> round(float(smooth_factor("sin", 8).mid()), 5)
    1.40172
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import flint
import sympy as sp

from theorems.checking.enclosures import Enclosed, Part
from theorems.families.gradient.enclosures import gaussian_factor, smooth_factor
from theorems.families.gradient.notation import FAMILY, OURS, SAMPLES, n
from theorems.statement import NUDGE, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

factor = sp.Symbol("factor", real=True)


def _at(name: str, size: int) -> Mapping[str, flint.arb]:
    return {"factor": smooth_factor(name, size)}


def _sizes(name: str, *sizes: int) -> tuple[Enclosed]:
    return (Enclosed(sizes, partial(_at, name)),)


_factor = partial(
    Statement,
    family=FAMILY,
    theorem="batchnorm_factor",
    quantifier=Quantifier.MEAN_FIELD,
    source=OURS,
    lhs=factor,
    relation=">=",
)
_of_size = partial(
    _factor,
    variables=(SAMPLES,),
    definitions={factor: "factor of E‖G‖² a layer, at infinite width"},
    rhs=(n - 2) / (n - 3),
)


def _above_linear(name: str, more: str, share: sp.Rational, *sizes: int) -> Statement:
    """That an activation is no better than none at these batch sizes; no bound is that by a
    ``share`` larger, ``more`` in words.
    """
    return _of_size(
        variant=name,
        title=f"With {name} the factor is at least (n-2)/(n-3), that of no activation",
        sentinel=Sentinel(more, rhs=(1 + share) * (n - 2) / (n - 3)),
        expected=Verdict.CERTIFIED,
        chain=f"batchnorm({name})",
        checks=_sizes(name, *sizes),
    )


_TENTH, _THIRD = sp.Rational(1, 10), sp.Rational(1, 3)
ABOVE = (
    _above_linear("sin", "a tenth more", _TENTH, 4, 8, 16),
    _above_linear("erf", "a tenth more", _TENTH, 4, 8, 16),
    _above_linear("exp", "a third more", _THIRD, 4, 8, 16),
    _above_linear("tanh", "a tenth more", _TENTH, 4, 8),
)
IDENTITY = _factor(
    variant="identity",
    title="Without activation the formula gives (n-2)/(n-3)",
    variables=(SAMPLES,),
    definitions={factor: "factor of E‖G‖² a layer, at infinite width"},
    lhs=sp.Abs(factor - (n - 2) / (n - 3)),
    relation="<=",
    rhs=sp.Rational(1, 10**12),
    sentinel=Sentinel(
        "one part in a million more", lhs=sp.Abs(factor - (1 + NUDGE) * (n - 2) / (n - 3))
    ),
    expected=Verdict.CERTIFIED,
    chain="batchnorm(identity)",
    checks=_sizes("identity", 4, 8, 16, 32),
)
NOT_MONOTONE = _of_size(
    variant="exp_above_limit",
    title="With exp the factor is at least its limit e/(e - 1), as ReLU's is",
    rhs=sp.E / (sp.E - 1),
    sentinel=Sentinel("one part in a hundred more", rhs=sp.Rational(101, 100) * sp.E / (sp.E - 1)),
    expected=Verdict.REFUTED,
    chain="batchnorm(exp)",
    checks=_sizes("exp", 4, 8, 16),
)

# --- infinite batch -------------------------------------------------------------------------------


def _limit(name: str, title: str, value: sp.Expr) -> Statement:
    """E φ′²/Var φ in closed form."""
    part = Part("n to infinity", lambda: {"factor": gaussian_factor(name)})
    return _factor(
        variant=f"limit_{name}",
        title=title,
        variables=(),
        definitions={factor: "E φ′(z)²/Var φ(z), z standard normal"},
        lhs=sp.Abs(factor - value),
        relation="<=",
        rhs=sp.Rational(1, 10**24),
        sentinel=Sentinel("one part in a million more", lhs=sp.Abs(factor - (1 + NUDGE) * value)),
        expected=Verdict.CERTIFIED,
        chain=f"batchnorm({name})",
        checks=(Enclosed(parts=lambda: (part,)),),
    )


LIMITS = (
    _limit("sin", "Large batches, sin: the factor is coth 1", (sp.exp(2) + 1) / (sp.exp(2) - 1)),
    _limit("exp", "Large batches, exp: the factor is e/(e - 1)", sp.E / (sp.E - 1)),
    _limit(
        "erf",
        "Large batches, erf: the factor is 2/(√5 arcsin ⅔)",
        2 / (sp.sqrt(5) * (sp.pi / 2 - sp.acos(sp.Rational(2, 3)))),
    ),
)

STATEMENTS = (*ABOVE, IDENTITY, NOT_MONOTONE, *LIMITS)
FIGURES = ()
