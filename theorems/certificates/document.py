"""The certificate as a file: JSON of schema 1, with a digest, read with suspicion.

The digest notices damage. It is no signature: whoever alters a claim can redo it, and then the
claim falls when it is checked again from the inputs (``kinds.recheck``).
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from simulators.documents import (
    DocumentError,
    Schema1,
    Wanted,
    read_json,
    require_fields,
    structured,
    write_json,
)
from simulators.regular_files import UnreadableFileError

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

_Kind = Annotated[str, Wanted("text"), Wanted("the name of a kind of certificates", bool)]
_Precision = Annotated[
    int,
    Wanted("a whole number"),
    Wanted(
        f"from {PRECISIONS[0]} to {PRECISIONS[1]} bits",
        lambda bits: PRECISIONS[0] <= bits <= PRECISIONS[1],
    ),
]


class CertificateError(ValueError):
    """The certificate is refused; one line says why, with the file and the field where there is
    one.
    """


class UnreadableError(CertificateError):
    """It is no certificate of this schema: missing, truncated, of a wrong type or size."""


class UndecidedError(CertificateError):
    """No certificate could be made: the claim was left open."""


class UncheckableError(CertificateError):
    """It is well formed, and what would check it again is not installed."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What is claimed, of which inputs, and what was enclosed on the way.

    - ``kind``: names the checker (``kinds``)
    - ``statement``: a name of the library, or ""
    - ``claim``: for people
    - ``inputs``: they alone determine the claim: exact numbers are text ("p/q" or "m*2^e", see
      ``numbers``), counts are integers, nested as the kind wants
    - ``precision``: in bits, 0 if nothing is enclosed
    - ``enclosures``: balls by their exact ends, [low, high], nested likewise
    - ``conclusion``: what follows from them
    - ``versions``: those of the software

    Raises `UnreadableError` for a field of the wrong type or size.

    Example:
        >>> fields = dict(statement="", claim="1 < 2", inputs={}, enclosures={}, versions={})
        >>> Certificate(kind="order", precision=EXACT, conclusion="holds", **fields).precision
        0
        >>> Certificate(kind="order", precision=0.5, conclusion="holds", **fields)
        Traceback (most recent call last):
        theorems.certificates.document.UnreadableError: precision is 0.5; want a whole number
    """

    kind: _Kind
    statement: str
    claim: str
    inputs: Mapping[str, object]
    precision: _Precision
    enclosures: Mapping[str, object]
    conclusion: str
    versions: Mapping[str, str]

    def __post_init__(self) -> None:
        try:
            require_fields(self)
        except DocumentError as error:
            raise UnreadableError(str(error)) from None
        _admit(self.inputs, "inputs")
        _admit(self.enclosures, "enclosures")

    @property
    def content(self) -> dict[str, object]:
        """Everything but the digest, as JSON: ``schema``, then each field by its name."""
        return {"schema": SCHEMA, **{f.name: getattr(self, f.name) for f in fields(self)}}

    @property
    def digest(self) -> str:
        """SHA-256 of the content, 64 hexadecimal digits.

        Of the content as canonical JSON: keys sorted, no blanks, UTF-8. Whoever changes a letter of
        the content has another digest, and is refused when the certificate is read.
        """
        text = json.dumps(
            self.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return hashlib.sha256(text.encode()).hexdigest()


def _admit(value: object, field: str, depth: int = 0) -> None:
    """Objects, lists, text and short integers: what an exact certificate is made of."""
    if depth > _DEEPEST:
        raise UnreadableError(f"{field.partition('.')[0]}: nested more than {_DEEPEST} deep")
    if isinstance(value, Mapping):
        for name, item in value.items():
            _admit(name, f"{field}: a key")
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
        try:
            structured(value, str, field)
        except DocumentError as error:
            raise UnreadableError(str(error)) from None


@dataclass(frozen=True)
class _Head:
    """What the file holds beside the certificate."""

    schema: Schema1
    digest: str


def read(path: Path | str) -> Certificate:
    """The certificate in ``path``.

    Raises `UnreadableError` if there is none or it is malformed, and
    `CertificateError` if its digest does not match. The message names the file and the
    field. Nothing of the claim is checked: see ``kinds.recheck``.
    """
    try:
        content = structured(read_json(path, LARGEST), dict[str, object], "the file")
        head = structured(content, _Head)
        if strange := content.keys() - {f.name for f in (*fields(_Head), *fields(Certificate))}:
            raise UnreadableError(f"{min(strange)}: no field of schema {SCHEMA}")
        certificate = structured(content, Certificate)
        if certificate.digest != head.digest:
            raise CertificateError("digest: does not match the content; the file was altered")
    except (UnreadableFileError, DocumentError) as error:
        raise UnreadableError(f"{path}: {error}") from None
    except CertificateError as error:
        raise type(error)(f"{path}: {error}") from None
    return certificate


def write(path: Path | str, certificate: Certificate) -> None:
    """Write the certificate, replacing ``path`` in one step.

    Raises ``OSError``, leaving ``path`` as it was.

    Args:
        path: the file, which may be there already.
        certificate: what goes into it, with its digest.
    """
    write_json(Path(path), {**certificate.content, "digest": certificate.digest})


def versions(*packages: str) -> dict[str, str]:
    """The versions that made a certificate: of this project, Python, and ``packages`` by their
    distribution names.
    """
    return {
        "python": platform.python_version(),
        **{p: version(p) for p in ("batchnorm-theorems", *packages)},
    }
