"""What the statements of the training family have in common: symbols, sources, domains."""

from __future__ import annotations

import sympy as sp

from theorems.statement import Variable

__all__ = ["D20", "DEPTH", "DJB21", "FAMILY", "SIZES", "SUPPORTED_BY", "WIDTH", "L", "d", "n"]

FAMILY = "training"
DJB21 = "DJB21 (arXiv 2106.03970)"
D20 = "D20 (arXiv 2003.01652)"

L, d = sp.symbols("L d", integer=True, positive=True)
DEPTH = Variable(L, sp.Range(1, sp.oo), "hidden layers")
WIDTH = Variable(d, sp.Range(1, sp.oo), "units in each")
SIZES = (DEPTH, WIDTH)

n = sp.Symbol("n", integer=True, positive=True)

SUPPORTED_BY = (
    "Tried on the digits inside scikit-learn, 32 or 64 seeds of each treatment, at sizes smaller "
    "than published; a verdict speaks of these alone."
)
