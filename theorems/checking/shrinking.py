"""From a violation to one that a person can read: the simplest rationals, the fewest samples, that
still violate.

A candidate counts only if ``violates`` says so, exactly; nothing is rounded on trust.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, TypeGuard, TypeVar

from theorems.simple_fractions import simplest_between

__all__ = ["shrink"]

Item = TypeVar("Item")
Path = tuple[Any, ...]
"""Keys and indices that lead to a part of an input."""

#: Intervals tried around a number, from coarse to fine, relative to it.
_WINDOWS = tuple(Fraction(1, 2) ** k for k in range(0, 44))


def shrink(item: Item, violates: Callable[[Item], bool], most: int = 400) -> Item:
    """A simpler input that still violates, by greedy descent: at most ``most`` trials of
    ``violates``.

    Inputs are nested tuples, lists and mappings of integers and fractions. ``item`` itself must
    violate.

    Example:
        >>> shrink({"x": Fraction(1234567, 1000000)}, lambda item: item["x"] > Fraction(6, 5))
        {'x': Fraction(3, 2)}
    """
    left = most
    improved = True
    while improved and left > 0:
        improved = False
        for candidate in _simpler(item):
            if left <= 0:
                break
            if weight(candidate) >= weight(item):
                continue
            left -= 1
            if violates(candidate):
                item, improved = candidate, True
                break
    return item


def weight(item: object) -> tuple[int, int, int]:
    """What shrinking lowers: how many numbers there are, their digits, how many differ.

    Example:
        >>> weight({"x": Fraction(1, 3)}) < weight({"x": Fraction(100, 301)})
        True
    """
    numbers = [Fraction(value) for _, value in _places(item) if _is_number(value)]
    digits = sum(
        len(str(abs(x.numerator))) + (len(str(x.denominator)) if x.denominator > 1 else 0)
        for x in numbers
    )
    return (
        len(numbers),
        digits + sum(x < 0 for x in numbers),
        sum(abs(x.numerator) + x.denominator for x in numbers),
    )


def _is_number(value: object) -> TypeGuard[int | Fraction]:
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def _simpler(item: object) -> Iterator[Any]:
    """Candidates, boldest first: fewer samples, then rounder objects, then rounder numbers one by
    one.
    """
    yield from _fewer(item)
    for path, value in _places(item):
        if (
            isinstance(value, tuple | list)
            and len(value) > 1
            and all(isinstance(x, Fraction) for x in value)
        ):
            yield from (_with(item, path, rounded) for rounded in _rounder_vectors(tuple(value)))
    for path, value in _places(item):
        if _is_number(value):
            for number in _rounder(Fraction(value)):
                yield _with(
                    item,
                    path,
                    int(number) if isinstance(value, int) and number.denominator == 1 else number,
                )


def _fewer(item: object) -> Iterator[object]:
    """One entry of a spectrum less (the sum kept), one row or column of a matrix less; sizes
    follow.
    """
    for path, value in _places(item):
        if not isinstance(value, tuple | list) or len(value) < 2:
            continue
        if all(isinstance(x, Fraction) for x in value):
            total = sum(value)
            for k in dict.fromkeys((len(value) - 1, 0, len(value) // 2)):
                rest = [*value[:k], *value[k + 1 :]]
                if total and sum(rest):
                    yield _resized(item, path, tuple(x * total / sum(rest) for x in rest), ("n",))
        elif all(isinstance(x, tuple | list) for x in value):
            yield _resized(item, path, tuple(value[:-1]), ("d",))
            if len(value[0]) > 1:
                yield _resized(item, path, tuple(tuple(row[:-1]) for row in value), ("n",))


def _resized(item: object, path: Path, value: object, sizes: tuple[str, ...]) -> object:
    found = _with(item, path, value)
    if isinstance(found, Mapping):
        found = {k: v - 1 if k in sizes else v for k, v in found.items()}
    return found


def _rounder_vectors(values: tuple[Fraction, ...]) -> Iterator[tuple[Fraction, ...]]:
    """Shares of small whole numbers in the same proportions, of the same sum."""
    total, top = sum(values), max(values, key=abs)
    if not total or not top:
        return
    for scale in (1, 2, 3, 4, 6, 9, 20, 99, 999, 10**4, 10**6):
        parts = [Fraction(round(v / top * scale)) for v in values]
        if whole := sum(parts):
            yield tuple(p * total / whole for p in parts)
    middle = values[len(values) // 2]
    for k in (1, len(values) - 1):  # two levels
        yield (*values[:k], *([(total - sum(values[:k])) / (len(values) - k)] * (len(values) - k)))
    if middle:
        yield (total / len(values),) * len(values)


def _rounder(value: Fraction) -> Iterator[Fraction]:
    seen = {value}
    for window in _WINDOWS:
        reach = abs(value) * window
        found = simplest_between(value - reach, value + reach)
        if found not in seen:
            seen.add(found)
            yield found


def _places(item: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    yield path, item
    if isinstance(item, Mapping):
        for key, value in item.items():
            yield from _places(value, (*path, key))
    elif isinstance(item, tuple | list):
        for k, value in enumerate(item):
            yield from _places(value, (*path, k))


def _with(item: Any, path: Path, value: object) -> object:
    if not path:
        return value
    head, *rest = path
    if isinstance(item, Mapping):
        return {**item, head: _with(item[head], tuple(rest), value)}
    return tuple(_with(x, tuple(rest), value) if k == head else x for k, x in enumerate(item))
