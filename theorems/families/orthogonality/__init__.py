"""The orthogonality family: batch normalisation orthogonalises deep random representations (DJB21).

- ``gap``: eq. 10, Lemma 4, Lemma 2, Appendix E (spectra, decided exactly)
- ``one_step``: Lemmas 6, 7, 8, 10, Theorem 5 (one layer, given H)
- ``decay``: Theorem 1, Corollary 3, Appendix B.1 (many layers)
- ``experiments``: Figures 1 and 2, Appendix F
- ``notation``, ``inputs``: symbols; exact inputs with their values, starts of simulations
- ``contraction_boxes``: certificates of the contraction for every spectrum of a size
  (``branching`` over enclosures of ``growth``), and those in ``certificates`` as evidence
- ``one_step_figure``, ``decay_figures``, ``scaling_figure``; ``findings``: the rescale chain in a
  network
- ``statements``: those with a file each, found by being there; ``theorems new`` writes one
"""

from theorems.family import Family

__all__ = ["FAMILY"]

FAMILY = Family(
    name="orthogonality",
    title="batch normalisation orthogonalises deep random representations",
    sources=("DJB21 (arXiv 2106.03970)",),
    statements=(
        f"{__name__}.gap:STATEMENTS",
        f"{__name__}.one_step:STATEMENTS",
        f"{__name__}.decay:STATEMENTS",
        f"{__name__}.experiments:STATEMENTS",
        f"{__name__}.statements:STATEMENTS",
    ),
    figures=(
        f"{__name__}.one_step_figure:draw",
        f"{__name__}.decay_figures:FIGURES",
        f"{__name__}.scaling_figure:draw",
        f"{__name__}.statements:FIGURES",
    ),
    certificates=(f"{__name__}.contraction_boxes:KINDS",),
    findings=(f"{__name__}.findings:findings",),
    experiments=tuple({"n": 4, "d": width} for width in (16, 32, 64, 128, 256, 512)),
    remedies=(f"{__name__}.remedies:remedies",),
)
