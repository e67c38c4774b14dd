"""The cluster family: recentring and ReLU turn a batch into a cluster and an outlier (after N24).

- ``two_blocks``: two blocks of equal columns, any weights (decided exactly), and in float64; the
  ratio of the blocks' norms, for every symmetric law; how fast a spread within a block grows
- ``symmetric``: the configuration of equal norms and angles, at infinite width
- ``outlier``: one number describes n - 1 alike samples and one other; the fixed points with one
  outlier at infinite width, their number, stability and angle (``fixed_points``, ``jacobian``,
  ``large_batches``)
- ``emergence``: finite networks from random starts, with and without rescaling, and how long it
  takes by width
- ``notation``, ``inputs``: symbols, exact inputs
- ``outlier_certificates``: certificates of all fixed points, batch size by batch size and for all
  large ones; those that come with the package are in ``certificates``
- ``outlier_figures``; ``findings``: blocks, fixed points and
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
        f"{__name__}.two_blocks:INVARIANCE",
        f"{__name__}.two_blocks:NORMS",
        f"{__name__}.symmetric:STATEMENTS",
        f"{__name__}.outlier:STATEMENTS",
        f"{__name__}.two_blocks:SPREAD",
        f"{__name__}.emergence:STATEMENTS",
        f"{__name__}.statements:STATEMENTS",
    ),
    figures=(
        f"{__name__}.outlier_figures:FIGURES",
        f"{__name__}.statements:FIGURES",
    ),
    certificates=(f"{__name__}.outlier_certificates:KINDS",),
    findings=(f"{__name__}.findings:findings",),
    remedies=(f"{__name__}.remedies:remedies",),
)
