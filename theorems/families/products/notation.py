"""Symbols and sources shared by the products family.

``n`` is the width of a layer, ``L`` the number of layers, ``k`` the order of a moment.
"""

from __future__ import annotations

import sympy as sp

from theorems.statement import Source, Variable

FAMILY = "products"
#: Where the family's theorems are in the Rocq development.
ROCQ = "BatchNorm.products.Products"
OURS = Source("ours", "")

n, d, L, k = sp.symbols("n d L k", integer=True, positive=True)
j, i = sp.symbols("j i", integer=True, nonnegative=True)

WIDTH = Variable(n, sp.Range(1, sp.oo), "width of the layer")
LAYERS = Variable(L, sp.Range(1, sp.oo), "number of layers")
ORDER = Variable(k, sp.Range(1, sp.oo), "order of the moment")
