"""The purity family: Σ λ_i² of a spectrum of sum 1, and what recentred networks make of it."""

from theorems import Family

__all__ = ["FAMILY"]

FAMILY = Family(
    name="purity",
    title="how pure a spectrum is, and how pure recentred networks leave it",
    sources=("a test",),
    statements=("purity_theorems.statements:STATEMENTS",),
    figures=("purity_theorems.figure:draw",),
    certificates=("purity_theorems.certificate:UNIFORM",),
    findings=("purity_theorems.finding:findings",),
)
