"""Gradients of functions of arrays by Torch's autograd, for arrays of either library."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from array_api_compat import is_torch_array

from simulators.arguments import require
from simulators.arrays import Array, Namespace
from simulators.lazy import torch

__all__ = ["pulled_back", "pushed_forward"]


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
    return _derivative(function, at, gradient, f"{name}: ", instead, forward=False)


def pushed_forward(
    function: Callable[[Array, Namespace], Array],
    at: Array,
    tangent: Array,
    name: str,
    *,
    instead: str = "give it a pushforward",
) -> Array:
    """ẏ, the derivative of y = ``function(x, xp)`` at x = ``at`` along ẋ = ``tangent``: a
    Jacobian-vector product; all of one shape.

    By Torch's autograd twice: what `pulled_back` gives is linear in the gradient, and its adjoint
    takes tangents forward. Arguments, conventions, errors and cost are those of `pulled_back`.

    Example:
        >>> import numpy as np
        >>> at, tangent = np.array([[3.0, 4.0]]), np.array([[1.0, 0.0]])
        >>> pushed_forward(lambda x, xp: x * x.sum(), at, tangent, "scaled").tolist()
        [[10.0, 4.0]]
    """
    return _derivative(function, at, tangent, f"{name}: ", instead, forward=True)


def _derivative(
    function: Callable[[Array, Namespace], Array],
    at: Array,
    along: Array,
    said: str,
    instead: str,
    *,
    forward: bool,
) -> Array:
    import array_api_compat.torch

    source = torch.as_tensor(at).detach().clone().requires_grad_()
    given = torch.as_tensor(along)
    remedy = f"write it out of place, in functions of xp alone, or {instead}"
    try:
        with torch.enable_grad(), warnings.catch_warnings():
            # of releases that differ in whether a copy is followed
            warnings.filterwarnings("ignore", "torch.asarray", UserWarning)
            image = function(source.clone(), array_api_compat.torch)
        followed = isinstance(image, torch.Tensor) and image.requires_grad
        if followed and (image.shape, image.dtype) == (source.shape, source.dtype):
            taken = _forward if forward else _back
            found = taken(torch.as_tensor(image), source, given)
            derivative: Array = found if is_torch_array(at) else found.numpy()
            return derivative
    except (RuntimeError, TypeError) as error:
        cause = str(error).partition(":")[0].partition(". ")[0]
        raise TypeError(f"{said}Torch finds no gradient ({cause}); {remedy}") from error
    require(followed, f"{said}Torch finds no gradient (it leaves Torch); {remedy}", TypeError)
    raise ValueError(
        f"{said}gave shape {tuple(image.shape)} and dtype {image.dtype}; "
        f"give those of its input, {tuple(source.shape)} and {source.dtype}"
    )


def _back(image: torch.Tensor, source: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    return torch.autograd.grad(image, source, gradient)[0]


def _forward(image: torch.Tensor, source: torch.Tensor, tangent: torch.Tensor) -> torch.Tensor:
    gradient = torch.zeros_like(image).requires_grad_()
    (back,) = torch.autograd.grad(image, source, gradient, create_graph=True)
    if not back.requires_grad:  # 0, whatever the gradient
        return torch.zeros_like(source).detach()
    return torch.autograd.grad(back, gradient, tangent)[0]
