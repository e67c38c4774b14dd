"""Starts of chains as claims hold them: written in numbers, laid out, and made plainer.

In an item, and in a witness, a dict stands under ``start`` with what `simulators.starts.Start`
takes: ``spectrum``, ``axes``, ``mirrors``, ``copies``, ``scales``, ``repeats``. A user's batch
stands there by its ``gram`` instead.

Spectra × eigenbases × signs and copies × scales of samples make some 600 starts for one batch size.
A lay-out is a covering array of strength two, which takes about as many as the two longest lists
have pairs: 25 to 35. What needs three coordinates at once to fail may escape it; the search moves
all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, product
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from simulators.starts import Start, corner_axes, corner_samples, corner_scales, haar_mirrors
from simulators.strategies import corner_spectra
from theorems.checking.rational_inputs import rational_rows
from theorems.checking.shrinking import shrink
from theorems.workbench.exact_values import (
    KnownSpectrum,
    eigenvalues_of,
    gram_matrix,
    matrix_of,
)

__all__ = [
    "Item",
    "ShownStart",
    "StartLevels",
    "covering_array",
    "gram_of",
    "is_batch",
    "known_spectrum",
    "plainer",
    "read_start",
    "shown_batch",
    "shown_start",
    "spectrum_at",
    "start_layout",
    "start_levels",
]

Vector: TypeAlias = tuple[Fraction, ...]
Vectors: TypeAlias = tuple[Vector, ...]
#: An input of a claim: every scalar symbol by its name, exactly, and under ``spectrum``, ``start``
#: or ``matrix`` what it is about.
Item: TypeAlias = Mapping[str, Any]
ShownStart: TypeAlias = Mapping[str, Any]
Level = TypeVar("Level")

#: Rational bases drawn by Haar's law, the same in every run.
_HAAR = 2
#: Batch sizes below its own at which a plainer start is sought anew, from small to large.
_SMALL = (1, 2, 3, 4)
#: Trials of the sizes and parameters, and of the spectrum, of a plainer start.
_TRIALS = 30


def shown_start(start: Start) -> dict[str, Any]:
    """Everything that names a start, as numbers: spectrum, axes, and of the rest what is not plain.

    Args:
        start: of any size.

    Example:
        >>> shown_start(Start((Fraction(2, 3), Fraction(1, 3)), copies=(0, 0)))["copies"]
        (0, 0)
    """
    plain = Start(start.spectrum, start.axes)
    rest = {name: getattr(start, name) for name in ("mirrors", "copies", "scales", "repeats")}
    return {"spectrum": start.spectrum, "axes": start.axes} | {
        name: value for name, value in rest.items() if value != getattr(plain, name)
    }


def read_start(shown: object) -> Start:
    """The start that is meant by what `shown_start` gives, or a witness holds.

    Raises ``ValueError`` for what is none, as a witness of another claim may be.

    Args:
        shown: a dict with ``spectrum`` and, if they are not plain, ``axes``, ``mirrors``,
            ``copies``, ``scales`` and ``repeats``; exact numbers, or their texts.

    Example:
        >>> read_start({"spectrum": ["1/2", "1/2"]}).size
        2
    """
    names = {"spectrum", "axes", "mirrors", "copies", "scales", "repeats"}
    if not isinstance(shown, Mapping) or "spectrum" not in shown or not names >= set(shown):
        raise ValueError(f"start={shown!r}: want a dict of {', '.join(sorted(names))}")
    vectors = ("spectrum", "axes", "mirrors", "copies", "scales")
    try:
        spectrum, axes, mirrors, copies, scales = (_exact(shown.get(v, ())) for v in vectors)
        whole = tuple(map(int, copies))
        return _start(spectrum, axes, mirrors, whole, scales, int(shown.get("repeats", 1)))
    except TypeError:
        raise ValueError(f"start={shown!r}: want vectors of exact numbers") from None


_start = lru_cache(maxsize=2048)(Start)


def _exact(value: Any) -> Any:
    if type(value) is Fraction:
        return value
    return tuple(map(_exact, value)) if isinstance(value, list | tuple) else Fraction(value)


def is_batch(shown: object) -> bool:
    """Whether what stands under ``start`` is a user's batch.

    Args:
        shown: what stands under ``start`` in an item.

    Example:
        >>> is_batch(shown_batch(np.eye(2))), is_batch({"spectrum": (Fraction(1),)})
        (True, False)
    """
    return isinstance(shown, Mapping) and "gram" in shown


def gram_of(shown: ShownStart) -> Vectors:
    """C = HᵀH of a shown start, n × n, in rationals.

    Raises ``ValueError`` for what is no start.

    Args:
        shown: what stands under ``start`` in an item: a start's numbers, or those of a batch.

    Example:
        >>> gram_of({"spectrum": (Fraction(2, 3), Fraction(1, 3))})[0]
        (Fraction(2, 3), Fraction(0, 1))
    """
    return shown["gram"] if is_batch(shown) else read_start(shown).gram


def shown_batch(batch: NDArray[np.floating]) -> dict[str, Any]:
    """What stands under ``start`` for a user's batch: C = HᵀH, n × n.

    - ``batch``: (d, n) floats, one sample a column, taken as the rationals they are

    In FLINT's rationals, of which no shrinking makes others: they would be of no batch.

    Example:
        >>> shown_batch(np.array([[0.5, 1.0]]))
        {'gram': ((1/4, 1/2), (1/2, 1))}
    """
    return {"gram": tuple(map(tuple, gram_matrix(rational_rows(batch)).tolist()))}


def known_spectrum(shown: ShownStart) -> Vector | None:
    """The eigenvalues of C over its trace, where the start was made of them.

    None where copies or scales moved them, and of a batch without its ``spectrum``.

    Args:
        shown: what stands under ``start`` in an item.

    Example:
        >>> known_spectrum({"spectrum": (Fraction(2), Fraction(1))})
        (Fraction(2, 3), Fraction(1, 3))
    """
    if is_batch(shown):
        return shown.get("spectrum")
    start = read_start(shown)
    total = sum(start.spectrum)
    return tuple(x / total for x in start.spectrum) if start.plain else None


def spectrum_at(shown: ShownStart) -> KnownSpectrum:
    """The eigenvalues of C over its trace, exactly, wherever they come from.

    - ``shown``: what stands under ``start`` in an item

    Raises ``ValueError`` for what is no start. Cost: a characteristic polynomial where copies or
    scales moved them, and of a batch.

    Example:
        >>> spectrum_at({"spectrum": (Fraction(1, 2), Fraction(1, 2)), "copies": (0, 0)})
        (Fraction(1, 1), Fraction(0, 1))
    """
    known = known_spectrum(shown)
    return known if known is not None else _eigenvalues(gram_of(shown))


@lru_cache(maxsize=256)
def _eigenvalues(rows: Vectors) -> KnownSpectrum:
    return eigenvalues_of(matrix_of(rows))


# --- lay-outs -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StartLevels:
    """The levels of every coordinate of a start at one batch size, by name.

    - ``spectra``: n nonnegative numbers each, of sum 1
    - ``bases``: axes and mirrors
    - ``samples``: which sample stands where, and its sign
    - ``scales``: the size of each sample
    - ``repeats``: how often the rows are stacked

    A level beyond the end of a list begins it anew.
    """

    spectra: Mapping[str, Vector]
    bases: Mapping[str, tuple[Vectors, Vectors]]
    samples: Mapping[str, tuple[tuple[int, ...], Vector]]
    scales: Mapping[str, Vector]
    repeats: Mapping[str, int]

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of levels of each coordinate: spectra, bases, samples, scales, repeats."""
        lists = (self.spectra, self.bases, self.samples, self.scales, self.repeats)
        return tuple(map(len, lists))

    def at(self, row: Sequence[int]) -> Start:
        """The start at these levels.

        - ``row``: one number from 0 on for each coordinate, in order
        """
        axes, mirrors = _pick(self.bases, row[1])
        copies, signs = _pick(self.samples, row[2])
        sizes = _pick(self.scales, row[3])
        scales = tuple(sign * size for sign, size in zip(signs, sizes, strict=True))
        spectrum, repeats = _pick(self.spectra, row[0]), _pick(self.repeats, row[4])
        return _start(spectrum, axes, mirrors, copies, scales, repeats)


def _pick(options: Mapping[str, Level], level: int) -> Level:
    return list(options.values())[level % len(options)]


def start_levels(
    n: int,
    spectra: Mapping[str, Vector],
    *,
    scaled: bool = False,
    repeats: Mapping[str, int] | None = None,
) -> StartLevels:
    """Named levels for n samples: the given spectra, bases, signs and copies, scales.

    - ``n``: the batch size, at least 1
    - ``spectra``: n nonnegative numbers each, of sum 1
    - ``scaled``: adds starts ten times as large, for chains whose law depends on the scale of the
      whole batch
    - ``repeats``: how often rows are stacked, by name; once if not given

    Example:
        >>> start_levels(2, corner_spectra(2)).counts[1:]
        (5, 4, 3, 1)
    """
    bases: dict[str, tuple[Vectors, Vectors]] = {
        name: (axes, ()) for name, axes in corner_axes(n).items()
    }
    generator = np.random.default_rng(n)
    for k in range(_HAAR if n > 1 else 0):
        bases[f"Haar {k + 1}"] = (corner_axes(n)["diagonal"], haar_mirrors(n, generator))
    scales = corner_scales(n)
    if scaled:
        scales = scales | {"all ×10": (Fraction(10),) * n}
    return StartLevels(spectra, bases, corner_samples(n), scales, repeats or {"as they are": 1})


def start_layout(n: int, spectra: Mapping[str, Vector]) -> list[Start]:
    """Starts that show every pair of levels of two coordinates: see `start_levels`.

    - ``n``: the batch size, at least 1
    - ``spectra``: n nonnegative numbers each, of sum 1

    Example:
        >>> len(start_layout(2, corner_spectra(2)))
        20
    """
    levels = start_levels(n, spectra)
    return [levels.at(row) for row in covering_array(levels.counts, lambda _: True)]


# --- plainer ones ---------------------------------------------------------------------------------


def plainer(item: Item, violates: Callable[[Item], bool]) -> Item:
    """A simpler item that still violates a claim.

    - ``item``: holds a ``start``, and itself violates
    - ``violates``: decides an item again

    First a plain start of fewer samples, then each coordinate by itself set to a plain one, then
    rounder numbers. Cost: some hundred trials at most.

    Example:
        >>> start = shown_start(Start((Fraction(1, 2), Fraction(1, 3), Fraction(1, 6))))
        >>> plainer({"n": Fraction(3), "start": start}, lambda item: item["n"] > 1)["n"]
        Fraction(2, 1)
    """
    found = next(filter(violates, _smaller(item)), item)
    for change in _plain_coordinates(read_start(found["start"])):
        candidate = {**found, "start": shown_start(replace(read_start(found["start"]), **change))}
        if candidate != found and violates(candidate):
            found = candidate
    start = read_start(found["start"])
    rest = {k: v for k, v in found.items() if k != "start"}
    sizes = shrink(rest, lambda plain: violates({**plain, "start": found["start"]}), most=_TRIALS)

    def with_spectrum(spectrum: Sequence[Fraction]) -> Item:
        return {**sizes, "start": shown_start(replace(start, spectrum=tuple(spectrum)))}

    def still(given: Sequence[Fraction]) -> bool:
        fits = len(given) == start.size and sum(given) == sum(start.spectrum) and min(given) >= 0
        return fits and violates(with_spectrum(given))

    return with_spectrum(shrink(start.spectrum, still, most=_TRIALS))


def _smaller(item: Item) -> Iterator[Item]:
    """Plain starts of fewer samples."""
    for size in [k for k in _SMALL if k < int(item["n"])]:
        corners = corner_spectra(size)
        spectra = [corners[name] for name in ("uniform", "one small") if name in corners]
        bases = list(corner_axes(size).values())[:2]
        for samples, axes, spectrum in product(corner_samples(size).values(), bases, spectra):
            start = shown_start(Start(spectrum, axes, (), *samples))
            yield {**item, "n": Fraction(size), "start": start}


def _plain_coordinates(start: Start) -> Iterator[dict[str, Any]]:
    """Coordinates set to plain ones, one at a time."""
    copies, scales = corner_samples(start.size)["as they are"]
    yield {"repeats": 1}
    yield {"mirrors": ()}
    yield {"scales": tuple(Fraction(1 if x > 0 else -1) for x in start.scales)}
    yield {"copies": copies}
    yield {"scales": scales}
    yield {"axes": corner_axes(start.size)["diagonal"]}
    yield {"spectrum": corner_spectra(start.size)["uniform"]}


# --- covering arrays ------------------------------------------------------------------------------

Row = tuple[int, ...]
Place = tuple[int, int]  # a factor and its level
#: How often a row through a pair is tried with other levels, before the pair is given up.
_TRIES = 12
#: Refused rows in all, after which no further pair is looked for.
_REFUSALS = 400


def covering_array(levels: Sequence[int], allowed: Callable[[Row], bool]) -> list[Row]:
    """Rows such that each pair of levels of two factors stands in an allowed row.

    - ``levels``: their number, at least 1, for each factor
    - ``allowed``: whether a row may stand; asked once a row

    Returns rows of level numbers, one per factor, the same in every run.

    Built greedily: a row starts at the first pair that no row shows yet, and every other factor
    takes the level that adds most such pairs. A pair whose rows are refused ``_TRIES`` times is
    given up, so what comes out covers every pair that is easily allowed. The number of rows is near
    the product of the two largest numbers of levels, whatever the number of factors:
    5 × 5 × 5 × 4 × 2 × 2, of 2000 combinations, take some 30.

    Example:
        >>> covering_array([2, 2, 2], lambda row: True)
        [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    """
    if len(levels) == 1:
        return [(k,) for k in range(levels[0]) if allowed((k,))]
    places = [list(product([factor], range(count))) for factor, count in enumerate(levels)]
    missing: dict[tuple[Place, Place], None] = {}
    for ours, theirs in combinations(places, 2):
        missing |= dict.fromkeys(product(ours, theirs))
    found: list[Row] = []
    generator = np.random.default_rng(0)
    known: dict[Row, bool] = {}
    while missing and sum(not met for met in known.values()) < _REFUSALS:
        first = next(iter(missing))
        for attempt in range(_TRIES):
            order = (
                generator.integers(0, levels).tolist()
                if attempt
                else [len(found) % count for count in levels]
            )
            row = _row_through(first, levels, order, {} if attempt else missing)
            if row not in known:
                known[row] = allowed(row)
            if known[row]:
                found.append(row)
                for pair in combinations(enumerate(row), 2):
                    missing.pop(pair, None)
                break
        missing.pop(first, None)
    return found


def _row_through(
    pair: tuple[Place, Place],
    levels: Sequence[int],
    order: Sequence[int],
    missing: Mapping[tuple[Place, Place], None],
) -> Row:
    """A row with this pair, whose other factors add most missing pairs.

    Of equal ones the first from ``order`` on.
    """
    row = dict(pair)
    for factor, count in enumerate(levels):

        def gain(level: int, factor: int = factor) -> int:
            return sum(tuple(sorted(((factor, level), other))) in missing for other in row.items())

        if factor not in row:
            row[factor] = max(((order[factor] + k) % count for k in range(count)), key=gain)
    return tuple(row[factor] for factor in range(len(levels)))
