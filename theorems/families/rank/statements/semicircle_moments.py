"""The moments of a semicircle of radius 1 about t solve a_{k+1} = t a_k + ¼ Σ_{i<k} a_i a_{k-1-i}.

Problem. `moment_recursion` leaves a spectrum in place, to leading order, if its moments obey this
recursion with t = √d/r. Which spectrum is that?

Method. The moments about t are Catalan numbers over powers of 4; those about 0 follow by the
binomial theorem. Exact rationals. Rocq proves it for every k, from the recursion of the central
moments, and that no other sequence with a_0 = 1 obeys it (`semicircle_unique`). In generating
functions it is one quadratic equation, and that is proved too (`generating_quadratic`).

Guarantee. a_{k+1} = t a_k + ¼ Σ_{i<k} a_i a_{k-1-i} for every k, where a_k = E x^k under the
semicircle law of radius 1 about t. By size of the eigenvalues, the spectrum of M/√d is that law.

Reference. Ours; the moments of the semicircle are classical.

Example:

    >>> [str(each) for each in moments(Fraction(1), 4)]
    ['1', '1', '5/4', '7/4', '21/8']
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import comb

import sympy as sp

from simulators.lazy import strategies as st
from theorems.checking.pointwise import Pointwise
from theorems.families.rank.notation import FAMILY, OURS, ROCQ, k
from theorems.statement import Proof, Quantifier, Sentinel, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENT", "STATEMENTS", "moments"]

t = sp.Symbol("t", real=True)
a_k, a_next, convolution = sp.symbols("a_k a_next S_k", real=True)

Item = tuple[int, Fraction]


def moments(centre: Fraction, order: int) -> tuple[Fraction, ...]:
    """E x^0 … E x^``order`` under the semicircle law of radius 1 about ``centre``; exact.

    Example:
        >>> moments(Fraction(0), 4)[4]
        Fraction(1, 8)
    """
    central = [Fraction(0)] * (order + 1)
    for half in range(order // 2 + 1):
        central[2 * half] = Fraction(comb(2 * half, half), (half + 1) * 4**half)
    found = []
    for power in range(order + 1):
        terms = [comb(power, j) * centre ** (power - j) * central[j] for j in range(power + 1)]
        found.append(sum(terms, Fraction(0)))
    return tuple(found)


def values(item: Item) -> Mapping[str, object]:
    """What the symbols are at an order and a centre."""
    order, centre = item
    found = moments(centre, order + 1)
    products = [found[i] * found[order - 1 - i] for i in range(order)]
    return {
        "k": order,
        "t": centre,
        "a_k": found[order],
        "a_next": found[order + 1],
        "S_k": sum(products, Fraction(0)),
    }


def corners() -> list[Item]:
    """Orders 0 to 8 about 1, where the spectrum touches 0, and about 5/4."""
    return [(order, centre) for centre in (Fraction(1), Fraction(5, 4)) for order in range(9)]


def inputs() -> st.SearchStrategy[Item]:
    """Orders up to 12, any centre."""
    return st.tuples(st.integers(0, 12), st.fractions(-4, 4, max_denominator=20))


STATEMENT = Statement(
    family=FAMILY,
    theorem="semicircle_moments",
    title="a_{k+1} = t a_k + ¼ Σ_{i<k} a_i a_{k-1-i}, a_k = E x^k of the semicircle about t",
    quantifier=Quantifier.POINTWISE,
    source=OURS,
    variables=(
        Variable(k, sp.Range(0, sp.oo), "order of the moment"),
        Variable(t, sp.Reals, "centre of the semicircle"),
    ),
    definitions={
        a_k: "E x^k, x from the semicircle law of radius 1 about t",
        a_next: "E x^(k+1) of the same law",
        convolution: "Σ_{i<k} a_i a_{k-1-i}",
    },
    lhs=a_next,
    relation="==",
    rhs=t * a_k + convolution / 4,
    sentinel=Sentinel(
        "¼ + 1/1000 in place of ¼", rhs=t * a_k + sp.Rational(251, 1000) * convolution
    ),
    expected=Verdict.CERTIFIED,
    checks=(
        Pointwise(
            values, inputs, corners, item=lambda given: (int(given["k"]), Fraction(given["t"]))
        ),
    ),
    proof=Proof(
        theorem=f"{ROCQ}.BatchLaw.semicircle_moments",
        link="name",
        gloss="for a_k = Σ_j C(k, j) t^(k-j) s_j with s_0 = 1, s_1 = 0 and "
        "s_(j+2) = ¼ Σ_{i≤j} s_i s_(j-i): a_0 = 1, a_1 = t and the recursion for every k",
        also=(f"{ROCQ}.BatchLaw.semicircle_unique", f"{ROCQ}.BatchLaw.generating_quadratic"),
    ),
)

STATEMENTS = (STATEMENT,)
FIGURES = ()
