"""The cluster family: recentring and ReLU turn a batch into a cluster and an outlier (after N24).

- ``blocks``: two blocks of equal columns, any weights (decided exactly)
- ``symmetric``: the configuration of equal norms and angles, at infinite width
- ``notation``, ``inputs``: symbols, exact inputs

A new theorem is one ``Statement`` in one of these modules, or in a new one listed below.
"""

from theorems.cluster import blocks, symmetric
from theorems.statement import Statement

STATEMENTS: tuple[Statement, ...] = (*blocks.STATEMENTS, *symmetric.STATEMENTS)
