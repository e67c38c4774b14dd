"""The training family: whether the geometry at initialisation decides how gradient descent goes.

- ``notation``: symbols and sources; ``runs``: treatments, and their comparison over seeds
- ``findings``: which results apply to a user's network, and what they offer it
- ``statements``: those with a file each, found by being there; ``theorems new`` writes one

Every claim is about networks that are trained on real images, many seeds of each treatment, and
compared seed by seed. Sizes are smaller than published, and the statements say which. The family
declares an error level of its own: a network costs too much for that of a run.
"""

from theorems.family import Family

__all__ = ["FAMILY"]

FAMILY = Family(
    name="training",
    title="whether the geometry at initialisation decides how gradient descent goes",
    sources=("DJB21 (arXiv 2106.03970)", "D20 (arXiv 2003.01652)", "BB22 (arXiv 2209.14778)"),
    statements=(f"{__name__}.statements:STATEMENTS",),
    figures=(f"{__name__}.statements:FIGURES",),
    findings=(f"{__name__}.findings:findings",),
    remedies=(f"{__name__}.findings:remedies",),
    apart="it trains networks for minutes",
    level=1e-3,
)
