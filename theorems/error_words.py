"""Errors of code that is not ours, in one line, whatever it raised."""

from __future__ import annotations

import os.path
import traceback

__all__ = ["in_words", "line_in", "message"]

_LONGEST = 300


def message(error: BaseException) -> str:
    """The text of an exception on one line, cut where it is long; empty where it has none.

    >>> message(ValueError("two\\nlines"))
    'two lines'
    """
    try:
        text = " ".join(str(error).split())
    except BaseException as second:  # __str__ is the author's own code too, and may raise anything
        if isinstance(second, KeyboardInterrupt):
            raise
        return "its text cannot be shown"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"


def in_words(error: BaseException) -> str:
    """The kind of an error and what it says, if it says anything.

    >>> in_words(ValueError("no\\nname")), in_words(KeyError())
    ('ValueError: no name', 'KeyError')
    """
    text = message(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def line_in(file: str, error: BaseException) -> int | None:
    """The last line of ``file`` that was at work when the error came up; None if none was.

    >>> line_in("claims.py", SyntaxError("invalid", ("claims.py", 3, 1, "")))
    3
    """
    wanted = os.path.realpath(file)
    if isinstance(error, SyntaxError) and os.path.realpath(error.filename or "") == wanted:
        return error.lineno
    lines = [
        number
        for frame, number in traceback.walk_tb(error.__traceback__)
        if os.path.realpath(frame.f_code.co_filename) == wanted
    ]
    return lines[-1] if lines else None
