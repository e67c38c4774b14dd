"""Standard output and standard error of a command: failures that name the stream, text that any
encoding takes.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import unicodedata

from theorems.terminal.exit_statuses import OutputError, ReaderGoneError

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes a while to import, and Ctrl-C may come meanwhile
    from collections.abc import Iterator
    from typing import TextIO

__all__ = ["guarded", "harmless", "same_place", "spare_descriptors", "spelled"]

# --- what a terminal may be sent ------------------------------------------------------------------

#: Control characters as their pictures (ESC as ␛), and what reorders text or stands for no
#: character as �.
_HARMLESS: dict[int, int] = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
_HARMLESS |= {0x7F: 0x2421}
_HARMLESS |= dict.fromkeys(
    (
        *range(0x80, 0xA0),
        0x061C,
        0x200E,
        0x200F,
        0x2028,
        0x2029,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        0xFEFF,
    ),
    0xFFFD,
)


def harmless(text: str) -> str:
    """``text``, as long as before, without anything that a terminal would obey; line ends and
    tabs stay.

    >>> harmless("\\x1b[31mred\\x07")
    '␛[31mred␇'
    """
    return text.translate(_HARMLESS)


# --- what an encoding has no character for --------------------------------------------------------

_SPELLED = {
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "≈": "~",
    "≡": "==",
    "∈": "in",
    "∞": "oo",
    "√": "sqrt",
    "·": "*",
    "×": "x",
    "÷": "/",
    "−": "-",
    "–": "-",
    "—": "--",
    "→": "->",
    "←": "<-",
    "⇒": "=>",
    "↦": "|->",
    "…": "...",
    "‖": "||",
    "∥": "||",
    "ℓ": "l",
    "∑": "Sum",
    "Σ": "Sum",
    "∏": "Prod",
    "∫": "Int",
    "∂": "d",
    "±": "+-",
    "✓": "+",
    "✗": "x",
    "ℝ": "R",
    "ℕ": "N",
    "ℤ": "Z",
    "⌊": "floor(",
    "⌋": ")",
    "⌈": "ceil(",
    "⌉": ")",
    "⟨": "<",
    "⟩": ">",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "•": "*",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "_",
    "\u0307": ".",
    "�": "?",
    "ᵀ": "^T",
    "⁺": "^+",
    "⁻": "^-",
    "₊": "_+",
    "₋": "_-",
    "°": " deg",
    "∀": "for all ",
    "∃": "there is ",
    "∧": "and",
    "∨": "or",
    "¬": "not ",
    "∅": "{}",
    "⊂": "subset of",
    "∖": "\\",
    "′": "'",
    "″": "''",
    "∘": "o",
    "⊙": "o",
    "━": "-",
    "─": "-",
    "│": "|",
    "╸": "-",
    "╺": "-",
    "⎛": "(",
    "⎝": "(",
    "⎜": "(",
    "⎞": ")",
    "⎠": ")",
    "⎟": ")",
}
_HANDLER = "theorems.spelled"


def spelled(character: str) -> str:
    """A character in ASCII, so that it can still be read.

    >>> [spelled(character) for character in "≤σ₁␛é"]
    ['<=', 'sigma', '_1', '\\\\x1b', 'e']
    """
    if (found := _SPELLED.get(character)) is not None:
        return found
    code = ord(character)
    if 0x2400 <= code <= 0x2421:
        return f"\\x{code - 0x2400 if code < 0x2421 else 0x7F:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file's name that is no text
        return f"\\x{code - 0xDC00:02x}"
    name = unicodedata.name(character, "")
    if name.startswith("GREEK ") and " LETTER " in name:
        letter = name.rpartition(" LETTER ")[2].split()[0].lower()
        letter = "lambda" if letter == "lamda" else letter
        return letter.capitalize() if "CAPITAL" in name else letter
    tag, _, plain = unicodedata.decomposition(character).rpartition("> ")
    mark = {"<super": "^", "<sub": "_"}.get(tag, "")
    text = "".join(chr(int(part, 16)) for part in plain.split())
    if mark and len(text) == 1:
        return mark + (text if text.isascii() else spelled(text))
    flat = unicodedata.normalize("NFKD", character).replace("\u2044", "/")
    base = "".join(part for part in flat if not unicodedata.combining(part))
    if base and base.isascii():
        return base
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text, end = error.object, error.end
    found = text[error.start - 1 : error.start] if error.start else ""
    start = len(found)
    for character in text[error.start : end]:
        word = spelled(character)
        found += _gap(found, word) + word
    return found[start:] + _gap(found, text[end : end + 1]), end


def _gap(before: str, after: str) -> str:
    """A space where the two would run into one word: cα is c alpha, √n is sqrt n."""
    ends = before[-1:] + after[:1]
    return " " if len(ends) == 2 and ends.isalnum() and not ends.isdigit() else ""


codecs.register_error(_HANDLER, _replaced)


# --- the streams ----------------------------------------------------------------------------------


class _Output:
    """A text stream; what it cannot write is `OutputError` or `ReaderGoneError`, or
    nothing at all.

    ``vital`` is for results. Notes on the way are not: a run does not end because nobody reads
    them.
    """

    def __init__(self, stream: TextIO, name: str, vital: bool) -> None:
        self._stream, self._name, self._vital = stream, name, vital

    def write(self, text: str) -> int:
        with self._failures():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._failures():
            self._stream.flush()

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not self._vital:
                return
            if isinstance(error, BrokenPipeError):
                raise ReaderGoneError(*error.args) from None
            raise OutputError(
                f"{self._name}: cannot be written: {error.strerror or error}"
            ) from None

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Inside, ``sys.stdout`` and ``sys.stderr`` spell what their encoding lacks, and name what
    cannot be written.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)
    with (
        contextlib.redirect_stdout(_Output(sys.stdout, "standard output", True)),
        contextlib.redirect_stderr(_Output(sys.stderr, "standard error", False)),
    ):
        yield


def same_place(one: TextIO, other: TextIO) -> bool:
    """Whether what is written to both ends up in one place, as with ``2>&1``.

    >>> same_place(sys.stdout, sys.stdout)
    True
    """
    if one is other:
        return True
    try:
        return os.path.sameopenfile(one.fileno(), other.fileno())
    except (OSError, ValueError, AttributeError):  # a stream without descriptor, as in a test
        return False


def spare_descriptors() -> None:
    """Occupy what is closed of descriptors 0 to 2, so that no file opened later takes standard
    output's place.
    """
    while (null := os.open(os.devnull, os.O_RDWR)) <= 2:
        continue
    os.close(null)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
