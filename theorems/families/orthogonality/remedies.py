"""What orthogonalisation offers a network that loses its rank, or its gradients."""

from __future__ import annotations

from theorems.inspection.finding import Remedy, Watched

__all__ = ["remedies"]


def remedies(watched: Watched, state: str) -> list[Remedy]:
    """Against collapse; and against gradients that vanish, where nothing is normalised."""
    lost = watched.course == "vanishing" and not watched.normalised and not watched.residual
    if state != "collapsing" and not lost:
        return []
    words = (
        "iterative orthogonal initialisation on a batch, "
        "simulators.training.iterative_orthogonal_(module, batch), lowers the gap layer by layer"
    )
    kept = " and gives each layer the same length of signal, on which gradients depend"
    return [Remedy(words + kept * lost, "orthogonality.iterative_initialisation:conclusion")]
