"""The kind "outlier fixed points": all fixed points of f_n for stated batch sizes, and for all
large ones at once.

Checked again, the fixed points are isolated, counted and enclosed anew, from the sizes alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import flint

from simulators.arguments import require
from theorems.certificates import document
from theorems.certificates.document import Certificate, CertificateError, UnreadableError, versions
from theorems.certificates.kind import Kind, Offer, Progress, demand, demand_overlap
from theorems.certificates.numbers import ball_text, entry, rational_of, rational_text, whole_of
from theorems.checking.root_isolation import UndecidedError
from theorems.families.cluster import large_batches
from theorems.families.cluster.fixed_points import PRECISION, find
from theorems.families.cluster.large_batches import FIRST, cells, enclose
from theorems.statement import Statement

__all__ = ["KINDS", "certify_large", "certify_sizes"]

NAME = "outlier fixed points"
_STATEMENT = "cluster.outlier_fixed_point:count"
_LARGEST = 10**9
_MOST_SIZES = 1000
_SIZES = tuple(range(3, FIRST + 1))
#: Precisions at which fixed points can be told apart for every size, in bits.
_PRECISIONS = (64, 2000)
_THRESHOLD = 7


# --- stated sizes ---------------------------------------------------------------------------------


def _fixed_points(sizes: Iterable[int], precision: int, progress: Progress) -> dict[str, flint.arb]:
    """Enclosures by name, "n.point.quantity". ``CertificateError`` unless the threshold is 7 and
    all is stable.
    """
    found: dict[str, flint.arb] = {}
    for n in sizes:
        progress(f"n={n}")
        try:
            points = find(n, precision)
        except UndecidedError as error:
            raise document.UndecidedError(f"n={n}: {error}; ask for more precision") from None
        require(
            points.others == (2 if n >= _THRESHOLD else 0),
            f"n={n}: {points.others} fixed points besides the symmetric and the two-block one",
            CertificateError,
        )
        found[f"{n}.symmetric.y"] = points.symmetric.y
        if points.outlier is not None and points.separatrix is not None:
            found |= {
                f"{n}.outlier.y": points.outlier.y,
                f"{n}.outlier.slope": points.outlier.spectrum.slope,
                f"{n}.outlier.spectral_radius": points.outlier.spectrum.radius,
                f"{n}.separatrix.y": points.separatrix.y,
                f"{n}.separatrix.slope": points.separatrix.spectrum.slope,
            }
            require(
                points.outlier.spectrum.radius < 1 and points.separatrix.spectrum.slope > 1,
                f"n={n}: the stability is open; ask for more precision",
                document.UndecidedError,
            )
    return found


def _sizes_claim(sizes: Iterable[int]) -> str:
    sizes = list(sizes)
    whole = list(range(sizes[0], sizes[-1] + 1))
    words = (
        f"{sizes[0]} … {sizes[-1]}"
        if sizes == whole and len(sizes) > 1
        else ", ".join(map(str, sizes))
    )
    return (
        f"for n = {words}: besides 1/(n-1) and n-1 the map f_n has no fixed point on (0, n-1] if n "
        "≤ 6; if n ≥ 7 it has two, a repelling one and one at which the layer on Gram matrices has "
        "spectral radius below 1"
    )


_SIZES_CONCLUSION = "none for n ≤ 6, two for n ≥ 7, the larger stable"


def certify_sizes(
    sizes: Iterable[int],
    *,
    precision: int = PRECISION,
    progress: Progress = lambda _: None,
) -> Certificate:
    """The certificate for these batch sizes, from 3 to 10⁹, at most 1000. Cost: some ten
    milliseconds each.

    Raises `CertificateError` if the claim fails or stays open at this precision,
    ``ValueError`` for other sizes.
    """
    wanted = sorted(set(sizes))
    if not (1 <= len(wanted) <= _MOST_SIZES and wanted[0] >= 3 and wanted[-1] <= _LARGEST):
        ends = f"{len(wanted)} from {wanted[0]} to {wanted[-1]}" if wanted else "none"
        raise ValueError(
            f"sizes: {ends}; want from 1 to {_MOST_SIZES} of them, each from 3 to {_LARGEST}"
        )
    found = _fixed_points(wanted, precision, progress)
    return Certificate(
        kind=NAME,
        statement=_STATEMENT,
        claim=_sizes_claim(wanted),
        inputs={"sizes": wanted},
        precision=precision,
        enclosures={name: ball_text(ball) for name, ball in found.items()},
        conclusion=_SIZES_CONCLUSION,
        versions=versions("python-flint"),
    )


def _recheck_sizes(certificate: Certificate) -> str:
    given = certificate.inputs["sizes"]
    if not isinstance(given, list) or not 1 <= len(given) <= _MOST_SIZES:
        raise UnreadableError(f"inputs.sizes: want from 1 to {_MOST_SIZES} whole numbers")
    sizes = [whole_of(n, f"inputs.sizes[{k}]", 3, _LARGEST) for k, n in enumerate(given)]
    require(
        sizes == sorted(set(sizes)), "inputs.sizes: want them in order, each once", UnreadableError
    )
    found = _fixed_points(sizes, certificate.precision, lambda _: None)
    demand(certificate, claim=_sizes_claim(sizes), conclusion=_SIZES_CONCLUSION)
    _compare(certificate, found)
    return f"{certificate.claim}; {len(found)} enclosures meet those computed anew"


# --- all large sizes ------------------------------------------------------------------------------

_LARGE_CONCLUSION = "two for every n, the larger stable"
_QUANTITIES = ("decay", "growth", "stretch")


def _large(
    intervals: Iterable[tuple[flint.fmpq, flint.fmpq]], progress: Progress
) -> dict[str, flint.arb]:
    found: dict[str, flint.arb] = {}
    for k, (low, high) in enumerate(intervals):
        progress(f"1/n from {low} to {high}")
        try:
            enclosed = enclose(low, high)
        except UndecidedError as error:
            raise document.UndecidedError(f"inputs.cells[{k}]: {error}") from None
        require(
            enclosed.fixed_points == 2 and enclosed.decay > 0 and enclosed.growth > 0,
            f"inputs.cells[{k}]: the stability is open",
            document.UndecidedError,
        )
        found |= {f"{k}.{name}": getattr(enclosed, name) for name in _QUANTITIES}
    return found


def _large_claim(first: flint.fmpq) -> str:
    return (
        f"for every n ≥ {first}, 1/n as an interval: besides 1/(n-1) and n-1 the map f_n has "
        "exactly two fixed points on (0, n-1], a repelling one and one at which the layer on Gram "
        "matrices has spectral radius below 1"
    )


def certify_large(progress: Progress = lambda _: None) -> Certificate:
    """The certificate for all batch sizes of `large_batches` at once.

    ``progress`` hears which interval of 1/n is enclosed. Raises ``UndecidedError`` where the balls
    leave something open. Cost: a second.
    """
    intervals = cells()
    found = _large(intervals, progress)
    return Certificate(
        kind=NAME,
        statement=_STATEMENT,
        claim=_large_claim(1 / intervals[-1][1]),
        precision=large_batches.PRECISION,
        inputs={"cells": [list(map(rational_text, cell)) for cell in intervals]},
        enclosures={name: ball_text(ball) for name, ball in found.items()},
        conclusion=_LARGE_CONCLUSION,
        versions=versions("python-flint"),
    )


def _recheck_large(certificate: Certificate) -> str:
    whole_of(certificate.precision, "precision", large_batches.PRECISION, large_batches.PRECISION)
    given = certificate.inputs["cells"]
    if (
        not isinstance(given, list)
        or not 1 <= len(given) <= _MOST_SIZES
        or any(not isinstance(cell, list) or len(cell) != 2 for cell in given)
    ):
        raise UnreadableError(f"inputs.cells: want from 1 to {_MOST_SIZES} pairs of ends")
    intervals = [
        (rational_of(low, f"inputs.cells[{k}][0]"), rational_of(high, f"inputs.cells[{k}][1]"))
        for k, (low, high) in enumerate(given)
    ]
    ends = [flint.fmpq(0), *(high for _, high in intervals)]
    if (
        [low for low, _ in intervals] != ends[:-1]
        or sorted(set(ends)) != ends
        or ends[-1] > flint.fmpq(1, FIRST)
    ):
        raise CertificateError(
            f"inputs.cells: they do not follow one another from 0 to at most 1/{FIRST}"
        )
    found = _large(intervals, lambda _: None)
    demand(certificate, claim=_large_claim(1 / ends[-1]), conclusion=_LARGE_CONCLUSION)
    _compare(certificate, found)
    return f"{certificate.claim}; {len(intervals)} cells of 1/n"


# --- both -----------------------------------------------------------------------------------------


def _compare(certificate: Certificate, found: Mapping[str, flint.arb]) -> None:
    require(
        set(certificate.enclosures) == set(found),
        "enclosures: not those that the inputs call for",
        CertificateError,
    )
    with flint.ctx.workprec(certificate.precision):
        for name, ball in found.items():
            demand_overlap(certificate, name, ball)


def _recheck(certificate: Certificate) -> str:
    require(certificate.statement == _STATEMENT, f"statement: want {_STATEMENT}", CertificateError)
    whole_of(certificate.precision, "precision", *_PRECISIONS)
    if set(certificate.inputs) == {"sizes"}:
        return _recheck_sizes(certificate)
    entry(certificate.inputs, "cells", "inputs")
    return _recheck_large(certificate)


def _offers(statement: Statement) -> Iterator[Offer]:
    if statement.name != _STATEMENT:
        return
    stem = statement.name.replace(":", ".")
    yield Offer(
        f"{stem}.sizes",
        f"one by one, n = {_SIZES[0]} … {_SIZES[-1]}",
        lambda progress: certify_sizes(_SIZES, progress=progress),
    )
    yield Offer(f"{stem}.large", f"all n ≥ {FIRST} at once", certify_large)


KINDS = (
    Kind(
        NAME,
        "all fixed points of the layer with one outlier, and which of them are stable",
        _recheck,
        _offers,
    ),
)
