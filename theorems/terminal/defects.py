"""A defect of ours in one line: what it is, where its traceback is kept, what to report."""

from __future__ import annotations

import os
import shlex
import tempfile
import traceback
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from theorems.error_words import in_words

__all__ = ["told"]

#: Set to anything, it has the traceback printed as well.
DEBUG = "THEOREMS_DEBUG"


def told(error: Exception, arguments: Sequence[str]) -> str:
    """The line; the traceback, with version and command, is written to a new file that the line
    names.
    """
    try:
        release = version("batchnorm-theorems")
    except PackageNotFoundError:
        release = "not installed"
    command = shlex.join(("theorems", *arguments))
    trace = "".join(traceback.format_exception(error))
    if os.environ.get(DEBUG):
        from theorems.terminal.screen import console

        console(errors=True).print(trace, soft_wrap=True)
    if isinstance(error, MemoryError):
        return f"out of memory, which should have been foreseen: {_kept(release, command, trace)}"
    return f"a defect of ours, {in_words(error)}: {_kept(release, command, trace)}"


def _kept(release: str, command: str, trace: str) -> str:
    shown = command if len(command) <= 200 else f"{command[:200]} …"
    words = f"please report version {release} and the command {shown}"
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="theorems-defect-",
            suffix=".txt",
            delete=False,
            encoding="utf-8",
            errors="backslashreplace",
        ) as file:
            file.write(f"batchnorm-theorems {release}\n{command}\n\n{trace}")
        return f"{words}, with {file.name}"
    except OSError:
        return f"{words}, with what {DEBUG}=1 prints"
