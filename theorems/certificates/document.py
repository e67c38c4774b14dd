"""The certificate as a file: JSON of schema 1, with a digest, read with suspicion and written in one piece.

The digest notices damage. It is no signature: whoever alters a claim can redo it, and then the claim falls when it is
checked again from the inputs (``kinds.recheck``).
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from simulators.documents import write_json
from simulators.regular_files import UnreadableFileError, read_regular

__all__ = [
    "EXACT",
    "Certificate",
    "CertificateError",
    "UncheckableError",
    "UndecidedError",
    "UnreadableError",
    "read",
    "versions",
    "write",
]

SCHEMA = 1
#: Files above this are refused unread, in bytes.
LARGEST = 20_000_000
#: Working precisions that a certificate may ask for, in bits.
PRECISIONS = (0, 100_000)
#: The precision of a certificate without enclosures.
EXACT = 0
_DIGITS = 18
_DEEPEST = 30


class CertificateError(ValueError):
    """The certificate is refused; one line says why, with the file and the field where there is one."""


class UnreadableError(CertificateError):
    """It is no certificate of this schema: missing, truncated, a field of the wrong type or size."""


class UndecidedError(CertificateError):
    """No certificate could be made: the claim was left open."""


class UncheckableError(CertificateError):
    """It is well formed, and what would check it again is not installed."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What is claimed, of which inputs, and what was enclosed on the way.

    ``kind`` names the checker (``kinds``); ``statement`` is a name of the library, or "". ``inputs`` alone determine
    the claim: exact numbers are text ("p/q" or "m*2^e", see ``numbers``), counts are integers, nested as the kind
    wants. ``precision`` is in bits, 0 if nothing is enclosed. ``enclosures`` are balls by their exact ends,
    [low, high], nested likewise. ``conclusion`` is what follows from them. ``claim`` is for people. ``versions`` are
    those of the software.
    """

    kind: str
    statement: str
    claim: str
    inputs: Mapping[str, Any]
    precision: int
    enclosures: Mapping[str, Any]
    conclusion: str
    versions: Mapping[str, str]

    def __post_init__(self) -> None:
        for name, want in _TYPES.items():
            _require(getattr(self, name), want, name)
        if not self.kind:
            raise UnreadableError("kind: empty")
        if not PRECISIONS[0] <= self.precision <= PRECISIONS[1]:
            raise UnreadableError(
                f"precision: {self.precision}; want from {PRECISIONS[0]} to {PRECISIONS[1]} bits"
            )
        for name in ("inputs", "enclosures"):
            _admit(getattr(self, name), name)
        for name, value in self.versions.items():
            _require(value, str, f"versions.{name}")

    @property
    def content(self) -> dict[str, Any]:
        """Everything but the digest, as JSON."""
        return {"schema": SCHEMA, **{f.name: getattr(self, f.name) for f in fields(self)}}

    @property
    def digest(self) -> str:
        """SHA-256 of the content as canonical JSON: keys sorted, no blanks, UTF-8."""
        text = json.dumps(
            self.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return hashlib.sha256(text.encode()).hexdigest()


_TYPES: Mapping[str, type] = {
    "kind": str,
    "statement": str,
    "claim": str,
    "inputs": Mapping,
    "precision": int,
    "enclosures": Mapping,
    "conclusion": str,
    "versions": Mapping,
}
_WORDS = {str: "text", int: "a whole number", Mapping: "an object"}


def _require(value: Any, want: type, field: str) -> None:
    if not isinstance(value, want) or isinstance(value, bool):
        raise UnreadableError(f"{field}: want {_WORDS[want]}, not {type(value).__name__}")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise UnreadableError(f"{field}: not Unicode text") from None


def _admit(value: Any, field: str, depth: int = 0) -> None:
    """Objects, lists, text and short integers: what an exact certificate is made of."""
    if depth > _DEEPEST:
        raise UnreadableError(
            f"{field.split('.')[0].split('[')[0]}: nested more than {_DEEPEST} deep"
        )
    if isinstance(value, Mapping):
        for name, item in value.items():
            _require(name, str, f"{field}: a key")
            _admit(item, f"{field}.{name}", depth + 1)
    elif isinstance(value, list | tuple):
        for k, item in enumerate(value):
            _admit(item, f"{field}[{k}]", depth + 1)
    elif isinstance(value, float):
        raise UnreadableError(f'{field}: {value!r} is a float; write exact numbers as text, "p/q"')
    elif isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10**_DIGITS:
            raise UnreadableError(
                f"{field}: an integer of more than {_DIGITS} digits; write it as text"
            )
    else:
        _require(value, str, field)


def _whole(text: str) -> int:
    # what is too long stays too long, so that whoever looks at the field can name it
    return int(text[: _DIGITS + 2])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise UnreadableError(f"{next(n for n in names if names.count(n) > 1)}: given twice")
    return found


def _constant(text: str) -> NoReturn:
    raise UnreadableError(f"{text} is no number")


def read(path: Path | str) -> Certificate:
    """The certificate in ``path``.

    Raises :class:`UnreadableError` if there is none or it is malformed, and :class:`CertificateError` if its digest
    does not match. The message names the file and the field. Nothing of the claim is checked: see ``kinds.recheck``.
    """
    path = Path(path)
    try:
        return _parse(_text(path))
    except CertificateError as error:
        raise type(error)(f"{path}: {error}") from None


def _text(path: Path) -> str:
    try:
        return read_regular(path, LARGEST).decode("utf-8")
    except UnreadableFileError as error:
        raise UnreadableError(str(error)) from None
    except UnicodeDecodeError:
        raise UnreadableError("not UTF-8 text") from None


def _parse(text: str) -> Certificate:
    try:
        content = json.loads(
            text, parse_int=_whole, parse_constant=_constant, object_pairs_hook=_unique
        )
    except json.JSONDecodeError as error:
        raise UnreadableError(f"not JSON, or truncated, at line {error.lineno}") from None
    except RecursionError:
        raise UnreadableError("nested too deeply") from None
    if not isinstance(content, dict):
        raise UnreadableError("not a JSON object")
    if content.get("schema") != SCHEMA or isinstance(content["schema"], bool | float):
        raise UnreadableError(f"schema: want {SCHEMA}")
    wanted = {"schema", "digest", *_TYPES}
    if missing := wanted - content.keys():
        raise UnreadableError(f"{sorted(missing)[0]}: missing")
    if strange := content.keys() - wanted:
        raise UnreadableError(f"{sorted(strange)[0]}: no field of schema {SCHEMA}")
    _require(content["digest"], str, "digest")
    certificate = Certificate(**{name: content[name] for name in _TYPES})
    if certificate.digest != content["digest"]:
        raise CertificateError("digest: does not match the content; the file was altered")
    return certificate


def write(path: Path | str, certificate: Certificate) -> None:
    """Write the certificate, replacing ``path`` in one step. Raises ``OSError``, leaving ``path`` as it was."""
    write_json(Path(path), {**certificate.content, "digest": certificate.digest})


def versions(*packages: str) -> dict[str, str]:
    """The versions that made a certificate: this project, Python, and ``packages`` by their distribution names."""
    return {
        "python": platform.python_version(),
        **{p: version(p) for p in ("batchnorm-theorems", *packages)},
    }
