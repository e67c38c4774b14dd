"""What a backward pass starts from: the gradient at the last representation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from array_api_compat import is_array_api_obj, is_torch_array
from numpy.typing import ArrayLike

from simulators.arguments import kind_of, require, told
from simulators.arrays import Array, Floats
from simulators.backend import Backend
from simulators.batch_files import read_array
from simulators.engines.round_trip import RoundTrip
from simulators.lazy import torch
from simulators.regular_files import obstacle

__all__ = ["Backward", "LastGradient", "read_last_gradient"]

Backward: TypeAlias = str | ArrayLike | Callable[[Array], Array]
"""``"gaussian"``, ``"readout"``, G_L itself, or a function of H_L."""

_WORDS = ("gaussian", "readout")
_WANTED = (
    "give 'gaussian', 'readout', an array of H_L's shape, or a function of H_L, (..., d, n), to one"
)


def read_last_gradient(text: str) -> str | Floats:
    """What a text means as ``backward``: ``"gaussian"``, ``"readout"``, or the array (d, n) of a
    .npy file.

    Raises `ValueError` in one line for anything else, and for a file that holds no matrix of finite
    numbers.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     np.save(f"{folder}/G.npy", np.ones((8, 2)))
        ...     read_last_gradient(f"{folder}/G.npy").shape
        (8, 2)
    """
    if text in _WORDS:
        return text
    wanted = f"want {', '.join(_WORDS)}, or a .npy file (d, n)"
    require(text.endswith(".npy"), f"backward={told(text)}: {wanted}")
    words = obstacle(text)
    require(words is None, f"backward={told(text)}: {words}; {wanted}")
    try:
        found = read_array(text).array
        require(found.ndim == 2, f"has shape {found.shape}; want a matrix (d, n)")
        LastGradient.of(found, (found.shape[0], found.shape[1]))
    except (TypeError, ValueError) as error:
        raise ValueError(f"backward={told(text)}: {error}") from None
    return found.astype(np.float64)


@dataclass(frozen=True)
class LastGradient:
    """G_L = ∂L/∂H_L: ``fixed``, (d, n); or ``function`` of H_L; or else standard normal, or one
    normal vector of variance 1/d for all samples.

    ``words`` tell which.

    Example:
        >>> LastGradient.of("gaussian", (8, 2)).words
        'gaussian'
    """

    words: str
    fixed: Floats | None = None
    function: Callable[[Array], Array] | None = None

    @classmethod
    def of(cls, backward: object, shape: tuple[int, int]) -> LastGradient:
        """What ``backward`` means, for an H_L of the ``shape`` (d, n).

        Raises `TypeError` for what is neither of the three or has no real entries, `ValueError` for
        another word, another shape, entries that are not finite, and an array of zeros alone.
        """
        if isinstance(backward, str):
            require(backward in _WORDS, f"backward={told(backward)} is unknown; {_WANTED}")
            return cls(backward)
        if callable(backward):
            return cls(getattr(backward, "__name__", kind_of(backward)), function=backward)
        require(
            is_array_api_obj(backward) or isinstance(backward, list | tuple),
            f"backward={told(backward)} is {kind_of(backward)}; {_WANTED}",
            TypeError,
        )
        entries = np.asarray(
            torch.as_tensor(backward).detach().cpu() if is_torch_array(backward) else backward
        )
        require(
            entries.dtype.kind in "iuf",
            f"backward has dtype {entries.dtype}; give real numbers",
            TypeError,
        )
        require(
            entries.shape == shape,
            f"backward has shape {entries.shape}; want that of H_L, {shape}",
        )
        fixed = entries.astype(np.float64)
        require(np.isfinite(fixed).all(), "backward has entries that are not finite; give numbers")
        require(
            fixed.any(),
            "backward has no entry but 0, so every gradient is 0; give one that is not",
        )
        digest = hashlib.sha256(np.ascontiguousarray(fixed, "<f8").tobytes()).hexdigest()
        return cls(f"array {digest}", fixed)

    def at(self, trip: RoundTrip, backend: Backend) -> Array:
        """G_Lᵀ for the group that has gone forward on the ``trip``, ``(g, n, d)``.

        Raises `ValueError` where a function gives another shape or entries that are not finite, and
        `TypeError` where it gives another dtype.
        """
        xp = backend.xp
        if self.function is not None:
            H = xp.asarray(trip.last, copy=True).mT
            found = self.function(H)
            named = f"backward={self.words}"
            require(
                is_array_api_obj(found) and found.dtype == H.dtype,
                f"{named} gave {_kind(found)} for H_L of dtype {H.dtype}; it must give one like it",
                TypeError,
            )
            require(
                found.shape == H.shape,
                f"{named} gave shape {tuple(found.shape)} for H_L of shape {tuple(H.shape)}; it "
                "must give one of the same shape",
            )
            require(
                bool(xp.all(xp.isfinite(found))),
                f"{named} gave entries that are not finite; it must give numbers",
            )
            return xp.asarray(found.mT, copy=True)
        if self.fixed is not None:
            return xp.asarray(
                xp.broadcast_to(backend.array(self.fixed.T), trip.last.shape), copy=True
            )
        return trip.readout() if self.words == "readout" else trip.gaussian()


def _kind(found: object) -> str:
    if is_array_api_obj(found):
        return f"an array of {getattr(found, 'dtype', None)}"
    return kind_of(found)
