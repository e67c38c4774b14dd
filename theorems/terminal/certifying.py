"""What ``theorems certify`` and ``theorems recheck`` do: one line for each certificate."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from theorems.certificates.document import (
    CertificateError,
    UncheckableError,
    UndecidedError,
    UnreadableError,
    read,
    write,
)
from theorems.certificates.kind import Progress
from theorems.certificates.kinds import kinds, offers, recheck
from theorems.registry import select
from theorems.terminal.saving import require_directory, writing
from theorems.terminal.screen import duration

__all__ = ["certify", "recheck_files"]


@contextlib.contextmanager
def _progress(notes: Console) -> Iterator[Progress]:
    """One live line on a terminal, silence elsewhere."""
    if not notes.is_terminal or notes.is_dumb_terminal:
        yield lambda words: None
        return
    with notes.status("") as status:
        yield lambda words: status.update(Text(words))


def _line(out: Console, mark: str, style: str, name: str, words: str, seconds: float) -> None:
    out.print(Text.assemble((mark, style), f" {name}: {words} ({duration(seconds)})"), soft_wrap=True)


def certify(out: Console, notes: Console, names: Sequence[str], directory: str | None) -> bool:
    """Make the certificates that exist for these statements, into ``directory`` if one is given.

    False if a claim that should be certified is not true. Raises ``ValueError`` for unknown names, statements that no
    certificate is made for, and a directory that cannot be written to.
    """
    statements = select(names)
    pending = list(offers(statements))
    if not pending:
        made = "; ".join(kind.words for kind in kinds().values())
        raise ValueError(f"no certificate is made for {', '.join(names)}; there are: {made}")
    target = None if directory is None else require_directory("--out", directory)
    stands = True
    for number, offer in enumerate(pending, 1):
        began = time.monotonic()
        with _progress(notes) as progress:
            def at(words: str, place: str = f"[{number}/{len(pending)}] {offer.stem}") -> None:
                progress(f"{place}: {words}")

            at(offer.words)
            try:
                certificate = offer.make(at)
                if target is not None:
                    with writing(f"--out {directory}"):
                        write(target / f"{offer.stem}.json", certificate)
            except CertificateError as error:
                stands = stands and isinstance(error, UndecidedError | UncheckableError)
                mark, style, words = "none", "yellow", str(error)
            else:
                mark, style, words = "made", "green", certificate.claim
        _line(out, mark, style, offer.stem, words, time.monotonic() - began)
    if target is None:
        out.print("Not written: add --out DIR to keep them.", soft_wrap=True)
    return stands


def recheck_files(out: Console, notes: Console, files: Sequence[str]) -> tuple[bool, bool]:
    """Check certificates again, each from its inputs alone: whether all could be read and checked, and all stand."""
    checked, stand = True, True
    for number, name in enumerate(files, 1):
        began = time.monotonic()
        try:
            certificate = read(name)
            with _progress(notes) as progress:
                progress(f"[{number}/{len(files)}] {Path(name).name}: {certificate.kind}")
                words = recheck(certificate)
        except UnreadableError as error:
            checked = False
            _line(out, "unreadable", "red", name, _without(name, error), time.monotonic() - began)
        except UncheckableError as error:
            checked = False
            _line(out, "unchecked", "yellow", name, _without(name, error), time.monotonic() - began)
        except CertificateError as error:
            stand = False
            _line(out, "refused", "red", name, _without(name, error), time.monotonic() - began)
        else:
            _line(out, "holds", "green", name, words, time.monotonic() - began)
    return checked, stand


def _without(name: str, error: CertificateError) -> str:
    return str(error).removeprefix(f"{Path(name)}: ")
