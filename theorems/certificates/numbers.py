"""Exact numbers as text: rationals as "p/q" (or "p"), ball ends as dyadics "m*2^e".

Text, because JSON readers turn numbers into floats. Readers refuse anything else, naming the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

import flint

from theorems.certificates.document import UnreadableError

__all__ = [
    "ball_of",
    "ball_text",
    "entry",
    "rational_of",
    "rational_text",
    "rationals_of",
    "whole_of",
]

#: Numbers longer than this are refused before they cost anything.
LONGEST = 4000
_RATIONAL = re.compile(r"(-?[0-9]+)(?:/([0-9]+))?")
_DYADIC = re.compile(r"(-?[0-9]+)\*2\^(-?[0-9]+)")
#: Largest exponent of two, either way.
WIDEST = 100_000


Rationals: TypeAlias = "flint.fmpq | list[Rationals] | dict[str, Rationals]"


def rational_text(value: Fraction | flint.fmpq | flint.fmpz | int) -> str:
    """An exact number as "p/q" in lowest terms, or "p".

    Args:
        value: exact, no float.

    Example:
        >>> rational_text(Fraction(6, 4)), rational_text(3)
        ('3/2', '3')
    """
    return str(value if isinstance(value, Fraction) else flint.fmpq(value))


def rational_of(value: object, field: str) -> flint.fmpq:
    """The number written as "p/q", "p" or "m*2^e".

    ``field`` says where it stands. Raises `UnreadableError`, naming it, for anything else.

    Args:
        value: what JSON holds there.
        field: the place, as ``inputs.x``.

    Example:
        >>> rational_of("3/2", "inputs.x"), rational_of("3*2^-1", "inputs.x")
        (3/2, 3/2)
    """
    if not isinstance(value, str):
        raise UnreadableError(
            f'{field}: {_seen(value)} is not text; want an exact number such as "3/5"'
        )
    if len(value) > LONGEST:
        raise UnreadableError(
            f"{field}: a number of {len(value)} characters; want at most {LONGEST}"
        )
    if (found := _DYADIC.fullmatch(value)) is not None:
        exponent = int(found[2])
        if abs(exponent) > WIDEST:
            raise UnreadableError(
                f"{field}: exponent {_seen(found[2])}; want one between -{WIDEST} and {WIDEST}"
            )
        power = flint.fmpq(flint.fmpz(2) ** abs(exponent))
        return flint.fmpq(int(found[1])) * (power if exponent >= 0 else 1 / power)
    if (found := _RATIONAL.fullmatch(value)) is None:
        raise UnreadableError(f'{field}: {_seen(value)} is no exact number; want one such as "3/5"')
    below = 1 if found[2] is None else int(found[2])
    if below == 0:
        raise UnreadableError(f"{field}: {_seen(value)} divides by zero")
    return flint.fmpq(int(found[1]), below)


def rationals_of(value: object, field: str) -> Rationals:
    """Nested lists and objects of exact numbers, as nested lists and dicts of ``fmpq``.

    Raises `UnreadableError`, naming the place inside ``field``, for anything else.

    Args:
        value: what JSON holds there.
        field: the place, as ``inputs.at``.

    Example:
        >>> rationals_of({"n": "2", "sigma": ["4/5", "3/5"]}, "inputs.at")
        {'n': 2, 'sigma': [4/5, 3/5]}
    """
    if isinstance(value, list | tuple):
        return [rationals_of(item, f"{field}[{k}]") for k, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {name: rationals_of(item, f"{field}.{name}") for name, item in value.items()}
    return rational_of(value, field)


def whole_of(value: object, field: str, least: int, most: int) -> int:
    """A JSON integer between ``least`` and ``most``.

    Raises `UnreadableError`, naming ``field``, for anything else.

    Args:
        value: what JSON holds there.
        field: the place, as ``inputs.layer``.
        least: the least number that is admitted.
        most: the greatest.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise UnreadableError(
            f"{field}: {_seen(value)}; want a whole number from {least} to {most}"
        )
    return value


def ball_text(ball: flint.arb) -> list[str]:
    """A finite ball by its two ends, exactly: [low, high].

    Raises ``ValueError`` for a ball that is not finite.

    Args:
        ball: of any precision; its ends are dyadic numbers.

    Example:
        >>> ball_text(flint.arb(1.5))
        ['3*2^-1', '3*2^-1']
    """
    if not ball.is_finite():
        raise ValueError(f"{ball} is not finite")
    (middle, middle_bits), (radius, radius_bits) = _dyadic(ball.mid()), _dyadic(ball.rad())
    bits = min(middle_bits, radius_bits)
    middle, radius = middle << (middle_bits - bits), radius << (radius_bits - bits)
    return [f"{middle - radius}*2^{bits}", f"{middle + radius}*2^{bits}"]


def _dyadic(exact: flint.arb) -> tuple[int, int]:
    mantissa, exponent = exact.man_exp()
    return int(mantissa), int(exponent)


def ball_of(value: object, field: str) -> flint.arb:
    """A ball that contains exactly the recorded ends, or a little more at ``flint.ctx.prec``.

    Raises `UnreadableError`, naming ``field``, for what are no two ends in order.

    Args:
        value: what JSON holds there.
        field: the place, as ``enclosures.lhs``.
    """
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise UnreadableError(
            f"{field}: {_seen(value)} is no enclosure; want its two ends, [low, high]"
        )
    low, high = (rational_of(end, f"{field}[{k}]") for k, end in enumerate(value))
    if low > high:
        raise UnreadableError(f"{field}: its low end is above its high end")
    return flint.arb(low).union(flint.arb(high))


def entry(values: Mapping[str, object], name: str, field: str) -> object:
    """``values[name]``. Raises `UnreadableError` if it is missing; ``field`` says where.

    Args:
        values: an object of JSON.
        name: the key.
        field: the place of the object, as ``inputs``.

    Example:
        >>> entry({"layer": 3}, "layer", "inputs")
        3
    """
    if name not in values:
        raise UnreadableError(f"{field}.{name}: missing")
    return values[name]


def _seen(value: object) -> str:
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**30 else "a huge integer"
    return text if len(text) <= 40 else text[:39] + "…"
