"""Constants that a bound of simple form may have, and how a number is recognised as one.

A constant is a rational number, or one times √2, √3, … under a root, π, π² or 1/π. Its weight
counts the binary digits of numerator and denominator and what stands beside them; what weighs more
than `HEAVIEST` is none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from theorems.simple_fractions import simplest_between

__all__ = ["HEAVIEST", "Constant", "recognised", "rounded"]

#: The declared budget: so much a constant weighs at most. 3/4 weighs 3, √2 weighs 2, 9π²/2
#: weighs 7.
HEAVIEST = 10
#: A constant that touches no law exactly is rounded outward by at most this share of it.
SLACK = Fraction(1, 100)
#: What it then weighs: its digits are those of the inputs looked at, and say nothing of the form.
_ROUNDED = 4


@dataclass(frozen=True)
class Constant:
    """A positive number of simple form.

    - ``above``, ``below``: its parts over and under the line, as a claim writes them
    - ``value``: in floats
    - ``weight``: how much there is to write; 0 of the number 1

    Example:
        >>> Constant("pi", "4", math.pi / 4, 4).text
        'pi/4'
    """

    above: str
    below: str
    value: float
    weight: int

    @property
    def text(self) -> str:
        if self.below == "1":
            return self.above
        return f"{self.above}/{self.below if self.below.isalnum() else f'({self.below})'}"


ONE = Constant("1", "1", 1.0, 0)


def recognised(value: float, tolerance: float) -> Constant | None:
    """The lightest constant within a relative ``tolerance`` of ``value``; None within the budget.

    Args:
        value: any number; one that is not positive and finite is no constant.
        tolerance: in (0, 1); what the value is known to.

    Example:
        >>> recognised(0.7500000001, 1e-8).text, recognised(2**0.5, 1e-9).text
        ('3/4', 'sqrt(2)')
        >>> recognised(9 * math.pi**2 / 2, 1e-9).text, recognised(0.123456789, 1e-9)
        ('9*pi**2/2', None)
    """
    if not 0 < value < math.inf:
        return None
    low, high = Fraction(value) * Fraction(1 - tolerance), Fraction(value) * Fraction(1 + tolerance)
    found = [_rational(simplest_between(low, high))]
    square = simplest_between(low * low, high * high)
    found.append(Constant(f"sqrt({square})", "1", math.sqrt(square), _weight(square) + 1))
    for factor, text, extra in ((math.pi, "pi", 2), (math.pi**2, "pi**2", 3)):
        share = simplest_between(low / Fraction(factor), high / Fraction(factor))
        above = _product(share.numerator, text)
        weight = _weight(share) + extra
        found.append(Constant(above, str(share.denominator), float(share) * factor, weight))
    share = simplest_between(low * Fraction(math.pi), high * Fraction(math.pi))
    below = _product(share.denominator, "pi")
    weight = _weight(share) + 3
    found.append(Constant(str(share.numerator), below, float(share) / math.pi, weight))
    lightest = min(found, key=lambda constant: constant.weight)
    return lightest if lightest.weight <= HEAVIEST else None


def rounded(value: float, tolerance: float, *, up: bool) -> Constant:
    """The constant of a bound that ``value`` touches: recognised, or rounded outward by 1 %.

    Args:
        value: positive and finite.
        tolerance: as of `recognised`.
        up: whether the constant may not lie below the value; else not above.

    Example:
        >>> rounded(0.7071067811, 1e-8, up=True).text, rounded(0.7137, 1e-8, up=True).text
        ('sqrt(1/2)', '5/7')
    """
    if (known := recognised(value, tolerance)) is not None:
        return known
    exact = Fraction(value)
    ends = (exact, exact * (1 + SLACK)) if up else (exact * (1 - SLACK), exact)
    return replace(_rational(simplest_between(*ends)), weight=_ROUNDED)


def _weight(number: Fraction) -> int:
    """Binary digits beyond the first, of numerator and denominator."""
    return number.numerator.bit_length() + number.denominator.bit_length() - 2


def _rational(number: Fraction) -> Constant:
    above, below = str(number.numerator), str(number.denominator)
    return Constant(above, below, float(number), _weight(number))


def _product(number: int, text: str) -> str:
    return text if number == 1 else f"{number}*{text}"
