"""Symbols and sources shared by the gradient family.

``g`` is the gradient at the outputs of a layer, or a row of it, ``n`` the batch size, ``d`` the
width, ``ell`` the number of layers that the gradient has gone back through. A factor is what one
layer multiplies E‖G‖² by. The definitions are evaluated as they are printed.
"""

from __future__ import annotations

import sympy as sp

from theorems.statement import Source, Variable

FAMILY = "gradient"
#: Where the family's theorems are in the Rocq development.
ROCQ = "BatchNorm.gradient.Backward"

n, d, m = sp.symbols("n d m", integer=True, positive=True)
ell = sp.Symbol("ell", integer=True, nonnegative=True)
i, k, s = sp.symbols("i k s", integer=True)
g, q, u, w = (sp.IndexedBase(name, real=True) for name in "gquw")
growth = sp.Symbol("growth", nonnegative=True)
layer_growth = sp.Symbol("layer_growth", nonnegative=True)

#: What ``layer_growth`` is, of a network of so many layers.
INNER = "growth of ‖G‖² a layer over the inner half of {} layers, its median over networks"

SAMPLES = Variable(n, sp.Range(4, sp.oo), "batch size")
WIDTH = Variable(d, sp.Range(4, sp.oo), "width")
LAYERS = Variable(ell, sp.Range(1, sp.oo), "number of layers")

OURS = Source("ours", "")


def y19(place: str) -> Source:
    """A place in the paper that found the factor of linear batch normalisation.

    Example:
        >>> print(y19("the linear factor"))
        after Y19 (arXiv 1902.08129), the linear factor
    """
    return Source("after Y19 (arXiv 1902.08129)", place)
