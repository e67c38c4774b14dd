"""What is known of mutants from before: an outcome holds while nothing that it rests on has changed.

A mutant that survived did so against the very tests that there were. One that was killed stays
killed by the same tests, whatever is added to them: of every file of tests it met, all that was
defined must still be there as it was.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from tests.mutation.operators import Mutant
from tests.mutation.reach import CACHE, around
from tests.mutation.runner import KILLED, Outcome
from tests.mutation.sites import ROOT

__all__ = ["Basis", "bases", "definitions", "forget", "keep", "recall"]

_OUTCOMES = CACHE / "outcomes.jsonl"
#: A folder: what files of tests defined at one time, under the digest of it all.
_DEFINED = CACHE / "defined"


@dataclass(frozen=True)
class Basis:
    """What the outcome of a mutant rests on.

    - ``source``: the digest of the mutant and of the file it is of; ``tests``: that of the names of
      its tests
    - ``files``: digests of the files of these tests and of what lies beside them, by name
    - ``defined``: under which digest it is kept what these files define
    """

    source: str
    tests: str
    files: Mapping[str, str]
    defined: str

    def bears(self, earlier: Basis, word: str) -> bool:
        """Whether an outcome that rested on the ``earlier`` one rests on this one too."""
        if self.source != earlier.source:
            return False
        if (self.tests, self.files) == (earlier.tests, earlier.files):
            return True
        before, now = _defined(earlier.defined), _defined(self.defined)
        return word == KILLED and all(
            name in before and set(before[name]) <= set(now.get(name, ())) for name in earlier.files
        )


def bases(tests: Mapping[Mutant, Sequence[str]]) -> dict[Mutant, Basis]:
    """What the outcome of each mutant against its ``tests`` rests on, as the files are now."""
    defined = _noted()
    found = {}
    for mutant, names in tests.items():
        files: dict[str, str] = {}
        for name in sorted({test.partition("::")[0] for test in names}):
            files |= around(name)
        text = (ROOT / mutant.path).read_text(encoding="utf-8")
        source = _digest(f"{mutant.key}\0{text}")
        found[mutant] = Basis(source, _digest("\0".join(names)), files, defined)
    return found


def keep(rests_on: Basis, outcome: Outcome) -> None:
    """Note an outcome: one line, so that an interrupt loses one outcome at most."""
    with _OUTCOMES.open("a", encoding="utf-8") as file:
        file.write(json.dumps([asdict(rests_on), outcome.word, outcome.why]) + "\n")


def recall(wanted: Mapping[Mutant, Basis]) -> dict[Mutant, Outcome]:
    """The outcomes known of these mutants that hold now; that a mutant was killed, before all else."""
    noted: dict[str, list[tuple[Basis, Outcome]]] = defaultdict(list)
    lines = _OUTCOMES.read_text(encoding="utf-8").splitlines() if _OUTCOMES.exists() else []
    for line in lines:
        if line.endswith("]"):
            earlier, word, why = json.loads(line)
            noted[earlier["source"]].append((Basis(**earlier), Outcome(word, why)))
    found = {}
    for mutant, now in wanted.items():
        held = [o for earlier, o in noted[now.source] if now.bears(earlier, o.word)]
        if held:
            found[mutant] = next((o for o in held if o.word == KILLED), held[-1])
    return found


def forget() -> None:
    """Let nothing be known."""
    _OUTCOMES.unlink(missing_ok=True)


def definitions(text: str) -> list[str]:
    """The digest of each statement of a file of tests, wherever it stands and however it is laid
    out.
    """
    return [_digest(ast.dump(statement)) for statement in ast.parse(text).body]


def _noted() -> str:
    """Keep what the files of tests define now; under which digest."""
    paths = sorted((ROOT / "tests").rglob("*.py"))
    found = json.dumps(
        {p.relative_to(ROOT).as_posix(): definitions(p.read_text(encoding="utf-8")) for p in paths}
    )
    _DEFINED.mkdir(parents=True, exist_ok=True)
    _place(_digest(found)).write_text(found, encoding="utf-8")
    return _digest(found)


@cache
def _defined(digest: str) -> Mapping[str, Sequence[str]]:
    place = _place(digest)
    found: Mapping[str, Sequence[str]] = (
        json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    )
    return found


def _place(digest: str) -> Path:
    return _DEFINED / f"{digest}.json"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
