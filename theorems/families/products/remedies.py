"""What scaling offers a network of residual branches without normalisation."""

from __future__ import annotations

from theorems.inspection.finding import Remedy, Watched

__all__ = ["remedies"]


def remedies(watched: Watched, state: str) -> list[Remedy]:
    """Against what residual branches add up to."""
    wrong = {state, watched.course}
    if not wrong & {"collapsing", "exploding"} or watched.normalised or not watched.residual:
        return []
    words = f"branches times 1/√L, L = {watched.branches} here: squared norms stay below e times"
    return [Remedy(words, "products.residual_growth:below_e")]
