"""Hostile inputs for every choice of sizes: corners, levels at simple shares, and what lies very
near a degenerate one, where ratios that have no bound grow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, product
from typing import Any

import numpy as np

from simulators.starts import Start
from simulators.strategies import corner_matrices, corner_spectra
from theorems.workbench.discovery.question import Question
from theorems.workbench.domains import Domain, in_turn
from theorems.workbench.spaces import padded
from theorems.workbench.starts import Item, shown_start, start_layout

__all__ = ["NEARNESS", "Proposed", "choices", "proposals"]

#: How near to degenerate: shares of the way from a degenerate input to another one.
NEARNESS = (3, 6, 9)
#: Values of one size, and choices of all of them, at most.
_VALUES, _CHOICES = 7, 64
#: Values of one size where each choice is simulated.
_FEW_VALUES = 4
#: The largest size looked at, by what inputs are.
_MOST = {
    "parameters": {},
    "spectra": {"n": 12, "d": 64},
    "matrices": {"n": 4, "d": 5},
    "paths": {"n": 6, "ell": 8},
    "slow paths": {"n": 4, "ell": 4},
    "slowest paths": {"n": 4, "ell": 2},
    "sampled": {"n": 8, "d": 512, "ell": 32},
}
#: Starts of one choice of sizes where each is simulated, and where layers are enclosed slowly.
_FEW_STARTS = 6
#: There also one in so many of the spectra near degenerate ones.
_EVERY = 3
_PARAMETERS = 24
_BESIDE = Fraction(1, 10**9)


@dataclass(frozen=True)
class Proposed:
    """An input with how near to a degenerate one it lies: 0, or one of `NEARNESS`."""

    item: Item
    near: int = 0


def choices(question: Question) -> list[dict[str, Fraction]]:
    """Choices of every size, a grid from the least on; matrices have no more samples than rows.

    Args:
        question: what is asked.

    Example:
        >>> from theorems.workbench.discovery.question import read_question
        >>> asked = read_question("spectra", "orthogonality_gap", symbols={"n": "2..40"})
        >>> [int(each["n"]) for each in choices(asked)]
        [2, 3, 4, 5, 6, 8, 12]
    """
    most = _MOST[_kind(question)]
    values = _FEW_VALUES if question.sampled else _VALUES
    while True:
        axes = [_axis(domain, most.get(domain.name), values) for domain in question.sizes]
        if math.prod(map(len, axes)) <= _CHOICES or values == 3:
            break
        values -= 1
    names = [domain.name for domain in question.sizes]
    found = [dict(zip(names, map(Fraction, chosen), strict=True)) for chosen in product(*axes)]
    if question.space.over == "spectra" and not question.sampled:
        return found
    return [sizes for sizes in found if sizes.get("n", 1) <= sizes.get("d", sizes.get("n", 1))]


def _kind(question: Question) -> str:
    if question.sampled:
        return "sampled"
    slow = question.space.over == "paths" and question.space.layers is not None
    if slow and not question.space.quick:
        return "slowest paths"
    return "slow paths" if slow else question.space.over


def _axis(domain: Domain, most: int | None, count: int) -> list[int]:
    """Some values of a size: the least ones, then spread by their logarithms."""
    low, high = (int(end) for end in domain.ends({}))
    if domain.name == "ell":
        low = max(low, 1)
    high = max(low, min(high, most or low + 24))
    if high - low < count:
        return list(range(low, high + 1))
    if domain.name in ("d", "ell") and high >= 4 * max(low, 1):
        return sorted({round(x) for x in np.geomspace(max(low, 1), high, count)})
    close = range(low, low + count - 2)
    return sorted({*close, round(math.sqrt(max(close[-1], 1) * high)), high})


def proposals(question: Question, sizes: Mapping[str, Fraction]) -> Iterator[Proposed]:
    """Inputs of these sizes, which may or may not meet the assumptions.

    Args:
        question: what is asked.
        sizes: one of `choices`.

    Example:
        >>> from theorems.workbench.discovery.question import read_question
        >>> asked = read_question("parameters", "k*x", symbols={"k": "1..3", "x": "[0, 1]"})
        >>> found = list(proposals(asked, {"k": Fraction(2)}))
        >>> [str(each.item["x"]) for each in found if each.near == 0]
        ['0', '1/1000', '1/2', '1']
        >>> str(min(each.item["x"] for each in found if each.near == 9))
        '1/1000000000'
    """
    free = [domain for domain in question.space.parameters if not domain.whole]
    for proposed in _objects(question, sizes):
        base: dict[str, Any] = {**sizes, **proposed.item}
        for item in islice(in_turn(free, Domain.corners, base), _PARAMETERS):
            yield Proposed(item, proposed.near)
            yield from _near_ends(free, item)


def _near_ends(free: Sequence[Domain], item: Item) -> Iterator[Proposed]:
    """The input with one real parameter very near an end of its domain, or far out."""
    for domain in free:
        low, high = domain.ends(item)
        for near in NEARNESS:
            step = (high - low) / 10**near
            last = low + 10**near if domain.endless else high - step
            for value in (low + step, last):
                yield Proposed({**item, domain.name: value}, near)


def _objects(question: Question, sizes: Mapping[str, Fraction]) -> Iterator[Proposed]:
    about = question.space.about
    if not about:
        yield Proposed({})
        return
    size = int(sizes["n"])
    if about == "matrix":
        yield from _matrices(int(sizes["d"]), size)
        return
    kind, rank = _kind(question), question.space.rank(sizes)
    spectra = _sampled_spectra(rank) if kind == "sampled" else _spectra(rank, kind == "spectra")
    if about == "spectrum":
        for spectrum, near in spectra:
            yield Proposed({"spectrum": padded(spectrum, size)}, near)
        return
    if not question.space.quick:
        spectra = [each for each in spectra if each[1]][::_EVERY]
    yield from _starts(size, spectra, kind == "sampled", few=not question.space.quick)


def _matrices(d: int, n: int) -> Iterator[Proposed]:
    corners = corner_matrices(d, n)
    for matrix in corners.values():
        yield Proposed({"matrix": matrix})
    degenerate = ("orthogonal", "equal columns", "opposite columns")
    for one, other in product([name for name in degenerate if name in corners], corners):
        if one != other:
            for near in NEARNESS:
                share = Fraction(1, 10**near)
                pairs = zip(corners[one], corners[other], strict=True)
                yield Proposed({"matrix": tuple(_mixed(*rows, share) for rows in pairs)}, near)


def _starts(
    size: int, spectra: list[tuple[tuple[Fraction, ...], int]], sampled: bool, *, few: bool
) -> Iterator[Proposed]:
    """Starts of a lay-out, and where they are not sampled plain ones of these spectra."""
    laid_out = start_layout(size, corner_spectra(size))
    if sampled or few:
        laid_out = laid_out[:: -(-len(laid_out) // _FEW_STARTS)]
    for start in laid_out:
        yield Proposed({"start": shown_start(start)})
    if sampled:
        return
    axes = {str(start.axes): start.axes for start in laid_out}
    for place, (spectrum, near) in enumerate(spectra):
        basis = list(axes.values())[place % len(axes)]
        yield Proposed({"start": shown_start(Start(spectrum, basis))}, near)


def _sampled_spectra(n: int) -> list[tuple[tuple[Fraction, ...], int]]:
    names = ("uniform", "one small", "dominant", "distinct", "repeated", "singular", "rank one")
    found = corner_spectra(n)
    return [(found[name], 0) for name in names if name in found]


def _spectra(n: int, many: bool) -> list[tuple[tuple[Fraction, ...], int]]:
    """Spectra with how near each is to a degenerate one; ``many`` where each costs microseconds."""
    corners = list(corner_spectra(n).values())
    found = [(spectrum, 0) for spectrum in corners]
    if n == 1:
        return found
    flat = (Fraction(1, n),) * n
    last = (*(Fraction(1, n - 1),) * (n - 1), Fraction(0))
    lone = (Fraction(1), *(Fraction(0),) * (n - 1))
    ends = dict.fromkeys((flat, last, lone))
    targets = [*dict.fromkeys([*ends, *corners])] if many else [*ends]
    for degenerate, target in product(ends, targets):
        if degenerate != target:
            for near in NEARNESS:
                share = Fraction(1, 10**near)
                found.append((_between(degenerate, target, share), near))
    shares = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)) if many else (Fraction(1, 2),)
    counts = range(1, n) if many else sorted({1, n - 1})
    for large, share in product(counts, shares):
        for level in (share, share * (1 - _BESIDE), share * (1 + _BESIDE)):
            small = level / n
            rest = (1 - (n - large) * small) / large
            found.append(((rest,) * large + (small,) * (n - large), 0))
    return list(dict(found).items())


def _between(
    one: tuple[Fraction, ...], other: tuple[Fraction, ...], share: Fraction
) -> tuple[Fraction, ...]:
    return tuple(sorted(_mixed(one, other, share), reverse=True))


def _mixed(
    one: tuple[Fraction, ...], other: tuple[Fraction, ...], share: Fraction
) -> tuple[Fraction, ...]:
    return tuple((1 - share) * a + share * b for a, b in zip(one, other, strict=True))
