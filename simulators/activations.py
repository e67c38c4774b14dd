"""The catalogue of activations: functions F of a number, applied to H entry by entry.

A new one is one function here, or in a module of yours:

    @activation(odd=True)
    def softsign(rows, xp):
        '''x/(1 + |x|)'''
        return rows / (1 + xp.abs(rows))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from simulators.arrays import Array, Namespace
from simulators.catalogue import Catalogue, summary

__all__ = ["ACTIVATIONS", "ActivationFunction", "activation"]

Rowwise: TypeAlias = Callable[[Array, Namespace], Array]


@dataclass(frozen=True)
class ActivationFunction:
    """An activation F, by name.

    - ``function``: ``(rows, xp)`` to F of ``rows``, real floating of any shape with two axes or
      more; ``xp`` is the namespace of their array library, NumPy's or Torch's
    - ``homogeneous``: whether F(sx) = sF(x) for every s > 0; ``odd``: whether F(−x) = −F(x)
    - ``vanishes``: whether F is 0 on an interval, so that all units of a sample may die

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


ACTIVATIONS: Catalogue[ActivationFunction] = Catalogue("activation")
"""The activations, by name."""


def activation(
    *, homogeneous: bool = False, odd: bool = False, vanishes: bool = False
) -> Callable[[Rowwise], Rowwise]:
    """Put the function below into the catalogue, under its name, with the first line of its
    docstring.

    It takes ``(rows, xp)``; the arguments here are those of `ActivationFunction`. What they say is
    not checked here: engines believe it.

    Raises `ValueError` for a name that is taken and for a function without docstring.

    Example:
        >>> with ACTIVATIONS.restored():
        ...     @activation(homogeneous=True)
        ...     def leaky(rows, xp):
        ...         '''x for x > 0, else x/10'''
        ...         return xp.where(rows > 0, rows, rows / 10)
        ...     ACTIVATIONS["leaky"].meaning
        'x for x > 0, else x/10'
    """
    return ACTIVATIONS.entry_of(
        lambda function: ActivationFunction(
            function.__name__, summary(function), function, homogeneous, odd, vanishes
        )
    )


@activation(homogeneous=True, vanishes=True)
def relu(rows: Array, xp: Namespace) -> Array:
    """max(x, 0)

    ReLU of ``rows``, ``(..., n, m)``: positively homogeneous, 0 for x ≤ 0.

    Example:
        >>> import numpy as np
        >>> relu(np.array([[-1.0, 2.0]]), np).tolist()
        [[0.0, 2.0]]
    """
    return xp.maximum(rows, xp.zeros_like(rows[..., :1, :1]))


@activation(odd=True)
def tanh(rows: Array, xp: Namespace) -> Array:
    """tanh x

    tanh of ``rows``, of any shape: odd, in [−1, 1].

    Example:
        >>> import numpy as np
        >>> tanh(np.array([[0.0]]), np).tolist()
        [[0.0]]
    """
    return xp.tanh(rows)


@activation(odd=True)
def sin(rows: Array, xp: Namespace) -> Array:
    """sin x

    sin of ``rows``, of any shape: odd, in [−1, 1]; DJB21 (arXiv 2106.03970), Appendix F.

    Example:
        >>> import numpy as np
        >>> sin(np.array([[0.0]]), np).tolist()
        [[0.0]]
    """
    return xp.sin(rows)


@activation()
def sigmoid(rows: Array, xp: Namespace) -> Array:
    """1/(1 + exp(−x))

    The logistic function of ``rows``, of any shape: in [0, 1], and never overflows.

    Example:
        >>> import numpy as np
        >>> sigmoid(np.array([[0.0, -800.0]]), np).tolist()
        [[0.5, 0.0]]
    """
    return 0.5 * xp.tanh(0.5 * rows) + 0.5  # the same, without its overflow


@activation(homogeneous=True, odd=True)
def identity(rows: Array, xp: Namespace) -> Array:
    """x

    ``rows`` themselves, of any shape, not copied: the linear network.

    Example:
        >>> import numpy as np
        >>> identity(np.array([[3.0]]), np).tolist()
        [[3.0]]
    """
    return rows
