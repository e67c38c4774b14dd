"""The cluster family: recentring and ReLU turn a batch into a cluster and an outlier (after N24).

- ``blocks``: two blocks of equal columns, any weights (decided exactly)
- ``rounding``: the same in float64, by the simulator's layers
- ``norms``: the ratio of the blocks' norms, for every symmetric law
- ``symmetric``: the configuration of equal norms and angles, at infinite width
- ``reduction``: one number describes n - 1 alike samples and one other
- ``outlier``, ``angle``: the fixed points with one outlier at infinite width, their number, stability and angle
- ``spread``: how fast a spread within a block grows
- ``emergence``: finite networks from random starts, with and without rescaling
- ``escape``: how long that takes, by width
- ``notation``, ``inputs``: symbols, exact inputs

A new theorem is one ``Statement`` in one of these modules, or in a new one listed below.
"""

from theorems.families.cluster import (
    angle,
    blocks,
    emergence,
    escape,
    norms,
    outlier,
    reduction,
    rounding,
    spread,
    symmetric,
)
from theorems.statement import Statement

STATEMENTS: tuple[Statement, ...] = (
    *blocks.STATEMENTS, *rounding.STATEMENTS, *norms.STATEMENTS, *symmetric.STATEMENTS, *reduction.STATEMENTS,
    *outlier.STATEMENTS, *angle.STATEMENTS, *spread.STATEMENTS, *emergence.STATEMENTS,
    *escape.STATEMENTS,
)
