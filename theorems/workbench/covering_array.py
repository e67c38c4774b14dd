"""Few rows of a product that show every pair of levels of any two factors: covering arrays of
strength two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product

import numpy as np

__all__ = ["covering_array"]

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
