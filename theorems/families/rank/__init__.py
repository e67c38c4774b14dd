"""The rank family: batch normalisation keeps the rank of deep random representations (D20).

- ``soft_rank``: the lemma that bounds the soft rank by the effective rank (decided exactly)
- ``drift``: how ‖M‖_F² moves in one layer, to second order in γ, and the inequality that signs it
- ``drift_checks``: that second order derived, and seen in simulation
- ``average``: what stationary chains keep of the rank; ``collapse``: what is left without
  normalisation, or without a part of it
- ``batches``: the law for batches of n samples, in symbols; ``batch_ranks``: those simulated
- ``networks``: those simulated: ranks averaged along deep ones, and chains compared side by side
- ``notation``, ``inputs``: symbols, exact inputs; ``published``: the source's own loop
- ``rank_figure``; ``findings``: soft and effective rank in a network
- ``statements``: those with a file each, found by being there; ``theorems new`` writes one
"""

from theorems.family import Family

__all__ = ["FAMILY"]

FAMILY = Family(
    name="rank",
    title="batch normalisation keeps the rank of deep random representations",
    sources=("D20 (arXiv 2003.01652)",),
    statements=(
        f"{__name__}.soft_rank:STATEMENTS",
        f"{__name__}.drift:STATEMENTS",
        f"{__name__}.average:STATEMENTS",
        f"{__name__}.collapse:STATEMENTS",
        f"{__name__}.statements:STATEMENTS",
    ),
    figures=(f"{__name__}.rank_figure:draw", f"{__name__}.statements:FIGURES"),
    findings=(f"{__name__}.findings:findings",),
    remedies=(f"{__name__}.remedies:remedies",),
)
