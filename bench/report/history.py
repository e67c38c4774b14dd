"""What ratios were in earlier runs: one line of JSON a run, and in the repository one a release."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from bench.report.document import Run, Text
from simulators.documents import DocumentError, Wanted, plain, structured
from simulators.regular_files import read_regular, replacing

__all__ = ["RELEASES", "Entry", "entry", "read_history", "with_release", "write_history"]

RELEASES = Path(__file__).parents[1] / "history.jsonl"
"""The history that the repository keeps."""

MOST_BYTES = 2**24

#: A ratio with the ends of its interval.
_Three = Annotated[
    tuple[float, ...], Wanted("three positive numbers", lambda x: len(x) == 3 and min(x) > 0)
]


@dataclass(frozen=True)
class Entry:
    """One run in short: where and when it was, and every ratio with the ends of its interval.

    ``load``: processes that wanted a core, before and at the end.
    """

    version: Text
    commit: str | None
    date: Text
    machine: Text
    ratios: Mapping[str, _Three]
    load: tuple[float, ...] = ()


def entry(run: Run) -> Entry:
    """The line of a run."""
    here = run.environment
    return Entry(
        here.versions["batchnorm-theorems"],
        here.commit,
        here.date,
        here.machine,
        {
            each.name: tuple(
                float(f"{x:.4g}") for x in (each.found.value, each.found.low, each.found.high)
            )
            for each in run.ratios
        },
        here.load,
    )


def read_history(path: Path) -> list[Entry]:
    """The runs in a file, oldest first; none where there is no file.

    Raises ``DocumentError``, in one line with the number of the line, for what is no history.
    """
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(read_regular(path, MOST_BYTES).decode().splitlines(), start=1):
        try:
            found.append(structured(json.loads(line), Entry, "the line"))
        except (json.JSONDecodeError, DocumentError) as error:
            raise DocumentError(f"{path.name}, line {number}: {error}") from None
    return found


def with_release(history: Sequence[Entry], new: Entry) -> list[Entry]:
    """The history with ``new`` as the line of its version, in place of an earlier one."""
    return [*(each for each in history if each.version != new.version), new]


def write_history(path: Path, history: Sequence[Entry]) -> None:
    """Write a history, replacing the file in one step."""
    with replacing(path) as draft, open(draft, "x", encoding="utf-8") as stream:
        for each in history:
            stream.write(json.dumps(plain(asdict(each)), ensure_ascii=False) + "\n")
