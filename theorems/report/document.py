"""A run's JSON document: composed of its results, and checked before anything is drawn from it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from simulators.arguments import kind_of, require
from simulators.batches import Batch
from simulators.documents import DocumentError, Schema1, Wanted, plain, read_json, structured
from simulators.regular_files import UnreadableFileError
from theorems.ledger import digest
from theorems.statement import Statement, Verdict
from theorems.typesetting import inline, notation
from theorems.verification import Result, environment, total_level

__all__ = [
    "LARGEST",
    "document_of",
    "evidence_of",
    "find",
    "full_name",
    "read_document",
    "validate_document",
]

_REMEDY = "write it again with `theorems verify --json FILE`"
#: Larger files are no documents.
LARGEST = 10**9

_Whole = Annotated[int, Wanted("a whole number below 2^64", lambda number: abs(number) < 2**64)]
_Seed = Annotated[int, Wanted("a whole number from 0 to 2^64", lambda seed: 0 <= seed < 2**64)]
#: An end or a mean that is not finite, because sampling stopped early, is null.
_Interval = Annotated[tuple[float | None, ...], Wanted("two ends", lambda ends: len(ends) == 2)]


@dataclass(frozen=True)
class _Batch:
    description: str
    sha256: str


@dataclass(frozen=True)
class _Environment:
    python: str
    seed: _Seed
    error_budget: float
    versions: Mapping[str, str]
    batch: _Batch | None
    budget: float | None = None
    thorough: bool = False


@dataclass(frozen=True)
class _Path:
    """What is drawn of a path in the width limit."""

    n: _Whole
    start: list[object]
    multiplicities: list[object]
    parameters: Mapping[str, object]
    crossing_layer: _Whole | None


@dataclass(frozen=True)
class _Mean:
    """What is drawn of a mean at one width."""

    width: _Whole
    mean: float | None
    interval: _Interval


@dataclass(frozen=True)
class _Evidence:
    method: str
    verdict: Verdict
    summary: str
    sentinel: Verdict
    sentinel_claim: str
    tightness: float | None
    power: float | None
    seconds: float
    paths: tuple[_Path, ...] = ()
    widths: tuple[_Mean, ...] = ()
    slope: _Interval | None = ()
    readouts: tuple[Mapping[str, object], ...] = ()
    axioms: tuple[str, ...] = ()
    gloss: str = ""
    leaves: str = ""

    def __post_init__(self) -> None:
        require(
            not self.widths or self.slope != (),
            "evidence of means by width has no slope; want two ends, or null",
            DocumentError,
        )


@dataclass(frozen=True)
class _Result:
    statement: str
    variant: str
    title: str
    quantifier: str
    source: str
    verdict: Verdict
    expected: Verdict
    as_expected: bool
    tightness: float | None
    power: float | None
    seconds: float
    evidence: list[_Evidence]
    weakened_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    level: float | None = None


@dataclass(frozen=True)
class _Run:
    """Where a run came from; runs of older versions do not say."""

    command: str | None = None
    commit: str | None = None
    date: str | None = None
    system: str | None = None
    cores: _Whole | None = None


@dataclass(frozen=True)
class _Claim:
    """What a statement said when it was checked."""

    digest: str
    relation: str
    claim: str


@dataclass(frozen=True)
class _Document:
    """What a run's document must hold; there may be more."""

    schema: Schema1
    environment: _Environment
    results: list[_Result]
    interrupted: bool = False
    refused: tuple[str, ...] = ()
    run: _Run | None = None
    claims: Mapping[str, _Claim] = field(default_factory=dict)


def document_of(
    results: Sequence[Result | Mapping[str, Any]],
    *,
    seed: int,
    level: float,
    batch: Batch | None,
    budget: float | None = None,
    thorough: bool = False,
    interrupted: bool = False,
    refused: Sequence[str] = (),
    run: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """The JSON value of a run. Numbers JSON has no word for become null, exact ones become text.

    Args:
        results: results, or what `Result.as_json` made of them.
        seed: the seed of everything random in the run.
        level: the probability of any false verdict in the run, in (0, 1), among those without a
            level of their own; what those have is added.
        batch: the user's batch, None where each check laid out its own inputs.
        budget: seconds after which sampling stopped, in (0, ∞); None for no limit.
        thorough: whether what was sampled was followed to its full power.
        interrupted: whether statements were left out when the run ended.
        refused: the lines about claims that made no sense, and so have no result.
        run: where the run came from, as `theorems.report.provenance.provenance` tells it.

    What each result's statement said is told by its full name under ``claims``, so that a reader of
    the document notices if the library has another of that name.

    Example:
        >>> sorted(document_of([], seed=0, level=1e-6, batch=None))
        ['environment', 'results', 'schema']
    """
    written = [r if isinstance(r, Mapping) else r.as_json() for r in results]
    total = total_level(level, [result.get("level") for result in written])
    circumstances = environment(seed, total, batch)
    if budget is not None:
        circumstances["budget"] = budget
    if thorough:
        circumstances["thorough"] = True
    found: dict[str, Any] = {
        "schema": 1,
        "environment": circumstances,
        "results": written,
    }
    if run is not None:
        found["run"] = dict(run)
    stated = [r.statement for r in results if isinstance(r, Result)]
    if claims := {statement.name: _claimed(statement) for statement in stated}:
        found["claims"] = claims
    if interrupted:
        found["interrupted"] = True
    if refused:
        found["refused"] = list(refused)
    valid: dict[str, Any] = plain(found)
    return valid


def _claimed(statement: Statement) -> dict[str, str]:
    return {
        "digest": digest(statement),
        "relation": statement.relation,
        "claim": inline(statement.claim, notation(statement)),
    }


def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The document in the file ``path``, validated.

    Raises ``ValueError`` with one line (file, what was found, remedy) when the file cannot be read,
    is not JSON, or is not the document of a run.

    Example:
        >>> read_document("gone.json")
        Traceback (most recent call last):
            ...
        ValueError: gone.json: cannot be read: no such file; check the path
    """
    name = os.fspath(path)
    try:
        return validate_document(read_json(name, LARGEST))
    except UnreadableFileError as error:
        raise ValueError(f"{name}: {error}; check the path") from None
    except DocumentError as error:
        raise ValueError(f"{name}: {error}; {_REMEDY}") from None


def validate_document(value: object) -> dict[str, Any]:
    """``value`` itself, if it is the document of a run; keys beyond the known ones are allowed.

    Raises ``DocumentError``, a ``ValueError``, in one line that names the place, what is there and
    what is wanted.

    Example:
        >>> validate_document({"schema": 2})
        Traceback (most recent call last):
            ...
        simulators.documents.DocumentError: schema is 2; want 1
    """
    structured(value, _Document)
    if not isinstance(value, dict):
        raise DocumentError(f"the document is {kind_of(value)}; want a dict")
    return value


def full_name(result: Mapping[str, Any]) -> str:
    """``family.theorem`` or ``family.theorem:variant``.

    >>> full_name({"statement": "mine.claim", "variant": "sharp"})
    'mine.claim:sharp'
    """
    variant = result["variant"]
    return f"{result['statement']}:{variant}" if variant else str(result["statement"])


def find(document: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The result of one statement in the document of a run.

    Args:
        document: as `read_document` gives it.
        name: ``family.theorem`` or ``family.theorem:variant``.

    Returns:
        One of its ``results``; None where that statement was not run.

    Example:
        >>> ran = {"statement": "mine.claim", "variant": ""}
        >>> find({"results": [ran]}, "mine.claim") is ran, find({"results": []}, "mine.claim")
        (True, None)
    """
    return next((r for r in document["results"] if full_name(r) == name), None)


def evidence_of(result: Mapping[str, Any] | None, key: str) -> Iterator[dict[str, Any]]:
    """The pieces of evidence of ``result``, which may be None, that hold ``key``.

    >>> [e["paths"] for e in evidence_of({"evidence": [{"paths": []}, {"widths": []}]}, "paths")]
    [[]]
    """
    for evidence in () if result is None else result["evidence"]:
        if key in evidence:
            yield evidence
