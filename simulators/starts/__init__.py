"""First batches, exactly: spectra × eigenbases × signs and copies × scales of single samples.

- ``Start``: one such batch, with its Gram matrix in rationals and its entries in float64
- ``corners``: the named values of every coordinate of a start, eigenbases first, mirrors drawn by
  Haar's law, and the name of a start
- ``cube``: a start at a point of the unit cube, for optimisers and for independent draws
- ``strategies``: Hypothesis strategies
"""

from simulators.starts.corners import (
    corner_axes,
    corner_samples,
    corner_scales,
    haar_mirrors,
    named,
)
from simulators.starts.cube import cube_dimensions, start_at
from simulators.starts.start import Start
from simulators.starts.strategies import starts

__all__ = [
    "Start",
    "corner_axes",
    "corner_samples",
    "corner_scales",
    "cube_dimensions",
    "haar_mirrors",
    "named",
    "start_at",
    "starts",
]
