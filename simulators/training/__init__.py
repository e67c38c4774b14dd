"""Training real networks on real images, in Torch.

- ``data``: labelled images: the digits of scikit-learn, and MNIST, Fashion-MNIST and CIFAR-10 from
  a folder of the user's; ``image_files``: their formats, parsed here
- ``initialisation``: `iterative_orthogonal_`, in the manner of ``torch.nn.init``, by what a module is
  called with (``forward_inputs``), what its layers multiply by their weights (``layer_inputs``), how
  these are set (``effective_weights``), and what is put back where that fails (``state_before``)
- ``networks``: many perceptrons of one `Design` as one; ``train``: they are trained at once, by a
  `Recipe`; ``rows``: each is a row of a store, found again after a kill
- ``experiment``: on which images, at which sizes, on which device, into which store
"""

from simulators.training.data import Images, LabelledImages, images_from, images_in
from simulators.training.experiment import Experiment
from simulators.training.initialisation import iterative_orthogonal_
from simulators.training.networks import Design
from simulators.training.rows import train_into
from simulators.training.train import Recipe, Trained, TrainingError, train

__all__ = [
    "Design",
    "Experiment",
    "Images",
    "LabelledImages",
    "Recipe",
    "Trained",
    "TrainingError",
    "images_from",
    "images_in",
    "iterative_orthogonal_",
    "train",
    "train_into",
]
