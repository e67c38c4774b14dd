"""What a claim about gradients says of the one at the last layer, G = ∂L/∂H at layer ell.

A network of ell layers goes back from there. ``gradient_norm_0`` is ‖G‖ at its batch, and
``gradient_norm`` that at layer ell, as it was given. So a claim about several depths is about as
many networks, and ``rate(gradient_norm_0)`` is the growth for every layer that a network is deeper.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from simulators.arrays import Array
from simulators.last_gradient import Backward, LastGradient
from theorems.error_words import in_words
from theorems.workbench.domains import Domain
from theorems.workbench.parsing import ClaimError, refuse

__all__ = ["given_gradient", "gradient_digest", "gradient_words", "guarded"]


def given_gradient(backward: Backward, width: Domain, batch_size: Domain) -> Backward:
    """The gradient at layer ell, as simulations take it.

    - ``backward``: "gaussian", "readout", an array (d, n), or a function of H; what a function
      raises becomes a `ClaimError`
    - ``width``, ``batch_size``: the domains of d and n, which an array must fit

    Raises `ClaimError` for anything else.

    Example:
        >>> import sympy as sp
        >>> d, n = (Domain(sp.Symbol(name), sp.Range(2, 9)) for name in "dn")
        >>> given_gradient("gaussian", d, n)
        'gaussian'
        >>> given_gradient([[1.0, 0.0]], d, n)
        Traceback (most recent call last):
        theorems.statement.ClaimError: backward is an array, and d and n are of several sizes: ...
    """
    if callable(backward):
        return guarded(backward, "backward")
    ends = [domain.ends({}) for domain in (width, batch_size)]
    refuse(
        (
            not isinstance(backward, str) and any(low != high for low, high in ends),
            "backward is an array, and d and n are of several sizes: declare one of each, or give "
            "'gaussian' or a function of H",
        )
    )
    try:
        LastGradient.of(backward, (int(ends[0][0]), int(ends[1][0])))
    except (TypeError, ValueError) as error:
        raise ClaimError(str(error)) from None
    return backward


def gradient_words(backward: Backward) -> str:
    """What the gradient at layer ell is, in words.

    Example:
        >>> gradient_words("gaussian")
        'standard normal'
    """
    if callable(backward):
        return f"{getattr(backward, '__name__', 'a function')}(H)"
    words = {"gaussian": "standard normal", "readout": "a normal readout of all samples"}
    return words[backward] if isinstance(backward, str) else "an array that was given"


def gradient_digest(backward: Backward) -> str:
    """What tells a gradient at layer ell from others: its word, the digest of an array, or the name
    of a function.

    Example:
        >>> gradient_digest("gaussian"), gradient_digest([[1.0, 0.0]])[:14]
        ('gaussian', 'array 3239b05c')
    """
    rows = (
        np.asarray(backward) if not isinstance(backward, str) and not callable(backward) else None
    )
    shape = (1, 1) if rows is None else (rows.shape[0], rows.shape[-1])
    return LastGradient.of(backward, shape).words


def guarded(function: Callable[[Array], Array], argument: str) -> Callable[[Array], Array]:
    """The function that was given as an ``argument``: what it raises becomes a `ClaimError`.

    Example:
        >>> guarded(lambda H: 1 / 0, "backward")(np.eye(2))
        Traceback (most recent call last):
        theorems.statement.ClaimError: backward=<lambda>: ...
    """
    named = getattr(function, "__name__", "a function")

    def calling(H: Array) -> Any:
        try:
            return function(H)
        except (Exception, SystemExit) as error:  # the author's code
            raise ClaimError(f"{argument}={named}: {in_words(error)}") from None

    calling.__name__ = named
    return calling
