"""Boxes with rational ends, cut in two exactly."""

from __future__ import annotations

from flint import fmpq

__all__ = ["Box", "halves"]

#: The least and the largest value of every coordinate.
Box = tuple[tuple[fmpq, fmpq], ...]


def halves(box: Box, j: int) -> tuple[Box, Box]:
    """The two boxes that a box is cut into along coordinate ``j``, exactly."""
    low, high = box[j]
    middle = (low + high) / 2
    return (*box[:j], (low, middle), *box[j + 1 :]), (*box[:j], (middle, high), *box[j + 1 :])
