"""The project's own families of statements; a folder holds all that speaks of its family alone.

- ``orthogonality``: batch normalisation orthogonalises deep random representations (DJB21)
- ``rank``: it keeps their rank (D20)
- ``cluster``: recentring and ReLU turn a batch into a cluster and an outlier (after N24)
- ``splines``: where it puts the boundaries of a unit (BB22, R26)
- ``kernels``: what a layer without batch interaction does to the angle of two samples (JH24)
- ``gradient``: how gradients grow on their way back through random layers (after Y19)
- ``products``: what many layers without normalisation do to the norm of one sample (H18, HN19)
- ``training``: whether the geometry at initialisation decides how gradient descent goes (DJB21,
  D20)

Each has one `Family` in its ``__init__``, and one line in ``FAMILIES``.
Other packages bring families through the entry-point group ``theorems.families``.
"""

__all__ = ["FAMILIES"]

#: In the order in which they are listed.
FAMILIES = (
    "theorems.families.orthogonality:FAMILY",
    "theorems.families.rank:FAMILY",
    "theorems.families.cluster:FAMILY",
    "theorems.families.splines:FAMILY",
    "theorems.families.kernels:FAMILY",
    "theorems.families.gradient:FAMILY",
    "theorems.families.products:FAMILY",
    "theorems.families.training:FAMILY",
)
