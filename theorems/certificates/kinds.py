"""All kinds of certificates: those that any statement may have, and those that families bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext

from theorems.certificates import instances, small_sizes
from theorems.certificates.document import (
    Certificate,
    CertificateError,
    UncheckableError,
    UnreadableError,
)
from theorems.certificates.kind import Kind, Offer
from theorems.error_words import in_words
from theorems.family import FamilyError
from theorems.registry import Part, brought, tolerated
from theorems.statement import Statement

__all__ = ["kinds", "offers", "recheck"]

_PART = "a kind of certificates"


def _kinds() -> Mapping[str, tuple[Kind, Part | None]]:
    """Every kind by its name, and who brings it; nobody, where it is for any statement."""
    found: dict[str, tuple[Kind, Part | None]] = {
        kind.name: (kind, None) for kind in (*instances.KINDS, *small_sizes.KINDS)
    }
    for part in brought("certificates"):
        with tolerated(part, _PART):
            if not isinstance(part.item, Kind):
                raise FamilyError(f"{part.item!r}: want a theorems.certificates.kind.Kind")
            if part.item.name in found:
                raise FamilyError(f"another kind is named {part.item.name!r}; give it another name")
            found[part.item.name] = part.item, part
    return found


def kinds() -> Mapping[str, Kind]:
    """Every kind by its name.

    Example:
        >>> kinds()["instance"].words
        'a claim decided at one input, exactly'
    """
    return {name: kind for name, (kind, _) in _kinds().items()}


def offers(statements: Sequence[Statement]) -> Iterator[Offer]:
    """The certificates that can be made for these statements, statement by statement.

    Nothing is decided before one is made.

    Args:
        statements: of the library, in the order in which they are wanted.
    """
    known = tuple(_kinds().values())
    for statement in statements:
        for kind, part in known:
            found: tuple[Offer, ...] = ()
            with nullcontext() if part is None else tolerated(part, _PART):
                found = tuple(kind.offers(statement))
            yield from found


def recheck(certificate: Certificate) -> str:
    """Check the claim again from the inputs; one line that says what was established.

    Raises `CertificateError` with the reason if the certificate is refused, and
    `UncheckableError` if a kind of another package fails at it. Any cost is the kind's.

    Args:
        certificate: as it was read; only its inputs are believed.
    """
    known = _kinds()
    if certificate.kind not in known:
        raise UnreadableError(
            f"kind: {certificate.kind!r} is not known; there are {', '.join(map(repr, known))}"
        )
    kind, part = known[certificate.kind]
    try:
        return kind.recheck(certificate)
    except CertificateError:
        raise
    except Exception as error:
        if part is None or not part.package:
            raise
        raise UncheckableError(f"package {part.package} fails at it: {in_words(error)}") from error
