"""``theorems recheck``: check certificates again, each from its inputs alone, one line for each."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.text import Text

from theorems.certificates.document import (
    CertificateError,
    UncheckableError,
    UnreadableError,
    read,
)
from theorems.certificates.kinds import recheck
from theorems.terminal.exit_statuses import AS_EXPECTED, BAD_INPUT, NOT_AS_EXPECTED
from theorems.terminal.progress import live_line
from theorems.terminal.screen import console, outcome_line, refuse

__all__ = ["add_arguments", "run"]

#: What is said of a certificate that does not hold, and the exit status that it gives.
_FAULTS: tuple[tuple[type[CertificateError], str, str, int], ...] = (
    (UncheckableError, "unchecked", "yellow", BAD_INPUT),
    (CertificateError, "refused", "red", NOT_AS_EXPECTED),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a certificate that certify --out wrote"
    )


def run(args: argparse.Namespace) -> int:
    out, notes = console(), console(errors=True)
    statuses = {AS_EXPECTED}
    for number, name in enumerate(args.files, 1):
        began = time.monotonic()
        mark, status = Text("holds", "green"), AS_EXPECTED
        try:
            certificate = read(name)
            place = f"[{number}/{len(args.files)}] {Path(name).name}: "
            with live_line(notes, place) as at:
                at(certificate.kind)
                words = recheck(certificate)
        except UnreadableError as error:
            statuses.add(BAD_INPUT)
            refuse(f"{name}: {_words(name, error)}")
            continue
        except CertificateError as error:
            words = _words(name, error)
            _, word, style, status = next(f for f in _FAULTS if isinstance(error, f[0]))
            mark = Text(word, style)
        statuses.add(status)
        outcome_line(out, mark, name, words, time.monotonic() - began)
    # a certificate that is refused weighs more than one that nobody could read
    return next(s for s in (NOT_AS_EXPECTED, BAD_INPUT, AS_EXPECTED) if s in statuses)


def _words(name: str, error: CertificateError) -> str:
    """What is wrong, without the file's name, which the line begins with."""
    return str(error).removeprefix(f"{Path(name)}: ").removeprefix(f"{name}: ")
