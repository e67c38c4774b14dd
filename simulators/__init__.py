"""Randomised networks with batch normalisation, simulated exactly in law. Knows no theorem.

- ``simulate``, ``Trajectory``: run a chain on a batch, observe it along depth
- ``Chain`` and the named chains of the theory (``chains``), made of ``layers``, of laws of
  ``weights`` and of ``activations``
- ``observables`` of ``(..., d, n)`` arrays, by the same names as strings
- ``named_chain``, ``law``, ``activation``, ``observable``: own words, known by name everywhere;
  ``vocabulary`` lists all there are, ``catalogue`` is what holds them
- ``trials``, ``layer_trials``, ``ranges``: what own words say of themselves, tried; what is
  measured, compared with its range
- ``mean_field``: the width-to-infinity maps, in float and in balls
- ``sweeps``: many runs, kept as they finish: grids, stores, executors, costs, tables
- ``splines``: linear regions of piecewise affine networks on a plane, exactly
- ``training``: real images, many networks trained at once, an initialiser of a user's modules
- ``lyapunov``, ``antithetic``: growth rates without normalisation; a layer under W and -W
- ``batches``, ``starts``, ``strategies``: input batches, those whose Gram matrix is known exactly,
  and Hypothesis strategies for both
- ``engines``: factor, dense, mean_field; ``backend``, ``streams``: arrays and random numbers
- ``arrays``: what NumPy's and Torch's arrays have in common; ``arguments``, ``requirements``: what
  arguments and simulations must be, and how refusals say so
"""

from simulators.activations import activation
from simulators.chains import (
    Chain,
    batchnorm_chain,
    named_chain,
    recenter_relu_chain,
    rescale_activation_chain,
    rescale_chain,
    residual_chain,
    vanilla_chain,
)
from simulators.engines import mean_field
from simulators.observables import (
    effective_rank,
    observable,
    orthogonality_gap,
    smallest_eigenvalue,
    smallest_eigenvalue_gap,
    soft_rank,
)
from simulators.simulate import simulate
from simulators.trajectory import Trajectory
from simulators.weights import law

__all__ = [
    "Chain",
    "Trajectory",
    "activation",
    "batchnorm_chain",
    "effective_rank",
    "law",
    "mean_field",
    "named_chain",
    "observable",
    "orthogonality_gap",
    "recenter_relu_chain",
    "rescale_activation_chain",
    "rescale_chain",
    "residual_chain",
    "simulate",
    "smallest_eigenvalue",
    "smallest_eigenvalue_gap",
    "soft_rank",
    "vanilla_chain",
]
