"""Convolutions and average pooling as sparse matrices: every entry is one weight, so exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["Window", "convolution", "pooling"]

Pair = tuple[int, int]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Window:
    """How a window of ``size`` moves over an image of ``image`` pixels, each (rows, columns).

    ``before`` and ``behind`` are rows and columns of zeros around the image.

    Example:
        >>> Window((2, 2), (4, 6), stride=(2, 2)).places
        (2, 3)
    """

    size: Pair
    image: Pair
    stride: Pair = (1, 1)
    before: Pair = (0, 0)
    behind: Pair = (0, 0)
    dilation: Pair = (1, 1)

    def _count(self, axis: int) -> int:
        room = self.image[axis] + self.before[axis] + self.behind[axis]
        return (room - self.dilation[axis] * (self.size[axis] - 1) - 1) // self.stride[axis] + 1

    @property
    def places(self) -> Pair:
        """How many places the window has, in rows and columns; below 1 where it does not fit."""
        return self._count(0), self._count(1)

    def _reads(self, axis: int) -> Ints:
        """The row or column that is read, by place and by element of the window; −1 for a zero."""
        start = np.arange(self._count(axis)) * self.stride[axis] - self.before[axis]
        found = start[:, None] + np.arange(self.size[axis]) * self.dilation[axis]
        return np.where((found >= 0) & (found < self.image[axis]), found, -1)

    def pixels(self) -> Ints:
        """The number of the pixel that each element of the window reads at each place, of shape
        (rows, columns, *size); −1 for a zero around the image.
        """
        rows, columns = self._reads(0)[:, None, :, None], self._reads(1)[None, :, None, :]
        inside = (rows >= 0) & (columns >= 0)
        return np.where(inside, rows * self.image[1] + columns, -1)


def convolution(kernel: NDArray[np.float64], window: Window, groups: int = 1) -> csr_array:
    """The matrix of a convolution from (channels, *image) to (out, *places), both flattened.

    Args:
        kernel: (out, channels / groups, *window.size), as Torch stores it.
        window: how it moves.
        groups: of channels that see one another.

    Example:
        >>> kernel = np.array([[[[1.0, 2.0]]]])
        >>> convolution(kernel, Window((1, 2), (1, 3))).toarray().tolist()
        [[1.0, 2.0, 0.0], [0.0, 1.0, 2.0]]
    """
    out, fan = kernel.shape[:2]
    pixels = window.pixels()
    area, places = int(np.prod(window.image)), int(np.prod(window.places))
    group = np.arange(out) // (out // groups)
    channels = group[:, None] * fan + np.arange(fan)
    shape = (out, fan, *pixels.shape)
    columns = np.broadcast_to(channels[:, :, None, None, None, None] * area + pixels, shape)
    numbers = np.arange(out * places).reshape(out, 1, *window.places, 1, 1)
    rows = np.broadcast_to(numbers, shape)
    entries = np.broadcast_to(kernel[:, :, None, None], shape)
    kept = np.broadcast_to(pixels >= 0, shape)
    size = (out * places, fan * groups * area)
    return csr_array((entries[kept], (rows[kept], columns[kept])), shape=size)


def pooling(channels: int, window: Window) -> csr_array:
    """The matrix that adds up each window of each channel; divided by its size, the average.

    Args:
        channels: of the image.
        window: how it moves.

    Example:
        >>> pooling(1, Window((1, 2), (1, 4), stride=(1, 2))).toarray().tolist()
        [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
    """
    return convolution(np.ones((channels, 1, *window.size)), window, groups=channels)
