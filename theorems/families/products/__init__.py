"""The products family: what many layers without normalisation do to the norm of one sample.

- ``notation``: symbols and sources; ``inputs``: sizes, and exact numbers of binomial laws
- ``statements``: those with a file each, found by being there; ``theorems new`` writes one

Norms and determinants of products of random matrices are products of independent factors near 1:
of one minus or plus something over the width, as many as there are layers.
"""

from theorems.family import Family

__all__ = ["FAMILY"]

FAMILY = Family(
    name="products",
    title="what many layers without normalisation do to the norm of one sample",
    sources=("H18 (Hanin 2018)", "HN19 (Hanin, Nica 2019)"),
    statements=(f"{__name__}.statements:STATEMENTS",),
    figures=(f"{__name__}.statements:FIGURES",),
    remedies=(f"{__name__}.remedies:remedies",),
)
