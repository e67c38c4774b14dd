"""The command ``theorems``: streams, signals and exit status of the process; what a command does is
elsewhere.

Exit status: 0 everything as expected; 1 a verdict other than expected, a surviving sentinel or a
proof that does not stand; 2 bad usage or input, in one line on standard error; 3 an output could
not be written; 4 too little of a network could be judged; 70 a defect of ours, with what to report;
129, 130, 143 ended by SIGHUP, SIGINT (Ctrl-C), SIGTERM, after what was established has been printed
and saved; 141 the reader of the output went away.

Everything heavy is imported inside the guard, so that Ctrl-C during imports is no traceback either.
"""

from __future__ import annotations

import os
import sys

from theorems.terminal.exit_statuses import (
    CLOSED_PIPE,
    DEFECT,
    INTERRUPTED,
    NOT_WRITTEN,
    OutputError,
    ReaderGoneError,
    signals,
)
from theorems.terminal.streams import guarded, spare_descriptors

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing itself takes a while to import
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (the process's by default) and return its exit
    status.
    """
    with signals:
        try:
            status = _guarded(argv)
        except KeyboardInterrupt:
            status = INTERRUPTED
        return 128 + signals.seen if status == INTERRUPTED and signals.seen else status


def _guarded(argv: Sequence[str] | None) -> int:
    spare_descriptors()
    if sys.stdout is None:
        return _say(
            "standard output: closed, so nothing could be printed; leave it open, or use "
            ">/dev/null",
            NOT_WRITTEN,
        )
    with guarded():
        try:
            status = _status(argv)
            sys.stdout.flush()
        except ReaderGoneError:
            _let_go_of_output()
            return CLOSED_PIPE
        except OutputError as error:
            _let_go_of_output()
            return _say(str(error), NOT_WRITTEN)
        return status


def _status(argv: Sequence[str] | None) -> int:
    """Run a command; what it raises that is no refusal is a defect, unless an interruption came
    out as one.
    """
    try:
        from theorems.commands.command_line import run

        return run(argv)
    except (ReaderGoneError, OutputError):
        raise
    except Exception as error:
        if signals.seen:  # swallowed by a library, which then failed for it
            return INTERRUPTED
        from theorems.terminal.defects import told

        return _say(told(error, sys.argv[1:] if argv is None else argv), DEFECT)


def _say(line: str, status: int) -> int:
    """One line on standard error."""
    try:
        from theorems.terminal.screen import refuse

        refuse(line)
    except ImportError:  # the defect may be there
        print(f"theorems: {line.encode('ascii', 'backslashreplace').decode()}", file=sys.stderr)
    return status


def _let_go_of_output() -> None:
    """Send what is still buffered nowhere: the interpreter flushes once more on its way out, and
    would complain.
    """
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):  # a stream without descriptor, as in a test
        pass


if __name__ == "__main__":
    sys.exit(main())
