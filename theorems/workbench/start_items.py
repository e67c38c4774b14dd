"""How a start stands in an item and in a witness, and what is known of it exactly.

Under ``start`` stands a dict of numbers, as :class:`simulators.starts.Start` takes them: ``spectrum``, ``axes``,
``mirrors``, ``copies``, ``scales``, ``repeats``. A user's batch stands there by its ``gram`` instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from simulators.starts import Start
from theorems.workbench.eigenvalues import Eigenvalues, eigenvalues_of

__all__ = [
    "ShownStart",
    "gram_of",
    "gram_of_batch",
    "is_batch",
    "known_spectrum",
    "matrix_of",
    "read_start",
    "shown_start",
    "spectrum_at",
]

ShownStart = Mapping[str, Any]
Rows = tuple[tuple[Fraction, ...], ...]


def shown_start(start: Start) -> dict[str, Any]:
    """Everything that names a start, as numbers: its spectrum and axes, and of the rest what is not plain."""
    plain = Start(start.spectrum, start.axes)
    found: dict[str, Any] = {"spectrum": start.spectrum, "axes": start.axes}
    rest = {name: getattr(start, name) for name in ("mirrors", "copies", "scales", "repeats")}
    return found | {name: value for name, value in rest.items() if value != getattr(plain, name)}


def read_start(shown: Any) -> Start:
    """The start that is meant. Raises ``ValueError`` for what is none, as a witness of another claim may be."""
    names = {"spectrum", "axes", "mirrors", "copies", "scales", "repeats"}
    if not isinstance(shown, Mapping) or "spectrum" not in shown or not names >= set(shown):
        raise ValueError(f"start={shown!r}: want a dict of {', '.join(sorted(names))}")
    try:
        return _start(
            *(
                _numbers(shown.get(name, ()))
                for name in ("spectrum", "axes", "mirrors", "copies", "scales")
            ),
            int(shown.get("repeats", 1)),
        )
    except TypeError:
        raise ValueError(f"start={shown!r}: want vectors of exact numbers") from None


@lru_cache(maxsize=256)
def _start(spectrum: Any, axes: Any, mirrors: Any, copies: Any, scales: Any, repeats: int) -> Start:
    return Start(spectrum, axes, mirrors, tuple(map(int, copies)), scales, repeats)


def _numbers(value: Any) -> Any:
    if type(value) is Fraction:
        return value
    return tuple(map(_numbers, value)) if isinstance(value, list | tuple) else Fraction(value)


def is_batch(shown: Any) -> bool:
    """Whether it stands for a user's batch."""
    return isinstance(shown, Mapping) and "gram" in shown


def gram_of(shown: ShownStart) -> Rows:
    """C = HᵀH in rationals."""
    return shown["gram"] if is_batch(shown) else read_start(shown).gram


def gram_of_batch(batch: NDArray[np.floating[Any]]) -> Rows:
    """C of a (d, n) batch of floats, which are rationals."""
    samples = matrix_of([[Fraction(x) for x in row] for row in batch.T.tolist()])
    found = samples * samples.transpose()
    size = range(found.nrows())
    return tuple(
        tuple(Fraction(int(found[i, j].p), int(found[i, j].q)) for j in size) for i in size
    )


def matrix_of(rows: Sequence[Sequence[Fraction]]) -> flint.fmpq_mat:
    """A matrix of rationals in FLINT."""
    return flint.fmpq_mat([[flint.fmpq(x.numerator, x.denominator) for x in row] for row in rows])


def known_spectrum(shown: ShownStart) -> tuple[Fraction, ...] | None:
    """The eigenvalues of C over its trace, where the start was made of them; None where copies or scales moved them."""
    if not is_batch(shown):
        start = read_start(shown)
        if not start.plain:
            return None
        total = sum(start.spectrum)
        return tuple(x / total for x in start.spectrum)
    return shown.get("spectrum")


def spectrum_at(shown: ShownStart) -> tuple[Fraction, ...] | Eigenvalues:
    """The eigenvalues of C over its trace, exactly, wherever they come from."""
    known = known_spectrum(shown)
    return known if known is not None else _eigenvalues(gram_of(shown))


@lru_cache(maxsize=256)
def _eigenvalues(rows: Rows) -> tuple[Fraction, ...] | Eigenvalues:
    return eigenvalues_of(matrix_of(rows))
