"""Configurations of n - 1 alike samples and one other: after recentring, one number is left."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.families.cluster.notation import FAMILY, NUDGE, OURS, ROCQ, n
from theorems.statement import Assumption, Proof, Quantifier, Sentinel, Statement, Variable, Verdict

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["STATEMENTS"]

K_cc, K_x, K_co, K_oo, y = sp.symbols("K_cc K_x K_co K_oo y", real=True)


def _items() -> SearchStrategy[Mapping[str, Any]]:
    return st.fixed_dictionaries(
        {
            "n": st.integers(3, 1000),
            "y": st.fractions(Fraction(1, 1000), 1000, max_denominator=1000),
            "K_cc": st.fractions(Fraction(1, 100), 100, max_denominator=100),
        }
    )


def _values(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The four numbers of K, from its y and its scale, by the two row sums."""
    size, product = item["n"], -item["y"] * item["K_cc"]
    return {
        "n": size,
        "K_cc": item["K_cc"],
        "K_co": product,
        "K_oo": -(size - 1) * product,
        "K_x": -(item["K_cc"] + product) / (size - 2),
    }


def _reduction(
    variant: str,
    title: str,
    lhs: sp.Expr,
    rhs: sp.Expr,
    place: str,
    sentinel: Sentinel,
    shape: str = "",
) -> Statement:
    theorem = f"{ROCQ}.OneDimensionalReduction"
    return Statement(
        family=FAMILY,
        theorem="one_dimensional_reduction",
        variant=variant,
        title=title,
        source=OURS,
        quantifier=Quantifier.POINTWISE,
        definitions={y: -K_co / K_cc},
        lhs=lhs,
        relation="==",
        rhs=rhs,
        variables=(
            Variable(n, sp.Range(3, sp.oo), "batch size"),
            Variable(
                K_cc, sp.Interval.open(0, sp.oo), "squared norm of each of the n - 1, recentred"
            ),
            Variable(K_x, sp.Reals, "inner product of two of them"),
            Variable(
                K_co,
                sp.Interval.open(-sp.oo, 0),
                "inner product of one of them and the other sample",
            ),
            Variable(K_oo, sp.Reals, "squared norm of the other sample, recentred"),
        ),
        assumptions=(
            Assumption(sp.Eq(K_oo + (n - 1) * K_co, 0), "the other sample's row of K sums to 0"),
            Assumption(sp.Eq(K_cc + (n - 2) * K_x + K_co, 0), "so do the rows of the n - 1"),
        ),
        chain="recenter_relu",
        sentinel=sentinel,
        expected=Verdict.CERTIFIED,
        checks=(Pointwise(_values, _items, examples=100),),
        proof=Proof(
            theorem=f"{theorem}.one_dimensional_numbers",
            structure="rcfType",
            script="move=> R n K_cc K_x K_co K_oo y n3 c0 o0 defy rowo rowc; rewrite -mulNr in "
            "defy; "
            f"rewrite addrC mulrC in rowo; rewrite addrAC mulrC in rowc; {shape}"
            f"exact: (THEOREM n3 c0 o0 rowo rowc defy){place}",
            also=(f"{theorem}.one_dimensional_reduction", f"{theorem}.one_dimensional_range"),
        ),
    )


STATEMENTS: tuple[Statement, ...] = (
    _reduction(
        "outlier_norm",
        "K_oo/K_cc = (n-1) y",
        K_oo / K_cc,
        (n - 1) * y,
        ".1",
        Sentinel("n y", rhs=n * y),
        "rewrite [RHS]mulrC; ",
    ),
    _reduction(
        "cluster_correlation",
        "The cluster's correlation is (y-1)/(n-2)",
        K_x / K_cc,
        (y - 1) / (n - 2),
        ".2.1",
        Sentinel("(y-1)/(n-1)", rhs=(y - 1) / (n - 1)),
    ),
    _reduction(
        "outlier_correlation",
        "The correlation across is -√(y/(n-1))",
        K_co / sp.sqrt(K_cc * K_oo),
        -sp.sqrt(y / (n - 1)),
        ".2.2",
        Sentinel("one part in a million less", rhs=-sp.sqrt((1 - NUDGE) * y / (n - 1))),
    ),
)
