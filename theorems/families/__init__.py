"""The project's own families of statements; a folder holds all that speaks of its family alone.

- ``orthogonality``: batch normalisation orthogonalises deep random representations (DJB21)
- ``rank``: it keeps their rank (D20)
- ``cluster``: recentring and ReLU turn a batch into a cluster and an outlier (after N24)
- ``splines``: where it puts the boundaries of a unit (BB22, R26)
"""
