"""A catalogue: what there is of one kind, by name. Lists, tables, help and refusals are read off
it.

There is one each of chains, layers, laws of weights, activations and observables. An entry is made
by one decorated function or one class, here or in another package, and is known everywhere at once.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Generic, Protocol, Self, TypeAlias, TypeVar

from simulators.arguments import one_of, real_number, require, told

__all__ = ["Catalogue", "Entry", "Parameter", "Parametrised", "read_entry", "source_of", "summary"]


class Entry(Protocol):
    """What every entry has: its name, an identifier, and its meaning, one line without a full
    stop.

    Example:
        >>> from simulators.weights import LAWS
        >>> entry: Entry = LAWS["uniform"]
        >>> entry.name, entry.meaning
        ('uniform', 'uniform on [−√3, √3]')
    """

    @property
    def name(self) -> str:
        """An identifier.

        It is written in texts, and is that of a function or class.
        """

    @property
    def meaning(self) -> str:
        """What it is, in one line.

        It has no full stop at its end.
        """


E = TypeVar("E", bound=Entry)
Maker: TypeAlias = Callable[..., object] | type
M = TypeVar("M", bound=Maker)


class Catalogue(Mapping[str, E], Generic[E]):
    """The entries of one kind by name, in the order in which they were added.

    - ``kind``: what an entry is, in the singular, as refusals say it: ``"chain"``

    Example:
        >>> from simulators.activations import ACTIVATIONS
        >>> ACTIVATIONS["relu"].homogeneous
        True
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, E] = {}
        self._makers: dict[str, Maker] = {}

    def __getitem__(self, name: str) -> E:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: E, maker: Maker | None = None) -> E:
        """Put the entry last, and return it. ``maker`` is the function or class that it stands for.

        A maker that is there already is replaced by one of the same name in the same file, which
        was read once more. Raises `ValueError` for any other name that is taken, and for one that
        is no identifier.

        Args:
            entry: with a ``name``.
            maker: the function or class that it stands for, if any.
        """
        require(
            entry.name.isidentifier(),
            f"{self.kind} {told(entry.name)}: want a name of letters, digits and _",
        )
        before = self._makers.get(entry.name)
        again = maker is not None and before is not None and _place(maker) == _place(before)
        require(
            entry.name not in self._entries or again,
            f"{self.kind} {entry.name!r} is there already; give another name",
        )
        self._entries[entry.name] = entry
        if maker is not None:
            self._makers[entry.name] = maker
        return entry

    def entry_of(self, make: Callable[[M], E]) -> Callable[[M], M]:
        """A decorator that puts ``make(function)`` into the catalogue, and leaves the function.

        ``make`` is given the function and returns its entry. Raises as `add` does.
        """

        def add(function: M) -> M:
            self.add(make(function), function)
            return function

        return add

    def sources(self, names: Iterable[str]) -> dict[str, str]:
        """The source text of each of these entries that is not of this package, by name.

        Names that are no entries are passed over; the text is empty where it cannot be had.

        Args:
            names: of entries, or of none.
        """
        made = {name: self._makers[name] for name in names if name in self._makers}
        return {
            name: source_of(maker)
            for name, maker in made.items()
            if not maker.__module__.startswith("simulators.")
        }

    def named(self, name: object, argument: str | None = None) -> E:
        """The entry of that name. ``argument`` is what a refusal calls it, the kind by default.

        Raises `TypeError` for what is no text, and `ValueError`, with the nearest name and all
        there are, for another name.

        Args:
            name: what a user gave.
            argument: as "activation".
        """
        one_of(argument or self.kind, name, self._entries)
        return self._entries[str(name)]

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Whatever is added inside is gone afterwards: for tests and experiments.

        A context manager. What was there before is there again, whatever was put in its place.
        """
        before = dict(self._entries), dict(self._makers)
        try:
            yield
        finally:
            self._entries, self._makers = before


@cache
def source_of(maker: Maker) -> str:
    """The source text of a function or class; empty where it cannot be had, as of one in C.

    Args:
        maker: as it is loaded.

    Example:
        >>> source_of(summary).partition("(")[0]
        'def summary'
    """
    try:
        return inspect.getsource(maker)
    except (OSError, TypeError):
        return ""


def _place(maker: Maker) -> tuple[str, str]:
    """Where the source of a function or class stands: its file, and its name in it."""
    code = getattr(maker, "__code__", None)
    module = sys.modules.get(maker.__module__)
    file = getattr(module, "__file__", None) if code is None else code.co_filename
    return file or maker.__module__, maker.__qualname__


@dataclass(frozen=True)
class Parameter:
    """The number in the name of an entry such as ``soft_rank(0.5)``, in [``low``, ``high``].

    ``role`` is what it is to the entry; ``example`` a value as a text writes it.

    Example:
        >>> Parameter("tau", "soft_rank threshold", 0, 1, "0.5").read("0.25")
        0.25
    """

    name: str
    role: str
    low: float
    high: float
    example: str

    @property
    def wanted(self) -> str:
        """Its values, as refusals say them.

        Both ends are allowed.
        """
        return f"in [{self.low:g}, {self.high:g}]"

    def read(self, written: str) -> float:
        """The number that a text means. Raises `ValueError` for what is none, or outside the
        range.

        Args:
            written: as between the brackets of ``leaky_relu(0.1)``.
        """
        try:
            number = float(written)
        except ValueError:
            raise ValueError(
                f"{self.role} {self.name}={told(written)} is not a number; give one {self.wanted}"
            ) from None
        return self.within(number)

    def within(self, value: object) -> float:
        """The value, if it is in the range.

        Raises `TypeError` for what is no real number, `ValueError` for one outside the range.

        Args:
            value: what a user gave.
        """
        number = real_number(f"{self.role} {self.name}", value, f"one {self.wanted}")
        require(
            self.low <= number <= self.high,
            f"{self.role} {self.name}={told(value)} is not a number {self.wanted}",
        )
        return number


class Parametrised(Entry, Protocol):
    """An entry that may take a number, as ``leaky_relu(0.1)`` does.

    Example:
        >>> from simulators.activations import ACTIVATIONS
        >>> entry: Parametrised = ACTIVATIONS["leaky_relu"]
        >>> entry.at(0.1).name
        'leaky_relu(0.1)'
    """

    @property
    def parameter(self) -> Parameter | None:
        """What its number means; None if it takes none.

        Its range is told with it.
        """

    def at(self, value: float) -> Self:
        """The entry at this value of its parameter, named with it.

        Raises `ValueError` if it has none, or for a value outside the range.

        Args:
            value: of its parameter.
        """


P = TypeVar("P", bound=Parametrised)


def read_entry(catalogue: Catalogue[P], text: object, argument: str | None = None) -> P:
    """The entry that a text names, with a number in brackets where it takes one.

    ``argument`` is what a refusal calls it, the kind by default. Raises `TypeError` for what is no
    text, `ValueError` for an unknown name, a number that is none or out of range, and one too many.

    Args:
        catalogue: in which it is looked up.
        text: what a user gave, as ``"leaky_relu(0.1)"``.
        argument: as "activation".

    Example:
        >>> from simulators.activations import ACTIVATIONS
        >>> read_entry(ACTIVATIONS, "leaky_relu( 1e-1 )").name, read_entry(ACTIVATIONS, "sin").name
        ('leaky_relu(0.1)', 'sin')
    """
    if isinstance(text, str) and text in catalogue:
        return catalogue[text]
    call = re.fullmatch(r"\s*(\w+)\s*\(([^()]*)\)\s*", text) if isinstance(text, str) else None
    if call is None:
        return catalogue.named(text, argument)
    entry = catalogue.named(call[1], argument)
    if entry.parameter is None:
        raise ValueError(
            f"{argument or catalogue.kind} {told(text)} takes no number; write {entry.name!r}"
        )
    return entry.at(entry.parameter.read(call[2]))


def summary(documented: object) -> str:
    """The first paragraph of a docstring, without its full stop, as the meaning of an entry.

    Raises `ValueError` where there is none.

    Args:
        documented: a function or class.

    Example:
        >>> def halve(rows, xp):
        ...     '''x/2.
        ...
        ...     More about it.'''
        >>> summary(halve)
        'x/2'
    """
    text = (documented.__doc__ or "").strip()
    name = getattr(documented, "__name__", None) or told(documented)
    require(text, f"{name} has no docstring; its first line says what it is")
    return " ".join(text.split("\n\n")[0].split()).rstrip(".")
