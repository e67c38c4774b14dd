"""The splines family: where batch normalisation puts the boundaries of a unit (BB22, R26).

- ``boundary``: the mean as the best threshold, what it leaves over; where the boundaries of a layer
  meet; pre-activations as signed distances
- ``jitter``: moments of a mini-batch's mean and variance, movement of the boundary
- ``notation``, ``inputs``: symbols, exact inputs
- ``two_points``: points as a third sees them; ``units``: layers whose units are counted;
  ``ball_probabilities``: how likely a boundary misses two balls
- ``statements``: those with a file each, found by being there; ``theorems new`` writes one
- ``bends``, ``clouds``, ``densities``, ``density_figure``: folds that enumeration finds, exactly;
  data in the plane; what of boundaries is near them, and its picture
- ``findings``: every batchnorm unit of a network as a total least squares fit to what it receives

One unit has a weight w and the inputs z_1 … z_N; its boundary is {z : ⟨w,z⟩ = μ}.
"""

from theorems.family import Family

__all__ = ["FAMILY"]

FAMILY = Family(
    name="splines",
    title="where batch normalisation puts the boundaries of a unit",
    sources=("BB22 (arXiv 2209.14778)", "R26"),
    statements=(
        f"{__name__}.boundary:STATEMENTS",
        f"{__name__}.jitter:STATEMENTS",
        f"{__name__}.statements:STATEMENTS",
    ),
    figures=(f"{__name__}.statements:FIGURES",),
    findings=(f"{__name__}.findings:findings",),
)
