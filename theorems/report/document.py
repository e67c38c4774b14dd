"""A run's JSON document: composed of its results, and checked before anything is drawn from it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any

from simulators.batches import Batch
from simulators.documents import plain
from simulators.regular_files import UnreadableFileError, read_regular
from theorems.statement import Verdict
from theorems.verification import Result, environment

__all__ = ["document_of", "evidence_of", "find", "full_name", "read_document", "validate_document"]

#: The version of the document this package writes and reads.
SCHEMA = 1

_REMEDY = "write it again with `theorems verify --json FILE`"
#: Larger files are no documents, nor are those with larger numbers.
_LARGEST = 10**9
_ENORMOUS = 2**64


@dataclass(frozen=True)
class _Nullable:
    """In a shape: null, or that."""

    shape: object


#: An end or a mean that is not finite, because sampling stopped early, is null.
_NUMBER_OR_NONE = int | float | None
_ENDS = (_NUMBER_OR_NONE, _NUMBER_OR_NONE)
_EVIDENCE = {
    "method": str,
    "verdict": Verdict,
    "summary": str,
    "sentinel": Verdict,
    "sentinel_claim": str,
    "tightness": _NUMBER_OR_NONE,
    "power": _NUMBER_OR_NONE,
    "seconds": int | float,
    # what figures are drawn from; ``key?`` may be missing, ``key?other`` unless there is the other
    "paths?": [
        {
            "n": int,
            "start": list,
            "multiplicities": list,
            "parameters": dict,
            "crossing_layer": int | None,
        }
    ],
    "widths?": [{"width": int, "mean": _NUMBER_OR_NONE, "interval": _ENDS}],
    "slope?widths": _Nullable(_ENDS),
    "readouts?": [{}],
}
_RESULT = {
    "statement": str,
    "variant": str,
    "title": str,
    "quantifier": str,
    "source": str,
    "verdict": Verdict,
    "expected": Verdict,
    "as_expected": bool,
    "tightness": _NUMBER_OR_NONE,
    "power": _NUMBER_OR_NONE,
    "seconds": int | float,
    "evidence": [_EVIDENCE],
}
_DOCUMENT = {
    "environment": {
        "python": str,
        "seed": int,
        "error_budget": int | float,
        "versions": dict,
        "batch": _Nullable({"description": str, "sha256": str}),
    },
    "results": [_RESULT],
    "interrupted?": bool,
}


def document_of(
    results: Sequence[Result | Mapping[str, Any]],
    *,
    seed: int,
    level: float,
    batch: Batch | None,
    interrupted: bool = False,
    refused: Sequence[str] = (),
) -> dict[str, Any]:
    """The JSON value of a run. Numbers JSON has no word for become null, exact ones become text.

    Args:
        results: results, or what :meth:`Result.as_json` made of them.
        seed: the seed of everything random in the run.
        level: the probability of any false verdict in the run, in (0, 1).
        batch: the user's batch, None where each check laid out its own inputs.
        interrupted: whether statements were left out when the run ended.
        refused: the lines about claims that made no sense, and so have no result.

    Example:
        >>> sorted(document_of([], seed=0, level=1e-6, batch=None))
        ['environment', 'results', 'schema']
    """
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "environment": environment(seed, level, batch),
        "results": [r if isinstance(r, Mapping) else r.as_json() for r in results],
    }
    if interrupted:
        found["interrupted"] = True
    if refused:
        found["refused"] = list(refused)
    valid: dict[str, Any] = plain(found)
    return valid


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
        text = read_regular(name, _LARGEST).decode("utf-8")
        value = json.loads(text, parse_constant=_no_constant)
    except UnreadableFileError as error:
        raise ValueError(f"{name}: {error}; check the path") from None
    except (ValueError, RecursionError):  # not UTF-8, not JSON, or nested or numbered beyond reason
        raise ValueError(f"{name}: not JSON; {_REMEDY}") from None
    try:
        return validate_document(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is not a JSON number")  # json accepts NaN and Infinity unless told


def validate_document(value: object) -> dict[str, Any]:
    """``value`` itself, if it is the document of a run; keys beyond the known ones are allowed.

    Raises ``ValueError`` with one line that names the place, what is wrong, and the remedy.

    Example:
        >>> validate_document({"schema": 2})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        ValueError: schema 2 is not 1; write it again with `theorems verify --json FILE`, ...
    """
    document = _object("document", value, {"schema": int})
    if document["schema"] != SCHEMA:
        raise ValueError(
            f"schema {document['schema']} is not {SCHEMA}; {_REMEDY}, using this version"
        )
    _object("document", value, _DOCUMENT)
    for package, found in document["environment"]["versions"].items():
        _instance(f"environment.versions.{package}", found, str)
    if (seed := document["environment"]["seed"]) < 0:
        raise ValueError(f"environment.seed is {seed}, not a nonnegative integer; {_REMEDY}")
    return document


def _object(where: str, value: object, shape: Mapping[str, object]) -> dict[str, Any]:
    """``value``, if it is an object with these keys, each of its shape; other keys are let pass.

    ``key?`` may be missing; ``key?other`` too, unless the key ``other`` is there.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {_kind(value)}, not an object; {_REMEDY}")
    for name, inner in shape.items():
        key, optional, unless = name.partition("?")
        if key in value:
            _require(f"{where}.{key}", value[key], inner)
        elif not optional or unless in value:
            raise ValueError(f"{where} has no {key!r}; {_REMEDY}")
    return value


def _require(where: str, value: object, shape: object) -> None:
    """Raise ``ValueError`` unless ``value`` has this shape.

    A shape is a type or a union; ``Verdict``, for a verdict's word; a dict as `_object` takes, for
    an object; a list of one shape, for such items; a tuple, for as many ends of an interval.
    """
    inside = where.removeprefix("document.")
    match shape, value:
        case _Nullable(), None:
            pass
        case _Nullable(inner), _:
            _require(where, value, inner)
        case dict(), _:
            _object(inside if isinstance(value, dict) else where, value, shape)
        case [item], list():
            for place, each in enumerate(value):
                _require(f"{inside}[{place}]", each, item)
        case tuple(), list():
            if len(value) != len(shape):
                raise ValueError(f"{where} has {len(value)} ends; {_REMEDY}")
            for end, kind in zip(value, shape, strict=True):
                _require(where, end, kind)
        case type() | UnionType(), _:
            _instance(where, value, str if shape is Verdict else shape)
            if shape is Verdict and value not in list(Verdict):
                raise ValueError(f"{where} is {value!r}, no verdict; {_REMEDY}")
        case _:
            raise ValueError(f"{where} is {_kind(value)}; {_REMEDY}")


def _instance(where: str, value: object, kind: type | UnionType) -> None:
    truth = isinstance(value, bool) and kind is not bool  # which Python takes for a number
    if truth or not isinstance(value, kind):
        raise ValueError(f"{where} is {_kind(value)}; {_REMEDY}")
    if isinstance(value, int) and abs(value) >= _ENORMOUS:
        raise ValueError(f"{where} is too large a number; {_REMEDY}")


def _kind(value: object) -> str:
    return {
        dict: "an object",
        list: "a list",
        str: "text",
        bool: "true or false",
        type(None): "null",
    }.get(type(value), f"the number {value!r}")


def full_name(result: Mapping[str, Any]) -> str:
    """``family.theorem`` or ``family.theorem:variant``.

    >>> full_name({"statement": "mine.claim", "variant": "sharp"})
    'mine.claim:sharp'
    """
    variant = result["variant"]
    return f"{result['statement']}:{variant}" if variant else str(result["statement"])


def find(document: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The result of the statement of that full name, as `full_name` gives it; None without one."""
    return next((r for r in document["results"] if full_name(r) == name), None)


def evidence_of(result: Mapping[str, Any] | None, key: str) -> Iterator[dict[str, Any]]:
    """The pieces of evidence of ``result``, which may be None, that hold ``key``.

    >>> [e["paths"] for e in evidence_of({"evidence": [{"paths": []}, {"widths": []}]}, "paths")]
    [[]]
    """
    for evidence in () if result is None else result["evidence"]:
        if key in evidence:
            yield evidence
