"""Options that several verbs take, and what they are checked for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from theorems.terminal.refusals import UsageError

if TYPE_CHECKING:
    from simulators.batches import Batch

__all__ = [
    "add_batch_options",
    "add_names",
    "add_run_options",
    "batch_line",
    "given_batch",
    "require_plots",
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
