"""A ReLU layer of n units takes E‖h‖⁴ to 1 + 5/n times ‖x‖⁴, and other moments further.

Problem. Weights of variance 2/n keep E‖h‖² through a ReLU layer; what of E‖h‖⁴, and of E‖h‖^2k?

Method. b of n units are active, b binomial, and ‖h‖² is then 2/n times a chi square of b degrees of
freedom, of k-th moment b(b + 2)…(b + 2k - 2). Exact sums at corners and at widths and orders drawn
by Hypothesis. Rocq proves the first claim for every width.

Guarantee. E‖h‖⁴/‖x‖⁴ = 1 + 5/n, so ∏(1 + 5/n_ℓ) after layers of widths n_ℓ; and
E‖h‖^2k/‖x‖^2k ≥ 1 + 5k(k - 1)/(2n), with equality for k = 1 and k = 2.

Reference. Ours; after H18 and HN19.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['exact', 'higher']
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from math import prod
from typing import Any

import sympy as sp

from theorems.checking.pointwise import Pointwise
from theorems.families.products import inputs
from theorems.families.products.notation import FAMILY, ORDER, OURS, ROCQ, WIDTH, k, n
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

moment = sp.Symbol("moment", positive=True)


def values(item: Mapping[str, Any]) -> inputs.Item:
    """An input with the moment of order 2k of ‖h‖/‖x‖, k = 2 where none is given.

    Example:
        >>> values({"n": 5})["moment"]
        Fraction(2, 1)
    """
    size, order = item["n"], item.get("k", 2)
    sums = (
        chance * prod(b + 2 * each for each in range(order))
        for b, chance in enumerate(inputs.active_probabilities(size))
    )
    return {**item, "moment": Fraction(2, size) ** order * sum(sums, Fraction(0))}


def corners() -> list[inputs.Item]:
    """Widths 1, 2, 3 and 50."""
    return [{"n": size} for size in (1, 2, 3, 50)]


def corners_of_orders() -> list[inputs.Item]:
    """Those widths with orders 1, 2 and 3."""
    return [{**item, "k": order} for item in corners() for order in (1, 2, 3)]


_moments = partial(
    Statement,
    family=FAMILY,
    theorem="relu_fourth_moment",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    lhs=moment,
    expected=Verdict.CERTIFIED,
)
_least = 1 + 5 * k * (k - 1) / (2 * n)

STATEMENTS = (
    _moments(
        variant="exact",
        title="E‖h‖⁴/‖x‖⁴ = 1 + 5/n after a ReLU layer",
        variables=(WIDTH,),
        definitions={moment: "Σ_b C(n, b) 2^-n (2/n)² b(b + 2), which is E‖h‖⁴/‖x‖⁴"},
        relation="==",
        rhs=1 + 5 / n,
        sentinel=Sentinel("1 + 5/(n + 1)", rhs=1 + 5 / (n + 1)),
        checks=(Pointwise(values, partial(inputs.sizes, n=200), corners, walks=False),),
        proof=Proof(
            theorem=f"{ROCQ}.relu_fourth_moment",
            link="name",
            gloss="Σ_b C(n, b) 2^-n (2/n)² b(b + 2) = 1 + 5/n for every n ≥ 1",
        ),
    ),
    _moments(
        variant="higher",
        title="E‖h‖^2k/‖x‖^2k ≥ 1 + 5k(k - 1)/(2n) after a ReLU layer",
        variables=(WIDTH, ORDER),
        definitions={moment: "Σ_b C(n, b) 2^-n (2/n)^k b(b + 2)…(b + 2k - 2), E‖h‖^2k/‖x‖^2k"},
        relation=">=",
        rhs=_least,
        sentinel=Sentinel("one part in a thousand more", rhs=sp.Rational(1001, 1000) * _least),
        checks=(
            Pointwise(values, partial(inputs.sizes, n=40, k=8), corners_of_orders, walks=False),
        ),
    ),
)
FIGURES = ()
