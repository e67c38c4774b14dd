"""How long statements took to verify on one core, on record: for the order of work and estimates.

Nothing else depends on it, and no verdict. ``python -m theorems.running_times RUN.json …`` puts on
record what runs of ``theorems verify --jobs 1 --json RUN.json`` took.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

from simulators.documents import read_json, structured, write_json
from theorems.statement import Statement

__all__ = ["expected_seconds", "record"]

_PATH = Path(__file__).with_name("running_times.json")
_LARGEST = 10**6


@dataclass(frozen=True)
class _Time:
    statement: str
    variant: str
    seconds: float


@dataclass(frozen=True)
class _Run:
    results: list[_Time]


def expected_seconds(statement: Statement) -> float:
    """Seconds that a statement is expected to take; of one not on record, the usual time.

    Example:
        >>> from theorems.templates.pointwise import STATEMENT
        >>> expected_seconds(STATEMENT) > 0
        True
    """
    times = _recorded()
    return times.get(statement.name) or median(times.values())


@cache
def _recorded() -> Mapping[str, float]:
    return structured(read_json(_PATH, _LARGEST), dict[str, float])


def record(runs: Sequence[Path]) -> None:
    """Put the times of runs on record, to one digit, beside those of other statements.

    Args:
        runs: files as ``theorems verify --jobs 1 --json`` writes them; of a statement that is in
            several the last counts.

    Raises:
        ValueError: for a file that is no such document.
        OSError: for one that cannot be read, and where the record cannot be written.
    """
    times = dict(_recorded())
    for run in runs:
        for result in structured(read_json(run, 10**9), _Run).results:
            name = f"{result.statement}:{result.variant}".removesuffix(":")
            times[name] = max(float(f"{result.seconds:.1g}"), 0.1)
    write_json(_PATH, dict(sorted(times.items())))


if __name__ == "__main__":
    record([Path(name) for name in sys.argv[1:]])
