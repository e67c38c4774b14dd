"""Gradients explode at every finite batch size: (n-2)/(n-3) > (n-1)/(n-2) > 1, to the power ℓ.

Problem. Does a larger batch end the explosion of gradients under linear batch normalisation, and
how does it compare with every power of the depth?

Method. Bernoulli and the next term of the binomial series, for every n ≥ 4 and depth. Exact
rationals; Rocq. No activation has a smaller factor: `harmonic_factor`.

Guarantee. The factor at n samples is above that at n + 1, (n-1)/(n-2), which is rescaling's at n:
it falls strictly in n, and stays above 1. ((n-2)/(n-3))^ℓ ≥ 1 + ℓ/(n-3), and every power of ℓ is
exceeded: it is at least C(ℓ, k)/(n-3)^k for every k (in Rocq, `linear_explosion`).

Reference. Y19 (arXiv 1902.08129) for the factor; the rest is ours.

Example:

    >>> [round(float(statement.bound(n=8, ell=10)), 2) for statement in STATEMENTS[1:]]
    [3.0, 4.8]
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.gradient.notation import FAMILY, ROCQ, SAMPLES, ell, n, y19
from theorems.statement import NUDGE, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

if TYPE_CHECKING:
    from theorems.report.style import Drawing

__all__ = ["FIGURES", "STATEMENTS", "draw"]

Item = Mapping[str, object]


def _inputs() -> st.SearchStrategy[Item]:
    sizes, depths = st.integers(4, 200), st.integers(0, 40)
    return st.builds(lambda size, depth: {"n": size, "ell": depth}, sizes, depths)


def _corners() -> list[Item]:
    """No layer, one, two, and many, of small and large batches."""
    return [{"n": size, "ell": depth} for size in (4, 5, 100) for depth in (0, 1, 2, 30)]


_explosion = partial(
    Statement,
    family=FAMILY,
    theorem="explosion",
    quantifier=Quantifier.POINTWISE,
    source=y19("the linear factor"),
    expected=Verdict.CERTIFIED,
    checks=(Pointwise(as_given, _inputs, _corners),),
)
_factor = (n - 2) / (n - 3)
_of_depth = partial(
    _explosion,
    variables=(SAMPLES, Variable(ell, sp.Range(0, sp.oo), "number of layers")),
    lhs=_factor**ell,
    relation=">=",
)
_DEPTH_LAST = "move=> R n ell n4; exact: (@THEOREM R n n4 ell)"
_first = 1 + ell / (n - 3)
_second = _first + ell * (ell - 1) / (2 * (n - 3) ** 2)

STATEMENTS = (
    _explosion(
        variant="falls",
        title="The linear factor falls strictly in n: (n-2)/(n-3) > (n-1)/(n-2)",
        variables=(SAMPLES,),
        lhs=_factor,
        relation=">",
        rhs=(n - 1) / (n - 2),
        sentinel=Sentinel("above n/(n-2)", rhs=n / (n - 2)),
        proof=Proof(theorem=f"{ROCQ}.linear_factor_falls"),
    ),
    _of_depth(
        variant="linear",
        title="((n-2)/(n-3))^ℓ ≥ 1 + ℓ/(n-3)",
        rhs=_first,
        sentinel=Sentinel("one part in a million more", rhs=(1 + NUDGE) * _first),
        proof=Proof(
            theorem=f"{ROCQ}.linear_growth",
            script=_DEPTH_LAST,
            also=(f"{ROCQ}.linear_explosion", f"{ROCQ}.every_power"),
        ),
    ),
    _of_depth(
        variant="quadratic",
        title="((n-2)/(n-3))^ℓ ≥ 1 + ℓ/(n-3) + ℓ(ℓ-1)/(2(n-3)²)",
        rhs=_second,
        sentinel=Sentinel("one part in a million more", rhs=(1 + NUDGE) * _second),
        proof=Proof(theorem=f"{ROCQ}.quadratic_growth", script=_DEPTH_LAST),
    ),
)


def draw(document: Mapping[str, Any]) -> Drawing | None:
    """Gradients against depth; None if none of these claims was run."""
    from theorems.families.gradient.growth_figure import draw as of_growth

    return of_growth(document)


FIGURES = (draw,)
