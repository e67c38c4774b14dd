"""What rescaling offers a network that clusters."""

from __future__ import annotations

from theorems.inspection.finding import Remedy, Watched

__all__ = ["remedies"]


def remedies(watched: Watched, state: str) -> list[Remedy]:
    """Against clusters, where rows are not rescaled."""
    if state != "clustering" or watched.normalised:
        return []
    words = (
        "rescaling rows after recentring, as full batch normalisation does, forgets the outlier: "
        "after 20 layers all cosines agree"
    )
    return [Remedy(words, "cluster.rescaling_restores_symmetry")]
