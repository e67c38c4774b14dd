"""Linear regions and folded boundaries of piecewise affine networks, on a plane of input space.

- ``partition``: the regions on a polygon, exactly; ``mesh``, ``lines``, ``layer``, ``exact_maps``,
  ``growing``: what they are made of
- ``segments``, ``nearest_boundary``: where segments of any dimension cross boundaries, and how far
  samples are from the nearest
- ``random_segments``: crossings of a segment by random networks, many at once
- ``random_networks``: the same weights with biases of batch normalisation, zero, or chance
- ``boundaries``: edges by unit, folds, what is near points; ``examples``: a partition to look at
- ``true_roots``: signs of units with the square roots of batch normalisation, not their floats
- ``slices``: planes in input space
- ``torch_networks``: networks from PyTorch modules; ``convolution``: as sparse matrices
- ``network``, ``operations``: piecewise affine networks; ``affine_maps``: affine maps of a plane
  with bounds on their error; ``rationals``: floats as the rationals they are
"""

from simulators.splines.partition import Partition, linear_regions

__all__ = ["Partition", "linear_regions"]
