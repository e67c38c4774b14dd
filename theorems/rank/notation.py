"""Symbols and sources shared by the rank family (D20, chain ``residual``)."""

from __future__ import annotations

import sympy as sp

from theorems.statement import Source, Variable

FAMILY = "rank"

d = sp.Symbol("d", integer=True, positive=True)
n = sp.Symbol("n", integer=True, positive=True)
tau = sp.Symbol("tau", nonnegative=True)

WIDTH = Variable(d, sp.Range(1, sp.oo), "width")
THRESHOLD = Variable(tau, sp.Interval(0, 1), "threshold of the soft rank")

OURS = Source("ours", "")


def d20(place: str) -> Source:
    return Source("D20 (arXiv 2003.01652)", place)
