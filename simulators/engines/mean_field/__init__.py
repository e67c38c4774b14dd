"""The chains at infinite width, where one layer is a deterministic map. In floats and in balls.

- ``gram``: the Gram matrix of every chain that has a map; for rows of one norm by the mean over
  ``directions``
- ``rescale``: the spectrum of the rescale chain
- ``recenter_relu``: the Gram matrix of the recenter–ReLU chain
- ``kernels``: the dual kernel of an activation, by a formula or by its ``hermite`` expansion
- ``outlier``: that map on batches of n - 1 equal samples and one other, one number; its fixed
  points in floats
- ``outlier_enclosure``: the same reduction in balls, with derivatives
"""

from simulators.engines.mean_field.gram import GramMap, gram_map, gram_obstacle
from simulators.engines.mean_field.kernels import DualKernel, kernel_map
from simulators.engines.mean_field.outlier import (
    FixedPoint,
    outlier_fixed_point,
    reduced_map,
    symmetric_fixed_point,
)
from simulators.engines.mean_field.recenter_relu import (
    arc_cosine,
    arc_cosine_enclosure,
    recenter_relu_map,
    recenter_relu_map_enclosure,
)
from simulators.engines.mean_field.rescale import (
    Exact,
    rescale_map,
    rescale_map_enclosure,
    rescale_path_enclosure,
)

__all__ = [
    "DualKernel",
    "Exact",
    "FixedPoint",
    "GramMap",
    "arc_cosine",
    "arc_cosine_enclosure",
    "gram_map",
    "gram_obstacle",
    "kernel_map",
    "outlier_fixed_point",
    "recenter_relu_map",
    "recenter_relu_map_enclosure",
    "reduced_map",
    "rescale_map",
    "rescale_map_enclosure",
    "rescale_path_enclosure",
    "symmetric_fixed_point",
]
