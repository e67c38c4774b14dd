"""Simple forms: a constant times powers of sizes, of sizes moved by a small whole number, and of
sums and differences of two sizes.

A form weighs what there is to write: each factor by its base and its exponent. Fitting goes through
all forms up to a declared weight, and knows no particular one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from theorems.workbench.discovery.constants import ONE, Constant

__all__ = ["Factor", "Form", "Sizes", "factors_of", "power_text", "product_text", "products"]

Sizes = Mapping[str, NDArray[np.float64]]

#: A size is moved by at most this.
FARTHEST = 3
#: Exponents, with what each adds to the weight of its base.
_EXPONENTS = {
    Fraction(1): 0,
    Fraction(2): 1,
    Fraction(1, 2): 1,
    Fraction(3, 2): 2,
}
#: Factors of one form, at most.
_MOST = 4


@dataclass(frozen=True)
class Factor:
    """A power of a sum of sizes and a whole number.

    - ``terms``: sizes with their signs, ``(("n", 1), ("d", -1))``
    - ``shift``: the whole number that is added
    - ``exponent``: a small rational number, not 0
    """

    terms: tuple[tuple[str, int], ...]
    shift: int
    exponent: Fraction

    @property
    def weight(self) -> int:
        moved = abs(self.shift) + (self.shift != 0)
        base = 2 * len(self.terms) - 1 + moved
        return min(base, 4) + _EXPONENTS[abs(self.exponent)]

    @property
    def base(self) -> str:
        """The base as a claim writes it.

        Example:
            >>> Factor((("n", 1),), -1, Fraction(2)).base
            'n - 1'
        """
        words = ""
        for name, sign in self.terms:
            words += name if not words else f" {'-' if sign < 0 else '+'} {name}"
        if self.shift:
            words += f" {'-' if self.shift < 0 else '+'} {abs(self.shift)}"
        return words

    def logarithms(self, sizes: Sizes) -> NDArray[np.float64]:
        """Those of its values, (rows,); of a base that is not positive NaN.

        - ``sizes``: (rows,) of every size
        """
        base = sum((sign * sizes[name] for name, sign in self.terms), np.float64(self.shift))
        positive = np.where(base > 0, base, np.nan)
        return np.asarray(float(self.exponent) * np.log(positive), dtype=np.float64)


@dataclass(frozen=True)
class Form:
    """A constant times factors.

    Example:
        >>> step = Factor((("n", 1),), 2, Fraction(-1))
        >>> Form(ONE, (Factor((("n", 1),), 0, Fraction(1)), step)).text
        'n/(n + 2)'
    """

    constant: Constant = ONE
    factors: tuple[Factor, ...] = ()

    @property
    def weight(self) -> int:
        return self.constant.weight + sum(factor.weight for factor in self.factors)

    @property
    def text(self) -> str:
        """As a claim writes it: what is divided by stands in one bracket, roots under one root."""
        powers = [(factor.base, factor.exponent) for factor in self.factors]
        return product_text(self.constant, powers)

    def values(self, sizes: Sizes) -> NDArray[np.float64]:
        """Its values, (rows,).

        - ``sizes``: (rows,) of every size
        """
        rows = len(next(iter(sizes.values())))
        logs = sum((factor.logarithms(sizes) for factor in self.factors), np.zeros(rows))
        return np.asarray(self.constant.value * np.exp(logs), dtype=np.float64)


def power_text(base: str, exponent: Fraction) -> str:
    """A positive power as a claim writes it.

    Example:
        >>> power_text("n + 1", Fraction(3, 2)), power_text("n", Fraction(1, 2))
        ('(n + 1)**(3/2)', 'sqrt(n)')
    """
    if exponent == Fraction(1, 2):
        return f"sqrt({base})"
    bracketed = base if base.isidentifier() or _called(base) else f"({base})"
    if exponent == 1:
        return bracketed
    return f"{bracketed}**{exponent if exponent.denominator == 1 else f'({exponent})'}"


def _called(text: str) -> bool:
    """Whether it is one name with brackets behind it, as soft_rank(1/2)."""
    head, bracket, rest = text.partition("(")
    return head.isidentifier() and bool(bracket) and rest.find(")") == len(rest) - 1


def product_text(constant: Constant, powers: Sequence[tuple[str, Fraction]]) -> str:
    """A constant times powers as a claim writes it.

    - ``powers``: bases with exponents, which may be negative

    Example:
        >>> half = Fraction(1, 2)
        >>> product_text(ONE, [("n", half), ("n - 1", half), ("d", Fraction(-1))])
        'sqrt(n*(n - 1))/d'
    """
    above = _side([(base, exponent) for base, exponent in powers if exponent > 0])
    below = _side([(base, -exponent) for base, exponent in powers if exponent < 0])
    if constant.above != "1" or not above:
        above = [constant.above, *above]
    if constant.below != "1":
        below = [*constant.below.split("*"), *below]
    found = "*".join(above)
    if not below:
        return found
    return f"{found}/({'*'.join(below)})" if len(below) > 1 else f"{found}/{below[0]}"


def _side(powers: Sequence[tuple[str, Fraction]]) -> list[str]:
    """Positive powers in order, those under a square root gathered where the first of them is."""
    half = Fraction(1, 2)
    rooted = [base for base, exponent in powers if exponent == half]
    found: list[str] = []
    for base, exponent in powers:
        if exponent != half or len(rooted) == 1:
            found.append(power_text(base, exponent))
        elif base == rooted[0]:
            found.append(f"sqrt({'*'.join(power_text(each, Fraction(1)) for each in rooted)})")
    return found


def factors_of(sizes: Sizes) -> list[Factor]:
    """Every factor whose base is positive at all these sizes, and not the same at all of them.

    - ``sizes``: (rows,) of every size

    Example:
        >>> found = factors_of({"n": np.array([2.0, 3.0, 4.0])})
        >>> sorted({factor.base for factor in found})
        ['n', 'n + 1', 'n + 2', 'n + 3', 'n - 1']
    """
    moving = [name for name, values in sizes.items() if len(set(values.tolist())) > 2]
    shifts = range(-FARTHEST, FARTHEST + 1)
    bases: list[tuple[tuple[tuple[str, int], ...], int]] = [
        (((name, 1),), shift) for name, shift in product(moving, shifts)
    ]
    for one, two in combinations(moving, 2):
        bases += [(((one, 1), (two, sign)), 0) for sign in (1, -1)]
        bases.append((((two, 1), (one, -1)), 0))
    found = []
    for terms, shift in bases:
        first = Factor(terms, shift, Fraction(1))
        logs = first.logarithms(sizes)
        if np.isfinite(logs).all() and np.ptp(logs) > 0:
            signed = [sign * exponent for exponent in _EXPONENTS for sign in (1, -1)]
            found += [Factor(terms, shift, exponent) for exponent in signed]
    return sorted(found, key=lambda factor: factor.weight)


def products(factors: Sequence[Factor], heaviest: int) -> Iterator[tuple[Factor, ...]]:
    """Every product of factors of different bases up to a weight, the empty one first.

    Args:
        factors: in order of weight.
        heaviest: the most that a product weighs.

    Example:
        >>> n = factors_of({"n": np.array([1.0, 2.0, 3.0])})
        >>> [Form(ONE, each).text for each in products(n, 1)]
        ['1', 'n', '1/n']
    """

    def extended(chosen: tuple[Factor, ...], start: int, left: int) -> Iterator[tuple[Factor, ...]]:
        yield chosen
        if len(chosen) == _MOST:
            return
        taken = {(factor.terms, factor.shift) for factor in chosen}
        for place in range(start, len(factors)):
            factor = factors[place]
            if factor.weight > left:
                return
            if (factor.terms, factor.shift) not in taken:
                yield from extended((*chosen, factor), place + 1, left - factor.weight)

    return extended((), 0, heaviest)
