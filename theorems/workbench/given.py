"""A user's batch as an input of a claim about every input: the matrix itself, or its spectrum, both exactly."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorems.workbench.eigenvalues import Eigenvalues, spectrum_of
from theorems.workbench.spaces import Item, Space, limited_depths

__all__ = ["inputs_from", "inputs_of"]

#: So many corners of the other symbols are tried with one batch.
_CORNERS = 64


def inputs_from(
    space: Space, *, nearby: bool = False
) -> Callable[[NDArray[np.float64]], list[Item]] | None:
    """How a batch becomes items of this space; None for claims about parameters alone, in which it has no part."""
    return None if space.over == "parameters" else partial(inputs_of, space, nearby=nearby)


def inputs_of(space: Space, batch: NDArray[np.float64], *, nearby: bool = False) -> list[Item]:
    """The items of a space that a (d, n) batch gives, one per corner of the other symbols; none outside the domain.

    With ``nearby``, irrational spectra come rounded to rationals first, which can be written down as witnesses.
    """
    rows = tuple(tuple(Fraction(x) for x in row) for row in batch.tolist())
    wide, size = batch.shape
    base: dict[str, Any] = {"n": Fraction(size), "d": Fraction(wide)}
    base["matrix" if space.over == "matrices" else "spectrum"] = (
        rows if space.over == "matrices" else spectrum_of(rows)
    )
    declared = {x.name for x in space.domains}
    base = {k: v for k, v in base.items() if k in declared or k in ("matrix", "spectrum")}
    found = [
        scalars
        for depth in limited_depths(space)
        for scalars in islice(space.scalar_corners(base | depth, space.parameters), _CORNERS)
    ]
    if nearby and isinstance(spectrum := base.get("spectrum"), Eigenvalues):
        found = [scalars | {"spectrum": spectrum.rounded()} for scalars in found] + found
    return [item for item in found if space.contains(item)]
