"""``theorems report``: render the report of an earlier run."""

from __future__ import annotations

import argparse

from simulators.workers import cores
from theorems import report
from theorems.commands.arguments import require_directory, require_plots
from theorems.terminal.exit_statuses import AS_EXPECTED, refusing, writing
from theorems.terminal.screen import console

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("json", metavar="JSON", help="the file that verify --json wrote")
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="where the report goes; made if missing"
    )
    parser.add_argument(
        "--against",
        metavar="FILE",
        help="tell what differs from this earlier run (JSON) or ledger",
    )


def run(args: argparse.Namespace) -> int:
    with refusing():
        found = report.read_document(args.json)
        require_plots()
        directory = require_directory("--out", args.out)
        earlier = None if args.against is None else report.read_earlier(args.against)
    with writing(args.out):
        page = report.write_report(found, directory, (), earlier, cores())[0]
    console().print(f"Written: {page}", soft_wrap=True)
    return AS_EXPECTED
