"""What ``theorems`` takes on its command line."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from typing import NoReturn

from theorems.ledger import DEFAULT
from theorems.terminal import inspecting, sweeping
from theorems.terminal.claims import add_claim_options
from theorems.verification import LEVEL

__all__ = ["UsageError", "parser"]


class UsageError(ValueError):
    """Bad usage or input; the message is one line: argument, value, remedy."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} ({self.prog} --help)")


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


def _add_batch_options(parser: argparse.ArgumentParser, words: str) -> None:
    parser.add_argument("--batch", metavar="FILE", help=f"{words}: a .npy, .npz or .csv file, or 'digits'")
    parser.add_argument("--layout", choices=("rows", "columns"),
                        help="how FILE stores its samples (default: rows)")
    parser.add_argument("--take", type=_whole, metavar="N", help="use only the first N samples of the batch")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; it raises :class:`UsageError` and never exits by itself."""
    found = _Parser(
        prog="theorems", allow_abbrev=False,
        description="The theory of batch normalisation in random deep networks, checked statement by statement.",
        epilog="A NAME is a family, a theorem (family.theorem), one form of it (family.theorem:variant), or claims of "
               "yours: FILE.py or FILE.py::NAME.")
    found.add_argument("--version", action="version", version=f"theorems {version('batchnorm-theorems')}")
    commands = found.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, words: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.", allow_abbrev=False)

    listing = command("list", "list the statements, their sources and the verdicts expected of them")
    listing.add_argument("names", nargs="*", metavar="NAME", help="only these; all by default")

    show = command("show", "print statements in full, with what is known of them and by what evidence")
    show.add_argument("names", nargs="+", metavar="NAME")
    show.add_argument("--json", metavar="FILE", help="add the evidence of the earlier run that wrote FILE")

    verify = command("verify", "check statements and print a verdict for each")
    verify.add_argument("names", nargs="*", metavar="NAME", help="only these; all by default")
    _add_batch_options(verify, "check on this batch")
    add_claim_options(verify)
    verify.add_argument("--json", metavar="FILE", help="write the results with their evidence to FILE")
    verify.add_argument("--report", metavar="DIR", help="write an HTML report with plots into DIR")
    verify.add_argument("--ledger", metavar="FILE", help="compare with this record of earlier verdicts "
                        f"(./{DEFAULT} if there is one)")
    verify.add_argument("--update-ledger", action="store_true", help="accept what was found: write it to the ledger")
    verify.add_argument("--seed", type=_whole, default=0, metavar="N", help="the seed of everything random (0)")
    verify.add_argument("--budget", type=_real, metavar="SECONDS", help="stop sampling after so long (no limit)")
    verify.add_argument("--level", type=_real, default=LEVEL, metavar="P",
                        help=f"probability of any false verdict in the whole run ({LEVEL:g})")

    falsify = command("falsify", "attack claims: look for the input, start, depth or width at which they fail")
    falsify.add_argument("names", nargs="*", metavar="NAME", help="FILE.py, FILE.py::NAME, or of the library")
    _add_batch_options(falsify, "try this batch first")
    add_claim_options(falsify)
    falsify.add_argument("--json", metavar="FILE", help="write what was tried and what broke to FILE: witnesses as "
                         "exact rationals, margins, seed; as verify --json does, with the command that repeats each")
    falsify.add_argument("--seed", type=_whole, default=0, metavar="N", help="the seed of everything random (0)")
    falsify.add_argument("--budget", type=_real, metavar="SECONDS", help="stop searching after so long (no limit)")
    falsify.add_argument("--level", type=_real, default=LEVEL, metavar="P",
                         help=f"probability of any false verdict in the whole run ({LEVEL:g})")

    prove = command("prove", "have Rocq check the proofs, and that they prove what the statements say")
    prove.add_argument("names", nargs="*", metavar="NAME", help="only these; all by default")
    prove.add_argument("--record", metavar="DATE", help="write the certificate, dated YYYY-MM-DD, if everything stands")
    prove.add_argument("--export", nargs="+", metavar=("NAME", "FILE"),
                       help="write the open statement NAME for Rocq to FILE, or print it, and do nothing else")

    certify = command("certify", "make the certificates that exist for statements")
    certify.add_argument("names", nargs="*", metavar="NAME", help="only these; all by default")
    certify.add_argument("--out", metavar="DIR", help="write them into DIR, made if missing")

    recheck = command("recheck", "check certificates again, each from its inputs alone")
    recheck.add_argument("files", nargs="+", metavar="FILE", help="a certificate that certify --out wrote")

    sweeping.add_arguments(command("sweep", "simulate a grid of chains, widths, batches, depths, seeds into a store"))

    inspecting.add_arguments(command("inspect", "say what becomes of a batch in your own PyTorch network"))

    report = command("report", "render the report of an earlier run")
    report.add_argument("json", metavar="JSON", help="the file that verify --json wrote")
    report.add_argument("--out", required=True, metavar="DIR", help="where the report goes; made if missing")
    return found
