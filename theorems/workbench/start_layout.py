"""The starts that a lay-out is made of: few of them, and every pair of their coordinates' levels is shown.

Spectra × eigenbases × signs and copies × scales of samples make some 600 starts for one batch size. A covering array
of strength two takes about as many as the two longest lists have pairs: 25 to 35. What needs three coordinates at once
to fail may escape it; the search moves all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias, TypeVar

import numpy as np

from simulators.starts import Start, corner_axes, corner_samples, corner_scales, haar_mirrors
from theorems.workbench.covering_array import covering_array

__all__ = ["StartLevels", "start_layout", "start_levels"]

Vector: TypeAlias = tuple[Fraction, ...]
Vectors: TypeAlias = tuple[Vector, ...]
Level = TypeVar("Level")

#: Rational bases drawn by Haar's law, the same in every run.
_HAAR = 2


@dataclass(frozen=True)
class StartLevels:
    """The levels of every coordinate at one batch size, by name. A level beyond the end of a list begins it anew."""

    spectra: Mapping[str, Vector]
    bases: Mapping[str, tuple[Vectors, Vectors]]  # axes and mirrors
    samples: Mapping[str, tuple[tuple[int, ...], Vector]]
    scales: Mapping[str, Vector]
    repeats: Mapping[str, int]

    @property
    def lists(self) -> tuple[Mapping[str, object], ...]:
        """The coordinates in order."""
        return self.spectra, self.bases, self.samples, self.scales, self.repeats

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of levels of each coordinate."""
        return tuple(map(len, self.lists))

    def at(self, row: Sequence[int]) -> Start:
        """The start at these levels."""
        axes, mirrors = _pick(self.bases, row[1])
        copies, signs = _pick(self.samples, row[2])
        sizes = _pick(self.scales, row[3])
        scales = tuple(sign * size for sign, size in zip(signs, sizes, strict=True))
        return _start(
            _pick(self.spectra, row[0]), axes, mirrors, copies, scales, _pick(self.repeats, row[4])
        )


def _pick(options: Mapping[str, Level], level: int) -> Level:
    return list(options.values())[level % len(options)]


@lru_cache(maxsize=2048)
def _start(
    spectrum: Vector,
    axes: Vectors,
    mirrors: Vectors,
    copies: tuple[int, ...],
    scales: Vector,
    repeats: int,
) -> Start:
    return Start(spectrum, axes, mirrors, copies, scales, repeats)


def start_levels(
    n: int,
    spectra: Mapping[str, Vector],
    *,
    scaled: bool = False,
    repeats: Mapping[str, int] | None = None,
) -> StartLevels:
    """Named levels for n samples: the given spectra, named and Haar bases, signs and copies, scales.

    ``scaled`` adds starts ten times as large, for chains whose law depends on the scale of the whole batch.
    """
    bases: dict[str, tuple[Vectors, Vectors]] = {
        name: (axes, ()) for name, axes in corner_axes(n).items()
    }
    if n > 1:
        generator = np.random.default_rng(n)
        bases |= {
            f"Haar {k + 1}": (corner_axes(n)["diagonal"], haar_mirrors(n, generator))
            for k in range(_HAAR)
        }
    scales = corner_scales(n)
    if scaled:
        scales = scales | {"all ×10": (Fraction(10),) * n}
    return StartLevels(spectra, bases, corner_samples(n), scales, repeats or {"as they are": 1})


def start_layout(n: int, spectra: Mapping[str, Vector]) -> list[Start]:
    """Starts of n samples that show every pair of levels."""
    levels = start_levels(n, spectra)
    return [levels.at(row) for row in covering_array(levels.counts, lambda _: True)]
