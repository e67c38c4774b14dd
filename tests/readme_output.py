"""``python -m tests.readme_output``: writes into README.md what its commands print.

A marker ``<!-- output: COMMAND -->`` stands before the block. tests/test_readme.py has the command
run again and compares: all but the times it took is to be the same.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["BLOCK", "README", "printed", "without_times"]

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(
    r"(?<=<!-- output: )(theorems [^\n]*)( -->\n```text\n)(.*?)(?=^```$)", re.M | re.S
)
#: A duration, with the blanks that right-align it.
_TIME = re.compile(r" *(?:\d+ min \d+ s|\d+(?:\.\d+)? (?:s|min))\b")


def printed(command: str) -> str:
    """What a command line of ``theorems`` prints, in an empty directory, 116 columns wide."""
    program, *arguments = shlex.split(command)
    if program != "theorems":
        raise ValueError(f"{command!r}: only theorems is run")
    with TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "theorems", *arguments],
            cwd=folder,
            env=os.environ | {"COLUMNS": "116", "PYTHONPATH": str(README.parent)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return done.stdout


def without_times(text: str) -> str:
    """The same text whatever it took.

    >>> without_times("refuted  1.007  16.9 s  20 means") == without_times("refuted  1.007   3.0 s  20 means")
    True
    """
    return _TIME.sub(" … s", text)


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(BLOCK.sub(lambda m: m[1] + m[2] + printed(m[1]), text), encoding="utf-8")
