"""When two values are the same, and when they are equal up to rounding."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["close", "same"]


_COARSE = 1e-5


def same(a: Tensor, b: Tensor) -> bool:
    return a.numel() == b.numel() and torch.equal(a.flatten(1), b.flatten(1))


def close(a: Tensor, b: Tensor, size: Tensor | float = 0.0) -> bool:
    """Equal up to the rounding of a few operations in their precision, on numbers up to ``size`` where that is more.

    Exactly equal in a precision so low that rounding hides what was done.
    """
    eps = torch.finfo(b.dtype).eps if b.is_floating_point() else 0.0
    if eps > _COARSE:
        return same(a, b)
    scale = float(b.abs().max())
    return bool(((a.flatten(1) - b.flatten(1)).abs() <= 64 * eps * (scale + size)).all())
