"""Options that several verbs take, and what they are checked for before anything runs."""

from __future__ import annotations

import argparse
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from theorems.terminal.exit_statuses import UsageError

if TYPE_CHECKING:
    from simulators.batches import Batch

__all__ = [
    "add_batch_options",
    "add_names",
    "add_run_options",
    "batch_line",
    "given_batch",
    "require_apart",
    "require_directory",
    "require_file",
    "require_plots",
    "result_file",
    "whole_option",
]


def add_names(parser: argparse.ArgumentParser, words: str = "only these; all by default") -> None:
    """Any number of names of statements."""
    parser.add_argument("names", nargs="*", metavar="NAME", help=words)


def add_batch_options(parser: argparse.ArgumentParser, words: str) -> None:
    """``--batch`` and how its file is read; ``words`` say what it is for."""
    parser.add_argument(
        "--batch", metavar="FILE", help=f"{words}: a .npy, .npz or .csv file, or 'digits'"
    )
    parser.add_argument(
        "--layout",
        choices=("rows", "columns"),
        help="how FILE stores its samples (default: rows)",
    )
    parser.add_argument(
        "--take", type=_whole, metavar="N", help="use only the first N samples of the batch"
    )


def add_run_options(parser: argparse.ArgumentParser, activity: str, level: float) -> None:
    """``--seed``, ``--budget`` for an ``activity`` such as sampling, ``--level`` with its default."""
    parser.add_argument(
        "--seed", type=_whole, default=0, metavar="N", help="the seed of everything random (0)"
    )
    parser.add_argument(
        "--budget",
        type=_real,
        metavar="SECONDS",
        help=f"stop {activity} after so long (no limit)",
    )
    parser.add_argument(
        "--level",
        type=_real,
        default=level,
        metavar="P",
        help=f"probability of any false verdict in the whole run ({level:g})",
    )


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def whole_option(option: str, text: str, least: int) -> int:
    """``text`` as a whole number of at least ``least``; :class:`UsageError` names ``option``."""
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) < least:
        raise UsageError(f"{option} {text!r}: want a whole number ≥ {least}")
    return int(text)


def given_batch(args: argparse.Namespace) -> Batch | None:
    """The batch of a command line, if it gives one. Raises ``ValueError`` in one line."""
    if args.batch is None:
        for option in ("layout", "take"):
            if (value := getattr(args, option)) is not None:
                raise UsageError(
                    f"--{option} {value}: says how to read a batch, and there is none; "
                    "add --batch FILE"
                )
        return None
    if args.batch == "digits" and args.layout is not None:
        raise UsageError(
            f"--layout {args.layout}: the digits are no file with a layout; leave it out"
        )
    from simulators.batches import read_batch

    return read_batch(args.batch, layout=args.layout or "rows", take=args.take)


def batch_line(batch: Batch | None) -> str:
    """What was read, and how: the convention is always spelled out."""
    if batch is None:
        return "none given: every check lays out its own inputs"
    d, n = batch.array.shape
    return f"{batch.description}; as the {d} × {n} matrix H, one sample per column"


def require_plots() -> None:
    """Raise :class:`UsageError` with the remedy where no plots can be drawn."""
    from theorems.report import available

    if (remedy := available()) is not None:
        raise UsageError(remedy)


# --- files that are written: tried before a verb runs, so that nothing is lost at its end ---------


def require_file(option: str, text: str) -> Path:
    """``text`` as a path that a file can be written to, seen by trying; ``ValueError`` names
    ``option``.
    """
    path = Path(os.path.realpath(text))
    _require_name(option, text)
    free = not path.exists() or (path.is_file() and os.access(path, os.W_OK))
    for stands, words in (
        (text and not path.is_dir(), "a directory; name a file in it"),
        (path.parent.is_dir(), f"no directory {str(path.parent)!r}; make it first"),
        (free, "exists and cannot be replaced; name another file"),
    ):
        if not stands:
            raise UsageError(f"{option} {text!r}: {words}")
    _try_writing(option, text, path.parent)
    return path


def require_apart(option: str, text: str, others: Mapping[str, str | None]) -> None:
    """Raise ``ValueError`` if writing ``text`` would take the place of another file of the same
    command line.

    ``others`` are paths by what they are, as in ``{"the batch": "H.npy"}``; None stands for one
    that was not given.
    """
    for what, other in others.items():
        if other is not None and _same(text, other):
            raise UsageError(
                f"{option} {text!r}: is {what} itself, and would take its place; name another file"
            )


def _same(text: str, other: str) -> bool:
    if os.path.exists(text) and os.path.exists(other):
        return os.path.samefile(text, other)
    return os.path.realpath(text) == os.path.realpath(other)


def result_file(args: argparse.Namespace) -> Path:
    """Where ``--json`` is written, which may be nothing that is read. Raises ``ValueError``."""
    from simulators.batch_files import file_of
    from theorems.commands.claims import claim_files

    require_apart(
        "--json",
        args.json,
        {
            "the batch": None if args.batch is None else file_of(args.batch),
            **{f"the file of claims {path}": path for path in claim_files(args)},
        },
    )
    return require_file("--json", args.json)


def require_directory(option: str, text: str) -> Path:
    """``text`` as a directory that can be written to, made if missing; ``ValueError`` names
    ``option``.
    """
    path = Path(text)
    _require_name(option, text)
    if not text or (path.exists() and not path.is_dir()):
        raise UsageError(f"{option} {text!r}: not a directory; name one, it is made if missing")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{option} {text!r}: cannot be made: {error.strerror}; name another directory"
        ) from None
    _try_writing(option, text, path)
    return path


def _require_name(option: str, text: str) -> None:
    """Raise ``ValueError`` for a name that the system takes for none, too long for instance."""
    try:
        os.lstat(text or ".")
    except (FileNotFoundError, NotADirectoryError):
        return  # told in its place
    except OSError as error:
        raise UsageError(f"{option} {text!r}: {error.strerror}; name another place") from None


def _try_writing(option: str, text: str, directory: Path) -> None:
    probe = directory / f".theorems-{uuid.uuid4().hex[:8]}"
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"{option} {text!r}: cannot be written: {error.strerror}; name another place"
        ) from None
