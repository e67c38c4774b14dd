"""How a command ends: exit statuses, the errors and signals that lead to them; any other error is a
defect.
"""

from __future__ import annotations

import contextlib
import signal
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes a while to import, and Ctrl-C may come meanwhile
    from collections.abc import Callable, Iterator
    from types import FrameType

    from simulators.arguments import Argument

__all__ = [
    "AS_EXPECTED",
    "BAD_INPUT",
    "CLOSED_PIPE",
    "DEFECT",
    "INTERRUPTED",
    "NOT_AS_EXPECTED",
    "NOT_WRITTEN",
    "UNDECIDED",
    "OutputError",
    "ReaderGoneError",
    "UsageError",
    "refusing",
    "signals",
    "writing",
]

AS_EXPECTED, NOT_AS_EXPECTED, BAD_INPUT, NOT_WRITTEN, UNDECIDED, DEFECT = 0, 1, 2, 3, 4, 70
#: Of Ctrl-C; another signal ends a command with 128 and its number.
INTERRUPTED = 130
CLOSED_PIPE = 141


class OutputError(Exception):
    """An output could not be written; one line names it and says why.

    No ``OSError``, which libraries swallow.
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
        """The line, with every argument of the library as ``spell`` writes it.

        >>> from simulators.arguments import Argument
        >>> refused = UsageError(Argument("take", 0), ": want at least 1")
        >>> refused.worded(lambda argument: f"--{argument.name}")
        '--take: want at least 1'
        """
        return "".join(part if isinstance(part, str) else spell(part) for part in self.parts)


@contextlib.contextmanager
def refusing(
    kinds: type[Exception] | tuple[type[Exception], ...] = (ValueError, TypeError),
) -> Iterator[None]:
    """Inside, an error of these kinds speaks of what the user gave and is `UsageError`.

    Outside, it is a defect and keeps its traceback.

    >>> with refusing():
    ...     int("x")
    Traceback (most recent call last):
        ...
    theorems.terminal.exit_statuses.UsageError: invalid literal for int() with base 10: 'x'
    """
    try:
        yield
    except kinds as error:
        raise UsageError(*getattr(error, "parts", (str(error),))) from None


@contextlib.contextmanager
def writing(place: object, otherwise: str = "") -> Iterator[None]:
    """What cannot be written inside is `OutputError`, in one line: the ``place``, why, and
    what is left, ``otherwise``.

    >>> with writing("out.json"):
    ...     open("/no/such/directory/out.json", "w")
    Traceback (most recent call last):
        ...
    theorems.terminal.exit_statuses.OutputError: out.json: cannot be written: No such file or ...
    """
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise OutputError(f"{place}: cannot be written: {why}{otherwise}") from None


#: The signals that end a command, where there are such, with what Python does by default.
_ENDING = {
    "SIGINT": signal.default_int_handler,
    "SIGTERM": signal.SIG_DFL,
    "SIGHUP": signal.SIG_DFL,
}


class _Signals:
    """A context manager. Inside, the first such signal raises ``KeyboardInterrupt`` and its number
    is ``seen``.

    A signal that somebody else handles, or that is ignored as under ``nohup``, is left alone. A
    library may swallow the exception on its way; `check` raises it again.
    """

    def __init__(self) -> None:
        self.seen = 0
        self._previous: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}

    def __enter__(self) -> _Signals:
        self.seen = 0
        if threading.current_thread() is threading.main_thread():
            for name, default in _ENDING.items():
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is default:
                    self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.seen = self.seen or number
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise ``KeyboardInterrupt`` if a signal came and nobody said so."""
        if self.seen:
            raise KeyboardInterrupt


#: Of this process.
signals = _Signals()
