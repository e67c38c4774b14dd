"""``theorems verify`` and its ledger: which one, what differs, what is accepted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.text import Text

from simulators.batches import Batch
from theorems.ledger import DEFAULT, Change, Ledger, compare, read
from theorems.registry import library
from theorems.statement import Statement
from theorems.terminal.saving import require_file, write_json
from theorems.terminal.screen import field, paragraph
from theorems.verification import Result, environment

__all__ = ["Book", "open_book", "print_changes"]


@dataclass(frozen=True)
class Book:
    """The ledger of one run: what was on record, and whether the run is to be written into it.

    ``asked`` is what runs. Of the families ``judged`` the run knows every statement, so that an entry without one is
    a removal; any other entry is of claims that were not asked for, and stays as it is.
    """

    path: Path
    ledger: Ledger
    update: bool
    asked: tuple[Statement, ...]
    judged: frozenset[str]

    def changes(self, results: Sequence[Result], seed: int, level: float) -> tuple[Change, ...]:
        """What differs from the record, entries without statement included."""
        found = compare(self.ledger, results, seed=seed, level=level, versions=_versions(seed, level))
        return found + self._removed()

    def accept(self, results: Sequence[Result], seed: int, level: float) -> None:
        """Write the results into the ledger. Raises ``OSError``, leaving the file as it was."""
        updated = self.ledger.updated(results, seed=seed, level=level, versions=_versions(seed, level),
                                      gone=[change.statement for change in self._removed()])
        write_json(self.path, updated.as_json())

    def left_alone(self, results: Sequence[Result]) -> int:
        """Entries that say nothing of this run, nor it of them."""
        touched = {r.statement.name for r in results} | {change.statement for change in self._removed()}
        return len(self.ledger.entries.keys() - touched)

    def _removed(self) -> tuple[Change, ...]:
        return self.ledger.removed(self.judged, [s.name for s in (*library(), *self.asked)])

    def agrees(self, result: Result, changes: Sequence[Change]) -> bool:
        """The result is on record as it is, which counts as expected."""
        return result.statement.name in self.ledger.entries and not any(
            c.statement == result.statement.name and c.worse for c in changes)


def _versions(seed: int, level: float) -> dict[str, str]:
    versions: dict[str, str] = environment(seed, level, None)["versions"]
    return versions


def open_book(file: str | None, update: bool, batch: Batch | None, asked: tuple[Statement, ...],
              judged: frozenset[str]) -> Book | None:
    """The ledger to compare with, if any: ``file``, or the default one in the current directory; see :class:`Book`.

    Raises ``ValueError`` for a ledger that cannot be read or, with ``update``, written, and for one beside a batch.
    """
    if batch is not None:
        if file is not None or update:
            raise ValueError("--ledger: holds verdicts on the inputs that checks lay out; leave out --batch")
        return None
    path = Path(file or DEFAULT)
    if file == "":
        raise ValueError("--ledger '': want the name of a file")
    if update:
        require_file("--ledger", str(path))
    if not os.path.lexists(path):
        if file is not None and not update:
            raise ValueError(f"--ledger {file!r}: no such file; --update-ledger makes it")
        return Book(path, Ledger({}), update, asked, judged) if update else None
    return Book(path, read(path), update, asked, judged)


def print_changes(out: Console, book: Book, results: Sequence[Result], changes: Sequence[Change]) -> None:
    """The differences as a diff, one statement after the other; one line where there are none."""
    new = [c for c in changes if c.what == "new"]
    told = [c for c in changes if c.what != "new"]
    differing = {c.statement for c in told if c.what != "removed"}
    line = f"{book.path}: {len(results) - len(new) - len(differing)} of {len(results)} as recorded"
    line += f", {len(differing)} not" if differing else ""
    line += f", {len(new)} not on record" if new else ""
    line += f"; {others} on record not run" if (others := book.left_alone(results)) else ""
    field(out, "Ledger", line)
    for name, group in groupby(told, key=lambda c: c.statement):
        out.print(Text(f"  {name}"))
        for change in group:
            paragraph(out, Text(f"- {change.what:<10}{change.recorded}", style="red"), first=Text("    "), indent=6)
            style = "green" if not change.worse else "bold red"
            paragraph(out, Text(f"+ {change.what:<10}{change.found}", style=style), first=Text("    "), indent=6)
    if book.update or not (told or new):
        return
    if any(change.worse for change in told):
        paragraph(out, Text("  Find out why first. Only what was meant is put on record, by --update-ledger."))
    else:
        paragraph(out, Text("  --update-ledger puts on record what was found."))
