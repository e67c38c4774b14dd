"""The splines family: where batch normalisation puts the boundaries of a unit (BB22, R26).

- ``least_squares``: the mean as the best threshold, what it leaves over
- ``scale_free``: pre-activations as signed distances
- ``jitter``: moments of a mini-batch's mean and variance, movement of the boundary
- ``arrangement``: where the boundaries of a layer meet
- ``notation``, ``inputs``: symbols, exact inputs

One unit has a weight w and the inputs z_1 … z_N; its boundary is {z : ⟨w,z⟩ = μ}.
"""

from theorems.families.splines import arrangement, jitter, least_squares, scale_free
from theorems.statement import Statement

STATEMENTS: tuple[Statement, ...] = (
    *least_squares.STATEMENTS, *arrangement.STATEMENTS, *scale_free.STATEMENTS, *jitter.STATEMENTS,
)
