"""Randomised networks with batch normalisation, simulated exactly in law. Knows no theorem.

- ``simulate``, ``Trajectory``: run a chain on a batch, observe it along depth
- ``Chain`` and the named chains of the theory; their layers live in ``simulators.layers``
- observables of ``(..., d, n)`` arrays, by the same names as strings (``simulators.observables``)
- ``mean_field``: the width-to-infinity maps, in float and in balls
- ``sweeps``: many runs, kept as they finish: grids, stores, executors, costs, tables
- ``lyapunov``, ``antithetic``: growth rates without normalisation; a layer under W and -W
- ``batches``, ``strategies``: input batches, and Hypothesis strategies for them
- ``arguments``: what arguments must be, and how refusals say so
"""

from simulators.chains import (
    Chain,
    batchnorm_chain,
    recenter_relu_chain,
    rescale_activation_chain,
    rescale_chain,
    residual_chain,
    vanilla_chain,
)
from simulators.engines import mean_field
from simulators.observables import (
    effective_rank,
    orthogonality_gap,
    smallest_eigenvalue,
    smallest_eigenvalue_gap,
    soft_rank,
)
from simulators.simulate import simulate
from simulators.trajectory import Trajectory

__all__ = [
    "Chain",
    "Trajectory",
    "batchnorm_chain",
    "effective_rank",
    "mean_field",
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
