"""E Tr (C⁺)ᵏ of one layer of the rescale chain in powers of 1/√d, derived from the definition by
pairings.

C⁺ = (1/d) Σ_a u_a u_aᵀ, u_a = x_a/|x_a|, x_a independent and normal of covariance C, Tr C = 1. So
Tr (C⁺)ᵏ is d^(-k) times the sum over a_1 … a_k of the cyclic product of u_{a_i}·u_{a_{i+1}}. Which
of the a_i are equal is a partition of k places into b blocks, which d(d-1)…(d-b+1) choices have. Of
a block that has s places |x|^(-2s) is expanded in δ = |x|² - 1. What is left are means of products
of normal numbers: by Isserlis and Wick a sum over all ways to pair the legs of every vector, in
which no δ is paired with itself, as E δ = 0. Every pair gives a C, every closed loop of ℓ of them
m_ℓ = Tr Cˡ = a_ℓ ε^(ℓ-1), ε = 1/√d.

Orders: j factors δ of one block cost ε^⌈j/2⌉ at least, a block less ε² less a loop more, that is ε.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from math import comb, prod

import sympy as sp

__all__ = ["expected_moment", "moment", "pairings", "partitions"]

#: Orders in ε beside the leading one.
ORDERS = 2
#: Loops by their lengths, those of length 1 left out, with how often they come.
Loops = Counter[tuple[int, ...]]


@cache
def moment(order: int) -> sp.Symbol:
    """The symbol a_k of d^((k-1)/2) Tr Cᵏ.

    Example:
        >>> moment(3)
        a_3
    """
    return sp.Symbol(f"a_{order}", positive=True)


def partitions(places: int, blocks: int) -> Iterator[tuple[int, ...]]:
    """All ways to put numbered places into so many blocks: the block of each place, in order of
    first appearance.

    Example:
        >>> list(partitions(3, 2))
        [(0, 0, 1), (0, 1, 0), (0, 1, 1)]
    """

    def extended(chosen: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if len(chosen) == places:
            if len(set(chosen)) == blocks:
                yield chosen
            return
        for block in range(min(max(chosen, default=-1) + 2, blocks)):
            yield from extended((*chosen, block))

    return extended(())


def pairings(legs: Sequence[int]) -> Iterator[tuple[tuple[int, int], ...]]:
    """All ways to pair an even number of legs.

    Example:
        >>> len(list(pairings(range(6))))
        15
    """
    if not legs:
        yield ()
        return
    first, *others = legs
    for place, partner in enumerate(others):
        for rest in pairings(others[:place] + others[place + 1 :]):
            yield ((first, partner), *rest)


def _loops(word: tuple[int, ...], deltas: tuple[int, ...]) -> Loops:
    """The loops of every pairing, for so many δ in each block.

    Legs 2i and 2i+1 are those of the vector at place i; the right leg of a place and the left one
    of the next are joined, as are both of a δ.
    """
    places = len(word)
    owners = [*word]
    for block, count in enumerate(deltas):
        owners += [block] * count
    joined = {2 * i + 1: 2 * ((i + 1) % places) for i in range(places)}
    joined |= {2 * i: 2 * i + 1 for i in range(places, len(owners))}
    joined |= {other: one for one, other in joined.items()}
    by_block = [
        [leg for i, owner in enumerate(owners) if owner == block for leg in (2 * i, 2 * i + 1)]
        for block in range(len(deltas))
    ]
    found: Loops = Counter()
    for chosen in product(*(list(pairings(legs)) for legs in by_block)):
        partner: dict[int, int] = {}
        for one, other in (pair for block in chosen for pair in block):
            partner[one], partner[other] = other, one
        if all(partner[2 * i] != 2 * i + 1 for i in range(places, len(owners))):
            found[_lengths(joined, partner)] += 1
    return found


def _lengths(joined: dict[int, int], partner: dict[int, int]) -> tuple[int, ...]:
    """The number of pairs in every loop that has more than one."""
    left, lengths = set(partner), []
    while left:
        leg, length = left.pop(), 0
        start = leg
        while True:
            across = partner[leg]
            left.discard(across)
            length += 1
            leg = joined[across]
            left.discard(leg)
            if leg == start:
                break
        lengths.append(length)
    return tuple(sorted(length for length in lengths if length > 1))


def _spread(blocks: int, order: int) -> Iterator[tuple[int, ...]]:
    """Numbers of δ in every block that may matter at ``order``: Σ ⌈j/2⌉ ≤ order."""
    for chosen in product(range(2 * order + 1), repeat=blocks):
        if sum(-(-count // 2) for count in chosen) <= order:
            yield chosen


def expected_moment(k: int) -> dict[int, sp.Expr]:
    """E Tr (C⁺)ᵏ by powers of ε, from ε^(k-1) to ε^(k-1 + ORDERS), as polynomials in the a_ℓ.

    Cost: a tenth of a second for k = 2, some seconds for k = 4.

    Example:
        >>> expected_moment(2)[1], expected_moment(2)[2]
        (a_2, 4*a_2**2 - 4*a_3 + 1)
    """
    last = k - 1 + ORDERS
    found: dict[int, sp.Expr] = {}
    for fewer in range(min(ORDERS, k - 1) + 1):
        blocks = k - fewer
        # d(d-1)…(d-b+1)/dᵏ = ε^(2(k-b))(1 - C(b, 2)ε² + …)
        choices = {2 * fewer: 1, 2 * fewer + 2: -comb(blocks, 2)}
        for word in partitions(k, blocks):
            sizes = Counter(word)
            for deltas in _spread(blocks, ORDERS - fewer):
                weight = prod(
                    (-1) ** count * comb(sizes[block] + count - 1, count)
                    for block, count in enumerate(deltas)
                )
                for lengths, times in _loops(word, deltas).items():
                    below = sum(lengths) - len(lengths)
                    term = weight * times * sp.Mul(*map(moment, lengths))
                    for power, factor in choices.items():
                        if power + below <= last:
                            at = power + below
                            found[at] = found.get(at, sp.Integer(0)) + factor * term
    return {power: sp.expand(value) for power, value in sorted(found.items())}
