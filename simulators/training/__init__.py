"""Training real networks on real images, in Torch.

- ``data``: labelled images: the digits of scikit-learn, and MNIST, Fashion-MNIST and CIFAR-10 from
  a folder of the user's; ``image_files``: their formats, parsed here
- ``initialisation``: `iterative_orthogonal_`, in the manner of ``torch.nn.init``
"""

from simulators.training.data import Images, LabelledImages, images_from
from simulators.training.initialisation import iterative_orthogonal_

__all__ = ["Images", "LabelledImages", "images_from", "iterative_orthogonal_"]
