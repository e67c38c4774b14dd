"""What arguments must be. Every refusal is one line that names the argument, what it got and what it wants."""

from __future__ import annotations

import difflib
import math
import numbers
import operator
import reprlib
from collections.abc import Iterable

_SHORT = reprlib.Repr()
_SHORT.maxother = _SHORT.maxstring = _SHORT.maxlong = 80


def told(value: object) -> str:
    """``value`` as an error tells it: on one line, and short."""
    try:
        return " ".join(_SHORT.repr(value).split())
    except ValueError:  # of its many digits Python prints none
        return f"an {type(value).__name__} of too many digits"


def real_number(name: str, value: object, wanted: str = "a real number") -> float:
    """``value`` as a `float`, infinities included; real scalars of NumPy pass, bool, complex, text and arrays do not.

    Raises `TypeError` for those, and `ValueError` for NaN and what is beyond float64.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}={told(value)} is not a real number; give {wanted}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{name}={told(value)} is beyond float64; give {wanted}") from None
    if math.isnan(number):
        raise ValueError(f"{name}=nan is not a number; give {wanted}")
    return number


def whole_number(name: str, value: object, minimum: int) -> int:
    """``value`` as an `int` ≥ ``minimum``; NumPy integers pass, bool and float do not.

    Raises `TypeError` for those, and `ValueError` below ``minimum``.
    """
    if not isinstance(value, bool):
        try:
            number = operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            pass
        else:
            if number < minimum:
                raise ValueError(f"{name}={told(value)} is below {minimum}; give an integer ≥ {minimum}")
            return number
    raise TypeError(f"{name}={told(value)} is a {type(value).__name__}; give an integer ≥ {minimum}")


def one_of(name: str, value: object, known: Iterable[str]) -> None:
    """Raise unless ``value`` is one of the ``known`` names, suggesting the nearest.

    `TypeError` for what is no text, `ValueError` for another name.
    """
    known = tuple(known)
    if not isinstance(value, str):
        raise TypeError(f"{name}={told(value)} is a {type(value).__name__}; give one of {', '.join(known)}")
    if value not in known:
        near = difflib.get_close_matches(value.lower(), known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown {name} {told(value)}; {hint}known are {', '.join(known)}")
