"""What ``theorems prove`` does: establish and record, show what is recorded, or export an open statement."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from theorems.proofs.bridge import establish, skeleton
from theorems.proofs.certificate import RECORDED, compose, recorded
from theorems.proofs.rocq import SOURCES, MissingRocqError, installed
from theorems.registry import get, select
from theorems.terminal.proving import print_audit, print_recorded
from theorems.terminal.saving import require_file, write_json, writing
from theorems.terminal.screen import paragraph

__all__ = ["export", "prove"]


def prove(out: Console, notes: Console, names: Sequence[str], date: str | None) -> bool:
    """Have the proofs checked and print the table; True if they all stand.

    Without Rocq, says how to get it and shows the recorded certificate. ``date`` records a new one, which takes all
    statements. Raises ``ValueError`` for unknown names and bad dates, or if there is no Rocq to record with.
    """
    statements = select(names)
    if date is not None:
        _require_date(date, names)
    try:
        rocq = installed()
    except MissingRocqError as error:
        if date is not None:
            raise ValueError(f"--record {date}: {error}") from None
        paragraph(notes, Text(f"theorems: {error}"))
        certificate = recorded()
        if isinstance(certificate, str):
            paragraph(notes, Text(f"theorems: no certificate to show: {certificate}"))
            return False
        return print_recorded(out, certificate, statements)
    began = time.monotonic()

    def progress(words: str) -> None:
        if notes.is_terminal:
            notes.print(f"{words} …", style="dim")

    audit = establish(statements, rocq, everything=not names, progress=progress)
    print_audit(out, audit, [s for s in statements if s.proof is None], time.monotonic() - began)
    if date is not None and audit.stands:
        with writing(RECORDED):
            write_json(RECORDED, compose(audit, date))
        recorded.cache_clear()
        paragraph(out, Text(f"Recorded: {RECORDED}"))
    return audit.stands


def _require_date(date: str, names: Sequence[str]) -> None:
    try:
        datetime.date.fromisoformat(date)
    except ValueError:
        raise ValueError(f"--record {date!r}: want a date, YYYY-MM-DD") from None
    if names:
        raise ValueError(f"--record {date}: records all statements; leave out {', '.join(names)}")


def export(out: Console, given: Sequence[str]) -> int:
    """Print the skeleton of a statement, or write it to a file: 0. Raises ``ValueError`` if it has no printed form."""
    if len(given) > 2:
        raise ValueError(f"--export {' '.join(given)}: want NAME, or NAME FILE")
    text = skeleton(get(given[0]))
    if len(given) == 1:
        out.file.write(text)
        return 0
    path = require_file("--export", given[1])
    if path.is_relative_to(SOURCES.resolve()) and path.exists():
        raise ValueError(f"--export {given[1]}: a file of the development; an open statement does not replace it")
    with writing(f"--export {given[1]}"):
        Path(path).write_text(text, encoding="utf-8")
    out.print(f"Written: {path}", soft_wrap=True)
    return 0
