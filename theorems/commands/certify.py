"""``theorems certify``: make the certificates that exist for statements, one line for each."""

from __future__ import annotations

import argparse
import time

from rich.text import Text

from theorems.certificates.document import (
    CertificateError,
    UncheckableError,
    UndecidedError,
    write,
)
from theorems.certificates.kinds import kinds, offers
from theorems.commands.arguments import add_names, require_directory
from theorems.registry import select
from theorems.terminal.exit_statuses import (
    AS_EXPECTED,
    NOT_AS_EXPECTED,
    UsageError,
    refusing,
    writing,
)
from theorems.terminal.progress import live_line
from theorems.terminal.screen import console, outcome_line

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_names(parser)
    parser.add_argument("--out", metavar="DIR", help="write them into DIR, made if missing")


def run(args: argparse.Namespace) -> int:
    out, notes = console(), console(errors=True)
    with refusing():
        pending = list(offers(select(args.names)))
        if not pending:
            made = "; ".join(kind.words for kind in kinds().values())
            raise UsageError(
                f"no certificate is made for {', '.join(args.names)}; there are: {made}"
            )
        target = None if args.out is None else require_directory("--out", args.out)
        stands = True
        for number, offer in enumerate(pending, 1):
            began = time.monotonic()
            with live_line(notes, f"[{number}/{len(pending)}] {offer.stem}: ") as at:
                at(offer.words)
                try:
                    certificate = offer.make(at)
                    if target is not None:
                        with writing(f"--out {args.out}"):
                            write(target / f"{offer.stem}.json", certificate)
                except CertificateError as error:
                    # one that is not decided, or that nobody can check here, contradicts nothing
                    stands = stands and isinstance(error, UndecidedError | UncheckableError)
                    mark, words = Text("none", "yellow"), str(error)
                else:
                    mark, words = Text("made", "green"), certificate.claim
            outcome_line(out, mark, offer.stem, words, time.monotonic() - began)
        if target is None:
            out.print("Not written: add --out DIR to keep them.", soft_wrap=True)
    return AS_EXPECTED if stands else NOT_AS_EXPECTED
