"""Where the family's simulations start from, and how wide they must be for a bound to say
something.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from simulators.batches import dominant_spectrum, spectrum_batch, two_level_spectrum

if TYPE_CHECKING:
    from theorems.checking.expectation import Floats
    from theorems.statement import Statement

__all__ = ["WIDTHS", "one_layer", "speaking_width", "two_level"]

#: Widths tried, in turn, until a bound says something.
WIDTHS = tuple(round(2 ** (k / 4)) for k in range(20, 81))


def two_level(n: int, share: float) -> Floats:
    """An (n, n) start with sigma_n^2 = share / n, the other eigenvalues equal."""
    return spectrum_batch(two_level_spectrum(n, share / n), n)


def one_layer(batch: Floats | None) -> Sequence[tuple[str, Floats]]:
    """The user's batch, or spectra of every shape at n = 2, 4, 8: uniform, one small, one dominant,
    geometric.
    """
    if batch is not None:
        return [(f"batch {batch.shape[0]}×{batch.shape[1]}", batch)]
    found = []
    for n in (2, 4, 8):
        geometric = 2.0 ** -np.arange(n)
        spectra = {
            "uniform": np.full(n, 1 / n),
            "one small": two_level_spectrum(n, 0.1 / n),
            "one dominant": dominant_spectrum(n, 0.01 / n),
            "geometric": geometric / geometric.sum(),
        }
        found += [
            (f"n={n} {name}", spectrum_batch(spectrum, n)) for name, spectrum in spectra.items()
        ]
    return found


def speaking_width(statement: Statement, share: float, **values: float) -> int | None:
    """The first width in ``WIDTHS`` where the bound is below ``share`` of its ceiling; None if
    there is none.
    """
    names = {v.name for v in statement.variables} | {str(x) for x in statement.rhs.free_symbols}
    given = {k: v for k, v in values.items() if k in names}
    for width in WIDTHS:
        if width >= values["n"] and statement.bound(d=width, **given) <= share * statement.top(
            **values
        ):
            return width
    return None
