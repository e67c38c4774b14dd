"""The cluster family: recentring and ReLU turn a batch into a cluster and an outlier (after N24).

- ``blocks``: two blocks of equal columns, any weights (decided exactly)
- ``rounding``: the same in float64, by the simulator's layers
- ``norms``: the ratio of the blocks' norms, for every symmetric law
- ``symmetric``: the configuration of equal norms and angles, at infinite width
- ``reduction``: one number describes n - 1 alike samples and one other
- ``outlier``, ``angle``: the fixed points with one outlier at infinite width, their number,
  stability and angle (``fixed_points``, ``jacobian``, ``saddle_node``, ``large_batches``)
- ``spread``: how fast a spread within a block grows
- ``emergence``: finite networks from random starts, with and without rescaling
- ``escape``: how long that takes, by width
- ``notation``, ``inputs``: symbols, exact inputs
- ``outlier_certificates``: certificates of all fixed points, batch size by batch size and for all
  large ones; those that come with the package are in ``certificates``
- ``outlier_figure``, ``basin_figure``, ``cluster_figure``; ``findings``: blocks, fixed points and
  cosines in a network
- ``statements``: those with a file each, found by being there; ``theorems new`` writes one
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
        f"{__name__}.statements:STATEMENTS",
    ),
    figures=(
        f"{__name__}.outlier_figure:draw",
        f"{__name__}.basin_figure:draw",
        f"{__name__}.cluster_figure:draw",
        f"{__name__}.statements:FIGURES",
    ),
    certificates=(f"{__name__}.outlier_certificates:KINDS",),
    findings=(f"{__name__}.findings:findings",),
)
