"""Inputs at which a comparison goes furthest, by differential evolution and a simplex after it.

Corners touch many bounds; where the extreme lies between them it is sought here, in floats, and
measured exactly afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy.optimize import minimize

from theorems.checking.ascent import evolve
from theorems.workbench.discovery.comparisons import Comparison
from theorems.workbench.discovery.question import Question
from theorems.workbench.domains import floats_at
from theorems.workbench.starts import Item

__all__ = ["furthest"]

Floats = NDArray[np.float64]
#: Generations, and points of one per dimension; evaluations of the simplex.
_GENERATIONS, _POPULATION, _EVALUATIONS = 20, 5, 400
#: Whole starts, which take long to build, have many coordinates, and a lay-out of their own.
_OF_STARTS = 3
#: The simplex starts where evolution went beyond what is known by more than this, relatively.
_BEYOND = 1e-7


def furthest(
    question: Question,
    comparison: Comparison,
    sizes: Mapping[str, Fraction],
    known: float,
    *,
    up: bool,
    seed: int,
) -> Item | None:
    """An input of these sizes that goes beyond what is known; None where none is found.

    Args:
        question: of what is exact. Nothing is sought where an input takes long, as along layers
            that are integrals, nor among quantities that the author computes.
        comparison: what is compared with a form.
        sizes: one choice of them.
        known: the logarithm of the extreme so far.
        up: whether it is a largest value.
        seed: of the evolution.
    """
    space = question.space
    held = {name: value for name, value in sizes.items() if name in _held(question)}
    fixed = {domain.name for domain in space.parameters if domain.whole}
    dimensions = space.coordinates(held)
    if fixed or space.computed or not dimensions or not space.quick:
        return None
    sign = 1.0 if up else -1.0

    def score(points: Floats) -> Floats:
        with np.errstate(all="ignore"):
            found = sign * _logarithms(question, comparison, held, points)
        return np.where(np.isnan(found), -np.inf, np.clip(found, -1e9, 1e9))

    generations = _OF_STARTS if space.whole else _GENERATIONS
    ends = evolve(score, dimensions, seed=seed, generations=generations, population=_POPULATION)
    best = ends[0]
    if not float(score(best[None])[0]) > sign * known + _BEYOND:
        return None
    return space.item(held, _polished(score, best))


def _held(question: Question) -> set[str]:
    """The sizes that objects have; elsewhere numbers are coordinates like any others."""
    return set() if question.space.over == "parameters" else {"n", "d", "ell"}


def _polished(score: Callable[[Floats], Floats], point: Floats) -> Floats:
    found = minimize(
        lambda u: -float(score(np.clip(u, 0.0, 1.0)[None])[0]),
        point,
        method="Nelder-Mead",
        options={"maxfev": _EVALUATIONS, "xatol": 1e-10, "fatol": 1e-14},
    )
    return np.clip(np.asarray(found.x, dtype=np.float64), 0.0, 1.0)


def _logarithms(
    question: Question, comparison: Comparison, sizes: Mapping[str, Fraction], points: Floats
) -> Floats:
    """Those of the comparison at points of the cube, (points,)."""
    values = question.space.floats(sizes, points)
    f, references = question.of[comparison.of], question.against
    sign = 1.0 if comparison.rate else -1.0

    def log(expression: sp.Expr | None) -> Floats:
        found: Floats = np.log(np.broadcast_to(floats_at(expression, values), (len(points),)))
        return found

    found = log(f.expression)
    for place, exponent in comparison.powers:
        found = found + sign * float(exponent) * log(references[place].expression)
    if comparison.rate:
        found = found - log(f.start)
        for place, exponent in comparison.powers:
            found = found - float(exponent) * log(references[place].start)
        found = found / float(sizes["ell"])
    return np.asarray(found, dtype=np.float64)
