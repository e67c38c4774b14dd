"""What batch normalisation offers a network that loses its rank."""

from __future__ import annotations

from theorems.inspection.finding import Remedy, Watched

__all__ = ["remedies"]


def remedies(watched: Watched, state: str) -> list[Remedy]:
    """Against collapse and dead units, where nothing is normalised."""
    if state not in {"collapsing", "dead"} or watched.normalised:
        return []
    words = (
        "batch normalisation after each map, around skip connections, keeps an effective rank of "
        "√d/3 and more on average over depth"
    )
    return [Remedy(words, "rank.average_rank:lower")]
