"""A run's JSON document: composed of its results, and checked before anything is drawn from it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
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
_VERDICTS = frozenset(v.value for v in Verdict)
_ENORMOUS = 2**64
_NUMBER = (int, float)
_NUMBER_OR_NONE = (int, float, type(None))
_ENVIRONMENT: dict[str, Any] = {
    "python": str,
    "seed": int,
    "error_budget": _NUMBER,
    "versions": dict,
    "batch": (dict, type(None)),
}
_RESULT: dict[str, Any] = {
    "statement": str,
    "variant": str,
    "title": str,
    "quantifier": str,
    "source": str,
    "verdict": str,
    "expected": str,
    "as_expected": bool,
    "tightness": _NUMBER_OR_NONE,
    "power": _NUMBER_OR_NONE,
    "seconds": _NUMBER,
    "evidence": list,
}
_EVIDENCE: dict[str, Any] = {
    "method": str,
    "verdict": str,
    "summary": str,
    "sentinel": str,
    "sentinel_claim": str,
    "tightness": _NUMBER_OR_NONE,
    "power": _NUMBER_OR_NONE,
    "seconds": _NUMBER,
}
_PATH: dict[str, Any] = {
    "n": int,
    "start": list,
    "multiplicities": list,
    "parameters": dict,
    "crossing_layer": (int, type(None)),
}
#: An end or a mean that is not finite, because sampling stopped early, is null.
_WIDTH: dict[str, Any] = {"width": int, "mean": _NUMBER_OR_NONE, "interval": list}
#: Lists inside a piece of evidence that figures are drawn from, with the keys of their items.
_DRAWN: dict[str, dict[str, Any]] = {"paths": _PATH, "widths": _WIDTH, "readouts": {}}


def document_of(
    results: Sequence[Result | Mapping[str, Any]],
    *,
    seed: int,
    level: float,
    batch: Batch | None,
    interrupted: bool = False,
    refused: Sequence[str] = (),
) -> dict[str, Any]:
    """The JSON value of a run, of results or of what :meth:`Result.as_json` made of them.

    ``refused`` are the lines about claims that made no sense, and so have no result. Numbers JSON
    has no word for become null, exact numbers become text.
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


#: Larger files are no documents.
_LARGEST = 10**9


def read_document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The document in the file ``path``, validated.

    Raises ``ValueError`` with one line (file, what was found, remedy) when the file cannot be read, is not
    JSON, or is not the document of a run.
    """
    name = os.fspath(path)
    try:
        value = json.loads(
            read_regular(name, _LARGEST).decode("utf-8"), parse_constant=_no_constant
        )
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
    """
    document = _object("document", value, {"schema": int})
    if document["schema"] != SCHEMA:
        raise ValueError(
            f"schema {document['schema']} is not {SCHEMA}; {_REMEDY}, using this version"
        )
    _object("document", value, {"environment": dict, "results": list})
    _instance("document.interrupted", document.get("interrupted", False), bool)
    environment = _object("environment", document["environment"], _ENVIRONMENT)
    if environment["seed"] < 0:
        raise ValueError(
            f"environment.seed is {environment['seed']}, not a nonnegative integer; {_REMEDY}"
        )
    for package, found in environment["versions"].items():
        _instance(f"environment.versions.{package}", found, str)
    if environment["batch"] is not None:
        _object("environment.batch", environment["batch"], {"description": str, "sha256": str})
    for place, result in enumerate(document["results"]):
        _result(f"results[{place}]", result)
    return document


def _result(where: str, value: object) -> None:
    result = _object(where, value, _RESULT)
    _verdicts(where, result, ("verdict", "expected"))
    for place, item in enumerate(result["evidence"]):
        inner = f"{where}.evidence[{place}]"
        evidence = _object(inner, item, _EVIDENCE)
        _verdicts(inner, evidence, ("verdict", "sentinel"))
        for key, shape in _DRAWN.items():
            if key in evidence:
                _instance(f"{inner}.{key}", evidence[key], list)
                for number, row in enumerate(evidence[key]):
                    _object(f"{inner}.{key}[{number}]", row, shape)
        if "widths" in evidence:
            _object(inner, evidence, {"slope": (list, type(None))})
            if evidence["slope"] is not None:
                _interval(f"{inner}.slope", evidence["slope"])
            for number, row in enumerate(evidence["widths"]):
                _interval(f"{inner}.widths[{number}].interval", row["interval"])


def _object(where: str, value: object, shape: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {_kind(value)}, not an object; {_REMEDY}")
    for key, kind in shape.items():
        if key not in value:
            raise ValueError(f"{where} has no {key!r}; {_REMEDY}")
        _instance(f"{where}.{key}", value[key], kind)
    return value


def _instance(where: str, value: object, kind: Any) -> None:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise ValueError(f"{where} is {_kind(value)}; {_REMEDY}")
    if isinstance(value, int) and abs(value) >= _ENORMOUS:
        raise ValueError(f"{where} is too large a number; {_REMEDY}")


def _interval(where: str, value: list[Any]) -> None:
    if len(value) != 2:
        raise ValueError(f"{where} has {len(value)} ends; {_REMEDY}")
    for end in value:
        _instance(where, end, _NUMBER_OR_NONE)


def _verdicts(where: str, record: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        if record[key] not in _VERDICTS:
            raise ValueError(f"{where}.{key} is {record[key]!r}, no verdict; {_REMEDY}")


def _kind(value: object) -> str:
    return {
        dict: "an object",
        list: "a list",
        str: "text",
        bool: "true or false",
        type(None): "null",
    }.get(type(value), f"the number {value!r}")


def full_name(result: Mapping[str, Any]) -> str:
    """``family.theorem`` or ``family.theorem:variant``."""
    variant = result["variant"]
    return f"{result['statement']}:{variant}" if variant else str(result["statement"])


def find(document: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The result of the statement of that full name, if the run has one."""
    return next((r for r in document["results"] if full_name(r) == name), None)


def evidence_of(result: Mapping[str, Any] | None, key: str) -> Iterator[dict[str, Any]]:
    """The pieces of evidence of ``result`` that hold ``key``."""
    for evidence in () if result is None else result["evidence"]:
        if key in evidence:
            yield evidence
