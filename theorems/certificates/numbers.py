"""Exact numbers as text: rationals as "p/q" (or "p"), ball ends as dyadics "m*2^e".

Text, because JSON readers turn numbers into floats. Readers refuse anything else, naming the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

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


def rational_text(value: Fraction | flint.fmpq | flint.fmpz | int) -> str:
    """An exact number as "p/q" in lowest terms, or "p"."""
    q = (
        flint.fmpq(value.numerator, value.denominator)
        if isinstance(value, Fraction)
        else flint.fmpq(value)
    )
    return str(q)


def rational_of(value: Any, field: str) -> flint.fmpq:
    """The number written as "p/q", "p" or "m*2^e". Raises :class:`UnreadableError`, naming ``field``, for others."""
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


def rationals_of(value: Any, field: str) -> Any:
    """Nested lists and objects of exact numbers, as nested lists and dicts of ``fmpq``."""
    if isinstance(value, list | tuple):
        return [rationals_of(item, f"{field}[{k}]") for k, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {name: rationals_of(item, f"{field}.{name}") for name, item in value.items()}
    return rational_of(value, field)


def whole_of(value: Any, field: str, least: int, most: int) -> int:
    """A JSON integer between ``least`` and ``most``. Raises :class:`UnreadableError`, naming ``field``."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise UnreadableError(
            f"{field}: {_seen(value)}; want a whole number from {least} to {most}"
        )
    return value


def ball_text(ball: flint.arb) -> list[str]:
    """A finite ball by its two ends, exactly: [low, high]. Raises ``ValueError`` for a ball that is not finite."""
    if not ball.is_finite():
        raise ValueError(f"{ball} is not finite")
    middle, radius = (_dyadic(part) for part in (ball.mid(), ball.rad()))
    exponent = min(middle[1], radius[1])
    ends = [
        (middle[0] << (middle[1] - exponent)) + sign * (radius[0] << (radius[1] - exponent))
        for sign in (-1, 1)
    ]
    return [f"{end}*2^{exponent}" for end in ends]


def _dyadic(exact: flint.arb) -> tuple[int, int]:
    mantissa, exponent = exact.man_exp()
    return int(mantissa), int(exponent)


def ball_of(value: Any, field: str) -> flint.arb:
    """A ball that contains exactly the recorded ends, or a little more at the precision of ``flint.ctx``."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise UnreadableError(
            f"{field}: {_seen(value)} is no enclosure; want its two ends, [low, high]"
        )
    low, high = (rational_of(end, f"{field}[{k}]") for k, end in enumerate(value))
    if low > high:
        raise UnreadableError(f"{field}: its low end is above its high end")
    return flint.arb(low).union(flint.arb(high))


def entry(values: Mapping[str, Any], name: str, field: str) -> Any:
    """``values[name]``. Raises :class:`UnreadableError` if it is missing; ``field`` says where."""
    if name not in values:
        raise UnreadableError(f"{field}.{name}: missing")
    return values[name]


def _seen(value: Any) -> str:
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**30 else "a huge integer"
    return text if len(text) <= 40 else text[:39] + "…"
