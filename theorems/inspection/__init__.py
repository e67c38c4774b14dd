"""A user's own PyTorch network at initialisation: what the theory says of it, and what is seen.

- ``watching``: run the network once without changing it; what enters and leaves its layers
- ``recognition``: what each layer does to this batch, and which chain of the theory that makes
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

    - ``module``: a `torch.nn.Module` whose forward takes the batch alone; its output is a tensor, or a tuple or dict
      with one first. It is left as it was: parameters, buffers, modes, hooks and random state
    - ``batch``: (n, ...), n ≥ 3 samples along the first axis; converted to the module's dtype and device
    - ``statistics``: ``"batch"``, batchnorm as in training, which is what the theory is about, dropout off; or
      ``"running"``, everything as in evaluation
    - ``seed``: of the simulations the network is compared with

    Raises `ValueError` or `TypeError`, naming what is wrong: no module, fewer than three samples, a batch the network
    does not take, values that are not finite, with the layer, no layer with weights.

    Cost: one forward pass, O(d n²) per layer, and up to about ten seconds of simulation each where a chain is
    recognised, where a fixed point of it is compared, and where the last layers do not look healthy.
    """
    from theorems.inspection.report import inspected

    return inspected(module, batch, statistics, seed)
