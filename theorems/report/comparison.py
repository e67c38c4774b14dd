"""A run against an earlier one, or against a ledger: what is otherwise, statement by statement."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from simulators.documents import read_json
from simulators.regular_files import UnreadableFileError
from theorems import ledger
from theorems.ledger import Change, Entry, outcomes, reworded
from theorems.report.document import LARGEST, full_name, read_document
from theorems.report.sections import Section
from theorems.statement import Verdict

__all__ = ["Comparison", "Earlier", "compared", "read_earlier"]


@dataclass(frozen=True)
class Earlier:
    """What was known before: the name of a file, and an entry for each statement."""

    name: str
    entries: Mapping[str, Entry]


@dataclass(frozen=True)
class Comparison:
    """How a run differs from what was known before.

    - ``name``: of the file with what was known
    - ``changes``: by the section that they are of, in the order of the run
    - ``new``: what was not known
    - ``unseen``: names that were known, and that the run did not check
    """

    name: str
    changes: tuple[tuple[Section, tuple[Change, ...]], ...] = ()
    new: tuple[Section, ...] = ()
    unseen: tuple[str, ...] = field(default=())
    same: int = 0

    @property
    def differing(self) -> frozenset[str]:
        """The names of statements that are otherwise, or new."""
        changed = (section for section, _ in self.changes)
        return frozenset(section.name for section in (*changed, *self.new))


def read_earlier(path: str | os.PathLike[str]) -> Earlier:
    """The JSON of an earlier run, or a ledger.

    Raises ``ValueError`` in one line where the file is neither.

    Example:
        >>> read_earlier("gone.json")
        Traceback (most recent call last):
            ...
        ValueError: gone.json: cannot be read: no such file; check the path
    """
    name = os.fspath(path)
    try:
        value = read_json(name, LARGEST)
    except (UnreadableFileError, ValueError):
        value = None  # told with the remedy below
    if isinstance(value, dict) and "statements" in value:
        return Earlier(Path(name).name, ledger.read(name).entries)
    document = read_document(name)
    entries = {full_name(result): entry for result, entry in _entries(document)}
    return Earlier(Path(name).name, entries)


def _entries(document: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Entry]]:
    """Each result of a document as a ledger would have it; without digest where none is told."""
    environment, claims = document["environment"], document.get("claims", {})
    for result in document["results"]:
        value, ends = result["tightness"], result.get("tightness_interval")
        yield (
            result,
            Entry(
                claims.get(full_name(result), {}).get("digest", ""),
                Verdict(result["verdict"]),
                tuple((e["method"], Verdict(e["verdict"])) for e in result["evidence"]),
                None if value is None else (value, *(ends or (value, value))),
                environment["seed"],
                result.get("level", environment["error_budget"]),
                environment["versions"],
            ),
        )


def compared(document: Mapping[str, Any], found: Sequence[Section], earlier: Earlier) -> Comparison:
    """What a run found otherwise than was known before.

    - ``document``: of the run, validated
    - ``found``: its sections, as `theorems.report.sections.sections` makes them

    Example:
        >>> compared({"environment": {}, "results": []}, [], Earlier("old", {})).same
        0
    """
    changes: list[tuple[Section, tuple[Change, ...]]] = []
    new: list[Section] = []
    for section, (_, now) in zip(found, _entries(document), strict=True):
        if (before := earlier.entries.get(section.name)) is None:
            new.append(section)
        elif told := _changes(section, before, now):
            changes.append((section, tuple(told)))
    names = {section.name for section in found}
    return Comparison(
        earlier.name,
        tuple(changes),
        tuple(new),
        tuple(name for name in earlier.entries if name not in names),
        len(found) - len(changes) - len(new),
    )


def _changes(section: Section, before: Entry, now: Entry) -> list[Change]:
    if not before.digest or not now.digest:
        now = replace(now, digest=before.digest)  # one of them does not say
        text: list[Change] = []
    elif section.statement is not None:
        text = reworded(before, section.statement)
    else:
        ends = before.digest[:12], now.digest[:12]
        text = [Change(section.name, "text", *ends)] if ends[0] != ends[1] else []
    return text + outcomes(section.name, before, now)
