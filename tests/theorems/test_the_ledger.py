"""The committed ledger: complete, about the statements as they are, and holding what they expect.

That a run finds what it holds is the gate's business: ``theorems verify`` compares with it there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from theorems.ledger import DEFAULT, digest, read, reworded
from theorems.registry import library, package_of
from theorems.statement import Statement, Verdict
from theorems.wording import parts

LEDGER = read(Path(__file__).parents[2] / DEFAULT)


def test_it_holds_every_statement_and_no_other() -> None:
    assert set(LEDGER.entries) == {s.name for s in library() if not package_of(s)}


@pytest.mark.parametrize("statement", library(), ids=lambda s: s.name)
def test_it_holds_the_statement_as_it_is(statement: Statement) -> None:
    entry = LEDGER.entries[statement.name]
    assert entry.claim == parts(statement) or entry.digest != digest(statement), (
        "the parts are not those on record"
    )
    changes = "".join(
        f"\n  - {change.recorded}\n  + {change.found}" for change in reworded(entry, statement)
    )
    assert not changes, (
        f"{statement.name} is not the statement on record:{changes}\n"
        "A change that was not meant is to be undone. "
        f"After one that was: theorems verify {statement.name} --ledger {DEFAULT} --update-ledger"
    )
    if statement.expected.holds:
        assert entry.verdict.holds
    else:
        assert entry.verdict is statement.expected
    link = "kernel" if statement.proof is None else statement.proof.link
    if statement.proof is not None and link == "kernel" and not statement.proof.refutes:
        assert entry.verdict is Verdict.PROVED
