"""What arguments must be. Every refusal is one line that names the argument, what it got and what
it wants.
"""

from __future__ import annotations

import difflib
import math
import numbers
import operator
import reprlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_SHORT = reprlib.Repr()
_SHORT.maxother = _SHORT.maxstring = _SHORT.maxlong = 80


def told(value: object) -> str:
    """``value`` as an error tells it: on one line, and short."""
    try:
        return " ".join(_SHORT.repr(value).split())
    except ValueError:  # of its many digits Python prints none
        return f"an {type(value).__name__} of too many digits"


_NO_VALUE = object()


@dataclass(frozen=True)
class Argument:
    """An argument as an error names it: ``take=4``, or ``take`` where no value of it is meant."""

    name: str
    value: object = _NO_VALUE

    @property
    def has_value(self) -> bool:
        return self.value is not _NO_VALUE

    def __str__(self) -> str:
        return f"{self.name}={told(self.value)}" if self.has_value else self.name


class ArgumentError(ValueError):
    """An argument that is refused: ``parts`` are the argument with what it got, and what it wants.

    A caller that knows arguments by other names, as a command line does, words the parts anew.

    >>> error = ArgumentError(Argument("take", 9), ": want at most 4")
    >>> error.parts[0].name, error.parts[0].value, str(error)
    ('take', 9, 'take=9: want at most 4')
    """

    def __init__(self, *parts: str | Argument) -> None:
        super().__init__("".join(map(str, parts)))
        self.parts = parts

    @staticmethod
    def parts_of(error: BaseException) -> tuple[str | Argument, ...]:
        """What an error says, with the arguments that it names where it is an `ArgumentError`."""
        return error.parts if isinstance(error, ArgumentError) else (str(error),)


def did_you_mean(
    word: str,
    known: Iterable[str],
    *,
    most: int = 1,
    cutoff: float = 0.6,
    spell: Callable[[str], str] = repr,
) -> str:
    """``did you mean …?`` with the nearest of the ``known`` words, at most so many, each as
    ``spell`` writes it; empty where none is as near as ``cutoff``, from 0 for any to 1 for the
    same.

    >>> did_you_mean("rescal", ["rescale", "residual"])
    "did you mean 'rescale'?"
    """
    near = difflib.get_close_matches(word, list(known), n=most, cutoff=cutoff)
    return f"did you mean {' or '.join(map(spell, near))}?" if near else ""


def real_number(name: str, value: object, wanted: str = "a real number") -> float:
    """``value`` as a `float`, infinities included; real scalars of NumPy pass, bool, complex, text
    and arrays do not.

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
                raise ValueError(
                    f"{name}={told(value)} is below {minimum}; give an integer ≥ {minimum}"
                )
            return number
    raise TypeError(
        f"{name}={told(value)} is a {type(value).__name__}; give an integer ≥ {minimum}"
    )


def one_of(name: str, value: object, known: Iterable[str]) -> None:
    """Raise unless ``value`` is one of the ``known`` names, suggesting the nearest.

    `TypeError` for what is no text, `ValueError` for another name.
    """
    known = tuple(known)
    if not isinstance(value, str):
        raise TypeError(
            f"{name}={told(value)} is a {type(value).__name__}; give one of {', '.join(known)}"
        )
    if value not in known:
        hints = (did_you_mean(value.lower(), known), f"known are {', '.join(known)}")
        raise ValueError(f"unknown {name} {told(value)}; {' '.join(filter(None, hints))}")
