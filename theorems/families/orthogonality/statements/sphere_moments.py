"""A uniform direction has E v_i² = 1/n, E v_i⁴ = 3/(n(n+2)), E v_i² v_k² = 1/(n(n+2)).

Problem. What does "Gaussian weights" bring to the theorems of this family? A row of W, seen in the
right singular basis of H and divided by its norm, is a uniform point v of the unit sphere.

Method. The squares v_1², …, v_n² have the Dirichlet law with parameters ½, whose moments are
quotients of rising factorials; computer algebra reduces these for every n at once, and
Rocq's kernel proves it. (`isotropic_moments` has the same from invariance, without an integral.)

Guarantee. The three equalities, for every batch size n ≥ 2. With invariance under changes of sign,
which is plain, they are all that `contraction:harmonic` and what follows from it ask of the law.

Reference. Ours; the moments are classical.

Example:

    >>> [float(statement.bound(n=4)) for statement in STATEMENTS]
    [0.25, 0.125, 0.041666666666666664]
"""

from __future__ import annotations

from functools import partial

import sympy as sp

from theorems.checking.symbolic import SymbolicIdentity
from theorems.families.orthogonality.notation import FAMILY, ROCQ, n
from theorems.statement import Proof, Quantifier, Sentinel, Source, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

k = sp.Symbol("k", integer=True, nonnegative=True)


def _rising(first: sp.Expr, factors: int) -> sp.Expr:
    """first (first + 1) … of so many factors."""
    return sp.Product(first + k, (k, 0, factors - 1))


def _moment(*powers: int) -> sp.Expr:
    """E ∏ v_i^(2 k_i) by the Dirichlet law of the squares, one ``k_i`` for each coordinate."""
    above = (_rising(sp.Rational(1, 2), power) for power in powers)
    return sp.Mul(*above) / _rising(n / 2, sum(powers))


def _proof(moment: str) -> Proof:
    return Proof(theorem=f"{ROCQ}.Isotropy.dirichlet_{moment}")


_moments = partial(
    Statement,
    family=FAMILY,
    theorem="sphere_moments",
    quantifier=Quantifier.POINTWISE,
    source=Source("ours", "classical"),
    variables=(Variable(n, sp.Range(2, sp.oo), "batch size, at least 2"),),
    relation="==",
    expected=Verdict.CERTIFIED,
    checks=(SymbolicIdentity(tuple({"n": size} for size in (2, 3, 8))),),
)

STATEMENTS = (
    _moments(
        variant="second",
        title="E v_i² = 1/n for a uniform direction v",
        lhs=_moment(1),
        rhs=1 / n,
        sentinel=Sentinel("1/(n+1)", rhs=1 / (n + 1)),
        proof=_proof("second"),
    ),
    _moments(
        variant="fourth",
        title="E v_i⁴ = 3/(n(n+2)) for a uniform direction v",
        lhs=_moment(2),
        rhs=3 / (n * (n + 2)),
        sentinel=Sentinel("3/n², of independent coordinates", rhs=3 / n**2),
        proof=_proof("fourth"),
    ),
    _moments(
        variant="mixed",
        title="E v_i² v_k² = 1/(n(n+2)) for a uniform direction v and i ≠ k",
        lhs=_moment(1, 1),
        rhs=1 / (n * (n + 2)),
        sentinel=Sentinel("1/n², of independent coordinates", rhs=1 / n**2),
        proof=_proof("mixed"),
    ),
)
FIGURES = ()
