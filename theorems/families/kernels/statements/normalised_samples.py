"""Normalising samples of norms a multiplies their isometry by AM(a²)/GM(a²) ≥ 1 + Var a/AM(a)².

Problem. LayerNorm and RMSNorm bring every sample to one norm. The isometry of a batch with Gram
matrix C is det(C)^(1/n)/(tr C/n), at most 1, which is reached by orthogonal samples of one norm.
What does normalising do to it?

Method. n-th powers, so that all is rational, at corners and at batches and norms drawn by
Hypothesis. Rocq proves all three; its kernel compares the last two with the claims.

Guarantee. The gain is the ratio of the arithmetic to the geometric mean of the squared norms,
exactly; it is at least 1, and at least 1 + Var a/AM(a)², with equality for equal norms.

Reference. After JDB23 (arXiv 2305.18399), of which the authors' code was read; proofs ours.

Example:

    >>> [statement.variant for statement in STATEMENTS]
    ['gain', 'never_hurts', 'by_spread']
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import flint
import sympy as sp

from simulators.lazy import composite
from simulators.lazy import strategies as st
from simulators.strategies import fractions_between
from theorems.checking.pointwise import Pointwise
from theorems.checking.rational_inputs import as_given
from theorems.families.kernels.inputs import Item
from theorems.families.kernels.notation import FAMILY
from theorems.statement import Proof, Quantifier, Sentinel, Source, Statement, Variable, Verdict

__all__ = ["FIGURES", "STATEMENTS"]

ROCQ = "BatchNorm.kernels.Isometry"

n = sp.Symbol("n", integer=True, positive=True)
i = sp.Symbol("i", integer=True, nonnegative=True)
a = sp.IndexedBase("a", positive=True)
before, after = sp.symbols("before after", nonnegative=True)


def isometries(item: Mapping[str, Any]) -> Item:
    """A batch (of samples ``v``, each of norm 1) with n-th powers of its isometry.

    Example:
        >>> half, unit = Fraction(1, 2), ((1, 0), (0, 1))
        >>> isometries({"n": 2, "a": (1, 3), "v": unit})["before"]
        9/25
    """
    size, norms, samples = item["n"], item["a"], item["v"]
    unit = [
        [sum((x * y for x, y in zip(left, right, strict=True)), Fraction(0)) for right in samples]
        for left in samples
    ]
    scaled = [
        [norm * other * value for other, value in zip(norms, row, strict=True)]
        for norm, row in zip(norms, unit, strict=True)
    ]
    return {"n": size, "a": norms, "before": _power(scaled), "after": _power(unit)}


def _power(gram: list[list[Fraction]]) -> flint.fmpq:
    """det(C)/(tr C/n)^n of a Gram matrix."""
    entries = [[flint.fmpq(*Fraction(x).as_integer_ratio()) for x in row] for row in gram]
    matrix = flint.fmpq_mat(entries)
    trace = sum((matrix[k, k] for k in range(len(gram))), flint.fmpq(0))
    return matrix.det() / (trace / len(gram)) ** len(gram)


def _unit(slopes: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """The point of the unit sphere whose stereographic projection is given."""
    square = sum((x * x for x in slopes), Fraction(0))
    return (*(2 * x / (1 + square) for x in slopes), (square - 1) / (square + 1))


@composite
def batches(draw: st.DrawFn) -> Item:
    """One to five samples of norm 1 in rationals, and norms that they are scaled to.

    Example:
        >>> batches().validate()
    """
    size = draw(st.integers(1, 5))
    slopes = st.tuples(*(fractions_between(Fraction(-3), Fraction(3), 6),) * (size - 1))
    norm = fractions_between(Fraction(1, 10), Fraction(10), 10)
    samples = tuple(_unit(draw(slopes)) for _ in range(size))
    return {"n": size, "a": draw(st.tuples(*(norm,) * size)), "v": samples}


def norms_alone() -> st.SearchStrategy[Item]:
    """Norms of one to five samples.

    Example:
        >>> norms_alone().validate()
    """
    return batches().map(lambda item: {"n": item["n"], "a": item["a"]})


def batch_corners() -> list[Item]:
    """Two orthogonal samples of norms 1 and 3, and three of one norm."""
    axes = tuple(tuple(Fraction(each == other) for other in range(3)) for each in range(3))
    plane = tuple(axis[:2] for axis in axes[:2])
    return [
        {"n": 2, "a": (Fraction(1), Fraction(3)), "v": plane},
        {"n": 3, "a": (Fraction(2),) * 3, "v": axes},
    ]


def corners() -> list[Item]:
    """The norms of those."""
    return [{"n": item["n"], "a": item["a"]} for item in batch_corners()]


_all = (i, 0, n - 1)
_squares = sp.Sum(a[i] ** 2, _all) / n
_product = sp.Product(a[i] ** 2, _all)
_spread = (_squares / (sp.Sum(a[i], _all) / n) ** 2) ** n

_samples = partial(
    Statement,
    family=FAMILY,
    theorem="normalised_samples",
    quantifier=Quantifier.POINTWISE,
    source=Source("after JDB23 (arXiv 2305.18399)", "normalising samples"),
    variables=(
        Variable(n, sp.Range(1, sp.oo), "batch size"),
        Variable(a, sp.Interval.open(0, sp.oo), "norms of the samples", size=(n,)),
    ),
    expected=Verdict.CERTIFIED,
)
_MORE = sp.Rational(1001, 1000)

STATEMENTS = (
    _samples(
        variant="gain",
        title="Normalised samples have AM(a²)/GM(a²) times the isometry (n-th powers)",
        definitions={
            before: "det(C)/(tr C/n)^n, C the Gram matrix of the samples",
            after: "the same of the samples divided by their norms",
        },
        lhs=after * _product,
        relation="==",
        rhs=before * _squares**n,
        sentinel=Sentinel("one part in a thousand more", rhs=_MORE * before * _squares**n),
        checks=(Pointwise(isometries, batches, batch_corners, walks=False),),
        proof=Proof(
            theorem=f"{ROCQ}.isometry_gain",
            link="name",
            gloss="for C with diagonal a_i² > 0 and Ĉ_ij = C_ij/(a_i a_j): det Ĉ/(tr Ĉ/n)^n = "
            "det C/(tr C/n)^n · (Σa²/n)^n/∏a²",
            also=(f"{ROCQ}.normalised_determinant",),
        ),
    ),
    _samples(
        variant="never_hurts",
        title="∏a² ≤ (Σa²/n)^n: normalising samples never lowers their isometry",
        lhs=_product,
        relation="<=",
        rhs=_squares**n,
        sentinel=Sentinel("one part in a thousand less", rhs=_squares**n / _MORE),
        checks=(Pointwise(as_given, norms_alone, corners, walks=False),),
        proof=Proof(
            theorem=f"{ROCQ}.means_of_squares",
            script="move=> R n a n1 a0; (have _ : (1 <= n)%N := n1); exact: (@THEOREM R n a a0)",
        ),
    ),
    _samples(
        variant="by_spread",
        title="AM(a²)/GM(a²) ≥ 1 + Var a/AM(a)² (n-th powers)",
        lhs=_squares**n / _product,
        relation=">=",
        rhs=_spread,
        sentinel=Sentinel("one part in a thousand more", rhs=_MORE * _spread),
        checks=(Pointwise(as_given, norms_alone, corners, walks=False),),
        proof=Proof(
            theorem=f"{ROCQ}.gain_by_spread",
            script="move=> R n a n1 a0; exact: (@THEOREM R n a n1 a0)",
        ),
    ),
)
FIGURES = ()
