"""From a start that violates a claim to a plain one that still does: fewer samples, then plainer coordinates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

from simulators.starts import Start, corner_axes, corner_samples
from simulators.strategies import corner_spectra
from theorems.checking.shrinking import shrink
from theorems.workbench.spaces import Item
from theorems.workbench.start_items import read_start, shown_start

__all__ = ["plainer"]

#: Batch sizes below its own at which a start is sought anew, from small to large.
_SMALL = (1, 2, 3, 4)
#: Trials of the sizes and parameters, and of the spectrum.
_TRIALS = 30


def plainer(item: Item, violates: Callable[[Item], bool]) -> Item:
    """A simpler item that still violates; ``item`` itself must, and holds a ``start``.

    First a plain start of fewer samples, then each coordinate by itself set to a plain one, then rounder numbers. Cost:
    some hundred trials at most.
    """
    found = next(filter(violates, _smaller(item)), item)
    for change in _changes(read_start(found["start"])):
        candidate = {**found, "start": shown_start(replace(read_start(found["start"]), **change))}
        if candidate != found and violates(candidate):
            found = candidate
    start = read_start(found["start"])
    rest = {k: v for k, v in found.items() if k != "start"}
    sizes = shrink(rest, lambda plain: violates({**plain, "start": found["start"]}), most=_TRIALS)
    found = {**sizes, "start": found["start"]}

    def with_spectrum(spectrum: tuple[Fraction, ...]) -> Item:
        return {**found, "start": shown_start(replace(start, spectrum=spectrum))}

    def still(given: Any) -> bool:
        fits = len(given) == start.size and sum(given) == sum(start.spectrum) and min(given) >= 0
        return fits and violates(with_spectrum(tuple(given)))

    return with_spectrum(tuple(shrink(start.spectrum, still, most=_TRIALS)))


def _smaller(item: Item) -> Iterator[Item]:
    """Plain starts of fewer samples."""
    for size in [k for k in _SMALL if k < int(item["n"])]:
        spectra = [
            corner_spectra(size)[name]
            for name in ("uniform", "one small")
            if name in corner_spectra(size)
        ]
        bases = list(corner_axes(size).values())[:2]
        for samples, axes, spectrum in product(corner_samples(size).values(), bases, spectra):
            start = Start(spectrum, axes, (), *samples)
            yield {**item, "n": Fraction(size), "start": shown_start(start)}


def _changes(start: Start) -> Iterator[dict[str, Any]]:
    """Coordinates set to plain ones, one at a time."""
    size = start.size
    own = corner_samples(size)["as they are"]
    yield {"repeats": 1}
    yield {"mirrors": ()}
    yield {"scales": tuple(Fraction(1 if x > 0 else -1) for x in start.scales)}
    yield {"copies": own[0]}
    yield {"scales": own[1]}
    yield {"axes": corner_axes(size)["diagonal"]}
    yield {"spectrum": corner_spectra(size)["uniform"]}
