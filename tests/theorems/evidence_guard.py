"""In every test, whatever check runs: its evidence says of all the readouts what these say one by one.

The rules are written down here again, apart from the checks: which verdict follows from an interval and a bound, which
from several, and what a sentinel is that fell on one readout, or on none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from theorems.statement import Evidence, Statement

__all__ = ["EvidenceError", "consistent"]

_SPEAKS = ("proved", "certified", "supported")
_SILENT = ("vacuous", "outside")
_STRONGEST_FIRST = (
    "proved",
    "certified",
    "supported",
    "vacuous",
    "outside",
    "inconclusive",
    "refuted",
)


class EvidenceError(AssertionError):
    """What a check says does not follow from what it found."""


def consistent(statement: Statement, found: Evidence) -> None:
    """Raise `EvidenceError` unless the evidence follows from its own readouts."""
    rows = found.details.get("readouts")
    if found.verdict.value == "outside" and not rows and "decided" not in found.details:
        _require(
            found.sentinel.value in _SILENT,
            found,
            "nothing was looked at, so nothing of the neighbour either",
        )
    if (
        not isinstance(rows, list)
        or not rows
        or not all("verdict" in row and "sentinel" in row for row in rows)
    ):
        return
    together = (
        "outside"
        if any(row.get("undefined") for row in rows)
        else _together([row["verdict"] for row in rows])
    )
    _require(found.verdict.value == together, found, "the verdicts of the readouts")
    sentinels = [row["sentinel"] for row in rows]
    _require(
        found.details["sentinel_refuted_on"] == sentinels.count("refuted"),
        found,
        "the sentinels that fell",
    )
    if "refuted" in sentinels:
        _require(found.sentinel.value == "refuted", found, "a sentinel fell")
    elif "inconclusive" in sentinels:
        _require(found.sentinel.value == "inconclusive", found, "a sentinel is open, and none fell")
    else:
        _require(found.sentinel.value != "refuted", found, "no sentinel fell")
    for row in rows:
        if row.get("obstacle"):
            _require(
                (row["verdict"], row["sentinel"]) == ("inconclusive",) * 2,
                found,
                "what obstructs a readout",
            )
        if row.get("undefined"):  # a mean that is not there
            _require(
                (row["verdict"], row["sentinel"]) == ("outside",) * 2,
                found,
                "samples without a value",
            )
        elif {"mean", "low", "high", "bound"} <= row.keys():
            _mean(statement.relation, row, found)


def _mean(relation: str, row: Mapping[str, Any], found: Evidence) -> None:
    """A readout of a mean against the ends of its interval."""
    low, high, bound = row["low"], row["high"], row["bound"]
    if low > high:
        _require(row["verdict"] not in (*_SPEAKS, "refuted"), found, "an empty interval")
        return
    above, below = low > bound, high < bound
    clear = {
        "<=": high <= bound,
        "<": high < bound,
        ">=": low >= bound,
        ">": low > bound,
        "==": not above and not below,
    }[relation]
    against = {"<=": above, "<": above, ">=": below, ">": below, "==": above or below}[relation]
    if row["verdict"] in _SPEAKS:
        _require(clear, found, f"{low} … {high} {relation} {bound}")
    if row["verdict"] == "refuted":
        _require(against, found, f"{low} … {high} against {bound}")
    if against and not row.get("spoiled"):
        _require(
            row["verdict"] in ("refuted", "inconclusive"), found, f"{low} … {high} against {bound}"
        )


def _together(verdicts: Sequence[str]) -> str:
    if "refuted" in verdicts:
        return "refuted"
    speaking = [v for v in verdicts if v not in _SILENT]
    return max(speaking or verdicts, key=_STRONGEST_FIRST.index)


def _require(holds: bool, found: Evidence, what: str) -> None:
    if not holds:
        raise EvidenceError(
            f"{found.method} says {found.verdict} and of its sentinel {found.sentinel}, against {what}"
        )
