"""Means against their bound as a small chart: intervals, the bound, where it says nothing.

Coordinates only; the template draws them in the colours of the page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain as chained
from itertools import product
from typing import Any

from theorems.typesetting import number

__all__ = ["Chart", "Mark", "chart"]

_WIDTH, _HEIGHT = 760, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 14, 34
#: Ratios beyond these are drawn at the edge.
_LEAST, _MOST = 1e-4, 1e4
#: What is shown at least on either side of the bound, as a ratio.
_BEYOND = 1.6
#: A median belongs to a tightness that differs from it by less, in logarithms.
_NEAR = 0.05


@dataclass(frozen=True)
class Mark:
    """One readout: where it stands, its interval, whether the bound says something there.

    ``y``, ``low`` and ``high`` are None where nothing was measured.
    """

    x: float
    width: float
    words: str
    verdict: str
    y: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Chart:
    """Readouts in the order of their table, measured / bound upwards on a logarithmic scale.

    - ``bound``: the height of the bound, at ratio 1
    - ``violated``: top and bottom of the side on which the claim fails; None for an equality
    - ``ticks``: heights with their labels
    """

    marks: tuple[Mark, ...]
    bound: float
    violated: tuple[float, float] | None
    ticks: tuple[tuple[float, str], ...]
    places: tuple[tuple[float, str], ...]
    size: tuple[int, int] = (_WIDTH, _HEIGHT)
    frame: tuple[int, int, int, int] = (_LEFT, _TOP, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM)


def chart(readouts: Sequence[Mapping[str, Any]], relation: str) -> Chart | None:
    """The chart of these readouts; None where fewer than two have a mean and a bound.

    - ``readouts``: as a document holds them
    - ``relation``: of the claim; empty where it is not known

    Example:
        >>> one = {"instance": "n=2", "bound": 2.0, "mean": 1.0, "low": 0.5, "high": 1.5}
        >>> drawn = chart([one | {"verdict": "supported"}] * 2, "<=")
        >>> drawn.marks[0].y > drawn.bound, chart([], "<=")
        (True, None)
    """
    rows = [(row, _measured(row)) for row in readouts]
    measured = [found for _, found in rows if found is not None]
    ratios = list(chained.from_iterable(measured))
    if len(measured) < 2:
        return None
    low = math.log10(max(min([*ratios, 1 / _BEYOND]), _LEAST)) - 0.08
    high = math.log10(min(max([*ratios, _BEYOND]), _MOST)) + 0.08

    def height(ratio: float) -> float:
        place = (math.log10(min(max(ratio, _LEAST), _MOST)) - low) / (high - low)
        return round(_HEIGHT - _BOTTOM - place * (_HEIGHT - _TOP - _BOTTOM), 1)

    step = (_WIDTH - _LEFT - _RIGHT) / len(rows)
    marks = []
    for place, (row, found) in enumerate(rows):
        x = round(_LEFT + (place + 0.5) * step, 1)
        verdict = str(row.get("verdict", ""))
        words = f"{place + 1}: {row.get('instance', '')}, {verdict}"
        if found is None:
            marks.append(Mark(x, round(step, 1), words, verdict))
        else:
            middle, least, most = found
            told = (
                f"{words}; measured / bound {number(middle)} in [{number(least)}, {number(most)}]"
            )
            heights = height(middle), height(least), height(most)
            marks.append(Mark(x, round(step, 1), told, verdict, *heights))
    sides = {
        "<": (_TOP, height(1.0)),
        ">": (height(1.0), _HEIGHT - _BOTTOM),
    }
    return Chart(
        tuple(marks),
        height(1.0),
        sides.get(relation[:1]),
        tuple((height(ratio), number(ratio)) for ratio in _round_ratios(low, high)),
        tuple((marks[place].x, str(place + 1)) for place in _round_places(len(marks))),
    )


def _measured(row: Mapping[str, Any]) -> tuple[float, float, float] | None:
    """Mean and ends of its interval over the bound; None where they are not all told.

    A median with its interval is told under the name of what it is a median of.
    """
    bound = _number(row, "bound")
    if not bound > 0:
        return None
    triples = [("mean", "low", "high")]
    for key in row:
        if key.startswith("median "):
            name = key.removeprefix("median ")
            triples.append((key, f"low {name}", f"high {name}"))
    told = []
    for triple in triples:
        middle, low, high = (_number(row, key) / bound for key in triple)
        if middle > 0 and high > 0 and not math.isnan(low):
            told.append((middle, max(low, 0.0), high))
    if told and "mean" in row:
        return told[0]
    near = min(told, key=lambda found: _apart(row, found[0]), default=None)
    return near if near is not None and _apart(row, near[0]) < _NEAR else None


def _number(row: Mapping[str, Any], key: str) -> float:
    value = row.get(key)
    return float(value) if isinstance(value, int | float) else math.nan


def _apart(row: Mapping[str, Any], ratio: float) -> float:
    """How far, in logarithms, a ratio to the bound is from the one that the tightness tells."""
    tightness = _number(row, "tightness")
    if not tightness > 0:
        return math.inf
    return abs(abs(math.log(ratio)) - abs(math.log(tightness)))


def _round_ratios(low: float, high: float) -> list[float]:
    """Three to eight round numbers in a range of decimal logarithms, 1 among them."""
    for multiples in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,)):
        powers = range(math.floor(low), math.ceil(high) + 1)
        found = [float(f"{m * 10**k:.3g}") for k, m in product(powers, multiples)]
        inside = [ratio for ratio in found if low <= math.log10(ratio) <= high]
        if len(inside) <= 8:
            return inside
    return inside[:: len(inside) // 8 + 1]


def _round_places(count: int) -> list[int]:
    """Places to be numbered, from 0: the first and every fifth or tenth."""
    step = 1 if count <= 12 else 5 * math.ceil(count / 60)
    return [place for place in range(count) if place == 0 or (place + 1) % step == 0]
