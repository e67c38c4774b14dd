"""A user's own PyTorch network at initialisation: what the theory says of it, and what is seen.

- ``inputs``: one array or several, as the network is given them
- ``forward_pass``: run the network once without changing it; what enters and leaves its layers
- ``dataflow``: which value was computed from which, and when two are the same up to rounding
- ``stages``: the network cut at its linear maps, what happens between one and the next, and what
  parameters are left
- ``backward_pass``: gradients at the judged places, how they grow, and units that pass none
- ``growth``: when gradients explode or vanish, and what chance alone does
- ``recurrences``: recurrent modules, whose steps are places of a chain of their own
- ``attention``: tokens that become alike, and a softmax that picks one of them
- ``recognition``: which chain of the theory that makes, by the law of its weights too, and whether
  they are independent
- ``stretches``: the longest part of it that is a chain, or nearly one, and what differs
- ``predictions``: that chain simulated from what enters it, forward and backward
- ``copies``: weights that are equal at the start
- ``rewritten``: networks that a tool has exported, compiled or quantised
- ``condition``: what is measured of a representation, when it is healthy, collapsing or clustering,
  and how often chance alone makes a narrow network look like that
- ``finding``: one statement beside one network
- ``report``: the whole of an inspection
- ``training_steps``: the same measures at chosen steps of training
- ``loading``: networks from Python files, checkpoints, batches from files
- ``figure``: the plot; ``page``: the page of all of it
- ``regions``, ``decisions``, ``regions_figure``: the linear regions of the network on a plane, what
  it decides there, and the picture
"""

from theorems.inspection.report import Inspection, inspect
from theorems.inspection.training_steps import Snapshot, TrainingWatch, watch_training

__all__ = ["Inspection", "Snapshot", "TrainingWatch", "inspect", "watch_training"]
