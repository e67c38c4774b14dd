"""The catalogue of activations: functions F of a number, applied to H entry by entry.

A new one is one function here, or in a module of yours:

    @activation(odd=True, derivative=lambda rows, xp: 1 / (1 + xp.abs(rows)) ** 2)
    def softsign(rows, xp):
        '''x/(1 + |x|)'''
        return rows / (1 + xp.abs(rows))

What it says of itself is tried on a grid of points: a derivative that contradicts difference
quotients is refused, and so are a homogeneity or an oddness that some point refutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from simulators import trials
from simulators.arrays import Array, Namespace
from simulators.catalogue import Catalogue, summary
from simulators.lazy import torch

__all__ = ["ACTIVATIONS", "ActivationFunction", "activation", "by_autograd"]

Rowwise: TypeAlias = Callable[[Array, Namespace], Array]


@dataclass(frozen=True)
class ActivationFunction:
    """An activation F, by name.

    - ``function``: ``(rows, xp)`` to F of ``rows``, real floating of any shape with two axes or
      more; ``xp`` is the namespace of their array library, NumPy's or Torch's
    - ``homogeneous``: whether F(sx) = sF(x) for every s > 0; ``odd``: whether F(−x) = −F(x)
    - ``vanishes``: whether F is 0 on an interval, so that all units of a sample may die
    - ``derivative``: ``(rows, xp)`` to F′ of ``rows``; None for that by Torch's autograd

    Example:
        >>> ACTIVATIONS["relu"].vanishes, ACTIVATIONS["tanh"].odd
        (True, True)
    """

    name: str
    meaning: str
    function: Rowwise
    homogeneous: bool = False
    odd: bool = False
    vanishes: bool = False
    derivative: Rowwise | None = None

    def slopes(self, rows: Array, xp: Namespace) -> Array:
        """F′ of ``rows``, of their shape and dtype: as given, or by autograd through `function`.

        ``rows`` and ``xp`` are as for `function`; ``rows`` are left as they are. Raises
        `ValueError` where no derivative is given and Torch does not follow the function. Cost: that
        of one or two evaluations of F.

        Example:
            >>> import numpy as np
            >>> ACTIVATIONS["relu"].slopes(np.array([[-1.0, 0.0, 2.0]]), np).tolist()
            [[0.0, 0.0, 1.0]]
        """
        if self.derivative is not None:
            return self.derivative(xp.asarray(rows, copy=True), xp)
        return by_autograd(self.name, self.function)(rows, xp)

    def require_as_told(self, xp: Namespace) -> None:
        """Raise `ValueError`, in one line, where a grid of points refutes what this says of F.

        It is tried on arrays of the library ``xp``, in float32 and float64: shape, dtype, no NaN at
        finite numbers, `homogeneous`, `odd`, and `derivative` against difference quotients.

        Example:
            >>> import array_api_compat.numpy as xp
            >>> half = ActivationFunction("F", "1/2", lambda rows, xp: 0.5)
            >>> half.require_as_told(xp)
            Traceback (most recent call last):
            ValueError: activation 'F' gives a float for an array; want an array of its shape and dtype
        """
        _tried(self, xp)


@cache
def _tried(entry: ActivationFunction, xp: Namespace) -> None:
    what = f"activation {entry.name!r}"

    def function(rows: Array) -> Array:
        return entry.function(rows, xp)

    trials.require_numbers(what, function, xp)
    if entry.homogeneous:
        trials.require_homogeneous(what, function, xp)
    if entry.odd:
        trials.require_odd(what, function, xp)
    if (derivative := entry.derivative) is not None:
        trials.require_derivative(what, function, lambda rows: derivative(rows, xp), xp)


def by_autograd(name: str, function: Rowwise) -> Rowwise:
    """The derivative of ``function`` by Torch's autograd, for arrays of NumPy or Torch.

    ``function`` takes ``(rows, xp)`` and maps entries one by one; ``name`` is what a refusal calls
    it. What is returned raises `ValueError` where Torch does not follow the function. Cost: that of
    two evaluations, and of two copies for arrays of NumPy.

    Example:
        >>> import numpy as np
        >>> slope = by_autograd("cube", lambda rows, xp: rows**3)
        >>> slope(np.array([[2.0]]), np).tolist()
        [[12.0]]
    """

    def derivative(rows: Array, xp: Namespace) -> Array:
        """Its values at ``rows``, of the same shape, dtype and library."""
        import array_api_compat.torch

        with torch.enable_grad():
            given = torch.as_tensor(rows).detach().clone().requires_grad_()
            try:
                image = function(given.clone(), array_api_compat.torch)
                (slopes,) = torch.autograd.grad(torch.as_tensor(image).sum(), given)
            except Exception as error:
                told = " ".join(str(error).split())[:100]
                raise ValueError(
                    f"activation {name!r} cannot be differentiated by Torch, "
                    f"{type(error).__name__}: {told}; give derivative="
                ) from error
        return xp.asarray(slopes if isinstance(rows, torch.Tensor) else slopes.numpy())

    return derivative


ACTIVATIONS: Catalogue[ActivationFunction] = Catalogue("activation")
"""The activations, by name."""


def activation(
    *,
    homogeneous: bool = False,
    odd: bool = False,
    vanishes: bool = False,
    derivative: Rowwise | None = None,
) -> Callable[[Rowwise], Rowwise]:
    """Put the function below into the catalogue, under its name, with the first line of its
    docstring.

    It takes ``(rows, xp)``; the arguments here are those of `ActivationFunction`. What they say is
    tried on arrays of NumPy here, and on those of Torch when they first meet: see
    `ActivationFunction.require_as_told`.

    Raises `ValueError` for a name that is taken, a function without docstring, and one that a point
    of the grid refutes.

    Example:
        >>> with ACTIVATIONS.restored():
        ...     @activation(homogeneous=True)
        ...     def leaky(rows, xp):
        ...         '''x for x > 0, else x/10'''
        ...         return xp.where(rows > 0, rows, rows / 10)
        ...     ACTIVATIONS["leaky"].meaning
        'x for x > 0, else x/10'
    """

    def entry(function: Rowwise) -> ActivationFunction:
        made = ActivationFunction(
            function.__name__,
            summary(function),
            function,
            homogeneous,
            odd,
            vanishes,
            derivative,
        )
        if function.__module__ != __name__:  # those below are tried by the tests
            import array_api_compat.numpy

            made.require_as_told(array_api_compat.numpy)
        return made

    return ACTIVATIONS.entry_of(entry)


def _step(rows: Array, xp: Namespace) -> Array:
    return xp.astype(rows > 0, rows.dtype)


@activation(homogeneous=True, vanishes=True, derivative=_step)
def relu(rows: Array, xp: Namespace) -> Array:
    """max(x, 0)

    ReLU of ``rows``, ``(..., n, m)``: positively homogeneous, 0 for x ≤ 0, of derivative 0 at 0.

    Example:
        >>> import numpy as np
        >>> relu(np.array([[-1.0, 2.0]]), np).tolist()
        [[0.0, 2.0]]
    """
    return xp.maximum(rows, xp.zeros_like(rows[..., :1, :1]))


@activation(odd=True, derivative=lambda rows, xp: 1 - xp.square(xp.tanh(rows)))
def tanh(rows: Array, xp: Namespace) -> Array:
    """tanh x

    tanh of ``rows``, of any shape: odd, in [−1, 1].

    Example:
        >>> import numpy as np
        >>> tanh(np.array([[0.0]]), np).tolist()
        [[0.0]]
    """
    return xp.tanh(rows)


@activation(odd=True, derivative=lambda rows, xp: xp.cos(rows))
def sin(rows: Array, xp: Namespace) -> Array:
    """sin x

    sin of ``rows``, of any shape: odd, in [−1, 1]; DJB21 (arXiv 2106.03970), Appendix F.

    Example:
        >>> import numpy as np
        >>> sin(np.array([[0.0]]), np).tolist()
        [[0.0]]
    """
    return xp.sin(rows)


@activation(derivative=lambda rows, xp: 0.25 - 0.25 * xp.square(xp.tanh(0.5 * rows)))
def sigmoid(rows: Array, xp: Namespace) -> Array:
    """1/(1 + exp(−x))

    The logistic function of ``rows``, of any shape: in [0, 1], and never overflows.

    Example:
        >>> import numpy as np
        >>> sigmoid(np.array([[0.0, -800.0]]), np).tolist()
        [[0.5, 0.0]]
    """
    return 0.5 * xp.tanh(0.5 * rows) + 0.5  # the same, without its overflow


@activation(homogeneous=True, odd=True, derivative=lambda rows, xp: xp.ones_like(rows))
def identity(rows: Array, xp: Namespace) -> Array:
    """x

    ``rows`` themselves, of any shape, not copied: the linear network.

    Example:
        >>> import numpy as np
        >>> identity(np.array([[3.0]]), np).tolist()
        [[3.0]]
    """
    return rows
