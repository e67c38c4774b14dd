"""The last column of the page ``docs/what_came_out.md``, from the statements that its rows name.

    python -m tests.theorems.came_out      # from the top of the sources: writes the column anew

A row ends in the statements that it speaks of and the verdicts expected of them, with what is
proved. What a run finds is compared with what is expected by ``theorems verify``.
"""

from __future__ import annotations

import re
from pathlib import Path

from theorems import get
from theorems.statement import Statement

PAGE = Path(__file__).parents[2] / "docs" / "what_came_out.md"
_ROW = re.compile(r"^\| (?P<what>.*) \| (?P<names>`[^|]*`) \| (?P<verdict>[^|]*) \|$", re.MULTILINE)


def named(text: str) -> list[str]:
    """The statements that rows name, in order."""
    cells = (row["names"] for row in _ROW.finditer(text))
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def _word(statement: Statement) -> str:
    proved = ", with a proof in Rocq" if statement.proof is not None else ""
    return f"{statement.expected.value}{proved}"


def _row(match: re.Match[str]) -> str:
    names = re.findall(r"`([^`]+)`", match["names"])
    words = dict.fromkeys(_word(get(name)) for name in names)
    return f"| {match['what']} | {match['names']} | {'; '.join(words)} |"


def refreshed(text: str) -> str:
    """The page with the last column of every row as the library has it now.

    Raises ``UnknownNameError`` for a name that no statement has.
    """
    return _ROW.sub(_row, text)


if __name__ == "__main__":
    PAGE.write_text(refreshed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
