"""How a command ends: the exit statuses, and the two ways in which its output fails."""

from __future__ import annotations

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
