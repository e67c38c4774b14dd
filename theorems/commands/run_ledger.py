"""The ledger of one run of ``theorems verify``: which one, what differs, what is accepted."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.text import Text

from simulators.arguments import require
from simulators.batches import Batch
from simulators.documents import write_json
from theorems.commands.arguments import require_file
from theorems.ledger import Change, Ledger, compare, default_path, read
from theorems.registry import library
from theorems.statement import Statement
from theorems.terminal.exit_statuses import UsageError
from theorems.terminal.screen import field, paragraph
from theorems.verification import Result, environment

__all__ = ["RunLedger", "open_ledger", "print_changes"]


@dataclass(frozen=True)
class RunLedger:
    """The ledger of one run: what was on record, and whether the run is to be written into it.

    ``asked`` is what runs. Of the families ``judged`` the run knows every statement, so that an
    entry without one is a removal; any other entry is of claims that were not asked for, and stays
    as it is.
    """

    path: Path
    ledger: Ledger
    update: bool
    asked: tuple[Statement, ...]
    judged: frozenset[str]
    seed: int
    level: float

    def changes(self, results: Sequence[Result]) -> tuple[Change, ...]:
        """What differs from the record.

        Args:
            results: those of this run.

        Returns:
            Changes of every result that is new or other than recorded, and of every entry of a
            judged family that has no statement any more.
        """
        found = compare(
            self.ledger, results, seed=self.seed, level=self.level, versions=self._versions
        )
        return found + self._removed()

    def accept(self, results: Sequence[Result]) -> None:
        """Write the results into the ledger, and take entries without a statement out.

        Args:
            results: those of this run.

        Raises:
            OSError: where it cannot be written, which leaves the file as it was.
        """
        updated = self.ledger.updated(
            results,
            seed=self.seed,
            level=self.level,
            versions=self._versions,
            gone=[change.statement for change in self._removed()],
        )
        write_json(self.path, updated.as_json())

    def left_alone(self, results: Sequence[Result]) -> int:
        """How many entries say nothing of this run, nor it of them.

        Args:
            results: those of this run.

        Returns:
            The number of entries that are neither of a result nor removed.
        """
        touched = {r.statement.name for r in results}
        touched |= {change.statement for change in self._removed()}
        return len(self.ledger.entries.keys() - touched)

    def agrees(self, result: Result, changes: Sequence[Change]) -> bool:
        """Whether a result is on record and no worse than there, which counts as expected.

        Args:
            result: one of this run.
            changes: what `changes` gives of it.

        Returns:
            False for a result that has no entry.
        """
        return result.statement.name in self.ledger.entries and not any(
            c.statement == result.statement.name and c.worse for c in changes
        )

    def _removed(self) -> tuple[Change, ...]:
        known = [s.name for s in (*library(), *self.asked)]
        return self.ledger.removed(self.judged, known)

    @property
    def _versions(self) -> dict[str, str]:
        versions: dict[str, str] = environment(self.seed, self.level, None)["versions"]
        return versions


def open_ledger(
    args: argparse.Namespace,
    batch: Batch | None,
    asked: tuple[Statement, ...],
    judged: frozenset[str],
) -> RunLedger | None:
    """The ledger to compare with, if any: ``--ledger``, or the default one in the current
    directory.

    ``asked`` and ``judged`` are as in `RunLedger`. Raises ``ValueError`` for a ledger that
    cannot be read or, with ``--update-ledger``, written, and for one beside a batch.
    """
    file, update = args.ledger, args.update_ledger
    if batch is not None:
        require(
            file is None and not update,
            "--ledger: holds verdicts on the inputs that checks lay out; leave out --batch",
            UsageError,
        )
        return None
    path = Path(file) if file else default_path()
    require(file != "", "--ledger '': want the name of a file", UsageError)
    if update:
        require_file("--ledger", str(path))
    there = os.path.lexists(path)
    if not there and not update:
        require(
            file is None, f"--ledger {file!r}: no such file; --update-ledger makes it", UsageError
        )
        return None
    ledger = read(path) if there else Ledger({})
    return RunLedger(path, ledger, update, asked, judged, args.seed, args.level)


def print_changes(
    out: Console, record: RunLedger, results: Sequence[Result], changes: Sequence[Change]
) -> None:
    """The differences as a diff, one statement after the other; one line where there are none.

    ``results`` are of the run, ``changes`` what `RunLedger.changes` found of them.
    """
    new = [c for c in changes if c.what == "new"]
    told = [c for c in changes if c.what != "new"]
    differing = {c.statement for c in told if c.what != "removed"}
    same = len(results) - len(new) - len(differing)
    line = f"{record.path}: {same} of {len(results)} as recorded"
    line += f", {len(differing)} not" if differing else ""
    line += f", {len(new)} not on record" if new else ""
    line += f"; {others} on record not run" if (others := record.left_alone(results)) else ""
    field(out, "Ledger", line)
    margin = Text("    ")
    for name, group in groupby(told, key=lambda c: c.statement):
        out.print(Text(f"  {name}"))
        for change in group:
            style = "bold red" if change.worse else "green"
            for sign, text, colour in (
                ("-", change.recorded, "red"),
                ("+", change.found, style),
            ):
                line = f"{sign} {change.what:<10}{text}"
                paragraph(out, Text(line, style=colour), first=margin, indent=6)
    if record.update or not (told or new):
        return
    if any(change.worse for change in told):
        remedy = "Find out why first. Only what was meant is put on record, by --update-ledger."
    else:
        remedy = "--update-ledger puts on record what was found."
    paragraph(out, Text(f"  {remedy}"))
