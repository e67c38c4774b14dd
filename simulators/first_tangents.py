"""What tangents start from: directions Ḣ₀ at the batch, whose images Ḣ_ℓ are Jacobian-vector
products.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from array_api_compat import is_array_api_obj, is_torch_array
from numpy.random import SeedSequence
from numpy.typing import ArrayLike, NDArray

from simulators.arguments import kind_of, require, told
from simulators.arrays import Array, Floats
from simulators.backend import Backend
from simulators.batch_files import read_array
from simulators.engines.derivatives import Tangents
from simulators.lazy import torch
from simulators.regular_files import obstacle
from simulators.streams import pack, units_of

__all__ = ["FirstTangents", "Forward", "read_first_tangents"]

Forward: TypeAlias = str | ArrayLike | Callable[[Array], Array]
"""``"gaussian"``, ``"gaussian(k)"``, Ḣ₀ itself, or a function of H₀."""

_WANTED = (
    "give 'gaussian', 'gaussian(k)', an array of the batch's shape or (k, d, n), or a function of "
    "the batch, (d, n), to one"
)
_DRAWN = 2**18


def read_first_tangents(text: str) -> str | Floats:
    """What a text means as ``tangents``: ``"gaussian"``, ``"gaussian(k)"``, or the array (d, n), or
    (k, d, n), of a .npy file.

    Raises `ValueError` in one line for anything else, and for a file that holds no such array of
    finite numbers.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     np.save(f"{folder}/T.npy", np.ones((8, 2)))
        ...     read_first_tangents(f"{folder}/T.npy").shape
        (8, 2)
    """
    wanted = "want gaussian, gaussian(k), or a .npy file (d, n) or (k, d, n)"
    if not text.endswith(".npy"):
        try:
            FirstTangents.of(text, (1, 1))
        except ValueError:
            raise ValueError(f"tangents={told(text)}: {wanted}") from None
        return text
    words = obstacle(text)
    require(words is None, f"tangents={told(text)}: {words}; {wanted}")
    try:
        found = read_array(text).array
        require(
            found.ndim in (2, 3), f"has shape {found.shape}; want (d, n), or (k, d, n) of several"
        )
        FirstTangents.of(found, (found.shape[-2], found.shape[-1]))
    except (TypeError, ValueError) as error:
        raise ValueError(f"tangents={told(text)}: {error}") from None
    return found.astype(np.float64)


@dataclass(frozen=True)
class FirstTangents:
    """Ḣ₀: ``fixed``, (count, d, n), or else standard normal.

    ``words`` tell which; ``stacked`` says that there is an axis for ``count`` of them, which one
    that was given alone has not.

    Example:
        >>> FirstTangents.of("gaussian(3)", (8, 2)).count
        3
    """

    words: str
    count: int
    stacked: bool
    shape: tuple[int, int]
    fixed: Floats | None = None

    @classmethod
    def along(cls, tangents: object, batch: Floats) -> FirstTangents:
        """What ``tangents`` mean at a ``batch`` (d, n), of which they may be a function.

        Raises as `of` does, and for what a function gives.
        """
        d, n = batch.shape
        if not callable(tangents):
            return cls.of(tangents, (d, n))
        named = f"tangents={getattr(tangents, '__name__', kind_of(tangents))}"
        found = tangents(batch.copy())
        require(
            is_array_api_obj(found) or isinstance(found, list | tuple),
            f"{named} gave {kind_of(found)}; it must give an array like the batch",
            TypeError,
        )
        return cls._of_array(found, (d, n), named)

    @classmethod
    def of(cls, tangents: object, shape: tuple[int, int]) -> FirstTangents:
        """What ``tangents`` mean at a batch of the ``shape`` (d, n).

        Raises `TypeError` for what is neither text nor array or has no real entries, `ValueError`
        for another word, another shape, entries that are not finite, and a tangent of zeros alone.
        """
        if isinstance(tangents, str):
            found = re.fullmatch(r"gaussian(?:\((\d{1,9})\))?", tangents, re.ASCII)
            count = 0 if found is None else int(found[1] or 1)
            require(count, f"tangents={told(tangents)} is unknown; {_WANTED}")
            stacked = tangents.endswith(")")
            return cls(f"gaussian({count})" if stacked else tangents, count, stacked, shape)
        require(
            is_array_api_obj(tangents) or isinstance(tangents, list | tuple),
            f"tangents={told(tangents)} is {kind_of(tangents)}; {_WANTED}",
            TypeError,
        )
        return cls._of_array(tangents, shape, "tangents")

    @classmethod
    def _of_array(cls, given: object, shape: tuple[int, int], named: str) -> FirstTangents:
        entries = _numbers(given, named)
        require(
            entries.ndim in (2, 3) and entries.shape[-2:] == shape and len(entries),
            f"{named} has shape {entries.shape}; want that of the batch, {shape}, or (k, "
            f"{shape[0]}, {shape[1]}) of several",
        )
        stacked = entries.ndim == 3
        fixed = entries.astype(np.float64).reshape(-1, *shape)
        require(np.isfinite(fixed).all(), f"{named} has entries that are not finite; give numbers")
        require(
            fixed.any(axis=(-2, -1)).all(),
            f"{named} has no entry but 0, so its images are 0; give one that is not",
        )
        digest = hashlib.sha256(np.ascontiguousarray(fixed, "<f8").tobytes()).hexdigest()
        return cls(f"array {digest}", len(fixed), stacked, shape, fixed)

    def at(self, root: SeedSequence, backend: Backend) -> Tangents:
        """The same as an engine takes them, drawn from the streams of the ``root`` where they are
        drawn.
        """

        def start(group: range) -> Array:
            xp, (d, n) = backend.xp, self.shape
            if self.fixed is not None:
                shape = len(group), self.count, n, d
                held = backend.array(np.ascontiguousarray(self.fixed.mT))
                return xp.asarray(xp.broadcast_to(held, shape), copy=True)
            pieces = list(pack([(n * d, "gaussian")] * self.count, group, _DRAWN))
            drawn = backend.draws(root, "tangents", pieces, ahead=False)
            each = [
                xp.asarray(xp.reshape(unit, (len(group), n, d)), copy=True)
                for unit in units_of(pieces, drawn)
            ]
            return xp.stack(each, axis=1)

        return Tangents(self.count, start)

    def standing(
        self, rows: Array, exponents: NDArray[np.int64], backend: Backend
    ) -> tuple[Array, Floats]:
        """Tangents of a group as observables are handed them, ``(g, 1, d, n)``, or ``(g, 1, count,
        d, n)`` where they are several; and the logarithms of what they have been divided by.

        ``rows`` are ``(g · count, n, d)``, over 2 to the power of ``exponents``, ``(g · count,)``.
        """
        axes = (-1, 1, self.count) if self.stacked else (-1, 1)
        scale = np.asarray(math.log(2) * exponents, np.float64).reshape(axes)
        return backend.xp.reshape(rows, (*scale.shape, *rows.shape[-2:])).mT, scale


def _numbers(given: object, named: str) -> Floats:
    try:
        found = np.asarray(
            torch.as_tensor(given).detach().cpu() if is_torch_array(given) else given
        )
    except ValueError:  # rows of unequal lengths
        raise ValueError(f"{named} is no array; {_WANTED}") from None
    require(
        found.dtype.kind in "iuf", f"{named} has dtype {found.dtype}; give real numbers", TypeError
    )
    return found
