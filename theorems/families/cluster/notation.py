"""Symbols and sources shared by the cluster family (after N24, chain ``recenter_relu``).

A batch of two blocks has its first m of n columns equal to ``c`` and the others to ``o``: ``X``. A
layer takes it to ``A = W X``, ``Z``, its rows recentred (``Q`` their mean squares), and ``Y``, the
output. Indices run from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import sympy as sp

from simulators import Trajectory
from simulators.observables import Observable
from theorems.checking.expectation import Expectation, Floats, Instance
from theorems.statement import Assumption, Source, Statement, Variable

FAMILY = "cluster"
#: Where the family's theorems are in the Rocq development.
ROCQ = "BatchNorm.cluster"
#: The phenomenon is N24's, of which only the abstract is known here; no statement is that paper's
#: theorem.
OURS = Source("ours", "after N24 (arXiv 2412.02843)")

n, m, d, p = sp.symbols("n m d p", integer=True, positive=True)
s = sp.Symbol("s", real=True)
i, j, k, q, r = sp.symbols("i j k q r", integer=True)
W, c, o = (sp.IndexedBase(name, real=True) for name in "Wco")
X = sp.IndexedBase("X", shape=(d, n), real=True)
A, Z, Y = (sp.IndexedBase(name, shape=(p, n), real=True) for name in "AZY")
Q = sp.IndexedBase("Q", shape=(p,), real=True)

BATCH = Variable(n, sp.Range(2, sp.oo), "batch size")
BLOCK = Variable(m, sp.Range(1, n), "columns in the first block")
INPUT = Variable(d, sp.Range(1, sp.oo), "width of the input")
OUTPUT = Variable(p, sp.Range(1, sp.oo), "width of the output")
WEIGHTS = Variable(W, sp.Reals, "weights", size=(p, d))
FIRST = Variable(c, sp.Reals, "each column of the first block", size=(d,))
OTHER = Variable(o, sp.Reals, "each column of the other block", size=(d,))
SCALE = Variable(s, sp.Reals, "scale of the layer, one for all rows")
ROW = Variable(r, sp.Range(0, p), "row")


def in_first(index: sp.Symbol) -> Variable:
    """An index of the first block, 0 … m - 1.

    Example:
        >>> in_first(i).domain
        Range(0, m, 1)
    """
    return Variable(index, sp.Range(0, m), "column of the first block")


def in_other(index: sp.Symbol) -> Variable:
    """An index of the other block, m … n - 1.

    Example:
        >>> in_other(j).domain
        Range(m, n, 1)
    """
    return Variable(index, sp.Range(m, n), "column of the other block")


two_blocks = {
    X: sp.Lambda((q, j), sp.Piecewise((c[q], j < m), (o[q], True))),
    A: sp.Lambda((r, j), sp.Sum(W[r, q] * X[q, j], (q, 0, d - 1))),
    Z: sp.Lambda((r, j), A[r, j] - sp.Sum(A[r, k], (k, 0, n - 1)) / n),
}
#: The layer without rescaling.
layer = {**two_blocks, Y: sp.Lambda((r, j), s * sp.Max(Z[r, j], 0))}
#: The layer with every row divided by its root mean square.
rescaled_layer = {
    **two_blocks,
    Q: sp.Lambda((r,), sp.Sum(Z[r, k] ** 2, (k, 0, n - 1)) / n),
    Y: sp.Lambda((r, j), sp.Max(Z[r, j] / sp.sqrt(Q[r]), 0)),
}
#: Where a row's values on the blocks coincide, recentring leaves zeros, which no scale makes a unit
#: row.
NO_ZERO_ROW = Assumption(sp.Gt(sp.Product(Q[r], (r, 0, p - 1)), 0), "no recentred row is zero")


def from_own_starts(
    instances: Callable[[], Iterable[Instance]],
    sample: Callable[[Statement, Trajectory, Instance], Floats],
    observables: Sequence[str | Observable],
    *,
    resolution: float,
    first: int = 32,
    replicas: int = 100_000,
    normals: int = 300_000_000,
    dtype: str = "float64",
) -> Expectation:
    """The check of a sampled claim about starts of its own, of which a user's batch says nothing.

    ``instances()`` lays them out; all else is as `Expectation` takes it.

    Example:
        >>> from_own_starts(list, None, (), resolution=0.1).takes_batch
        False
    """

    def laid_out(statement: Statement, batch: Floats | None) -> Iterable[Instance]:
        return instances() if batch is None else ()

    return Expectation(
        laid_out,
        sample,
        tuple(observables),
        resolution=resolution,
        follows_batch=False,
        first=first,
        replicas=replicas,
        normals=normals,
        dtype=dtype,
    )
