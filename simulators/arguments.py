"""What arguments must be. Every refusal is one line that names the argument, what it got and what
it wants.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import numbers
import operator
import reprlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import SupportsIndex

__all__ = [
    "Argument",
    "ArgumentError",
    "did_you_mean",
    "kind_of",
    "one_of",
    "real_number",
    "require",
    "told",
    "whole_number",
]

_SHORT = reprlib.Repr()
_SHORT.maxother = _SHORT.maxstring = _SHORT.maxlong = 80


def require(holds: object, message: str, error: type[Exception] = ValueError) -> None:
    """Raise an ``error`` with this ``message``, one line, unless the condition ``holds``.

    The message is made in any case, so it must be one that can be.

    Example:
        >>> require(2 > 3, "d=2 is below 3; give more rows")
        Traceback (most recent call last):
        ValueError: d=2 is below 3; give more rows
    """
    if not holds:
        raise error(message)


def told(value: object) -> str:
    r"""``value`` as an error tells it: on one line, and of some 80 characters at most.

    Example:
        >>> told("two\nlines"), len(told("a" * 1000))
        ("'two\\nlines'", 80)
    """
    try:
        return " ".join(_SHORT.repr(value).split())
    except ValueError:  # of its many digits Python prints none
        return f"{kind_of(value)} of too many digits"


#: Types whose names are spelled out when they are read, so that their article is "an".
_SPELLED = ("fmpq", "fmpz", "ndarray", "mpf")


def kind_of(value: object) -> str:
    """The type of ``value`` with its article, as an error tells it.

    Example:
        >>> kind_of(1), kind_of("1")
        ('an int', 'a str')
    """
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeioAEIO' or name in _SPELLED else 'a'} {name}"


_NO_VALUE = object()


@dataclass(frozen=True)
class Argument:
    """An argument as an error names it: ``take=4``, or ``take`` where no value of it is meant.

    Example:
        >>> str(Argument("take", 4)), str(Argument("take"))
        ('take=4', 'take')
    """

    name: str
    value: object = _NO_VALUE

    @property
    def has_value(self) -> bool:
        """Whether a value of it is meant, which may be None.

        An error names the argument alone where none is.
        """
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
        """What an error says, with the arguments that it names where it is an `ArgumentError`.

        Args:
            error: any.

        Example:
            >>> ArgumentError.parts_of(TypeError("no number"))
            ('no number',)
        """
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

    Args:
        word: what was written.
        known: what would have done.
        most: how many are named, at least 1.
        cutoff: how near they must be, in [0, 1].
        spell: how each is written.

    >>> did_you_mean("rescal", ["rescale", "residual"])
    "did you mean 'rescale'?"
    """
    near = difflib.get_close_matches(word, list(known), n=most, cutoff=cutoff)
    return f"did you mean {' or '.join(map(spell, near))}?" if near else ""


def real_number(name: str, value: object, wanted: str = "a real number") -> float:
    """``value`` as a `float`, infinities included; real scalars of NumPy pass, bool, complex, text
    and arrays do not.

    ``name`` is the argument's, and ``wanted`` what it should be, in words. Raises `TypeError` for
    what does not pass, and `ValueError` for NaN and what is beyond float64.

    Example:
        >>> real_number("gamma", 1)
        1.0
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}={told(value)} is not a real number; give {wanted}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{name}={told(value)} is beyond float64; give {wanted}") from None
    require(not math.isnan(number), f"{name}=nan is not a number; give {wanted}")
    return number


def whole_number(name: str, value: object, minimum: int) -> int:
    """``value`` as an `int` ≥ ``minimum``; NumPy integers pass, bool and float do not.

    ``name`` is the argument's. Raises `TypeError` for what does not pass, and `ValueError` below
    ``minimum``.

    Example:
        >>> whole_number("depth", 0, 1)
        Traceback (most recent call last):
        ValueError: depth=0 is below 1; give an integer ≥ 1
    """
    number = None
    if isinstance(value, SupportsIndex) and not isinstance(value, bool):
        with contextlib.suppress(TypeError):  # an array of more than one entry
            number = operator.index(value)
    if number is None:
        raise TypeError(f"{name}={told(value)} is {kind_of(value)}; give an integer ≥ {minimum}")
    require(
        number >= minimum, f"{name}={told(value)} is below {minimum}; give an integer ≥ {minimum}"
    )
    return number


def one_of(name: str, value: object, known: Iterable[str]) -> None:
    """Raise unless ``value`` is one of the ``known`` names, suggesting the nearest.

    ``name`` is the argument's. `TypeError` for what is no text, `ValueError` for another name.

    Example:
        >>> one_of("layout", "row", ("rows", "columns"))
        Traceback (most recent call last):
        ValueError: unknown layout 'row'; did you mean 'rows'? known are rows, columns
    """
    known = tuple(known)
    listed = ", ".join(known)
    if not isinstance(value, str):
        raise TypeError(f"{name}={told(value)} is {kind_of(value)}; give one of {listed}")
    if value not in known:
        hints = filter(None, (did_you_mean(value.lower(), known), f"known are {listed}"))
        raise ValueError(f"unknown {name} {told(value)}; {' '.join(hints)}")
