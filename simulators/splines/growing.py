"""An array that grows at its end without being copied each time."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Growing"]

Scalar = TypeVar("Scalar", bound=np.generic)


class Growing(Generic[Scalar]):
    """Rows, of any shape of their own, with room for more.

    Args:
        rows: those there are at first.

    Example:
        >>> grown = Growing(np.array([1, 2]))
        >>> grown.append(np.array([3]), np.array([4, 5]))
        >>> grown.rows.tolist()
        [1, 2, 3, 4, 5]
    """

    def __init__(self, rows: NDArray[Scalar]) -> None:
        self._room = rows.copy()
        self._count = len(rows)

    @property
    def rows(self) -> NDArray[Scalar]:
        """A view of all of them, to be read and written until more are put to the end."""
        return self._room[: self._count]

    def append(self, *parts: NDArray[Scalar]) -> None:
        """Put the parts at the end, one after the other.

        Args:
            parts: any number of rows each.
        """
        count = self._count + sum(map(len, parts))
        if count > len(self._room):
            room = np.empty((2 * count, *self._room.shape[1:]), dtype=self._room.dtype)
            room[: self._count] = self.rows
            self._room = room
        for part in parts:
            self._room[self._count : self._count + len(part)] = part
            self._count += len(part)
