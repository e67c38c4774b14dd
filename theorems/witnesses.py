"""The corpus of witnesses: inputs that refuted a claim, as text files that later runs try first.

One TOML file per witness, exact rationals written as text, named after the statement and its
content, so that the same witness is kept once and two processes may write at a time. Files are
written in one piece or not at all, and nothing here ever deletes one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from simulators.documents import DocumentError, Schema1, structured
from simulators.regular_files import UnreadableFileError, read_regular, replacing
from theorems.algebraic import Root, restored, stored

__all__ = ["Corpus", "CorpusError", "Witness", "spelled"]

SCHEMA = 1
#: Larger files are refused, and deeper inputs.
_LARGEST, _DEEPEST = 10**6, 6
#: In bytes; file systems take some 255, of which the digest and the suffix need a few.
_LONGEST_NAME = 150
#: An algebraic number: which real root, counted from 1, of which irreducible polynomial, its
#: constant first.
_ROOT = re.compile(r"root (\d{1,3}) of \[((?:-?\d{1,4000}, )*-?\d{1,4000})\]")
_RATIONAL = re.compile(r"-?\d{1,4000}(/[1-9]\d{0,3999})?")


class CorpusError(ValueError):
    """A file of the corpus cannot be read or written; the message names it."""


def spelled(value: object) -> str:
    """Nested numbers on one line, as an author would write them.

    Args:
        value: a number, or numbers in mappings and sequences of any depth.

    >>> spelled({"spectrum": (Fraction(2, 3), Fraction(1, 3)), "copies": [0, 0]})
    '{spectrum = (2/3, 1/3), copies = (0, 0)}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k} = {spelled(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "(" + ", ".join(map(spelled, value)) + ")"
    return str(value)


@dataclass(frozen=True)
class Witness:
    """An input at which a claim was false when it was found.

    - ``statement``, ``claim``: the name of the statement and what it claimed
    - ``input``: nested numbers by name or in sequences: whole ones, fractions, algebraic ones
    - ``kind``: "exact" where the sides were decided, "mean" where a confidence bound spoke,
      "width limit" where the enclosed path at infinite width did
    - ``found``: how, and how far the sides were apart, in words

    Example:
        >>> Witness("mine.gap", "x <= 1", {"x": Fraction(3, 2)}).digest
        '82f79c210ab7'
    """

    statement: str
    claim: str
    input: Any
    kind: str = "exact"
    found: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits of what was claimed and where it fails, not of how that was
        found.

        Witnesses of one digest are the same, and kept once.
        """
        content = json.dumps(
            [self.statement, self.claim, self.kind, _encoded(self.input)], sort_keys=True
        )
        return hashlib.sha256(content.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Corpus:
    """Witnesses in a directory, which is made when the first is written."""

    directory: Path

    def of(self, statement: str) -> list[Witness]:
        """The witnesses kept for a statement, in the order of their names.

        Raises `CorpusError` for a file that is no witness, naming it, and for a corpus that
        is no directory or cannot be read: nothing is skipped in silence.

        Args:
            statement: its full name.
        """
        try:
            names = sorted(os.listdir(self.directory))
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            raise CorpusError(
                f"{self.directory}: not a directory; name one for witnesses, it is made if missing"
            ) from None
        except OSError as error:
            raise CorpusError(f"{self.directory}: cannot be read: {error.strerror}") from None
        own = [
            self.directory / name
            for name in names
            if name.startswith(f"{_slug(statement)}-") and name.endswith(".toml")
        ]
        return [w for w in map(read, own) if w.statement == statement]

    def keep(self, witness: Witness) -> Path:
        """Write a witness, in one piece, and return its path; one that is there stays as it is.

        Raises `CorpusError` if it cannot be written.

        Args:
            witness: of any statement; the directory is made where it is missing.
        """
        path = self.directory / f"{_slug(witness.statement)}-{witness.digest}.toml"
        try:
            if path.exists():
                return path
            self.directory.mkdir(parents=True, exist_ok=True)
            with replacing(path) as draft, open(draft, "x", encoding="utf-8") as stream:
                stream.write(_text(witness))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise CorpusError(f"{path}: cannot be written: {error.strerror}") from None
        return path


@dataclass(frozen=True)
class _File:
    schema: Schema1
    statement: str
    claim: str
    kind: str
    input: object
    found: Mapping[str, str] = field(default_factory=dict)


def read(path: Path) -> Witness:
    """The witness in a file.

    Raises `CorpusError` naming the file and what is wrong with it.

    Args:
        path: of a file that `Corpus.keep` has written, of that name.
    """
    try:
        file = structured(tomllib.loads(read_regular(path, _LARGEST).decode("utf-8")), _File)
        witness = Witness(file.statement, file.claim, _decoded(file.input), file.kind, file.found)
        if not path.stem.endswith(witness.digest):
            raise DocumentError("its content is not what its name says, so it was changed")
    except (UnreadableFileError, DocumentError) as error:
        words = str(error)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        words = f"not a text in TOML ({str(error).splitlines()[0][:80]})"
    else:
        return witness
    raise CorpusError(f"{path}: {words}; mend it, or delete it if it is not needed")


def _slug(statement: str) -> str:
    """What the names of a statement's files begin with.

    A long name, which no file may have, is cut and digested.
    """
    slug = re.sub(r"[^\w.]+", "_", statement)
    if len(slug.encode("utf-8", "backslashreplace")) <= _LONGEST_NAME:
        return slug
    digest = hashlib.sha256(statement.encode("utf-8", "backslashreplace")).hexdigest()
    return f"{slug[:30]}-{digest[:16]}"


def _encoded(value: object) -> object:
    """As TOML holds it: a size stays an int, any other number is text."""
    if isinstance(value, Mapping):
        return {str(k): _encoded(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_encoded(v) for v in value]
    if isinstance(value, Root):
        return stored(value)
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise CorpusError(f"{value!r} is no exact rational, so it cannot be kept as a witness")
    return value if isinstance(value, int) else str(value)


def _decoded(value: object, depth: int = 0) -> Any:
    if isinstance(value, dict) and depth <= _DEEPEST:
        return {k: _decoded(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list) and depth <= _DEEPEST:
        return tuple(_decoded(v, depth + 1) for v in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _RATIONAL.fullmatch(value):
        return Fraction(value)
    if isinstance(value, str) and (found := _ROOT.fullmatch(value)):
        with suppress(ValueError):
            return restored(int(found[1]), [int(c) for c in found[2].split(",")])
    raise DocumentError(f"the input is not made of exact rationals ({str(value)[:40]!r})")


def _text(witness: Witness) -> str:
    lines = [
        "# A witness against a claim: tried first on every run. Exact rationals; see theorems "
        "falsify --help.",
        f"schema = {SCHEMA}",
        *(f"{name} = {_quoted(getattr(witness, name))}" for name in ("statement", "claim", "kind")),
    ]
    given = _encoded(witness.input)
    if isinstance(given, dict):
        lines += ["", "[input]", *_pairs(given)]
    else:
        lines.append(f"input = {_toml(given)}")
    if witness.found:
        lines += ["", "[found]", *_pairs(witness.found)]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    # TOML's basic strings escape as JSON does, but want DEL escaped too
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _pairs(values: Mapping[str, object]) -> list[str]:
    return [f"{_quoted(name)} = {_toml(value)}" for name, value in values.items()]


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(_pairs(value)) + "}"
    return _quoted(value) if isinstance(value, str) else str(value)
