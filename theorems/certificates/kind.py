"""What a kind of certificates is: who makes them and who checks them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import flint

from theorems.certificates.document import Certificate, CertificateError, UnreadableError
from theorems.certificates.numbers import ball_of, entry
from theorems.registry import get
from theorems.statement import Statement

__all__ = [
    "Kind",
    "Offer",
    "Progress",
    "demand",
    "demand_fields",
    "demand_overlap",
    "named",
    "stem",
]

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Offer:
    """A certificate that can be made for a statement.

    - ``stem``: the name of its file without ".json", unique in the library
    - ``words``: what it shows, in a few words
    - ``make(progress)``: makes it; raises `CertificateError` if the claim does not hold or
      could not be decided
    """

    stem: str
    words: str
    make: Callable[[Progress], Certificate]


@dataclass(frozen=True)
class Kind:
    """A kind of certificate.

    - ``name``, ``words``: what certificates of the kind say they are, and what that means
    - ``recheck(certificate)``: decides the claim again from ``inputs`` alone and returns one line
      that says what was established. It raises `CertificateError` if the claim does not
      follow, or if a recorded enclosure does not meet the recomputed one, and ``UncheckableError``
      if something needed is not installed
    - ``offers(statement)``: the certificates it can make for a statement of the library
    """

    name: str
    words: str
    recheck: Callable[[Certificate], str]
    offers: Callable[[Statement], Iterable[Offer]]


def demand(certificate: Certificate, **derived: str) -> None:
    """Refuse a certificate whose words are not those that follow from its inputs.

    ``derived`` are the words by the name of their field, ``claim=…``, ``conclusion=…``. Raises
    `CertificateError`, naming the field.
    """
    for name, wanted in derived.items():
        if (found := getattr(certificate, name)) != wanted:
            raise CertificateError(
                f"{name}: says {_short(found)}, but what follows is {_short(wanted)}"
            )


def demand_overlap(certificate: Certificate, name: str, recomputed: flint.arb) -> None:
    """Refuse a certificate whose enclosure ``name`` does not meet the recomputed ball.

    Raises `CertificateError`, and ``UnreadableError`` where there is no such enclosure.
    """
    recorded = ball_of(entry(certificate.enclosures, name, "enclosures"), f"enclosures.{name}")
    if not recorded.overlaps(recomputed):
        raise CertificateError(
            f"enclosures.{name}: recorded {recorded.str(8)}, recomputed {recomputed.str(8)}"
        )


def demand_fields(
    certificate: Certificate, inputs: tuple[str, ...], enclosures: tuple[str, ...] = ()
) -> None:
    """Refuse inputs and enclosures that the kind has no use for.

    Nothing would check what they say. Raises ``UnreadableError``, naming the first.
    """
    for field, wanted in (("inputs", inputs), ("enclosures", enclosures)):
        if strange := sorted(set(getattr(certificate, field)) - set(wanted)):
            raise UnreadableError(
                f"{field}.{strange[0]}: not known to certificates of kind {certificate.kind!r}"
            )


def named(certificate: Certificate) -> Statement:
    """The statement of the library that the certificate names.

    Raises `CertificateError` where there is none.

    Args:
        certificate: of any kind.
    """
    try:
        return get(certificate.statement)
    except ValueError as error:
        raise CertificateError(f"statement: {error}") from None


def stem(statement: Statement) -> str:
    """The statement's name as the beginning of a file name.

    Args:
        statement: whose name it is; a colon, which not every file system takes, becomes a dot.

    Example:
        >>> from theorems.registry import library
        >>> ":" in stem(library()[0])
        False
    """
    return statement.name.replace(":", ".")


def _short(text: str) -> str:
    return repr(text if len(text) <= 100 else text[:99] + "…")
