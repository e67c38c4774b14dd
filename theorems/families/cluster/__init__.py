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

from theorems.family import Family

__all__ = ["FAMILY"]

FAMILY = Family(
    name="cluster",
    title="recentring and ReLU turn a batch into a cluster and an outlier",
    sources=("after N24 (arXiv 2412.02843)",),
    statements=(
        f"{__name__}.blocks:STATEMENTS",
        f"{__name__}.rounding:STATEMENTS",
        f"{__name__}.norms:STATEMENTS",
        f"{__name__}.symmetric:STATEMENTS",
        f"{__name__}.reduction:STATEMENTS",
        f"{__name__}.outlier:STATEMENTS",
        f"{__name__}.angle:STATEMENTS",
        f"{__name__}.spread:STATEMENTS",
        f"{__name__}.emergence:STATEMENTS",
        f"{__name__}.escape:STATEMENTS",
    ),
    certificates=(f"{__name__}.outlier_certificates:KINDS",),
)
