"""The effective rank of a network's last layer beside the number of samples."""

from __future__ import annotations

from theorems.inspection.finding import Finding, Watched

__all__ = ["findings"]


def findings(watched: Watched) -> list[Finding]:
    """Purity is at least 1/n, so the effective rank is at most n, in every network."""
    rank, n = watched.measures[-1].effective_rank, watched.batch.shape[1]
    why = "effective rank after the last layer"
    return [Finding("purity.lower_bound", True, why, float(n), rank, rank <= n * (1 + 1e-9))]
