"""Gradients of functions of arrays by Torch's autograd, for arrays of either library."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from array_api_compat import is_torch_array

from simulators.arguments import require
from simulators.arrays import Array, Namespace
from simulators.lazy import torch

__all__ = ["pulled_back"]


def pulled_back(
    function: Callable[[Array, Namespace], Array],
    at: Array,
    gradient: Array,
    name: str,
    *,
    instead: str = "give it a pullback",
) -> Array:
    """∂L/∂x at x = ``at``, for ``gradient`` = ∂L/∂y and y = ``function(x, xp)``; all of one shape.

    The function is handed a Torch tensor that it may write into, and Torch's namespace; both
    arrays may be NumPy's. What comes out has the library, dtype and device of ``at``. At a kink,
    Torch's conventions hold: ReLU has the derivative 0 at 0. ``name`` is what refusals call the
    function, and ``instead`` what they say would do without Torch.

    Raises `TypeError` if Torch cannot follow the function, because it writes into what its gradient
    needs or leaves Torch, and `ValueError` if it changes shape or dtype.

    Cost: some times that of the function.

    Example:
        >>> import numpy as np
        >>> pulled_back(lambda x, xp: xp.sin(x), np.zeros((1, 2)), np.ones((1, 2)), "sin").tolist()
        [[1.0, 1.0]]
    """
    import array_api_compat.torch

    source = torch.as_tensor(at).detach().clone().requires_grad_()
    weights = torch.as_tensor(gradient)
    remedy = f"write it out of place, in functions of xp alone, or {instead}"
    try:
        with torch.enable_grad(), warnings.catch_warnings():
            # of releases that differ in whether a copy is followed
            warnings.filterwarnings("ignore", "torch.asarray", UserWarning)
            image = function(source.clone(), array_api_compat.torch)
        followed = isinstance(image, torch.Tensor) and image.requires_grad
        if followed and (image.shape, image.dtype) == (source.shape, source.dtype):
            (found,) = torch.autograd.grad(torch.as_tensor(image), source, weights)
            gradient_at: Array = found if is_torch_array(at) else found.numpy()
            return gradient_at
    except (RuntimeError, TypeError) as error:
        said = str(error).partition(":")[0].partition(". ")[0]
        raise TypeError(f"{name}: Torch finds no gradient ({said}); {remedy}") from error
    require(followed, f"{name}: Torch finds no gradient (it leaves Torch); {remedy}", TypeError)
    raise ValueError(
        f"{name}: gave shape {tuple(image.shape)} and dtype {image.dtype}; "
        f"give those of its input, {tuple(source.shape)} and {source.dtype}"
    )
