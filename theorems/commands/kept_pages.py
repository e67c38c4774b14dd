"""What ``list`` and ``show`` printed, printed again while nothing that it came from has changed.

Loading SymPy and the formulas takes most of the time of both. A page is kept in the user's cache,
for the words asked and the terminal it was laid out for, beside the state of what it was made from.
Nothing is kept where another package brings a family, whose files are not ours to watch.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from importlib.metadata import entry_points, version
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from theorems.terminal.exit_statuses import AS_EXPECTED

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["printed"]

#: No option, and no file.
_NAME = re.compile(r"\w+(\.(?!py\b)\w+)?(:\w+)?")
#: What a console is laid out by, beside the size of its terminal.
_LAYOUT = (
    "COLORTERM",
    "COLUMNS",
    "FORCE_COLOR",
    "NO_COLOR",
    "TERM",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
    "UNICODE_VERSION",
)


class _Copied:
    """A stream that keeps a copy of the text written to it."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.text = stream, ""

    def write(self, text: str) -> int:
        self.text += text
        return self.stream.write(text)

    def flush(self) -> None:
        self.stream.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)


def printed(words: Sequence[str], run: Callable[[], int]) -> int:
    """The exit status of ``run``, which prints the page of these words; printed without it where a
    kept page is as it would be.

    A page is kept if its words are names, and its status is 0. A cache that cannot be read or
    written is none.
    """
    made_from = _sources()
    if made_from is None or not all(map(_NAME.fullmatch, words)):
        return run()
    page = _page(words)
    kept = ""
    with suppress(OSError, UnicodeError):
        kept = page.read_bytes().decode()
    head, _, text = kept.partition("\n")
    if head == made_from:
        sys.stdout.write(text)
        return AS_EXPECTED
    copied = _Copied(sys.stdout)
    with redirect_stdout(copied):
        status = run()
    if status == AS_EXPECTED:
        from simulators.regular_files import replacing  # loaded by now, and not before

        with suppress(OSError, UnicodeError):
            page.parent.mkdir(parents=True, exist_ok=True)
            with replacing(page) as draft:
                draft.write_bytes(f"{made_from}\n{copied.text}".encode())
    return status


def _page(words: Sequence[str]) -> Path:
    """The file for these words, laid out for this terminal."""
    out = sys.stdout
    size = os.get_terminal_size(out.fileno()) if out.isatty() else None
    layout = [os.environ.get(name) for name in _LAYOUT]
    key = repr((*words, size, out.encoding, out.errors, layout))
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    return Path(cache) / "batchnorm-theorems" / "pages" / name


def _sources() -> str | None:
    """The state of all that a page is made from; None where that is more than is watched."""
    if entry_points(group="theorems.families"):
        return None
    found = [platform.python_version(), *map(version, ("batchnorm-theorems", "sympy", "rich"))]
    for folder, _, names in chain.from_iterable(map(os.walk, _folders())):
        for name in () if folder.endswith("__pycache__") else names:
            state = os.stat(os.path.join(folder, name))
            found.append(f"{folder}/{name} {state.st_size} {state.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()


def _folders() -> list[str]:
    """Where our packages lie; asked without loading them."""
    found: list[str] = []
    for package in ("theorems", "simulators"):
        spec = find_spec(package)
        found += (spec and spec.submodule_search_locations) or ()
    return found
