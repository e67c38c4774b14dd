"""Files that the user names: only regular ones are read, and no more of them than can be held; what
is written takes their place in one step.

A pipe would be waited for, a device may never end, and a name may be no name at all.
"""

from __future__ import annotations

import contextlib
import lzma
import os
import stat
import struct
import tokenize
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from simulators.arguments import require

__all__ = ["DAMAGE", "UnreadableFileError", "obstacle", "read_regular", "replacing"]

DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and `zipfile` raise for files that are damaged, or something else."""

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe and no file; write to a file first"),
    (stat.S_ISSOCK, "a socket and no file"),
    (stat.S_ISCHR, "a device and no file"),
    (stat.S_ISBLK, "a device and no file"),
)


class UnreadableFileError(ValueError):
    """A file cannot be read as a whole; the message says why and leaves the name to the caller.

    Example:
        >>> read_regular("/", 100)
        Traceback (most recent call last):
        simulators.regular_files.UnreadableFileError: cannot be read: a directory
    """


def obstacle(path: str | os.PathLike[str]) -> str | None:
    """Why ``path`` cannot be read as a regular file, in a few words; None if nothing is known
    against it.

    A link is followed. Nothing is opened, so that nothing is waited for.

    Example:
        >>> obstacle("/"), obstacle("no such/file")
        ('a directory', 'no such file')
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "no such file"
    except OSError as error:  # also a name beyond what the system takes
        return error.strerror or str(error)
    except ValueError:
        return "a name with a null character"
    return next((words for is_kind, words in _KINDS if is_kind(mode)), None)


def read_regular(path: str | os.PathLike[str], most: int) -> bytes:
    """The content of the regular file ``path`` of at most ``most`` bytes.

    Raises `UnreadableFileError` for anything else, saying what it is.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = Path(folder, "notes").write_text("a line")
        ...     read_regular(Path(folder, "notes"), 100)
        b'a line'
    """
    words = obstacle(path)
    require(words is None, f"cannot be read: {words}", UnreadableFileError)
    try:
        with open(path, "rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror or error}") from None
    require(len(data) <= most, f"larger than {most} bytes", UnreadableFileError)
    return data


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """The path of a draft beside ``path``, which takes its place in one step at the end.

    Where anything is raised the draft is removed, and ``path`` is as it was. A link is followed.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with replacing(f"{folder}/notes") as draft:
        ...         _ = draft.write_text("a line")
        ...     os.listdir(folder)
        ['notes']
    """
    target = Path(os.path.realpath(path))
    draft = target.parent / f".{uuid.uuid4().hex}.draft"
    try:
        yield draft
        os.replace(draft, target)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
