"""What orthogonalisation offers a network that loses its rank."""

from __future__ import annotations

from theorems.inspection.finding import Remedy, Watched

__all__ = ["remedies"]


def remedies(watched: Watched, state: str) -> list[Remedy]:
    """Against collapse."""
    if state != "collapsing":
        return []
    words = (
        "iterative orthogonal initialisation on a batch, "
        "simulators.training.iterative_orthogonal_(module, batch), lowers the gap layer by layer"
    )
    return [Remedy(words, "orthogonality.iterative_initialisation:conclusion")]
