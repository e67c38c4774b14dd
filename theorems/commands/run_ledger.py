"""The ledger of one run of ``theorems verify``: which one, what need not hold any more and is
established again, what differs, what is accepted.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_of
from functools import cached_property
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.text import Text

from simulators.arguments import require
from simulators.documents import write_json
from theorems.commands.arguments import claim_family, corpus_of, is_file_name, require_file
from theorems.grounds import Grounds, grounds_of
from theorems.ledger import Change, Ledger, compare, default_path, differing, read
from theorems.registry import library
from theorems.shipped_claims import SHIPPED
from theorems.statement import Statement, Verdict
from theorems.terminal.exit_statuses import UsageError
from theorems.terminal.screen import field, paragraph
from theorems.verification import LEVEL, Result, declared_levels, environment

__all__ = ["RunLedger", "open_ledger", "print_changes", "print_reasons"]


@dataclass(frozen=True)
class RunLedger:
    """The ledger of one run: what was on record, and whether the run is to be written into it.

    ``asked`` is what runs. Of the families ``judged`` the run knows every statement, so that an
    entry without one is a removal; any other entry is of claims that were not asked for, and stays
    as it is. ``declared`` has the level of each statement that does not share ``level``, by name.
    """

    path: Path
    ledger: Ledger
    update: bool
    asked: tuple[Statement, ...]
    judged: frozenset[str]
    seed: int
    level: float
    files: Mapping[str, Path]
    corpus: Path | None
    declared: Mapping[str, float] = field_of(default_factory=dict)

    @cached_property
    def reasons(self) -> dict[str, list[str]]:
        """Why each statement asked for that need not be as recorded is to be established again.

        By name: what it claims, or what its verdict rests on, differs, or it depends on such a one.
        """
        found: dict[str, list[str]] = {}
        for statement in self.asked:
            entry = self.ledger.entries.get(statement.name)
            why = differing(
                entry,
                statement,
                self._grounds(statement),
                seed=self.seed,
                level=self.declared.get(statement.name, self.level),
                versions=self._versions,
            )
            if why:
                found[statement.name] = why
        while more := dict(self._drawn_in(found)):
            found |= more
        return found

    def _drawn_in(self, found: Container[str]) -> Iterator[tuple[str, list[str]]]:
        """Statements that are not among those found and depend on one of them, and on which."""
        for statement in self.asked:
            if statement.name not in found:
                on = [name for name in statement.depends_on if name in found]
                yield from ((statement.name, [f"it depends on {name}"]) for name in on)

    @property
    def unchanged(self) -> list[tuple[Statement, Verdict]]:
        """The statements asked for that are as recorded, with their verdicts."""
        return [
            (s, self.ledger.entries[s.name].verdict)
            for s in self.asked
            if s.name not in self.reasons
        ]

    def _grounds(self, statement: Statement) -> Grounds:
        return grounds_of(statement, file=self.files.get(statement.family), corpus=self.corpus)

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
            grounds={r.statement.name: self._grounds(r.statement) for r in results},
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
    elsewhere: str,
    asked: tuple[Statement, ...],
    judged: frozenset[str],
) -> RunLedger | None:
    """The ledger to compare with, if any: ``--ledger``, or the default one in the current
    directory.

    ``elsewhere`` are the options by which a run is about other inputs than the checks' own;
    ``asked`` and ``judged`` are as in `RunLedger`. Raises ``ValueError`` for a ledger that
    cannot be read or, with ``--update-ledger``, written, for one beside other inputs, and where
    there is none for ``--changed`` to go by.
    """
    file, update = args.ledger, args.update_ledger
    if elsewhere:
        require(
            file is None and not update and not args.changed,
            "--ledger, --changed: it holds verdicts on the inputs that checks lay out; leave out "
            f"{elsewhere}",
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
        require(
            not args.changed,
            "--changed: no ledger to go by; name one with --ledger, or let --update-ledger make "
            f"{path}",
            UsageError,
        )
        return None
    ledger = read(path) if there else Ledger({})
    return RunLedger(
        path,
        ledger,
        update,
        asked,
        judged,
        args.seed,
        LEVEL if args.level is None else args.level,
        _files(args.names),
        corpus_of(args),
        declared_levels(asked, args.level),
    )


def _files(names: Iterable[str]) -> dict[str, Path]:
    """The files of claims among the names of a command line, by the family that each makes."""
    heads = {claim_family(name): name.partition("::")[0] for name in names if is_file_name(name)}
    return {family: SHIPPED.get(head, Path(head)) for family, head in heads.items()}


#: As many reasons, and names of statements, are told.
_MOST = 3


def print_reasons(out: Console, record: RunLedger) -> None:
    """Which of the statements asked for are established again, and why.

    Args:
        out: where it is printed.
        record: the ledger of the run, whose ``reasons`` are told: those alike in a line, three
            names of each.
    """
    found = record.reasons
    field(out, "Changed", f"{len(found)} of {len(record.asked)} statements since {record.path}")
    alike: dict[str, list[str]] = {}
    for name, why in found.items():
        alike.setdefault(_few(why), []).append(name)
    for words, names in alike.items():
        line = Text.assemble((f"{words}: ", "dim"), _few(names))
        paragraph(out, line, first=Text("  "), indent=4)


def _few(words: Sequence[str]) -> str:
    """The first few, and how many there are where there are more."""
    more = len(words) - _MOST
    return ", ".join(words[:_MOST]) + (f" and {more} more" if more > 0 else "")


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
