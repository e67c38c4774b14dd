"""What is on record: how many mutants of each kind were caught in each file, and those shown to be
equivalent.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutation.operators import Mutant
from tests.mutation.runner import KILLED, Outcome

__all__ = ["EQUIVALENT", "SCORE", "Tally", "equivalents", "fallen", "read", "tally", "write"]

HERE = Path(__file__).parent
SCORE = HERE / "score.json"
EQUIVALENT = HERE / "equivalent.toml"


def equivalents(path: Path = EQUIVALENT) -> dict[str, str]:
    """The reason for every mutant that is shown to be equivalent, by its key.

    Raises ``ValueError`` for an entry without a reason.
    """
    with path.open("rb") as file:
        entries = tomllib.load(file).get("mutant", [])
    found = {entry["key"]: entry.get("reason", "") for entry in entries}
    if bare := [key for key, reason in found.items() if len(reason) < 20]:
        raise ValueError(f"{path.name}: {bare[0]} has no reason")
    return found


@dataclass(frozen=True)
class Tally:
    """Of one kind in one file."""

    killed: int = 0
    survived: int = 0
    equivalent: int = 0


def tally(outcomes: Sequence[tuple[Mutant, Outcome]], known: Mapping[str, str]) -> dict[str, Tally]:
    """Counts by ``file: kind``; a mutant listed as equivalent that is killed counts as killed."""
    counts: Counter[tuple[str, str]] = Counter()
    cells = set()
    for mutant, outcome in outcomes:
        cell = f"{mutant.path}: {mutant.kind}"
        cells.add(cell)
        word = "equivalent" if outcome.word != KILLED and mutant.key in known else outcome.word
        counts[cell, word] += 1
    return {
        cell: Tally(*(counts[cell, word] for word in ("killed", "survived", "equivalent")))
        for cell in sorted(cells)
    }


def share(cells: Mapping[str, Tally]) -> float:
    """Killed of all that are not equivalent; 1 of none."""
    killed = sum(cell.killed for cell in cells.values())
    survived = sum(cell.survived for cell in cells.values())
    return killed / (killed + survived) if killed + survived else 1.0


def read(path: Path = SCORE) -> dict[str, Any]:
    """The record; an empty one if there is none."""
    if not path.exists():
        return {"planted": {}, "sample": {}}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def fallen(now: Mapping[str, Tally], recorded: Mapping[str, Mapping[str, int]]) -> list[str]:
    """The cells with more survivors, or a smaller share caught, than on record; new ones must have
    no survivor.
    """
    worse = []
    for cell, found in now.items():
        before = Tally(**recorded[cell]) if cell in recorded else Tally()
        if share({cell: found}) < share({cell: before}):
            worse.append(
                f"{cell}: {found.killed} killed and {found.survived} survived, on record {before.killed} and "
                f"{before.survived}"
            )
    return worse


def write(
    part: str,
    now: Mapping[str, Tally],
    survivors: Sequence[str],
    note: Mapping[str, Any],
    path: Path = SCORE,
) -> None:
    """Put the cells of a run on record, and the keys of what survived in them; the others stay as
    they are.
    """
    record = read(path)
    record[part] = dict(
        sorted((record[part] | {cell: vars(found) for cell, found in now.items()}).items())
    )
    kept = [key for key in record.get(f"{part} survivors", []) if _cell(key) not in now]
    record[f"{part} survivors"] = sorted({*kept, *survivors})
    record["run"] = record.get("run", {}) | {part: dict(note)}
    totals: dict[str, Tally] = {
        cell: Tally(**found)
        for which in ("planted", "sample")
        for cell, found in record[which].items()
    }
    kinds = sorted({cell.partition(": ")[2] for cell in totals})
    record["by kind"] = {
        kind: {
            word: sum(getattr(t, word) for cell, t in totals.items() if cell.endswith(f": {kind}"))
            for word in ("killed", "survived", "equivalent")
        }
        for kind in kinds
    }
    record["score"] = round(share(totals), 4)
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _cell(key: str) -> str:
    path, _, kind, *_ = key.split("::")
    return f"{path}: {kind}"
