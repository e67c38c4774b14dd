"""The kernels family: what one layer without batch interaction does to the angle of two samples.

- ``notation``: symbols and sources; ``inputs``: exact weights of kernels, and correlations
- ``findings``: cosines in a network, beside the kernel iterated
- ``statements``: those with a file each, found by being there; ``theorems new`` writes one

At infinite width a layer takes the correlation ρ of two samples of one norm to
κ(ρ) = Σ c_k ρ^k, the dual kernel of its activation, with weights c_k ≥ 0 of sum 1.
"""

from theorems.family import Family

__all__ = ["FAMILY"]

FAMILY = Family(
    name="kernels",
    title="what a layer without batch interaction does to the angle of two samples",
    sources=(
        "JH24 (arXiv 2410.20107)",
        "JDB23 (arXiv 2305.18399)",
        "LN23 (arXiv 2310.12079), abstract",
    ),
    statements=(f"{__name__}.statements:STATEMENTS",),
    figures=(f"{__name__}.statements:FIGURES",),
    findings=(f"{__name__}.findings:findings",),
)
