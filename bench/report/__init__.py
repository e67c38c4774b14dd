"""What a run of the benchmarks found: as JSON, as a page, as a line of the history."""

from bench.report.document import (
    Absent,
    Against,
    Environment,
    Growth,
    Memory,
    Ratio,
    Run,
    Side,
    Verdicts,
    read_run,
    write_run,
)
from bench.report.history import (
    RELEASES,
    Entry,
    entry,
    read_history,
    with_release,
    write_history,
)
from bench.report.machine import environment
from bench.report.page import rendered, write_report

__all__ = [
    "RELEASES",
    "Absent",
    "Against",
    "Entry",
    "Environment",
    "Growth",
    "Memory",
    "Ratio",
    "Run",
    "Side",
    "Verdicts",
    "entry",
    "environment",
    "read_history",
    "read_run",
    "rendered",
    "with_release",
    "write_history",
    "write_report",
    "write_run",
]
