"""How a command ends: the exit statuses, and the errors that lead to them; any other is a defect."""

from __future__ import annotations

import contextlib

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes a while to import, and Ctrl-C may come meanwhile
    from collections.abc import Callable, Iterator

    from simulators.arguments import Argument

__all__ = [
    "AS_EXPECTED",
    "BAD_INPUT",
    "CLOSED_PIPE",
    "DEFECT",
    "INTERRUPTED",
    "NOT_AS_EXPECTED",
    "NOT_WRITTEN",
    "OutputError",
    "ReaderGoneError",
    "UsageError",
    "refusing",
    "writing",
]

AS_EXPECTED, NOT_AS_EXPECTED, BAD_INPUT, NOT_WRITTEN, DEFECT = 0, 1, 2, 3, 70
#: Of Ctrl-C; another signal ends a command with 128 and its number.
INTERRUPTED = 130
CLOSED_PIPE = 141


class OutputError(Exception):
    """An output could not be written; one line names it and says why. No ``OSError``, which
    libraries swallow.
    """


class ReaderGoneError(BrokenPipeError):
    """Nobody reads standard output any more. Pipes to workers break too, and that is another
    matter.
    """


class UsageError(ValueError):
    """Bad usage or input, in one line of ``parts``: argument, value, remedy.

    The arguments that an ``ArgumentError`` of the library names stand among the parts.
    """

    def __init__(self, *parts: str | Argument) -> None:
        super().__init__("".join(map(str, parts)))
        self.parts = parts

    def worded(self, spell: Callable[[Argument], str]) -> str:
        """The line, with every argument of the library as ``spell`` writes it."""
        return "".join(part if isinstance(part, str) else spell(part) for part in self.parts)


@contextlib.contextmanager
def refusing(
    kinds: type[Exception] | tuple[type[Exception], ...] = (ValueError, TypeError),
) -> Iterator[None]:
    """Inside, an error of these kinds speaks of what the user gave; outside, it is a defect and
    keeps its traceback.
    """
    try:
        yield
    except kinds as error:
        raise UsageError(*getattr(error, "parts", (str(error),))) from None


@contextlib.contextmanager
def writing(place: object, otherwise: str = "") -> Iterator[None]:
    """What cannot be written inside is :class:`OutputError`, in one line: the ``place``, why, and
    what is left.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{place}: cannot be written: {error.strerror or error}{otherwise}"
        ) from None
