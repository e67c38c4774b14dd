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
from typing import Any, TypeAlias

from simulators.catalogue import Catalogue, summary
from simulators.observables import Array

__all__ = ["ACTIVATIONS", "ActivationFunction", "activation"]

Rowwise: TypeAlias = Callable[[Array, Any], Array]


@dataclass(frozen=True)
class ActivationFunction:
    """An activation F, by name.

    - ``function``: ``(rows, xp)`` to F of ``rows``, real floating of any shape with two axes or
      more; ``xp`` is the namespace of their array library, NumPy's or Torch's
    - ``homogeneous``: whether F(sx) = sF(x) for every s > 0; ``odd``: whether F(−x) = −F(x)
    - ``vanishes``: whether F is 0 on an interval, so that all units of a sample may die
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
def relu(rows: Array, xp: Any) -> Array:
    """max(x, 0)"""
    return xp.maximum(rows, xp.zeros_like(rows[..., :1, :1]))


@activation(odd=True)
def tanh(rows: Array, xp: Any) -> Array:
    """tanh x"""
    return xp.tanh(rows)


@activation(odd=True)
def sin(rows: Array, xp: Any) -> Array:
    """sin x"""
    return xp.sin(rows)


@activation()
def sigmoid(rows: Array, xp: Any) -> Array:
    """1/(1 + exp(−x))"""
    return 0.5 * xp.tanh(0.5 * rows) + 0.5  # the same, without its overflow


@activation(homogeneous=True, odd=True)
def identity(rows: Array, xp: Any) -> Array:
    """x"""
    return rows
