"""A user's own PyTorch network at initialisation: what the theory says of it, and what is seen.

- ``watching``: run the network once without changing it; what enters and leaves its layers
- ``dataflow``: which value was computed from which; ``values``: when two are equal up to rounding
- ``stages``: the network cut at its linear maps, and what happens between one and the next
- ``recognition``: which chain of the theory that makes; ``weight_laws``: the law of its weights, and their independence
- ``accounting``: every parameter, under a layer that is judged or a module that is not, with the reason
- ``judging``: what is measured of a representation, and when it is healthy, collapsing or clustering
- ``fluctuation``: how often chance alone makes a narrow network look like that
- ``finding``: one statement beside one network; ``families``: what each family of statements says of it
- ``predictions``: all families, and the recognised chain simulated from the same batch
- ``loading``: networks from Python files, checkpoints, batches from files
- ``figure``: the plot
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theorems.inspection.report import Inspection

__all__ = ["inspect"]


def inspect(module: Any, batch: Any, *, statistics: str = "batch", seed: int = 0) -> Inspection:
    """Watch ``module`` process ``batch`` once, and say what becomes of the samples along depth.

    - ``module``: a `torch.nn.Module` whose forward takes the batch alone; its output is a tensor, or tensors in tuples
      and dicts. It is left as it was: parameters, buffers, modes, hooks and random state
    - ``batch``: (n, ...), n ≥ 3 samples along the first axis, an array of any byte order and layout or a tensor;
      converted to the module's dtype and device, integer tensors to the device alone
    - ``statistics``: ``"batch"``, batchnorm as in training, which is what the theory is about, dropout off; or
      ``"running"``, everything as in evaluation
    - ``seed``: of the simulations the network is compared with

    Judged are linear maps and convolutions of which each row belongs to a sample. All other modules that hold
    parameters are in ``not_judged`` of what is returned, with the reason, and ``parameters`` adds up to all of them.
    A chain of the theory is named where data were followed from layer to layer and the weights pass tests of
    independence; else ``recognised.sentence`` says why not.

    >>> import torch
    >>> found = inspect(torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU()), torch.eye(8))
    >>> found.layers[0].does, found.parameters.total, found.recognised.sentence
    ('weights → relu', 72, "not recognised, because '0' has a bias that nothing subtracts; set it to zero")

    Raises `ValueError` or `TypeError`, naming what is wrong: no module, fewer than three samples, a batch the network
    does not take or its type does not hold, values that are not finite, with the layer, nothing that can be judged.

    Cost: one forward pass, of which all values are kept in memory, O(d n²) per layer, and up to about ten seconds of
    simulation each where a chain is recognised, where a fixed point of it is compared, and where the last layers do
    not look healthy.
    """
    from theorems.inspection.report import inspected

    return inspected(module, batch, statistics, seed)
