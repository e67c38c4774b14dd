"""The gradient family: how ‖G‖, G = ∂L/∂H, grows on its way back through random layers.

- ``notation``: symbols and sources; ``growth``: growths of gradients that are simulated, and
  ``growth_figure``; ``enclosures``: factors in balls; ``moments``: what second moments alone give
- ``findings``: growth of gradients in a network, beside the factor
- ``statements``: those with a file each, found by being there; ``theorems new`` writes one

Batch normalisation of n samples multiplies E‖G‖² by more than 1 a layer at every batch size;
layers that normalise each sample alone by 1 + O(1/d).
"""

from theorems.family import Family

__all__ = ["FAMILY"]

FAMILY = Family(
    name="gradient",
    title="how gradients grow on their way back through random layers",
    sources=("Y19 (arXiv 1902.08129)",),
    statements=(f"{__name__}.statements:STATEMENTS",),
    figures=(f"{__name__}.statements:FIGURES",),
    findings=(f"{__name__}.findings:findings",),
    remedies=(f"{__name__}.remedies:remedies",),
)
