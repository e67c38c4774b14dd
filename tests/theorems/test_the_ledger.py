"""The committed ledger: about statements that are there, as they are, and holding what they expect.

A statement that is not on record yet is reported at the end of the run, and red only once it is.

That a run finds what it holds is the gate's business: ``theorems verify`` compares with it there.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from newcomers import new

from theorems.ledger import LIBRARY, digest, parts, read, reworded
from theorems.registry import library, package_of
from theorems.statement import Statement, Verdict

LEDGER = read(LIBRARY)
#: As a user types it at the top of the sources.
FILE = LIBRARY.relative_to(Path(__file__).parents[2])


def test_it_holds_no_statement_that_is_gone() -> None:
    assert set(LEDGER.entries) <= {s.name for s in library() if not package_of(s)}
    assert len(LEDGER.entries) > 100


@pytest.mark.parametrize("statement", library(), ids=lambda s: s.name)
def test_it_holds_the_statement_as_it_is(statement: Statement) -> None:
    if (entry := LEDGER.entries.get(statement.name)) is None:
        how = f"theorems verify {statement.name} --update-ledger"
        new(f"{statement.name} is not in {FILE}: {how}")
    assert entry.claim == parts(statement) or entry.digest != digest(statement), (
        "the parts are not those on record"
    )
    changes = "".join(
        f"\n  - {change.recorded}\n  + {change.found}" for change in reworded(entry, statement)
    )
    assert not changes, (
        f"{statement.name} is not the statement on record:{changes}\n"
        "A change that was not meant is to be undone. "
        f"After one that was: theorems verify {statement.name} --ledger {FILE} --update-ledger"
    )
    if statement.expected.holds:
        assert entry.verdict.holds
    else:
        assert entry.verdict is statement.expected
    link = "kernel" if statement.proof is None else statement.proof.link
    if statement.proof is not None and link == "kernel" and not statement.proof.refutes:
        assert entry.verdict is Verdict.PROVED
