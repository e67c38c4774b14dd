"""What a claim about tangents says of the one at the batch, Ḣ₀.

It goes forward along with H: ``tangent_norm`` is ‖Ḣ‖ at layer ell, the derivative of H there along
Ḣ₀, and ``tangent_norm_0`` that at the batch. All depths are read of one network.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from simulators.arguments import kind_of
from simulators.arrays import Array
from simulators.first_tangents import FirstTangents, Forward
from theorems.workbench.domains import Domain
from theorems.workbench.gradients import guarded
from theorems.workbench.parsing import ClaimError, refuse

__all__ = ["given_tangent", "tangent_digest", "tangent_words"]


def given_tangent(tangents: Forward, width: Domain, batch_size: Domain) -> Forward:
    """The tangent at the batch, as simulations take it.

    - ``tangents``: "gaussian", an array (d, n), or a function of the batch, (d, n); what a function
      raises becomes a `ClaimError`
    - ``width``, ``batch_size``: the domains of d and n, which an array must fit

    Raises `ClaimError` for anything else, and for several.

    Example:
        >>> import sympy as sp
        >>> d, n = (Domain(sp.Symbol(name), sp.Range(2, 9)) for name in "dn")
        >>> given_tangent("gaussian", d, n)
        'gaussian'
        >>> given_tangent([[1.0, 0.0]], d, n)
        Traceback (most recent call last):
        theorems.statement.ClaimError: tangents is an array, and d and n are of several sizes: ...
    """
    if callable(tangents):
        return _one_of(guarded(tangents, "tangents"))
    ends = [domain.ends({}) for domain in (width, batch_size)]
    refuse(
        (
            not isinstance(tangents, str) and any(low != high for low, high in ends),
            "tangents is an array, and d and n are of several sizes: declare one of each, or give "
            "'gaussian' or a function of the batch",
        )
    )
    try:
        found = FirstTangents.of(tangents, (int(ends[0][0]), int(ends[1][0])))
    except (TypeError, ValueError) as error:
        raise ClaimError(str(error)) from None
    refuse(
        (
            found.stacked,
            "tangents are several, and a claim speaks of one: give 'gaussian', or an array (d, n)",
        )
    )
    return tangents


def tangent_words(tangents: Forward) -> str:
    """What the tangent at the batch is, in words.

    Example:
        >>> tangent_words("gaussian")
        'standard normal'
    """
    if callable(tangents):
        return f"{getattr(tangents, '__name__', 'a function')} of it"
    return "standard normal" if isinstance(tangents, str) else "an array that was given"


def tangent_digest(tangents: Forward) -> str:
    """What tells a tangent at the batch from others: its word, the digest of an array, or the name
    of a function.

    Example:
        >>> tangent_digest("gaussian"), tangent_digest([[1.0, 0.0]])[:14]
        ('gaussian', 'array 3239b05c')
    """
    if callable(tangents):
        return getattr(tangents, "__name__", kind_of(tangents))
    rows = None if isinstance(tangents, str) else np.asarray(tangents)
    shape = (1, 1) if rows is None else (rows.shape[0], rows.shape[-1])
    return FirstTangents.of(tangents, shape).words


def _one_of(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    def tangent(batch: Array) -> Array:
        found = function(batch)
        shape = getattr(found, "shape", None)
        if shape is not None and tuple(shape) != tuple(batch.shape):
            raise ClaimError(
                f"tangents={function.__name__} gave shape {tuple(shape)} for a batch of shape "
                f"{tuple(batch.shape)}; it must give one of the same shape"
            )
        return found

    tangent.__name__ = function.__name__
    return tangent
